"""Runs that one process keeps and another one drives; and what is told of two runs, and of what took the time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

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
    found = {pair.name: (pair.left, pair.right, pair.is_same) for pair in pairs({"a": 1, "b": None}, {"a": 1, "c": 2})}
    assert found == {"a": (1, 1, True), "b": (None, None, False), "c": (None, 2, False)}


@pytest.fixture
def project(make_project: Any) -> Project:
    made: Project = make_project()
    made.notebook("one.ipynb", f"{EMIT}mlops.result('x', n * 2)", parameters="n: int = 1")
    made.notebook("two.ipynb", "assert x < 10", parameters="x: int = 0")
    return made


PIPELINE = """\
name: queued
parameters: {n: 1}
tasks:
  one: {notebook: one.ipynb, parameters: {n: "${params.n}"}}
  two: {notebook: two.ipynb, parameters: {x: "${tasks.one.results.x}"}}
"""
