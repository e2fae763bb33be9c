"""The front as clients and replicas meet it: real sockets, replicas that answer, stumble, die."""

from __future__ import annotations

import asyncio
import json
import socket
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jupyter_mlops.targets.local import places
from jupyter_mlops.targets.local.front import Front
from jupyter_mlops.targets.local.requests import Client

Answer = Callable[[bytes, bytes], Awaitable[bytes | None]]


class Served:
    """A front with replicas whose behavior a test decides; `None` as an answer is a death."""

    def __init__(self, front: Front, address: tuple[str, int], folder: Path) -> None:
        self.front, self.address, self.folder = front, address, folder
        self.asked: dict[str, list[bytes]] = {}
        self.servers: dict[str, asyncio.Server] = {}
        self.writers: list[asyncio.StreamWriter] = []

    async def replica(self, name: str, answer: Answer) -> None:
        path = str(self.folder / name)
        self.asked[name] = []

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self.writers.append(writer)
            try:
                while True:
                    head = await reader.readuntil(b"\r\n\r\n")
                    length = [
                        line[16:]
                        for line in head.lower().split(b"\r\n")
                        if line.startswith(b"content-length: ")
                    ]
                    body = await reader.readexactly(int(length[0]) if length else 0)
                    self.asked[name].append(head + body)
                    told = await answer(head, body)
                    if told is None:
                        writer.transport.abort()
                        return
                    writer.write(told)
            except (asyncio.IncompleteReadError, ConnectionError):
                writer.close()

        self.servers[name] = await asyncio.start_unix_server(serve, path)
        places.write(self.front.at.backends, {"sockets": [str(self.folder / each) for each in self.servers]})
        self.front.look()

    async def say(self, data: bytes, *, until_closed: bool = False) -> bytes:
        reader, writer = await asyncio.open_connection(*self.address)
        try:
            writer.write(data)
            if until_closed:
                return await asyncio.wait_for(reader.read(), 20)
            return await asyncio.wait_for(whole(reader), 20)
        finally:
            writer.close()


