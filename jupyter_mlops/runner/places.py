"""Where the executed notebooks and the logs of runs lie, for people to open."""

from __future__ import annotations

import hashlib
from pathlib import Path
from urllib.parse import quote

_LONGEST = 150  # file systems take 255 bytes, and a suffix follows


def run_folder(root: Path, run_id: str) -> Path:
    """The folder of a run."""
    return root / ".mlops" / "runs" / run_id


def notebook_path(root: Path, run_id: str, task: str) -> Path:
    """The executed notebook of a task."""
    return run_folder(root, run_id) / f"{file_name(task)}.ipynb"


def log_path(root: Path, run_id: str, task: str, attempt: int) -> Path:
    """What the cells of an attempt wrote."""
    return run_folder(root, run_id) / f"{file_name(task)}.{attempt}.log"


def file_name(task: str) -> str:
    """A task's key as a file name: ``train[model=a]`` stays legible, and nothing in it leaves the folder."""
    name = quote(task, safe="[]=, ")
    if len(name) <= _LONGEST:
        return name
    return f"{name[:_LONGEST]}-{hashlib.sha256(name.encode()).hexdigest()[:12]}"
