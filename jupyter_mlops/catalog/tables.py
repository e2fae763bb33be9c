"""The tables, derived from the records: one class a table, one field a column.

The column types hide what differs between SQLite and PostgreSQL, and refuse what would be kept as something
else. Moments are whole microseconds on SQLite, which has no type for them, and ``timestamptz`` on PostgreSQL;
JSON is text on both, because it is only ever read whole and then keeps NaN and every character.
"""

from __future__ import annotations

import dataclasses
import json
import operator
import types
import typing
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa

from ..errors import InvalidInput
from .records import RECORDS

_decode = (
    json.JSONDecoder().raw_decode
)  # `loads` first looks for blanks, which we do not write: a third of its time
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Moment(sa.types.TypeDecorator[datetime]):
    """An aware datetime; comes back in UTC."""

    impl = sa.BigInteger
    cache_ok = True

    def load_dialect_impl(self, dialect: sa.Dialect) -> sa.types.TypeEngine[Any]:
        return dialect.type_descriptor(
            sa.TIMESTAMP(timezone=True) if dialect.name == "postgresql" else sa.BigInteger()
        )

    def process_bind_param(self, value: Any, dialect: sa.Dialect) -> Any:
        if value is None:
            return None
        if not isinstance(value, datetime) or value.tzinfo is None:
            raise InvalidInput(f"{value!r} is not an aware datetime", hint="datetime.now(UTC) makes one")
        return value if dialect.name == "postgresql" else (value - _EPOCH) // _MICROSECOND

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> datetime | None:
        if value is None:
            return None
        return (
            value.astimezone(UTC) if dialect.name == "postgresql" else _EPOCH + timedelta(microseconds=value)
        )


class Json(sa.types.TypeDecorator[Any]):
    """A mapping or list of JSON values, kept as text."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: sa.Dialect) -> str | None:
        if value is None:
            return None
        try:
            return json.dumps(value, separators=(",", ":"), default=_plain)
        except (TypeError, ValueError, RecursionError) as error:
            raise InvalidInput(
                f"not JSON: {error}", hint="jupyter_mlops.encoding.to_json makes it so"
            ) from error

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> Any:
        if value == "{}":  # most of them, in long lists
            return {}
        return None if value is None else _decode(value)[0]


class Text(sa.types.TypeDecorator[str]):
    """A text. NUL and lone surrogates, which PostgreSQL cannot keep, become U+FFFD."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: object, dialect: sa.Dialect) -> str | None:
        if value is None:
            return None
        if not isinstance(value, str):
            raise InvalidInput(f"{value!r} is not a text")
        if "\0" in value:
            value = value.replace("\0", "\ufffd")
        return (
            value if value.isascii() else value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        )


class Whole(sa.types.TypeDecorator[int]):
    """A whole number of at most 64 bits; NumPy's are taken too."""

    impl = sa.BigInteger
    cache_ok = True

    def load_dialect_impl(self, dialect: sa.Dialect) -> sa.types.TypeEngine[Any]:
        # SQLite numbers the rows of a table by itself only in a column of the type INTEGER.
        return dialect.type_descriptor(sa.Integer() if dialect.name == "sqlite" else sa.BigInteger())

    def process_bind_param(self, value: Any, dialect: sa.Dialect) -> int | None:
        if value is None or type(value) is int:
            number = value
        else:
            try:
                number = operator.index(value)
            except TypeError:
                raise InvalidInput(f"{value!r} is not a whole number") from None
        if number is not None and not -(2**63) <= number < 2**63:
            raise InvalidInput(f"{value} does not fit into 64 bits")
        return number


class Real(sa.types.TypeDecorator[float]):
    """A float; not NaN, which SQLite would keep as nothing."""

    impl = sa.Double
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: sa.Dialect) -> float | None:
        if value is None:
            return None
        try:
            number = float(value)
        except (TypeError, ValueError):
            raise InvalidInput(f"{value!r} is not a number") from None
        if number != number:
            raise InvalidInput("NaN is not a number that a column can keep")
        return number


def _plain(value: Any) -> Any:
    """What `json` does not know but is JSON all the same."""
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"a {type(value).__name__} is not a JSON value")


_TYPES: Mapping[Any, type[sa.types.TypeEngine[Any]]] = {
    str: Text, int: Whole, float: Real, bool: sa.Boolean, datetime: Moment, Mapping: Json, Sequence: Json,
}  # fmt: skip

# For the questions that are asked of 100,000 runs; the key at the end makes the order of pages certain.
_INDEXES: Mapping[str, Sequence[tuple[str, ...]]] = {
    "runs": [
        ("created_at", "run_id"),
        ("state", "created_at", "run_id"),
        ("pipeline", "created_at", "run_id"),
        ("created_at", "run_id", "pipeline", "state", "user_name"),  # all that a search looks at
    ],
    "task_runs": [("state", "run_id"), ("name", "started_at")],
    "artifacts": [("name", "created_at"), ("digest",)],
    "cache_entries": [("pipeline", "task", "created_at", "cache_key"), ("run_id",)],
    "run_events": [("run_id", "seq")],
    "registered_models": [("folded",), ("updated_at", "name")],
    "model_versions": [("created_at", "name", "version"), ("run_id",)],
    "alias_moves": [("name", "alias", "seq")],
    "lineage_links": [("target_kind", "target")],
    "feature_definitions": [("folded",), ("name", "registered_at")],
    "materializations": [("view", "version", "created_at")],
    "schedules": [("due_at",)],
    "fires": [("state", "created_at"), ("run_id",)],
    "feature_parts": [("view", "version", "seq"), ("part_id",)],
    "images": [("source",)],
    "deployments": [("model",)],
    "queue_entries": [("state", "since_at")],
}

METADATA = sa.MetaData()


def _table(kind: type[Any]) -> sa.Table:
    hints = typing.get_type_hints(kind)
    columns = [_column(kind, field.name, hints[field.name]) for field in dataclasses.fields(kind)]
    indexes = [
        sa.Index(f"ix_{kind.TABLE}_{'_'.join(names)}", *names) for names in _INDEXES.get(kind.TABLE, ())
    ]
    # A number of an event is never given out twice, not even after the last one was deleted.
    return sa.Table(kind.TABLE, METADATA, *columns, *indexes, sqlite_autoincrement=is_numbered(kind))


def _column(kind: type[Any], name: str, hint: Any) -> sa.Column[Any]:
    is_optional = isinstance(hint, types.UnionType) and type(None) in typing.get_args(hint)
    if is_optional:
        (hint,) = (one for one in typing.get_args(hint) if one is not type(None))
    base = typing.get_origin(hint) or hint
    return sa.Column(
        name,
        _TYPES[base](),
        primary_key=name in kind.KEY,
        autoincrement=is_numbered(kind) and name in kind.KEY,
        nullable=is_optional,
    )


def is_numbered(kind: type[Any]) -> bool:
    """Whether the database gives the key: it is one number, and a new record has 0 there."""
    return tuple(kind.KEY) == ("seq",)


TABLES: Mapping[type[Any], sa.Table] = {kind: _table(kind) for kind in RECORDS}
