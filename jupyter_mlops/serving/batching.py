"""One prediction for all the requests that wait: what queued while the last one ran is the next batch.

There is no window to wait for, so that a lone request is as fast as without; under load the batch grows by itself.
A model predicts in one thread of its own, and the event loop stays free for health and new requests. If a batch
fails, its halves are tried, down to the one request that is at fault: its neighbors get their answers.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from .intake import Input
from .refusals import Busy, NotReady, TookTooLong

Predict = Callable[[Sequence[Input]], list[Any]]


@dataclass(slots=True, eq=False)
class Job:
    """One request's rows, until its answer is there."""

    input: Input
    future: asyncio.Future[Any]
    deadline: float
    queued_at: float
    outcome: Any = None
    error: BaseException | None = None


@dataclass(slots=True)
class Counted:
    """What the batches were like; `seen(rows, seconds)` is told of each."""

    seen: Callable[[int, int, float], None] = field(default=lambda requests, rows, seconds: None)


class Batcher:
    """Predicts for one version. `is_joined`: its rows do not depend on each other, so requests may share a call."""

    def __init__(
        self, predict: Predict, *, is_joined: bool, most_rows: int, most_waiting: int, counted: Counted
    ) -> None:
        self._predict = predict
        self._is_joined = is_joined
        self._most_rows = most_rows
        self._most_waiting = most_waiting
        self._counted = counted
        self._loop = asyncio.get_running_loop()
        self._waiting: deque[Job] = deque()
        self._running: list[Job] = []
        self._running_since = 0.0
        self._is_closed = False
        self.held = 0  # requests that chose this version, and will ask it as soon as their rows are read
        self._seconds = 0.0  # what a batch took lately
        self._batches: queue.SimpleQueue[list[Job] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="predict", daemon=True)
        self._thread.start()

    # --- in the event loop ----------------------------------------------------------------------------------

    @property
    def waiting(self) -> int:
        """How many requests are not yet being predicted."""
        return len(self._waiting)

    @property
    def is_idle(self) -> bool:
        """Whether nothing is asked of it, nor will be by a request that has chosen it."""
        return not self._running and not self._waiting and not self.held

    def stuck_seconds(self) -> float:
        """How long the present batch has been running."""
        return time.monotonic() - self._running_since if self._running else 0.0

    def submit(self, given: Input, seconds: float) -> asyncio.Future[Any]:
        """The predictions for these rows, to come; `Busy` when too many wait already."""
        if self._is_closed:
            raise NotReady("this version has ended")
        if len(self._waiting) >= self._most_waiting:
            raise Busy(self._seconds * len(self._waiting) / 8)
        now = time.monotonic()
        job = Job(given, self._loop.create_future(), now + seconds, now)
        self._waiting.append(job)
        if not self._running:
            self._start()
        return job.future

    def sweep(self) -> None:
        """End what took too long; called some times a second."""
        now = time.monotonic()
        for job in [*self._running, *self._waiting]:
            if job.deadline < now and not job.future.done():
                job.future.set_exception(TookTooLong("the prediction took too long"))

    def close(self) -> None:
        """End the thread when what is there is done."""
        if not self._is_closed:
            self._is_closed = True
            if not self._running:
                self._batches.put(None)

    def _start(self) -> None:
        batch: list[Job] = []
        rows = 0
        while self._waiting:
            job = self._waiting[0]
            if job.future.done():  # its client is gone, or its time is over
                self._waiting.popleft()
                continue
            if batch and (not self._is_joined or rows + job.input.rows > self._most_rows):
                break
            batch.append(self._waiting.popleft())
            rows += job.input.rows
        self._running = batch
        if batch:
            self._running_since = time.monotonic()
            self._batches.put(batch)
        elif self._is_closed:
            self._batches.put(None)

    def _done(self, batch: list[Job], seconds: float) -> None:
        self._seconds = 0.8 * self._seconds + 0.2 * seconds
        self._counted.seen(len(batch), sum(job.input.rows for job in batch), seconds)
        self._start()  # first, so that the thread has work while the answers are written
        for job in batch:
            if job.future.done():
                continue
            if job.error is not None:
                job.future.set_exception(job.error)
            else:
                job.future.set_result(job.outcome)

    # --- in the thread --------------------------------------------------------------------------------------

    def _work(self) -> None:
        while (batch := self._batches.get()) is not None:
            began = time.monotonic()
            self._run(batch)
            with contextlib.suppress(RuntimeError):  # the loop ended first
                self._loop.call_soon_threadsafe(self._done, batch, time.monotonic() - began)
            del batch

    def _run(self, batch: list[Job]) -> None:
        try:
            outcomes = self._predict([job.input for job in batch])
        except BaseException as error:  # noqa: BLE001 - whatever a model raises is its request's answer
            if len(batch) == 1:
                batch[0].error = _plain(error)
                return
            middle = len(batch) // 2
            self._run(batch[:middle])
            self._run(batch[middle:])
            return
        for job, outcome in zip(batch, outcomes, strict=True):
            job.outcome = outcome


class Raised(Exception):
    """What a model raised: a future takes no StopIteration, and SystemExit would end the server."""


def _plain(error: BaseException) -> BaseException:
    raised = Raised(f"{type(error).__name__}: {error}")
    raised.__cause__ = error
    return raised
