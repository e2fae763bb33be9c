"""DuckDB, as the feature store uses it: a connection for one piece of work, in UTC, that sees no Python variable."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..errors import InvalidInput, MissingExtra, MlopsError, StorageUnavailable
from .names import literal

_PROTOCOL = re.compile(r"'([a-z][a-z0-9+]*)://")


@contextmanager
def connect(
    *, root: Path | None = None, options: Mapping[str, Any] | None = None, sql: str = ""
) -> Iterator[Any]:
    """A connection. Relative paths in SQL count from `root`; URLs in `sql` are read by fsspec with `options`."""
    try:
        import duckdb
    except ImportError as error:
        raise MissingExtra(
            "the feature store needs DuckDB", hint="pip install 'jupyter-mlops[features]'"
        ) from error
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone='UTC'; SET python_enable_replacements=false")
        if root is not None:
            connection.execute(f"SET file_search_path={literal(str(root))}")
        see(connection, sql, options or {})
        yield connection


def see(connection: Any, sql: str, options: Mapping[str, Any]) -> None:
    """Let the connection read the URLs in `sql`, by fsspec."""
    for protocol in set(_PROTOCOL.findall(sql)) - {"file"}:
        if not connection.filesystem_is_registered(protocol):
            import fsspec

            connection.register_filesystem(fsspec.filesystem(protocol, **options))


@contextmanager
def explained(what: str) -> Iterator[None]:
    """DuckDB's errors as ours: a wrong query is the user's input, a file that cannot be read is storage."""
    import duckdb

    try:
        yield
    except duckdb.IOException as error:
        raise StorageUnavailable(f"{what}: {error}", hint="check the path, and who may read it") from error
    except duckdb.Error as error:
        raise InvalidInput(f"{what}: {error}") from error
    except MlopsError:
        raise
    except OSError as error:
        raise StorageUnavailable(f"{what}: {error}") from error


def table(connection: Any, sql: str) -> Any:
    """The answer as an Arrow table."""
    return connection.sql(sql).to_arrow_table()


def batches(connection: Any, sql: str, rows: int) -> Iterator[Any]:
    """The answer as Arrow batches of about `rows` rows, as they are made."""
    relation = connection.sql(sql)
    reader = (
        relation.to_arrow_reader(rows)
        if hasattr(relation, "to_arrow_reader")
        else relation.fetch_arrow_reader(rows)
    )
    yield from reader


def one(connection: Any, sql: str) -> dict[str, Any]:
    """The first row of the answer, name → value."""
    row: dict[str, Any] = table(connection, sql).to_pylist()[0]
    return row
