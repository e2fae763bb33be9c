"""The types of features and join keys: one table, from which Arrow, SQL, the packed rows and checks are made.

Times are UTC microseconds everywhere. NaN is no value: it enters as null, so that every store and every frame
says the same of it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from ..errors import InvalidInput, did_you_mean

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_WHOLE = r"U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|BIGNUM"
_NUMBER = rf"{_WHOLE}|FLOAT|DOUBLE|DECIMAL\(.*\)"
_MOMENT = r"DATE|TIMESTAMP(_S|_MS|_NS)?|TIMESTAMP WITH TIME ZONE(_NS)?|TIMESTAMPTZ(_NS)?"


@dataclass(frozen=True, slots=True)
class Dtype:
    """`accepts` is a pattern of DuckDB types that become this one without loss; `packed` is a struct code,
    "" for values of varying length."""

    name: str
    sql: str
    arrow: str
    packed: str
    accepts: str
    python: tuple[type, ...]
    words: str


DTYPES: Mapping[str, Dtype] = {
    one.name: one
    for one in (
        Dtype("int64", "BIGINT", "int64", "q", _WHOLE, (int,), "a whole number"),
        Dtype("int32", "INTEGER", "int32", "i", _WHOLE, (int,), "a whole number"),
        Dtype("float64", "DOUBLE", "float64", "d", _NUMBER, (int, float), "a number"),
        Dtype("float32", "FLOAT", "float32", "f", _NUMBER, (int, float), "a number"),
        Dtype("bool", "BOOLEAN", "bool_", "?", "BOOLEAN", (bool,), "true or false"),
        Dtype("string", "VARCHAR", "string", "", r"VARCHAR|UUID|ENUM\(.*\)", (str,), "a text"),
        Dtype("bytes", "BLOB", "binary", "", "BLOB", (bytes,), "bytes"),
        Dtype("timestamp", "TIMESTAMPTZ", "timestamp", "q", _MOMENT, (datetime,), "a moment"),
    )
}
_RANGES = {"int64": 2**63, "int32": 2**31}
_INFERRED = (
    ("bool", "BOOLEAN"),
    ("int64", _WHOLE),
    ("float32", "FLOAT"),
    ("float64", _NUMBER),
    ("string", DTYPES["string"].accepts),
    ("bytes", "BLOB"),
    ("timestamp", _MOMENT),
)
KEY_TYPES = ("int64", "string")


def check_dtype(name: object, where: str, known: tuple[str, ...] = tuple(DTYPES)) -> str:
    """`name` if it is a type; `InvalidInput` with the nearest."""
    if name not in known:
        raise InvalidInput(f"{where}: {name!r} is not a type", hint=did_you_mean(str(name), known))
    return str(name)


def inferred(sql_type: str, where: str) -> str:
    """The type for a column of DuckDB's `sql_type`; `InvalidInput` when there is none."""
    for name, pattern in _INFERRED:
        if re.fullmatch(pattern, sql_type):
            return name
    raise InvalidInput(
        f"{where} has the type {sql_type}, which no feature can have",
        hint=f"cast it in the query to one of {', '.join(DTYPES)}, or leave it out",
    )


def arrow_type(name: str) -> Any:
    """The Arrow type."""
    import pyarrow as pa

    return pa.timestamp("us", "UTC") if name == "timestamp" else getattr(pa, DTYPES[name].arrow)()


def microseconds(moment: datetime, zone: str = "", where: str = "a moment") -> int:
    """UTC microseconds since 1970 of an aware datetime, or of a naive one in the declared `zone`."""
    if not isinstance(moment, datetime):
        raise InvalidInput(
            f"{where}: {moment!r} is not a moment", hint="give aware datetimes, such as datetime.now(UTC)"
        )
    if moment.tzinfo is None:
        if not zone:
            raise InvalidInput(
                f"{where}: {moment.isoformat()} has no time zone",
                hint="give aware datetimes, such as datetime.now(UTC)",
            )
        moment = moment.replace(tzinfo=ZoneInfo(zone))
    return (moment - _EPOCH) // _MICROSECOND


def moment_of(value: int) -> datetime:
    """The aware datetime of UTC microseconds."""
    return _EPOCH + timedelta(microseconds=value)


def python_value(value: Any, dtype: str, where: str, zone: str = "") -> Any:
    """`value` as the plain Python value that is packed (a moment as microseconds); None for null and NaN.

    NumPy's and pandas' scalars are taken. Raises `InvalidInput` for any other type; nothing is converted by
    guess: "1" is no number and 1.5 no whole one.
    """
    if value is None or value != value:  # NaN, NaT
        return None
    if type(value).__module__ == "numpy":
        value = (
            value.astype("datetime64[us]").item() if type(value).__name__ == "datetime64" else value.item()
        )
    kind = DTYPES[dtype]
    is_kind = isinstance(value, kind.python) and (dtype == "bool" or not isinstance(value, bool))
    if not is_kind:
        shown = repr(value) if len(repr(value)) <= 60 else repr(value)[:60] + "…"
        raise InvalidInput(f"{where}: {shown} is not {kind.words} ({dtype})")
    if dtype == "timestamp":
        return microseconds(value, zone, where)
    if dtype in _RANGES and not -_RANGES[dtype] <= value < _RANGES[dtype]:
        raise InvalidInput(f"{where}: {value} does not fit into {dtype}")
    return float(value) if dtype.startswith("float") else value
