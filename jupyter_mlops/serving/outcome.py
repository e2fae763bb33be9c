"""Predictions, request by request, and as each contract writes them."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping, Sequence
from typing import Any

OUTPUT = "predict"  # the name of an output that has none


def split(output: Any, counts: Sequence[int]) -> list[Any]:
    """The predictions of each request; ValueError if there is not one for each row."""
    output = output.toarray() if hasattr(output, "toarray") else output
    total = sum(counts)
    if not hasattr(output, "__len__") or len(output) != total:
        raise ValueError("the model gives another number of predictions than rows")
    if len(counts) == 1:
        return [output]
    take = output.iloc if hasattr(output, "iloc") else output
    parts, start = [], 0
    for count in counts:
        parts.append(take[start : start + count])
        start += count
    return parts


def plain(output: Any) -> Any:
    """Predictions as JSON values: a list with one for each row, objects for frames."""
    if hasattr(output, "toarray"):
        output = output.toarray()
    if hasattr(output, "to_dict") and hasattr(output, "columns"):
        return [_value(row) for row in output.to_dict("records")]
    if hasattr(output, "dtype") and hasattr(output, "tolist"):
        if str(output.dtype) == "float32" and hasattr(output, "astype"):
            return [_value(one) for one in _shortest(output)]
        values = output.tolist()
        is_plain = type(output.dtype).__module__.startswith("numpy") and output.dtype.kind in "biu"
        return values if is_plain else [_value(one) for one in values]
    if isinstance(output, (list, tuple)):
        return [_value(one) for one in output]
    return _value(output)


def _shortest(output: Any) -> Any:
    """Single precision, so that 0.1 stays 0.1."""
    if getattr(output, "ndim", 1) > 1:
        return [_shortest(row) for row in output]
    return [float(str(one)) for one in output]


def _value(one: Any) -> Any:
    if isinstance(one, float):
        return one if math.isfinite(one) else None
    if one is None or isinstance(one, (bool, int, str)):
        return one
    if isinstance(one, Mapping):
        return {str(name): _value(value) for name, value in one.items()}
    if isinstance(one, (list, tuple)):
        return [_value(value) for value in one]
    if isinstance(one, bytes):
        return one.decode("utf-8", errors="replace")
    if type(one).__name__ in ("NAType", "NaTType"):
        return None
    if hasattr(one, "isoformat"):
        return one.isoformat()
    if hasattr(one, "tolist"):
        return _value(one.tolist())
    return str(one)


def columns(output: Any) -> dict[str, Any]:
    """Predictions by the name of their output."""
    if hasattr(output, "columns") and hasattr(output, "iloc"):
        return {str(name): output[name].to_numpy() for name in output.columns}
    if isinstance(output, (list, tuple)) and output and all(isinstance(row, dict) for row in output):
        names = dict.fromkeys(str(name) for row in output for name in row)
        return {name: [row.get(name) for row in output] for name in names}
    if hasattr(output, "to_numpy"):
        return {OUTPUT: output.to_numpy()}
    if hasattr(output, "toarray"):
        return {OUTPUT: output.toarray()}
    return {OUTPUT: output}


def to_csv(output: Any) -> bytes:
    """A line for each row; a header where predictions have names."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    rows = plain(output)
    if rows and isinstance(rows[0], dict):
        names = list(rows[0])
        writer.writerow(names)
        writer.writerows([row.get(name) for name in names] for row in rows)
    else:
        writer.writerows(row if isinstance(row, list) else [row] for row in rows)
    return text.getvalue().encode()


def agree(one: Any, other: Any) -> bool:
    """Whether two models say the same of the same rows; numbers within a millionth."""
    return _same(plain(one), plain(other))


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(one[name], other[name]) for name in one)
    if isinstance(one, float) or isinstance(other, float):
        is_number = isinstance(one, (int, float)) and isinstance(other, (int, float))
        return is_number and math.isclose(one, other, rel_tol=1e-6, abs_tol=1e-9)
    return bool(one == other)
