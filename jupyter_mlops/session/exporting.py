"""A pipeline in another orchestrator's files, from a notebook."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..exporters import TARGETS, Target
from ..exporters.making import Export, make, write
from ..pipelines import load_pipeline
from ..promotion.environments import choose_images
from .running import find_pipeline


def export_pipeline(
    target: str,
    folder: str | Path,
    pipeline: str | Path = "pipeline.yaml",
    arguments: Mapping[str, Any] | None = None,
    *,
    image: str | Sequence[str] = (),
    built: str | Path | None = None,
    project: str = "",
    schedule: str = "",
    timezone: str = "UTC",
    is_forced: bool = False,
    is_strict: bool = False,
    from_text: bool = False,
) -> Export:
    """Write a pipeline into `folder` in the files of `target`: airflow, argo, prefect, kubeflow or metaflow.

    `image` is a container image that has the project, or several as ``"ENVIRONMENT=IMAGE"``, by the names of
    `dockerize`; `built` is a file that ``dockerize PIPELINE --push IMAGE --json`` wrote, which tells them. `project` is
    the project's folder there; `schedule` are five fields of cron in `timezone`. What holds there in another way is
    told by the result's `notes`, an error with `is_strict`; what cannot be said there at all is `NotExpressible`,
    with a way round it. A file that differs is overwritten only with `is_forced`. With `from_text` the arguments are
    texts, read by the declared types.
    """
    path, found = find_pipeline(pipeline), _target(target)
    loaded = load_pipeline(path)
    given = [image] if isinstance(image, str) else image
    images = choose_images(loaded, [text for text in given if text], Path(built) if built else None)
    exported = make(
        loaded, found, arguments or {}, from_text=from_text, image=images.image, images=images.own,
        notes=images.notes, project=project, schedule=schedule, timezone=timezone, is_strict=is_strict,
    )  # fmt: skip
    write(exported, Path(folder), is_forced=is_forced)
    files = tuple(Path(folder) / name for name in exported.files)
    return Export(
        pipeline=str(path), target=found.title, folder=Path(folder), files=files, notes=exported.notes
    )


def _target(name: str) -> Target:
    found: Target = TARGETS.get(name)
    return found
