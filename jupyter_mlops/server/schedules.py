"""The operations on schedules: what fires when, what became of it, and who fires."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import Any

from ..catalog.records import Fire, Run, Schedule
from ..cron import parse_cron
from ..errors import InvalidInput, MlopsError, NotFound, did_you_mean
from ..events import now
from ..pipelines import Pipeline, ScheduleSpec, load_pipeline
from ..pipelines.reading import parse_duration
from ..pipelines.scheduled import from_text
from ..pipelines.schedules import read_moment
from ..scheduling.documents import fire_body, next_body, schedule_body
from ..words import iso
from . import files
from .failures import at_field
from .panel import Panel

_MOST_NEXT, _MOST_FIRES, _MOST_JITTER = 5, 50, 86400


def list_all(panel: Panel, asked: Mapping[str, Any]) -> dict[str, Any]:
    """`listSchedules`."""
    return _listed(panel, panel.workspace.schedules.find())


def _listed(panel: Panel, found: list[Schedule]) -> dict[str, Any]:
    schedules = panel.workspace.schedules
    last = schedules.last_fires(found)
    items = [_body(panel, schedule, last.get(schedule.name)) for schedule in found]
    return {"items": items, "scheduler": schedules.leader() or None}


def _body(panel: Panel, schedule: Schedule, last: tuple[Fire, Run | None] | None) -> dict[str, Any]:
    path = panel.places.relative(panel.workspace_root / schedule.pipeline_path)
    return {**schedule_body(schedule), "path": path, "last": fire_body(*last) if last else None}


def show(panel: Panel, asked: Mapping[str, Any]) -> dict[str, Any]:
    """`getSchedule`."""
    schedules = panel.workspace.schedules
    schedule = schedules.resolve(asked["name"])
    history = schedules.history(schedule, _MOST_FIRES)
    upcoming, problem = [], ""
    try:
        upcoming = schedules.preview(schedule, _MOST_NEXT)
    except MlopsError as error:  # its file is not what it was: the schedule is there all the same
        problem = panel.places.shown(error.message)
    return {
        "schedule": _body(panel, schedule, history[0] if history else None),
        "next": [] if schedule.is_paused else [next_body(fire) for fire in upcoming],
        "history": [fire_body(*each) for each in history],
        "problem": problem,
        "scheduler": schedules.leader() or None,
    }


def add(panel: Panel, asked: Mapping[str, Any]) -> dict[str, Any]:
    """`addSchedule`."""
    path = panel.places.inside(asked["path"], *files.SUFFIXES)
    files.read_text(path, asked["path"])  # it is there, and says so in the words of a client
    pipeline = load_pipeline(path)
    specs = _new(pipeline, asked) if asked["cron"] else _of_file(pipeline, asked["name"])
    made = panel.made_workspace.schedules.add(path, specs, user_name=asked["user_name"])
    return _listed(panel, made)


def _new(pipeline: Pipeline, asked: Mapping[str, Any]) -> dict[str, ScheduleSpec]:
    given: dict[str, Any] = asked["arguments"] or {}
    texts = {name: value for name, value in given.items() if isinstance(value, str)}
    with at_field("jitter_seconds"):
        jitter_seconds = _jitter(asked["jitter_seconds"])
    spec = ScheduleSpec(
        cron=asked["cron"],
        timezone=asked["timezone"],
        parameters={**given, **from_text(pipeline, texts)},
        catch_up=asked["catch_up"],
        overlap=asked["overlap"],
        jitter_seconds=jitter_seconds,
        start=asked["start"] or "",
        end=asked["end"] or "",
        is_paused=asked["is_paused"],
        queue=asked["queue"] or "",
        priority=asked["priority"],
        is_preemptible=asked["is_preemptible"],
    )
    _check_moments(spec)
    return {asked["name"] or "main": spec}


def _jitter(given: float | str) -> float:
    seconds = parse_duration(given)
    if seconds > _MOST_JITTER:
        raise InvalidInput(f"a jitter of {given!r} is more than a day", hint="at most 24h")
    return seconds


def _check_moments(spec: ScheduleSpec) -> None:
    """What is wrong with when it fires, told at the field that is meant."""
    with at_field("timezone"):
        parse_cron("@daily", spec.timezone)
    with at_field("cron"):
        cron = spec.parsed()
    for name, text in (("start", spec.start), ("end", spec.end)):
        with at_field(name):
            if text:
                read_moment(text, cron)
    with at_field("end"):
        spec.bounds()


def _of_file(pipeline: Pipeline, name: str | None) -> dict[str, ScheduleSpec] | None:
    if name is None:
        return None
    if name not in pipeline.schedules:
        hint = did_you_mean(name, pipeline.schedules) or "give `cron` to make one"
        raise NotFound(f"the pipeline has no schedule {name!r}", hint=hint)
    return {name: pipeline.schedules[name]}


def pause(panel: Panel, asked: Mapping[str, Any]) -> dict[str, Any]:
    """`pauseSchedule`."""
    return _changed(panel, panel.workspace.schedules.pause(asked["name"]))


def resume(panel: Panel, asked: Mapping[str, Any]) -> dict[str, Any]:
    """`resumeSchedule`."""
    return _changed(panel, panel.workspace.schedules.resume(asked["name"]))


def _changed(panel: Panel, schedule: Schedule) -> dict[str, Any]:
    return _body(panel, schedule, panel.workspace.schedules.last_fires([schedule]).get(schedule.name))


def remove(panel: Panel, asked: Mapping[str, Any]) -> None:
    """`removeSchedule`."""
    panel.workspace.schedules.remove(asked["name"])


def preview(panel: Panel, asked: Mapping[str, Any]) -> dict[str, Any]:
    """`previewCron`."""
    cron = parse_cron(asked["expression"], asked["timezone"])
    fires = islice(cron.times(now()), asked["count"])
    return {
        "expression": cron.expression,
        "timezone": asked["timezone"],
        "next": [iso(at) for at in fires],
    }
