"""Which of our own files an image needs, and which distributions those need: the import closure of what runs there.

An image carries no installed ``jupyter_mlops``: that would bring JupyterLab, dask and SQLAlchemy along, which
nothing in it uses. It carries the files that its entry imports, found by ``ast`` and never by importing them.
"""

from __future__ import annotations

import ast
import contextlib
import importlib
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import lru_cache
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import NamedTuple

from ..errors import InvalidNotebook
from ..notebooks.files import parse_notebook
from ..notebooks.source import Magic, code_cells

PACKAGE = Path(__file__).parent.parent
NAME = PACKAGE.name
BATCH = f"{NAME}.promotion.entry_batch"
TASK = f"{NAME}.cli.contained"  # of a pipeline: one task of a run that somebody else orchestrates
SERVING = f"{NAME}.serving"
FEATURES = (
    ".serving.entities"  # of a server that looks up features, which imports it when it is told of a store
)

# Their modules are taken one by one; any other room goes whole, since some of its files are started by their
# path, found through a registry or read as data.
_BY_MODULE = {"cli", "promotion"}
# A front end imports what it needs when it is asked for it.
_LATE_ROOMS = {"magics"}
# What a room imports late and cannot do without.
_NEEDED_LATE: Mapping[str, tuple[str, ...]] = {
    "blobs": ("fsspec",),
    "catalog": ("alembic",),
    "emit": ("cloudpickle",),
    "features": ("duckdb", "numpy", "pandas", "pyarrow"),
    "kernels": ("ipykernel", "jupyter_client", "psutil", "zmq"),
    "serving": ("httptools", "numpy", "orjson", "uvloop"),
}


class Shipped(NamedTuple):
    """`files` by their paths below ``lib`` (``jupyter_mlops/errors.py``), `distributions` as indexes call them."""

    files: Mapping[str, bytes]
    distributions: tuple[str, ...]


def entries_of(*, is_pipeline: bool) -> list[str]:
    """What a batch image runs: its notebook, or one of its notebooks by itself or as a task of a run."""
    return [BATCH, TASK] if is_pipeline else [BATCH]


def closure(*entries: str, names: Collection[str] = ()) -> Shipped:
    """What an image needs to run ``python -m entry`` for each of the `entries`.

    `names` are those that its notebooks take from ``jupyter_mlops``: ``artifact``, ``register_model``, or
    ``load_ipython_extension`` for the magics. Each brings the module that it lives in; ``.features`` is a module.
    """
    modules, foreign = _reach([*entries, *(f"{entry}.__main__" for entry in entries), *_homes(names)])
    rooms = {_room(module) for module in modules} - {""}
    for room in rooms:
        foreign |= set(_NEEDED_LATE.get(room, ()))
    files = {_place(path): path.read_bytes() for path in _files(modules, rooms)}
    return Shipped(dict(sorted(files.items())), tuple(sorted(_distributions(foreign))))


def names_used(notebooks: Iterable[bytes], modules: Iterable[bytes] = ()) -> frozenset[str]:
    """The names that notebooks and modules take from ``jupyter_mlops``; what cannot be read takes none."""
    trees = []
    for content in notebooks:
        with contextlib.suppress(InvalidNotebook):
            trees += [cell.tree for cell in code_cells(parse_notebook(content)) if cell.tree is not None]
    for content in modules:
        with contextlib.suppress(SyntaxError, ValueError):
            trees.append(ast.parse(content))
    nodes = [node for tree in trees for node in ast.walk(tree)]
    aliases, found = set(), set()
    for node in nodes:
        if isinstance(node, ast.Import):
            ours = [one for one in node.names if one.name.partition(".")[0] == NAME]
            aliases |= {one.asname or NAME for one in ours}
            found |= {one.name.removeprefix(NAME) for one in ours} - {""}
        elif isinstance(node, ast.ImportFrom) and node.module == NAME and not node.level:
            found |= {one.name for one in node.names}
        elif (
            isinstance(node, ast.ImportFrom) and (node.module or "").startswith(f"{NAME}.") and not node.level
        ):
            found.add((node.module or "").removeprefix(NAME))
        elif (magic := Magic.read(node)) and magic.name == "load_ext" and magic.argument.strip() == NAME:
            found.add("load_ipython_extension")
    for node in nodes:
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in aliases:
            found.add(node.attr)
    return frozenset(found)


