"""Runs that one process keeps and another one drives; and what is told of two runs, and of what took the time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from jupyter_mlops.catalog.records import Run, TaskRun
from jupyter_mlops.errors import Conflict, InvalidParameter, NotFound, PreflightFailed
from jupyter_mlops.runner import RunOptions
from jupyter_mlops.runner.comparing import compare_runs, pairs
from jupyter_mlops.runner.critical import critical_path

from .conftest import EMIT, Project

START = datetime(2026, 1, 1, tzinfo=UTC)


def task(name: str, start: float | None, end: float | None, state: str = "succeeded") -> TaskRun:
    def at(seconds: float | None) -> datetime | None:
        return None if seconds is None else START + timedelta(seconds=seconds)

    return TaskRun(run_id="r", task=name, name=name, state=state, started_at=at(start), finished_at=at(end))


@pytest.mark.parametrize(
    ("tasks", "path"),
    [
        ([], []),
        ([task("a", 0, 1), task("b", 1, 5), task("c", 1, 3), task("d", 5, 6)], ["a", "b", "d"]),
        ([task("a", 0, 9), task("b", 9, 10, "failed"), task("d", None, None, "upstream_failed")], ["a", "b"]),
        ([task("a", 0, 1), task("b", 1, None, "running"), task("c", 1, 3)], ["a", "b"]),
        ([task("a", 0, 0, "cached"), task("b", 0, 0, "cached")], []),
        ([task("a", None, None, "cached"), task("b", 0, 2), task("d", 2, 3)], ["b", "d"]),
        ([task("a", None, None, "queued")], []),
    ],
    ids=str,
)
def test_the_critical_path(tasks: list[TaskRun], path: list[str]) -> None:
    needs = {"b": ("a",), "c": ("a",), "d": ("b", "c")}
    assert critical_path(tasks, needs, START + timedelta(seconds=60)) == path


def test_values_of_two_sides() -> None:
    found = {
        pair.name: (pair.left, pair.right, pair.is_same)
        for pair in pairs({"a": 1, "b": None}, {"a": 1, "c": 2})
    }
    assert found == {"a": (1, 1, True), "b": (None, None, False), "c": (None, 2, False)}


PIPELINE = """\
name: queued
parameters: {n: 1}
tasks:
  one: {notebook: one.ipynb, parameters: {n: "${params.n}"}}
  two: {notebook: two.ipynb, parameters: {x: "${tasks.one.results.x}"}}
"""


@pytest.fixture
def queueing(project: Project) -> Project:
    project.notebook("one.ipynb", f"{EMIT}mlops.result('x', n * 2)", parameters="n: int = 1")
    project.notebook("two.ipynb", "print(x)\nassert x < 10", parameters="x: int = 0")
    project.pipeline(PIPELINE)
    return project


def test_a_kept_run_is_driven_by_whoever_resumes_it(queueing: Project) -> None:
    runs = queueing.runs
    kept = runs.record(queueing.root / "pipeline.yaml", {"n": "3"}, from_text=True)
    assert (kept.state, kept.runner, kept.started_at) == ("queued", "", None)
    assert not runs.is_driven(kept)
    assert queueing.done(kept.run_id).states == {"one": "queued", "two": "queued"}
    done = runs.resume(kept.run_id)
    assert done.state == "succeeded"
    assert done.started_at is not None
    assert done.started_at >= kept.created_at
    assert queueing.done(kept.run_id).tasks["one"].results == {"x": 6}
    with pytest.raises(Conflict, match="is over"):
        runs.resume(kept.run_id)


def test_what_is_wrong_is_told_before_a_run_is_kept(queueing: Project) -> None:
    path = queueing.root / "pipeline.yaml"
    with pytest.raises(InvalidParameter):
        queueing.runs.record(path, {"m": 1})
    with pytest.raises(NotFound):
        queueing.runs.record(path, options=RunOptions(only=("three",)))
    (queueing.root / "two.ipynb").unlink()
    with pytest.raises(PreflightFailed):
        queueing.runs.record(path)
    assert queueing.catalog.count(Run) == 0


def test_a_kept_run_can_be_cancelled_before_it_begins(queueing: Project) -> None:
    kept = queueing.runs.record(queueing.root / "pipeline.yaml")
    assert queueing.runs.request_cancel(kept.run_id).is_cancel_requested
    assert queueing.runs.cancel(kept.run_id).state == "cancelled"
    assert queueing.done(kept.run_id).attempts == []
    with pytest.raises(Conflict):
        queueing.runs.request_cancel(kept.run_id)


def test_a_kept_repetition_takes_what_was_done_well(queueing: Project) -> None:
    failed = queueing.run({"n": 6})
    assert failed.states == {"one": "succeeded", "two": "failed"}
    with pytest.raises(NotFound):
        queueing.runs.record_rerun("none")
    kept = queueing.runs.record_rerun(failed.run.run_id)
    with pytest.raises(Conflict):
        queueing.runs.record_rerun(kept.run_id)
    assert kept.rerun_of == failed.run.run_id
    queueing.runs.resume(kept.run_id)
    again = queueing.done(kept.run_id)
    assert again.states == {"one": "cached", "two": "failed"}
    assert again.tasks["one"].source_run_id == failed.run.run_id
    everything = queueing.runs.record_rerun(failed.run.run_id, is_failed_only=False)
    queueing.runs.resume(everything.run_id)
    assert queueing.done(everything.run_id).states == {"one": "succeeded", "two": "failed"}


def test_two_runs_side_by_side(queueing: Project) -> None:
    before, after = queueing.run({"n": 1}), queueing.run({"n": 2})
    ids = before.run.run_id, after.run.run_id
    found = compare_runs(queueing.catalog, queueing.blobs, *ids, "two")
    assert [(pair.name, pair.left, pair.right) for pair in found.arguments] == [("n", 1, 2)]
    one, two = found.tasks
    assert one.why == ("argument n: 1 → 2",)
    assert [(pair.left, pair.right) for pair in one.results] == [(2, 4)]
    assert not two.is_same_notebook
    assert found.notebook is not None
    assert [cell.outputs for cell in found.notebook.cells if cell.outputs] == [("- 2", "+ 4")]
    same = compare_runs(queueing.catalog, queueing.blobs, ids[0], ids[0])
    assert same.notebook is None
    assert all(pair.is_same_notebook and not pair.why for pair in same.tasks)
    with pytest.raises(NotFound, match="neither run has a task"):
        compare_runs(queueing.catalog, queueing.blobs, *ids, "three")
