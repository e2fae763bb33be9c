"""``sync``: the blobs of a workspace, copied to another store."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from .. import words
from ..blobs import BlobStore
from ..blobs.sync import Synced
from ..blobs.sync import sync as copy
from ..errors import InvalidInput
from ..resources import format_bytes
from ..workspace import Workspace
from .group import PROGRAM, command
from .options import json_option, workspace_option
from .output import console, is_interactive, print_json


@command(
    name="sync",
    examples=[
        ("before the setting `blobs` is changed to it", f"{PROGRAM} sync --to s3://our-bucket/mlops"),
        ("what that would copy", f"{PROGRAM} sync --to gs://our-bucket/mlops --dry-run"),
        (
            "back from another cloud",
            f"{PROGRAM} sync --from abfs://container/mlops --from-options azure.json",
        ),
    ],
)
@click.option("--to", "to_url", metavar="URL", help="The store to copy to.  [default: the workspace's]")
@click.option("--from", "from_url", metavar="URL", help="The store to copy from.  [default: the workspace's]")
@click.option(
    "--to-options", metavar="FILE", type=click.Path(path_type=Path), help="Its fsspec options, as JSON."
)
@click.option(
    "--from-options", metavar="FILE", type=click.Path(path_type=Path), help="Its fsspec options, as JSON."
)
@click.option("-n", "--dry-run", "is_dry_run", is_flag=True, help="Only tell what would be copied.")
@workspace_option
@json_option
def sync(
    to_url: str | None,
    from_url: str | None,
    to_options: Path | None,
    from_options: Path | None,
    is_dry_run: bool,
    workspace: Path | None,
    is_json: bool,
) -> None:
    """Copy artifacts, executed notebooks and models to another store, or from one.

    What is there already is not sent again, so that the same line goes on where it was cut off. Everything is
    verified on its way. Between clouds it goes through this machine.
    """
    if not (to_url or from_url):
        raise InvalidInput("nothing to copy to", hint=f"{PROGRAM} sync --to s3://bucket/prefix")
    with Workspace.open(workspace) as opened:
        own = opened.blobs
        source = BlobStore(from_url, _options(from_options)) if from_url else own
        target = BlobStore(to_url, _options(to_options)) if to_url else own
        with Progress(
            TextColumn("copying"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[told]}"),
            TimeRemainingColumn(), console=console(), transient=True, disable=is_json or not is_interactive(sys.stdout),
        ) as bar:  # fmt: skip
            line = bar.add_task("copying", total=None, told="")

            def tell(done: Synced, count: int) -> None:
                told = format_bytes(done.copied_bytes)
                bar.update(line, total=count, completed=done.present + done.copied, told=told)

            done = copy(source, target, is_dry_run=is_dry_run, progress=tell)
    if is_json:
        print_json(
            {
                "from": source.url, "to": target.url, "copied": done.copied, "copied_bytes": done.copied_bytes,
                "present": done.present, "documents": done.documents, "is_dry_run": is_dry_run,
            }
        )  # fmt: skip
        return
    verb = "would copy" if is_dry_run else "copied"
    copied, there = words.count(done.copied, "file"), words.count(done.present, "file")
    click.echo(f"{verb} {copied} ({format_bytes(done.copied_bytes)}) to {target.url}; {there} there already")


def _options(path: Path | None) -> dict[str, Any]:
    if path is None:
        return {}
    try:
        read = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InvalidInput(f"cannot read {path}: {error.strerror}") from error
    except ValueError as error:
        raise InvalidInput(f"{path} is not JSON: {error}") from error
    if not isinstance(read, dict):
        raise InvalidInput(f'{path} must hold a JSON object, such as {{"endpoint_url": "…"}}')
    return read
