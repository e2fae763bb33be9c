"""Digests of content: what the cache compares to tell whether anything changed.

Everything is fed to SHA-256 with its type and its length, so that ``1``, ``1.0``, ``True`` and ``"1"`` differ
and no two structures run together. The order of mappings and sets does not count; the order of lists and of
rows does. What has no certain content (a function, an open file, a model) raises instead of being guessed at:
a wrong hit of the cache is worse than none.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from operator import itemgetter
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

from .errors import InvalidInput

if TYPE_CHECKING:
    from hashlib import _Hash

_PANDAS = {"DataFrame", "Series", "Index", "Timestamp", "Timedelta"}
_HINT = "plain values, dates, paths, NumPy arrays, pandas frames and Arrow tables can be digested"


def fingerprint(value: Any) -> str:
    """``sha256:<64 hex digits>`` of the content of `value`; a `Path` stands for its file's or folder's bytes.

    Raises `InvalidInput` for what has no certain content.
    """
    return f"sha256:{_digest(value).hex()}"


def digest_bytes(data: bytes | bytearray | memoryview) -> str:
    """The SHA-256 of some bytes as 64 hex digits."""
    return hashlib.sha256(data).hexdigest()


def digest_file(path: Path | str) -> str:
    """The SHA-256 of a file's bytes as 64 hex digits; `InvalidInput` when it cannot be read."""
    try:
        with Path(path).open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InvalidInput(f"cannot digest {path}: {error.strerror or error}") from error


def _digest(value: Any) -> bytes:
    hasher = hashlib.sha256()
    try:
        _feed(hasher, value)
    except RecursionError:
        raise InvalidInput("cannot digest a value that contains itself, or is nested too deep") from None
    return hasher.digest()


def _put(hasher: _Hash, tag: str, data: bytes) -> None:
    hasher.update(f"{tag}:{len(data)}:".encode())
    hasher.update(data)


def _feed(hasher: _Hash, value: Any) -> None:
    kind = type(value)
    if kind in _SCALARS:
        _put(hasher, kind.__name__, _SCALARS[kind](value))
    elif kind in (list, tuple):
        hasher.update(f"{kind.__name__}:{len(value)}:".encode())
        for item in value:
            _feed(hasher, item)
    elif isinstance(value, Mapping):
        hasher.update(f"dict:{len(value)}:".encode())
        for key, item in sorted(((_digest(key), item) for key, item in value.items()), key=itemgetter(0)):
            hasher.update(key)
            _feed(hasher, item)
    elif kind in (set, frozenset):
        _put(hasher, kind.__name__, b"".join(sorted(_digest(item) for item in value)))
    elif isinstance(value, PurePath):
        _feed_path(hasher, value)
    else:
        _feed_foreign(hasher, value)


def _float_bytes(value: float) -> bytes:
    """All NaN are one; 0.0 and -0.0 are two, because they compute differently."""
    return b"nan" if value != value else struct.pack(">d", value)


def _moment_text(value: datetime | time) -> bytes:
    zone = getattr(value.tzinfo, "key", "")  # Europe/Paris is not the same as +01:00
    return f"{value.isoformat()}|{zone}|{value.fold}".encode()


_SCALARS: Mapping[type, Callable[[Any], bytes]] = {
    type(None): lambda value: b"",
    bool: lambda value: b"1" if value else b"0",
    int: lambda value: f"{value:x}".encode(),
    float: _float_bytes,
    str: lambda value: value.encode("utf-8", "surrogatepass"),
    bytes: bytes,
    bytearray: bytes,
    complex: lambda value: _float_bytes(value.real) + b"|" + _float_bytes(value.imag),
    date: lambda value: value.isoformat().encode(),
    datetime: _moment_text,
    time: _moment_text,
    timedelta: lambda value: f"{value.days}|{value.seconds}|{value.microseconds}".encode(),
    Decimal: lambda value: str(value).encode(),
    range: lambda value: f"{value.start}|{value.stop}|{value.step}".encode(),
}


def _feed_path(hasher: _Hash, path: PurePath) -> None:
    """A pure path is its text; a real one the bytes of its file, or the names and bytes in its folder."""
    if not isinstance(path, Path):
        _put(hasher, "path", str(path).encode("utf-8", "surrogatepass"))
    elif path.is_dir():
        files = sorted(
            (file.relative_to(path).as_posix(), file)
            for file in path.rglob("*")
            if file.is_file() or file.is_symlink()
        )
        hasher.update(f"folder:{len(files)}:".encode())
        for name, file in files:
            _put(hasher, "name", name.encode("utf-8", "surrogateescape"))
            _put(hasher, "file", digest_file(file).encode())
    else:
        _put(hasher, "file", digest_file(path).encode())


