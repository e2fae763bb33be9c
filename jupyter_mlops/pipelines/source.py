"""YAML text as plain values that know their line, so that every complaint can point at one.

Scalars follow YAML 1.2, not 1.1: ``on``, ``yes``, ``NO`` are text, ``1:30`` is no number in base 60, a date
stays text until a parameter's type says otherwise. A number with leading zeros (``007``) stays text as well,
for it is a code more often than a number. A key that stands twice is a problem, not a silent loss.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from ..problems import Problem

_TAG = "tag:yaml.org,2002:"
_MOST_NODES = 1_000_000  # aliases of aliases can stand for more than any memory holds
_MOST_DEPTH = 100
_TOO_DEEP = "nested too deeply, or aliases that stand for too much"
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the C parser where PyYAML has it

KINDS = (
    ("null", re.compile(r"(?:~|null|Null|NULL)?")),
    ("bool", re.compile(r"true|True|TRUE|false|False|FALSE")),
    ("int", re.compile(r"[-+]?(?:0|[1-9][0-9]*)|0x[0-9a-fA-F]+|0o[0-7]+")),
    (
        "float",
        re.compile(
            r"[-+]?(?:\.[0-9]+|(?:0|[1-9][0-9]*)(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?"
            r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"
        ),
    ),
)
_MAYBE_NOT_TEXT = frozenset("~nNtTfF-+0123456789.")


@dataclass(frozen=True, slots=True)
class Node:
    """A value and its line (from 1). `value` is a scalar, a list of nodes, or a dict of key → node;
    `lines` has the line of each key of a dict."""

    value: Any
    line: int
    lines: Mapping[Any, int] = field(default_factory=dict)

    def plain(self) -> Any:
        """The value without lines."""
        if isinstance(self.value, dict):
            return {key: node.plain() for key, node in self.value.items()}
        if isinstance(self.value, list):
            return [node.plain() for node in self.value]
        return self.value

    @property
    def kind(self) -> str:
        """What it is, for people: ``a list``, ``text``, ``a number``."""
        kinds = {dict: "a mapping", list: "a list", str: "text", bool: "true or false", type(None): "nothing"}
        return kinds.get(type(self.value), "a number")


class Reader:
    """Gathers the problems of one file on the way; `path` is how the file is named in them."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.problems: list[Problem] = []
        self._count = 0
        self._anchors: dict[str, tuple[Node, int]] = {}

    def problem(self, message: str, line: int, hint: str = "") -> None:
        """Note a problem and go on."""
        self.problems.append(Problem(message=message, where=f"{self.path}:{line}", hint=hint))

    def read(self, text: str) -> Node | None:
        """The document, or None where it cannot be read at all; problems say why."""
        try:
            loader = _Loader(text)
            try:
                return self._document(loader)
            finally:
                loader.dispose()
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            said = error.problem or error.context or "cannot be read"
            line = mark.line + 1 if mark else 1
            if "nesting depth" in said:  # later versions of PyYAML stop before we do
                self.problem(_TOO_DEEP, line)
            else:
                self.problem(f"not YAML: {said}", line, _yaml_hint(said))
        except _Unreadable as error:
            self.problem(str(error), error.line)
        except (yaml.YAMLError, ValueError) as error:
            self.problem(f"not YAML: {' '.join(str(error).split())}", 1)
        return None

    def _document(self, loader: Any) -> Node | None:
        # From the parser's events, since PyYAML's composer recurses in C without a limit and crashes.
        loader.get_event()
        if isinstance(loader.get_event(), yaml.StreamEndEvent):
            self.problem("the file is empty", 1, "start with `name:` and `tasks:`")
            return None
        root = self._node(loader, loader.get_event(), 0)
        loader.get_event()
        after = loader.get_event()
        if not isinstance(after, yaml.StreamEndEvent):
            self.problem(
                "a second document begins",
                after.start_mark.line + 1,
                "a file holds one pipeline: drop the ---",
            )
        return root

    def _node(self, loader: Any, event: Any, depth: int) -> Node:
        line = event.start_mark.line + 1
        if isinstance(event, yaml.AliasEvent):
            if event.anchor not in self._anchors:
                raise _Unreadable(f"*{event.anchor} stands for nothing that is defined before it", line)
            node, size = self._anchors[event.anchor]
            self._count += size
            self._check(depth, line)
            return node
        before = self._count
        self._count += 1
        self._check(depth, line)
        if isinstance(event, yaml.ScalarEvent):
            node = Node(self._scalar(event, line), line)
        elif isinstance(event, yaml.SequenceStartEvent):
            items = []
            while not isinstance(inner := loader.get_event(), yaml.SequenceEndEvent):
                items.append(self._node(loader, inner, depth + 1))
            node = Node(items, line)
        else:
            node = self._mapping(loader, line, depth)
        if event.anchor:
            self._anchors[event.anchor] = (node, self._count - before)
        return node

    def _check(self, depth: int, line: int) -> None:
        if self._count > _MOST_NODES or depth > _MOST_DEPTH:
            raise _Unreadable(_TOO_DEEP, line)

    def _mapping(self, loader: Any, line: int, depth: int) -> Node:
        value: dict[Any, Node] = {}
        lines: dict[Any, int] = {}
        merged: dict[Any, Node] = {}
        while not isinstance(event := loader.get_event(), yaml.MappingEndEvent):
            key_line = event.start_mark.line + 1
            is_merge = isinstance(event, yaml.ScalarEvent) and event.value == "<<" and event.implicit[0]
            key = self._node(loader, event, depth + 1).value
            item = self._node(loader, loader.get_event(), depth + 1)
            if is_merge:
                self._merge(item, key_line, merged)
            elif isinstance(key, list | dict):
                self.problem(
                    "a key must be plain text or a number", key_line, "quote text that begins with { or ["
                )
            elif key in value:
                hint = f"the first is at line {lines[key]}; drop one of them"
                self.problem(f"{key!r} stands twice", key_line, hint)
            else:
                value[key], lines[key] = item, key_line
        for key, item in merged.items():
            if key not in value:
                value[key], lines[key] = item, item.line
        return Node(value, line, lines)

    def _merge(self, node: Node, line: int, into: dict[Any, Node]) -> None:
        """``<<: *defaults``: keys that the mapping itself does not have; the first of a list wins."""
        for source in node.value if isinstance(node.value, list) else [node]:
            if isinstance(source.value, dict):
                for key, item in source.value.items():
                    into.setdefault(key, item)
            else:
                self.problem("<< takes a mapping, such as *defaults", line)

    def _scalar(self, event: Any, line: int) -> Any:
        text: str = event.value
        tag: str = (event.tag or "").removeprefix(_TAG)
        if event.implicit[0] and (text == "" or text[0] in _MAYBE_NOT_TEXT):
            tag = next((kind for kind, pattern in KINDS if pattern.fullmatch(text)), "str")
        if event.implicit[0] or event.implicit[1]:
            tag = tag or "str"
        try:
            match tag:
                case "str" | "!":
                    return text
                case "null":
                    return None
                case "bool":
                    return {"true": True, "false": False}[text.lower()]
                case "int":
                    return int(text, 0)
                case "float":
                    return float(re.sub(r"\.(inf|nan)$", r"\1", text.lower()))
        except (ValueError, KeyError):
            self.problem(f"{text[:40]!r} is no {tag} that can be used", line)
            return None
        self.problem(f"the tag {event.tag!r} is not known", line, "write plain text, numbers, true, false")
        return None


class _Unreadable(Exception):
    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.line = line


def _yaml_hint(said: str) -> str:
    if "mapping values are not allowed" in said:
        return "quote text that contains ': '"
    if "cannot start any token" in said:
        return "indent with spaces, and quote text that begins with % @ ` or a tab"
    if "did not find expected" in said or "could not find expected" in said:
        return "check the indentation and the brackets above"
    return ""
