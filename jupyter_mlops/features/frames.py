"""Columns of an Arrow table as what the feature store computes with, and answers as the frames they were asked with."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from ..errors import InvalidInput, did_you_mean
from .dtypes import arrow_type


def plain(table: Any) -> Any:
    """The table without what DuckDB adds to a schema (such as "has no nulls"), so that tables can be joined."""
    import pyarrow as pa

    fields = [pa.field(field.name, field.type) for field in table.schema]
    return pa.Table.from_arrays(table.columns, schema=pa.schema(fields))


def column_of(table: Any, name: str, where: str) -> Any:
    """The column, in one piece; `InvalidInput` with the nearest name."""
    import pyarrow as pa

    if table.column_names.count(name) != 1:
        has = "has no column" if name not in table.column_names else "has more than one column"
        raise InvalidInput(f"{where} {has} {name!r}", hint=did_you_mean(name, table.column_names))
    column = table.column(name)
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def moments(table: Any, name: str, where: str, zone: str = "") -> Any:
    """A column of times as UTC microseconds (NumPy int64). `InvalidInput` for naive times without a declared
    zone, for other types and for nulls."""
    import pyarrow as pa
    import pyarrow.compute as pc

    column = column_of(table, name, where)
    if not pa.types.is_timestamp(column.type) and not pa.types.is_date(column.type):
        raise InvalidInput(
            f"{where}: {name!r} has the type {column.type}, not a time",
            hint=f"frame[{name!r}] = pandas.to_datetime(frame[{name!r}], utc=True)",
        )
    if column.null_count:
        raise InvalidInput(f"{where}: {name!r} is empty in {column.null_count} of {len(column)} rows")
    if pa.types.is_date(column.type):
        column = column.cast(pa.timestamp("us"))
    if column.type.tz is None:
        if not zone:
            raise InvalidInput(
                f"{where}: the times in {name!r} have no zone",
                hint="time_zone='UTC' (or whatever they mean) says it, or frame.dt.tz_localize",
            )
        try:
            column = pc.assume_timezone(column, str(ZoneInfo(zone)))
        except (pa.ArrowInvalid, KeyError) as error:
            raise InvalidInput(f"{where}: {name!r} in the zone {zone}: {error}") from error
    return column.cast(pa.timestamp("us", "UTC")).cast(pa.int64()).to_numpy()


def typed(table: Any, name: str, dtype: str, where: str, zone: str = "") -> Any:
    """A column as an Arrow array of a feature's type; `InvalidInput` when it is of another kind."""
    import pyarrow as pa
    import pyarrow.compute as pc

    column = column_of(table, name, where)
    kind, wanted = column.type, arrow_type(dtype)
    is_kind = {
        "int64": pa.types.is_integer, "int32": pa.types.is_integer,
        "float64": lambda one: pa.types.is_floating(one) or pa.types.is_integer(one) or pa.types.is_decimal(one),
        "float32": lambda one: pa.types.is_floating(one) or pa.types.is_integer(one) or pa.types.is_decimal(one),
        "bool": pa.types.is_boolean,
        "string": lambda one: pa.types.is_string(one) or pa.types.is_large_string(one) or str(one) == "string_view",
        "bytes": lambda one: pa.types.is_binary(one) or pa.types.is_large_binary(one),
        "timestamp": pa.types.is_timestamp,
    }[dtype]  # fmt: skip
    if pa.types.is_null(kind):
        return pa.nulls(len(column), wanted)
    is_whole = dtype.startswith("int") and pa.types.is_floating(kind)  # pandas' integers with gaps are floats
    if not is_kind(kind) and not is_whole:
        raise InvalidInput(f"{where}: {name!r} has the type {kind}, not {dtype}", hint="convert it before")
    if dtype == "timestamp" and kind.tz is None:
        if not zone:
            raise InvalidInput(f"{where}: the times in {name!r} have no zone", hint="time_zone='UTC' says it")
        column = pc.assume_timezone(column, zone)
    if pa.types.is_floating(kind):
        column = pc.if_else(pc.is_nan(column), pa.scalar(None, kind), column)
    try:
        return column.cast(wanted) if not dtype.startswith("float") else column.cast(wanted, safe=False)
    except pa.ArrowInvalid as error:
        raise InvalidInput(f"{where}: {name!r} as {dtype}: {error}") from error


def like(frame: Any, table: Any) -> Any:
    """The table as the kind of frame that the question was: pandas, Polars, else Arrow."""
    module = type(frame).__module__.partition(".")[0]
    if module == "polars":
        import polars

        return polars.from_arrow(table)
    return table if module == "pyarrow" else to_pandas(table)


def to_pandas(table: Any, *, is_stable: bool = False) -> Any:
    """A pandas frame whose whole numbers and booleans stay such when some are missing.

    `is_stable`: their type is pandas' nullable one in any case, so that it does not depend on the rows.
    """
    import pandas as pd
    import pyarrow as pa

    nullable = {pa.int64(): pd.Int64Dtype(), pa.int32(): pd.Int32Dtype(), pa.bool_(): pd.BooleanDtype()}
    columns = {}
    for field in table.schema:
        mapper = nullable.get if is_stable or table.column(field.name).null_count else None
        columns[field.name] = table.column(field.name).to_pandas(types_mapper=mapper)
    return pd.DataFrame(columns)
