"""Modules that code names in a call: ``importlib.import_module(NAME)``, ``importlib.util.find_spec("x")``.

The name may be text, a constant, what a loop goes through (``for name in ("a", "b")``), or the parameter of a function
that is called with text (``def has(name): return find_spec(name) is not None``). Nothing is executed.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from .files import called
from .literals import evaluate

_IMPORTS = frozenset({"__import__", "importlib.import_module", "import_module"})
_ASKS = frozenset(
    {"importlib.util.find_spec", "util.find_spec", "find_spec", "pkgutil.find_loader", "find_loader"}
)
_LAST = frozenset(name.rpartition(".")[2] for name in _IMPORTS | _ASKS)

Values = Mapping[str, Sequence[str | None]]
_Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(slots=True)
class Asked:
    """The modules that are `imported` by a call, those that are only `looked_for`, and the calls that are `unknown`."""

    imported: list[str] = field(default_factory=list)
    looked_for: list[str] = field(default_factory=list)
    unknown: list[ast.Call] = field(default_factory=list)


def asked(tree: ast.Module, known: Mapping[str, str], values: Values) -> Asked:
    """What the calls of a tree ask for; `known` are constants, `values` what other names may be (`values_of`)."""
    found = Asked()
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not node.args or called(node) not in _LAST:
            continue
        name = ast.unparse(node.func)
        if name in _IMPORTS or name in _ASKS:
            names = _names(node.args[0], known, values)
            if None in names:
                found.unknown.append(node)
            kept = found.imported if name in _IMPORTS else found.looked_for
            kept += [one for one in names if one and not one.startswith(".")]
    return found


def values_of(trees: Iterable[ast.Module], known: Mapping[str, str]) -> Values:
    """What the variables of loops and the parameters of functions may be, where it is text that the code spells out;
    None among them stands for what it does not."""
    values: dict[str, list[str | None]] = defaultdict(list)
    nodes = [node for tree in trees for node in ast.walk(tree)]
    functions = {node.name: node for node in nodes if isinstance(node, _Function)}
    for node in nodes:
        if isinstance(node, (ast.For, ast.AsyncFor, ast.comprehension)) and isinstance(node.target, ast.Name):
            values[node.target.id] += _items(node.iter, known)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in functions:
            for name, value in _arguments(node, functions[node.func.id]):
                values[name].append(evaluate(value, known))
    return values


def _names(node: ast.expr, known: Mapping[str, str], values: Values) -> list[str | None]:
    if (text := evaluate(node, known)) is not None:
        return [text]
    return [*values.get(node.id, ())] or [None] if isinstance(node, ast.Name) else [None]


def _items(node: ast.expr, known: Mapping[str, str]) -> list[str | None]:
    if isinstance(node, (ast.List, ast.Tuple, ast.Set)):
        return [evaluate(item, known) for item in node.elts]
    return [None]


def _arguments(call: ast.Call, function: _Function) -> Iterator[tuple[str, ast.expr]]:
    """The parameters that a call gives, each with what it gives."""
    yield from zip([one.arg for one in function.args.args], call.args, strict=False)
    yield from ((word.arg, word.value) for word in call.keywords if word.arg)
