"""Real runs that wait for each other."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from jupyter_mlops.catalog.records import Attempt, QueueEntry, QueueUsage, Run
from jupyter_mlops.errors import Conflict, InvalidInput, NotFound
from jupyter_mlops.events import RunAdmitted
from jupyter_mlops.runner import RunOptions

from .conftest import Line, eventually

ONE = {"all": {"runs": 1}}


def test_without_quotas_there_is_no_queue(line: Line) -> None:
    done = line.start("a", long=False)
    assert done.finish().state == "succeeded"
    assert done.reasons == []
    assert line.workspace.catalog.count(QueueEntry) == 0
    assert line.workspace.catalog.count(QueueUsage) == 0
    assert line.workspace.queue.look() == []
    with pytest.raises(NotFound, match="no queue 'night'"):
        line.runs.record(line.root / "pipeline.yaml", options=RunOptions(queue="night"))


def test_runs_wait_for_each_other_by_priority_and_say_so(line: Line) -> None:
    line.set(**ONE)
    first = line.start("a")
    first.begins()
    low = line.start("low", long=False)
    high = line.start("high", long=False, priority=5)
    eventually(lambda: low.reasons and high.reasons)
    assert high.reasons[0] == "waits for 1 run: everybody together use 1 of 1 run"
    places = line.workspace.queue.look()
    assert [(place.entry.run_id, place.position) for place in places] == [
        (first.run_id, 0), (high.run_id, 1), (low.run_id, 2),
    ]  # fmt: skip
    waiting = line.run(low.run_id)
    assert (waiting.state, waiting.started_at) == ("queued", None)
    assert waiting.message.startswith("waits ")
    assert line.runs.is_driven(waiting)
    with pytest.raises(Conflict, match="is being driven"):
        line.runs.resume(low.run_id)
    line.go("a")
    runs = [each.finish() for each in (first, high, low)]
    assert [run.state for run in runs] == ["succeeded"] * 3
    assert [line.story().index(f"begin {name}-first") for name in ("high", "low")] == [4, 8]
    assert any(isinstance(event, RunAdmitted) for event in low.events)
    assert runs[2].message == ""
    assert line.workspace.catalog.count(QueueEntry) == 0
    usage = line.workspace.catalog.find(QueueUsage)
    assert {each.user_name for each in usage} == {runs[0].user_name}
    assert sum(each.spans for each in usage) >= 3
    took = sum(
        (run.finished_at - run.started_at).total_seconds()
        for run in runs
        if run.finished_at and run.started_at
    )
    assert sum(each.run_seconds for each in usage) == pytest.approx(took, abs=1)


def test_one_that_waits_can_be_cancelled(line: Line) -> None:
    line.set(**ONE)
    first = line.start("a")
    first.begins()
    second = line.start("b")
    eventually(lambda: second.reasons)
    line.runs.cancel(second.run_id)
    assert second.finish().state == "cancelled"
    assert line.states(second.run_id) == {"first": "cancelled", "second": "cancelled"}
    assert line.entry(second.run_id) is None
    assert "begin b-first" not in line.story()
    line.go("a")
    assert first.finish().state == "succeeded"


def test_one_that_is_held_lets_others_pass(line: Line) -> None:
    line.set(**ONE)
    first = line.start("a")
    first.begins()
    second, third = line.start("b", long=False), line.start("c", long=False)
    eventually(lambda: second.reasons and third.reasons)
    line.workspace.queue.hold(second.run_id, line.run(second.run_id).user_name)
    with pytest.raises(Conflict):
        line.workspace.queue.hold(first.run_id, line.run(first.run_id).user_name)
    line.go("a")
    assert third.finish().state == "succeeded"
    assert line.run(second.run_id).state == "queued"
    line.workspace.queue.release(second.run_id, line.run(second.run_id).user_name)
    assert second.finish().state == "succeeded"


def test_a_preemptible_run_makes_way_and_goes_on_from_what_it_had_done(line: Line) -> None:
    line.set(**ONE)
    low = line.start("low", is_preemptible=True)
    low.begins()
    high = line.start("high", priority=5)
    high.begins()
    assert high.reasons[0] == f"waits for 1 run: {low.run_id} makes way"
    eventually(lambda: low.reasons)
    entry = line.entry(low.run_id)
    assert entry is not None
    assert (entry.state, entry.preemptions) == ("waiting", 1)
    assert line.run(low.run_id).state == "queued"
    line.go("high")
    assert high.finish().state == "succeeded"
    line.go("low")
    assert low.finish().state == "succeeded"
    assert line.story().count("begin low-first") == 1
    assert line.story().count("begin low") == 2
    attempts = line.workspace.catalog.find(
        Attempt, where={"run_id": low.run_id}, order_by=("task", "attempt")
    )
    assert [(each.task, each.state) for each in attempts] == [
        ("first", "succeeded"), ("second", "lost"), ("second", "succeeded"),
    ]  # fmt: skip


def test_tasks_of_a_run_wait_for_room_in_what_it_was_granted(line: Line) -> None:
    line.set(users={"*": {"cpu": 2}})
    wide = line.start("", pipeline="wide.yaml", long=True)
    eventually(lambda: len(line.story()) == 2)
    for name in "abcd":
        line.go(name)
    assert wide.finish().state == "succeeded"
    going = most = 0
    for told in line.story():
        going += 1 if told.startswith("begin") else -1
        most = max(most, going)
    assert most == 2


def test_tasks_that_wait_for_room_can_be_cancelled(line: Line) -> None:
    line.set(users={"*": {"tasks": 1}})
    wide = line.start("", pipeline="wide.yaml", long=True)
    eventually(lambda: len(line.story()) == 1)
    line.runs.cancel(wide.run_id)
    assert wide.finish().state == "cancelled"
    assert set(line.states(wide.run_id).values()) == {"cancelled"}
    assert len(line.story()) == 1


def test_what_can_never_run_is_told_at_once_and_leaves_nothing(line: Line) -> None:
    line.set(all={"cpu": 0.5}, users={"*": {"max_priority": 3}})
    with pytest.raises(
        InvalidInput, match=r"line can never run: it needs 1 cpu, and everybody together may use 0\.5 cpus"
    ):
        line.runs.run(line.root / "pipeline.yaml")
    line.set(users={"*": {"max_priority": 3, "waiting": 1}})
    with pytest.raises(InvalidInput, match="priority 4 is more than"):
        line.runs.record(line.root / "pipeline.yaml", options=RunOptions(priority=4))
    line.runs.record(line.root / "pipeline.yaml")
    with pytest.raises(Conflict, match="has 1 runs waiting"):
        line.runs.record(line.root / "pipeline.yaml")
    assert line.workspace.catalog.count(Run) == 1


def test_a_kept_run_has_its_place_and_waits_for_a_driver(line: Line) -> None:
    line.set(**ONE)
    kept = line.runs.record(line.root / "pipeline.yaml", {"name": "kept"})
    (place,) = line.workspace.queue.look()
    assert (place.entry.run_id, place.reason) == (kept.run_id, "has no process that would drive it")
    line.workspace.queue.take_turn(is_due=True)
    assert line.start("other", long=False).finish().state == "succeeded"
    assert line.runs.resume(kept.run_id).state == "succeeded"
    assert line.workspace.catalog.count(QueueEntry) == 0
    again = line.runs.record(line.root / "pipeline.yaml", {"name": "again"})
    assert line.runs.cancel(again.run_id).state == "cancelled"
    assert line.workspace.catalog.count(QueueEntry) == 0


def test_quotas_that_come_and_go(line: Line) -> None:
    line.set(**ONE)
    first = line.start("a")
    first.begins()
    second = line.start("b")
    eventually(lambda: second.reasons)
    line.set()
    line.workspace.queue.take_turn(is_due=True)
    second.begins()
    line.set(all={"cpu": 0.5})
    third = line.runs.record  # what is new is refused; what goes on goes on
    with pytest.raises(InvalidInput):
        third(line.root / "pipeline.yaml")
    line.go("a"), line.go("b")
    assert first.finish().state == second.finish().state == "succeeded"


def test_who_may_change_what(line: Line) -> None:
    line.set(operators=["root"], **ONE)
    kept = line.runs.record(line.root / "pipeline.yaml")
    queue, mine = line.workspace.queue, kept.user_name
    with pytest.raises(Conflict, match="eve may not set quotas"):
        queue.set_quotas(queue.quotas(), "eve")
    with pytest.raises(Conflict, match=f"eve may not change what {mine} has"):
        queue.move(kept.run_id, "eve", 7)
    assert queue.move(kept.run_id, mine, 7).priority == 7
    with pytest.raises(NotFound):
        queue.hold("none", mine)
    with pytest.raises(InvalidInput, match="not between"):
        queue.move(kept.run_id, mine, 5000)


def test_fires_of_schedules_wait_as_runs_of_those_who_made_them(line: Line) -> None:
    line.set(groups={"night": {"members": ["ana"], "runs": 3}}, all={"runs": 9})
    run = line.runs.prepare(line.root / "pipeline.yaml", user_name="ana")
    assert line.workspace.catalog.count(Run) == 0
    line.runs.queue(run)
    entry = line.entry(run.run_id)
    assert entry is not None
    assert (entry.user_name, entry.group_name, run.user_name) == ("ana", "night", "ana")


@pytest.mark.skipif(not hasattr(signal, "SIGINT"), reason="no Ctrl-C")
def test_ctrl_c_ends_one_that_waits(line: Line) -> None:
    line.set(**ONE)
    first = line.start("a")
    first.begins()
    program = "from jupyter_mlops.cli import main; main()"
    command = [sys.executable, "-c", program, "run", "-p", "name", "b"]
    with subprocess.Popen(command, cwd=line.root, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for told in process.stdout:
            if "waits for 1 run" in told:
                break
        process.send_signal(signal.SIGINT)
        rest = process.stdout.read()
        assert process.wait(30) == 130
    assert "cancelled" in rest
    (run,) = line.workspace.catalog.find(Run, where={"state": "cancelled"})
    assert line.entry(run.run_id) is None
    line.go("a")
    assert first.finish().state == "succeeded"
