"""The scheduler, tick by tick, at moments that the test chooses."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from jupyter_mlops.catalog import owner
from jupyter_mlops.catalog.records import Fire, Run, Schedule
from jupyter_mlops.errors import CatalogUnavailable
from jupyter_mlops.events import now
from jupyter_mlops.pipelines import ScheduleSpec
from jupyter_mlops.scheduling import Lease, Scheduler
from jupyter_mlops.scheduling.lease import leader
from jupyter_mlops.scheduling.service import MOST_DRIVES

HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)


def test_a_fire_becomes_a_run_that_is_driven(stage: Any) -> None:
    stage.schedule(
        parameters={"since": "${schedule.data_interval_start}", "week": "${schedule.fire_at.week}"}
    )
    assert stage.tick()
    (fire,) = stage.fires
    run = stage.catalog.get(Run, fire.run_id)
    assert (fire.state, run.state) == ("running", "queued")
    assert run.arguments["week"] == 19
    assert run.arguments["since"]["value"]["text"] == "2026-05-04T11:00:00"
    assert stage.driven == [("resume", run.run_id)]
    schedule = stage.catalog.get(Schedule, "small.hourly")
    assert schedule.next_at == schedule.due_at == fire.fire_at + HOUR
    stage.tick()
    assert len(stage.fires) == len(stage.driven) == 1
    stage.end_run(fire)
    stage.tick()
    assert stage.states == ["succeeded"]


def test_the_run_is_of_the_user_who_added_the_schedule(stage: Any) -> None:
    stage.catalog.update(Schedule, stage.schedule().name, user_name="ada")
    stage.tick()
    assert stage.catalog.get(Run, stage.fires[0].run_id).user_name == "ada"


def test_how_a_run_ended_is_how_its_fire_did(stage: Any) -> None:
    stage.schedule()
    stage.tick()
    stage.end_run(stage.fires[0], "failed", "1 task failed")
    stage.tick()
    assert (stage.fires[0].state, stage.fires[0].reason) == ("failed", "1 task failed")


def test_overlap_skip(stage: Any) -> None:
    stage.schedule(overlap="skip")
    stage.tick()
    stage.tick(HOUR)
    assert stage.states == ["running", "skipped"]
    assert stage.fires[1].reason == f"run {stage.fires[0].run_id} was not over"
    stage.end_run(stage.fires[0])
    stage.tick(HOUR)
    assert stage.states == ["succeeded", "skipped", "running"]


def test_overlap_queue(stage: Any) -> None:
    stage.schedule(overlap="queue")
    for _ in range(3):
        stage.tick()
        stage.moment += HOUR
    assert stage.states == ["running", "queued", "queued"]
    assert "waits for run" in stage.fires[1].reason
    stage.end_run(stage.fires[0])
    stage.tick(-HOUR)
    assert stage.states == ["succeeded", "running", "queued"]
    stage.end_run(stage.fires[1], "failed")
    stage.tick()
    assert stage.states == ["succeeded", "failed", "running"]


def test_overlap_cancel(stage: Any) -> None:
    stage.schedule(overlap="cancel")
    stage.tick()
    stage.tick(HOUR)
    stage.tick(HOUR)
    assert stage.states == ["running", "skipped", "queued"]
    assert stage.catalog.get(Run, stage.fires[0].run_id).is_cancel_requested
    assert "came before it could start" in stage.fires[1].reason
    assert ("cancel", stage.fires[0].run_id) in stage.driven  # nobody drove it, so somebody must end it
    stage.end_run(stage.fires[0], "cancelled")
    stage.tick()
    assert stage.states == ["cancelled", "skipped", "running"]


def test_with_catch_up_all_nothing_is_skipped(stage: Any) -> None:
    stage.schedule(catch_up="all")
    stage.tick(3 * HOUR)
    assert stage.states == ["running", "queued", "queued", "queued"]


def test_what_was_missed_is_told_with_the_reason(stage: Any) -> None:
    stage.schedule(catch_up="none")
    stage.tick(3 * HOUR + 30 * 60 * SECOND)
    (fire,) = stage.fires
    assert (fire.state, fire.count, fire.reason) == ("missed", 4, "no scheduler was running")
    assert fire.fire_at - fire.first_at == 3 * HOUR
    stage.tick(HOUR)  # half an hour late again, and so part of the same story
    (fire,) = stage.fires
    assert fire.count == 5


def test_a_paused_schedule_does_not_fire(stage: Any) -> None:
    schedule = stage.schedule()
    stage.workspace.schedules.pause(schedule.name)
    stage.tick(5 * HOUR)
    assert stage.fires == []


def test_a_pipeline_that_cannot_run_is_a_failed_fire_with_the_reason(
    stage: Any, pipeline_writer: Any
) -> None:
    stage.schedule()
    pipeline_writer(stage.workspace.root, "name: small\ntasks:\n  a: {notebook: gone.ipynb}\n")
    stage.tick()
    assert stage.states == ["failed"]
    assert "gone.ipynb" in stage.fires[0].reason
    (stage.workspace.root / "pipeline.yaml").unlink()
    stage.tick(HOUR)
    assert stage.states == ["failed", "failed"]
    assert "no pipeline file" in stage.fires[1].reason
    assert stage.catalog.count(Run) == 0
    pipeline_writer(stage.workspace.root)
    stage.tick(HOUR)
    assert stage.states == ["failed", "failed", "running"]


def test_a_fire_waits_until_the_catalog_answers_again(stage: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    stage.schedule()

    def down(*_: object, **__: object) -> None:
        raise CatalogUnavailable("the catalog does not answer")

    with monkeypatch.context() as patch:
        patch.setattr(stage.scheduler, "_prepare", down)
        stage.tick()
        assert stage.states == ["queued"]
    stage.tick()
    assert stage.states == ["running"]


def test_a_run_that_nobody_drives_is_driven_again_but_not_for_ever(stage: Any) -> None:
    stage.schedule(cron="0 12 4 5 *")
    stage.tick()
    run_id = stage.fires[0].run_id
    stage.tick(10 * SECOND)
    assert stage.driven == [("resume", run_id)]  # the process may still be starting
    for _ in range(MOST_DRIVES + 1):
        stage.tick(31 * SECOND)
    assert stage.driven == [("resume", run_id)] * MOST_DRIVES
    assert stage.states == ["failed"]
    assert stage.fires[0].reason == "3 processes that drove its run ended before it did"


def test_a_run_that_somebody_drives_is_left_alone(stage: Any) -> None:
    stage.schedule(cron="0 12 4 5 *")
    stage.tick()
    run_id = stage.fires[0].run_id
    with owner.driving(run_id):
        stage.catalog.update(Run, run_id, runner=owner.mark(), state="running")
        stage.tick(HOUR)
    assert stage.driven == [("resume", run_id)]
    assert stage.states == ["running"]


def test_a_run_that_was_deleted_is_told(stage: Any) -> None:
    stage.schedule()
    stage.tick()
    stage.catalog.delete(Run, {"run_id": stage.fires[0].run_id})
    stage.tick()
    assert (stage.states, stage.fires[0].reason) == (["failed"], "its run was deleted")


def test_a_schedule_that_is_removed_leaves_nothing_waiting(stage: Any) -> None:
    schedule = stage.schedule(overlap="queue")
    stage.tick()
    stage.tick(HOUR)
    stage.workspace.schedules.remove(schedule.name)
    stage.tick(HOUR)
    assert stage.fires == []
    assert stage.catalog.count(Run) == 1


def test_of_two_one_fires_and_the_other_takes_over(stage: Any) -> None:
    other = stage.another()
    stage.schedule()
    assert stage.tick()
    assert not other.tick()
    assert leader(stage.catalog, stage.moment) == owner.shown(owner.mark())
    stage.moment += 5 * SECOND
    assert not other.tick()
    stage.moment += 2 * SECOND  # the first one is as good as dead
    assert other.tick()
    assert not stage.tick()
    assert len(stage.driven) == 1
    other.release()
    assert leader(stage.catalog, stage.moment) == ""
    assert stage.tick()


def test_one_that_was_taken_for_dead_cannot_write(stage: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """It wakes between having prepared a run and keeping it; another has fired meanwhile."""
    other = stage.another()
    stage.schedule()
    prepare = stage.workspace.schedules.prepare

    def slow(schedule: Schedule, fire_at: Any) -> Run:
        prepared = prepare(schedule, fire_at)
        monkeypatch.setattr(stage.scheduler, "_prepare", prepare)
        stage.moment += 10 * SECOND
        assert other.tick()
        return prepared

    monkeypatch.setattr(stage.scheduler, "_prepare", slow)
    assert not stage.tick()
    assert stage.catalog.count(Run) == 1
    assert stage.states == ["running"]
    assert len(stage.driven) == 1


def test_jitter_delays_the_start(stage: Any) -> None:
    schedule = stage.schedule(jitter_seconds=600)
    assert schedule.due_at > schedule.next_at
    stage.tick()
    assert stage.fires == []
    stage.moment = schedule.due_at
    stage.tick()
    assert [fire.fire_at for fire in stage.fires] == [schedule.next_at]


def test_a_moment_that_was_backfilled_is_not_fired_again(stage: Any) -> None:
    schedule = stage.schedule()
    done = Fire(schedule=schedule.name, fire_at=schedule.next_at, state="succeeded", created_at=stage.moment)
    stage.catalog.add(done)
    stage.tick()
    assert stage.fires == [done]
    assert stage.driven == []


def test_a_schedule_that_cannot_be_read_any_more_does_not_stop_the_others(stage: Any) -> None:
    broken = stage.schedule()
    spec = {**broken.spec, "timezone": "Nowhere/Land"}
    other = stage.schedule(catch_up="none")
    stage.catalog.add(replace(broken, name="small.broken", spec=spec))
    stage.tick()
    assert {fire.schedule: fire.state for fire in stage.fires} == {
        "small.broken": "failed",
        other.name: "running",
    }
    assert "no time zone 'Nowhere/Land'" in next(
        fire.reason for fire in stage.fires if fire.state == "failed"
    )
    stage.tick(HOUR)
    assert len(stage.fires) == 3  # it is not tried again


def test_whatever_prevents_a_run_is_a_failed_fire(stage: Any) -> None:
    stage.schedule()
    path = stage.workspace.root / "pipeline.yaml"
    path.unlink()
    path.symlink_to(path)  # an OSError that nobody expects
    stage.tick()
    assert stage.states == ["failed"]
    assert "OSError" in stage.fires[0].reason


def test_only_so_many_runs_go_on_at_once(stage: Any) -> None:
    first = stage.schedule()
    stage.catalog.add(*[replace(first, name=f"small.s{number}") for number in range(4)])
    stage.scheduler._most_runs = 2
    stage.tick()
    assert sorted(stage.states) == ["queued"] * 3 + ["running"] * 2
    for fire in stage.fires:
        if fire.state == "running":
            stage.end_run(fire)
    stage.tick()
    assert sorted(stage.states) == ["queued", "running", "running", "succeeded", "succeeded"]


@pytest.mark.slow
def test_a_database_that_was_restarted_is_found_again(
    tmp_path: Any, postgresql: Any, pipeline_writer: Any
) -> None:
    from jupyter_mlops.workspace import Workspace

    pipeline_writer(tmp_path)
    with Workspace.open(tmp_path, catalog=postgresql.fresh()) as workspace:
        driven: list[str] = []
        scheduler = Scheduler(
            workspace.catalog, Lease(workspace.catalog, "scheduler"), prepare=workspace.schedules.prepare,
            keep=workspace.runs.queue, drive=lambda verb, run_id: driven.append(run_id),
        )  # fmt: skip
        (made,) = workspace.schedules.add(
            tmp_path / "pipeline.yaml", {"soon": ScheduleSpec(cron="* * * * *")}
        )
        stop, ticked = threading.Event(), threading.Event()
        service = threading.Thread(target=scheduler.serve, args=(stop,), kwargs={"heard": ticked.set})
        service.start()
        try:
            assert ticked.wait(30)
            postgresql.stop()
            ticked.clear()
            assert ticked.wait(30)
            postgresql.start()
            at = now().replace(second=0, microsecond=0)
            assert workspace.catalog.update(Schedule, made.name, next_at=at, due_at=at)
            deadline = time.monotonic() + 30
            while not driven and time.monotonic() < deadline:
                time.sleep(0.1)
            assert driven
        finally:
            stop.set()
            service.join(30)
        assert not service.is_alive()
