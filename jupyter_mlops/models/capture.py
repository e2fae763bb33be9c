"""Bytes of an object, by value where another process could not import it, and a note of all it uses.

Functions and classes of a notebook, and those of modules that lie about beside it, travel whole: whoever loads
the model has neither. Those of installed distributions are only named. The pickler is asked about every object
on its way, so it knows which modules the bytes really need: no list of everything that happens to be imported,
and no second guess from the text.
"""

from __future__ import annotations

import contextlib
import io
import os
import pickle
import sys
import sysconfig
import threading
import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import cloudpickle

from ..errors import InvalidInput

_OWN = "jupyter_mlops"
_DEEPEST = 6  # levels below a value at which the piece that does not pickle is looked for
_CURES = {
    "locks and threads stay in their process: make it where it is used": "lock RLock Condition Event Thread",
    "keep a list instead of a generator": "generator async_generator coroutine",
    "keep the path and open the file where it is used": "TextIOWrapper BufferedReader BufferedWriter FileIO",
    "connect inside the function that needs it": "Connection Cursor Engine Session DuckDBPyConnection socket",
    "keep the object itself": "weakref ReferenceType",
}
_registering = threading.RLock()


@dataclass(frozen=True, slots=True)
class Captured:
    """The bytes; the modules that they name; and what went by value: functions and classes, in order."""

    data: bytes
    modules: frozenset[str]
    functions: tuple[types.FunctionType, ...]
    classes: tuple[type, ...]


def capture(value: Any, what: str) -> Captured:
    """Pickle `value`, called `what` in messages; `InvalidInput` names the part that cannot be pickled."""
    buffer = io.BytesIO()
    try:
        with _pickler(buffer) as pickler:
            pickler.dump(value)
    except Exception as error:  # anybody's __reduce__ may raise anything
        raise _refusal(value, what, error) from error
    functions = {
        id(one): one for one in pickler.seen if isinstance(one, types.FunctionType) and _travels(one)
    }
    classes = {id(one): one for one in pickler.seen if isinstance(one, type) and _travels(one)}
    return Captured(
        buffer.getvalue(), frozenset(pickler.modules), tuple(functions.values()), tuple(classes.values())
    )


def is_local(module: str) -> bool:
    """Whether a module that is loaded is neither installed nor of the standard library: the user's own."""
    return is_local_file(getattr(sys.modules.get(module), "__file__", None) or "", module.partition(".")[0])


@lru_cache(maxsize=8192)
def is_local_file(path: str, top: str = "") -> bool:
    """The same of a module's file, by the module's top-level name."""
    if not path.endswith(".py") or top in (_OWN, "__main__", "__mp_main__"):
        return False
    if "site-packages" in path or "dist-packages" in path:
        return False
    if any(_holds_distributions(str(folder)) for folder in Path(path).parents):
        return False
    places = {sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    return not any(path.startswith(f"{place}/") or path.startswith(f"{place}\\") for place in places)


@lru_cache(maxsize=1024)
def _holds_distributions(folder: str) -> bool:
    """Whether pip has put something there (``--target``), so that it is a folder of installed packages."""
    try:
        return any(name.endswith(".dist-info") for name in os.listdir(folder))
    except OSError:
        return False


def _travels(value: Any) -> bool:
    """Whether a function or class went by value."""
    module = value.__module__
    if module in ("__main__", "__mp_main__", None) or module not in sys.modules or is_local(module):
        return True
    found: Any = sys.modules[module]
    for part in value.__qualname__.split("."):
        found = getattr(found, part, None)
    return found is not value


class _Pickler(cloudpickle.Pickler):  # type: ignore[misc]
    """cloudpickle's, that takes note of what passes, and has the user's own modules taken by value."""

    def __init__(self, file: io.BytesIO) -> None:
        super().__init__(file, protocol=5)
        self.modules: set[str] = set()
        self.seen: list[Any] = []
        self.by_value: list[types.ModuleType] = []

    def reducer_override(self, obj: Any) -> Any:
        kind = type(obj)
        if kind is types.ModuleType:
            self._note(obj.__name__)
        elif isinstance(obj, (types.FunctionType, types.BuiltinFunctionType, type)):
            self._note(obj.__module__)
            self.seen.append(obj)
        else:
            self._note(kind.__module__)
        return super().reducer_override(obj)

    def _note(self, module: Any) -> None:
        if not isinstance(module, str) or module in self.modules:
            return
        self.modules.add(module)
        if is_local(module) and module not in cloudpickle.list_registry_pickle_by_value():
            cloudpickle.register_pickle_by_value(sys.modules[module])
            self.by_value.append(sys.modules[module])


@contextlib.contextmanager
def _pickler(file: io.BytesIO) -> Iterator[_Pickler]:
    """cloudpickle's list of modules to take by value is the process's, hence the lock."""
    with _registering:
        pickler = _Pickler(file)
        try:
            yield pickler
        finally:
            for module in pickler.by_value:
                cloudpickle.unregister_pickle_by_value(module)


# --- what does not pickle -----------------------------------------------------------------------------------


def _refusal(value: Any, what: str, error: Exception) -> InvalidInput:
    path, culprit = _culprit(value, what, set(), 0)
    kind = type(culprit)
    shown = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    cure = next(
        (text for text, names in _CURES.items() if kind.__name__ in names.split()),
        "leave it out of the object (__getstate__), or make it inside the function that needs it",
    )
    reason = f": {error}" if path == what else ""
    return InvalidInput(f"{path} is a {shown} that cannot be pickled{reason}", hint=cure)


def _culprit(value: Any, path: str, visited: set[int], depth: int) -> tuple[str, Any]:
    """The smallest part of `value` that does not pickle, with the path that leads there."""
    visited.add(id(value))
    if depth < _DEEPEST:
        for step, part in _parts(value):
            if id(part) not in visited and not _pickles(part):
                return _culprit(part, f"{path}{step}", visited, depth + 1)
    return path, value


def _pickles(value: Any) -> bool:
    try:
        with _pickler(io.BytesIO()) as pickler:
            pickler.dump(value)
    except Exception:  # noqa: BLE001 - see `capture`
        return False
    return True


def _parts(value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        yield from ((f"[{key!r}]", item) for key, item in value.items())
    elif isinstance(value, (list, tuple, set, frozenset)):
        yield from ((f"[{index}]", item) for index, item in enumerate(value))
    elif isinstance(value, (types.MethodType, types.BuiltinMethodType)):
        yield ".__self__", value.__self__
    elif isinstance(value, types.FunctionType):
        names = value.__code__.co_names
        yield from (
            (f" uses {name}, which", value.__globals__[name]) for name in names if name in value.__globals__
        )
        for name, cell in zip(value.__code__.co_freevars, value.__closure__ or (), strict=True):
            with contextlib.suppress(ValueError):  # a cell that is still empty
                yield f" uses {name}, which", cell.cell_contents
    state = getattr(value, "__dict__", None)
    if isinstance(state, dict) and not isinstance(value, (type, types.ModuleType, types.FunctionType)):
        yield from ((f".{name}", item) for name, item in state.items())


def restore(data: bytes) -> Any:
    """The value again; executes what the bytes say, so verify them and know where they come from."""
    return pickle.loads(data)  # noqa: S301 - callers have verified the digest and decided on trust
