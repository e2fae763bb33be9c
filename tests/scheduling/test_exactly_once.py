"""Three schedulers beside one catalog, killed and stopped at random: each fire is taken care of exactly once."""

from __future__ import annotations

import collections
import os
import random
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from jupyter_mlops.catalog import Catalog, RunEvent
from jupyter_mlops.catalog.records import Fire, Lease, Run, Schedule
from jupyter_mlops.pipelines import ScheduleSpec
from jupyter_mlops.scheduling import decide
from jupyter_mlops.scheduling.specs import spec_to_json

CHILD = Path(__file__).with_name("one_of_three.py")
BEGIN = datetime(2026, 3, 28, 12, tzinfo=UTC)  # the clocks of Berlin change within
END = BEGIN + timedelta(days=2)
SPECS = {
    "quarters": ScheduleSpec(cron="*/15 * * * *", timezone="Europe/Berlin", catch_up="all"),
    "early": ScheduleSpec(cron="0,20,40 1-4 * * *", timezone="Europe/Berlin", catch_up="all"),
    "tens": ScheduleSpec(cron="*/10 * * * *", timezone="America/New_York", catch_up="all", overlap="queue"),
    "odd": ScheduleSpec(
        cron="7 */2 * * *", timezone="Australia/Lord_Howe", catch_up="all", jitter_seconds=1200
    ),
    "lazy": ScheduleSpec(cron="*/5 * * * *", timezone="Asia/Kathmandu", catch_up="last"),
    "none": ScheduleSpec(cron="3-59/10 * * * *", catch_up="none"),
    "replace": ScheduleSpec(cron="*/20 * * * *", catch_up="last", overlap="cancel"),
}


def expected(spec: ScheduleSpec) -> list[datetime]:
    return list(spec.parsed().times(BEGIN - timedelta(seconds=1), END - timedelta(seconds=1)))


def add_schedules(catalog: Catalog, copies: int) -> dict[str, ScheduleSpec]:
    specs = {f"p{copy}.{name}": spec for copy in range(copies) for name, spec in SPECS.items()}
    for name, spec in specs.items():
        first = expected(spec)[0]
        made = Schedule(
            name=name, pipeline="small", pipeline_path="pipeline.yaml", cron=spec.cron, timezone=spec.timezone,
            spec=spec_to_json(spec), next_at=first, due_at=decide.jittered(name, spec, first),
            created_at=BEGIN, updated_at=BEGIN,
        )  # fmt: skip
        catalog.add(made)
    return specs


class Three:
    """The processes; whatever becomes of one, another is started in its place."""

    def __init__(self, folder: Path, url: str) -> None:
        self.command = [sys.executable, str(CHILD), str(folder), url]
        self.errors = (folder / "errors").open("ab")
        self.processes = [self.start() for _ in range(3)]
        self.kills = self.stops = 0

    def start(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(self.command, stderr=self.errors)

    def harm(self, chance: random.Random, leader: int) -> None:
        """Kill one of them, more often than not the leader, or stop it for longer than its lease."""
        pids = [process.pid for process in self.processes]
        number = pids.index(leader) if leader in pids and chance.random() < 0.6 else chance.randrange(3)
        process = self.processes[number]
        assert process.poll() is None, "one of them ended by itself"
        if chance.random() < 0.7:
            process.kill()
            process.wait()
            self.processes[number] = self.start()
            self.kills += 1
        else:
            os.kill(process.pid, signal.SIGSTOP)
            time.sleep(0.9)
            os.kill(process.pid, signal.SIGCONT)
            self.stops += 1

    def end(self) -> None:
        for process in self.processes:
            process.kill()
            process.wait()
        self.errors.close()


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_each_fire_is_taken_care_of_exactly_once(tmp_path: Path, catalog_url: str) -> None:
    chance = random.Random(6)
    (tmp_path / "mlops.toml").touch()
    clock, moment = tmp_path / "clock", BEGIN

    def set_clock(at: datetime) -> None:
        fresh = tmp_path / "clock.new"
        fresh.write_text(str(at.timestamp()))
        fresh.replace(clock)

    set_clock(moment)
    with Catalog.open(catalog_url) as catalog:
        specs = add_schedules(catalog, copies=4)
        three = Three(tmp_path, catalog_url)
        try:
            while not catalog.count(Lease):
                time.sleep(0.05)
            while moment < END + timedelta(hours=1):
                for _ in range(chance.randrange(2, 6)):
                    moment += timedelta(minutes=chance.choice([1, 3, 10, 30, 90]))
                    set_clock(moment)
                    time.sleep(0.15)
                three.harm(chance, int(catalog.get(Lease, "scheduler").holder.split(":")[-3]))
            deadline = time.monotonic() + 90
            while not is_quiet(catalog, moment) and time.monotonic() < deadline:
                # A run that was about to be driven when its process was killed is taken up later: time goes on.
                moment += timedelta(seconds=5)
                set_clock(moment)
                time.sleep(0.2)
            assert is_quiet(catalog, moment), catalog.count_by(Fire, ["schedule", "state"])
        finally:
            three.end()
        assert (tmp_path / "errors").read_text() == ""
        check(catalog, specs)
        lease = catalog.get(Lease, "scheduler")
        print(f"{three.kills} kills, {three.stops} stops, {lease.token} leaders, {catalog.count(Run)} runs")
        assert lease.token > 5  # leaders did change


def is_quiet(catalog: Catalog, moment: datetime) -> bool:
    is_open = catalog.count(Fire, where={"state": ["queued", "running"]})
    return not is_open and not catalog.count(Schedule, where={"due_at": ("<=", moment)})


def check(catalog: Catalog, specs: dict[str, ScheduleSpec]) -> None:
    executed = collections.Counter(
        event.run_id for event in catalog.find(RunEvent, where={"kind": "executed"})
    )
    runs = {run.run_id: run for run in catalog.find(Run, omit=["plan"])}
    assert set(executed.values()) == {1}, "a run was driven twice"
    assert set(executed) == set(runs), "a run that nobody drove"
    fires = catalog.find(Fire, order_by="fire_at")
    told = [fire.run_id for fire in fires if fire.run_id]
    assert len(set(told)) == len(told)
    assert set(told) == set(runs), "a run that no fire knows"
    assert len(runs) > 2000
    for name, spec in specs.items():
        mine = [fire for fire in fires if fire.schedule == name]
        covered: list[datetime] = []
        for fire in mine:
            if fire.state == "missed":
                assert fire.first_at is not None
                inside = list(spec.parsed().times(fire.first_at - timedelta(seconds=1), fire.fire_at))
                assert len(inside) == fire.count
                covered += inside
            else:
                covered.append(fire.fire_at)
        assert [at for at in covered if at < END] == expected(spec), name
        if spec.catch_up == "all":
            assert {fire.state for fire in mine} == {"succeeded"}, name
