"""The self-test at registration: what was saved predicts its own example, as the original did.

The version is put together again from the very bytes that will be kept. Its predictions must be those of the
notebook's objects; a row alone must get what it gets within the batch, and the order of rows must not matter,
because serving sends rows one by one. The full trial repeats it in a clean process, in which nothing can be
imported but the captured dependencies: globals, files and settings of the notebook do not exist there.
"""

from __future__ import annotations

import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..errors import InvalidInput
from . import clean_process, runtime
from .dependencies import normalize, top_levels

_ROWS_ALONE = 3
_TOLERANCE = 1e-5  # relative: sums of single precision differ with the size of a batch


def run_original(model: runtime.Model, example: Any) -> Any:
    """What the model gives for its example; an error of its own becomes one that says where."""
    try:
        features = model.featurize(example)
        if features is None:
            raise InvalidInput("featurize returns nothing for the example", hint="does it end with return?")
        return model.predict_features(features)
    except InvalidInput:
        raise
    except Exception as error:  # whatever the model raises
        raise InvalidInput(
            f"the model fails on its own example: {type(error).__name__}: {error}", hint=_place(error)
        ) from error


def check(model: runtime.Model, example: Any, expected: Any, *, is_rowwise: bool) -> None:
    """Try `model`, which was put together from its saved bytes, on its example; `InvalidInput` if it fails."""
    wanted = columns_of(expected)
    try:
        features = model.featurize(example)
        got = columns_of(model.predict_features(features))
    except Exception as error:
        raise InvalidInput(
            f"the saved model fails where the original did not: {type(error).__name__}: {error}",
            hint=_place(error) or "something that it uses was not saved with it",
        ) from error
    if difference(wanted, got):
        raise InvalidInput(
            "the saved model predicts otherwise than the original",
            hint="is it random? Seed it, or register it with check='none'",
        )
    if is_rowwise:
        _check_rows(model, example, wanted, _comparable(features, len(example)))


def _comparable(features: Any, count: int) -> dict[str, Any]:
    """The features as named arrays; {} when they are of a kind that cannot be looked into, or are not rows."""
    try:
        columns = columns_of(features)
    except (TypeError, ValueError, AttributeError):
        return {}
    return columns if all(len(values) == count for values in columns.values()) else {}


