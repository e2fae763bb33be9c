"""Changing one field of one task in the text of a ``pipeline.yaml``, and nothing else: comments, order and spelling
stay as somebody wrote them.

The text is cut where the parser says that the field stands. What comes out is read again and must be the same
pipeline but for that field; a file in which that cannot be had (an alias, say) is left for people to edit.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from ..errors import InvalidPipeline, NotFound, did_you_mean
from .spec import parse_pipeline

_AMOUNT = re.compile(r"[0-9]+(\.[0-9]+)?[A-DF-Za-df-z]+")
_BY_HAND = "write it into the file by hand"


def set_task_field(text: str, task: str, key: str, value: Any, *, path: str | Path = "pipeline.yaml") -> str:
    """`text` with the field `key` of `task` set to `value` (plain JSON; None takes the field out).

    Raises `InvalidPipeline` if `text` is no pipeline, the value is none for this field, or the place cannot be
    edited; `NotFound` if there is no such task.
    """
    before = parse_pipeline(text, path)
    if task not in [known.name for known in before.tasks]:
        raise NotFound(
            f"the pipeline {before.name!r} has no task {task!r}",
            hint=did_you_mean(task, [known.name for known in before.tasks]),
        )
    edited = _edit(text, _task_node(text, task), key, value)
    after = parse_pipeline(edited, path)
    kept = {known.name: known for known in before.tasks}
    for known in after.tasks:
        same = {key: getattr(kept[known.name], key)} if known.name == task and hasattr(known, key) else {}
        if dataclasses.replace(known, **same) != kept[known.name]:
            raise InvalidPipeline(
                f"{task}: {key} cannot be set without changing something else", hint=_BY_HAND
            )
    return edited


def _task_node(text: str, task: str) -> Any:
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    entry = _entry(_entry(root, "tasks")[1], task)
    key, node = entry
    if not isinstance(node, yaml.MappingNode) or node.start_mark.index < key.end_mark.index:
        raise InvalidPipeline(f"task {task!r} is written by an alias", hint=_BY_HAND)
    return node


def _entry(node: Any, name: str) -> Any:
    """(key, value) of a mapping; parsing has made sure that it is there."""
    return next((pair for pair in node.value if pair[0].value == name), (None, None))


def _edit(text: str, node: Any, key: str, value: Any) -> str:
    found, old = _entry(node, key)
    if found is not None:
        if old.start_mark.index < found.end_mark.index:
            raise InvalidPipeline(f"{key} is written by an alias", hint=_BY_HAND)
        start, end = found.start_mark.index, _end(old)
        if value is not None:
            return f"{text[:start]}{key}: {_flow(value)}{text[end:]}"
        return _without(text, node, start, end)
    if value is None:
        return text
    if node.flow_style:
        inside = text.index("{", node.start_mark.index) + 1  # an anchor may stand before it
        return f"{text[:inside]}{key}: {_flow(value)}{', ' if node.value else ''}{text[inside:]}"
    line = f"{key}: {_flow(value)}\n"
    first = node.value[0][0].start_mark
    indent = " " * first.column
    _, notebook = _entry(node, "notebook")
    if notebook is not None and notebook.start_mark.line == notebook.end_mark.line:
        place = text.find("\n", notebook.end_mark.index)
        if place < 0:
            return f"{text}\n{indent}{line}"
        return f"{text[: place + 1]}{indent}{line}{text[place + 1 :]}"
    place = first.index
    return f"{text[:place]}{line}{indent}{text[place:]}"


def _without(text: str, node: Any, start: int, end: int) -> str:
    """The field's lines go, its comment too; within braces the comma beside it goes."""
    if node.flow_style:
        rest = text[end:].lstrip(" \t\n")
        if rest.startswith(","):
            return text[:start] + rest[1:].lstrip(" ")
        return text[:start].rstrip(" \t\n").removesuffix(",") + text[end:]
    line_start, line_end = text.rfind("\n", 0, start) + 1, text.find("\n", end)
    after = "" if line_end < 0 else text[line_end + 1 :]
    if text[line_start:start].strip():
        raise InvalidPipeline("this field shares its line with something else", hint=_BY_HAND)
    return text[:line_start] + after


def _end(node: Any) -> int:
    """Where the last token of a value ends: a block ends, for the parser, where the next thing begins."""
    if isinstance(node, yaml.ScalarNode) or node.flow_style or not node.value:
        return int(node.end_mark.index)
    last = node.value[-1]
    return _end(last[1] if isinstance(last, tuple) else last)


def _flow(value: Any) -> str:
    """A value on one line: ``{cpu: 2, memory: 4Gi}``."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{name}: {_flow(item)}" for name, item in value.items()) + "}"
    if isinstance(value, str):
        is_plain = value.replace("_", "").replace("-", "").isalnum() and not value[0].isdigit()
        # An amount such as 4Gi or 500m is plain text to every reader; anything else is quoted.
        is_amount = _AMOUNT.fullmatch(value) is not None
        reserved = value.lower() in ("true", "false", "null", "yes", "no", "on", "off", "y", "n")
        return value if (is_plain and not reserved) or is_amount else _quoted(value)
    return json.dumps(value, ensure_ascii=False)


def _quoted(value: str) -> str:
    """JSON's way of quoting, and YAML's of spelling what it does not take as it is."""
    text = json.dumps(value, ensure_ascii=False)
    return "".join(char if char.isprintable() else f"\\U{ord(char):08x}" for char in text)
