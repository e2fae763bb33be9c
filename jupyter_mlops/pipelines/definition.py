"""What a pipeline is, as frozen values: the same ones from YAML and from Python.

A `Task` is written by people; a `PlannedTask` (in `plan`) is what became of it. They share `TaskSettings`, so
that a setting is named once.
"""

from __future__ import annotations

import builtins
import math
from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from pathlib import Path
from typing import Any

from .. import errors
from ..resources import ResourceRequest
from .schedules import ScheduleSpec

RUN_IF = (
    "all_success", "all_done", "none_failed", "at_least_one_success", "all_failed", "at_least_one_failed",
)  # fmt: skip
ISOLATION = ("warm", "cold")
_NOTHING = ResourceRequest()


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """Further attempts after a failure: `limit` of them; the first after `delay_seconds`, each next one
    `backoff` times later, never more than `max_delay_seconds`. `on` names error classes; empty means any."""

    limit: int = 0
    delay_seconds: float = 0.0
    backoff: float = 2.0
    max_delay_seconds: float = 3600.0
    on: tuple[str, ...] = ()

    def delay_before(self, retry: int) -> float:
        """Seconds to wait before retry number `retry` (1, 2, …)."""
        # Above 2^1000 a float overflows; by then every maximum is long reached.
        growth = min(math.log2(max(self.backoff, 1e-9)) * (retry - 1), 1000.0)
        return float(min(self.delay_seconds * 2.0**growth, self.max_delay_seconds))

    def covers(self, error_class: str) -> bool:
        """Whether `on` names `error_class` or one of its bases, among Python's errors and ours:
        ``KernelDied`` covers ``OutOfMemory``, ``ConnectionError`` covers ``ConnectionResetError``."""
        return not self.on or not _family(error_class).isdisjoint(self.on)


def _family(error_class: str) -> set[str]:
    name = error_class.rpartition(".")[2]
    known = getattr(errors, name, None) or getattr(builtins, name, None)
    if isinstance(known, type) and issubclass(known, BaseException):
        return {error_class, *(kind.__name__ for kind in known.__mro__)}
    return {error_class, name}


@dataclass(frozen=True, slots=True)
class TaskSettings:
    """A notebook and how it runs. Text in `parameters`, `env`, `map` and `when` may hold references.

    `notebook` and `files` are relative to the pipeline's file; `files` are inputs that count for the cache,
    as globs. `secrets` maps an environment variable to ``secret:NAME``. `timeout_seconds` is for the whole
    notebook, `cell_timeout_seconds` for each cell. A higher `priority` goes first.
    """

    name: str
    notebook: str
    _: KW_ONLY
    description: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    when: str | None = None
    run_if: str = "all_success"
    map: str | Sequence[Any] | None = None
    retries: RetryPolicy = RetryPolicy()
    timeout_seconds: float | None = None
    cell_timeout_seconds: float | None = None
    resources: ResourceRequest = _NOTHING
    priority: int = 0
    cache: bool = True
    files: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)
    kernel: str | None = None
    isolation: str | None = None


@dataclass(frozen=True, slots=True)
class Task(TaskSettings):
    """One node of a pipeline, as people write it.

    `needs` names tasks beyond those that references name already. `matrix` maps an axis to its values, or
    to a ``${params.…}`` that holds them: the task runs once for each combination.
    """

    _: KW_ONLY
    needs: tuple[str, ...] = ()
    matrix: Mapping[str, Sequence[Any] | str] = field(default_factory=dict)
    lines: Mapping[str, int] = field(default_factory=dict, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class PipelineParameter:
    """A typed input of the pipeline; without a `default` (None and `is_required`) it must be given."""

    type: str = "any"
    default: Any = None
    help: str = ""
    is_required: bool = False


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Tasks and the parameters they share. `path` is the file it was read from; notebooks are beside it."""

    name: str
    tasks: tuple[Task, ...]
    _: KW_ONLY
    description: str = ""
    parameters: Mapping[str, PipelineParameter] = field(default_factory=dict)
    schedules: Mapping[str, ScheduleSpec] = field(default_factory=dict)
    path: Path | None = field(default=None, compare=False)
    lines: Mapping[str, int] = field(default_factory=dict, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "tasks", tuple(self.tasks))

    def where(self, task: Task | None = None, field_path: str = "") -> str:
        """What an editor can jump to: ``pipeline.yaml:12``; without a file the task's name."""
        lines = self.lines if task is None else task.lines
        path = field_path
        while path and path not in lines:
            path = path.rpartition(".")[0]
        line = lines.get(path)
        if self.path is not None and line is not None:
            return f"{self.path}:{line}"
        inside = f", {field_path}" if field_path else ""
        return f"pipeline {self.name!r}{inside}" if task is None else f"task {task.name!r}{inside}"
