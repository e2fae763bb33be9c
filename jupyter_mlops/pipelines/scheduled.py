"""A pipeline at a fire of a schedule: its arguments, and what is wrong with its schedules before any fire."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from ..cron import Cron
from ..errors import InvalidInput, InvalidParameter, did_you_mean
from ..problems import Problem, summarize
from ..resources import MOST_PRIORITY
from .arguments import bind_arguments, convert
from .definition import Pipeline
from .reading import NAME
from .schedules import CATCH_UP, OVERLAP, ScheduleSpec, as_type, fill, fire_values

_SAMPLE = datetime(2026, 1, 1, tzinfo=UTC)  # templates give values of the same types at every fire


def arguments_at(
    pipeline: Pipeline, name: str, spec: ScheduleSpec, cron: Cron, at: datetime
) -> dict[str, Any]:
    """The arguments that the pipeline gets at the fire `at`. Raises `InvalidInput`."""
    return bind_arguments(pipeline, filled_at(pipeline, name, spec, cron, at))


def filled_at(pipeline: Pipeline, name: str, spec: ScheduleSpec, cron: Cron, at: datetime) -> dict[str, Any]:
    """What the schedule itself says at the fire `at`: its parameters without templates. Raises `InvalidInput`."""
    values = fire_values(name, cron, at)
    filled = {key: fill(value, values) for key, value in spec.parameters.items()}
    kinds = {key: parameter.type for key, parameter in pipeline.parameters.items()}
    return {key: as_type(value, kinds.get(key, "any")) for key, value in filled.items()}


def from_text(pipeline: Pipeline, texts: Mapping[str, str]) -> dict[str, Any]:
    """What a command line gives as a schedule's parameters: templates stay text, the declared types read the
    rest. Raises `InvalidParameter`."""
    problems, read = [], {}
    for name, text in texts.items():
        parameter = pipeline.parameters.get(name)
        if parameter is None:
            hint = did_you_mean(name, pipeline.parameters)
            problems.append(Problem(message=f"the pipeline has no parameter {name!r}", hint=hint))
        elif "${" in text:
            read[name] = text
        else:
            try:
                read[name] = convert(text, parameter, from_text=True)
            except InvalidInput as error:
                problems.append(Problem(message=f"parameter {name!r}: {error.message}", hint=error.hint))
    if problems:
        raise InvalidParameter(summarize(problems), problems=problems)
    return read


def schedule_problems(pipeline: Pipeline) -> Iterator[Problem]:
    """Everything that is wrong with the schedules of a pipeline."""
    for name, spec in pipeline.schedules.items():
        field = f"schedules.{name}"
        if not NAME.fullmatch(name):
            hint = "begin with a letter, go on with letters, digits, _ and -"
            yield _problem(pipeline, field, f"{name!r} is no schedule name", hint)
        yield from _problems_of(pipeline, name, spec, field)


def _problems_of(pipeline: Pipeline, name: str, spec: ScheduleSpec, field: str) -> Iterator[Problem]:
    for key, value, choices in (("catch_up", spec.catch_up, CATCH_UP), ("overlap", spec.overlap, OVERLAP)):
        if value not in choices:
            told = f"schedule {name!r}: {key} is none of {', '.join(choices)}"
            yield _problem(pipeline, f"{field}.{key}", told, did_you_mean(str(value), choices))
    if spec.catch_up == "all" and spec.overlap == "cancel":
        told = f"schedule {name!r}: what `catch_up: all` runs late, `overlap: cancel` would stop"
        yield _problem(pipeline, f"{field}.overlap", told, "choose overlap queue, or catch_up last")
    if not -MOST_PRIORITY <= spec.priority <= MOST_PRIORITY:
        told = (
            f"schedule {name!r}: priority {spec.priority} is not between {-MOST_PRIORITY} and {MOST_PRIORITY}"
        )
        yield _problem(pipeline, f"{field}.priority", told)
    try:
        cron = spec.parsed()
    except InvalidInput as error:
        key = "timezone" if "time zone" in error.message else "cron"
        yield _problem(pipeline, f"{field}.{key}", f"schedule {name!r}: {error.message}", error.hint)
        return
    try:
        spec.bounds()
    except InvalidInput as error:
        key = "start" if spec.start and spec.start in error.message else "end"
        yield _problem(pipeline, f"{field}.{key}", f"schedule {name!r}: {error.message}", error.hint)
    try:
        arguments_at(pipeline, name, spec, cron, cron.after(_SAMPLE) or _SAMPLE)
    except InvalidParameter as error:
        for told in error.fields.get("problems", ()):
            yield _problem(pipeline, f"{field}.parameters", f"schedule {name!r}: {told.message}", told.hint)
    except InvalidInput as error:
        yield _problem(pipeline, f"{field}.parameters", f"schedule {name!r}: {error.message}", error.hint)


def _problem(pipeline: Pipeline, field: str, message: str, hint: str = "") -> Problem:
    return Problem(message=message, where=pipeline.where(None, field), hint=hint)
