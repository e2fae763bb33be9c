"""The operation that tells where tasks run, what they use, and who waits for what: offers (`compute`) met with the
tasks of the catalog."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from ..backends.clusters import LOCAL
from ..backends.looking import find_offers
from ..catalog import Catalog
from ..catalog.records import Run, TaskRun
from ..compute.offers import Offer
from ..events import TERMINAL, now
from ..pipelines import Plan
from ..resources import ResourceRequest
from ..settings import Settings
from ..words import iso
from ..workspace import Workspace
from .panel import Panel
from .present import resources_body
from .present_runs import planned_of

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
    """Each place for tasks, with what those that run there asked for. Raises `Unavailable`."""
    return [
        _unit(
            offer,
            [
                resources
                for task, resources in zip(running, asked_for, strict=True)
                if not offer.known_as or task.worker in offer.known_as
            ],
        )
        for offer in find_offers(settings.cluster, settings.clusters, places=settings.workers)
    ]


def _unit(offer: Offer, asked_for: Sequence[ResourceRequest]) -> dict[str, Any]:
    total, most = offer.total, offer.most
    return {
        "name": offer.name if offer.kind == "machine" else offer.label,
        "kind": "machine" if offer.kind == "machine" else "worker",
        "count": most * offer.places,
        "cpu": most * (total.cpu or offer.places),
        "memory_bytes": most * (total.memory or offer.memory_limit or 0),
        "gpu": most * (total.gpu or 0),
        "accelerator": total.accelerator,
        "in_use": {
            "tasks": len(asked_for),
            "cpu": round(sum(each.cpu or 0.0 for each in asked_for), 3),
            "memory_bytes": sum(each.memory or 0 for each in asked_for),
            "gpu": sum(each.gpu or 0 for each in asked_for),
            "load_percent": offer.load,
            "used_memory_bytes": offer.used_memory,
        },
    }


# --- tasks ----------------------------------------------------------------------------------------------


def _running(run: Run, task: TaskRun, resources: ResourceRequest) -> dict[str, Any]:
    return {
        "run_id": run.run_id,
        "pipeline": run.pipeline,
        "task": task.task,
        "resources": resources_body(resources),
        "worker": task.worker,
        "started_at": iso(task.started_at),
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
                "since": iso(run.created_at),
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
