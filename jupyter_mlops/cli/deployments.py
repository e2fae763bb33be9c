"""``deployments``: what is served, how it is, and its end."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click
from click.shell_completion import CompletionItem
from rich.live import Live
from rich.table import Table
from rich.text import Text

from .. import words
from ..catalog import Deployment, DeploymentRevision
from ..deployments import Deployments, DeploymentStatus
from ..deployments.view import shares
from ..errors import InvalidInput, NotFound, did_you_mean
from ..events import now
from ..words import iso
from ..workspace import Workspace
from .completing import known_names
from .group import PROGRAM, Listing, command
from .options import json_option, workspace_option
from .output import console, is_interactive, print_json, state, table

F = TypeVar("F", bound=Callable[..., Any])
_WATCH_SECONDS = 1.0
_UNIT = """\
# ~/.config/systemd/user/mlops-{name}.service, then: systemctl --user enable mlops-{name}
# So that it starts without anybody logged in: loginctl enable-linger
[Unit]
Description=The deployment {name} of a jupyter_mlops workspace
After=network-online.target

[Service]
Type=oneshot
RemainAfterExit=yes
WorkingDirectory={root}
ExecStart={program} deployments start {name}
ExecStop={program} deployments stop {name}
TimeoutStartSec=600

[Install]
WantedBy=default.target
"""


def _names(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The deployments of the workspace, for the shell's completion."""
    return known_names(
        lambda workspace: ((each.name, each.model) for each in workspace.deployments.find()), incomplete
    )


def name_argument(function: F) -> F:
    """``DEPLOYMENT`` → `name`."""
    return click.argument("name", metavar="DEPLOYMENT", shell_complete=_names)(function)


# --- as documents and as text -----------------------------------------------------------------------------


def deployment_body(status: DeploymentStatus) -> dict[str, Any]:
    """A deployment in ``--json``."""
    one, live = status.deployment, status.live
    return {
        "name": one.name,
        "target": one.target,
        "model": one.model,
        "alias": one.alias or None,
        "state": one.state,
        "message": one.message,
        "trouble": status.trouble,
        "url": one.url or None,
        "revision": one.revision,
        "traffic": dict(status.revision.traffic) if status.revision else {},
        "shadow": dict(status.revision.shadow) if status.revision else {},
        "image": status.revision.image or None if status.revision else None,
        "options": {key: one.options.get(key) for key in ("replicas", "resources", "options")},
        "replicas": [
            {
                "name": each.name, "state": each.state, "revision": each.revision, "message": each.message,
                "restarts": each.restarts, "requests": each.requests, "errors": each.errors,
            }
            for each in live.replicas
        ],
        "metrics": dict(live.metrics),
        "user_name": one.user_name,
        "created_at": iso(one.created_at),
        "updated_at": iso(one.updated_at),
    }  # fmt: skip


def revision_body(revision: DeploymentRevision) -> dict[str, Any]:
    """A revision in ``--json``."""
    return {
        "revision": revision.revision,
        "traffic": dict(revision.traffic),
        "shadow": dict(revision.shadow),
        "image": revision.image or None,
        "reason": revision.reason,
        "user_name": revision.user_name,
        "created_at": iso(revision.created_at),
    }


def print_deployment(status: DeploymentStatus, *, is_json: bool) -> None:
    """One deployment, in short."""
    if is_json:
        print_json({"deployment": deployment_body(status)})
        return
    facts = {label: text for label, text in status.facts().items() if text}
    width = max(map(words.columns, facts))
    for label, text in facts.items():
        click.echo(f"{click.style(label.ljust(width), dim=True)}  {text}")


