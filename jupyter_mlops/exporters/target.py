"""What every exporter is given, and what it gives back: text files, and what the target cannot hold."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from ..errors import InvalidInput
from ..pipelines import Plan, PlannedTask
from ..pipelines.schedules import ScheduleSpec


class NotExpressible(InvalidInput):
    """The target has no way to say what the pipeline says: `feature`, `target`; the hint is a way round it."""

    code = "not_expressible"


def not_expressible(feature: str, target: str, workaround: str) -> NotExpressible:
    """The error for a feature that a target lacks."""
    return NotExpressible(f"{target} has no {feature}", hint=workaround, feature=feature, target=target)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportOptions:
    """Where the pipeline will run, which no pipeline says itself.

    `project` is the folder of the pipeline's file on the target's machines, `image` a container image that has it
    there; `images` are those of the tasks that have another environment, by their names (a task may name its own).
    """

    project: str = "."
    pipeline_file: str = "pipeline.yaml"
    image: str = ""
    images: Mapping[str, str] = field(default_factory=dict)
    schedule: ScheduleSpec | None = None
    description: str = ""

    def image_of(self, task: PlannedTask) -> str:
        """The image of one task."""
        return task.resources.image or self.images.get(task.name, self.image)


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """Relative path → text. `notes` tell what holds in another way than here."""

    files: Mapping[str, str]
    notes: tuple[str, ...] = ()


Support = Literal["native", "ours", "refused"]
FEATURES: Mapping[str, str] = {
    "parameters": "parameters of the pipeline",
    "needs": "dependencies",
    "results": "results and artifacts in arguments",
    "when": "conditions",
    "matrix": "matrix",
    "map": "map over a list that a task made",
    "join": "collecting a fan-out",
    "run_if": "`run_if` after skips",
    "run_if failure": "`run_if` after failures",
    "retries": "retries, delay, backoff",
    "retries.on": "retries of some errors only",
    "timeout": "timeout of a notebook",
    "resources": "cpu, memory, gpu",
    "resources.spot": "capacity that can be taken away",
    "resources.image": "container image of a task",
    "priority": "priority",
    "secrets": "secrets",
    "env": "environment variables",
    "image": "container image",
    "images": "an image for each environment",
    "schedule": "schedule with a time zone",
    "schedule.parameters": "parameters of a schedule",
    "schedule.fire": "`${schedule.…}` in them",
    "schedule.catch_up": "`catch_up` of missed fires",
    "schedule.overlap": "`overlap` with an earlier run",
    "cache": "cache",
}
"""What a pipeline, or an export of it, can ask for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A target: its name, its exporter, and how each of `FEATURES` holds there: by the target's own means, by ours
    (the task's process sees to it), or not at all; with a word on how."""

    name: str
    title: str
    export: Callable[[Plan, ExportOptions], Exported]
    capabilities: Mapping[str, tuple[Support, str]] = field(default_factory=dict)
