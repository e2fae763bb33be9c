"""Frames of whatever library, as Arrow tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .errors import InvalidInput


def to_arrow(frame: Any, where: str) -> Any:
    """A pandas or Polars frame, an Arrow table or batch, a list of mappings, or a mapping of columns.

    Nanoseconds are cut to microseconds, and NaN becomes null; dictionaries and views become plain columns.
    """
    import pyarrow as pa

    try:
        table = _table(frame, pa)
    except (pa.ArrowException, TypeError, ValueError, AttributeError) as error:
        raise InvalidInput(f"{where}: {error}") from error
    if table is None:
        raise InvalidInput(
            f"{where}: a {type(frame).__name__} is not a frame",
            hint="a pandas or Polars frame, an Arrow table, a list of mappings or a mapping of columns",
        )
    return _cut(table, pa)


def _table(frame: Any, pa: Any) -> Any:
    module = type(frame).__module__.partition(".")[0]
    if isinstance(frame, pa.Table):
        return frame
    if isinstance(frame, pa.RecordBatch):
        return pa.Table.from_batches([frame])
    if module == "pandas":
        return pa.Table.from_pandas(frame, preserve_index=False).replace_schema_metadata()
    if module == "polars":
        return frame.to_arrow()
    if isinstance(frame, Mapping):
        return pa.table({name: _array(values, pa) for name, values in frame.items()})
    if isinstance(frame, Sequence) and all(isinstance(row, Mapping) for row in frame):
        names = dict.fromkeys(name for row in frame for name in row)
        return pa.table(
            {name: pa.array([row.get(name) for row in frame], from_pandas=True) for name in names}
        )
    return None


def _array(values: Any, pa: Any) -> Any:
    if isinstance(values, (pa.Array, pa.ChunkedArray)):
        return values
    if not hasattr(values, "__arrow_array__") and type(values).__module__.partition(".")[0] not in (
        "pandas",
        "numpy",
    ):
        values = list(values)
    return pa.array(values, from_pandas=True)


def _cut(table: Any, pa: Any) -> Any:
    import pyarrow.compute as pc

    for place, column in enumerate(table.schema):
        values = table.column(place)
        if pa.types.is_timestamp(column.type) and column.type.unit != "us":
            floored = pc.floor_temporal(values, unit="microsecond") if column.type.unit == "ns" else values
            table = table.set_column(place, column.name, floored.cast(pa.timestamp("us", column.type.tz)))
        elif pa.types.is_dictionary(column.type):
            table = table.set_column(place, column.name, values.cast(column.type.value_type))
        elif str(column.type) in (
            "string_view",
            "binary_view",
        ):  # Polars' texts, which few functions take yet
            plain = pa.string() if str(column.type) == "string_view" else pa.binary()
            table = table.set_column(place, column.name, values.cast(plain))
    return table
