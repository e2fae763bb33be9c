"""A run that a target's schedule starts is given what our own scheduler gives it at that fire."""

from __future__ import annotations

import ast
import os
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import yaml

from jupyter_mlops import encoding
from jupyter_mlops.entry.fire import at_fire
from jupyter_mlops.errors import InvalidInput
from jupyter_mlops.exporters import TARGETS
from jupyter_mlops.exporters.making import make
from jupyter_mlops.pipelines import load_pipeline, lower
from jupyter_mlops.pipelines.scheduled import arguments_at

from .graphs import WEEKLY

GOLDEN = Path(__file__).parent / "golden" / "fired"
FIRED = """\
name: fired
parameters:
  since: {type: datetime, default: 2026-01-01}
  day: {type: date, default: 2026-01-01}
  week: {type: int, default: 20}
  label: by hand
  days: {type: list, default: []}
  more: {type: dict, default: {}}
  still: {type: float, default: 0.5}
schedules:
  s:
    cron: CRON
    timezone: ZONE
    parameters:
      since: ${schedule.data_interval_start}
      day: ${schedule.data_interval_end}
      week: ${schedule.fire_at.week}
      label: "${schedule.name} $${x} ${schedule.data_interval_start} – ${schedule.fire_at.hour}"
      days: [2026-01-01, "${schedule.data_interval_start.date}", "${schedule.fire_at.date}"]
      more: {b: 1, a: ["${schedule.fire_at.timestamp}"], "ä": "${schedule.data_interval_start.iso}"}
      still: 2.5
tasks:
  show:
    notebook: show.ipynb
    parameters: {since: "${params.since}", week: "${params.week}"}
"""
ZONES = [
    "UTC",
    "Europe/Zurich",
    "America/Santiago",
    "Australia/Lord_Howe",
]  # changes by night, at midnight, by half an hour
CRONS = ["30 2 * * *", "15 0 * * SUN", "*/30 0-3 * * *", "0 */6 * * *"]


@pytest.fixture
def written(tmp_path: Path) -> Callable[..., Path]:
    """The pipeline's file, with that cron in that zone."""

    def write(cron: str = "0 6 * * 1", zone: str = "Europe/Zurich") -> Path:
        path = tmp_path / "pipeline.yaml"
        path.write_text(FIRED.replace("CRON", f"'{cron}'").replace("ZONE", zone))
        return path

    return write


def exported(path: Path, target: str) -> dict[str, str]:
    return dict(make(load_pipeline(path), TARGETS.get(target), {}, image="r/i:1", project="/project").files)


def scheduled(files: dict[str, str], target: str) -> dict[str, Any]:
    """The parameters that a run of the target's schedule has, as its files say."""
    if target == "airflow":
        params = next(
            each.value
            for each in ast.walk(ast.parse(files["dags/fired.py"]))
            if isinstance(each, ast.keyword) and each.arg == "params"
        )
        assert isinstance(params, ast.Dict)
        names = [ast.literal_eval(key) for key in params.keys if key is not None]
        return dict(zip(names, (ast.literal_eval(call.args[0]) for call in params.values), strict=True))  # type: ignore[attr-defined]
    if target == "argo":
        template, cron = yaml.safe_load_all(files["fired.yaml"])
        both = (template["spec"], cron["spec"]["workflowSpec"])
        return {each["name"]: each["value"] for spec in both for each in spec["arguments"]["parameters"]}
    (deployment,) = yaml.safe_load(files["prefect.yaml"])["deployments"]
    return {**deployment["parameters"], **deployment["schedules"][0]["parameters"]}


TOLD: dict[str, Callable[[datetime], str]] = {  # the moment of a fire as each of them writes it
    "airflow": lambda at: str(at),
    "argo": lambda at: at.isoformat().replace("+00:00", "Z"),
    "prefect": lambda at: at.isoformat(),
}


def changes(zone: str) -> list[datetime]:
    """The days of 2026 on which its clocks change; some day where they never do."""
    clock = ZoneInfo(zone)
    days = [datetime(2026, 1, 1, tzinfo=clock) + timedelta(days=number) for number in range(365)]
    return [day for day in days if day.utcoffset() != (day + timedelta(days=1)).utcoffset()] or days[100:101]


