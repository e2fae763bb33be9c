"""Frames of whatever library, as Arrow tables; and rows in files."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from .errors import InvalidInput, NotFound


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


def file_kind(path: str) -> str:
    """``csv``, ``parquet``, ``json`` or ``jsonl``, by the name's end; CSV for ``-``. `InvalidInput` for others."""
    end = "csv" if path == "-" else path.rpartition("/")[2].rpartition(".")[2].lower()
    kind = {"ndjson": "jsonl", "pq": "parquet"}.get(end, end)
    if kind not in ("csv", "parquet", "json", "jsonl"):
        raise InvalidInput(
            f"{path}: what is in it?", hint="a name that ends in .csv, .parquet, .json or .jsonl"
        )
    return kind


def read_frame(path: str) -> Any:
    """The rows of a file as a pandas frame; ``-`` is CSV on stdin. `NotFound`, or `InvalidInput` for what cannot be
    read."""
    import pandas as pd

    kind = file_kind(path)
    readers: dict[str, Callable[[Any], Any]] = {
        "csv": pd.read_csv,
        "parquet": pd.read_parquet,
        "json": lambda source: pd.read_json(source, convert_dates=False),
        "jsonl": lambda source: pd.read_json(source, lines=True, convert_dates=False),
    }
    if path != "-" and not os.path.isfile(path):
        raise NotFound(f"there is no file {path}")
    try:
        return readers[kind](sys.stdin if path == "-" else path)
    except (OSError, ValueError) as error:  # pandas' and Arrow's errors are of these
        raise InvalidInput(f"{path} cannot be read as {kind}: {error}") from error


def write_frame(frame: Any, path: str) -> None:
    """Write a pandas frame as the name says, whole or not at all; ``-`` is CSV on stdout."""
    kind = file_kind(path)
    if path == "-":
        frame.to_csv(sys.stdout, index=False)
        return
    target = Path(path)
    descriptor, part = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    os.close(descriptor)
    try:
        if kind == "csv":
            frame.to_csv(part, index=False)
        elif kind == "parquet":
            frame.to_parquet(part, index=False)
        else:
            frame.to_json(part, orient="records", lines=kind == "jsonl", date_format="iso")
        os.replace(part, target)
    except BaseException:
        os.unlink(part)
        raise
