"""Parameters as a Python cell declares them: names, types, defaults and help, read from its syntax tree.

papermill reads the cell with a regular expression, a line at a time, and so loses ``date(2013, 1, 1)``,
``"http://host/#part"``, ``dict(p=1)`` and dotted annotations. Nothing in the cell is executed here either: a
default is evaluated only if it is a literal or made of a few plain types. A parameter with an annotation and
no value (or ``...``) is required.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path, PurePath
from typing import Any, Final

from ..errors import InvalidNotebook
from .kinds import ANY, Kind, last_name, optional, read_annotation
from .source import MAGIC, parse_cell


class Required:
    """The default of a parameter that has none."""

    def __repr__(self) -> str:
        return "REQUIRED"

    def __reduce__(self) -> str:
        return "REQUIRED"  # one object, in every process


REQUIRED: Final = Required()


@dataclass(frozen=True, slots=True)
class Expression:
    """A default that only the notebook can evaluate, such as ``today() - 7 * day``."""

    source: str


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter. `default`: a value, an `Expression` or `REQUIRED`; `line` counts from 1 in its cell."""

    name: str
    annotation: str = ""
    kind: Kind = ANY
    default: object = REQUIRED
    default_source: str = ""
    help: str = ""
    line: int = 0

    @property
    def is_required(self) -> bool:
        """Whether an argument has to be given."""
        return self.default is REQUIRED


def parse_parameters(source: str, *, where: str = "parameters") -> tuple[Parameter, ...]:
    """The parameters that a Python cell declares at its top level. Raises `InvalidNotebook`."""
    text, tree, error = parse_cell(source)
    if tree is None:
        reason, line = (error.msg, error.lineno or 1) if error else ("invalid syntax", 1)
        raise InvalidNotebook(f"{where}, line {line}: the parameters cell is not Python: {reason}")
    comments = _Comments(text)
    found: dict[str, Parameter] = {}
    for statement in tree.body:
        for parameter in _declared(statement, source, text):
            known = found.get(parameter.name)
            new = _completed(parameter, *comments.of(statement))
            found[new.name] = new if known is None else _merged(known, new)
    return tuple(found.values())


def _declared(statement: ast.stmt, source: str, text: str) -> Iterator[Parameter]:
    """The parameters of one statement; `text` is the cell's Python, `source` what stands in the notebook."""
    if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
        annotation = _annotation_text(statement.annotation)
        kind, help_text = read_annotation(statement.annotation)
        yield Parameter(
            statement.target.id, annotation, kind, *_default(statement.value, source, text), help_text,
            statement.lineno,
        )  # fmt: skip
    if not isinstance(statement, ast.Assign):
        return
    for target in statement.targets:
        for name, value in _pairs(target, statement.value):
            yield Parameter(name, "", ANY, *_default(value, source, text), "", statement.lineno)


def _pairs(target: ast.expr, value: ast.expr) -> Iterator[tuple[str, ast.expr]]:
    """The names and values of an assignment, also of ``a, b = 1, 2``."""
    if isinstance(target, ast.Name):
        yield target.id, value
    elif (
        isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple) and len(target.elts) == len(value.elts)
    ):
        for left, right in zip(target.elts, value.elts, strict=True):
            yield from _pairs(left, right)


def _annotation_text(node: ast.expr) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ast.unparse(node)


def _default(node: ast.expr | None, source: str, text: str) -> tuple[object, str]:
    if node is None or (isinstance(node, ast.Constant) and node.value is Ellipsis):
        return REQUIRED, ""
    written = _written(node, source, text)
    try:
        return evaluate(node), written
    except (ValueError, TypeError, ArithmeticError, RecursionError):
        return Expression(written), written


def _written(node: ast.expr, source: str, text: str) -> str:
    """The source of a default on one line."""
    segment = ast.get_source_segment(text, node) or ""
    if MAGIC in segment:  # IPython's own: as it stands in the cell
        return source.splitlines()[node.lineno - 1].partition("=")[2].strip()
    return ast.unparse(node) if "\n" in segment else segment


