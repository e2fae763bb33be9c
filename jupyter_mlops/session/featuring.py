"""Features from a notebook: a view in a cell, definitions, and what there is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from ..errors import InvalidInput, NotFound, did_you_mean
from ..features import Aggregation, Entity, Expectation, FeatureStore, FeatureView
from ..features.definitions import Definition
from ..features.listing import DefinitionTable
from ..pipelines.reading import parse_duration
from .place import current_settings, demand_feature_stores, get_workspace

Duration = timedelta | str
Entities = Entity | str | Sequence[Entity | str]


def feature_store() -> FeatureStore:
    """The feature store of the workspace; `StorageUnavailable` in a run that cannot reach it."""
    demand_feature_stores(current_settings())
    return get_workspace().features


def feature_view(
    name: str | None = None,
    *,
    entities: Entities,
    ttl: Duration | None = None,
    time_zone: str = "",
    event_timestamp: str = "event_timestamp",
    created_timestamp: str = "",
    schema: Mapping[str, str] | None = None,
    aggregations: Sequence[Aggregation | str] = (),
    expectations: Sequence[Expectation] = (),
    description: str = "",
    owner: str = "",
    tags: Mapping[str, str] | None = None,
) -> Callable[[Callable[..., Any]], FeatureView]:
    """Register the function below as a feature view; in its place stands the view, with schema and version.

    ::

        @mlops.feature_view(entities="airport=origin", ttl="6h", time_zone="UTC")
        def weather():
            return pd.read_parquet("weather.parquet")

    Its name is the function's, if none is given, its description the first line of the function's docstring.
    `entities` are definitions or texts: ``airport``, ``airport=origin``, ``plane=plane_id:int64``; one that is
    not known yet is registered. `ttl` may be a text (``6h``); aggregations too: ``avg dep_delay 3h``.
    """
    if callable(name):
        raise InvalidInput(
            "@mlops.feature_view needs to know what its features describe",
            hint="@mlops.feature_view(entities='airport=origin')",
        )

    def register(function: Callable[..., Any]) -> FeatureView:
        return register_view(
            name or function.__name__,
            function=function,
            entities=entities,
            ttl=ttl,
            time_zone=time_zone,
            event_timestamp=event_timestamp,
            created_timestamp=created_timestamp,
            schema=schema or {},
            aggregations=aggregations,
            expectations=expectations,
            description=description or first_line(function.__doc__),
            owner=owner,
            tags=tags or {},
        )

    return register


def register_view(
    name: str,
    *,
    entities: Entities,
    ttl: Duration | None = None,
    aggregations: Sequence[Aggregation | str] = (),
    **fields: Any,
) -> FeatureView:
    """Register one view, with its entities and durations as a notebook may write them; see `feature_view`."""
    store = feature_store()
    view = FeatureView(
        name=name,
        entities=[_entity(store, one) for one in _several(entities)],
        ttl=duration(ttl),
        aggregations=[aggregation(one) for one in aggregations],
        **fields,
    )
    kept: FeatureView = store.register(view)
    return kept


def register_features(*definitions: Definition) -> Any:
    """Keep entities, feature views, on-demand views and feature services, all or none; they come back with
    schemas read, references pinned and versions known (the one, if one was given).

    What is known already, just so, keeps its version. In a run the new ones belong to the run.
    """
    return feature_store().register(*definitions)


def find_features(text: str | None = None) -> DefinitionTable:
    """What there is as a table: all definitions; with the name of one, all of its versions; else those in
    which each word of `text` occurs. The table is a sequence of definitions."""
    store = feature_store()
    if not text:
        return DefinitionTable(store.find())
    every = store.find(all_versions=True)
    named = [one for one in every if one.name == text.partition("@")[0]]
    if "@" in text and named:
        named = [one for one in named if getattr(one, "version", "").startswith(text.partition("@")[2])]
    found = named or store.find(text)
    if not found:
        hint = did_you_mean(text, {one.name for one in every})
        raise NotFound(f"no feature definition is called {text!r}, or tells of it", hint=hint)
    return DefinitionTable(found)


def duration(given: Duration | None) -> timedelta | None:
    """A timedelta, or a text such as ``90m`` or ``7d``."""
    return timedelta(seconds=parse_duration(given)) if isinstance(given, str) else given


def aggregation(given: Aggregation | str) -> Aggregation:
    """An aggregation, or a text: ``count 1d``, ``avg dep_delay 3h``, ``avg dep_delay 3h as recent``."""
    if not isinstance(given, str):
        return given
    words = given.split()
    name = ""
    if len(words) > 3 and words[-2].lower() == "as":
        name, words = words[-1], words[:-2]
    if len(words) not in (2, 3):
        raise InvalidInput(
            f"{given!r} is no aggregation", hint="FUNCTION [COLUMN] WINDOW [as NAME], such as 'avg delay 3h'"
        )
    window = duration(words[-1])
    assert window is not None  # noqa: S101 - a text gives one
    return Aggregation(words[0], words[1] if len(words) == 3 else "", window, name)


def _several(entities: Entities) -> Iterable[Entity | str]:
    if isinstance(entities, str):
        return [part.strip() for part in entities.split(",") if part.strip()]
    return [entities] if isinstance(entities, Entity) else entities


def _entity(store: FeatureStore, given: Entity | str) -> Entity | str:
    """A definition as it is; a name that is known; else a new entity, as the text says."""
    if isinstance(given, Entity):
        return given
    name, _, key = given.partition("=")
    if key:
        column, _, dtype = key.partition(":")
        return Entity(name.strip(), {column.strip(): dtype.strip() or "string"})
    try:
        store.get(name, Entity)
    except NotFound:
        bare, _, dtype = name.partition(":")
        return Entity(bare, {bare: dtype or "string"})
    return name


def first_line(text: str | None) -> str:
    return (text or "").strip().partition("\n")[0]
