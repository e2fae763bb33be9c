"""The catalog: records in, records out, on SQLite or PostgreSQL.

It is generic over the record types: ``add``, ``get``, ``find``, ``update``, ``put``, ``delete`` and
``compare_and_set`` work on all of them alike, so that a new kind of object is a record and a migration. There
is no object-relational mapper and no session: what is read is a frozen value. What happens in one
``transaction()`` happens whole or not at all; a call outside of one is a transaction of its own.
"""

from __future__ import annotations

import dataclasses
import operator
import re
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import lru_cache
from itertools import groupby
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy import exc

from ..errors import CatalogUnavailable, Conflict, InvalidInput, NotFound, did_you_mean
from . import engines, schema
from .filters import Search, Where, column_of, conditions, containing, ordering
from .records import Record
from .tables import TABLES, Json, is_numbered

R = TypeVar("R", bound=Record)


class _Level:
    """One ``transaction()`` block of one thread; `failure` is what went wrong in it, if only for a while."""

    def __init__(self, connection: sa.Connection) -> None:
        self.connection = connection
        self.failure: Exception | None = None

    def check(self) -> None:
        """A statement that failed leaves a transaction in halves, on PostgreSQL dead: it cannot be kept."""
        if self.failure is not None:
            raise Conflict(
                f"the transaction was taken back because of an earlier error: {self.failure}",
                hint="put what may fail into a transaction() of its own inside",
            )


