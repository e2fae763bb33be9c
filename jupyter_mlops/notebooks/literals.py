"""Python source of a parameter: its name and its value, safe to execute whatever the value holds.

Plain values (None, bool, int, float, str, list, dict with text keys) get papermill's text, character for
character, without papermill: importing it takes a second or two. What papermill turns into a string (tuples,
sets, dates, paths, Decimal, NumPy scalars, keys that are not text) is written so that it evaluates to
itself, in one expression that leaves no name behind: ``__import__("decimal").Decimal("1.10")``. They are the
values that `..encoding` carries. A secret is written as the look-up of an environment variable.
"""

from __future__ import annotations

import hashlib
import keyword
import math
import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from decimal import Decimal
from pathlib import Path, PurePath, PurePosixPath, PureWindowsPath
from typing import Any
from zoneinfo import ZoneInfo

from ..errors import InvalidInput
from .secrets import SecretReference

SECRET_PREFIX = "MLOPS_SECRET_"  # noqa: S105 - the beginning of a variable's name
_MAX_DEPTH = 50  # containers in containers; Python's parser gives up soon after
_LONG_INT_BITS = 14_000  # Python reads no decimal integer of more than 4300 digits
_HINT = "pass plain values, dates, paths, Decimal or NumPy scalars; anything larger travels as an artifact"
_DATETIME = '__import__("datetime")'


def is_python(kernel_name: str, language: str) -> bool:
    """Whether the kernel's language is Python, seen from the two names that papermill goes by."""
    return kernel_name == "pysparkkernel" or language.casefold() in ("python", "ipython")


def name_problem(name: object, language: str = "python") -> str:
    """Why `name` cannot be a parameter's name in `language`, or "". It becomes code, so it must be a name."""
    if not isinstance(name, str):
        return "a parameter's name is text"
    if language.casefold() == "python":
        if keyword.iskeyword(name) or name == "__debug__":
            return "it is a keyword of Python"
        return "" if name.isidentifier() else "a parameter's name is a Python identifier"
    pattern = r"[A-Za-z._][A-Za-z0-9._]*" if language == "R" else r"[A-Za-z_][A-Za-z0-9_]*"
    if re.fullmatch(pattern, name) and name.strip("_"):
        return ""
    return "a parameter's name consists of letters, digits and _"


def secret_variable(name: str) -> str:
    """The environment variable in which a kernel finds the secret `name`."""
    if re.fullmatch(r"[A-Za-z0-9_]+", name):
        return SECRET_PREFIX + name
    # Not only the letters: "a-b" and "a.b" are two secrets.
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{SECRET_PREFIX}{re.sub(r'[^A-Za-z0-9_]', '_', name)}_{digest}"


def python_source(value: Any) -> str:
    """A Python expression for `value`. Raises `InvalidInput` for what has none."""
    return _source(value, 0)


def quoted(text: str) -> str:
    """A string literal in papermill's form: double quotes, ASCII only, on one line."""
    escaped = text.encode("unicode_escape").decode("ascii").replace('"', r"\"")
    return f'"{escaped}"'


def _source(value: Any, depth: int) -> str:
    if depth > _MAX_DEPTH:
        raise InvalidInput(f"it is nested more than {_MAX_DEPTH} deep, or contains itself", hint=_HINT)
    kind = type(value)
    exact = _EXACT.get(kind)
    if exact is not None:
        return exact(value)
    items = _CONTAINERS.get(kind)
    if items is not None:
        return items(value, depth + 1)
    if kind.__module__.partition(".")[0] == "numpy":  # before float and str: np.float64 is a float
        return _numpy(value)
    return _subclass(value, depth)


def _subclass(value: Any, depth: int) -> str:
    """Subclasses of plain types (enum members, a notebook's nodes) are written as the plain value."""
    if isinstance(value, bool | int):
        return _integer(int(value))
    if isinstance(value, float):
        return _float(float(value))
    if isinstance(value, str):
        return quoted(str.__str__(value))
    if isinstance(value, list):
        return _list(value, depth + 1)
    if isinstance(value, Mapping):
        return _dict(value, depth + 1)
    if isinstance(value, Path):
        return f'__import__("pathlib").Path({quoted(str(value))})'
    raise _no_source(value)


def _no_source(value: Any) -> InvalidInput:
    kind = type(value)
    name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    return InvalidInput(f"a {name} cannot be written into a notebook", hint=_HINT)


def _integer(value: int) -> str:
    return hex(value) if value.bit_length() > _LONG_INT_BITS else str(value)


def _float(value: float) -> str:
    if math.isfinite(value):
        return repr(value)
    return "float('nan')" if math.isnan(value) else f"float('{'-' if value < 0 else ''}inf')"


