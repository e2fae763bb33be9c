"""What tasks used, as the catalog's records tell: how long, what they asked for, what they were measured to take."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..catalog.records import Attempt, Run, TaskRun
from ..resources import ResourceRequest
from .utilization import busy_cpus

DEFAULT_CPU = 1.0  # a notebook that asks for nothing mostly keeps one core busy
ONE_CORE = 1.1  # as many busy CPUs are still one, with some helpers
DEFAULT_MEMORY = 2**30  # for one that was never measured
_EXECUTED = ("succeeded", "failed", "cancelled", "running")


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """One task's use of a machine: `seconds` in all its attempts together, of which the longest took `longest`."""

    task: str
    seconds: float
    longest: float = 0.0
    asked: ResourceRequest = field(default_factory=ResourceRequest)
    peak_memory: int = 0
    busy_cpus: float | None = None  # on average; None: not measured

    def demand(self) -> ResourceRequest:
        """What it takes of a machine: what it asked for, and at least what it was measured to use."""
        measured = self.peak_memory or (DEFAULT_MEMORY if self.asked.memory is None else 0)
        return ResourceRequest(
            cpu=self.asked.cpu if self.asked.cpu is not None else self._measured_cpu(),
            memory=max(self.asked.memory or 0, measured),
            gpu=self.asked.gpu,
            accelerator=self.asked.accelerator,
        )

    def _measured_cpu(self) -> float:
        return self.busy_cpus if self.busy_cpus is not None and self.busy_cpus > ONE_CORE else DEFAULT_CPU


def requests_of(plan: Mapping[str, Any]) -> dict[str, ResourceRequest]:
    """What each task of a run's plan asks for, by its key. A mapped task's instances ask what their group asks."""
    return {
        str(task["key"]): ResourceRequest.parse(task.get("resources"))
        for task in plan.get("tasks", ())
        if "key" in task
    }


def request_of(task: TaskRun, asked: Mapping[str, ResourceRequest]) -> ResourceRequest:
    """What one task run asked for."""
    return asked.get(task.task) or asked.get(task.name) or ResourceRequest()


def uses_of(run: Run, tasks: Iterable[TaskRun], attempts: Sequence[Attempt] = ()) -> list[Use]:
    """What the tasks of a run used, each with all of its attempts; those that did not execute used nothing."""
    asked = requests_of(run.plan)
    tries: dict[str, list[Attempt]] = {}
    for attempt in attempts:
        tries.setdefault(attempt.task, []).append(attempt)
    uses = []
    for task in tasks:
        took = [each.duration_seconds for each in tries.get(task.task, ())] or [task.duration_seconds]
        if task.state not in _EXECUTED or not sum(took) > 0:
            continue
        peaks = [each.peak_memory_bytes for each in tries.get(task.task, ())]
        uses.append(
            Use(
                task=task.task,
                seconds=sum(took),
                longest=max(took),
                asked=request_of(task, asked),
                peak_memory=max([task.peak_memory_bytes, *peaks]),
                busy_cpus=_busy(tries.get(task.task) or [task]),
            )
        )
    return uses


def _busy(tries: Sequence[Attempt | TaskRun]) -> float | None:
    """How many CPUs were busy on average, of the attempts that were measured."""
    measured = [each for each in tries if busy_cpus(each) is not None]
    if not measured:
        return None
    return sum(each.cpu_seconds or 0.0 for each in measured) / sum(each.duration_seconds for each in measured)


@dataclass(frozen=True, slots=True)
class RunUse:
    """What one run used, and which of its tasks it took from the cache."""

    uses: tuple[Use, ...]
    cached: frozenset[str] = frozenset()


def typical(runs: Sequence[RunUse]) -> list[Use]:
    """The use of a typical run that finds nothing in the cache, of runs with the latest first.

    Of each task the mean time of those that executed it, as often as it was not skipped; and the highest peak, as of
    the busy CPUs those of the run that kept most of them busy.
    """
    by_task: dict[str, list[Use]] = {}
    for run in runs:
        for use in run.uses:
            by_task.setdefault(use.task, []).append(use)
    found = []
    for task, uses in by_task.items():
        wanted = len(uses) + sum(task in run.cached for run in runs)
        mean = math.fsum(use.seconds for use in uses) / len(uses)
        found.append(
            Use(
                task=task,
                seconds=mean * wanted / len(runs),
                longest=max(use.longest for use in uses),
                asked=uses[0].asked,
                peak_memory=max(use.peak_memory for use in uses),
                busy_cpus=max((use.busy_cpus for use in uses if use.busy_cpus is not None), default=None),
            )
        )
    return found
