"""``quota``: who may use what, and who uses how much of it."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from rich.text import Text

from ..catalog.owner import user_name
from ..errors import InvalidInput, NotFound
from ..events import now
from ..queueing import Limits, Quotas
from ..queueing import shares as used_in_time
from ..queueing.amounts import NOTHING, RESOURCES, Amount, plus, shown
from ..queueing.quotas import EVERY_USER
from ..workspace import Workspace
from .group import PROGRAM, command
from .options import json_option, workspace_option
from .output import console, print_json, table
from .schedule import Subcommands

_BAR = 20
_MONTH = ("gpu_hours", "cost")


@dataclass(frozen=True, slots=True)
class Line:
    """How much of one limit is in use."""

    scope: str
    name: str
    resource: str
    used: float
    limit: float

    @property
    def share(self) -> float:
        """Of the limit, 1 for all of it."""
        return self.used / self.limit if self.limit else 1.0


@click.group(
    "quota",
    cls=Subcommands,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@workspace_option
@json_option
@click.pass_context
def quota(context: click.Context, workspace: Path | None, is_json: bool) -> None:
    """Show what is in use of each quota.

    Quotas are kept in the catalog, so that they are the same for all who share it. Without any, runs start at once.
    """
    if context.invoked_subcommand is not None:
        return
    with Workspace.open(workspace) as opened:
        quotas = opened.queue.quotas()
        lines = list(_lines(opened, quotas))
    if is_json:
        used = [
            {
                "scope": line.scope,
                "name": line.name,
                "resource": line.resource,
                "used": line.used,
                "limit": line.limit,
            }
            for line in lines
        ]
        print_json({"quotas": quotas.to_json() if quotas else None, "in_use": used})
    elif not quotas:
        click.echo(f"no quotas are set: {PROGRAM} quota apply FILE sets some", err=True)
    else:
        rows = [(line.scope, Text(line.name, "bold"), _label(line), _bar(line)) for line in lines]
        console().print(table(["of", "", "", "in use"], rows))


def _lines(workspace: Workspace, quotas: Quotas) -> Iterator[Line]:
    going, usage = workspace.queue.in_use()
    spent = used_in_time.spent(usage, now())
    in_use: dict[tuple[str, str], Amount] = {}
    for entry in going:
        for scope, name, _ in quotas.scopes(entry.user_name, entry.queue):
            in_use[scope, name] = plus(in_use.get((scope, name), NOTHING), Amount.read(entry.granted))
    for scope, name, limits in _tables(
        quotas, {name for scope, name in [*in_use, *spent] if scope == "user"}
    ):
        amount = in_use.get((scope, name), NOTHING)
        for number, limit in limits.at_once():
            yield Line(scope, name, RESOURCES[number], amount[number], limit)
        for resource, value in zip(_MONTH, spent.get((scope, name), (0.0, 0.0)), strict=True):
            limit = getattr(limits, resource)
            if limit is not None:
                yield Line(scope, name, resource, value, limit)


def _tables(quotas: Quotas, users: set[str]) -> Iterator[tuple[str, str, Limits]]:
    """Every limit, the widest first, and for users those who have used something or have limits of their own."""
    yield "all", "", quotas.everybody
    for name, limits in quotas.queues.items():
        yield "queue", name, limits
    for name, limits in quotas.groups.items():
        yield "group", name, limits
    for name in sorted(users | (set(quotas.users) - {EVERY_USER})):
        yield "user", name, quotas.user(name)


def _label(line: Line) -> str:
    return line.resource.replace("_", " ") + (" this month" if line.resource in _MONTH else "")


def _bar(line: Line) -> Text:
    filled = min(_BAR, round(_BAR * line.share))
    color = "red" if line.share >= 1 else "yellow" if line.share >= 0.8 else "green"
    if line.resource in _MONTH:
        told = f"{line.used:,.2f} of {line.limit:,.2f}"
    else:
        used = shown("memory", line.used) if line.resource == "memory" else f"{line.used:g}"
        told = f"{used} of {shown(line.resource, line.limit)}"
    return Text.assemble(("━" * filled, color), ("━" * (_BAR - filled), "bright_black"), f" {told}")


@command(
    name="apply",
    examples=[
        ("what a file has, in place of all that was set", f"{PROGRAM} quota apply quotas.toml"),
        ("whether the file is right", f"{PROGRAM} quota apply quotas.toml --dry-run"),
    ],
)
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--dry-run", "is_dry_run", is_flag=True, help="Check the file only.")
@workspace_option
@json_option
def apply(file: Path, is_dry_run: bool, workspace: Path | None, is_json: bool) -> None:
    """Set the quotas that FILE has, for all who share the catalog.

    Once `operators` are named, only they may. See docs/queue.md for what a file holds.
    """
    quotas = Quotas.parse(_read(file))
    with Workspace.open(workspace) as opened:
        if not is_dry_run:
            opened.queue.set_quotas(quotas, user_name())
    if is_json:
        print_json({"quotas": quotas.to_json(), "is_dry_run": is_dry_run})
    else:
        click.echo(f"{file} is right" if is_dry_run else f"the quotas of {file} are set")


@command(name="clear", examples=[("runs start at once again", f"{PROGRAM} quota clear")])
@workspace_option
@json_option
def clear(workspace: Path | None, is_json: bool) -> None:
    """Remove all quotas. Runs that wait are admitted."""
    with Workspace.open(workspace) as opened:
        opened.queue.set_quotas(Quotas(), user_name())
        opened.queue.take_turn(is_due=True)
    if is_json:
        print_json({"quotas": None})
    else:
        click.echo("no quotas are set any more")


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise NotFound(f"there is no file {file}", hint="see docs/queue.md for what it holds") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidInput(f"{file} is not valid TOML: {error}") from error
    except OSError as error:
        raise InvalidInput(f"cannot read {file}: {error.strerror}") from error


for each in (apply, clear):
    quota.add_command(each)
