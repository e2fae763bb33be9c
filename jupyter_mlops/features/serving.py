"""Features as they are now: one question to the online store, whatever the number of views and keys.

What a question needs (codecs, ttl, places of the features) is worked out once for a list of features and kept.
The ttl is applied here, with the clock of the question, by the rule that training uses.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from operator import add
from typing import Any

from ..errors import InvalidInput
from . import ondemand
from .codec import KeyCodec, RowCodec, selector
from .definitions import FeatureView, OnDemandView
from .dtypes import DTYPES, moment_of, python_value
from .one_row import OneRow
from .online import EXPIRED, NOT_FOUND, NULL, PRESENT, OnlineStore
from .selection import Selection, input_columns

_FOREVER = 1 << 64  # microseconds
_Columns = tuple[list[tuple[Any, ...]], list[tuple[str, ...]], list[Sequence[int | None]]]
_Answers = tuple[list[tuple[Any, ...]], list[tuple[str, ...]], Sequence[int | None]]


class OnlineFeatures:
    """The answer: a tuple of values, of statuses and of ages for each entity row, in the order asked.

    ``answer[0]["temp"]`` is a value, ``answer.statuses[0]`` are ``PRESENT NULL EXPIRED NOT_FOUND``, and
    ``answer.ages[0]`` the seconds since the event, None where there is none.
    """

    __slots__ = ("_at", "_events", "_sources", "names", "statuses", "values")

    def __init__(
        self,
        names: tuple[str, ...],
        values: list[tuple[Any, ...]],
        statuses: list[tuple[str, ...]],
        events: list[Sequence[int | None]],
        sources: tuple[int | None, ...],
        at: int,
    ) -> None:
        """`events` has each view's, row by row; `sources` says which view a column is of (None: of none)."""
        self.names = names
        self.values = values
        self.statuses = statuses
        self._events = events
        self._sources = sources
        self._at = at

    def __len__(self) -> int:
        return len(self.values)

    def __getitem__(self, row: int) -> dict[str, Any]:
        return dict(zip(self.names, self.values[row], strict=True))

    @property
    def ages(self) -> list[tuple[float | None, ...]]:
        """Seconds between the event and the question."""
        ages = [
            [None if event is None else max(0.0, (self._at - event) / 1e6) for event in view]
            for view in self._events
        ]
        return [
            tuple(None if source is None else ages[source][row] for source in self._sources)
            for row in range(len(self))
        ]

    def to_dict(self) -> dict[str, list[Any]]:
        """A list of values for each feature."""
        if len(self.values) == 1:
            columns = {}  # asked with each prediction: a comprehension and `strict` would take half as long again
            for name, value in zip(self.names, self.values[0]):  # noqa: B905
                columns[name] = [value]
            return columns
        if not self.values:
            return {name: [] for name in self.names}
        return dict(zip(self.names, map(list, zip(*self.values, strict=True)), strict=True))

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
    pack: int  # which packing of keys
    codec: RowCodec
    pick: Callable[[tuple[Any, ...]], tuple[Any, ...]] | None  # None: all of them
    ttl: int
    nothing: tuple[None, ...]
    present: tuple[str, ...]
    expired: tuple[str, ...]
    missing: tuple[str, ...]

    def answers(self, found: Sequence[bytes | None], at: int) -> _Answers:
        """(values, statuses, events), row by row."""
        oldest = at - self.ttl
        plain = self.codec.unpack_rows(found)
        if plain is not None and min(plain[0]) >= oldest:  # all present: as it should be
            events, rows = plain
            kept = rows if self.pick is None else list(map(self.pick, rows))
            return kept, [self.present] * len(rows), events
        answers = [self.answer(data, oldest) for data in found]
        values, statuses, times = zip(*answers, strict=True) if answers else ((), (), ())
        return list(values), list(statuses), times

    def answer(self, data: bytes | None, oldest: int) -> tuple[tuple[Any, ...], tuple[str, ...], int | None]:
        """(values, statuses, event) of one row; an event before `oldest` is too old."""
        if data is None:
            return self.nothing, self.missing, None
        event, row = self.codec.unpack(data)
        if event < oldest:
            return self.nothing, self.expired, event
        kept = row if self.pick is None else self.pick(row)
        return kept, self.present if None not in kept else _statuses(kept), event


def _statuses(row: tuple[Any, ...]) -> tuple[str, ...]:
    return tuple([NULL if value is None else PRESENT for value in row])


def _joined(rows: Sequence[list[tuple[Any, ...]]]) -> list[tuple[Any, ...]]:
    """The rows of several views side by side."""
    joined = rows[0]
    for more in rows[1:]:
        joined = list(map(add, joined, more))
    return joined


