"""``python -m jupyter_mlops.targets.local.front``: one address before several replicas.

Each request is read whole, sent to the replica with the fewest requests in flight over a connection that is kept,
and its answer goes back as it came. A replica that dies before it has answered costs nobody a request: it is sent to
another one, which is sound since predictions change nothing. While nobody answers, requests wait a while.
Everything happens in callbacks, without a task a request; that is most of why the front costs so little.

Its listening socket is the supervisor's, too: should one of the two die, no connection is refused.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import socket
import time
from collections import deque
from pathlib import Path
from typing import Any

from . import places, processes
from .links import Backend, Request
from .requests import Client

_TICK_SECONDS = 0.05
_PATIENCE_SECONDS = 15.0  # so long may a request wait for a replica
_ANSWER_SECONDS = 120.0  # and so long for its answer
_MOST_LOST = 3  # replicas that one request may take down before it is the request's fault
_DRAIN_SECONDS = 20.0
_SUPERVISOR_SECONDS = 1.0  # how often the supervisor is looked after


class Front:
    """Who waits, who answers, and what was counted."""

    def __init__(self, folder: Path, listener: socket.socket) -> None:
        self.at = places.Places(folder)
        self.listener = listener
        self.backends: dict[str, Backend] = {}
        self.waiting: deque[Request] = deque()
        self.flying: set[Request] = set()
        self.clients: set[Client] = set()
        self.is_ending = False
        self.requests = self.errors = self.retried = 0
        self.seconds: deque[float] = deque(maxlen=2048)
        self._known = 0  # when the list of backends was written

    # --- requests -------------------------------------------------------------------------------------------

    def dispatch(self, request: Request) -> None:
        """Send it to the replica with the least to do, or let it wait for one."""
        self.flying.add(request)
        best = None
        for each in self.backends.values():
            if each.is_open and (best is None or each.in_flight < best.in_flight):
                best = each
        if best is None:
            self.waiting.append(request)
        else:
            best.send(request)

    def lost(self, request: Request, *, was_sent: bool) -> None:
        """Its replica is gone: the next one, unless it seems to be the request that kills them."""
        if request.client is None or request not in self.flying:  # nobody waits for it any more
            self.flying.discard(request)
            return
        request.lost += was_sent
        self.retried += 1
        if request.lost >= _MOST_LOST:
            self.answer(request, 502, "the model's process ended while it answered")
        else:
            self.dispatch(request)

    def answered(self, request: Request, status: int) -> None:
        """Count it."""
        if request not in self.flying:
            return
        self.flying.discard(request)
        self.requests += 1
        self.errors += status >= 500
        self.seconds.append(time.perf_counter() - request.began)

    def answer(self, request: Request, status: int, told: str) -> None:
        """Say ourselves what no replica can say."""
        self.answered(request, status)
        if request.client is not None:
            request.client.say(status, told)

    # --- what is looked after -------------------------------------------------------------------------------

    def look(self) -> None:
        """Which replicas there are now; what waits too long."""
        try:
            written = os.stat(self.at.backends).st_mtime_ns
        except OSError:
            written = self._known
        if written != self._known:
            self._known = written
            sockets = list(places.read(self.at.backends).get("sockets", ()))
            for path in [path for path in self.backends if path not in sockets]:
                self.backends.pop(path).leave()
            for path in sockets:
                if path not in self.backends:
                    self.backends[path] = Backend(path, self)
        while self.waiting and any(backend.is_open for backend in self.backends.values()):
            self.dispatch(self.waiting.popleft())

    def sweep(self) -> None:
        """End what takes too long, and clients that do not speak."""
        moment = time.perf_counter()
        for request in [one for one in self.waiting if moment - one.began > _PATIENCE_SECONDS]:
            self.waiting.remove(request)
            self.answer(request, 503, "no replica answers")
        for request in [one for one in self.flying if moment - one.began > _ANSWER_SECONDS]:
            self.answer(request, 504, "the model takes too long")
        for client in list(self.clients):
            client.sweep(moment)
        processes.reap()

    def stats(self) -> dict[str, Any]:
        """What the supervisor asks for."""
        seconds = sorted(self.seconds)
        return {
            "mark": processes.mark(os.getpid()),
            "requests": self.requests,
            "errors": self.errors,
            "retried": self.retried,
            "in_flight": len(self.flying),
            "clients": len(self.clients),
            "p50_seconds": seconds[len(seconds) // 2] if seconds else 0.0,
            "p99_seconds": seconds[len(seconds) * 99 // 100] if seconds else 0.0,
            "backends": {path: each.in_flight for path, each in self.backends.items()},
        }

    # --- life -----------------------------------------------------------------------------------------------

    async def serve(self) -> None:
        """Go on until SIGTERM, then until what was begun is answered."""
        loop = asyncio.get_running_loop()
        ending = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, ending.set)
        self.look()
        server = await loop.create_server(lambda: Client(self), sock=self.listener, backlog=1024)
        control = self._listen_to_supervisor(loop)
        swept = looked = 0.0
        while not ending.is_set():
            self.look()
            moment = time.perf_counter()
            if moment - swept > 0.5:
                swept = moment
                self.sweep()
            if moment - looked > _SUPERVISOR_SECONDS:
                looked = moment
                self._look_after_supervisor()
            await asyncio.sleep(_TICK_SECONDS)
        self.is_ending = True
        loop.remove_reader(control)
        control.close()
        keep = socket.socket(fileno=os.dup(self.listener.fileno()))  # the supervisor decides when it closes
        server.close()
        for client in list(self.clients):
            client.end_if_idle()
        until = time.perf_counter() + _DRAIN_SECONDS
        while self.clients and time.perf_counter() < until:
            self.look()
            await asyncio.sleep(_TICK_SECONDS)
        keep.close()

    def _listen_to_supervisor(self, loop: asyncio.AbstractEventLoop) -> socket.socket:
        path = self.at.sockets / "front"
        path.unlink(missing_ok=True)
        control = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        control.bind(str(path))
        control.listen(8)
        control.settimeout(0)

        def tell() -> None:
            try:
                asking, _ = control.accept()
            except OSError:
                return
            with asking:
                asking.settimeout(1.0)
                try:  # the listening socket goes along: a supervisor that takes over needs it
                    socket.send_fds(asking, [json.dumps(self.stats()).encode()], [self.listener.fileno()])
                except OSError:
                    return

        loop.add_reader(control, tell)
        return control

    def _look_after_supervisor(self) -> None:
        found = places.read(self.at.processes)
        if found.get("supervisor") and not processes.is_alive(found["supervisor"]):
            with places.locked(self.at.folder / "start.lock", wait=False) as is_ours:
                if is_ours:
                    self.at.start_supervisor()


def main() -> None:
    """Read the command line, and serve."""
    parser = argparse.ArgumentParser(prog="front")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--fd", type=int, required=True)
    given = parser.parse_args()
    listener = socket.socket(fileno=given.fd)
    listener.settimeout(0)
    front = Front(given.folder, listener)
    try:
        import uvloop
    except ImportError:
        asyncio.run(front.serve())
    else:
        uvloop.run(front.serve())


if __name__ == "__main__":
    main()
