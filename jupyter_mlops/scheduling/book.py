"""The schedules of a workspace: add, pause, resume, remove, and ask what comes and what was."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

from ..catalog import Catalog, owner
from ..catalog.records import Fire, Run, Schedule
from ..errors import Conflict, InvalidInput, InvalidPipeline, NotFound, did_you_mean
from ..events import now
from ..pipelines import Pipeline, ScheduleSpec, load_pipeline
from ..pipelines.checks import demand
from ..pipelines.scheduled import arguments_at
from ..runner import Runs
from ..runner.launch import Drivers
from . import decide
from .backfill import Backfill
from .lease import LEASE, Lease, leader
from .service import MOST_RUNS, Scheduler
from .specs import missed_fire, options_of, short_name, spec_from_json, spec_to_json


@dataclass(frozen=True, slots=True)
class NextFire:
    """A fire that is to come: when, with its jitter, and the arguments that its run will get."""

    fire_at: datetime
    due_at: datetime
    arguments: dict[str, Any]


class Schedules:
    """The schedules of one workspace."""

    def __init__(self, catalog: Catalog, runs: Runs, root: Path) -> None:
        self._catalog, self._runs, self._root = catalog, runs, root

    # --- changing -------------------------------------------------------------------------------------------

    def add(
        self, path: Path, specs: dict[str, ScheduleSpec] | None = None, *, user_name: str = ""
    ) -> list[Schedule]:
        """Make the schedules of a pipeline's file active, or those in `specs`; one that is active already is
        changed. Everything is checked as at a fire. Their runs are those of `user_name`, this process' user if
        nothing is said. Raises `InvalidInput`, `NotFound`, `PreflightFailed`, `Conflict`."""
        pipeline = load_pipeline(path)
        specs = dict(pipeline.schedules) if specs is None else specs
        if not specs:
            raise InvalidPipeline(
                f"{path} has no schedules", hint="write some under `schedules:`, or give --cron"
            )
        demand(replace(pipeline, schedules=specs, lines={}))
        user = user_name or owner.user_name()
        made = [self._checked(pipeline, name, spec, user) for name, spec in specs.items()]
        with self._catalog.transaction():
            return [self._put(schedule) for schedule in made]

    def _checked(self, pipeline: Pipeline, name: str, spec: ScheduleSpec, user: str) -> Schedule:
        moment = now()
        next_at = decide.first_fire(spec, moment)
        if next_at is None:
            raise InvalidInput(
                f"schedule {name!r} would never fire", hint=f"it ends at {spec.end}, look at `end`"
            )
        full_name = f"{pipeline.name}.{name}"
        arguments = arguments_at(pipeline, name, spec, spec.parsed(), next_at)
        with contextlib.suppress(
            Conflict
        ):  # too many wait at this moment: at the next fire it may be otherwise
            self._runs.prepare(pipeline, arguments, options=options_of(spec), user_name=user)
        return Schedule(
            name=full_name, pipeline=pipeline.name, pipeline_path=self._kept_path(pipeline),
            cron=spec.parsed().expression, timezone=spec.timezone, spec=spec_to_json(spec),
            is_paused=spec.is_paused, paused_at=moment if spec.is_paused else None,
            next_at=next_at, due_at=decide.jittered(full_name, spec, next_at),
            user_name=user, created_at=moment, updated_at=moment,
        )  # fmt: skip

    def _kept_path(self, pipeline: Pipeline) -> str:
        assert pipeline.path is not None  # noqa: S101 - it was loaded from there
        path = Path(os.path.abspath(pipeline.path))
        return path.relative_to(self._root).as_posix() if path.is_relative_to(self._root) else str(path)

    def _put(self, schedule: Schedule) -> Schedule:
        """Keep it; of one that is there, whether it is paused stays, and its next fire if that is the same."""
        known = next(iter(self._catalog.find(Schedule, where={"name": schedule.name})), None)
        if known is None:
            self._catalog.add(schedule)
            return schedule
        if known.pipeline_path != schedule.pipeline_path:
            raise Conflict(
                f"the schedule {schedule.name!r} is one of {known.pipeline_path}",
                hint=f"rename one of the pipelines, or: jupyter mlops schedule remove {schedule.name}",
            )
        changed = replace(
            schedule, is_paused=known.is_paused, paused_at=known.paused_at, created_at=known.created_at
        )
        old, new = spec_from_json(known.spec), spec_from_json(schedule.spec)
        if known.next_at and (old.cron, old.timezone, old.start, old.end) == (
            new.cron,
            new.timezone,
            new.start,
            new.end,
        ):
            due_at = decide.jittered(schedule.name, new, known.next_at)
            changed = replace(changed, next_at=known.next_at, due_at=due_at)
        self._catalog.put(changed)
        return changed

    def pause(self, name: str) -> Schedule:
        """Fire no more until `resume`; runs that go on go on. Raises `NotFound`, `Conflict`."""
        schedule = self.resolve(name)
        moment = now()
        if not self._catalog.compare_and_set(
            Schedule, schedule.name, {"is_paused": False}, is_paused=True, paused_at=moment, updated_at=moment
        ):
            raise Conflict(f"{schedule.name} is paused already", hint="nothing needs to be done")
        return self._catalog.get(Schedule, schedule.name)

    def resume(self, name: str) -> Schedule:
        """Fire again, from now on; what would have fired meanwhile stands in the history as missed."""
        schedule = self.resolve(name)
        spec, moment = spec_from_json(schedule.spec), now()
        missed = None
        if schedule.next_at is not None and schedule.next_at <= moment:
            missed = decide.missed_between(spec, schedule.next_at, moment)
        next_at = next(decide.fires(spec, moment), None)
        with self._catalog.transaction():
            if not self._catalog.compare_and_set(
                Schedule, schedule.name, {"is_paused": True, "next_at": schedule.next_at},
                is_paused=False, paused_at=None, next_at=next_at, updated_at=moment,
                due_at=None if next_at is None else decide.jittered(schedule.name, spec, next_at),
            ):  # fmt: skip
                raise Conflict(f"{schedule.name} is not paused", hint="nothing needs to be done")
            if missed is not None:
                fire = missed_fire(schedule.name, missed, "the schedule was paused", moment)
                known = {"schedule": fire.schedule, "fire_at": fire.fire_at}
                if not self._catalog.count(Fire, where=known):
                    self._catalog.add(fire)
        return self._catalog.get(Schedule, schedule.name)

    def remove(self, name: str) -> Schedule:
        """Forget a schedule and its history; its runs stay. Raises `NotFound`."""
        schedule = self.resolve(name)
        with self._catalog.transaction():
            self._catalog.delete(Schedule, {"name": schedule.name})
            self._catalog.delete(Fire, {"schedule": schedule.name})
        return schedule

    # --- asking ---------------------------------------------------------------------------------------------

    def find(self) -> list[Schedule]:
        """All of them, by name."""
        return self._catalog.find(Schedule, order_by="name")

    def resolve(self, name: str) -> Schedule:
        """A schedule by its name, or by what stands behind the dot if only one is called so."""
        known = self.find()
        exact = [schedule for schedule in known if schedule.name == name]
        short = [schedule for schedule in known if short_name(schedule) == name]
        if exact or len(short) == 1:
            return (exact or short)[0]
        if short:
            raise InvalidInput(
                f"several schedules are called {name!r}",
                hint=f"name one of {', '.join(schedule.name for schedule in short)}",
            )
        names = [each for schedule in known for each in (schedule.name, short_name(schedule))]
        hint = did_you_mean(name, names) or "see: jupyter mlops schedule list"
        raise NotFound(f"there is no schedule {name!r}", hint=hint)

    def preview(self, schedule: Schedule, count: int) -> list[NextFire]:
        """The next fires, as they would be with the pipeline's file as it is now."""
        spec = spec_from_json(schedule.spec)
        pipeline = load_pipeline(self._root / schedule.pipeline_path)
        name, cron = short_name(schedule), spec.parsed()
        times = decide.fires(spec, now())
        return [
            NextFire(
                at, decide.jittered(schedule.name, spec, at), arguments_at(pipeline, name, spec, cron, at)
            )
            for at in islice(times, count)
        ]

    def history(self, schedule: Schedule, limit: int) -> list[tuple[Fire, Run | None]]:
        """What became of its fires, the latest first, with the run of each that has one."""
        fires = self._catalog.find(Fire, where={"schedule": schedule.name}, order_by="-fire_at", limit=limit)
        return self._with_runs(fires)

    def last_fires(self, schedules: Sequence[Schedule]) -> dict[str, tuple[Fire, Run | None]]:
        """The latest fire of each schedule that has one."""
        return {schedule.name: found[0] for schedule in schedules if (found := self.history(schedule, 1))}

    def leader(self) -> str:
        """Which process fires the schedules, for messages; "" when none does."""
        return leader(self._catalog, now())

    def _with_runs(self, fires: Sequence[Fire]) -> list[tuple[Fire, Run | None]]:
        ids = [fire.run_id for fire in fires if fire.run_id]
        found = self._catalog.find(Run, where={"run_id": ids}, omit=["plan"]) if ids else []
        runs = {run.run_id: run for run in found}
        return [(fire, runs.get(fire.run_id)) for fire in fires]

    # --- what works with them -------------------------------------------------------------------------------

    def scheduler(self, drivers: Drivers, *, most_runs: int = MOST_RUNS) -> Scheduler:
        """The service, whose runs are driven by processes of their own."""
        lease = Lease(self._catalog, LEASE)
        return Scheduler(
            self._catalog,
            lease,
            prepare=self.prepare,
            keep=self._runs.queue,
            drive=drivers.start,
            most_runs=most_runs,
        )

    def prepare(self, schedule: Schedule, fire_at: datetime) -> Run:
        """The run of one fire, which is not kept yet. Raises what stands against it."""
        spec = spec_from_json(schedule.spec)
        pipeline = load_pipeline(self._root / schedule.pipeline_path)
        arguments = arguments_at(pipeline, short_name(schedule), spec, spec.parsed(), fire_at)
        return self._runs.prepare(pipeline, arguments, options=options_of(spec), user_name=schedule.user_name)

    def backfill(self, path: Path, name: str, spec: ScheduleSpec) -> Backfill:
        """Runs for fires of the past, of a schedule that need not be active."""
        return Backfill(self._catalog, self._runs, load_pipeline(path), name, spec)
