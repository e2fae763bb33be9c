"""Features as they were: the point-in-time join of entity rows with the offline store.

One row comes out for each row that goes in, in the same order. Each view is read once, joined by `asof`, and
cut by its ttl: a row of exactly that age still counts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ..errors import InvalidInput
from . import asof, ondemand
from .definitions import FeatureView
from .dtypes import arrow_type, moment_of
from .frames import column_of, moments, typed
from .keys import Questions
from .names import ARRIVAL, CREATED, EVENT
from .online import EXPIRED, NOT_FOUND, NULL, PRESENT
from .selection import Selection, input_columns

if TYPE_CHECKING:
    from collections.abc import Callable

STATUS = "__status"
_THREADS = 2


@dataclass(frozen=True, slots=True)
class Answer:
    """One view's part: feature → Arrow array, and how it came about."""

    columns: Mapping[str, Any]
    is_found: Any  # NumPy booleans: a row of that key was known
    is_expired: Any

    def status(self, feature: str) -> Any:
        """An Arrow array of statuses."""
        import pyarrow as pa
        import pyarrow.compute as pc

        is_missing, is_expired = pa.array(~self.is_found), pa.array(self.is_expired)
        return pc.case_when(
            pc.make_struct(is_missing, is_expired, pc.is_null(self.columns[feature])),
            NOT_FOUND, EXPIRED, NULL, PRESENT,
        )  # fmt: skip


def features_at(
    entities: Any,
    selection: Selection,
    read_rows: Callable[[FeatureView, Sequence[str], datetime | None, datetime | None], Any],
    keys_of: Callable[[FeatureView], Mapping[str, str]],
    function_of: Callable[[Any], Callable[..., Any]],
    *,
    timestamp: str = EVENT,
    time_zone: str = "",
    has_status: bool = False,
    is_late_included: bool = False,
) -> Any:
    """The columns of `selection` for an Arrow table of entity rows, as an Arrow table with the rows' columns.

    `read_rows(view, features, until, since)` gives a view's rows, at least those that became known in that
    time. `keys_of` gives a view's join keys, `function_of` an on-demand view's function.
    """
    import pyarrow as pa

    where = "entity rows"
    at = moments(entities, timestamp, where, time_zone)
    keys = {name: typed(entities, name, dtype, where) for name, dtype in selection.keys.items()}
    clash = sorted({one.output for one in selection.columns} & {*entities.column_names})
    if clash:
        raise InvalidInput(
            f"the entity rows have a column {clash[0]!r} already", hint="full_names=True, or drop it"
        )
    for name, dtype in selection.request.items():
        typed(entities, name, dtype, where, time_zone)
    last = moment_of(int(at.max())) if len(at) else moment_of(0)
    first = moment_of(int(at.min())) if len(at) else last

    names = {reference: tuple(keys_of(view)) for reference, (view, _) in selection.reads.items()}
    questions = {mine: Questions(mine, [keys[name] for name in mine], at) for mine in {*names.values()}}

    def answer(view: FeatureView, features: Sequence[str]) -> Answer:
        since = None if has_status or view.ttl is None else _earlier(first, view)
        rows = read_rows(view, features, None if is_late_included else last, since)
        asked = questions[names[view.reference]]
        return _joined(view, features, rows, asked, is_late_included=is_late_included)

    with ThreadPoolExecutor(_THREADS) as pool:
        found = dict(
            zip(selection.reads, pool.map(lambda one: answer(*one), selection.reads.values()), strict=True)
        )
    for reference, view in selection.on_demand.items():
        found[reference] = _on_demand(view, function_of(view), found, entities, time_zone)
    out = {name: entities.column(name) for name in entities.column_names}
    for one in selection.columns:
        out[one.output] = found[one.view.reference].columns[one.feature]
        if has_status:
            out[one.output + STATUS] = found[one.view.reference].status(one.feature)
    return pa.table(out)


def _earlier(moment: datetime, view: FeatureView) -> datetime | None:
    try:
        return None if view.ttl is None else moment - view.ttl
    except OverflowError:
        return None


def _joined(
    view: FeatureView, features: Sequence[str], rows: Any, asked: Questions, *, is_late_included: bool
) -> Answer:
    import numpy as np
    import pyarrow as pa

    row_code = asked.keys.numbers([column_of(rows, name, view.name) for name in asked.names])
    event, created = moments(rows, EVENT, view.name), moments(rows, CREATED, view.name)
    arrival = column_of(rows, ARRIVAL, view.name).to_numpy()
    found = asof.known_at(
        asked.code, asked.at, asof.Rows(row_code, event, created, arrival), is_late_included=is_late_included
    )
    is_found = found >= 0
    is_expired = np.zeros(len(found), bool)
    if view.ttl_microseconds is not None and len(event):
        is_expired = is_found & (event[found] < asked.at - view.ttl_microseconds)
    is_found, is_expired, place = asked.unsorted(is_found), asked.unsorted(is_expired), asked.unsorted(found)
    index = pa.array(place, mask=~is_found | is_expired)
    columns = {
        name: column_of(rows, name, view.name).take(index)
        if rows.num_rows
        else pa.nulls(len(place), arrow_type(view.schema[name]))
        for name in features
    }
    return Answer(columns, is_found, is_expired)


def _on_demand(
    view: Any, function: Callable[..., Any], found: Mapping[str, Answer], entities: Any, time_zone: str
) -> Answer:
    import numpy as np

    inputs = {name: found[reference].columns[feature] for name, reference, feature in input_columns(view)}
    inputs |= {
        name: typed(entities, name, dtype, "entity rows", time_zone) for name, dtype in view.request.items()
    }
    made = ondemand.compute(view, function, ondemand.input_table(view, inputs, {}))
    columns = {name: column_of(made, name, view.name) for name in view.schema}
    return Answer(columns, np.ones(entities.num_rows, bool), np.zeros(entities.num_rows, bool))
