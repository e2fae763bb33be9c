"""Definitions, their materializations and profiles as JSON, for whoever shows them: ``--json`` and the panel."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from ..catalog.records import FeatureDefinition, Materialization
from ..events import now
from ..words import iso
from .definitions import Entity, Expectation, FeatureService, FeatureView, Function, OnDemandView, short
from .names import parse_reference

AnyView = FeatureView | OnDemandView


def entity_body(entity: Entity) -> dict[str, Any]:
    """`Entity`."""
    return {
        "name": entity.name,
        "keys": entity.keys,
        "description": entity.description,
        "owner": entity.owner,
        "tags": dict(entity.tags),
    }


def service_body(service: FeatureService) -> dict[str, Any]:
    """`FeatureService`."""
    return {
        "name": service.name,
        "version": service.version,
        "features": list(service.features),
        "owner": service.owner,
        "tags": dict(service.tags),
        "description": service.description,
    }


def view_body(view: AnyView, watermark: datetime | None, rows: int) -> dict[str, Any]:
    """`FeatureView`."""
    if isinstance(view, OnDemandView):
        kind, ttl = "on_demand", None
        entities = list(dict.fromkeys(parse_reference(text).view for text in view.inputs))
    else:
        kind, ttl = "sql" if view.sql else "function" if view.function else "push", view.ttl
        entities = [one if isinstance(one, str) else one.name for one in view.entities]
    return {
        "name": view.name,
        "version": view.version,
        "kind": kind,
        "entities": [] if kind == "on_demand" else entities,
        "ttl_seconds": ttl.total_seconds() if ttl is not None else None,
        "features": [{"name": name, "dtype": dtype} for name, dtype in view.schema.items()],
        "owner": view.owner,
        "tags": dict(view.tags),
        "description": view.description,
        "watermark_at": iso(watermark),
        "freshness_seconds": (now() - watermark).total_seconds() if watermark else None,
        "rows": rows,
    }


def source_of(view: AnyView) -> tuple[str, str]:
    """The text that makes the values, and its language."""
    if isinstance(view, FeatureView) and view.sql:
        return view.sql, "sql"
    return (view.function.source, "python") if isinstance(view.function, Function) else ("", "")


def aggregation_bodies(view: AnyView) -> list[dict[str, Any]]:
    """The windows of a view."""
    if isinstance(view, OnDemandView):
        return []
    return [
        {
            "name": one.name,
            "function": one.function,
            "column": one.column,
            "window_seconds": one.window.total_seconds(),
        }
        for one in view.aggregations
    ]


def expectation_body(one: Expectation, problems: Sequence[Mapping[str, Any]] | None) -> dict[str, Any]:
    """`Expectation`; `problems` are those of the newest batch, None if there was none."""
    broken = [each for each in problems or () if (each["check"], each["feature"]) == (one.check, one.feature)]
    return {
        "check": one.check,
        "feature": one.feature,
        "text": _expected(one),
        "severity": one.severity,
        "is_met": None if problems is None else not broken,
        "message": str(broken[0].get("message", "")) if broken else "",
    }


def _expected(one: Expectation) -> str:
    bounds = [word for word in (_bound("≥", one.low), _bound("≤", one.high)) if word]
    match one.check:
        case "between" if one.low is not None and one.high is not None:
            return f"between {one.low:g} and {one.high:g}"
        case "between":
            return bounds[0]
        case "row_count":
            return f"rows {' and '.join(bounds)}"
        case "one_of":
            return f"one of {', '.join(map(str, one.values))}"
        case "matches":
            return f"matches {one.pattern}"
        case "fresh_within":
            return f"fresh within {short(one.window or timedelta(0))}"
        case _:
            return "not null" if not one.most else f"at most {one.most:.1%} null"


def _bound(sign: str, value: float | None) -> str:
    return "" if value is None else f"{sign} {value:g}"


def version_body(record: FeatureDefinition, current: str) -> dict[str, Any]:
    """`FeatureVersion`."""
    return {
        "version": record.version,
        "is_current": record.version == current,
        "user_name": record.user_name,
        "run_id": record.run_id or None,
        "created_at": iso(record.created_at),
        "registered_at": iso(record.registered_at),
    }


def materialization_body(record: Materialization) -> dict[str, Any]:
    """`Materialization`."""
    return {
        "materialization_id": record.materialization_id,
        "version": record.version,
        "state": record.state,
        "start_at": iso(record.start_at),
        "end_at": iso(record.end_at),
        "rows": record.rows,
        "online_rows": record.online_rows,
        "message": record.message,
        "run_id": record.run_id or None,
        "created_at": iso(record.created_at),
        "finished_at": iso(record.finished_at),
    }


def profile_body(profile: Mapping[str, Any]) -> dict[str, Any] | None:
    """`Profile`."""
    if not profile:
        return None
    rows = int(profile["rows"])
    return {
        "rows": rows,
        "features": [_profiled(name, rows, one) for name, one in profile["features"].items()],
    }


def _profiled(name: str, rows: int, one: Mapping[str, Any]) -> dict[str, Any]:
    top = one.get("top")
    return {
        "name": name,
        "dtype": one["dtype"],
        "null_share": one["nulls"] / max(1, rows),
        "distinct": None,
        "mean": one.get("mean"),
        "stddev": one.get("std"),
        "minimum": one.get("min"),
        "maximum": one.get("max"),
        "histogram": _histogram(one),
        "top": [{"value": value, "share": share} for value, share in (top or {}).items()],
    }


def _histogram(one: Mapping[str, Any]) -> dict[str, Any] | None:
    """The profile's inner edges with the least and the greatest value around them."""
    if not one.get("shares") or one.get("min") is None or one.get("max") is None:
        return None
    edges = [one["min"], *one["edges"], one["max"]]
    return {"edges": edges, "shares": list(one["shares"])}
