"""The service that fires schedules. Any number may run beside one catalog; the one that holds the lease works.

Two transactions make a fire, and each of them begins with the lease's fence. The first turns what is due into
records and moves the schedule on; the key of a fire, schedule and moment, admits one record only. The second
turns a fire that waits into a run. Only then is a process started to drive the run, which of several that try is
one (`Runs.resume` claims it). So a service may die anywhere: what is in the catalog is done by the next one, and
what is not in the catalog has not happened.
"""

from __future__ import annotations

import logging
import threading
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Literal

from ..catalog import Catalog, owner
from ..catalog.records import Fire, Run, Schedule
from ..errors import CatalogUnavailable, Conflict, InvalidInput, MlopsError, Unavailable
from ..events import TERMINAL, now
from ..pipelines import ScheduleSpec
from . import decide
from .lease import Lease, LeaseLost, leader
from .specs import missed_fire, spec_from_json

PATIENCE = timedelta(seconds=30)  # so long may a process take to take up the run that it was started for
MOST_DRIVES = 3
MOST_RUNS = 16  # each has a process of its own
_OPEN = ("queued", "running")
_TICK_SECONDS, _OUTAGE_SECONDS = 1.0, 5.0

Prepare = Callable[[Schedule, datetime], Run]  # the run of a fire, which nothing has kept yet
Keep = Callable[[Run], object]  # put it into the catalog, within our transaction
Drive = Callable[[Literal["resume", "cancel"], str], None]  # have it driven by a process of its own
log = logging.getLogger(__name__)


