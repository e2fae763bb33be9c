"""Bring a database to the schema of this version, exactly once, whoever comes first.

An up-to-date catalog is opened with one small query. A fresh one gets its tables straight from the records
and is stamped with the newest revision (a test proves that the migrations lead to the very same tables); only
one that an older version wrote needs Alembic, which is imported then. All of it happens in one transaction
under a lock of the database, so processes that open the same fresh catalog at once wait for each other.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa

from ..errors import CatalogUnavailable
from .engines import shown
from .tables import METADATA

if TYPE_CHECKING:
    from alembic.config import Config

HEAD = "0008"
MIGRATIONS = Path(__file__).parent / "migrations"
_LOCK = 0x6D6C6F7073  # "mlops": the number of PostgreSQL's advisory lock
_EXISTS_SQLITE = "SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'"
# Not to_regclass(): it answers from a cache of the session, which may be older than the lock that we hold.
_EXISTS_POSTGRESQL = (
    "SELECT 1 FROM pg_catalog.pg_tables"
    " WHERE tablename = 'alembic_version' AND schemaname = ANY (current_schemas(false))"
)
_VERSION = sa.Table(
    "alembic_version", sa.MetaData(), sa.Column("version_num", sa.String(32), primary_key=True)
)


def prepare(engine: sa.Engine) -> None:
    """Create or migrate the tables if they are not at `HEAD`; `CatalogUnavailable` if they are newer."""
    with engine.connect() as connection:
        if revision_of(connection) == HEAD:
            return
    with engine.connect() as connection:
        _lock(connection)
        revision = revision_of(connection)
        if revision is None:
            METADATA.create_all(connection, checkfirst=False)
            _VERSION.create(connection)
            connection.execute(_VERSION.insert().values(version_num=HEAD))
        elif revision != HEAD:
            _check_known(connection, revision)
            upgrade(connection)
        connection.commit()


def _lock(connection: sa.Connection) -> None:
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    else:
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))


def revision_of(connection: sa.Connection) -> str | None:
    """The revision that the database is at; None when it has no catalog yet."""
    is_sqlite = connection.dialect.name == "sqlite"
    exists = _EXISTS_SQLITE if is_sqlite else _EXISTS_POSTGRESQL
    if connection.exec_driver_sql(exists).scalar() is None:
        return None
    found = connection.execute(sa.select(_VERSION.c.version_num)).scalar()
    return None if found is None else str(found)


def upgrade(connection: sa.Connection) -> None:
    """Run the migrations that are missing, in the connection's transaction."""
    from alembic import command

    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, HEAD)


def _check_known(connection: sa.Connection, revision: str) -> None:
    from alembic.script import ScriptDirectory

    if revision not in {
        script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()
    }:
        raise CatalogUnavailable(
            f"the catalog {shown(connection.engine)} is of a later jupyter-mlops (revision {revision})",
            hint="pip install --upgrade jupyter-mlops",
        )


def _config() -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    return config
