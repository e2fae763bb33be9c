"""What the run machine tells its shell to do, as frozen values. The shell does it and feeds back facts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..events import RunFinished, TaskStateChanged


@dataclass(frozen=True, slots=True, kw_only=True)
class LookUpCache:
    """Ask the cache; answer with `CacheHit`, `CacheMissed` or `TaskUnrunnable`. With `any_key` the newest
    outcome of the task will do, whatever its key."""

    task: str
    arguments: Mapping[str, Any]
    any_key: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Submit:
    """Start an attempt; answer with `AttemptStarted` and then its outcome, or `TaskUnrunnable`."""

    task: str
    attempt: int
    arguments: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitForRetry:
    """After so many seconds answer with ``RetryDue(attempt)``; `attempt` is the coming one."""

    task: str
    attempt: int
    delay_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelAttempt:
    """Interrupt an attempt; its outcome follows as always, or `AttemptCancelled`."""

    task: str
    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Recover:
    """After a restart: an attempt was under way. Look for its outcome and answer with that, or with
    `AttemptLost` if there is none and nobody is at it. Only `replay` gives this."""

    task: str
    attempt: int
    arguments: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """Keep and publish a decision. Its `at` is that of the fact that led to it."""

    event: TaskStateChanged | RunFinished


Instruction = LookUpCache | Submit | WaitForRetry | CancelAttempt | Recover | Record
