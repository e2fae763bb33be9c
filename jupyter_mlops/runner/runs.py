"""Runs of pipelines: start, resume, repeat, cancel, and ask what became of them."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from .. import encoding
from ..blobs import BlobStore
from ..catalog import Catalog, owner
from ..catalog.records import CacheEntry, QueueEntry, Run, RunEvent, TaskRun
from ..errors import Conflict, InvalidInput, NotFound, PreflightFailed, did_you_mean
from ..events import DONE_WELL, TERMINAL, decode, now
from ..kernels import KernelPool
from ..pipelines import Pipeline, Plan, RunState, load_pipeline, lower, replay, select
from ..pipelines.instructions import Instruction
from ..preflight import check_plan, demand_cluster
from ..problems import summarize
from ..queueing import Queue, Quotas
from ..queueing.quotas import DEFAULT_QUEUE
from ..settings import Settings
from . import cleaning
from .asking import ask_of
from .cachebook import Cachebook
from .dispatch import NO_REQUEST, Dispatch
from .drive import Drive, Preempted
from .inbox import Inbox
from .ledger import Ledger, unlogged
from .logs import LogReader, LogWriter
from .options import CleanReport, OnEvent, OnPlan, RunOptions, TaskStatus
from .places import notebook_path
from .sources import Sources
from .waiting import Seat
from .walk import Walk

_ENDED = {"cancelled": "was cancelled"}


class Runs:
    """The runs of one workspace."""

    def __init__(
        self, *, catalog: Catalog, blobs: BlobStore, settings: Settings, kernels: Callable[[], KernelPool]
    ) -> None:
        self.catalog, self.blobs, self.settings = catalog, blobs, settings
        self._kernels = kernels
        self._waiting = Queue(catalog)
        self._prepared: dict[str, QueueEntry] = {}  # of runs that are prepared and not kept yet

    # --- doing ----------------------------------------------------------------------------------------------

    def run(
        self,
        pipeline: Path | str | Pipeline,
        arguments: Mapping[str, Any] | None = None,
        *,
        options: RunOptions | None = None,
        from_text: bool = False,
        on_event: OnEvent | None = None,
        on_plan: OnPlan | None = None,
    ) -> Run:
        """Run a pipeline to its end and return the run; look at its `state`.

        Raises what is wrong before anything starts: `InvalidPipeline`, `InvalidParameter`, `PreflightFailed`.
        """
        options = options or RunOptions()
        loaded = pipeline if isinstance(pipeline, Pipeline) else load_pipeline(pipeline)
        plan = lower(loaded, arguments, from_text=from_text)
        plan = select(plan, only=options.only, start_from=options.start_from, force=options.force)
        return self._start(plan, options, on_event=on_event, on_plan=on_plan)

    def record(
        self,
        pipeline: Path | str | Pipeline,
        arguments: Mapping[str, Any] | None = None,
        *,
        options: RunOptions | None = None,
        from_text: bool = False,
        user_name: str = "",
    ) -> Run:
        """Check everything as `run` does, and keep the run, queued, for another process to `resume`."""
        return self.queue(
            self.prepare(pipeline, arguments, options=options, from_text=from_text, user_name=user_name)
        )

    def prepare(
        self,
        pipeline: Path | str | Pipeline,
        arguments: Mapping[str, Any] | None = None,
        *,
        options: RunOptions | None = None,
        from_text: bool = False,
        user_name: str = "",
    ) -> Run:
        """The first half of `record`: check everything, which takes a while, and keep nothing yet. `user_name` is
        whose run it is, if not this process' user's."""
        options = options or RunOptions()
        loaded = pipeline if isinstance(pipeline, Pipeline) else load_pipeline(pipeline)
        plan = lower(loaded, arguments, from_text=from_text)
        plan = select(plan, only=options.only, start_from=options.start_from, force=options.force)
        return self._new(plan, options, user_name=user_name)[0]

    def queue(self, run: Run) -> Run:
        """The second half of `record`: keep a prepared run; may be part of a transaction. Where quotas are set, it
        has its place in the queue from then on."""
        plan = Plan.from_json(run.plan)
        entry = self._prepared.pop(run.run_id, None)
        with self.catalog.transaction():
            self._ledger(run, RunState(plan, run.run_id)).begin()
            if entry is not None:
                self._waiting.join(entry)
        return run

    def resume(self, run_id: str, *, on_event: OnEvent | None = None, on_plan: OnPlan | None = None) -> Run:
        """Go on with a run whose runner went away. What finished is not run again.

        Raises `Conflict` if the run is over, or if somebody drives it.
        """
        return self._take_up(self._open_run(run_id), on_event=on_event, on_plan=on_plan)

    def rerun(
        self,
        run_id: str,
        *,
        is_failed_only: bool = True,
        on_event: OnEvent | None = None,
        on_plan: OnPlan | None = None,
    ) -> Run:
        """A new run with the arguments of an old one and the files as they are now; what was done well in the
        old one is taken from it, unless everything is asked for."""
        old, plan = self._again(run_id, is_failed_only=is_failed_only)
        return self._start(
            plan, RunOptions(**old.options), on_event=on_event, on_plan=on_plan,
            rerun_of=run_id, path=old.pipeline_path,
        )  # fmt: skip

    def record_rerun(self, run_id: str, *, is_failed_only: bool = True, user_name: str = "") -> Run:
        """Like `record`, for a run that repeats another one."""
        old, plan = self._again(run_id, is_failed_only=is_failed_only)
        run, _ = self._new(
            plan, RunOptions(**old.options), rerun_of=run_id, path=old.pipeline_path, user_name=user_name
        )
        return self.queue(run)

    def cancel(self, run_id: str) -> Run:
        """Ask for a run to stop, from any process; its runner does it. One that nobody drives is taken up to end
        it, which may wait for workers elsewhere that are still at it. Raises `Conflict` if it is over."""
        run = self._open_run(run_id)
        self.catalog.update(Run, run_id, is_cancel_requested=True)
        if owner.is_driven(run):
            return self.catalog.get(Run, run_id)
        try:
            return self._take_up(run, cancelled_by=owner.user_name())
        except Conflict:  # its runner, or another one, was quicker
            return self.catalog.get(Run, run_id)

    def request_cancel(self, run_id: str) -> Run:
        """Ask for a run to stop, and leave it to its runner. If it has none (see `is_driven`), `cancel` ends it;
        that may take a while. Raises `Conflict` if it is over."""
        run = self._open_run(run_id)
        self.catalog.update(Run, run_id, is_cancel_requested=True)
        return replace(run, is_cancel_requested=True)

    def freeze(self, pipeline: Path | str | Pipeline, task: str) -> CacheEntry:
        """Let the last outcome of a task stand, whatever changes. Raises `NotFound` if it has none."""
        loaded = pipeline if isinstance(pipeline, Pipeline) else load_pipeline(pipeline)
        entries = self._entries(loaded, task)
        if not entries:
            raise NotFound(f"{task} has no outcome that could be frozen", hint="run it first")
        newest: dict[str, CacheEntry] = {}
        for entry in entries:
            newest.setdefault(entry.task, entry)
        with self.catalog.transaction():
            for entry in newest.values():
                self.catalog.update(CacheEntry, entry.cache_key, is_frozen=True)
        return entries[0]

    def unfreeze(self, pipeline: Path | str | Pipeline, task: str) -> None:
        """Let the task run again when something changes."""
        loaded = pipeline if isinstance(pipeline, Pipeline) else load_pipeline(pipeline)
        frozen = [entry for entry in self._entries(loaded, task) if entry.is_frozen]
        if not frozen:
            raise NotFound(f"{task} is not frozen")
        with self.catalog.transaction():
            for entry in frozen:
                self.catalog.update(CacheEntry, entry.cache_key, is_frozen=False)

    def clean(
        self, *, older_than_days: float = 30.0, keep_runs: int = 20, is_dry_run: bool = False
    ) -> CleanReport:
        """Delete runs that are over, older, and not among the `keep_runs` latest of their pipeline, and the
        blobs that nothing needs any more."""
        return cleaning.clean(
            self.catalog, self.blobs, self.settings.root,
            older_than_days=older_than_days, keep_runs=keep_runs, is_dry_run=is_dry_run,
        )  # fmt: skip

    # --- asking ---------------------------------------------------------------------------------------------

    @staticmethod
    def is_driven(run: Run) -> bool:
        """Whether a living process drives the run. One that is neither over nor driven can be resumed."""
        return owner.is_driven(run)

    def resolve_run(self, text: str) -> Run:
        """A run by its id, the beginning of its id if only one begins so, or ``latest``."""
        if text in ("latest", "-"):
            newest = self.catalog.find(Run, order_by="-created_at", limit=1)
            if not newest:
                raise NotFound("there are no runs yet", hint="start one with: jupyter mlops run")
            return newest[0]
        found = self.catalog.find(Run, where={"run_id": ("prefix", text)}, limit=2)
        exact = [run for run in found if run.run_id == text]
        if exact or len(found) == 1:
            return (exact or found)[0]
        if found:
            raise InvalidInput(f"several runs begin with {text!r}", hint="give more of the id")
        known = [run.run_id for run in self.catalog.find(Run, order_by="-created_at", limit=20)]
        raise NotFound(
            f"no run is called {text!r}", hint=did_you_mean(text, known) or "see: jupyter mlops runs"
        )

    def status(
        self,
        pipeline: Path | str | Pipeline,
        arguments: Mapping[str, Any] | None = None,
        *,
        from_text: bool = False,
    ) -> list[TaskStatus]:
        """What a run would do now, task by task, found by walking the machine through the cache."""
        loaded = pipeline if isinstance(pipeline, Pipeline) else load_pipeline(pipeline)
        plan = lower(loaded, arguments, from_text=from_text)
        folder = Path(plan.path).absolute().parent if plan.path else self.settings.root
        sources = Sources(folder, self.settings, self.blobs)
        return Walk(plan, sources, Cachebook(self.catalog, self.blobs, plan.pipeline, "status")).go()

    def log(self, run_id: str, task: str | None = None, *, follow: bool = False) -> Iterator[str]:
        """What the cells of a run wrote, line by line; with `follow` until the run (or the task) is over."""
        self.catalog.get(Run, run_id)
        if task is not None:
            self.catalog.get(TaskRun, run_id, task)
        return LogReader(self.catalog, self.settings.root, run_id, task).lines(follow=follow)

    def task_notebook(self, run_id: str, task: str) -> Path:
        """The executed notebook of a task as a file, written out if it is not there yet."""
        found = self.catalog.get(TaskRun, run_id, task)
        path = notebook_path(self.settings.root, run_id, task)
        if found.notebook:
            content = self.blobs.read_bytes(found.notebook)
            if not path.exists() or path.read_bytes() != content:
                path.parent.mkdir(parents=True, exist_ok=True)
                temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
                temporary.write_bytes(content)
                os.replace(temporary, path)
        elif not path.exists():
            raise NotFound(
                f"task {task} of run {run_id} has no executed notebook", hint=f"it is {found.state}"
            )
        return path

    # --- within ---------------------------------------------------------------------------------------------

    def _again(self, run_id: str, *, is_failed_only: bool) -> tuple[Run, Plan]:
        """A run that is over, and the plan to repeat it."""
        old = self.catalog.get(Run, run_id)
        if old.state not in TERMINAL:
            raise Conflict(f"run {run_id} is not over", hint=f"jupyter mlops resume {run_id}")
        stored = Plan.from_json(old.plan)
        plan = stored
        if old.pipeline_path and Path(old.pipeline_path).exists():
            plan = lower(load_pipeline(old.pipeline_path), stored.arguments)
            wanted = [key for key in stored.tasks if key not in stored.reuse and key in plan.tasks]
            plan = select(plan, only=wanted)
        if is_failed_only:
            return old, select(plan, reuse=self._done_in(run_id))
        return old, select(plan, force="all")

    def _done_in(self, run_id: str) -> dict[str, TaskRun]:
        """What was done well in a run, by task; nothing if there is no such run (any more)."""
        where = {"run_id": run_id, "state": list(DONE_WELL)}
        return {task.task: task for task in self.catalog.find(TaskRun, where=where)}

    def _start(
        self,
        plan: Plan,
        options: RunOptions,
        *,
        on_event: OnEvent | None,
        on_plan: OnPlan | None,
        rerun_of: str | None = None,
        path: str = "",
    ) -> Run:
        run, options = self._new(plan, options, rerun_of=rerun_of, path=path)
        if run.run_id in self._prepared:
            return self._take_up(self.queue(run), on_event=on_event, on_plan=on_plan)
        run = replace(
            run, state="running", started_at=run.created_at, runner=owner.mark(), heartbeat_at=run.created_at
        )
        machine = RunState(plan, run.run_id)
        return self._drive(run, machine, options, on_event=on_event, on_plan=on_plan).begin()

    def _new(
        self,
        plan: Plan,
        options: RunOptions,
        *,
        rerun_of: str | None = None,
        path: str = "",
        user_name: str = "",
    ) -> tuple[Run, RunOptions]:
        """The record of a run that may start: nothing stands against it. Raises `PreflightFailed`."""
        path = path or (str(Path(plan.path).absolute()) if plan.path else "")
        options = replace(
            options, cluster=options.cluster or self.settings.cluster, workers=options.workers or self.settings.workers
        )  # fmt: skip
        folder = Path(path).parent if path else self.settings.root
        problems = check_plan(plan, folder, self.settings, cluster=options.cluster)
        wrong = [problem for problem in problems if problem.severity == "error"]
        if wrong:
            raise PreflightFailed(summarize(wrong), problems=problems)
        run = Run(
            run_id=_new_id(),
            pipeline=plan.pipeline,
            pipeline_path=path,
            plan=plan.to_json(),
            arguments=encoding.to_json(dict(plan.arguments)),
            options=options.to_json(),
            user_name=user_name or owner.user_name(),
            created_at=now(),
            rerun_of=rerun_of,
        )
        quotas = self._waiting.quotas()
        if options.queue is not None:
            quotas.demand_queue(options.queue)
        if quotas:
            self._prepared[run.run_id] = self._entry(run, plan, options, quotas)
        return run, options

    def _entry(self, run: Run, plan: Plan, options: RunOptions, quotas: Quotas) -> QueueEntry:
        """A run's place in the queue. Raises what keeps it from ever being admitted."""
        folder = Path(run.pipeline_path).parent if run.pipeline_path else self.settings.root
        is_here = (options.cluster or self.settings.cluster) == "local"
        workers = (options.workers or self.settings.workers) if is_here else None
        ask = ask_of(plan, Sources(folder, self.settings, self.blobs), quotas.task, workers)
        return self._waiting.entry(
            run, ask, queue=options.queue or DEFAULT_QUEUE, priority=options.priority,
            is_preemptible=options.is_preemptible, quotas=quotas,
        )  # fmt: skip

    def _take_up(
        self,
        run: Run,
        *,
        cancelled_by: str = "",
        on_event: OnEvent | None = None,
        on_plan: OnPlan | None = None,
    ) -> Run:
        """Claim a run that nobody drives, rebuild its machine from the log, and drive it on: where there are quotas,
        when it is admitted, and again whenever it had to make way."""
        options = RunOptions(**run.options)
        demand_cluster(options.cluster or self.settings.cluster, self.settings)
        quotas = self._waiting.quotas()
        is_queued = self._waiting.find(run.run_id) is not None
        if not (quotas or is_queued) or cancelled_by:
            run = self._claim(run)
            drive, pending = self._rebuilt(
                run, options, is_queued=is_queued, on_event=on_event, on_plan=on_plan
            )
            return drive.resume(pending, cancelled_by=cancelled_by)
        if not is_queued:
            self._waiting.join(self._entry(run, Plan.from_json(run.plan), options, quotas))
        seat = Seat(self._waiting, self.catalog, run, on_event=on_event or (lambda event: None))
        if on_plan is not None:
            on_plan(run, self.catalog.find(TaskRun, where={"run_id": run.run_id}, order_by="position"))
        while True:
            run = seat.wait(self._claim(run, state="queued"))
            drive, pending = self._rebuilt(run, options, is_queued=True, on_event=on_event, seat=seat)
            try:
                with seat.taken():
                    return drive.resume(pending, cancelled_by=seat.cancelled_by)
            except Preempted:
                run = self.catalog.get(Run, run.run_id)

    def _rebuilt(
        self,
        run: Run,
        options: RunOptions,
        *,
        is_queued: bool,
        on_event: OnEvent | None,
        on_plan: OnPlan | None = None,
        seat: Seat | None = None,
    ) -> tuple[Drive, list[Instruction]]:
        """A drive that stands where the log of the run ends, and what it has to do first."""
        log = self.catalog.find(RunEvent, where={"run_id": run.run_id}, order_by="seq")
        machine, pending = replay(Plan.from_json(run.plan), run.run_id, map(decode, unlogged(log)))
        drive = self._drive(run, machine, options, on_event=on_event, on_plan=on_plan, seat=seat)
        if is_queued:
            drive.ledger.on_end = lambda: self._waiting.leave(run.run_id)
        return drive, pending

    def _drive(
        self,
        run: Run,
        machine: RunState,
        options: RunOptions,
        *,
        on_event: OnEvent | None,
        on_plan: OnPlan | None,
        seat: Seat | None = None,
    ) -> Drive:
        folder = Path(run.pipeline_path).parent if run.pipeline_path else self.settings.root
        sources = Sources(folder, self.settings, self.blobs, options.isolation)
        ledger = self._ledger(run, machine)
        cachebook = ledger.cachebook
        inbox = Inbox()
        dispatch = Dispatch(
            machine, ledger, cachebook, sources, inbox, blobs=self.blobs, settings=self.settings,
            cluster=options.cluster or self.settings.cluster, workers=options.workers or self.settings.workers,
            kernels=self._kernels, granted=seat.granted if seat else None,
            default=self._waiting.quotas().task if seat else NO_REQUEST,
        )  # fmt: skip
        logs = LogWriter(self.settings.root, run.run_id)
        return Drive(
            machine,
            ledger,
            dispatch,
            inbox,
            logs,
            on_event=on_event,
            on_plan=on_plan,
            is_kept=seat.is_kept if seat else None,
        )

    def _ledger(self, run: Run, machine: RunState) -> Ledger:
        # What is run again with `--all` is forced, so it never asks for what the repeated run left.
        earlier = self._done_in(run.rerun_of) if run.rerun_of else {}
        cachebook = Cachebook(self.catalog, self.blobs, run.pipeline, run.run_id, earlier=earlier)
        return Ledger(self.catalog, run, machine, cachebook)

    def _open_run(self, run_id: str) -> Run:
        """The run, which is not over. Raises `NotFound` and `Conflict`."""
        run = self.catalog.get(Run, run_id)
        if run.state in TERMINAL:
            hint = f"repeat what failed with: jupyter mlops rerun {run_id}"
            raise Conflict(f"run {run_id} is over: it {_ENDED.get(run.state, run.state)}", hint=hint)
        return run

    def _claim(self, run: Run, state: str = "running") -> Run:
        """Take the run over, unless somebody drives it; of two who try, one gets it. One that is ``queued`` waits."""
        if owner.is_driven(run):
            raise Conflict(
                f"run {run.run_id} is being driven by {owner.shown(run.runner)}",
                hint=f"watch it with: jupyter mlops logs -f {run.run_id}",
            )
        moment = now()
        changes: dict[str, Any] = {
            "runner": owner.mark(), "heartbeat_at": moment, "state": state, "message": "",
        }  # fmt: skip
        if run.started_at is None and state == "running":  # it was queued for us
            changes["started_at"] = moment
        expected = {"runner": run.runner, "heartbeat_at": run.heartbeat_at}
        if not self.catalog.compare_and_set(Run, run.run_id, expected, **changes):
            raise Conflict(f"run {run.run_id} has just been taken up by somebody else")
        return replace(run, **changes)

    def _entries(self, pipeline: Pipeline, task: str) -> list[CacheEntry]:
        names = [known.name for known in pipeline.tasks]
        if task.partition("[")[0] not in names:
            raise NotFound(
                f"the pipeline {pipeline.name!r} has no task {task!r}", hint=did_you_mean(task, names)
            )
        entries = self.catalog.find(CacheEntry, where={"pipeline": pipeline.name}, order_by="-created_at")
        return [entry for entry in entries if task in (entry.task, entry.task.partition("[")[0])]


def _new_id() -> str:
    """Sortable by time, short enough to type the beginning of: ``20261124-071053-3f2a1b``."""
    return f"{now():%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"
