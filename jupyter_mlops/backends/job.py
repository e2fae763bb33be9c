"""What a backend is given and what it gives back: plain values that pickle, and nothing of pipelines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Protocol
from urllib.parse import quote

from ..events import Event
from ..resources import ResourceRequest


class Secrets(dict[str, str]):
    """Environment variables whose values must not be shown."""

    def __repr__(self) -> str:
        return f"Secrets({', '.join(self)})"

    __str__ = __repr__


@dataclass(frozen=True, slots=True, kw_only=True)
class JobKey:
    """Which attempt of which task run."""

    run_id: str
    task: str
    attempt: int

    def __str__(self) -> str:
        return f"{self.run_id}/{self.task}/{self.attempt}"

    @property
    def document(self) -> str:
        """The blob store's document for the outcome of this attempt."""
        return f"outcomes/{self.run_id}/{quote(self.task, safe='')}/{self.attempt}.json"

    @property
    def start_document(self) -> str:
        """The document that says that a worker elsewhere has begun with it."""
        return f"outcomes/{self.run_id}/{quote(self.task, safe='')}/{self.attempt}.started"


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One attempt at one notebook, with all that a worker on another machine needs.

    `notebook` is the digest of its source, without outputs, in the blob store; `arguments` are encoded
    (`encoding.to_json`; a secret as ``secret:NAME``), `inputs` the artifact references among them. `files` are
    the local modules and declared files, path relative to `base` → digest in the blob store; where `base` does
    not hold them as they were sent, they are laid out in a directory of their own. `output_path` is where the
    executed notebook is saved while it runs, if that directory can be reached.
    """

    key: JobKey
    notebook: str
    notebook_name: str
    cwd: str
    base: str
    root: str
    blobs_url: str
    blob_options: Mapping[str, Any] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    arguments: Mapping[str, Any] = field(default_factory=dict)
    inputs: Mapping[str, str] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)
    secrets: Secrets = field(default_factory=Secrets)
    preload: tuple[str, ...] = ()
    is_bare: bool = False
    kernel: str = ""
    isolation: str = "warm"
    resources: ResourceRequest = field(default_factory=ResourceRequest)
    priority: int = 0
    timeout_seconds: float | None = None
    cell_timeout_seconds: float | None = None
    output_limit_bytes: int = 8 << 20
    output_path: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobOutcome:
    """How an attempt ended. `state` is ``succeeded``, ``failed``, ``cancelled`` or ``lost`` (nothing is known:
    the worker or its zygote is gone). `artifacts` maps a name to what the notebook said of it."""

    state: str
    results: Mapping[str, Any] = field(default_factory=dict)
    artifacts: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    notebook: str = ""
    error: Mapping[str, Any] = field(default_factory=dict)
    error_class: str = ""
    duration_seconds: float = 0.0
    peak_memory_bytes: int = 0
    cpu_seconds: float | None = None
    cpus: float | None = None
    gpu_utilization: float | None = None
    worker: str = ""
    reason: str = ""

    def to_json(self) -> dict[str, Any]:
        """As the blob store keeps it."""
        return asdict(self)

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> JobOutcome:
        """What `to_json` wrote; fields of later versions are ignored."""
        return cls(**{f.name: body[f.name] for f in fields(cls) if f.name in body})


class Listener(Protocol):
    """Hears what happens to jobs, in threads of the backend: queue it and return."""

    def started(self, key: JobKey, worker: str) -> None:
        """A worker began."""

    def ended(self, key: JobKey, outcome: JobOutcome) -> None:
        """It is over; told once for each submitted job, and after `started` if it ran at all."""

    def progressed(self, event: Event) -> None:
        """A cell began or ended, or wrote something."""


class Backend(Protocol):
    """Where jobs run. The runner submits a job when all it needs is done; the backend places it."""

    def submit(self, job: Job) -> None:
        """Have it run as soon as a worker with what it asks for is free, once and no more.

        Raises `Unavailable` or `WorkerLost` when no cluster is there to take it.
        """

    def cancel(self, key: JobKey) -> None:
        """Interrupt it, or keep it from starting; it ends as ``cancelled``."""

    def recall(self, key: JobKey) -> None:
        """See to it that no worker is at a job that an earlier runner submitted; returns when that is so."""

    def capacity(self) -> ResourceRequest | None:
        """The most that one worker offers to one job; None when the workers do not say."""

    def close(self) -> None:
        """Let go. Jobs that run in this process are killed; those on workers elsewhere go on to their end,
        where the next runner finds their outcome."""
