"""``quota``: who may use what, and who uses how much of it."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import click
from rich.text import Text

from ..catalog.owner import user_name
from ..errors import InvalidInput, NotFound
from ..queueing import Quotas
from ..queueing.amounts import shown
from ..queueing.ceilings import Ceiling, ceilings
from ..workspace import Workspace
from .group import PROGRAM, Subcommands, command
from .options import json_option, workspace_option
from .output import console, print_json, table

_BAR = 20


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
        lines = list(ceilings(opened.queue, quotas))
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


def _label(line: Ceiling) -> str:
    return line.resource.replace("_", " ") + (" this month" if line.is_monthly else "")


def _bar(line: Ceiling) -> Text:
    filled = min(_BAR, round(_BAR * line.share))
    color = "red" if line.share >= 1 else "yellow" if line.share >= 0.8 else "green"
    if line.is_monthly:
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
