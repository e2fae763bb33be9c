"""Open Inference's tensors (V2): how columns and arrays travel under names, shapes and datatypes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from .refusals import Invalid

NUMPY = {
    "BOOL": "bool", "UINT8": "uint8", "UINT16": "uint16", "UINT32": "uint32", "UINT64": "uint64", "INT8": "int8",
    "INT16": "int16", "INT32": "int32", "INT64": "int64", "FP16": "float16", "FP32": "float32", "FP64": "float64",
}  # fmt: skip
_DATATYPES = {dtype: word for word, dtype in NUMPY.items()}
_TYPES = {"boolean": "BOOL", "integer": "INT32", "long": "INT64", "float": "FP32", "double": "FP64"}
_MOST_DIMENSIONS = 16


def are_tensors(given: Any) -> bool:
    """Whether ``inputs`` are tensors, not MLflow's rows."""
    return bool(isinstance(given, list) and given and isinstance(given[0], dict) and "datatype" in given[0])


def decode(inputs: Sequence[Any]) -> tuple[str, Any]:
    """``("rows", array)`` of one tensor with several dimensions, else ``("columns", {name: values})``."""
    read = [_tensor(one, index) for index, one in enumerate(inputs)]
    if len(read) == 1 and len(read[0][1]) > 1 and read[0][1][1:] != [1]:
        name, _, array = read[0]
        return "rows", array.tolist() if array.dtype == object else array
    columns: dict[str, Any] = {}
    for name, shape, array in read:
        if name in columns:
            raise Invalid(f"the input {name!r} is there twice")
        if len(shape) > 1 and math.prod(shape[1:]) != 1:
            raise Invalid(
                f"the input {name!r} has the shape {shape}; several inputs are columns, of the shape [n]"
            )
        columns[name] = array.reshape(-1).tolist()
    if len({len(values) for values in columns.values()}) > 1:
        raise Invalid("the inputs have different numbers of rows")
    return "columns", columns


def _tensor(given: Any, index: int) -> tuple[str, list[int], Any]:
    import numpy as np

    if not isinstance(given, dict):
        raise Invalid(f"input {index} is no object")
    name, shape, datatype = given.get("name"), given.get("shape"), given.get("datatype")
    if not isinstance(name, str) or not name:
        raise Invalid(f"input {index} has no name")
    if not isinstance(shape, list) or not 0 < len(shape) <= _MOST_DIMENSIONS:
        raise Invalid(f"the shape of {name!r} must be a list of sizes")
    if not all(type(size) is int and 0 <= size < 2**31 for size in shape):
        raise Invalid(f"the shape of {name!r} must be a list of sizes")
    if datatype != "BYTES" and (not isinstance(datatype, str) or datatype not in NUMPY):
        raise Invalid(f"the datatype of {name!r} must be one of {', '.join([*NUMPY, 'BYTES'])}")
    if not isinstance(given.get("data"), list):
        raise Invalid(f"the data of {name!r} must be a list; binary tensors are not read")
    flat = _flat(given["data"], name)
    if math.prod(shape) != len(flat) or not flat:
        raise Invalid(f"{name!r} has {len(flat)} values, its shape says {math.prod(shape)}")
    if datatype == "BYTES":
        array = np.empty(len(flat), object)
        array[:] = flat
        if not all(isinstance(one, str) or one is None for one in flat):
            raise Invalid(f"{name!r} is of BYTES, and holds other values than texts")
        return name, shape, array.reshape(shape)
    return name, shape, _numbers(flat, datatype, name).reshape(shape)


def _flat(data: Sequence[Any], name: str) -> list[Any]:
    """The values in order, nested or not."""
    flat = list(data)
    for _ in range(_MOST_DIMENSIONS):
        if not any(isinstance(one, list) for one in flat):
            return flat
        if not all(isinstance(one, list) for one in flat):
            raise Invalid(f"the data of {name!r} is nested unevenly")
        flat = [value for one in flat for value in one]
    raise Invalid(f"the data of {name!r} is nested too deeply")


def _numbers(flat: Sequence[Any], datatype: str, name: str) -> Any:
    import numpy as np

    kinds = set(map(type, flat))
    allowed = {bool} if datatype == "BOOL" else {int} if "INT" in datatype else {int, float, type(None)}
    if kinds - allowed:
        raise Invalid(f"{name!r} is of {datatype}, and holds other values")
    try:
        return np.array([math.nan if one is None else one for one in flat], dtype=NUMPY[datatype])
    except (OverflowError, ValueError):
        raise Invalid(f"{name!r} holds values that no {datatype} can be") from None


# --- what goes out ------------------------------------------------------------------------------------------


def encode(columns: Mapping[str, Any], wanted: Sequence[Mapping[str, Any]] = ()) -> list[dict[str, Any]]:
    """The output tensors of columns of predictions, those that are `wanted` or all."""
    import numpy as np

    names = [str(one["name"]) for one in wanted] or list(columns)
    unknown = [name for name in names if name not in columns]
    if unknown:
        raise Invalid(f"there is no output {unknown[0]!r}; there are {', '.join(columns)}")
    tensors = []
    for name in names:
        array = np.asarray(columns[name])
        word = _DATATYPES.get(str(array.dtype))
        if word is None:
            flat = ["" if one is None else str(one) for one in array.reshape(-1).tolist()]
            tensors.append({"name": name, "shape": list(array.shape), "datatype": "BYTES", "data": flat})
        else:
            data = array.reshape(-1)
            tensors.append(
                {"name": name, "shape": list(array.shape), "datatype": word, "data": data.tolist()}
            )
    return tensors


def describe(signature: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    """The tensors of a side of a signature, as V2's metadata tells them."""
    kind = signature.get("kind")
    if kind == "array":
        word = _DATATYPES.get(str(signature["dtype"]), "BYTES")
        return [{"name": name, "datatype": word, "shape": list(signature["shape"])}]
    if kind in ("frame", "series", "records"):
        columns = signature.get("columns") or signature.get("fields") or []
        return [
            {"name": one["name"] or name, "datatype": _TYPES.get(one["type"], "BYTES"), "shape": [-1]}
            for one in columns
        ]
    return [{"name": name, "datatype": _TYPES.get(str(signature.get("type")), "BYTES"), "shape": [-1]}]
