"""Driving one run: the loop between the state machine, the catalog, the cache and the backend.

The machine decides; here is done what it says. Facts are taken from the inbox in batches; a batch, with the
decisions that follow from it, is one transaction of the catalog; only when that is committed are its
instructions carried out. So whatever was acted on is in the log, and replaying the log is a resume.
"""

from __future__ import annotations

import contextlib
import heapq
import itertools
import math
import time
from collections.abc import Callable, Iterable, Iterator

from ..backends import JobKey, JobOutcome
from ..catalog.owner import HEARTBEAT_SECONDS, driving
from ..catalog.records import Run
from ..errors import MlopsError
from ..events import (
    TERMINAL,
    CancelRequested,
    CellExecuted,
    CellStarted,
    Event,
    OutputStreamed,
    RetryDue,
    RunStarted,
)
from ..pipelines import RunState
from ..pipelines.instructions import Instruction, Record, WaitForRetry
from ..standards import Observer
from .dispatch import Dispatch
from .inbox import Inbox
from .interrupts import interrupts
from .ledger import Ledger
from .logs import LogWriter
from .options import OnEvent, OnPlan

_STOP_SECONDS = 15.0  # how long notebooks may take to stop when the run makes way
_CANCEL_POLL_SECONDS = 0.5
_PROGRESS_SECONDS = 0.5  # how often the catalog is told which cell a task is in


class Preempted(Exception):
    """The run may not go on now. It is as if its runner had ended, and can be resumed."""


