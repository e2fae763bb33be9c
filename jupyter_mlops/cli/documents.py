"""The shapes of ``--json``. They are a contract: fields are added, never renamed or removed.

Moments are ISO 8601 in UTC, durations seconds; arguments, results and artifacts are as the catalog has them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ..catalog import owner
from ..catalog.records import Run, TaskRun
from ..compute.usage import request_of, requests_of
from ..compute.utilization import cpu_utilization, memory_utilization, run_utilization
from ..resources import ResourceRequest
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


def task_body(task: TaskRun, asked: ResourceRequest) -> dict[str, Any]:
    """A task run, which asked for so much."""
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
        "cpu_seconds": task.cpu_seconds,
        "cpus": task.cpus,
        "cpu_utilization": cpu_utilization(task),
        "memory_utilization": memory_utilization(task, asked),
        "gpu_utilization": task.gpu_utilization,
    }


def run_document(run: Run, tasks: Iterable[TaskRun]) -> dict[str, Any]:
    """What ``run``, ``resume``, ``rerun`` and ``show RUN`` print."""
    known, asked = list(tasks), requests_of(run.plan)
    return {
        "run": {**run_body(run), **run_utilization(known).to_json()},
        "tasks": [task_body(task, request_of(task, asked)) for task in known],
    }
