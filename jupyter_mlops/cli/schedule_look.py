"""``schedule list``, ``show``, ``next`` and ``history``: what will fire, what fired, and what did not, and why."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import click
from click.shell_completion import CompletionItem
from rich.text import Text

from .. import words
from ..catalog.records import Fire, Run, Schedule
from ..events import now
from ..scheduling import NextFire, Schedules
from ..scheduling.documents import fire_body, fire_state, next_body, schedule_body
from ..workspace import Workspace
from .completing import known_names
from .group import PROGRAM, command
from .options import json_option, workspace_option
from .output import console, print_json, state, table

F = TypeVar("F", bound=Callable[..., Any])
_SCHEDULER_HINT = f"nothing fires schedules here: start `{PROGRAM} scheduler`"


def _names(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The schedules of the workspace, for the shell's completion."""
    return known_names(
        lambda workspace: ((each.name, each.cron) for each in workspace.schedules.find()), incomplete
    )


def name_argument(function: F) -> F:
    """``SCHEDULE`` → `name`."""
    return click.argument("name", metavar="SCHEDULE", shell_complete=_names)(function)


def count_option(function: F) -> F:
    """``-n`` → `count`."""
    return click.option(
        "-n", "--count", default=5, show_default=True, type=click.IntRange(1, 1000), help="How many."
    )(function)


def shown_arguments(arguments: Mapping[str, Any]) -> str:
    """Arguments on one line, moments as ISO 8601."""
    texts = {name: each.isoformat() if isinstance(each, date) else each for name, each in arguments.items()}
    return words.mapping(texts, 100)


@command(
    name="list",
    examples=[
        ("", f"{PROGRAM} schedule list"),
        ("", f"{PROGRAM} schedule list --json | jq '.schedules[].next_at'"),
    ],
)
@workspace_option
@json_option
def list_(workspace: Path | None, is_json: bool) -> None:
    """List the active schedules, when each fires next and what became of its last fire."""
    with Workspace.open(workspace) as opened:
        print_schedules(opened.schedules, opened.schedules.find(), is_json=is_json)


def print_schedules(schedules: Schedules, found: Sequence[Schedule], *, is_json: bool) -> None:
    """A table of schedules, or the document."""
    who = schedules.leader()
    if is_json:
        print_json({"schedules": [schedule_body(each) for each in found], "scheduler": who or None})
        return
    if not found:
        click.echo(f"no schedules yet: `{PROGRAM} schedule add` makes those of a pipeline active", err=True)
        return
    last, moment = schedules.last_fires(found), now()
    rows = [
        (
            Text(each.name, "bold"),
            each.cron,
            each.timezone,
            Text("paused", "yellow") if each.is_paused else _next(each, moment),
            _last(*last[each.name], moment) if each.name in last else Text("–", "bright_black"),
            each.pipeline_path,
        )
        for each in found
    ]
    console().print(table(["schedule", "cron", "zone", "next", "last", "pipeline"], rows))
    if not who:
        click.echo(click.style(_SCHEDULER_HINT, fg="yellow"), err=True)


@command(name="show", examples=[("", f"{PROGRAM} schedule show nightly")])
@name_argument
@workspace_option
@json_option
def show(name: str, workspace: Path | None, is_json: bool) -> None:
    """Show a schedule: what it is, its next fires and its last ones."""
    with Workspace.open(workspace) as opened:
        schedule = opened.schedules.resolve(name)
        upcoming = [] if schedule.is_paused else opened.schedules.preview(schedule, 3)
        fires = opened.schedules.history(schedule, 5)
        who = opened.schedules.leader()
    body = schedule_body(schedule)
    if is_json:
        print_json(
            {
                "schedule": body,
                "next": [next_body(fire) for fire in upcoming],
                "history": [fire_body(*each) for each in fires],
                "scheduler": who or None,
            }
        )
        return
    out = console()
    out.print(Text(schedule.name, "bold"))
    facts = {
        "pipeline": schedule.pipeline_path,
        "cron": f"{schedule.cron}  {schedule.timezone}",
        "parameters": words.mapping(body["parameters"]),
        "catch-up": body["catch_up"],
        "overlap": body["overlap"],
        "jitter": words.duration(body["jitter_seconds"]) if body["jitter_seconds"] else "",
        "from": body["start"] or "",
        "until": body["end"] or "",
        "queue": body["queue"] or "",
        "priority": _rank(body),
        "by": body["user_name"],
        "state": "paused" if schedule.is_paused else "active",
        "fired by": who or _SCHEDULER_HINT,
    }
    for fact, value in facts.items():
        if value:
            out.print(Text.assemble((f"  {fact:<12}", "bright_black"), str(value)), soft_wrap=True)
    if upcoming:
        out.print()
        _print_next(schedule, upcoming)
    if fires:
        out.print()
        _print_history(schedule, fires)


