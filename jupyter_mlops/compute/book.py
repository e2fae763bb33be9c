"""Compute, as a workspace has it: units and what they were measured to do, and what runs of its catalog cost."""

from __future__ import annotations

import platform
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from ..catalog import Catalog
from ..catalog.records import Attempt, ComputeMeasurement, ModelVersion, Run, Schedule, TaskRun
from ..errors import InvalidInput, NotFound, did_you_mean
from ..events import now
from ..resources import ResourceRequest
from .accelerated import measure_gpu
from .bench import Progress, measure_cpu
from .cadence import runs_a_month
from .cost import Quote
from .discovery import find_units
from .estimate import Estimate, estimate
from .hourly import hourly, like_unit, own_architecture
from .instances import Machine
from .prices import PriceList, load_prices
from .units import ComputeUnit
from .usage import RunUse, Use, typical, uses_of

_RUNS = 20  # of a pipeline that are looked at
_BODY = ("arguments", "results", "artifacts", "error")


class Compute:
    """Units, measurements and costs of one workspace."""

    def __init__(
        self,
        catalog: Catalog,
        prices: Path | None = None,
        find: Callable[[], list[ComputeUnit]] = find_units,
    ) -> None:
        self._catalog = catalog
        self._own_prices = prices
        self._find = find  # where tasks run, which may be elsewhere

    # --- units ----------------------------------------------------------------------------------------------

    def units(self) -> list[ComputeUnit]:
        """This machine's, or those of the workers of the workspace's cluster if it runs at an address.

        Raises `Unavailable`.
        """
        return self._find()

    def measure(self, folder: Path, progress: Progress) -> list[ComputeMeasurement]:
        """Measure this machine's CPUs and GPUs, and keep what came out. Of a TPU or IPU nothing is measured.

        Raises `StorageUnavailable`, and `MissingExtra` if there is a GPU and neither torch nor CuPy.
        """
        made = []
        for unit in find_units():
            if unit.kind == "CPU":
                body = measure_cpu(unit, folder, progress)
            elif unit.kind == "GPU":
                body = measure_gpu(unit, progress)
            else:
                continue
            record = ComputeMeasurement(
                unit=unit.unit, kind=unit.kind, name=unit.name, body=body, measured_at=now()
            )
            self._catalog.put(record)
            made.append(record)
        return made

    def measurements(self) -> dict[str, ComputeMeasurement]:
        """The latest of each unit that was measured, on whichever machine."""
        found = self._catalog.find(ComputeMeasurement, order_by="measured_at")
        return {each.unit: each for each in found}

    # --- costs ----------------------------------------------------------------------------------------------

    @cached_property
    def prices(self) -> PriceList:
        """The package's, with the user's own in their place. Raises `NotFound`, `InvalidInput`."""
        return load_prices(self._own_prices)

    def hourly(self, request: ResourceRequest) -> list[Quote]:
        """What an hour of a request costs to rent, the cheapest first; none if no machine has room for it."""
        return hourly(request, self.prices, architecture=own_architecture())

    def rent_of(self, unit: ComputeUnit) -> Quote | None:
        """What an hour of as much as a unit is costs to rent; None if nobody rents it out."""
        return like_unit(unit, self.prices, architecture=own_architecture())

    def cost_of_run(self, run: Run, task: str = "", **chosen: Any) -> Estimate:
        """What a run cost, or one of its tasks, as much as it executed. `chosen` is as for `estimate`."""
        uses = self._uses(run)
        subject = f"run {run.run_id}"
        if task:
            known = sorted({use.task for use in uses})
            uses = [use for use in uses if use.task == task or use.task.startswith(f"{task}[")]
            if not uses:
                hint = did_you_mean(task, known) or "tasks from the cache cost nothing"
                raise NotFound(f"no task {task!r} was executed in run {run.run_id}", hint=hint)
            subject = f"task {task} of {subject}"
        return self._estimate(subject, uses, **chosen)

    def cost_of_version(self, version: ModelVersion, **chosen: Any) -> Estimate:
        """What was executed to make a version: its task and what came before, in earlier runs if it was cached.

        Raises `NotFound` if it was not made in a run that is still known.
        """
        runs = self._catalog.find(Run, where={"run_id": version.run_id}) if version.run_id else []
        if not runs:
            raise NotFound(
                f"{version.reference} was made outside of a run, or its run is deleted: nobody knows what it took",
                hint="models that a task of a pipeline registers have a cost",
            )
        return self._estimate(version.reference, self._uses_behind(runs[0], version.task), **chosen)

    def cost_of_pipeline(
        self,
        name: str,
        *,
        schedules: Sequence[tuple[str, str]] = (),
        runs: float | None = None,
        **chosen: Any,
    ) -> Estimate:
        """What a pipeline costs a month, by its last runs, and its schedules: the active ones, else `schedules`
        of its file as (cron, zone), else how often it was run. `runs` a month overrides that.

        Raises `NotFound` if it never ran.
        """
        found = self._catalog.find(
            Run, where={"pipeline": name, "state": "succeeded"}, order_by="-created_at", limit=_RUNS
        )
        if not found:
            raise NotFound(
                f"the pipeline {name!r} has no run that succeeded: what it uses was never measured",
                hint="run it once: jupyter mlops run",
            )
        if runs is not None and runs < 0:
            raise InvalidInput(f"{runs:g} runs a month cannot be", hint="give 0 or more")
        often, basis = (runs, "what you gave") if runs is not None else self._cadence(name, schedules)
        uses = typical([RunUse(tuple(self._uses(run)), self._cached(run)) for run in found])
        return self._estimate(f"pipeline {name}", uses, runs_a_month=often, basis=basis, **chosen)

    def _cadence(self, name: str, schedules: Sequence[tuple[str, str]]) -> tuple[float, str]:
        active = self._catalog.find(Schedule, where={"pipeline": name, "is_paused": False})
        crons = [(each.cron, each.timezone) for each in active] or list(schedules)
        moment = now()
        return runs_a_month(crons, self._started(name) if not crons else (), moment)

    def _started(self, name: str) -> list[datetime]:
        runs = self._catalog.find(Run, where={"pipeline": name}, omit=("plan", "arguments"))
        return [run.created_at for run in runs]

    def _estimate(self, subject: str, uses: Sequence[Use], **chosen: Any) -> Estimate:
        return estimate(
            subject,
            uses,
            self.prices,
            self._machine(),
            now().date(),
            architecture=own_architecture(),
            **chosen,
        )

    def _machine(self) -> Machine:
        units = find_units()
        cpu = next(unit for unit in units if unit.kind == "CPU")
        gpus = [unit for unit in units if unit.kind != "CPU"]
        return Machine(
            provider="here",
            name=platform.node() or "here",
            cpu=cpu.cores,
            memory=cpu.memory or 2**30,
            gpu=len(gpus),
            accelerator=gpus[0].name if gpus else "",
        )

    # --- uses -----------------------------------------------------------------------------------------------

    def _tasks(self, run: Run) -> list[TaskRun]:
        return self._catalog.find(TaskRun, where={"run_id": run.run_id}, order_by="position", omit=_BODY)

    def _uses(self, run: Run) -> list[Use]:
        attempts = self._catalog.find(Attempt, where={"run_id": run.run_id}, omit=("error",))
        return uses_of(run, self._tasks(run), attempts)

    def _cached(self, run: Run) -> frozenset[str]:
        return frozenset(task.task for task in self._tasks(run) if task.state == "cached")

    def _uses_behind(self, run: Run, task: str) -> list[Use]:
        """Of a task and all that it needs; of those from the cache, in the run that executed them."""
        tasks = self._tasks(run)
        wanted = _needed(run.plan, task) if task else {each.task for each in tasks}
        behind = [each for each in tasks if each.task in wanted or each.name in wanted]
        uses = {use.task: use for use in self._uses(run)}
        found = [uses[each.task] for each in behind if each.task in uses]
        for each in behind:
            if each.state == "cached" and each.source_run_id:
                for source in self._catalog.find(Run, where={"run_id": each.source_run_id}):
                    found += [use for use in self._uses(source) if use.task == each.task]
        return found


def _needed(plan: Mapping[str, Any], task: str) -> set[str]:
    """A task's key and those of all before it; an instance of a mapped task (``train[0]``) has its group's."""
    needs = {str(each["key"]): each.get("needs", ()) for each in plan.get("tasks", ())}
    todo, seen = [task if task in needs else task.partition("[")[0]], set()
    while todo:
        key = todo.pop()
        if key not in seen:
            seen.add(key)
            todo += needs.get(key, ())
    return seen