@pytest.mark.parametrize("cron", CRONS)
@pytest.mark.parametrize("zone", ZONES)
def test_a_run_is_given_what_ours_is_given(zone, cron, written):
    path = written(cron, zone)
    pipeline = load_pipeline(path)
    spec = pipeline.schedules["s"]
    given = {target: scheduled(exported(path, target), target) for target in TOLD}
    margin = timedelta(days=8 if "SUN" in cron else 1)
    for day in changes(zone):
        fires = list(spec.parsed().times(day - margin, day + margin))
        assert len(fires) >= 2
        for at in fires:
            ours = encoding.to_json(arguments_at(pipeline, "s", spec, spec.parsed(), at))
            for target, told in TOLD.items():
                filled = at_fire(pipeline, given[target], told(at))
                plan = lower(pipeline, filled, from_text=target == "argo")
                assert encoding.to_json(dict(plan.arguments)) == ours, (target, at)


def test_without_a_fire_the_defaults_hold(written):
    pipeline = load_pipeline(written())
    given = scheduled(exported(written(), "airflow"), "airflow")
    assert at_fire(pipeline, given, "") == {"still": 2.5}
    by_hand = {**given, "week": "7", "day": "2026-05-01", "label": "mine"}  # as forms give it
    filled = at_fire(pipeline, by_hand, "2026-05-18T06:00")  # by the schedule's clock
    assert (filled["week"], filled["day"], filled["label"]) == (7, date(2026, 5, 1), "mine")
    assert filled["since"] == datetime(2026, 5, 11, 6, tzinfo=ZoneInfo("Europe/Zurich"))


def test_a_run_by_hand_has_the_defaults_of_the_export(written):
    """Where a schedule has parameters of its own, they are not those of other runs."""
    files = exported(written(), "argo")
    template, _ = yaml.safe_load_all(files["fired.yaml"])
    given = {each["name"]: each["value"] for each in template["spec"]["arguments"]["parameters"]}
    assert given["week"] == "20"
    assert at_fire(load_pipeline(written()), given, "{{workflow.scheduledTime}}")["week"] == 20


@pytest.mark.parametrize(
    ("given", "fired_at", "message"),
    [
        ({"week": "${schedule.fire_at.year}"}, "2026-05-18T04:00Z", "week: no schedule of the pipeline 'fired' says"),
        ({"still": "${schedule.fire_at}"}, "2026-05-18T04:00Z", "still: no schedule of the pipeline"),
        ({"week": "${schedule.fire_at.week}"}, "monday", "'monday' is no date and no moment"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_told(given, fired_at, message, written):
    with pytest.raises(InvalidInput, match=message):
        at_fire(load_pipeline(written()), given, fired_at)


def test_which_schedule_it_was_must_be_plain(written):
    path = written()
    more = "  t: {cron: '@daily', parameters: {week: '${schedule.fire_at.week}'}}\ntasks:"
    path.write_text(path.read_text().replace("tasks:", more))
    pipeline, at = load_pipeline(path), "2026-05-18T04:00Z"
    with pytest.raises(InvalidInput, match="week: several schedules of the pipeline 'fired' say so: s, t"):
        at_fire(pipeline, {"week": "${schedule.fire_at.week}"}, at)
    only = {"week": "${schedule.fire_at.week}", "day": "${schedule.data_interval_end}"}
    assert at_fire(pipeline, only, at)["week"] == 21


def test_text_that_looks_like_a_template_is_text_where_nothing_fired(written):
    pipeline = replace(load_pipeline(written()), schedules={})
    assert at_fire(pipeline, {"label": "${schedule.name}"}, "") == {"label": "${schedule.name}"}


@pytest.mark.parametrize("target", sorted(TOLD))
def test_golden(target, written):
    """Write them again with GOLDEN=1."""
    for name, text in exported(written(), target).items():
        golden = GOLDEN / target / f"{name}.txt"
        if os.environ.get("GOLDEN"):
            golden.parent.mkdir(parents=True, exist_ok=True)
            golden.write_text(text)
        assert text == golden.read_text()


def test_a_task_is_given_its_fire(scores, say):
    scores.write_text(scores.read_text() + WEEKLY)
    words = ["task", scores, "pull", "--json", "-p", "week", "${schedule.data_interval_start.week}"]
    said = say(*words, "--run-id", "one", "--fired-at", "2026-05-18T04:00:00Z")
    assert said.code == 0, said
    said = say("show", "one", "--json", "--workspace", scores.parent)
    assert said.json["run"]["arguments"]["week"] == 20
    stale = say(
        *words[:-1], "${schedule.fire_at.week}", "--run-id", "two", "--fired-at", "2026-05-18T04:00:00Z"
    )
    assert (stale.code, "export it again" in stale.out + stale.err) == (2, True)
