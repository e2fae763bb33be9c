"""A run on the terminal while it goes on: a board that moves, or a line for each thing that happens."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterable
from datetime import datetime

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from .. import words
from ..catalog.records import Run, TaskRun
from ..events import Event, RunWaits, TaskStateChanged, encode, now
from ..runner.board import Board, Row
from .output import console, is_interactive, print_line, sign

_FRAMES_A_SECOND = 10
_SPINNER = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"


class Watcher:
    """Shows a run. Give `on_plan` and `on_event` to the runner; they may be called from any thread."""

    def __init__(self) -> None:
        self.board = Board()
        self._lock = threading.Lock()

    def on_plan(self, run: Run, tasks: Iterable[TaskRun]) -> None:
        """The runner knows what it will do."""
        with self._lock:
            self.board.plan(run, tasks)
            self.planned()

    def on_event(self, event: Event) -> None:
        """Something happened."""
        with self._lock:
            self.board.handle(event)
            self.happened(event)

    def planned(self) -> None:
        """Show the plan."""

    def happened(self, event: Event) -> None:
        """Show the event."""

    def __enter__(self) -> Watcher:
        return self

    def __exit__(self, *_: object) -> None:
        """Leave the terminal as it was."""


class EventLines(Watcher):
    """``--json-events``: each event as one line of JSON."""

    def happened(self, event: Event) -> None:
        """One line."""
        print_line(encode(event))


class PlainLines(Watcher):
    """For logs: when a task starts, and how it ended."""

    def __init__(self, out: Console) -> None:
        super().__init__()
        self.out = out

    def planned(self) -> None:
        """The headline."""
        tasks = words.count(len(self.board.rows), "task")
        self.out.print(f"run {self.board.run_id} of {self.board.pipeline}: {tasks}", soft_wrap=True)

    def happened(self, event: Event) -> None:
        """One line a change of a task's state, or of what it waits for."""
        if isinstance(event, RunWaits):
            self.out.print(sign("queued"), Text(self.board.waits), soft_wrap=True)
        line = self.board.told(event)
        if line and isinstance(event, TaskStateChanged):
            self.out.print(sign(event.state), Text(line), soft_wrap=True)


class Moving(Watcher):
    """For people: one line a task, redrawn in place."""

    def __init__(self, out: Console) -> None:
        super().__init__()
        self.out = out
        self.frame = 0
        self.live = Live(
            console=out, get_renderable=self._render, refresh_per_second=_FRAMES_A_SECOND, transient=False
        )

    def __enter__(self) -> Watcher:
        self.live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.live.stop()

    def _render(self) -> RenderableType:
        with self._lock:
            self.frame += 1
            spinner = _SPINNER[self.frame % len(_SPINNER)]
            return picture(self.board, now(), height=self.out.height, spinner=spinner)


def watcher(*, is_json: bool, is_json_events: bool) -> Watcher:
    """The one that suits: silent, JSON lines, plain lines or a moving picture."""
    if is_json_events:
        return EventLines()
    if is_json:
        return Watcher()
    return Moving(console()) if is_interactive(sys.stdout) else PlainLines(console())


# --- the moving picture ---------------------------------------------------------------------------------


def picture(board: Board, moment: datetime, *, height: int, spinner: str) -> RenderableType:
    """The board as it stands at `moment`, in at most `height` lines."""
    if not board.rows:
        return Text(f"{spinner} checking the pipeline", "bright_black")
    rows = Table.grid(padding=(0, 2, 0, 0), expand=True)
    for is_flexible in (False, False, False, True):
        rows.add_column(no_wrap=True, overflow="ellipsis", ratio=1 if is_flexible else None)
    shown = board.telling(max(4, height - 5))
    for row in shown:
        glyph = Text(spinner, "blue") if row.state == "running" else sign(row.state)
        name = Text.assemble(glyph, " ", (row.task, "bright_black" if row.state in _PALE else "bold"))
        rows.add_row(name, _progress(row), _time(row, moment), _note(row))
    parts: list[RenderableType] = [_headline(board, moment), rows]
    if len(shown) < len(board.rows):
        parts.append(
            Text(f"  … and {words.count(len(board.rows) - len(shown), 'more task')}", "bright_black")
        )
    return Group(*parts, _footer(board))


_PALE = ("queued", "skipped")


def _headline(board: Board, moment: datetime) -> Text:
    seconds = words.lifetime(board.started_at, board.finished_at, moment)
    text = Text.assemble((board.pipeline or "…", "bold"), no_wrap=True, overflow="ellipsis")
    if board.run_id:
        text.append(f"  run {board.run_id}", "bright_black")
    text.append(f"  {words.duration(seconds)}", "bright_black")
    if board.waits:
        text.append(f"  {board.waits}", "yellow")
    if board.is_cancelling and board.finished_at is None:
        text.append("  stopping: running cells are being interrupted", "yellow")
    return text


def _footer(board: Board) -> Text:
    total, width = len(board.rows), 28
    filled = round(width * board.done / total) if total else 0
    color = "red" if board.count("failed", "upstream_failed") else "green"
    text = Text.assemble(
        ("━" * filled, color), ("━" * (width - filled), "bright_black"), f" {board.done}/{total}"
    )
    for name in ("running", "cached", "failed", "skipped"):
        number = board.count(name)
        if number:
            text.append(f"  {number} {name}", "bright_black")
    return text


def _progress(row: Row) -> Text:
    if row.state == "running" and row.cells:
        return Text(f"cell {row.cell}/{row.cells}", "blue")
    return Text(row.state.replace("_", " "), "bright_black" if row.state in _PALE else "")


def _time(row: Row, moment: datetime) -> Text:
    if row.started_at is None or row.is_waiting:
        return Text("")
    return Text(words.duration(words.lifetime(row.started_at, row.finished_at, moment)), "bright_black")


def _note(row: Row) -> Text:
    if row.state == "running":
        attempt = f"attempt {row.attempt} · " if row.attempt > 1 else ""
        return Text(
            attempt + (row.line or row.description), "bright_black italic" if row.line else "bright_black"
        )
    if row.state == "failed" or row.is_waiting:
        return Text(words.error_line(row.error) or row.reason, "red")
    if row.state == "succeeded" and row.results:
        return Text(words.mapping(row.results))
    return Text(row.reason, "bright_black")
