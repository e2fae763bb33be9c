"""Definitions as a table: a sequence of them for programs, rich in a notebook, plain in a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import overload

from .. import words
from ..display import tab, table_html, table_text
from .definitions import Definition, Entity, FeatureService, FeatureView, OnDemandView, short
from .names import parse_reference

_COLUMNS = ("kind", "name", "version", "of", "features", "ttl", "source", "description")
_SHOWN_VERSION = 8
_MOST = 70


class DefinitionTable(Sequence[Definition]):
    """Entities, feature views, on-demand views and feature services, one row each."""

    def __init__(self, definitions: Sequence[Definition]) -> None:
        self._definitions = list(definitions)

    @overload
    def __getitem__(self, place: int) -> Definition: ...
    @overload
    def __getitem__(self, place: slice) -> list[Definition]: ...
    def __getitem__(self, place: int | slice) -> Definition | list[Definition]:
        return self._definitions[place]

    def __len__(self) -> int:
        return len(self._definitions)

    def __repr__(self) -> str:
        return table_text(_COLUMNS, self._rows()) if self._definitions else "no features yet"

    def _repr_html_(self) -> str:
        if not self._definitions:
            return "<em>no features yet</em>"
        return table_html(_COLUMNS, map(_linked, self._rows()))

    def cells(self) -> tuple[list[str], list[list[str]]]:
        """The names of the columns, and the rows."""
        return list(_COLUMNS), self._rows()

    def _rows(self) -> list[list[str]]:
        """Among many a view tells the names of its features, by itself their types too."""
        is_alone = len({one.name for one in self._definitions}) == 1
        return [_row(one, has_types=is_alone) for one in self._definitions]


def _row(one: Definition, *, has_types: bool) -> list[str]:
    version = getattr(one, "version", "")[:_SHOWN_VERSION]
    description = words.shorten(one.description, _MOST)
    if isinstance(one, Entity):
        keys = ", ".join(f"{name}: {dtype}" for name, dtype in one.keys.items())
        return ["entity", one.name, "", keys, "", "", "", description]
    if isinstance(one, FeatureService):
        pinned: dict[str, list[str]] = {}
        for text in one.features:
            reference = parse_reference(text)
            pinned.setdefault(f"{reference.view}@{reference.version[:_SHOWN_VERSION]}", []).append(
                reference.feature
            )
        features = words.shorten(
            "; ".join(f"{view}: {', '.join(names)}" for view, names in pinned.items()), _MOST
        )
        return ["service", one.name, version, "", features, "", "", description]
    told = [f"{name}: {dtype}" if has_types else name for name, dtype in one.schema.items()]
    features = words.shorten(", ".join(told), _MOST)
    if isinstance(one, OnDemandView):
        inputs = ", ".join(dict.fromkeys(parse_reference(text).view for text in one.inputs))
        return ["on demand", one.name, version, inputs, features, "", _function(one.function), description]
    return ["view", one.name, version, _of(one), features, _ttl(one), _source(one), description]


def _linked(row: list[str]) -> list[str]:
    kind, name, *more = row
    has_tab = kind in ("view", "on demand")
    return [kind, tab(name, "feature", name=name) if has_tab else name, *more]


def _of(view: FeatureView) -> str:
    return ", ".join(one if isinstance(one, str) else one.name for one in view.entities)


def _ttl(view: FeatureView) -> str:
    return "" if view.ttl is None else short(view.ttl)


def _source(view: FeatureView) -> str:
    if view.sql:
        return f"SQL on {view.database}" if view.database else "SQL"
    return _function(view.function) if view.function is not None else "pushed"


def _function(function: object) -> str:
    return f"{getattr(function, 'name', None) or getattr(function, '__name__', '')}()"
