"""JSON of runs and their tasks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from ..catalog import Catalog
from ..catalog.records import Attempt, Run, TaskRun
from ..compute.utilization import cpu_utilization, memory_utilization
from ..events import TERMINAL, now
from ..pipelines import Plan, PlannedTask
from ..runner import documents
from ..runner.comparing import Pair, RunComparison, TaskPair
from ..words import iso
from ..workspace import Workspace
from .places import Places

_DID_NOT_RUN = ("queued", "cached", "skipped", "upstream_failed")


def summaries(workspace: Workspace, places: Places, runs: Sequence[Run]) -> list[dict[str, Any]]:
    """`RunSummary` of each, with its tasks counted in one question."""
    counts = task_states(workspace.catalog, [run.run_id for run in runs])
    return [summary(workspace, places, run, counts.get(run.run_id, {})) for run in runs]


def task_states(catalog: Catalog, run_ids: Sequence[str]) -> dict[str, dict[str, int]]:
    """Run → state → how many tasks."""
    counts: dict[str, dict[str, int]] = {}
    if run_ids:
        found = catalog.count_by(TaskRun, ("run_id", "state"), where={"run_id": list(run_ids)})
        for (run_id, state), count in found.items():
            counts.setdefault(run_id, {})[state] = count
    return counts


def summary(workspace: Workspace, places: Places, run: Run, states: Mapping[str, int]) -> dict[str, Any]:
    """`RunSummary`."""
    is_over = run.state in TERMINAL
    return {
        "run_id": run.run_id,
        "pipeline": run.pipeline,
        "pipeline_path": places.relative(run.pipeline_path),
        "state": run.state,
        "message": places.shown(run.message),
        "user_name": run.user_name,
        "created_at": iso(run.created_at),
        "started_at": iso(run.started_at),
        "finished_at": iso(run.finished_at),
        "duration_seconds": _lifetime(run.started_at, run.finished_at),
        "task_states": dict(states),
        "is_driven": not is_over and workspace.runs.is_driven(run),
        "is_cancel_requested": run.is_cancel_requested,
        "rerun_of": run.rerun_of,
    }


def _lifetime(start: datetime | None, end: datetime | None) -> float | None:
    return None if start is None else max(0.0, ((end or now()) - start).total_seconds())


def task_body(
    task: TaskRun,
    run: Run,
    planned: PlannedTask | None,
    places: Places,
    *,
    is_critical: bool,
    is_written: bool,
) -> dict[str, Any]:
    """`TaskRun`. It `is_written` if its executed notebook lies in the run's folder, whole or as far as it came."""
    folder = Path(run.pipeline_path).parent if run.pipeline_path else None
    source = folder / planned.notebook if folder and planned else None
    is_going = task.state == "running"
    duration = _lifetime(task.started_at, None) if is_going else task.duration_seconds
    return {
        "task": task.task,
        "name": task.name,
        "position": task.position,
        "state": task.state,
        "attempt": task.attempt,
        "reason": places.shown(task.reason),
        "source_run_id": task.source_run_id or None,
        "arguments": dict(task.arguments),
        "results": dict(task.results),
        "artifacts": dict(task.artifacts),
        "has_notebook": bool(task.notebook) or is_written,
        "error": error_body(task.error, places),
        "worker": task.worker,
        "cell": task.cell,
        "cells": task.cells,
        "started_at": iso(task.started_at),
        "finished_at": iso(task.finished_at),
        "duration_seconds": None if task.state in _DID_NOT_RUN or task.started_at is None else duration,
        "peak_memory_bytes": task.peak_memory_bytes or None,
        "cpu_seconds": task.cpu_seconds,
        "cpus": task.cpus,
        "cpu_utilization": cpu_utilization(task),
        "memory_utilization": memory_utilization(task, planned.resources) if planned else None,
        "gpu_utilization": task.gpu_utilization,
        "notebook_path": places.relative(source) if source else None,
        "upstream": list(planned.needs) if planned else [],
        "is_critical": is_critical,
    }


def planned_of(plan: Plan, task: TaskRun) -> PlannedTask | None:
    """The planned task; for an instance of a mapped one, its group."""
    return plan.tasks.get(task.task) or plan.tasks.get(task.name)


def needs_of(plan: Plan, tasks: Iterable[TaskRun]) -> dict[str, Sequence[str]]:
    """Task → the tasks before it."""
    return {task.task: planned.needs if (planned := planned_of(plan, task)) else () for task in tasks}


def error_body(error: Mapping[str, Any], places: Places) -> dict[str, Any] | None:
    """`TaskError`."""
    if not error:
        return None
    traceback = error.get("traceback", "")
    cell = error.get("cell")
    return {
        "code": str(error.get("code", "error")),
        "message": places.shown(str(error.get("message", ""))),
        "hint": places.shown(str(error.get("hint", ""))),
        "name": str(error.get("ename", "")),
        "cell": cell + 1 if isinstance(cell, int) else None,
        "traceback": "\n".join(map(str, traceback)) if isinstance(traceback, list) else str(traceback or ""),
    }


def attempt_body(attempt: Attempt, places: Places) -> dict[str, Any]:
    """`Attempt`."""
    told = {"reason": places.shown(attempt.reason), "error": error_body(attempt.error, places)}
    return {**documents.attempt_body(attempt), **told}


# --- comparisons ----------------------------------------------------------------------------------------


def comparison_body(
    found: RunComparison, heads: Sequence[Mapping[str, Any]], task: str | None
) -> dict[str, Any]:
    """`RunComparison`; `heads` are the summaries of both runs."""
    notebook = None
    if found.notebook is not None:
        cells = [
            {
                "kind": cell.kind,
                "cell_type": cell.cell_type,
                "left": cell.before,
                "right": cell.after,
                "source": list(cell.source),
                "outputs": list(cell.outputs),
            }
            for cell in found.notebook.cells
        ]
        notebook = {"task": task, "cells": cells}
    return {
        "left": heads[0],
        "right": heads[1],
        "arguments": _pairs(found.arguments),
        "tasks": [_task_pair(pair) for pair in found.tasks],
        "notebook": notebook,
    }


def _pairs(pairs: Iterable[Pair]) -> list[dict[str, Any]]:
    return [
        {"name": pair.name, "left": pair.left, "right": pair.right, "is_same": pair.is_same} for pair in pairs
    ]


def _task_pair(pair: TaskPair) -> dict[str, Any]:
    def seconds(side: TaskRun | None) -> float | None:
        is_executed = side is not None and side.started_at is not None and side.state not in _DID_NOT_RUN
        return side.duration_seconds if side is not None and is_executed else None

    return {
        "task": pair.task,
        "left_state": pair.left.state if pair.left else None,
        "right_state": pair.right.state if pair.right else None,
        "left_seconds": seconds(pair.left),
        "right_seconds": seconds(pair.right),
        "arguments": _pairs(pair.arguments),
        "results": _pairs(pair.results),
        "artifacts": _pairs(pair.artifacts),
        "is_same_notebook": pair.is_same_notebook,
        "why": list(pair.why),
    }
