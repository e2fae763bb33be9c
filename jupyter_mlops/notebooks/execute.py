"""Executing one notebook: its cells on a kernel of the pool, papermill's markers, no surprises.

What papermill leaves to chance is decided here. The kernel's death is seen at once; a timeout or a cancel
interrupts, waits a moment and then kills; memory has a limit; outputs are masked before anything is saved and
bounded in size; the directory belongs to the kernel, never to this process.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import os
import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ..errors import Cancelled, MlopsError, NotebookFailed, OutOfMemory, TimedOut
from ..kernels import Gauge, Kernel, KernelPool, KernelRequest
from ..kernels.kernel import FINISH_SECONDS
from ..resources import ResourceRequest, format_bytes
from . import markers
from .cells import CellFailed, CellRunner, is_executed
from .collector import Collector
from .outputs import Blobs, read_artifacts, read_results
from .secrets import Mask
from .writer import NotebookWriter, autosaving

GRACE_SECONDS = 3.0
_REPLY_SECONDS = 0.3  # between a kernel's idle status and its reply
OUTPUT_LIMIT_BYTES = 8 << 20
_WATCH_SECONDS, _SAMPLE_SECONDS = 0.1, 1.0  # between looks at what a kernel uses: with a limit, without
_ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


class Progress:
    """Told what happens while a notebook runs, on the kernel pool's loop: be quick. Override what you want."""

    def cell_started(self, cell: int, cells: int, description: str) -> None:
        """Code cell number `cell` of `cells` (from 1) begins."""

    def cell_executed(self, cell: int, cells: int, duration_seconds: float) -> None:
        """It is done."""

    def streamed(self, cell: int, name: str, text: str) -> None:
        """It wrote `text` to ``stdout`` or ``stderr``; secrets are masked."""


class CancelToken:
    """Asks for a stop from any thread, once and for all."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._callbacks: list[Callable[[], None]] = []
        self.is_cancelled = False

    def cancel(self) -> None:
        """Ask."""
        with self._lock:
            self.is_cancelled = True
            callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            callback()

    def on_cancel(self, callback: Callable[[], None]) -> None:
        """Call back when asked, or now if that was before."""
        with self._lock:
            if not self.is_cancelled:
                self._callbacks.append(callback)
                return
        callback()


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What an execution may use. None: no limit."""

    timeout_seconds: float | None = None
    cell_timeout_seconds: float | None = None
    memory_bytes: int | None = None
    output_bytes: int = OUTPUT_LIMIT_BYTES


@dataclass(frozen=True, slots=True, kw_only=True)
class NotebookOutcome:
    """What came of it. `error` is None for a success; `text` is the executed notebook as a file holds it.

    `cpu_seconds` is how long CPUs were busy with it, all of them together, and `cpus` how many it might use; None
    where no kernel was to be had.
    """

    notebook: Mapping[str, Any]
    text: str
    results: Mapping[str, Any] = field(default_factory=dict)
    artifacts: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    error: MlopsError | None = None
    duration_seconds: float = 0.0
    peak_memory_bytes: int = 0
    cpu_seconds: float | None = None
    cpus: int | None = None


def run_cells(
    nb: dict[str, Any],
    *,
    pool: KernelPool,
    request: KernelRequest,
    output: Path | None = None,
    limits: Limits | None = None,
    mask: Mask | None = None,
    blobs: Blobs | None = None,
    progress: Progress | None = None,
    cancel: CancelToken | None = None,
    marks_error: bool = True,
) -> NotebookOutcome:
    """Execute a prepared notebook (arguments injected), in place, from any thread.

    A notebook that fails, times out, is cancelled or loses its kernel is an outcome with an `error`; what
    cannot even start (`KernelUnavailable`) is too. The executed notebook is saved to `output` in every case;
    `marks_error` puts papermill's banner and anchor where it failed.
    """
    execution = _Execution(
        nb,
        pool,
        request,
        output=output,
        limits=limits or Limits(),
        mask=mask or Mask(),
        blobs=blobs,
        progress=progress or Progress(),
        cancel=cancel,
        marks_error=marks_error,
    )
    running = pool.submit(execution.run())
    try:
        return execution.saved(running.result())
    except KeyboardInterrupt:  # the kernel must not go on, and what it has done is to be saved
        pool.call_soon(execution.stop, Cancelled("interrupted"))
        concurrent.futures.wait([running], timeout=4 * GRACE_SECONDS)
        if running.done() and running.exception() is None:
            execution.saved(running.result())
        raise


