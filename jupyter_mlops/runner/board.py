"""What is known of a run while it goes on, gathered from its events. No clock, no terminal.

The live views of terminal and notebook, the plain lines of a CI log and the picture of a run read the same board.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from .. import events, words
from ..catalog.records import Run, TaskRun
from ..events import TERMINAL, Event

_TAIL = 2_000  # characters of a task's output that are kept to find its last line


@dataclass(slots=True)
class Row:
    """One task. `line` is the last line that its running notebook printed."""

    task: str
    state: str = "queued"
    attempt: int = 0
    cell: int = 0
    cells: int = 0
    description: str = ""
    line: str = ""
    reason: str = ""
    error: Mapping[str, Any] = field(default_factory=dict)
    results: Mapping[str, Any] = field(default_factory=dict)
    started_at: datetime | None = None
    finished_at: datetime | None = None
    tail: str = ""

    @property
    def is_done(self) -> bool:
        """Whether the state is one that stays."""
        return self.state in TERMINAL

    @property
    def is_waiting(self) -> bool:
        """Whether an attempt failed and another one will follow."""
        return self.state == "queued" and self.attempt > 0


class Board:
    """Rows by task, in the order of the plan; tasks that a map adds come last. `needs` has the planned tasks and
    what comes before each; the instances of a map are none of them."""

    def __init__(self, pipeline: str = "") -> None:
        self.pipeline = pipeline
        self.run_id = ""
        self.state = "queued"
        self.message = ""
        self.started_at: datetime | None = None
        self.finished_at: datetime | None = None
        self.is_cancelling = False
        self.waits = ""  # why it was not admitted yet
        self.rows: dict[str, Row] = {}
        self.needs: dict[str, tuple[str, ...]] = {}

    def plan(self, run: Run, tasks: Iterable[TaskRun]) -> None:
        """The run begins, or goes on: these are its tasks as they stand."""
        self.pipeline, self.run_id, self.state = run.pipeline, run.run_id, run.state
        self.message, self.is_cancelling = run.message, run.is_cancel_requested
        self.waits = run.message if run.state == "queued" and run.runner else ""
        self.started_at, self.finished_at = run.started_at or run.created_at, run.finished_at
        self.needs = {task["key"]: tuple(task.get("needs", ())) for task in run.plan.get("tasks", ())}
        for task in sorted(tasks, key=lambda task: task.position):
            self.rows[task.task] = Row(
                task=task.task,
                state=task.state,
                attempt=task.attempt,
                reason=task.reason,
                error=task.error,
                results=task.results,
                cell=task.cell,
                cells=task.cells,
                started_at=task.started_at,
                finished_at=task.finished_at,
            )

    def handle(self, event: Event) -> None:
        """Take note of an event."""
        match event:
            case events.RunStarted():
                self.state, self.started_at, self.waits = "running", self.started_at or event.at, ""
            case events.RunWaits():
                self.state, self.waits = "queued", words.forecast(event.reason, event.starts_at, event.at)
            case events.RunFinished():
                self.state, self.message, self.finished_at = event.state, event.message, event.at
            case events.CancelRequested():
                self.is_cancelling = True
            case events.TaskStateChanged():
                self._change(event)
            case events.CellStarted():
                row = self._row(event.task)
                row.cell, row.cells, row.description = event.cell, event.cells, event.description
            case events.OutputStreamed():
                self._stream(event)
            case events.AttemptStarted():
                row = self._row(event.task)
                row.attempt, row.started_at, row.finished_at = event.attempt, event.at, None
                row.cell, row.line, row.tail, row.error = 0, "", "", {}
            case events.AttemptSucceeded() | events.CacheHit():
                self._row(event.task).results = event.results
            case events.AttemptFailed() | events.TaskUnrunnable():
                self._row(event.task).error = event.error
            case _:
                pass

    def instances(self, key: str) -> list[Row]:
        """What a mapped task has become so far: ``train[0]``, ``train[1]``, …"""
        return [
            row for row in self.rows.values() if row.task.startswith(f"{key}[") and row.task not in self.needs
        ]

    def telling(self, most: int) -> list[Row]:
        """At most so many rows, in their order: if not all, those that say most."""
        rows = list(self.rows.values())
        if len(rows) <= most:
            return rows
        weight: Callable[[Row], int] = lambda row: (  # noqa: E731 - a key
            0 if row.state == "failed" else 1 if row.state == "running" else 2 if not row.is_done else 3
        )
        chosen = {row.task for row in sorted(rows, key=weight)[:most]}
        return [row for row in rows if row.task in chosen]

    def count(self, *states: str) -> int:
        """How many tasks are in these states."""
        return sum(row.state in states for row in self.rows.values())

    def told(self, event: Event) -> str:
        """The event as one line, ``train: succeeded in 1.2 s``, after `handle`; "" where it says too little."""
        if not isinstance(event, events.TaskStateChanged):
            return ""
        row = self.rows[event.task]
        if event.state == "queued" and not row.is_waiting:
            return ""
        return f"{event.task}: {plain_words(row)}"

    @property
    def done(self) -> int:
        """How many tasks are in a state that stays."""
        return sum(row.is_done for row in self.rows.values())

    def _row(self, task: str) -> Row:
        return self.rows.setdefault(task, Row(task=task))

    def _change(self, event: events.TaskStateChanged) -> None:
        row = self._row(event.task)
        row.state, row.reason = event.state, event.reason
        row.attempt = event.attempt or row.attempt
        if event.state == "running":
            row.started_at, row.finished_at = row.started_at or event.at, None
        elif row.is_done and row.started_at is not None:
            row.finished_at = event.at
        if event.state != "running":
            row.line = row.tail = ""

    def _stream(self, event: events.OutputStreamed) -> None:
        row = self._row(event.task)
        row.tail = (row.tail + event.text)[-_TAIL:]
        lines = (" ".join(part.split()) for part in reversed(re.split(r"[\r\n]", words.plain(row.tail))))
        row.line = next((line for line in lines if line), row.line)


def plain_words(row: Row) -> str:
    """How a task stands, as the rest of a sentence."""
    seconds = words.lifetime(row.started_at, row.finished_at, events.now())
    reason = words.error_line(row.error) or row.reason
    if row.is_waiting:
        return f"attempt {row.attempt} failed, another one will follow ({reason})"
    text = row.state.replace("_", " ")
    if row.state == "running":
        return f"{text}, attempt {row.attempt}" if row.attempt > 1 else text
    if row.state in ("succeeded", "failed", "cancelled") and seconds is not None:
        text += f" {'after' if row.state == 'cancelled' else 'in'} {words.duration(seconds)}"
    return f"{text}: {reason}" if reason else text
