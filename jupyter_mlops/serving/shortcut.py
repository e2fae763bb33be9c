"""Arrays for estimators that would make one of a frame anyway.

scikit-learn spends more on looking at a frame of one row than a linear model does on predicting it. Where a frame is
nothing but numbers, and the estimator nothing but steps that do not know columns by name, it gets the array at once.
Which estimators that are is a list, and each version is tried on its own example before it is believed.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from typing import Any

from . import outcome

_KNOWN = (
    "decomposition", "ensemble", "linear_model", "naive_bayes", "neighbors", "neural_network", "pipeline",
    "preprocessing", "svm", "tree",
)  # fmt: skip
_BY_NAME = ("FunctionTransformer", "FeatureUnion")  # what they hold may do anything
_NUMBERS = {"int8", "int16", "int32", "int64", "float32", "float64"}


def dtype_of(inputs: Mapping[str, Any], running: Any) -> Any:
    """The dtype of the array that this model's frames would become; None if it has to see the frame."""
    columns = inputs.get("columns") or ()
    is_ours = running.featurize_function is not None or running.predict_function is not None
    if inputs.get("kind") != "frame" or is_ours or not _is_blind(running.model):
        return None
    names = {str(one["dtype"]) for one in columns}
    if not names or not names <= _NUMBERS:
        return None
    import numpy as np

    return np.result_type(*names)


def _is_blind(model: Any) -> bool:
    """Whether an estimator, with all of its steps, does not know columns by their names."""
    library, _, rest = type(model).__module__.partition(".")
    is_known = library == "sklearn" and rest.split(".")[0] in _KNOWN and type(model).__name__ not in _BY_NAME
    if not is_known or "transform" in getattr(model, "_sklearn_output_config", {}):
        return False
    inner = [step for _, step in getattr(model, "steps", ())]
    inner += [one for one in vars(model).values() if hasattr(one, "get_params") and hasattr(one, "fit")]
    return all(_is_blind(one) for one in inner if one not in ("passthrough", None))


def is_same(running: Any, frame: Any, dtype: Any) -> bool:
    """Whether the model says the same of the array as of the frame."""
    try:
        array = frame.to_numpy(dtype=dtype)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return outcome.agree(running.predict_features(frame), running.predict_features(array))
    except Exception:  # noqa: BLE001 - then it is given frames
        return False


def to_array(columns: Sequence[Mapping[str, Sequence[Any]]], names: Sequence[str], dtype: Any) -> Any:
    """The rows of several requests, one below the other."""
    import numpy as np

    if len(columns) == 1:
        joined = columns[0]
    else:
        joined = {name: [value for one in columns for value in one[name]] for name in names}
    return np.ascontiguousarray(np.array([joined[name] for name in names], dtype=dtype).T)
