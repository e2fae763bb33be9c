"""Features as they are now: one question to the online store, whatever the number of views and keys.

What a question needs (codecs, ttl, places of the features) is worked out once for a list of features and kept.
The ttl is applied here, with the clock of the question, by the rule that training uses.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import InvalidInput
from . import ondemand
from .codec import KeyCodec, RowCodec, selector
from .definitions import FeatureView, OnDemandView
from .dtypes import DTYPES, moment_of, python_value
from .online import EXPIRED, NOT_FOUND, NULL, PRESENT, OnlineStore
from .selection import Selection, input_columns


class OnlineFeatures:
    """The answer: a tuple of values, of statuses and of ages for each entity row, in the order asked.

    ``answer[0]["temp"]`` is a value, ``answer.statuses[0]`` are ``PRESENT NULL EXPIRED NOT_FOUND``, and
    ``answer.ages[0]`` the seconds since the event, None where there is none.
    """

    __slots__ = ("_at", "_events", "names", "statuses", "values")

    def __init__(
        self,
        names: tuple[str, ...],
        values: list[tuple[Any, ...]],
        statuses: list[tuple[str, ...]],
        events: Any,
        at: int,
    ) -> None:
        self.names = names
        self.values = values
        self.statuses = statuses
        self._events = events
        self._at = at

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, row: int) -> dict[str, Any]:
        return dict(zip(self.names, self.values[row], strict=True))

    @property
    def ages(self) -> list[tuple[float | None, ...]]:
        """Seconds between the event and the question."""
        at = self._at
        return [
            tuple(None if event is None else max(0.0, (at - event) / 1e6) for event in row)
            for row in self._events
        ]

    def to_dicts(self) -> list[dict[str, Any]]:
        """A mapping of feature → value for each row."""
        return [dict(zip(self.names, row, strict=True)) for row in self.values]

    def to_pandas(self) -> Any:
        """A frame of the values."""
        import pandas as pd

        return pd.DataFrame.from_records(self.values, columns=list(self.names))

    def __repr__(self) -> str:
        return (
            f"OnlineFeatures({self.to_dicts()!r})" if len(self) <= 3 else f"OnlineFeatures({len(self)} rows)"
        )


@dataclass(frozen=True, slots=True)
class _Lookup:
    """How one view is read and its row understood."""

    name: str  # as the online store knows it
    pack_key: Callable[[Mapping[str, Any]], bytes]
    unpack: Callable[[bytes], tuple[int, tuple[Any, ...]]]
    pick: Callable[[tuple[Any, ...]], tuple[Any, ...]] | None  # None: all of them
    ttl: int | None
    width: int
    nothing: tuple[None, ...]
    present: tuple[str, ...]
    expired: tuple[str, ...]
    missing: tuple[str, ...]

    def answer(self, found: bytes | None, at: int) -> tuple[tuple[Any, ...], tuple[str, ...], int | None]:
        """(values, statuses, event)."""
        if found is None:
            return self.nothing, self.missing, None
        event, values = self.unpack(found)
        if self.ttl is not None and event < at - self.ttl:
            return self.nothing, self.expired, event
        if self.pick is not None:
            values = self.pick(values)
        if None in values:
            return values, tuple([NULL if value is None else PRESENT for value in values]), event
        return values, self.present, event


class Reader:
    """Answers one list of features."""

    def __init__(
        self,
        selection: Selection,
        keys_of: Callable[[FeatureView], Mapping[str, str]],
        function_of: Callable[[OnDemandView], Callable[..., Any]],
    ) -> None:
        self.names = tuple(one.output for one in selection.columns)
        self._lookups = [
            _lookup(view, features, keys_of(view)) for view, features in selection.reads.values()
        ]
        self._on_demand = [(view, function_of(view)) for view in selection.on_demand.values()]
        self._places: dict[tuple[str, str], int] = {}
        for reference, (_, features) in selection.reads.items():
            for feature in features:
                self._places[reference, feature] = len(self._places)
        self._pick = None
        if not self._on_demand:
            wanted = [self._places[one.view.reference, one.feature] for one in selection.columns]
            self._pick = selector(wanted, len(self._places))
        self._selection = selection

    def read(self, store: OnlineStore, rows: Sequence[Mapping[str, Any]], at: int) -> OnlineFeatures:
        """One row of the answer for each of `rows`; `at` is the question's moment, in UTC microseconds."""
        found = store.read(wanted=[(one.name, [one.pack_key(row) for row in rows]) for one in self._lookups])
        if len(self._lookups) == 1 and not self._on_demand:
            lookup = self._lookups[0]
            answers = [lookup.answer(one, at) for one in found[0]]
            values = [one[0] for one in answers]
            statuses = [one[1] for one in answers]
            events: Any = _Repeated([one[2] for one in answers], len(self.names))
        else:
            values, statuses, events = self._joined(found, at, len(rows))
        if self._on_demand:
            values, statuses, events = self._computed(rows, values, statuses, events)
        elif self._pick is not None:
            values = [self._pick(one) for one in values]
            statuses = [self._pick(one) for one in statuses]
            events = [self._pick(tuple(one)) for one in events]
        return OnlineFeatures(self.names, values, statuses, events, at)

    def _joined(self, found: Any, at: int, rows: int) -> Any:
        values: list[tuple[Any, ...]] = []
        statuses: list[tuple[str, ...]] = []
        events: list[tuple[int | None, ...]] = []
        for row in range(rows):
            value: list[Any] = []
            status: list[str] = []
            event: list[int | None] = []
            for lookup, answers in zip(self._lookups, found, strict=True):
                one = lookup.answer(answers[row], at)
                value += one[0]
                status += one[1]
                event += [one[2]] * lookup.width
            values.append(tuple(value))
            statuses.append(tuple(status))
            events.append(tuple(event))
        return values, statuses, events

    def _computed(self, rows: Sequence[Mapping[str, Any]], values: Any, statuses: Any, events: Any) -> Any:
        out: tuple[list[Any], list[Any], list[Any]] = ([], [], [])
        for place, row in enumerate(rows):
            made = {}
            for view, function in self._on_demand:
                inputs = {
                    name: values[place][self._places[ref, feature]]
                    for name, ref, feature in input_columns(view)
                }
                inputs |= {name: _requested(row, name, dtype) for name, dtype in view.request.items()}
                made[view.reference] = dict(
                    zip(view.schema, ondemand.compute_row(view, function, inputs), strict=True)
                )
            value: list[Any] = []
            status: list[str] = []
            event: list[int | None] = []
            for one in self._selection.columns:
                if one.view.reference in made:
                    value.append(made[one.view.reference][one.feature])
                    status.append(NULL if value[-1] is None else PRESENT)
                    event.append(None)
                else:
                    source = self._places[one.view.reference, one.feature]
                    value.append(values[place][source])
                    status.append(statuses[place][source])
                    event.append(tuple(events[place])[source])
            out[0].append(tuple(value))
            out[1].append(tuple(status))
            out[2].append(tuple(event))
        return out