def _check_rows(
    model: runtime.Model, example: Any, wanted: Mapping[str, Any], features: Mapping[str, Any]
) -> None:
    count = len(example)
    for name, values in wanted.items():
        if len(values) != count:
            raise InvalidInput(
                f"{count} rows went in, {len(values)} predictions{f' of {name}' if name else ''} came out",
                hint="one row out for each row in; a model that means something else takes is_rowwise=False",
            )
    step = max(1, -(-count // _ROWS_ALONE))
    for index in range(0, count, step):
        _compare(model, example, wanted, features, [index], "alone")
    if count > 1:
        _compare(model, example, wanted, features, [*range(1, count), 0], "in another order")


def _compare(
    model: runtime.Model,
    example: Any,
    wanted: Mapping[str, Any],
    features: Mapping[str, Any],
    rows: Sequence[int],
    how: str,
) -> None:
    def of_rows(columns: Mapping[str, Any]) -> dict[str, Any]:
        return {name: values[list(rows)] for name, values in columns.items()}

    try:
        made = model.featurize(_take(example, rows))
        differing = difference(of_rows(features), _comparable(made, len(rows))) if features else []
        got = None if differing else columns_of(model.predict_features(made))
    except Exception as error:
        raise InvalidInput(
            f"the model fails on rows of its example {how}: {type(error).__name__}: {error}",
            hint=_place(error),
        ) from error
    if got is not None and not difference(of_rows(wanted), got):
        return
    names = ", ".join(name or "its array" for name in differing[:5])
    by = f"featurize gives other values ({names})" if differing else "it predicts otherwise"
    raise InvalidInput(
        f"for a row {how} {by} than for the same row within the batch",
        hint="compute what needs many rows (means, ranks, categories) when training, and keep it",
    )


def _take(data: Any, rows: Sequence[int]) -> Any:
    kind = runtime.kind_of(data)
    if kind in ("frame", "series"):
        return data.iloc[list(rows)].reset_index(drop=True)
    return data[list(rows)] if kind == "array" else [data[row] for row in rows]


# --- comparing --------------------------------------------------------------------------------------------


def columns_of(value: Any) -> dict[str, Any]:
    """Predictions or features as named arrays, whatever they come in; `TypeError`."""
    import numpy as np

    if hasattr(value, "toarray"):  # a sparse matrix
        value = value.toarray()
    try:
        kind = runtime.kind_of(value)
    except ValueError as error:
        raise TypeError(str(error)) from None
    if kind == "frame":
        return {str(name): value[name].to_numpy() for name in value.columns}
    if kind == "series":
        return {"": value.to_numpy()}
    if kind == "array":
        return {"": value}
    if kind == "records":
        names = dict.fromkeys(name for row in value for name in row)
        return {str(name): _objects([row.get(name) for row in value]) for name in names}
    array = np.asarray(value) if len({type(item) for item in value}) == 1 else _objects(value)
    return {"": array if array.dtype.kind in "biufUSM" else _objects(value)}


def _objects(values: Sequence[Any]) -> Any:
    import numpy as np

    array = np.empty(len(values), dtype=object)
    for index, value in enumerate(values):
        array[index] = value
    return array


def difference(wanted: Mapping[str, Any], got: Mapping[str, Any]) -> list[str]:
    """The names under which two sets of columns differ; [] when they are as good as equal."""
    names = list(dict.fromkeys([*wanted, *got]))
    return [
        name for name in names if not (name in wanted and name in got and _equal(wanted[name], got[name]))
    ]


def _equal(one: Any, other: Any) -> bool:
    import numpy as np
    import pandas as pd

    if one.shape != other.shape:
        return False
    if one.dtype.kind in "biufc" and other.dtype.kind in "biufc":
        return bool(np.allclose(one, other, rtol=_TOLERANCE, atol=1e-8, equal_nan=True))
    for a, b in zip(one.ravel().tolist(), other.ravel().tolist(), strict=True):
        if a is b or (pd.api.types.is_scalar(a) and pd.api.types.is_scalar(b) and pd.isna(a) and pd.isna(b)):
            continue
        if isinstance(a, float) and isinstance(b, float):
            if not np.isclose(a, b, rtol=_TOLERANCE):
                return False
        elif not np.all(a == b):
            return False
    return True


def _place(error: BaseException) -> str:
    """Where in the user's code it was raised: the innermost frame that is not a library's."""
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if "-packages" not in frame.filename and "jupyter_mlops" not in frame.filename
    ]
    if not frames:
        return ""
    last = frames[-1]
    where = f"in {last.name}, line {last.lineno}" if last.name != "<module>" else f"line {last.lineno}"
    return f"{where}: {last.line}" if last.line else where


# --- a clean process --------------------------------------------------------------------------------------


def check_clean(folder: Path, manifest: Mapping[str, Any], expected: Any) -> None:
    """The full trial of a version that lies in `folder`; `InvalidInput` says what was missing there."""
    dependencies = manifest["dependencies"]
    allowed = {top for name in dependencies["locked"] for top in top_levels(_name(name))}
    allowed |= {path.split("/")[0].removesuffix(".py") for path in dependencies["local_modules"]}
    answer = clean_process.ask(str(folder), allowed=sorted(allowed), modules=dependencies["modules"])
    if "error" in answer:
        raise InvalidInput(
            f"the model does not work in a clean process: {answer['error']}",
            hint=_last_own_line(answer["traceback"]) or "something that it uses was not saved with it",
        )
    if difference(columns_of(expected), columns_of(runtime.decode_data(answer["output"]))):
        raise InvalidInput(
            "the model predicts otherwise in a clean process",
            hint="it depends on something of this one: a setting of a library, a file, an environment variable",
        )


def _last_own_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip().startswith("File ")]
    own = [line for line in lines if "-packages" not in line and "runtime.py" not in line]
    return own[-1] if own else ""


def _name(requirement: str) -> str:
    return normalize(requirement.partition("==")[0].partition(" @ ")[0])
