"""``freeze``, ``unfreeze`` and ``clean``: what of earlier runs is kept, and what may go."""

from __future__ import annotations

from pathlib import Path

import click

from .. import words
from ..errors import InvalidInput
from ..resources import format_bytes
from ..workspace import Workspace
from .group import command
from .options import find_pipeline, json_option, pipeline_argument, workspace_option
from .output import print_json


@command(
    name="freeze",
    examples=[("do not download again", "jupyter mlops freeze pull")],
)
@click.argument("task_name", metavar="TASK")
@pipeline_argument
@json_option
def freeze(task_name: str, pipeline: Path | None, is_json: bool) -> None:
    """Let a task's last results stand, whatever changes, until it is unfrozen."""
    _set_frozen(task_name, pipeline, is_frozen=True, is_json=is_json)


@command(
    name="unfreeze",
    examples=[("", "jupyter mlops unfreeze pull")],
)
@click.argument("task_name", metavar="TASK")
@pipeline_argument
@json_option
def unfreeze(task_name: str, pipeline: Path | None, is_json: bool) -> None:
    """Let a frozen task run again when something changes."""
    _set_frozen(task_name, pipeline, is_frozen=False, is_json=is_json)


def _set_frozen(task_name: str, pipeline: Path | None, *, is_frozen: bool, is_json: bool) -> None:
    path = find_pipeline(pipeline)
    with Workspace.open(path.resolve().parent) as workspace:
        (workspace.runs.freeze if is_frozen else workspace.runs.unfreeze)(path, task_name)
    if is_json:
        print_json({"task": task_name, "is_frozen": is_frozen})
    else:
        said = "is frozen: its last results stand" if is_frozen else "runs again when something changes"
        click.echo(f"{task_name} {said}")


@command(
    name="clean",
    examples=[
        ("what would go", "jupyter mlops clean --dry-run"),
        ("all but the last three runs of each pipeline", "jupyter mlops clean --older-than 0 --keep 3"),
    ],
)
@click.option(
    "--older-than", default=30.0, show_default=True, metavar="DAYS", help="Runs that ended before that."
)
@click.option(
    "--keep", default=20, show_default=True, metavar="N", type=click.IntRange(min=0), help="Runs that stay."
)
@click.option("-n", "--dry-run", "is_dry_run", is_flag=True, help="Only tell what would go.")
@workspace_option
@json_option
def clean(older_than: float, keep: int, is_dry_run: bool, workspace: Path | None, is_json: bool) -> None:
    """Delete old runs, and the files that nothing needs any more.

    The latest runs of each pipeline stay, and so does what the cache can still give, what versions of models are
    made of, and what the feature store has on record.
    """
    if not 0 <= older_than < 36_500:
        raise InvalidInput(
            f"--older-than {older_than:g} is no number of days", hint="give one from 0 to 36500"
        )
    with Workspace.open(workspace) as opened:
        report = opened.runs.clean(older_than_days=older_than, keep_runs=keep, is_dry_run=is_dry_run)
        features = opened.features.clean(is_dry_run=is_dry_run)
    rows = sum(features.values())
    if is_json:
        print_json(
            {
                "runs": report.runs, "blobs": report.blobs, "bytes": report.bytes,
                "feature_files": len(features), "feature_bytes": rows, "is_dry_run": is_dry_run,
            }
        )  # fmt: skip
        return
    verb = "would delete" if is_dry_run else "deleted"
    runs, blobs = words.count(report.runs, "run"), words.count(report.blobs, "file")
    click.echo(f"{verb} {runs} and {blobs} ({format_bytes(report.bytes)})")
    if features:
        files = words.count(len(features), "file")
        click.echo(f"{verb} {files} of the feature store ({format_bytes(rows)})")