class _Execution:
    """One execution, on the pool's loop, but for the last save."""

    def __init__(
        self,
        nb: dict[str, Any],
        pool: KernelPool,
        request: KernelRequest,
        *,
        output: Path | None,
        limits: Limits,
        mask: Mask,
        blobs: Blobs | None,
        progress: Progress,
        cancel: CancelToken | None,
        marks_error: bool,
    ) -> None:
        self.nb = nb
        self.pool, self.request, self.limits = pool, request, limits
        self.mask, self.progress, self.cancel, self.marks_error = mask, progress, cancel, marks_error
        markers.begin(nb, _now())
        self.collector = Collector(
            mask, limits.output_bytes, blobs, touched=self._touched, streamed=self._streamed
        )
        self.writer = NotebookWriter(nb, output, self.collector.flush)
        self._gauge: Gauge | None = None
        self._cpu_seconds: float | None = None
        self._peak = 0
        self._number = 0
        self._stop: asyncio.Future[MlopsError] = asyncio.Future(loop=pool.loop)
        self._timers: list[asyncio.TimerHandle] = []

    async def run(self) -> NotebookOutcome:
        started = time.monotonic()
        if self.cancel is not None:
            self.cancel.on_cancel(lambda: self.pool.call_soon(self.stop, Cancelled("cancelled")))
        self._start_timer(self.limits.timeout_seconds, "the notebook")
        async with autosaving(self.writer):
            try:
                error = await self._with_kernel()
            except MlopsError as problem:
                error = problem
        for timer in self._timers:
            timer.cancel()
        markers.end(self.nb, _now(), is_failed=error is not None)
        if isinstance(error, NotebookFailed) and self.marks_error:
            markers.mark_error(self.nb, error.fields["cell"])
            self.writer.touch()
        return NotebookOutcome(
            notebook=self.nb,
            text=self.writer.text(),
            results=read_results(self.nb),
            artifacts=read_artifacts(self.nb),
            error=error,
            duration_seconds=time.monotonic() - started,
            peak_memory_bytes=self._peak,
            cpu_seconds=self._cpu_seconds,
            cpus=None if self._gauge is None else self._gauge.cpus,
        )

    def saved(self, outcome: NotebookOutcome) -> NotebookOutcome:
        """The outcome, saved by the thread that waited for it; its error tells if that fails."""
        try:
            self.writer.save(outcome.text)
        except MlopsError as problem:
            return replace(outcome, error=outcome.error or problem)
        return outcome

    def stop(self, reason: MlopsError) -> None:
        """End the execution for `reason`; the first one counts."""
        if not self._stop.done():
            self._stop.set_result(reason)

    async def _with_kernel(self) -> MlopsError | None:
        acquiring = asyncio.ensure_future(self.pool.acquire(self.request))
        await _first_of(acquiring, self._stop)
        if self._stop.done():
            acquiring.cancel()
            with contextlib.suppress(asyncio.CancelledError, MlopsError):
                await self.pool.release(await acquiring)
            return self._stop.result()
        kernel = await acquiring
        gauge = self._gauge = Gauge(kernel.pid, is_forked=kernel.is_warm)
        watching = asyncio.create_task(self._watch(kernel, gauge))
        self.nb["metadata"]["language_info"] = kernel.language_info
        try:
            error = await self._until_done_or_stopped(kernel, gauge)
            if not kernel.is_warm:
                gauge.look()  # it will be gone
            await kernel.finish(FINISH_SECONDS if error is None else GRACE_SECONDS)
            return error
        finally:
            watching.cancel()
            gauge.look()
            self._peak = gauge.peak()
            self._cpu_seconds = gauge.cpu_seconds(kernel.exit_cpu_seconds)
            await self.pool.release(kernel)

    async def _until_done_or_stopped(self, kernel: Kernel, gauge: Gauge) -> MlopsError | None:
        runner = CellRunner(kernel, self.collector)
        work = asyncio.create_task(self._cells(runner))
        await _first_of(work, self._stop)
        if work.done() and not self._stop.done():
            return work.result()
        reason = self._stop.result()
        if not isinstance(reason, OutOfMemory):
            await self._interrupt(runner, work)
        if not work.done():
            gauge.look()
            kernel.kill()
            await asyncio.wait({work}, timeout=GRACE_SECONDS)
        work.cancel()
        with contextlib.suppress(asyncio.CancelledError, MlopsError):
            await work
        return reason

    async def _interrupt(self, runner: CellRunner, work: asyncio.Task[Any]) -> None:
        """Interrupt the cell, and let it clean up for a while.

        A kernel drops what comes before it has begun with the cell, and must then be told again. One that has
        begun is told once: a second interrupt would hit what the first one made it do.
        """
        deadline = time.monotonic() + GRACE_SECONDS
        had_begun = runner.has_begun.is_set()
        await runner.kernel.interrupt()
        if not had_begun:
            await _until(work, deadline, runner.has_begun, runner.is_over)
            if runner.has_begun.is_set() and not work.done():
                await runner.kernel.interrupt()
        await _until(work, deadline, runner.is_over)
        # Interrupted just before it came to the cell, a kernel is idle again and never replies.
        await asyncio.wait({work}, timeout=min(_REPLY_SECONDS, max(0.0, deadline - time.monotonic())))

    async def _cells(self, runner: CellRunner) -> MlopsError | None:
        try:
            error = await self._each_cell(runner)
        finally:
            runner.widgets.end()
        if widgets := runner.widgets.metadata():
            self.nb["metadata"]["widgets"] = self.collector.masked(widgets)
        return error

    async def _each_cell(self, runner: CellRunner) -> MlopsError | None:
        total = sum(map(is_executed, self.nb["cells"]))
        error = None
        for index, cell in enumerate(self.nb["cells"]):
            if self._stop.done():
                return None  # the reason is known to who stopped us
            markers.begin_cell(cell, _now())
            is_failed = True
            try:
                if is_executed(cell):
                    self._number += 1
                    await self._execute(runner, cell, index, total)
                is_failed = False
            except CellFailed as failure:
                error = _failure(failure, index, self.mask)
                break  # as a `sys.exit()` without an error does
            finally:
                markers.end_cell(cell, _now(), is_failed=is_failed)
                self.writer.touch(index)
        return error

    async def _execute(self, runner: CellRunner, cell: dict[str, Any], index: int, total: int) -> None:
        started = time.monotonic()
        self.progress.cell_started(self._number, total, _describe(cell))
        timer = self._start_timer(self.limits.cell_timeout_seconds, f"cell {index + 1}")
        try:
            await runner.execute(cell, index)
        finally:
            if timer is not None:
                timer.cancel()
            self.progress.cell_executed(self._number, total, time.monotonic() - started)

    def _start_timer(self, seconds: float | None, what: str) -> asyncio.TimerHandle | None:
        if not seconds:
            return None
        error = TimedOut(
            f"{what} took longer than its timeout of {seconds:g} s",
            hint="raise the timeout, or look at the saved notebook for the cell that was running",
        )
        timer = self.pool.loop.call_later(seconds, self.stop, error)
        self._timers.append(timer)
        return timer

    async def _watch(self, kernel: Kernel, gauge: Gauge) -> None:
        limit = self.limits.memory_bytes
        while not kernel.exited.is_set():
            await asyncio.sleep(_WATCH_SECONDS if limit else _SAMPLE_SECONDS)
            used = gauge.look()
            if limit and used > limit:
                self.stop(
                    OutOfMemory(
                        f"the kernel used {format_bytes(used)}, more than the {format_bytes(limit)}"
                        " of its resource request",
                        hint="raise resources.memory of the task, or work on the data in parts",
                        used_bytes=used,
                    )
                )
                kernel.kill()
                return

    def _touched(self, index: int) -> None:
        self.writer.touch(index)

    def _streamed(self, name: str, text: str) -> None:
        self.progress.streamed(self._number, name, text)


