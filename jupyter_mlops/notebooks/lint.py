"""Problems of a notebook's code that would stop a run: syntax errors and undefined names.

pyflakes reads all code cells as one module, in order, as a run executes them; IPython's magics are understood
(see `source`). Matters of style and unused names are not our business here. Where a magic or ``exec`` may
define names that cannot be seen, an undefined name is a warning only.
"""

from __future__ import annotations

import ast
import builtins
import re
import sys
import threading
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal

from pyflakes import checker, messages

from ..errors import did_you_mean
from ..problems import Problem
from . import files
from .literals import is_python
from .source import MAGIC, CodeCell, Magic, code_cells

# What IPython puts into a notebook's namespace.
_IPYTHON = [
    "get_ipython",
    "display",
    "In",
    "Out",
    "_",
    "__",
    "___",
    "_i",
    "_ii",
    "_iii",
    "_ih",
    "_oh",
    "_dh",
    "exit",
    "quit",
]
_HISTORY = re.compile(r"_i?\d+")
_FILLS_NAMESPACE = frozenset(
    {"run", "pylab", "load", "loadpy", "store", "sql", "bigquery", "R", "autopx", "px"}
)
_lock = threading.Lock()
_Found = tuple[int, int, Problem]  # cell, line
_SYNTAX: dict[type[messages.Message], str] = {
    messages.ReturnOutsideFunction: "'return' outside a function",
    messages.YieldOutsideFunction: "'yield' outside a function",
    messages.ContinueOutsideLoop: "'continue' outside a loop",
    messages.BreakOutsideLoop: "'break' outside a loop",
    messages.DefaultExceptNotLast: "an 'except:' for everything is not the last one",
    messages.TwoStarredExpressions: "two starred expressions in an assignment",
    messages.TooManyExpressionsInStarredAssignment: "too many expressions in a starred assignment",
}
_USUAL_IMPORTS = {
    "np": "import numpy as np",
    "pd": "import pandas as pd",
    "pl": "import polars as pl",
    "plt": "import matplotlib.pyplot as plt",
    "sns": "import seaborn as sns",
    "mlops": "import jupyter_mlops as mlops",
    "Path": "from pathlib import Path",
}  # fmt: skip


def lint(
    nb: Mapping[str, Any], name: str = "notebook", *, known_names: Collection[str] = ()
) -> list[Problem]:
    """The problems of `nb`, in order; `name` is what messages call it: ``train.ipynb, cell 3, line 2``.

    Cells are counted from 1, prose included. `known_names` are defined from outside, as arguments are that
    the notebook does not declare. Other languages than Python have no problems.
    """
    if not is_python(files.kernel_name(nb), files.language(nb)):
        return []
    cells = code_cells(nb)
    # A newer Python than ours may understand what ours does not.
    severity: Literal["error", "warning"] = "warning" if _is_for_newer_python(nb) else "error"
    broken = [cell for cell in cells if cell.error is not None]
    problems = [
        (cell.number, cell.error.lineno or 1, _syntax_error(cell, name, severity))
        for cell in broken
        if cell.error
    ]
    whole = [cell for cell in cells if cell.tree is not None]
    problems += _check(whole, broken, name, {*known_names, *_declared(whole)})
    return [problem for _, _, problem in sorted(problems, key=lambda found: found[:2])]


def _is_for_newer_python(nb: Mapping[str, Any]) -> bool:
    information = nb.get("metadata", {}).get("language_info", {})
    match = re.match(r"(\d+)\.(\d+)", str(information.get("version", "")))
    return match is not None and (int(match[1]), int(match[2])) > sys.version_info[:2]


def _where(name: str, cell: int, line: int) -> str:
    return f"{name}, cell {cell}, line {line}"


def _syntax_error(cell: CodeCell, name: str, severity: Literal["error", "warning"]) -> Problem:
    error = cell.error
    assert error is not None  # noqa: S101
    line = error.lineno or 1
    lines = cell.source.split("\n")
    text = lines[line - 1].strip() if 0 < line <= len(lines) else ""
    shown = f" in `{text}`" if text else ""
    return Problem(
        message=f"{error.msg or 'invalid syntax'}{shown}",
        where=_where(name, cell.number, line),
        severity=severity,
    )


def _declared(cells: Iterable[CodeCell]) -> Iterator[str]:
    """Parameters without a value (``week: int``), which a run injects."""
    for cell in cells:
        if "parameters" in cell.tags and cell.tree is not None:
            for statement in cell.tree.body:
                if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
                    yield statement.target.id


