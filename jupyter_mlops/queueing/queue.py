"""The queue in the catalog. Nobody needs to serve it: whoever wants to run takes part in admission.

A round of admission reads who waits and who was admitted, decides (`admission`), and writes what follows in one
transaction, which begins with the fence of a lease: of all that try at once one writes. Between its reading and its
writing nobody else can admit, and those who leave only make room; so a round never admits too much. Whoever
was killed is noticed by the next round, which gives back what it had: its run keeps its place.
"""

from __future__ import annotations

import statistics
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from ..catalog import Catalog, owner
from ..catalog.lease import Lease, LeaseLost
from ..catalog.records import QueueEntry, QueueUsage, Quota, Run
from ..errors import Conflict, InvalidInput, NotFound
from ..events import now
from . import shares
from .admission import MOST_PREEMPTIONS, Admission, Decision, Going, Waiting
from .amounts import Amount
from .quotas import DEFAULT_QUEUE, MOST_PRIORITY, Quotas

LEASE = "admission"
LEASE_SECONDS = 4.0
GAP = timedelta(seconds=1)  # between two rounds that nothing has made necessary
_MOST_TOLD = 100  # of those that wait so many are told their place in the catalog
_MOVED = timedelta(seconds=30)  # a forecast that changes by less is the same
_EARLIER = 5  # runs by which the length of the next one is guessed
_OPEN = ("queued", "running")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """An entry of the queue as it stands now."""

    entry: QueueEntry
    reason: str = ""
    position: int = 0
    starts_at: datetime | None = None


