"""Executing one notebook: nbclient on a kernel of the pool, papermill's markers, no surprises.

What papermill leaves to chance is decided here. The kernel's death is seen at once; a timeout or a cancel
interrupts, waits a moment and then kills; memory has a limit; outputs are masked before anything is saved and
bounded in size; the directory belongs to the kernel, never to this process.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from ..errors import Cancelled, MlopsError, NotebookFailed, OutOfMemory, StorageUnavailable, TimedOut
from ..kernels import Kernel, KernelPool, KernelRequest
from ..resources import ResourceRequest, format_bytes
from . import markers
from .outputs import content_size, limit_outputs, read_artifacts, read_results
from .secrets import Mask
from .writer import NotebookWriter, autosaving

GRACE_SECONDS = 3.0
OUTPUT_LIMIT_BYTES = 8 << 20
_ANSI = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


class Blobs(Protocol):
    """Where outputs go that are too large for the notebook."""

    def put_bytes(self, data: bytes) -> str:
        """Store and return the digest."""


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
    """What came of it. `error` is None for a success; `text` is the executed notebook as a file holds it."""

    notebook: Mapping[str, Any]
    text: str
    results: Mapping[str, Any] = field(default_factory=dict)
    artifacts: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    error: MlopsError | None = None
    duration_seconds: float = 0.0
    peak_memory_bytes: int = 0


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
        nb, pool, request, output, limits or Limits(), mask or Mask(), blobs, progress or Progress(), cancel
    )
    execution.marks_error = marks_error
    return pool.run(execution.run())


class _Execution:
    """One execution, on the pool's loop."""

    def __init__(
        self,
        nb: dict[str, Any],
        pool: KernelPool,
        request: KernelRequest,
        output: Path | None,
        limits: Limits,
        mask: Mask,
        blobs: Blobs | None,
        progress: Progress,
        cancel: CancelToken | None,
    ) -> None:
        from nbformat import from_dict

        self.nb = from_dict(nb)
        self.pool, self.request, self.limits = pool, request, limits
        self.mask, self.blobs, self.progress, self.cancel = mask, blobs, progress, cancel
        self.writer = NotebookWriter(self.nb, output, self.flush)
        self.marks_error = True
        self.client: Any = None
        self.peak_memory_bytes = 0
        self._stop: asyncio.Future[MlopsError] = asyncio.Future(loop=pool.loop)
        self._timers: list[asyncio.TimerHandle] = []

    async def run(self) -> NotebookOutcome:
        started = time.monotonic()
        markers.begin(self.nb, _now())
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
            markers.mark_error(self.nb, error.cell)
            self.writer.touch()
        return await self._outcome(error, time.monotonic() - started)

    def stop(self, reason: MlopsError) -> None:
        """End the execution for `reason`; the first one counts."""
        if not self._stop.done():
            self._stop.set_result(reason)

    def flush(self) -> None:
        """Bring what the running cell has written so far into the notebook."""
        if self.client is not None:
            self.client.flush_streams()

    async def _with_kernel(self) -> MlopsError | None:
        acquiring = asyncio.ensure_future(self.pool.acquire(self.request))
        await asyncio.wait({acquiring, self._stop}, return_when=asyncio.FIRST_COMPLETED)
        if not acquiring.done():
            acquiring.cancel()
            with contextlib.suppress(asyncio.CancelledError, MlopsError):
                await self.pool.release(await acquiring)
            return self._stop.result()
        kernel = await acquiring
        watching = asyncio.create_task(self._watch_memory(kernel))
        try:
            self.client = _make_client(self, kernel)
            error = await self._until_done_or_stopped(kernel)
            self.nb["metadata"]["language_info"] = kernel.language_info
            if error is None:
                await kernel.finish()
            return error
        finally:
            self._note_memory(kernel)
            watching.cancel()
            await self.pool.release(kernel)

    async def _until_done_or_stopped(self, kernel: Kernel) -> MlopsError | None:
        work = asyncio.create_task(self._cells(kernel))
        await asyncio.wait({work, self._stop}, return_when=asyncio.FIRST_COMPLETED)
        if work.done():
            return work.result()
        reason = self._stop.result()
        if not isinstance(reason, OutOfMemory):
            await kernel.interrupt()
            await asyncio.wait({work}, timeout=GRACE_SECONDS)
        if not work.done():
            kernel.kill()
            await asyncio.wait({work}, timeout=GRACE_SECONDS)
        work.cancel()
        with contextlib.suppress(asyncio.CancelledError, MlopsError):
            await work
        return reason

    async def _cells(self, kernel: Kernel) -> MlopsError | None:
        from nbclient.exceptions import CellExecutionError, DeadKernelError

        cells = self.nb["cells"]
        total = sum(1 for cell in cells if _is_executed(cell))
        number = 0
        for index, cell in enumerate(cells):
            is_code = _is_executed(cell)
            number += is_code
            started = time.monotonic()
            markers.begin_cell(cell, _now())
            timer = None
            if is_code:
                self.progress.cell_started(number, total, _describe(cell))
                timer = self._start_timer(self.limits.cell_timeout_seconds, f"cell {index + 1}")
            self.client.number = number
            is_failed = False
            try:
                await self.client.async_execute_cell(cell, index)
            except CellExecutionError as failure:
                is_failed = True
                return _failure(failure, index, self.mask)
            except DeadKernelError:
                is_failed = True
                return kernel.death()
            finally:
                if timer is not None:
                    timer.cancel()
                self.client.close_streams()
                markers.end_cell(cell, _now(), is_failed=is_failed)
                self.writer.touch(index)
                if is_code:
                    self.progress.cell_executed(number, total, time.monotonic() - started)
        self.client.set_widgets_metadata()
        return None

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

    async def _watch_memory(self, kernel: Kernel) -> None:
        interval = 0.1 if self.limits.memory_bytes else 1.0
        while not kernel.exited.is_set():
            await asyncio.sleep(interval)
            used = self._note_memory(kernel)
            if self.limits.memory_bytes and used > self.limits.memory_bytes:
                self.stop(
                    OutOfMemory(
                        f"the kernel used {format_bytes(used)}, more than the {format_bytes(self.limits.memory_bytes)}"
                        " of its resource request",
                        hint="raise resources.memory of the task, or work on the data in parts",
                        used_bytes=used,
                    )
                )
                kernel.kill()
                return

    def _note_memory(self, kernel: Kernel) -> int:
        used = _memory_of(kernel.pid)
        self.peak_memory_bytes = max(self.peak_memory_bytes, used)
        return used

    async def _outcome(self, error: MlopsError | None, duration: float) -> NotebookOutcome:
        text = self.writer.text()
        try:
            if self.writer.path is not None:
                await asyncio.to_thread(self.writer.save, text)
        except StorageUnavailable as problem:
            error = error or problem
        return NotebookOutcome(
            notebook=self.nb,
            text=text,
            results=read_results(self.nb),
            artifacts=read_artifacts(self.nb),
            error=error,
            duration_seconds=duration,
            peak_memory_bytes=self.peak_memory_bytes,
        )

    def keep_output(self, output: Any) -> Any:
        """An output as it may be saved: masked, and no larger than the limit."""
        kept = self.mask.output(output) if self.mask else output
        if content_size(kept) > self.limits.output_bytes and self.blobs is not None:
            kept = limit_outputs(kept, self.limits.output_bytes, self.blobs)
        return kept


