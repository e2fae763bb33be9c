"""``python -m jupyter_mlops.targets.local.supervisor FOLDER``: makes of one deployment what ``wanted.json`` says.

It holds a lock for as long as it lives, so there is one. It has no memory that is not in the folder: killed at any
moment, the next one adopts the replicas and the front that go on, and gets the listening socket from the front.

A new revision is written to ``traffic.json``, which the replicas read; it is served once all of them say so. If one
of them cannot load it, the old file is put back, and the state says why: nobody ever met the new version.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket
import sys
import time
from pathlib import Path
from typing import Any

from ...errors import MlopsError
from ...resources import format_bytes
from . import decide, processes
from .listening import ask_front, listen, ports
from .places import Places, locked, read, write
from .replica import Replica

_TICK_SECONDS = 0.1
_LOOK_SECONDS = 1.0  # how often a replica is asked, and state.json written, when nothing happens
_FRONT_DRAIN_SECONDS = 25.0
_MOST_SILENT = 10  # seconds without an answer before the front is taken for hung
log = logging.getLogger("supervisor")


class Supervisor:
    """One deployment."""

    def __init__(self, at: Places) -> None:
        self.at = at
        self.wanted: dict[str, Any] = {}
        self.serving = read(
            at.folder / "serving.json"
        )  # what the replicas were last seen to serve, all of them
        last = read(at.state)
        self.rejected: dict[str, Any] = dict(last.get("rejected") or {})
        self.address = (str(last.get("host") or ""), int(last.get("port") or 0))
        kept = read(at.processes)
        self.replicas = [Replica(at, one["name"], one) for one in kept.get("replicas", ())]
        self.front = str(kept.get("front", ""))
        self.companion = str(kept.get("companion", ""))
        self.restarts = {"front": int(kept.get("front_restarts", 0)), "companion": 0}
        self.start_at = dict.fromkeys(self.restarts, 0.0)
        self.listener: socket.socket | None = None
        self.stats: dict[str, Any] = {}
        self.silent = 0  # questions in a row that the front did not answer
        self.rate = 0.0
        self.load = decide.Load()
        self.rollout_began = 0.0
        self.message = ""
        self._looked = self._wrote = 0.0
        self._wanted_at = 0
        self.is_ending = False

    # --- life -----------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Go on until it is stopped."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, lambda: setattr(self, "is_ending", True))
        self.read_wanted()
        while not self.is_ending and self.wanted and not self.wanted.get("is_stopped"):
            try:
                await self.tick()
            except (MlopsError, OSError) as error:  # a full disk, no more processes: what runs goes on
                log.error("%s", error)
                self.message = str(error)
                self.write_state()
                await asyncio.sleep(1.0)
            await asyncio.sleep(_TICK_SECONDS)
            self.read_wanted()
        await self.end()

    def read_wanted(self) -> None:
        """What shall be, if that has changed."""
        try:
            written = os.stat(self.at.wanted).st_mtime_ns
        except OSError:  # the deployment is removed
            self.is_ending = True
            return
        if written == self._wanted_at:
            return
        self._wanted_at = written
        before = self.wanted.get("revision")
        self.wanted = read(self.at.wanted)
        if before != self.wanted.get("revision"):
            self.rollout_began = time.monotonic()
            self.message = ""
            for one in self.replicas:
                one.deaths_in_rollout = 0

    @property
    def is_rolling_out(self) -> bool:
        """Whether a revision is wanted that is neither served nor rejected."""
        revision = self.wanted.get("revision")
        return revision not in (self.serving.get("revision"), self.rejected.get("revision"))

    async def tick(self) -> None:
        """Look at everything once, and do what follows."""
        if self.is_rolling_out:
            self.write_traffic(self.wanted)
        elif self.serving:
            self.write_traffic(self.serving)
        await self.keep_front()
        self.keep_replicas()
        moment = time.monotonic()
        is_due = moment - self._looked > _LOOK_SECONDS
        asked = [
            one
            for one in self.replicas
            if one.is_alive and (is_due or self.is_rolling_out or not one.is_ready)
        ]
        await asyncio.gather(*(one.look() for one in asked))
        self.write_backends()
        if self.is_rolling_out:
            self.decide_rollout()
        if is_due:
            await self.look_at_load(moment - self._looked)
            self._looked = moment
            self.keep_companion()
        if is_due or self.is_rolling_out:
            self.write_state()

    # --- processes ------------------------------------------------------------------------------------------

    async def keep_front(self) -> None:
        """The front, and the socket on which it listens."""
        if self.listener is None and processes.is_alive(self.front):
            for _ in range(50):  # it has just been started, perhaps
                if self.ask_front():
                    break
                await asyncio.sleep(0.1)
            else:  # it hangs, and holds the port
                await _gone([self.front], 0.0)
        if self.listener is None:
            host = str(self.wanted.get("host") or "127.0.0.1")
            self.listener = listen(host, ports(int(self.wanted.get("port") or 0), self.address[1]))
        if processes.is_alive(self.front) or time.monotonic() < self.start_at["front"]:
            return
        if self.front:
            self.restarts["front"] += 1
            self.start_at["front"] = time.monotonic() + 0.2
        processes.rotate(self.at.log("front"))
        number = self.listener.fileno()
        self.front = processes.spawn(
            ["-m", "jupyter_mlops.targets.local.front", str(self.at.folder), "--fd", str(number)],
            self.at.log("front"), cwd=self.at.folder, keep=[number],
        )  # fmt: skip
        self.write_processes()

    def ask_front(self) -> bool:
        """Its figures, and the listening socket if we have none."""
        stats, listener = ask_front(self.at.sockets / "front")
        if self.listener is None:
            self.listener = listener
        elif listener is not None:
            listener.close()
        self.stats = stats or self.stats
        self.silent = 0 if stats else self.silent + 1
        return bool(stats)

    def keep_replicas(self) -> None:
        """As many as there shall be; those that died again, those that leave to their end."""
        is_changed = False
        for one in self.replicas:
            if one.mark and not one.is_alive:
                is_changed = True
                if one.leaving_since is None:
                    log.warning(
                        "%s has ended; its last words: %s",
                        one.name,
                        processes.tail(self.at.log(one.name), 300),
                    )
                one.note_death()
        self.replicas = [one for one in self.replicas if one.mark or one.leaving_since is None]
        least, most = self.limits()
        staying = [one for one in self.replicas if one.leaving_since is None]
        count = decide.replicas_for(self.load, len(staying) or least, least, most, time.monotonic())
        if count != len(staying):
            self.load = decide.Load()
        for one in staying[count:]:
            one.leave("there is little to do")
        taken = {one.name for one in self.replicas}
        while len(staying) < count:
            name = next(f"replica-{i}" for i in range(1, 10_000) if f"replica-{i}" not in taken)
            taken.add(name)
            staying.append(Replica(self.at, name))
            self.replicas.append(staying[-1])
        moment = time.monotonic()
        for one in staying[:count]:
            if not one.mark and moment >= one.start_at:
                one.start({"cpu": self.wanted.get("cpu"), "env": self.wanted.get("env")})
                is_changed = True
        for one in self.replicas:
            if one.leaving_since is not None:
                one.end(int(dict(self.stats.get("backends") or {}).get(one.socket, 0)))
        if is_changed:
            self.write_processes()

    def limits(self) -> tuple[int, int]:
        """At least, at most."""
        least, most = self.wanted.get("replicas") or (2, 4)
        return int(least), int(most)

    def keep_companion(self) -> None:
        """A process that belongs to the deployment, such as the one that follows an alias."""
        words = self.wanted.get("companion")
        if (
            words
            and not processes.is_alive(self.companion)
            and time.monotonic() >= self.start_at["companion"]
        ):
            self.restarts["companion"] += bool(self.companion)
            self.start_at["companion"] = time.monotonic() + decide.pause(self.restarts["companion"] + 1)
            processes.rotate(self.at.log("companion"))
            self.companion = processes.spawn(
                [str(word) for word in words], self.at.log("companion"), cwd=self.at.folder
            )
            self.write_processes()
        elif not words and self.companion:
            processes.send(self.companion, signal.SIGTERM)
            self.companion = ""
            self.write_processes()

    # --- revisions ------------------------------------------------------------------------------------------

    def decide_rollout(self) -> None:
        """Done, rejected, or not yet."""
        revision = int(self.wanted["revision"])
        seen = [one.seen() for one in self.replicas if one.leaving_since is None]
        outcome, why = decide.rollout(revision, seen, self.limits()[0])
        late = time.monotonic() - self.rollout_began > float(self.wanted.get("timeout_seconds") or 600)
        if outcome == "waiting" and late:
            outcome, why = "rejected", "it did not answer in time"
        if outcome == "done":
            self.serving = self.wanted
            self.rejected = {}
            write(self.at.folder / "serving.json", self.serving)
        elif outcome == "rejected":
            said = [
                processes.tail(self.at.log(one.name), 600) for one in self.replicas if one.deaths_in_rollout
            ]
            self.rejected = {"revision": revision, "message": why, "log": said[0] if said else ""}
            log.error("revision %s is rejected: %s", revision, why)
            if self.serving:
                self.write_traffic(self.serving)
        if outcome != "waiting":
            self.write_backends()
            self.write_state()

    def write_traffic(self, body: dict[str, Any]) -> None:
        """For the replicas, unless it stands there already."""
        traffic = {name: body.get(name) for name in ("name", "model", "revision", "versions")}
        if read(self.at.traffic) != traffic:
            write(self.at.traffic, traffic)

    # --- looking and telling --------------------------------------------------------------------------------

    async def look_at_load(self, seconds: float) -> None:
        """How busy it is, and how large the replicas have grown."""
        before = int(self.stats.get("requests", 0))
        if not self.ask_front():
            if self.silent > _MOST_SILENT:
                processes.send(self.front, signal.SIGKILL)
        else:
            self.rate = max(0, int(self.stats.get("requests", 0)) - before) / max(seconds, 0.1)
            ready = sum(one.is_ready for one in self.replicas)
            self.load = self.load.seen(float(self.stats.get("in_flight", 0)), ready, time.monotonic())
        self.look_at_memory(int(self.wanted.get("memory") or 0))
        for name in ["front", "supervisor", "companion", *(one.name for one in self.replicas)]:
            processes.rotate(self.at.log(name))

    def look_at_memory(self, most: int) -> None:
        """Replace a replica that holds too much: one at a time, while others answer."""
        ready = [one for one in self.replicas if one.is_ready]
        if not most or (len(ready) < self.limits()[0] or any(one.leaving_since for one in self.replicas)):
            return
        for one in ready:
            if (held := processes.memory(one.mark)) > most:
                self.message = (
                    f"{one.name} was replaced: it held {format_bytes(held)} of {format_bytes(most)}"
                )
                log.warning("%s", self.message)
                one.leave("it held too much memory")
                return

    def write_backends(self) -> None:
        """For the front."""
        body = {"sockets": [one.socket for one in self.replicas if one.is_ready]}
        if read(self.at.backends) != body:
            write(self.at.backends, body)

    def write_processes(self) -> None:
        """For whoever takes over."""
        write(
            self.at.processes,
            {
                "supervisor": processes.mark(os.getpid()),
                "front": self.front,
                "front_restarts": self.restarts["front"],
                "companion": self.companion,
                "replicas": [one.keep() for one in self.replicas if one.mark],
            },
        )

    def write_state(self, state: str = "") -> None:
        """For everybody."""
        ready = [one for one in self.replicas if one.is_ready]
        least = self.limits()[0] if self.wanted else 0
        if not state:
            state = "running" if len(ready) >= least else "degraded" if ready else "failed"
            state = "deploying" if self.is_rolling_out else state
        if self.listener is not None:
            self.address = self.listener.getsockname()[:2]
        refused = (
            f"revision {self.rejected['revision']} was refused: {self.rejected['message']}"
            if self.rejected
            else ""
        )
        body = {
            "state": state,
            "revision": self.serving.get("revision", 0),
            "wanted": self.wanted.get("revision", 0),
            "rejected": self.rejected,
            "message": "" if state == "stopped" else self.message or refused,
            "host": self.address[0],
            "port": self.address[1],
            "supervisor": processes.mark(os.getpid()),
            "replicas": [one.told() for one in self.replicas],
            "metrics": {
                "requests_per_second": round(self.rate, 2),
                "front_restarts": self.restarts["front"],
                **{name: value for name, value in self.stats.items() if isinstance(value, (int, float))},
            },
            "at": time.time(),
        }  # fmt: skip
        write(self.at.state, body)

    # --- the end --------------------------------------------------------------------------------------------

    async def end(self) -> None:
        """Answer what was begun, then leave nothing behind."""
        processes.send(self.companion, signal.SIGTERM)
        processes.send(self.front, signal.SIGTERM)
        await _gone([self.front], _FRONT_DRAIN_SECONDS)
        if self.listener is not None:
            self.listener.close()
            self.listener = None
        marks = [one.mark for one in self.replicas]
        for mark in marks:
            processes.send(mark, signal.SIGTERM)
        await _gone([*marks, self.companion], _FRONT_DRAIN_SECONDS)
        for path in self.at.sockets.iterdir():
            path.unlink(missing_ok=True)
        self.replicas, self.front, self.companion, self.stats = [], "", "", {}
        if self.at.wanted.exists():
            self.write_state("stopped")
            write(self.at.processes, {})


async def _gone(marks: list[str], seconds: float) -> None:
    """Wait for processes to end, and kill those that do not."""
    until = time.monotonic() + seconds
    while any(map(processes.is_alive, marks)) and time.monotonic() < until:
        await asyncio.sleep(0.05)
    for mark in marks:
        processes.send(mark, signal.SIGKILL)


def main() -> None:
    """Be nobody's child, then supervise."""
    folder = Path(sys.argv[1])
    if os.fork():  # whoever started this need not wait for it, nor take it along when it ends
        os._exit(0)
    os.setsid()
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s", level=logging.INFO)
    at = Places(folder)
    with locked(at.lock, wait=False) as is_ours:
        if not is_ours:
            return
        supervisor = Supervisor(at)
        supervisor.write_processes()
        asyncio.run(supervisor.run())


if __name__ == "__main__":
    main()
