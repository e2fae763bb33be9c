"""What the catalog keeps of one run, gathered while a batch of facts is handled and written at one go.

A batch is one transaction, and it says first that this process is (still) the one that drives the run. So of
two that believe so, one is told `Conflict` before it has done anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ..backends import JobKey
from ..blobs import parse_reference
from ..catalog import Catalog
from ..catalog.records import Artifact, Attempt, CacheEntry, Run, RunEvent, TaskRun
from ..errors import Conflict
from ..events import (
    TERMINAL,
    AttemptCancelled,
    AttemptFailed,
    AttemptLost,
    AttemptStarted,
    AttemptSucceeded,
    CacheHit,
    CellExecuted,
    CellStarted,
    Event,
    RunFinished,
    TaskStateChanged,
    encode,
    measured,
    now,
)
from ..pipelines import RunState
from ..pipelines.cache import Components
from .cachebook import Cachebook

_UNKNOWN = measured(TaskRun(run_id="", task="", name=""))


@dataclass(slots=True)
class _Batch:
    log: list[RunEvent] = field(default_factory=list)
    records: list[Attempt | Artifact | CacheEntry] = field(default_factory=list)
    tasks: set[str] = field(default_factory=set)
    finished: RunFinished | None = None


class Ledger:
    """The records of one run. Nothing is in the catalog before `write`."""

    def __init__(self, catalog: Catalog, run: Run, machine: RunState, cachebook: Cachebook) -> None:
        self.catalog, self.run, self.machine, self.cachebook = catalog, run, machine, cachebook
        self.on_end: Callable[[], None] | None = None  # within the transaction that ends the run
        self.task_runs: dict[str, TaskRun] = {}
        self._attempts: dict[JobKey, Attempt] = {}
        self._made_of: dict[str, tuple[str, Components]] = {}
        self._told: dict[tuple[str, str], Mapping[str, Any]] = {}
        self._batch = _Batch()

    def begin(self) -> list[TaskRun]:
        """Put a new run and its tasks into the catalog."""
        tasks = [
            TaskRun(run_id=self.run.run_id, task=key, name=task.planned.name, position=position)
            for position, (key, task) in enumerate(self.machine.tasks.items())
        ]
        self.task_runs = {task.task: task for task in tasks}
        self.catalog.add(self.run, *tasks)
        return tasks

    def take_over(self) -> list[TaskRun]:
        """Go on from what the catalog has."""
        where = {"run_id": self.run.run_id}
        tasks = self.catalog.find(TaskRun, where=where, order_by="position")
        self.task_runs = {task.task: task for task in tasks}
        for attempt in self.catalog.find(Attempt, where={**where, "state": "running"}):
            key = JobKey(run_id=attempt.run_id, task=attempt.task, attempt=attempt.attempt)
            self._attempts[key] = attempt
        return tasks

    def release(self) -> None:
        """Say that nobody drives the run any more, if that was we."""
        self.catalog.compare_and_set(Run, self.run.run_id, {"runner": self.run.runner}, runner="")

    def is_cancel_requested(self) -> bool:
        """Whether somebody has asked for the run to stop."""
        where = {"run_id": self.run.run_id, "is_cancel_requested": True}
        return self.catalog.count(Run, where=where) > 0

    # --- gathering ------------------------------------------------------------------------------------------

    def note(self, event: Event) -> None:
        """Keep a fact or a decision, and what follows from it for the records."""
        self._batch.log.append(_logged(event))
        match event:
            case TaskStateChanged():
                self._enter(event)
            case RunFinished():
                self._batch.finished = event
            case CacheHit():
                self.change(event.task, cache_key=event.cache_key)
            case AttemptStarted():
                self._start(event)
            case AttemptSucceeded():
                self._end(event, "succeeded", measured(event))
                self._keep_artifacts(event)
                self._keep_outcome(event)
            case AttemptFailed():
                self._end(event, "failed", measured(event), error=event.error)
            case AttemptCancelled():
                self._end(event, "cancelled", measured(event))
            case AttemptLost():
                self._end(event, "lost", {}, reason=event.reason)

    def change(self, task: str, **changes: Any) -> None:
        """Change fields of a task run."""
        known = self.task_runs.get(task)
        if known is None:  # an instance of a mapped task
            name = self.machine.task(task).planned.name
            known = TaskRun(run_id=self.run.run_id, task=task, name=name, position=len(self.task_runs))
        self.task_runs[task] = replace(known, **changes)
        self._batch.tasks.add(task)

    def expect(self, task: str, key: str, components: Components) -> None:
        """If the task succeeds, its outcome stands for this cache key."""
        self._made_of[task] = key, components

    def forget(self, task: str) -> None:
        """Take back what `expect` said."""
        self._made_of.pop(task, None)

    def describe(self, task: str, artifacts: Mapping[str, Mapping[str, Any]]) -> None:
        """What a notebook said of the artifacts that it is about to be credited with."""
        self._told.update({(task, name): told for name, told in artifacts.items()})

    def progress(self, event: CellStarted | CellExecuted) -> None:
        """Which cell a task is in."""
        known = self.task_runs.get(event.task)
        if known is not None and known.state not in TERMINAL:
            self.change(event.task, cell=event.cell, cells=event.cells)

    # --- writing --------------------------------------------------------------------------------------------

    def write(self) -> None:
        """All that was gathered, in one transaction. Raises `Conflict` if somebody else drives the run by now."""
        batch = self._batch
        changes: dict[str, Any] = {"heartbeat_at": now()}
        if batch.finished is not None:
            finished = batch.finished
            changes |= {
                "state": finished.state, "message": finished.message, "finished_at": finished.at, "runner": "",
            }  # fmt: skip
        with self.catalog.transaction():
            if not self.catalog.compare_and_set(Run, self.run.run_id, {"runner": self.run.runner}, **changes):
                raise Conflict(
                    f"run {self.run.run_id} was taken up by somebody else",
                    hint=f"see it with: jupyter mlops show {self.run.run_id}",
                )
            if batch.log:
                self.catalog.add(*batch.log)
            self.catalog.put(*(self.task_runs[key] for key in sorted(batch.tasks)), *batch.records)
            if batch.finished is not None and self.on_end is not None:
                self.on_end()
        self.run = replace(self.run, **changes)
        self._batch = _Batch()

    @property
    def has_news(self) -> bool:
        """Whether there is something to write."""
        return bool(self._batch.tasks or self._batch.log)

    # --- what events mean for records -----------------------------------------------------------------------

    def _enter(self, event: TaskStateChanged) -> None:
        changes: dict[str, Any] = {"state": event.state, "reason": event.reason, "attempt": event.attempt}
        if event.state in TERMINAL:
            task = self.machine.task(event.task)
            changes |= {
                "finished_at": event.at, "results": self.machine.results(event.task), "error": task.error,
                "artifacts": task.artifacts, "notebook": task.notebook, "source_run_id": task.source_run_id,
            }  # fmt: skip
        elif event.state == "running":
            changes |= {"started_at": event.at, "cell": 0}
        self.change(event.task, **changes)

    def _start(self, fact: AttemptStarted) -> None:
        key = JobKey(run_id=fact.run_id, task=fact.task, attempt=fact.attempt)
        if key in self._attempts:
            return
        attempt = Attempt(
            run_id=fact.run_id, task=fact.task, attempt=fact.attempt, state="running",
            worker=fact.worker, started_at=fact.at,
        )  # fmt: skip
        self._attempts[key] = attempt
        self._batch.records.append(attempt)
        self.change(fact.task, worker=fact.worker)

    def _end(
        self,
        fact: AttemptSucceeded | AttemptFailed | AttemptCancelled | AttemptLost,
        state: str,
        used: Mapping[str, Any],
        *,
        error: Mapping[str, Any] | None = None,
        reason: str = "",
    ) -> None:
        key = JobKey(run_id=fact.run_id, task=fact.task, attempt=fact.attempt)
        begun = self._attempts.pop(key, None) or Attempt(
            run_id=fact.run_id, task=fact.task, attempt=fact.attempt, state=state
        )
        notebook = "" if isinstance(fact, AttemptLost) else fact.notebook
        self._batch.records.append(
            replace(
                begun, state=state, error=error or {}, reason=reason, finished_at=fact.at,
                notebook=notebook, **used,
            )
        )  # fmt: skip
        # Of an attempt that was lost nothing is known, and nothing is left of the one before it.
        self.change(fact.task, **(used or _UNKNOWN))

    def _keep_artifacts(self, fact: AttemptSucceeded) -> None:
        for name, reference in fact.artifacts.items():
            parsed = parse_reference(reference)
            if parsed is not None:
                told = self._told.pop((fact.task, name), {})
                self._batch.records.append(
                    Artifact(
                        run_id=fact.run_id, task=fact.task, name=name, reference=reference, digest=parsed.digest,
                        format=parsed.format, size_bytes=int(told.get("size_bytes", 0)),
                        summary=told.get("summary", {}), created_at=fact.at,
                    )
                )  # fmt: skip

    def _keep_outcome(self, fact: AttemptSucceeded) -> None:
        if fact.task not in self._made_of:
            return
        key, components = self._made_of.pop(fact.task)
        entry = CacheEntry(
            cache_key=key, pipeline=self.run.pipeline, task=fact.task, run_id=self.run.run_id,
            components=components, results=fact.results, artifacts=fact.artifacts, notebook=fact.notebook,
            duration_seconds=fact.duration_seconds, created_at=fact.at,
        )  # fmt: skip
        self._batch.records.append(self.cachebook.keep(entry))
        self.change(fact.task, cache_key=key)


def _logged(event: Event) -> RunEvent:
    body = encode(event)
    del body["run_id"], body["at"]
    return RunEvent(run_id=event.run_id, kind=body.pop("kind"), at=event.at, body=body)


def unlogged(records: Iterable[RunEvent]) -> list[dict[str, Any]]:
    """The events of a run's log as `events.decode` reads them."""
    return [
        {**record.body, "kind": record.kind, "run_id": record.run_id, "at": record.at.isoformat()}
        for record in records
    ]
