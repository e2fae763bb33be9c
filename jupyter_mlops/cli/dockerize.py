"""``dockerize`` and ``images``: a notebook, a pipeline or a model as a container image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click
from rich.text import Text

from .. import words
from ..catalog.records import Image
from ..errors import Conflict, InvalidInput
from ..events import now
from ..promotion import report
from ..promotion.build import BUILDERS
from ..promotion.build_secrets import Secret
from ..promotion.capture import PLATFORMS, CaptureOptions
from ..promotion.captured import Capture
from ..promotion.context import write_context
from ..promotion.images import BuildOptions, Images, Prepared, names_for
from ..resources import format_bytes
from ..workspace import Workspace
from .group import command
from .options import json_option, workspace_option
from .output import console, print_json, table

_HOW = "  [default: the first that works]"


@command(
    name="dockerize",
    examples=[
        ("what would be taken, and why", "jupyter mlops dockerize train.ipynb"),
        ("a folder for docker build", "jupyter mlops dockerize train.ipynb -o image"),
        ("build it and run it", "jupyter mlops dockerize train.ipynb --name train:1 --build"),
        (
            "a model that answers requests",
            "jupyter mlops dockerize models:/delay@champion --push registry/delay:3",
        ),
    ],
)
@click.argument("target", metavar="TARGET")
@click.option(
    "-o",
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="Write the Dockerfile and all that belongs to it.",
)
@click.option("--build", "is_built", is_flag=True, help="Build the image.")
@click.option(
    "--push",
    "pushed",
    default="",
    metavar="NAME",
    help="Build it as NAME (registry/repository:tag), and push it.",
)
@click.option(
    "--name", default="", metavar="NAME", help="What a local image is called.  [default: name and version]"
)
@click.option(
    "--save",
    "saved",
    type=click.Path(path_type=Path),
    metavar="FILE.tar",
    help="Write the image to a file, or an OCI layout to a folder; needs no builder.",
)
@click.option(
    "--sign",
    "key",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="KEY",
    help="Sign what is pushed, as cosign does.",
)
@click.option("--builder", type=click.Choice(BUILDERS), help=f"What builds it.{_HOW}")
@click.option(
    "--base",
    default="",
    metavar="IMAGE",
    help="Instead of the official Python image; may be pinned: NAME@sha256:…",
)
@click.option(
    "--pin", "is_pinned", is_flag=True, help="Ask the base's registry for its digest, and stand on that."
)
@click.option(
    "--platform", type=click.Choice(["sagemaker"]), help="Where it must run, if that asks for something."
)
@click.option(
    "--arch",
    "architectures",
    multiple=True,
    type=click.Choice(PLATFORMS),
    help="What it must run on.  [default: this machine]",
)
@click.option(
    "--kernel",
    default="",
    metavar="NAME",
    help="The kernel whose environment is taken.  [default: the notebook's]",
)
@click.option(
    "--requirement",
    "requirements",
    multiple=True,
    metavar="TEXT",
    help="A distribution besides: 's3fs', 'redis==6.2.0'.",
)
@click.option("--package", "packages", multiple=True, metavar="NAME", help="A Debian package besides.")
@click.option(
    "--include-local", is_flag=True, help="Take modules of editable installations along, wherever they lie."
)
@click.option(
    "--no-lock",
    "is_unlocked",
    is_flag=True,
    help="Ask no index of packages: for a look at what would be taken.",
)
@click.option("--split", "is_split", is_flag=True, help="An image for each notebook of a pipeline.")
@click.option(
    "--secret",
    "secrets",
    multiple=True,
    metavar="NAME=FILE",
    help="For the build only: pip_conf, netrc, ca.  [default: this machine's]",
)
@click.option("--no-cache", "is_fresh", is_flag=True, help="Take nothing from the builder's cache.")
@click.option("--force", "is_forced", is_flag=True, help="Replace a FOLDER that holds something else.")
@click.option(
    "--report", "is_reported", is_flag=True, help="Show what was taken, why, and what could not be decided."
)
@workspace_option
@json_option
def dockerize(
    target: str,
    output: Path | None,
    is_built: bool,
    pushed: str,
    name: str,
    saved: Path | None,
    key: Path | None,
    builder: str | None,
    base: str,
    is_pinned: bool,
    platform: Any,
    architectures: Sequence[str],
    kernel: str,
    requirements: Sequence[str],
    packages: Sequence[str],
    include_local: bool,
    is_unlocked: bool,
    is_split: bool,
    secrets: Sequence[str],
    is_fresh: bool,
    is_forced: bool,
    is_reported: bool,
    workspace: Path | None,
    is_json: bool,
) -> None:
    """Make a container image of TARGET: a notebook, a pipeline, or models:/NAME@ALIAS.

    A notebook's image runs it, with its parameters as flags and variables; a model's image serves it. Without
    -o, --build or --push it only shows what would be taken. Exits with 2 when something stands against an image.
    """
    if pushed and name and pushed != name:
        raise InvalidInput("--name and --push give two names", hint="--push alone names the image")
    does_nothing = not (output or is_built or pushed or saved)
    capture_options = CaptureOptions(
        kernel=kernel,
        platforms=tuple(architectures) or PLATFORMS,
        is_locked=not is_unlocked,
        include_local=include_local,
        requirements=tuple(requirements),
        packages=tuple(packages),
    )
    build_options = BuildOptions(
        builder=builder or "",
        platforms=tuple(architectures),
        is_pushed=bool(pushed),
        is_cached=not is_fresh,
        save=saved,
        key=key,
        secrets=[Secret.read(text) for text in secrets],
    )
    with (
        Workspace.open(workspace) as opened,
        opened.images.prepare(
            target,
            base=base,
            platform=platform or "",
            options=capture_options,
            is_split=is_split,
            is_pinned=is_pinned,
        ) as prepared,
    ):
        captures = [one.capture for one in prepared]
        names = names_for(captures, pushed or name)
        if not is_json:
            _tell_captures(captures, is_full=is_reported or does_nothing)
        folders = _write(prepared, output, is_forced=is_forced) if output else []
        built = []
        if is_built or pushed or saved:
            built = [
                _build(opened.images, one, build_options, image_name, is_json=is_json)
                for one, image_name in zip(prepared, names, strict=True)
            ]
        if is_json:
            print_json(_document(captures, folders, built))
    if does_nothing and not is_json:
        click.echo(
            "\n-o FOLDER writes the Dockerfile, --build builds the image, --push NAME pushes it", err=True
        )


def _tell_captures(captures: Sequence[Capture], *, is_full: bool) -> None:
    for capture in captures:
        if is_full:
            console().print(report.to_rich(capture))
            continue
        count = words.count(len(capture.requirements), "distribution")
        files = words.count(len(capture.content()), "file")
        click.echo(f"{click.style('✔', fg='green')} {capture.name}: {count}, {files}", err=True)
        for problem in capture.problems:
            sign = (
                click.style("✘", fg="red") if problem.severity == "error" else click.style("⚠", fg="yellow")
            )
            click.echo(f"  {sign} {problem}", err=True)


def _write(prepared: Sequence[Prepared], output: Path, *, is_forced: bool) -> list[Path]:
    """The folders, one for each image; of several each lies in one of its own."""
    several = len(prepared) > 1
    contexts = [one.context() for one in prepared]  # all of them, or none is written
    folders = [output / one.capture.name if several else output for one in prepared]
    if several and (output / "Dockerfile").exists() and not is_forced:
        raise Conflict(
            f"{output} holds the Dockerfile of one image, and there are several", hint="name another folder"
        )
    for context, folder in zip(contexts, folders, strict=True):
        write_context(context, folder, is_forced=is_forced)
        click.echo(f"{click.style('✔', fg='green')} {folder / 'Dockerfile'}", err=True)
    return folders


def _build(images: Images, prepared: Prepared, options: BuildOptions, name: str, *, is_json: bool) -> Image:
    def told(line: str) -> None:
        if line.strip() and not is_json:
            click.echo(click.style(f"  {line}", dim=True), err=True)

    image = images.build(prepared, options.named(name), told=told)
    if not is_json:
        where = image.reference if image.is_pushed else name
        click.echo(f"{click.style('✔', fg='green')} {where}, {format_bytes(image.size_bytes)}", err=True)
    return image


def _document(
    captures: Sequence[Capture], folders: Sequence[Path], built: Sequence[Image]
) -> Mapping[str, Any]:
    return {
        "captures": [capture.to_json() for capture in captures],
        "folders": [str(folder) for folder in folders],
        "images": [_body(image) for image in built],
    }


@command(
    name="images",
    examples=[
        ("what was built here", "jupyter mlops images"),
        ("of one model", "jupyter mlops images --source models:/delay/3"),
    ],
)
@click.option(
    "--source", default="", metavar="TEXT", help="Only of this notebook, pipeline or model version."
)
@click.option(
    "-n", "--limit", default=20, show_default=True, type=click.IntRange(min=1), help="At most so many."
)
@workspace_option
@json_option
def images(source: str, limit: int, workspace: Path | None, is_json: bool) -> None:
    """List the images that were built here, the latest first."""
    with Workspace.open(workspace) as opened:
        found = opened.images.find(source=source, limit=limit)
    if is_json:
        print_json({"images": [_body(image) for image in found]})
        return
    if not found:
        click.echo("no images yet: `jupyter mlops dockerize` makes one", err=True)
        return
    moment = now()
    rows = [
        (
            Text(image.name, "bold"),
            image.kind,
            image.source,
            "pushed" if image.is_pushed else "local",
            format_bytes(image.size_bytes),
            image.builder,
            words.ago(image.created_at, moment),
            image.digest[:19],
        )
        for image in found
    ]
    console().print(table(["image", "kind", "of", "where", "size", "by", "built", "digest"], rows))


def _body(image: Image) -> Mapping[str, Any]:
    return {
        "name": image.name,
        "digest": image.digest,
        "reference": image.reference,
        "kind": image.kind,
        "source": image.source,
        "source_digest": image.source_digest,
        "is_pushed": image.is_pushed,
        "is_signed": image.is_signed,
        "platforms": list(image.platforms),
        "size_bytes": image.size_bytes,
        "builder": image.builder,
        "run_id": image.run_id,
        "user_name": image.user_name,
        "created_at": image.created_at.isoformat(),
    }
