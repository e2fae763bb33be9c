"""How values are read from YAML nodes: the pieces that the tables in `fields` are made of.

A reader takes the node of a key and gives its value, or notes a problem and gives `BAD`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import InvalidInput, did_you_mean
from ..resources import ResourceRequest
from .source import Node, Reader

NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
PARAMETER_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
TYPES = ("int", "float", "str", "bool", "list", "dict", "date", "datetime", "any")

DURATION = re.compile(
    r"(?=[0-9])(?:([0-9.]+)d)?(?:([0-9.]+)h)?(?:([0-9.]+)m)?(?:([0-9.]+)s)?(?:([0-9.]+)ms)?"
)
_UNITS = (86400.0, 3600.0, 60.0, 1.0, 0.001)
_DURATION_HINT = "write 90, 90s, 10m or 1h30m"
_LONGEST = 3e8  # ten years

BAD: Any = object()  # a reader's answer when it has noted a problem; the field keeps its default


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One key: `attribute` of the value, how it is read and written, its JSON Schema, its documentation."""

    key: str
    attribute: str
    read: Callable[[Reader, Node, str], Any]
    schema: Mapping[str, Any]
    shape: str
    help: str
    write: Callable[[Any], Any] = lambda value: value
    is_required: bool = False
    is_default: bool = False  # may stand under `defaults`


def parse_duration(value: Any) -> float:
    """Seconds, from a number or text such as ``90s``, ``10m``, ``1h30m``, ``1d``; else `InvalidInput`."""
    seconds = math.nan
    if isinstance(value, int | float) and not isinstance(value, bool):
        seconds = float(value)
    elif isinstance(value, str) and (found := DURATION.fullmatch(value.strip().replace(" ", ""))):
        try:
            amounts = [float(amount or 0) for amount in found.groups()]
            seconds = sum(amount * unit for amount, unit in zip(amounts, _UNITS, strict=True))
        except ValueError:  # 1.2.3s
            seconds = math.nan
    if not 0 <= seconds < _LONGEST:
        raise InvalidInput(f"{value!r} is no duration", hint=_DURATION_HINT)
    return seconds


# --- readers --------------------------------------------------------------------------------------------


def read_fields(reader: Reader, node: Node, fields: Sequence[Field], what: str) -> dict[str, Any]:
    """The attributes that a mapping gives; noted are unknown keys and required ones that are missing."""
    if not isinstance(node.value, dict):
        reader.problem(f"{what} must be a mapping, not {node.kind}", node.line, f"known: {_keys(fields)}")
        return {}
    known = {field.key: field for field in fields}
    given: dict[str, Any] = {}
    for key, item in node.value.items():
        field = known.get(key)
        if field is None:
            reader.problem(
                f"{what} has no key {key!r}", node.lines.get(key, item.line), did_you_mean(str(key), known)
            )
            continue
        value = field.read(reader, item, key)
        if value is not BAD:
            given[field.attribute] = value
    for field in fields:
        if field.is_required and field.key not in node.value:
            reader.problem(f"{what} lacks `{field.key}`", node.line, field.help)
    return given


def _keys(fields: Sequence[Field]) -> str:
    return ", ".join(field.key for field in fields)


def wrong(reader: Reader, node: Node, key: str, wanted: str, hint: str = "") -> Any:
    """Note that a key has a value of the wrong kind; the answer is `BAD`."""
    shown = f" ({str(node.value)[:40]!r})" if not isinstance(node.value, dict | list | None) else ""
    reader.problem(f"`{key}` must be {wanted}, not {node.kind}{shown}", node.line, hint)
    return BAD


def read_text(reader: Reader, node: Node, key: str) -> Any:
    """Text that is not empty."""
    if isinstance(node.value, str) and node.value.strip():
        return node.value
    return wrong(reader, node, key, "text", "quote it" if isinstance(node.value, int | float) else "")


def read_plain(reader: Reader, node: Node, key: str) -> Any:
    """Anything, without lines."""
    return node.plain()


def read_whole(reader: Reader, node: Node, key: str) -> Any:
    """A whole number."""
    if isinstance(node.value, int) and not isinstance(node.value, bool):
        return node.value
    return wrong(reader, node, key, "a whole number")


def read_truth(reader: Reader, node: Node, key: str) -> Any:
    """True or false."""
    return node.value if isinstance(node.value, bool) else wrong(reader, node, key, "true or false")


def read_condition(reader: Reader, node: Node, key: str) -> Any:
    """Text of a condition; a bare true or false is one too."""
    if isinstance(node.value, bool):
        return "true" if node.value else "false"
    return read_text(reader, node, key)


def read_duration(reader: Reader, node: Node, key: str) -> Any:
    """Seconds."""
    try:
        return parse_duration(node.value if not isinstance(node.value, dict | list) else node.kind)
    except InvalidInput as error:
        reader.problem(f"`{key}`: {error.message}", node.line, error.hint)
        return BAD


