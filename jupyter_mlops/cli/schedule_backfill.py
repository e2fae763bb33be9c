"""``backfill``: runs for the fires of the past."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import click
from rich.text import Text

from .. import encoding, words
from ..catalog.records import Run
from ..cron import parse_cron
from ..errors import InvalidInput, NotFound, did_you_mean
from ..pipelines import Pipeline, ScheduleSpec, load_pipeline
from ..pipelines.schedules import read_moment
from ..scheduling import BackfillStep
from ..scheduling.specs import short_name, spec_from_json
from ..words import iso
from ..workspace import Workspace
from .documents import run_body
from .group import PROGRAM, command
from .options import arguments_options, find_pipeline, gather_arguments, json_option, pipeline_argument
from .output import console, print_json, state, table
from .schedule import typed
from .schedule_look import shown_arguments


@command(
    name="backfill",
    examples=[
        ("every fire of January", f"{PROGRAM} backfill --from 2026-01-01 --to 2026-02-01"),
        ("what that would be", f"{PROGRAM} backfill --from 2026-01-01 --to 2026-02-01 --dry-run"),
    ],
)
@pipeline_argument
@click.option(
    "--from",
    "begin",
    required=True,
    metavar="MOMENT",
    help="The first moment: 2026-01-31 or 2026-01-31T06:00.",
)
@click.option(
    "--to", "end", required=True, metavar="MOMENT", help="The moment that is not part of it any more."
)
@click.option("--schedule", "name", metavar="NAME", help="Which schedule.  [default: the only one]")
@click.option("--cron", metavar="EXPRESSION", help="Fire by this instead, such as @daily.")
@click.option("--timezone", metavar="ZONE", help="Whose clock.  [default: the schedule's, or UTC]")
@arguments_options
@click.option("--again", "is_again", is_flag=True, help="Also fires that have a run that succeeded.")
@click.option("--keep-going", "is_going_on", is_flag=True, help="Do not stop at a run that fails.")
@click.option("--dry-run", "is_dry_run", is_flag=True, help="Only list the fires and their arguments.")
@json_option
def backfill(
    pipeline: Path | None,
    begin: str,
    end: str,
    name: str | None,
    cron: str | None,
    timezone: str | None,
    parameters: Sequence[tuple[str, str]],
    parameter_files: Sequence[str],
    is_again: bool,
    is_going_on: bool,
    is_dry_run: bool,
    is_json: bool,
) -> None:
    """Run a pipeline for fires of the past, one after the other, with the arguments of each.

    Fires that have a run that succeeded are left out, so that a backfill that was cut off goes on.
    """
    path = find_pipeline(pipeline)
    loaded = load_pipeline(path)
    with Workspace.open(path.resolve().parent) as workspace:
        name, spec = _chosen(workspace, loaded, name, cron, timezone)
        given = typed(loaded, gather_arguments(parameters, parameter_files))
        spec = replace(spec, parameters={**spec.parameters, **given})
        clock = parse_cron(spec.cron, spec.timezone)
        made = workspace.schedules.backfill(path, name, spec)
        steps = made.steps(read_moment(begin, clock), read_moment(end, clock))
        if is_dry_run:
            _print_plan(steps, spec, is_again=is_again, is_json=is_json)
            return
        out, done = console(), list[tuple[BackfillStep, Run]]()
        for step in steps:
            if step.done is not None and not is_again:
                continue
            run = made.run(step)
            done.append((step, run))
            if not is_json:
                out.print(_line(step, run, spec), soft_wrap=True)
            if run.state != "succeeded" and not is_going_on:
                break
    left = sum(step.done is not None for step in steps)
    if is_json:
        bodies = [{"fire_at": iso(step.fire_at), "run": run_body(run)} for step, run in done]
        print_json({"schedule": made.schedule, "fires": bodies, "already_done": 0 if is_again else left})
    elif not done:
        click.echo(
            "nothing to do: " + (f"{words.count(left, 'fire')} ran before" if left else "no fire lies there")
        )
    states = {run.state for _, run in done}
    click.get_current_context().exit(130 if "cancelled" in states else 1 if states - {"succeeded"} else 0)


def _chosen(
    workspace: Workspace, pipeline: Pipeline, name: str | None, cron: str | None, timezone: str | None
) -> tuple[str, ScheduleSpec]:
    """The schedule that is meant: one of the file, or an active one; or what --cron makes of it."""
    known = {
        short_name(each): spec_from_json(each.spec)
        for each in workspace.schedules.find()
        if each.pipeline == pipeline.name
    }
    known |= pipeline.schedules
    if name is None and len(known) == 1 and cron is None:
        name = next(iter(known))
    if name is None and cron is None:
        if known:
            raise InvalidInput(
                f"{pipeline.name} has several schedules", hint=f"--schedule {'|'.join(sorted(known))}"
            )
        raise InvalidInput(f"{pipeline.name} has no schedule", hint="say which fires: --cron @daily")
    if name is not None and name not in known and cron is None:
        hint = did_you_mean(name, known) or "say which fires: --cron @daily"
        raise NotFound(f"{pipeline.name} has no schedule {name!r}", hint=hint)
    spec = known.get(name or "", ScheduleSpec(cron=cron or ""))
    changes: dict[str, Any] = {"cron": cron or spec.cron, "timezone": timezone or spec.timezone}
    return name or "backfill", replace(spec, **changes)


def _print_plan(steps: Sequence[BackfillStep], spec: ScheduleSpec, *, is_again: bool, is_json: bool) -> None:
    if is_json:
        fires = [
            {
                "fire_at": iso(step.fire_at),
                "arguments": encoding.to_json(step.arguments),
                "run_id": step.done.run_id if step.done else None,
                "would_run": is_again or step.done is None,
            }
            for step in steps
        ]
        print_json({"fires": fires})
        return
    rows = [
        (
            _local(step, spec),
            state("new") if step.done is None or is_again else state(step.done.state),
            step.done.run_id if step.done else "",
            shown_arguments(step.arguments),
        )
        for step in steps
    ]
    console().print(table([f"fire ({spec.timezone})", "state", "run", "arguments"], rows))


def _line(step: BackfillStep, run: Run, spec: ScheduleSpec) -> Text:
    took = words.duration(words.lifetime(run.started_at, run.finished_at, run.finished_at or run.created_at))
    return Text.assemble((_local(step, spec), "bold"), "  ", state(run.state), f"  {run.run_id}  {took}")


def _local(step: BackfillStep, spec: ScheduleSpec) -> str:
    return f"{step.fire_at.astimezone(ZoneInfo(spec.timezone)):%a %Y-%m-%d %H:%M}"
