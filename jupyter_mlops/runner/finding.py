"""A run that somebody means, and the executed notebook of a task as a file."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from ..blobs import BlobStore
from ..catalog import Catalog
from ..catalog.records import Run, TaskRun
from ..errors import InvalidInput, NotFound, did_you_mean
from .places import notebook_path


def resolve_run(catalog: Catalog, text: str) -> Run:
    """A run by its id, the beginning of its id if only one begins so, or ``latest``."""
    if text in ("latest", "-"):
        newest = catalog.find(Run, order_by="-created_at", limit=1)
        if not newest:
            raise NotFound("there are no runs yet", hint="start one with: jupyter mlops run")
        return newest[0]
    found = catalog.find(Run, where={"run_id": ("prefix", text)}, limit=2)
    exact = [run for run in found if run.run_id == text]
    if exact or len(found) == 1:
        return (exact or found)[0]
    if found:
        raise InvalidInput(f"several runs begin with {text!r}", hint="give more of the id")
    known = [run.run_id for run in catalog.find(Run, order_by="-created_at", limit=20)]
    raise NotFound(f"no run is called {text!r}", hint=did_you_mean(text, known) or "see: jupyter mlops runs")


def task_notebook(catalog: Catalog, blobs: BlobStore, root: Path, run_id: str, task: str) -> Path:
    """The executed notebook of a task as a file, written out if it is not there yet."""
    found = catalog.get(TaskRun, run_id, task)
    path = notebook_path(root, run_id, task)
    if found.notebook:
        content = blobs.read_bytes(found.notebook)
        if not path.exists() or path.read_bytes() != content:
            path.parent.mkdir(parents=True, exist_ok=True)
            temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
            temporary.write_bytes(content)
            os.replace(temporary, path)
    elif not path.exists():
        raise NotFound(f"task {task} of run {run_id} has no executed notebook", hint=f"it is {found.state}")
    return path
