"""The container images of steps: one for all, or one for each environment. Nothing here knows a target."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from .steps import Step, literal
from .target import ExportOptions, not_expressible


def by_image(made: Iterable[Step], options: ExportOptions) -> dict[str, list[str]]:
    """The images of environments, and the keys of the steps in each."""
    found: dict[str, list[str]] = {}
    for step in made:
        image = options.images.get(step.task.name)
        if image and not step.task.resources.image:
            found.setdefault(image, []).append(step.key)
    return found


def demand_images(made: Iterable[Step], options: ExportOptions, target: str) -> None:
    """Refuses steps that have no image to run in."""
    if not options.image and not options.images:
        raise not_expressible(
            "way to run a task without a container image", target, "name one: --image registry/project:1"
        )
    bare = [step.key for step in made if not options.image_of(step.task)]
    if bare:
        raise not_expressible(
            f"way to run a task without a container image: {', '.join(bare)}",
            target,
            "name one for their environment, --image ENVIRONMENT=IMAGE, or for all others: --image IMAGE",
        )


def image_table(images: Mapping[str, str]) -> list[str]:
    """The images of tasks by their names: digests are long, and stand in one place."""
    return ["IMAGES = {", *(f"    {literal(name)}: {literal(image)}," for name, image in images.items()), "}"]
