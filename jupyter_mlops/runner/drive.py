"""Driving one run: the loop between the state machine, the catalog, the cache and the backend.

The machine decides; here is done what it says. Facts are taken from a queue in batches; a batch, with the
decisions that follow from it, is one transaction of the catalog; only when that is committed are its
instructions carried out. So whatever was acted on is in the log, and replaying the log is a resume.
"""

from __future__ import annotations

import contextlib
import heapq
import json
import queue
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, TextIO
from urllib.parse import quote

from .. import encoding
from ..backends import BACKENDS, Backend, JobKey, JobOutcome
from ..blobs import BlobStore, parse_reference
from ..catalog import Catalog
from ..catalog.records import Artifact, Attempt, Run, RunEvent, TaskRun
from ..errors import InvalidInput, MlopsError, StorageUnavailable
from ..events import (
    TERMINAL,
    AttemptCancelled,
    AttemptFailed,
    AttemptLost,
    AttemptStarted,
    AttemptSucceeded,
    CacheHit,
    CancelRequested,
    CellExecuted,
    CellStarted,
    Event,
    OutputStreamed,
    RetryDue,
    RunFinished,
    RunStarted,
    TaskFact,
    TaskStateChanged,
    TaskUnrunnable,
    encode,
    now,
)
from ..kernels import KernelPool, KernelRequest
from ..notebooks.inject import named_secrets
from ..pipelines import PlannedTask, RunState
from ..pipelines.cache import Components
from ..pipelines.instructions import CancelAttempt, Instruction, LookUpCache, Record, Recover, Submit, WaitForRetry
from ..settings import Settings
from .cachebook import Cachebook, entry_of
from .options import OnEvent, RunOptions
from .sources import Sources, preloads

HEARTBEAT_SECONDS = 2.0
_CANCEL_POLL_SECONDS = 0.5
_Identity = tuple[str, Components, dict[str, Any]]  # cache key, what it is made of, bound arguments
_PROGRESS_SECONDS = 0.5  # how often the catalog is told which cell a task is in