def _table(found: Sequence[DeploymentStatus]) -> Table:
    rows: list[list[str | Text]] = [
        [
            one.deployment.name,
            state(one.deployment.state),
            f"{one.deployment.model}{'@' if one.deployment.alias else ''}{one.deployment.alias}",
            shares(one.revision),
            one.deployment.target,
            f"{sum(each.state == 'running' for each in one.live.replicas)}/{len(one.live.replicas)}"
            if one.live.replicas
            else "",
            f"{one.live.metrics['requests_per_second']:.1f}"
            if "requests_per_second" in one.live.metrics
            else "",
            one.note,
        ]
        for one in found
    ]
    return table(["deployment", "state", "model", "traffic", "target", "replicas", "req/s", "url"], rows)


# --- commands ---------------------------------------------------------------------------------------------


deployments = Listing(
    "deployments",
    help="Look at what is served, stop, start and remove it. Without a command: list.",
    context_settings={"help_option_names": ["-h", "--help"]},
)


@command(
    name="list",
    examples=[("", f"{PROGRAM} deployments"), ("and see it change", f"{PROGRAM} deployments --watch")],
)
@click.option("--watch", is_flag=True, help="Show it again each second until Ctrl-C.")
@click.option("--all", "with_removed", is_flag=True, help="With those that were removed.")
@workspace_option
@json_option
def list_(watch: bool, with_removed: bool, workspace: Path | None, is_json: bool) -> None:
    """List what is served, as it really is."""
    with Workspace.open(workspace) as opened:
        book = opened.deployments

        def look() -> list[DeploymentStatus]:
            return [book.look(one.name) for one in book.find(with_removed=with_removed)]

        if watch and not is_json and is_interactive(sys.stdout):
            with Live(_table(look()), console=console(), auto_refresh=False) as live:
                while True:
                    time.sleep(_WATCH_SECONDS)
                    live.update(_table(look()), refresh=True)
        found = look()
        if is_json:
            print_json({"deployments": [deployment_body(one) for one in found]})
        elif found:
            console().print(_table(found))
        else:
            click.echo(f"nothing is deployed: {PROGRAM} deploy models:/NAME@champion")


@command(name="show", examples=[("", f"{PROGRAM} deployments show flights-delay")])
@name_argument
@workspace_option
@json_option
def show(name: str, workspace: Path | None, is_json: bool) -> None:
    """Show a deployment, its replicas and its revisions."""
    with Workspace.open(workspace) as opened:
        status = opened.deployments.status(name)
        revisions = opened.deployments.revisions(name)
    if is_json:
        body = {**deployment_body(status), "revisions": [revision_body(one) for one in revisions]}
        print_json({"deployment": body})
        return
    print_deployment(status, is_json=False)
    if status.live.replicas:
        rows: list[list[str | Text]] = [
            [
                each.name, state(each.state), str(each.revision or ""), str(each.restarts),
                f"{each.requests:,}", f"{each.errors:,}", each.message,
            ]
            for each in status.live.replicas
        ]  # fmt: skip
        click.echo()
        console().print(table(["replica", "state", "revision", "restarts", "requests", "errors", ""], rows))
    moment = now()
    history: list[list[str | Text]] = [
        [
            f"{'→ ' if one.revision == status.deployment.revision else '  '}{one.revision}",
            shares(one), words.ago(one.created_at, moment), one.user_name, one.reason,
        ]
        for one in revisions
    ]  # fmt: skip
    click.echo()
    console().print(table(["  revision", "traffic", "since", "by", "why"], history))


@command(
    name="status",
    examples=[("exit code 0 if it runs, else 1", f"{PROGRAM} deployments status flights-delay && echo fine")],
)
@name_argument
@workspace_option
@json_option
def status(name: str, workspace: Path | None, is_json: bool) -> int:
    """Tell how a deployment really is; the exit code says whether it runs."""
    with Workspace.open(workspace) as opened:
        found = opened.deployments.status(name)
    print_deployment(found, is_json=is_json)
    return 0 if found.deployment.state == "running" else 1


