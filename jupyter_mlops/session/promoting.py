"""Images from a notebook: what would go into one, and the image itself, in one call."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..catalog import Image
from ..display import facts_html, facts_text
from ..errors import InvalidInput
from ..promotion import report
from ..promotion.capture import PLATFORMS, CaptureOptions
from ..promotion.captured import Capture
from ..promotion.context import write_context
from ..promotion.images import BuildOptions, names_for
from .place import get_workspace


@dataclass(frozen=True, slots=True)
class Dockerized:
    """What was captured, where its Dockerfiles are, and which images were built."""

    captures: tuple[Capture, ...]
    folders: tuple[Path, ...] = ()
    images: tuple[Image, ...] = ()

    def __repr__(self) -> str:
        told = [report.to_markdown(capture) for capture in self.captures]
        told += [f"Dockerfile: {folder / 'Dockerfile'}" for folder in self.folders]
        return "\n".join([*told, *(facts_text(image.facts()) for image in self.images)])

    def _repr_html_(self) -> str:
        places = {"Dockerfile": ", ".join(str(folder / "Dockerfile") for folder in self.folders)}
        made = [facts_html(image.facts()) for image in self.images]
        return "".join(
            [*made, facts_html(places) if self.folders else "", *map(report.to_html, self.captures)]
        )


def dockerize(
    target: str | Path,
    *,
    output: str | Path | None = None,
    build: bool = False,
    push: str = "",
    name: str = "",
    builder: str = "",
    save: str | Path | None = None,
    base: str = "",
    pin: bool = False,
    platform: Any = "",
    architectures: Sequence[str] = (),
    requirements: Sequence[str] = (),
    packages: Sequence[str] = (),
    include_local: bool = False,
    split: bool = False,
    lock: bool = True,
) -> Dockerized:
    """A notebook, a pipeline or ``models:/NAME@ALIAS`` as container images.

    Without `output`, `build`, `push` or `save` it only tells what would be taken. `output` is a folder for the
    Dockerfile and all that belongs to it; `push` is the name under which the image is built and pushed. `pin` asks
    the base's registry for its digest, and builds on that. Without
    `lock` no index of packages is asked, and no image can be made. What stands against an image is one
    `InvalidInput` that lists all of it.
    """
    options = CaptureOptions(
        platforms=tuple(architectures) or PLATFORMS,
        is_locked=lock,
        include_local=include_local,
        requirements=tuple(requirements),
        packages=tuple(packages),
    )
    build_options = BuildOptions(
        builder=builder,
        platforms=tuple(architectures),
        is_pushed=bool(push),
        save=Path(save) if save else None,
    )
    if push and name and push != name:
        raise InvalidInput("name and push give two names", hint="push alone names the image")
    images = get_workspace().images
    with images.prepare(
        str(target), base=base, platform=platform, options=options, is_split=split, is_pinned=pin
    ) as prepared:
        captures = tuple(one.capture for one in prepared)
        folders = []
        if output is not None:
            folder = Path(output)
            contexts = [one.context() for one in prepared]
            folders = [folder / one.name if len(prepared) > 1 else folder for one in captures]
            for context, place in zip(contexts, folders, strict=True):
                write_context(context, place)
        built = []
        if build or push or save:
            for one, image_name in zip(prepared, names_for(captures, push or name), strict=True):
                built.append(images.build(one, build_options.named(image_name), told=_tell))
    return Dockerized(captures, tuple(folders), tuple(built))


def _tell(line: str) -> None:
    """The builder's lines, in a notebook's stderr, unless a run would keep them."""
    if line.strip() and not os.environ.get("MLOPS_RUN_ID"):
        print(line, file=sys.stderr)  # noqa: T201 - a build takes minutes: somebody waits