class Catalog:
    """The database at one URL. Safe to use from many threads; many processes may have it open."""

    def __init__(self, engine: sa.Engine, busy_seconds: float) -> None:
        self._engine = engine
        self._busy_seconds = busy_seconds
        self._is_sqlite = engine.dialect.name == "sqlite"
        # Single reads need no BEGIN and ROLLBACK, each a round trip to a server.
        self._reads = engine if self._is_sqlite else engine.execution_options(isolation_level="AUTOCOMMIT")
        # SQLite has one writer at a time. Threads queue here, where waiting ends at once, and only
        # processes in SQLite's busy handler, which sleeps up to 0.1 s at a time.
        self._writing = threading.Lock()
        self._local = threading.local()
        self._upserts: dict[type[Any], sa.Insert] = {}
        self._watch: sa.Connection | None = None
        self._watch_lock = threading.Lock()

    @classmethod
    def open(cls, url: str, *, busy_seconds: float = engines.BUSY_SECONDS) -> Catalog:
        """Connect, and create or migrate the tables if need be.

        A statement waits at most `busy_seconds` for another process that writes. Raises `CatalogUnavailable`
        when the database cannot be reached, `InvalidSettings` for a wrong URL.
        """
        engine = engines.create_engine(url, busy_seconds)
        try:
            if engine.dialect.name == "sqlite":
                engines.make_folder(engine)
                engines.use_wal(engine, busy_seconds)
            schema.prepare(engine)
        except exc.SQLAlchemyError as error:
            engine.dispose()
            raise engines.translate(error, engine) from error
        except BaseException:
            engine.dispose()
            raise
        return cls(engine, busy_seconds)

    @property
    def url(self) -> str:
        """Where it is, without a password."""
        return engines.shown(self._engine)

    def __repr__(self) -> str:
        return f"Catalog({self.url!r})"

    def __enter__(self) -> Catalog:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the connections back."""
        with self._watch_lock:
            if self._watch is not None:
                self._watch.close()
                self._watch = None
        self._engine.dispose()

    # --- writing ----------------------------------------------------------------------------------------

    def add(self, *records: Record) -> None:
        """Keep new records, all or none; `Conflict` when one of them is there already."""
        self._write_rows(records, lambda kind: TABLES[kind].insert().inline())

    def put(self, *records: Record) -> None:
        """Keep records, replacing those that are there already; all or none."""
        for record in records:
            if is_numbered(_kind_of(record)):
                raise InvalidInput(f"a {type(record).__name__} is added, not put: the database numbers it")
        self._write_rows(records, self._upsert)

    def update(self, kind: type[R], key: Any, **changes: Any) -> bool:
        """Change fields of one record; whether there is such a record. A key of several fields is a tuple."""
        return self.compare_and_set(kind, key, {}, **changes)

    def compare_and_set(self, kind: type[R], key: Any, expect: Where, **changes: Any) -> bool:
        """Change the record only if its fields are as expected; whether they were.

        `expect` is a filter as in `find`. Of all that try this at once, one sees True.
        """
        if not changes:
            raise InvalidInput(f"no change was given for {_name(kind)} {key!r}")
        for name in changes:
            column_of(kind, name)
            if name in kind.KEY:
                raise InvalidInput(f"{name} is the key of a {_name(kind)} and cannot change")
        where = _key_conditions(kind, key if isinstance(key, tuple) else (key,))
        statement = TABLES[kind].update().where(*where, *conditions(kind, expect)).values(**changes)
        return self._write(statement) > 0

    def count_up(self, record: Record, name: str) -> int:
        """Keep `record`, or, when one with its key is there, add one to that one's field `name`; the field's
        value now. One statement, so that of all who ask at once each gets a number of its own."""
        kind = _kind_of(record)
        column = column_of(kind, name)
        insert = engines.insert(self._engine, TABLES[kind])
        values = {field: getattr(record, field) for field in _names(kind)}
        statement = insert.values(values).on_conflict_do_update(
            index_elements=kind.KEY, set_={name: column + 1}
        )
        with self.transaction():
            return int(self._read(statement.returning(column))[0][0])

    def delete(self, kind: type[R], where: Where) -> int:
        """Delete the records that match, and say how many; an empty filter is refused."""
        if not where:
            raise InvalidInput(f"a delete of every {_name(kind)} is refused", hint="give a filter")
        return self._write(TABLES[kind].delete().where(*conditions(kind, where)))

    # --- reading ----------------------------------------------------------------------------------------

    def get(self, kind: type[R], *key: Any) -> R:
        """The record with this key; `NotFound` with the nearest one."""
        statement = sa.select(*TABLES[kind].columns).where(*_key_conditions(kind, key))
        rows = self._read(statement)
        if not rows:
            raise self._missing(kind, key)
        return _record(kind, rows[0])

    def find(
        self,
        kind: type[R],
        *,
        where: Where | None = None,
        order_by: str | Iterable[str] | None = None,
        limit: int | None = None,
        offset: int = 0,
        omit: Sequence[str] = (),
        search: Search | None = None,
    ) -> list[R]:
        """The records that match, in order.

        `where` maps a field to a value, to a list or set (one of them), to None (not set), or to a tuple of
        an operator (``= != < <= > >= prefix``, ``not in``) and a value. `order_by` is a field or several,
        ``-`` before one for descending; by default the position, or newest first. Fields in `omit` (JSON
        ones, such as a run's plan in a long list) are not read and come back empty. `search` is a text and the
        fields in which each of its words must stand, whatever its case.
        """
        names = _names(kind, omit)
        matching = [*conditions(kind, where or {}), *containing(kind, search)]
        statement = sa.select(*(TABLES[kind].columns[name] for name in names)).order_by(
            *ordering(kind, order_by)
        )
        if search is None or limit is None:
            statement = statement.where(*matching)
        else:  # two steps: an index holds what is searched in, so that rows are read only for the page
            keys = [TABLES[kind].columns[name] for name in kind.KEY]
            found = sa.select(*keys).where(*matching).order_by(*ordering(kind, order_by))
            found = found.limit(limit).offset(offset)
            statement = statement.where(sa.tuple_(*keys).in_(found) if len(keys) > 1 else keys[0].in_(found))
            limit, offset = None, 0
        if limit is not None or offset:
            # SQLite has no OFFSET without a LIMIT.
            statement = statement.limit(2**62 if limit is None else limit).offset(offset)
        return [_record(kind, row, names, omit) for row in self._read(statement)]

    def count(self, kind: type[R], *, where: Where | None = None, search: Search | None = None) -> int:
        """How many records match."""
        matching = [*conditions(kind, where or {}), *containing(kind, search)]
        return int(self._read(sa.select(sa.func.count()).select_from(TABLES[kind]).where(*matching))[0][0])

    def count_by(
        self, kind: type[R], fields: Sequence[str], *, where: Where | None = None
    ) -> dict[tuple[Any, ...], int]:
        """How many records match, for each combination of values that these fields have."""
        columns = [column_of(kind, name) for name in fields]
        statement = sa.select(*columns, sa.func.count()).where(*conditions(kind, where or {}))
        return {tuple(row[:-1]): int(row[-1]) for row in self._read(statement.group_by(*columns))}

    def total(self, kind: type[R], field: str, *, where: Where | None = None) -> int:
        """The sum of a field of whole numbers over the records that match."""
        asked = sa.func.coalesce(sa.func.sum(column_of(kind, field)), 0)
        return int(self._read(sa.select(asked).where(*conditions(kind, where or {})))[0][0])

    def change_seq(self) -> str:
        """A token that differs from the last one if anything was written meanwhile, by whomever.

        Cheap enough to ask ten times a second. It means something only beside another token of the same
        `Catalog`; now and then it differs though nothing of interest changed.
        """
        with self._watch_lock, self._translated():
            if self._watch is None:
                self._watch = self._reads.connect()
            # SQLite counts here what *other* connections did: this one must never write.
            question = "PRAGMA data_version" if self._is_sqlite else "SELECT pg_current_snapshot()::text"
            try:
                return str(self._watch.exec_driver_sql(question).scalar())
            except exc.SQLAlchemyError:
                self._watch.close()
                self._watch = None
                raise

    # --- transactions -----------------------------------------------------------------------------------

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Everything that this thread does inside happens whole or not at all; may be nested.

        An error that leaves a nested block takes back that block; one that leaves the outermost takes back
        everything.
        """
        outer = self._level
        if outer is None:
            with self._outermost():
                yield
            return
        with self._translated():
            savepoint = outer.connection.begin_nested()
        level = self._local.level = _Level(outer.connection)
        try:
            yield
            level.check()
        except BaseException:
            with suppress(exc.SQLAlchemyError):
                savepoint.rollback()
            raise
        else:
            with self._translated():
                savepoint.commit()
        finally:
            self._local.level = outer

    @property
    def is_in_transaction(self) -> bool:
        """Whether this thread is inside a ``transaction()``, where it sees what nobody else does yet."""
        return self._level is not None

    @contextmanager
    def _outermost(self) -> Iterator[sa.Connection]:
        if self._is_sqlite and not self._writing.acquire(timeout=self._busy_seconds):
            raise CatalogUnavailable(
                f"the catalog {self.url} does not answer: another thread holds a transaction open",
                hint="keep transaction() blocks short",
            )
        try:
            with self._translated():
                connection = self._engine.connect()
            with connection:  # rolls back what was not committed
                if self._is_sqlite:
                    with self._translated():
                        connection.exec_driver_sql("BEGIN IMMEDIATE")
                level = self._local.level = _Level(connection)
                try:
                    yield connection
                    level.check()
                finally:
                    self._local.level = None
                with self._translated():
                    connection.commit()
        finally:
            if self._is_sqlite:
                self._writing.release()

    @property
    def _level(self) -> _Level | None:
        level: _Level | None = getattr(self._local, "level", None)
        return level

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except exc.SQLAlchemyError as error:
            raise engines.translate(error, self._engine) from error

    # --- statements -------------------------------------------------------------------------------------

    def _write_rows(self, records: Sequence[Record], statement_for: Callable[[type[Any]], sa.Insert]) -> None:
        batches = [(shape, list(batch)) for shape, batch in groupby(records, _shape)]
        if not batches:
            return
        if len(batches) > 1 and self._level is None:
            with self._outermost():
                self._write_batches(batches, statement_for)
        else:
            self._write_batches(batches, statement_for)

    def _write_batches(self, batches: Any, statement_for: Callable[[type[Any]], sa.Insert]) -> None:
        for (kind, names), batch in batches:
            rows = [{name: getattr(record, name) for name in names} for record in batch]
            self._write(statement_for(kind), rows)

    def _upsert(self, kind: type[Any]) -> sa.Insert:
        if kind not in self._upserts:  # making one takes longer than executing it
            insert = engines.insert(self._engine, TABLES[kind])
            replaced = {name: insert.excluded[name] for name in _names(kind) if name not in kind.KEY}
            self._upserts[kind] = insert.on_conflict_do_update(index_elements=kind.KEY, set_=replaced)
        return self._upserts[kind]

    def _write(self, statement: Any, rows: list[dict[str, Any]] | None = None) -> int:
        """Execute on the open transaction, or in one of its own; returns the number of rows."""
        level = self._level
        if level is None:
            with self._outermost():
                return self._write(statement, rows)
        try:
            with self._translated():
                return level.connection.execute(statement, rows).rowcount
        except Exception as error:
            level.failure = error
            raise

    def _read(self, statement: Any) -> Sequence[sa.Row[Any]]:
        level = self._level
        if level is None:
            with self._translated(), self._reads.connect() as connection:
                return connection.execute(statement).all()
        try:
            with self._translated():
                return level.connection.execute(statement).all()
        except Exception as error:
            level.failure = error
            raise

    def _missing(self, kind: type[Any], key: tuple[Any, ...]) -> NotFound:
        shown = key[0] if len(key) == 1 else key
        column = column_of(kind, kind.KEY[-1])
        siblings = sa.select(column).where(*_key_conditions(kind, key)[:-1]).limit(1000)
        known = [row[0] for row in self._read(siblings)]
        return NotFound(f"there is no {_name(kind)} {shown!r}", hint=did_you_mean(str(key[-1]), known))


def _kind_of(record: Record) -> type[Record]:
    if type(record) not in TABLES:
        raise InvalidInput(f"the catalog keeps no {type(record).__name__}")
    return type(record)


def _shape(record: Record) -> tuple[type[Record], tuple[str, ...]]:
    """Which table and which columns: a number that the database shall give is left out."""
    kind = _kind_of(record)
    names = tuple(field.name for field in dataclasses.fields(record))
    if is_numbered(kind) and not getattr(record, kind.KEY[0]):
        names = tuple(name for name in names if name not in kind.KEY)
    return kind, names


def _names(kind: type[Any], omit: Sequence[str] = ()) -> list[str]:
    for name in omit:
        if not isinstance(column_of(kind, name).type, Json):
            raise InvalidInput(f"only JSON fields can be omitted, {name} is none")
    return [column.name for column in TABLES[kind].columns if column.name not in omit]


def _record(kind: type[R], row: sa.Row[Any], names: list[str] | None = None, omit: Sequence[str] = ()) -> R:
    # Straight into the slots: a long list takes a third of the time that the frozen class's __init__ does.
    record = object.__new__(kind)
    table: Any = kind
    for put, value in zip(_setters(table, tuple(names or _names(kind))), row, strict=True):
        put(record, value)
    for put in _setters(table, tuple(omit)):
        put(record, {})
    return record


@lru_cache(maxsize=256)
def _setters(kind: Any, names: tuple[str, ...]) -> tuple[Callable[[Any, Any], None], ...]:
    return tuple(getattr(kind, name).__set__ for name in names)


def _key_conditions(kind: type[Any], key: tuple[Any, ...]) -> list[sa.ColumnElement[bool]]:
    if len(key) != len(kind.KEY):
        raise InvalidInput(f"the key of a {_name(kind)} is ({', '.join(kind.KEY)}), not {key!r}")
    return [operator.eq(column_of(kind, name), value) for name, value in zip(kind.KEY, key, strict=True)]


def _name(kind: type[Any]) -> str:
    """For messages: ``task run`` for TaskRun."""
    return re.sub(r"(?<!^)(?=[A-Z])", " ", kind.__name__).lower()
