"""The operation that makes a notebook, a pipeline or a model into the folder of an image: a Dockerfile and all that
belongs to it. Images are built from it where there is a builder: `jupyter mlops dockerize --build`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..errors import NotFound
from ..promotion import report
from ..promotion.capture import CaptureOptions
from ..promotion.context import demand_replaceable, write_context
from ..promotion.images import Prepared
from . import files
from .panel import Panel
from .present import problem_body

_MODEL = "models:/"


def dockerize(panel: Panel, asked: Mapping[str, Any]) -> dict[str, Any]:
    """`dockerize`."""
    target = asked["target"]
    if not target.startswith(_MODEL):
        path = panel.places.inside(target, ".ipynb", *files.SUFFIXES)
        if not path.is_file():
            raise NotFound(f"there is no notebook or pipeline {target!r}")
        target = str(path)
    output = panel.places.inside(asked["folder"]) if asked["folder"] else None
    if output is not None and not asked["is_split"]:
        demand_replaceable(output)  # before anything that takes a while
    options = CaptureOptions(is_locked=asked["is_locked"])
    with panel.workspace.images.prepare(target, options=options, is_split=asked["is_split"]) as prepared:
        folders = _write(prepared, output) if output else [None] * len(prepared)
        return {"images": [_body(panel, *each) for each in zip(prepared, folders, strict=True)]}


def _write(prepared: Sequence[Prepared], output: Path) -> list[Path | None]:
    contexts = [one.context() for one in prepared]  # all of them, or none is written
    folders = [output / one.capture.name for one in prepared] if len(prepared) > 1 else [output]
    for folder in folders:
        demand_replaceable(folder)
    for context, folder in zip(contexts, folders, strict=True):
        write_context(context, folder)
    return list(folders)


def _body(panel: Panel, prepared: Prepared, folder: Path | None) -> dict[str, Any]:
    capture = prepared.capture
    return {
        "name": capture.name,
        "kind": capture.kind,
        "folder": panel.places.relative(folder),
        "facts": {name: panel.places.shown(text) for name, text in report.facts(capture).items() if text},
        "sections": [
            {
                "title": section.title,
                "columns": list(section.columns),
                "rows": [[panel.places.shown(cell) for cell in row] for row in section.rows],
            }
            for section in report.sections(capture)
        ],
        "problems": [problem_body(each, panel.places) for each in capture.problems],
    }
