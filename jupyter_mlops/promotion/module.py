"""A notebook's marked cells as a Python module: functions that were tried in the notebook, imported in production.

nbdev's directives say which: ``#| export`` at the head of a cell, ``#| exporti`` for what stays internal,
``#| default_exp package.module`` for the module's name. The text depends on those cells only, so running the notebook,
or changing its prose, makes no module stale.
"""

from __future__ import annotations

import ast
import hashlib
import re
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pyflakes import checker, messages

from ..errors import InvalidInput, InvalidNotebook
from ..notebooks.source import CodeCell, Magic, code_cells
from ..problems import Problem, summarize

_DIRECTIVE = re.compile(r"\s*#\s*\|\s*(?P<name>[a-z_]+)(?:\s*:)?[ \t]*(?P<value>.*?)\s*\Z")
_EXPORTS = frozenset({"export", "exports", "exporti"})
_NAME = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*\Z")


@dataclass(frozen=True, slots=True)
class Module:
    """`name` as the notebook says it, or ""; the `text` of the file; `problems` that are warnings."""

    name: str
    text: str
    problems: tuple[Problem, ...] = ()

    @property
    def path(self) -> Path:
        """Where the name puts it: ``package/module.py``."""
        return Path(*self.name.split(".")).with_suffix(".py") if self.name else Path()


@dataclass(frozen=True, slots=True)
class _Block:
    """An exported cell without its directives."""

    cell: CodeCell
    text: str
    offset: int  # lines of the cell before the text
    is_internal: bool


def export_module(nb: Mapping[str, Any], where: str) -> Module:
    """The module of a notebook that messages call `where`.

    Raises one `InvalidNotebook` with all `problems`: nothing is exported, a magic, a name that nothing defines.
    """
    problems: list[Problem] = []
    blocks, name = _read(nb, where, problems)
    if not blocks and not problems:
        raise InvalidNotebook(
            f"{where}: no cell is marked for export",
            hint="begin those that shall be with the line: #| export",
        )
    text, lines = _write(blocks, where) if not problems else ("", {})
    if text:
        problems += _undefined(text, lines, nb, where)
    if any(problem.severity == "error" for problem in problems):
        raise InvalidNotebook(summarize(problems), problems=problems)
    return Module(name, text, tuple(problems))


# --- cells ------------------------------------------------------------------------------------------------


def _read(nb: Mapping[str, Any], where: str, problems: list[Problem]) -> tuple[list[_Block], str]:
    blocks: list[_Block] = []
    name = ""
    for cell in code_cells(nb):
        place = f"{where}, cell {cell.number}"
        directives, text, offset = _directives(cell.source)
        if "default_exp" in directives:
            name = directives["default_exp"]
            if not _NAME.match(name):
                told = f"#| default_exp {name}: that is no name of a module"
                problems.append(
                    Problem(message=told, where=place, hint="as in: #| default_exp flights.features")
                )
        kind = next((each for each in directives if each in _EXPORTS), "")
        if not kind:
            continue
        if directives[kind]:
            told = f"#| {kind} {directives[kind]}: a notebook is exported to one module"
            problems.append(
                Problem(message=told, where=place, hint="put the cell into a notebook of its own")
            )
        problems += _refusals(cell, text, place)
        blocks.append(_Block(cell, text, offset, is_internal=kind == "exporti"))
    return blocks, name


def _directives(source: str) -> tuple[dict[str, str], str, int]:
    """The directives at a cell's head, its source without them, and how many lines that left out."""
    lines = source.split("\n")
    found: dict[str, str] = {}
    count = 0
    for line in lines:
        match = _DIRECTIVE.match(line)
        if match is not None:
            found[match["name"]] = match["value"]
        elif line.strip():
            break
        count += 1
    return found, "\n".join(lines[count:]).rstrip(), count


def _refusals(cell: CodeCell, text: str, place: str) -> Iterator[Problem]:
    """What a module cannot hold."""
    if cell.tree is None:
        yield Problem(message=f"it is no Python: {cell.error and cell.error.msg}", where=place)
        return
    told: set[int] = set()
    for node in ast.walk(cell.tree):
        if not isinstance(node, ast.Call) or node.lineno in told or (magic := Magic.read(node)) is None:
            continue
        told.add(node.lineno)
        line = cell.source.split("\n")[node.lineno - 1].strip()
        hint = "leave it to a cell that is not exported, or say it in Python"
        yield Problem(
            message=f"`{line[:60]}` works in a notebook only ({magic.kind})", where=place, hint=hint
        )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of style, such as an escape that is none
            compile(text, "<cell>", "exec", dont_inherit=True)
    except SyntaxError as error:  # as IPython allows, but a module does not: await outside of a function
        if not told:
            yield Problem(message=f"a module cannot hold this: {error.msg}", where=place)


