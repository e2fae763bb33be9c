"""What an earlier version wrote is read by this one: each release's frozen project, on each engine.

`released/frozen.py` makes them and asks the questions. Beside it: what holds for any migration, shown by one that is
made up here: it keeps all rows, happens once whoever comes first, and if it fails leaves everything as it was.
"""

from __future__ import annotations

import dataclasses
import importlib.util
import json
import shutil
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from jupyter_mlops import Workspace, __version__
from jupyter_mlops.catalog import Catalog, Run, records, schema
from jupyter_mlops.errors import MlopsError

RELEASED = Path(__file__).parent / "released"
VERSIONS = sorted(path.name for path in RELEASED.iterdir() if (path / "told.json").is_file())
Restore = Callable[[str], Path]


def _module() -> Any:
    spec = importlib.util.spec_from_file_location("released_frozen", RELEASED / "frozen.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


FROZEN = _module()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def restore(request: pytest.FixtureRequest, tmp_path: Path) -> Restore:
    """The project of a released version as it was left, on each engine: its folder."""

    def restored(version: str) -> Path:
        folder = tmp_path / "project"
        shutil.copytree(RELEASED / version, folder)
        text = (folder / f"{request.param}.sql").read_text(encoding="utf-8")
        if request.param == "sqlite":
            (folder / ".mlops").mkdir()
            connection = sqlite3.connect(folder / ".mlops" / "catalog.db")
            connection.executescript(text)
            connection.close()
            return folder
        url = request.getfixturevalue("postgresql").fresh()
        engine = _engine(url)
        with engine.begin() as opened:
            opened.connection.cursor().execute(text)
        engine.dispose()
        settings = (folder / "mlops.toml").read_text(encoding="utf-8")
        (folder / "mlops.toml").write_text(f'catalog = "{url}"\n{settings}', encoding="utf-8")
        return folder

    return restored


def _engine(url: str) -> sa.Engine:
    return sa.create_engine(url.replace("postgresql:", "postgresql+psycopg:"))


def _url(folder: Path) -> str:
    with Workspace.open(folder) as workspace:
        return workspace.settings.catalog


@pytest.mark.parametrize("version", VERSIONS)
def test_a_project_of_each_release_is_read_as_before(
    version: str, restore: Restore, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = restore(version)
    monkeypatch.chdir(folder)
    expected = json.loads((folder / "told.json").read_text(encoding="utf-8"))
    with Workspace.open(folder) as workspace:
        told = json.loads(json.dumps(FROZEN.told(workspace)))
        if not told["predicted"]:  # a pickle of another Python: not tried
            told.pop("predicted"), expected.pop("predicted")
        assert {name: told.get(name) for name in expected} == expected
        for kind in records.RECORDS:  # whatever kind there was then can be read, field by field
            for record in workspace.catalog.find(kind):
                assert workspace.catalog.get(kind, *(getattr(record, name) for name in kind.KEY)) == record


def test_the_version_that_is_being_made_has_the_newest_schema() -> None:
    folder = RELEASED / ".".join(__version__.split(".")[:2])
    text = (folder / "sqlite.sql").read_text(encoding="utf-8")
    assert f"VALUES('{schema.HEAD}')" in text, "run: python tests/catalog/released/frozen.py"


def test_what_ran_before_utilization_was_measured_is_kept(
    restore: Restore, monkeypatch: pytest.MonkeyPatch
) -> None:
    from alembic import command

    folder = restore("0.1")
    monkeypatch.chdir(folder)
    kinds = (records.Attempt, records.TaskRun)

    def kept() -> list[list[records.Record]]:
        with Workspace.open(folder) as workspace:
            return [workspace.catalog.find(kind, order_by=kind.KEY) for kind in kinds]

    before = kept()
    engine = _engine(_url(folder))
    with engine.begin() as connection:
        config = schema._config()
        config.attributes["connection"] = connection
        command.downgrade(config, "0007")
    engine.dispose()
    unknown = {"cpu_seconds": None, "cpus": None, "gpu_utilization": None}
    assert kept() == [[dataclasses.replace(one, **unknown) for one in group] for group in before]
    assert any(one.cpu_seconds is not None for one in before[0])


@pytest.mark.parametrize("version", VERSIONS)
def test_both_engines_were_left_the_same(version: str) -> None:
    def rows(engine: str) -> dict[str, int]:
        lines = (RELEASED / version / f"{engine}.sql").read_text(encoding="utf-8").splitlines()
        tables = [line.split()[2].strip('"') for line in lines if line.startswith("INSERT INTO")]
        return {name: tables.count(name) for name in set(tables) - {"sqlite_sequence"}}

    assert rows("sqlite") == rows("postgresql")
    assert len(rows("sqlite")) > 20


NEXT = """
import sqlalchemy as sa
from alembic import op

revision = "9000"
down_revision = "{head}"


def upgrade() -> None:
    op.add_column("runs", sa.Column("mood", sa.Text(), nullable=False, server_default="fair"))
    op.create_index("ix_runs_mood", "runs", ["mood"])
    {more}
"""


@pytest.fixture
def next_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Let this be a version with one more migration."""

    def write(more: str = "pass") -> None:
        folder = tmp_path / "migrations"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(_MIGRATIONS, folder, ignore=shutil.ignore_patterns("__pycache__"))
        (folder / "versions" / "r9000.py").write_text(NEXT.format(head=_HEAD, more=more), encoding="utf-8")
        monkeypatch.setattr(schema, "MIGRATIONS", folder)
        monkeypatch.setattr(schema, "HEAD", "9000")

    return write


_MIGRATIONS, _HEAD = schema.MIGRATIONS, schema.HEAD


def test_a_migration_keeps_all_rows_and_happens_once(
    restore: Restore, next_version: Callable[..., None]
) -> None:
    url = _url(restore(VERSIONS[-1]))
    with Catalog.open(url) as catalog:
        before = catalog.find(Run)
    next_version()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: Catalog.open(url).close(), range(4)))
    with Catalog.open(url) as catalog:
        assert catalog.find(Run) == before
    engine = _engine(url)
    with engine.connect() as connection:
        assert schema.revision_of(connection) == "9000"
        moods = connection.exec_driver_sql("SELECT mood FROM runs").scalars().all()
    engine.dispose()
    assert moods == ["fair"] * len(before)


def test_a_migration_that_fails_leaves_everything_as_it_was(
    restore: Restore, next_version: Callable[..., None]
) -> None:
    url = _url(restore(VERSIONS[-1]))
    next_version('op.execute("SELECT no_such_column FROM runs")')
    with pytest.raises(MlopsError):
        Catalog.open(url)
    engine = _engine(url)
    with engine.connect() as connection:
        assert schema.revision_of(connection) == _HEAD
        assert "mood" not in {column["name"] for column in sa.inspect(connection).get_columns("runs")}
    engine.dispose()
    next_version()  # the mended one
    Catalog.open(url).close()
