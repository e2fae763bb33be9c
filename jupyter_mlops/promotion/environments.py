"""Which image each task of a pipeline runs in: one for all, or one for each of its environments.

The environments are those that `dockerize PIPELINE` makes images of, by the names that it gives them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import InvalidInput, MlopsError, NotFound, did_you_mean
from ..fingerprint import digest_bytes
from ..image_names import parse_reference
from ..pipelines import Pipeline
from .capture import CaptureOptions
from .capture_pipeline import capture_pipeline, without_image

_Environments = Mapping[str, Sequence[str]]  # name → tasks


@dataclass(frozen=True, slots=True)
class TaskImages:
    """`image` is that of all tasks but those that have one of their `own`, by the task's name. `notes` tell of one that
    must do for several environments, though nobody said so of each."""

    image: str = ""
    own: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def choose_images(pipeline: Pipeline, given: Sequence[str], built: Path | None = None) -> TaskImages:
    """The images of a pipeline that was read from a file. What is `given` is ``IMAGE`` for all tasks, or
    ``ENVIRONMENT=IMAGE`` for those of one environment, which counts before it; `built` is a file that
    ``dockerize PIPELINE --json`` wrote.

    Raises `InvalidInput`, `NotFound` for an environment that there is not, and what the captures raise.
    """
    image, named = _read(given)
    if built is None and not named:
        return TaskImages(image, notes=_notes(pipeline, image, named))
    if built is None:
        environments, images = environments_of(pipeline), named
    else:
        environments, images = _read_built(built, _file_of(pipeline))
        images = {**images, **named}
    for name in named:
        if name not in environments:
            raise NotFound(
                f"the pipeline {pipeline.name!r} has no environment {name!r}",
                hint=did_you_mean(name, environments),
            )
    notes = _notes(pipeline, image, images, environments)
    own = {task: images[name] for name, tasks in environments.items() if name in images for task in tasks}
    found = {task.name: own.get(task.name, image) for task in pipeline.tasks}
    if all(found.values()) and image not in found.values():
        image = next(iter(found.values()))
    return TaskImages(image, {task: its for task, its in found.items() if its != image}, notes)


def _notes(
    pipeline: Pipeline, image: str, others: Mapping[str, str], environments: _Environments | None = None
) -> tuple[str, ...]:
    """What is to be told of an `image` that is for all environments but `others`."""
    if not image:
        return ()
    try:
        groups = without_image(pipeline, _file_of(pipeline).parent)
        if len(groups) < 2:
            return ()
        found = environments_of(pipeline) if environments is None else environments
    except MlopsError:  # a notebook or a kernel is not here: then nothing can be said of environments
        return ()
    bare = {name for group in groups for name in group}
    served = [name for name, tasks in found.items() if name not in others and bare.intersection(tasks)]
    if len(served) < 2:
        return ()
    names = f"{', '.join(served[:-1])} and {served[-1]}"
    return (
        f"image: {image} is for {len(served)} environments, {names}, and must have what each needs; "
        "ENVIRONMENT=IMAGE names one for each",
    )


def _file_of(pipeline: Pipeline) -> Path:
    if pipeline.path is None:
        raise InvalidInput("a pipeline without a file has no images", hint="write it by `to_yaml`")
    return Path(pipeline.path)


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


def environments_of(pipeline: Pipeline) -> Mapping[str, Sequence[str]]:
    """The environments of a pipeline that was read from a file, and the tasks that run in each."""
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
