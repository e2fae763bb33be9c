"""A pipeline's schedule as targets need it: its arguments, and what of it they do not hold.

Defaults count: that an earlier run goes on is met in each target's own way, whether or not the pipeline's file
says `overlap`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import fields
from typing import Any

from ..pipelines.schedules import ScheduleSpec, fill, is_template
from .steps import plain

_ALWAYS = {"cron", "timezone", "parameters", "catch_up", "overlap"}


def scheduled_arguments(spec: ScheduleSpec | None, target: str) -> dict[str, Any]:
    """What a scheduled run is given, but for what depends on the fire, as JSON."""
    given = {} if spec is None else spec.parameters
    return {name: plain(name, fill(value, {}), target) for name, value in given.items() if not _moves(value)}


def lost(spec: ScheduleSpec | None, *, held: Collection[str] = (), told: Mapping[str, str]) -> list[str]:
    """The notes on a schedule. `held` are the fields that the target has, beside cron and zone; `told` says how a
    way of `catch_up` or `overlap` holds where it holds otherwise: ``{"overlap cancel": "…"}``."""
    if spec is None:
        return []
    ways = (f"catch_up {spec.catch_up}", f"overlap {spec.overlap}")
    notes = [f"schedule: {way}: {told[way]}" for way in ways if way in told]
    plainest = ScheduleSpec(cron=spec.cron)
    names = [each.name for each in fields(spec) if each.name not in _ALWAYS and each.name not in held]
    gone = [name for name in names if getattr(spec, name) != getattr(plainest, name)]
    if gone:
        words = ", ".join(name.removeprefix("is_").removesuffix("_seconds") for name in gone)
        notes.append(f"schedule: not carried over: {words}")
    moving = [name for name, value in spec.parameters.items() if _moves(value)]
    if moving:
        notes.append(
            f"schedule: {', '.join(moving)}: only here a fire is known by ${{schedule.…}}; the default is given"
        )
    return notes


def _moves(value: Any) -> bool:
    """Whether it depends on the fire."""
    if isinstance(value, Mapping):
        return any(_moves(each) for each in value.values())
    return any(_moves(each) for each in value) if isinstance(value, list | tuple) else is_template(value)
