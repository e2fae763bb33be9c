"""A task of a pipeline as a batch of its own: its notebook, its arguments at each schedule, what it asks of a machine.

A batch image runs one notebook. What a task gets from others it can get in a run only, so such a task is refused; whole
pipelines run in a cluster by an exporter, such as Argo's.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ...errors import InvalidInput, InvalidParameter, NotFound, did_you_mean
from ...pipelines import Pipeline, PlannedTask, ScheduleSpec, lower
from ...pipelines.arguments import convert
from ...pipelines.references import Reference, follow, references, resolve
from .batch import Batch, check_arguments

_ELSE = "run the whole pipeline: jupyter mlops export --to argo"


def batch_of(
    pipeline: Pipeline, image: str, arguments: Sequence[tuple[str, str]], *, task: str = "", name: str = ""
) -> Batch:
    """The batch of a task, or of the only one. `arguments` are those of a command line; they win over a schedule's."""
    given = _read(pipeline, arguments)
    schedules: dict[str, ScheduleSpec] = {}
    values: dict[str, Any] = {}
    planned: PlannedTask | None = None
    for key, schedule in pipeline.schedules.items():
        check_arguments(key, {k: v for k, v in schedule.parameters.items() if k not in given})
        planned, own = _task(pipeline, {**schedule.parameters, **given}, task)
        schedules[key] = replace(schedule, parameters=own)
    if planned is None:
        planned, values = _task(pipeline, given, task)
    return Batch(
        name=name or slug(pipeline.name),
        image=image,
        notebook=planned.key.partition("[")[0] if len(pipeline.tasks) > 1 else "",
        arguments=values,
        schedules=schedules,
        resources=planned.resources,
        timeout_seconds=planned.timeout_seconds or 24 * 3600.0,
        retries=planned.retries.limit,
    )


def slug(name: str) -> str:
    """A name as Kubernetes has them."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def with_schedule(wanted: Batch, cron: str, timezone: str) -> Batch:
    """The same at other times than its own."""
    values = next((each.parameters for each in wanted.schedules.values()), {})
    schedule = ScheduleSpec(cron=cron, timezone=timezone, parameters=values)
    schedule.parsed()
    return replace(wanted, schedules={"schedule": schedule})


def _read(pipeline: Pipeline, arguments: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """Arguments of a command line by the declared types; names that there are not are left to `lower` to tell."""
    given: dict[str, Any] = {}
    for name, text in arguments:
        parameter = pipeline.parameters.get(name)
        try:
            given[name] = text if parameter is None else convert(text, parameter, from_text=True)
        except InvalidInput as error:
            raise InvalidParameter(f"parameter {name!r}: {error.message}", hint=error.hint) from error
    return given


def _task(pipeline: Pipeline, given: Mapping[str, Any], key: str) -> tuple[PlannedTask, dict[str, Any]]:
    """The planned task and its arguments, with the pipeline's parameters filled in."""
    plan = lower(pipeline, given)
    if not key and len(plan.tasks) > 1:
        raise InvalidInput(
            f"which task of {pipeline.name}? It has {', '.join(plan.tasks)}", hint=f"--task KEY, or {_ELSE}"
        )
    key = key or next(iter(plan.tasks))
    if key not in plan.tasks:
        raise NotFound(f"{pipeline.name} has no task {key!r}", hint=did_you_mean(key, plan.tasks))
    planned = plan.tasks[key]
    if planned.map is not None or any(each.root == "tasks" for each in references(dict(planned.parameters))):
        raise InvalidInput(f"{key} needs what other tasks made", hint=_ELSE)
    roots = {"params": plan.arguments, "matrix": planned.matrix}

    def lookup(reference: Reference) -> Any:
        if reference.root not in roots:
            raise InvalidInput(f"{key}: ${{{reference}}} is known in a run only", hint=_ELSE)
        return follow(roots[reference.root][reference.name], reference)

    return planned, dict(resolve(dict(planned.parameters), lookup))
