"""The operation that tells where tasks run, what they use, and who waits for what."""

from __future__ import annotations

import socket
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from ..backends import machine_resources
from ..backends.clusters import LOCAL, ClusterSpec, RunningCluster, find_cluster
from ..catalog import Catalog
from ..catalog.records import Run, TaskRun
from ..errors import Unavailable
from ..events import TERMINAL, now
from ..pipelines import Plan
from ..resources import ResourceRequest
from ..settings import Settings
from ..workspace import Workspace
from .panel import Panel
from .present import moment, resources_body
from .present_runs import planned_of

_DASK_SECONDS = 3.0
_MEASURE_SECONDS = 0.1
_MOST_WAITING = 500
_BODY = ("arguments", "results", "artifacts", "error")


def show(panel: Panel, asked: Mapping[str, Any]) -> dict[str, Any]:
    """`getCompute`."""
    workspace, settings = panel.workspace, panel.settings
    runs = {
        run.run_id: run
        for run in workspace.catalog.find(Run, where={"state": ["queued", "running"]}, omit=("arguments",))
    }
    plans = {run_id: Plan.from_json(run.plan) for run_id, run in runs.items()}
    live = {run_id for run_id, run in runs.items() if workspace.runs.is_driven(run)}
    running = [task for task in _tasks(workspace.catalog, "running", runs) if task.run_id in live]
    asked_for = [_resources(plans[task.run_id], task) for task in running]
    return {
        "backend": settings.cluster,
        "units": _units(settings, running, asked_for),
        "running": [
            _running(runs[task.run_id], task, resources)
            for task, resources in zip(running, asked_for, strict=True)
        ],
        "waiting": _waiting(workspace, settings, runs, plans, live, len(running)),
    }


def _tasks(catalog: Catalog, state: str, runs: Mapping[str, Run]) -> list[TaskRun]:
    if not runs:
        return []
    where = {"state": state, "run_id": list(runs)}
    return catalog.find(
        TaskRun, where=where, order_by=("run_id", "position"), limit=_MOST_WAITING, omit=_BODY
    )


def _resources(plan: Plan, task: TaskRun) -> ResourceRequest:
    planned = planned_of(plan, task)
    return planned.resources if planned else ResourceRequest()


# --- units ----------------------------------------------------------------------------------------------


def _units(
    settings: Settings, running: Sequence[TaskRun], asked_for: Sequence[ResourceRequest]
) -> list[dict[str, Any]]:
    if settings.cluster == LOCAL:
        return [_this_machine(settings, asked_for)]
    spec = find_cluster(settings.cluster, settings.clusters)
    return _workers(spec, running, asked_for) if spec.is_address else [_to_be_started(spec, asked_for)]


def _this_machine(settings: Settings, asked_for: Sequence[ResourceRequest]) -> dict[str, Any]:
    import psutil

    offer = machine_resources()
    measured = {
        "load_percent": psutil.cpu_percent(interval=_MEASURE_SECONDS),
        "used_memory_bytes": int(psutil.virtual_memory().total - psutil.virtual_memory().available),
    }
    return {
        "name": socket.gethostname(),
        "kind": "machine",
        "count": settings.workers,
        "cpu": offer.cpu,
        "memory_bytes": offer.memory,
        "gpu": offer.gpu or 0,
        "accelerator": offer.accelerator,
        "in_use": {**_in_use(asked_for), **measured},
    }


def _in_use(asked_for: Sequence[ResourceRequest]) -> dict[str, Any]:
    return {
        "tasks": len(asked_for),
        "cpu": round(sum(each.cpu or 0.0 for each in asked_for), 3),
        "memory_bytes": sum(each.memory or 0 for each in asked_for),
        "gpu": sum(each.gpu or 0 for each in asked_for),
    }


def _to_be_started(spec: ClusterSpec, asked_for: Sequence[ResourceRequest]) -> dict[str, Any]:
    """A cluster that each run starts for itself: what it may grow to."""
    most = spec.maximum
    return {
        "name": f"{spec.name} ({spec.type})",
        "kind": "worker",
        "count": most * spec.tasks,
        "cpu": most * (spec.worker.cpu or spec.tasks),
        "memory_bytes": most * (spec.worker.memory or 0),
        "gpu": most * (spec.worker.gpu or 0),
        "accelerator": spec.worker.accelerator,
        "in_use": {**_in_use(asked_for), "load_percent": None, "used_memory_bytes": None},
    }


