"""Real processes in a real queue, killed at random: what they had is given back, nothing runs beyond the quota, and
every run comes to its end."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from jupyter_mlops.catalog import owner
from jupyter_mlops.catalog.records import Attempt, QueueEntry, Run
from jupyter_mlops.queueing import Quotas
from jupyter_mlops.runner import RunOptions
from jupyter_mlops.settings import Settings
from jupyter_mlops.workspace import Workspace

from .conftest import CELLS, eventually, write_project

MOST = 2
RUNS = 6


class Drivers:
    """A process for each run, and the means to kill them."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.log = (root / "drivers.log").open("ab")
        self.going: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, run_id: str) -> None:
        process = subprocess.Popen(
            [sys.executable, "-m", "jupyter_mlops.driver"],
            stdin=subprocess.PIPE, stdout=self.log, stderr=self.log, cwd=self.root,
        )  # fmt: skip
        assert process.stdin is not None
        process.stdin.write(json.dumps({"root": str(self.root), "verb": "resume", "run_id": run_id}).encode())
        process.stdin.close()
        self.going[run_id] = process

    def kill(self, run_id: str) -> None:
        self.going[run_id].kill()
        self.going[run_id].wait()

    def end(self) -> None:
        for process in self.going.values():
            process.kill()
            process.wait()
        self.log.close()


def opened(root: Path, url: str) -> Workspace:
    write_project(root)
    cells = CELLS[1].replace("60 if long", "1.0 if long")
    text = (root / "wait.ipynb").read_text()
    (root / "wait.ipynb").write_text(text.replace(json.dumps(CELLS[1]), json.dumps(cells)))
    (root / "mlops.toml").write_text(f"catalog = {json.dumps(url)}\nkernel_pool = 0\nworkers = 1\n")
    workspace = Workspace(Settings.load(root, env={}))
    workspace.queue.set_quotas(Quotas.parse({"all": {"runs": MOST}}), "root")
    return workspace


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc").exists(), reason="processes are looked up in /proc")
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_drivers_that_are_killed_give_back_what_they_had(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    root = tmp_path / f"faults-{kind}"
    is_sqlite = kind == "sqlite"
    url = "sqlite:///.mlops/catalog.db" if is_sqlite else request.getfixturevalue("postgresql").fresh()
    chance, kills, most = random.Random(26), 0, 0
    with opened(root, url) as workspace:
        kept = [
            workspace.runs.record(root / "pipeline.yaml", {"name": f"n{n}", "long": True})
            for n in range(RUNS)
        ]
        drivers = Drivers(root)
        try:
            for run in kept:
                drivers.start(run.run_id)
            until = time.monotonic() + 120
            while time.monotonic() < until:
                runs = workspace.catalog.find(Run, where={"state": "running"}, omit=["plan"])
                most = max(most, sum(owner.is_driven(run) for run in runs))
                assert workspace.catalog.count(QueueEntry, where={"state": "admitted"}) <= MOST
                left = [entry.run_id for entry in workspace.catalog.find(QueueEntry)]
                if not left:
                    break
                for run_id in left:
                    if drivers.going[run_id].poll() is not None:
                        drivers.start(run_id)
                if kills < RUNS and runs and chance.random() < 0.1:
                    # More often than not one that has been admitted.
                    victim = chance.choice([run.run_id for run in runs] if chance.random() < 0.7 else left)
                    drivers.kill(victim)
                    kills += 1
                time.sleep(0.03)
        finally:
            drivers.end()
        assert {workspace.catalog.get(Run, run.run_id).state for run in kept} == {"succeeded"}, left
        assert most == MOST
        done = workspace.catalog.find(Attempt, where={"state": "succeeded"})
        assert len(done) == len({(each.run_id, each.task) for each in done}) == 2 * RUNS
        assert kills >= 3


@pytest.mark.skipif(not Path("/proc").exists(), reason="processes are looked up in /proc")
def test_a_killed_driver_frees_its_quota_for_one_that_waits(tmp_path: Path) -> None:
    root = tmp_path / "freed"
    with opened(root, "sqlite:///.mlops/catalog.db") as workspace:
        workspace.queue.set_quotas(Quotas.parse({"all": {"runs": 1}}), "root")
        arguments = {"name": "a", "long": True}
        first = workspace.runs.record(root / "pipeline.yaml", arguments, options=RunOptions(priority=9))
        drivers = Drivers(root)
        try:
            drivers.start(first.run_id)
            eventually(lambda: workspace.catalog.count(QueueEntry, where={"state": "admitted"}))
            os.kill(drivers.going[first.run_id].pid, 9)
            drivers.going[first.run_id].wait()
            done = workspace.runs.run(root / "pipeline.yaml", {"name": "b"})
            assert done.state == "succeeded"
            assert workspace.runs.resume(first.run_id).state == "succeeded"
        finally:
            drivers.end()