def _make_client(execution: _Execution, kernel: Kernel) -> Any:
    """nbclient, with its kernel given, its death watch immediate and its outputs ours.

    A class made here, since importing nbclient at the head of the module would cost every command 0.1 s.
    """
    from nbclient import NotebookClient
    from nbformat import from_dict

    class Client(NotebookClient):  # type: ignore[misc]
        number = 0

        async def _async_poll_kernel_alive(self) -> None:
            await kernel.exited.wait()
            # What the kernel had sent before its end may still be on its way.
            await asyncio.sleep(0.02)
            if self.task_poll_for_reply is not None:
                self.task_poll_for_reply.cancel()

        async def _async_check_alive(self) -> None:
            kernel.raise_if_dead()

        def output(
            self, outs: list[Any], msg: dict[str, Any], display_id: str | None, cell_index: int
        ) -> Any:
            if self.output_hook_stack[msg["parent_header"].get("msg_id")]:
                return super().output(outs, msg, display_id, cell_index)
            if msg["msg_type"] == "stream":
                if self.clear_before_next_output:
                    self.clear_output(outs, {**msg, "content": {"wait": False}}, cell_index)
                    self.clear_before_next_output = False
                self._stream(outs, msg["content"]["name"], msg["content"]["text"], cell_index)
                return None
            out = super().output(outs, msg, display_id, cell_index)
            if out is not None:
                execution.writer.touch(cell_index)
                kept = execution.keep_output(out)
                if kept is not out:
                    outs[-1] = from_dict(kept)
            return out

        def clear_output(self, outs: list[Any], msg: dict[str, Any], cell_index: int) -> None:
            super().clear_output(outs, msg, cell_index)
            execution.writer.touch(cell_index)

        def _update_display_id(self, display_id: str, msg: dict[str, Any]) -> None:
            msg["content"] = execution.mask.value(msg["content"]) if execution.mask else msg["content"]
            super()._update_display_id(display_id, msg)
            for index in self._display_id_map.get(display_id, {}):
                execution.writer.touch(index)

        # Streams are gathered in pieces: appending to one text is quadratic for a cell that prints a lot.

        def _stream(self, outs: list[Any], name: str, text: str, cell_index: int) -> None:
            key = (cell_index, name)
            if key not in self.masks:
                self.masks[key] = execution.mask.stream()
            shown = self.masks[key].feed(text)
            if not outs or outs[-1].get("output_type") != "stream" or outs[-1]["name"] != name:
                outs.append(from_dict({"output_type": "stream", "name": name, "text": ""}))
                self.pieces.append((outs[-1], []))
            elif not self.pieces or self.pieces[-1][0] is not outs[-1]:
                self.pieces.append((outs[-1], [outs[-1]["text"]]))
            self.pieces[-1][1].append(shown)
            execution.writer.touch(cell_index)
            if shown:
                execution.progress.streamed(self.number, name, shown)

        def flush_streams(self) -> None:
            for out, texts in self.pieces:
                if len(texts) > 1 or not out["text"]:
                    texts[:] = ["".join(texts)]
                    out["text"] = texts[0]

        def close_streams(self) -> None:
            """The cell is done: let go what the masks held back, and bound the size."""
            for (_, name), mask in self.masks.items():
                rest = mask.flush()
                if rest:
                    execution.progress.streamed(self.number, name, rest)
                    for out, texts in reversed(self.pieces):
                        if out["name"] == name:
                            texts.append(rest)
                            break
            self.flush_streams()
            for out, _ in self.pieces:
                out.update(execution.keep_output(out))
            self.pieces.clear()
            self.masks.clear()

    client = Client(
        execution.nb,
        timeout=None,
        iopub_timeout=86400 if kernel.is_warm else 30,  # a warm kernel's iopub loses nothing
        raise_on_iopub_timeout=True,
        record_timing=False,
        kernel_name=execution.request.kernel_name,
    )
    client.pieces, client.masks = [], {}
    client.kc = kernel.client
    client.reset_execution_trackers()
    return client


