"""What a kernel is talked to over: ZeroMQ sockets, as Jupyter has them, or one Unix socket for what a zygote forks.

Both carry Jupyter's messages as jupyter_client makes them, without its client, whose channels cost more to set
up than a small notebook costs to run.
"""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol

from .direct import IOPUB, OWN, SHELL, Frames, pack

Message = dict[str, Any]
PORTS = {"shell_port": 1, "iopub_port": 2, "stdin_port": 3, "control_port": 4, "hb_port": 5}  # over IPC
_LAST_WORDS_SECONDS = 0.05
_UNREAD_BYTES = 64 << 20  # of broadcasts: then the kernel waits for us, instead of filling our memory


class Channels(Protocol):
    """A kernel's two ways to speak, and ours to it."""

    session: Any  # of jupyter_client: makes messages
    is_ordered: bool  # whether what comes, on whichever channel, comes in the order in which it was sent

    def send(self, message: Message) -> None:
        """Send a message of `session` on the shell channel."""

    async def shell(self) -> Message:
        """The next reply."""

    async def iopub(self) -> Message:
        """The next broadcast."""

    async def ask(self, operation: str, content: Mapping[str, Any]) -> Mapping[str, Any]:
        """Have a forked kernel do one of our own operations, ``assign`` or ``finish``; what it replies."""

    async def answer(self) -> Mapping[str, Any]:
        """The kernel's ``language_info``, once it hears us and we hear it."""

    def end(self, error: Exception) -> None:
        """The kernel has ended: whoever waits, or will, gets `error` once there is nothing more to hear."""

    def close(self) -> None:
        """Hear nothing more."""


class ZmqChannels:
    """Jupyter's own: a socket for requests, one for broadcasts."""

    is_ordered = False

    def __init__(self, connection: Mapping[str, Any], context: Any) -> None:
        import zmq
        from jupyter_client.session import Session

        self.session: Any = Session(key=connection["key"].encode(), username="mlops")
        self._connection = connection
        self._context = context
        self._shell = self._open(zmq.DEALER, "shell_port")
        self._iopub = self._open(zmq.SUB, "iopub_port")
        self._iopub.subscribe(b"")
        self._ended: asyncio.Future[Exception] = asyncio.get_running_loop().create_future()

    def end(self, error: Exception) -> None:
        if not self._ended.done():
            self._ended.set_result(error)

    def send(self, message: Message) -> None:
        # Not by ``session.send``: it goes behind the asyncio socket's back, and a reply that comes in meanwhile
        # would wake nobody.
        self._shell.send_multipart(self.session.serialize(message))

    async def shell(self) -> Message:
        return await self._receive(self._shell)

    async def iopub(self) -> Message:
        return await self._receive(self._iopub)

    async def ask(self, operation: str, content: Mapping[str, Any]) -> Mapping[str, Any]:
        reply = await self._reply_to(self._request(f"mlops_{operation}_request", content))
        body: Mapping[str, Any] = reply["content"]
        return body

    async def answer(self) -> Mapping[str, Any]:
        # jupyter_client's ``wait_for_ready`` ends by waiting 0.2 s for silence. There is no need: once a
        # request's own idle status has come over iopub, everything before it has come too.
        while True:
            message_id = self._request("kernel_info_request", {})
            try:
                async with asyncio.timeout(1.0):
                    reply = await self._reply_to(message_id)
                async with asyncio.timeout(0.05):
                    await self._idle_after(message_id)
            except TimeoutError:
                continue  # it does not listen yet, or the subscription came too late for this one
            info: Mapping[str, Any] = reply["content"]["language_info"]
            return info

    def close(self) -> None:
        for channel in (self._shell, self._iopub):
            channel.close(linger=0)

    def _request(self, kind: str, content: Mapping[str, Any]) -> str:
        message: Message = self.session.msg(kind, dict(content))
        self.send(message)
        return str(message["header"]["msg_id"])

    async def _reply_to(self, message_id: str) -> Message:
        while True:
            message = await self.shell()
            if message["parent_header"].get("msg_id") == message_id:
                return message

    async def _idle_after(self, message_id: str) -> None:
        while True:
            message = await self.iopub()
            if message["parent_header"].get("msg_id") == message_id and is_idle(message):
                return

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
            coming = asyncio.ensure_future(channel.recv_multipart())
            try:
                await asyncio.wait({coming, self._ended}, return_when=asyncio.FIRST_COMPLETED)
                if not coming.done():  # what the kernel sent before its end may still be on its way
                    await asyncio.wait({coming}, timeout=_LAST_WORDS_SECONDS)
                if not coming.done():
                    raise self._ended.result()
            finally:
                coming.cancel()
            _, parts = self.session.feed_identities(coming.result())
            try:
                message: Message = self.session.deserialize(parts)
            except ValueError:
                continue  # signed with another key: not from our kernel
            return message


