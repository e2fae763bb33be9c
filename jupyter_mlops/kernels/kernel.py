"""One running kernel that answers, however it was started.

Talks Jupyter's protocol over two sockets: jupyter_client's message format, without its client, whose channels
cost more to set up than a small notebook costs to run.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from ..errors import KernelDied, KernelUnavailable, WorkerLost

READY_SECONDS = 60.0
FINISH_SECONDS = 5.0  # what Jupyter gives a kernel to shut down
PORTS = {"shell_port": 1, "iopub_port": 2, "stdin_port": 3, "control_port": 4, "hb_port": 5}

T = TypeVar("T")
Message = dict[str, Any]


class Kernel:
    """A kernel with its connection.

    `exited` is set at once when the process ends; `exit_status` is then its code, negative for a signal;
    `is_lost` says that it did not end by itself but fell with its zygote.
    """

    def __init__(self, connection: Mapping[str, Any], context: Any, *, is_warm: bool) -> None:
        from jupyter_client.session import Session

        self.is_warm = is_warm
        self.pid = 0
        self.exited = asyncio.Event()
        self.exit_status: int | None = None
        self.is_lost = False
        self.language_info: dict[str, Any] = {}
        self.session: Any = Session(key=connection["key"].encode(), username="mlops")
        self.on_interrupt: Callable[[], Awaitable[None]] | None = None
        self.on_finish: Callable[[], Awaitable[None]] | None = None
        self.on_close: Callable[[], Awaitable[None]] | None = None
        self._connection = connection
        self._context = context
        self._shell: Any = None
        self._iopub: Any = None

    # --- messages -------------------------------------------------------------------------------------

    def connect(self) -> None:
        """Open the channels."""
        import zmq

        self._shell = self._open(zmq.DEALER, "shell_port")
        self._iopub = self._open(zmq.SUB, "iopub_port")
        self._iopub.subscribe(b"")

    def send(self, kind: str, content: Mapping[str, Any]) -> str:
        """Send a message on the shell channel and return its id."""
        message: Message = self.session.msg(kind, dict(content))
        self.send_message(message)
        return str(message["header"]["msg_id"])

    def send_message(self, message: Message) -> None:
        """Send a message that the caller has made with `session` on the shell channel."""
        # Not by ``session.send``: it goes behind the asyncio socket's back, and a reply that comes in meanwhile
        # would wake nobody.
        self._shell.send_multipart(self.session.serialize(message))

    async def shell_message(self) -> Message:
        """The next message on the shell channel."""
        return await self._receive(self._shell)

    async def iopub_message(self) -> Message:
        """The next broadcast."""
        return await self._receive(self._iopub)

    async def shell_reply(self, message_id: str) -> Message:
        """The reply to a request on the shell channel; others are dropped."""
        while True:
            message = await self.shell_message()
            if message["parent_header"].get("msg_id") == message_id:
                return message

    async def answer(self, timeout_seconds: float = READY_SECONDS) -> None:
        """Return when the kernel answers on its shell and its broadcasts reach us.

        jupyter_client's ``wait_for_ready`` ends by waiting 0.2 s for silence. There is no need: once a
        request's own idle status has come over iopub, everything before it has come too.
        """
        self.connect()
        deadline = time.monotonic() + timeout_seconds
        while time.monotonic() < deadline:
            message_id = self.send("kernel_info_request", {})
            reply = await self.or_death(self.shell_reply(message_id), 1.0)
            if reply is None:
                continue
            if await self.or_death(self._idle_after(message_id), 0.05) is None:
                continue  # the subscription came too late for this one
            self.language_info = reply["content"]["language_info"]
            return
        raise KernelUnavailable(f"the kernel did not answer within {timeout_seconds:g} s")

    async def request(
        self, kind: str, content: Mapping[str, Any], timeout_seconds: float
    ) -> Mapping[str, Any]:
        """Send one of the zygote's own messages on the shell channel and return the reply's content."""
        reply = await self.or_death(self.shell_reply(self.send(kind, content)), timeout_seconds)
        if reply is None:
            raise KernelUnavailable(f"the kernel did not answer {kind} within {timeout_seconds:g} s")
        body: Mapping[str, Any] = reply["content"]
        if body.get("status") == "error":
            raise KernelUnavailable(f"the kernel could not be set up: {body['ename']}: {body['evalue']}")
        return body

    async def or_death(self, receiving: Awaitable[T], timeout_seconds: float | None = None) -> T | None:
        """What comes, or None when the time is up. Raises `KernelDied` or `WorkerLost` when the kernel has ended."""
        coming = asyncio.ensure_future(receiving)
        dying = asyncio.ensure_future(self.exited.wait())
        try:
            await asyncio.wait({coming, dying}, timeout=timeout_seconds, return_when=asyncio.FIRST_COMPLETED)
            if coming.done():
                return coming.result()
            if dying.done():
                raise self.death()
            return None
        finally:
            dying.cancel()
            coming.cancel()

    # --- life and death -------------------------------------------------------------------------------

    def note_exit(self, status: int, is_lost: bool) -> None:
        """Called once, by whoever watches the process."""
        if not self.exited.is_set():
            self.exit_status, self.is_lost = status, is_lost
            self.exited.set()

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
                await self.request("mlops_finish_request", {"timeout": timeout_seconds}, timeout_seconds + 1)

    def kill(self) -> None:
        """End the kernel, and whatever it started, now."""
        if not self.exited.is_set():
            self._signal(signal.SIGKILL)

    async def close(self) -> None:
        """Kill, close the channels, remove the sockets and the connection file."""
        if self.on_close is not None:
            await self.on_close()
        self.kill()
        for channel in (self._shell, self._iopub):
            if channel is not None:
                channel.close(linger=0)
        if self._connection["transport"] == "ipc":
            prefix = Path(self._connection["ip"])
            names = [f"{prefix.name}.json", *(f"{prefix.name}-{number}" for number in PORTS.values())]
            for name in names:
                with contextlib.suppress(OSError):
                    prefix.with_name(name).unlink()

    # --- inside ---------------------------------------------------------------------------------------

    def _open(self, kind: int, port: str) -> Any:
        transport, ip, number = self._connection["transport"], self._connection["ip"], self._connection[port]
        channel = self._context.socket(kind)
        channel.linger = 0
        channel.reconnect_ivl = 5  # ms; we are there before the kernel is, and would wait 100 ms to try again
        channel.rcvhwm = channel.sndhwm = 0  # late is better than dropped
        channel.connect(
            f"{transport}://{ip}-{number}" if transport == "ipc" else f"{transport}://{ip}:{number}"
        )
        return channel

    async def _receive(self, channel: Any) -> Message:
        while True:
            _, parts = self.session.feed_identities(await channel.recv_multipart())
            try:
                message: Message = self.session.deserialize(parts)
            except ValueError:
                continue  # signed with another key: not from our kernel
            return message

    async def _idle_after(self, message_id: str) -> Message:
        while True:
            message = await self.iopub_message()
            if message["parent_header"].get("msg_id") == message_id and is_idle(message):
                return message

    def _signal(self, number: int) -> None:
        for send in (os.killpg, os.kill):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                if self.pid:
                    send(self.pid, number)
                    return


def is_idle(message: Message) -> bool:
    """Whether it says that the kernel has done what it was asked."""
    return bool(message["msg_type"] == "status" and message["content"]["execution_state"] == "idle")
