"""The front's side to replicas: connections that are kept, and what is on its way over them."""

from __future__ import annotations

import asyncio
import time
from typing import Any, Protocol

import httptools

_REST_SECONDS = 0.1  # a replica that cannot be reached is left alone for so long
_MOST_IDLE = 256  # kept connections a replica


class Asker(Protocol):
    """Who gets an answer: a client's connection."""

    def give(self, answer: bytes, *, is_last: bool) -> None:
        """Here it is."""

    def say(self, status: int, told: str) -> None:
        """There is none, and why."""


class Switch(Protocol):
    """What a link needs of the front."""

    def lost(self, request: Request, *, was_sent: bool) -> None:
        """It has no answer, and its replica is gone."""

    def answered(self, request: Request, status: int) -> None:
        """It has its answer."""


class Request:
    """One request, whole, as it is sent to a replica."""

    __slots__ = ("began", "client", "data", "is_head", "keeps", "lost")

    def __init__(self, client: Asker | None, data: bytes, *, is_head: bool, keeps: bool) -> None:
        self.client, self.data, self.is_head, self.keeps = client, data, is_head, keeps
        self.began = time.perf_counter()
        self.lost = 0  # replicas that ended with it in their hands


class Backend:
    """A replica, by its socket."""

    def __init__(self, path: str, front: Switch) -> None:
        self.path, self.front = path, front
        self.in_flight = 0
        self.idle: list[Link] = []
        self.rests_until = 0.0
        self.has_left = False
        self._connecting: set[asyncio.Task[None]] = set()

    @property
    def is_open(self) -> bool:
        """Whether a request may be sent there."""
        return not self.rests_until or time.perf_counter() > self.rests_until

    def send(self, request: Request) -> None:
        """Over a connection that is free, or over a new one."""
        self.in_flight += 1
        if self.idle:
            self.idle.pop().send(request)
        else:
            task = asyncio.get_running_loop().create_task(self._connect(request))
            self._connecting.add(task)
            task.add_done_callback(self._connecting.discard)

    async def _connect(self, request: Request) -> None:
        try:
            _, link = await asyncio.get_running_loop().create_unix_connection(lambda: Link(self), self.path)
        except OSError:
            self.failed(request, was_sent=False)
        else:
            self.rests_until = 0.0
            link.send(request)

    def failed(self, request: Request, *, was_sent: bool) -> None:
        """The replica is not there, or not any more."""
        self.in_flight -= 1
        self.rests_until = time.perf_counter() + _REST_SECONDS
        self.front.lost(request, was_sent=was_sent)

    def leave(self) -> None:
        """Send nothing more; what is on its way is waited for."""
        self.has_left = True
        for link in self.idle:
            link.transport.close()
        self.idle.clear()


class Link(asyncio.Protocol):
    """One connection to a replica: one request at a time."""

    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        self.transport: Any = None
        self.request: Request | None = None
        self.pieces: list[bytes] = []
        self.is_whole = self.stays = False
        self.parser = httptools.HttpResponseParser(self)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It is there."""
        self.transport = transport

    def send(self, request: Request) -> None:
        """Ask."""
        self.request = request
        self.transport.write(request.data)

    def data_received(self, data: bytes) -> None:
        """A piece of the answer."""
        if self.request is None:  # nobody asked: whatever it is, it must not become the next one's answer
            self.transport.close()
            return
        self.pieces.append(data)
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserError:
            self.transport.abort()
            return
        if self.is_whole:
            self._done()

    def on_headers_complete(self) -> None:
        """An answer to HEAD has no body, whatever its headers say."""
        if self.request is not None and self.request.is_head:
            self.is_whole = True

    def on_message_complete(self) -> None:
        """The answer is whole."""
        self.is_whole = True
        self.stays = self.parser.should_keep_alive()  # asked later, it has forgotten

    def _done(self) -> None:
        request, self.request = self.request, None
        assert request is not None  # noqa: S101 - an answer is to a request
        backend, pieces = self.backend, self.pieces
        backend.in_flight -= 1
        status = self.parser.get_status_code()
        stays = self.stays and not request.is_head
        self.pieces, self.is_whole, self.stays = [], False, False
        if stays and not backend.has_left and len(backend.idle) < _MOST_IDLE:
            backend.idle.append(self)
        else:
            self.transport.close()
        backend.front.answered(request, status)
        if request.client is not None:
            answer = pieces[0] if len(pieces) == 1 else b"".join(pieces)
            request.client.give(answer, is_last=not stays and not request.is_head)

    def connection_lost(self, error: Exception | None) -> None:
        """The replica has closed it, or is gone."""
        request, self.request = self.request, None
        if self in self.backend.idle:
            self.backend.idle.remove(self)
        if request is not None:
            self.backend.failed(request, was_sent=True)
