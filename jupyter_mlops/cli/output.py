"""Everything that goes to the terminal: one console, one look for tables, one JSON document."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from ..pipelines.drawing import GLYPHS

STYLES: Mapping[str, str] = {
    "queued": "bright_black",
    "running": "blue",
    "succeeded": "green",
    "cached": "cyan",
    "failed": "red",
    "upstream_failed": "yellow",
    "cancelled": "magenta",
    "skipped": "bright_black",
    "fresh": "green",
    "stale": "yellow",
    "new": "blue",
    "frozen": "cyan",
    "unknown": "bright_black",
    "deploying": "blue",
    "degraded": "yellow",
    "starting": "blue",
    "leaving": "bright_black",
    "stopped": "bright_black",
    "removed": "bright_black",
    "label": "bold",
    "detail": "bright_black",
    "line": "bright_black",
}
_SIGNS: Mapping[str, str] = {**GLYPHS, "fresh": "✔", "stale": "↻", "new": "+", "frozen": "❄", "unknown": "?"}
_PIPE_WIDTH = 200  # a pipe has no width; do not cut what `grep` should find


def console(file: TextIO | None = None) -> Console:
    """A console that colors nothing on its own, and cuts nothing when it writes into a pipe."""
    file = file or sys.stdout
    width = None if file.isatty() or os.environ.get("COLUMNS") else _PIPE_WIDTH
    return Console(file=file, width=width, highlight=False, emoji=False, markup=False)


def is_interactive(file: TextIO) -> bool:
    """Whether somebody watches: a terminal, and no CI service behind it."""
    return file.isatty() and not os.environ.get("CI") and os.environ.get("TERM") != "dumb"


def warn(messages: Iterable[str]) -> None:
    """What to heed, on stderr, a line each."""
    for message in messages:
        click.echo(f"{click.style('⚠', fg='yellow')} {message}", err=True)


def print_json(document: Any) -> None:
    """The one document of ``--json``."""
    click.echo(json.dumps(document, ensure_ascii=False, indent=2, default=str))


def print_line(document: Any) -> None:
    """One of many documents, on a line of its own, at once."""
    click.echo(json.dumps(document, ensure_ascii=False, default=str))
    sys.stdout.flush()


def state(name: str) -> Text:
    """A state's sign and word in its color."""
    return Text(f"{_SIGNS.get(name, '·')} {name.replace('_', ' ')}", STYLES.get(name, ""))


def sign(name: str) -> Text:
    """A state's sign in its color."""
    return Text(_SIGNS.get(name, "·"), STYLES.get(name, ""))


def table(headers: Sequence[str], rows: Iterable[Sequence[str | Text]]) -> Table:
    """Columns without lines; where the width does not suffice, the last one is cut."""
    made = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bright_black")
    for header in headers[:-1]:
        made.add_column(header, no_wrap=True, overflow="ellipsis")
    made.add_column(headers[-1])
    for row in rows:
        *cells, last = (cell if isinstance(cell, Text) else Text(cell) for cell in row)
        last.no_wrap, last.overflow = True, "ellipsis"
        made.add_row(*cells, last)
    return made


def near(path: Path) -> Path:
    """The path from here, if it lies below this directory."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def paint(text: str, role: str) -> str:
    """ANSI colors for a drawing, as click would give them; use only where stdout is a terminal."""
    style = STYLES.get(role, "")
    if style == "bold":
        return click.style(text, bold=True)
    return click.style(text, fg=style) if style else text
