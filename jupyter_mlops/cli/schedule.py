"""``schedule``: the schedules of a workspace, added, paused, resumed and removed. What looks at them is in
`schedule_look`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from ..catalog.records import Schedule
from ..errors import InvalidInput, NotFound, did_you_mean
from ..pipelines import Pipeline, ScheduleSpec, load_pipeline
from ..pipelines.reading import parse_duration
from ..pipelines.scheduled import from_text
from ..pipelines.schedules import CATCH_UP, OVERLAP
from ..scheduling.documents import schedule_body
from ..workspace import Workspace
from . import schedule_look as look
from .group import PROGRAM, Subcommands, command
from .options import (
    arguments_options,
    find_pipeline,
    gather_arguments,
    json_option,
    pipeline_argument,
    workspace_option,
)
from .output import print_json

schedule = Subcommands(
    "schedule",
    help="Run pipelines by themselves, by cron. `jupyter mlops scheduler` is what fires them.",
    context_settings={"help_option_names": ["-h", "--help"]},
)


@command(
    name="add",
    examples=[
        ("those that the pipeline's file has under `schedules:`", f"{PROGRAM} schedule add pipeline.yaml"),
        (
            "another one, for the week before",
            f"{PROGRAM} schedule add --name weekly --cron '0 6 * * MON' --timezone Europe/Berlin "
            "-p since '${schedule.data_interval_start.date}'",
        ),
    ],
)
@pipeline_argument
@click.option(
    "--name", metavar="NAME", help="Only the schedule of that name; with --cron, the new one's name."
)
@click.option(
    "--cron", metavar="EXPRESSION", help="Five fields, or @daily: a schedule beside those of the file."
)
@click.option("--timezone", metavar="ZONE", help="Whose clock, such as Europe/Berlin.  [default: UTC]")
@arguments_options
@click.option("--catch-up", type=click.Choice(CATCH_UP), help="Which missed fires run late.  [default: last]")
@click.option("--overlap", type=click.Choice(OVERLAP), help="While an earlier run goes on.  [default: skip]")
@click.option("--jitter", metavar="DURATION", help="Start up to so much later, such as 5m.")
@click.option("--start", metavar="MOMENT", help="No fire before it: 2026-01-31 or 2026-01-31T06:00.")
@click.option("--end", metavar="MOMENT", help="No fire from then on.")
@click.option("--paused", "is_paused", is_flag=True, default=None, help="Do not fire until it is resumed.")
@click.option("--queue", metavar="NAME", help="Where quotas are set: the queue that its runs wait in.")
@click.option("--priority", type=int, help="Higher ones are admitted first.  [default: 0]")
@click.option(
    "--preemptible", "is_preemptible", is_flag=True, default=None,
    help="Its runs may be made to wait again by a higher one.",
)  # fmt: skip
@json_option
def add(
    pipeline: Path | None,
    name: str | None,
    cron: str | None,
    parameters: Sequence[tuple[str, str]],
    parameter_files: Sequence[str],
    is_json: bool,
    **given: Any,
) -> None:
    """Make schedules of a pipeline active, or change them.

    Without --cron, those in its file: do it again after the file has changed.
    """
    path = find_pipeline(pipeline)
    chosen = {key: value for key, value in given.items() if value is not None}
    loaded = load_pipeline(path)
    if cron is None:
        if chosen or parameters or parameter_files:
            raise InvalidInput(
                "without --cron the schedules are those of the file, and what they do stands there",
                hint=f"change {path}, or give --cron",
            )
        specs = chosen_specs(loaded, name)
    else:
        texts = gather_arguments(parameters, parameter_files)
        if "jitter" in chosen:
            chosen["jitter_seconds"] = parse_duration(chosen.pop("jitter"))
        arguments = typed(loaded, texts)
        specs = {name or "main": ScheduleSpec(cron=cron, parameters=arguments, **chosen)}
    with Workspace.open(path.resolve().parent) as workspace:
        made = workspace.schedules.add(path, specs)
        look.print_schedules(workspace.schedules, made, is_json=is_json)


def typed(pipeline: Pipeline, arguments: dict[str, Any]) -> dict[str, Any]:
    """Arguments of ``-p`` by their types; those of files have theirs."""
    texts = {name: value for name, value in arguments.items() if isinstance(value, str)}
    return {**arguments, **from_text(pipeline, texts)}


def chosen_specs(pipeline: Pipeline, name: str | None) -> dict[str, ScheduleSpec]:
    """The schedules of a file, or the one of that name."""
    if name is None:
        return dict(pipeline.schedules)
    if name not in pipeline.schedules:
        hint = did_you_mean(name, pipeline.schedules) or "give --cron to make one"
        raise NotFound(f"{pipeline.path} has no schedule {name!r}", hint=hint)
    return {name: pipeline.schedules[name]}


@command(name="pause", examples=[("", f"{PROGRAM} schedule pause nightly")])
@look.name_argument
@workspace_option
@json_option
def pause(name: str, workspace: Path | None, is_json: bool) -> None:
    """Let a schedule fire no more until it is resumed. Runs that go on go on."""
    with Workspace.open(workspace) as opened:
        _tell(opened.schedules.pause(name), "is paused", is_json=is_json)


@command(name="resume", examples=[("", f"{PROGRAM} schedule resume nightly")])
@look.name_argument
@workspace_option
@json_option
def resume(name: str, workspace: Path | None, is_json: bool) -> None:
    """Let a paused schedule fire again, from now on. What it missed stands in its history."""
    with Workspace.open(workspace) as opened:
        _tell(opened.schedules.resume(name), "fires again", is_json=is_json)


@command(name="remove", examples=[("", f"{PROGRAM} schedule remove nightly")])
@look.name_argument
@workspace_option
@json_option
def remove(name: str, workspace: Path | None, is_json: bool) -> None:
    """Forget a schedule and its history. Its runs stay."""
    with Workspace.open(workspace) as opened:
        _tell(opened.schedules.remove(name), "is removed", is_json=is_json)


def _tell(changed: Schedule, said: str, *, is_json: bool) -> None:
    if is_json:
        print_json({"schedule": schedule_body(changed)})
    else:
        click.echo(f"{changed.name} {said}")


for each in (add, look.list_, look.show, look.next_, look.history, pause, resume, remove):
    schedule.add_command(each)