@command(
    name="logs",
    examples=[
        ("", f"{PROGRAM} deployments logs flights-delay"),
        ("of one process", f"{PROGRAM} deployments logs flights-delay replica-1 -n 200"),
    ],
)
@name_argument
@click.argument("process", required=False)
@click.option(
    "-n", "--lines", default=40, show_default=True, type=click.IntRange(1), help="How many of each."
)
@workspace_option
def logs(name: str, process: str | None, lines: int, workspace: Path | None) -> None:
    """Print what the processes of a deployment wrote last: supervisor, front, replica-1, …"""
    with Workspace.open(workspace) as opened:
        found = opened.deployments.logs(name)
    if process is not None and process not in found:
        raise NotFound(f"{name!r} has no process {process!r}", hint=did_you_mean(process, found))
    for each, path in found.items():
        if process in (None, each):
            text = path.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:]
            for line in text:
                click.echo(f"{'' if process else f'{each}: '}{words.plain(line)}")


@command(name="stop", examples=[("", f"{PROGRAM} deployments stop flights-delay")])
@name_argument
@workspace_option
@json_option
def stop(name: str, workspace: Path | None, is_json: bool) -> None:
    """Answer what was begun, then no more; `start` goes on from there."""
    with Workspace.open(workspace) as opened:
        _tell(opened.deployments, opened.deployments.stop(name), is_json=is_json)


@command(
    name="start",
    examples=[("after the machine was off", f"{PROGRAM} deployments start --all")],
)
@click.argument("name", metavar="[DEPLOYMENT]", required=False, shell_complete=_names)
@click.option("--all", "is_all", is_flag=True, help="All that are deployed on this machine and do not run.")
@workspace_option
@json_option
def start(name: str | None, is_all: bool, workspace: Path | None, is_json: bool) -> None:
    """Go on with what was served, after `stop` or after the machine was off."""
    if (name is None) == (not is_all):
        raise InvalidInput("either a deployment's name or --all", hint=f"{PROGRAM} deployments start --all")
    with Workspace.open(workspace) as opened:
        book = opened.deployments
        chosen = [name] if name else [one.name for one in book.find() if one.target == "local"]
        started = [book.start(each) for each in chosen if name or book.status(each).live.state != "running"]
        if is_json:
            print_json({"deployments": [deployment_body(book.status(one.name)) for one in started]})
        for one in started if not is_json else ():
            click.echo(f"{one.name} answers at {one.url}")


@command(
    name="remove",
    examples=[
        ("", f"{PROGRAM} deployments remove flights-delay"),
        ("its cluster is gone for good", f"{PROGRAM} deployments remove flights-delay --forget"),
    ],
)
@name_argument
@click.option(
    "--forget",
    "is_forgotten",
    is_flag=True,
    help="Only take it off the record: what serves it is gone for good, and is not asked.",
)
@workspace_option
@json_option
def remove(name: str, is_forgotten: bool, workspace: Path | None, is_json: bool) -> None:
    """Take a deployment away, from its target too. The model and the deployment's history stay."""
    with Workspace.open(workspace) as opened:
        removed = opened.deployments.remove(name, is_forgotten=is_forgotten)
        _tell(opened.deployments, removed, is_json=is_json)


@command(
    name="unit",
    examples=[("", f"{PROGRAM} deployments unit flights-delay > mlops-flights-delay.service")],
)
@name_argument
@workspace_option
def unit(name: str, workspace: Path | None) -> None:
    """Print a systemd unit that starts a deployment when the machine starts."""
    with Workspace.open(workspace) as opened:
        known = opened.deployments.get(name)
        if known.target != "local":
            raise InvalidInput(f"{name!r} is on {known.target}, which starts it by itself")
        program = Path(sys.executable).with_name("jupyter-mlops")
        text = _UNIT.format(name=name, root=opened.root, program=program)
    click.echo(text, nl=False)


def _tell(book: Deployments, changed: Deployment, *, is_json: bool) -> None:
    if is_json:
        print_json({"deployment": deployment_body(book.status(changed.name))})
    else:
        click.echo(f"{changed.name} is {changed.state}")


for each in (list_, show, status, logs, stop, start, remove, unit):
    deployments.add_command(each)
