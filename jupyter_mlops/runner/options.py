"""What can be asked of a run, and what is told of one: plain values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from ..catalog.records import Run, TaskRun
from ..events import Event

OnEvent = Callable[[Event], None]
OnPlan = Callable[[Run, list[TaskRun]], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """How to run, beyond what the pipeline says.

    `force` names tasks whose cache is not asked (``"all"``: none is); `only` and `start_from` choose a part of
    the pipeline, the rest being taken from the cache; None leaves `cluster`, `workers` and `isolation` to the
    settings. `queue`, `priority` and `is_preemptible` matter where quotas are set: see `queueing`.
    """

    force: frozenset[str] | Literal["all"] = frozenset()
    only: tuple[str, ...] = ()
    start_from: tuple[str, ...] = ()
    cluster: str | None = None
    workers: int | None = None
    isolation: str | None = None
    queue: str | None = None
    priority: int = 0
    is_preemptible: bool = False

    def to_json(self) -> dict[str, Any]:
        """What a run's record keeps, and a resume needs."""
        kept: dict[str, Any] = {"cluster": self.cluster, "workers": self.workers, "isolation": self.isolation}
        asked = {"queue": self.queue, "priority": self.priority, "is_preemptible": self.is_preemptible}
        return kept | {name: value for name, value in asked.items() if value}


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskStatus:
    """Whether a task would run now. `reasons` say what changed since `run_id`, where it last ran."""

    task: str
    state: Literal["fresh", "stale", "new", "frozen", "unknown"]
    reasons: tuple[str, ...] = ()
    run_id: str = ""
    at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CleanReport:
    """What went, or would go: numbers of runs and blobs, and their bytes."""

    runs: int
    blobs: int
    bytes: int
