"""What the code of a notebook or a module asks for, each with the place that asks for it; read, never executed.

Built on `notebooks.scan`, which says what is imported: here a cell is looked at by itself, so that a report can
name it, and imports that the code can do without are kept apart.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ..notebooks.scan import Import, Scan, scan
from ..notebooks.source import Magic, code_cells
from ..problems import Problem
from . import installs
from .asked import Values, asked, values_of
from .files import Mention, called, keyword, mentions, subject_of, texts
from .guards import Guards, split
from .installs import Installs
from .literals import constants, evaluate

_ON_PATH = frozenset({"append", "insert", "addsitedir"})
_PATH_CALLS = frozenset(
    {"sys.path.append", "sys.path.insert", "path.append", "path.insert", "site.addsitedir"}
)
_SHELLS = frozenset({"system", "getoutput", "run", "call", "check_call", "check_output", "Popen"})


@dataclass(frozen=True, slots=True)
class Imported:
    """A dotted `module` that is imported at `where`.

    `is_optional`: the code does without it. `unless`: it is imported only when one of these is missing.
    """

    module: str
    where: str
    is_optional: bool = False
    unless: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Called:
    """A call by its last name, with the engine and the path that it spells out."""

    name: str
    engine: str
    path: str
    where: str


@dataclass(slots=True)
class Reading:
    """All of it; `scan` is for following local modules, `written_modules` are those that ``%%writefile`` writes,
    `looked_for` the top-level names that the code asks for before it imports them, `local` those that mean files of the
    user's own here."""

    scan: Scan = field(default_factory=Scan)
    imports: list[Imported] = field(default_factory=list)
    installs: list[Installs] = field(default_factory=list)
    mentions: list[tuple[Mention, str]] = field(default_factory=list)  # with the place
    calls: list[Called] = field(default_factory=list)
    texts: list[tuple[str, str]] = field(default_factory=list)  # with the place
    written_modules: dict[str, str] = field(default_factory=dict)
    looked_for: set[str] = field(default_factory=set)
    local: frozenset[str] = frozenset()
    problems: list[Problem] = field(default_factory=list)

    @property
    def libraries(self) -> frozenset[str]:
        """The top-level names of what is imported."""
        return frozenset(one.module.partition(".")[0] for one in self.imports)


def read_notebook(nb: Mapping[str, Any], name: str, python: tuple[int, ...]) -> Reading:
    """Read the code cells of a notebook that messages call `name`, for a version of Python."""
    reading = Reading()
    cells = [cell for cell in code_cells(nb) if "injected-parameters" not in cell.tags]
    trees = []
    reading.installs += _declared(nb, name)
    for cell in cells:
        where = f"{name}, cell {cell.number}"
        if (declared := installs.of_script(cell.source, where)) is not None:
            reading.installs.append(declared)
        if cell.tree is None:
            told = f"it is no Python ({cell.error and cell.error.msg}), so what it needs is not known"
            reading.problems.append(Problem(message=told, where=where, severity="warning"))
        else:
            trees.append((cell.tree, where))
    _read(reading, trees, python)
    return reading


def _declared(nb: Mapping[str, Any], name: str) -> Iterator[Installs]:
    """What the notebook's metadata ask for: ``metadata.mlops.requirements``, a list of requirements."""
    group = nb.get("metadata", {}).get("mlops")
    asked = group.get("requirements") if isinstance(group, Mapping) else None
    if asked is None:
        return
    if not isinstance(asked, list) or not all(isinstance(one, str) for one in asked):
        told = "metadata.mlops.requirements is no list of requirements"
        yield Installs(problems=(Problem(message=told, where=name, hint='as in ["pandas>=2"]'),))
        return
    yield Installs(requirements=tuple(installs.Install(one, name, "metadata") for one in asked))


def read_module(content: bytes, name: str, python: tuple[int, ...], *, file: str) -> Reading:
    """Read a module's or script's source; `file` is its path relative to where the code will run."""
    reading = Reading()
    try:
        text = content.decode("utf-8-sig")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of style, such as an escape that is none
            tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError) as error:
        told = f"it is no Python ({error}), so what it needs is not known"
        reading.problems.append(Problem(message=told, where=name, severity="warning"))
        return reading
    if (declared := installs.of_script(text, name)) is not None:
        reading.installs.append(declared)
    _read(reading, [(tree, name)], python, file=file)
    return reading


@dataclass(frozen=True, slots=True)
class Imports:
    """A scan's imports as dotted names."""

    scan: Scan

    def __iter__(self) -> Iterator[str]:
        for one in self.scan.imports:
            if not one.level and one.module:
                names = [name for name in one.names if name != "*"]
                yield from [f"{one.module}.{name}" for name in names] or [one.module]


