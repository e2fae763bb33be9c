"""The simulated week of the documentation, smaller: who waits, who gets what, and nobody beyond his quota."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "benchmarks"
sys.path.insert(0, str(FOLDER))

import queue_week  # noqa: E402 - the benchmarks are scripts beside each other, no package


@pytest.mark.slow
def test_a_simulated_week() -> None:
    week = queue_week.simulate(seed=1, days=1)
    found = queue_week.summary(week)
    waited = found["waiting_minutes"]
    assert waited["urgent"]["median"] < waited["normal"]["median"] < waited["preemptible"]["median"]
    assert found["utilization_while_machines_are_short"] > 0.97
    assert max(found["most_of_each_quota"].values()) <= 1 + 1e-9
    assert found["preemptions"] > 0
    for user, hours in week.asked.items():  # whoever asked got it, and what was lost by making way
        assert week.used[user] >= hours * 0.999
    least, most = found["median_wait_of_the_tenth_that_asked_least_and_most"]
    assert least < most
    assert statistics.fmean(week.used.values()) > 0
    small = [queue_week.summary(queue_week.simulate(seed=4, users=8, days=1, gpus=8)) for _ in range(2)]
    assert small[0] == small[1]


@pytest.mark.slow
def test_the_scripts_run(tmp_path: Path) -> None:
    words = ["--days", "1", "--users", "8", "--gpus", "8", "--plot", str(tmp_path / "week.svg")]
    done = subprocess.run(
        [sys.executable, FOLDER / "queue_week.py", *words], capture_output=True, text=True, check=True
    )
    assert json.loads(done.stdout)["runs"] > 10
    assert (tmp_path / "week.svg").read_text().startswith("<?xml")
    words = ["--quick", "--json", str(tmp_path / "found.json")]
    subprocess.run([sys.executable, FOLDER / "admission.py", *words], capture_output=True, check=True)
    rows = json.loads((tmp_path / "found.json").read_text())["tables"][0]["rows"]
    assert len(rows) == 5
    assert all(row["median"] > 0 for row in rows)