class Scheduler:
    """Fires the schedules of one catalog; `clock` is the time that they go by. At most `most_runs` of its runs go on
    at once; further fires wait."""

    def __init__(
        self,
        catalog: Catalog,
        lease: Lease,
        *,
        prepare: Prepare,
        keep: Keep,
        drive: Drive,
        clock: Callable[[], datetime] = now,
        most_runs: int = MOST_RUNS,
    ) -> None:
        self._catalog, self._lease, self._clock = catalog, lease, clock
        self._prepare, self._keep, self._drive_run = prepare, keep, drive
        self._most_runs = most_runs
        self._is_leader = False

    def serve(self, stop: threading.Event, *, heard: Callable[[], None] = lambda: None) -> None:
        """Go on until `stop` is set; `heard` is called after each tick."""
        log.info("the scheduler is ready")
        try:
            while not stop.is_set():
                seconds = _TICK_SECONDS
                try:
                    self.tick()
                except Unavailable as error:
                    log.error("%s; trying again (%s)", error, error.hint)
                    seconds = _OUTAGE_SECONDS
                heard()
                stop.wait(seconds)
        finally:
            try:
                self._lease.release()
            except CatalogUnavailable as error:
                log.warning("%s", error)
            log.info("the scheduler has ended; the runs that it started go on")

    def release(self) -> None:
        """Let another process take over at once."""
        self._lease.release()

    def tick(self) -> bool:
        """Do what is to be done now; whether this service is the one that does it. Raises `Unavailable`."""
        is_leader = self._lease.hold()
        if is_leader != self._is_leader:
            self._is_leader = is_leader
            log.info(
                "this process fires the schedules" if is_leader else "another process fires the schedules"
            )
        if not is_leader:
            return False
        try:
            self._settle()
            where = {"due_at": ("<=", self._clock()), "is_paused": False}
            for schedule in self._catalog.find(Schedule, where=where, order_by="due_at"):
                self._bring_up(schedule)
            self._start_waiting()
        except LeaseLost as error:
            log.warning("%s", error)
            self._is_leader = False
        return self._is_leader

    # --- what is due ----------------------------------------------------------------------------------------

    def _bring_up(self, schedule: Schedule) -> None:
        """Decide on everything that is due. A schedule that cannot be read any more must not stop the others."""
        more: Schedule | None = schedule
        try:
            while more is not None:
                more = self._decide(more)
        except InvalidInput as error:  # a zone that this machine does not know, for example
            log.error("%s fires no more until it is added again: %s", schedule.name, error)
            with self._catalog.transaction():
                self._lease.fence()
                expected = {"next_at": schedule.next_at}
                if self._catalog.compare_and_set(
                    Schedule, schedule.name, expected, next_at=None, due_at=None
                ):
                    moment = self._clock()
                    told = f"{error.message}: it fires no more until it is added again"
                    at = schedule.next_at or moment
                    self._catalog.put(
                        Fire(
                            schedule=schedule.name, fire_at=at, state="failed", reason=told, created_at=moment
                        )
                    )

    def _decide(self, schedule: Schedule) -> Schedule | None:
        """Keep what is due of a schedule as fires, and move it on. What comes back is to be decided on at once:
        of fires that nobody will run there may be any number, and each step takes some thousands."""
        spec, moment = spec_from_json(schedule.spec), self._clock()
        if schedule.next_at is None:
            return None
        due = decide.due(schedule.name, spec, schedule.next_at, moment)
        with self._catalog.transaction():
            self._lease.fence()
            expected = {"next_at": schedule.next_at, "is_paused": False}
            if not self._catalog.compare_and_set(
                Schedule, schedule.name, expected, next_at=due.next_at, due_at=due.due_at
            ):
                return None  # paused, changed or removed meanwhile
            where = {"schedule": schedule.name, "state": list(_OPEN), "is_backfill": False}
            going = self._catalog.find(Fire, where=where, order_by="fire_at")
            for step in due.steps:
                fire = self._fire(schedule.name, spec, step, moment, going)
                if not self._is_known(fire):
                    self._catalog.add(self._joined(fire))
                    going += [fire] if fire.state == "queued" else []
        goes_on = bool(due.steps) and isinstance(due.steps[-1], decide.Missed) and due.due_at is not None
        return replace(schedule, next_at=due.next_at, due_at=due.due_at) if goes_on else None

    def _joined(self, fire: Fire) -> Fire:
        """Missed fires that follow missed ones are one record with them."""
        if fire.state != "missed":
            return fire
        where = {"schedule": fire.schedule, "fire_at": ("<", fire.fire_at)}
        before = next(iter(self._catalog.find(Fire, where=where, order_by="-fire_at", limit=1)), None)
        if before is None or (before.state, before.reason) != (fire.state, fire.reason):
            return fire
        self._catalog.delete(Fire, {"schedule": before.schedule, "fire_at": before.fire_at})
        return replace(fire, first_at=before.first_at, count=before.count + fire.count)

    def _fire(
        self,
        name: str,
        spec: ScheduleSpec,
        step: datetime | decide.Missed,
        moment: datetime,
        going: Sequence[Fire],
    ) -> Fire:
        if isinstance(step, decide.Missed):
            return missed_fire(name, step, "no scheduler was running", moment)
        fire = Fire(schedule=name, fire_at=step, state="queued", created_at=moment)
        if not going:
            return fire
        before = going[-1]
        waits_for = (
            f"run {before.run_id}" if before.run_id else f"the fire of {before.fire_at:%Y-%m-%d %H:%M} UTC"
        )
        if not decide.waits(spec):
            return replace(fire, state="skipped", reason=f"{waits_for} was not over")
        if spec.overlap == "cancel" and moment - step <= decide.GRACE + timedelta(
            seconds=spec.jitter_seconds
        ):
            self._make_way(going, step)
        return replace(fire, reason=f"waits for {waits_for}")

    def _make_way(self, going: Sequence[Fire], fire_at: datetime) -> None:
        """``overlap: cancel``: what waits is skipped, what runs is asked to stop."""
        for fire in going:
            reason = f"the fire of {fire_at:%Y-%m-%d %H:%M} UTC came before it could start"
            key, expected = (fire.schedule, fire.fire_at), {"state": "queued"}
            if self._catalog.compare_and_set(Fire, key, expected, state="skipped", reason=reason):
                continue
            self._catalog.update(Run, fire.run_id, is_cancel_requested=True)

    def _is_known(self, fire: Fire) -> bool:
        """Whether somebody has taken care of this very moment before: a backfill, or the schedule's former self."""
        where = {"schedule": fire.schedule, "fire_at": fire.fire_at}
        return self._catalog.count(Fire, where=where) > 0

    # --- from fires to runs ---------------------------------------------------------------------------------

    def _start_waiting(self) -> None:
        """Make runs of the fires that wait, the oldest first: for each schedule that has none going the first
        one, and of all schedules no more than may go on at once."""
        opened: dict[str, list[Fire]] = defaultdict(list)
        where = {"state": list(_OPEN), "is_backfill": False}
        for fire in self._catalog.find(Fire, where=where, order_by=("fire_at", "schedule")):
            opened[fire.schedule].append(fire)
        running = sum(fire.state == "running" for fires in opened.values() for fire in fires)
        waiting = [fires[0] for fires in opened.values() if all(fire.state == "queued" for fire in fires)]
        for fire in waiting[: max(0, self._most_runs - running)]:
            self._start(fire.schedule, fire)

    def _start(self, name: str, fire: Fire) -> None:
        schedule = next(iter(self._catalog.find(Schedule, where={"name": name})), None)
        if schedule is None:  # removed this moment
            return
        try:
            run = self._prepare(schedule, fire.fire_at)
        except Unavailable as error:
            log.error("%s at %s: %s", name, fire.fire_at, error)
            return  # it waits until that answers again
        except MlopsError as error:
            self._refuse(fire, f"{error.message} ({error.hint})" if error.hint else error.message)
            return
        except Exception as error:  # whatever it is, the other schedules go on
            log.debug("preparing a run failed", exc_info=True)
            self._refuse(fire, f"{type(error).__name__}: {error}")
            return
        with self._catalog.transaction():
            self._lease.fence()
            if not self._change(fire, {"state": "queued"}, state="running", reason="", run_id=run.run_id):
                return
            self._keep(run)
        log.info("%s fired for %s: run %s", name, fire.fire_at, run.run_id)
        self._drive(replace(fire, state="running", run_id=run.run_id))

    def _refuse(self, fire: Fire, why: str) -> None:
        """No run can be made of a fire."""
        log.error("%s at %s cannot run: %s", fire.schedule, fire.fire_at, why)
        with self._catalog.transaction():
            self._lease.fence()
            self._change(fire, {"state": "queued"}, state="failed", reason=why)

    # --- runs that go on ------------------------------------------------------------------------------------

    def _settle(self) -> None:
        """Note which runs are over, and see to those that nobody drives."""
        going = self._catalog.find(Fire, where={"state": "running", "is_backfill": False}, order_by="fire_at")
        if not going:
            return
        where = {"run_id": [fire.run_id for fire in going]}
        runs = {run.run_id: run for run in self._catalog.find(Run, where=where, omit=["plan"])}
        for fire in going:
            self._settle_one(fire, runs.get(fire.run_id))

    def _settle_one(self, fire: Fire, run: Run | None) -> None:
        if run is None:
            self._end(fire, "failed", "its run was deleted")
        elif run.state in TERMINAL:
            self._end(fire, run.state, run.message)
        elif not owner.is_driven(run) and self._is_abandoned(fire):
            if fire.drives >= MOST_DRIVES:
                self._end(fire, "failed", f"{fire.drives} processes that drove its run ended before it did")
            else:
                self._drive(fire, is_cancelled=run.is_cancel_requested)

    def _is_abandoned(self, fire: Fire) -> bool:
        return fire.driven_at is None or self._clock() - fire.driven_at > PATIENCE

    def _drive(self, fire: Fire, *, is_cancelled: bool = False) -> None:
        """Start a process; first it is noted, so that one that cannot start is not tried without end."""
        with self._catalog.transaction():
            self._lease.fence()
            expected = {"state": "running", "drives": fire.drives}
            if not self._change(fire, expected, drives=fire.drives + 1, driven_at=self._clock()):
                return
        try:
            self._drive_run("cancel" if is_cancelled else "resume", fire.run_id)
        except Unavailable as error:
            log.error("%s", error)

    def _end(self, fire: Fire, state: str, reason: str) -> None:
        with self._catalog.transaction():
            self._lease.fence()
            self._change(fire, {"state": "running"}, state=state, reason=reason)

    def _change(self, fire: Fire, expected: Mapping[str, object], **changes: object) -> bool:
        return self._catalog.compare_and_set(Fire, (fire.schedule, fire.fire_at), expected, **changes)


def demand_leader(scheduler: Scheduler, catalog: Catalog) -> None:
    """One tick, by us. Raises `Conflict` if somebody else fires the schedules."""
    if not scheduler.tick():
        raise Conflict(
            f"{leader(catalog, now()) or 'another process'} fires the schedules",
            hint="nothing needs to be done",
        )
