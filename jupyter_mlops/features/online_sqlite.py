"""The embedded online store: one SQLite file, a row for each key, written in key order, read by primary key."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from itertools import chain, islice
from pathlib import Path

from ..errors import StorageUnavailable
from .codec import STAMP
from .online import Block, Found, Row

_BATCH = 50_000  # rows a transaction: other writers wait no longer than that takes
_BUSY_SECONDS = 30.0
_GROUP = 200  # rows in one statement, which costs a third less than one each
_BLOCK = 1000  # rows in one statement that cuts them itself, which costs a third of that
_MOST = 900  # keys in one question
_MOST_VIEWS = 100  # in one statement
_MOST_STATEMENTS = 256  # kept ready
_NOTHING = (None,)
_SCHEMA = """
CREATE TABLE IF NOT EXISTS views (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS rows (
    view INTEGER NOT NULL, key BLOB NOT NULL, value BLOB NOT NULL, PRIMARY KEY (view, key)
) WITHOUT ROWID;
"""
_WRITE = """
INSERT INTO rows (view, key, value) {rows}
ON CONFLICT (view, key) DO UPDATE SET value = excluded.value
WHERE substr(excluded.value, 1, {stamp}) >= substr(value, 1, {stamp})
"""


class SqliteStore:
    """The store in the file of ``sqlite:///path``; it is made when there is none."""

    def __init__(self, url: str) -> None:
        self.path = Path(url.removeprefix("sqlite:///")).absolute()
        self._local = threading.local()
        self._opened: list[sqlite3.Connection] = []
        self._views: dict[str, int] = {}
        self._rows: dict[tuple[str, ...], str] = {}
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"SqliteStore({str(self.path)!r})"

    def write(self, *, view: str, rows: Iterable[Row]) -> None:
        """See `OnlineStore`."""
        with self._explained("write to"):
            connection = self._connection
            number = self._number(connection, view)
            for steps in _blocks(number, rows) if isinstance(rows, Block) else _groups(number, rows):
                self._begin(connection)
                try:
                    for statement, arguments in steps:
                        connection.executemany(statement, arguments)
                    connection.execute("COMMIT")
                except BaseException:
                    connection.execute("ROLLBACK")
                    raise

    def read(self, *, wanted: Sequence[tuple[str, Sequence[bytes]]]) -> list[list[Found]]:
        """See `OnlineStore`."""
        try:
            connection = self._local.connection
        except AttributeError:
            with self._explained("open"):
                connection = self._connection
        try:
            if len(wanted) == 1:  # one statement needs no transaction
                return [self._read_view(connection, *wanted[0])]
            connection.execute("BEGIN")  # all views as they are at one moment
            try:
                return [self._read_view(connection, view, keys) for view, keys in wanted]
            finally:
                connection.execute("COMMIT")
        except sqlite3.Error as error:
            raise self._unavailable("read", error) from error

    def read_row(self, *, views: tuple[str, ...], keys: Sequence[bytes]) -> Sequence[Found]:
        """See `OnlineStore`. By a cursor that is kept, since a new one is a tenth of it all."""
        try:
            found: Sequence[Found] = self._local.execute(self._rows[views], keys).fetchone() or _NOTHING
        except (AttributeError, KeyError):
            return self._read_first_row(views, keys)
        except sqlite3.Error as error:
            raise self._unavailable("read", error) from error
        return found

    def _read_first_row(self, views: tuple[str, ...], keys: Sequence[bytes]) -> Sequence[Found]:
        """The same, where this thread has no connection yet, or these views have no statement."""
        if not 0 < len(views) <= _MOST_VIEWS:
            return [
                one
                for (one,) in self.read(wanted=[(view, [key]) for view, key in zip(views, keys, strict=True)])
            ]
        with self._explained("read"):
            connection = self._connection
            numbers = [self._known(connection, view) for view in views]
            statement = _read_each(numbers)
            if all(numbers):  # a view may come yet
                if len(self._rows) >= _MOST_STATEMENTS:
                    self._rows.clear()
                self._rows[views] = statement
            found: Sequence[Found] = self._local.execute(statement, keys).fetchone() or _NOTHING
            return found

    def _read_view(self, connection: sqlite3.Connection, view: str, keys: Sequence[bytes]) -> list[Found]:
        number = self._known(connection, view)
        found: list[Found] = []
        for start in range(0, len(keys), _MOST):
            some = keys[start : start + _MOST]
            size, *others = {*map(len, some)}
            if size and not others:
                rows = connection.execute(_read_alike(number, len(some), size), (b"".join(some),))
            else:
                rows = connection.execute(_read_many(len(some)), (*some, number))
            found += [row[0] for row in rows.fetchall()]
        return found

    def delete(self, *, view: str, keys: Sequence[bytes] | None) -> None:
        """See `OnlineStore`."""
        with self._explained("delete from"):
            connection = self._connection
            number = self._known(connection, view)
            self._begin(connection)
            try:
                if keys is None:
                    connection.execute("DELETE FROM rows WHERE view = ?", (number,))
                else:
                    statement = "DELETE FROM rows WHERE view = ? AND key = ?"
                    connection.executemany(statement, [(number, key) for key in keys])
                connection.execute("COMMIT")
            except BaseException:
                connection.execute("ROLLBACK")
                raise

    def close(self) -> None:
        """See `OnlineStore`."""
        with self._lock:
            for connection in self._opened:
                connection.close()
            self._opened.clear()
            self._local = threading.local()
            self._views, self._rows = {}, {}  # the file may be another one then

    @property
    def _connection(self) -> sqlite3.Connection:
        """This thread's own, opened when first asked for."""
        if not hasattr(self._local, "connection"):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            connection = sqlite3.connect(
                self.path,
                isolation_level=None,
                timeout=_BUSY_SECONDS,
                check_same_thread=False,
                cached_statements=_MOST_STATEMENTS,
            )
            try:
                self._prepare(connection)
            except BaseException:
                connection.close()
                raise
            with self._lock:
                self._opened.append(connection)
            self._local.connection, self._local.execute = connection, connection.cursor().execute
        opened: sqlite3.Connection = self._local.connection
        return opened

    def _prepare(self, connection: sqlite3.Connection) -> None:
        """Tables under a lock, so that processes that open a fresh store at once wait for each other."""
        until = time.monotonic() + _BUSY_SECONDS
        while True:  # the switch to WAL does not wait by itself
            try:
                connection.execute("PRAGMA journal_mode=WAL")
                break
            except sqlite3.OperationalError as error:
                if "locked" not in str(error) or time.monotonic() > until:
                    raise
                time.sleep(0.01)
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute("PRAGMA cache_size=-65536")
        connection.execute("PRAGMA mmap_size=1073741824")
        if (
            connection.execute(
                "SELECT count(*) FROM sqlite_master WHERE name IN ('views', 'rows')"
            ).fetchone()[0]
            < 2
        ):
            self._begin(connection)
            for statement in filter(str.strip, _SCHEMA.split(";")):
                connection.execute(statement)
            connection.execute("COMMIT")

    def _begin(self, connection: sqlite3.Connection) -> None:
        connection.execute("BEGIN IMMEDIATE")

    def _number(self, connection: sqlite3.Connection, view: str) -> int:
        """The view's number, given when it has none yet."""
        number = self._known(connection, view)
        if number == 0:
            connection.execute("INSERT INTO views (name) VALUES (?) ON CONFLICT DO NOTHING", (view,))
            number = self._known(connection, view)
        return number

    def _known(self, connection: sqlite3.Connection, view: str) -> int:
        """The view's number, or 0, which no row has."""
        number = self._views.get(view)
        if number is None:
            row = connection.execute("SELECT id FROM views WHERE name = ?", (view,)).fetchone()
            if row is None:
                return 0
            number = self._views[view] = int(row[0])
        return number

    @contextmanager
    def _explained(self, verb: str) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise self._unavailable(verb, error) from error

    def _unavailable(self, verb: str, error: Exception) -> StorageUnavailable:
        return StorageUnavailable(
            f"cannot {verb} the online store {self.path}: {error}",
            hint="check the disk, and who may write there",
        )


_Step = tuple[str, Iterable[Sequence[int | bytes]]]
"""A statement, and what it is executed with, time after time."""


def _groups(view: int, rows: Iterable[Row]) -> Iterator[list[_Step]]:
    """Any rows: what each transaction does."""
    remaining = iter(rows)
    one, many = _values(view, 1), _values(view, _GROUP)
    while batch := list(islice(remaining, _BATCH)):
        whole = len(batch) - len(batch) % _GROUP
        groups = (batch[start : start + _GROUP] for start in range(0, whole, _GROUP))
        yield [(many, (tuple(chain.from_iterable(group)) for group in groups)), (one, batch[whole:])]


def _blocks(view: int, rows: Block) -> Iterator[list[_Step]]:
    """The same of a block, which SQLite cuts itself: no object is made for a row, and other threads may run."""
    key, value = rows.key_size, rows.value_size
    cut = (
        f"SELECT {view}, substr(?, 1 + place * {key}, {key}), substr(?, 1 + place * {value}, {value})"
        " FROM places WHERE true"
    )
    many = _places(_BLOCK) + _WRITE.format(rows=cut, stamp=STAMP)
    for batch in rows.parts(_BATCH):
        whole = len(batch) - len(batch) % _BLOCK
        blocks = batch.part(0, whole).parts(_BLOCK)
        yield [
            (many, ((block.keys, block.values) for block in blocks)),
            (_values(view, 1), batch.part(whole, len(batch))),
        ]


def _values(view: int, number: int) -> str:
    return _WRITE.format(rows=f"VALUES {_listed(f'({view}, ?, ?)', number)}", stamp=STAMP)


def _listed(text: str, number: int) -> str:
    return ", ".join([text] * number)


@lru_cache(maxsize=_MOST)
def _places(number: int) -> str:
    """The beginning of a statement: a table of the numbers from 0, in order."""
    return f"WITH places (place) AS (VALUES {', '.join(f'({place})' for place in range(number))}) "


@lru_cache(maxsize=_MOST)
def _read_many(number: int) -> str:
    """The values of so many keys: a row for each, NULL where there is none, in their order, since SQLite walks the
    left side of a LEFT JOIN from its beginning to its end. A third quicker than ``IN``, which sorts them first."""
    return (
        f"WITH wanted (key) AS (VALUES {_listed('(?)', number)})"
        " SELECT value FROM wanted LEFT JOIN rows ON rows.view = ? AND rows.key = wanted.key"
    )


@lru_cache(maxsize=_MOST)
def _read_alike(view: int, number: int, size: int) -> str:
    """The same of keys of one size that come end to end, which takes a quarter less again."""
    return (
        f"{_places(number)} SELECT value FROM places LEFT JOIN rows"
        f" ON rows.view = {view} AND rows.key = substr(?, 1 + place * {size}, {size})"
    )


def _read_each(views: Sequence[int]) -> str:
    """One row with the value of a key of each of these views: one statement sees one moment, and is one wait
    for SQLite's locks. Of a single view, no row says that there is nothing."""
    asked = [f"SELECT value FROM rows WHERE view = {view} AND key = ?" for view in views]
    return asked[0] if len(asked) == 1 else f"SELECT {', '.join(f'({one})' for one in asked)}"
