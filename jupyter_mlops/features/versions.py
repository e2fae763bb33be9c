"""Definitions as JSON, for the catalog, and as versions: the digest of what decides the values."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from ..fingerprint import digest_bytes
from .definitions import (
    Aggregation,
    Definition,
    Entity,
    Expectation,
    FeatureView,
    Function,
    OnDemandView,
)

VERSION_DIGITS = 16
_MICROSECOND = timedelta(microseconds=1)


def version_of(parts: Mapping[str, Any]) -> str:
    """The digest of canonical JSON, cut to what still is unique."""
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return digest_bytes(text.encode())[:VERSION_DIGITS]


def view_parts(view: FeatureView, keys: Mapping[str, str]) -> dict[str, Any]:
    """What decides the values of a view, as JSON; `keys` are the join keys of its entities."""
    function = view.function
    return {
        "name": view.name,
        "keys": list(keys.items()),
        "sql": view.sql,
        "function": function.digest if isinstance(function, Function) else "",
        "database": view.database,
        "schema": list(view.schema.items()),
        "event_timestamp": view.event_timestamp,
        "created_timestamp": view.created_timestamp,
        "time_zone": view.time_zone,
        "ttl": view.ttl_microseconds,
        "aggregations": [[a.function, a.column, a.window // _MICROSECOND, a.name] for a in view.aggregations],
    }


def on_demand_parts(view: OnDemandView) -> dict[str, Any]:
    """What decides the values of an on-demand view, as JSON."""
    function = view.function
    return {
        "name": view.name,
        "function": function.digest if isinstance(function, Function) else "",
        "schema": list(view.schema.items()),
        "inputs": list(view.inputs),
        "request": list(view.request.items()),
        "mode": view.mode,
    }


def to_json(definition: Definition) -> dict[str, Any]:
    """The definition as JSON; a function must be a `Function` by then."""
    return {one.name: _plain(getattr(definition, one.name)) for one in dataclasses.fields(definition)}


def view_from_json(kept: Mapping[str, Any]) -> FeatureView:
    """The `FeatureView` that `to_json` made."""
    fields = dict(kept)
    fields["aggregations"] = [Aggregation(**_with_window(one)) for one in kept["aggregations"]]
    fields["expectations"] = [Expectation(**_with_window(one)) for one in kept["expectations"]]
    fields["ttl"] = None if kept["ttl"] is None else kept["ttl"] * _MICROSECOND
    return FeatureView(**_with_function(fields))


def on_demand_from_json(kept: Mapping[str, Any]) -> OnDemandView:
    """The `OnDemandView` that `to_json` made."""
    return OnDemandView(**_with_function(dict(kept)))


def _plain(value: Any) -> Any:
    if isinstance(value, timedelta):
        return value // _MICROSECOND
    if isinstance(value, Entity):
        return value.name
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {one.name: _plain(getattr(value, one.name)) for one in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


def _with_window(kept: Mapping[str, Any]) -> dict[str, Any]:
    window = kept["window"]
    return {**kept, "window": None if window is None else window * _MICROSECOND}


def _with_function(fields: dict[str, Any]) -> dict[str, Any]:
    if fields["function"] is not None:
        fields["function"] = Function(**fields["function"])
    return fields
