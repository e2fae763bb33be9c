"""Which files of a folder are a project's own: not those of tools, environments and checkpoints."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

PIPELINE_FILES = ("pipeline.yaml", "pipeline.yml")
_NOT_OURS = ("node_modules", "__pycache__", "site-packages", "build", "dist")


def is_ours(folder: Path) -> bool:
    """Whether a folder may hold files of the project."""
    return not (folder.name.startswith(".") or folder.name in _NOT_OURS or (folder / "pyvenv.cfg").is_file())


def notebooks_below(root: Path) -> list[Path]:
    """The notebooks of a project, in order."""
    return sorted(path for path in _files_below(root) if path.suffix == ".ipynb")


def pipelines_below(root: Path) -> list[Path]:
    """The pipelines of a project, in order; `root` may be the file of one."""
    if root.is_file():
        return [root] if root.suffix in (".yaml", ".yml") else []
    return sorted(path for path in _files_below(root) if path.name in PIPELINE_FILES)


def _files_below(root: Path) -> Iterator[Path]:
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if is_ours(Path(folder, name)))
        yield from (Path(folder, name) for name in names)
