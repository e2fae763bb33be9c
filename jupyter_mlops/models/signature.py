"""What a model takes and gives, inferred from an example, enforced on what it is given later.

The words for types are MLflow's (``long``, ``double``, ``string``, …), so that its tools read a version's
signature; pandas' own dtype stands beside, because a model that was trained on categories or on moments with a
zone must get them again. A whole number with missing values is refused where the example had none, instead of
silently becoming a float.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from ..errors import InvalidInput
from ..signatures import enforce as enforce  # what is inferred here is enforced there, for servers too
from .runtime import kind_of

_LOOKED_AT = 10_000  # rows of an example that are looked at for missing values


def infer(value: Any, what: str) -> dict[str, Any]:
    """The signature of an example or of what a model gave back, `what` in messages; `InvalidInput`."""
    try:
        kind = kind_of(value)
    except ValueError as error:
        raise InvalidInput(
            f"{what}: {error}", hint="a pandas frame, a NumPy array, or a list of dicts"
        ) from None
    if len(value) == 0:
        raise InvalidInput(f"{what} is empty", hint="a few rows as the model will be given")
    if kind == "frame":
        return {"kind": kind, "columns": _infer_columns(value, what)}
    if kind == "series":
        name = "" if value.name is None else str(value.name)
        return {"kind": kind, "columns": [_infer_column(name, value)]}
    if kind == "array":
        return {"kind": kind, "dtype": str(value.dtype), "shape": [-1, *value.shape[1:]]}
    if kind == "records":
        return {"kind": kind, "fields": _infer_fields(value)}
    return {"kind": kind, "type": _type_of(value)}


def _infer_columns(frame: Any, what: str) -> list[dict[str, Any]]:
    names = list(frame.columns)
    wrong = [name for name in names if not isinstance(name, str)]
    if wrong:
        raise InvalidInput(
            f"{what} has the column {wrong[0]!r}; columns are named by text",
            hint="give the array itself (frame.to_numpy()), or name the columns",
        )
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise InvalidInput(f"{what} has two columns {twice!r}", hint="rename or drop one")
    return [_infer_column(name, frame[name].iloc[:_LOOKED_AT]) for name in names]


def _infer_column(name: str, series: Any) -> dict[str, Any]:
    import pandas as pd

    column: dict[str, Any] = {"name": name, "type": _column_type(series), "dtype": str(series.dtype)}
    if isinstance(series.dtype, pd.CategoricalDtype):
        column["dtype"] = "category"
        if column["type"] == "string":
            column["categories"] = series.dtype.categories.tolist()
        column["is_ordered"] = bool(series.dtype.ordered)
    return {**column, "has_missing": bool(series.isna().any())}


def _column_type(series: Any) -> str:
    import pandas as pd

    dtype = series.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        return (
            "string" if dtype.categories.dtype.kind in "OU" or str(dtype.categories.dtype) == "str" else "any"
        )
    if pd.api.types.is_bool_dtype(dtype):
        return "boolean"
    if pd.api.types.is_integer_dtype(dtype):
        return "integer" if dtype.itemsize < 4 or str(dtype).lower() == "int32" else "long"
    if pd.api.types.is_float_dtype(dtype):
        return "float" if dtype.itemsize <= 4 else "double"
    if pd.api.types.is_datetime64_any_dtype(dtype):
        return "datetime"
    if pd.api.types.is_timedelta64_dtype(dtype):
        return "any"
    return _type_of(series.dropna().tolist())


def _type_of(values: Sequence[Any]) -> str:
    kinds = {type(value) for value in values if value is not None}
    for known, word in (
        (bool, "boolean"),
        (int, "long"),
        (float, "double"),
        (str, "string"),
        (bytes, "binary"),
    ):
        if kinds == {known}:
            return word
    return "double" if kinds == {int, float} else "any"


def _infer_fields(records: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    names = list(dict.fromkeys(str(name) for record in records for name in record))
    return [
        {
            "name": name,
            "type": _type_of([record[name] for record in records if name in record]),
            "is_required": all(name in record for record in records),
        }
        for name in names
    ]


# --- MLflow's form ----------------------------------------------------------------------------------------


def to_mlflow(inputs: Mapping[str, Any], outputs: Mapping[str, Any]) -> dict[str, Any]:
    """The ``signature`` of an MLmodel file: JSON texts."""
    return {"inputs": json.dumps(_schema(inputs)), "outputs": json.dumps(_schema(outputs)), "params": None}


def _schema(one: Mapping[str, Any]) -> list[dict[str, Any]]:
    if one["kind"] == "array":
        return [{"type": "tensor", "tensor-spec": {"dtype": one["dtype"], "shape": one["shape"]}}]
    if one["kind"] == "list":
        return [{"type": one["type"], "required": True}]
    columns = one.get("columns") or one.get("fields") or []
    return [_column_spec(column) for column in columns]


def _column_spec(column: Mapping[str, Any]) -> dict[str, Any]:
    spec = {"type": column["type"], "required": column.get("is_required", True)}
    return {**spec, "name": column["name"]} if column["name"] else spec


_DTYPES = {
    "boolean": "bool", "integer": "int32", "long": "int64", "float": "float32", "double": "float64",
    "string": "object", "binary": "object", "datetime": "datetime64[ns]",
}  # fmt: skip


def from_mlflow(given: Any) -> dict[str, Any]:
    """Our signature of what an MLmodel file says; {} when it says nothing, or nothing that we can enforce."""
    found = {}
    for side in ("inputs", "outputs"):
        try:
            columns = json.loads((given or {}).get(side) or "[]")
            found[side] = _from_specs(columns)
        except (ValueError, TypeError, KeyError, AttributeError):
            return {}
    return found if found["inputs"] else {}


def _from_specs(columns: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    if not columns:
        return {}
    if columns[0]["type"] == "tensor":
        spec = columns[0]["tensor-spec"]
        return {"kind": "array", "dtype": spec["dtype"], "shape": spec["shape"]}
    if any("name" not in column for column in columns):
        return {"kind": "list", "type": columns[0]["type"]}
    return {
        "kind": "frame",
        "columns": [
            {
                "name": column["name"],
                "type": column["type"],
                "dtype": _DTYPES.get(column["type"], "object"),
                "has_missing": not column.get("required", True),
            }
            for column in columns
        ],
    }
