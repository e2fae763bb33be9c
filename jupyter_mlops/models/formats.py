"""In which bytes a model is kept.

The *portable* form needs no pickle to open, so that whoever receives it need not trust whoever made it: skops
for estimators that it restores from types which it knows to be safe, safetensors for arrays, a library's own
format. The *fast* form is a pickle; only the own store opens it, whose digests it has verified. A model has one
form or both.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from ..errors import InvalidInput, MissingExtra, did_you_mean
from .capture import Captured, capture


@dataclass(frozen=True, slots=True)
class Saved:
    """The files of a model: name → (format, bytes), which of them is which form, and what was captured."""

    files: Mapping[str, tuple[str, bytes]]
    forms: Mapping[str, str]
    captured: tuple[Captured, ...]
    modules: tuple[str, ...] = ()


def save(model: Any, form: str = "auto") -> Saved:
    """The bytes of `model` in the best form, or in the one that is asked for.

    `InvalidInput` for a form that does not fit, or for a model that cannot be pickled; `MissingExtra`.
    """
    if form not in ("auto", "pickle", *_WRITERS):
        known = ["auto", "pickle", *_WRITERS]
        raise InvalidInput(f"there is no format {form!r} for models", hint=did_you_mean(form, known))
    if form == "pickle":
        return _pickled(model)
    if form == "auto":
        return _best(model)
    portable = _WRITERS[form](model)
    if portable is None:
        raise InvalidInput(
            f"a {type(model).__qualname__} cannot be kept as {form}", hint="format='auto' chooses"
        )
    return portable


_UNKNOWN_TO_SKOPS = frozenset(
    {
        "sklearn.tree._tree",
        "sklearn.ensemble._hist_gradient_boosting.predictor",
        "sklearn.neighbors._kd_tree",
        "sklearn.neighbors._ball_tree",
    }
)
"""Where scikit-learn's compiled types are that skops does not know to be safe. To write a forest out, only to be told
so, takes half a second, and to import skops nearly one: it looks at every estimator that there is."""


def _best(model: Any) -> Saved:
    if _is_a(model, "sklearn.base", "BaseEstimator"):
        fast = _pickled(model)  # tells what is used as well
        portable = None
        if not fast.captured[0].modules & _UNKNOWN_TO_SKOPS:
            with suppress(MissingExtra):
                portable = _skops(model)
        if portable is None:
            return fast
        return Saved(
            {**portable.files, **fast.files},
            {**portable.forms, **fast.forms},
            fast.captured,
            portable.modules,
        )
    for write in _WRITERS.values():
        with suppress(MissingExtra):
            portable = write(model)
            if portable is not None:
                return portable
    return _pickled(model)


def _pickled(model: Any) -> Saved:
    captured = capture(model, "the model")
    return Saved(
        {"model.pkl": ("pickle", captured.data)}, {"fast": "model.pkl"}, (captured,), ("cloudpickle",)
    )


def _portable(name: str, form: str, data: bytes, *modules: str) -> Saved:
    return Saved({name: (form, data)}, {"portable": name}, (), modules)


def _is_a(value: Any, module: str, name: str) -> bool:
    """isinstance without importing: a value's class can only come from a module that is loaded."""
    kind = getattr(sys.modules.get(module), name, None)
    return isinstance(kind, type) and isinstance(value, kind)


def _skops(model: Any) -> Saved | None:
    """Estimators of which skops knows every type to be safe; a tree's own types would have to be trusted."""
    if not _is_a(model, "sklearn.base", "BaseEstimator"):
        return None
    if importlib.util.find_spec("skops") is None:
        raise MissingExtra("skops is not installed", hint="pip install 'jupyter-mlops[models]'")
    from skops import io

    try:
        data: bytes = io.dumps(model)
        if io.get_untrusted_types(data=data):
            return None
    except Exception:  # noqa: BLE001 - it raises its own and anybody's errors; pickle is tried next
        return None
    return _portable("model.skops", "skops", data, "skops.io", "sklearn", "numpy", "scipy")


def _safetensors(model: Any) -> Saved | None:
    """A dict of NumPy arrays."""
    if not isinstance(model, dict) or not model:
        return None
    if not all(isinstance(key, str) and _is_a(item, "numpy", "ndarray") for key, item in model.items()):
        return None
    if importlib.util.find_spec("safetensors") is None:
        raise MissingExtra("safetensors is not installed", hint="pip install 'jupyter-mlops[models]'")
    import numpy as np
    from safetensors.numpy import save as save_arrays

    if any(array.dtype.kind not in "biuf" for array in model.values()):
        return None
    data: bytes = save_arrays({key: np.ascontiguousarray(array) for key, array in model.items()})
    return _portable("model.safetensors", "safetensors", data, "safetensors", "numpy")


def _lightgbm(model: Any) -> Saved | None:
    if not _is_a(model, "lightgbm.basic", "Booster"):
        return None
    return _portable("model.txt", "lightgbm", model.model_to_string().encode(), "lightgbm")


def _xgboost(model: Any) -> Saved | None:
    if not _is_a(model, "xgboost.core", "Booster"):
        return None
    return _portable("model.ubj", "xgboost", bytes(model.save_raw("ubj")), "xgboost")


_WRITERS: Mapping[str, Callable[[Any], Saved | None]] = {
    "skops": _skops,
    "safetensors": _safetensors,
    "lightgbm": _lightgbm,
    "xgboost": _xgboost,
}
