"""`schedules:` in a pipeline's file, and the templates of their parameters."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from jupyter_mlops.errors import InvalidInput
from jupyter_mlops.pipelines import Pipeline, ScheduleSpec, parse_pipeline, read_pipeline, to_yaml
from jupyter_mlops.pipelines.scheduled import arguments_at
from jupyter_mlops.pipelines.schedules import fill, fire_values

HEAD = """\
name: p
parameters:
  since: {type: datetime, default: 2026-01-01}
  day: {type: date, default: 2026-01-01}
  week: 1
  text: x
  any: {type: any, default: null}
tasks:
  a:
    notebook: a.ipynb
    parameters: {a: ["${params.since}", "${params.day}"], b: "${params.week}${params.text}${params.any}"}
schedules:
"""
BERLIN = ZoneInfo("Europe/Berlin")


def read(lines: str) -> Pipeline:
    return parse_pipeline(HEAD + lines)


def test_a_schedule_is_read_with_everything_that_it_may_have() -> None:
    pipeline = read(
        "  nightly: {cron: 30 2 * * *, timezone: Europe/Berlin, parameters: {week: 3}, catch_up: all, overlap: queue,\n"
        "    jitter: 5m, start: 2026-01-01, end: 2027-01-01T06:00, paused: true, queue: night, priority: -5,\n"
        "    preemptible: true}\n"
    )
    assert pipeline.schedules["nightly"] == ScheduleSpec(
        cron="30 2 * * *", timezone="Europe/Berlin", parameters={"week": 3}, catch_up="all", overlap="queue",
        jitter_seconds=300.0, start="2026-01-01", end="2027-01-01T06:00", is_paused=True,
        queue="night", priority=-5, is_preemptible=True,
    )  # fmt: skip
    assert parse_pipeline(to_yaml(pipeline)) == pipeline


def test_what_is_not_said_has_a_default_and_is_not_written() -> None:
    pipeline = read('  daily: {cron: "@daily"}\n')
    assert pipeline.schedules["daily"] == ScheduleSpec(cron="@daily")
    assert "catch_up" not in to_yaml(pipeline)


def test_start_and_end_are_by_the_clock_of_the_zone() -> None:
    spec = ScheduleSpec(
        cron="@daily", timezone="Europe/Berlin", start="2026-06-01", end="2026-07-01T00:00+00:00"
    )
    assert spec.bounds() == (datetime(2026, 5, 31, 22, tzinfo=UTC), datetime(2026, 7, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    ("line", "message", "hint"),
    [
        ("s: {cron: 0 25 * * *}", "'25' is no hour", "for example"),
        ("s: {cron: '@daily', timezone: Berlin}", "no time zone 'Berlin'", "Europe/Berlin"),
        ("s: {corn: '@daily'}", "no key 'corn'", "'cron'"),
        ("s: {}", "lacks `cron`", "five fields"),
        ("s: 3", "must be a mapping", "known: cron"),
        ("s: {cron: '@daily', overlap: skipp}", "`overlap` must be one of", "'skip'"),
        ("s: {cron: '@daily', priority: 2000}", "priority 2000 is not between -1000 and 1000", ""),
        ("s: {cron: '@daily', preemptible: maybe}", "true or false", ""),
        ("s: {cron: '@daily', catch_up: all, overlap: cancel}", "would stop", "overlap queue"),
        ("s: {cron: '@daily', start: tomorrow}", "'tomorrow' is no date", "2026-01-31"),
        ("s: {cron: '@daily', start: 2026-02-01, end: 2026-01-01}", "it ends (2026-01-01) before", ""),
        ("s: {cron: '@daily', parameters: {weeek: 3}}", "no parameter 'weeek'", "'week'"),
        ("s: {cron: '@daily', parameters: {week: soon}}", "'soon' is no int", "20"),
        ("s: {cron: '@daily', parameters: {week: '${schedule.fire_at}'}}", "is no int", "20"),
        ("s: {cron: '@daily', parameters: {since: '${schedule.fired}'}}", "has no 'fired'", "'fire_at'"),
        ("s: {cron: '@daily', parameters: {week: '${schedule.fire_at.weak}'}}", "has no 'weak'", "'week'"),
        ("s: {cron: '@daily', parameters: {text: '${params.week}'}}", "means nothing in a schedule", "only"),
        ("s: {cron: '@daily', parameters: {text: '${schedule.name.x}'}}", "leads into plain text", ""),
        ("s: {cron: '@daily', parameters: {text: '${schedule.name'}}", "does not close it", "$${"),
        ("1s: {cron: '@daily'}", "'1s' is no schedule name", "begin with a letter"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(line: str, message: str, hint: str) -> None:
    _, problems = read_pipeline(f"{HEAD}  {line}\n")
    told = [problem for problem in problems if message in problem.message]
    assert told, problems
    assert told[0].where == "pipeline.yaml:13"
    assert hint in told[0].hint


def test_schedules_must_be_a_mapping() -> None:
    _, problems = read_pipeline(HEAD.rstrip().removesuffix("schedules:") + "schedules: [a]\n")
    assert "`schedules` must be a mapping" in problems[0].message


def test_a_task_that_names_the_schedule_is_told_where_it_goes() -> None:
    _, problems = read_pipeline(
        "name: p\ntasks:\n  a: {notebook: a.ipynb, parameters: {x: '${schedule.fire_at}'}}\n"
    )
    assert "a task takes it as ${params.name}" in problems[0].hint


def arguments(parameters: dict[str, Any], at: datetime, cron: str = "30 2 * * *") -> dict[str, Any]:
    spec = ScheduleSpec(cron=cron, timezone="Europe/Berlin", parameters=parameters)
    return arguments_at(read("  s: {cron: '@daily'}\n"), "s", spec, spec.parsed(), at)


def test_templates_take_the_type_of_the_parameter() -> None:
    found = arguments(
        {
            "since": "${schedule.data_interval_start}",
            "day": "${schedule.fire_at}",
            "week": "${schedule.fire_at.week}",
            "text": "${schedule.data_interval_end}",
            "any": ["${schedule.name} of ${schedule.fire_at.date}", {"literal": "$${x}", "n": 3}],
        },
        datetime(2026, 10, 26, 1, 30, tzinfo=UTC),
    )
    assert found == {
        "since": datetime(2026, 10, 25, 2, 30, tzinfo=BERLIN),
        "day": date(2026, 10, 26),
        "week": 44,
        "text": "2026-10-26T02:30:00+01:00",
        "any": ["s of 2026-10-26", {"literal": "${x}", "n": 3}],
    }
    assert found["since"].utcoffset().total_seconds() == 7200  # the first of two 02:30


def test_a_date_becomes_the_midnight_that_a_datetime_parameter_takes() -> None:
    found = arguments({"since": "${schedule.fire_at.date}"}, datetime(2026, 10, 26, 1, 30, tzinfo=UTC))
    assert found["since"] == datetime(2026, 10, 26)  # noqa: DTZ001 - by whichever clock


def test_the_interval_of_a_weekly_schedule_is_the_week_before() -> None:
    at = datetime(2026, 11, 2, 5, tzinfo=UTC)
    found = arguments({"day": "${schedule.data_interval_start.date}"}, at, "0 6 * * MON")
    assert found["day"] == date(2026, 10, 26)


def test_every_part_of_a_moment() -> None:
    cron = ScheduleSpec(cron="5 6 * * *").parsed()
    values = fire_values("s", cron, datetime(2027, 1, 2, 6, 5, tzinfo=UTC))
    parts = ["year", "month", "day", "hour", "minute", "weekday", "week", "week_year", "iso", "timestamp"]
    assert [fill(f"${{schedule.fire_at.{part}}}", values) for part in parts] == [
        2027, 1, 2, 6, 5, 6, 53, 2026, "2027-01-02T06:05:00+00:00", 1798869900,
    ]  # fmt: skip
    with pytest.raises(InvalidInput, match="has no"):
        fill("${schedule}", values)
