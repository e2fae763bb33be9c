"""Which files a piece of code opens by names that it spells out, and what of that cannot be told.

Any text in the code may name a file; whether it does is decided later, by whether there is one. What a call writes
is no input, and a call that opens something unknown is told.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from ..notebooks.source import MAGIC
from .literals import evaluate

How = Literal["named", "read", "listed", "written", "unknown"]
_READERS = frozenset(
    {"open", "ExcelFile", "ParquetFile", "loadtxt", "genfromtxt", "fromfile", "imread", "open_dataset", "open_zarr",
     "load_model", "from_file", "parse_file"}
)  # fmt: skip
_READER = re.compile(r"(read|scan)_(?!sql|gbq|clipboard|database)\w+\Z")
_ON_PATHS = frozenset({"read_text", "read_bytes"})  # of a Path
_LISTERS = frozenset({"glob", "iglob", "rglob", "iterdir", "listdir", "scandir", "walk"})
_WRITER = re.compile(
    r"(to|write|sink)_(csv|parquet|excel|json|ndjson|feather|ipc|pickle|hdf|stata|xml|html|latex|orc|zarr|netcdf|markdown"
    r"|file|disk|avro|delta|image|table|dataset|string|text|bytes|png|video)\Z|save\w*\Z|imsave\Z|imwrite\Z|dump\Z"
)
_REMOVES = frozenset({"unlink", "remove", "rmtree", "mkdir", "makedirs", "touch", "rename", "replace"})
_IN_SQL = re.compile(r"'([^'\n]+\.(?:parquet|csv|tsv|json|ndjson)(?:\.gz|\.zst)?)'", re.IGNORECASE)
_LONGEST = 400


@dataclass(frozen=True, slots=True)
class Mention:
    """A `path` (or a glob pattern) in the code; `line` orders them, `call` is the function that was called."""

    path: str
    how: How
    line: int
    call: str = ""


def mentions(tree: ast.Module, known: Mapping[str, str]) -> list[Mention]:
    """All of them in the order of the code."""
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    quiet = {id(inner) for node in calls if _is_magic(node) for inner in ast.walk(node)}
    loops = _loop_names(tree)
    found: list[Mention] = []
    for node in calls:
        if id(node) in quiet:
            continue
        for one, subject in _of_call(node, known, loops):
            found.append(one)
            if one.how == "written" and subject is not None:
                quiet |= {id(inner) for inner in ast.walk(subject)}
    for expression in ast.walk(tree):
        if isinstance(expression, ast.expr) and id(expression) not in quiet:
            found += _named(expression, known)
    return sorted(dict.fromkeys(found), key=lambda one: one.line)


def texts(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """The literal texts with their lines, but for those of magics: URLs are among them."""
    quiet = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and _is_magic(node)
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in quiet:
            yield node.lineno, node.value


def called(node: ast.Call) -> str:
    """The last part of what is called: ``read_csv``."""
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def keyword(node: ast.Call, name: str) -> str:
    """The text that is given by keyword, or ""."""
    for one in node.keywords:
        if one.arg == name and isinstance(one.value, ast.Constant) and isinstance(one.value.value, str):
            return one.value.value
    return ""


def subject_of(node: ast.Call) -> ast.expr | None:
    """What a call opens: its first argument, or the keyword that usually names it."""
    if node.args:
        return node.args[0]
    usual = ("file", "path", "filepath_or_buffer", "filename", "fname", "io", "source", "path_or_buf")
    return next((one.value for one in node.keywords if one.arg in usual), None)


def _is_magic(node: ast.Call) -> bool:
    return isinstance(node.func, ast.Name) and node.func.id == MAGIC


def _of_call(
    node: ast.Call, known: Mapping[str, str], loops: frozenset[str]
) -> Iterator[tuple[Mention, ast.expr | None]]:
    name = called(node)
    owner = node.func.value if isinstance(node.func, ast.Attribute) else None
    place = evaluate(owner, known) if owner is not None else None
    if name in _LISTERS:
        yield from _listed(node, name, place, known)
    elif name in _REMOVES or name in ("write_text", "write_bytes"):
        if place is not None:
            yield Mention(place, "written", node.lineno, name), owner
    elif name in _ON_PATHS or (name == "open" and place is not None):
        if place is not None:
            how: How = "written" if name == "open" and _writes(node, 0) else "read"
            yield Mention(place, how, node.lineno, name), owner
    elif name == "open" and _writes(node, 1):
        yield from _subject(node, known, "written")
    elif name in _READERS or _READER.match(name):
        yield from _subject(node, known, "read", loops)
    elif _WRITER.match(name):
        for argument in [*node.args[:2], *(one.value for one in node.keywords)]:
            if (path := evaluate(argument, known)) and isinstance(argument, ast.expr):
                yield Mention(path, "written", node.lineno, name), argument


def _subject(
    node: ast.Call, known: Mapping[str, str], how: How, loops: frozenset[str] = frozenset()
) -> Iterator[tuple[Mention, ast.expr | None]]:
    subject = subject_of(node)
    if subject is None:
        return
    path = evaluate(subject, known)
    if path is not None:
        yield Mention(path, how, node.lineno, called(node)), subject
    elif (
        how == "read"
        and not (isinstance(subject, ast.Name) and subject.id in loops)
        and not _is_given(subject)
    ):
        yield Mention(ast.unparse(subject)[:60], "unknown", node.lineno, called(node)), subject


def _is_given(subject: ast.expr) -> bool:
    """Whether it is no path by its looks: a buffer, an answer's text, a URL that begins with its scheme."""
    if isinstance(subject, ast.JoinedStr):
        first = subject.values[0] if subject.values else None
        return isinstance(first, ast.Constant) and "://" in str(first.value)
    if isinstance(subject, ast.Call):
        return called(subject) not in ("Path", "join", "joinpath", "str", "format")
    return not isinstance(subject, (ast.Name, ast.BinOp))


