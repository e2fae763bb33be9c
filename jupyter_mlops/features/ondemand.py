"""On-demand features: one function for a batch and for a row, and the proof that it is.

A function that looks at its batch (a mean, a rank, ``get_dummies``) gives another answer when it is served one
row at a time. So it is tried when it is registered: a batch, each row alone, the batch shuffled and with a row
more; and once more in a clean process, which finds what was only defined in the notebook.
"""

from __future__ import annotations

import math
import pickle
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..errors import InvalidInput, MlopsError
from ..frames import to_arrow
from .definitions import OnDemandView
from .dtypes import arrow_type, moment_of, python_value
from .frames import to_pandas, typed

_EXAMPLES: Mapping[str, Sequence[Any]] = {
    "int64": (3, 1, 40, 7), "int32": (3, 1, 40, 7), "float64": (0.5, 2.25, 31.0, 7.5),
    "float32": (0.5, 2.25, 31.0, 7.5), "bool": (True, False, False, True), "string": ("a", "b", "cd", "a"),
    "bytes": (b"a", b"b", b"cd", b"a"),
    "timestamp": tuple(moment_of(1_700_000_000_000_000 + day * 86_400_000_000) for day in (3, 0, 40, 7)),
}  # fmt: skip
_CHILD = """
import pickle, sys
function, frame, mode = pickle.loads(sys.stdin.buffer.read())
out = [function(row) for row in frame] if mode == "row" else function(frame)
sys.stdout.buffer.write(b"\\nMLOPS" + pickle.dumps(out))
"""


def compute(view: OnDemandView, function: Callable[..., Any], inputs: Any) -> Any:
    """The features for an Arrow table of inputs, as an Arrow table. `InvalidInput` for what it should not return."""
    where = f"on-demand view {view.name!r}"
    try:
        given = inputs.to_pylist() if view.mode == "row" else to_pandas(inputs, is_stable=True)
        made = [function(row) for row in given] if view.mode == "row" else function(given)
    except MlopsError:
        raise
    except Exception as error:
        raise InvalidInput(f"{where}: its function raised {type(error).__name__}: {error}") from error
    return checked(view, made, inputs.num_rows)


def checked(view: OnDemandView, made: Any, rows: int) -> Any:
    """What a function returned for `rows` rows, as an Arrow table of the view's schema."""
    import pyarrow as pa

    where = f"on-demand view {view.name!r}"
    if view.mode == "row":
        columns = {name: [_one(view, row, name) for row in made] for name in view.schema}
        arrays = {}
        for name, dtype in view.schema.items():
            kind = arrow_type(dtype)  # moments are microseconds here
            arrays[name] = pa.array(columns[name], pa.int64() if dtype == "timestamp" else kind).cast(kind)
        return pa.table(arrays)
    table = to_arrow(made, f"{where}: what its function returned")
    if table.num_rows != rows:
        raise InvalidInput(
            f"{where}: its function made {table.num_rows} rows of {rows}", hint="one row for each row"
        )
    arrays = {name: typed(table, name, dtype, where) for name, dtype in view.schema.items()}
    return pa.table(arrays)


def _one(view: OnDemandView, row: Any, name: str) -> Any:
    where = f"on-demand view {view.name!r}"
    if not isinstance(row, Mapping):
        raise InvalidInput(f"{where}: its function returned {row!r}", hint="return {'feature': value}")
    if name not in row:
        raise InvalidInput(f"{where}: its function returned no {name!r}, only {', '.join(map(str, row))}")
    return python_value(row[name], view.schema[name], f"{where}: {name!r}")


def compute_row(view: OnDemandView, function: Callable[..., Any], row: Mapping[str, Any]) -> list[Any]:
    """The features for one row of plain values; the same function, and the same answer."""
    if view.mode == "row":
        try:
            made = function(dict(row))
        except Exception as error:
            raise InvalidInput(
                f"on-demand view {view.name!r}: its function raised {type(error).__name__}: {error}"
            ) from error
        values = [_one(view, made, name) for name in view.schema]
        kinds = view.schema.values()
        return [
            moment_of(v) if k == "timestamp" and v is not None else v
            for v, k in zip(values, kinds, strict=True)
        ]
    table = compute(view, function, input_table(view, {name: [row[name]] for name in view.input_names}, {}))
    return [column[0].as_py() for column in table.columns]


