"""``task``: one task of a pipeline, as other orchestrators start it, each in a process of its own."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from .. import words
from ..entry import Ended, TaskEntry
from ..entry.fire import at_fire
from ..entry.place import Place
from ..entry.report import Report
from ..entry.standing import run_id_of
from ..errors import InvalidInput, StorageUnavailable
from ..events import Event, OutputStreamed
from ..pipelines import load_pipeline, lower, select
from ..pipelines.references import as_text
from .group import command
from .options import arguments_options, find_pipeline, gather_arguments, json_option
from .output import print_line

_EXITS = {"timed_out": 124, "out_of_memory": 138, "kernel_died": 138, "cancelled": 130}


@command(
    name="task",
    examples=[
        ("one task of a run, then another", "jupyter mlops task pipeline.yaml pull --run-id monday"),
        ("", "jupyter mlops task pipeline.yaml train --run-id monday"),
        ("the instances of a mapped task", "jupyter mlops task pipeline.yaml score --run-id monday --list"),
    ],
)
@click.argument("pipeline", type=click.Path(path_type=Path))
@click.argument("task_key", metavar="TASK")
@arguments_options
@click.option(
    "--run-id",
    envvar="MLOPS_TASK_RUN",
    required=True,
    metavar="ID",
    help="The orchestrator's id of the run; the same for all of its tasks.  [env: MLOPS_TASK_RUN]",
)
@click.option(
    "--arguments",
    "arguments_text",
    envvar="MLOPS_TASK_ARGUMENTS",
    metavar="JSON",
    default="",
    help="The run's arguments as a JSON object; -f and -p win over it.  [env: MLOPS_TASK_ARGUMENTS]",
)
@click.option(
    "--fired-at",
    envvar="MLOPS_TASK_FIRED_AT",
    metavar="MOMENT",
    default="",
    help="For which moment a schedule started the run: ${schedule.…} among its arguments is filled in for it; without "
    "one the pipeline's defaults hold.  [env: MLOPS_TASK_FIRED_AT]",
)
@click.option(
    "--attempt",
    type=click.IntRange(min=1),
    envvar="MLOPS_TASK_ATTEMPT",
    metavar="N",
    help="Which attempt this is; one that ended before is not run again.  [default: a new one]"
    "  [env: MLOPS_TASK_ATTEMPT]",
)
@click.option(
    "--settled",
    "is_settled",
    is_flag=True,
    help="All before it has ended: what left no outcome was lost, and has failed.",
)
@click.option(
    "--force",
    "is_forced",
    is_flag=True,
    envvar="MLOPS_TASK_FORCE",
    help="Run it even if the cache has it.  [env: MLOPS_TASK_FORCE]",
)
@click.option("--list", "is_list", is_flag=True, help="Print the instances of a mapped task as a JSON list.")
@click.option(
    "-o",
    "--outputs",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Also write the outcome into DIR: outcome.json, state, results/NAME, artifacts/NAME.",
)
@click.option(
    "--skip-code",
    type=click.IntRange(0, 255),
    default=0,
    show_default=True,
    metavar="N",
    help="The exit code of a task that was skipped.",
)
@click.option(
    "--report/--no-report",
    "is_reported",
    default=True,
    help="Whether to tell the catalog, which has the cache too.",
    show_default=True,
)
@json_option
def task(
    pipeline: Path,
    task_key: str,
    parameters: Sequence[tuple[str, str]],
    parameter_files: Sequence[str],
    run_id: str,
    arguments_text: str,
    fired_at: str,
    attempt: int | None,
    is_settled: bool,
    is_forced: bool,
    is_list: bool,
    outputs: Path | None,
    skip_code: int,
    is_reported: bool,
    is_json: bool,
) -> None:
    """Run one task of a pipeline, as other orchestrators start it.

    What the tasks before it left is found in the blob store under the run's id. From that follow its arguments,
    and whether it runs at all: `when` and `run_if` mean what they mean in any run. What an earlier run did with the
    same inputs is taken from the cache, at the first attempt. Exits as `execute` does, and with 1 when something
    before it failed.
    """
    path = find_pipeline(pipeline)
    given, is_text = _arguments(parameters, parameter_files, arguments_text)
    loaded = load_pipeline(path)
    plan = lower(loaded, at_fire(loaded, given, fired_at), from_text=is_text)
    if is_forced:
        plan = select(plan, force="all")
    with Place(path.resolve().parent) as place:
        report = Report(
            (lambda: place.catalog) if is_reported and not is_list else None,
            pipeline_path=str(path.resolve()),
        )
        entry = TaskEntry(
            plan,
            run_id_of(run_id),
            settings=place.settings,
            blobs=place.blobs,
            report=report,
            folder=path.resolve().parent,
        )
        if is_list:
            keys = entry.instances(task_key, is_settled=is_settled)
            _write(outputs, {"instances.json": json.dumps(keys)})
            print_line(keys)
            return
        ended = entry.run(task_key, attempt=attempt, is_settled=is_settled, on_event=_echo)
    _write(outputs, _files(ended))
    _tell(ended, is_json=is_json)
    click.get_current_context().exit(_exit_code(ended, skip_code))


def _arguments(
    parameters: Sequence[tuple[str, str]], parameter_files: Sequence[str], text: str
) -> tuple[dict[str, Any], bool]:
    """The arguments, and whether there are words of a command line among them."""
    given: Any = {}
    if text:
        try:
            given = json.loads(text)
        except ValueError as error:
            raise InvalidInput(f"--arguments is no JSON: {error}", hint="quote it for the shell") from None
        if not isinstance(given, dict):
            raise InvalidInput(f"--arguments is {type(given).__name__}, not a JSON object")
    arguments = {**given, **gather_arguments(parameters, parameter_files)}
    return arguments, bool(parameters)


def _echo(event: Event) -> None:
    """What cells print is the orchestrator's log; stdout is for the outcome."""
    if isinstance(event, OutputStreamed):
        sys.stderr.write(event.text)
        sys.stderr.flush()


def _files(ended: Ended) -> dict[str, str]:
    """Name → content. A result stands by itself as plain text, as orchestrators compare it."""
    return {
        "outcome.json": json.dumps(asdict(ended), ensure_ascii=False, default=str),
        "state": ended.state,
        **{f"results/{name}": as_text(value) for name, value in ended.results.items()},
        **{f"artifacts/{name}": reference for name, reference in ended.artifacts.items()},
    }


def _write(folder: Path | None, files: dict[str, str]) -> None:
    if folder is None:
        return
    try:
        for name, content in files.items():
            target = folder / name
            if not target.resolve().is_relative_to(folder.resolve()):
                raise InvalidInput(f"the output {name!r} would be written outside of {folder}")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(content, encoding="utf-8")
    except OSError as error:
        raise StorageUnavailable(f"cannot write the outputs to {folder}: {error.strerror}") from error


def _tell(ended: Ended, *, is_json: bool) -> None:
    if is_json:
        print_line(asdict(ended))
        return
    reason = str(ended.error.get("message", "")) or ended.reason
    took = f" in {words.duration(ended.duration_seconds)}" if ended.duration_seconds else ""
    click.echo(
        f"{ended.task} {ended.state.replace('_', ' ')}{took}" + (f": {reason}" if reason else ""), err=True
    )
    for name, value in ended.results.items():
        click.echo(f"  {name} = {words.value(value)}", err=True)


def _exit_code(ended: Ended, skip_code: int) -> int:
    if ended.state == "skipped":
        return skip_code
    if ended.is_good:
        return 0
    return 130 if ended.state == "cancelled" else _EXITS.get(str(ended.error.get("code", "")), 1)
