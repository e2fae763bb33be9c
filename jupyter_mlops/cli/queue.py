"""``queue``: who waits for what, and what can be done about it."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import click
from rich.console import Group as Parts
from rich.console import RenderableType
from rich.live import Live
from rich.text import Text

from .. import words
from ..catalog.owner import user_name
from ..events import now
from ..queueing.documents import place_body
from ..queueing.snapshot import Place
from ..workspace import Workspace
from .group import PROGRAM, Subcommands, command
from .options import json_option, workspace_option
from .output import console, is_interactive, print_json, state, table

_WATCH_SECONDS = 1.0


@click.group(
    "queue",
    cls=Subcommands,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.option("--watch", "is_watched", is_flag=True, help="Show it until Ctrl-C.")
@workspace_option
@json_option
@click.pass_context
def queue(context: click.Context, is_watched: bool, workspace: Path | None, is_json: bool) -> None:
    """Show which runs wait for admission, in their order, and why.

    Where quotas are set, see `jupyter mlops quota`, a run starts when it is admitted.
    """
    if context.invoked_subcommand is not None:
        return
    with Workspace.open(workspace) as opened:
        if is_json:
            print_json({"queue": [place_body(place) for place in opened.queue.look()]})
        elif is_watched and is_interactive(sys.stdout):
            _watch(opened)
        else:
            console().print(_picture(opened.queue.look(), now()))


def _watch(workspace: Workspace) -> None:
    with Live(console=console(), auto_refresh=False, screen=True) as live:
        while True:
            live.update(_picture(workspace.queue.look(), now()), refresh=True)
            time.sleep(_WATCH_SECONDS)


def _picture(places: Sequence[Place], at: datetime) -> RenderableType:
    if not places:
        return Text("nothing waits, and nothing was admitted", "bright_black")
    rows = [
        (
            Text(str(place.position or "")),
            Text(place.entry.run_id, "bold"),
            place.entry.pipeline,
            place.entry.user_name,
            place.entry.queue,
            str(place.entry.priority) + (" preemptible" if place.entry.is_preemptible else ""),
            state({"admitted": "running", "waiting": "queued"}.get(place.entry.state, place.entry.state)),
            words.ago(place.entry.admitted_at or place.entry.since_at, at),
            words.forecast(place.reason, place.starts_at.isoformat() if place.starts_at else "", at),
        )
        for place in places
    ]
    headers = ["", "run", "pipeline", "user", "queue", "priority", "state", "since", "why"]
    waiting = sum(place.entry.state != "admitted" for place in places)
    told = f"{words.count(len(places) - waiting, 'run')} admitted, {waiting} waiting"
    return Parts(table(headers, rows), Text(told, "bright_black"))


@command(
    name="move",
    examples=[("before those that have asked for less", f"{PROGRAM} queue move 20261126-101 --priority 5")],
)
@click.argument("run_name", metavar="RUN")
@click.option("--priority", required=True, type=int, help="Its new priority; higher ones go first.")
@workspace_option
@json_option
def move(run_name: str, priority: int, workspace: Path | None, is_json: bool) -> None:
    """Give a waiting run another priority."""
    with Workspace.open(workspace) as opened:
        run_id = opened.runs.resolve_run(run_name).run_id
        opened.queue.move(run_id, user_name(), priority)
        _tell(opened, run_id, f"run {run_id} has priority {priority}", is_json=is_json)


@command(name="hold", examples=[("until tomorrow", f"{PROGRAM} queue hold latest")])
@click.argument("run_name", metavar="RUN")
@workspace_option
@json_option
def hold(run_name: str, workspace: Path | None, is_json: bool) -> None:
    """Let a run wait until it is released."""
    with Workspace.open(workspace) as opened:
        run_id = opened.runs.resolve_run(run_name).run_id
        opened.queue.hold(run_id, user_name())
        _tell(opened, run_id, f"run {run_id} is held", is_json=is_json)


@command(name="release", examples=[("what was held", f"{PROGRAM} queue release latest")])
@click.argument("run_name", metavar="RUN")
@workspace_option
@json_option
def release(run_name: str, workspace: Path | None, is_json: bool) -> None:
    """Let a held run take its place again."""
    with Workspace.open(workspace) as opened:
        run_id = opened.runs.resolve_run(run_name).run_id
        opened.queue.release(run_id, user_name())
        _tell(opened, run_id, f"run {run_id} waits again", is_json=is_json)


def _tell(workspace: Workspace, run_id: str, told: str, *, is_json: bool) -> None:
    if is_json:
        (place,) = [place for place in workspace.queue.look() if place.entry.run_id == run_id]
        print_json(place_body(place))
    else:
        click.echo(told)


for each in (move, hold, release):
    queue.add_command(each)
