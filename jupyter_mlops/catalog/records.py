"""What the catalog keeps, as frozen values: one class a table, one field a column.

``KEY`` names the primary key, ``TABLE`` the table. Mappings and lists are JSON columns; ``*_at`` are aware UTC
datetimes; ``*_id`` opaque strings. A new kind of object is a class here and a migration in ``migrations/``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar

from .. import words
from ..display import Shown, tab
from ..resources import format_bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Run(Shown):
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

    def facts(self) -> Mapping[str, str]:
        """What a reader wants to know first."""
        ended = self.finished_at or self.started_at
        took = words.lifetime(self.started_at, self.finished_at, ended) if ended is not None else None
        return {
            "run": self.run_id,
            "pipeline": self.pipeline,
            "state": self.state,
            "took": words.duration(took) if self.finished_at else "",
            "arguments": words.mapping(self.arguments),
            "message": self.message,
        }

    def told(self, text: str) -> str:
        """See `Shown`."""
        return tab(text, "run", runId=self.run_id, title=self.pipeline)


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
    cpu_seconds: float | None = None
    cpus: float | None = None
    gpu_utilization: float | None = None


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
    cpu_seconds: float | None = None
    cpus: float | None = None
    gpu_utilization: float | None = None


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


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisteredModel:
    """The name under which versions of a model stand. It outlives its versions, so that a number, once given,
    never means another version: `last_version` only grows, and a deleted model is one with `is_deleted`."""

    TABLE: ClassVar[str] = "registered_models"
    KEY: ClassVar[tuple[str, ...]] = ("name",)

    name: str
    folded: str  # the name without case: "Churn" and "churn" may not both be
    description: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    last_version: int = 0
    is_deleted: bool = False
    user_name: str = ""
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelVersion(Shown):
    """An immutable envelope; only its tags, description and `check` may change. The whole of it is the JSON
    document in the blob `manifest`; what lists, filters and comparisons ask for is repeated here."""

    TABLE: ClassVar[str] = "model_versions"
    KEY: ClassVar[tuple[str, ...]] = ("name", "version")

    name: str
    version: int
    manifest: str  # digest of the manifest: what the version *is*
    estimator: str = ""  # "sklearn.linear_model.LogisticRegression"
    format: str = ""  # of the model's file: skops, pickle, …
    description: str = ""
    metrics: Mapping[str, float] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    blobs: Sequence[str] = ()  # digests of the manifest and of every file of the version
    size_bytes: int = 0
    check: str = ""  # how it was tried: "quick", "full", or "none"
    origin: str = ""  # "" when registered here; else the store that it was imported from
    run_id: str = ""
    task: str = ""
    user_name: str = ""
    created_at: datetime

    @property
    def reference(self) -> str:
        """``models:/NAME/3``: what loads it again."""
        return f"models:/{self.name}/{self.version}"

    def facts(self) -> Mapping[str, str]:
        """What a reader wants to know first; `ModelStore.show` tells all."""
        tried = {"quick": "here", "full": "here and in a clean process", "none": "not at all"}
        return {
            "model": self.reference,
            "estimator": f"{self.estimator} ({self.format})" if self.format else self.estimator,
            "metrics": words.mapping(self.metrics),
            "tags": words.mapping(self.tags),
            "description": self.description,
            "tried": tried.get(self.check, self.check),
            "size": format_bytes(self.size_bytes),
            "run": " · ".join(filter(None, [self.run_id, self.task])),
            "registered": f"{self.created_at:%Y-%m-%d %H:%M:%S} UTC{f' by {self.user_name}' if self.user_name else ''}",
        }

    def told(self, text: str) -> str:
        """See `Shown`."""
        return tab(text, "model", name=self.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelAlias(Shown):
    """A movable name of one version, such as ``champion``."""

    TABLE: ClassVar[str] = "model_aliases"
    KEY: ClassVar[tuple[str, ...]] = ("name", "alias")

    name: str
    alias: str
    version: int
    is_protected: bool = False  # moves only when that is asked for explicitly
    user_name: str = ""
    updated_at: datetime

    def facts(self) -> Mapping[str, str]:
        """What it names."""
        protected = ", protected" if self.is_protected else ""
        return {"alias": f"models:/{self.name}@{self.alias}", "names": f"version {self.version}{protected}"}

    def told(self, text: str) -> str:
        """See `Shown`."""
        return tab(text, "model", name=self.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class AliasMove:
    """The history of aliases: who moved which from where to where; None is "not set"."""

    TABLE: ClassVar[str] = "alias_moves"
    KEY: ClassVar[tuple[str, ...]] = ("seq",)

    seq: int = 0  # given by the database
    name: str
    alias: str
    old_version: int | None = None
    new_version: int | None = None
    user_name: str = ""
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class LineageLink:
    """`target` was made from `source`: a query, data, features, a run, a notebook, a model version, a
    deployment. A kind is one word (``data``, ``run``, ``model``, …), source and target name one of it."""

    TABLE: ClassVar[str] = "lineage_links"
    KEY: ClassVar[tuple[str, ...]] = ("source_kind", "source", "target_kind", "target")

    source_kind: str
    source: str
    target_kind: str
    target: str
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureDefinition:
    """An entity, feature view, on-demand view or feature service, as `kind` says. A version is the digest of
    what decides the values and cannot change; the newest `registered_at` of a name is the current version. An
    entity has one version, ""."""

    TABLE: ClassVar[str] = "feature_definitions"
    KEY: ClassVar[tuple[str, ...]] = ("kind", "name", "version")

    kind: str
    name: str
    version: str = ""
    folded: str  # the name without case: "Weather" and "weather" may not both be
    definition: Mapping[str, Any]
    blobs: Sequence[str] = ()  # the pickled function
    description: str = ""
    owner: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    run_id: str = ""
    user_name: str = ""
    created_at: datetime
    registered_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Materialization:
    """One batch of a feature view brought into the stores: the rows that became known in ``(start, end]``.

    ``running``, then ``logged`` (its rows are in the offline log), then ``succeeded`` (and online), or
    ``failed``. The greatest `end_at` of the logged ones is the view's watermark."""

    TABLE: ClassVar[str] = "materializations"
    KEY: ClassVar[tuple[str, ...]] = ("materialization_id",)

    materialization_id: str
    view: str
    version: str
    state: str = "running"
    start_at: datetime | None = None
    end_at: datetime
    rows: int = 0
    online_rows: int = 0
    profile: Mapping[str, Any] = field(default_factory=dict)
    problems: Sequence[Mapping[str, Any]] = ()  # expectations that did not hold
    message: str = ""
    run_id: str = ""
    created_at: datetime
    finished_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FeaturePart:
    """One parquet file of a view's offline log. `seq` is also its arrival: of two rows with equal times, the one
    that arrived later stands. A file without a record is not part of the log."""

    TABLE: ClassVar[str] = "feature_parts"
    KEY: ClassVar[tuple[str, ...]] = ("seq",)

    seq: int = 0  # given by the database
    part_id: str
    view: str
    version: str
    path: str  # below the offline store's URL
    materialization_id: str = ""  # "" when pushed
    rows: int
    size_bytes: int
    least_at: datetime  # when its first and its last row became known
    greatest_at: datetime
    online_rows: int = 0  # how many are online already: where to go on
    is_online: bool = False  # all that shall be are
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule(Shown):
    """An active schedule of a pipeline. `spec` is how it was written; `next_at` is the fire that nobody has
    decided on yet, `due_at` that with its jitter: None when there is none to come."""

    TABLE: ClassVar[str] = "schedules"
    KEY: ClassVar[tuple[str, ...]] = ("name",)

    name: str  # "pipeline.schedule"
    pipeline: str
    pipeline_path: str  # relative to the workspace if it lies there: others may have that elsewhere
    cron: str
    timezone: str
    spec: Mapping[str, Any]
    is_paused: bool = False
    paused_at: datetime | None = None
    next_at: datetime | None = None
    due_at: datetime | None = None
    user_name: str = ""
    created_at: datetime
    updated_at: datetime

    def facts(self) -> Mapping[str, str]:
        """What a reader wants to know first."""
        return {
            "schedule": self.name,
            "pipeline": self.pipeline_path,
            "cron": f"{self.cron} ({self.timezone})",
            "next": "paused"
            if self.is_paused
            else f"{self.next_at:%Y-%m-%d %H:%M} UTC"
            if self.next_at
            else "never",
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Fire:
    """What became of one fire: its run, or why there is none. The key is what makes a fire happen once.

    `state` is ``queued`` (waits for an earlier run), ``running``, how its run ended, ``skipped`` or
    ``missed``. Missed ones that follow each other are one record: `count` of them from `first_at` to
    `fire_at`."""

    TABLE: ClassVar[str] = "fires"
    KEY: ClassVar[tuple[str, ...]] = ("schedule", "fire_at")

    schedule: str
    fire_at: datetime
    state: str
    reason: str = ""
    run_id: str = ""
    count: int = 1
    first_at: datetime | None = None
    drives: int = 0  # how often a process was started to drive the run
    driven_at: datetime | None = None
    is_backfill: bool = False
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """Who may do something that only one may, until when. `token` grows with each holder: a write that checks
    it in its transaction cannot come from one who was taken for dead."""

    TABLE: ClassVar[str] = "leases"
    KEY: ClassVar[tuple[str, ...]] = ("name",)

    name: str
    holder: str
    token: int
    until_at: datetime
    renewed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Image(Shown):
    """A container image that was built here. `source` is what it was made of: ``models:/NAME/3``, or a
    notebook's or pipeline's path with its digest in `source_digest`."""

    TABLE: ClassVar[str] = "images"
    KEY: ClassVar[tuple[str, ...]] = ("digest", "name")

    digest: str  # "sha256:…" of the manifest, or of the index of several platforms
    name: str  # "registry/repository:tag", or a local name when it was not pushed
    kind: str  # "serving" or "batch"
    source: str
    source_digest: str = ""
    is_pushed: bool = False
    is_signed: bool = False
    platforms: Sequence[str] = ()
    size_bytes: int = 0  # compressed layers together
    builder: str = ""  # "docker", "podman", "buildah", "python"
    run_id: str = ""
    user_name: str = ""
    created_at: datetime

    @property
    def reference(self) -> str:
        """``name@digest`` without the tag, which means this very image wherever it is pulled from."""
        head, slash, last = self.name.rpartition("/")
        return f"{head}{slash}{last.partition('@')[0].partition(':')[0]}@{self.digest}"

    def facts(self) -> Mapping[str, str]:
        """What a reader wants to know first."""
        return {
            "image": self.reference if self.is_pushed else self.name,
            "of": self.source,
            "size": format_bytes(self.size_bytes),
            "platforms": ", ".join(self.platforms),
            "built": f"{self.created_at:%Y-%m-%d %H:%M:%S} UTC by {self.builder}",
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment(Shown):
    """A served model: a name on a target. What it serves is its latest revision."""

    TABLE: ClassVar[str] = "deployments"
    KEY: ClassVar[tuple[str, ...]] = ("name",)

    name: str
    target: str  # "local", "kubernetes", "sagemaker", "vertex", "azureml"
    model: str  # the registered model's name
    state: str = "deploying"  # deploying, running, degraded, failed, stopped, removed
    message: str = ""
    url: str = ""  # where it answers
    revision: int = 0
    options: Mapping[str, Any] = field(default_factory=dict)  # of the target: replicas, namespace, region, …
    alias: str = ""  # follows this alias of the model: moving it makes a new revision
    user_name: str = ""
    created_at: datetime
    updated_at: datetime

    def facts(self) -> Mapping[str, str]:
        """What a reader wants to know first."""
        return {
            "deployment": self.name,
            "model": f"{self.model}@{self.alias}" if self.alias else self.model,
            "target": self.target,
            "state": self.state,
            "url": self.url,
            "revision": str(self.revision),
            "message": self.message,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentRevision:
    """What a deployment served from `created_at` on; rolling back makes a new one that equals an old one.

    `traffic` is version → share of requests that it answers (they sum to 1), `shadow` version → share of
    requests that are sent to it besides, whose answers nobody sees."""

    TABLE: ClassVar[str] = "deployment_revisions"
    KEY: ClassVar[tuple[str, ...]] = ("name", "revision")

    name: str
    revision: int
    traffic: Mapping[str, float]
    shadow: Mapping[str, float] = field(default_factory=dict)
    image: str = ""  # "name@digest", "" where none is needed
    reason: str = ""  # "deploy", "alias champion moved", "rollback to 2", …
    user_name: str = ""
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ComputeMeasurement:
    """What one compute unit was measured to do: FLOPS by format, bandwidths; `body` as `compute` makes it."""

    TABLE: ClassVar[str] = "compute_measurements"
    KEY: ClassVar[tuple[str, ...]] = ("unit", "measured_at")

    unit: str  # "host/cpu", "host/gpu0"
    kind: str  # CPU, GPU, TPU, IPU
    name: str  # "AMD EPYC 7B13", "NVIDIA H100"
    body: Mapping[str, Any]
    measured_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """One table of the quotas: what everybody together, one user, a group or a queue may use; `queueing.quotas`
    reads them. Without any, runs start at once."""

    TABLE: ClassVar[str] = "quotas"
    KEY: ClassVar[tuple[str, ...]] = ("scope", "name")

    scope: str  # "settings", "task", "prices", "all", "user", "group", "queue"
    name: str = ""
    body: Mapping[str, Any]
    user_name: str = ""  # who set it
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueEntry:
    """A run that waits for admission, or has it: it is deleted when the run is over.

    `state` is ``waiting``, ``held`` or ``admitted``. `least` and `most` are what the run needs to go on at all
    and could use at once, `granted` what it may use, all as `queueing.amounts` has them."""

    TABLE: ClassVar[str] = "queue_entries"
    KEY: ClassVar[tuple[str, ...]] = ("run_id",)

    run_id: str
    pipeline: str
    user_name: str
    group_name: str = ""
    queue: str
    state: str = "waiting"
    priority: int = 0
    is_preemptible: bool = False
    least: Sequence[Any]
    most: Sequence[Any]
    granted: Sequence[Any] = ()
    seconds: float | None = None  # how long it may take, by earlier runs
    since_at: datetime  # waits since; what it ages by
    admitted_at: datetime | None = None
    is_leaving: bool = False  # shall make way for another run
    preemptions: int = 0
    position: int = 0  # when it was last told; 0 for "not among the first"
    reason: str = ""
    starts_at: datetime | None = None  # about
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueUsage:
    """What admitted runs had in use on one day (UTC): amount by time, summed over `spans`."""

    TABLE: ClassVar[str] = "queue_usage"
    KEY: ClassVar[tuple[str, ...]] = ("day", "user_name", "group_name", "queue")

    day: str
    user_name: str
    group_name: str = ""
    queue: str
    spans: int = 1
    run_seconds: float = 0.0
    task_seconds: float = 0.0
    cpu_seconds: float = 0.0
    memory_seconds: float = 0.0  # bytes times seconds
    gpu_seconds: float = 0.0
    cost: float = 0.0


Record = (
    Run | TaskRun | Attempt | Artifact | CacheEntry | RunEvent
    | RegisteredModel | ModelVersion | ModelAlias | AliasMove | LineageLink
    | FeatureDefinition | Materialization | FeaturePart
    | Schedule | Fire | Lease
    | Image | Deployment | DeploymentRevision | ComputeMeasurement
    | Quota | QueueEntry | QueueUsage
)  # fmt: skip
RECORDS: Sequence[type[Record]] = (
    Run, TaskRun, Attempt, Artifact, CacheEntry, RunEvent,
    RegisteredModel, ModelVersion, ModelAlias, AliasMove, LineageLink,
    FeatureDefinition, Materialization, FeaturePart,
    Schedule, Fire, Lease,
    Image, Deployment, DeploymentRevision, ComputeMeasurement,
    Quota, QueueEntry, QueueUsage,
)  # fmt: skip
