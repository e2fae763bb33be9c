"""From a run's record to the loop that drives it: claimed, rebuilt from its log, admitted where there are quotas."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..blobs import BlobStore
from ..catalog import Catalog, owner
from ..catalog.records import QueueEntry, Run, RunEvent, TaskRun
from ..errors import Conflict
from ..events import DONE_WELL, decode, now
from ..kernels import KernelPool
from ..pipelines import Plan, RunState, replay
from ..pipelines.instructions import Instruction
from ..preflight import demand_cluster
from ..queueing import Queue, Quotas
from ..queueing.quotas import DEFAULT_QUEUE
from ..settings import Settings
from ..standards import observe
from .asking import ask_of
from .cachebook import Cachebook
from .dispatch import NO_REQUEST, Dispatch
from .drive import Drive, Preempted
from .inbox import Inbox
from .ledger import Ledger, unlogged
from .logs import LogWriter
from .options import OnEvent, OnPlan, RunOptions
from .sources import Sources
from .waiting import Seat


class Drives:
    """The drives of one workspace's runs: each belongs to the process that makes it."""

    def __init__(
        self,
        *,
        catalog: Catalog,
        blobs: BlobStore,
        settings: Settings,
        kernels: Callable[[], KernelPool],
        queue: Queue,
    ) -> None:
        self.catalog, self.blobs, self.settings = catalog, blobs, settings
        self._kernels, self._waiting = kernels, queue

    def start(
        self, run: Run, plan: Plan, options: RunOptions, *, on_event: OnEvent | None, on_plan: OnPlan | None
    ) -> Run:
        """Drive a new run, of which there is no record yet, to its end."""
        run = replace(
            run, state="running", started_at=run.created_at, runner=owner.mark(), heartbeat_at=run.created_at
        )
        machine = RunState(plan, run.run_id)
        return self._drive(run, machine, options, on_event=on_event, on_plan=on_plan).begin()

    def take_up(
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
            self._waiting.join(self.entry(run, Plan.from_json(run.plan), options, quotas))
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
        sources = Sources(self._folder(run), self.settings, self.blobs, options.isolation)
        ledger = self.ledger(run, machine)
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
            observer=observe(run, machine, catalog=lambda: self.catalog, settings=self.settings),
        )

    def ledger(self, run: Run, machine: RunState) -> Ledger:
        """What keeps the run's log and the state of its tasks."""
        # What is run again with `--all` is forced, so it never asks for what the repeated run left.
        earlier = self.done_in(run.rerun_of) if run.rerun_of else {}
        cachebook = Cachebook(self.catalog, self.blobs, run.pipeline, run.run_id, earlier=earlier)
        return Ledger(self.catalog, run, machine, cachebook)

    def done_in(self, run_id: str) -> dict[str, TaskRun]:
        """What was done well in a run, by task; nothing if there is no such run (any more)."""
        where = {"run_id": run_id, "state": list(DONE_WELL)}
        return {task.task: task for task in self.catalog.find(TaskRun, where=where)}

    def entry(self, run: Run, plan: Plan, options: RunOptions, quotas: Quotas) -> QueueEntry:
        """A run's place in the queue. Raises what keeps it from ever being admitted."""
        is_here = (options.cluster or self.settings.cluster) == "local"
        workers = (options.workers or self.settings.workers) if is_here else None
        ask = ask_of(plan, Sources(self._folder(run), self.settings, self.blobs), quotas.task, workers)
        return self._waiting.entry(
            run, ask, queue=options.queue or DEFAULT_QUEUE, priority=options.priority,
            is_preemptible=options.is_preemptible, quotas=quotas,
        )  # fmt: skip

    def _claim(self, run: Run, state: str = "running") -> Run:
        """Take the run over, unless somebody drives it; of two who try, one gets it. One that is ``queued`` waits."""
        if owner.is_driven(run):
            raise Conflict(
                f"run {run.run_id} is being driven by {owner.shown(run.runner)}",
                hint="let that one go on with it, or repeat it there"
                if run.runner == owner.ELSEWHERE
                else f"watch it with: jupyter mlops logs -f {run.run_id}",
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

    def _folder(self, run: Run) -> Path:
        return Path(run.pipeline_path).parent if run.pipeline_path else self.settings.root
