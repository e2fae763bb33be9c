"""The body of a cell magic: Python that defines a function, or SQL; told apart by parsing it."""

from __future__ import annotations

import ast
import re
from typing import Any

from ..errors import InvalidInput, did_you_mean

_LIKE_PYTHON = re.compile(
    r"\s*(?:#.*\n\s*)*(?:@|def\s|async\s+def\s|class\s|import\s|from\s+[\w.]+\s+import\b)"
)


def last_function(source: str, name: str | None = None) -> str:
    """The function that a cell defines: `name`, else the last one at its top level; `InvalidInput`."""
    functions = _functions(_parsed(source))
    if name is not None and name not in functions:
        hint = did_you_mean(name, functions) if functions else "write def"
        raise InvalidInput(f"the cell defines no function {name!r}", hint=hint)
    if not functions:
        raise InvalidInput("the cell defines no function", hint="write it with def")
    return name or functions[-1]


def is_python(source: str) -> bool:
    """Whether a cell is Python with a function, and not SQL; `InvalidInput` for Python that does not parse."""
    try:
        return bool(_functions(_parsed(source)))
    except InvalidInput:
        if _LIKE_PYTHON.match(source):
            raise
        return False


def _parsed(source: str) -> ast.Module:
    try:
        return ast.parse(source)
    except SyntaxError as error:
        text = (error.text or "").strip()
        raise InvalidInput(
            f"line {error.lineno} of the cell: {error.msg}" + (f": {text}" if text else "")
        ) from None
    except ValueError as error:  # null bytes
        raise InvalidInput(f"the cell is no Python: {error}") from None


def _functions(tree: ast.Module) -> list[str]:
    return [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]


def execute(shell: Any, source: str) -> None:
    """Run the body in the notebook, so that its functions know their text; what it raises is the user's to see."""
    __tracebackhide__ = True
    text = shell.transform_cell(source)
    name = shell.compile.cache(text, shell.execution_count, raw_code=source)
    exec(compile(text, name, "exec"), shell.user_ns)  # noqa: S102 - the user's cell, in the user's kernel
