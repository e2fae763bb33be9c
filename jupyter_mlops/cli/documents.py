"""The shapes of ``--json``. They are a contract: fields are added, never renamed or removed.

Moments are ISO 8601 in UTC, durations seconds; arguments, results and artifacts are as the catalog has them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..catalog import owner
from ..catalog.records import Run, TaskRun
from ..words import iso, lifetime


def run_body(run: Run) -> dict[str, Any]:
    """A run without its tasks."""
    return {
        "run_id": run.run_id,
        "pipeline": run.pipeline,
        "pipeline_path": run.pipeline_path,
        "state": run.state,
        "message": run.message,
        "arguments": dict(run.arguments),
        "user_name": run.user_name,
        "rerun_of": run.rerun_of,
        "is_driven": owner.is_driven(run),
        "created_at": iso(run.created_at),
        "started_at": iso(run.started_at),
        "finished_at": iso(run.finished_at),
        "duration_seconds": lifetime(run.started_at, run.finished_at, run.finished_at)
        if run.finished_at
        else None,
    }


def task_body(task: TaskRun) -> dict[str, Any]:
    """A task run."""
    return {
        "task": task.task,
        "name": task.name,
        "state": task.state,
        "attempt": task.attempt,
        "reason": task.reason,
        "source_run_id": task.source_run_id,
        "arguments": dict(task.arguments),
        "results": dict(task.results),
        "artifacts": dict(task.artifacts),
        "error": dict(task.error) or None,
        "worker": task.worker,
        "cell": task.cell,
        "cells": task.cells,
        "started_at": iso(task.started_at),
        "finished_at": iso(task.finished_at),
        "duration_seconds": task.duration_seconds,
        "peak_memory_bytes": task.peak_memory_bytes,
    }


def run_document(run: Run, tasks: Iterable[TaskRun]) -> dict[str, Any]:
    """What ``run``, ``resume``, ``rerun`` and ``show RUN`` print."""
    return {"run": run_body(run), "tasks": [task_body(task) for task in tasks]}
