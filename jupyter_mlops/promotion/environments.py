"""Which image each task of a pipeline runs in: one for all, or one for each of its environments.

The environments are those that `dockerize PIPELINE` makes images of, by the names that it gives them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import InvalidInput, NotFound, did_you_mean
from ..fingerprint import digest_bytes
from ..image_names import parse_reference
from ..pipelines import Pipeline, load_pipeline
from .capture import CaptureOptions
from .capture_pipeline import capture_pipeline

_Environments = Mapping[str, Sequence[str]]  # name → tasks


@dataclass(frozen=True, slots=True)
class TaskImages:
    """`image` is that of all tasks but those that have one of their `own`, by the task's name."""

    image: str = ""
    own: Mapping[str, str] = field(default_factory=dict)


def choose_images(path: Path, given: Sequence[str], built: Path | None = None) -> TaskImages:
    """The images of the pipeline at `path`. What is `given` is ``IMAGE`` for all tasks, or ``ENVIRONMENT=IMAGE`` for
    those of one environment, which counts before it; `built` is a file that ``dockerize PIPELINE --json`` wrote.

    Raises `InvalidInput`, `NotFound` for an environment that there is not, and what the captures raise.
    """
    image, named = _read(given)
    if built is None and not named:
        return TaskImages(image)
    pipeline = load_pipeline(path)
    if built is None:
        environments, images = _environments(pipeline), named
    else:
        environments, images = _read_built(built, path)
        images = {**images, **named}
    for name in named:
        if name not in environments:
            raise NotFound(
                f"the pipeline {pipeline.name!r} has no environment {name!r}",
                hint=did_you_mean(name, environments),
            )
    own = {task: images[name] for name, tasks in environments.items() if name in images for task in tasks}
    found = {task.name: own.get(task.name, image) for task in pipeline.tasks}
    if all(found.values()) and image not in found.values():
        image = next(iter(found.values()))
    return TaskImages(image, {task: its for task, its in found.items() if its != image})


def _read(given: Sequence[str]) -> tuple[str, dict[str, str]]:
    """The image of all, and the others by their environments. No name of an image has a "="."""
    found: dict[str, str] = {}
    for text in given:
        environment, is_named, image = text.rpartition("=")
        if is_named and not environment:
            raise InvalidInput(
                f"{text!r} names no environment", hint="ENVIRONMENT=IMAGE, or IMAGE for all tasks"
            )
        if environment in found:
            what = f"the environment {environment!r}" if environment else "all tasks"
            raise InvalidInput(
                f"there are two images for {what}: {found[environment]} and {image}",
                hint="" if environment else "one for an environment of the pipeline is ENVIRONMENT=IMAGE",
            )
        parse_reference(image)
        found[environment] = image
    return found.pop("", ""), found


def _environments(pipeline: Pipeline) -> _Environments:
    captures = capture_pipeline(pipeline, CaptureOptions(is_locked=False))
    return {one.name: tuple(one.tasks) for one in captures}


def _read_built(file: Path, path: Path) -> tuple[_Environments, dict[str, str]]:
    """The environments of the pipeline at `path`, and what was built of them."""
    again = f"jupyter mlops dockerize {path.name} --push IMAGE --json > {file.name}"
    environments: dict[str, Sequence[str]] = {}
    images: dict[str, str] = {}
    digest = f"sha256:{digest_bytes(path.read_bytes())}"
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
        if not document["images"]:
            raise InvalidInput(f"{file} tells of no image: none was built", hint=again)
        for capture, image in zip(document["captures"], document["images"], strict=True):
            if capture["source_digest"] != digest:
                raise InvalidInput(f"the images in {file} are not of {path.name} as it is now", hint=again)
            environments[capture["name"]] = [*capture["tasks"]]
            images[capture["name"]] = image["reference"] if image["is_pushed"] else image["name"]
            parse_reference(images[capture["name"]])
    except OSError as error:
        raise NotFound(f"cannot read {file}: {error.strerror}", hint=again) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InvalidInput(f"{file} is not what `dockerize PIPELINE --json` wrote", hint=again) from error
    return environments, images
