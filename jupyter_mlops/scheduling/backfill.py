"""Runs for the fires of the past: as if the schedule had been there, one after the other, by this process."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from ..catalog import Catalog
from ..catalog.records import Fire, Run
from ..errors import InvalidInput
from ..events import now
from ..pipelines import Pipeline, ScheduleSpec
from ..pipelines.checks import demand
from ..pipelines.scheduled import arguments_at
from ..runner import Runs
from ..runner.options import OnEvent
from .specs import options_of

MOST = 10_000


@dataclass(frozen=True, slots=True)
class BackfillStep:
    """One fire of the past: the arguments of its run, and the run that it had, if it had one that did well."""

    fire_at: datetime
    arguments: dict[str, Any]
    done: Run | None


class Backfill:
    """The backfill of one schedule of one pipeline."""

    def __init__(
        self, catalog: Catalog, runs: Runs, pipeline: Pipeline, name: str, spec: ScheduleSpec
    ) -> None:
        # Its bounds and its pause are about the future; the range is what was asked for.
        spec = replace(spec, start="", end="")
        demand(replace(pipeline, schedules={name: spec}, lines={}))
        self._catalog, self._runs = catalog, runs
        self._pipeline, self._name, self._spec = pipeline, name, spec
        self.schedule = f"{pipeline.name}.{name}"

    def steps(self, start: datetime, end: datetime) -> list[BackfillStep]:
        """The fires from `start` on and before `end`, in order. Raises `InvalidInput`."""
        if end <= start:
            raise InvalidInput(
                "the range of a backfill ends before it begins", hint="--from is the earlier one"
            )
        cron = self._spec.parsed()
        just = timedelta(microseconds=1)
        times = list(islice(cron.times(start - just, min(end, now()) - just), MOST + 1))
        if len(times) > MOST:
            raise InvalidInput(
                f"more than {MOST:,} fires lie in that range", hint="take a shorter one, and then the next"
            )
        done = self._done(times)
        return [
            BackfillStep(at, arguments_at(self._pipeline, self._name, self._spec, cron, at), done.get(at))
            for at in times
        ]

    def run(self, step: BackfillStep, *, on_event: OnEvent | None = None) -> Run:
        """Run one of them to its end, and note it in the schedule's history."""
        run = self._runs.run(
            self._pipeline,
            step.arguments,
            options=options_of(self._spec),
            on_event=on_event,
            on_plan=lambda run, _: self._note(step.fire_at, run),
        )
        key = (self.schedule, step.fire_at)
        self._catalog.compare_and_set(Fire, key, {"run_id": run.run_id}, state=run.state, reason=run.message)
        return run

    def _note(self, fire_at: datetime, run: Run) -> None:
        """The fire has a run now. If missed ones end with it, the others stay missed."""
        fire = Fire(
            schedule=self.schedule, fire_at=fire_at, state="running", run_id=run.run_id, is_backfill=True,
            created_at=now(),
        )  # fmt: skip
        with self._catalog.transaction():
            where = {"schedule": self.schedule, "fire_at": fire_at}
            known = next(iter(self._catalog.find(Fire, where=where)), None)
            if known is not None and known.count > 1 and (rest := self._rest(known)):
                first_at, last_at, count = rest
                self._catalog.add(replace(known, fire_at=last_at, first_at=first_at, count=count))
            self._catalog.put(fire)

    def _rest(self, missed: Fire) -> tuple[datetime, datetime, int] | None:
        """What is still missed of a range without its last fire: first, last, and how many."""
        times, left = self._range(missed), list[datetime]()
        while part := list(islice(times, MOST)):
            where = {"schedule": self.schedule, "fire_at": part}
            known = {fire.fire_at for fire in self._catalog.find(Fire, where=where)}
            left += [at for at in part if at not in known]
        return (left[0], left[-1], len(left)) if left else None

    def _range(self, missed: Fire) -> Iterator[datetime]:
        first_at = missed.first_at or missed.fire_at
        return self._spec.parsed().times(first_at - timedelta(microseconds=1), missed.fire_at)

    def _done(self, times: list[datetime]) -> dict[datetime, Run]:
        if not times:
            return {}
        where = {"schedule": self.schedule, "fire_at": times}
        fires = {fire.run_id: fire.fire_at for fire in self._catalog.find(Fire, where=where) if fire.run_id}
        runs = self._catalog.find(Run, where={"run_id": list(fires)}, omit=["plan"]) if fires else []
        return {
            fires[run.run_id]: run for run in runs if run.state == "succeeded" or self._runs.is_driven(run)
        }
