"""A notebook as it goes into an image: without outputs, and without lines that install what the image has.

Such a line would fail there, where nothing may be written and nobody is root; it becomes a comment in its place, so
that line numbers hold.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping
from typing import Any

from ..notebooks.files import dump_notebook, encode_text
from . import installs

_MAGIC = re.compile(r"(?P<indent>\s*)(?P<kind>%|!)(?P<command>.*)$")
_MANAGERS = frozenset({"pip", "uv", "conda", "mamba", "micromamba"})
_OF_A_RUN = ("papermill", "widgets")
_ALSO = re.compile(r"(sudo\s+)?apt(-get)?\s+(update|upgrade|clean)\b.*\Z")


def stripped(nb: Mapping[str, Any]) -> bytes:
    """The bytes of its file; the same for notebooks that differ in their outputs only."""
    nb = copy.deepcopy(dict(nb))
    for name in _OF_A_RUN:
        nb["metadata"].pop(name, None)
    for cell in nb["cells"]:
        if cell["cell_type"] == "code":
            cell["outputs"], cell["execution_count"] = [], None
            cell["source"] = without_installs(cell["source"])
            for name in (*_OF_A_RUN, "execution"):
                cell["metadata"].pop(name, None)
    return encode_text(dump_notebook(nb))


def without_installs(source: str) -> str:
    """A cell's source with every line that only installs something as a comment."""
    lines = source.split("\n")
    first = next((line for line in lines if line.strip()), "")
    if first.startswith("%%"):
        return _without_script(source, first)
    made: list[str] = []
    index = 0
    while index < len(lines):
        count = 1
        while lines[index + count - 1].endswith("\\") and index + count < len(lines):
            count += 1
        whole = lines[index : index + count]
        match = _MAGIC.match(" ".join(line.rstrip("\\") for line in whole))
        if match is not None and _installs(match["kind"], match["command"]):
            # An indented line may be all that its block has.
            indent = match["indent"]
            made.append(f"{indent}{'pass  ' if indent else ''}# in the image: {whole[0].strip()}")
            made += [f"{indent}# {line.strip()}" for line in whole[1:]]
        else:
            made += whole
        index += count
    return "\n".join(made)


def _without_script(source: str, first: str) -> str:
    """A shell's cell that does nothing but install is a comment as a whole."""
    if first[2:].split()[:1] not in (["bash"], ["sh"]):
        return source
    body = source.split("\n", 1)[1] if "\n" in source else ""
    lines = [line.strip() for line in body.replace("\\\n", " ").splitlines()]
    commands = [line for line in lines if line and not line.startswith("#") and not line.startswith("set ")]
    if not commands or not all(_is_install(line) for line in commands):
        return source
    return "\n".join(f"# {line}".rstrip() for line in source.split("\n"))


def _installs(kind: str, command: str) -> bool:
    if kind == "%" and command.split()[:1] and command.split()[0] not in _MANAGERS:
        return False
    return _is_install(command.lstrip("!"))


def _is_install(command: str) -> bool:
    parts = [part.strip() for part in re.split(r"&&|;", command) if part.strip()]
    return bool(parts) and all(
        installs.of_command(part, "") is not None or _ALSO.match(part) for part in parts
    )
