"""How a catalog comes to be, and what is said when it cannot."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from jupyter_mlops.catalog import Catalog, Run, schema
from jupyter_mlops.catalog.tables import METADATA
from jupyter_mlops.errors import CatalogUnavailable, InvalidSettings, NotFound

NOON = datetime(2026, 3, 29, 12, tzinfo=UTC)
RUN = Run(run_id="r1", pipeline="p", plan={}, created_at=NOON)


def engine_of(url: str) -> sa.Engine:
    return sa.create_engine(url.replace("postgresql:", "postgresql+psycopg:"))


def execute(url: str, *statements: str) -> None:
    engine = engine_of(url)
    with engine.begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)
    engine.dispose()


def tables_of(url: str) -> dict[str, Any]:
    """Columns, keys and indexes, as the database itself tells them."""
    engine = engine_of(url)
    inspector = sa.inspect(engine)
    found = {
        name: (
            [
                (c["name"], str(c["type"]), c["nullable"], c.get("autoincrement"))
                for c in inspector.get_columns(name)
            ],
            inspector.get_pk_constraint(name)["constrained_columns"],
            sorted((i["name"], tuple(i["column_names"])) for i in inspector.get_indexes(name)),
        )
        for name in inspector.get_table_names()
    }
    engine.dispose()
    return found


OPEN_AND_ADD = """
import sys, time
from datetime import UTC, datetime
from jupyter_mlops.catalog import Catalog, Run
url, name, start = sys.argv[1:]
time.sleep(max(0.0, float(start) - time.time()))
with Catalog.open(url) as catalog:
    catalog.add(Run(run_id=name, pipeline="p", plan={}, created_at=datetime.now(UTC)))
"""


def test_processes_that_open_a_fresh_catalog_at_once_all_succeed(catalog_url: str) -> None:
    start = str(time.time() + 2.5)  # all have imported by then
    commands = [[sys.executable, "-c", OPEN_AND_ADD, catalog_url, f"r{number}", start] for number in range(4)]
    processes = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for command in commands]
    assert [process.communicate()[1] for process in processes] == ["", "", "", ""]
    with Catalog.open(catalog_url) as catalog:
        assert {one.run_id for one in catalog.find(Run)} == {"r0", "r1", "r2", "r3"}


def test_the_migrations_lead_to_the_same_tables_as_the_records(
    catalog_url: str, request: Any, tmp_path: Path
) -> None:
    is_sqlite = catalog_url.startswith("sqlite")
    migrated = f"sqlite:///{tmp_path}/old.db" if is_sqlite else request.getfixturevalue("postgresql").fresh()
    # A database that Alembic knows, but which has no revision of ours yet.
    execute(migrated, "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)")
    engine = engine_of(migrated)
    with engine.connect() as connection:
        schema.upgrade(connection)
        connection.commit()
    engine.dispose()
    Catalog.open(catalog_url).close()
    assert tables_of(migrated) == tables_of(catalog_url)
    assert {*tables_of(migrated)} == {*METADATA.tables, "alembic_version"}
    with Catalog.open(migrated) as catalog:
        catalog.add(RUN)
        assert catalog.get(Run, "r1") == RUN


def test_alembic_sees_nothing_to_migrate(catalog_url: str) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    Catalog.open(catalog_url).close()
    engine = engine_of(catalog_url)
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []
    engine.dispose()


def test_head_is_the_newest_migration() -> None:
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(schema.MIGRATIONS))
    assert ScriptDirectory.from_config(config).get_heads() == [schema.HEAD]


def test_a_catalog_of_a_later_version_is_left_alone(catalog_url: str) -> None:
    Catalog.open(catalog_url).close()
    execute(catalog_url, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(CatalogUnavailable, match="of a later jupyter-mlops") as caught:
        Catalog.open(catalog_url)
    assert "upgrade" in caught.value.hint


def test_opening_an_up_to_date_catalog_is_quick_and_imports_no_alembic(catalog_url: str) -> None:
    Catalog.open(catalog_url).close()
    code = """