class Queue:
    """The queue of one catalog."""

    def __init__(
        self,
        catalog: Catalog,
        *,
        clock: Callable[[], datetime] = now,
        is_driven: Callable[[Run], bool] = owner.is_driven,
    ) -> None:
        self._catalog, self._clock, self._is_driven = catalog, clock, is_driven
        self._lease = Lease(catalog, LEASE, seconds=LEASE_SECONDS, clock=clock)
        self._at_it = threading.Lock()  # a lease is of a process: its threads take turns, too

    # --- quotas ---------------------------------------------------------------------------------------------

    def quotas(self) -> Quotas:
        """What is set now."""
        return Quotas.of_records(self._catalog.find(Quota, order_by=("scope", "name")))

    def set_quotas(self, quotas: Quotas, user: str) -> None:
        """Replace them all. Raises `Conflict` for one who may not."""
        self._demand_operator(user, "set quotas")
        with self._catalog.transaction():
            self._catalog.delete(Quota, {"scope": ("!=", "")})
            if quotas:
                self._catalog.add(*quotas.records(user, self._clock()))

    def _demand_operator(self, user: str, what: str) -> None:
        quotas = self.quotas()
        if not quotas.may_operate(user):
            raise Conflict(f"{user} may not {what}", hint=f"ask {' or '.join(quotas.operators)}")

    # --- joining and leaving --------------------------------------------------------------------------------

    def entry(
        self,
        run: Run,
        ask: tuple[Amount, Amount],
        *,
        queue: str = DEFAULT_QUEUE,
        priority: int = 0,
        is_preemptible: bool = False,
        quotas: Quotas | None = None,
    ) -> QueueEntry:
        """The place of a run that may wait, not kept yet. Raises what keeps it from ever running: `NotFound` for an
        unknown queue, `InvalidInput` for a priority or resources beyond the quotas, `Conflict` when the user has
        too many waiting."""
        quotas = self.quotas() if quotas is None else quotas
        quotas.demand_queue(queue)
        moment = self._clock()
        made = QueueEntry(
            run_id=run.run_id, pipeline=run.pipeline, user_name=run.user_name,
            group_name=quotas.group_of(run.user_name), queue=queue, priority=priority, is_preemptible=is_preemptible,
            least=list(ask[0]), most=list(ask[1]), seconds=self._guess(run.pipeline),
            since_at=run.created_at, created_at=moment,
        )  # fmt: skip
        self._demand_priority(quotas, made, priority)
        refusal = Admission(quotas, (), moment.timestamp()).refusal(_waiting(made))
        if refusal:
            hint = "let its tasks ask for less, or have the quota raised: jupyter mlops quota"
            raise InvalidInput(f"{run.pipeline} {refusal}", hint=hint)
        for scope, name, limits in quotas.scopes(run.user_name, queue):
            if limits.waiting is not None and self._waiting_in(scope, name) >= limits.waiting:
                raise Conflict(
                    f"{scope} {name} has {limits.waiting} runs waiting, and may not have more".replace(
                        "  ", " "
                    ),
                    hint="wait for some of them, or cancel some: jupyter mlops queue",
                )
        return made

    def _demand_priority(self, quotas: Quotas, entry: QueueEntry, priority: int) -> None:
        if not -MOST_PRIORITY <= priority <= MOST_PRIORITY:
            raise InvalidInput(f"priority {priority} is not between {-MOST_PRIORITY} and {MOST_PRIORITY}")
        for scope, name, limits in quotas.scopes(entry.user_name, entry.queue):
            if limits.max_priority is not None and priority > limits.max_priority:
                who = f"{scope} {name}".strip()
                raise InvalidInput(
                    f"priority {priority} is more than {who} may ask for",
                    hint=f"at most {limits.max_priority}",
                )

    def _waiting_in(self, scope: str, name: str) -> int:
        fields = {"user": "user_name", "group": "group_name", "queue": "queue"}
        where: dict[str, Any] = {"state": ["waiting", "held"]}
        return self._catalog.count(
            QueueEntry, where=where | ({fields[scope]: name} if scope in fields else {})
        )

    def _guess(self, pipeline: str) -> float | None:
        """How long a run of this pipeline takes: the median of the last ones that did well."""
        earlier = self._catalog.find(
            Run, where={"pipeline": pipeline, "state": "succeeded"}, order_by="-created_at", limit=_EARLIER,
            omit=["plan", "arguments", "options"],
        )  # fmt: skip
        took = [
            (run.finished_at - run.started_at).total_seconds()
            for run in earlier
            if run.started_at is not None and run.finished_at is not None
        ]
        return statistics.median(took) if took else None

    def join(self, entry: QueueEntry) -> None:
        """Wait in the queue; may be part of a transaction."""
        self._catalog.add(entry)

    def find(self, run_id: str) -> QueueEntry | None:
        """A run's entry; None when it is in no queue."""
        return next(iter(self._catalog.find(QueueEntry, where={"run_id": run_id})), None)

    def leave(self, run_id: str) -> None:
        """The run is over; may be part of a transaction."""
        with self._catalog.transaction():
            entry = self.find(run_id)
            if entry is not None:
                if entry.state == "admitted":
                    self._charge(entry, self._clock())
                self._catalog.delete(QueueEntry, {"run_id": run_id})

    def requeue(self, run_id: str, *, is_preempted: bool = False) -> None:
        """Give back what a run was granted, and have it wait again: it makes way, or its driver was lost."""
        with self._catalog.transaction():
            entry = self.find(run_id)
            if entry is not None and (entry.state == "admitted" or is_preempted):
                self._take_back(entry, self._clock(), is_preempted=is_preempted)

    def _take_back(self, entry: QueueEntry, until: datetime, *, is_preempted: bool = False) -> bool:
        changes: dict[str, Any] = {
            "state": "waiting",
            "granted": [],
            "admitted_at": None,
            "is_leaving": False,
        }
        changes |= {"position": 0, "reason": "", "starts_at": None}
        if (
            is_preempted
        ):  # it must not, by having waited long before, come before the run that it makes way for
            changes |= {"since_at": self._clock(), "preemptions": entry.preemptions + 1}
        expected = {"state": entry.state, "admitted_at": entry.admitted_at}
        if not self._catalog.compare_and_set(QueueEntry, entry.run_id, expected, **changes):
            return False
        if entry.state == "admitted":
            self._charge(entry, until)
        return True

    def _charge(self, entry: QueueEntry, until: datetime) -> None:
        """Note what it used: what it was granted, as long as it had it."""
        if entry.admitted_at is None:
            return
        amount, prices = Amount.read(entry.granted), self.quotas().prices
        for day, seconds in shares.by_day(entry.admitted_at, max(until, entry.admitted_at)):
            used = {
                "run_seconds": seconds,
                "task_seconds": amount.tasks * seconds,
                "cpu_seconds": amount.cpu * seconds,
                "memory_seconds": float(amount.memory * seconds),
                "gpu_seconds": amount.gpu * seconds,
                "cost": shares.billing(amount, seconds, prices) / 3600,
            }
            key = (day, entry.user_name, entry.group_name, entry.queue)
            record = QueueUsage(day=day, user_name=key[1], group_name=key[2], queue=key[3])
            self._catalog.count_up(record, "spans")  # from here on nobody else changes this row
            known = self._catalog.get(QueueUsage, *key)
            sums = {name: getattr(known, name) + value for name, value in used.items()}
            self._catalog.update(QueueUsage, key, **sums)

    # --- what people do -------------------------------------------------------------------------------------

    def hold(self, run_id: str, user: str) -> QueueEntry:
        """Let it wait until it is released."""
        return self._change(
            run_id, user, {"state": "waiting"}, state="held", reason="is held", starts_at=None
        )

    def release(self, run_id: str, user: str) -> QueueEntry:
        """Let a held one take its place again."""
        return self._change(run_id, user, {"state": "held"}, state="waiting", reason="")

    def move(self, run_id: str, user: str, priority: int) -> QueueEntry:
        """Give it another priority."""
        entry = self._own(run_id, user)
        self._demand_priority(self.quotas(), entry, priority)
        return self._change(run_id, user, {"state": ["waiting", "held"]}, priority=priority)

    def _own(self, run_id: str, user: str) -> QueueEntry:
        entry = self.find(run_id)
        if entry is None:
            raise NotFound(f"run {run_id} is in no queue", hint="see: jupyter mlops queue")
        if entry.user_name != user:
            self._demand_operator(user, f"change what {entry.user_name} has in the queue")
        return entry

    def _change(self, run_id: str, user: str, expected: Mapping[str, Any], **changes: Any) -> QueueEntry:
        entry = self._own(run_id, user)
        if not self._catalog.compare_and_set(QueueEntry, run_id, expected, **changes):
            state = "was admitted" if entry.state == "admitted" else f"is {entry.state}"
            raise Conflict(f"run {run_id} {state} already", hint="see: jupyter mlops queue")
        return replace(entry, **changes)

    # --- admission ------------------------------------------------------------------------------------------

    def take_turn(self, *, is_due: bool = False) -> bool:
        """One round of admission, unless somebody else is at it, or was a moment ago and nothing has changed
        since (`is_due`: it has). Whether there was one."""
        if not is_due:
            last = self._lease.current()
            if last is not None and self._clock() - last.renewed_at < GAP:
                return False
        if not self._at_it.acquire(blocking=False):
            return False
        try:
            if not self._lease.hold():
                return False
            try:
                self.write(*self.decide())
            finally:
                self._lease.release()
        except LeaseLost:
            return False
        finally:
            self._at_it.release()
        return True

    def decide(self) -> tuple[Snapshot, list[Decision]]:
        """The first half of a round: what there is, and what shall become of what waits."""
        snapshot = Snapshot.read(self._catalog, self.quotas(), self._clock(), self._is_driven)
        return snapshot, snapshot.decide()

    def write(self, snapshot: Snapshot, decisions: Sequence[Decision]) -> None:
        """The second half. Raises `LeaseLost` when it has taken so long that somebody else has had a turn."""
        entries = {entry.run_id: entry for entry in snapshot.entries}
        with self._catalog.transaction():
            self._lease.fence()
            for entry, until in snapshot.lost:
                self._take_back(entry, until)
            for decision in decisions:
                if decision.verb == "admit":
                    self._admit(decision, snapshot.moment)
                for victim in decision.victims:
                    expected = {"state": "admitted", "is_leaving": False}
                    told = f"makes way for run {decision.run_id}"
                    self._catalog.compare_and_set(QueueEntry, victim, expected, is_leaving=True, reason=told)
            waiting = [each for each in decisions if each.verb != "admit" and each.position]
            for decision in waiting[:_MOST_TOLD]:
                self._tell(entries[decision.run_id], decision)

    def _admit(self, decision: Decision, moment: datetime) -> None:
        changes = {"state": "admitted", "granted": list(decision.granted), "admitted_at": moment}
        self._catalog.compare_and_set(
            QueueEntry, decision.run_id, {"state": "waiting"}, **changes,
            reason="", position=0, starts_at=None, is_leaving=False,
        )  # fmt: skip

    def _tell(self, entry: QueueEntry, decision: Decision) -> None:
        starts_at = _moment(decision.starts_at)
        is_same = (entry.reason, entry.position) == (decision.reason, decision.position)
        if is_same and _is_near(starts_at, entry.starts_at):
            return
        self._catalog.compare_and_set(
            QueueEntry, entry.run_id, {"state": "waiting"},
            reason=decision.reason, position=decision.position, starts_at=starts_at,
        )  # fmt: skip

    # --- asking ---------------------------------------------------------------------------------------------

    def look(self) -> list[Place]:
        """Everything in the queue: what was admitted, then what waits, in its order, decided anew."""
        snapshot = Snapshot.read(self._catalog, self.quotas(), self._clock(), self._is_driven)
        lost = {entry.run_id for entry, _ in snapshot.lost}
        admitted = [
            entry for entry in snapshot.entries if entry.state == "admitted" and entry.run_id not in lost
        ]
        places = [
            Place(entry=entry, reason=entry.reason)
            for entry in sorted(admitted, key=lambda each: each.since_at)
        ]
        entries = {entry.run_id: entry for entry in snapshot.entries}
        for decision in snapshot.decide():
            entry = entries[decision.run_id]
            reason = "can start now" if decision.verb == "admit" else decision.reason
            place = Place(
                entry=replace(entry, state="waiting") if entry.run_id in lost else entry,
                reason=reason, position=decision.position, starts_at=_moment(decision.starts_at),
            )  # fmt: skip
            places.append(place)
        return places

    def in_use(self) -> tuple[list[QueueEntry], list[QueueUsage]]:
        """What is admitted now, and what was used on each day that still matters."""
        quotas, moment = self.quotas(), self._clock()
        snapshot = Snapshot.read(self._catalog, quotas, moment, self._is_driven)
        lost = {entry.run_id for entry, _ in snapshot.lost}
        going = [
            entry for entry in snapshot.entries if entry.state == "admitted" and entry.run_id not in lost
        ]
        return going, snapshot.usage


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a round decides on."""

    quotas: Quotas
    moment: datetime
    entries: list[QueueEntry]
    driven: set[str]
    lost: list[tuple[QueueEntry, datetime]]  # admitted, but nobody drives them; until when somebody did
    usage: list[QueueUsage]

    @classmethod
    def read(
        cls, catalog: Catalog, quotas: Quotas, moment: datetime, is_driven: Callable[[Run], bool]
    ) -> Snapshot:
        entries = catalog.find(QueueEntry, order_by="run_id")
        where: dict[str, Any] = {"state": list(_OPEN), "runner": ("!=", "")}
        named = catalog.find(Run, where=where, omit=["plan", "arguments", "options"]) if entries else []
        driven = {run.run_id for run in named if is_driven(run)}
        beats = {run.run_id: run.heartbeat_at for run in named}
        lost = [
            (entry, beats.get(entry.run_id) or moment)
            for entry in entries
            if entry.state == "admitted" and entry.run_id not in driven
        ]
        first = shares.first_day(moment, quotas.half_life_days)
        usage = catalog.find(QueueUsage, where={"day": (">=", first)}) if entries or quotas else []
        return cls(quotas, moment, entries, driven, lost, usage)

    def decide(self) -> list[Decision]:
        lost = {entry.run_id for entry, _ in self.lost}
        admission = Admission(
            self.quotas,
            [
                _going(entry)
                for entry in self.entries
                if entry.state == "admitted" and entry.run_id not in lost
            ],
            self.moment.timestamp(),
            shares=shares.shares(self.usage, self.moment, self.quotas.half_life_days),
            spent=shares.spent(self.usage, self.moment),
        )
        waiting = [
            _waiting(entry, is_absent=entry.run_id not in self.driven)
            for entry in self.entries
            if entry.state != "admitted" or entry.run_id in lost
        ]
        return admission.decide(waiting)


def _waiting(entry: QueueEntry, *, is_absent: bool = False) -> Waiting:
    return Waiting(
        run_id=entry.run_id, user=entry.user_name, queue=entry.queue, priority=entry.priority,
        least=Amount.read(entry.least), most=Amount.read(entry.most), since=entry.since_at.timestamp(),
        seconds=entry.seconds, is_held=entry.state == "held", is_absent=is_absent,
    )  # fmt: skip


def _going(entry: QueueEntry) -> Going:
    return Going(
        run_id=entry.run_id, user=entry.user_name, queue=entry.queue, priority=entry.priority,
        is_preemptible=entry.is_preemptible and entry.preemptions < MOST_PREEMPTIONS,
        granted=Amount.read(entry.granted), since=(entry.admitted_at or entry.since_at).timestamp(),
        seconds=entry.seconds, is_leaving=entry.is_leaving,
    )  # fmt: skip


def _is_near(one: datetime | None, other: datetime | None) -> bool:
    if one is None or other is None:
        return one is other
    return abs(one - other) < _MOVED


def _moment(at: float | None) -> datetime | None:
    return None if at is None else datetime.fromtimestamp(at, UTC)
