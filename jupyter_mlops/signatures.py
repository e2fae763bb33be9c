"""A signature, enforced: data as the model was shown it, or one clear refusal.

`models` infers signatures and enforces them on what is given in a notebook; a server does the same with what comes
over the network. Both stand on this one file, which needs nothing of either room.
"""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Number
from typing import Any

from .errors import InvalidInput, did_you_mean

_EXACT = 2**53  # up to here a float holds every whole number


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
        if (
            present.dtype.kind == "f" and (present.abs() > _EXACT).any()
        ):  # which whole number was meant is lost
            raise ValueError("it holds numbers that do not fit")
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
