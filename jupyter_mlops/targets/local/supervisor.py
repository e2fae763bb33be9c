"""``python -m jupyter_mlops.targets.local.supervisor FOLDER``: makes of one deployment what ``wanted.json`` says.

It holds a lock for as long as it lives, so there is one. It has no memory that is not in the folder: killed at any
moment, the next one adopts the replicas and the front that go on, and gets the listening socket from the front.

A new revision is written to ``traffic.json``, which the replicas read; it is served once all of them say so. If one
of them cannot load it, the old file is put back, and the state says why: nobody ever met the new version. One that
brings local modules of its own, under the names of others that a process has loaded, gets new processes.
"""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import signal
import sys
import time
from pathlib import Path
from typing import Any

from ...errors import MlopsError
from . import decide, processes
from .door import Door
from .fleet import Fleet, limits, memory_of
from .places import Places, locked, read, write

_TICK_SECONDS = 0.1
_LOOK_SECONDS = 1.0  # how often a replica is asked, and state.json written, when nothing happens
log = logging.getLogger("supervisor")


class Supervisor:
    """One deployment."""

    def __init__(self, at: Places) -> None:
        self.at = at
        kept, last = read(at.processes), read(at.state)
        self.wanted: dict[str, Any] = {}
        self.serving = read(at.folder / "serving.json")  # what all replicas were last seen to serve
        self.rejected: dict[str, Any] = dict(last.get("rejected") or {})
        self.door = Door(at, kept, last)
        self.fleet = Fleet(at, kept)
        self.companion = str(kept.get("companion", ""))
        self.companion_starts = 0
        self.companion_at = 0.0
        self.message = ""
        self.rollout_began = 0.0
        self.is_ending = False
        self._looked = 0.0
        self._wanted_at = 0

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
            self.fleet.begin_rollout()

    @property
    def is_rolling_out(self) -> bool:
        """Whether a revision is wanted that is neither served nor rejected."""
        revision = self.wanted.get("revision")
        return revision not in (self.serving.get("revision"), self.rejected.get("revision"))

    async def tick(self) -> None:
        """Look at everything once, and do what follows."""
        self.write_traffic(self.wanted if self.is_rolling_out else self.serving)
        has_new_front = await self.door.keep(self.wanted)
        if self.fleet.keep(self.wanted, self.door.in_flight) or has_new_front:
            self.write_processes()
        moment = time.monotonic()
        is_due = moment - self._looked > _LOOK_SECONDS
        await self.fleet.look(at_all=is_due or self.is_rolling_out)
        self.write_backends()
        was_rolling_out = self.is_rolling_out
        if was_rolling_out:
            self.decide_rollout()
        if is_due:
            if self.door.look(moment - self._looked):
                self.fleet.look_at_load(float(self.door.stats.get("in_flight", 0)))
            if not was_rolling_out:
                self.message = self.fleet.look_at_memory(self.serving) or self.message
            self.keep_companion()
            for name in ("supervisor", "front", "companion", *(one.name for one in self.fleet.replicas)):
                processes.rotate(self.at.log(name))
            self._looked = moment
        if is_due or was_rolling_out:
            self.write_state()

    def keep_companion(self) -> None:
        """A process that belongs to the deployment, such as the one that follows an alias."""
        words = [str(word) for word in self.wanted.get("companion") or ()]
        if not words and self.companion:
            processes.send(self.companion, signal.SIGTERM)
            self.companion = ""
            self.write_processes()
        elif words and not processes.is_alive(self.companion) and time.monotonic() >= self.companion_at:
            self.companion_starts += 1
            self.companion_at = time.monotonic() + decide.pause(self.companion_starts)
            self.companion = processes.spawn(words, self.at.log("companion"), cwd=self.at.folder)
            self.write_processes()

    # --- revisions ------------------------------------------------------------------------------------------

    def decide_rollout(self) -> None:
        """Done, rejected, or not yet."""
        revision = int(self.wanted["revision"])
        self.fleet.replace_outdated(self.wanted)
        seen = self.fleet.seen()
        outcome, why = decide.rollout(revision, seen, limits(self.wanted)[0])
        large, cure = decide.too_large(revision, seen, memory_of(self.wanted))
        if large:
            outcome, why = "rejected", large
        late = time.monotonic() - self.rollout_began > float(self.wanted.get("timeout_seconds") or 600)
        if outcome == "waiting" and late:
            outcome, why = "rejected", "it did not answer in time"
        if outcome == "done" and self.fleet.has_outdated:
            self.fleet.end_rollout(is_done=True)
            self.write_backends()  # it is served once the front has read that, which the next tick takes for granted
        elif outcome == "done":
            self.serving, self.rejected = self.wanted, {}
            write(self.at.folder / "serving.json", self.serving)
        elif outcome == "rejected":
            self.rejected = {
                "revision": revision,
                "message": why,
                "hint": cure,
                "log": self.fleet.last_words(),
            }
            log.error("revision %s is refused: %s", revision, why)
            self.fleet.end_rollout(is_done=False)
            self.write_traffic(self.serving)

    def write_traffic(self, body: dict[str, Any]) -> None:
        """For the replicas, unless it stands there already, or there is nothing to serve."""
        traffic = {name: body.get(name) for name in ("name", "model", "revision", "versions")}
        if body and read(self.at.traffic) != traffic:
            write(self.at.traffic, traffic)

    # --- telling --------------------------------------------------------------------------------------------

    def write_backends(self) -> None:
        """For the front."""
        body = {"sockets": [one.socket for one in self.fleet.ready]}
        if read(self.at.backends) != body:
            write(self.at.backends, body)

    def write_processes(self) -> None:
        """For whoever takes over."""
        body = {
            "supervisor": processes.mark(os.getpid()),
            "front": self.door.front,
            "front_restarts": self.door.restarts,
            "companion": self.companion,
            "replicas": [one.keep() for one in self.fleet.replicas if one.mark],
        }
        write(self.at.processes, body)

    def write_state(self, state: str = "") -> None:
        """For everybody."""
        ready, least = len(self.fleet.ready), limits(self.wanted)[0]
        if not state:
            state = "running" if ready >= least else "degraded" if ready else "failed"
            state = "deploying" if self.is_rolling_out else state
        message = self.message
        if self.rejected and not message:
            message = f"revision {self.rejected['revision']} was refused: {self.rejected['message']}"
        stats = {name: value for name, value in self.door.stats.items() if isinstance(value, (int, float))}
        body = {
            "state": state,
            "revision": self.serving.get("revision", 0),
            "wanted": self.wanted.get("revision", 0),
            "rejected": self.rejected,
            "message": "" if state == "stopped" else message,
            "host": self.door.address[0],
            "port": self.door.address[1],
            "supervisor": processes.mark(os.getpid()),
            "replicas": [one.told() for one in self.fleet.replicas],
            "metrics": {
                "requests_per_second": round(self.door.rate, 2),
                "front_restarts": self.door.restarts,
                **stats,
            },
            "at": time.time(),
        }
        write(self.at.state, body)

    # --- the end --------------------------------------------------------------------------------------------

    async def end(self) -> None:
        """Answer what was begun, then leave nothing behind."""
        processes.send(self.companion, signal.SIGTERM)
        await self.door.close()
        await self.fleet.close()
        await processes.end([self.companion], 5.0)
        self.companion = ""
        shutil.rmtree(self.at.sockets, ignore_errors=True)
        if self.at.wanted.exists():
            self.write_state("stopped")
            write(self.at.processes, {})


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
