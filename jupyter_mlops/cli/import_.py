"""``import``: a pipeline of the files of another tool."""

from __future__ import annotations

from pathlib import Path

import click

from ..errors import Conflict, StorageUnavailable
from ..importers import Imported, read
from .group import command
from .options import force_option, json_option
from .output import print_json, warn


@command(
    name="import",
    examples=[
        ("an Elyra pipeline, in its own folder", "jupyter mlops import train.pipeline"),
        ("a Ploomber pipeline, beside the original", "jupyter mlops import pipeline.yaml"),
        ("a notebook with Kale's tags, split into steps", "jupyter mlops import titanic.ipynb -o titanic"),
    ],
)
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Where the pipeline goes.  [default: beside FILE, where its notebooks are]",
)
@click.option(
    "--from",
    "source",
    default="",
    metavar="TOOL",
    help="elyra, ploomber, kale or jupyter-scheduler.  [default: FILE tells]",
)
@force_option
@json_option
def import_(file: Path, output: Path | None, source: str, is_forced: bool, is_json: bool) -> None:
    """Make a pipeline of another tool's files: of Elyra, Ploomber, Kale or jupyter-scheduler.

    What cannot be carried over is listed; what would change the pipeline's meaning is an error. Notebooks are used
    where they lie if the pipeline goes beside them; nothing of the original is changed.
    """
    imported = read(file, source)
    folder = output if output is not None else file.parent
    name = "pipeline.yaml"
    if (folder / name).exists() and (folder / name).resolve() == file.resolve():
        name = "pipeline.mlops.yaml"
    files = imported.files(name)
    copied = _copies(imported, file.parent, folder)
    _write(files, copied, folder, is_forced=is_forced)
    if is_json:
        print_json(
            {
                "pipeline": str(folder / name),
                "files": sorted(str(folder / each) for each in (*files, *copied)),
                "lost": list(imported.lost),
            }
        )
        return
    click.echo(f"{click.style('✔', fg='green')} {folder / name}: {len(imported.pipeline.tasks)} tasks")
    warn(imported.lost)
    click.echo(click.style(f"  look at it with: jupyter mlops check {folder / name}", dim=True), err=True)


def _copies(imported: Imported, origin: Path, folder: Path) -> dict[str, bytes]:
    """Files beside the original that the pipeline needs, if it goes elsewhere."""
    if folder.resolve() == origin.resolve():
        return {}
    found: dict[str, bytes] = {}
    for pattern in imported.needs:
        for path in sorted(origin.glob(pattern)):
            if path.is_file() and path.resolve().is_relative_to(origin.resolve()):
                found[path.relative_to(origin).as_posix()] = path.read_bytes()
    return {name: content for name, content in found.items() if name not in imported.notebooks}


def _write(files: dict[str, str], copied: dict[str, bytes], folder: Path, *, is_forced: bool) -> None:
    """All of them, or none where one would overwrite something else."""
    contents = {**copied, **{name: text.encode() for name, text in files.items()}}
    different = [n for n, c in contents.items() if (folder / n).is_file() and (folder / n).read_bytes() != c]
    if different and not is_forced:
        raise Conflict(
            f"{folder / different[0]} is there and differs",
            hint="overwrite it with --force, or name a folder: -o DIR",
        )
    try:
        for name, content in contents.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)
    except OSError as error:
        raise StorageUnavailable(f"cannot write {folder}: {error.strerror}") from error
