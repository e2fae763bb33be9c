"""One running kernel that answers, however it was started and whatever it is talked to over."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Awaitable, Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from ..errors import KernelDied, KernelUnavailable, WorkerLost
from .channels import Channels, Message

READY_SECONDS = 60.0
FINISH_SECONDS = 5.0  # what Jupyter gives a kernel to shut down


class Kernel:
    """A kernel with its channels and the `files` that go with it. Whoever waits for a message when it ends gets
    `KernelDied` or `WorkerLost`.

    `exited` is set at once when the process ends; `exit_status` is then its code, negative for a signal;
    `is_lost` says that it did not end by itself but fell with its zygote; `exit_cpu_seconds` is what it used of CPUs,
    if the system said so.
    """

    def __init__(self, channels: Channels, *, is_warm: bool, files: Iterable[Path] = ()) -> None:
        self.pid = 0
        self.is_warm = is_warm
        self.exited = asyncio.Event()
        self.exit_status: int | None = None
        self.is_lost = False
        self.exit_cpu_seconds: float | None = None
        self.language_info: Mapping[str, Any] = {}
        self.completed: tuple[str, ...] = ()  # modules that preloaded packages imported when they were used
        self.channels = channels
        self.on_interrupt: Callable[[], Awaitable[None]] | None = None
        self.on_finish: Callable[[], Awaitable[None]] | None = None
        self.on_close: Callable[[], Awaitable[None]] | None = None
        self._files = tuple(files)

    # --- messages -------------------------------------------------------------------------------------

    def send(self, kind: str, content: Mapping[str, Any]) -> str:
        """Send a message on the shell channel and return its id."""
        message: Message = self.channels.session.msg(kind, dict(content))
        self.channels.send(message)
        return str(message["header"]["msg_id"])

    async def iopub_message(self) -> Message:
        """The next broadcast."""
        return await self.channels.iopub()

    async def shell_reply(self, message_id: str) -> Message:
        """The reply to a request on the shell channel; others are dropped."""
        while True:
            message = await self.channels.shell()
            if message["parent_header"].get("msg_id") == message_id:
                return message

    async def answer(self, timeout_seconds: float = READY_SECONDS) -> None:
        """Return when the kernel answers and its broadcasts reach us."""
        try:
            async with asyncio.timeout(timeout_seconds):
                self.language_info = await self.channels.answer()
        except TimeoutError:
            raise KernelUnavailable(f"the kernel did not answer within {timeout_seconds:g} s") from None

    async def ask(
        self, operation: str, content: Mapping[str, Any], timeout_seconds: float
    ) -> Mapping[str, Any]:
        """Have a forked kernel do one of our own operations, ``assign`` or ``finish``; its reply."""
        try:
            async with asyncio.timeout(timeout_seconds):
                reply = await self.channels.ask(operation, content)
        except TimeoutError:
            raise KernelUnavailable(f"the kernel did not {operation} within {timeout_seconds:g} s") from None
        if reply.get("status") == "error":
            raise KernelUnavailable(f"the kernel could not {operation}: {reply['ename']}: {reply['evalue']}")
        return reply

    # --- life and death -------------------------------------------------------------------------------

    def note_exit(self, status: int, is_lost: bool, cpu_seconds: float | None = None) -> None:
        """Called once, by whoever watches the process."""
        if not self.exited.is_set():
            self.exit_status, self.is_lost, self.exit_cpu_seconds = status, is_lost, cpu_seconds
            self.exited.set()
            self.channels.end(self.death())

    def death(self) -> KernelDied | WorkerLost:
        """The error that tells how the kernel ended."""
        if self.is_lost:
            return WorkerLost("the kernel ended with its zygote")
        status = self.exit_status
        if status == -signal.SIGKILL:
            return KernelDied(
                "the kernel was killed (signal 9)",
                hint="often the system's out-of-memory killer; ask for more memory in the task's resources",
                exit_status=status,
            )
        if status is not None and status < 0:
            return KernelDied(
                f"the kernel crashed with {signal.Signals(-status).name}",
                hint="a crash in native code; the last cell that ran shows where",
                exit_status=status,
            )
        return KernelDied(f"the kernel ended by itself with exit code {status}", exit_status=status)

    async def interrupt(self) -> None:
        """As Jupyter's stop button does."""
        if self.exited.is_set():
            return
        if self.on_interrupt is not None:
            await self.on_interrupt()
        else:
            self._signal(signal.SIGINT)

    async def finish(self, timeout_seconds: float = FINISH_SECONDS) -> None:
        """What an interpreter does on its way out: threads, atexit callbacks, destructors, open files."""
        if self.exited.is_set():
            return
        with contextlib.suppress(KernelUnavailable, KernelDied, WorkerLost):
            if self.on_finish is not None:
                await self.on_finish()
            elif self.is_warm:
                reply = await self.ask("finish", {"timeout": timeout_seconds}, timeout_seconds + 1)
                self.completed = tuple(reply.get("completed", ()))

    def kill(self) -> None:
        """End the kernel, and whatever it started, now."""
        if not self.exited.is_set():
            self._signal(signal.SIGKILL)

    async def close(self) -> None:
        """Kill, close the channels, remove the sockets and the connection file."""
        if self.on_close is not None:
            await self.on_close()
        self.kill()
        self.channels.close()
        for path in self._files:
            with contextlib.suppress(OSError):
                path.unlink()

    # --- inside ---------------------------------------------------------------------------------------

    def _signal(self, number: int) -> None:
        for send in (os.killpg, os.kill):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                if self.pid:
                    send(self.pid, number)
                    return
