"""The queue in a real catalog, whatever people, processes and clocks do: never over quota, no run lost or starved."""

from __future__ import annotations

import contextlib
import random
import shutil
import tempfile
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from jupyter_mlops.catalog import Catalog
from jupyter_mlops.catalog.lease import LeaseLost
from jupyter_mlops.catalog.records import QueueEntry, QueueUsage, Run
from jupyter_mlops.errors import MlopsError
from jupyter_mlops.queueing import Queue, Quotas
from jupyter_mlops.queueing.amounts import Amount, plus

BEGIN = datetime(2026, 11, 26, 12, tzinfo=UTC)
USERS = ["ana", "ben", "cem"]
QUOTAS: dict[str, Any] = {
    "all": {"cpu": 6, "gpu": 2, "runs": 4},
    "users": {"*": {"runs": 2}, "cem": {"cpu": 3, "weight": 2}},
    "groups": {"research": {"members": ["ana", "ben"], "gpu": 1, "tasks": 5}},
    "queues": {"night": {"cpu": 3}},
    "patience_minutes": 30,
}


class Line(RuleBasedStateMachine):
    """Three processes beside one catalog. `alive` are the runs that somebody drives."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="queue-model-"))
        self.catalog = Catalog.open(f"sqlite:///{self.folder}/catalog.db")
        self.moment = BEGIN
        self.alive: set[str] = set()
        self.open: dict[str, str] = {}  # run → user
        self.number = 0
        self.stalled: list[tuple[Queue, Any]] = []
        self.queues = [self.queue() for _ in range(3)]

    def queue(self) -> Queue:
        return Queue(self.catalog, clock=lambda: self.moment, is_driven=lambda run: run.run_id in self.alive)

    def teardown(self) -> None:
        try:
            if self.number:
                self.run_dry()
        finally:
            self.catalog.close()
            shutil.rmtree(self.folder)

    @initialize()
    def quotas(self) -> None:
        self.limits = Quotas.parse(QUOTAS)
        self.queues[0].set_quotas(self.limits, "root")

    # --- what people do -----------------------------------------------------------------------------------

    @rule(
        user=st.sampled_from(USERS), queue=st.sampled_from(["default", "night"]), priority=st.integers(-2, 2),
        cpu=st.sampled_from([0.5, 1, 2, 3]), gpu=st.integers(0, 1), tasks=st.integers(1, 5),
        is_preemptible=st.booleans(),
    )  # fmt: skip
    def submit(
        self, user: str, queue: str, priority: int, cpu: float, gpu: int, tasks: int, *, is_preemptible: bool
    ) -> None:
        self.number += 1
        run = Run(
            run_id=f"r{self.number}", pipeline="p", plan={}, user_name=user, created_at=self.moment,
            runner="some:1:2", heartbeat_at=self.moment,
        )  # fmt: skip
        ask = Amount(1, 1, min(cpu, 1), 0, gpu), Amount(1, tasks, cpu, 0, gpu)
        entry = self.queues[0].entry(run, ask, queue=queue, priority=priority, is_preemptible=is_preemptible)
        with self.catalog.transaction():
            self.catalog.add(run)
            self.queues[0].join(replace(entry, seconds=None if self.number % 3 else 600.0))
        self.open[run.run_id] = user
        self.alive.add(run.run_id)

    def one(self, state: str, number: int) -> QueueEntry | None:
        found = self.catalog.find(QueueEntry, where={"state": state}, order_by="run_id")
        return found[number % len(found)] if found else None

    @rule(number=st.integers(0, 99))
    def hold(self, number: int) -> None:
        entry = self.one("waiting", number)
        if entry is not None:
            self.queues[1].hold(entry.run_id, entry.user_name)

    @rule(number=st.integers(0, 99))
    def release(self, number: int) -> None:
        entry = self.one("held", number)
        if entry is not None:
            self.queues[1].release(entry.run_id, entry.user_name)

    @rule(number=st.integers(0, 99), priority=st.integers(-3, 3))
    def move(self, number: int, priority: int) -> None:
        entry = self.one("waiting", number)
        if entry is not None:
            self.queues[1].move(entry.run_id, entry.user_name, priority)

    @rule(number=st.integers(0, 99))
    def cancel(self, number: int) -> None:
        entry = self.one("waiting", number)
        if entry is not None:
            self.end(entry.run_id)

    # --- what processes do --------------------------------------------------------------------------------

    @rule(process=st.integers(0, 2))
    def turn(self, process: int) -> None:
        self.queues[process].take_turn(is_due=True)

    @rule(process=st.integers(0, 2))
    def stall(self, process: int) -> None:
        """A process is stopped in the middle of its turn."""
        queue = self.queues[process]
        if queue._lease.hold():
            self.stalled.append((queue, queue.decide()))
            self.queues[process] = self.queue()

    @rule(process=st.integers(0, 2), number=st.integers(0, 99))
    def overtake(self, process: int, number: int) -> None:
        """One that is stopped longer than its lease goes on after another one has had its turn."""
        self.stall(process)
        self.moment += timedelta(seconds=5)
        self.finish(number)
        self.turn(process)
        if self.stalled:
            self.wake(-1)

    @precondition(lambda self: self.stalled)
    @rule(number=st.integers(0, 9))
    def wake(self, number: int) -> None:
        queue, found = self.stalled.pop(number % len(self.stalled))
        with contextlib.suppress(LeaseLost):
            queue.write(*found)
        queue._lease.release()

    @rule(number=st.integers(0, 99))
    def finish(self, number: int) -> None:
        entry = self.one("admitted", number)
        if entry is not None and entry.run_id in self.alive:
            self.end(entry.run_id)

    def end(self, run_id: str) -> None:
        with self.catalog.transaction():
            self.catalog.update(Run, run_id, state="succeeded", finished_at=self.moment)
            self.queues[2].leave(run_id)
        del self.open[run_id]
        self.alive.discard(run_id)

    @rule(number=st.integers(0, 99), state=st.sampled_from(["waiting", "admitted"]))
    def kill(self, number: int, state: str) -> None:
        entry = self.one(state, number)
        if entry is not None:
            self.alive.discard(entry.run_id)

    @rule(number=st.integers(0, 99))
    def resume(self, number: int) -> None:
        dead = sorted(set(self.open) - self.alive)
        if dead:
            self.queues[0].requeue(dead[number % len(dead)])
            self.alive.add(dead[number % len(dead)])

    @rule()
    def make_way(self) -> None:
        for entry in self.catalog.find(QueueEntry, where={"is_leaving": True}):
            if entry.run_id in self.alive:
                self.queues[0].requeue(entry.run_id, is_preempted=True)

    @rule(seconds=st.sampled_from([1, 5, 400, 90_000]))
    def wait(self, seconds: int) -> None:
        self.moment += timedelta(seconds=seconds)

    # --- what must hold -----------------------------------------------------------------------------------

    @invariant()
    def never_over_quota(self) -> None:
        used: dict[tuple[str, str], Amount] = {}
        for entry in self.catalog.find(QueueEntry, where={"state": "admitted"}):
            for scope, name, limits in self.limits.scopes(entry.user_name, entry.queue):
                used[scope, name] = plus(used.get((scope, name), Amount()), Amount.read(entry.granted))
                for number, limit in limits.at_once():
                    assert used[scope, name][number] <= limit + 1e-6, (scope, name, used[scope, name])

    @invariant()
    def no_run_is_lost(self) -> None:
        assert {entry.run_id for entry in self.catalog.find(QueueEntry)} == set(self.open)

    def run_dry(self) -> None:
        """From wherever it stands all come to their end, if somebody drives them."""
        for queue, found in self.stalled:
            with contextlib.suppress(LeaseLost):
                queue.write(*found)
        chance = random.Random(0)
        for run_id in sorted(set(self.open) - self.alive):
            self.queues[0].requeue(run_id)
            self.alive.add(run_id)
        for entry in self.catalog.find(QueueEntry, where={"state": "held"}):
            self.queues[0].release(entry.run_id, entry.user_name)
        for _ in range(4 * len(self.open) + 4):
            self.moment += timedelta(seconds=60)
            self.turn(0)
            self.make_way()
            self.turn(1)
            self.never_over_quota()
            admitted = self.catalog.find(QueueEntry, where={"state": "admitted"})
            assert admitted or not self.open, self.queues[0].look()
            if admitted:
                self.end(chance.choice(admitted).run_id)
        assert not self.open
        for usage in self.catalog.find(QueueUsage):
            assert usage.run_seconds >= 0


TestLine = Line.TestCase
# Without shrinking, which would take minutes: each example is a database.
PHASES = (Phase.explicit, Phase.reuse, Phase.generate)
TestLine.settings = settings(
    max_examples=settings.default.max_examples // 4, stateful_step_count=40, deadline=None, phases=PHASES
)


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_who_was_taken_for_dead_writes_nothing(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    is_sqlite = kind == "sqlite"
    url = f"sqlite:///{tmp_path}/fenced.db" if is_sqlite else request.getfixturevalue("postgresql").fresh()
    moment = BEGIN
    with Catalog.open(url) as catalog:
        one, other = (Queue(catalog, clock=lambda: moment, is_driven=lambda run: True) for _ in range(2))
        one.set_quotas(Quotas.parse({"all": {"runs": 1}}), "root")
        for name in ("a", "b"):
            run = Run(
                run_id=name, pipeline="p", plan={}, created_at=BEGIN, runner="some:1:2", user_name="ana"
            )
            entry = one.entry(run, (Amount(1, 1, 1, 0, 0), Amount(1, 1, 1, 0, 0)))
            catalog.add(run)
            one.join(entry)
        assert one._lease.hold()
        found = one.decide()
        assert not other.take_turn(is_due=True)
        moment += timedelta(seconds=10)
        assert other.take_turn(is_due=True)
        with catalog.transaction():
            other.leave("a")
        with pytest.raises(LeaseLost):
            one.write(*found)
        assert other.take_turn(is_due=True)
        assert [entry.state for entry in catalog.find(QueueEntry)] == ["admitted"]
        assert not other.take_turn()  # somebody was at it a moment ago
        moment += timedelta(hours=30)
        with catalog.transaction():
            other.leave("b")
        days = {each.day: each.run_seconds for each in catalog.find(QueueUsage)}
        assert sum(days.values()) == pytest.approx(30 * 3600 + 0, abs=11)
        assert len(days) == 2


def test_quotas_survive_the_catalog_and_say_what_is_wrong(tmp_path: Path) -> None:
    with Catalog.open(f"sqlite:///{tmp_path}/quotas.db") as catalog:
        queue = Queue(catalog)
        quotas = Quotas.parse(QUOTAS | {"operators": ["root"], "prices": {"gpu": 2}, "task": {"cpu": 2}})
        queue.set_quotas(quotas, "root")
        assert queue.quotas() == quotas
        queue.set_quotas(Quotas(), "root")
        assert not queue.quotas()
    for wrong, told in [
        ({"user": {}}, "unknown table 'user'"),
        ({"users": {"ana": {"gpus": 1}}}, "unknown limit users.ana.gpus"),
        ({"users": {"ana": {"gpu": -1}}}, "must be a whole number"),
        ({"users": {"ana": {"cpu": float("nan")}}}, "must be a number"),
        ({"users": {"ana": {"weight": 0}}}, "must be above 0"),
        ({"users": []}, "must be tables"),
        ({"all": 3}, "must be a table"),
        ({"all": {"members": ["a"]}}, "unknown limit all.members"),
        ({"groups": {"a": {"members": ["x"]}, "b": {"members": ["x"]}}}, "x is in the groups a and b"),
        ({"operators": "root"}, "is not a list of names"),
        ({"prices": {"tpu": 1}}, "unknown price 'tpu'"),
        ({"aging_minutes": 0}, "must be above 0"),
    ]:
        with pytest.raises(MlopsError, match=told.replace("[", r"\[")):
            Quotas.parse(wrong)