@command(
    name="next",
    examples=[("the next ten, with the arguments of each", f"{PROGRAM} schedule next nightly -n 10")],
)
@name_argument
@count_option
@workspace_option
@json_option
def next_(name: str, count: int, workspace: Path | None, is_json: bool) -> None:
    """Show the next fires of a schedule, by its own clock, and what its pipeline will be given."""
    with Workspace.open(workspace) as opened:
        schedule = opened.schedules.resolve(name)
        fires = opened.schedules.preview(schedule, count)
    if is_json:
        print_json({"schedule": schedule.name, "next": [next_body(fire) for fire in fires]})
        return
    _print_next(schedule, fires)
    if schedule.is_paused:
        click.echo(click.style(f"{schedule.name} is paused", fg="yellow"), err=True)


@command(name="history", examples=[("", f"{PROGRAM} schedule history nightly -n 20")])
@name_argument
@count_option
@workspace_option
@json_option
def history(name: str, count: int, workspace: Path | None, is_json: bool) -> None:
    """Show what became of a schedule's fires, the latest first: runs, and what was skipped or missed and why."""
    with Workspace.open(workspace) as opened:
        schedule = opened.schedules.resolve(name)
        fires = opened.schedules.history(schedule, count)
    if is_json:
        print_json({"schedule": schedule.name, "history": [fire_body(*each) for each in fires]})
    elif not fires:
        click.echo(f"{schedule.name} has not fired yet", err=True)
    else:
        _print_history(schedule, fires)


def _print_next(schedule: Schedule, fires: Sequence[NextFire]) -> None:
    rows = [
        (
            _local(schedule, fire.fire_at),
            f"{fire.due_at:%Y-%m-%d %H:%M:%S} UTC",
            shown_arguments(fire.arguments),
        )
        for fire in fires
    ]
    console().print(table([f"next ({schedule.timezone})", "starts", "arguments"], rows))


def _print_history(schedule: Schedule, fires: Sequence[tuple[Fire, Run | None]]) -> None:
    moment = now()
    rows = []
    for fire, run in fires:
        first = f"{_local(schedule, fire.first_at)} … " if fire.first_at and fire.count > 1 else ""
        many = f"{words.count(fire.count, 'fire')}: " if fire.count > 1 else ""
        took = words.duration(words.lifetime(run.started_at, run.finished_at, moment)) if run else ""
        backfill = "backfill" if fire.is_backfill else ""
        told = words.plain(many + (fire.reason or backfill))
        rows.append(
            (
                f"{first}{_local(schedule, fire.fire_at)}",
                state(fire_state(fire, run)),
                fire.run_id,
                took,
                told,
            )
        )
    console().print(table([f"fire ({schedule.timezone})", "state", "run", "took", "why"], rows))


def _local(schedule: Schedule, at: datetime) -> str:
    return f"{at.astimezone(ZoneInfo(schedule.timezone)):%a %Y-%m-%d %H:%M}"


def _rank(body: Mapping[str, Any]) -> str:
    told = [
        str(body["priority"]) if body["priority"] else "",
        "preemptible" if body["is_preemptible"] else "",
    ]
    return " ".join(filter(None, told))


def _next(schedule: Schedule, moment: datetime) -> str:
    if schedule.next_at is None:
        return "never"
    if schedule.next_at <= moment:
        return "due"
    seconds = (schedule.next_at - moment).total_seconds()
    return f"{_local(schedule, schedule.next_at)} (in {words.duration(seconds)})"


def _last(fire: Fire, run: Run | None, moment: datetime) -> Text:
    return Text.assemble(state(fire_state(fire, run)), " ", (words.ago(fire.fire_at, moment), "bright_black"))
