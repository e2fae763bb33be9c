"""``jupyter-mlops`` in an image of a pipeline: its tasks, as other orchestrators start them, and no other command.

The image's files may be read-only and the user anybody, so a task runs in a copy of the project below ``/tmp``, which
ends with the container. What is to last has to be elsewhere: the blob store by which tasks hear of each other, and the
catalog, which is told only if it is named.
"""

from __future__ import annotations

import os
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from ..errors import InvalidSettings, MlopsError
from ..promotion.entry_batch import JOB, copy_project, python_path, read_job
from . import COMMANDS
from .group import Group, report
from .task import task

_HELP = "An image of a pipeline: run one of its tasks. Without a command line it runs a notebook: --help says how."


def main(words: Sequence[str] | None = None) -> NoReturn:
    """Run a command line in a copy of the project; exits with its code."""
    words = list(sys.argv[1:] if words is None else words)
    signal.signal(
        signal.SIGTERM, signal.default_int_handler
    )  # whom nobody handles a first process does not hear
    entries = [entry for entry in COMMANDS if entry.name == task.name]
    group = Group(name="jupyter mlops", package=__package__ or "", entries=entries, help=_HELP)
    try:
        if words[:1] != ["task"] or {"-h", "--help"} & set(words):
            group.main(words)
        _demand_blobs()
        with tempfile.TemporaryDirectory(prefix="mlops-") as folder:
            moved = _move(words, Path(folder, "project"))
            group.main(moved if os.environ.get("MLOPS_CATALOG") else [*moved, "--no-report"])
    except MlopsError as error:
        sys.exit(report(error, is_json="--json" in words))


def _demand_blobs() -> None:
    place = os.environ.get("MLOPS_BLOBS", "")
    if "://" not in place and not place.startswith("/"):
        raise InvalidSettings(
            "the tasks of a run hear of each other by a blob store, and none is named",
            hint="set MLOPS_BLOBS to one that all of them reach: s3://…, or a folder that is mounted",
        )


def _move(words: Sequence[str], copy: Path) -> list[str]:
    """Copy the project and go to where we are in it; the words, with paths into the project meaning the copy."""
    place = Path(os.environ.pop(JOB, "job.json"))
    job = read_job(place)
    project = place.parent / str(job["project"])
    here = Path.cwd()
    copy_project(project, copy)
    os.environ["PYTHONPATH"] = python_path(job, copy)
    if here.is_relative_to(project):
        os.chdir(copy / here.relative_to(project))
    return [
        str(copy / Path(word).relative_to(project)) if Path(word).is_relative_to(project) else word
        for word in words
    ]


if __name__ == "__main__":
    main()