# --- the text ---------------------------------------------------------------------------------------------


def _write(blocks: Sequence[_Block], where: str) -> tuple[str, dict[int, tuple[int, int]]]:
    """The module's text, and for each of its lines the cell and the line in it."""
    bodies = [_split_future(block.text) for block in blocks]
    digest = hashlib.sha256("\0".join(block.text for block in blocks).encode()).hexdigest()[:16]
    told = f"# Made of the exported cells of {where} by jupyter_mlops: change the notebook, not this file."
    head = [told, f"# sha256:{digest}", ""]
    futures = sorted({line for future, _ in bodies for line in future})
    head += [*futures, ""] if futures else []
    names = sorted({name for block in blocks if not block.is_internal for name in _defined(block)})
    head += _all(names)
    made = list(head)
    lines: dict[int, tuple[int, int]] = {}
    for block, (_, body) in zip(blocks, bodies, strict=True):
        made += ["", ""]
        blank = next((index for index, line in enumerate(body) if line.strip()), 0)
        for number, line in enumerate(body[blank:], start=block.offset + blank + 1):
            made.append(line)
            lines[len(made)] = (block.cell.number, number)
    return "\n".join(made).rstrip() + "\n", lines


def _split_future(text: str) -> tuple[list[str], list[str]]:
    """The ``from __future__`` lines, which a module begins with, and the text with those lines empty."""
    lines = text.split("\n")
    future = []
    for statement in ast.parse(text).body:
        if isinstance(statement, ast.ImportFrom) and statement.module == "__future__":
            future.append(ast.unparse(statement))
            end = statement.end_lineno or statement.lineno
            lines[statement.lineno - 1 : end] = [""] * (end - statement.lineno + 1)
    return future, lines


def _defined(block: _Block) -> Iterator[str]:
    """The public names that a cell defines at its top."""
    for statement in ast.parse(block.text).body:
        names: Iterable[str] = ()
        if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            names = [statement.name]
        elif isinstance(statement, (ast.Assign, ast.AnnAssign)):
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            names = [
                inner.id
                for target in targets
                for inner in ast.walk(target)
                if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store)
            ]
        yield from (name for name in names if not name.startswith("_"))


def _all(names: Sequence[str]) -> list[str]:
    one = f"__all__ = [{', '.join(_quoted(name) for name in names)}]"
    if len(one) <= 100:
        return [one]
    return ["__all__ = [", *(f"    {_quoted(name)}," for name in names), "]"]


def _quoted(name: str) -> str:
    return f'"{name}"'


# --- names ------------------------------------------------------------------------------------------------


def _undefined(
    text: str, lines: Mapping[int, tuple[int, int]], nb: Mapping[str, Any], where: str
) -> list[Problem]:
    """Names that the module uses and nothing in it defines: the notebook's other cells do."""
    found = [
        one for one in checker.Checker(ast.parse(text)).messages if isinstance(one, messages.UndefinedName)
    ]
    elsewhere = _bound_elsewhere(nb) if found else {}
    problems: dict[tuple[str, int], Problem] = {}
    for one in found:
        name = str(one.message_args[0])
        cell, line = lines.get(one.lineno, (0, 0))
        place = f"{where}, cell {cell}, line {line}" if cell else where
        hint = "in a module there is no IPython: import it, or leave it to another cell"
        if name in elsewhere:
            hint = (
                f"cell {elsewhere[name]} defines it, and is not exported: mark it, or pass it as an argument"
            )
        elif name not in ("display", "get_ipython"):
            hint = "define or import it in an exported cell"
        problems.setdefault(
            (name, cell),
            Problem(message=f"nothing that is exported defines {name!r}", where=place, hint=hint),
        )
    return list(problems.values())


def _bound_elsewhere(nb: Mapping[str, Any]) -> dict[str, int]:
    """Name → the first cell that binds it."""
    bound: dict[str, int] = {}
    for cell in code_cells(nb):
        for node in ast.walk(cell.tree) if cell.tree is not None else ():
            names: list[str] = []
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                names = [node.id]
            elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                names = [node.name]
            elif isinstance(node, ast.alias):
                names = [(node.asname or node.name).partition(".")[0]]
            for name in names:
                bound.setdefault(name, cell.number)
    return bound


def is_stale(module: Module, path: Path) -> bool:
    """Whether the file at `path` is not what the notebook says now."""
    try:
        return path.read_text(encoding="utf-8") != module.text
    except FileNotFoundError:
        return True
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"cannot read {path}: {error}") from error
