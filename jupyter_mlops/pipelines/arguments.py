"""Arguments of a pipeline: checked and converted against its parameters, all problems at once."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, datetime
from numbers import Integral, Real
from typing import Any

from ..errors import InvalidInput, InvalidParameter, did_you_mean
from ..problems import Problem, summarize
from .definition import Pipeline, PipelineParameter

_EXAMPLES = {
    "int": "20",
    "float": "0.5",
    "bool": "true",
    "list": "[1, 2]",
    "dict": '{"a": 1}',
    "date": "2013-06-30",
    "datetime": "2013-06-30T12:00",
}
_BY_REFERENCE = ("secret:", "blob://")  # stand for a value of any type; the notebook receives that
_MEANT_AS = {"True": True, "False": False, "None": None}  # what papermill's -p makes of text


def parse_arguments(text: str | bytes, source: str) -> Mapping[str, Any]:
    """YAML (so JSON too) to arguments. Dates stay text, as with papermill: the declared type reads them."""
    import yaml

    class Loader(yaml.SafeLoader):
        """A safe loader that knows no dates."""

    Loader.yaml_implicit_resolvers = {
        first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }
    try:
        found = yaml.load(text, Loader=Loader)  # noqa: S506 - a safe loader, minus dates
    except yaml.YAMLError as error:
        raise InvalidInput(
            f"the arguments in {source} are no YAML: {' '.join(str(error).split())}"
        ) from error
    if found is None:
        return {}
    if not isinstance(found, dict) or not all(isinstance(name, str) for name in found):
        raise InvalidParameter(
            f"the arguments in {source} must be a mapping of names to values, not {type(found).__name__}",
            hint="write one `name: value` a line",
        )
    return found


def bind_arguments(
    pipeline: Pipeline, arguments: Mapping[str, Any], *, from_text: bool = False
) -> dict[str, Any]:
    """Every parameter of the pipeline with its value, in the order of declaration.

    With `from_text` the arguments are strings from a command line, read by the declared type (by papermill's
    rules where none is declared). Raises `InvalidParameter` with all `problems`.
    """
    problems = []
    for name in arguments:
        if name not in pipeline.parameters:
            hint = did_you_mean(name, pipeline.parameters)
            problems.append(Problem(message=f"the pipeline has no parameter {name!r}", hint=hint))
    bound = {}
    for name, parameter in pipeline.parameters.items():
        if name not in arguments:
            if parameter.is_required:
                hint = parameter.help or f"give it: {name}={_EXAMPLES.get(parameter.type, '…')}"
                problems.append(Problem(message=f"parameter {name!r} must be given", hint=hint))
            bound[name] = parameter.default
            continue
        try:
            bound[name] = convert(arguments[name], parameter, from_text=from_text)
        except InvalidInput as error:
            problems.append(Problem(message=f"parameter {name!r}: {error.message}", hint=error.hint))
    if problems:
        raise InvalidParameter(summarize(problems), problems=problems)
    return bound


def convert(value: Any, parameter: PipelineParameter, *, from_text: bool = False) -> Any:
    """`value` as the parameter's type has it; `InvalidInput` where it cannot be."""
    kind = parameter.type
    if isinstance(value, str) and value.startswith(_BY_REFERENCE):
        return value
    if value is None and parameter.default is None and not parameter.is_required:
        return None
    if isinstance(value, str) and (from_text or kind in ("date", "datetime")):
        value = _from_text(value, kind)
    if not _fits(value, kind):
        hint = f"for example {_EXAMPLES[kind]}" if kind in _EXAMPLES else "quote it"
        raise InvalidInput(f"{value!r} is no {kind}", hint=hint)
    return float(value) if kind == "float" and isinstance(value, int) else value


def _fits(value: Any, kind: str) -> bool:
    match kind:
        case "int":
            return isinstance(value, Integral) and not isinstance(value, bool)
        case "float":
            return isinstance(value, Real) and not isinstance(value, bool)
        case "str":
            return isinstance(value, str)
        case "bool":
            return isinstance(value, bool)
        case "list":
            return isinstance(value, list | tuple)
        case "dict":
            return isinstance(value, Mapping)
        case "date":
            return isinstance(value, date) and not isinstance(value, datetime)
        case "datetime":
            return isinstance(value, datetime)
    return True


def _from_text(text: str, kind: str) -> Any:
    """The value that text writes, or the text itself where it writes none of that type."""
    try:
        match kind:
            case "int":
                return int(text)
            case "float":
                return float(text)
            case "bool":
                return {"true": True, "false": False, "1": True, "0": False}.get(text.lower(), text)
            case "list" | "dict":
                return json.loads(text)
            case "date":
                return date.fromisoformat(text)
            case "datetime":
                return datetime.fromisoformat(text)
            case "any":
                return _guess(text)
    except (ValueError, RecursionError):
        pass
    return text


def _guess(text: str) -> Any:
    if text in _MEANT_AS:
        return _MEANT_AS[text]
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