def _complex(value: complex) -> str:
    return f"complex({_float(value.real)}, {_float(value.imag)})"


def _list(value: Any, depth: int) -> str:
    return f"[{', '.join(_source(item, depth) for item in value)}]"


def _dict(value: Mapping[Any, Any], depth: int) -> str:
    members = (f"{_source(key, depth)}: {_source(item, depth)}" for key, item in value.items())
    return f"{{{', '.join(members)}}}"


def _tuple(value: tuple[Any, ...], depth: int) -> str:
    items = ", ".join(_source(item, depth) for item in value)
    return f"({items},)" if len(value) == 1 else f"({items})"


def _set(value: set[Any], depth: int) -> str:
    # In the order of the text: a set has none of its own, and equal cells should look equal.
    return f"{{{', '.join(sorted(_source(item, depth) for item in value))}}}" if value else "set()"


def _frozenset(value: frozenset[Any], depth: int) -> str:
    return f"frozenset({_set(set(value), depth) if value else ''})"


def _date(value: date) -> str:
    return f"{_DATETIME}.date({value.year}, {value.month}, {value.day})"


def _datetime(value: datetime) -> str:
    parts = [value.year, value.month, value.day, value.hour, value.minute]
    parts += [value.second, value.microsecond] if value.second or value.microsecond else []
    return f"{_DATETIME}.datetime({', '.join(map(str, parts))}{_zone_and_fold(value)})"


def _time(value: time) -> str:
    parts = (value.hour, value.minute, value.second, value.microsecond)
    return f"{_DATETIME}.time({', '.join(map(str, parts))}{_zone_and_fold(value)})"


def _timedelta(value: timedelta) -> str:
    return f"{_DATETIME}.timedelta({value.days}, {value.seconds}, {value.microseconds})"


def _zone_and_fold(value: datetime | time) -> str:
    zone = f", tzinfo={_zone(value.tzinfo)}" if value.tzinfo is not None else ""
    return f"{zone}, fold=1" if value.fold else zone


def _zone(zone: tzinfo) -> str:
    if zone is UTC:
        return f"{_DATETIME}.timezone.utc"
    if isinstance(zone, ZoneInfo) and zone.key is not None:
        return f'__import__("zoneinfo").ZoneInfo({quoted(zone.key)})'
    if type(zone) is timezone:
        return f"{_DATETIME}.timezone({_timedelta(zone.utcoffset(None))})"
    raise InvalidInput(
        f"a time in the zone {zone!r} cannot be written into a notebook",
        hint="use zoneinfo.ZoneInfo or datetime.timezone for zones",
    )


def _pure_path(value: PurePath) -> str:
    return f'__import__("pathlib").{type(value).__name__}({quoted(str(value))})'


def _numpy(value: Any) -> str:
    import numpy as np

    if not isinstance(value, np.generic) or value.dtype.kind not in "biufcmMSU":
        raise _no_source(value)
    if value.dtype.kind in "mM":
        return _numpy_time(value)
    if isinstance(value, np.str_):
        return f'__import__("numpy").str_({quoted(str.__str__(value))})'
    if isinstance(value, np.bytes_):
        return f'__import__("numpy").bytes_({bytes(value)!r})'
    if isinstance(value, np.longdouble | np.clongdouble):
        raise _no_source(value)
    name = "bool_" if isinstance(value, np.bool_) else value.dtype.name
    return f'__import__("numpy").{name}({_source(value.item(), 0)})'


def _numpy_time(value: Any) -> str:
    """A datetime64 or timedelta64, exact in any unit: by its count of units."""
    import numpy as np

    unit, step = np.datetime_data(value.dtype)
    kind = type(value).__name__
    number = '"NaT"' if np.isnat(value) else int(value.astype("int64"))
    if unit == "generic":
        return f'__import__("numpy").{kind}({number})'
    return f'__import__("numpy").{kind}({number}, ({quoted(unit)}, {step}))'


_EXACT: Mapping[type, Callable[[Any], str]] = {
    type(None): str,
    bool: str,
    int: _integer,
    float: _float,
    complex: _complex,
    str: quoted,
    bytes: repr,
    bytearray: repr,
    range: repr,
    date: _date,
    datetime: _datetime,
    time: _time,
    timedelta: _timedelta,
    Decimal: lambda value: f'__import__("decimal").Decimal({quoted(str(value))})',
    PurePosixPath: _pure_path,
    PureWindowsPath: _pure_path,
    SecretReference: lambda value: f'__import__("os").environ[{quoted(secret_variable(value.name))}]',
}

_CONTAINERS: Mapping[type, Callable[[Any, int], str]] = {
    list: _list,
    dict: _dict,
    tuple: _tuple,
    set: _set,
    frozenset: _frozenset,
}
