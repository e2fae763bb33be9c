"""Scripts of cells, ``# %%``: notebooks as those write them who live in Vim or VS Code, and as jupytext pairs them.

Reading is all that is done here (what ran is saved as an ``.ipynb``), so it needs no more than this: a header
with metadata, cells with a title, a type, ``key=value`` metadata, and magics that stand in comments. Tests hold it to
what jupytext reads.
"""

from __future__ import annotations

import io
import json
import re
import tokenize
from collections.abc import Iterator, Mapping
from typing import Any

_MARKER = re.compile(r"^# ?%%(?P<depth>%*)(?:\s(?P<rest>.*))?$")
_TYPE = re.compile(r"^(?P<title>[^\[\]{}]*?)\s*\[(?P<type>markdown|md|raw|code)\]\s*(?P<rest>.*)$")
_METADATA = re.compile(r'(?:^|(?<=\s))[A-Za-z_][\w.-]*\s*=\s*(?=[\["{\d]|true|false|null)')
_MAGIC = re.compile(r"^# ?(?P<magic>%{1,2}[A-Za-z_]\S*.*|![A-Za-z./~].*)$")
_TYPES = {"md": "markdown", "markdown": "markdown", "raw": "raw", "code": "code"}
_QUOTES = ('"""', "'''")


def parse_percent(text: str) -> dict[str, Any]:
    """The notebook that a script of cells is. Raises ValueError, with what is wrong, if it is none."""
    lines = text.splitlines()
    metadata, start = _header(lines)
    inside = _within_strings(text)
    marks = [
        index for index in range(start, len(lines)) if index not in inside and _MARKER.match(lines[index])
    ]
    if not marks:
        raise ValueError("no line begins a cell")
    cells = []
    before = _trimmed(lines[start : marks[0]])
    if before:
        cells.append(_cell("code", {}, before))
    for mark, end in zip(marks, [*marks[1:], len(lines)], strict=True):
        kind, own = _marked(lines[mark])
        cells.append(_cell(kind, own, _trimmed(lines[mark + 1 : end])))
    return {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}


def _header(lines: list[str]) -> tuple[dict[str, Any], int]:
    """The notebook's metadata, from the YAML between two ``# ---``, and the line after it."""
    first = 1 if lines and lines[0].startswith("#!") else 0
    if len(lines) <= first or lines[first].rstrip() != "# ---":
        return {}, first
    end = next((i for i in range(first + 1, len(lines)) if lines[i].rstrip() == "# ---"), 0)
    block = lines[first + 1 : end]
    if not end or not all(line.startswith("#") for line in block):
        return {}, first
    import yaml

    try:
        found = yaml.safe_load("\n".join(re.sub(r"^# ?", "", line) for line in block))
    except yaml.YAMLError as error:
        raise ValueError(f"its header is no YAML: {' '.join(str(error).split())}") from error
    told = found.get("jupyter") if isinstance(found, Mapping) else None
    metadata = dict(told) if isinstance(told, Mapping) else {}
    metadata.pop("jupytext", None)  # how it is paired is no matter of the notebook that ran
    return metadata, end + 1


def _marked(line: str) -> tuple[str, dict[str, Any]]:
    """The type of a cell and its metadata, as its first line says them."""
    found = _MARKER.match(line)
    rest = ((found["rest"] if found else "") or "").strip()
    typed = _TYPE.match(rest)
    kind, title = ("code", "") if typed is None else (_TYPES[typed["type"]], typed["title"])
    rest = rest if typed is None else typed["rest"]
    metadata: dict[str, Any] = {}
    if rest.startswith("{"):
        with_braces = _decoded(rest)
        metadata, rest = (dict(with_braces), "") if isinstance(with_braces, Mapping) else ({}, rest)
    keys = list(_METADATA.finditer(rest))
    ends = [each.start() for each in keys[1:]] + [len(rest)]
    for key, end in zip(keys, ends, strict=False):
        value = rest[key.end() : end].strip()
        metadata[key[0].partition("=")[0].strip()] = _decoded(value)
    if typed is None:
        title = rest[: keys[0].start()] if keys else rest
    if title.strip():
        metadata = {"title": title.strip(), **metadata}
    if found is not None and found["depth"]:
        metadata["cell_depth"] = len(found["depth"])
    return kind, metadata


def _decoded(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _cell(kind: str, metadata: dict[str, Any], lines: list[str]) -> dict[str, Any]:
    cell: dict[str, Any] = {"cell_type": kind, "metadata": metadata}
    if kind == "code":
        shown = (_MAGIC.match(line) for line in lines)
        text = [line if found is None else found["magic"] for line, found in zip(lines, shown, strict=True)]
        return {**cell, "source": "\n".join(text), "execution_count": None, "outputs": []}
    return {**cell, "source": "\n".join(_uncommented(lines))}


def _uncommented(lines: list[str]) -> Iterator[str]:
    """Text, which stands in comments, or between three quotes."""
    whole = "\n".join(lines)
    for quotes in _QUOTES:
        if whole.startswith(quotes) and whole.endswith(quotes) and len(whole) >= 6:
            yield whole[3:-3].strip("\n")
            return
    yield from (re.sub(r"^# ?", "", line) for line in lines)


def _trimmed(lines: list[str]) -> list[str]:
    """Without empty lines round it."""
    first = next((i for i, line in enumerate(lines) if line.strip()), len(lines))
    last = next((i for i in range(len(lines), first, -1) if lines[i - 1].strip()), first)
    return lines[first:last]


def _within_strings(text: str) -> set[int]:
    """The lines (from 0) that begin within a string of several lines: nothing there is a marker."""
    inside: set[int] = set()
    open_at: list[int] = []
    try:
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            name = tokenize.tok_name[token.type]
            if name == "STRING":
                inside |= set(range(token.start[0], token.end[0]))
            elif name == "FSTRING_START":  # Python 3.12
                open_at.append(token.start[0])
            elif name == "FSTRING_END" and open_at:
                inside |= set(range(open_at.pop(), token.end[0]))
    except (tokenize.TokenError, SyntaxError):
        pass  # what is no Python, lint says with its place
    return inside
