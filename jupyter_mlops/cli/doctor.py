"""``doctor``: is everything in order, and if not, which command mends it?"""

from __future__ import annotations

import os
from pathlib import Path

import click
from rich.text import Text

from .. import words
from ..project.checkup import Check
from ..project.doctor import examine
from ..settings import find_root
from .group import command
from .options import json_option, workspace_option
from .output import console, print_json

_SIGNS = {
    "ok": ("✔", "green"),
    "info": ("·", "bright_black"),
    "warning": ("⚠", "yellow"),
    "problem": ("✘", "red"),
}


@command(
    name="doctor",
    examples=[("", "jupyter mlops doctor"), ("for a bug report", "jupyter mlops doctor --json")],
)
@workspace_option
@json_option
def doctor(workspace: Path | None, is_json: bool) -> None:
    """Look at everything that must be in order: Python and its libraries, Jupyter's extensions, kernels (by
    starting them), settings, stores, cluster, disk; with the command that mends what is not.

    Nothing is changed. Exits with 1 when there is a problem.
    """
    root = find_root(workspace or Path.cwd())
    checks = examine(root, os.environ)
    is_good = all(check.state != "problem" for check in checks)
    if is_json:
        print_json({"is_good": is_good, "root": str(root), "checks": [check.to_json() for check in checks]})
    else:
        _print(checks)
    click.get_current_context().exit(0 if is_good else 1)


def _print(checks: list[Check]) -> None:
    out = console()
    width = max(len(check.name) for check in checks)
    for check in checks:
        sign, style = _SIGNS[check.state]
        name = f"{check.name:<{width}}  "
        out.print(Text.assemble((f"{sign} ", style), (name, "bold"), check.message), soft_wrap=True)
        if check.advice:
            out.print(Text(f"  {'':<{width}}  {check.advice}", "bright_black"), soft_wrap=True)
        if check.cure:
            out.print(Text.assemble(f"  {'':<{width}}  ", (f"$ {check.cure}", "cyan")), soft_wrap=True)
    counts = [(sum(check.state == state for check in checks), state) for state in ("problem", "warning")]
    said = ", ".join(words.count(number, noun) for number, noun in counts if number) or "all is well"
    out.print(Text(said, "bold"))
