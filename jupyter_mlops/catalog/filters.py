"""From ``where={"state": "failed", "created_at": (">", moment)}`` and ``order_by="-created_at"`` to SQL.

A plain value means equal, None that there is none, a list or set one of them; a tuple is an operator and a
value.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

import sqlalchemy as sa

from ..errors import InvalidInput, did_you_mean
from .tables import TABLES, Json

Where = Mapping[str, Any]
Search = tuple[str, Sequence[str]]
_MOST_VALUES = 30_000  # what both engines take in one statement

_OPERATORS: Mapping[str, Callable[[Any, Any], Any]] = {
    "=": operator.eq,
    "!=": lambda column, value: column.is_not(None) if value is None else column.is_distinct_from(value),
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    # Not LIKE, which takes no notice of case on SQLite.
    "prefix": lambda column, value: sa.func.substr(column, 1, len(value)) == value,
    "not in": lambda column, value: column.not_in(_several(value)),
}


def conditions(kind: type[Any], where: Where) -> list[sa.ColumnElement[bool]]:
    """One condition for each entry; `InvalidInput` for an unknown field or operator."""
    return [_condition(column_of(kind, name), value) for name, value in where.items()]


def containing(kind: type[Any], search: Search | None) -> list[sa.ColumnElement[bool]]:
    """For each word of a search the condition that one of the fields has it somewhere, whatever its case."""
    if search is None:
        return []
    text, names = search
    columns = [column_of(kind, name) for name in names]
    for column in columns:
        if isinstance(column.type, Json):
            raise InvalidInput(f"cannot search in {column.name}: it is JSON", hint="search by another field")
    return [sa.or_(*(column.icontains(word, autoescape=True) for column in columns)) for word in text.split()]


def ordering(kind: type[Any], order_by: str | Iterable[str] | None) -> list[sa.ColumnElement[Any]]:
    """The columns to sort by, ``-`` for descending, made certain by the key at the end.

    None: by position where there is one, else newest first where there is a ``created_at``, else by key.
    """
    names = (
        [order_by]
        if isinstance(order_by, str)
        else list(_natural_order(kind) if order_by is None else order_by)
    )
    is_descending = bool(names) and names[-1].startswith("-")
    sorted_by = [name.removeprefix("-") for name in names]
    names += [f"-{name}" if is_descending else name for name in kind.KEY if name not in sorted_by]
    return [
        column_of(kind, name[1:]).desc() if name.startswith("-") else column_of(kind, name).asc()
        for name in names
    ]


def column_of(kind: type[Any], name: str) -> sa.Column[Any]:
    """The column of a field; `InvalidInput` with the nearest name."""
    columns = TABLES[kind].columns
    if name not in columns:
        raise InvalidInput(f"{kind.__name__} has no field {name!r}", hint=did_you_mean(name, columns.keys()))
    return columns[name]


def _natural_order(kind: type[Any]) -> Sequence[str]:
    fields = TABLES[kind].columns
    if "position" in fields:
        return ("position",)
    return ("-created_at",) if "created_at" in fields else kind.KEY


def _condition(column: sa.Column[Any], value: Any) -> sa.ColumnElement[bool]:
    if isinstance(column.type, Json):
        raise InvalidInput(f"cannot search in {column.name}: it is JSON", hint="search by another field")
    if isinstance(value, (list, AbstractSet)):
        return column.in_(_several(value))
    if not isinstance(value, tuple):
        return column.is_(None) if value is None else column == value
    if len(value) != 2 or value[0] not in _OPERATORS:
        raise InvalidInput(
            f"{value!r} is no condition for {column.name}",
            hint=f"(operator, value), one of {', '.join(_OPERATORS)}",
        )
    condition: sa.ColumnElement[bool] = _OPERATORS[value[0]](column, value[1])
    return condition


def _several(values: Iterable[Any]) -> list[Any]:
    several = list(values)
    if len(several) > _MOST_VALUES:
        raise InvalidInput(
            f"{len(several)} values are too many for one search", hint=f"at most {_MOST_VALUES} at once"
        )
    return several
