"""HTTP/1.1 over asyncio, by httptools' parser: as much of it as a model server needs, and every limit it needs.

A framework spends more on a request than a small model does: routing, scopes and messages of ASGI, a task each. Here a
request goes from the parser to one function. One sweep over all connections, some times a second, enforces every time
limit: a client that sends its head, its body or reads its answer too slowly is let go, and costs a few kilobytes until
then.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from email.utils import formatdate
from typing import Any
from urllib.parse import unquote

from .messages import Answer, Limits, Request, encode
from .refusals import Busy, Invalid, NoLength, NotReady, Refusal, TooLarge, TooManyHeaders, TooSlow

_SWEEP_SECONDS = 0.25
_LINGER_SECONDS = 3.0
_MOST_WAITING = 16  # requests that one connection may send ahead of their answers

Handler = Callable[[Request], Answer | Coroutine[Any, Any, Answer]]
Failed = Callable[[Request | None, Exception], Answer]


class Server:
    """The connections of one process. `handle` answers; `failed` makes an answer of what a handler raised."""

    def __init__(self, handle: Handler, failed: Failed, limits: Limits) -> None:
        self.handle, self.failed, self.limits = handle, failed, limits
        self.loop = asyncio.get_running_loop()
        self.connections: set[Connection] = set()
        self.is_draining = False
        self.held_bytes = 0
        self.date = b""
        self._sweeper = self.loop.create_task(self._sweep())

    def __call__(self) -> Connection:
        """A protocol for a new connection."""
        return Connection(self)

    async def _sweep(self) -> None:
        while True:
            self.date = f"date: {formatdate(usegmt=True)}\r\n".encode()
            now = self.loop.time()
            for connection in [one for one in self.connections if one.deadline < now]:
                connection.expire()
            await asyncio.sleep(_SWEEP_SECONDS)

    async def drain(self, seconds: float, quiet_seconds: float = 0.5) -> bool:
        """Let each connection have its last answer; whether all had it in time.

        A connection that is idle may carry a request that is on its way: it is closed only when nothing came for
        a moment. From now on every answer says that it is the connection's last.
        """
        self.is_draining = True
        end = self.loop.time() + seconds
        quiet_until = self.loop.time() + min(quiet_seconds, seconds / 2)
        while self.connections and self.loop.time() < end:
            if self.loop.time() >= quiet_until:
                for connection in [one for one in self.connections if one.is_idle]:
                    connection.close()
            await asyncio.sleep(0.02)
        is_empty = not self.connections
        for connection in list(self.connections):
            connection.abort()
        self._sweeper.cancel()
        return is_empty


class Connection(asyncio.Protocol):
    """One client. Its requests are answered one after the other, in the order in which they came."""

    def __init__(self, server: Server) -> None:
        import httptools

        self.server = server
        self.parser = httptools.HttpRequestParser(self)
        self.upgraded: type[Exception] = httptools.HttpParserUpgrade
        self.transport: Any = None
        self.deadline = 0.0
        self.task: asyncio.Task[None] | None = None
        self.waiting: deque[tuple[Request, bool]] = deque()
        self.phase = "idle"  # idle, head, body: what is read now
        self.is_closing = self.is_writing_slowly = False
        self.held_bytes = 0  # of the bodies that came and are not yet answered
        self._fresh()

    def _fresh(self) -> None:
        self.url = b""
        self.headers: dict[str, str] = {}
        self.pieces: list[bytes] = []
        self.size = self.head_size = 0

    # --- asyncio --------------------------------------------------------------------------------------------

    def connection_made(self, transport: Any) -> None:
        """A client is there; more than the limit are sent away at once."""
        self.transport = transport
        self.server.connections.add(self)
        self._until(self.server.limits.head_seconds)
        if len(self.server.connections) > self.server.limits.connections:
            self._refuse(NotReady("too many connections"))

    def connection_lost(self, exc: Exception | None) -> None:
        """It is gone; nobody waits for its answer."""
        self.is_closing = True
        self.server.connections.discard(self)
        self._release(self.held_bytes)
        self.waiting.clear()
        if self.task is not None:
            self.task.cancel()

    def eof_received(self) -> bool:
        """A half-closed client still reads its answers."""
        self.is_closing = True
        return self.task is not None or bool(self.waiting)

    def pause_writing(self) -> None:
        """The client does not read; it has this long."""
        self.is_writing_slowly = True
        self._until(self.server.limits.write_seconds)

    def resume_writing(self) -> None:
        """It reads again."""
        self.is_writing_slowly = False
        if self.waiting and self.task is None:
            self.server.loop.call_soon(self._next)
        else:
            self._await_next()

    def data_received(self, data: bytes) -> None:
        """Bytes for the parser."""
        if self.phase == "refused":
            return
        try:
            self.parser.feed_data(data)
        except self.upgraded:
            self.is_closing = True  # nothing else is spoken here: the answer is the last
        except Refusal as error:  # raised in a callback of ours
            self._refuse(error)
            return
        except Exception as error:  # noqa: BLE001 - the parser's own errors, and what it wraps of ours
            inner = error.__context__
            self._refuse(inner if isinstance(inner, Refusal) else Invalid("this is no HTTP request"))
            return
        if self.phase == "head":
            self.head_size += len(data)
            if self.head_size > self.server.limits.head_bytes:
                self._refuse(TooManyHeaders("the headers are too long"))

    # --- httptools ------------------------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        """The first line of a request."""
        self._fresh()
        self.phase = "head"
        self._until(self.server.limits.head_seconds)

    def on_url(self, url: bytes) -> None:
        """Its target, maybe in pieces."""
        self.url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header."""
        self.head_size += len(name) + len(value)
        if self.head_size > self.server.limits.head_bytes:
            raise TooManyHeaders("the headers are too long")
        self.headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        """The body follows, if one may."""
        self.phase = "body"
        if len(self.url) > self.server.limits.head_bytes:
            raise TooManyHeaders("the path is too long")
        self._until(self.server.limits.body_seconds)
        length = self.headers.get("content-length", "")
        if length.isdigit() and int(length) > self.server.limits.body_bytes:
            raise TooLarge(f"the body is larger than {self.server.limits.body_bytes} bytes")
        is_post = self.parser.get_method() in (b"POST", b"PUT", b"PATCH")
        if is_post and not length and "transfer-encoding" not in self.headers:
            raise NoLength("a body needs a content-length, or comes in chunks")
        if self.headers.get("expect", "").lower() == "100-continue" and self.task is None:
            self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, body: bytes) -> None:
        """A piece of the body."""
        self.size += len(body)
        if self.size > self.server.limits.body_bytes:
            raise TooLarge(f"the body is larger than {self.server.limits.body_bytes} bytes")
        self.pieces.append(body)
        self.held_bytes += len(body)
        self.server.held_bytes += len(body)
        if self.server.held_bytes > self.server.limits.held_bytes:
            raise Busy

    def on_message_complete(self) -> None:
        """A request is whole."""
        self.phase = "idle"
        path, _, query = self.url.partition(b"?")
        body = self.pieces[0] if len(self.pieces) == 1 else b"".join(self.pieces)
        text = path.decode("latin-1")
        if "%" in text:
            text = unquote(text, errors="replace")
        if text[:1] != "/":  # the absolute form, as proxies send it
            text = "/" + text.partition("://")[2].partition("/")[2]
        method = self.parser.get_method().decode("ascii")
        request = Request(method, text, query.decode("latin-1"), self.headers, body)
        self.pieces = []
        keep = self.parser.should_keep_alive()
        if self.task is not None or self.waiting or self.is_writing_slowly:
            self.waiting.append((request, keep))
            if len(self.waiting) >= _MOST_WAITING:
                self.transport.pause_reading()
            return
        self._begin(request, keep)

    # --- answering ------------------------------------------------------------------------------------------

    def _begin(self, request: Request, keep: bool) -> None:  # noqa: FBT001 - the parser's word
        self.deadline = float("inf")  # from here on the handler has its own limit
        try:
            answer = self.server.handle(request)
        except Exception as error:  # noqa: BLE001 - each becomes an answer
            answer = self.server.failed(request, error)
        if isinstance(answer, Answer):
            self._answer(request, answer, keep)
            return
        self.task = self.server.loop.create_task(self._finish(request, answer, keep))

    async def _finish(self, request: Request, coming: Coroutine[Any, Any, Answer], keep: bool) -> None:  # noqa: FBT001
        try:
            answer = await coming
        except asyncio.CancelledError:
            return
        except Exception as error:  # noqa: BLE001 - each becomes an answer
            answer = self.server.failed(request, error)
        self.task = None
        self._answer(request, answer, keep)

    def _answer(self, request: Request, answer: Answer, keep: bool) -> None:  # noqa: FBT001
        is_last = not keep or self.server.is_draining or (self.is_closing and not self.waiting)
        self._release(len(request.body))
        self.transport.write(encode(request.method, answer, self.server.date, is_last=is_last))
        if is_last:
            self.close()
            return
        if self.waiting:
            if not self.is_writing_slowly:
                self.server.loop.call_soon(self._next)
            return
        self._await_next()

    def _release(self, size: int) -> None:
        self.held_bytes -= size
        self.server.held_bytes -= size

    def _next(self) -> None:
        """The next of the requests that came ahead of their answers; a client that does not read gets no more."""
        is_free = self.task is None and not self.is_writing_slowly
        if self.waiting and is_free and not self.transport.is_closing():
            self.transport.resume_reading()
            self._begin(*self.waiting.popleft())

    def _await_next(self) -> None:
        if self.is_writing_slowly or self.task is not None:
            return
        limits = self.server.limits
        self._until(
            {"head": limits.head_seconds, "body": limits.body_seconds}.get(self.phase, limits.idle_seconds)
        )

    def _refuse(self, error: Refusal) -> None:
        """Answer what is no request, and close: where the next one would begin is not known."""
        self.phase, self.is_closing = "refused", True
        self.waiting.clear()
        if self.task is None:
            answer = self.server.failed(None, error)
            self.transport.write(encode("", answer, self.server.date, is_last=True))
            self._linger()

    # --- ending ---------------------------------------------------------------------------------------------

    @property
    def is_idle(self) -> bool:
        """Whether nothing of a request is here."""
        return self.task is None and not self.waiting and self.phase != "body" and self.phase != "head"

    def _until(self, seconds: float) -> None:
        self.deadline = self.server.loop.time() + seconds

    def _linger(self) -> None:
        """Read on, and throw away, for a moment: a connection that is closed over unread bytes is reset, and the
        client may never see why."""
        self._until(_LINGER_SECONDS)
        if self.transport.can_write_eof() and not self.transport.is_closing():
            self.transport.write_eof()

    def expire(self) -> None:
        """A time limit is over."""
        if self.is_writing_slowly or self.is_closing:
            self.abort()
        elif self.phase in ("head", "body") and self.task is None:
            self._refuse(TooSlow("the request did not come in time"))
        else:
            self.close()

    def close(self) -> None:
        """Send what is written, then end; a client that reads nothing is let go later."""
        self.is_closing = True
        self._until(self.server.limits.write_seconds)
        if self.task is None:
            self.transport.close()

    def abort(self) -> None:
        """End at once."""
        self.transport.abort()
