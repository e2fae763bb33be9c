"""The queue in the catalog. Nobody needs to serve it: whoever wants to run takes part in admission.

A round of admission reads who waits and who was admitted, decides (`admission`), and writes what follows in one
transaction, which begins with the fence of a lease: of all that try at once one writes. Between its reading and its
writing nobody else can admit, and those who leave only make room; so a round never admits too much. Whoever
was killed is noticed by the next round, which gives back what it had: its run keeps its place.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from ..catalog import Catalog, owner
from ..catalog.lease import Lease, LeaseLost
from ..catalog.records import QueueEntry, QueueUsage, Quota, Run
from ..errors import Conflict, NotFound
from ..events import now
from . import joining
from .admission import Decision
from .amounts import Amount
from .charging import charge
from .quotas import DEFAULT_QUEUE, Quotas
from .snapshot import Place, Snapshot, moment_of

LEASE = "admission"
LEASE_SECONDS = 4.0
GAP = timedelta(seconds=1)  # between two rounds that nothing has made necessary
_MOST_TOLD = 100  # of those that wait so many are told their place in the catalog
_MOVED = timedelta(seconds=30)  # a forecast that changes by less is the same


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
        """The place of a run that may wait, not kept yet. Raises what keeps it from ever running: see `joining`."""
        return joining.new_entry(
            self._catalog, self.quotas() if quotas is None else quotas, run, ask, self._clock(),
            queue=queue, priority=priority, is_preemptible=is_preemptible,
        )  # fmt: skip

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
                    charge(self._catalog, entry, self._clock(), self.quotas().prices)
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
            charge(self._catalog, entry, until, self.quotas().prices)
        return True

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
        joining.demand_priority(self.quotas(), entry, priority)
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
        snapshot = self._snapshot()
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
        starts_at = moment_of(decision.starts_at)
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
        return self._snapshot().places()

    def in_use(self) -> tuple[list[QueueEntry], list[QueueUsage]]:
        """What is admitted now, and what was used on each day that still matters."""
        snapshot = self._snapshot()
        return snapshot.admitted(), snapshot.usage

    def _snapshot(self) -> Snapshot:
        return Snapshot.read(self._catalog, self.quotas(), self._clock(), self._is_driven)


def _is_near(one: datetime | None, other: datetime | None) -> bool:
    if one is None or other is None:
        return one is other
    return abs(one - other) < _MOVED
