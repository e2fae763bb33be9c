"""References: how one task's arguments name what is known only while a pipeline runs.

``${tasks.pull.results.rows}``, ``${tasks.train[model=a].artifacts.model}``, ``${tasks.pull.state}``,
``${params.week}``, ``${matrix.model}``, ``${item}``, ``${item.region}``, ``${run.id}``. A string that is one
reference keeps the type of what it names; a reference within other text becomes text; ``$${`` is a literal
``${``. Nothing here is evaluated: a reference is a path, and whoever holds the values looks it up.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from ..errors import InvalidInput, NotFound, did_you_mean

Root = Literal["tasks", "params", "matrix", "item", "run"]
ROOTS: tuple[Root, ...] = ("tasks", "params", "matrix", "item", "run")
TASK_FIELDS = ("results", "artifacts", "state")
RUN_FIELDS = ("id", "pipeline")

_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_STEP = re.compile(
    r"""\.(?P<name>[A-Za-z_][A-Za-z0-9_-]*)      # .rows
      | \[(?P<index>-?[0-9]{1,9})\]              # [0]
      | \["(?P<double>[^"]*)"\] | \['(?P<single>[^']*)'\]   # ["any text"]
      | \[(?P<instance>[^\[\]"']+)\]             # [model=a,depth=3]""",
    re.VERBOSE,
)
_HOLE = re.compile(r"\$\$\{|\$\{(?P<inside>[^{}]*)\}|\$\{")


@dataclass(frozen=True, slots=True)
class Reference:
    """A path to a value. `text` is what was written, without ``${`` and ``}``.

    `name` is the result, artifact, parameter, axis or run field; `path` leads on into its value. For
    ``tasks`` also `task`, `field` (``results``, ``artifacts``, ``state``) and `instance`: ``""`` for the
    whole task, ``"model=a"`` for one instance of a matrix, ``"0"`` for one of a mapped task.
    """

    root: Root
    name: str = ""
    path: tuple[str | int, ...] = ()
    task: str = ""
    instance: str = ""
    field: str = ""
    text: str = ""

    def __str__(self) -> str:
        return self.text


Lookup = Callable[[Reference], Any]


@lru_cache(maxsize=65536)
def parse_reference(text: str) -> Reference:
    """The reference that `text` (without ``${}``) writes; `InvalidInput` says what is wrong with it."""
    text = text.strip()
    head = _WORD.match(text)
    if head is None:
        raise InvalidInput(f"${{{text}}} names nothing", hint="write for example ${params.week}")
    root = next((known for known in ROOTS if known == head.group()), None)
    if root is None:
        hint = did_you_mean(head.group(), ROOTS)
        if head.group() == "schedule":
            hint = "only a schedule's parameters know it; a task takes it as ${params.name}"
        elif head.group() == text:
            hint = f"a parameter of the pipeline is ${{params.{text}}}"
        raise InvalidInput(f"${{{text}}} begins with {head.group()!r}, which is nothing known", hint=hint)
    steps = _steps(text, head.end())
    if root == "tasks":
        return _task_reference(text, steps)
    if root == "item":
        return Reference(root, path=tuple(_plain(step, text) for step in steps), text=text)
    if not steps:
        raise InvalidInput(f"${{{text}}} lacks a name", hint=f"write ${{{root}.name}}")
    name, *path = (_plain(step, text) for step in steps)
    if root == "run" and name not in RUN_FIELDS:
        raise InvalidInput(f"${{{text}}}: a run has no {name!r}", hint=did_you_mean(str(name), RUN_FIELDS))
    if root == "run" and path:
        raise InvalidInput(f"${{{text}}} leads into run.{name}, which is plain text")
    return Reference(root, name=str(name), path=tuple(path), text=text)


def _steps(text: str, position: int) -> list[re.Match[str]]:
    steps = []
    while position < len(text):
        step = _STEP.match(text, position)
        if step is None:
            raise InvalidInput(
                f"${{{text}}} cannot be read from {text[position:]!r} on",
                hint='a path goes on with .name, [0] or ["any text"]',
            )
        steps.append(step)
        position = step.end()
    return steps


def _plain(step: re.Match[str], text: str) -> str | int:
    """The key or index of a step; an instance has no place outside of ``tasks.name[…]``."""
    if step["instance"] is not None:
        raise InvalidInput(f"${{{text}}}: [{step['instance']}] is no index", hint='quote it: ["any text"]')
    if step["index"] is not None:
        return int(step["index"])
    return next(part for part in (step["name"], step["double"], step["single"]) if part is not None)


def _task_reference(text: str, steps: Sequence[re.Match[str]]) -> Reference:
    example = "write ${tasks.name.results.key}"
    if not steps or steps[0]["name"] is None:
        raise InvalidInput(f"${{{text}}} lacks a task", hint=example)
    task, rest, instance = steps[0]["name"], list(steps[1:]), ""
    if rest and rest[0]["name"] is None:
        instance = next(part for part in rest.pop(0).groups()[1:] if part is not None).replace(" ", "")
    if not rest or rest[0]["name"] is None:
        raise InvalidInput(f"${{{text}}} lacks results, artifacts or state", hint=example)
    field = rest[0]["name"]
    if field not in TASK_FIELDS:
        raise InvalidInput(f"${{{text}}}: a task has no {field!r}", hint=did_you_mean(field, TASK_FIELDS))
    path = [_plain(step, text) for step in rest[1:]]
    if field == "state":
        if path:
            raise InvalidInput(f"${{{text}}} leads into a state, which is plain text")
        return Reference("tasks", task=task, instance=instance, field=field, text=text)
    if not path:
        raise InvalidInput(f"${{{text}}} does not say which of the {field}", hint=f"write ${{{text}.name}}")
    if field == "artifacts" and len(path) > 1:
        raise InvalidInput(f"${{{text}}} leads into an artifact", hint="open it in the notebook instead")
    return Reference("tasks", str(path[0]), tuple(path[1:]), task, instance, field, text)


@lru_cache(maxsize=65536)
def parse_template(text: str) -> tuple[str | Reference, ...]:
    """`text` as literal parts and references, in order; ``$${`` comes out as ``${``."""
    parts: list[str | Reference] = []
    literal, position = "", 0
    for hole in _HOLE.finditer(text):
        literal += text[position : hole.start()]
        position = hole.end()
        if hole.group() == "$${":
            literal += "${"
        elif hole["inside"] is None:
            raise InvalidInput(
                f"{text!r} opens ${{ and does not close it", hint="a literal ${ is written $${"
            )
        else:
            if literal:
                parts.append(literal)
            literal = ""
            parts.append(parse_reference(hole["inside"]))
    literal += text[position:]
    if literal or not parts:
        parts.append(literal)
    return tuple(parts)


def escape(text: str) -> str:
    """`text` written so that it comes out of `resolve` as it is."""
    return text.replace("${", "$${")


def references(value: Any) -> list[Reference]:
    """Every reference within strings, lists, tuples and mapping values, in order of appearance."""
    if isinstance(value, str):
        if "${" not in value:
            return []
        return [part for part in parse_template(value) if isinstance(part, Reference)]
    if isinstance(value, Mapping):
        return [reference for item in value.values() for reference in references(item)]
    if isinstance(value, list | tuple):
        return [reference for item in value for reference in references(item)]
    return []


def resolve(value: Any, lookup: Lookup) -> Any:
    """`value` with each reference replaced by what `lookup` finds; its errors pass through."""
    if isinstance(value, str):
        if "${" not in value:
            return value
        parts = parse_template(value)
        if len(parts) == 1 and isinstance(parts[0], Reference):
            return lookup(parts[0])
        return "".join(part if isinstance(part, str) else as_text(lookup(part)) for part in parts)
    if isinstance(value, Mapping):
        return {key: resolve(item, lookup) for key, item in value.items()}
    if isinstance(value, list):
        return [resolve(item, lookup) for item in value]
    if type(value) is tuple:
        return tuple(resolve(item, lookup) for item in value)
    return value


def as_text(value: Any) -> str:
    """How a value stands within other text: strings as they are; truth, null, lists, mappings as JSON."""
    if isinstance(value, str):
        return value
    if value is None or isinstance(value, bool | list | tuple | dict):
        return json.dumps(value, ensure_ascii=False, default=str)
    return str(value)


def follow(value: Any, reference: Reference) -> Any:
    """Go along ``reference.path`` into `value`; `NotFound` names the step that leads nowhere."""
    for step in reference.path:
        if isinstance(value, Mapping):
            if step not in value:
                hint = did_you_mean(str(step), (str(key) for key in value))
                raise NotFound(f"${{{reference}}}: there is no {step!r}", hint=hint)
            value = value[step]
        elif isinstance(value, list | tuple) and isinstance(step, int):
            if not -len(value) <= step < len(value):
                raise NotFound(f"${{{reference}}}: no item {step} in a list of {len(value)}")
            value = value[step]
        else:
            raise NotFound(f"${{{reference}}}: {type(value).__name__} has no {step!r}")
    return value
