"""Types of parameters, read from the source of an annotation.

An annotation is never evaluated, since that would run the notebook's imports: it is read by the last part of
its names (``datetime.date``, ``dt.date`` and ``date`` are one). What is not known here is `ANY`, which takes
everything. What may become a value of a kind stands in `.conversion`.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from ..encoding import to_json


@dataclass(frozen=True, slots=True)
class Bounds:
    """A range of numbers; `step` counts from `low`."""

    low: float | None = None
    high: float | None = None
    is_low_open: bool = False
    is_high_open: bool = False
    step: int | None = None

    def holds(self, value: Any) -> bool:
        """Whether `value` lies within; NaN never does."""
        if self.low is not None and not (value > self.low if self.is_low_open else value >= self.low):
            return False
        if self.high is not None and not (value < self.high if self.is_high_open else value <= self.high):
            return False
        return self.step is None or (value - (self.low or 0)) % self.step == 0

    def __str__(self) -> str:
        low = "" if self.low is None else f"{'above' if self.is_low_open else 'from'} {self.low}"
        high = "" if self.high is None else f"{'below' if self.is_high_open else 'to'} {self.high}"
        if high and not low and not self.is_high_open:
            high = f"up to {self.high}"
        step = f"in steps of {self.step}" if self.step else ""
        return " ".join(part for part in (low, high, step) if part)


@dataclass(frozen=True, slots=True)
class Kind:
    """A type: its `name`, the kinds in it (members of a union, items of a container), what narrows it."""

    name: str
    args: tuple[Kind, ...] = ()
    choices: tuple[Any, ...] = ()
    bounds: Bounds | None = None
    is_fixed: bool = False  # a tuple with one kind a place

    def __str__(self) -> str:
        if self.name == "literal":
            return f"{'one of ' if len(self.choices) > 1 else ''}{', '.join(map(repr, self.choices))}"
        if self.name == "union":
            return " or ".join(map(str, self.args))
        name = {"any": "anything", "none": "None", "secret": "a secret"}.get(self.name, self.name)
        if self.args:
            more = ", ..." if name == "tuple" and not self.is_fixed else ""
            name = f"{name}[{', '.join(map(str, self.args))}{more}]"
        return f"{name} {self.bounds}" if self.bounds else name

    def to_json(self) -> dict[str, Any]:
        """The kind as forms and ``--json`` need it; only what is there."""
        members: dict[str, Any] = {"name": self.name}
        if self.args:
            members["args"] = [kind.to_json() for kind in self.args]
        if self.choices:
            members["choices"] = to_json(list(self.choices))
        if self.bounds:
            members["minimum" if not self.bounds.is_low_open else "exclusive_minimum"] = self.bounds.low
            members["maximum" if not self.bounds.is_high_open else "exclusive_maximum"] = self.bounds.high
            members["step"] = self.bounds.step
        return {key: value for key, value in members.items() if value is not None}


ANY = Kind("any")
NONE = Kind("none")


def optional(kind: Kind) -> Kind:
    """`kind`, or None."""
    if kind in (ANY, NONE) or (kind.name == "union" and NONE in kind.args):
        return kind
    return Kind("union", (*(kind.args if kind.name == "union" else (kind,)), NONE))


# Annotations

_NAMES: Mapping[str, str] = {
    "int": "int", "float": "float", "str": "str", "bool": "bool", "complex": "complex", "bytes": "bytes",
    "date": "date", "datetime": "datetime", "time": "time", "timedelta": "timedelta", "Decimal": "Decimal",
    "Path": "Path", "PurePath": "Path", "PosixPath": "Path", "PathLike": "Path",
    "list": "list", "List": "list", "Sequence": "list", "MutableSequence": "list", "Iterable": "list",
    "Collection": "list", "dict": "dict", "Dict": "dict", "Mapping": "dict", "MutableMapping": "dict",
    "tuple": "tuple", "Tuple": "tuple", "set": "set", "Set": "set", "AbstractSet": "set", "MutableSet": "set",
    "frozenset": "frozenset", "FrozenSet": "frozenset", "None": "none", "NoneType": "none",
    "Secret": "secret", "SecretStr": "secret",
}  # fmt: skip
_WRAPPERS = ("Final", "ClassVar", "Required", "NotRequired", "ReadOnly")


def read_annotation(annotation: str | ast.expr | None) -> tuple[Kind, str]:
    """The kind that an annotation means, and the help that it carries (``Annotated[int, "weeks back"]``)."""
    if isinstance(annotation, str):
        try:
            annotation = ast.parse(annotation.strip(), mode="eval").body
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return ANY, ""
    return _read(annotation)


def _read(node: ast.expr | None) -> tuple[Kind, str]:
    if isinstance(node, ast.Constant):
        if isinstance(node.value, str):
            return read_annotation(node.value)
        return (NONE if node.value is None else ANY), ""
    if isinstance(node, ast.Name | ast.Attribute):
        name = _NAMES.get(last_name(node))
        return (Kind(name) if name else ANY), ""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        return _union([node.left, node.right]), ""
    if isinstance(node, ast.Subscript):
        return _read_subscript(node)
    return ANY, ""


def _read_subscript(node: ast.Subscript) -> tuple[Kind, str]:
    name = last_name(node.value)
    items = list(node.slice.elts) if isinstance(node.slice, ast.Tuple) else [node.slice]
    if name == "Annotated" and len(items) > 1:
        return _annotated(items)
    if name in _WRAPPERS:
        return _read(items[0])
    if name == "Optional":
        return optional(_read(items[0])[0]), ""
    if name == "Union":
        return _union(items), ""
    if name == "Literal":
        return _literal(items), ""
    kind = _NAMES.get(name)
    if kind == "tuple":
        is_open = len(items) == 2 and isinstance(items[1], ast.Constant) and items[1].value is Ellipsis
        members = tuple(_read(item)[0] for item in (items[:1] if is_open else items))
        return Kind("tuple", members, is_fixed=not is_open), ""
    if kind in ("list", "set", "frozenset", "dict"):
        return Kind(kind, tuple(_read(item)[0] for item in items)), ""
    return (Kind(kind) if kind else ANY), ""


def last_name(node: ast.AST | None) -> str:
    """The last part of a dotted name, or ""."""
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _union(nodes: list[ast.expr]) -> Kind:
    members: list[Kind] = []
    for kind, _ in map(_read, nodes):
        members += kind.args if kind.name == "union" else (kind,)
    if ANY in members:
        return ANY
    unique = tuple(dict.fromkeys(members))
    return unique[0] if len(unique) == 1 else Kind("union", unique)


def _literal(nodes: list[ast.expr]) -> Kind:
    try:
        choices = tuple(ast.literal_eval(node) for node in nodes)
    except (ValueError, TypeError):  # members of an Enum, which only the notebook knows
        return ANY
    return Kind("literal", choices=choices)


def _annotated(items: list[ast.expr]) -> tuple[Kind, str]:
    """``Annotated[T, …]`` with `range`, annotated-types' and pydantic's bounds by name, and help."""
    kind, help_text = _read(items[0])
    limits: dict[str, Any] = {}
    for item in items[1:]:
        if isinstance(item, ast.Constant) and isinstance(item.value, str):
            help_text = item.value
        elif isinstance(item, ast.Call):
            name, arguments = last_name(item.func), _literal_arguments(item)
            if name in ("Doc", "Field"):
                help_text = str(arguments.get("description", arguments.get(0, help_text)) or "")
            limits |= _limits(name, arguments)
    return _narrowed(kind, limits), help_text.strip()


def _literal_arguments(call: ast.Call) -> dict[int | str, Any]:
    """The arguments that are literals, by place or name."""
    arguments: dict[int | str, Any] = {}
    named: list[tuple[int | str, ast.expr]] = [
        (keyword.arg or "", keyword.value) for keyword in call.keywords
    ]
    for key, node in [*enumerate(call.args), *named]:
        try:
            arguments[key] = ast.literal_eval(node)
        except (ValueError, TypeError):
            continue
    return arguments


def _limits(name: str, arguments: Mapping[int | str, Any]) -> dict[str, Any]:
    if name.lower() in ("ge", "gt", "le", "lt"):
        value = arguments.get(0, arguments.get(name.lower()))
        found = {name.lower(): value}
    elif name in ("Field", "Interval"):
        found = {key: arguments[key] for key in ("ge", "gt", "le", "lt") if key in arguments}
    elif name == "range" and arguments and all(isinstance(value, int) for value in arguments.values()):
        places = range(*arguments.values())
        found = {"ge": places.start, "lt": places.stop, "step": places.step if places.step != 1 else None}
    else:
        found = {}
    return {key: value for key, value in found.items() if isinstance(value, int | float)}


def _narrowed(kind: Kind, limits: Mapping[str, Any]) -> Kind:
    if not limits:
        return kind
    if kind.name == "union":
        return replace(kind, args=tuple(_narrowed(member, limits) for member in kind.args))
    if kind.name not in ("int", "float", "Decimal"):
        return kind
    low, high = limits.get("gt", limits.get("ge")), limits.get("lt", limits.get("le"))
    bounds = Bounds(low, high, "gt" in limits, "lt" in limits, limits.get("step"))
    return replace(kind, bounds=bounds)
