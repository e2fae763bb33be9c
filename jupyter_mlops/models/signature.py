"""What a model takes and gives, inferred from an example, enforced on what it is given later.

The words for types are MLflow's (``long``, ``double``, ``string``, …), so that its tools read a version's
signature; pandas' own dtype stands beside, because a model that was trained on categories or on moments with a
zone must get them again. A whole number with missing values is refused where the example had none, instead of
silently becoming a float.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from numbers import Number
from typing import Any

from ..errors import InvalidInput, did_you_mean
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


# --- enforcing --------------------------------------------------------------------------------------------


def enforce(signature: Mapping[str, Any], data: Any, what: str = "the input") -> Any:
    """`data` as the model was shown it: columns in order, of the example's dtypes.

    A list of dicts or a dict of lists becomes a frame where one is wanted. Columns that the model does not know
    are left out. Raises `InvalidInput` that names the column and what is wrong with it.
    """
    kind = signature["kind"]
    if kind in ("frame", "series"):
        return _enforce_frame(signature, data, what)
    if kind == "array":
        return _enforce_array(signature, data, what)
    if kind == "records":
        return _enforce_records(signature, data, what)
    return data


def _enforce_frame(signature: Mapping[str, Any], data: Any, what: str) -> Any:
    import pandas as pd

    if signature["kind"] == "series":
        return _enforce_column(pd.Series(data), signature["columns"][0], what)
    if not isinstance(data, pd.DataFrame):
        try:
            data = pd.DataFrame(data)
        except (ValueError, TypeError) as error:
            raise InvalidInput(f"{what} is no frame: {error}", hint="a frame, or a list of dicts") from None
    names = [column["name"] for column in signature["columns"]]
    missing = [name for name in names if name not in data.columns]
    if missing:
        unknown = [str(name) for name in data.columns if name not in names]
        near = did_you_mean(missing[0], unknown)
        is_near = near.startswith("did you mean")
        raise InvalidInput(
            f"{what} lacks the column{'s' * (len(missing) > 1)} {', '.join(map(repr, missing))}",
            hint=near.replace("did you mean", "is it called") if is_near else f"columns: {', '.join(names)}",
        )
    columns = {
        column["name"]: _enforce_column(data[column["name"]], column, what) for column in signature["columns"]
    }
    return pd.DataFrame(columns, index=data.index)


def _enforce_column(series: Any, column: Mapping[str, Any], what: str) -> Any:
    dtype = column["dtype"]
    if str(series.dtype) == dtype and dtype != "category":
        return series
    try:
        return _cast(series, column)
    except (ValueError, TypeError, OverflowError) as error:
        raise InvalidInput(
            f"{what}: the column {column['name']!r} must be {column['type']} ({dtype}): {error}",
            hint=f"it is {series.dtype}",
        ) from None


def _cast(series: Any, column: Mapping[str, Any]) -> Any:
    import pandas as pd

    dtype, kind = column["dtype"], column["type"]
    if kind in ("integer", "long", "float", "double") and dtype != "object":
        return _cast_number(series, dtype, is_whole=kind in ("integer", "long"))
    if kind == "boolean" and dtype != "object":
        if series.isna().any() and dtype == "bool":
            raise ValueError("it has missing values, the example had none")
        if not all(isinstance(one, bool) or type(one).__name__ == "bool_" for one in series.dropna()):
            raise ValueError("it holds other values than true and false")
        return series.astype(dtype)
    if kind == "datetime":
        return _cast_moment(series, dtype)
    if dtype == "category":
        return _cast_category(series, column)
    if kind == "string":
        wrong = next((one for one in series.dropna() if not isinstance(one, str)), None)
        if wrong is not None:
            raise ValueError(f"it holds {wrong!r}")
        return series.astype(dtype)
    return series if dtype == "object" else pd.Series(series).astype(dtype)


def _cast_number(series: Any, dtype: str, *, is_whole: bool) -> Any:
    import pandas as pd

    if not pd.api.types.is_numeric_dtype(series.dtype) or pd.api.types.is_bool_dtype(series.dtype):
        wrong = next(
            (one for one in series.dropna() if isinstance(one, bool) or not isinstance(one, Number)), None
        )
        if wrong is not None:
            raise ValueError(f"it holds {wrong!r}")
    numbers = pd.to_numeric(series)
    if is_whole:
        if numbers.isna().any() and dtype[0] in "iu":
            raise ValueError("it has missing values, the example had none")
        present = numbers.dropna()
        if ((present % 1) != 0).any():
            raise ValueError("it holds fractions")
        cast = numbers.astype(dtype)
        if (cast.dropna() != present).any():
            raise ValueError("it holds numbers that do not fit")
        return cast
    return numbers.astype(dtype)


def _cast_moment(series: Any, dtype: str) -> Any:
    import pandas as pd

    moments = (
        series
        if pd.api.types.is_datetime64_any_dtype(series.dtype)
        else pd.to_datetime(series, format="ISO8601")
    )
    has_zone, wants_zone = getattr(moments.dtype, "tz", None) is not None, "," in dtype
    if has_zone != wants_zone:
        raise ValueError("its moments have no time zone" if wants_zone else "its moments have a time zone")
    return moments.astype(dtype)


def _cast_category(series: Any, column: Mapping[str, Any]) -> Any:
    import pandas as pd

    categories = column.get("categories")
    if categories is None:
        return series.astype("category")
    wanted = pd.CategoricalDtype(pd.Index(categories), ordered=column.get("is_ordered", False))
    unknown = set(series.dropna()) - set(categories)
    if unknown:
        raise ValueError(f"{sorted(map(repr, unknown))[0]} is none of its categories")
    return series.astype(wanted)


def _enforce_array(signature: Mapping[str, Any], data: Any, what: str) -> Any:
    import numpy as np

    wanted, shape = np.dtype(signature["dtype"]), signature["shape"]
    try:
        array = np.asarray(data)
        if not np.can_cast(array.dtype, wanted, casting="same_kind"):
            raise ValueError(f"it holds {array.dtype}")
        array = array.astype(wanted, copy=False)
    except (ValueError, TypeError) as error:
        raise InvalidInput(f"{what} must be an array of {wanted}: {error}") from None
    if array.ndim != len(shape) or list(array.shape[1:]) != shape[1:]:
        raise InvalidInput(
            f"{what} has the shape {array.shape}, the model takes ({', '.join(map(str, shape)).replace('-1', 'n')})"
        )
    return array


def _enforce_records(signature: Mapping[str, Any], data: Any, what: str) -> Any:
    if not isinstance(data, (list, tuple)) or not all(isinstance(row, Mapping) for row in data):
        raise InvalidInput(f"{what} must be a list of dicts", hint="one dict a row")
    for index, row in enumerate(data):
        for field in signature["fields"]:
            if field["is_required"] and field["name"] not in row:
                raise InvalidInput(
                    f"{what}[{index}] lacks {field['name']!r}", hint=did_you_mean(field["name"], row)
                )
    return [dict(row) for row in data]


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
