"""The operations on one task of a run: all about it, its log, its executed notebook."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ..catalog.records import Artifact, Attempt, CacheEntry, Run, RunEvent, TaskRun
from ..compute.utilization import flops_at_most
from ..errors import InvalidNotebook, NotFound
from ..events import TERMINAL, now
from ..notebooks.files import load_notebook, parse_notebook
from ..pipelines import Plan, explain
from ..runner.critical import critical_path
from ..runner.documents import artifact_body
from ..runner.places import log_path, notebook_path
from ..workspace import Workspace
from .panel import Panel
from .present_runs import attempt_body, needs_of, planned_of, task_body

_MOST_LOG_BYTES = 2**20


def show(panel: Panel, asked: Mapping[str, Any]) -> dict[str, Any]:
    """`getTask`."""
    workspace = panel.workspace
    run, task = _found(workspace, asked)
    plan = Plan.from_json(run.plan)
    planned = planned_of(plan, task)
    siblings = workspace.catalog.find(
        TaskRun, where={"run_id": run.run_id}, omit=("arguments", "results", "artifacts", "error")
    )
    needs = needs_of(plan, siblings)
    where = {"run_id": run.run_id, "task": task.task}
    body = task_body(
        task, run, planned, panel.places,
        is_critical=task.task in critical_path(siblings, needs, now()),
        is_written=notebook_path(workspace.root, run.run_id, task.task).exists(),
    )  # fmt: skip
    attempts = workspace.catalog.find(Attempt, where=where, order_by="attempt")
    artifacts = workspace.catalog.find(Artifact, where=where, order_by="name")
    return {
        "run_id": run.run_id,
        "pipeline": run.pipeline,
        "task": body,
        "attempts": [attempt_body(each, panel.places) for each in attempts],
        "artifacts": [artifact_body(each) for each in artifacts],
        "flops_at_most": flops_at_most(task, workspace.compute.measurements()),
        "why": why(workspace, run, task),
        "view_url": view_url(panel, run.run_id, task.task) if body["has_notebook"] else None,
    }


def view_url(panel: Panel, run_id: str, task: str) -> str:
    """The page of an executed notebook."""
    return f"{panel.base_url}mlops/view/{quote(run_id, safe='')}/{quote(task, safe='')}"


def _found(workspace: Workspace, asked: Mapping[str, Any]) -> tuple[Run, TaskRun]:
    run = workspace.catalog.get(Run, asked["run_id"])
    return run, workspace.catalog.get(TaskRun, run.run_id, asked["task"])


def why(workspace: Workspace, run: Run, task: TaskRun) -> list[str]:
    """A sentence for each reason why the task ran, was cached or was skipped."""
    reasons = [task.reason] if task.reason else []
    if task.state == "cached":
        return reasons or [f"nothing changed since run {task.source_run_id}"]
    changed = _changed(workspace, run, task)
    if changed is not None:
        return [*reasons, *changed]
    where = {"run_id": run.run_id, "kind": "CacheMissed"}
    for event in workspace.catalog.find(RunEvent, where=where, order_by="seq"):
        if event.body.get("task") == task.task and event.body.get("reason"):
            reasons += str(event.body["reason"]).split("; ")
    return reasons


def _changed(workspace: Workspace, run: Run, task: TaskRun) -> list[str] | None:
    """What changed between this outcome and the one before it; None if this run left no outcome."""
    if not task.cache_key or task.state not in TERMINAL:
        return None
    own = workspace.catalog.find(
        CacheEntry, where={"cache_key": task.cache_key, "run_id": run.run_id}, limit=1
    )
    if not own:
        return None
    where = {"pipeline": run.pipeline, "task": task.task, "created_at": ("<", own[0].created_at)}
    before = workspace.catalog.find(CacheEntry, where=where, order_by="-created_at", limit=1)
    return explain(before[0].components, own[0].components) if before else ["it never ran before"]


# --- log ------------------------------------------------------------------------------------------------


def log(panel: Panel, asked: Mapping[str, Any]) -> dict[str, Any]:
    """`getTaskLog`."""
    workspace = panel.workspace
    run, task = _found(workspace, asked)
    attempt = asked["attempt"] or task.attempt
    if attempt > max(task.attempt, 1):
        raise NotFound(f"task {task.task} has no attempt {attempt}", hint=f"it has {task.attempt}")
    is_over = task.state in TERMINAL or attempt < task.attempt
    # Whether it is over was asked first: what is written until then is read now.
    text, offset, is_end = _piece(log_path(workspace.root, run.run_id, task.task, attempt), asked["offset"])
    return {"text": text, "offset": offset, "attempt": attempt, "is_complete": is_over and is_end}


def _piece(path: Path, offset: int) -> tuple[str, int, bool]:
    """Text from an offset on, where to go on, and whether that is the end."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            start = min(max(0, size + offset if offset < 0 else offset), size)
            file.seek(start)
            data = file.read(_MOST_LOG_BYTES)
    except OSError:
        return "", 0, True
    whole = len(data)
    if start + whole < size or whole:  # a character that is not written whole yet waits for the next time
        for cut in range(1, min(4, whole + 1)):
            first = data[whole - cut]
            if first >= 0xC0:
                length = 2 if first < 0xE0 else 3 if first < 0xF0 else 4
                whole -= cut if cut < length else 0
                break
            if first < 0x80:
                break
    return data[:whole].decode("utf-8", "replace"), start + whole, start + whole >= size


# --- notebook -------------------------------------------------------------------------------------------


def notebook(panel: Panel, asked: Mapping[str, Any]) -> dict[str, Any]:
    """`getTaskNotebook`."""
    workspace = panel.workspace
    run, task = _found(workspace, asked)
    return executed(workspace, run, task)


def executed(workspace: Workspace, run: Run, task: TaskRun) -> dict[str, Any]:
    """The executed notebook; of a running task what is written so far."""
    where = f"{task.task} of {run.run_id}"
    if task.notebook:
        return parse_notebook(workspace.blobs.read_bytes(task.notebook), where=where)
    path = notebook_path(workspace.root, run.run_id, task.task)
    try:
        return load_notebook(path)
    except (NotFound, InvalidNotebook):
        raise NotFound(f"{where} has no executed notebook", hint=f"it is {task.state}") from None
