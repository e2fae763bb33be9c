"""A notebook's code as Python that ``ast`` can read, line for line, without importing IPython.

IPython's additions (``%magic``, ``%%magic``, ``!shell``, ``x = !shell``, ``help?``) become calls of a name
that nobody else uses, `MAGIC`, on the same line: ``%env A=1`` is ``__magic__('line', 'env', 'A=1')``. So line
numbers hold, a magic keeps its place among the statements, and what it assigns is seen to be assigned. Code
that a magic merely times or captures stays code.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from .files import cell_tags

MAGIC = "__magic__"
# Magics whose argument or body is Python in the notebook's own namespace.
_RUNS_CODE = frozenset(
    {"time", "timeit", "prun", "memit", "mprun", "lprun", "debug", "capture", "pyinstrument"}
)
# Ours, whose body is Python in the notebook's own namespace; that of a feature view may be SQL instead.
_DEFINES_FUNCTION = frozenset({"featurize", "predict", "feature_view"})
_ASSIGNED = re.compile(r"(?P<target>\s*[A-Za-z_][\w\s,.:*\[\]'\"()]*=)\s*(?P<kind>[%!])(?P<rest>.*)$")
_MAGIC_LINE = re.compile(r"(?P<indent>\s*)(?P<kind>%%?|!!?)(?P<rest>.*)$")
_HELP = re.compile(
    r"(?P<indent>\s*)(?:\?{1,2}[ \t]*(?P<before>(?:[^?\s].*?)?)"
    r"|(?P<after>(?:\w+\s*=\s*)?[%\w.*]+(?:\[.*\])?)\s*\?{1,2})\s*$"
)
# A first line that is indented, or any line that may be IPython's; most cells have none and are not scanned.
_LOOKS_SPECIAL = re.compile(r"\A\s*^[ \t]+\S|^[ \t]*[%!?,;/]|=[ \t]*[%!]|\?[ \t]*$", re.MULTILINE)
_OPTION = re.compile(r"\s*-{1,2}[A-Za-z][\w-]*(?:[= ]?\d+)?(?=\s|$)")
_OUT_NAME = re.compile(r"(?:--out|--err|-o)[ =]([A-Za-z_]\w*)")
_SKIPPED = "skip-execution"  # nbclient's tag
_TOP_LEVEL_AWAIT = ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT


@dataclass(frozen=True, slots=True)
class CodeCell:
    """A code cell that a run executes. `number` counts all cells from 1; `text` is Python, `tree` its syntax
    (shared, so not to be changed) or None where `error` says why there is none."""

    number: int
    source: str
    text: str
    tree: ast.Module | None
    error: SyntaxError | None
    tags: frozenset[str]


@dataclass(frozen=True, slots=True)
class Magic:
    """One use of a magic, as it stands in a tree: kind is ``line``, ``cell``, ``shell`` or ``help``."""

    kind: str
    name: str
    argument: str
    body: str = ""

    @classmethod
    def read(cls, node: ast.AST) -> Magic | None:
        """The magic that an expression stands for, or None."""
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == MAGIC:
            return cls(*[str(argument.value) for argument in node.args if isinstance(argument, ast.Constant)])
        return None


def code_cells(nb: Mapping[str, Any]) -> list[CodeCell]:
    """The code cells in order, without those that execution skips (tag ``skip-execution``)."""
    cells = []
    for number, cell in enumerate(nb.get("cells", ()), start=1):
        tags = frozenset(cell_tags(cell)) if cell.get("cell_type") == "code" else frozenset({_SKIPPED})
        if _SKIPPED in tags:
            continue
        source = cell.get("source", "")
        source = source if isinstance(source, str) else "".join(source)
        cells.append(CodeCell(number, source, *parse_cell(source), tags))
    return cells


@lru_cache(maxsize=256)  # trees are large: enough for those who ask about the same notebook in turn
def parse_cell(source: str) -> tuple[str, ast.Module | None, SyntaxError | None]:
    """Python text of a cell, its tree, and the error if it is no Python."""
    text = to_python(source) if _LOOKS_SPECIAL.search(source) else source
    try:
        return text, _parse(text), None
    except SyntaxError as error:
        return text, None, error


def _parse(text: str) -> ast.Module:
    try:
        tree = compile(text, "<cell>", "exec", _TOP_LEVEL_AWAIT, dont_inherit=True)
    except ValueError as error:  # null bytes, before Python 3.12
        raise SyntaxError(str(error)) from error
    except (RecursionError, MemoryError) as error:
        raise SyntaxError("nested too deeply") from error
    assert isinstance(tree, ast.Module)  # noqa: S101
    return tree


def to_python(source: str) -> str:
    """The cell as Python with as many lines; what is no Python even so stays as it is."""
    lines = _dedent(source.split("\n"))
    first = next((index for index, line in enumerate(lines) if line.strip()), None)
    if first is None:
        return source
    if lines[first].startswith("%%"):
        return "\n".join(_cell_magic(lines, first))
    return "\n".join(_translate(lines))


def _dedent(lines: list[str]) -> list[str]:
    """IPython takes the indentation of the first line off all lines."""
    first = next((line for line in lines if line.strip()), "")
    margin = first[: len(first) - len(first.lstrip())]
    return [line.removeprefix(margin) for line in lines] if margin else lines


def _cell_magic(lines: list[str], first: int) -> list[str]:
    """A cell magic's line and body: the body stays if it is Python in the notebook's namespace."""
    name, _, argument = lines[first][2:].strip().partition(" ")
    blank, body = [""] * first, lines[first + 1 :]
    if name in _DEFINES_FUNCTION and _is_python("\n".join(body)):
        return [*blank, _call("cell", name, argument), *body]
    if name not in _RUNS_CODE:
        call = _call("cell", name, argument, "\n".join(body), targets=_OUT_NAME.findall(argument))
        return [*blank, call, *[""] * len(body)]
    head = _timed_code(argument)
    if name == "capture":
        targets = [word for word in argument.split()[-1:] if word.isidentifier()]
        head = _call("cell", name, argument, targets=targets) if targets else ""
    return [*blank, head, *_translate(_dedent(body))]


def _translate(lines: list[str]) -> list[str]:
    """Replace each line that is IPython's by a call, and keep lines that are Python."""
    translated: list[str] = []
    quote, depth = "", 0
    index = 0
    while index < len(lines):
        line = lines[index]
        is_inside = quote or depth or (translated and translated[-1].endswith("\\"))
        replaced = None if is_inside else _line(line)
        if replaced is None:
            quote, depth = _scan(line, quote, depth)
            translated.append(line)
            index += 1
            continue
        count = 1
        while line.endswith("\\") and index + count < len(lines):
            line = line[:-1] + lines[index + count]
            count += 1
        translated += [_line(line) or replaced, *[""] * (count - 1)]
        index += count
    return translated


