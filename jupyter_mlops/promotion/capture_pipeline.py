"""What a pipeline's notebooks need: one image for each environment that they run in.

Tasks share an image when they share a kernel's environment and ask for the same accelerator: all of them find in it
what they need, in the versions of that one environment. `is_split` makes an image a notebook, but one of those that
come out the same.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from ..errors import InvalidInput
from ..fingerprint import digest_bytes, fingerprint
from ..kernels import interpreter_of
from ..notebooks import files as notebook_files
from ..notebooks.request import read_request
from ..pipelines import Pipeline, Task
from ..resources import ResourceRequest
from .capture import (
    CaptureOptions,
    accelerator_of,
    capture_together,
    read_python_notebook,
    root_of,
    shown,
)
from .captured import Capture

_Key = tuple[str, str, str]  # interpreter, accelerator, notebook where each has its own


def capture_pipeline(
    pipeline: Pipeline, options: CaptureOptions | None = None, *, is_split: bool = False
) -> tuple[Capture, ...]:
    """The captures of a pipeline that was read from a file, in the order of its tasks.

    Raises what `capture_notebook` does, and `InvalidInput` for a pipeline without a file.
    """
    options = options or CaptureOptions()
    if pipeline.path is None:
        raise InvalidInput("only a pipeline of a file can be captured", hint="write it by `to_yaml`")
    path = Path(pipeline.path).absolute()
    root = root_of(path, options)
    groups: dict[_Key, list[Task]] = {}
    for task in pipeline.tasks:
        nb = read_python_notebook(path.parent / task.notebook)
        groups.setdefault(_key(task, nb, options, is_split=is_split), []).append(task)
    captures = [_capture(tasks, key, path, root, options, pipeline.name) for key, tasks in groups.items()]
    return _named(_merged(captures), pipeline.name)


def without_image(pipeline: Pipeline, folder: Path) -> list[list[str]]:
    """The tasks that name no image of their own, those together that share an environment. Quick, since it does not go
    through what notebooks import. Raises what `capture_pipeline` does."""
    groups: dict[_Key, list[str]] = {}
    for task in pipeline.tasks:
        nb = read_python_notebook(folder / task.notebook)
        if not _request(task, nb).image:
            groups.setdefault(_key(task, nb, CaptureOptions(), is_split=False), []).append(task.name)
    return [*groups.values()]


def _key(task: Task, nb: notebook_files.Notebook, options: CaptureOptions, *, is_split: bool) -> _Key:
    python = interpreter_of(task.kernel or options.kernel or notebook_files.kernel_name(nb))
    return python, accelerator_of(_request(task, nb)), task.notebook if is_split else ""


def _request(task: Task, nb: notebook_files.Notebook) -> ResourceRequest:
    return task.resources or read_request(nb, where=task.notebook)


def _capture(
    tasks: Sequence[Task], key: _Key, path: Path, root: Path, options: CaptureOptions, name: str
) -> Capture:
    notebooks = dict.fromkeys(path.parent / task.notebook for task in tasks)
    files: dict[str, bytes | Path] = {shown(path, root): path.read_bytes()}
    for task in tasks:
        for pattern in task.files:
            files |= {shown(found, root): found for found in _matching(path.parent, pattern, root)}
    capture = capture_together(
        [*notebooks], key[0], root=root, options=options, files=files, is_pipeline=True
    )
    return replace(
        capture,
        name=name,
        accelerator=key[1],
        cuda=capture.cuda if key[1] else "",
        tasks={task.name: _below(path, task.notebook, root) for task in tasks},
        source=shown(path, root),
        source_digest=f"sha256:{digest_bytes(path.read_bytes())}",
        reasons={shown(path, root): "the pipeline", **capture.reasons},
    )


def _below(path: Path, notebook: str, root: Path) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(shown(path, root)), notebook))


def _matching(folder: Path, pattern: str, root: Path) -> Iterable[Path]:
    """The files below the root that a task declares."""
    found = sorted(folder.glob(pattern)) if not pattern.startswith("/") else []
    return [one for one in found if one.is_file() and one.resolve().is_relative_to(root.resolve())]


def _merged(captures: Iterable[Capture]) -> list[Capture]:
    """Captures that differ in their tasks only as one."""
    merged: dict[str, Capture] = {}
    for one in captures:
        texts = [requirement.text for requirement in one.requirements]
        same = fingerprint([one.python, one.accelerator, texts, one.lock, one.content()])
        known = merged.get(same)
        merged[same] = replace(known, tasks={**known.tasks, **one.tasks}) if known else one
    return list(merged.values())


def _named(captures: Sequence[Capture], name: str) -> tuple[Capture, ...]:
    """One image has the pipeline's name; of several each is called by its first task, too."""
    if len(captures) == 1:
        return tuple(captures)
    return tuple(replace(one, name=f"{name}-{next(iter(one.tasks))}") for one in captures)