class _Repeated(Sequence[Any]):
    """The one event of each row, for each of its features."""

    __slots__ = ("_events", "_width")

    def __init__(self, events: list[int | None], width: int) -> None:
        self._events = events
        self._width = width

    def __len__(self) -> int:
        return len(self._events)

    def __getitem__(self, row: Any) -> Any:
        return (self._events[row],) * self._width


def _lookup(view: FeatureView, features: Sequence[str], keys: Mapping[str, str]) -> _Lookup:
    order = list(view.schema)
    width = len(features)
    return _Lookup(
        name=view.reference,
        pack_key=KeyCodec(keys).pack,
        unpack=RowCodec(view.schema).unpack,
        pick=selector([order.index(name) for name in features], len(order)),
        ttl=view.ttl_microseconds,
        width=width,
        nothing=(None,) * width,
        present=(PRESENT,) * width,
        expired=(EXPIRED,) * width,
        missing=(NOT_FOUND,) * width,
    )


def _requested(row: Mapping[str, Any], name: str, dtype: str) -> Any:
    if name not in row:
        raise InvalidInput(
            f"the question lacks {name!r} ({DTYPES[dtype].words})", hint="it comes with each entity row"
        )
    value = python_value(row[name], dtype, f"{name!r}")
    return moment_of(value) if dtype == "timestamp" and value is not None else value
