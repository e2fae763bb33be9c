"""A pipeline's schedule as targets need it: its arguments, and what of it they do not hold.

Defaults count: that an earlier run goes on is met in each target's own way, whether or not the pipeline's file
says `overlap`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import fields
from typing import Any

from ..pipelines.schedules import ScheduleSpec, fill, moves
from .steps import plain

_ALWAYS = {"cron", "timezone", "parameters", "catch_up", "overlap"}


def scheduled_arguments(
    spec: ScheduleSpec | None, target: str, *, tells_fire: bool = False
) -> dict[str, Any]:
    """What a scheduled run is given, as JSON. What depends on the fire stays the template that it is, for the entry
    point to fill, where the target `tells_fire`; elsewhere it is left out."""
    given = {}
    for name, value in ({} if spec is None else spec.parameters).items():
        if not moves(value):
            given[name] = plain(name, fill(value, {}), target)
        elif tells_fire:
            given[name] = plain(name, value, target)
    return given


def moving_names(spec: ScheduleSpec | None) -> list[str]:
    """The parameters that depend on the fire, where there is a schedule."""
    return [] if spec is None else spec.moving()


def lost(
    spec: ScheduleSpec | None,
    *,
    held: Collection[str] = (),
    told: Mapping[str, str],
    tells_fire: bool = False,
) -> list[str]:
    """The notes on a schedule. `held` are the fields that the target has, beside cron and zone; `told` says how a
    way of `catch_up` or `overlap` holds where it holds otherwise: ``{"overlap cancel": "…"}``; a target that
    `tells_fire` lets its runs know for which moment they were started."""
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
    moving = spec.moving()
    if moving and not tells_fire:
        notes.append(
            f"schedule: {', '.join(moving)}: no run knows there for which fire it was started; the default is given"
        )
    return notes
