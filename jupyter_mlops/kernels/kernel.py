"""One running kernel that answers, however it was started."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from queue import Empty
from typing import Any

from ..errors import KernelDied, KernelUnavailable, WorkerLost

READY_SECONDS = 60.0


class Kernel:
    """A kernel with a connected client.

    `exited` is set at once when the process ends; `exit_status` is then its code, negative for a signal;
    `is_lost` says that it did not end by itself but fell with its zygote.
    """

    def __init__(self, connection: Mapping[str, Any], context: Any, *, is_warm: bool) -> None:
        from jupyter_client.asynchronous.client import AsyncKernelClient
        from jupyter_client.session import Session

        self.is_warm = is_warm
        self.pid = 0
        self.exited = asyncio.Event()
        self.exit_status: int | None = None
        self.is_lost = False
        self.language_info: dict[str, Any] = {}
        self.client: Any = AsyncKernelClient(
            context=context,
            session=Session(key=connection["key"].encode(), username="mlops"),
            **{name: connection[name] for name in connection if name.endswith("_port")},
            ip=connection["ip"],
            transport=connection["transport"],
        )
        self.on_interrupt: Callable[[], Any] | None = None
        self.on_close: Callable[[], Any] | None = None

    def note_exit(self, status: int, is_lost: bool) -> None:
        """Called once, by whoever watches the process."""
        if not self.exited.is_set():
            self.exit_status, self.is_lost = status, is_lost
            self.exited.set()

    async def answer(self, timeout_seconds: float = READY_SECONDS) -> None:
        """Return when the kernel answers on its shell and its broadcasts reach us.

        jupyter_client's ``wait_for_ready`` ends by waiting 0.2 s for silence. There is no need: once a
        request's own idle status has come over iopub, everything before it has come too.
        """
        self.client.start_channels(stdin=False, hb=False, control=False)
        deadline = time.monotonic() + timeout_seconds
        while time.monotonic() < deadline:
            self.raise_if_dead()
            message_id = self.client.kernel_info()
            try:
                reply = await self._shell_reply(message_id, 1.0)
                await self._idle_after(message_id, 0.1)
            except Empty:
                continue
            self.language_info = reply["content"]["language_info"]
            return
        raise KernelUnavailable(f"the kernel did not answer within {timeout_seconds:g} s")

    async def request(
        self, kind: str, content: Mapping[str, Any], timeout_seconds: float
    ) -> Mapping[str, Any]:
        """Send one of the zygote's own messages on the shell channel and return the reply's content."""
        message = self.client.session.msg(kind, dict(content))
        self.client.shell_channel.send(message)
        try:
            reply = await self._shell_reply(message["header"]["msg_id"], timeout_seconds)
        except Empty:
            self.raise_if_dead()
            raise KernelUnavailable(
                f"the kernel did not answer {kind} within {timeout_seconds:g} s"
            ) from None
        body: Mapping[str, Any] = reply["content"]
        if body.get("status") == "error":
            raise KernelUnavailable(f"the kernel could not be set up: {body['ename']}: {body['evalue']}")
        return body

    def raise_if_dead(self) -> None:
        """`KernelDied` (or `WorkerLost`) if the process has ended."""
        if self.exited.is_set():
            raise self.death()

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
        if self.on_interrupt is not None:
            await self.on_interrupt()
        elif not self.exited.is_set():
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGINT)

    async def finish(self, timeout_seconds: float = 5.0) -> None:
        """What an interpreter does on its way out: atexit callbacks, threads, open files."""
        if self.is_warm and not self.exited.is_set():
            with contextlib.suppress(KernelUnavailable, KernelDied, WorkerLost):
                await self.request("mlops_finish_request", {"timeout": timeout_seconds}, timeout_seconds + 1)

    def kill(self) -> None:
        """End the kernel, and whatever it started, now."""
        if self.pid and not self.exited.is_set():
            for kill in (os.killpg, os.kill):
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    kill(self.pid, signal.SIGKILL)

    async def close(self) -> None:
        """Kill, close the channels, remove the sockets and the connection file."""
        if self.on_close is not None:
            await self.on_close()
        self.kill()
        self.client.stop_channels()
        self.client.control_channel.close()
        if self.client.transport == "ipc":
            prefix = Path(self.client.ip)
            for path in [
                *(prefix.with_name(f"{prefix.name}-{n}") for n in range(1, 6)),
                prefix.with_suffix(".json"),
            ]:
                with contextlib.suppress(OSError):
                    path.unlink()

    async def _shell_reply(self, message_id: str, timeout_seconds: float) -> dict[str, Any]:
        """The reply to one request, or Empty; returns early when the kernel has died."""
        deadline = time.monotonic() + timeout_seconds
        while True:
            receiving = asyncio.ensure_future(
                self.client.shell_channel.get_msg(timeout=max(0.0, deadline - time.monotonic()))
            )
            dying = asyncio.ensure_future(self.exited.wait())
            try:
                await asyncio.wait({receiving, dying}, return_when=asyncio.FIRST_COMPLETED)
                if not receiving.done():
                    self.raise_if_dead()
                reply: dict[str, Any] = await receiving
            finally:
                dying.cancel()
                receiving.cancel()
            if reply["parent_header"].get("msg_id") == message_id:
                return reply

    async def _idle_after(self, message_id: str, timeout_seconds: float) -> None:
        while True:
            message = await self.client.iopub_channel.get_msg(timeout=timeout_seconds)
            if (
                message["parent_header"].get("msg_id") == message_id
                and message["msg_type"] == "status"
                and message["content"]["execution_state"] == "idle"
            ):
                return
