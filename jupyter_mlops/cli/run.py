"""``run``, ``resume`` and ``rerun``: a run from its beginning, from where it was cut off, of what failed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import click

from ..catalog.records import Run, TaskRun
from ..errors import InvalidInput
from ..runner import RunOptions
from ..runner.launch import Drivers
from ..workspace import Workspace
from . import documents
from .group import PROGRAM, command
from .live import EventLines, Watcher, watcher
from .options import (
    arguments_options,
    find_pipeline,
    gather_arguments,
    json_option,
    pipeline_argument,
    workspace_option,
)
from .output import console, near, print_json
from .summary import print_summary

_EXIT = {"succeeded": 0, "cancelled": 130}
_ALL = "*"
_MOST_NOTEBOOKS = 50  # written out at the end of a run; the others on demand


def events_option(function: Callable[..., None]) -> Callable[..., None]:
    """``--json-events`` → `is_json_events`."""
    return click.option(
        "--json-events",
        "is_json_events",
        is_flag=True,
        help="Print each event as a line of JSON, as it happens.",
    )(function)


@command(
    name="run",
    examples=[
        ("the pipeline in this directory", "jupyter mlops run"),
        ("with arguments", "jupyter mlops run pipeline.yaml -p week 21 -f params.yaml"),
        (
            "one task and all after it, whatever the cache says",
            "jupyter mlops run --from train --force train",
        ),
        (
            "at a lower priority than others, where quotas are set",
            "jupyter mlops run --priority -5 --preemptible",
        ),
        ("on a dask cluster", "jupyter mlops run --cluster tcp://scheduler:8786"),
    ],
)
@pipeline_argument
@arguments_options
@click.option(
    "--force",
    "forced",
    multiple=True,
    is_flag=False,
    flag_value=_ALL,
    metavar="[TASK]",
    help="Run TASK (without a name: every task) even if the cache has it.",
)
@click.option(
    "--from", "start_from", multiple=True, metavar="TASK", help="Run TASK and all that depends on it."
)
@click.option(
    "--only", multiple=True, metavar="TASK", help="Run TASK alone; what it needs comes from the cache."
)
@click.option(
    "--cluster", metavar="CLUSTER", help="A cluster of the settings, or a scheduler: tcp://host:8786."
)
@click.option(
    "--workers", type=click.IntRange(min=1), help="How many notebooks at once.  [default: the CPUs]"
)
@click.option(
    "--isolation", type=click.Choice(["warm", "cold"]), help="Kernels forked warm, or started cold."
)
@click.option("--queue", "queue_name", metavar="NAME", help="Where quotas are set: the queue to wait in.")
@click.option("--priority", default=0, show_default=True, help="Higher ones are admitted first.")
@click.option(
    "--preemptible", "is_preemptible", is_flag=True, help="It may be made to wait again by a higher one."
)
@click.option(
    "--no-wait", "is_detached", is_flag=True, help="Let a process of its own drive it, and return at once."
)
@json_option
@events_option
def run(
    pipeline: Path | None,
    parameters: Sequence[tuple[str, str]],
    parameter_files: Sequence[str],
    forced: Sequence[str],
    start_from: Sequence[str],
    only: Sequence[str],
    cluster: str | None,
    workers: int | None,
    isolation: str | None,
    queue_name: str | None,
    priority: int,
    is_preemptible: bool,
    is_detached: bool,
    is_json: bool,
    is_json_events: bool,
) -> None:
    """Run a pipeline.

    PIPELINE is a file, or a directory with a pipeline.yaml; by default the one here. Tasks whose inputs
    did not change are taken from the cache.
    """
    if pipeline is None and forced and Path(forced[-1]).exists():  # --force took the pipeline for its TASK
        pipeline, forced = Path(forced[-1]), [*forced[:-1], _ALL]
    path = find_pipeline(pipeline)
    arguments = gather_arguments(parameters, parameter_files)
    options = RunOptions(
        force="all" if _ALL in forced else frozenset(forced),
        only=tuple(only),
        start_from=tuple(start_from),
        cluster=cluster,
        workers=workers,
        isolation=isolation,
        queue=queue_name,
        priority=priority,
        is_preemptible=is_preemptible,
    )
    with Workspace.open(path.resolve().parent) as workspace:
        if is_detached:
            kept = workspace.runs.record(path, arguments, options=options, from_text=bool(parameters))
            _detach(workspace, kept, is_json=is_json)
            return
        _follow(
            workspace,
            lambda seen: workspace.runs.run(
                path,
                arguments,
                options=options,
                from_text=bool(parameters),
                on_event=seen.on_event,
                on_plan=seen.on_plan,
            ),
            is_json=is_json,
            is_json_events=is_json_events,
        )


@command(
    name="resume",
    examples=[("the last run, after the machine went down", "jupyter mlops resume latest")],
)
@click.argument("run_name", metavar="RUN", default="latest")
@workspace_option
@json_option
@events_option
def resume(run_name: str, workspace: Path | None, is_json: bool, is_json_events: bool) -> None:
    """Go on with a run that was cut off.

    What finished is not run again. RUN is an id, the beginning of one, or `latest`.
    """
    with Workspace.open(workspace) as opened:
        run_id = opened.runs.resolve_run(run_name).run_id
        _follow(
            opened,
            lambda seen: opened.runs.resume(run_id, on_event=seen.on_event, on_plan=seen.on_plan),
            is_json=is_json,
            is_json_events=is_json_events,
        )


@command(
    name="rerun",
    examples=[
        ("what failed in the last run", "jupyter mlops rerun latest"),
        ("everything, cache or not", "jupyter mlops rerun latest --all"),
    ],
)
@click.argument("run_name", metavar="RUN", default="latest")
@click.option(
    "--failed/--all", "is_failed_only", default=True, help="What failed, or everything.", show_default=True
)
@workspace_option
@json_option
@events_option
def rerun(
    run_name: str, is_failed_only: bool, workspace: Path | None, is_json: bool, is_json_events: bool
) -> None:
    """Run again what failed in a run, and what depends on it.

    It is a new run, with the arguments of the old one and the notebooks as they are now.
    """
    with Workspace.open(workspace) as opened:
        run_id = opened.runs.resolve_run(run_name).run_id
        _follow(
            opened,
            lambda seen: opened.runs.rerun(
                run_id, is_failed_only=is_failed_only, on_event=seen.on_event, on_plan=seen.on_plan
            ),
            is_json=is_json,
            is_json_events=is_json_events,
        )


def _detach(workspace: Workspace, kept: Run, *, is_json: bool) -> None:
    """Leave the run to a process of its own."""
    drivers = Drivers(workspace.root)
    drivers.start("resume", kept.run_id)
    drivers.forget()
    if is_json:
        tasks = workspace.catalog.find(TaskRun, where={"run_id": kept.run_id}, order_by="position")
        print_json(documents.run_document(kept, tasks))
    else:
        console().print(
            f"run {kept.run_id} goes on by itself: {PROGRAM} show {kept.run_id[:15]}", soft_wrap=True
        )


def _follow(
    workspace: Workspace, start: Callable[[Watcher], Run], *, is_json: bool, is_json_events: bool
) -> None:
    """Run, show what happens, sum up, and exit with the run's code."""
    if is_json and is_json_events:
        raise InvalidInput(
            "--json and --json-events exclude each other", hint="choose one document or a stream"
        )
    with watcher(is_json=is_json, is_json_events=is_json_events) as seen:
        done = start(seen)
    tasks = workspace.catalog.find(TaskRun, where={"run_id": done.run_id}, order_by="position")
    if is_json:
        print_json(documents.run_document(done, tasks))
    elif not isinstance(seen, EventLines):
        out = console()
        out.print()
        print_summary(out, done, tasks, _notebooks(workspace, done, tasks))
    click.get_current_context().exit(_EXIT.get(done.state, 1))


def _notebooks(workspace: Workspace, run: Run, tasks: Sequence[TaskRun]) -> dict[str, Path]:
    """Write out the executed notebooks, those that failed first: task → path, relative if it is here."""
    having = sorted((task for task in tasks if task.notebook), key=lambda task: task.state != "failed")
    paths: dict[str, Path] = {}
    for task in having[:_MOST_NOTEBOOKS]:
        paths[task.task] = near(workspace.runs.task_notebook(run.run_id, task.task))
    return paths