def _line(line: str) -> str | None:
    """The Python for one line, or None if it is Python already."""
    stripped = line.lstrip()
    if not stripped or stripped[0] == "#":
        return None
    if stripped[0] in "%!":
        match = _MAGIC_LINE.match(line)
        return match["indent"] + _magic(match["kind"], match["rest"].strip()) if match else None
    if stripped[0] in ",;/":  # IPython's automatic quoting and calling
        return line[: len(line) - len(stripped)] + _call("line", stripped[0], stripped[1:])
    if "?" in line and (match := _HELP.match(line)):
        return match["indent"] + _call("help", match["before"] or match["after"] or "", "")
    if ("%" in line or "!" in line) and (match := _ASSIGNED.match(line)):
        kind, rest = ("shell", "!") if match["kind"] == "!" else ("line", "")
        name, _, argument = match["rest"].strip().partition(" ")
        if kind == "shell":
            return f"{match['target']} {_call('shell', rest, match['rest'].strip())}"
        code = _timed_code(argument) if name in _RUNS_CODE else ""
        return f"{match['target']} {code or _call('line', name, argument)}"
    return None


def _magic(kind: str, rest: str) -> str:
    if kind.startswith("!"):
        return _call("shell", kind, rest)
    if rest.rstrip().endswith("?"):
        return _call("help", f"%{rest.rstrip('? ')}", "")
    name, _, argument = rest.partition(" ")
    if name in _RUNS_CODE and (code := _timed_code(argument)):
        return code
    if name == "result" and (words := argument.split(None, 1)) and words[0].isidentifier():
        expression = words[1] if len(words) > 1 else words[0]
        if _is_python(f"({expression})"):
            return f"{MAGIC}('line', 'result', {words[0]!r}); ({expression})"
    return _call("line", name, argument)


def _timed_code(argument: str) -> str:
    """The statement that ``%time`` and its like execute, without their options; "" if there is none."""
    code = argument
    while match := _OPTION.match(code):
        code = code[match.end() :]
    code = code.strip()
    return code if code and _is_python(code) else ""


def _is_python(text: str) -> bool:
    try:
        _parse(text)
    except SyntaxError:
        return False
    return True


def _call(kind: str, name: str, argument: str, body: str = "", *, targets: Sequence[str] = ()) -> str:
    """The call that stands for a magic; spaces around and between its words do not count."""
    words = " ".join(argument.split())
    arguments = [kind, name, words, *([body.rstrip()] if body.strip() else [])]
    assigned = "".join(f"{target} = " for target in targets)
    return f"{assigned}{MAGIC}({', '.join(map(repr, arguments))})"


_PARTS = re.compile(r"\"\"\"|'''|\"(?:\\.|[^\"\\])*\"?|'(?:\\.|[^'\\])*'?|#.*|[()\[\]{}]")


def _scan(line: str, quote: str, depth: int) -> tuple[str, int]:
    """What is open at the end of a line: a triple quote ("" if none) and how many brackets."""
    at = 0
    while at < len(line):
        if quote:
            end = line.find(quote, at)
            while end > 0 and (end - len(line[:end].rstrip("\\"))) % 2:
                end = line.find(quote, end + 1)
            if end < 0:
                return quote, depth
            at, quote = end + 3, ""
            continue
        match = _PARTS.search(line, at)
        if match is None:
            break
        part, at = match[0], match.end()
        if part in ('"""', "'''"):
            quote = part
        elif part in "([{":
            depth += 1
        elif part in ")]}":
            depth = max(0, depth - 1)
    return quote, depth
