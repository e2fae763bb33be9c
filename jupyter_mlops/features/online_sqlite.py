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
from .online import Found, Row

_BATCH = 50_000  # rows a transaction: other writers wait no longer than that takes
_BUSY_SECONDS = 30.0
_GROUP = 200  # rows in one statement, which costs a third less than one each
_MOST = 900  # keys in one question
_SCHEMA = """
CREATE TABLE IF NOT EXISTS views (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS rows (
    view INTEGER NOT NULL, key BLOB NOT NULL, value BLOB NOT NULL, PRIMARY KEY (view, key)
) WITHOUT ROWID;
"""
_WRITE = """
INSERT INTO rows (view, key, value) VALUES {rows}
ON CONFLICT (view, key) DO UPDATE SET value = excluded.value
WHERE substr(excluded.value, 1, {stamp}) >= substr(value, 1, {stamp})
"""
_READ = "SELECT value FROM rows WHERE view = ? AND key = ?"


class SqliteStore:
    """The store in the file of ``sqlite:///path``; it is made when there is none."""

    def __init__(self, url: str) -> None:
        self.path = Path(url.removeprefix("sqlite:///")).absolute()
        self._local = threading.local()
        self._opened: list[sqlite3.Connection] = []
        self._views: dict[str, int] = {}
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"SqliteStore({str(self.path)!r})"

    def write(self, *, view: str, rows: Iterable[Row]) -> None:
        """See `OnlineStore`."""
        with self._explained("write to"):
            connection = self._connection
            one, many = _statements(self._number(connection, view))
            remaining = iter(rows)
            while batch := list(islice(remaining, _BATCH)):
                self._begin(connection)
                try:
                    whole = len(batch) - len(batch) % _GROUP
                    groups = (batch[start : start + _GROUP] for start in range(0, whole, _GROUP))
                    connection.executemany(many, (tuple(chain.from_iterable(group)) for group in groups))
                    connection.executemany(one, batch[whole:])
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

    def _read_view(self, connection: sqlite3.Connection, view: str, keys: Sequence[bytes]) -> list[Found]:
        number = self._views.get(view) or self._known(connection, view)
        if len(keys) == 1:
            row = connection.execute(_READ, (number, keys[0])).fetchone()
            return [None if row is None else row[0]]
        found: list[Found] = []
        for start in range(0, len(keys), _MOST):
            some = keys[start : start + _MOST]
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
                cached_statements=256,
            )
            try:
                self._prepare(connection)
            except BaseException:
                connection.close()
                raise
            with self._lock:
                self._opened.append(connection)
            self._local.connection = connection
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


def _statements(view: int) -> tuple[str, str]:
    """The upsert of one row and of a group of rows."""
    rows = [f"({view}, ?, ?)"]
    one, many = (_WRITE.format(rows=", ".join(rows * number), stamp=STAMP) for number in (1, _GROUP))
    return one, many


@lru_cache(maxsize=_MOST)
def _read_many(number: int) -> str:
    """The values of so many keys: a row for each, NULL where there is none, in their order, since SQLite walks the
    left side of a LEFT JOIN from its beginning to its end. A third quicker than ``IN``, which sorts them first."""
    return (
        f"WITH wanted (key) AS (VALUES {','.join(['(?)'] * number)})"
        " SELECT value FROM wanted LEFT JOIN rows ON rows.view = ? AND rows.key = wanted.key"
    )
