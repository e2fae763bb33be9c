"""Which statements of a module run in an image, and which imports it can do without.

``if TYPE_CHECKING:`` never runs, ``if sys.platform == "win32":`` not on Linux; what stands in ``try`` … ``except
ImportError`` is used where it is installed, and what the handler imports instead where it is not.
"""

from __future__ import annotations

import ast
import copy
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

_FORGIVES = frozenset({"ImportError", "ModuleNotFoundError", "Exception", "BaseException"})
_COMPARISONS: Mapping[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Eq: operator.eq, ast.NotEq: operator.ne, ast.Lt: operator.lt, ast.LtE: operator.le,
    ast.Gt: operator.gt, ast.GtE: operator.ge,
}  # fmt: skip
_LINUX: Mapping[str, str] = {"sys.platform": "linux", "os.name": "posix", "platform.system": "Linux"}


@dataclass(frozen=True, slots=True)
class Guarded:
    """Imports that the code survives without; `instead` are those of the handlers, for when they fail."""

    imports: tuple[ast.stmt, ...]
    instead: tuple[ast.stmt, ...]


@dataclass(frozen=True, slots=True)
class Guards:
    """`tree` is what may run, `required` that without the guarded imports."""

    tree: ast.Module
    required: ast.Module
    guarded: tuple[Guarded, ...] = ()


@dataclass(slots=True)
class _Gathering:
    guarded: list[Guarded] = field(default_factory=list)


def split(tree: ast.Module, python: tuple[int, ...]) -> Guards:
    """Split a module's statements for the version `python`; the tree itself stays as it is."""
    alive = _Alive(python).visit(copy.deepcopy(tree))
    gathering = _Gathering()
    required = _Required(gathering).visit(copy.deepcopy(alive))
    return Guards(alive, required, tuple(gathering.guarded))


class _Alive(ast.NodeTransformer):
    """Leaves out the branches that are not taken."""

    def __init__(self, python: tuple[int, ...]) -> None:
        self._python = python

    def visit_If(self, node: ast.If) -> Any:
        decided = _decide(node.test, self._python)
        self.generic_visit(node)
        if decided is None:
            return node
        return node.body if decided else (node.orelse or ast.Pass())


class _Required(ast.NodeTransformer):
    """Takes guarded imports out and keeps note of them."""

    def __init__(self, gathering: _Gathering) -> None:
        self._gathering = gathering

    def visit_Try(self, node: ast.Try) -> Any:
        forgiving = [handler for handler in node.handlers if _forgives(handler.type)]
        if forgiving:
            taken = _take(node.body)
            instead = [one for handler in forgiving for one in _take(handler.body)]
            if taken or instead:
                self._gathering.guarded.append(Guarded(tuple(taken), tuple(instead)))
        return self.generic_visit(node)

    def visit_With(self, node: ast.With) -> Any:
        if any(_suppresses(item.context_expr) for item in node.items) and (taken := _take(node.body)):
            self._gathering.guarded.append(Guarded(tuple(taken), ()))
        return self.generic_visit(node)

    def visit_If(self, node: ast.If) -> Any:
        asks = any(
            isinstance(inner, ast.Call) and _name(inner.func).endswith("find_spec")
            for inner in ast.walk(node.test)
        )
        if asks and (taken := [*_take(node.body), *_take(node.orelse)]):
            self._gathering.guarded.append(Guarded(tuple(taken), ()))
        return self.generic_visit(node)


def _take(body: list[ast.stmt]) -> list[ast.stmt]:
    """Take the imports out of a block; a block keeps one statement."""
    taken = [statement for statement in body if _imports(statement)]
    body[:] = [statement for statement in body if not _imports(statement)] or [ast.Pass()]
    return taken


def _imports(statement: ast.stmt) -> bool:
    if isinstance(statement, (ast.Import, ast.ImportFrom)):
        return True
    value = getattr(statement, "value", None) if isinstance(statement, (ast.Expr, ast.Assign)) else None
    return isinstance(value, ast.Call) and _name(value.func).rpartition(".")[2] in (
        "import_module",
        "__import__",
    )


def _forgives(caught: ast.expr | None) -> bool:
    if caught is None:
        return True
    names = caught.elts if isinstance(caught, ast.Tuple) else [caught]
    return any(_name(name).rpartition(".")[2] in _FORGIVES for name in names)


def _suppresses(context: ast.expr) -> bool:
    return (
        isinstance(context, ast.Call)
        and _name(context.func).rpartition(".")[2] == "suppress"
        and any(_name(argument) in _FORGIVES for argument in context.args)
    )


def _decide(test: ast.expr, python: tuple[int, ...]) -> bool | None:
    """Whether a condition holds on Linux with `python`, if its text tells."""
    if isinstance(test, ast.Constant):
        return bool(test.value)
    if _name(test).rpartition(".")[2] == "TYPE_CHECKING":
        return False
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        inner = _decide(test.operand, python)
        return None if inner is None else not inner
    if isinstance(test, ast.BoolOp):
        return _decide_all(
            [_decide(value, python) for value in test.values], is_and=isinstance(test.op, ast.And)
        )
    if isinstance(test, ast.Call) and isinstance(test.func, ast.Attribute) and test.func.attr == "startswith":
        value, (argument, *_) = _known(test.func.value, python), [*test.args, None]
        if isinstance(value, str) and isinstance(argument, ast.Constant) and isinstance(argument.value, str):
            return value.startswith(argument.value)
    if isinstance(test, ast.Compare) and len(test.ops) == 1:
        left, right = _known(test.left, python), _known(test.comparators[0], python)
        compare = _COMPARISONS.get(type(test.ops[0]))
        if compare is not None and left is not None and type(left) is type(right):
            try:
                return compare(left, right)
            except TypeError:  # tuples of this and that
                return None
    return None


def _decide_all(values: list[bool | None], *, is_and: bool) -> bool | None:
    if any(value is not None and value is not is_and for value in values):
        return not is_and
    return None if None in values else is_and


def _known(node: ast.expr, python: tuple[int, ...]) -> Any:
    """A platform's name, the version, or a literal."""
    called = node.func if isinstance(node, ast.Call) and not node.args else node
    if (text := _LINUX.get(_name(called))) is not None:
        return text
    if _name(node) == "sys.version_info":
        return python
    if isinstance(node, ast.Subscript) and _name(node.value) == "sys.version_info":
        return _part(node.slice, python)
    try:
        value = ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return None
    return value if isinstance(value, (str, int, tuple)) else None


def _part(place: ast.expr, python: tuple[int, ...]) -> Any:
    """``sys.version_info[0]``, ``sys.version_info[:2]``."""
    if isinstance(place, ast.Constant) and isinstance(place.value, int) and place.value in (0, 1):
        return python[place.value]
    if isinstance(place, ast.Slice) and place.lower is None and isinstance(place.upper, ast.Constant):
        return python[: place.upper.value] if isinstance(place.upper.value, int) else None
    return None


def _name(node: ast.expr) -> str:
    """``a.b.c`` for a chain of plain names, else ""."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(parts)]) if isinstance(node, ast.Name) else ""
