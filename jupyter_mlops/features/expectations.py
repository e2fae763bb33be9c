"""Expectations: what must hold of a batch before it becomes part of the store, asked in one query."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from ..errors import InvalidInput, did_you_mean
from . import duck
from .definitions import Expectation, FeatureView
from .dtypes import microseconds
from .names import EVENT, literal, quote

_NUMBERS = ("int64", "int32", "float64", "float32")
_ONLY_FOR = {"between": _NUMBERS, "matches": ("string",), "one_of": (*_NUMBERS, "string", "bool")}


def check(view: FeatureView) -> None:
    """`InvalidInput` for an expectation of a feature that is not there, or of a type that it cannot be of."""
    for one in view.expectations:
        if not one.feature:
            continue
        where = f"feature view {view.name!r}: expectation {one.check}"
        if one.feature not in view.schema:
            raise InvalidInput(
                f"{where}: no feature {one.feature!r}", hint=did_you_mean(one.feature, view.schema)
            )
        dtype = view.schema[one.feature]
        if dtype not in _ONLY_FOR.get(one.check, (dtype,)):
            raise InvalidInput(
                f"{where}: {one.feature!r} is {dtype}, not one of {', '.join(_ONLY_FOR[one.check])}"
            )


def problems(connection: Any, rows: str, view: FeatureView, end: datetime) -> list[dict[str, Any]]:
    """The expectations that do not hold of the rows of a query, as JSON."""
    if not view.expectations:
        return []
    asked = ", ".join(f"{_violations(one)} AS __v{place}" for place, one in enumerate(view.expectations))
    answer = duck.one(
        connection, f"SELECT count(*) AS __total, epoch_us(max({EVENT})) AS __newest, {asked} FROM ({rows})"
    )
    found = []
    for place, one in enumerate(view.expectations):
        message = _message(one, answer[f"__v{place}"], answer["__total"], answer["__newest"], end)
        if message:
            found.append(
                {"check": one.check, "feature": one.feature, "severity": one.severity, "message": message}
            )
    return found


def _violations(one: Expectation) -> str:
    name = quote(one.feature)
    if one.check == "not_null":
        condition = f"{name} IS NULL"
    elif one.check == "between":
        bounds = [f"{name} < {float(one.low)!r}"] if one.low is not None else []
        bounds += [f"{name} > {float(one.high)!r}"] if one.high is not None else []
        condition = " OR ".join(bounds)
    elif one.check == "one_of":
        condition = f"{name} NOT IN ({', '.join(_value(value) for value in one.values)})"
    elif one.check == "matches":
        condition = f"NOT regexp_full_match({name}, {literal(one.pattern)})"
    else:
        return "0"
    return f"count(*) FILTER ({condition})"


def _value(value: Any) -> str:
    return literal(value) if isinstance(value, str) else repr(value)


def _message(one: Expectation, wrong: int, total: int, newest: int | None, end: datetime) -> str:
    if one.check == "row_count":
        is_few, is_many = one.low is not None and total < one.low, one.high is not None and total > one.high
        return f"{total} rows, expected {_range(one)}" if is_few or is_many else ""
    if one.check == "fresh_within":
        window = one.window or timedelta(0)
        if newest is not None and microseconds(end) - newest <= window // timedelta(microseconds=1):
            return ""
        return f"the newest event is older than {window}" if newest is not None else "there are no rows"
    if wrong <= (one.most * total if one.check == "not_null" else 0):
        return ""
    expected = {
        "not_null": f"null, at most {one.most:.2%} may be",
        "between": f"not in {_range(one)}",
        "one_of": f"none of {', '.join(map(str, one.values))}",
        "matches": f"not like {one.pattern}",
    }[one.check]
    return f"{one.feature}: {wrong} of {total} rows are {expected}"


def _range(one: Expectation) -> str:
    low = "…" if one.low is None else f"{one.low:g}"
    return f"{low} to {'…' if one.high is None else f'{one.high:g}'}"
