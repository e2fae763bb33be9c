"""Runs whose tasks run on workers elsewhere make way for others, too, and go on from what they had done."""

from __future__ import annotations

from pathlib import Path

import pytest

from jupyter_mlops.catalog.records import Attempt, TaskRun

from ..backends.processes import dask_processes
from .conftest import Line, eventually

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]


def test_one_on_workers_elsewhere_makes_way_and_goes_on_later(line: Line, tmp_path: Path) -> None:
    line.set(all={"runs": 1})
    place = tmp_path / "dask"
    place.mkdir()
    with dask_processes(place) as address:
        low = line.start("low", is_preemptible=True, cluster=address)
        low.begins()  # its second task is on the worker, and would go on for a minute
        high = line.start("high", long=False, priority=5, cluster=address)
        assert high.finish().state == "succeeded"
        eventually(lambda: low.reasons)
        entry = line.entry(low.run_id)
        assert entry is not None
        assert entry.preemptions == 1
        line.go("low")
        assert low.finish().state == "succeeded"
    tasks = line.workspace.catalog.find(TaskRun, where={"run_id": low.run_id}, order_by="position")
    assert [(task.task, task.state) for task in tasks] == [("first", "succeeded"), ("second", "succeeded")]
    assert all(task.worker.startswith("tcp://") for task in tasks)
    attempts = line.workspace.catalog.find(Attempt, where={"run_id": low.run_id, "task": "first"})
    assert len(attempts) == 1  # what it had done was not done again
    story = line.story()
    assert story.count("begin low-first") == 1
    assert story.count("begin low") == 2
    assert story.count("end low") == 1  # the first time it was interrupted, there on the worker
    first, again = (at for at, said in enumerate(story) if said == "begin low")
    assert first < story.index("begin high-first") < story.index("end high") < again
