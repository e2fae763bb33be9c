"""What the catalog keeps, as frozen values: one class a table, one field a column.

``KEY`` names the primary key, ``TABLE`` the table. Mappings and lists are JSON columns; ``*_at`` are aware UTC
datetimes; ``*_id`` opaque strings. A new kind of object is a class here and a migration in ``migrations/``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One execution of a pipeline. `plan` is ``Plan.to_json()``: what was planned, whatever the files say now."""

    TABLE: ClassVar[str] = "runs"
    KEY: ClassVar[tuple[str, ...]] = ("run_id",)

    run_id: str
    pipeline: str
    pipeline_path: str = ""
    plan: Mapping[str, Any]
    arguments: Mapping[str, Any] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    state: str = "queued"
    message: str = ""
    user_name: str = ""
    created_at: datetime
    started_at: datetime | None = None
    finished_at: datetime | None = None
    rerun_of: str | None = None
    runner: str = ""  # "host:pid:start time" of the process that drives it, "" when none does
    heartbeat_at: datetime | None = None
    is_cancel_requested: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskRun:
    """One task in one run, as it stands now. `task` is the key, `name` the task it was expanded from."""

    TABLE: ClassVar[str] = "task_runs"
    KEY: ClassVar[tuple[str, ...]] = ("run_id", "task")

    run_id: str
    task: str
    name: str
    position: int = 0  # topological order, for lists
    state: str = "queued"
    attempt: int = 0
    reason: str = ""
    cache_key: str = ""
    source_run_id: str = ""  # for a cached task: the run that really executed it
    arguments: Mapping[str, Any] = field(default_factory=dict)
    results: Mapping[str, Any] = field(default_factory=dict)
    artifacts: Mapping[str, str] = field(default_factory=dict)
    notebook: str = ""  # digest of the executed notebook
    error: Mapping[str, Any] = field(default_factory=dict)
    worker: str = ""
    cell: int = 0  # progress: which code cell, of how many
    cells: int = 0
    started_at: datetime | None = None
    finished_at: datetime | None = None
    duration_seconds: float = 0.0
    peak_memory_bytes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """Each try of a task run."""

    TABLE: ClassVar[str] = "attempts"
    KEY: ClassVar[tuple[str, ...]] = ("run_id", "task", "attempt")

    run_id: str
    task: str
    attempt: int
    state: str
    worker: str = ""
    reason: str = ""
    error: Mapping[str, Any] = field(default_factory=dict)
    notebook: str = ""
    started_at: datetime | None = None
    finished_at: datetime | None = None
    duration_seconds: float = 0.0
    peak_memory_bytes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """A file or frame that a task produced; `reference` is what downstream tasks receive."""

    TABLE: ClassVar[str] = "artifacts"
    KEY: ClassVar[tuple[str, ...]] = ("run_id", "task", "name")

    run_id: str
    task: str
    name: str
    reference: str
    digest: str
    format: str
    size_bytes: int = 0
    summary: Mapping[str, Any] = field(default_factory=dict)  # rows, columns, … whatever the format tells
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheEntry:
    """What a cache key stands for. `components` are the digests that made the key, for ``status --why``."""

    TABLE: ClassVar[str] = "cache_entries"
    KEY: ClassVar[tuple[str, ...]] = ("cache_key",)

    cache_key: str
    pipeline: str
    task: str
    run_id: str
    components: Mapping[str, Any]
    results: Mapping[str, Any]
    artifacts: Mapping[str, str]
    notebook: str = ""
    is_frozen: bool = False  # `freeze`: stands for the task whatever changed
    duration_seconds: float = 0.0
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RunEvent:
    """A fact or decision about a run, numbered within the whole catalog; the log from which a run is replayed."""

    TABLE: ClassVar[str] = "run_events"
    KEY: ClassVar[tuple[str, ...]] = ("seq",)

    seq: int = 0  # given by the database
    run_id: str
    kind: str
    at: datetime
    body: Mapping[str, Any]


Record = Run | TaskRun | Attempt | Artifact | CacheEntry | RunEvent
RECORDS: Sequence[type[Record]] = (Run, TaskRun, Attempt, Artifact, CacheEntry, RunEvent)
