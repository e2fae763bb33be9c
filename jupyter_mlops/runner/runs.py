"""Runs of pipelines: start, resume, repeat, cancel, and ask what became of them."""

from __future__ import annotations

import contextlib
import getpass
import os
import secrets
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from .. import encoding
from ..blobs import BlobStore
from ..catalog import Catalog
from ..catalog.records import CacheEntry, Run, RunEvent, TaskRun
from ..errors import Conflict, InvalidInput, NotFound, PreflightFailed, did_you_mean
from ..events import DONE_WELL, TERMINAL, CacheMissed, RunStarted, TaskUnrunnable, decode, now
from ..kernels import KernelPool
from ..pipelines import Pipeline, Plan, RunState, load_pipeline, lower, replay, select
from ..pipelines.instructions import Instruction, LookUpCache, Submit
from ..preflight import check_plan
from ..problems import summarize
from ..settings import Settings
from . import cleaning
from .cachebook import Cachebook
from .drive import HEARTBEAT_SECONDS, Drive, log_path, notebook_path
from .options import CleanReport, OnEvent, OnPlan, RunOptions, TaskStatus
from .sources import Sources

_ABANDONED = timedelta(seconds=15 * HEARTBEAT_SECONDS)


class Runs:
    """The runs of one workspace."""

    def __init__(
        self, *, catalog: Catalog, blobs: BlobStore, settings: Settings, kernels: Callable[[], KernelPool]
    ) -> None:
        self.catalog, self.blobs, self.settings = catalog, blobs, settings
        self._kernels = kernels

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

    def resume(self, run_id: str, *, on_event: OnEvent | None = None, on_plan: OnPlan | None = None) -> Run:
        """Go on with a run whose runner went away. What finished is not run again.

        Raises `Conflict` if the run is over, or if somebody drives it.
        """
        run = self.catalog.get(Run, run_id)
        if run.state in TERMINAL:
            raise Conflict(
                f"run {run_id} is over: it {run.state}", hint=f"repeat what failed with: jupyter mlops rerun {run_id}"
            )
        run = self._claim(run)
        options = RunOptions(**run.options)
        plan = Plan.from_json(run.plan)
        log = self.catalog.find(RunEvent, where={"run_id": run_id}, order_by="seq")
        facts = [decode({**event.body, "kind": event.kind, "run_id": run_id, "at": event.at.isoformat()}) for event in log]
        machine, pending = replay(plan, run_id, facts)
        drive = self._drive(run, machine, options, on_event)
        known = self.catalog.find(TaskRun, where={"run_id": run_id}, order_by="position")
        drive.take_over(known)
        if on_plan is not None:
            on_plan(run, known)
        return drive.go(pending)

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
        old = self.catalog.get(Run, run_id)
        if old.state not in TERMINAL:
            raise Conflict(f"run {run_id} is not over", hint=f"jupyter mlops resume {run_id}")
        stored = Plan.from_json(old.plan)
        plan = stored
        if old.pipeline_path and Path(old.pipeline_path).exists():
            plan = lower(load_pipeline(old.pipeline_path), stored.arguments)
            wanted = [key for key in stored.tasks if key not in stored.reuse and key in plan.tasks]
            plan = select(plan, only=wanted)
        done = {
            task.task: task
            for task in self.catalog.find(TaskRun, where={"run_id": run_id})
            if task.state in DONE_WELL
        }
        plan = select(plan, reuse=done) if is_failed_only else select(plan, force="all")
        earlier = done if is_failed_only else {}
        options = RunOptions(**old.options)
        return self._start(
            plan, options, on_event=on_event, on_plan=on_plan, rerun_of=run_id, path=old.pipeline_path, earlier=earlier
        )

    def cancel(self, run_id: str) -> Run:
        """Ask for a run to stop, from any process; its runner does it. One that nobody drives ends at once."""
        run = self.catalog.get(Run, run_id)
        if run.state in TERMINAL:
            raise Conflict(f"run {run_id} is over: it {run.state}")
        self.catalog.update(Run, run_id, is_cancel_requested=True)
        if not _is_driven(run):
            with self.catalog.transaction():
                for task in self.catalog.find(TaskRun, where={"run_id": run_id, "state": ["queued", "running"]}):
                    self.catalog.update(
                        TaskRun, (run_id, task.task), state="cancelled", finished_at=now(), reason="its runner was gone"
                    )
                self.catalog.update(Run, run_id, state="cancelled", finished_at=now(), runner="")
        return self.catalog.get(Run, run_id)

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
        raise NotFound(f"no run is called {text!r}", hint=did_you_mean(text, known) or "see: jupyter mlops runs")

    def status(
        self, pipeline: Path | str | Pipeline, arguments: Mapping[str, Any] | None = None, *, from_text: bool = False
    ) -> list[TaskStatus]:
        """What a run would do now, task by task, found by walking the machine through the cache."""
        loaded = pipeline if isinstance(pipeline, Pipeline) else load_pipeline(pipeline)
        plan = lower(loaded, arguments, from_text=from_text)
        folder = Path(plan.path).absolute().parent if plan.path else self.settings.root
        sources = Sources(folder, self.settings, self.blobs)
        return _Walk(plan, sources, Cachebook(self.catalog, self.blobs, plan.pipeline, "status")).go()

    def log(self, run_id: str, task: str | None = None, *, follow: bool = False) -> Iterator[str]:
        """What the cells of a run wrote, line by line; with `follow` until the run (or the task) is over."""
        return _Logs(self, run_id, task).lines(follow=follow)

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
            raise NotFound(f"task {task} of run {run_id} has no executed notebook", hint=f"it is {found.state}")
        return path

    # --- within ---------------------------------------------------------------------------------------------

    def _start(
        self,
        plan: Plan,
        options: RunOptions,
        *,
        on_event: OnEvent | None,
        on_plan: OnPlan | None,
        rerun_of: str | None = None,
        path: str = "",
        earlier: Mapping[str, TaskRun] | None = None,
    ) -> Run:
        path = path or (str(Path(plan.path).absolute()) if plan.path else "")
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
            state="running",
            user_name=_user(),
            created_at=now(),
            started_at=now(),
            rerun_of=rerun_of,
            runner=_me(),
            heartbeat_at=now(),
        )
        drive = self._drive(run, RunState(plan, run.run_id), options, on_event)
        drive.cachebook.earlier = earlier or {}
        tasks = [
            TaskRun(run_id=run.run_id, task=key, name=task.name, position=position)
            for position, (key, task) in enumerate(plan.tasks.items())
        ]
        drive.take_over(tasks)
        self.catalog.add(run, *tasks)
        if on_plan is not None:
            on_plan(run, tasks)
        return drive.go()

    def _drive(self, run: Run, machine: RunState, options: RunOptions, on_event: OnEvent | None) -> Drive:
        return Drive(
            run, machine, catalog=self.catalog, blobs=self.blobs, settings=self.settings,
            kernels=self._kernels, options=options, on_event=on_event,
        )  # fmt: skip

    def _claim(self, run: Run) -> Run:
        """Take the run over, unless somebody drives it; of two who try, one gets it."""
        if _is_driven(run):
            raise Conflict(
                f"run {run.run_id} is being driven by {run.runner.rpartition(':')[0]}",
                hint=f"watch it with: jupyter mlops logs -f {run.run_id}",
            )
        changes = {"runner": _me(), "heartbeat_at": now(), "state": "running"}
        if not self.catalog.compare_and_set(Run, run.run_id, {"runner": run.runner}, **changes):
            raise Conflict(f"run {run.run_id} has just been taken up by somebody else")
        return replace(run, **changes)  # type: ignore[arg-type]

    def _entries(self, pipeline: Pipeline, task: str) -> list[CacheEntry]:
        names = [known.name for known in pipeline.tasks]
        if task.partition("[")[0] not in names:
            raise NotFound(f"the pipeline {pipeline.name!r} has no task {task!r}", hint=did_you_mean(task, names))
        entries = self.catalog.find(CacheEntry, where={"pipeline": pipeline.name}, order_by="-created_at")
        return [entry for entry in entries if task in (entry.task, entry.task.partition("[")[0])]


