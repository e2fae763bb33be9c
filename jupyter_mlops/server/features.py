"""The operations on features: definitions, one view with its story, some of its rows."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from ..catalog.records import FeatureDefinition, FeaturePart, Materialization
from ..errors import InvalidInput, MlopsError
from ..features import Entity, FeatureService, FeatureStore, FeatureView, OnDemandView
from ..features.documents import (
    AnyView,
    aggregation_bodies,
    entity_body,
    expectation_body,
    materialization_body,
    profile_body,
    service_body,
    source_of,
    version_body,
    view_body,
)
from ..features.names import EVENT, parse_reference
from ..words import iso
from .panel import Panel

_MOST_MATERIALIZATIONS = 50
_MOST_DRIFT_ROWS = 1_000_000  # to compare more would keep a reader waiting
_KNOWN = ["logged", "succeeded"]


def list_all(panel: Panel, asked: Mapping[str, Any]) -> dict[str, Any]:
    """`listFeatures`."""
    workspace = panel.workspace
    found = list(workspace.features.find(asked["search"] or ""))
    views = [one for one in found if isinstance(one, FeatureView | OnDemandView)]
    return {
        "entities": [entity_body(one) for one in found if isinstance(one, Entity)],
        "views": [_view(workspace.features, one) for one in views],
        "services": [service_body(one) for one in found if isinstance(one, FeatureService)],
    }


def _view(store: FeatureStore, view: AnyView) -> dict[str, Any]:
    return view_body(view, *store.standing(view))


def show(panel: Panel, asked: Mapping[str, Any]) -> dict[str, Any]:
    """`getFeatureView`."""
    workspace = panel.workspace
    catalog, store = workspace.catalog, workspace.features
    view: AnyView = store.get(asked["name"])
    where = {"view": view.name, "version": view.version}
    kind = "view" if isinstance(view, FeatureView) else "on_demand"
    versions = catalog.find(
        FeatureDefinition, where={"kind": kind, "name": view.name}, order_by=("-registered_at", "-version")
    )
    batches = catalog.find(
        Materialization, where=where, order_by="-created_at", limit=_MOST_MATERIALIZATIONS, omit=("profile",)
    )
    told = catalog.find(
        Materialization, where={**where, "state": _KNOWN, "rows": (">", 0)}, order_by="-created_at", limit=2
    )
    text, language = source_of(view)
    newest_problems = told[0].problems if told else None
    return {
        "view": _view(store, view),
        "time_zone": getattr(view, "time_zone", ""),
        "event_timestamp": getattr(view, "event_timestamp", ""),
        "keys": _keys(store, view),
        "source_text": text,
        "source_language": language,
        "database": panel.places.shown(getattr(view, "database", "")),
        "aggregations": aggregation_bodies(view),
        "expectations": [expectation_body(one, newest_problems) for one in getattr(view, "expectations", ())],
        "versions": [version_body(one, view.version) for one in versions],
        "services": _services(store, view),
        "materializations": [materialization_body(one) for one in batches],
        "profile": profile_body(told[0].profile) if told else None,
        "profile_before": profile_body(told[1].profile) if len(told) > 1 else None,
        "drift": _drift(store, view, told),
    }


def _keys(store: FeatureStore, view: AnyView) -> dict[str, str]:
    if isinstance(view, OnDemandView):
        return {}
    keys: dict[str, str] = {}
    for one in view.entities:
        keys |= store.get(one if isinstance(one, str) else one.name, Entity).keys
    return keys


def _services(store: FeatureStore, view: AnyView) -> list[str]:
    services = [one for one in store.find(kind=FeatureService) if isinstance(one, FeatureService)]
    return [
        one.name for one in services if any(parse_reference(text).view == view.name for text in one.features)
    ]


def _drift(store: FeatureStore, view: AnyView, told: Sequence[Materialization]) -> list[dict[str, Any]]:
    """The newest batch against the one before it."""
    if len(told) < 2 or told[0].rows > _MOST_DRIFT_ROWS or not told[1].profile:
        return []
    key = (told[0].materialization_id, told[1].materialization_id)
    return list(_drift_of(_Drifting(store, view.reference, told[1].profile, key)))


class _Drifting:
    """What the drift between two batches is made of; two are equal if the batches are."""

    def __init__(
        self, store: FeatureStore, view: str, before: Mapping[str, Any], key: tuple[str, str]
    ) -> None:
        self.store, self.view, self.before, self.key = store, view, before, key

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Drifting) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)


@lru_cache(maxsize=64)
def _drift_of(batches: _Drifting) -> tuple[dict[str, Any], ...]:
    try:
        found = batches.store.drift(batches.before, batches.view)
    except MlopsError:  # the batch is gone, or its features are others
        return ()
    return tuple(
        {"feature": one.feature, "psi": one.psi, "ks": one.ks, "is_drifted": one.is_drifted}
        for one in found.features
    )


# --- rows -----------------------------------------------------------------------------------------------


def preview(panel: Panel, asked: Mapping[str, Any]) -> dict[str, Any]:
    """`previewFeatureView`."""
    workspace = panel.workspace
    store, catalog = workspace.features, workspace.catalog
    view: AnyView = store.get(asked["name"])
    if isinstance(view, OnDemandView):
        raise InvalidInput(f"{view.name!r} is computed when it is asked for: it has no rows")
    where = {"view": view.name, "version": view.version}
    keys = _keys(store, view)
    columns = [*keys, EVENT, *view.schema]
    total = catalog.total(FeaturePart, "rows", where=where)
    newest = catalog.find(FeaturePart, where=where, order_by="-greatest_at", limit=1)
    rows: list[list[Any]] = []
    if newest:
        table = store.log.read(newest, columns)
        table = table.take(_last(table.column(EVENT), asked["limit"])).select(columns)
        rows = [[_cell(value) for value in row.values()] for row in table.to_pylist()]
    dtypes = {**keys, EVENT: "timestamp", **view.schema}
    return {
        "columns": [{"name": name, "dtype": dtype} for name, dtype in dtypes.items()],
        "rows": rows,
        "total": total,
    }


def _last(moments: Any, count: int) -> Any:
    """The places of the newest rows."""
    import pyarrow.compute as pc

    return pc.sort_indices(moments, sort_keys=[("", "descending")])[:count]


def _cell(value: Any) -> Any:
    if isinstance(value, datetime):
        return iso(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if value is None or isinstance(value, str | int | bool) else str(value)