class _Checker(checker.Checker):  # type: ignore[misc]
    """pyflakes, keeping the node of each finding, and without what takes half of its time and finds nothing
    that we would report: checks of formats and comparisons, visits to nodes that hold no name."""

    BINOP = COMPARE = checker.Checker.handleChildren

    def __init__(self, tree: ast.Module, known: Collection[str]) -> None:
        self.found: list[tuple[type[messages.Message], Sequence[Any]]] = []
        super().__init__(tree, builtins=known)

    def addBinding(self, node: ast.AST | None, value: Any) -> None:  # noqa: N802 - pyflakes calls it so
        if node is None:  # a builtin, of which there are so many that looking for earlier ones takes a while
            self.scope[value.name] = value
        else:
            super().addBinding(node, value)

    def ATTRIBUTE(self, node: ast.Attribute) -> None:  # noqa: N802 - pyflakes calls it so
        self.handleNode(node.value, node)

    def CALL(self, node: ast.Call) -> None:  # noqa: N802
        for part in (node.func, *node.args):
            self.handleNode(part, node)
        for keyword in node.keywords:
            self.handleNode(keyword.value, node)

    def report(self, message: type[messages.Message], *details: Any) -> None:  # overrides pyflakes' own
        self.found.append((message, details))


def _check(
    cells: Sequence[CodeCell], broken: Sequence[CodeCell], name: str, known: Collection[str]
) -> list[_Found]:
    with _lock:  # some versions of pyflakes write into the trees, which others may be checking
        tree = ast.Module(body=[statement for cell in cells for statement in _body(cell)], type_ignores=[])
        found = _Checker(tree, {*_IPYTHON, MAGIC, *known}).found
    found = [one for one in found if one[0] is messages.UndefinedName or one[0] in _SYNTAX]
    if not found:
        return []
    number_of = {id(node): cell.number for cell in cells for node in ast.walk(ast.Module(_body(cell), []))}
    is_open = _fills_namespace(cells)
    may_be_defined = {word for cell in broken for word in re.findall(r"[^\W\d]\w*", cell.source)}
    problems = []
    for message, details in found:
        number, line = number_of.get(id(details[0])), details[0].lineno
        if number is None:  # within a quoted annotation, which nothing evaluates
            continue
        where = _where(name, number, line)
        if message is not messages.UndefinedName:
            if not isinstance(details[0], ast.Await):  # IPython allows it outside of functions
                problems.append((number, line, Problem(message=_SYNTAX[message], where=where)))
        elif details[1] not in may_be_defined and not _HISTORY.fullmatch(details[1]):
            problem = Problem(
                message=f"undefined name {details[1]!r}",
                where=where,
                hint=_hint(details[1], cells, number),
                severity="warning" if is_open else "error",
            )
            problems.append((number, line, problem))
    return problems


def _body(cell: CodeCell) -> list[ast.stmt]:
    return cell.tree.body if cell.tree is not None else []


def _fills_namespace(cells: Iterable[CodeCell]) -> bool:
    """Whether names may appear that no statement shows."""
    for cell in cells:
        text = cell.text
        if not any(word in text for word in (MAGIC, "exec", "globals", "locals")) or cell.tree is None:
            continue
        for node in ast.walk(cell.tree):
            magic = Magic.read(node)
            if magic is not None and magic.name in _FILLS_NAMESPACE:
                return True
            if isinstance(node, ast.Name) and node.id in ("exec", "globals", "locals"):
                return True
    return False


def _hint(undefined: str, cells: Iterable[CodeCell], number: int) -> str:
    """How to mend it: where the name is defined later, what it resembles, or its usual import."""
    bound: dict[str, int] = {}
    for cell in cells:
        for name in _bound(cell):
            bound.setdefault(name, cell.number)
    if bound.get(undefined, 0) > number:
        return f"it is defined in cell {bound[undefined]} only; a run executes cells from top to bottom"
    if undefined in _USUAL_IMPORTS:
        return _USUAL_IMPORTS[undefined]
    near = did_you_mean(undefined, [*bound, *dir(builtins)])
    return near if near.startswith("did you mean") else ""


def _bound(cell: CodeCell) -> Iterator[str]:
    for node in ast.walk(cell.tree) if cell.tree is not None else ():
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield node.name
        elif isinstance(node, ast.alias):
            yield (node.asname or node.name).partition(".")[0]
