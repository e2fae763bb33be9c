"""What the supervisor decides, without clock, process or file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from ...resources import format_bytes

MOST_DEATHS = 3  # of one replica in a row, before it has served the revision that is being rolled out
_SHORTEST, _LONGEST = 0.1, 10.0  # seconds between a death and the next start
_SETTLED_SECONDS = 30.0  # one that lived so long has recovered
_BUSY, _IDLE = (
    4.0,
    1.0,
)  # requests in flight a replica: above it one more is started, below it one less is enough
_BUSY_SECONDS, _IDLE_SECONDS = 3.0, 60.0


def pause(deaths: int) -> float:
    """How long to wait before the next start: nothing at first, since it may have been an accident."""
    return 0.0 if deaths <= 1 else min(_LONGEST, _SHORTEST * 2.0 ** (deaths - 1))


def deaths_after(deaths: int, lived_seconds: float) -> int:
    """How many in a row there are with this one."""
    return 1 if lived_seconds > _SETTLED_SECONDS else deaths + 1


@dataclass(frozen=True, slots=True)
class Load:
    """How busy the replicas have been: since when above or below what they should bear."""

    busy_since: float | None = None
    idle_since: float | None = None

    def seen(self, in_flight: float, replicas: int, at: float) -> Load:
        """After one more look."""
        each = in_flight / max(1, replicas)
        is_busy = each > _BUSY
        is_idle = replicas > 1 and in_flight / (replicas - 1) < _IDLE
        return replace(
            self,
            busy_since=(self.busy_since if self.busy_since is not None else at) if is_busy else None,
            idle_since=(self.idle_since if self.idle_since is not None else at) if is_idle else None,
        )


def replicas_for(load: Load, now: int, least: int, most: int, at: float) -> int:
    """How many there shall be: one more when they are busy for some seconds, one less after an idle minute."""
    if load.busy_since is not None and at - load.busy_since >= _BUSY_SECONDS:
        now += 1
    elif load.idle_since is not None and at - load.idle_since >= _IDLE_SECONDS:
        now -= 1
    return max(least, min(most, now))


Outcome = Literal["done", "waiting", "rejected"]
_STEP_BYTES = 64 * 2**20  # what is proposed is a multiple of it
_NEEDS_A_NEW_PROCESS = (
    "a process of its own"  # so says the runtime of a version whose local modules are others
)


@dataclass(frozen=True, slots=True)
class Seen:
    """A replica as it was last seen: what it says of itself, and how often it died since the rollout began.

    `held` is the memory of its process, in bytes; `first` the revision that this process answered with first, 0 when
    there was none yet, or nobody saw it.
    """

    name: str
    is_alive: bool
    deaths: int
    said: Mapping[str, Any]  # of /mlops/state; {} when it does not answer
    held: int = 0
    first: int = 0

    @property
    def revision(self) -> int:
        """The one that it answers with; 0 when it answers with none."""
        return int(self.said.get("revision") or 0)

    @property
    def is_ready(self) -> bool:
        """Whether requests may be sent to it: while it loads or refuses a revision, it answers with the old one."""
        return self.is_alive and self.revision > 0 and self.said.get("state") != "draining"

    def is_outdated(self, revision: int, most: int = 0) -> bool:
        """Whether a new process is a better place for the revision. It has loaded other modules of the same name, and
        goes on with the old one meanwhile; or it holds more than `most` bytes, maybe of what it had before."""
        said = str(self.said.get("message") or "")
        if self.is_ready and said.startswith(f"revision {revision}: ") and _NEEDS_A_NEW_PROCESS in said:
            return True
        return self.first != revision and self.is_too_large(revision, most)

    def is_too_large(self, revision: int, most: int) -> bool:
        """Whether it has loaded the revision, and holds more than that."""
        return self.is_ready and self.revision == revision and 0 < most < self.held


def too_large(revision: int, replicas: Sequence[Seen], most: int) -> tuple[str, str]:
    """The reason and the cure when a replica needs more than `most` bytes for the revision alone; "", "" if none does.

    One whose process has held another revision before is not the measure: what it held then may still count.
    """
    for one in replicas:
        if one.first == revision and one.is_too_large(revision, most):
            enough = -(-one.held * 5 // 4 // _STEP_BYTES) * _STEP_BYTES
            return (
                f"it is too large: with the model loaded, {one.name} holds {format_bytes(one.held)}, and may use "
                f"{format_bytes(most)}",
                f"give each replica more memory: {enough // 2**20}Mi would do",
            )
    return "", ""


def rollout(revision: int, replicas: Sequence[Seen], least: int) -> tuple[Outcome, str]:
    """How the rollout of a revision stands, and the reason when it is rejected."""
    mark = f"revision {revision}: "  # so begins what a replica says of a revision that it cannot load
    for one in replicas:
        said = str(one.said.get("message") or "")
        is_about_another = said.startswith("revision ") and not said.startswith(mark)
        has_failed = one.said.get("state") == "failed" or said.startswith(mark)
        if one.is_alive and has_failed and not is_about_another:
            return "rejected", said.removeprefix(mark) or "the model cannot be loaded"
        if one.deaths >= MOST_DEATHS and one.revision != revision:
            return "rejected", f"{one.name} ended {one.deaths} times while it was loading the model"
    done = [one for one in replicas if one.is_ready and one.revision == revision]
    behind = [one for one in replicas if one.is_ready and one.revision != revision]
    return ("done" if len(done) >= least and not behind else "waiting"), ""
