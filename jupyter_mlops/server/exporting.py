"""The operation that shows, and writes, a pipeline in the files of another orchestrator."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..errors import NotFound
from ..exporters import TARGETS, Target
from ..exporters.making import make, write
from ..promotion.environments import choose_images
from . import files
from .panel import Panel


def export(panel: Panel, asked: Mapping[str, Any]) -> dict[str, Any]:
    """`exportPipeline`."""
    path = panel.places.inside(asked["path"], *files.SUFFIXES)
    if not path.is_file():
        raise NotFound(f"there is no pipeline {asked['path']!r}")
    folder = panel.places.inside(asked["folder"]) if asked["folder"] else None
    target: Target = TARGETS.get(asked["target"])
    images = choose_images(path, asked["image"].split())
    exported = make(
        path, target, {}, image=images.image, images=images.own, schedule=asked["schedule"],
        timezone=asked["timezone"],
    )  # fmt: skip
    if folder is not None:
        write(exported, folder, is_forced=asked["is_forced"])
    return {
        "target": target.title,
        "folder": panel.places.relative(folder),
        "files": [{"name": name, "text": panel.places.shown(text)} for name, text in exported.files.items()],
        "notes": [panel.places.shown(note) for note in exported.notes],
    }