import sys, time
from jupyter_mlops.catalog import Catalog
begin = time.perf_counter()
Catalog.open(sys.argv[1])
print(time.perf_counter() - begin, "alembic" in sys.modules)
"""
    runs = [
        subprocess.check_output([sys.executable, "-c", code, catalog_url], text=True).split()
        for _ in range(3)
    ]
    assert {loaded for _, loaded in runs} == {"False"}
    if catalog_url.startswith("sqlite"):
        assert min(float(seconds) for seconds, _ in runs) < 0.02


def test_importing_the_package_imports_no_database() -> None:
    code = "import jupyter_mlops, sys; print('sqlalchemy' in sys.modules)"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "False"


@pytest.mark.parametrize("url", ["nonsense", "mysql://host/db", "sqlite://", "sqlite:///:memory:", ""])
def test_a_url_that_cannot_be_a_catalog_is_told(url: str) -> None:
    with pytest.raises(InvalidSettings):
        Catalog.open(url)


def test_a_server_that_does_not_answer_is_told_without_the_password() -> None:
    with pytest.raises(CatalogUnavailable, match="does not answer") as caught:
        Catalog.open("postgresql://me:hunter2@127.0.0.1:9/db")
    assert "hunter2" not in str(caught.value)
    assert "server" in caught.value.hint


def test_a_file_that_is_no_database_is_told(tmp_path: Path) -> None:
    path = tmp_path / "catalog.db"
    path.write_bytes(b"this is no database at all" * 100)
    with pytest.raises(CatalogUnavailable, match="not a database") as caught:
        Catalog.open(f"sqlite:///{path}")
    assert "move it away" in caught.value.hint


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CatalogUnavailable, match="cannot make a folder"):
        Catalog.open(f"sqlite:///{tmp_path}/file/catalog.db")


HOLD = """
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
print("held", flush=True)
sys.stdin.read()
"""


def test_a_database_that_another_process_holds_is_told_after_the_timeout(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/catalog.db"
    with Catalog.open(url, busy_seconds=0.3) as catalog:
        catalog.add(RUN)
        command = [sys.executable, "-c", HOLD, str(tmp_path / "catalog.db")]
        holder = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert holder.stdout is not None
        holder.stdout.readline()
        begin = time.monotonic()
        with pytest.raises(CatalogUnavailable, match="locked") as caught:
            catalog.update(Run, "r1", state="running")
        assert 0.2 < time.monotonic() - begin < 5
        assert "another process holds it" in caught.value.hint
        assert catalog.get(Run, "r1").state == "queued"  # readers do not wait
        holder.communicate("")
        assert catalog.update(Run, "r1", state="running")


def test_a_row_that_another_transaction_holds_is_told_after_the_timeout(postgresql: Any) -> None:
    url = postgresql.fresh()
    with Catalog.open(url, busy_seconds=0.3) as catalog, Catalog.open(url) as other:
        catalog.add(RUN)
        with other.transaction():
            other.update(Run, "r1", state="running")
            with pytest.raises(CatalogUnavailable, match="lock timeout") as caught:
                catalog.update(Run, "r1", state="failed")
        assert "try again" in caught.value.hint
        assert catalog.get(Run, "r1").state == "running"


def test_a_thread_that_holds_a_transaction_too_long_is_told(tmp_path: Path) -> None:
    import threading

    with Catalog.open(f"sqlite:///{tmp_path}/catalog.db", busy_seconds=0.2) as catalog:
        caught: list[Exception] = []

        def write() -> None:
            try:
                catalog.add(RUN)
            except CatalogUnavailable as error:
                caught.append(error)

        with catalog.transaction():
            thread = threading.Thread(target=write)
            thread.start()
            thread.join()
        assert "another thread" in str(caught[0])
        write()
        assert catalog.get(Run, "r1") == RUN


def test_a_server_that_was_restarted_is_found_again(postgresql: Any) -> None:
    with Catalog.open(postgresql.fresh()) as catalog:
        catalog.add(RUN)
        catalog.change_seq()
        postgresql.stop()
        with pytest.raises(CatalogUnavailable):
            catalog.get(Run, "r1")
        with pytest.raises(CatalogUnavailable):
            catalog.change_seq()
        postgresql.start()
        assert catalog.get(Run, "r1") == RUN
        assert catalog.change_seq()


def test_a_full_disk_is_told_and_the_catalog_stays_whole(tmp_path: Path) -> None:
    code = """
import resource, sys
from datetime import UTC, datetime
from jupyter_mlops.catalog import Catalog, Run
from jupyter_mlops.errors import CatalogUnavailable
catalog = Catalog.open(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000))
for number in range(100):
    try:
        plan = {"a": "x" * 20_000}
        catalog.add(Run(run_id=str(number), pipeline="p", plan=plan, created_at=datetime.now(UTC)))
    except CatalogUnavailable as error:
        print(number, error, error.hint)
        break
"""
    url = f"sqlite:///{tmp_path}/catalog.db"
    told = subprocess.check_output([sys.executable, "-c", code, url], text=True)
    kept, _, message = told.partition(" ")
    assert "does not answer" in message
    with Catalog.open(url) as catalog:
        assert catalog.count(Run) == int(kept) > 0
        catalog.add(RUN)


def test_killing_a_writer_leaves_whole_transactions(tmp_path: Path) -> None:
    code = """
import sys
from datetime import UTC, datetime
from jupyter_mlops.catalog import Catalog, Run
catalog = Catalog.open(sys.argv[1])
for number in range(1_000_000):
    with catalog.transaction():
        for half in "ab":
            catalog.add(Run(run_id=f"{number}{half}", pipeline="p", plan={}, created_at=datetime.now(UTC)))
    print(number, flush=True)
"""
    url = f"sqlite:///{tmp_path}/catalog.db"
    writer = subprocess.Popen([sys.executable, "-c", code, url], stdout=subprocess.PIPE, text=True)
    assert writer.stdout is not None
    for _ in range(50):
        told = int(writer.stdout.readline())
    writer.kill()
    writer.communicate()
    with Catalog.open(url) as catalog:
        count = catalog.count(Run)
        assert count % 2 == 0
        assert count >= 2 * (told + 1)
        with pytest.raises(NotFound):
            catalog.get(Run, "nobody")


def test_the_questions_of_long_lists_are_answered_from_an_index(tmp_path: Path) -> None:
    path = tmp_path / "catalog.db"
    Catalog.open(f"sqlite:///{path}").close()
    connection = sqlite3.connect(path)
    for where in ("1", "state = 'failed'", "pipeline = 'p'"):
        question = f"SELECT * FROM runs WHERE {where} ORDER BY created_at DESC, run_id DESC LIMIT 50"
        plan = " ".join(str(row[3]) for row in connection.execute(f"EXPLAIN QUERY PLAN {question}"))
        assert "USING INDEX ix_runs" in plan
        assert "TEMP B-TREE" not in plan
    connection.close()


@pytest.mark.skipif(os.name != "posix", reason="modes of folders")
def test_the_file_is_in_wal_mode(tmp_path: Path) -> None:
    Catalog.open(f"sqlite:///{tmp_path}/catalog.db").close()
    connection = sqlite3.connect(tmp_path / "catalog.db")
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    connection.close()