def read_limit(reader: Reader, node: Node, key: str) -> Any:
    """Seconds, more than none."""
    seconds = read_duration(reader, node, key)
    if seconds is not BAD and seconds == 0:
        reader.problem(f"`{key}` must be more than nothing", node.line, f"leave it out, or {_DURATION_HINT}")
        return BAD
    return seconds


def read_count(reader: Reader, node: Node, key: str) -> Any:
    """A whole number up to 100."""
    value = read_whole(reader, node, key)
    if value is not BAD and not 0 <= value <= 100:
        reader.problem(f"`{key}` is {value}; it must be 0 to 100", node.line)
        return BAD
    return value


def read_factor(reader: Reader, node: Node, key: str) -> Any:
    """A number of at least 1."""
    is_number = isinstance(node.value, int | float) and not isinstance(node.value, bool)
    if is_number and 1 <= node.value <= 1000:
        return float(node.value)
    return wrong(reader, node, key, "a factor of 1 to 1000")


def read_one_of(choices: Sequence[str]) -> Callable[[Reader, Node, str], Any]:
    """One of some words."""

    def read(reader: Reader, node: Node, key: str) -> Any:
        if node.value in choices:
            return node.value
        hint = did_you_mean(str(node.value), choices) if isinstance(node.value, str) else ""
        reader.problem(f"`{key}` must be one of {', '.join(choices)}, not {node.plain()!r}", node.line, hint)
        return BAD

    return read


def read_names(reader: Reader, node: Node, key: str) -> Any:
    """A text, or a list of texts."""
    items = node.value if isinstance(node.value, list) else [node]
    texts = [read_text(reader, item, key) for item in items]
    return tuple(text for text in texts if text is not BAD)


def read_arguments(reader: Reader, node: Node, key: str) -> Any:
    """A mapping, whatever its values."""
    if isinstance(node.value, dict):
        return node.plain()
    return wrong(reader, node, key, "a mapping of names to values")


def read_environment(reader: Reader, node: Node, key: str) -> Any:
    """A mapping of names to text; numbers and truth values become text."""
    if not isinstance(node.value, dict):
        return wrong(reader, node, key, "a mapping of names to text")
    texts = {}
    for name, item in node.value.items():
        value = item.value
        if isinstance(value, dict | list) or value is None:
            wrong(reader, item, f"{key}.{name}", "text")
        else:
            texts[str(name)] = str(value).lower() if isinstance(value, bool) else str(value)
    return texts


def read_resources(reader: Reader, node: Node, key: str) -> Any:
    """A `ResourceRequest`, each wrong part told."""
    if not isinstance(node.value, dict):
        return wrong(reader, node, key, "a mapping", "for example {cpu: 2, memory: 4Gi}")
    request = {}
    for name, item in node.value.items():
        try:
            ResourceRequest.parse({name: item.plain()})
            request[name] = item.plain()
        except InvalidInput as error:
            reader.problem(error.message, node.lines.get(name, item.line), error.hint)
    try:
        return ResourceRequest.parse(request)
    except InvalidInput as error:
        reader.problem(error.message, node.line, error.hint)
        return BAD


def read_matrix(reader: Reader, node: Node, key: str) -> Any:
    """A mapping of axes to lists, or to references to lists."""
    if not isinstance(node.value, dict):
        return wrong(reader, node, key, "a mapping of axes to lists", "for example {model: [a, b]}")
    axes = {}
    for axis, item in node.value.items():
        if isinstance(item.value, list) or (isinstance(item.value, str) and "${" in item.value):
            axes[str(axis)] = item.plain()
        else:
            wrong(reader, item, f"{key}.{axis}", "a list of values, or a ${params.…} that holds one")
    return axes


def read_map(reader: Reader, node: Node, key: str) -> Any:
    """A list, or a reference to one."""
    if isinstance(node.value, list) or (isinstance(node.value, str) and "${" in node.value):
        return node.plain()
    return wrong(
        reader, node, key, "a list, or a reference to one", "for example ${tasks.pull.results.regions}"
    )


def table_schema(properties: Sequence[Field]) -> dict[str, Any]:
    """The JSON Schema of a mapping with those keys and no others."""
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": {field.key: {"description": field.help, **field.schema} for field in properties},
        **({"required": required} if (required := [f.key for f in properties if f.is_required]) else {}),
    }


def write_fields(value: Any, fields: Sequence[Field], defaults: Any) -> dict[str, Any]:
    """The keys whose attributes differ from those of `defaults`."""
    return {
        field.key: field.write(getattr(value, field.attribute))
        for field in fields
        if getattr(value, field.attribute) != getattr(defaults, field.attribute)
    }
