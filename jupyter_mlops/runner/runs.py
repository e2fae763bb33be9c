"""Runs of pipelines: start, resume, repeat, cancel, and ask what became of them."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from .. import encoding
from ..blobs import BlobStore
from ..catalog import Catalog, owner
from ..catalog.records import CacheEntry, QueueEntry, Run, TaskRun
from ..errors import Conflict, PreflightFailed
from ..events import TERMINAL, now
from ..kernels import KernelPool
from ..pipelines import Pipeline, Plan, RunState, load_pipeline, lower, select
from ..preflight import check_plan
from ..problems import summarize
from ..queueing import Queue
from ..settings import Settings
from . import cleaning, elsewhere, finding, freezing
from .cachebook import Cachebook
from .drives import Drives
from .logs import LogReader
from .options import CleanReport, OnEvent, OnPlan, RunOptions, TaskStatus
from .sources import Sources
from .walk import Walk

_ENDED = {"cancelled": "was cancelled"}


class Runs:
    """The runs of one workspace."""

    def __init__(
        self, *, catalog: Catalog, blobs: BlobStore, settings: Settings, kernels: Callable[[], KernelPool]
    ) -> None:
        self.catalog, self.blobs, self.settings = catalog, blobs, settings
        self._waiting = Queue(catalog)
        self._drives = Drives(
            catalog=catalog, blobs=blobs, settings=settings, kernels=kernels, queue=self._waiting
        )
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
        loaded = _loaded(pipeline)
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
        loaded = _loaded(pipeline)
        plan = lower(loaded, arguments, from_text=from_text)
        plan = select(plan, only=options.only, start_from=options.start_from, force=options.force)
        return self._new(plan, options, user_name=user_name)[0]

    def queue(self, run: Run) -> Run:
        """The second half of `record`: keep a prepared run; may be part of a transaction. Where quotas are set, it
        has its place in the queue from then on."""
        plan = Plan.from_json(run.plan)
        entry = self._prepared.pop(run.run_id, None)
        with self.catalog.transaction():
            self._drives.ledger(run, RunState(plan, run.run_id)).begin()
            if entry is not None:
                self._waiting.join(entry)
        return run

    def resume(self, run_id: str, *, on_event: OnEvent | None = None, on_plan: OnPlan | None = None) -> Run:
        """Go on with a run whose runner went away. What finished is not run again.

        Raises `Conflict` if the run is over, or if somebody drives it.
        """
        return self._drives.take_up(self._open_run(run_id), on_event=on_event, on_plan=on_plan)

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
        run = self.request_cancel(run_id)
        if owner.is_driven(run) or run.state in TERMINAL:
            return self.catalog.get(Run, run_id)
        try:
            return self._drives.take_up(run, cancelled_by=owner.user_name())
        except Conflict:  # its runner, or another one, was quicker
            return self.catalog.get(Run, run_id)

    def request_cancel(self, run_id: str) -> Run:
        """Ask for a run to stop, and leave it to its runner. If it has none (see `is_driven`), `cancel` ends it;
        that may take a while. Raises `Conflict` if it is over."""
        run = self._open_run(run_id)
        self.catalog.update(Run, run_id, is_cancel_requested=True)
        if run.runner == owner.ELSEWHERE:
            return elsewhere.cancel(self.catalog, run)
        return replace(run, is_cancel_requested=True)

    def freeze(self, pipeline: Path | str | Pipeline, task: str) -> CacheEntry:
        """Let the last outcome of a task stand, whatever changes. Raises `NotFound` if it has none."""
        return freezing.freeze(self.catalog, _loaded(pipeline), task)

    def unfreeze(self, pipeline: Path | str | Pipeline, task: str) -> None:
        """Let the task run again when something changes."""
        freezing.unfreeze(self.catalog, _loaded(pipeline), task)

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
        return finding.resolve_run(self.catalog, text)

    def status(
        self,
        pipeline: Path | str | Pipeline,
        arguments: Mapping[str, Any] | None = None,
        *,
        from_text: bool = False,
    ) -> list[TaskStatus]:
        """What a run would do now, task by task, found by walking the machine through the cache."""
        loaded = _loaded(pipeline)
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
        return finding.task_notebook(self.catalog, self.blobs, self.settings.root, run_id, task)

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
            return old, select(plan, reuse=self._drives.done_in(run_id))
        return old, select(plan, force="all")

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
            return self._drives.take_up(self.queue(run), on_event=on_event, on_plan=on_plan)
        return self._drives.start(run, plan, options, on_event=on_event, on_plan=on_plan)

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
            self._prepared[run.run_id] = self._drives.entry(run, plan, options, quotas)
        return run, options

    def _open_run(self, run_id: str) -> Run:
        """The run, which is not over. Raises `NotFound` and `Conflict`."""
        run = self.catalog.get(Run, run_id)
        if run.state in TERMINAL:
            hint = f"repeat what failed with: jupyter mlops rerun {run_id}"
            raise Conflict(f"run {run_id} is over: it {_ENDED.get(run.state, run.state)}", hint=hint)
        return run


def _loaded(pipeline: Path | str | Pipeline) -> Pipeline:
    return pipeline if isinstance(pipeline, Pipeline) else load_pipeline(pipeline)


def _new_id() -> str:
    """Sortable by time, short enough to type the beginning of: ``20261124-071053-3f2a1b``."""
    return f"{now():%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"
