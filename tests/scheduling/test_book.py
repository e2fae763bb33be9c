"""Schedules of a workspace: added, changed, paused, resumed, removed, and looked at."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from jupyter_mlops.catalog.records import Fire, Schedule
from jupyter_mlops.errors import (
    Conflict,
    InvalidInput,
    InvalidPipeline,
    MlopsError,
    NotFound,
    PreflightFailed,
)
from jupyter_mlops.events import now
from jupyter_mlops.pipelines import ScheduleSpec
from jupyter_mlops.queueing import Quotas
from jupyter_mlops.workspace import Workspace

MINUTELY = ScheduleSpec(cron="* * * * *")


def add(workspace: Workspace, name: str = "other", **changes: Any) -> Schedule:
    (made,) = workspace.schedules.add(
        workspace.root / "pipeline.yaml", {name: ScheduleSpec(**{"cron": "* * * * *", **changes})}
    )
    return made


def test_the_schedules_of_a_file_become_active(workspace: Workspace) -> None:
    (made,) = workspace.schedules.add(workspace.root / "pipeline.yaml")
    assert workspace.schedules.find() == [made]
    assert (made.name, made.pipeline_path, made.timezone) == (
        "small.nightly",
        "pipeline.yaml",
        "Europe/Berlin",
    )
    assert made.next_at is not None
    assert made.next_at > now()
    assert made.user_name


def test_adding_again_changes_it_and_keeps_its_pause_and_its_next_fire(workspace: Workspace) -> None:
    before = add(workspace)
    workspace.schedules.pause("other")
    later = add(workspace, overlap="queue", parameters={"week": 3})
    assert later.is_paused
    assert later.next_at == before.next_at
    assert later.spec["overlap"] == "queue"
    assert add(workspace, cron="0 0 1 1 *").next_at > before.next_at


def test_its_runs_wait_as_its_owner_would_have_them_wait(workspace: Workspace) -> None:
    add = workspace.schedules.add
    path = workspace.root / "pipeline.yaml"
    limits = {"all": {"runs": 1}, "users": {"ana": {"max_priority": 5}}, "queues": {"night": {"cpu": 4}}}
    workspace.queue.set_quotas(Quotas.parse(limits), "ana")
    spec = ScheduleSpec(cron="@daily", queue="night", priority=5, is_preemptible=True)
    (made,) = add(path, {"late": spec}, user_name="ana")
    run = workspace.runs.queue(workspace.schedules.prepare(made, now()))
    entry = workspace.queue.find(run.run_id)
    assert entry is not None
    told = (entry.user_name, entry.queue, entry.priority, entry.is_preemptible)
    assert told == (run.user_name, "night", 5, True) == ("ana", "night", 5, True)
    with pytest.raises(NotFound, match="no queue 'nigth'"):
        add(path, {"late": replace(spec, queue="nigth")}, user_name="ana")
    with pytest.raises(InvalidInput, match="priority 6 is more than user ana"):
        add(path, {"late": replace(spec, priority=6)}, user_name="ana")
    add(path, {"late": replace(spec, priority=6)}, user_name="ben")


def test_too_many_that_wait_now_say_nothing_of_the_time_of_a_fire(workspace: Workspace) -> None:
    workspace.queue.set_quotas(Quotas.parse({"all": {"waiting": 0}}), "ana")
    made = add(workspace)
    with pytest.raises(Conflict, match="runs waiting"):
        workspace.schedules.prepare(made, now())


def test_one_that_begins_paused(workspace: Workspace) -> None:
    assert add(workspace, is_paused=True).is_paused


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"cron": "* * *"}, InvalidPipeline, "five fields"),
        ({"parameters": {"weak": 3}}, InvalidPipeline, "no parameter 'weak'"),
        ({"end": "2020-01-01"}, InvalidInput, "would never fire"),
        ({"start": "x"}, InvalidPipeline, "no date"),
    ],
)
def test_what_cannot_fire_is_not_added(
    workspace: Workspace, changes: dict[str, Any], error: type[MlopsError], message: str
) -> None:
    with pytest.raises(error, match=message):
        add(workspace, **changes)
    assert workspace.schedules.find() == []


def test_a_pipeline_that_would_fail_is_told_now(workspace: Workspace) -> None:
    (workspace.root / "only.ipynb").unlink()
    with pytest.raises(PreflightFailed, match=r"only\.ipynb"):
        add(workspace)
    assert workspace.schedules.find() == []


def test_a_file_without_schedules_is_told(workspace: Workspace, pipeline_writer: Any) -> None:
    path = pipeline_writer(workspace.root, "name: small\ntasks:\n  only: {notebook: only.ipynb}\n")
    with pytest.raises(InvalidPipeline, match="has no schedules"):
        workspace.schedules.add(path)


def test_two_pipelines_of_one_name_do_not_take_each_others_schedules(
    workspace: Workspace, pipeline_writer: Any
) -> None:
    add(workspace)
    (workspace.root / "copy").mkdir()
    path = pipeline_writer(workspace.root / "copy")
    with pytest.raises(Conflict, match="is one of"):
        workspace.schedules.add(path, {"other": MINUTELY})


def test_names_may_be_short_while_they_are_clear(workspace: Workspace, pipeline_writer: Any) -> None:
    made = add(workspace)
    assert workspace.schedules.resolve("other") == workspace.schedules.resolve("small.other") == made
    with pytest.raises(NotFound) as caught:
        workspace.schedules.resolve("othre")
    assert "'other'" in caught.value.hint
    (workspace.root / "b").mkdir()
    pipeline_writer(workspace.root / "b", "name: big\ntasks:\n  only: {notebook: only.ipynb}\n")
    workspace.schedules.add(workspace.root / "b" / "pipeline.yaml", {"other": MINUTELY})
    with pytest.raises(InvalidInput, match="several") as many:
        workspace.schedules.resolve("other")
    assert "big.other, small.other" in many.value.hint


def test_pause_and_resume(workspace: Workspace) -> None:
    made = add(workspace)
    workspace.schedules.pause("other")
    with pytest.raises(Conflict, match="paused already"):
        workspace.schedules.pause("other")
    began = now() - timedelta(hours=2)
    began = began.replace(second=0, microsecond=0)
    workspace.catalog.update(Schedule, made.name, next_at=began, due_at=began)
    resumed = workspace.schedules.resume("other")
    assert not resumed.is_paused
    assert resumed.next_at is not None
    assert now() < resumed.next_at <= now() + timedelta(minutes=1)
    ((fire, run),) = workspace.schedules.history(resumed, 5)
    assert (fire.state, fire.reason, fire.first_at, run) == ("missed", "the schedule was paused", began, None)
    assert fire.count in (121, 122)
    with pytest.raises(Conflict, match="is not paused"):
        workspace.schedules.resume("other")


def test_removing_forgets_the_history_too(workspace: Workspace) -> None:
    made = add(workspace)
    workspace.catalog.add(Fire(schedule=made.name, fire_at=now(), state="skipped", created_at=now()))
    workspace.schedules.remove("other")
    assert workspace.schedules.find() == []
    assert workspace.catalog.count(Fire) == 0


def test_a_preview_has_the_arguments_of_each_fire(workspace: Workspace) -> None:
    (made,) = workspace.schedules.add(workspace.root / "pipeline.yaml")
    fires = workspace.schedules.preview(made, 6)
    assert [fire.fire_at for fire in fires] == sorted(fire.fire_at for fire in fires)
    assert fires[0].fire_at == made.next_at
    for before, fire in pairwise(fires):
        assert fire.arguments["since"] == before.fire_at
        assert fire.arguments["since"].tzinfo.key == "Europe/Berlin"


def test_a_range_is_backfilled_in_order(workspace: Workspace) -> None:
    spec = ScheduleSpec(cron="@daily", parameters={"since": "${schedule.data_interval_start}"})
    backfill = workspace.schedules.backfill(workspace.root / "pipeline.yaml", "days", spec)
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    steps = backfill.steps(begin, begin + timedelta(days=3))
    assert [step.fire_at.day for step in steps] == [1, 2, 3]
    assert steps[0].arguments["since"] == begin - timedelta(days=1)
    missed = Fire(
        schedule="small.days", fire_at=steps[2].fire_at, first_at=steps[0].fire_at, count=3, state="missed",
        reason="no scheduler was running", created_at=now(),
    )  # fmt: skip
    workspace.catalog.add(missed)
    run = backfill.run(steps[2])
    assert run.state == "succeeded"
    rest, done = workspace.catalog.find(Fire, order_by="fire_at")
    assert (rest.fire_at, rest.first_at, rest.count, rest.state) == (
        steps[1].fire_at,
        steps[0].fire_at,
        2,
        "missed",
    )
    assert (done.state, done.run_id, done.is_backfill) == ("succeeded", run.run_id, True)
    again = backfill.steps(begin, begin + timedelta(days=3))
    assert [step.done is not None for step in again] == [False, False, True]
    assert (workspace.root / "executed.txt").read_text() == "2026-01-02T00:00:00+00:00 1\n"


def test_a_backfill_says_what_it_cannot_do(workspace: Workspace) -> None:
    path, begin = workspace.root / "pipeline.yaml", datetime(2026, 1, 1, tzinfo=UTC)
    backfill = workspace.schedules.backfill(path, "all", MINUTELY)
    with pytest.raises(InvalidInput, match="ends before it begins"):
        backfill.steps(begin, begin)
    with pytest.raises(InvalidInput, match="more than 10,000"):
        backfill.steps(begin, begin + timedelta(days=30))
    assert backfill.steps(now() + timedelta(days=1), now() + timedelta(days=2)) == []
    with pytest.raises(InvalidPipeline, match="five fields"):
        workspace.schedules.backfill(path, "bad", ScheduleSpec(cron="x"))
    with pytest.raises(NotFound):
        workspace.schedules.backfill(Path("nowhere.yaml"), "bad", MINUTELY)


def test_cleaning_takes_the_history_of_what_is_gone(workspace: Workspace) -> None:
    made = add(workspace)
    month_ago = now() - timedelta(days=40)
    for state, at in (("missed", month_ago), ("queued", month_ago - timedelta(days=1)), ("skipped", now())):
        workspace.catalog.add(Fire(schedule=made.name, fire_at=at, state=state, created_at=at))
    workspace.runs.clean(is_dry_run=True)
    assert workspace.catalog.count(Fire) == 3
    workspace.runs.clean()
    assert [fire.state for fire, _ in workspace.schedules.history(made, 5)] == ["skipped", "queued"]
