"""``runs``, ``show``, ``logs`` and ``cancel``: what the catalog knows of runs."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from .. import words
from ..catalog import owner
from ..catalog.records import Artifact, Attempt, Run, TaskRun
from ..compute.usage import request_of, requests_of
from ..compute.utilization import cpu_utilization, flops_at_most, run_utilization, told_cpu, told_flops
from ..errors import InvalidInput, NotFound, did_you_mean
from ..events import TERMINAL, now
from ..resources import format_bytes
from ..runner.documents import artifact_body, attempt_body
from ..workspace import Workspace
from . import documents
from .group import PROGRAM, command
from .options import json_option, workspace_option
from .output import console, near, print_json, sign, state, table
from .summary import print_headline, tally

_STATES = ("queued", "running", "succeeded", "failed", "cancelled")


@command(
    name="runs",
    examples=[
        ("the last twenty", "jupyter mlops runs"),
        ("what failed in one pipeline", "jupyter mlops runs --pipeline flights --state failed"),
    ],
)
@click.option("--state", "states", multiple=True, type=click.Choice(_STATES), help="Only runs in this state.")
@click.option("--pipeline", "pipelines", multiple=True, metavar="NAME", help="Only runs of this pipeline.")
@click.option(
    "-n", "--limit", default=20, show_default=True, type=click.IntRange(min=1), help="At most so many."
)
@workspace_option
@json_option
def runs(
    states: Sequence[str], pipelines: Sequence[str], limit: int, workspace: Path | None, is_json: bool
) -> None:
    """List runs, the latest first."""
    where: dict[str, Any] = {}
    if states:
        where["state"] = list(states)
    if pipelines:
        where["pipeline"] = list(pipelines)
    with Workspace.open(workspace) as opened:
        found = opened.catalog.find(Run, where=where, order_by="-created_at", limit=limit, omit=["plan"])
        if is_json:
            print_json({"runs": [documents.run_body(run) for run in found]})
            return
        tasks: dict[str, list[TaskRun]] = {run.run_id: [] for run in found}
        for task in opened.catalog.find(TaskRun, where={"run_id": list(tasks)}) if found else ():
            tasks[task.run_id].append(task)
    if not found:
        click.echo("no runs" if where else "no runs yet: `jupyter mlops run` makes one", err=True)
        return
    moment = now()
    console().print(
        table(
            ["run", "pipeline", "state", "started", "took", "tasks", "arguments"],
            [
                (
                    Text(run.run_id, "bold"),
                    run.pipeline,
                    state(run.state),
                    words.ago(run.started_at or run.created_at, moment),
                    words.duration(words.lifetime(run.started_at, run.finished_at, moment)),
                    tally(tasks[run.run_id]),
                    words.mapping(run.arguments, 60),
                )
                for run in found
            ],
        )
    )


@command(
    name="show",
    examples=[
        ("the last run", "jupyter mlops show"),
        ("one task of it, its notebook included", "jupyter mlops show latest train"),
        ("a result in a script", "jupyter mlops show latest train --json | jq .task.results.auc"),
    ],
)
@click.argument("run_name", metavar="[RUN]", default="latest")
@click.argument("task_name", metavar="[TASK]", required=False)
@workspace_option
@json_option
def show(run_name: str, task_name: str | None, workspace: Path | None, is_json: bool) -> None:
    """Show a run, or one of its tasks: arguments, results, artifacts, errors.

    RUN is an id, the beginning of one, or `latest`.
    """
    with Workspace.open(workspace) as opened:
        run = opened.runs.resolve_run(run_name)
        tasks = opened.catalog.find(TaskRun, where={"run_id": run.run_id}, order_by="position")
        if task_name is None:
            if is_json:
                print_json(documents.run_document(run, tasks))
            else:
                _print_run(console(), run, tasks)
            return
        task = find_task(run, tasks, task_name)
        where = {"run_id": run.run_id, "task": task.task}
        attempts = opened.catalog.find(Attempt, where=where, order_by="attempt")
        artifacts = opened.catalog.find(Artifact, where=where, order_by="name")
        notebook = near(opened.runs.task_notebook(run.run_id, task.task)) if task.notebook else None
        flops = flops_at_most(task, opened.compute.measurements())
    if is_json:
        asked = request_of(task, requests_of(run.plan))
        where_to = None if notebook is None else str(notebook)
        body = {**documents.task_body(task, asked), "flops_at_most": flops, "notebook": where_to}
        print_json(
            {
                "run": documents.run_body(run),
                "task": body,
                "attempts": [attempt_body(attempt) for attempt in attempts],
                "artifacts": [artifact_body(artifact) for artifact in artifacts],
            }
        )
        return
    _print_task(console(), run, task, attempts, artifacts, notebook, flops)


@command(
    name="logs",
    examples=[
        ("everything the last run printed", "jupyter mlops logs"),
        ("one task, and what is still to come", "jupyter mlops logs latest train -f"),
    ],
)
@click.argument("run_name", metavar="[RUN]", default="latest")
@click.argument("task_name", metavar="[TASK]", required=False)
@click.option("-f", "--follow", "is_followed", is_flag=True, help="Go on until the run is over.")
@workspace_option
@json_option
def logs(
    run_name: str, task_name: str | None, is_followed: bool, workspace: Path | None, is_json: bool
) -> None:
    """Print what a run's notebooks printed.

    RUN is an id, the beginning of one, or `latest`.
    """
    if is_json and is_followed:
        raise InvalidInput("--json is one document, and --follow has no end", hint="leave one of them out")
    with Workspace.open(workspace) as opened:
        run = opened.runs.resolve_run(run_name)
        task = None
        if task_name is not None:
            tasks = opened.catalog.find(TaskRun, where={"run_id": run.run_id}, order_by="position")
            task = find_task(run, tasks, task_name).task
        lines = opened.runs.log(run.run_id, task, follow=is_followed)
        if is_json:
            print_json({"run_id": run.run_id, "task": task, "lines": list(lines)})
            return
        for line in lines:
            click.echo(line)
            if is_followed:
                sys.stdout.flush()


@command(
    name="cancel",
    examples=[("the run that goes on", "jupyter mlops cancel latest")],
)
@click.argument("run_name", metavar="RUN")
@workspace_option
@json_option
def cancel(run_name: str, workspace: Path | None, is_json: bool) -> None:
    """Stop a run, from any terminal.

    Running cells are interrupted, then their kernels ended; what finished is kept.
    """
    with Workspace.open(workspace) as opened:
        run = opened.runs.cancel(opened.runs.resolve_run(run_name).run_id)
    if is_json:
        print_json({"run": documents.run_body(run)})
    elif run.state in TERMINAL:
        console().print(state(run.state), Text(f"run {run.run_id}"), soft_wrap=True)
    else:
        click.echo(f"run {run.run_id} is asked to stop")


def find_task(run: Run, tasks: Sequence[TaskRun], name: str) -> TaskRun:
    """The task run of that key, or the only one of that name."""
    exact = [task for task in tasks if task.task == name]
    named = exact or [task for task in tasks if task.name == name]
    if len(named) == 1:
        return named[0]
    if named:
        keys = ", ".join(task.task for task in named[:8])
        raise InvalidInput(f"{name!r} stands for {len(named)} tasks of this run", hint=f"name one of {keys}")
    raise NotFound(
        f"run {run.run_id} has no task {name!r}", hint=did_you_mean(name, (task.task for task in tasks))
    )


# --- how they look --------------------------------------------------------------------------------------


def _print_run(out: Console, run: Run, tasks: Sequence[TaskRun]) -> None:
    moment = now()
    print_headline(out, run, tasks)
    facts = {
        "run": run.run_id,
        "arguments": words.mapping(run.arguments, 200),
        "started": words.ago(run.started_at or run.created_at, moment),
        "by": run.user_name,
        "CPU time": _told_run(tasks),
        "rerun of": run.rerun_of or "",
        "pipeline": run.pipeline_path,
    }
    if run.state not in TERMINAL and not owner.is_driven(run):
        gone = "waits for a process to drive it" if run.state == "queued" else "nobody drives it any more"
        out.print(Text.assemble((f"  {gone}", "yellow"), f"  {PROGRAM} resume {run.run_id}"), soft_wrap=True)
    _print_facts(out, facts)
    out.print()
    rows = []
    for task in tasks:
        seconds = task.duration_seconds or words.lifetime(task.started_at, task.finished_at, moment)
        memory = format_bytes(task.peak_memory_bytes) if task.peak_memory_bytes else ""
        rows.append(
            (
                Text(task.task, "bold"),
                state(task.state),
                words.duration(seconds),
                _busy(task),
                memory,
                _note(task),
            )
        )
    columns = ["task", "state", "took", "CPU", "memory", ""]
    out.print(Padding(table(columns, rows), (0, 0, 0, 2), expand=False))


def _busy(task: TaskRun) -> str:
    """How much of its CPUs it used."""
    part = cpu_utilization(task)
    return "" if part is None else f"{part:.0%} of {task.cpus:g}"


def _told_run(tasks: Sequence[TaskRun]) -> str:
    used = run_utilization(tasks)
    if used.cpu_seconds is None:
        return ""
    parts = [words.duration(used.cpu_seconds)]
    if used.cpu is not None:
        parts.append(f"{used.cpu:.0%} of what its tasks could use")
    if used.gpu is not None:
        parts.append(f"GPUs {used.gpu:.0%}")
    return ", ".join(parts)


def _note(task: TaskRun) -> Text:
    if task.error:
        return Text(words.error_line(task.error), "red")
    if task.state == "running" and task.cells:
        return Text(f"cell {task.cell}/{task.cells}", "blue")
    return Text(words.mapping(task.results, 120)) if task.results else Text(task.reason, "bright_black")


def _print_task(
    out: Console,
    run: Run,
    task: TaskRun,
    attempts: Sequence[Attempt],
    artifacts: Sequence[Artifact],
    notebook: Path | None,
    flops: Mapping[str, float],
) -> None:
    moment = now()
    seconds = task.duration_seconds or words.lifetime(task.started_at, task.finished_at, moment)
    took = f" in {words.duration(seconds)}" if seconds and task.state in TERMINAL else ""
    headline = Text.assemble(
        sign(task.state), " ", (task.task, "bold"), f" {task.state.replace('_', ' ')}{took}"
    )
    out.print(headline, soft_wrap=True)
    _print_facts(
        out,
        {
            "run": f"{run.run_id} of {run.pipeline}",
            "reason": task.reason,
            "executed in": f"run {task.source_run_id}" if task.source_run_id not in ("", run.run_id) else "",
            "CPU time": told_cpu(task),
            "FLOPS": f"{told_flops(flops)}, if its CPUs were as fast as in `compute bench`" if flops else "",
            "GPUs": "" if task.gpu_utilization is None else f"busy {task.gpu_utilization:.0%} of the time",
            "memory": _told_memory(task, request_of(task, requests_of(run.plan)).memory),
            "worker": task.worker,
            "notebook": "" if notebook is None else str(notebook),
        },
    )
    _print_values(out, "arguments", task.arguments)
    _print_values(out, "results", task.results)
    if artifacts:
        rows = [
            (
                Text(a.name, "bold"),
                a.format,
                format_bytes(a.size_bytes),
                words.mapping(a.summary, 60),
                a.reference,
            )
            for a in artifacts
        ]
        _print_section(out, "artifacts", table(["name", "format", "size", "holds", "reference"], rows))
    elif task.artifacts:
        _print_values(out, "artifacts", task.artifacts)
    if len(attempts) > 1:
        tries = [
            (
                str(a.attempt),
                state(a.state),
                words.duration(a.duration_seconds),
                words.error_line(a.error) or a.reason,
            )
            for a in attempts
        ]
        _print_section(out, "attempts", table(["", "state", "took", ""], tries))
    if task.error:
        out.print()
        out.print(
            Text.assemble(("error  ", "bright_black"), (str(task.error.get("message", "")), "red")),
            soft_wrap=True,
        )
        for line in words.traceback_tail(task.error):
            out.print(Text(f"  {line}", "bright_black"), soft_wrap=True)
        if task.error.get("hint"):
            out.print(Text.assemble(("hint: ", "cyan"), str(task.error["hint"])), soft_wrap=True)


def _told_memory(task: TaskRun, asked: int | None) -> str:
    if not task.peak_memory_bytes:
        return ""
    return format_bytes(task.peak_memory_bytes) + (f" of {format_bytes(asked)}" if asked else "")


def _print_facts(out: Console, facts: Mapping[str, str]) -> None:
    for name, value in facts.items():
        if value:
            out.print(Text.assemble((f"  {name:<12}", "bright_black"), value), soft_wrap=True)


def _print_values(out: Console, title: str, values: Mapping[str, Any]) -> None:
    if values:
        rows = [(Text(name, "bold"), words.value(value, 200)) for name, value in values.items()]
        _print_section(out, title, table(["name", "value"], rows))


def _print_section(out: Console, title: str, body: Any) -> None:
    out.print()
    out.print(Text(title, "bright_black"))
    body.show_header = False
    out.print(Padding(body, (0, 0, 0, 2), expand=False))