_CONSTRUCTORS: Mapping[str, Any] = {
    "date": date, "datetime": datetime, "time": time, "timedelta": timedelta, "Decimal": Decimal,
    "Path": Path, "PurePath": PurePath, "dict": dict, "list": list, "tuple": tuple, "set": set,
    "frozenset": frozenset, "int": int, "float": float, "complex": complex, "str": str, "bool": bool,
}  # fmt: skip


def evaluate(node: ast.expr) -> object:
    """The value of a literal, or of a call of a plain type with such values; else raises ValueError."""
    if isinstance(node, ast.Call) and (build := _CONSTRUCTORS.get(last_name(node.func))) is not None:
        named = {keyword.arg: evaluate(keyword.value) for keyword in node.keywords if keyword.arg}
        if len(named) != len(node.keywords):
            raise ValueError("**")
        return build(*[evaluate(argument) for argument in node.args], **named)
    if isinstance(node, ast.List | ast.Tuple | ast.Set):
        items = [evaluate(item) for item in node.elts]
        return (
            items
            if isinstance(node, ast.List)
            else tuple(items)
            if isinstance(node, ast.Tuple)
            else set(items)
        )
    if isinstance(node, ast.Dict):
        if None in node.keys:
            raise ValueError("**")
        return {
            evaluate(key): evaluate(item) for key, item in zip(node.keys, node.values, strict=True) if key
        }
    return ast.literal_eval(node)


# Comments

_TYPE_COMMENT = re.compile(r"type:\s*(\S+)\s*(.*)")
_DIRECTIVE = re.compile(r"(noqa|type:\s*ignore|pragma|pyright|ruff|fmt|isort|pylint|mypy)\b")
_HEADINGS = ("parameters", "parameter", "params")


class _Comments:
    """The comments of a cell, by line."""

    def __init__(self, text: str) -> None:
        self.beside: dict[int, str] = {}
        self.alone: dict[int, str] = {}
        try:
            for token in tokenize.generate_tokens(io.StringIO(text).readline):
                if token.type == tokenize.COMMENT:
                    words = token.string.lstrip("#").strip()
                    is_alone = not token.line[: token.start[1]].strip()
                    (self.alone if is_alone else self.beside)[token.start[0]] = words
        except (tokenize.TokenError, SyntaxError):
            return

    def of(self, statement: ast.stmt) -> tuple[str, str]:
        """The help of a statement and the type that a comment names (``# type: int``)."""
        last, first = statement.end_lineno or statement.lineno, statement.lineno
        beside = self.beside.get(last) or self.beside.get(first, "")
        if _DIRECTIVE.match(beside):
            beside = ""
        if match := _TYPE_COMMENT.match(beside):
            return match[2], match[1]
        return beside or self._above(first), ""

    def _above(self, line: int) -> str:
        lines: list[str] = []
        while (line := line - 1) in self.alone:
            lines.insert(0, self.alone[line])
        text = " ".join(words for words in lines if words)
        return "" if text.strip(" -=:").casefold() in _HEADINGS else text


def _completed(parameter: Parameter, help_text: str, type_comment: str) -> Parameter:
    """The parameter with what comments add; a default of None allows None."""
    kind, annotation = parameter.kind, parameter.annotation
    if type_comment and not annotation:
        annotation, kind = type_comment, read_annotation(type_comment)[0]
    if parameter.default is None:
        kind = optional(kind)
    return replace(parameter, annotation=annotation, kind=kind, help=help_text or parameter.help)


def _merged(first: Parameter, second: Parameter) -> Parameter:
    """Two statements about one name: ``x: int`` and ``x = 3``."""
    is_typed = bool(second.annotation)
    kind = second.kind if is_typed else optional(first.kind) if second.default is None else first.kind
    has_value = second.default is not REQUIRED
    return Parameter(
        first.name,
        second.annotation or first.annotation,
        kind,
        second.default if has_value else first.default,
        second.default_source if has_value else first.default_source,
        second.help or first.help,
        first.line,
    )
