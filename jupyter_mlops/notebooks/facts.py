"""What a notebook is, read without running it: the facts on which cache, preload and pre-flight decide.

The digest of the code ignores what does not change what runs: comments, spacing, outputs, prose, cell ids,
execution counts, the borders between cells, and cells that a run injects or skips. Modules that lie beside
the notebook are followed, and those they import in turn, each with the digest of its file. Reading is
remembered by a file's time and size, so a thousand tasks of one notebook read it once.
"""

from __future__ import annotations

import ast
import hashlib
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from ..errors import MlopsError
from ..fingerprint import digest_file
from ..resources import ResourceRequest
from . import files
from .distributions import environment_versions
from .literals import is_python
from .local_modules import follow
from .parameters import Parameter, read_parameters
from .request import read_request
from .scan import Scan, scan, top_levels
from .source import CodeCell, code_cells

__all__ = ["NotebookFacts", "environment_versions", "inspect_notebook", "inspect_source"]


@dataclass(frozen=True, slots=True, kw_only=True)
class NotebookFacts:
    """See the fields.

    - `code_digest`: of the normalized code; for other languages than Python, of its text.
    - `modules`: top-level names of all that is imported, by local modules too.
    - `local_modules`: path relative to the notebook's folder (``../src/x.py``) → digest of the file.
    - `third_party`: the modules that are neither local nor of the standard library, sorted.
    - `preload`: what of `third_party` the code imports, as a zygote takes it: ``matplotlib.pyplot`` or, for
      ``from sklearn import svm, tree``, ``sklearn:svm,tree``.
    - `sets_environment`: the environment is changed before a third-party module is imported, which a kernel
      that has imported it already would not notice.
    - `resources`: what it asks for in its metadata.
    - `results`, `artifacts`, `inputs`: names that the code emits or opens, as far as it spells them out;
      `emits_unknown`: it may emit under other names as well.
    """

    path: Path
    kernel_name: str
    language: str
    parameters: tuple[Parameter, ...]
    code_digest: str
    modules: frozenset[str]
    local_modules: Mapping[str, str]
    third_party: tuple[str, ...]
    preload: tuple[str, ...]
    sets_environment: bool
    results: frozenset[str]
    artifacts: frozenset[str]
    inputs: frozenset[str]
    emits_unknown: bool
    resources: ResourceRequest


@dataclass(frozen=True, slots=True)
class _Own:
    """What stands in the notebook file itself."""

    kernel_name: str
    language: str
    parameters: tuple[Parameter, ...]
    code_digest: str
    scan: Scan
    is_readable: bool
    resources: ResourceRequest


def inspect_notebook(path: Path | str) -> NotebookFacts:
    """The facts about the notebook at `path`.

    Raises `NotFound` and `InvalidNotebook`. Code that is no Python is left to `lint` to tell.
    """
    path = Path(path).absolute()
    own = _own(str(path), *_look(path)) if path.is_file() else _read(path)
    return _facts(path, own)


def inspect_source(nb: Mapping[str, Any], folder: Path) -> NotebookFacts:
    """The facts about a notebook that is at hand, as if it lay in `folder`."""
    return _facts(folder.absolute() / "notebook.ipynb", _own_of(nb, "notebook"))


def _facts(path: Path, own: _Own) -> NotebookFacts:
    local = follow(own.scan, path.parent, _scan_path)
    scans = [own.scan, *local.scans.values()]
    modules = frozenset(top_levels(scans))
    foreign = modules - sys.stdlib_module_names
    third_party = foreign - local.names
    return NotebookFacts(
        path=path,
        kernel_name=own.kernel_name,
        language=own.language,
        parameters=own.parameters,
        code_digest=own.code_digest,
        modules=modules,
        local_modules=_digests(local.scans, path.parent),
        third_party=tuple(sorted(third_party)),
        preload=tuple(sorted(_preload(scans, third_party))),
        sets_environment=own.scan.changes_environment_before_import(foreign)
        or any(one.environment_changes for one in local.scans.values()),
        results=frozenset[str]().union(*(one.results for one in scans)),
        artifacts=frozenset[str]().union(*(one.artifacts for one in scans)),
        inputs=frozenset[str]().union(*(one.inputs for one in scans)),
        emits_unknown=not own.is_readable or any(one.emits_unknown for one in scans),
        resources=own.resources,
    )