def _homes(names: Collection[str]) -> list[str]:
    homes: Mapping[str, str] = vars(importlib.import_module(NAME))["_HOMES"]
    found = {homes[name] for name in names if name in homes}
    found |= {name.removeprefix(".") for name in names if name.startswith(".") and _path(f"{NAME}{name}")}
    if "load_ipython_extension" in names:
        found.add("magics")
    return sorted(f"{NAME}.{home}" for home in found)


def _reach(entries: Collection[str]) -> tuple[set[str], set[str]]:
    """The modules of ours that `entries` import, and the top-level names of what is foreign."""
    reached: set[str] = set()
    foreign: set[str] = set()
    waiting = list(entries)
    while waiting:
        module = waiting.pop()
        if module in reached or _path(module) is None:
            continue
        reached.add(module)
        waiting.append(module.rpartition(".")[0])
        for target in _imports(module):
            top = target.partition(".")[0]
            if top == NAME:
                waiting += [target, target.rpartition(".")[0]]
            elif top not in sys.stdlib_module_names:
                foreign.add(top)
    return reached, foreign


def _imports(module: str) -> Iterator[str]:
    """The absolute names that a module imports when it is imported itself; of a front end's, the late ones too."""
    path = _path(module)
    assert path is not None  # noqa: S101 - who asks has looked
    package = module.split(".") if path.name == "__init__.py" else module.split(".")[:-1]
    tree = ast.parse(path.read_text(encoding="utf-8"))
    nodes = ast.walk(tree) if _room(module) in _LATE_ROOMS else _at_import(tree.body)
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (one.name for one in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            stem = ".".join([*base, *filter(None, [node.module])])
            yield from (f"{stem}.{one.name}" for one in node.names)


def _at_import(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements that an import of the module executes, without those for type checkers."""
    for node in body:
        yield node
        if isinstance(node, ast.If):
            if "TYPE_CHECKING" not in ast.unparse(node.test):
                yield from _at_import(node.body)
            yield from _at_import(node.orelse)
        elif isinstance(node, ast.Try):
            yield from _at_import([*node.body, *node.orelse, *node.finalbody])
        elif isinstance(node, ast.With):
            yield from _at_import(node.body)


def _path(module: str) -> Path | None:
    """The file of a module of ours; None for a name that is no module."""
    base = PACKAGE.joinpath(*module.split(".")[1:])
    for path in (base / "__init__.py", base.with_name(f"{base.name}.py")):
        if module.partition(".")[0] == NAME and path.is_file():
            return path
    return None


def _room(module: str) -> str:
    return module.split(".")[1] if "." in module else ""


def _files(modules: Collection[str], rooms: Collection[str]) -> Iterator[Path]:
    yield from (path for module in modules if (path := _path(module)) is not None)
    for room in rooms:
        folder = PACKAGE / room
        if folder.is_dir() and room not in _BY_MODULE:
            for path in folder.rglob("*"):
                if path.is_file() and "__pycache__" not in path.parts:
                    yield path


def _place(path: Path) -> str:
    return path.relative_to(PACKAGE.parent).as_posix()


def _distributions(modules: Collection[str]) -> set[str]:
    """The distributions that give top-level `modules`; a module that is not installed here stands for its own."""
    known = _installed()
    return {known.get(module, module).lower().replace("_", "-") for module in modules}


@lru_cache(maxsize=1)
def _installed() -> dict[str, str]:
    return {module: found[0] for module, found in packages_distributions().items()}