def _workers(
    spec: ClusterSpec, running: Sequence[TaskRun], asked_for: Sequence[ResourceRequest]
) -> list[dict[str, Any]]:
    """The workers of a dask cluster, as its scheduler knows them. Raises `Unavailable`."""
    address = spec.address
    try:
        with RunningCluster(spec).client(_DASK_SECONDS) as client:
            workers = client.scheduler_info(n_workers=-1)["workers"]
    except (OSError, ValueError, TypeError) as error:
        raise Unavailable(
            f"the dask scheduler at {address} does not answer",
            hint="is it running? see the setting `cluster`",
        ) from error
    units = []
    for name, each in workers.items():
        own = [
            resources
            for task, resources in zip(running, asked_for, strict=True)
            if task.worker in (name, str(each.get("name")))
        ]
        metrics, offered = each.get("metrics", {}), each.get("resources", {})
        units.append(
            {
                "name": str(each.get("name") or name),
                "kind": "worker",
                "count": int(each.get("nthreads", 1)),
                "cpu": float(offered.get("cpu", each.get("nthreads", 1))),
                "memory_bytes": int(offered.get("memory", each.get("memory_limit") or 0)),
                "gpu": int(offered.get("gpu", 0)),
                "accelerator": None,
                "in_use": {
                    **_in_use(own),
                    "load_percent": metrics.get("cpu"),
                    "used_memory_bytes": int(metrics["memory"]) if "memory" in metrics else None,
                },
            }
        )
    return units


# --- tasks ----------------------------------------------------------------------------------------------


def _running(run: Run, task: TaskRun, resources: ResourceRequest) -> dict[str, Any]:
    return {
        "run_id": run.run_id,
        "pipeline": run.pipeline,
        "task": task.task,
        "resources": resources_body(resources),
        "worker": task.worker,
        "started_at": moment(task.started_at),
        "duration_seconds": _since(task.started_at),
        "cell": task.cell,
        "cells": task.cells,
        "user_name": run.user_name,
    }


def _since(start: datetime | None) -> float:
    return max(0.0, (now() - start).total_seconds()) if start else 0.0


def _waiting(
    workspace: Workspace, settings: Settings, runs: Mapping[str, Run], plans: Mapping[str, Plan],
    live: set[str], running: int,
) -> list[dict[str, Any]]:  # fmt: skip
    tasks = _tasks(workspace.catalog, "queued", runs)
    over: dict[str, set[str]] = {run_id: set() for run_id in runs}
    if tasks:
        where = {"run_id": list({task.run_id for task in tasks}), "state": list(TERMINAL)}
        for done in workspace.catalog.find(TaskRun, where=where, omit=_BODY):
            over[done.run_id].add(done.task)
    waiting = []
    for task in tasks:
        run, plan = runs[task.run_id], plans[task.run_id]
        planned = planned_of(plan, task)
        ahead = [need for need in (planned.needs if planned else ()) if need not in over[task.run_id]]
        waiting.append(
            {
                "run_id": run.run_id,
                "pipeline": run.pipeline,
                "task": task.task,
                "resources": resources_body(_resources(plan, task)),
                "why": _why(task, ahead, settings, is_driven=task.run_id in live, running=running),
                "since": moment(run.created_at),
                "user_name": run.user_name,
            }
        )
    return waiting


def _why(task: TaskRun, ahead: Sequence[str], settings: Settings, *, is_driven: bool, running: int) -> str:
    if not is_driven:
        return "nobody drives its run"
    if ahead:
        more = f" and {len(ahead) - 3} more" if len(ahead) > 3 else ""
        return f"waits for {', '.join(ahead[:3])}{more}"
    if task.reason:
        return task.reason
    if settings.cluster == LOCAL and running >= settings.workers:
        return (
            f"all {settings.workers} places are taken" if settings.workers > 1 else "the only place is taken"
        )
    return "waits for a worker that has room"
