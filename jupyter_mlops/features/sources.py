"""From a view's source to its rows in one physical form: keys, event, created, features, in UTC microseconds.

`opened` calls the function or takes the query; `normalized` is the SQL that checks, casts and cuts. Rows
without a key or without an event cannot be asked for and are left out (and counted); NaN becomes null. Rows
that tie in key, event and created are decided here, by their values, so that it is the same one each time.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from pathlib import Path
from typing import Any

from ..errors import InvalidInput, MlopsError, did_you_mean
from ..frames import to_arrow
from . import duck
from .definitions import FeatureView
from .dtypes import DTYPES, inferred
from .names import CREATED, EVENT, literal, quote
from .windows import columns_of, schema_of, windowed

_PARAMETER = re.compile(r"\$(start|end)\b")
_NAIVE = re.compile(r"DATE|TIMESTAMP(_S|_MS|_NS)?")
_AWARE = re.compile(r"TIMESTAMP WITH TIME ZONE(_NS)?|TIMESTAMPTZ(_NS)?")
_BEGINNING = "-290000-01-01"


@dataclass(frozen=True)
class Source:
    """`rows` is SQL that `connection` understands; `columns` maps its columns to DuckDB's types."""

    connection: Any
    rows: str
    columns: Mapping[str, str]


@contextmanager
def opened(
    view: FeatureView,
    function: Callable[..., Any] | None,
    *,
    root: Path,
    options: Mapping[str, Any],
    start: datetime | None = None,
    end: datetime | None = None,
) -> Iterator[Source]:
    """The view's source on a connection of its own. ``$start`` and ``$end`` in a query, and parameters of these
    names of a function, get the bounds (start excluded; the beginning of time and now when there is none)."""
    where = f"feature view {view.name!r}"
    with duck.connect(root=root, options=options, sql=view.sql) as connection, duck.explained(where):
        if function is not None:
            connection.register("source_rows", _call(function, where, start, end))
            rows = "SELECT * FROM source_rows"
        else:
            if view.database:
                path = literal(str(root / view.database))
                connection.execute(f"ATTACH {path} AS warehouse (READ_ONLY); USE warehouse")
            bounds = {
                "start": _moment(start) if start else _BEGINNING,
                "end": _moment(end) if end else "infinity",
            }
            rows = _PARAMETER.sub(lambda match: f"TIMESTAMPTZ {literal(bounds[match[1]])}", view.sql)
        relation = connection.sql(f"SELECT * FROM ({rows}\n)")
        yield Source(connection, rows, dict(zip(relation.columns, map(str, relation.types), strict=True)))


def schema_in(view: FeatureView, keys: Mapping[str, str], source: Source) -> dict[str, str]:
    """The declared schema, or the one that the source shows: all but keys and times."""
    where = f"feature view {view.name!r}"
    if view.aggregations:
        read = {name: _inferred(view, source, name) for name in columns_of(view.aggregations)}
        return schema_of(view.aggregations, read)
    if view.schema:
        return dict(view.schema)
    others = {*keys, view.event_timestamp, view.created_timestamp, EVENT, CREATED}
    schema = {name: _inferred(view, source, name) for name in source.columns if name not in others}
    if not schema:
        raise InvalidInput(
            f"{where}: its source has keys and times only", hint="select a feature beside them"
        )
    return schema


def normalized(view: FeatureView, keys: Mapping[str, str], source: Source) -> str:
    """SQL of the rows in physical form. `InvalidInput` for columns that are missing or of another type."""
    features = view.schema
    if view.aggregations:
        features = {name: _inferred(view, source, name) for name in columns_of(view.aggregations)}
    event = _time(view, source, view.event_timestamp)
    created = event
    if view.created_timestamp:
        created = f"coalesce({_time(view, source, view.created_timestamp)}, {event})"
    parts = [f"{_cast(view, source, name, dtype)} AS {quote(name)}" for name, dtype in keys.items()]
    parts += [f"{event} AS {EVENT}", f"{created} AS {CREATED}"]
    parts += [f"{_cast(view, source, name, dtype)} AS {quote(name)}" for name, dtype in features.items()]
    has_place = " AND ".join(f"{quote(name)} IS NOT NULL" for name in (*keys, view.event_timestamp))
    rows = f"SELECT {', '.join(parts)} FROM ({source.rows}\n) WHERE {has_place}"
    if not view.aggregations:
        return rows
    casts = [f"CAST({quote(n)} AS {DTYPES[dtype].sql}) AS {quote(n)}" for n, dtype in view.schema.items()]
    by = ", ".join([*map(quote, keys), EVENT, CREATED])
    return f"SELECT {by}, {', '.join(casts)} FROM ({windowed(rows, list(keys), view.aggregations)})"


