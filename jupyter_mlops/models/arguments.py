"""The plain arguments of a registration: each is checked before anything is made of any of them."""

from __future__ import annotations

import inspect
import math
from collections.abc import Iterable, Mapping
from typing import Any

from ..errors import InvalidInput


def check_mapping(given: object, name: str) -> None:
    """`InvalidInput` for what maps no names to values."""
    if given is not None and not isinstance(given, Mapping):
        raise InvalidInput(
            f"{name} is a {type(given).__qualname__}, not a mapping", hint=f"{name}={{'name': value}}"
        )
    for key in given or ():
        if not isinstance(key, str):
            raise InvalidInput(f"{name}: {key!r} is no name", hint="names are texts")


def texts(given: Any, name: str) -> list[str]:
    """A list of texts; one alone may be given as such."""
    if isinstance(given, str):
        return [given]
    several = list(given) if isinstance(given, Iterable) else [given]
    if not all(isinstance(one, str) for one in several):
        raise InvalidInput(f"{name} is {given!r}, no list of texts", hint=f"{name}=['…']")
    return several


def check_functions(model: Any, featurize: Any, predict: Any) -> None:
    """`InvalidInput` unless they can be called as they will be, and the model predicts somehow."""
    _check_function(featurize, "featurize", 1)
    _check_function(predict, "predict", 2)
    if predict is not None:
        return
    if isinstance(model, type):
        raise InvalidInput(
            f"the model is the class {model.__qualname__}, not one of its objects",
            hint=f"{model.__name__}(…)",
        )
    if not hasattr(model, "predict") and not callable(model):
        raise InvalidInput(
            f"a {type(model).__qualname__} cannot predict by itself: it has no method predict and cannot be called",
            hint="predict=lambda model, features: …",
        )


def _check_function(function: Any, name: str, count: int) -> None:
    if function is None:
        return
    wanted = "featurize(data)" if count == 1 else "predict(model, features)"
    if not callable(function):
        raise InvalidInput(
            f"{name} is a {type(function).__qualname__}, not a function", hint=f"def {wanted}: …"
        )
    if inspect.iscoroutinefunction(function):
        raise InvalidInput(f"{name} is a coroutine function", hint=f"def {wanted}, without async")
    try:
        inspect.signature(function).bind(*[None] * count)
    except ValueError:  # a builtin that does not tell
        return
    except TypeError as error:
        raise InvalidInput(f"{name} cannot be called as {wanted}: {error}", hint=f"def {wanted}: …") from None


def metrics_of(given: Mapping[str, Any] | None) -> dict[str, float]:
    """Metrics as finite numbers."""
    metrics = {}
    for name, value in (given or {}).items():
        try:
            number = float(value)
        except (TypeError, ValueError):
            raise InvalidInput(
                f"the metric {name!r} is {value!r}, no number", hint="describe it by a tag"
            ) from None
        if not math.isfinite(number):
            raise InvalidInput(f"the metric {name!r} is {number}", hint="leave it out")
        metrics[str(name)] = number
    return metrics


def tags_of(given: Mapping[str, Any] | None) -> dict[str, str]:
    """Tags as texts; one that is None is none."""
    return {_tag_name(name): str(value) for name, value in (given or {}).items() if value is not None}


def _tag_name(name: Any) -> str:
    if not isinstance(name, str) or not 0 < len(name) <= 250 or "\0" in name:
        raise InvalidInput(f"{name!r} cannot name a tag", hint="a text of at most 250 characters")
    return name