class _Walk:
    """Leads a machine through the cache without running anything."""

    def __init__(self, plan: Plan, sources: Sources, cachebook: Cachebook) -> None:
        self.machine = RunState(plan, "status")
        self.sources, self.cachebook = sources, cachebook
        self.found: dict[str, TaskStatus] = {}

    def go(self) -> list[TaskStatus]:
        waiting = self.machine.handle(RunStarted(run_id="status"))
        while waiting:
            instruction = waiting.pop(0)
            if isinstance(instruction, LookUpCache | Submit):
                waiting += self.machine.handle(self._answer(instruction))
        for key, task in self.machine.tasks.items():
            if key not in self.found and task.instances is None:
                self.found[key] = self._unreached(key)
        order = list(self.machine.tasks)
        return sorted(self.found.values(), key=lambda status: order.index(status.task))

    def _answer(self, instruction: Instruction) -> Any:
        assert isinstance(instruction, LookUpCache | Submit)  # noqa: S101 - go() sees to it
        task = instruction.task
        stop = TaskUnrunnable(run_id="status", task=task, error={"message": "would run"})
        last = self.cachebook.newest(task)
        where = {"run_id": last.run_id, "at": last.created_at} if last else {}
        if isinstance(instruction, Submit):
            self.found[task] = TaskStatus(task=task, state="stale", reasons=("cache is off: it runs every time",), **where)
            return stop
        planned = self.machine.task(task).planned
        try:
            bound = self.sources.bind(planned, instruction.arguments)
            components = self.sources.components(planned, bound, self.machine.environment(task))
        except (InvalidInput, NotFound) as error:
            self.found[task] = TaskStatus(task=task, state="unknown", reasons=(error.message,), **where)
            return stop
        answer = self.cachebook.answer(task, self.cachebook.key(planned, components), components)
        if isinstance(answer, CacheMissed):
            reasons = tuple(self.cachebook.reasons(task, components)) or ((answer.reason,) if answer.reason else ())
            state: Any = "stale" if last else "new"
            self.found[task] = TaskStatus(task=task, state=state, reasons=reasons, **where)
            return stop
        state = "frozen" if answer.reason == "frozen" else "fresh"
        at = next((e.created_at for e in (last,) if e is not None and e.run_id == answer.source_run_id), None)
        self.found[task] = TaskStatus(task=task, state=state, run_id=answer.source_run_id, at=at)
        return answer

    def _unreached(self, key: str) -> TaskStatus:
        """A task that waits for one that would run, or that would be skipped."""
        task = self.machine.task(key)
        last = self.cachebook.newest(key)
        where = {"run_id": last.run_id, "at": last.created_at} if last else {}
        stale = [need for need in task.planned.needs if self.machine.task(need).state not in (*DONE_WELL, "skipped")]
        if stale:
            reasons = (f"{', '.join(stale)} would run first",)
            return TaskStatus(task=key, state="stale" if last else "new", reasons=reasons, **where)
        return TaskStatus(task=key, state="fresh", reasons=(task.reason or task.state,), **where)


