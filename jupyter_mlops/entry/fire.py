"""The arguments of a run that another orchestrator's schedule started.

What depends on the fire travels as the template that the pipeline's file has (``${schedule.data_interval_start}``),
and beside it goes the moment of the fire. They meet here, in the function by which our own scheduler fills templates:
so a target needs no cron of ours, and a value that somebody gives in a template's place is taken as it is.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping
from datetime import date
from typing import Any

from ..errors import InvalidInput
from ..pipelines import Pipeline, ScheduleSpec
from ..pipelines.arguments import convert
from ..pipelines.scheduled import filled_at
from ..pipelines.schedules import moves, read_moment


def at_fire(pipeline: Pipeline, given: Mapping[str, Any], fired_at: str) -> dict[str, Any]:
    """`given` with its templates filled for the fire at `fired_at`. Where there was none, ``""``, they are left out:
    the pipeline's defaults hold. Raises `InvalidInput` for a template that no schedule of the pipeline has."""
    moving = {name for spec in pipeline.schedules.values() for name in spec.moving()}
    asked = {name: value for name, value in given.items() if moves(value) and (fired_at or name in moving)}
    rest = {
        name: _typed(pipeline, name, value) if name in moving else value
        for name, value in given.items()
        if name not in asked
    }
    if not asked or not fired_at:
        return rest
    name, spec = _schedule(pipeline, asked)
    cron = spec.parsed()
    filled = filled_at(pipeline, name, spec, cron, read_moment(fired_at, cron))
    return {**rest, **{each: filled[each] for each in asked}}


def _schedule(pipeline: Pipeline, asked: Mapping[str, Any]) -> tuple[str, ScheduleSpec]:
    """The one that says all that."""
    names = ", ".join(sorted(asked))
    said = [
        (name, spec)
        for name, spec in pipeline.schedules.items()
        if all(_is_same(value, spec.parameters.get(each)) for each, value in asked.items())
    ]
    if not said:
        raise InvalidInput(
            f"{names}: no schedule of the pipeline {pipeline.name!r} says so",
            hint="it has changed since it was exported: export it again",
        )
    if len(said) > 1:
        schedules = ", ".join(name for name, _ in said)
        raise InvalidInput(
            f"{names}: several schedules of the pipeline {pipeline.name!r} say so: {schedules}",
            hint="leave one of them in the pipeline's file, and export it again",
        )
    return said[0]


def _is_same(given: Any, written: Any) -> bool:
    """Whether an orchestrator has it from the file: as JSON, or as JSON's text."""
    if isinstance(given, str) and not isinstance(written, str):
        with contextlib.suppress(ValueError, RecursionError):
            given = json.loads(given)
    return bool(given == json.loads(json.dumps(written, default=_date)))


def _date(value: Any) -> str:
    return value.isoformat() if isinstance(value, date) else str(value)


def _typed(pipeline: Pipeline, name: str, value: Any) -> Any:
    """What somebody wrote in a template's place: a form that showed text has given text back."""
    parameter = pipeline.parameters.get(name)
    with contextlib.suppress(InvalidInput):  # what cannot be read so is refused with all other arguments
        if isinstance(value, str) and parameter is not None:
            return convert(value, parameter, from_text=True)
    return value
