"""The shapes of ``--json``. They are a contract: fields are added, never renamed or removed.

Moments are ISO 8601 in UTC, durations seconds; arguments, results and artifacts are as the catalog has them.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from ..catalog import owner
from ..catalog.records import Artifact, Attempt, Run, TaskRun
from ..words import lifetime


def moment(at: datetime | None) -> str | None:
    """ISO 8601, or null."""
    return at.isoformat() if at else None


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
        "created_at": moment(run.created_at),
        "started_at": moment(run.started_at),
        "finished_at": moment(run.finished_at),
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
        "started_at": moment(task.started_at),
        "finished_at": moment(task.finished_at),
        "duration_seconds": task.duration_seconds,
        "peak_memory_bytes": task.peak_memory_bytes,
    }


def attempt_body(attempt: Attempt) -> dict[str, Any]:
    """One try of a task run."""
    return {
        "attempt": attempt.attempt,
        "state": attempt.state,
        "worker": attempt.worker,
        "reason": attempt.reason,
        "error": dict(attempt.error) or None,
        "started_at": moment(attempt.started_at),
        "finished_at": moment(attempt.finished_at),
        "duration_seconds": attempt.duration_seconds,
        "peak_memory_bytes": attempt.peak_memory_bytes,
    }


def artifact_body(artifact: Artifact) -> dict[str, Any]:
    """An artifact."""
    return {
        "name": artifact.name,
        "reference": artifact.reference,
        "format": artifact.format,
        "size_bytes": artifact.size_bytes,
        "summary": dict(artifact.summary),
    }


def run_document(run: Run, tasks: Iterable[TaskRun]) -> dict[str, Any]:
    """What ``run``, ``resume``, ``rerun`` and ``show RUN`` print."""
    return {"run": run_body(run), "tasks": [task_body(task) for task in tasks]}
