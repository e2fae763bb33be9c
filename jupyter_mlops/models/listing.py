"""Versions of models as a table: a sequence of them for programs, rich in a notebook, plain in a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, overload

from .. import words
from ..catalog import ModelVersion
from ..display import bars, sparkline, tab, table_html, table_text

_MOST_METRICS = 4


class VersionTable(Sequence[ModelVersion]):
    """Some versions, the aliases of their models, and the `history` from which a metric's line is drawn.

    An overview has one row a model, with the course of its first metric; else there is one row a version.
    """

    def __init__(
        self,
        versions: Sequence[ModelVersion],
        *,
        aliases: Mapping[str, Mapping[str, int]],
        history: Sequence[ModelVersion] = (),
        is_overview: bool = False,
    ) -> None:
        self._versions = list(versions)
        self._aliases = aliases
        self._history = sorted(history, key=lambda one: (one.name, one.version))
        self._is_overview = is_overview

    @overload
    def __getitem__(self, place: int) -> ModelVersion: ...
    @overload
    def __getitem__(self, place: slice) -> list[ModelVersion]: ...
    def __getitem__(self, place: int | slice) -> ModelVersion | list[ModelVersion]:
        return self._versions[place]

    def __len__(self) -> int:
        return len(self._versions)

    @property
    def metrics(self) -> list[str]:
        """The names of the metrics that the table shows."""
        names = dict.fromkeys(name for version in self._versions for name in version.metrics)
        return list(names)[:_MOST_METRICS]

    def course(self, name: str, metric: str) -> list[float]:
        """A metric of a model, oldest version first."""
        return [one.metrics[metric] for one in self._history if one.name == name and metric in one.metrics]

    def __repr__(self) -> str:
        if not self._versions:
            return "no models yet"
        courses = [f"{name} {bars(values)}" for name, values in self._courses() if bars(values)]
        return table_text(
            self._columns(), self._rows(), caption="" if self._is_overview else "  ".join(courses)
        )

    def _repr_html_(self) -> str:
        if not self._versions:
            return "<em>no models yet</em>"
        rows = [[tab(name, "model", name=name), *more] for name, *more in self._rows()]
        if self._is_overview:
            columns = [*self._columns(), "course"]
            lines = [sparkline(values, label=name) for name, values in self._courses()]
            return table_html(columns, [[*row, line] for row, line in zip(rows, lines, strict=True)])
        told = [
            f"{sparkline(values, label=name)} {escape(name)}"
            for name, values in self._courses()
            if len(values) > 1
        ]
        table = table_html(self._columns(), rows)
        return f"<div>{' '.join(told)}</div>{table}" if told else table

    def _courses(self) -> list[tuple[str, list[float]]]:
        """(label, values) of the first metric of each row's model; of each model once unless an overview."""
        found = []
        names = [one.name for one in self._versions]
        for name in names if self._is_overview else dict.fromkeys(names):
            metric = next((key for key in self.metrics if self.course(name, key)), "")
            found.append((metric, self.course(name, metric)))
        return found

    def _columns(self) -> list[str]:
        return ["model", "version", "aliases", *self.metrics, "tags", "registered"]

    def _rows(self) -> list[list[str]]:
        return [
            [
                version.name,
                str(version.version),
                ", ".join(self._told_aliases(version)),
                *(words.value(version.metrics.get(name, "")) for name in self.metrics),
                words.mapping(version.tags, 60),
                f"{version.created_at:%Y-%m-%d %H:%M}",
            ]
            for version in self._versions
        ]

    def _told_aliases(self, version: ModelVersion) -> list[str]:
        """Of a version its own; an overview tells all of the model, with the version that each names."""
        known: Mapping[str, Any] = self._aliases.get(version.name, {})
        if self._is_overview:
            return [f"{alias} → {number}" for alias, number in known.items()]
        return [alias for alias, number in known.items() if number == version.version]
