"""Schedules and fires as their records keep them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from .. import encoding
from ..catalog.records import Fire, Schedule
from ..pipelines import ScheduleSpec
from ..runner import RunOptions
from . import decide


def spec_to_json(spec: ScheduleSpec) -> dict[str, Any]:
    """For the record: plain JSON."""
    body = {field.name: getattr(spec, field.name) for field in dataclasses.fields(spec)}
    return {**body, "parameters": encoding.to_json(dict(spec.parameters))}


def spec_from_json(body: Mapping[str, Any]) -> ScheduleSpec:
    """What `spec_to_json` wrote; fields of a later version of ours are left out."""
    known = {field.name for field in dataclasses.fields(ScheduleSpec)}
    given = {name: value for name, value in body.items() if name in known}
    return ScheduleSpec(**{**given, "parameters": encoding.from_json(given.get("parameters", {}))})


def options_of(spec: ScheduleSpec) -> RunOptions:
    """What a schedule says of how its runs wait for admission."""
    return RunOptions(queue=spec.queue or None, priority=spec.priority, is_preemptible=spec.is_preemptible)


def short_name(schedule: Schedule) -> str:
    """``nightly`` of ``flights.nightly``: what ``${schedule.name}`` stands for."""
    return schedule.name.partition(".")[2]


def missed_fire(name: str, missed: decide.Missed, reason: str, moment: datetime) -> Fire:
    """The record of fires that nobody will run."""
    return Fire(
        schedule=name, fire_at=missed.last_at, first_at=missed.first_at, count=missed.count, state="missed",
        reason=reason, created_at=moment,
    )  # fmt: skip