class _Logs:
    """The logs of a run, in the order of its tasks, or as they grow."""

    def __init__(self, runs: Runs, run_id: str, task: str | None) -> None:
        self.runs, self.run_id, self.task = runs, run_id, task
        runs.catalog.get(Run, run_id)
        if task is not None:
            runs.catalog.get(TaskRun, run_id, task)

    def lines(self, *, follow: bool) -> Iterator[str]:
        offsets: dict[Path, int] = {}
        while True:
            is_over = self._is_over()
            yield from self._new_lines(offsets)
            if not follow or is_over:
                return
            time.sleep(0.2)

    def _is_over(self) -> bool:
        if self.task is not None:
            return self.runs.catalog.get(TaskRun, self.run_id, self.task).state in TERMINAL
        return self.runs.catalog.get(Run, self.run_id).state in TERMINAL

    def _new_lines(self, offsets: dict[Path, int]) -> Iterator[str]:
        where: dict[str, Any] = {"run_id": self.run_id}
        if self.task is not None:
            where["task"] = self.task
        for task in self.runs.catalog.find(TaskRun, where=where, order_by="position"):
            for attempt in range(1, task.attempt + 1):
                path = log_path(self.runs.settings.root, self.run_id, task.task, attempt)
                with contextlib.suppress(FileNotFoundError), path.open("rb") as file:
                    file.seek(offsets.get(path, 0))
                    text = file.read()
                    offsets[path] = offsets.get(path, 0) + len(text)
                    prefix = "" if self.task is not None else f"{task.task}: "
                    for line in text.decode("utf-8", "replace").splitlines():
                        yield prefix + line


def _new_id() -> str:
    """Sortable by time, short enough to type the beginning of: ``20261124-071053-3f2a``."""
    return f"{now():%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"


def _user() -> str:
    try:
        return os.environ.get("JUPYTERHUB_USER") or getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid()) if hasattr(os, "getuid") else "unknown"


def _me() -> str:
    return f"{socket.gethostname()}:{os.getpid()}:{_started(os.getpid())}"


def _started(pid: int) -> str:
    """When a process began, so that a pid that is used again is not taken for it; "" if there is none."""
    import psutil

    try:
        process = psutil.Process(pid)
        return "" if process.status() == psutil.STATUS_ZOMBIE else f"{process.create_time():.2f}"
    except psutil.Error:
        return ""


def _is_driven(run: Run) -> bool:
    """Whether the process that said it drives the run still does: looked up on this machine, else by its
    heartbeat."""
    if not run.runner:
        return False
    host, pid, started = run.runner.rsplit(":", 2)
    if host == socket.gethostname():
        return _started(int(pid)) == started
    return run.heartbeat_at is not None and now() - run.heartbeat_at < _ABANDONED
