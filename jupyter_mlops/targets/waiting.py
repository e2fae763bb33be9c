"""Waiting for a cloud that answers "not yet"."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from ..errors import DeploymentFailed

_Answer = TypeVar("_Answer")
_FIRST, _LONGEST = (
    0.2,
    10.0,
)  # seconds between questions: soon at first, then as often as quotas of APIs allow


def wait_for(ask: Callable[[], _Answer | None], what: str, *, timeout_seconds: float) -> _Answer:
    """What `ask` answers once it answers something. Raises `DeploymentFailed` when that takes too long."""
    until, pause = time.monotonic() + timeout_seconds, _FIRST
    while (answer := ask()) is None:
        if time.monotonic() >= until:
            raise DeploymentFailed(
                f"{what} was not ready after {timeout_seconds:g} s",
                hint="look at its logs, or allow more time",
            )
        time.sleep(min(pause, max(0.0, until - time.monotonic())))
        pause = min(_LONGEST, pause * 1.5)
    return answer