class Drive:
    """One run, from wherever its machine stands to its end. Also the backend's listener."""

    def __init__(
        self,
        run: Run,
        machine: RunState,
        *,
        catalog: Catalog,
        blobs: BlobStore,
        settings: Settings,
        kernels: Callable[[], KernelPool],
        options: RunOptions,
        on_event: OnEvent | None,
    ) -> None:
        self.run, self.machine = run, machine
        self.catalog, self.blobs, self.settings = catalog, blobs, settings
        self.kernels, self.options, self.on_event = kernels, options, on_event
        folder = Path(run.pipeline_path).parent if run.pipeline_path else settings.root
        self.sources = Sources(folder, settings, blobs, options.isolation)
        self.cachebook = Cachebook(catalog, blobs, run.pipeline, run.run_id)
        self.task_runs: dict[str, TaskRun] = {}
        self._positions: dict[str, int] = {key: at for at, key in enumerate(machine.tasks)}
        self._queue: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self._own_facts: list[Event] = []  # answers to our own instructions
        self._timers: list[tuple[float, int, Event]] = []
        self._keys: dict[str, tuple[str, Components]] = {}
        self._attempts: dict[JobKey, Attempt] = {}
        self._dirty: set[str] = set()
        self._extra: list[Any] = []
        self._backend: Backend | None = None
        self._logs: dict[tuple[str, int], TextIO] = {}
        self._described: dict[tuple[str, str], Mapping[str, Any]] = {}
        self._identified: dict[str, tuple[Mapping[str, Any], _Identity]] = {}
        self._told_progress = 0.0
        self._next_heartbeat = 0.0
        self._next_cancel_poll = 0.0
        self._is_cancelling = False

    def take_over(self, known: Iterable[TaskRun]) -> None:
        """Begin from these task runs, as the catalog has them."""
        for task in known:
            self.task_runs[task.task] = task
            self._positions[task.task] = task.position

    # --- the listener's side: called from threads of the backend -------------------------------------------

    def started(self, key: JobKey, worker: str) -> None:
        """See `backends.Listener`."""
        self._queue.put(AttemptStarted(run_id=key.run_id, task=key.task, attempt=key.attempt, worker=worker))

    def ended(self, key: JobKey, outcome: JobOutcome) -> None:
        """See `backends.Listener`."""
        self._queue.put((key, outcome))

    def progressed(self, event: Event) -> None:
        """See `backends.Listener`."""
        self._queue.put(event)

    # --- the loop -------------------------------------------------------------------------------------------

    def go(self, pending: Iterable[Instruction] = ()) -> Run:
        """Drive to the end. Ctrl-C cancels the run; a second one leaves at once (`resume` takes it up)."""
        try:
            self._commit([RunStarted(run_id=self.run.run_id)], pending)
            while self.machine.state is None or self._own_facts:
                try:
                    self._step()
                except KeyboardInterrupt:
                    if self._is_cancelling:
                        raise
                    self._cancel("Ctrl-C")
            return self.run
        finally:
            self._close()

    def _step(self) -> None:
        facts, self._own_facts = self._own_facts, []
        if not facts:
            facts = self._gather()
        self._beat()
        if facts:
            self._commit(facts)

    def _gather(self) -> list[Event]:
        """Wait for news, then take all that has come."""
        facts: list[Event] = []
        progress: list[Event] = []
        timeout = self._patience()
        with contextlib.suppress(queue.Empty):
            item = self._queue.get(timeout=timeout)
            while True:
                if isinstance(item, tuple):
                    facts.append(self._fact(*item))
                elif isinstance(item, TaskFact):
                    facts.append(item)
                else:
                    progress.append(item)
                item = self._queue.get_nowait()
        while self._timers and self._timers[0][0] <= time.monotonic():
            facts.append(heapq.heappop(self._timers)[2])
        self._show_progress(progress)
        return facts

    def _patience(self) -> float:
        due = [self._next_cancel_poll, self._next_heartbeat, *(timer[0] for timer in self._timers[:1])]
        return max(0.0, min(due) - time.monotonic())

    def _cancel(self, by: str) -> None:
        self._is_cancelling = True
        self._own_facts.append(CancelRequested(run_id=self.run.run_id, by=by))

    def _beat(self) -> None:
        """Say that we are alive, and hear whether somebody wants the run to stop."""
        moment = time.monotonic()
        if moment >= self._next_heartbeat:
            self._next_heartbeat = moment + HEARTBEAT_SECONDS
            self.catalog.update(Run, self.run.run_id, heartbeat_at=now())
        if moment >= self._next_cancel_poll:
            self._next_cancel_poll = moment + _CANCEL_POLL_SECONDS
            if not self._is_cancelling:
                where = {"run_id": self.run.run_id, "is_cancel_requested": True}
                if self.catalog.count(Run, where=where):
                    self._cancel("another process")

    # --- facts into the catalog, instructions out of it -------------------------------------------------------

    def _commit(self, facts: list[Event], pending: Iterable[Instruction] = ()) -> None:
        instructions: list[Instruction] = []
        log: list[RunEvent] = []
        published: list[Event] = []
        for fact in facts:
            log.append(_logged(fact))
            answers = self.machine.handle(fact)
            self._note(fact)
            for instruction in answers:
                if isinstance(instruction, Record):
                    log.append(_logged(instruction.event))
                    published.append(instruction.event)
                    self._decided(instruction.event)
                else:
                    instructions.append(instruction)
        instructions += pending
        with self.catalog.transaction():
            self.catalog.add(*log)
            self.catalog.put(*(self.task_runs[key] for key in sorted(self._dirty)), *self._extra)
            for event in published:
                if isinstance(event, RunFinished):
                    self._finish(event)
        self._dirty.clear()
        self._extra.clear()
        for event in [*facts, *published]:
            self._publish(event)
        for instruction in instructions:
            self._do(instruction)

    def _finish(self, event: RunFinished) -> None:
        changes = {"state": event.state, "message": event.message, "finished_at": event.at, "runner": ""}
        self.run = replace(self.run, **changes)  # type: ignore[arg-type]
        self.catalog.update(Run, self.run.run_id, **changes)

    def _decided(self, event: Event) -> None:
        if isinstance(event, TaskStateChanged):
            state = self.machine.task(event.task)
            changes: dict[str, Any] = {"state": event.state, "reason": event.reason, "attempt": event.attempt}
            if event.state in TERMINAL:
                changes.update(
                    finished_at=event.at, results=self.machine.results(event.task), artifacts=state.artifacts,
                    notebook=state.notebook, error=state.error, source_run_id=state.source_run_id,
                )  # fmt: skip
            elif event.state == "running":
                changes.update(started_at=event.at, cell=0)
            self._change(event.task, **changes)

    def _note(self, fact: Event) -> None:
        """What a fact says beyond the state: attempts, artifacts, the cache."""
        match fact:
            case CacheHit():
                self._change(fact.task, cache_key=fact.cache_key)
            case AttemptStarted():
                key = JobKey(run_id=fact.run_id, task=fact.task, attempt=fact.attempt)
                self._attempts[key] = self._keep(
                    Attempt(
                        run_id=fact.run_id, task=fact.task, attempt=fact.attempt, state="running",
                        worker=fact.worker, started_at=fact.at,
                    )
                )  # fmt: skip
                self._change(fact.task, worker=fact.worker)
            case AttemptSucceeded():
                self._ended_attempt(fact, "succeeded", duration=fact.duration_seconds)
                self._remember(fact)
            case AttemptFailed():
                self._ended_attempt(fact, "failed", error=fact.error, duration=fact.duration_seconds)
            case AttemptCancelled():
                self._ended_attempt(fact, "cancelled")
            case AttemptLost():
                self._ended_attempt(fact, "lost", reason=fact.reason)

    def _ended_attempt(
        self, fact: Any, state: str, *, error: Mapping[str, Any] | None = None, duration: float = 0.0, reason: str = ""
    ) -> None:
        key = JobKey(run_id=fact.run_id, task=fact.task, attempt=fact.attempt)
        begun = self._attempts.pop(key, None) or Attempt(
            run_id=fact.run_id, task=fact.task, attempt=fact.attempt, state=state, started_at=None
        )
        peak = getattr(fact, "peak_memory_bytes", 0)
        self._keep(
            replace(
                begun, state=state, error=error or {}, reason=reason, finished_at=fact.at,
                notebook=getattr(fact, "notebook", ""), duration_seconds=duration, peak_memory_bytes=peak,
            )
        )  # fmt: skip
        self._change(fact.task, duration_seconds=duration, peak_memory_bytes=peak)

    def _remember(self, fact: AttemptSucceeded) -> None:
        for name, reference in fact.artifacts.items():
            parsed = parse_reference(reference)
            if parsed is not None:
                described = self._described.pop((fact.task, name), {})
                self._keep(
                    Artifact(
                        run_id=fact.run_id, task=fact.task, name=name, reference=reference, digest=parsed.digest,
                        format=parsed.format, size_bytes=int(described.get("size_bytes", 0)),
                        summary=described.get("summary", {}), created_at=fact.at,
                    )
                )  # fmt: skip
        if fact.task in self._keys:
            key, components = self._keys.pop(fact.task)
            fields = {
                "results": fact.results, "artifacts": fact.artifacts, "notebook": fact.notebook,
                "duration_seconds": fact.duration_seconds,
            }  # fmt: skip
            entry = entry_of(self.run.pipeline, fact.task, self.run.run_id, key, components, fields)
            self._keep(self.cachebook.keep(entry))
            self._change(fact.task, cache_key=key)

    def _keep(self, record: Any) -> Any:
        self._extra.append(record)
        return record

    def _change(self, task: str, **changes: Any) -> None:
        known = self.task_runs.get(task)
        if known is None:
            name = self.machine.task(task).planned.name
            position = self._positions.setdefault(task, len(self._positions))
            known = TaskRun(run_id=self.run.run_id, task=task, name=name, position=position)
        self.task_runs[task] = replace(known, **changes)
        self._dirty.add(task)

    # --- carrying out -----------------------------------------------------------------------------------------

    def _do(self, instruction: Instruction) -> None:
        match instruction:
            case LookUpCache():
                self._own_facts.append(self._guarded(instruction.task, lambda: self._look_up(instruction)))
            case Submit():
                refused = self._guarded(instruction.task, lambda: self._submit(instruction))
                if refused is not None:
                    self._own_facts.append(refused)
            case WaitForRetry(task=task, attempt=attempt, delay_seconds=delay):
                due = RetryDue(run_id=self.run.run_id, task=task, attempt=attempt)
                heapq.heappush(self._timers, (time.monotonic() + delay, len(self._timers), due))
            case CancelAttempt(task=task, attempt=attempt):
                if self._backend is not None:
                    self._backend.cancel(self._key(task, attempt))
            case Recover():
                self._own_facts.append(self._recover(instruction))
            case Record(event=RunFinished() as finished):
                self._finish(finished)

    def _guarded(self, task: str, action: Callable[[], Any]) -> Any:
        """What the user's files or arguments get wrong is the task's failure, not the run's."""
        try:
            return action()
        except MlopsError as error:
            if isinstance(error, StorageUnavailable):
                raise
            return TaskUnrunnable(run_id=self.run.run_id, task=task, error=error.to_json())

    def _look_up(self, instruction: LookUpCache) -> Event:
        key, components, _ = self._identify(instruction.task, instruction.arguments)
        return self.cachebook.answer(instruction.task, key, components, any_key=instruction.any_key)

    def _identify(self, task: str, arguments: Mapping[str, Any]) -> _Identity:
        """Once for the look-up and the attempts that follow it: the machine hands out the same arguments."""
        known = self._identified.get(task)
        if known is not None and known[0] is arguments:
            return known[1]
        planned = self._planned(task)
        bound = self.sources.bind(planned, arguments)
        components = self.sources.components(planned, bound, self.machine.environment(task))
        key = self.cachebook.key(planned, components)
        if planned.cache:
            self._keys[task] = key, components
        shown = {name: encoding.to_json(value) for name, value in named_secrets(bound).items()}
        self._change(task, arguments=shown, cache_key=key)
        identity = key, components, bound
        self._identified[task] = arguments, identity
        return identity

    def _submit(self, instruction: Submit) -> Event | None:
        task = instruction.task
        planned = self._planned(task)
        _, _, bound = self._identify(task, instruction.arguments)
        backend = self._open_backend()
        capacity = backend.capacity() if planned.resources.to_dask() else None
        if capacity is not None and not planned.resources.fits(capacity):
            raise InvalidInput(
                f"no worker can run it: {'; '.join(planned.resources.shortfall(capacity))}",
                hint="lower its resources, or choose another cluster",
            )
        key = self._key(task, instruction.attempt)
        output = self.notebook_path(task)
        output.parent.mkdir(parents=True, exist_ok=True)
        job = self.sources.job(planned, key, bound, self.machine.environment(task), self._preload, output)
        backend.submit(job)
        return None

    def _recover(self, instruction: Recover) -> Event:
        """The outcome of an attempt that an earlier runner submitted, if it left one."""
        key = self._key(instruction.task, instruction.attempt)
        known = self.blobs.read_document(key.document)
        if known is None and self.options.cluster not in (None, "local"):
            self._open_backend().recall(key)
            known = self.blobs.read_document(key.document)
        with contextlib.suppress(MlopsError):  # for the cache entry; the outcome stands without it
            self._identify(instruction.task, instruction.arguments)
        outcome = JobOutcome(state="lost", reason="its runner ended") if known is None else _read_outcome(known)
        return self._fact(key, outcome)

    def _fact(self, key: JobKey, outcome: JobOutcome) -> Event:
        who: dict[str, Any] = {"run_id": key.run_id, "task": key.task, "attempt": key.attempt}
        measured = {"duration_seconds": outcome.duration_seconds, "peak_memory_bytes": outcome.peak_memory_bytes}
        self._close_log(key)
        match outcome.state:
            case "succeeded":
                for name, described in outcome.artifacts.items():
                    self._described[key.task, name] = described
                artifacts = {name: described["reference"] for name, described in outcome.artifacts.items()}
                return AttemptSucceeded(
                    results=outcome.results, artifacts=artifacts, notebook=outcome.notebook, **measured, **who
                )
            case "failed":
                return AttemptFailed(
                    error=outcome.error, error_class=outcome.error_class, notebook=outcome.notebook, **measured, **who
                )
            case "cancelled":
                return AttemptCancelled(notebook=outcome.notebook, **who)
            case _:
                return AttemptLost(reason=outcome.reason or "no outcome", **who)

    # --- the backend, opened when something must really run ----------------------------------------------------

    def _open_backend(self) -> Backend:
        if self._backend is None:
            cluster = self.options.cluster or self.settings.cluster
            is_local = cluster == "local"
            pool = self.kernels() if is_local else None
            if pool is not None:
                self._warm_up(pool)
            self._backend = BACKENDS.get("dask")(
                self,
                address="" if is_local else cluster,
                pool=pool,
                workers=self.options.workers or self.settings.workers,
                kernel_pool_size=self.settings.kernel_pool,
            )
        return self._backend

    def _warm_up(self, pool: KernelPool) -> None:
        """Have the zygote import while dask is imported and started."""
        for kernel, language in {(f.kernel_name, f.language) for f in self._facts}:
            pool.warm(KernelRequest(kernel_name=kernel, language=language, cwd=self.sources.folder, preload=self._preload))

    @property
    def _facts(self) -> list[Any]:
        found = []
        for task in {task.notebook: task for task in self.machine.plan.tasks.values()}.values():
            with contextlib.suppress(MlopsError):  # its own task will tell
                found.append(self.sources.facts(task))
        return found

    @cached_property
    def _preload(self) -> tuple[str, ...]:
        return preloads(self._facts)

    # --- progress, logs and names -------------------------------------------------------------------------------

    def _show_progress(self, events: list[Event]) -> None:
        for event in events:
            if isinstance(event, CellStarted | CellExecuted) and event.task in self.task_runs:
                known = self.task_runs[event.task]
                if known.state not in TERMINAL:
                    self.task_runs[event.task] = replace(known, cell=event.cell, cells=event.cells)
                    self._dirty.add(event.task)
            elif isinstance(event, OutputStreamed):
                self._write_log(event)
            self._publish(event)
        if self._dirty and time.monotonic() - self._told_progress > _PROGRESS_SECONDS:
            self._told_progress = time.monotonic()
            self.catalog.put(*(self.task_runs[key] for key in sorted(self._dirty)))
            self._dirty.clear()

    def _write_log(self, event: OutputStreamed) -> None:
        key = (event.task, event.attempt)
        if key not in self._logs:
            path = log_path(self.settings.root, self.run.run_id, event.task, event.attempt)
            path.parent.mkdir(parents=True, exist_ok=True)
            self._logs[key] = path.open("a", encoding="utf-8", errors="surrogateescape", newline="")
        with contextlib.suppress(OSError, ValueError):  # a full disk must not end the run for its log
            self._logs[key].write(event.text)
            self._logs[key].flush()

    def _close_log(self, key: JobKey) -> None:
        log = self._logs.pop((key.task, key.attempt), None)
        if log is not None:
            log.close()

    def _publish(self, event: Event) -> None:
        if self.on_event is not None:
            self.on_event(event)

    def _planned(self, task: str) -> PlannedTask:
        return self.machine.task(task).planned

    def _key(self, task: str, attempt: int) -> JobKey:
        return JobKey(run_id=self.run.run_id, task=task, attempt=attempt)

    def notebook_path(self, task: str) -> Path:
        """Where the executed notebook of a task of this run lies, for people to open."""
        return notebook_path(self.settings.root, self.run.run_id, task)

    def _close(self) -> None:
        for log in self._logs.values():
            log.close()
        if self._backend is not None:
            self._backend.close()


def _logged(event: Event) -> RunEvent:
    body = encode(event)
    body.pop("run_id")
    return RunEvent(run_id=event.run_id, kind=body.pop("kind"), at=event.at, body=body)


def _read_outcome(document: bytes) -> JobOutcome:
    return JobOutcome.from_json(json.loads(document))


def file_name(task: str) -> str:
    """A task's key as a file name: ``train[model=a]`` stays legible, and nothing in it leaves the folder."""
    return quote(task, safe="[]=, ")


def run_folder(root: Path, run_id: str) -> Path:
    """Where a run's executed notebooks and logs lie."""
    return root / ".mlops" / "runs" / run_id


def notebook_path(root: Path, run_id: str, task: str) -> Path:
    """The executed notebook of a task."""
    return run_folder(root, run_id) / f"{file_name(task)}.ipynb"


def log_path(root: Path, run_id: str, task: str, attempt: int) -> Path:
    """What the cells of an attempt wrote."""
    return run_folder(root, run_id) / f"{file_name(task)}.{attempt}.log"