class WireChannels(asyncio.Protocol):
    """One Unix socket, over which a forked kernel has come to us; frames are described in ``direct.py``.

    `on_hello` is called with this and the kernel's first words; `session` does not sign.
    """

    is_ordered = True

    def __init__(self, session: Any, on_hello: Callable[[WireChannels, Message], None]) -> None:
        self.session = session
        self._on_hello = on_hello
        self._language_info: Mapping[str, Any] = {}
        self._transport: Any = None
        self._frames = Frames()
        self._replies, self._broadcasts, self._own = _Inbox(), _Inbox(), _Inbox()
        self._unread_bytes = 0

    # --- the kernel's side ----------------------------------------------------------------------------

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        for channel, parts in self._frames.feed(data):
            self._take(channel, parts)
        if self._unread_bytes > _UNREAD_BYTES:
            self._transport.pause_reading()

    def _take(self, channel: int, parts: list[bytes]) -> None:
        if channel == IOPUB:
            size = sum(map(len, parts))
            self._unread_bytes += size
            self._broadcasts.put((size, _decode(parts)))
        elif channel == SHELL:
            self._replies.put(_decode(parts))
        else:
            document = json.loads(parts[0])
            if document.get("op") == "hello":
                self._language_info = document["language_info"]
                self._on_hello(self, document)
            else:
                self._own.put(document)

    # --- ours -----------------------------------------------------------------------------------------

    def send(self, message: Message) -> None:
        self._write(SHELL, self.session.serialize(message))

    def end(self, error: Exception) -> None:
        for inbox in (self._replies, self._broadcasts, self._own):
            inbox.end(error)

    async def shell(self) -> Message:
        message: Message = await self._replies.get()
        return message

    async def iopub(self) -> Message:
        size: int
        message: Message
        size, message = await self._broadcasts.get()
        was_full = self._unread_bytes > _UNREAD_BYTES
        self._unread_bytes -= size
        if was_full and self._unread_bytes <= _UNREAD_BYTES:
            self._transport.resume_reading()
        return message

    async def ask(self, operation: str, content: Mapping[str, Any]) -> Mapping[str, Any]:
        self._write(OWN, [json.dumps({**content, "op": operation}).encode()])
        reply: Mapping[str, Any] = await self._own.get()
        return reply

    async def answer(self) -> Mapping[str, Any]:
        return self._language_info

    def close(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def _write(self, channel: int, parts: list[bytes]) -> None:
        self._transport.write(pack(channel, parts))


def unsigned_session() -> Any:
    """What makes messages for the wires of one process."""
    from jupyter_client.session import Session

    session: Any = Session(username="mlops")
    session.auth = None
    return session


class _Inbox:
    """What has come and was not read yet, for one reader at a time; then, for ever, the error that ended it."""

    def __init__(self) -> None:
        self._items: deque[Any] = deque()
        self._error: Exception | None = None
        self._reader: asyncio.Future[None] | None = None

    def put(self, item: Any) -> None:
        self._items.append(item)
        self._wake()

    def end(self, error: Exception) -> None:
        self._error = error
        self._wake()

    async def get(self) -> Any:
        while not self._items:
            if self._error is not None:
                raise self._error
            self._reader = asyncio.get_running_loop().create_future()
            await self._reader
        return self._items.popleft()

    def _wake(self) -> None:
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)


_DELIMITER = b"<IDS|MSG>"


def _decode(parts: list[bytes]) -> Message:
    """A message in the form in which `Session.deserialize` gives it, but for dates, which nobody here reads."""
    at = parts.index(_DELIMITER) + 2  # the delimiter and a signature, which is empty
    header, parent, metadata, content = (json.loads(part) for part in parts[at : at + 4])
    return {
        "header": header,
        "msg_id": header["msg_id"],
        "msg_type": header["msg_type"],
        "parent_header": parent,
        "metadata": metadata,
        "content": content,
        "buffers": [memoryview(part) for part in parts[at + 4 :]],
    }


def is_idle(message: Message) -> bool:
    """Whether it says that the kernel has done what it was asked."""
    return bool(message["msg_type"] == "status" and message["content"]["execution_state"] == "idle")


def files_of(connection: Mapping[str, Any]) -> list[Path]:
    """What lies on the disk of an IPC connection: its file and its sockets."""
    if connection["transport"] != "ipc":
        return []
    prefix = Path(connection["ip"])
    names = [f"{prefix.name}.json", *(f"{prefix.name}-{number}" for number in PORTS.values())]
    return [prefix.with_name(name) for name in names]
