"""Running one task of a run that somebody else orchestrates."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ..backends import JobKey, JobOutcome
from ..backends.work import Worker
from ..blobs import BlobStore
from ..errors import Conflict, InvalidInput, MlopsError, NotFound, did_you_mean
from ..events import DONE_WELL, CacheHit, Event, OutputStreamed, measured
from ..kernels import KernelPool
from ..pipelines import Plan
from ..runner.logs import LogWriter
from ..runner.places import notebook_path
from ..runner.sources import Sources, preloads
from ..settings import Settings
from .cache import TaskCache
from .report import Report
from .standing import Left, Standing, outcomes
from .telling import Telling, both


@dataclass(frozen=True, kw_only=True)
class Ended:
    """How a task ended: `state` as in any run, `error` as `MlopsError.to_json` has it."""

    task: str
    run_id: str
    state: str
    attempt: int = 0
    reason: str = ""
    cache_key: str = ""
    source_run_id: str = ""  # of a cached task: the run that really executed it
    results: Mapping[str, Any] = field(default_factory=dict)
    artifacts: Mapping[str, str] = field(default_factory=dict)
    notebook: str = ""
    error: Mapping[str, Any] = field(default_factory=dict)
    duration_seconds: float = 0.0
    peak_memory_bytes: int = 0
    cpu_seconds: float | None = None
    cpus: float | None = None
    gpu_utilization: float | None = None

    @property
    def is_good(self) -> bool:
        """Whether what comes after may go on: it did its work, or had none to do."""
        return self.state in DONE_WELL or self.state == "skipped"


class TaskEntry:
    """The tasks of one run, one of which this process is asked for."""

    def __init__(
        self, plan: Plan, run_id: str, *, settings: Settings, blobs: BlobStore, report: Report, folder: Path
    ) -> None:
        self.plan, self.run_id, self.settings, self.blobs = plan, run_id, settings, blobs
        self.report = report
        self.sources = Sources(folder, settings, blobs)

    def instances(self, task: str, *, is_settled: bool = False) -> list[str]:
        """The keys that a mapped task has in this run, empty if it does not run; raises what keeps it from that."""
        self._demand(task)
        standing = Standing(self.plan, self.run_id, self._known, is_settled=is_settled)
        group = standing.machine.task(task)
        if group.planned.map is None:
            raise InvalidInput(f"{task} is not mapped: it has no instances to list")
        if group.instances is None and group.state in ("queued", "running"):
            raise _too_early(task, standing.missing(task), self.run_id)
        if group.instances is None and group.state == "failed":
            raise InvalidInput(f"{task}: {group.reason}")
        return [each.key for each in group.instances or ()]

    def run(
        self,
        key: str,
        *,
        attempt: int | None = None,
        is_settled: bool = False,
        on_event: Callable[[Event], None],
    ) -> Ended:
        """Run the task, or find that it does not run. An `attempt` that left an outcome is not run twice.

        Raises what is wrong before anything runs; the task's own failure is told by what is returned.
        """
        self._demand(key)
        before = self._known.get(key)
        attempt = attempt or (before.attempt + 1 if before else 1)
        standing = Standing(self.plan, self.run_id, self._known, target=key, is_settled=is_settled)
        machine = standing.machine
        run = self.report.run(machine)
        telling = Telling(run, machine, self.settings, self.report.open_catalog)
        if standing.is_target_due:
            cache = TaskCache(key, machine, self.sources, self.blobs, self.report)
            hit = cache.find() if standing.is_cache_asked and before is None else None
            outcome = self._refused(key, before, attempt)
            if hit is not None:
                telling.found(hit)
                outcome = self._taken(key, attempt, hit)
            elif outcome is None:
                telling.begun(key, attempt)
                outcome = self._execute(key, attempt, cache, both(on_event, telling.handle))
                if outcome.state == "succeeded" and (before is None or before.attempt < attempt):
                    cache.keep(outcome)
            ended = self._ended(key, attempt, outcome, cache.cache_key, hit)
        else:
            ended = self._did_not_run(key, standing)
        after = Standing(self.plan, self.run_id, self._read()).machine
        self.report.ended(ended, after)
        telling.ended(ended, after)
        return ended

    # --- within ---------------------------------------------------------------------------------------------

    @property
    def _known(self) -> Mapping[str, Left]:
        if not hasattr(self, "_found"):
            self._found = self._read()
        return self._found

    def _read(self) -> dict[str, Left]:
        return outcomes(self.blobs, self.run_id)

    def _demand(self, key: str) -> None:
        """The task exists, and is one that can run by itself."""
        if key not in self.plan.tasks and key.partition("[")[0] not in self.plan.tasks:
            raise NotFound(
                f"the pipeline {self.plan.pipeline!r} has no task {key!r}",
                hint=did_you_mean(key, [*self.plan.tasks, *self.plan.keys_of]),
            )

    def _did_not_run(self, key: str, standing: Standing) -> Ended:
        """It was skipped, or what it needs failed; anything else means that it was asked for too early."""
        name = key if key in self.plan.tasks else key.partition("[")[0]
        task = standing.machine.task(name)
        if key == name and task.instances is not None and self.plan.tasks[name].map is not None:
            raise InvalidInput(
                f"{key} is mapped: it runs as its instances",
                hint=f"list them with --list, and name one: {key}[0]",
            )
        if task.instances is not None:
            task = standing.machine.task(key)  # raises NotFound for an index beyond the list
        if task.state in ("queued", "running"):
            raise _too_early(key, standing.missing(name), self.run_id)
        return Ended(task=key, run_id=self.run_id, state=task.state, reason=task.reason, error=task.error)

    def _refused(self, key: str, before: Left | None, attempt: int) -> JobOutcome | None:
        """The failure of the attempt before, if `retries.on` says that a further one would not help."""
        if before is None or before.attempt >= attempt or before.outcome.state != "failed":
            return None
        policy = self.plan.tasks[key if key in self.plan.tasks else key.partition("[")[0]].retries
        is_further = bool(policy.on) and not policy.covers(before.outcome.error_class)
        return before.outcome if is_further else None

    def _taken(self, key: str, attempt: int, hit: CacheHit) -> JobOutcome:
        """What an earlier run left, left for those that come after in this one."""
        outcome = JobOutcome(
            state="cached", results=hit.results, notebook=hit.notebook,
            artifacts={name: {"reference": reference} for name, reference in hit.artifacts.items()},
            reason=hit.reason or f"done in run {hit.source_run_id}",
        )  # fmt: skip
        self._leave(key, attempt, outcome)
        return outcome

    def _execute(
        self, key: str, attempt: int, cache: TaskCache, on_event: Callable[[Event], None]
    ) -> JobOutcome:
        machine, planned = cache.machine, cache.machine.task(key).planned
        logs = LogWriter(self.settings.root, self.run_id)

        def tell(event: Event) -> None:
            if isinstance(event, OutputStreamed):
                logs.write(event)
            on_event(event)

        self.report.begun(key, attempt, machine)
        try:
            bound = self.sources.bind(planned, machine.arguments(key))
            output = notebook_path(self.settings.root, self.run_id, key)
            output.parent.mkdir(parents=True, exist_ok=True)
            job = self.sources.job(
                planned,
                JobKey(run_id=self.run_id, task=key, attempt=attempt),
                bound,
                machine.environment(key),
                preloads([self.sources.facts(planned)]),
                output,
            )
            # The orchestrator gives the devices; what it made visible is left as it is.
            job = replace(job, resources=replace(job.resources, gpu=None, accelerator=None))
        except MlopsError as error:
            logs.close()
            return self._unprepared(key, attempt, error)
        linger = self.settings.zygote_linger_seconds
        with KernelPool(size=0, linger_seconds=linger) as pool:
            worker = Worker(pool, name=f"{socket.gethostname()}:{os.getpid()}")
            try:
                return worker.execute(job, tell)
            finally:
                logs.end(key, attempt)
                logs.close()

    def _unprepared(self, key: str, attempt: int, error: MlopsError) -> JobOutcome:
        """What the files or the arguments get wrong is the task's failure, and is left for those that come after."""
        outcome = JobOutcome(state="failed", error=error.to_json(), error_class=type(error).__name__)
        self._leave(key, attempt, outcome)
        return outcome

    def _leave(self, key: str, attempt: int, outcome: JobOutcome) -> None:
        document = JobKey(run_id=self.run_id, task=key, attempt=attempt).document
        self.blobs.put_document(document, json.dumps(outcome.to_json()).encode())

    def _ended(
        self, key: str, attempt: int, outcome: JobOutcome, cache_key: str, hit: CacheHit | None
    ) -> Ended:
        self.report.outcome = outcome
        is_good = outcome.state in DONE_WELL  # what a notebook emitted before it failed counts for nothing
        return Ended(
            task=key,
            run_id=self.run_id,
            state="failed" if outcome.state == "lost" else outcome.state,
            attempt=attempt,
            reason=outcome.reason,
            cache_key=hit.cache_key if hit is not None else cache_key,
            source_run_id=hit.source_run_id if hit is not None else "",
            results=outcome.results if is_good else {},
            artifacts={name: str(told["reference"]) for name, told in outcome.artifacts.items()}
            if is_good
            else {},
            notebook=outcome.notebook,
            error=outcome.error,
            **measured(outcome),
        )


def _too_early(key: str, missing: list[str], run_id: str) -> Conflict:
    told = ", ".join(missing[:3]) or "what comes before it"
    return Conflict(
        f"{key} needs {told}, which has not ended in run {run_id}",
        hint="run what it needs first, with the same run id and the same blob store",
    )
