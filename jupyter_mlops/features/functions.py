"""Functions that the store keeps: what they are (a digest), what they read like, and how to call them later.

The digest is of the syntax tree, so that a comment makes no new version, and of what the function refers to:
helpers of the notebook or of local modules, constants, defaults. The pickle is by value for the same code, so
that a function of a notebook runs in a process that has never seen the notebook.
"""

from __future__ import annotations

import ast
import inspect
import io
import site
import sys
import sysconfig
import textwrap
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

from ..blobs import BlobStore
from ..errors import InvalidInput
from ..fingerprint import digest_bytes, fingerprint
from .definitions import AnyFunction, Function

_loaded: dict[str, Callable[..., Any]] = {}
_pickling = threading.Lock()  # what cloudpickle pickles by value is a setting of the whole process


def capture(function: AnyFunction, blobs: BlobStore) -> Function:
    """Keep a function. `InvalidInput` when it is none, or cannot be pickled (which of its parts)."""
    if isinstance(function, Function):
        return function
    if not inspect.isfunction(function):
        raise InvalidInput(f"{function!r} is not a Python function", hint="write it with def")
    pickled = _pickle(function)
    kept = Function(
        name=function.__name__,
        source=source_of(function),
        digest=digest_of(function),
        blob=blobs.put_bytes(pickled),
    )
    _loaded.setdefault(kept.blob, function)
    return kept


def load(function: AnyFunction, blobs: BlobStore) -> Callable[..., Any]:
    """The callable. Its bytes come from the own blob store, verified by their digest."""
    if not isinstance(function, Function):
        return function
    if function.blob not in _loaded:
        import pickle

        _loaded[function.blob] = pickle.loads(blobs.read_bytes(function.blob))  # noqa: S301 - our own, verified
    return _loaded[function.blob]


def source_of(function: FunctionType) -> str:
    """Its text, or "" when nobody knows it."""
    try:
        return textwrap.dedent(inspect.getsource(function)).strip()
    except (OSError, TypeError):
        return ""


def digest_of(function: FunctionType) -> str:
    """The SHA-256 of what the function does, as 64 hex digits."""
    return digest_bytes("\n".join(_parts(function, set())).encode())


def _parts(function: FunctionType, seen: set[int]) -> Iterator[str]:
    if id(function) in seen:
        return
    seen.add(id(function))
    yield _tree_of(function)
    yield _value(function.__defaults__, seen)
    yield _value(function.__kwdefaults__, seen)
    for name in sorted(set(_names(function.__code__))):
        if name in function.__globals__:
            yield f"{name}={_value(function.__globals__[name], seen)}"
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        try:
            yield f"{name}={_value(cell.cell_contents, seen)}"
        except ValueError:  # a cell that is not filled yet
            yield f"{name}="


def _tree_of(function: FunctionType) -> str:
    try:
        tree = ast.parse(source_of(function)).body[0]
        if isinstance(tree, ast.FunctionDef):
            tree.decorator_list = []
            return ast.dump(tree)
    except (SyntaxError, IndexError):
        pass
    code = function.__code__  # a lambda, or a function without a text
    return repr(
        (code.co_code.hex(), [one for one in code.co_consts if not isinstance(one, CodeType)], code.co_names)
    )


def _names(code: CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _names(constant)


def _value(value: Any, seen: set[int]) -> str:
    if isinstance(value, ModuleType):
        return f"module {value.__name__}"
    if isinstance(value, FunctionType) and _is_local(value.__module__):
        return digest_bytes("\n".join(_parts(value, seen)).encode())
    if isinstance(value, type) and _is_local(value.__module__):
        try:
            return digest_bytes(ast.dump(ast.parse(textwrap.dedent(inspect.getsource(value)))).encode())
        except (OSError, TypeError, SyntaxError):
            return f"class {value.__qualname__}"
    if callable(value):
        return (
            f"{getattr(value, '__module__', '')}.{getattr(value, '__qualname__', type(value).__qualname__)}"
        )
    try:
        return fingerprint(value)
    except InvalidInput:
        return f"a {type(value).__module__}.{type(value).__qualname__}"


@lru_cache(maxsize=1)
def _installed() -> tuple[Path, ...]:
    folders = [
        *site.getsitepackages(),
        site.getusersitepackages(),
        *sysconfig.get_paths().values(),
        sys.base_prefix,
    ]
    return tuple({Path(folder).resolve() for folder in folders})


def _is_local(module: str) -> bool:
    """Whether a module is the user's own: of a notebook, or a file that no distribution installed."""
    found = sys.modules.get(module)
    if module == "__main__" or found is None:
        return True
    path = getattr(found, "__file__", None)
    if path is None or module.partition(".")[0] == __name__.partition(".")[0]:
        return False
    return not any(Path(path).resolve().is_relative_to(folder) for folder in _installed())


def _local_modules(function: FunctionType, seen: set[int]) -> Iterator[str]:
    if id(function) in seen:
        return
    seen.add(id(function))
    yield function.__module__
    for name in _names(function.__code__):
        value = function.__globals__.get(name)
        if isinstance(value, ModuleType) and _is_local(value.__name__):
            yield value.__name__
        elif isinstance(value, FunctionType) and _is_local(value.__module__):
            yield from _local_modules(value, seen)
        elif isinstance(value, type) and _is_local(value.__module__):
            yield value.__module__


@contextmanager
def _by_value(function: FunctionType) -> Iterator[None]:
    import cloudpickle

    names = {name for name in _local_modules(function, set()) if name != "__main__" and _is_local(name)}
    modules = [sys.modules[name] for name in sorted(names) if name in sys.modules]
    with _pickling:
        new = [
            module for module in modules if module.__name__ not in cloudpickle.list_registry_pickle_by_value()
        ]
        for module in new:
            cloudpickle.register_pickle_by_value(module)
        try:
            yield
        finally:
            for module in new:
                cloudpickle.unregister_pickle_by_value(module)


def _pickle(function: FunctionType) -> bytes:
    import cloudpickle

    stream = io.BytesIO()
    try:
        with _by_value(function):
            cloudpickle.dump(function, stream)
    except Exception as error:
        culprit = next((name for name, value in _referred(function) if not _can_pickle(value)), "")
        which = f": it refers to {culprit!r}, which cannot be pickled" if culprit else f": {error}"
        raise InvalidInput(
            f"cannot keep the function {function.__name__!r}{which}",
            hint="open connections and files inside of the function",
        ) from error
    return stream.getvalue()


def _referred(function: FunctionType) -> Iterator[tuple[str, Any]]:
    for name in _names(function.__code__):
        if name in function.__globals__:
            yield name, function.__globals__[name]
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        yield name, cell.cell_contents


def _can_pickle(value: Any) -> bool:
    import cloudpickle

    try:
        cloudpickle.dumps(value)
    except Exception:  # noqa: BLE001 - that is the question
        return False
    return True