def input_table(view: OnDemandView, columns: Mapping[str, Any], types: Mapping[str, str]) -> Any:
    """Inputs as an Arrow table: arrays stay, lists become arrays of their types where these are known."""
    import pyarrow as pa

    known = {**types, **view.request}
    return pa.table({
        name: values if isinstance(values, (pa.Array, pa.ChunkedArray))
        else pa.array(values, arrow_type(known[name]) if name in known else None, from_pandas=True)
        for name, values in columns.items()
    })  # fmt: skip


def prove(view: OnDemandView, function: Callable[..., Any], pickled: bytes, types: Mapping[str, str]) -> None:
    """`InvalidInput` unless each row alone gives what it gives in a batch, here and in a clean process.

    `types` are those of the inputs.
    """
    where = f"on-demand view {view.name!r}"
    batch = _example(view, types)
    whole = compute(view, function, batch)
    rows = whole.to_pylist()
    for place in range(batch.num_rows):
        alone = compute(view, function, batch.slice(place, 1)).to_pylist()[0]
        _same(where, rows[place], alone, "alone", place)
    backwards = list(range(batch.num_rows))[::-1]
    for place, row in zip(backwards, compute(view, function, batch.take(backwards)).to_pylist(), strict=True):
        _same(where, rows[place], row, "in another order", place)
    _same_there(view, where, pickled, batch, rows)


def _example(view: OnDemandView, types: Mapping[str, str]) -> Any:
    import pyarrow as pa

    kinds = {name: {**types, **view.request}[name] for name in view.input_names}
    if not view.example:
        return pa.table({name: pa.array(_EXAMPLES[kind], arrow_type(kind)) for name, kind in kinds.items()})
    table = to_arrow(list(view.example), f"the example of on-demand view {view.name!r}")
    return pa.table({name: typed(table, name, kind, "its example") for name, kind in kinds.items()})


def _same_there(
    view: OnDemandView, where: str, pickled: bytes, batch: Any, rows: list[dict[str, Any]]
) -> None:
    given = batch.to_pylist() if view.mode == "row" else to_pandas(batch, is_stable=True)
    payload = pickle.dumps((_Raw(pickled), given, view.mode))
    done = subprocess.run([sys.executable, "-c", _CHILD], input=payload, capture_output=True, check=False)
    head, mark, answer = done.stdout.rpartition(b"\nMLOPS")
    if done.returncode or not mark:
        last = (done.stderr or head).decode(errors="replace").strip().splitlines()
        raise InvalidInput(
            f"{where}: its function does not run in a clean process: {last[-1] if last else 'no answer'}",
            hint="import inside of the function, or above it in the same cell, what it needs",
        )
    there = checked(view, pickle.loads(answer), batch.num_rows).to_pylist()  # noqa: S301 - our own child's
    for place, (here, other) in enumerate(zip(rows, there, strict=True)):
        _same(where, here, other, "in a clean process", place)


class _Raw:
    """Bytes that unpickle as what they are a pickle of."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def __reduce__(self) -> tuple[Any, ...]:
        return pickle.loads, (self._data,)


def _same(where: str, first: Mapping[str, Any], second: Mapping[str, Any], how: str, place: int) -> None:
    for name, value in first.items():
        if not is_same(value, second[name]):
            raise InvalidInput(
                f"{where}: {name!r} of row {place} is {value!r} in a batch, but {second[name]!r} {how}",
                hint="compute it from the row alone: means, ranks and categories belong into a feature view",
            )


def is_same(first: Any, second: Any, tolerance: float = 1e-9) -> bool:
    """Equal; floats within a relative `tolerance`, since a vectorized sum may round otherwise."""
    if isinstance(first, float) and isinstance(second, (int, float)):
        return math.isclose(first, second, rel_tol=tolerance, abs_tol=tolerance) or first == second
    return bool(first == second)
