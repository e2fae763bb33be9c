"""Under load, while versions change and processes are killed: no request fails.

``MLOPS_FAULT_SECONDS=600 pytest tests/targets/test_local_faults.py`` for ten minutes of it.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from jupyter_mlops.errors import DeploymentFailed

from .conftest import Machine

LOAD = Path(__file__).with_name("local_load.py")
SECONDS = float(os.environ.get("MLOPS_FAULT_SECONDS", "15"))
pytestmark = [pytest.mark.slow, pytest.mark.timeout(300 + 2 * SECONDS)]


class Load:
    """Eight clients that ask again and again, in a process of their own."""

    def __init__(self, url: str, *more: str) -> None:
        command = [sys.executable, str(LOAD), url, str(SECONDS), "8", *more]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

    @property
    def is_going_on(self) -> bool:
        return self.process.poll() is None

    def __enter__(self) -> Load:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.communicate()

    def result(self) -> Any:
        out, _ = self.process.communicate(timeout=60)
        assert self.process.returncode == 0
        return json.loads(out)


def test_versions_change_and_replicas_are_killed_and_no_request_fails(local_machine: Machine) -> None:
    at = local_machine
    status = at.apply("hard", 1, replicas=(2, 3))
    swaps = kills = refused = 0
    with Load(status.url) as load:
        chance = random.Random(20130520)
        while load.is_going_on:
            time.sleep(chance.uniform(0.2, 0.8))
            deed = chance.choice(["swap", "swap", "canary", "kill", "kill", "damaged"])
            if deed == "kill":
                kills += bool(at.kill("hard", f"replica-{chance.randint(1, 2)}"))
            elif deed == "damaged":
                with pytest.raises(DeploymentFailed):
                    at.apply("hard", 3, replicas=(2, 3))
                refused += 1
            else:
                at.apply("hard", *([1, 2] if deed == "canary" else [chance.randint(1, 2)]), replicas=(2, 3))
                swaps += 1
        result = load.result()
    print(result, {"swaps": swaps, "kills": kills, "refused": refused})
    assert result["failures"] == {}
    assert result["versions"].keys() == {"late/1", "late/2"}
    assert result["requests"] > 50 * SECONDS
    assert min(swaps, kills) >= 2
    at.target.remove("hard", {})


def test_front_and_supervisor_are_killed_and_who_asks_once_more_has_an_answer(local_machine: Machine) -> None:
    at = local_machine
    status = at.apply("harder", 1, replicas=(2, 2))
    killed = {"front": 0, "supervisor": 0, "replica-1": 0}
    with Load(status.url, "--retry") as load:
        chance = random.Random(20130521)
        while load.is_going_on:
            time.sleep(chance.uniform(1.0, 2.0))
            process = chance.choice(list(killed))
            killed[process] += bool(at.kill("harder", process))
        result = load.result()
    print(result, killed)
    assert result["failures"] == {}  # none was refused, and none was cut twice
    assert result["requests"] > 50 * SECONDS
    at.target.remove("harder", {})
