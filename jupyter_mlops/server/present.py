"""JSON for clients: moments, problems, parameters, resources. Pure functions of records and values."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping
from typing import Any

from .. import encoding
from ..notebooks.declarations import Expression, Parameter
from ..notebooks.kinds import Kind
from ..pipelines import PipelineParameter
from ..problems import Problem
from ..resources import ResourceRequest
from .places import Places

_LINE = re.compile(r"(?P<file>.+\.ya?ml):(?P<line>\d+)")
_CELL = re.compile(r"(?P<file>.+\.ipynb)(?:, .*)?")
_PARAMETER = re.compile(r"(?:the pipeline has no |default of )?(?:parameter )?'(?P<name>[^']+)'")
_FIELD = re.compile(r"parameters\.(?P<name>\w+)")


def dumps(body: Any) -> str:
    """JSON that every browser reads: what is no finite number is null."""
    try:
        return json.dumps(body, allow_nan=False, separators=(",", ":"))
    except ValueError:
        return json.dumps(_finite(body), allow_nan=False, separators=(",", ":"))


def _finite(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def page(items: Iterable[Any], total: int, limit: int, offset: int) -> dict[str, Any]:
    """A page of a list."""
    return {"items": list(items), "total": total, "limit": limit, "offset": offset}


def problem_body(
    problem: Problem, places: Places, tasks: Mapping[str, int] | None = None, others: Iterable[int] = ()
) -> dict[str, Any]:
    """A problem with the place that it is about. `tasks` has the line of each task of the pipeline, `others` are those
    of its own fields: they may stand below the tasks."""
    line = _LINE.fullmatch(problem.where)
    cell = None if line else _CELL.fullmatch(problem.where)
    found = line or cell
    number = int(line["line"]) if line else None
    parameter = _PARAMETER.match(problem.message) or _FIELD.search(problem.message)
    return {
        "message": places.shown(problem.message),
        "hint": places.shown(problem.hint),
        "severity": problem.severity,
        "where": places.shown(problem.where),
        "file": (places.relative(found["file"]) or found["file"]) if found else None,
        "line": number,
        "task": _task_of(problem, number, tasks or {}, others),
        "parameter": parameter["name"] if parameter else None,
    }


def _task_of(
    problem: Problem, line: int | None, tasks: Mapping[str, int], others: Iterable[int]
) -> str | None:
    """The task that a problem names at its beginning, or in whose lines it stands."""
    named = problem.message.partition(":")[0].partition("[")[0]
    quoted = re.match(r"task '([^']+)'", problem.message)
    for name in (named, quoted[1] if quoted else ""):
        if name in tasks:
            return name
    before = [(at, name) for name, at in tasks.items() if line is not None and 0 < at <= line]
    if line is None or not before:
        return None
    start, name = max(before)
    return None if any(start < at <= line for at in others) else name


def resources_body(resources: ResourceRequest) -> dict[str, Any]:
    """What was asked for; null for what was not."""
    return {
        "cpu": resources.cpu,
        "memory_bytes": resources.memory,
        "gpu": resources.gpu,
        "accelerator": resources.accelerator,
        "spot": resources.spot,
        "image": resources.image,
    }


def pipeline_parameter(name: str, parameter: PipelineParameter) -> dict[str, Any]:
    """A parameter of a pipeline."""
    default = encoding.to_json(parameter.default)
    return {
        "name": name,
        "type": parameter.type,
        "default": default,
        "default_text": "" if parameter.default is None else _text(parameter.default),
        "is_required": parameter.is_required,
        "is_optional": parameter.default is None and not parameter.is_required,
        "is_secret": False,
        "help": parameter.help,
        "choices": None,
        "minimum": None,
        "maximum": None,
        "step": None,
    }


def notebook_parameter(parameter: Parameter) -> dict[str, Any]:
    """A parameter of a notebook."""
    kinds = parameter.kind.args if parameter.kind.name == "union" else (parameter.kind,)
    some = [kind for kind in kinds if kind.name != "none"]
    kind = some[0] if len(some) == 1 else Kind("any")
    is_known = not parameter.is_required and not isinstance(parameter.default, Expression)
    default = parameter.default if is_known else None
    bounds = kind.bounds
    choices = list(kind.choices)
    name = type(choices[0]).__name__ if kind.name == "literal" and choices else kind.name
    return {
        "name": parameter.name,
        "type": name,
        "default": encoding.to_json(default),
        "default_text": "" if default is None else _text(default),
        "is_required": parameter.is_required,
        "is_optional": any(each.name == "none" for each in kinds),
        "is_secret": kind.name == "secret",
        "help": parameter.help,
        "choices": encoding.to_json(choices) if choices else None,
        "minimum": _number(bounds.low if bounds else None),
        "maximum": _number(bounds.high if bounds else None),
        "step": _number(bounds.step if bounds else None),
    }


def _number(value: Any) -> float | None:
    return None if value is None else float(value)


def _text(value: Any) -> str:
    """A value as one writes it on a command line."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(value).lower()
    plain = encoding.to_json(value)
    if isinstance(plain, Mapping) and not isinstance(value, Mapping):
        return str(value)  # a date, a Decimal, …
    return json.dumps(plain, ensure_ascii=False)