class Drive:
    """One run, from wherever its machine stands to its end."""

    def __init__(
        self,
        machine: RunState,
        ledger: Ledger,
        dispatch: Dispatch,
        inbox: Inbox,
        logs: LogWriter,
        *,
        on_event: OnEvent | None,
        on_plan: OnPlan | None,
        is_kept: Callable[[], bool] | None = None,
        observer: Observer | None = None,
    ) -> None:
        self.machine, self.ledger, self.dispatch = machine, ledger, dispatch
        self.inbox, self.logs = inbox, logs
        self.on_event, self.on_plan, self.observer = on_event, on_plan, observer
        self.is_kept = is_kept  # whether the run may go on; None: nobody may say otherwise
        self._answers: list[Event] = []  # facts that answer our own instructions
        self._timers: list[tuple[float, int, Event]] = []
        self._numbers = itertools.count()  # so that timers of one moment are never compared by event
        self._next_beat = 0.0
        self._next_cancel_poll = 0.0
        self._progress_written = 0.0

    def begin(self) -> Run:
        """Put the run into the catalog and drive it to its end; see `resume`."""
        with self._driving():
            tasks = self.ledger.begin()
            if self.on_plan is not None:
                self.on_plan(self.ledger.run, tasks)
            return self._go([RunStarted(run_id=self.machine.run_id)], ())

    def resume(self, pending: Iterable[Instruction], *, cancelled_by: str = "") -> Run:
        """Drive a run on from where it stands, and cancel it first if that is what it is taken up for.

        Ctrl-C cancels the run; a second one leaves at once, as does any error. The run can be resumed then.
        Raises `Conflict` if somebody else took the run up, `CatalogUnavailable`, `StorageUnavailable`.
        """
        with self._driving():
            tasks = self.ledger.take_over()
            if self.on_plan is not None:
                self.on_plan(self.ledger.run, tasks)
            facts: list[Event] = [RunStarted(run_id=self.machine.run_id)]
            if cancelled_by:
                facts.append(CancelRequested(run_id=self.machine.run_id, by=cancelled_by))
                self._next_cancel_poll = math.inf
            return self._go(facts, pending)

    @contextlib.contextmanager
    def _driving(self) -> Iterator[None]:
        run_id = self.machine.run_id
        with driving(run_id), interrupts(lambda: self._cancel("Ctrl-C")):
            try:
                yield
            finally:
                self.logs.close()
                self.dispatch.close()
                if self.ledger.run.state not in TERMINAL:
                    with contextlib.suppress(MlopsError):
                        self.ledger.release()
                if self.observer is not None:
                    self.observer.close()

    # --- the loop -------------------------------------------------------------------------------------------

    def _go(self, facts: list[Event], pending: Iterable[Instruction]) -> Run:
        self._commit(facts)
        self._do(pending)
        while self.machine.state is None:
            self._beat()
            facts, self._answers = self._answers, []
            mail = self.inbox.take(0.0 if facts else self._patience())
            facts += [*mail.facts, *self._due()]
            if mail.progress:  # it comes after the starts of this batch, and before its ends
                self._commit(facts)
                facts = []
                self._show(mail.progress)
            facts += [self._end(key, outcome) for key, outcome in mail.outcomes]
            self._commit(facts)
        return self.ledger.run

    def _end(self, key: JobKey, outcome: JobOutcome) -> Event:
        self.logs.end(key.task, key.attempt)
        return self.dispatch.outcome(key, outcome)

    def _due(self) -> Iterator[Event]:
        while self._timers and self._timers[0][0] <= time.monotonic():
            yield heapq.heappop(self._timers)[2]

    def _patience(self) -> float:
        due = [self._next_cancel_poll, self._next_beat, *(timer[0] for timer in self._timers[:1])]
        return max(0.0, min(due) - time.monotonic())

    def _commit(self, facts: list[Event]) -> None:
        """Feed the facts to the machine, write what follows, then tell it and do it."""
        if not facts:
            return
        instructions: list[Instruction] = []
        published: list[Event] = []
        for fact in facts:
            answers = self.machine.handle(fact)
            decided = [each.event for each in answers if isinstance(each, Record)]
            instructions += [each for each in answers if not isinstance(each, Record)]
            for event in (fact, *decided):
                self.ledger.note(event)
                published.append(event)
        self._write()
        for event in published:
            self._publish(event)
        self._do(instructions)

    def _do(self, instructions: Iterable[Instruction]) -> None:
        rest: list[Instruction] = []
        for instruction in instructions:
            match instruction:
                case WaitForRetry(task=task, attempt=attempt, delay_seconds=delay):
                    due = RetryDue(run_id=self.machine.run_id, task=task, attempt=attempt)
                    heapq.heappush(self._timers, (time.monotonic() + delay, next(self._numbers), due))
                case Record(event=event):  # the end, which a crash kept from the run's record
                    self.ledger.note(event)
                    self._write()
                    self._publish(event)
                case _:
                    rest.append(instruction)
        self._answers += self.dispatch.do(rest)

    def _write(self) -> None:
        self.ledger.write()
        self._next_beat = time.monotonic() + HEARTBEAT_SECONDS

    # --- meanwhile ------------------------------------------------------------------------------------------

    def _cancel(self, by: str) -> None:
        """May be called from a signal handler."""
        self._next_cancel_poll = math.inf
        self.inbox.put(CancelRequested(run_id=self.machine.run_id, by=by))

    def _beat(self) -> None:
        """Say that we are alive, and hear whether somebody wants the run to stop."""
        moment = time.monotonic()
        if moment >= self._next_beat:
            self._write()
        if moment >= self._next_cancel_poll:
            self._next_cancel_poll = moment + _CANCEL_POLL_SECONDS
            if self.ledger.is_cancel_requested():
                self._cancel("another process")
            elif self.is_kept is not None and not self.is_kept():
                self._make_way()

    def _make_way(self) -> None:
        """Stop what runs. Outcomes that come meanwhile are left in the blob store, where a resume finds them."""
        left = self.dispatch.interrupt()
        until = time.monotonic() + _STOP_SECONDS
        while left and time.monotonic() < until:
            left -= {key for key, _ in self.inbox.take(0.2).outcomes}
        raise Preempted(self.machine.run_id)

    def _show(self, events: list[Event]) -> None:
        for event in events:
            if isinstance(event, CellStarted | CellExecuted):
                self.ledger.progress(event)
            elif isinstance(event, OutputStreamed):
                self.logs.write(event)
            self._publish(event)
        if self.ledger.has_news and time.monotonic() - self._progress_written > _PROGRESS_SECONDS:
            self._progress_written = time.monotonic()
            self._write()

    def _publish(self, event: Event) -> None:
        if self.on_event is not None:
            self.on_event(event)
        if self.observer is not None:
            self.observer.handle(event)