def _preload(scans: Iterable[Scan], third_party: frozenset[str]) -> Iterator[str]:
    for one in {one for scanned in scans for one in scanned.imports}:
        if not one.level and one.top in third_party:
            names = ",".join(name for name in one.names if name != "*")
            yield f"{one.module}:{names}" if names else one.module


def _look(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_mtime_ns, found.st_size


@lru_cache(maxsize=2048)
def _own(path: str, mtime_ns: int, size: int) -> _Own:
    return _read(Path(path))


def _read(path: Path) -> _Own:
    return _own_of(files.load_notebook(path), path.name)


def _own_of(nb: Mapping[str, Any], name: str) -> _Own:
    kernel_name, language = files.kernel_name(nb), files.language(nb)
    parameters, request = read_parameters(nb, where=name), read_request(nb, where=name)
    if not is_python(kernel_name, language):
        return _Own(
            kernel_name, language, parameters, _digest_text(nb), Scan(), is_readable=False, resources=request
        )
    cells = [cell for cell in code_cells(nb) if "injected-parameters" not in cell.tags]
    found = scan([cell.tree for cell in cells if cell.tree is not None])
    is_readable = all(cell.tree is not None for cell in cells)
    return _Own(kernel_name, language, parameters, _digest_code(cells), found, is_readable, request)


# --- the code's digest ------------------------------------------------------------------------------------


def _digest_code(cells: Iterable[CodeCell]) -> str:
    """Statements in order, without what does not matter to them; the parameters cell is marked as one."""
    hasher = hashlib.sha256(b"python")
    for cell in cells:
        if "parameters" in cell.tags:
            hasher.update(b"\0parameters\0")
        if cell.tree is None:
            hasher.update(cell.source.encode("utf-8", "surrogatepass"))
            continue
        for statement in cell.tree.body:
            hasher.update(ast.dump(statement).encode("utf-8", "surrogatepass") + b"\n")
        if "parameters" in cell.tags:
            hasher.update(b"\0end\0")
    return hasher.hexdigest()


def _digest_text(nb: Mapping[str, Any]) -> str:
    hasher = hashlib.sha256(files.language(nb).encode())
    for cell in nb["cells"]:
        if cell["cell_type"] == "code" and "injected-parameters" not in files.cell_tags(cell):
            lines = [line.rstrip() for line in cell["source"].splitlines() if line.strip()]
            text = "\n".join([*files.cell_tags(cell), "", *lines, ""])
            hasher.update(text.encode("utf-8", "surrogatepass"))
    return hasher.hexdigest()


# --- local modules ----------------------------------------------------------------------------------------


def _digests(paths: Iterable[Path], folder: Path) -> dict[str, str]:
    """Each file's digest by its path relative to `folder`."""
    return {
        Path(os.path.relpath(path, folder)).as_posix(): _digest(str(path), *_look(path))
        for path in sorted(paths)
    }


def _scan_path(path: Path) -> Scan:
    return _scan_file(str(path), *_look(path))


@lru_cache(maxsize=8192)
def _digest(path: str, mtime_ns: int, size: int) -> str:
    return digest_file(path)


@lru_cache(maxsize=8192)
def _scan_file(path: str, mtime_ns: int, size: int) -> Scan:
    """The scan of a module, script or notebook; empty if it cannot be read, which running it will tell."""
    try:
        if path.endswith(".ipynb"):
            return scan(
                [cell.tree for cell in code_cells(files.load_notebook(path)) if cell.tree is not None]
            )
        return scan([ast.parse(Path(path).read_bytes())])
    except (MlopsError, SyntaxError, ValueError, RecursionError, OSError):
        return Scan(emits_unknown=True)
