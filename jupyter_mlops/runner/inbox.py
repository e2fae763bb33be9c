"""What the backend says, as facts for the machine. Its threads put it in; the run's own thread takes it out."""

from __future__ import annotations

import contextlib
import queue
from dataclasses import dataclass, field

from ..backends import JobKey, JobOutcome
from ..events import (
    AttemptCancelled,
    AttemptFailed,
    AttemptLost,
    AttemptStarted,
    AttemptSucceeded,
    CellExecuted,
    CellStarted,
    Event,
    OutputStreamed,
    TaskFact,
    measured,
)

_PROGRESS = (CellStarted, CellExecuted, OutputStreamed)
_MOST = 2000  # taken at once, so that a chatty cell keeps nobody waiting


@dataclass(slots=True)
class Mail:
    """What has come: facts, outcomes of attempts, and progress, each in order."""

    facts: list[Event] = field(default_factory=list)
    outcomes: list[tuple[JobKey, JobOutcome]] = field(default_factory=list)
    progress: list[Event] = field(default_factory=list)


class Inbox:
    """A `backends.Listener` that queues."""

    def __init__(self) -> None:
        self._queue: queue.SimpleQueue[Event | tuple[JobKey, JobOutcome]] = queue.SimpleQueue()

    def started(self, key: JobKey, worker: str) -> None:
        """See `backends.Listener`."""
        self._queue.put(AttemptStarted(run_id=key.run_id, task=key.task, attempt=key.attempt, worker=worker))

    def ended(self, key: JobKey, outcome: JobOutcome) -> None:
        """See `backends.Listener`."""
        self._queue.put((key, outcome))

    def progressed(self, event: Event) -> None:
        """See `backends.Listener`."""
        self._queue.put(event)

    def put(self, event: Event) -> None:
        """Add a fact; may be called from a signal handler."""
        self._queue.put(event)

    def take(self, patience_seconds: float) -> Mail:
        """Wait for news, then take what has come."""
        mail = Mail()
        with contextlib.suppress(queue.Empty):
            _sort(self._queue.get(timeout=patience_seconds), mail)
            for _ in range(_MOST):
                _sort(self._queue.get_nowait(), mail)
        return mail


def _sort(item: Event | tuple[JobKey, JobOutcome], mail: Mail) -> None:
    if isinstance(item, tuple):
        mail.outcomes.append(item)
    elif isinstance(item, _PROGRESS):
        mail.progress.append(item)
    else:
        mail.facts.append(item)


def fact_of(key: JobKey, outcome: JobOutcome) -> TaskFact:
    """The outcome of an attempt as the machine takes it."""
    match outcome.state:
        case "succeeded":
            return AttemptSucceeded(
                run_id=key.run_id,
                task=key.task,
                attempt=key.attempt,
                results=outcome.results,
                artifacts={name: told["reference"] for name, told in outcome.artifacts.items()},
                notebook=outcome.notebook,
                **measured(outcome),
            )
        case "failed":
            return AttemptFailed(
                run_id=key.run_id,
                task=key.task,
                attempt=key.attempt,
                error=outcome.error,
                error_class=outcome.error_class,
                notebook=outcome.notebook,
                **measured(outcome),
            )
        case "cancelled":
            return AttemptCancelled(
                run_id=key.run_id,
                task=key.task,
                attempt=key.attempt,
                notebook=outcome.notebook,
                **measured(outcome),
            )
        case _:
            reason = outcome.reason or "it left no outcome"
            return AttemptLost(run_id=key.run_id, task=key.task, attempt=key.attempt, reason=reason)
