"""One task within a running run: where it stands, what of it can be seen, and what comes too late for it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from .. import events
from ..errors import NotFound, did_you_mean
from ..events import DONE_WELL, State, TaskFact
from . import conditions, references
from .plan import PlannedTask
from .references import Reference


class Phase(StrEnum):
    """Where a task stands, finer than its state."""

    WAITING = "waiting"  # for what it needs
    LOOKING = "looking"  # into the cache
    SUBMITTED = "submitted"
    RUNNING = "running"
    DELAYED = "delayed"  # until the next retry
    CANCELLING = "cancelling"
    EXPANDED = "expanded"  # a mapped task, until its instances are done
    DONE = "done"


@dataclass(slots=True, eq=False)
class TaskState:
    """One task as it stands. `story` tells what happened to it, for errors; `item` is a mapped instance's."""

    key: str
    planned: PlannedTask
    waiting_for: int = 0
    phase: Phase = Phase.WAITING
    state: State = "queued"
    attempt: int = 0
    retries: int = 0
    lost: int = 0
    reason: str = ""
    arguments: Mapping[str, Any] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    results: Mapping[str, Any] = field(default_factory=dict)
    artifacts: Mapping[str, str] = field(default_factory=dict)
    notebook: str = ""
    error: Mapping[str, Any] = field(default_factory=dict)
    cache_key: str = ""
    source_run_id: str = ""
    item: Any = None
    group: TaskState | None = None
    instances: list[TaskState] | None = None
    open_instances: int = 0
    is_orphan: bool = False  # its runner went away; a loss then is not the task's doing
    story: list[str] = field(default_factory=list)


LIVE = (Phase.SUBMITTED, Phase.RUNNING, Phase.CANCELLING)
_ABOUT_CACHE = (events.CacheHit, events.CacheMissed)


def is_late(task: TaskState, fact: TaskFact, attempt: int | None) -> bool:
    """Whether the fact is about something that is over: an earlier attempt, a lookup that was answered."""
    if attempt is None:
        if isinstance(fact, events.TaskUnrunnable):
            return task.phase is Phase.DONE
        return isinstance(fact, _ABOUT_CACHE) and task.phase not in (Phase.WAITING, Phase.LOOKING)
    if isinstance(fact, events.RetryDue):
        return attempt <= task.attempt or (attempt == task.attempt + 1 and task.phase is Phase.DONE)
    return attempt < task.attempt or (attempt == task.attempt and attempt > 0 and task.phase not in LIVE)


def uses_item(when: str | None) -> bool:
    if when is None:
        return False
    return any(each.root == "item" for each in conditions.references_in(conditions.parse(when)))


def joined(group: TaskState) -> tuple[State, str]:
    """The state of a mapped task whose instances have all ended."""
    counts = Counter(each.state for each in group.instances or ())
    told = ", ".join(f"{count} {state}" for state, count in sorted(counts.items()))
    if counts["failed"]:
        return "failed", told
    if counts["cancelled"]:
        return "cancelled", told
    if counts["skipped"] == counts.total():
        return "skipped", told
    return ("cached" if counts["cached"] == counts.total() else "succeeded"), told


def value_of(task: TaskState, reference: Reference) -> Any:
    """A result, an artifact, or the state of a task that has ended; None where it did not end well."""
    if reference.field == "state":
        return task.state
    if task.state not in DONE_WELL:
        return None
    emitted: Mapping[str, Any] = task.results if reference.field == "results" else task.artifacts
    if reference.name not in emitted:
        kind = reference.field.removesuffix("s")
        hint = did_you_mean(reference.name, emitted) or f"emit it: mlops.{kind}({reference.name!r}, …)"
        raise NotFound(f"{task.key} emitted no {kind} {reference.name!r}", hint=hint)
    return references.follow(emitted[reference.name], reference)
