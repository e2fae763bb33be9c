"""SQLite and PostgreSQL: how each is connected to, and what its errors mean.

SQLite runs in WAL mode, so that readers never wait for the writer, with a busy timeout, because the writer
may be another process. Each error of a driver becomes one of ours: what did not work, and how to mend it.
"""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy import event, exc

from ..errors import CatalogUnavailable, Conflict, InvalidInput, InvalidSettings, MissingExtra, MlopsError

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql, sqlite

BUSY_SECONDS = 20.0  # how long a statement waits for another process that writes
_CONNECT_SECONDS = 10
_UNIQUE_VIOLATION = "23505"
_LOCK_STATES = ("55P03", "40P01", "40001")  # lock timeout, deadlock, serialization: PostgreSQL's "busy"


def create_engine(url: str, busy_seconds: float) -> sa.Engine:
    """An engine for a ``sqlite:///…`` or ``postgresql://…`` URL; connects to nothing yet."""
    try:
        parsed = sa.make_url(url)
    except (exc.ArgumentError, ValueError) as error:
        raise InvalidSettings(
            "the setting `catalog` is not a database URL",
            hint="sqlite:///path or postgresql://user@host/name",
        ) from error
    backend = parsed.get_backend_name()
    if backend == "sqlite":
        return _sqlite(parsed, busy_seconds)
    if backend in ("postgresql", "postgres"):
        return _postgresql(parsed, busy_seconds)
    raise InvalidSettings(
        f"the catalog cannot be kept in {backend}", hint="use sqlite:///… or postgresql://…"
    )


def _sqlite(url: sa.URL, busy_seconds: float) -> sa.Engine:
    if not url.database or url.database == ":memory:":
        raise InvalidSettings("the catalog needs a file", hint="for example sqlite:///.mlops/catalog.db")
    # isolation_level None: transactions begin where `store` says so, not where Python's driver guesses.
    arguments = {"timeout": busy_seconds, "isolation_level": None, "check_same_thread": False}
    engine = sa.create_engine(
        url.set(drivername="sqlite"),
        connect_args=arguments,
        pool_size=8,
        max_overflow=56,
        pool_timeout=busy_seconds,
    )

    @event.listens_for(engine, "connect")
    def _configure(connection: Any, _: Any) -> None:
        # NORMAL: a crash of the process loses nothing; a power cut may lose the last transactions, whole.
        connection.execute("PRAGMA synchronous=NORMAL")

    return engine


def use_wal(engine: sa.Engine, busy_seconds: float) -> None:
    """Turn WAL on, which stays so in the file. SQLite does not wait for others here: we do."""
    deadline = time.monotonic() + busy_seconds
    with engine.connect() as connection:
        while True:
            try:
                if connection.exec_driver_sql("PRAGMA journal_mode").scalar() != "wal":
                    connection.exec_driver_sql("PRAGMA journal_mode=WAL")
                return
            except exc.OperationalError as error:
                if "locked" not in str(error.orig) or time.monotonic() > deadline:
                    raise
                time.sleep(0.01)


def _postgresql(url: sa.URL, busy_seconds: float) -> sa.Engine:
    arguments = {} if "connect_timeout" in url.query else {"connect_timeout": _CONNECT_SECONDS}
    try:
        engine = sa.create_engine(
            url.set(drivername="postgresql+psycopg"),
            connect_args=arguments,
            pool_size=8,
            max_overflow=24,
            pool_timeout=busy_seconds,
            pool_pre_ping=True,  # a server that was restarted meanwhile costs nobody a run
        )
    except ImportError as error:
        raise MissingExtra(
            "a catalog on PostgreSQL needs psycopg", hint="pip install 'jupyter-mlops[postgres]'"
        ) from error

    @event.listens_for(engine, "connect")
    def _configure(connection: Any, _: Any) -> None:
        connection.execute(f"SET lock_timeout = {round(busy_seconds * 1000)}")
        connection.commit()

    return engine


def insert(engine: sa.Engine, table: sa.Table) -> sqlite.Insert | postgresql.Insert:
    """An INSERT that can say ON CONFLICT, which each engine has in its own dialect."""
    if engine.dialect.name == "sqlite":
        from sqlalchemy.dialects.sqlite import insert as insert_sqlite

        return insert_sqlite(table)
    from sqlalchemy.dialects.postgresql import insert as insert_postgresql

    return insert_postgresql(table)


def make_folder(engine: sa.Engine) -> None:
    """The folder of a SQLite file."""
    database = engine.url.database
    if database is None or database.startswith("file:"):
        return
    try:
        Path(database).parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CatalogUnavailable(
            f"cannot make a folder for the catalog {shown(engine)}: {error.strerror}",
            hint="choose another place in the setting `catalog`",
        ) from error


def shown(engine: sa.Engine) -> str:
    """The URL for messages, without its password."""
    return engine.url.set(drivername=engine.url.get_backend_name()).render_as_string(hide_password=True)


def translate(error: exc.SQLAlchemyError, engine: sa.Engine) -> MlopsError:
    """What an error of SQLAlchemy or of a driver means."""
    original = getattr(error, "orig", None)
    reason = str(original if original is not None else error).strip().partition("\n")[0]
    if isinstance(original, MlopsError):  # raised by one of our column types
        return original
    if isinstance(error, exc.IntegrityError):
        if getattr(original, "sqlstate", "") == _UNIQUE_VIOLATION or "UNIQUE" in reason:
            return Conflict(f"the catalog has such a record already: {reason}")
        return InvalidInput(f"the catalog cannot keep this record: {reason}")
    if isinstance(error, exc.DataError) or isinstance(original, (TypeError, ValueError, OverflowError)):
        return InvalidInput(f"the catalog cannot keep this value: {reason}")
    if isinstance(error, exc.TimeoutError):
        reason, hint = "all connections are in use", "too many threads hold transactions at once"
    else:
        hint = _cure(original, reason)
    return CatalogUnavailable(f"the catalog {shown(engine)} does not answer: {reason}", hint=hint)


def _cure(original: BaseException | None, reason: str) -> str:
    if isinstance(original, sqlite3.Error):
        if "locked" in reason or "busy" in reason:
            return "another process holds it; end that one, or try again when it is done"
        if "full" in reason:
            return "the disk is full: free some space, `jupyter mlops clean` removes old runs"
        if "not a database" in reason or "malformed" in reason:
            return "the file is damaged or no catalog: restore a copy, or move it away to begin anew"
        return "check that the file and its folder are there and may be written to (setting `catalog`)"
    if getattr(original, "sqlstate", None) in _LOCK_STATES:
        return "another transaction holds what this one needs; try again"
    return "check that the server runs, and the setting `catalog`"
