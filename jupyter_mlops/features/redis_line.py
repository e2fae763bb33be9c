"""A thread's own connection to Redis, for questions that have one answer: its socket, and hiredis to understand it.

redis-py connects (user and password, number of the database, TLS), and says hello. Its layers for what comes then
take half as long as the whole way to the server and back, so questions go without them; so does Python's own timeout,
which asks the kernel before each call whether there is anything to be had. The kernel keeps the time as well.
"""

from __future__ import annotations

import os
import socket
import struct
from contextlib import suppress
from typing import Any

_AT_ONCE = 65536  # bytes of an answer


class Line:
    """One connection, made when first asked, and again after `close`."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._calls: tuple[Any, Any, Any, Any] | None = None

    def ask(self, question: bytes) -> list[Any]:
        """The array that the server answers; whoever sees this fail closes the line, or takes the next one's answer
        for its own."""
        send, receive, feed, take = self._calls or self._open()
        answer: Any = False
        try:
            send(question)
            while type(answer) is not list:
                if answer is False:  # some of it is still on its way
                    data = receive(_AT_ONCE)
                    if not data:
                        raise ConnectionResetError("the server has closed the connection")
                    feed(data)
                elif isinstance(answer, Exception):
                    raise answer
                answer = take()  # a push is another kind of list, and nothing that was asked for
        except BlockingIOError as error:  # the kernel's timeout
            raise TimeoutError("it does not answer in time") from error
        return answer

    def _open(self) -> tuple[Any, Any, Any, Any]:
        import hiredis
        import redis

        self._connection.connect()
        line = self._connection._sock
        if line is None:
            raise ConnectionResetError("another thread has closed the store")
        reader = hiredis.Reader(protocolError=redis.InvalidResponse, replyError=redis.ResponseError)
        _let_the_kernel_wait(line)
        self._calls = line.sendall, line.recv, reader.feed, reader.gets
        return self._calls

    def close(self) -> None:
        """Let go of the connection, whatever is on its way."""
        self._calls = None
        self._connection.disconnect()


class PlainLine:
    """The same through redis-py alone, where hiredis is not installed."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def ask(self, question: bytes) -> list[Any]:
        """See `Line`."""
        self._connection.send_packed_command((question,), check_health=False)
        answer: list[Any] = self._connection.read_response()
        return answer

    def close(self) -> None:
        """See `Line`."""
        self._connection.disconnect()


def _let_the_kernel_wait(line: Any) -> None:
    """Make the socket's timeout the kernel's, where it has one; those of TLS speak with the kernel more than once."""
    seconds = line.gettimeout()
    if not seconds or type(line) is not socket.socket or os.name != "posix":
        return
    limit = struct.pack("ll", int(seconds), max(1, int(seconds % 1 * 1e6)))  # zero would be for ever
    with suppress(OSError):
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, limit)
        line.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)
        line.settimeout(None)
