"""What may become a value of a kind, and how.

Conversion loses nothing: ``3.0`` is an int, ``3.5`` is none; ``"007"`` given for a str stays as it is; a
union takes text for another member only where that member would be written the same way. Text is read for
every kind but containers, since YAML and JSON have no dates, paths or Decimals; from a command line
(`from_text`) containers are read too.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from datetime import date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from numbers import Integral, Real
from os import PathLike, fspath
from pathlib import Path, PurePath
from typing import Any, TypeVar

from ..blobs import parse_reference
from .kinds import ANY, Kind
from .secrets import SecretReference

T = TypeVar("T")


class Mismatch(ValueError):
    """A value that cannot become what is declared; the text says why, if there is more to say than that."""


def convert(kind: Kind, value: Any, *, from_text: bool = False) -> Any:
    """`value` as `kind`. With `from_text` it is a word from a command line. Raises `Mismatch`.

    A reference to an artifact passes for every kind: the notebook opens it.
    """
    if parse_reference(value) is not None:
        return value
    secret = value if isinstance(value, SecretReference) else SecretReference.parse(value)
    if secret is not None:
        return _secret(kind, secret)
    if type(value).__module__.partition(".")[0] == "numpy" and kind != ANY:
        value = _from_numpy(value)
    try:
        if kind.name in _COMPOUND:
            converted = _COMPOUND[kind.name](kind, value, from_text=from_text)
        else:
            converted = _SCALAR[kind.name](value)
        is_within = kind.bounds is None or kind.bounds.holds(converted)
    except InvalidOperation as error:  # a signaling NaN, which bears no comparison
        raise Mismatch from error
    if not is_within:
        raise Mismatch
    return converted


def guess(text: str) -> Any:
    """What papermill takes a word of its command line for."""
    words = {"True": True, "False": False, "None": None}
    if text in words:
        return words[text]
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _secret(kind: Kind, secret: SecretReference) -> SecretReference:
    members = kind.args if kind.name == "union" else (kind,)
    if any(member.name in ("any", "str", "secret") for member in members):
        return secret
    raise Mismatch("a secret is text: declare the parameter str")


def _from_numpy(value: Any) -> Any:
    """A NumPy scalar or array as plain Python values; times finer than microseconds are refused."""
    if getattr(value, "dtype", None) is not None and value.dtype.kind in "mM":
        coarse = value.astype(f"{value.dtype.kind}8[us]")
        if not (coarse.astype(value.dtype) == value).all():
            raise Mismatch("Python's times end at microseconds")
        value = coarse
    return value.tolist() if hasattr(value, "tolist") else value


def _any(_kind: Kind, value: Any, *, from_text: bool) -> Any:
    if from_text and isinstance(value, str):
        return guess(value)
    return with_secrets(value)


def with_secrets(value: Any) -> Any:
    """`value`, with ``secret:NAME`` anywhere in it as `SecretReference`; itself where there is none."""
    if isinstance(value, str):
        return SecretReference.parse(value) or value
    if type(value) is dict:
        items = {key: with_secrets(item) for key, item in value.items()}
        return items if any(items[key] is not item for key, item in value.items()) else value
    if type(value) in (list, tuple):
        members = [with_secrets(item) for item in value]
        return type(value)(members) if any(a is not b for a, b in zip(members, value, strict=True)) else value
    return value


def _none(_kind: Kind, value: Any, *, from_text: bool) -> None:
    if value is None or (from_text and value == "None"):
        return
    raise Mismatch


def _only_a_secret(_value: Any) -> Any:
    raise Mismatch("it would stand in the notebook for all to read: pass secret:NAME")


def _int(value: Any) -> int:
    if isinstance(value, bool):
        raise Mismatch
    if isinstance(value, Integral):
        return int(value)
    if (isinstance(value, float) and value.is_integer()) or (
        isinstance(value, Decimal) and value.is_finite() and value == value.to_integral_value()
    ):
        return int(value)
    if isinstance(value, str):
        return _parsed(int, value)
    raise Mismatch


def _float(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, Real | Decimal | str):
        raise Mismatch
    return _parsed(float, value)


def _complex(value: Any) -> complex:
    if isinstance(value, bool) or not isinstance(value, int | float | complex | str):
        raise Mismatch
    return _parsed(complex, value)


def _bool(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    word = value.strip().casefold() if isinstance(value, str) else ""
    if word in ("true", "yes", "on", "1"):
        return True
    if word in ("false", "no", "off", "0"):
        return False
    raise Mismatch("write true or false" if isinstance(value, str) else "")


def _str(value: Any) -> str:
    if isinstance(value, str):
        return str.__str__(value)
    raise Mismatch("quote it" if isinstance(value, int | float) else "")


def _bytes(value: Any) -> bytes:
    if isinstance(value, bytes | bytearray):
        return bytes(value)
    raise Mismatch


def _date(value: Any) -> date:
    if isinstance(value, str):
        return _parsed(date.fromisoformat, value, "write it as 2026-12-31")
    if isinstance(value, datetime):
        moment = _plain_datetime(value)
        if moment.tzinfo is None and moment.time() == time():
            return moment.date()
        raise Mismatch("it has a time of day")
    if isinstance(value, date):
        return value
    raise Mismatch


def _datetime(value: Any) -> datetime:
    if isinstance(value, str):
        return _parsed(datetime.fromisoformat, value, "write it as 2026-12-31T23:59:00+01:00")
    if isinstance(value, datetime):
        return _plain_datetime(value)
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day)  # noqa: DTZ001 - a date has no zone
    raise Mismatch


def _plain_datetime(value: datetime) -> datetime:
    """A pandas Timestamp as the datetime that it is, if it is one to the nanosecond."""
    if type(value) is datetime or not hasattr(value, "to_pydatetime"):
        return value
    if getattr(value, "nanosecond", 0):
        raise Mismatch("Python's times end at microseconds")
    plain: datetime = value.to_pydatetime()
    return plain


def _time(value: Any) -> time:
    if isinstance(value, time):
        return value
    if isinstance(value, str):
        return _parsed(time.fromisoformat, value, "write it as 23:59:00")
    raise Mismatch


def _timedelta(value: Any) -> timedelta:
    if isinstance(value, timedelta):
        return value.to_pytimedelta() if hasattr(value, "to_pytimedelta") else value
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise Mismatch
    seconds = _parsed(float, value, "write it as a number of seconds")
    return _parsed(lambda number: timedelta(seconds=number), seconds)


def _path(value: Any) -> PurePath:
    if isinstance(value, PurePath):
        return value
    if isinstance(value, str) or (isinstance(value, PathLike) and isinstance(fspath(value), str)):
        return Path(value)
    raise Mismatch


def _decimal(value: Any) -> Decimal:
    if isinstance(value, Decimal):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise Mismatch
    # A float by its text: 1.1 is meant to be Decimal("1.1"), not the 50 digits of its binary value.
    return _parsed(Decimal, repr(float(value)) if isinstance(value, float) else value)


def _parsed(parse: Callable[[Any], T], value: Any, reason: str = "") -> T:
    try:
        return parse(value.strip() if isinstance(value, str) else value)
    except (ValueError, OverflowError, InvalidOperation) as error:
        raise Mismatch(reason) from error


def _choice(kind: Kind, value: Any, *, from_text: bool) -> Any:
    for choice in kind.choices:
        if type(choice) is type(value) and choice == value:
            return choice
    if from_text or not isinstance(value, str):
        for choice in kind.choices:
            if str(choice) == str(value) if from_text else choice == value and not isinstance(value, bool):
                return choice
    raise Mismatch


def _union_value(kind: Kind, value: Any, *, from_text: bool) -> Any:
    members = kind.args
    if not isinstance(value, str):  # a member that the value is already is not to be passed over
        members = tuple(sorted(members, key=lambda member: not _is_exactly(member, value)))
    takes_text = any(member.name == "str" for member in members)
    if takes_text and isinstance(value, str):
        members = tuple(sorted(members, key=lambda member: member.name == "str")) if from_text else members
    for member in members:
        try:
            converted = convert(member, value, from_text=from_text)
        except Mismatch:
            continue
        if (
            takes_text
            and isinstance(value, str)
            and not isinstance(converted, str)
            and str(converted) != value
        ):
            continue
        return converted
    raise Mismatch


def _is_exactly(kind: Kind, value: Any) -> bool:
    if kind.name == "literal":
        return any(type(choice) is type(value) and choice == value for choice in kind.choices)
    return type(value).__name__ == kind.name or (kind.name == "Path" and isinstance(value, PurePath))


def _sequence(kind: Kind, value: Any, *, from_text: bool) -> Any:
    build = {"list": list, "tuple": tuple, "set": set, "frozenset": frozenset}[kind.name]
    is_word = False
    if isinstance(value, str) and from_text:
        value, is_word = _read_collection(value)
    if not isinstance(value, list | tuple | range | AbstractSet):
        raise Mismatch
    items = list(value)
    if kind.is_fixed and len(items) != len(kind.args):
        raise Mismatch(f"it has {len(items)} items")
    kinds = kind.args if kind.is_fixed else (kind.args or (ANY,)) * len(items)
    converted = [
        _item(f"item {index}", of, item, from_text=is_word)
        for index, (of, item) in enumerate(zip(kinds, items, strict=False))
    ]
    try:
        return build(converted)
    except TypeError as error:  # not hashable
        raise Mismatch(str(error)) from error


def _mapping(kind: Kind, value: Any, *, from_text: bool) -> dict[Any, Any]:
    if isinstance(value, str) and from_text:
        value, _ = _read_collection(value)
    if not isinstance(value, Mapping):
        raise Mismatch
    of_key, of_item = kind.args if len(kind.args) == 2 else (ANY, ANY)
    converted = {
        _item("key", of_key, key, from_text=False): _item(f"[{show(key)}]", of_item, item, from_text=False)
        for key, item in value.items()
    }
    if len(converted) < len(value):
        raise Mismatch("two of its keys are the same")
    return converted


def _item(place: str, kind: Kind, item: Any, *, from_text: bool) -> Any:
    try:
        return convert(kind, item, from_text=from_text)
    except Mismatch as mismatch:
        reason = f": {mismatch}" if str(mismatch) else ""
        raise Mismatch(f"{place}, {show(item)}, is not {kind}{reason}") from mismatch


def _read_collection(text: str) -> tuple[Any, bool]:
    """JSON or a Python literal in brackets, else words between commas (and True: each is text yet)."""
    stripped = text.strip()
    if not stripped.startswith(("[", "(", "{", "set(")):
        return [word.strip() for word in stripped.split(",")] if stripped else [], True
    for parse in (json.loads, ast.literal_eval):
        try:
            return parse(stripped), False
        except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
            continue
    raise Mismatch("it is neither JSON nor a Python literal")


def show(value: object) -> str:
    """`value` for a message: its source, at most about 80 characters."""
    try:
        text = repr(value)
    except ValueError:  # an integer of thousands of digits
        text = f"a number of {value.bit_length()} bits" if isinstance(value, int) else type(value).__name__
    return text if len(text) <= 80 else f"{text[:60]}…{text[-15:]}"


_SCALAR: Mapping[str, Callable[[Any], Any]] = {
    "int": _int, "float": _float, "complex": _complex, "bool": _bool, "str": _str, "bytes": _bytes,
    "date": _date, "datetime": _datetime, "time": _time, "timedelta": _timedelta, "Path": _path,
    "Decimal": _decimal, "secret": _only_a_secret,
}  # fmt: skip
_COMPOUND: Mapping[str, Callable[..., Any]] = {
    "any": _any, "none": _none, "literal": _choice, "union": _union_value, "list": _sequence,
    "tuple": _sequence, "set": _sequence, "frozenset": _sequence, "dict": _mapping,
}  # fmt: skip
