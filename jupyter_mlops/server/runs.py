"""The operations on runs. Starting one is: check it here, keep it, and let a process of its own drive it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..catalog.records import Run, TaskRun
from ..compute.utilization import run_utilization
from ..errors import Conflict, InvalidInput, NotFound, did_you_mean
from ..events import TERMINAL, now
from ..notebooks.files import load_notebook
from ..notebooks.parameters import bind, read_parameters
from ..notebooks.secrets import SecretReference
from ..pipelines import Plan
from ..pipelines.single import notebook_pipeline
from ..runner import RunOptions
from ..runner.comparing import compare_runs
from ..runner.critical import critical_path
from ..runner.places import file_name, run_folder
from . import files
from .graphs import plan_graph
from .panel import Panel
from .present import page
from .present_runs import comparison_body, needs_of, planned_of, summaries, task_body

_STATES = ("queued", "running", "succeeded", "failed", "cancelled")
_SEARCHED = ("run_id", "pipeline", "state", "user_name")


def list_page(panel: Panel, asked: Mapping[str, Any]) -> dict[str, Any]:
    """`listRuns`."""
    catalog = panel.workspace.catalog
    where: dict[str, Any] = {}
    if asked["state"]:
        states = [state for state in asked["state"].split(",") if state]
        for state in states:
            if state not in _STATES:
                hint = did_you_mean(state, _STATES)
                raise InvalidInput(f"no run is ever {state!r}", hint=hint)
        where["state"] = states
    if asked["pipeline"]:
        where["pipeline"] = asked["pipeline"]
    search = (asked["search"], _SEARCHED) if (asked["search"] or "").strip() else None
    limit, offset = asked["limit"], asked["offset"]
    found = catalog.find(
        Run, where=where, order_by="-created_at", limit=limit, offset=offset, search=search, omit=("plan",)
    )
    total = catalog.count(Run, where=where, search=search)
    return page(summaries(panel.workspace, panel.places, found), total, limit, offset)


def start(panel: Panel, asked: Mapping[str, Any]) -> dict[str, Any]:
    """`startRun`."""
    path = panel.places.inside(asked["path"], *files.SUFFIXES)
    files.read_text(path, asked["path"])  # it is there, and says so in the words of a client
    run = panel.made_workspace.runs.record(
        path, asked["arguments"] or {}, options=_options(asked["options"] or {}), from_text=True,
        user_name=asked["user_name"],
    )  # fmt: skip
    return _driven(panel, run)


def _options(given: Mapping[str, Any]) -> RunOptions:
    force = given.get("force", ())
    return RunOptions(
        force="all" if force == "all" else frozenset(force),
        only=tuple(given.get("only", ())),
        start_from=tuple(given.get("start_from", ())),
        queue=given.get("queue"),
        priority=given.get("priority", 0),
        is_preemptible=given.get("is_preemptible", False),
    )


def start_notebook(panel: Panel, asked: Mapping[str, Any]) -> dict[str, Any]:
    """`runNotebook`: a pipeline of one task, built here."""
    path = panel.places.inside(asked["path"], ".ipynb")
    notebook = _notebook(path, asked["path"])
    given: dict[str, Any] = asked["arguments"] or {}
    texts = [name for name, value in given.items() if isinstance(value, str)]
    bound = bind(read_parameters(notebook, where=asked["path"]), given, from_text=texts, where=asked["path"])
    arguments = {
        name: str(bound[name]) if isinstance(bound[name], SecretReference) else bound[name] for name in given
    }
    workspace = panel.made_workspace
    relative = Path(os.path.relpath(path, workspace.root)).as_posix()
    run = workspace.runs.record(
        notebook_pipeline(relative, arguments), arguments, options=_options(asked["options"] or {}),
        user_name=asked["user_name"],
    )  # fmt: skip
    return _driven(panel, run)


def _notebook(path: Path, shown: str) -> Mapping[str, Any]:
    try:
        return load_notebook(path)
    except NotFound:
        raise NotFound(f"there is no notebook {shown!r}") from None


def _driven(panel: Panel, run: Run) -> dict[str, Any]:
    panel.drivers.start("resume", run.run_id)
    return _summary(panel, run.run_id)


def _summary(panel: Panel, run_id: str) -> dict[str, Any]:
    workspace = panel.workspace
    return summaries(workspace, panel.places, [workspace.catalog.get(Run, run_id)])[0]


def show(panel: Panel, asked: Mapping[str, Any]) -> dict[str, Any]:
    """`getRun`."""
    seq = panel.seq  # first: what changes from now on rings after it
    workspace, places = panel.workspace, panel.places
    run = workspace.catalog.get(Run, asked["run_id"])
    tasks = workspace.catalog.find(TaskRun, where={"run_id": run.run_id}, order_by="position")
    plan = Plan.from_json(run.plan)
    planned = {task.task: planned_of(plan, task) for task in tasks}
    path = critical_path(tasks, needs_of(plan, tasks), now())
    written = _written(workspace.root, run.run_id)
    bodies = [
        task_body(
            task, run, planned[task.task], places,
            is_critical=task.task in path, is_written=file_name(task.task) in written,
        )
        for task in tasks
    ]  # fmt: skip
    return {
        **summaries(workspace, places, [run])[0],
        "arguments": dict(run.arguments),
        "options": dict(run.options),
        **run_utilization(tasks).to_json(),
        "tasks": bodies,
        "graph": plan_graph(plan.tasks, asked["direction"]),
        "critical_path": path,
        "seq": seq,
        "server_id": panel.server_id,
    }


def _written(root: Path, run_id: str) -> set[str]:
    """The notebooks in a run's folder, by the names that their tasks have there."""
    folder = run_folder(root, run_id)
    return {path.stem for path in folder.glob("*.ipynb")} if folder.is_dir() else set()


def cancel(panel: Panel, asked: Mapping[str, Any]) -> dict[str, Any]:
    """`cancelRun`: its runner hears of it; one without a runner gets one that ends it."""
    run = panel.workspace.runs.request_cancel(asked["run_id"])
    if not panel.workspace.runs.is_driven(run):
        panel.drivers.start("cancel", run.run_id)
    return _summary(panel, run.run_id)


def resume(panel: Panel, asked: Mapping[str, Any]) -> dict[str, Any]:
    """`resumeRun`."""
    workspace = panel.workspace
    run = workspace.catalog.get(Run, asked["run_id"])
    if run.state in TERMINAL:
        raise Conflict(f"run {run.run_id} is over, it is {run.state}", hint="repeat it instead")
    if workspace.runs.is_driven(run):
        raise Conflict(f"run {run.run_id} is being driven", hint="nothing needs to be done")
    panel.drivers.start("resume", run.run_id)
    return _summary(panel, run.run_id)


def rerun(panel: Panel, asked: Mapping[str, Any]) -> dict[str, Any]:
    """`rerunRun`."""
    run = panel.workspace.runs.record_rerun(
        asked["run_id"], is_failed_only=asked["from_failed"], user_name=asked["user_name"]
    )
    return _driven(panel, run)


def compare(panel: Panel, asked: Mapping[str, Any]) -> dict[str, Any]:
    """`compareRuns`."""
    workspace = panel.workspace
    found = compare_runs(
        workspace.catalog, workspace.blobs, asked["left"], asked["right"], asked["task"] or None
    )
    heads = summaries(workspace, panel.places, [found.left, found.right])
    return comparison_body(found, heads, asked["task"])
