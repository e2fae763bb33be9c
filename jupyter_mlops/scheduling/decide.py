"""What a schedule is due for, decided without clock or catalog.

A fire that is at most `GRACE` late is on time: whoever fires takes a moment, and so does the one that takes over
from a scheduler that died. Later ones are what `catch_up` is about.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from ..pipelines import ScheduleSpec

GRACE = timedelta(minutes=1)
MOST_MISSED = 10_000  # in one decision: it is one record, but finding them takes time
MOST_RUNS = 50


@dataclass(frozen=True, slots=True)
class Missed:
    """Fires that nobody will run: `count` of them from `first_at` to `last_at`."""

    first_at: datetime
    last_at: datetime
    count: int


@dataclass(frozen=True, slots=True)
class Due:
    """What to do now, in order, and the first fire that is still open, with its jitter in `due_at`."""

    steps: tuple[datetime | Missed, ...]
    next_at: datetime | None
    due_at: datetime | None


def jittered(name: str, spec: ScheduleSpec, fire_at: datetime) -> datetime:
    """When a fire really starts: later by a part of the jitter that is the same whoever asks."""
    if not spec.jitter_seconds:
        return fire_at
    digest = hashlib.sha256(f"{name} {fire_at.isoformat()}".encode()).digest()
    return fire_at + timedelta(seconds=spec.jitter_seconds * int.from_bytes(digest[:4]) / 2**32)


def first_fire(spec: ScheduleSpec, now: datetime) -> datetime | None:
    """The first fire of a schedule that becomes active now. A start in the past counts: what should have fired
    since then is caught up, as `catch_up` says."""
    start, _ = spec.bounds()
    if start is None:
        return next(fires(spec, now), None)
    if start <= now and spec.catch_up == "none":
        return next(fires(spec, now), None)
    return next(fires(spec, start - timedelta(microseconds=1)), None)


def fires(spec: ScheduleSpec, after: datetime) -> Iterator[datetime]:
    """The fires after a moment, from `start` on and before `end`."""
    start, end = spec.bounds()
    if start is not None and after < start:
        after = start - timedelta(microseconds=1)
    until = None if end is None else end - timedelta(microseconds=1)
    return spec.parsed().times(after, until)


def due(name: str, spec: ScheduleSpec, next_at: datetime, now: datetime) -> Due:
    """What is due of a schedule whose first open fire is `next_at`."""
    times: list[datetime] = []
    is_all = spec.catch_up == "all"
    most = MOST_RUNS if is_all else MOST_MISSED
    upcoming: datetime | None = None
    for at in fires(spec, next_at - timedelta(microseconds=1)):
        if jittered(name, spec, at) > now or len(times) == most:
            upcoming = at
            break
        times.append(at)
    is_complete = upcoming is None or jittered(name, spec, upcoming) > now
    steps: list[datetime | Missed] = []
    for i, at in enumerate(times):
        is_on_time = now - jittered(name, spec, at) <= GRACE
        is_latest = is_complete and i == len(times) - 1
        if is_on_time or is_all or (is_latest and spec.catch_up == "last"):
            steps.append(at)
        elif steps and isinstance(before := steps[-1], Missed):
            steps[-1] = Missed(before.first_at, at, before.count + 1)
        else:
            steps.append(Missed(at, at, 1))
    return Due(tuple(steps), upcoming, None if upcoming is None else jittered(name, spec, upcoming))


def missed_between(spec: ScheduleSpec, first_at: datetime, until: datetime) -> Missed | None:
    """The fires from `first_at` up to `until` as missed ones, if there are any."""
    last_at, count = first_at, 0
    for at in fires(spec, first_at - timedelta(microseconds=1)):
        if at > until:
            break
        last_at, count = at, count + 1
    return Missed(first_at, last_at, count) if count else None


def waits(spec: ScheduleSpec) -> bool:
    """Whether a fire waits for earlier ones to end. With ``catch_up: all`` nothing is skipped."""
    return spec.overlap != "skip" or spec.catch_up == "all"
