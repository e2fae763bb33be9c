"""What paths a piece of code spells out, by evaluating the few expressions that paths are written with.

``Path("data") / "x.csv"``, ``os.path.join(HERE, "x.csv")``, ``f"{FOLDER}/x.csv"``, ``Path(__file__).parent``: what is
known is text, anything else is unknown (None). Nothing is executed.
"""

from __future__ import annotations

import ast
import posixpath
from collections import Counter
from collections.abc import Iterable, Mapping

_PATHS = frozenset({"Path", "PurePath", "PosixPath", "PurePosixPath"})
_SAME = frozenset({"resolve", "absolute", "expanduser", "as_posix", "abspath", "realpath", "fspath", "str"})
_FOLDERS = frozenset({"cwd", "getcwd", "curdir"})


def constants(trees: Iterable[ast.Module], *, file: str = "") -> Mapping[str, str]:
    """The names that are bound once, at the top, to text that is known; `file` is what ``__file__`` is."""
    trees = list(trees)
    stores = Counter(
        node.id
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)
    )
    known: dict[str, str] = {"__file__": file} if file else {}
    for tree in trees:
        for statement in tree.body:
            targets, value = _assigned(statement)
            text = evaluate(value, known) if value is not None else None
            for target in targets:
                if text is not None and isinstance(target, ast.Name) and stores[target.id] == 1:
                    known[target.id] = text
    return known


def _assigned(statement: ast.stmt) -> tuple[list[ast.expr], ast.expr | None]:
    if isinstance(statement, ast.Assign):
        return statement.targets, statement.value
    if isinstance(statement, ast.AnnAssign):
        return [statement.target], statement.value
    return [], None


def evaluate(node: ast.expr, known: Mapping[str, str]) -> str | None:
    """The text or path that an expression stands for, if it can be told."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if isinstance(node, ast.Name):
        return known.get(node.id)
    if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Div, ast.Add)):
        left, right = evaluate(node.left, known), evaluate(node.right, known)
        if left is None or right is None:
            return None
        return posixpath.join(left, right) if isinstance(node.op, ast.Div) else left + right
    if isinstance(node, ast.JoinedStr):
        return _joined([_formatted(value, known) for value in node.values], "")
    if isinstance(node, ast.Attribute):
        base = evaluate(node.value, known) if node.attr == "parent" else None
        return _parent(base) if base is not None else None
    if isinstance(node, ast.Subscript):
        return _ancestor(node, known)
    return _called(node, known) if isinstance(node, ast.Call) else None


def _formatted(node: ast.expr, known: Mapping[str, str]) -> str | None:
    if isinstance(node, ast.FormattedValue):
        is_plain = node.conversion == -1 and node.format_spec is None
        return evaluate(node.value, known) if is_plain else None
    return evaluate(node, known)


def _ancestor(node: ast.Subscript, known: Mapping[str, str]) -> str | None:
    """``path.parents[1]``."""
    if not isinstance(node.value, ast.Attribute) or node.value.attr != "parents":
        return None
    base = evaluate(node.value.value, known)
    if base is None or not isinstance(node.slice, ast.Constant) or not isinstance(node.slice.value, int):
        return None
    for _ in range(node.slice.value + 1):
        base = _parent(base)
    return base


def _parent(path: str) -> str:
    """The folder of a path; that of the folder where the code runs is ``..``."""
    if path in ("", "."):
        return ".."
    return f"{path}/.." if posixpath.basename(path) == ".." else posixpath.dirname(path)


def _called(node: ast.Call, known: Mapping[str, str]) -> str | None:
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    if node.keywords and name not in _SAME:
        return None
    arguments = [evaluate(argument, known) for argument in node.args]
    owner = evaluate(node.func.value, known) if isinstance(node.func, ast.Attribute) else None
    if name in _FOLDERS and not node.args:
        return ""
    if name in _PATHS or (name == "join" and owner is None):
        return _joined(arguments, "/") if arguments else ""
    if name == "joinpath" and owner is not None:
        return _joined([owner, *arguments], "/")
    if name == "dirname" and arguments and arguments[0] is not None:
        return _parent(arguments[0]) if arguments[0] else ""
    if name in _SAME:
        return owner if owner is not None else (arguments[0] if len(arguments) == 1 else None)
    return None


def _joined(parts: list[str | None], by: str) -> str | None:
    texts = [part for part in parts if part is not None]
    if len(texts) < len(parts):
        return None
    return posixpath.join(*texts) if by == "/" else "".join(texts)
