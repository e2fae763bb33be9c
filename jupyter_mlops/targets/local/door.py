"""The way in: the listening socket, and the front that answers on it. The socket outlives every single process."""

from __future__ import annotations

import asyncio
import signal
import socket
import time
from collections.abc import Mapping
from typing import Any

from . import processes
from .listening import ask_front, listen, ports
from .places import Places

_PAUSE_SECONDS = 0.2  # between two starts of the front
_DRAIN_SECONDS = 25.0
_MOST_SILENT = 10  # questions in a row without an answer before the front is taken for hung


class Door:
    """The front as its supervisor keeps it; `kept` and `last` are what an earlier supervisor has left."""

    def __init__(self, at: Places, kept: Mapping[str, Any], last: Mapping[str, Any]) -> None:
        self.at = at
        self.front = str(kept.get("front", ""))
        self.restarts = int(kept.get("front_restarts", 0))
        self.address = (str(last.get("host") or ""), int(last.get("port") or 0))
        self.stats: dict[str, Any] = {}
        self.rate = 0.0
        self._listener: socket.socket | None = None
        self._silent = 0
        self._start_at = 0.0

    async def keep(self, wanted: Mapping[str, Any]) -> bool:
        """Whether a front had to be started. Raises `Unavailable` when there is no port to be had."""
        if self._listener is None and processes.is_alive(self.front):
            await self._take_over()
        if self._listener is None:
            host = str(wanted.get("host") or "127.0.0.1")
            self._listener = listen(host, ports(int(wanted.get("port") or 0), self.address[1]))
        self.address = self._listener.getsockname()[:2]
        if processes.is_alive(self.front) or time.monotonic() < self._start_at:
            return False
        if self.front:
            self.restarts += 1
            self._start_at = time.monotonic() + _PAUSE_SECONDS
        processes.rotate(self.at.log("front"))
        number = self._listener.fileno()
        words = ["-m", "jupyter_mlops.targets.local.front", str(self.at.folder), "--fd", str(number)]
        self.front = processes.spawn(words, self.at.log("front"), cwd=self.at.folder, keep=[number])
        self._silent = 0
        return True

    async def _take_over(self) -> None:
        for _ in range(50):  # it has just been started, perhaps
            if self.ask():
                return
            await asyncio.sleep(0.1)
        await processes.end([self.front], 0.0)  # it hangs, and holds the port

    def ask(self) -> bool:
        """Its figures, and the listening socket if we have none."""
        stats, listener = ask_front(self.at.sockets / "front")
        if self._listener is None:
            self._listener = listener
        elif listener is not None:
            listener.close()
        self.stats = stats or self.stats
        return bool(stats)

    def look(self, seconds: float) -> bool:
        """Ask it how busy it has been in these seconds; one that hangs is killed. Whether it answered."""
        before = int(self.stats.get("requests", 0))
        if self.ask():
            self._silent = 0
            self.rate = max(0, int(self.stats.get("requests", 0)) - before) / max(seconds, 0.1)
            return True
        self._silent += 1
        if self._silent > _MOST_SILENT:
            processes.send(self.front, signal.SIGKILL)
        return False

    def in_flight(self, path: str) -> int:
        """The requests that are on their way to a replica, by its socket."""
        return int(dict(self.stats.get("backends") or {}).get(path, 0))

    async def close(self) -> None:
        """Answer what was begun, then let nobody in."""
        await processes.end([self.front], _DRAIN_SECONDS)
        if self._listener is not None:
            self._listener.close()
        self._listener, self.front, self.stats = None, "", {}