def _listed(
    node: ast.Call, name: str, place: str | None, known: Mapping[str, str]
) -> Iterator[tuple[Mention, ast.expr | None]]:
    argument = evaluate(node.args[0], known) if node.args else None
    if name == "iterdir" and place is not None:
        yield Mention(f"{place}/*", "listed", node.lineno, name), None
    elif name in ("glob", "rglob") and place is not None and argument is not None:
        deep = "**/" if name == "rglob" else ""
        yield Mention(f"{place}/{deep}{argument}".lstrip("/") if not place else f"{place}/{deep}{argument}", "listed",
                      node.lineno, name), None  # fmt: skip
    elif name in ("glob", "iglob") and argument is not None:
        yield Mention(argument, "listed", node.lineno, name), None
    elif name in ("listdir", "scandir", "walk") and argument:
        deep = "**/*" if name == "walk" else "*"
        yield Mention(f"{argument}/{deep}", "listed", node.lineno, name), None


def _writes(node: ast.Call, position: int) -> bool:
    mode = keyword(node, "mode")
    if not mode and len(node.args) > position:
        given = node.args[position]
        mode = str(given.value) if isinstance(given, ast.Constant) else ""
    return bool(set(mode) & set("wax"))


def _loop_names(tree: ast.Module) -> frozenset[str]:
    """Names that a loop or ``with`` binds: what they stand for is told where it is listed or opened."""
    targets: list[ast.AST] = []
    for node in ast.walk(tree):
        if isinstance(node, (ast.For, ast.AsyncFor, ast.comprehension)):
            targets.append(node.target)
        elif isinstance(node, ast.withitem) and node.optional_vars is not None:
            targets.append(node.optional_vars)
    return frozenset(
        inner.id for target in targets for inner in ast.walk(target) if isinstance(inner, ast.Name)
    )


def _named(node: ast.expr, known: Mapping[str, str]) -> Iterator[Mention]:
    if isinstance(node, (ast.Name, ast.Attribute)):  # where it was assigned it is spelled out
        return
    text = evaluate(node, known)
    if not text:
        return
    if len(text) <= _LONGEST and "\n" not in text:
        yield Mention(text, "named", node.lineno)
    if "'" in text:
        yield from (Mention(path, "named", node.lineno) for path in _IN_SQL.findall(text))
