"""What Python code does that matters to a run, read from its syntax tree and never executed.

One pass over a file or over a notebook's cells gathers what it imports (at any depth, by ``importlib`` and by
magics too), which files it runs, where it changes the process environment, and what it emits by which name.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from .source import Magic

_LATE = sys.maxsize
# Magics that bring a module with them.
_MAGIC_MODULES = {
    "matplotlib": "matplotlib",
    "pylab": "matplotlib",
    "sql": "sql",
    "R": "rpy2",
    "cython": "Cython",
}
_EMITTERS = {"result": "results", "artifact": "artifacts", "input": "inputs", "glue": "results"}
_OURS = ("jupyter_mlops", "jupyter_mlops.emit", "scrapbook")


@dataclass(frozen=True, slots=True)
class Import:
    """``import module`` (no names) or ``from module import names``; `level` counts the leading dots."""

    module: str
    names: tuple[str, ...] = ()
    level: int = 0

    @property
    def top(self) -> str:
        """The first part of an absolute import, else ""."""
        return "" if self.level else self.module.partition(".")[0]


@dataclass(slots=True)
class Scan:
    """What was found; `positions` pairs imports and environment changes with where they stand, in order."""

    imports: list[Import] = field(default_factory=list)
    runs: list[str] = field(default_factory=list)
    path_additions: list[str] = field(default_factory=list)
    results: set[str] = field(default_factory=set)
    artifacts: set[str] = field(default_factory=set)
    inputs: set[str] = field(default_factory=set)
    emits_unknown: bool = False
    environment_changes: list[int] = field(default_factory=list)
    positions: list[tuple[int, str]] = field(default_factory=list)

    def changes_environment_before_import(self, modules: Iterable[str]) -> bool:
        """Whether the environment is changed before one of `modules` is imported (or may be: an import inside
        a function or a condition counts as late)."""
        first = min(self.environment_changes, default=_LATE)
        wanted = set(modules)
        return any(position > first and module in wanted for position, module in self.positions)


def scan(trees: Sequence[ast.Module]) -> Scan:
    """Scan a file's tree, or the trees of a notebook's cells in order."""
    found = Scan()
    nodes = [(index * 1_000_000, node) for index, tree in enumerate(trees) for node in ast.walk(tree)]
    emitters = _Emitters()
    for base, node in nodes:
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            _add_import(found, node, base)
            emitters.learn(node)
    called: set[int] = set()
    for base, node in nodes:
        if isinstance(node, ast.Call):
            called.add(id(node.func))
            _add_call(found, node, base, emitters)
        elif isinstance(node, (ast.Subscript, ast.AugAssign)) and _changes_environment(node):
            found.environment_changes.append(base + node.lineno)
    found.emits_unknown |= any(
        id(node) not in called and emitters.emits(node) not in ("", "inputs")
        for _, node in nodes
        if isinstance(node, (ast.Attribute, ast.Name)) and isinstance(node.ctx, ast.Load)
    )
    return found


class _Emitters:
    """By which names this code calls ``result``, ``artifact``, ``input`` and scrapbook's ``glue``."""

    def __init__(self) -> None:
        self.modules = {"mlops", "jupyter_mlops", "jupyter_mlops.emit", "mlops.emit", "scrapbook"}
        self.functions: dict[str, str] = {}

    def learn(self, node: ast.Import | ast.ImportFrom) -> None:
        """Take note of the names that an import of ours binds."""
        for alias in node.names:
            if isinstance(node, ast.Import):
                if alias.name in _OURS and alias.asname:
                    self.modules |= {alias.asname, f"{alias.asname}.emit"}
            elif node.module in _OURS and not node.level:
                bound = alias.asname or alias.name
                if alias.name == "emit":
                    self.modules.add(bound)
                elif alias.name == "*":
                    self.functions.update({name: _EMITTERS[name] for name in ("result", "artifact", "input")})
                elif alias.name in _EMITTERS:
                    self.functions[bound] = _EMITTERS[alias.name]

    def emits(self, function: ast.expr) -> str:
        """``results``, ``artifacts`` or ``inputs`` if `function` is one of ours, else ""."""
        if isinstance(function, ast.Name):
            return self.functions.get(function.id, "")
        if isinstance(function, ast.Attribute) and function.attr in _EMITTERS:
            return _EMITTERS[function.attr] if _dotted(function.value) in self.modules else ""
        return ""


