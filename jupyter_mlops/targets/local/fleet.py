"""The replicas of a deployment: as many as there shall be, each of them alive and not too large."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ...resources import format_bytes
from . import decide, processes
from .places import Places
from .replica import Replica

_DRAIN_SECONDS = 25.0
log = logging.getLogger("supervisor")


class Fleet:
    """They, and how busy they are; `kept` is what an earlier supervisor has left."""

    def __init__(self, at: Places, kept: Mapping[str, Any]) -> None:
        self.at = at
        self.replicas = [Replica(at, one["name"], one) for one in kept.get("replicas", ())]
        self.load = decide.Load()

    @property
    def staying(self) -> list[Replica]:
        """Those that shall go on."""
        return [one for one in self.replicas if one.leaving_since is None and not one.is_outdated]

    @property
    def ready(self) -> list[Replica]:
        """Those to which requests may be sent."""
        return [one for one in self.replicas if one.is_ready]

    def begin_rollout(self) -> None:
        """Deaths from now on are the new revision's."""
        for one in self.replicas:
            one.deaths_in_rollout = 0

    def seen(self) -> Sequence[decide.Seen]:
        """For the decision about a rollout."""
        return [one.seen() for one in self.staying]

    def replace_outdated(self, wanted: Mapping[str, Any]) -> None:
        """Those whose process is no place for the revision are followed by new ones, and answer until then."""
        for one in self.staying:
            if one.seen().is_outdated(int(wanted["revision"]), memory_of(wanted)):
                one.is_outdated = True

    @property
    def has_outdated(self) -> bool:
        """Whether some answer with the old revision until others do with the new one."""
        return any(one.is_outdated for one in self.replicas)

    def end_rollout(self, *, is_done: bool) -> None:
        """The new ones answer: the outdated leave. Or the revision was refused: they are what shall go on."""
        outdated = [one for one in self.replicas if one.is_outdated]
        fresh = self.staying[: len(outdated)] if not is_done else []
        for one in outdated:
            one.is_outdated = False
        for one in outdated if is_done else fresh:
            one.leave("another process has its place")

    def last_words(self) -> str:
        """What one wrote that died since the rollout began."""
        said = [processes.tail(self.at.log(one.name), 600) for one in self.replicas if one.deaths_in_rollout]
        return said[0] if said else ""

    def keep(self, wanted: Mapping[str, Any], in_flight: Callable[[str], int]) -> bool:
        """Start what is missing, end what is too much; whether anything changed. Raises `Unavailable`."""
        is_changed = self._bury()
        least, most = limits(wanted)
        staying = self.staying
        count = decide.replicas_for(self.load, len(staying) or least, least, most, time.monotonic())
        if count != len(staying):
            self.load = decide.Load()
        for one in staying[count:]:
            one.leave("there is little to do")
        while len(staying) < count:
            taken = {one.name for one in self.replicas}
            name = next(f"replica-{i}" for i in range(1, 10_000) if f"replica-{i}" not in taken)
            staying.append(Replica(self.at, name))
            self.replicas.append(staying[-1])
        for one in staying[:count]:
            if not one.mark and time.monotonic() >= one.start_at:
                one.start({"cpu": wanted.get("cpu"), "env": wanted.get("env")})
                is_changed = True
        for one in self.replicas:
            if one.leaving_since is not None:
                one.end(in_flight(one.socket))
        return is_changed

    def _bury(self) -> bool:
        dead = [one for one in self.replicas if one.mark and not one.is_alive]
        for one in dead:
            if one.leaving_since is None:
                words = processes.tail(self.at.log(one.name), 300)
                log.warning("%s has ended; its last words: %s", one.name, words)
            one.note_death()
        self.replicas = [one for one in self.replicas if one.mark or one.leaving_since is None]
        return bool(dead)

    async def look(self, *, at_all: bool) -> None:
        """Ask them how they are: all, or those that do not answer yet."""
        asked = [one for one in self.replicas if one.is_alive and (at_all or not one.is_ready)]
        await asyncio.gather(*(one.look() for one in asked))

    def look_at_load(self, in_flight: float) -> None:
        """Remember how busy they are."""
        self.load = self.load.seen(in_flight, len(self.ready), time.monotonic())

    def look_at_memory(self, wanted: Mapping[str, Any]) -> str:
        """Replace one that holds too much, while others answer; what is to be said about it."""
        most, ready = memory_of(wanted), self.ready
        if not most or len(ready) < limits(wanted)[0] or len(self.staying) < len(self.replicas):
            return ""
        for one in ready:
            if one.held > most:
                one.leave("it held too much memory")
                return f"{one.name} was replaced: it held {format_bytes(one.held)} of {format_bytes(most)}"
        return ""

    async def close(self) -> None:
        """End them all."""
        await processes.end([one.mark for one in self.replicas], _DRAIN_SECONDS)
        self.replicas = []


def limits(wanted: Mapping[str, Any]) -> tuple[int, int]:
    """At least, at most."""
    least, most = wanted.get("replicas") or (2, 4)
    return int(least), int(most)


def memory_of(wanted: Mapping[str, Any]) -> int:
    """The bytes that each may hold; 0 for any number."""
    return int(wanted.get("memory") or 0)