def _read(
    reading: Reading, trees: Sequence[tuple[ast.Module, str]], python: tuple[int, ...], *, file: str = ""
) -> None:
    guards = [(split(tree, python), where) for tree, where in trees]
    known = constants([each.tree for each, _ in guards], file=file)
    values = values_of([each.tree for each, _ in guards], known)
    reading.scan = scan([each.tree for each, _ in guards])
    for each, where in guards:
        reading.imports += [Imported(module, where) for module in Imports(scan([each.required]))]
        for guarded in each.guarded:
            tried = tuple(Imports(_scan_of(guarded.imports)))
            reading.imports += [Imported(module, where, is_optional=True) for module in tried]
            otherwise = Imports(_scan_of(guarded.instead))
            reading.imports += [Imported(module, where, unless=tried) for module in otherwise]
        _read_asked(reading, each, where, known, values)
        reading.mentions += [(one, where) for one in mentions(each.tree, known)]
        reading.texts += [(text, where) for _, text in texts(each.tree)]
        _read_calls(reading, each.tree, where, known)
    reading.imports = [
        replace(one, is_optional=one.is_optional or one.module.partition(".")[0] in reading.looked_for)
        for one in reading.imports
    ]


def _read_asked(
    reading: Reading, guards: Guards, where: str, known: Mapping[str, str], values: Values
) -> None:
    """The modules that calls name: code that asks whether one is there does without it."""
    found = asked(guards.tree, known, values)
    required = {*asked(guards.required, known, values).imported}
    for module in dict.fromkeys([*found.imported, *found.looked_for]):
        one = Imported(module, where, is_optional=module not in required)
        reading.imports += [one] if one not in reading.imports else []
        reading.scan.imports.append(Import(module))  # it may be a module of the user's own
    reading.looked_for |= {module.partition(".")[0] for module in found.looked_for}
    for node in found.unknown:
        told = f"asks for a module whose name is known only when it runs: {ast.unparse(node)[:80]}"
        hint = "name its distribution in a `# /// script` block"
        reading.problems.append(Problem(message=told, where=where, hint=hint, severity="warning"))


def _scan_of(statements: Iterable[ast.stmt]) -> Scan:
    return scan([ast.Module(list(statements), type_ignores=[])])


def _read_calls(reading: Reading, tree: ast.Module, where: str, known: Mapping[str, str]) -> None:
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in ("style", "plot"):
            reading.calls.append(Called(node.attr, "", "", where))
        if not isinstance(node, ast.Call):
            continue
        if magic := Magic.read(node):
            _read_magic(reading, magic, where)
            continue
        name, subject = called(node), subject_of(node)
        path = evaluate(subject, known) if subject is not None else None
        reading.calls.append(Called(name, keyword(node, "engine"), path or "", where))
        if name in _ON_PATH and ast.unparse(node.func) in _PATH_CALLS:
            found = [evaluate(argument, known) for argument in node.args]
            reading.scan.path_additions += [one for one in found if one is not None]
        _read_shell(reading, node, name, where)


def _read_shell(reading: Reading, node: ast.Call, name: str, where: str) -> None:
    """What Python code installs by a shell; where it changes the folder that paths are relative to."""
    if name == "chdir" and ast.unparse(node.func) == "os.chdir":
        _tell_moved(reading, where)
    line = ""
    if name in _SHELLS and node.args:
        first = node.args[0].elts if isinstance(node.args[0], (ast.List, ast.Tuple)) else node.args[:1]
        line = " ".join(
            str(one.value) if isinstance(one, ast.Constant) else f"{{{ast.unparse(one)}}}" for one in first
        )
    elif name == "run_line_magic" and all(isinstance(one, ast.Constant) for one in node.args):
        line = " ".join(str(one.value) for one in node.args if isinstance(one, ast.Constant))
    if line and (found := installs.of_command(line, where)) is not None:
        reading.installs.append(found)
        told = f"`{line[:60]}` installs when the notebook runs, which an image does not allow"
        hint = "write it as %pip install …: that is left out where the image has it"
        reading.problems.append(Problem(message=told, where=where, hint=hint, severity="warning"))


def _tell_moved(reading: Reading, where: str) -> None:
    told = "it changes the working directory: files are looked for in the notebook's folder all the same"
    reading.problems.append(Problem(message=told, where=where, severity="warning"))


def _read_magic(reading: Reading, magic: Magic, where: str) -> None:
    if magic.kind == "cell" and magic.name in ("writefile", "file") and magic.body:
        path = magic.argument.split()[-1].strip("'\"")
        if path.endswith(".py"):
            before = reading.written_modules.get(path, "") if "-a" in magic.argument.split() else ""
            reading.written_modules[path] = f"{before}{magic.body}\n"
        return
    if magic.kind == "line" and magic.name == "cd":
        _tell_moved(reading, where)
    if magic.kind == "line" and magic.name == "matplotlib":
        reading.calls.append(Called("%matplotlib", magic.argument, "", where))
    if magic.kind == "line" and magic.name in ("artifact", "input"):  # the magics of ours
        reading.calls.append(Called(magic.name, "", "", where))
    for line in _commands(magic):
        if (found := installs.of_command(line, where)) is not None:
            reading.installs.append(found)


def _commands(magic: Magic) -> list[str]:
    """The lines of a shell that a magic runs."""
    if magic.kind == "shell":
        return [magic.argument]
    if magic.kind == "line" and magic.name in ("pip", "conda", "mamba", "micromamba", "uv"):
        return [f"{magic.name} {magic.argument}"]
    if magic.kind == "line" and magic.name in ("sx", "system"):
        return [magic.argument]
    if magic.kind == "cell" and magic.name in ("bash", "sh", "script", "!", "system", "sx"):
        return magic.body.replace("\\\n", " ").splitlines()
    return []
