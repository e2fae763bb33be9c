"""Waiting for admission, in the process that will drive the run: there need be no other.

While it waits, its run has this process as its runner, and its heartbeat. So anybody sees that somebody is
there, cancels it as any run, and a round of admission by whomever passes it over when its process is gone.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

from .. import words
from ..catalog import Catalog
from ..catalog.owner import HEARTBEAT_SECONDS, driving
from ..catalog.records import QueueEntry, Run
from ..errors import Conflict, MlopsError
from ..events import CancelRequested, Event, RunAdmitted, RunWaits, now
from ..queueing import Queue
from ..queueing.amounts import Amount
from .interrupts import interrupts

_LOOK_SECONDS = (0.05, 0.5)  # how often a waiting process looks at its entry: often at first, then less


class Seat:
    """The place in the queue of a run that this process drives, or will."""

    def __init__(
        self, queue: Queue, catalog: Catalog, run: Run, *, on_event: Callable[[Event], None]
    ) -> None:
        self._queue, self._catalog = queue, catalog
        self._run, self._on_event = run, on_event
        self._entry: QueueEntry | None = None
        self.granted = Amount()
        self.cancelled_by = ""
        self._is_leaving = False

    def wait(self, run: Run) -> Run:
        """Wait until the run may start, or shall not: then `cancelled_by` says by whom. Raises `Conflict` if
        somebody else takes it up meanwhile, `CatalogUnavailable`."""
        self._run, self._is_leaving = run, False
        self._queue.requeue(run.run_id)  # what a driver before us was granted is not ours
        stop = threading.Event()
        with driving(run.run_id), interrupts(stop.set), self._released_on_error():
            self._queue.take_turn(is_due=True)
            pause, beat_at = _LOOK_SECONDS[0], time.monotonic() + HEARTBEAT_SECONDS
            told: QueueEntry | None = None
            while not self._is_admitted():
                told = self._tell(told)
                if stop.is_set():
                    self.cancelled_by = "Ctrl-C"
                elif self._catalog.count(Run, where={"run_id": run.run_id, "is_cancel_requested": True}):
                    self.cancelled_by = "another process"
                if self.cancelled_by:
                    self._on_event(CancelRequested(run_id=run.run_id, by=self.cancelled_by))
                    break
                stop.wait(pause)
                pause = min(pause * 1.5, _LOOK_SECONDS[1])
                self._queue.take_turn()
                if time.monotonic() >= beat_at:
                    self._update(heartbeat_at=now())
                    beat_at = time.monotonic() + HEARTBEAT_SECONDS
            self._update(
                state="running", started_at=self._run.started_at or now(), heartbeat_at=now(), message=""
            )
        if not self.cancelled_by:
            self._on_event(RunAdmitted(run_id=run.run_id))
        return self._run

    def is_kept(self) -> bool:
        """Whether the run may go on: it was not told to make way, nor was its process taken for dead."""
        found = self._queue.find(self._run.run_id)
        self._is_leaving = found is not None and found.is_leaving
        return (
            found is not None
            and self._entry is not None
            and (found.state, found.admitted_at) == ("admitted", self._entry.admitted_at)
            and not found.is_leaving
        )

    @contextlib.contextmanager
    def taken(self) -> Iterator[None]:
        """While the run goes on: however that ends, others can have what it was granted at once."""
        try:
            yield
        finally:
            with contextlib.suppress(MlopsError):  # if the catalog does not answer: the next round sees to it
                self._queue.requeue(self._run.run_id, is_preempted=self._is_leaving)
                self._queue.take_turn(is_due=True)

    def _is_admitted(self) -> bool:
        self._entry = self._queue.find(self._run.run_id)
        if self._entry is None:
            raise Conflict(f"run {self._run.run_id} was taken out of the queue")
        if self._entry.state != "admitted":
            return False
        self.granted = Amount.read(self._entry.granted)
        return True

    def _tell(self, told: QueueEntry | None) -> QueueEntry | None:
        """Say why it waits, when there is something new to say."""
        entry = self._entry
        if entry is None or (
            told is not None and (told.reason, told.starts_at) == (entry.reason, entry.starts_at)
        ):
            return told
        told_by = RunWaits(
            run_id=entry.run_id,
            reason=entry.reason or "waits in the queue",
            position=entry.position,
            starts_at="" if entry.starts_at is None else entry.starts_at.isoformat(),
        )
        self._on_event(told_by)
        self._update(message=waits_for(told_by))
        return entry

    def _update(self, **changes: object) -> None:
        run_id, runner = self._run.run_id, self._run.runner
        if not self._catalog.compare_and_set(Run, run_id, {"runner": runner}, **changes):
            raise Conflict(f"run {run_id} was taken up by somebody else", hint=f"jupyter mlops show {run_id}")
        self._run = replace(self._run, **changes)  # type: ignore[arg-type]

    @contextlib.contextmanager
    def _released_on_error(self) -> Iterator[None]:
        try:
            yield
        except BaseException:
            with contextlib.suppress(MlopsError):
                self._catalog.compare_and_set(Run, self._run.run_id, {"runner": self._run.runner}, runner="")
            raise


def waits_for(event: RunWaits) -> str:
    """The reason with its forecast: ``waits for 1 gpu: …; about 12 min``."""
    return words.forecast(event.reason, event.starts_at, event.at)
