"""The operations that show, and write, a pipeline in the files of another orchestrator."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..cron import parse_cron
from ..errors import NotFound
from ..exporters import TARGETS, Target
from ..exporters.making import make, write
from ..image_names import parse_reference
from ..pipelines import Pipeline, load_pipeline
from ..promotion.environments import TaskImages, choose_images, environments_of
from . import files
from .failures import at_field
from .panel import Panel


def environments(panel: Panel, asked: Mapping[str, Any]) -> dict[str, Any]:
    """`listEnvironments`."""
    found = environments_of(load_pipeline(_pipeline_file(panel, asked["path"])))
    return {"items": [{"name": name, "tasks": list(tasks)} for name, tasks in found.items()]}


def export(panel: Panel, asked: Mapping[str, Any]) -> dict[str, Any]:
    """`exportPipeline`."""
    path = _pipeline_file(panel, asked["path"])
    with at_field("folder"):
        folder = panel.places.inside(asked["folder"]) if asked["folder"] else None
    target: Target = TARGETS.get(asked["target"])
    _check_schedule(asked["schedule"], asked["timezone"])
    pipeline = load_pipeline(path)
    images = _images(panel, pipeline, asked)
    with at_field("image", about="without a container image"):
        exported = make(
            pipeline, target, {}, image=images.image, images=images.own, notes=images.notes,
            schedule=asked["schedule"], timezone=asked["timezone"],
        )  # fmt: skip
    if folder is not None:
        with at_field("folder"):
            write(exported, folder, is_forced=asked["is_forced"])
    return {
        "target": target.title,
        "folder": panel.places.relative(folder),
        "files": [{"name": name, "text": panel.places.shown(text)} for name, text in exported.files.items()],
        "notes": [panel.places.shown(note) for note in exported.notes],
    }


def _pipeline_file(panel: Panel, text: str) -> Path:
    path = panel.places.inside(text, *files.SUFFIXES)
    if not path.is_file():
        raise NotFound(f"there is no pipeline {text!r}")
    return path


def _check_schedule(schedule: str, timezone: str) -> None:
    with at_field("timezone"):
        parse_cron("@daily", timezone)
    if schedule:
        with at_field("schedule"):
            parse_cron(schedule, timezone)


def _images(panel: Panel, pipeline: Pipeline, asked: Mapping[str, Any]) -> TaskImages:
    """The image of each task. All that can be wrong with a field is found before notebooks are looked at."""
    named = {name: image for name, image in (asked["images"] or {}).items() if image}
    for name, image in {"": asked["image"], **named}.items():
        with at_field(f"images.{name}" if name else "image"):
            if image:
                parse_reference(image)
    with at_field("built"):
        built = panel.places.inside(asked["built"]) if asked["built"] else None
        if built is not None:
            choose_images(pipeline, [], built)
    given = [*filter(None, [asked["image"]]), *(f"{name}={image}" for name, image in named.items())]
    return choose_images(pipeline, given, built)
