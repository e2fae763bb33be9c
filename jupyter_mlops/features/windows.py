"""Windowed aggregations as SQL, exact at every moment and not only where an event is.

The value at T is the aggregate over ``(T - window, T]``. It changes when an event comes, and again when one
leaves the window; a row is made for both moments, so that "the newest row not later than T" *is* the value at
T, offline and online, and a quiet key's count falls to 0 by itself.

Two events at the same moment are two events. A row counts as created when the last event of its window was, so
nothing that was not known yet is ever shown; a late event is in the rows that were created after it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

from .definitions import Aggregation
from .names import CREATED, EVENT, quote

_MICROSECOND = timedelta(microseconds=1)
_SQL = {
    "count": "count({})", "sum": "sum({})", "avg": "avg({})", "min": "min({})", "max": "max({})",
    "stddev": "stddev_samp({})",
}  # fmt: skip
_RESULTS = {"count": "int64", "avg": "float64", "stddev": "float64"}


def schema_of(aggregations: Sequence[Aggregation], columns: Mapping[str, str]) -> dict[str, str]:
    """Feature → type, from the types of the source's columns."""
    return {one.name: _RESULTS.get(one.function) or columns[one.column] for one in aggregations}


def columns_of(aggregations: Sequence[Aggregation]) -> list[str]:
    """The columns that they read, each once."""
    return list(dict.fromkeys(one.column for one in aggregations if one.column))


def windowed(base: str, keys: Sequence[str], aggregations: Sequence[Aggregation]) -> str:
    """SQL of (keys, event, created, one column an aggregation), from SQL of (keys, event, created, columns)."""
    by = ", ".join(map(quote, keys))
    columns = columns_of(aggregations)
    windows = sorted({one.window for one in aggregations})
    moments = [f"SELECT DISTINCT {by}, {EVENT} AS __at FROM __base"]
    moments += [f"SELECT DISTINCT {by}, {EVENT} + {_interval(window)} FROM __base" for window in windows]
    read = "".join(f", {quote(name)}" for name in columns)
    blank = ", NULL" * len(columns)
    made = ", ".join(
        f"{_SQL[one.function].format(quote(one.column) if one.column else '__is_event')}"
        f" OVER __w{windows.index(one.window)} AS {quote(one.name)}"
        for one in aggregations
    )
    frames = ", ".join(
        f"__w{place} AS (PARTITION BY {by} ORDER BY __at RANGE BETWEEN {_interval(window - _MICROSECOND)} PRECEDING"
        " AND CURRENT ROW)"
        for place, window in enumerate(windows)
    )
    # A row without any event in its longest window was still created, when its last event was.
    return f"""
        WITH __base AS MATERIALIZED ({base}),
        __rows AS (
            SELECT {by}, {EVENT} AS __at, {CREATED} AS __made, 1 AS __is_event{read} FROM __base
            UNION ALL SELECT {by}, __at, NULL, NULL{blank} FROM ({" UNION ".join(moments)})
        )
        SELECT DISTINCT {by}, __at AS {EVENT}, greatest(__at, max(__made) OVER __known) AS {CREATED}, {made}
        FROM __rows
        WINDOW __known AS (PARTITION BY {by} ORDER BY __at RANGE BETWEEN {_interval(windows[-1])} PRECEDING
            AND CURRENT ROW), {frames}
    """


def _interval(duration: timedelta) -> str:
    return f"to_microseconds({duration // _MICROSECOND})"