async def _until(work: asyncio.Task[Any], deadline: float, *events: asyncio.Event) -> None:
    """Wait for any of them, but not beyond the deadline."""
    waiting = [asyncio.create_task(event.wait()) for event in events]
    timeout = max(0.0, deadline - time.monotonic())
    await asyncio.wait({work, *waiting}, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
    for task in waiting:
        task.cancel()


async def _first_of(*futures: asyncio.Future[Any]) -> None:
    await asyncio.wait(futures, return_when=asyncio.FIRST_COMPLETED)


def _describe(cell: Mapping[str, Any]) -> str:
    """papermill's ``papermill_description=…``, or the first line that says something."""
    source: str = cell["source"]
    described = re.search(r"papermill_description=(\S+)", source)
    if described:
        return described.group(1)
    lines = [line.strip() for line in source.splitlines() if line.strip()]
    return next((line for line in lines if not line.startswith("#")), lines[0])[:80]


def _failure(failure: CellFailed, index: int, mask: Mask) -> MlopsError | None:
    """What a cell's error means; ``sys.exit()`` and ``sys.exit(0)`` are papermill's way to stop early and well."""
    if failure.ename == "SystemExit" and failure.evalue in ("", "0", "None"):
        return None
    evalue = mask.text(_ANSI.sub("", failure.evalue))
    return NotebookFailed(
        f"cell {index + 1} raised {failure.ename}" + (f": {evalue}" if evalue else ""),
        ename=failure.ename,
        evalue=evalue,
        traceback=mask.text("\n".join(failure.traceback)),
        cell=index,
    )


def limits_of(resources: ResourceRequest | None, **limits: Any) -> Limits:
    """The limits that a resource request means for a kernel."""
    return Limits(memory_bytes=resources.memory if resources else None, **limits)


def cpus_of(resources: ResourceRequest | None) -> int | None:
    """How many CPUs a kernel may use: whole ones, since affinity knows no halves."""
    if resources is None or resources.cpu is None:
        return None
    return max(1, min(os.cpu_count() or 1, round(resources.cpu + 0.49)))


def _now() -> datetime:
    return datetime.now(UTC)
