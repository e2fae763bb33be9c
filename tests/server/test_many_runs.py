"""100,000 runs: lists are answered by indexes. The plan of the database is looked at, not the clock."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from jupyter_mlops.catalog import Catalog
from jupyter_mlops.catalog.records import Run, TaskRun
from jupyter_mlops.events import now
from jupyter_mlops.server import pipelines, runs
from jupyter_mlops.server.panel import Panel

from .conftest import check_answer, make_project

COUNT = 100_000
STATES = ("succeeded", "failed", "cancelled")


@pytest.fixture(scope="module")
def panel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Panel]:
    """A workspace with many runs: one is written by us, the others are copied from it in SQL."""
    root = make_project(tmp_path_factory.mktemp("many") / "project")
    made = Panel.of(root)
    moment = now() - timedelta(days=30)
    plan = {
        "version": 1,
        "pipeline": "small",
        "path": "",
        "arguments": {},
        "reuse": [],
        "force": [],
        "tasks": [],
        "padding": "x" * 3000,
    }
    with Catalog.open(f"sqlite:///{root / '.mlops' / 'catalog.db'}") as catalog:
        first = Run(
            run_id="r000000",
            pipeline="small",
            pipeline_path=str(root / "pipeline.yaml"),
            plan=plan,
            state="succeeded",
            user_name="root",
            created_at=moment,
            started_at=moment,
            finished_at=moment,
        )
        catalog.add(first, TaskRun(run_id="r000000", task="one", name="one", state="succeeded"))
    copy(root / ".mlops" / "catalog.db")
    yield made
    made.close()


def copy(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        numbers = f"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {COUNT - 1})"
        columns = [row[1] for row in connection.execute("PRAGMA table_info(runs)")]
        changed = {
            "run_id": "printf('r%06d', i)",
            "created_at": "created_at + i * 20000000",
            "state": "CASE i % 50 WHEN 0 THEN 'failed' ELSE 'succeeded' END",
            "pipeline": "CASE i % 10 WHEN 0 THEN 'other' ELSE 'small' END",
        }
        asked = ", ".join(changed.get(name, name) for name in columns)
        connection.execute(f"INSERT INTO runs {numbers} SELECT {asked} FROM runs, n WHERE run_id = 'r000000'")
        tasks = [row[1] for row in connection.execute("PRAGMA table_info(task_runs)")]
        asked = ", ".join("r.run_id" if name == "run_id" else f"t.{name}" for name in tasks)
        connection.execute(
            f"INSERT INTO task_runs SELECT {asked} FROM task_runs t, runs r"
            " WHERE r.run_id != 'r000000' AND t.run_id = 'r000000'"
        )
        connection.execute("ANALYZE")
    connection.close()


@pytest.fixture
def plans(panel: Panel) -> Iterator[list[str]]:
    """How SQLite answered each question that was asked meanwhile."""
    told: list[str] = []
    engine = panel.workspace.catalog._engine

    def explain(connection: Any, cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        if statement.lstrip().upper().startswith("SELECT"):
            beside = connection.connection.cursor()
            told.append(
                " | ".join(row[3] for row in beside.execute(f"EXPLAIN QUERY PLAN {statement}", parameters))
            )
            beside.close()

    sa.event.listen(engine, "before_cursor_execute", explain)
    yield told
    sa.event.remove(engine, "before_cursor_execute", explain)


def ask(panel: Panel, **asked: Any) -> dict[str, Any]:
    found = runs.list_page(
        panel, {"state": None, "pipeline": None, "search": None, "limit": 50, "offset": 0, **asked}
    )
    check_answer("get", "/api/runs", 200, found)
    return found


def is_indexed(plan: str) -> bool:
    """No table is read from end to end, and nothing is sorted; an index that holds all that is asked may be read."""
    parts = plan.split(" | ")
    return not any(
        part.startswith("SCAN") and "USING COVERING INDEX" not in part and "INDEX" not in part
        for part in parts
    )


@pytest.mark.parametrize(
    ("asked", "total"),
    [
        ({}, COUNT),
        ({"offset": 90_000}, COUNT),
        ({"state": "failed"}, COUNT // 50 - 1),
        ({"state": "failed,cancelled"}, COUNT // 50 - 1),
        ({"pipeline": "other"}, COUNT // 10 - 1),
        ({"pipeline": "other", "state": "failed"}, COUNT // 50 - 1),
        ({"search": "r0999"}, 100),
        ({"search": "OTHER failed"}, COUNT // 50 - 1),
        ({"search": "nothing at all"}, 0),
    ],
    ids=str,
)
def test_lists_are_answered_by_an_index(
    panel: Panel, plans: list[str], asked: dict[str, Any], total: int
) -> None:
    found = ask(panel, **asked)
    assert found["total"] == total
    assert len(found["items"]) == min(50, total)
    assert plans
    assert all(is_indexed(plan) for plan in plans), plans
    if "search" not in asked and "," not in asked.get("state", ""):
        assert not any("TEMP B-TREE FOR ORDER BY" in plan for plan in plans[:1]), plans[:1]


def test_a_search_reads_rows_only_for_its_page(panel: Panel, plans: list[str]) -> None:
    ask(panel, search="small", limit=10)
    assert "USING COVERING INDEX" in plans[0]


def test_tasks_are_counted_in_one_question(panel: Panel, plans: list[str]) -> None:
    found = ask(panel, limit=500)
    assert all(run["task_states"] == {"succeeded": 1} for run in found["items"])
    assert sum("task_runs" in plan for plan in plans) == 1
    assert len(plans) == 3


def test_the_last_run_of_each_pipeline_is_found_by_an_index(panel: Panel, plans: list[str]) -> None:
    found = pipelines.list_page(panel, {"search": None, "limit": 50, "offset": 0})
    assert found["items"][0]["last_run"]["run_id"] == "r099999"
    assert all(is_indexed(plan) for plan in plans), plans
