"""A schedule as its record keeps it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from .. import encoding
from ..catalog.records import Schedule
from ..pipelines import ScheduleSpec


def spec_to_json(spec: ScheduleSpec) -> dict[str, Any]:
    """For the record: plain JSON."""
    body = {field.name: getattr(spec, field.name) for field in dataclasses.fields(spec)}
    return {**body, "parameters": encoding.to_json(dict(spec.parameters))}


def spec_from_json(body: Mapping[str, Any]) -> ScheduleSpec:
    """What `spec_to_json` wrote; fields of a later version of ours are left out."""
    known = {field.name for field in dataclasses.fields(ScheduleSpec)}
    given = {name: value for name, value in body.items() if name in known}
    return ScheduleSpec(**{**given, "parameters": encoding.from_json(given.get("parameters", {}))})


def short_name(schedule: Schedule) -> str:
    """``nightly`` of ``flights.nightly``: what ``${schedule.name}`` stands for."""
    return schedule.name.partition(".")[2]