def between(rows: str, start: datetime | None, end: datetime | None) -> str:
    """The rows that became known in ``(start, end]``."""
    known = f"greatest({EVENT}, {CREATED})"
    bounds = [f"{known} > TIMESTAMPTZ {literal(_moment(start))}"] if start else []
    bounds += [f"{known} <= TIMESTAMPTZ {literal(_moment(end))}"] if end else []
    return f"SELECT * FROM ({rows}) WHERE {' AND '.join(bounds)}" if bounds else rows


def ties(rows: str, keys: Mapping[str, str], *, has_times: bool = True) -> str:
    """SQL of how many rows are too many, because another one has the same key (and times)."""
    by = ", ".join([*map(quote, keys), *([EVENT, CREATED] if has_times else [])])
    groups = f"SELECT count(*) AS n FROM ({rows}) GROUP BY {by} HAVING count(*) > 1"
    return f"SELECT coalesce(sum(n - 1), 0)::BIGINT AS ties FROM ({groups})"


def decided(rows: str, keys: Mapping[str, str], schema: Mapping[str, str]) -> str:
    """SQL of the rows with ties decided: the greatest values stand, feature by feature, null last."""
    by = ", ".join([*map(quote, keys), EVENT, CREATED])
    order = ", ".join(f"{quote(name)} DESC NULLS LAST" for name in schema)
    return f"SELECT * FROM ({rows}) QUALIFY row_number() OVER (PARTITION BY {by} ORDER BY {order}) = 1"


def _call(function: Callable[..., Any], where: str, start: datetime | None, end: datetime | None) -> Any:
    import pyarrow as pa

    bounds = {"start": start, "end": end}
    accepted = inspect.signature(function).parameters
    unknown = [name for name, one in accepted.items() if name not in bounds and one.default is one.empty]
    if unknown:
        raise InvalidInput(
            f"{where}: its function needs {unknown[0]!r}, but a source is called with start and end at most",
            hint="give it a default, or let a notebook parameter be a global",
        )
    try:
        made = function(**{name: value for name, value in bounds.items() if name in accepted})
        if not inspect.isgenerator(made):
            return to_arrow(made, where)
        first = next(made, None)
        if first is None:
            raise InvalidInput(f"{where}: its function yielded no frame, so nobody knows its columns")
        head = to_arrow(first, where)
        tables = chain([head], (to_arrow(frame, where).cast(head.schema) for frame in made))
        batches = (batch for table in tables for batch in table.to_batches())
        return pa.RecordBatchReader.from_batches(head.schema, batches)
    except MlopsError:
        raise
    except Exception as error:
        raise InvalidInput(f"{where}: its function raised {type(error).__name__}: {error}") from error


def _moment(moment: datetime) -> str:
    return moment.isoformat(sep=" ")


def _type_of(view: FeatureView, source: Source, name: str) -> str:
    if name not in source.columns:
        raise InvalidInput(
            f"feature view {view.name!r}: its source has no column {name!r}",
            hint=did_you_mean(name, source.columns),
        )
    return source.columns[name]


def _inferred(view: FeatureView, source: Source, name: str) -> str:
    return inferred(_type_of(view, source, name), f"feature view {view.name!r}: column {name!r}")


def _cast(view: FeatureView, source: Source, name: str, dtype: str) -> str:
    found, column = _type_of(view, source, name), quote(name)
    if dtype == "timestamp":
        return _time(view, source, name)
    kind = DTYPES[dtype]
    if not re.fullmatch(kind.accepts, found) and found != '"NULL"' and found != "NULL":
        raise InvalidInput(
            f"feature view {view.name!r}: {name!r} has the type {found}, not {dtype}",
            hint=f"CAST({name} AS {kind.sql}) in the query, or declare another type",
        )
    if found in ("FLOAT", "DOUBLE"):
        return f"CAST(CASE WHEN isnan({column}) THEN NULL ELSE {column} END AS {kind.sql})"
    return f"CAST({column} AS {kind.sql})"


def _time(view: FeatureView, source: Source, name: str) -> str:
    found, where = _type_of(view, source, name), f"feature view {view.name!r}: {name!r}"
    if _AWARE.fullmatch(found):
        return f"CAST({quote(name)} AS TIMESTAMPTZ)"
    if not _NAIVE.fullmatch(found):
        raise InvalidInput(f"{where} has the type {found}, not a time", hint=f"CAST({name} AS TIMESTAMPTZ)")
    if not view.time_zone:
        raise InvalidInput(
            f"{where} has times without a zone ({found})",
            hint="declare what they mean, such as time_zone='UTC'",
        )
    return f"timezone({literal(view.time_zone)}, CAST({quote(name)} AS TIMESTAMP))"