def _is_executed(cell: Mapping[str, Any]) -> bool:
    return cell["cell_type"] == "code" and bool(cell["source"].strip())


def _describe(cell: Mapping[str, Any]) -> str:
    """papermill's ``papermill_description=…``, or the first line that says something."""
    source: str = cell["source"]
    described = re.search(r"papermill_description=(\S+)", source)
    if described:
        return described.group(1)
    lines = [line.strip() for line in source.splitlines() if line.strip()]
    return next((line for line in lines if not line.startswith("#")), lines[0])[:80]


def _failure(failure: Any, index: int, mask: Mask) -> MlopsError | None:
    """What a cell's error means; ``sys.exit()`` and ``sys.exit(0)`` are papermill's way to stop early and well."""
    if failure.ename == "SystemExit" and failure.evalue in ("", "0", "None"):
        return None
    evalue = mask.text(_ANSI.sub("", failure.evalue))
    return NotebookFailed(
        f"cell {index + 1} raised {failure.ename}: {evalue}"
        if evalue
        else f"cell {index + 1} raised {failure.ename}",
        ename=failure.ename,
        evalue=evalue,
        traceback=mask.text(failure.traceback),
        cell=index,
    )


def _memory_of(pid: int) -> int:
    """Resident memory in bytes of a kernel and what it started; shared pages of the children are counted once."""
    import psutil

    try:
        process = psutil.Process(pid)
        used: int = process.memory_info().rss
        for child in process.children(recursive=True):
            with contextlib.suppress(psutil.Error):
                memory = child.memory_info()
                used += max(0, memory.rss - getattr(memory, "shared", 0))
    except psutil.Error:
        return 0
    return used


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
