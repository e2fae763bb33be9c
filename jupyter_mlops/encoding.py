"""JSON that keeps Python's values: how arguments and results travel to the catalog, to dask and to workers.

Plain JSON stays as it is. A value that JSON lacks becomes ``{"$type": tag, "value": …}``, and comes back as
itself: a tuple as a tuple, ``np.int64(3)`` as ``np.int64(3)``, a dict with integer keys with integer keys, a
datetime in Europe/Paris in Europe/Paris. Nothing is pickled and nothing named by the text is imported, so a
text from anywhere can be decoded. Subclasses of dict, list, str, int and float (a notebook's nodes, a
StrEnum) are equal to their plain value and travel as that; what would lose something is refused.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta, timezone, tzinfo
from decimal import Decimal, DecimalException
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any
from zoneinfo import ZoneInfo

from .errors import InvalidInput

_TYPE = "$type"
_LONG_INT = 2**1024  # Python refuses to read decimal integers of thousands of digits


class _Unencodable(Exception):
    """Why not, and the steps from the value up to the root, gathered on the way out."""

    def __init__(self, reason: str, hint: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.hint = hint
        self.steps: list[str] = []


def to_json(value: Any) -> Any:
    """`value` as plain JSON values; `InvalidInput` says what cannot be encoded, and where it stands."""
    try:
        return _encode(value)
    except _Unencodable as problem:
        where = "".join(reversed(problem.steps))
        at = f" (at {where})" if where else ""
        raise InvalidInput(f"{problem.reason}{at}", hint=problem.hint) from None
    except RecursionError:
        raise InvalidInput("cannot encode a value that contains itself, or is nested too deep") from None


def from_json(value: Any) -> Any:
    """The value that `to_json` encoded; `InvalidInput` for JSON that it cannot have made."""
    try:
        return _decode(value)
    except RecursionError:
        raise InvalidInput("cannot decode JSON that is nested too deep") from None


def dumps(value: Any) -> str:
    """`to_json` as text: ASCII, without spaces, the same for equal values built in the same order."""
    try:
        return json.dumps(to_json(value), allow_nan=False, separators=(",", ":"))
    except RecursionError:
        raise InvalidInput("cannot encode a value that contains itself, or is nested too deep") from None


def loads(text: str | bytes) -> Any:
    """The value that `dumps` wrote; `InvalidInput` for any other text."""
    try:
        plain = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidInput(f"not JSON: {error}") from error
    return from_json(plain)


# --- to JSON --------------------------------------------------------------------------------------------


def _encode(value: Any) -> Any:
    kind = type(value)
    if kind is str or value is None or kind is bool:
        return value
    if kind is int:
        return value if -_LONG_INT < value < _LONG_INT else _tagged("int", hex(value))
    if kind is float:
        return value if math.isfinite(value) else _tagged("float", repr(value))
    if kind is list:
        return _encode_items(value)
    if kind is dict:
        return _encode_dict(value)
    encoder = _ENCODERS.get(kind)
    if encoder is not None:
        tag, encode = encoder
        return _tagged(tag, encode(value))
    return _encode_other(value)


def _tagged(tag: str, value: Any, **more: Any) -> dict[str, Any]:
    return {_TYPE: tag, "value": value, **more}


def _step(step: Any, item: Any) -> Any:
    try:
        return _encode(item)
    except _Unencodable as problem:
        problem.steps.append(f"[{step!r}]")
        raise


def _encode_dict(value: Mapping[Any, Any]) -> Any:
    if all(type(key) is str for key in value) and _TYPE not in value:
        return {key: _step(key, item) for key, item in value.items()}
    return _tagged("dict", [[_step(key, key), _step(key, item)] for key, item in value.items()])


def _encode_set(value: Any) -> list[Any]:
    """In the order of their JSON text: a set has none, and the text of equal values must be equal."""
    return sorted((_encode(item) for item in value), key=lambda item: json.dumps(item, sort_keys=True))


def _encode_moment(value: datetime | time) -> dict[str, Any]:
    """A named zone is kept by its name, a fixed offset in the text; other zones cannot be rebuilt."""
    more: dict[str, Any] = {"fold": 1} if value.fold else {}
    if isinstance(value.tzinfo, ZoneInfo):
        if value.tzinfo.key is None:
            raise _Unencodable("cannot encode a zone without a name")
        return {"text": value.replace(tzinfo=None).isoformat(), "zone": value.tzinfo.key, **more}
    if value.tzinfo is not None and type(value.tzinfo) is not timezone:
        raise _Unencodable(
            f"cannot encode a {type(value).__name__} in the zone {value.tzinfo!r}",
            "use zoneinfo.ZoneInfo or datetime.timezone for zones",
        )
    return {"text": value.isoformat(), **more}


def _encode_numpy(value: Any) -> Any:
    import numpy as np

    if not isinstance(value, np.generic) or value.dtype.kind not in "biufcmMSU":
        raise _refusal(value)
    kind, name = value.dtype.kind, value.dtype.str
    if kind in "mM":
        return _tagged("numpy", int(value.astype("int64")), dtype=name)
    if kind in "fc" and value.dtype not in (np.float16, np.float32, np.float64, np.complex64, np.complex128):
        raise _refusal(value)
    return _tagged("numpy", _encode(value.item()), dtype=name)


def _encode_other(value: Any) -> Any:
    if type(value).__module__.partition(".")[0] == "numpy":  # before float and str: np.float64 is a float
        return _encode_numpy(value)
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, int):
        return _encode(int.__index__(value))
    if isinstance(value, float):
        return _encode(float.__float__(value))
    if isinstance(value, list):
        return _encode_items(value)
    if isinstance(value, Mapping):
        return _encode_dict(value)
    if isinstance(value, Path):
        return _tagged("path", str(value))
    raise _refusal(value)


def _refusal(value: Any) -> _Unencodable:
    kind = type(value)
    name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    return _Unencodable(
        f"cannot encode a value of type {name}",
        "pass plain values, dates, paths, Decimal or NumPy scalars; anything larger travels as an artifact",
    )


def _encode_items(value: Any) -> list[Any]:
    return [_step(index, item) for index, item in enumerate(value)]


_ENCODERS: Mapping[type, tuple[str, Callable[[Any], Any]]] = {
    tuple: ("tuple", _encode_items),
    set: ("set", _encode_set),
    frozenset: ("frozenset", _encode_set),
    date: ("date", date.isoformat),
    datetime: ("datetime", _encode_moment),
    time: ("time", _encode_moment),
    timedelta: ("timedelta", lambda value: [value.days, value.seconds, value.microseconds]),
    PurePosixPath: ("posix_path", str),
    PureWindowsPath: ("windows_path", str),
    Decimal: ("decimal", str),
    complex: ("complex", lambda value: [_encode(value.real), _encode(value.imag)]),
    bytes: ("bytes", lambda value: base64.b64encode(value).decode()),
    bytearray: ("bytearray", lambda value: base64.b64encode(value).decode()),
    range: ("range", lambda value: [value.start, value.stop, value.step]),
}


# --- from JSON ------------------------------------------------------------------------------------------


def _decode(value: Any) -> Any:
    if isinstance(value, list):
        return [_decode(item) for item in value]
    if not isinstance(value, Mapping):
        return value
    if _TYPE not in value:
        return {key: _decode(item) for key, item in value.items()}
    tag = value[_TYPE]
    decode = _DECODERS.get(tag) if isinstance(tag, str) else None
    if decode is None:
        raise InvalidInput(f"JSON with an unknown {_TYPE} {tag!r}", hint="it may be of a later jupyter_mlops")
    try:
        return decode(value["value"]) if tag != "numpy" else _decode_numpy(value["value"], value["dtype"])
    except (
        KeyError,
        TypeError,
        ValueError,
        AttributeError,
        OverflowError,
        DecimalException,
        binascii.Error,
    ) as error:
        raise InvalidInput(f"JSON with a damaged {tag}: {error!r}") from error


def _decode_moment(kind: Any, parts: Any) -> Any:
    moment = kind.fromisoformat(parts["text"])
    zone: tzinfo | None = ZoneInfo(parts["zone"]) if "zone" in parts else moment.tzinfo
    return moment.replace(tzinfo=zone, fold=parts.get("fold", 0))


def _decode_numpy(value: Any, name: Any) -> Any:
    import numpy as np

    dtype = np.dtype(str(name))
    if dtype.kind not in "biufcmMSU" or dtype.hasobject:
        raise ValueError(f"no scalar of dtype {name!r}")
    if dtype.kind in "mM":
        return np.array(value, "int64").view(dtype)[()]
    return np.array(_decode(value), dtype)[()]


def _decode_int(text: str) -> int:
    return int(text, 16)


def _decode_bytes(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


_DECODERS: Mapping[str, Callable[[Any], Any]] = {
    "int": _decode_int,
    "float": float,
    "dict": lambda pairs: {_decode(key): _decode(item) for key, item in pairs},
    "tuple": lambda items: tuple(_decode(item) for item in items),
    "set": lambda items: {_decode(item) for item in items},
    "frozenset": lambda items: frozenset(_decode(item) for item in items),
    "date": date.fromisoformat,
    "datetime": lambda parts: _decode_moment(datetime, parts),
    "time": lambda parts: _decode_moment(time, parts),
    "timedelta": lambda parts: timedelta(*parts),
    "path": Path,
    "posix_path": PurePosixPath,
    "windows_path": PureWindowsPath,
    "decimal": Decimal,
    "complex": lambda parts: complex(_decode(parts[0]), _decode(parts[1])),
    "bytes": _decode_bytes,
    "bytearray": lambda text: bytearray(_decode_bytes(text)),
    "range": lambda parts: range(*parts),
    "numpy": lambda value: value,  # needs its dtype too: `_decode` hands both to `_decode_numpy`
}