class Reader:
    """Answers one list of features."""

    def __init__(
        self,
        selection: Selection,
        keys_of: Callable[[FeatureView], Mapping[str, str]],
        function_of: Callable[[OnDemandView], Callable[..., Any]],
    ) -> None:
        self.names = tuple(one.output for one in selection.columns)
        by_keys: dict[tuple[tuple[str, str], ...], int] = {}  # views with the same keys share their packing
        self._lookups = []
        for view, features in selection.reads.values():
            pack = by_keys.setdefault(tuple(keys_of(view).items()), len(by_keys))
            self._lookups.append(_lookup(view, features, pack))
        self._codecs = [KeyCodec(dict(keys)) for keys in by_keys]
        self._views = tuple(one.name for one in self._lookups)
        self._on_demand = [(view, function_of(view)) for view in selection.on_demand.values()]
        self._places: dict[tuple[str, str], int] = {}
        sources: dict[str, int] = {}
        for reference, (_, features) in selection.reads.items():
            sources[reference] = len(sources)
            for feature in features:
                self._places[reference, feature] = len(self._places)
        self._sources = tuple(sources.get(one.view.reference) for one in selection.columns)
        self._pick = None
        if not self._on_demand:
            wanted = [self._places[one.view.reference, one.feature] for one in selection.columns]
            self._pick = selector(wanted, len(self._places))
        self._selection = selection
        self._present = (PRESENT,) * len(self.names)
        self._one_row = None if self._on_demand else self._together(selection)

    def _together(self, selection: Selection) -> OneRow | None:
        """Unpacks the rows of one entity at once; None where there are other features than numbers."""
        codecs, ttls = [one.codec for one in self._lookups], [one.ttl for one in self._lookups]
        if not codecs or any(codec.has_rest for codec in codecs):
            return None
        kept = [(reference, name) for reference, (view, _) in selection.reads.items() for name in view.schema]
        return OneRow(
            codecs, ttls, [kept.index((one.view.reference, one.feature)) for one in selection.columns]
        )

    def read(self, store: OnlineStore, rows: Sequence[Mapping[str, Any]], at: int) -> OnlineFeatures:
        """One row of the answer for each of `rows`; `at` is the question's moment, in UTC microseconds."""
        if len(rows) != 1 or not self._lookups:
            values, statuses, events = self._read_rows(store, rows, at)
        else:
            found = store.read_row(views=self._views, keys=self._keys(rows[0]))
            if self._one_row is not None and (whole := self._one_row.unpack(found, at)) is not None:
                return OnlineFeatures(self.names, [whole[0]], [self._present], whole[1], self._sources, at)
            values, statuses, events = self._answers(found, at)
        if self._on_demand:
            values, statuses = self._computed(rows, values, statuses)
        elif self._pick is not None:
            values = [self._pick(one) for one in values]
            statuses = [self._pick(one) for one in statuses]
        return OnlineFeatures(self.names, values, statuses, events, self._sources, at)

    def _keys(self, row: Mapping[str, Any]) -> Sequence[bytes]:
        """The key in each view."""
        if len(self._codecs) == 1:
            return (self._codecs[0].pack(row),) * len(self._views)
        packed = [codec.pack(row) for codec in self._codecs]
        return [packed[one.pack] for one in self._lookups]

    def _answers(self, several: Sequence[bytes | None], at: int) -> _Columns:
        """The answers of all views side by side, and each view's events, for one row."""
        values: tuple[Any, ...] = ()
        statuses: tuple[str, ...] = ()
        events: list[Sequence[int | None]] = []
        for lookup, found in zip(self._lookups, several, strict=True):
            value, status, event = lookup.answer(found, at - lookup.ttl)
            values += value
            statuses += status
            events.append((event,))
        return [values], [statuses], events

    def _read_rows(self, store: OnlineStore, rows: Sequence[Mapping[str, Any]], at: int) -> _Columns:
        """The same for any number of rows."""
        if not self._lookups:
            return [()] * len(rows), [()] * len(rows), []
        keys = [codec.pack_rows(rows) for codec in self._codecs]
        several = store.read(wanted=[(one.name, keys[one.pack]) for one in self._lookups])
        parts = [lookup.answers(one, at) for lookup, one in zip(self._lookups, several, strict=True)]
        values, statuses = _joined([part[0] for part in parts]), _joined([part[1] for part in parts])
        return values, statuses, [part[2] for part in parts]

    def _computed(
        self,
        rows: Sequence[Mapping[str, Any]],
        values: list[tuple[Any, ...]],
        statuses: list[tuple[str, ...]],
    ) -> tuple[list[tuple[Any, ...]], list[tuple[str, ...]]]:
        """Values and statuses of the selected columns, on-demand ones among them."""
        all_values, all_statuses = [], []
        for row, kept, known in zip(rows, values, statuses, strict=True):
            made = {
                view.reference: self._made(view, function, row, kept) for view, function in self._on_demand
            }
            value: list[Any] = []
            status: list[str] = []
            for one in self._selection.columns:
                if one.view.reference in made:
                    value.append(made[one.view.reference][one.feature])
                    status.append(NULL if value[-1] is None else PRESENT)
                else:
                    place = self._places[one.view.reference, one.feature]
                    value.append(kept[place])
                    status.append(known[place])
            all_values.append(tuple(value))
            all_statuses.append(tuple(status))
        return all_values, all_statuses

    def _made(
        self, view: OnDemandView, function: Callable[..., Any], row: Mapping[str, Any], kept: tuple[Any, ...]
    ) -> dict[str, Any]:
        inputs = {
            name: kept[self._places[reference, feature]] for name, reference, feature in input_columns(view)
        }
        inputs |= {name: _requested(row, name, dtype) for name, dtype in view.request.items()}
        return dict(zip(view.schema, ondemand.compute_row(view, function, inputs), strict=True))


def _lookup(view: FeatureView, features: Sequence[str], pack: int) -> _Lookup:
    order = list(view.schema)
    width = len(features)
    return _Lookup(
        name=view.reference,
        pack=pack,
        codec=RowCodec(view.schema),
        pick=selector([order.index(name) for name in features], len(order)),
        ttl=_FOREVER if view.ttl_microseconds is None else view.ttl_microseconds,
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