def _feed_foreign(hasher: _Hash, value: Any) -> None:
    """Values of libraries, told by the name of their module so that none is imported for nothing."""
    library = type(value).__module__.partition(".")[0]
    name = type(value).__name__
    if library == "numpy":
        _feed_numpy(hasher, value)
    elif library == "pandas" and _PANDAS & {base.__name__ for base in type(value).__mro__}:
        _feed_pandas(hasher, value)
    elif library == "pandas" and name in ("NAType", "NaTType"):
        _put(hasher, name, b"")
    elif library == "pyarrow" and name == "Table":
        _feed_table(hasher, value)
    else:
        raise InvalidInput(f"cannot digest a {type(value).__module__}.{type(value).__qualname__}", hint=_HINT)


def _feed_numpy(hasher: _Hash, value: Any) -> None:
    import numpy as np

    if not isinstance(value, (np.ndarray, np.generic)) or isinstance(value, np.ma.MaskedArray):
        raise InvalidInput(f"cannot digest a numpy.{type(value).__name__}", hint=_HINT)
    # A scalar and an array of no dimensions are told apart by the tag.
    tag = "array" if isinstance(value, np.ndarray) else "scalar"
    hasher.update(f"numpy {tag}:{value.dtype.str}:{value.shape}:".encode())
    if value.dtype.kind in "biufcmMSU":
        _put(hasher, "values", np.ascontiguousarray(value).tobytes())
    elif value.dtype.kind == "O":
        _feed_objects(hasher, value.ravel().tolist())
    else:
        raise InvalidInput(f"cannot digest a NumPy array of dtype {value.dtype}", hint=_HINT)


def _feed_objects(hasher: _Hash, items: list[Any]) -> None:
    """A column of objects; one of texts, the usual case, is fed in one piece."""
    kinds = {type(item) for item in items}
    if kinds == {str}:
        encoded = [item.encode("utf-8", "surrogatepass") for item in items]
        _put(hasher, "lengths", struct.pack(f">{len(encoded)}Q", *map(len, encoded)))
        _put(hasher, "texts", b"".join(encoded))
    else:
        _feed(hasher, items)


def _feed_pandas(hasher: _Hash, value: Any) -> None:
    """Frames: labels, dtypes and values of each column and of the index."""
    import pandas as pd

    if isinstance(value, (pd.Timestamp, pd.Timedelta)):
        _put(hasher, type(value).__name__, f"{value.isoformat()}|{getattr(value, 'tz', None)}".encode())
    elif isinstance(value, pd.DataFrame):
        hasher.update(f"frame:{value.shape}:".encode())
        _feed_pandas(hasher, value.columns)
        _feed_pandas(hasher, value.index)
        for position in range(value.shape[1]):
            _feed_column(hasher, value.iloc[:, position].array)
    elif isinstance(value, pd.Series):
        hasher.update(b"series:")
        _feed(hasher, value.name)
        _feed_pandas(hasher, value.index)
        _feed_column(hasher, value.array)
    elif isinstance(value, pd.MultiIndex):
        hasher.update(f"levels:{value.nlevels}:".encode())
        for level in range(value.nlevels):
            _feed_pandas(hasher, value.get_level_values(level))
    else:
        _feed(hasher, value.name)
        _feed_column(hasher, value.array)


def _feed_column(hasher: _Hash, column: Any) -> None:
    import pandas as pd

    _put(hasher, "dtype", str(column.dtype).encode())
    if isinstance(column, pd.Categorical):
        _feed(hasher, bool(column.ordered))
        _feed_pandas(hasher, column.categories)
        _feed_numpy(hasher, column.codes)
    elif isinstance(column.dtype, pd.DatetimeTZDtype):
        _feed_numpy(hasher, column.asi8)
    elif isinstance(column, pd.arrays.NumpyExtensionArray):
        _feed_numpy(hasher, column.to_numpy())
    else:
        _feed_objects(hasher, column.to_numpy(dtype=object).tolist())


def _feed_table(hasher: _Hash, table: Any) -> None:
    """An Arrow table, whatever its chunks: names, types and values."""
    hasher.update(f"table:{table.num_rows}:{table.num_columns}:".encode())
    for field, column in zip(table.schema, table.columns, strict=True):
        _put(hasher, "column", f"{field.name}|{field.type}".encode())
        is_plain = column.null_count == 0 and str(field.type).rstrip("0123456789") in (
            "int",
            "uint",
            "float",
            "double",
        )
        if is_plain:
            _feed_numpy(hasher, column.to_numpy())
        else:
            _feed_objects(hasher, column.to_pylist())
