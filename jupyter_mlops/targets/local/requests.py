"""The front's side to clients: HTTP/1.1 read with llhttp, one request at a time, limits on size and time."""

from __future__ import annotations

import asyncio
import json
import time
from collections import deque
from http import HTTPStatus
from typing import Any, Protocol

import httptools

from .links import Request

_HEAD_BYTES = 64 * 2**10
_BODY_BYTES = 64 * 2**20
_MOST_AHEAD = 16  # requests that a client may send before it has its answers
_SLOW_SECONDS = 30.0  # within a request nothing may be missing for so long
_IDLE_SECONDS = 300.0
# Of one connection only; what frames the message is written anew, so that both sides cut it alike.
_OWN = frozenset(
    b"connection keep-alive proxy-connection te trailer upgrade expect transfer-encoding content-length".split()
)
_WITH_BODY = {b"POST", b"PUT", b"PATCH"}


class Desk(Protocol):
    """What a client needs of the front."""

    clients: set[Client]
    is_ending: bool

    def dispatch(self, request: Request) -> None:
        """Have it answered."""


class Client(asyncio.Protocol):
    """One connection of a client."""

    def __init__(self, front: Desk) -> None:
        self.front = front
        self.transport: Any = None
        self.parser = httptools.HttpRequestParser(self)
        self.current: Request | None = None
        self.ahead: deque[Request] = deque()
        self.is_closing = self.says_no_more = False
        self.heard = time.perf_counter()
        self._clear()

    def _clear(self) -> None:
        self.url = b""
        self.head: list[bytes] = []
        self.head_bytes = 0
        self.body: list[bytes] = []
        self.body_bytes = 0
        self.is_within = False

    # --- asyncio --------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Somebody is there."""
        self.transport = transport
        self.front.clients.add(self)

    def connection_lost(self, error: Exception | None) -> None:
        """Nobody is there any more."""
        self.front.clients.discard(self)
        if self.current is not None:
            self.current.client = None
        self.ahead.clear()

    def data_received(self, data: bytes) -> None:
        """Read on."""
        self.heard = time.perf_counter()
        if self.is_closing:
            return
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._refuse(400, "this server speaks HTTP/1.1 only")  # or it is answered so, and then the end
        except httptools.HttpParserError:
            self._refuse(400, "that is no HTTP request")

    def eof_received(self) -> bool:
        """It has said everything, but may still listen."""
        self.says_no_more = True
        return self.current is not None

    # --- httptools ------------------------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        """A request begins."""
        self._clear()
        self.is_within = True

    def on_url(self, url: bytes) -> None:
        """A piece of the path."""
        self.url += url
        self._count(len(url))

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header."""
        self._count(len(name) + len(value) + 4)
        lower = name.lower()
        if lower not in _OWN:
            self.head.append(b"%b: %b\r\n" % (name, value))
        elif lower == b"expect" and value.lower() == b"100-continue" and not self.is_closing:
            self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def _count(self, size: int) -> None:
        self.head_bytes += size
        if self.head_bytes > _HEAD_BYTES:
            self._refuse(431, "the headers are too long")

    def on_body(self, body: bytes) -> None:
        """A piece of the body."""
        self.body_bytes += len(body)
        if self.body_bytes > _BODY_BYTES:
            self._refuse(413, f"a request may have at most {_BODY_BYTES // 2**20} MiB")
        elif not self.is_closing:
            self.body.append(body)

    def on_message_complete(self) -> None:
        """A request is here, whole."""
        self.is_within = False
        if self.is_closing:
            return
        method = self.parser.get_method()
        body = b"".join(self.body)
        length = b"content-length: %d\r\n" % len(body) if body or method in _WITH_BODY else b""
        data = b"%b %b HTTP/1.1\r\n%b%b\r\n%b" % (method, self.url, b"".join(self.head), length, body)
        request = Request(self, data, is_head=method == b"HEAD", keeps=self.parser.should_keep_alive())
        if self.current is None:
            self.current = request
            self.front.dispatch(request)
        else:
            self.ahead.append(request)
            if len(self.ahead) >= _MOST_AHEAD:
                self.transport.pause_reading()

    # --- answers --------------------------------------------------------------------------------------------

    def give(self, answer: bytes, *, is_last: bool) -> None:
        """The answer to the current request, then the next request."""
        request, self.current = self.current, None
        if self.transport.is_closing():
            return
        self.transport.write(answer)
        is_done = self.is_closing or self.front.is_ending or (self.says_no_more and not self.ahead)
        if is_last or is_done or request is None or not request.keeps:
            self.is_closing = True
            self.transport.close()
        elif self.ahead:
            if len(self.ahead) == _MOST_AHEAD:
                self.transport.resume_reading()
            self.current = self.ahead.popleft()
            self.front.dispatch(self.current)

    def say(self, status: int, told: str) -> None:
        """An answer of our own; the connection ends with it."""
        body = json.dumps({"error": told, "code": HTTPStatus(status).name.lower()}).encode()
        retry = b"retry-after: 1\r\n" if status == 503 else b""
        head = b"HTTP/1.1 %d %b\r\ncontent-type: application/json\r\ncontent-length: %d\r\nconnection: close\r\n%b\r\n"
        self.give(head % (status, HTTPStatus(status).phrase.encode(), len(body), retry) + body, is_last=True)

    def _refuse(self, status: int, told: str) -> None:
        if self.is_closing:
            return
        self.is_closing = True
        if self.current is not None:  # what was asked before has its answer first
            self.ahead.clear()
        else:
            self.say(status, told)

    # --- time -----------------------------------------------------------------------------------------------

    def sweep(self, moment: float) -> None:
        """Let go of one that does not speak, or does not listen."""
        silent = moment - self.heard
        if self.is_within and self.current is None and silent > _SLOW_SECONDS:
            self._refuse(408, "the request did not come to an end")
        elif self.is_closing and silent > _SLOW_SECONDS and self.current is None:
            self.transport.abort()
        elif self.current is None and not self.is_within and silent > _IDLE_SECONDS:
            self.transport.close()

    def end_if_idle(self) -> None:
        """The front ends: nothing new will be read."""
        if self.current is None and not self.is_within:
            self.is_closing = True
            self.transport.close()