def _add_import(found: Scan, node: ast.Import | ast.ImportFrom, base: int) -> None:
    # What is indented may be executed at any later time.
    position = base + node.lineno if node.col_offset == 0 else _LATE
    if isinstance(node, ast.Import):
        imports = [Import(alias.name) for alias in node.names]
    else:
        imports = [Import(node.module or "", tuple(alias.name for alias in node.names), node.level)]
    for one in imports:
        _add(found, one, position)


def _add(found: Scan, one: Import, position: int) -> None:
    found.imports.append(one)
    found.positions.append((position, one.top))


def _add_call(found: Scan, node: ast.Call, base: int, emitters: _Emitters) -> None:
    if magic := Magic.read(node):
        _add_magic(found, magic, base + node.lineno)
        return
    name = _dotted(node.func)
    literal = _literal(node.args[0]) if node.args else None
    if name in ("__import__", "importlib.import_module", "import_module"):
        if literal:
            _add(found, Import(literal.lstrip(".")), base + node.lineno if node.col_offset == 0 else _LATE)
    elif name in ("sys.path.append", "sys.path.insert", "path.append", "path.insert", "site.addsitedir"):
        found.path_additions += [text for text in map(_literal, node.args) if text]
    elif name in ("runpy.run_path", "run_path"):
        found.runs += [literal] if literal else []
    elif _changes_environment(node):
        found.environment_changes.append(base + node.lineno)
    elif kind := emitters.emits(node.func):
        _add_emission(found, kind, node)


def _add_emission(found: Scan, kind: str, node: ast.Call) -> None:
    given = [node.args[0]] if node.args else [word.value for word in node.keywords if word.arg == "name"]
    names = [text for text in map(_literal, given) if text is not None]
    {"results": found.results, "artifacts": found.artifacts, "inputs": found.inputs}[kind].update(names)
    if not names and kind != "inputs":
        found.emits_unknown = True


def _add_magic(found: Scan, magic: Magic, position: int) -> None:
    words = magic.argument.split()
    if magic.kind == "shell" and words[:1] == ["export"]:
        found.environment_changes.append(position)
    if magic.kind not in ("line", "cell"):
        return
    is_setting = len(words) > 1 or "=" in magic.argument  # by itself %env shows a variable
    if magic.name == "dotenv" or (magic.name in ("env", "set_env") and is_setting):
        found.environment_changes.append(position)
    elif magic.name in ("load_ext", "reload_ext") and words:
        _add(found, Import(words[0]), position)
    elif magic.name == "run":
        found.runs += [word.strip("'\"") for word in words if word.strip("'\"").endswith((".py", ".ipynb"))][
            :1
        ]
        if "-m" in words[:-1]:
            _add(found, Import(words[words.index("-m") + 1]), position)
    elif magic.name in ("result", "artifact", "input") and words:
        {"result": found.results, "artifact": found.artifacts, "input": found.inputs}[magic.name].add(
            words[0]
        )
    if magic.name in _MAGIC_MODULES:
        _add(found, Import(_MAGIC_MODULES[magic.name]), position)


def _changes_environment(node: ast.AST) -> bool:
    """``os.environ[…] = …``, ``del``, ``|=``, its changing methods, ``putenv`` and ``load_dotenv``."""
    if isinstance(node, ast.Subscript):
        return not isinstance(node.ctx, ast.Load) and _is_environ(node.value)
    if isinstance(node, ast.AugAssign):
        return _is_environ(node.target)
    if isinstance(node, ast.Call):
        if isinstance(node.func, ast.Attribute) and _is_environ(node.func.value):
            return node.func.attr in ("update", "setdefault", "pop", "clear", "__setitem__")
        return _dotted(node.func).rpartition(".")[2] in ("putenv", "unsetenv", "load_dotenv")
    return False


def _is_environ(node: ast.expr) -> bool:
    return _dotted(node).rpartition(".")[2] == "environ"


def _dotted(node: ast.expr) -> str:
    """``a.b.c`` for a chain of plain names, else ""."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(parts)]) if isinstance(node, ast.Name) else ""


def _literal(node: ast.expr) -> str | None:
    """The text that an expression spells out; ``str(Path("..") / "src")`` does so too."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if (
        isinstance(node, ast.Call)
        and len(node.args) == 1
        and _dotted(node.func) in ("str", "Path", "pathlib.Path")
    ):
        return _literal(node.args[0])
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
        left, right = _literal(node.left), _literal(node.right)
        return None if left is None or right is None else str(PurePosixPath(left, right))
    return None


def top_levels(scans: Iterable[Scan]) -> Iterator[str]:
    """The top-level names of all absolute imports."""
    return (one.top for one_scan in scans for one in one_scan.imports if one.top)
