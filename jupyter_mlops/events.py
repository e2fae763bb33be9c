"""What happened, as frozen values.

Three kinds. *Facts* drive the run's state machine (`pipelines.machine`): they are in the catalog before they
are acted on, and replaying them rebuilds the run. *Decisions* are what the machine made of them; they are
published and kept as the current state of runs and task runs. *Progress* is told while a cell runs and may be
lost without harm. ``encode`` and ``decode`` turn each of them into JSON and back.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from .errors import InvalidInput

State = Literal[
    "queued", "running", "succeeded", "failed", "cancelled", "skipped", "cached", "upstream_failed"
]
TERMINAL: frozenset[str] = frozenset(
    {"succeeded", "failed", "cancelled", "skipped", "cached", "upstream_failed"}
)
DONE_WELL: frozenset[str] = frozenset({"succeeded", "cached"})


def now() -> datetime:
    """This moment, aware, in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """The common part: which run, and when (aware, UTC)."""

    run_id: str
    at: datetime = field(default_factory=now)


# What is measured of an attempt, by the same names in outcomes, events and records: how long it took; the most bytes of
# memory; how many seconds CPUs were busy, all together, and how many of them it could use; how busy its GPUs were, from
# 0 to 1. None: nobody measured it.
MEASURED = ("duration_seconds", "peak_memory_bytes", "cpu_seconds", "cpus", "gpu_utilization")


def measured(of: Any) -> dict[str, Any]:
    """These of anything that has them, to make something else with them."""
    return {name: getattr(of, name) for name in MEASURED}


# --- facts ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStarted(Event):
    """The runner took the run up. The plan and the arguments stand in the run's record."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskFact(Event):
    """A fact about one task run; `task` is its key, such as ``train`` or ``train[model=a]``."""

    task: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheHit(TaskFact):
    """An earlier task run had the same cache key; its results and artifacts stand for this one's."""

    cache_key: str
    source_run_id: str
    results: Mapping[str, Any]
    artifacts: Mapping[str, str]
    notebook: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheMissed(TaskFact):
    """Nothing in the cache stands for this task; it must run. `reason` says what changed."""

    cache_key: str
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptStarted(TaskFact):
    """A worker began an attempt (1, 2, …)."""

    attempt: int
    worker: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptSucceeded(TaskFact):
    """The notebook ran to its end. `artifacts` maps a name to an artifact reference, `notebook` is the
    digest of the executed notebook's blob."""

    attempt: int
    results: Mapping[str, Any]
    artifacts: Mapping[str, str]
    notebook: str = ""
    duration_seconds: float = 0.0
    peak_memory_bytes: int = 0
    cpu_seconds: float | None = None
    cpus: float | None = None
    gpu_utilization: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptFailed(TaskFact):
    """The attempt ended in an error: `error` is ``MlopsError.to_json()``; `error_class` is what a
    ``retries.on`` list names (the ``ename`` of a notebook's error, else the class of ours)."""

    attempt: int
    error: Mapping[str, Any]
    error_class: str
    notebook: str = ""
    duration_seconds: float = 0.0
    peak_memory_bytes: int = 0
    cpu_seconds: float | None = None
    cpus: float | None = None
    gpu_utilization: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptLost(TaskFact):
    """The attempt left no outcome: worker, zygote or runner gone. It does not count against `retries`."""

    attempt: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptCancelled(TaskFact):
    """The attempt was interrupted because somebody asked for it."""

    attempt: int
    notebook: str = ""
    duration_seconds: float = 0.0
    peak_memory_bytes: int = 0
    cpu_seconds: float | None = None
    cpus: float | None = None
    gpu_utilization: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryDue(TaskFact):
    """The delay before attempt number `attempt` is over."""

    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskUnrunnable(TaskFact):
    """The task could not even be prepared (an argument does not resolve, a condition compares apples
    with pears, a mapped list is no list): it fails without an attempt."""

    error: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelRequested(Event):
    """Somebody asked for the whole run to stop."""

    by: str = ""


# --- decisions ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskStateChanged(Event):
    """A task run entered `state`; `reason` says why where that is not obvious."""

    task: str
    state: State
    attempt: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFinished(Event):
    """Every task is in a terminal state; `state` is the run's."""

    state: State
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelVersionRegistered(Event):
    """A version of a model is in the store; `run_id` is "" when no run made it."""

    name: str
    version: int
    manifest: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AliasMoved(Event):
    """An alias of a model names another version than before; None is "not set"."""

    name: str
    alias: str
    old_version: int | None
    new_version: int | None


# --- progress -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class CellStarted(Event):
    """Cell number `cell` of `cells` code cells (from 1) is running; `description` is its first line."""

    task: str
    attempt: int
    cell: int
    cells: int
    description: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CellExecuted(Event):
    """That cell is done."""

    task: str
    attempt: int
    cell: int
    cells: int
    duration_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputStreamed(Event):
    """Text that a running cell wrote to ``stdout`` or ``stderr`` (secrets masked)."""

    task: str
    attempt: int
    cell: int
    name: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RunWaits(Event):
    """The run waits for admission: why, its place in the queue (0: not among the first), and when it may start,
    in ISO 8601 ("": nobody knows)."""

    reason: str
    position: int = 0
    starts_at: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunAdmitted(Event):
    """The run waits no more."""


EVENTS: Mapping[str, type[Event]] = {
    kind.__name__: kind
    for kind in (
        RunStarted, CacheHit, CacheMissed, AttemptStarted, AttemptSucceeded, AttemptFailed, AttemptLost,
        AttemptCancelled, RetryDue, TaskUnrunnable, CancelRequested, TaskStateChanged, RunFinished, CellStarted,
        CellExecuted, OutputStreamed, ModelVersionRegistered, AliasMoved,
        RunWaits, RunAdmitted,
    )
}  # fmt: skip


def encode(event: Event) -> dict[str, Any]:
    """The event as JSON: ``kind``, ``at`` in ISO 8601, and its fields. Values must be JSON already."""
    body: dict[str, Any] = {f.name: getattr(event, f.name) for f in dataclasses.fields(event)}
    body["at"] = event.at.isoformat()
    return {"kind": type(event).__name__, **body}


def decode(body: Mapping[str, Any]) -> Event:
    """The event that `encode` wrote; fields that a later version added are ignored."""
    kind = EVENTS.get(str(body.get("kind")))
    if kind is None:
        raise InvalidInput(f"no event is called {body.get('kind')!r}")
    names = {f.name for f in dataclasses.fields(kind)}
    fields = {name: value for name, value in body.items() if name in names}
    fields["at"] = datetime.fromisoformat(fields["at"])
    return kind(**fields)