async def whole(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    (length,) = [line[16:] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length: ")]
    return head + await reader.readexactly(int(length))


@asynccontextmanager
async def served() -> AsyncIterator[Served]:
    with tempfile.TemporaryDirectory(prefix="front") as text:
        folder = Path(text)
        listener = socket.create_server(("127.0.0.1", 0))
        address = listener.getsockname()[:2]
        front = Front(folder, listener)
        server = await asyncio.get_running_loop().create_server(lambda: Client(front), sock=listener)

        async def look() -> None:
            while True:
                front.look()
                front.sweep()
                await asyncio.sleep(0.02)

        looking = asyncio.create_task(look())
        made = Served(front, address, folder)
        yield made
        looking.cancel()
        for each in [server, *made.servers.values()]:
            each.close()
        for client in list(front.clients):
            client.transport.abort()
        for backend in front.backends.values():
            backend.leave()
        for writer in made.writers:
            writer.transport.abort()
        await asyncio.sleep(0.03)  # until all of them have noticed


def ok(body: bytes = b"fine", more: bytes = b"") -> bytes:
    return b"HTTP/1.1 200 OK\r\n%bcontent-length: %d\r\n\r\n%b" % (more, len(body), body)


def answering(body: bytes) -> Answer:
    async def answer(head: bytes, sent: bytes) -> bytes:
        return ok(body)

    return answer


async def echo(head: bytes, body: bytes) -> bytes:
    return ok(head.split(b"\r\n")[0] + b"|" + body)


async def dying(head: bytes, body: bytes) -> None:
    return None


def post(body: bytes, path: bytes = b"/invocations", more: bytes = b"") -> bytes:
    return b"POST %b HTTP/1.1\r\nhost: x\r\n%bcontent-length: %d\r\n\r\n%b" % (path, more, len(body), body)


def run(test: Callable[[Served], Awaitable[Any]]) -> Any:
    async def go() -> Any:
        async with served() as made:
            return await test(made)

    return asyncio.run(go())


def test_a_request_goes_through_and_its_answer_comes_back_as_it_was() -> None:
    async def test(at: Served) -> None:
        await at.replica("one", answering(b'{"predictions":[1]}'))
        told = await at.say(post(b'{"inputs":[1]}', more=b"X-Mine: yes\r\nConnection: keep-alive\r\n"))
        assert told == ok(b'{"predictions":[1]}')
        (asked,) = at.asked["one"]
        assert asked.startswith(b"POST /invocations HTTP/1.1\r\n")
        assert b"X-Mine: yes" in asked
        assert b"onnection" not in asked  # of one hop only
        assert asked.endswith(b"\r\n\r\n" + b'{"inputs":[1]}')

    run(test)


def test_requests_that_are_sent_ahead_are_answered_in_their_order() -> None:
    async def test(at: Served) -> None:
        async def slow_first(head: bytes, body: bytes) -> bytes:
            await asyncio.sleep(0.1 if body == b"0" else 0)
            return ok(body)

        await at.replica("one", slow_first)
        await at.replica("two", slow_first)
        reader, writer = await asyncio.open_connection(*at.address)
        writer.write(b"".join(post(b"%d" % number) for number in range(40)))
        told = [(await asyncio.wait_for(whole(reader), 10))[-2:].strip() for _ in range(40)]
        assert told == [b"%d" % number for number in range(40)]
        writer.close()

    run(test)


def test_chunks_are_put_together_and_what_frames_the_message_is_made_anew() -> None:
    async def test(at: Served) -> None:
        await at.replica("one", echo)
        chunked = b"POST /x HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
        assert (await at.say(chunked)).endswith(b"POST /x HTTP/1.1|abcde")
        (asked,) = at.asked["one"]
        assert b"transfer-encoding" not in asked
        assert b"content-length: 5" in asked

    run(test)


@pytest.mark.parametrize(
    "smuggled",
    [
        b"POST /x HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\nG",
        b"POST /x HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nabcdef",
        b"POST /x HTTP/1.1\r\nhost: x\r\ncontent-length: +5\r\n\r\nabcde",
        b"GET /x HTTP/1.1\r\nhost: x\r\nevil : 1\r\n\r\n",
        b"nonsense\r\n\r\n",
    ],
)
def test_what_could_be_read_in_two_ways_is_refused(smuggled: bytes) -> None:
    async def test(at: Served) -> None:
        await at.replica("one", echo)
        told = await at.say(smuggled, until_closed=True)
        assert told.startswith(b"HTTP/1.1 400 ")
        assert json.loads(told.partition(b"\r\n\r\n")[2])["error"]
        assert at.asked["one"] == []

    run(test)


def test_a_request_for_another_protocol_is_answered_in_this_one() -> None:
    async def test(at: Served) -> None:
        await at.replica("one", echo)
        asked = (
            b"GET /x HTTP/1.1\r\nhost: x\r\nupgrade: h2c\r\nconnection: upgrade\r\n\r\nPRI * HTTP/2.0\r\n\r\n"
        )
        assert await at.say(asked, until_closed=True) == ok(b"GET /x HTTP/1.1|")
        assert b"h2c" not in at.asked["one"][0]

    run(test)


def test_a_replica_that_dies_before_it_has_answered_costs_nobody_a_request() -> None:
    async def test(at: Served) -> None:
        await at.replica("one", dying)
        await at.replica("two", answering(b"fine"))
        for _ in range(6):
            assert await at.say(post(b"{}")) == ok(b"fine")
        assert at.front.retried >= 1
        assert at.front.errors == 0

    run(test)


def test_half_an_answer_is_no_answer() -> None:
    async def test(at: Served) -> None:
        async def breaking_off(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf")
            await writer.drain()
            writer.transport.abort()

        at.servers["one"] = await asyncio.start_unix_server(breaking_off, str(at.folder / "one"))
        await at.replica("two", answering(b"fine"))
        for _ in range(4):
            assert await at.say(post(b"{}")) == ok(b"fine")

    run(test)


def test_a_request_that_kills_replicas_kills_three_at_most() -> None:
    async def test(at: Served) -> None:
        for name in ("one", "two", "three", "four"):
            await at.replica(name, dying)
        told = await at.say(post(b"{}"))
        assert told.startswith(b"HTTP/1.1 502 ")
        assert sum(map(len, at.asked.values())) == 3

    run(test)


def test_while_nobody_answers_requests_wait() -> None:
    async def test(at: Served) -> None:
        waiting = asyncio.create_task(at.say(post(b"{}")))
        await asyncio.sleep(0.2)
        assert not waiting.done()
        await at.replica("one", answering(b"here"))
        assert await waiting == ok(b"here")

    run(test)


def test_nobody_waits_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jupyter_mlops.targets.local.front._PATIENCE_SECONDS", 0.1)

    async def test(at: Served) -> None:
        told = await at.say(post(b"{}"), until_closed=True)
        assert told.startswith(b"HTTP/1.1 503 ")
        assert b"retry-after: 1" in told

    run(test)


def test_a_model_that_never_answers_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jupyter_mlops.targets.local.front._ANSWER_SECONDS", 0.1)

    async def test(at: Served) -> None:
        async def never(head: bytes, body: bytes) -> bytes:
            await asyncio.sleep(0.4)
            return ok(b"late")

        await at.replica("one", never)
        assert (await at.say(post(b"{}"), until_closed=True)).startswith(b"HTTP/1.1 504 ")
        await asyncio.sleep(0.5)  # its answer comes after all, and goes to nobody
        assert (at.front.requests, len(at.front.flying)) == (1, 0)

    run(test)


def test_a_replica_that_leaves_finishes_what_it_has_begun() -> None:
    async def test(at: Served) -> None:
        async def slow(head: bytes, body: bytes) -> bytes:
            await asyncio.sleep(0.2)
            return ok(b"old")

        await at.replica("one", slow)
        asked = asyncio.create_task(at.say(post(b"{}")))
        await asyncio.sleep(0.05)
        leaving = at.servers.pop("one")
        await at.replica("two", answering(b"new"))
        assert await at.say(post(b"{}")) == ok(b"new")
        assert await asked == ok(b"old")
        leaving.close()

    run(test)


def test_the_one_with_least_to_do_is_asked() -> None:
    async def test(at: Served) -> None:
        async def slow(head: bytes, body: bytes) -> bytes:
            await asyncio.sleep(0.3)
            return ok()

        await at.replica("busy", slow)
        first = asyncio.create_task(at.say(post(b"{}")))
        await asyncio.sleep(0.05)
        await at.replica("idle", answering(b"fine"))
        for _ in range(5):
            await at.say(post(b"{}"))
        assert (len(at.asked["busy"]), len(at.asked["idle"])) == (1, 5)
        await first

    run(test)


def test_head_has_no_body_and_the_connection_goes_on() -> None:
    async def test(at: Served) -> None:
        async def answer(head: bytes, body: bytes) -> bytes:
            return b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\n" if head.startswith(b"HEAD") else ok()

        await at.replica("one", answer)
        reader, writer = await asyncio.open_connection(*at.address)
        writer.write(b"HEAD /ping HTTP/1.1\r\nhost: x\r\n\r\n")
        assert b"content-length: 4" in await reader.readuntil(b"\r\n\r\n")
        writer.write(post(b"{}"))
        assert await asyncio.wait_for(whole(reader), 5) == ok()
        writer.close()

    run(test)


def test_a_large_body_is_asked_for_and_a_too_large_one_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jupyter_mlops.targets.local.requests._BODY_BYTES", 1_000_000)

    async def test(at: Served) -> None:
        await at.replica("one", echo)
        reader, writer = await asyncio.open_connection(*at.address)
        writer.write(b"POST /x HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 500000\r\n\r\n")
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        writer.write(b"x" * 500_000)
        assert len(await asyncio.wait_for(whole(reader), 5)) > 500_000
        writer.close()
        assert (await at.say(post(b"x" * 1_000_001), until_closed=True)).startswith(b"HTTP/1.1 413 ")
        long = b"GET /x HTTP/1.1\r\nhost: x\r\nlong: " + b"x" * 70_000 + b"\r\n\r\n"
        assert (await at.say(long, until_closed=True)).startswith(b"HTTP/1.1 431 ")

    run(test)


def test_a_client_that_stops_in_the_middle_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jupyter_mlops.targets.local.requests._SLOW_SECONDS", 0.1)

    async def test(at: Served) -> None:
        await at.replica("one", echo)
        told = await at.say(
            b"POST /x HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\nabc", until_closed=True
        )
        assert told.startswith(b"HTTP/1.1 408 ")

    run(test)


def test_a_client_that_goes_away_leaves_nothing_behind() -> None:
    async def test(at: Served) -> None:
        async def slow(head: bytes, body: bytes) -> bytes:
            await asyncio.sleep(0.2)
            return ok()

        await at.replica("one", slow)
        _, writer = await asyncio.open_connection(*at.address)
        writer.write(post(b"{}"))
        await asyncio.sleep(0.05)
        writer.transport.abort()
        await asyncio.sleep(0.4)
        assert (len(at.front.clients), len(at.front.flying), len(at.front.waiting)) == (0, 0, 0)

    run(test)


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.binary(max_size=300), st.lists(st.integers(1, 60), max_size=6))
def test_whatever_comes_in_whatever_pieces_the_front_lives(data: bytes, cuts: list[int]) -> None:
    async def test(at: Served) -> None:
        await at.replica("one", echo)
        _, writer = await asyncio.open_connection(*at.address)
        for cut in [*cuts, len(data)]:
            piece, data_left = data[:cut], data[cut:]
            writer.write(piece)
            await asyncio.sleep(0)
            if not data_left:
                break
        writer.close()
        assert (await at.say(post(b"still", b"/there"))).endswith(b"POST /there HTTP/1.1|still")

    run(test)


def test_one_request_in_any_pieces_is_one_request() -> None:
    async def test(at: Served) -> None:
        await at.replica("one", echo)
        data = post(b"0123456789")
        reader, writer = await asyncio.open_connection(*at.address)
        for place in range(len(data)):
            writer.write(data[place : place + 1])
            await asyncio.sleep(0)
        assert (await asyncio.wait_for(whole(reader), 5)).endswith(b"|0123456789")
        writer.close()

    run(test)
