"""What brings values into the feature store, and out of it to Feast; commands of `features`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from .. import words
from ..errors import ExpectationFailed, InvalidInput
from ..features import FeatureView
from ..features.documents import materialization_body
from ..frames import read_frame
from ..pipelines.reading import parse_duration
from ..workspace import Workspace
from .completing import feature_names
from .group import PROGRAM, command
from .options import json_option, workspace_option
from .output import console, is_interactive, near, print_json, table


def _moment(ctx: click.Context, parameter: click.Parameter, text: str | None) -> datetime | None:
    """An ISO 8601 moment, in UTC where it names no zone."""
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidInput(
            f"{text!r} is no moment", hint="such as 2026-11-24 or 2026-11-24T06:00:00+01:00"
        ) from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


@command(
    name="materialize",
    examples=[
        ("what is new in all views, as a schedule would", f"{PROGRAM} features materialize"),
        (
            "the first time, month by month",
            f"{PROGRAM} features materialize weather --start 2013-01-01 --every 30d",
        ),
    ],
)
@click.argument("views", metavar="[VIEW]…", nargs=-1, shell_complete=feature_names)
@click.option(
    "--start", metavar="MOMENT", callback=_moment, help="From when.  [default: where the last one ended]"
)
@click.option("--end", metavar="MOMENT", callback=_moment, help="Until when.  [default: now]")
@click.option(
    "--every", metavar="DURATION", help="In batches of that much time, each done for good, such as 1d."
)
@click.option("--offline-only", is_flag=True, help="Not to the online store.")
@workspace_option
@json_option
def materialize(
    views: Sequence[str], start: datetime | None, end: datetime | None, every: str | None, offline_only: bool,
    workspace: Path | None, is_json: bool,
) -> None:  # fmt: skip
    """Bring what is new from the sources of views to the offline and the online store.

    A view whose expectations do not hold is told last; it keeps none of the others from being brought.
    """
    step = timedelta(seconds=parse_duration(every)) if every else None
    done: list[Any] = []
    failed: list[ExpectationFailed] = []
    with Workspace.open(workspace) as opened:
        store = opened.features
        chosen = views or [
            one.name
            for one in store.find(kind=FeatureView)
            if isinstance(one, FeatureView) and (one.sql or one.function)
        ]
        for name in chosen:
            store.get(name)  # a name that is wrong is told before anything is brought
        with _progress(is_json) as progress:
            going = progress.add_task("", total=len(chosen))
            for name in chosen:
                progress.update(going, description=name)
                try:
                    done += store.materialize(name, start=start, end=end, every=step, online=not offline_only)
                except ExpectationFailed as error:
                    failed.append(error)
                progress.advance(going)
    if is_json and not failed:
        print_json({"materializations": [{"view": one.view, **materialization_body(one)} for one in done]})
    elif not is_json and (done or not failed):
        _print_done(chosen, done)
    if failed:
        raise failed[0]


def _progress(is_quiet: bool) -> Progress:
    return Progress(
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
        console=console(sys.stderr), transient=True, disable=is_quiet or not is_interactive(sys.stderr),
    )  # fmt: skip


def _print_done(chosen: Sequence[str], done: Sequence[Any]) -> None:
    rows: list[list[str | Text]] = []
    for name in chosen:
        mine = [one for one in done if one.view == name.partition("@")[0]]
        if mine:
            until = f"{max(one.end_at for one in mine):%Y-%m-%d %H:%M} UTC"
            counts = (sum(one.rows for one in mine), sum(one.online_rows for one in mine))
            rows.append([name, str(len(mine)), *(f"{count:,}" for count in counts), until])
    if rows:
        console().print(table(["view", "batches", "rows", "online", "until"], rows))
    else:
        click.echo("nothing is new")


@command(
    name="push",
    examples=[("", f"{PROGRAM} features push weather latest.parquet")],
)
@click.argument("view", metavar="VIEW", shell_complete=feature_names)
@click.argument("rows", metavar="FILE", type=click.Path(dir_okay=False, allow_dash=True))
@workspace_option
@json_option
def push(view: str, rows: str, workspace: Path | None, is_json: bool) -> None:
    """Bring rows of a file (keys, event_timestamp, features) to the offline and the online store at once."""
    with Workspace.open(workspace) as opened:
        found = opened.features.get(view)
        frame = with_moments(read_frame(rows), getattr(found, "event_timestamp", "event_timestamp"))
        count = opened.features.push(view, frame)
    if is_json:
        print_json({"view": view, "rows": count})
    else:
        click.echo(f"{words.count(count, 'row')} pushed to {view}")


def with_moments(frame: Any, timestamp: str) -> Any:
    """CSV and JSON have moments as text."""
    import pandas as pd

    if timestamp in frame.columns and not pd.api.types.is_datetime64_any_dtype(frame[timestamp]):
        try:
            return frame.assign(**{timestamp: pd.to_datetime(frame[timestamp], format="ISO8601")})
        except (ValueError, TypeError) as error:
            raise InvalidInput(
                f"the column {timestamp!r} has no moments: {error}", hint="ISO 8601, with a zone"
            ) from error
    return frame


@command(
    name="export",
    examples=[("a repository that Feast reads", f"{PROGRAM} features export -o feast")],
)
@click.option(
    "-o", "--output", required=True, type=click.Path(file_okay=False, path_type=Path), help="The folder."
)
@click.option(
    "--service", "services", multiple=True, metavar="NAME", help="Only these.  [default: all it can]"
)
@click.option("--project", default="features", show_default=True, help="Feast's name for it.")
@workspace_option
@json_option
def export(
    output: Path, services: Sequence[str], project: str, workspace: Path | None, is_json: bool
) -> None:
    """Write the features as a Feast repository, with their rows."""
    with Workspace.open(workspace) as opened:
        files = opened.features.export_feast(output, project=project, services=list(services) or None)
    if is_json:
        print_json({"files": [str(path) for path in files]})
    else:
        for path in files:
            click.echo(f"+ {near(path)}")
