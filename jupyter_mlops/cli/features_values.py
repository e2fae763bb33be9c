"""What brings values into the feature store, asks it for them, and checks them; commands of `features`."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
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
from ..frames import file_kind, read_frame
from ..pipelines.reading import parse_duration
from ..workspace import Workspace
from .completing import feature_names
from .group import PROGRAM, command
from .options import json_option, pair, print_frame, workspace_option
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
    name="get",
    examples=[
        ("a service, now", f"{PROGRAM} features get departure origin=JFK"),
        ("some features of two airports", f"{PROGRAM} features get weather:temp -e origin=JFK -e origin=EWR"),
    ],
)
@click.argument(
    "names", metavar="SERVICE|FEATURE… [KEY=VALUE]…", nargs=-1, required=True, shell_complete=feature_names
)
@click.option(
    "-e", "--entity", "entities", multiple=True, metavar="KEY=VALUE[,…]", help="An entity; again for more."
)
@workspace_option
@json_option
def get(names: Sequence[str], entities: Sequence[str], workspace: Path | None, is_json: bool) -> None:
    """Ask the online store for the newest values, with their status and age."""
    wanted = [name for name in names if "=" not in name]
    rows = [dict(pair(part, "-e") for part in one.split(",")) for one in entities]
    rows += [dict(pair(name, "KEY") for name in names if "=" in name)] if len(wanted) < len(names) else []
    if not wanted or not rows:
        raise InvalidInput(
            "features and an entity are needed", hint=f"{PROGRAM} features get weather:temp origin=JFK"
        )
    features: Any = wanted[0] if len(wanted) == 1 and ":" not in wanted[0] else wanted
    with Workspace.open(workspace) as opened:
        selection = opened.features.select(features)
        types = {**selection.keys, **selection.request}
        asked = [
            {key: typed(text, types.get(key, "string"), key) for key, text in row.items()} for row in rows
        ]
        answer = opened.features.get_online_features(asked, features)
    told = zip(asked, answer.values, answer.statuses, answer.ages, strict=True)
    if is_json:
        print_json(
            {
                "rows": [
                    {
                        "entity": entity,
                        "features": {
                            name: {"value": value, "status": status, "age_seconds": age}
                            for name, value, status, age in zip(
                                answer.names, values, statuses, ages, strict=True
                            )
                        },
                    }
                    for entity, values, statuses, ages in told
                ]
            }
        )
        return
    cells: list[list[str | Text]] = [
        [
            ", ".join(f"{key}={value}" for key, value in entity.items()), name,
            "" if value is None else words.value(value), Text(status, "" if status == "PRESENT" else "yellow"),
            words.duration(age) if age is not None else "",
        ]
        for entity, values, statuses, ages in told
        for name, value, status, age in zip(answer.names, values, statuses, ages, strict=True)
    ]  # fmt: skip
    console().print(table(["entity", "feature", "value", "status", "age"], cells))


def typed(text: str, dtype: str, name: str) -> Any:
    """A key or a request's value as its type wants it."""
    try:
        if dtype.startswith(("int", "uint")):
            return int(text)
        if dtype.startswith(("float", "double")):
            return float(text)
    except ValueError:
        raise InvalidInput(f"{name}={text!r} is no {dtype}") from None
    if dtype.startswith("bool"):
        return text.lower() in ("true", "1", "yes")
    return text


@command(
    name="history",
    examples=[
        ("training rows, each as it was known at its moment",
         f"{PROGRAM} features history flights.parquet departure -t departs_at -o train.parquet"),
    ],
)  # fmt: skip
@click.argument("rows", metavar="FILE", type=click.Path(dir_okay=False, allow_dash=True))
@click.argument("names", metavar="SERVICE|FEATURE…", nargs=-1, required=True, shell_complete=feature_names)
@click.option(
    "-t", "--timestamp", default="event_timestamp", show_default=True, help="The column of the moments."
)
@click.option(
    "--time-zone", default="", metavar="ZONE", help="Of moments that name none, such as America/New_York."
)
@click.option("--with-status", is_flag=True, help="With a column for each feature's status.")
@click.option(
    "-o", "--output", metavar="FILE", default="-", type=click.Path(dir_okay=False, allow_dash=True),
    help="Where they go: .csv, .parquet, .json or .jsonl.  [default: stdout, as CSV]",
)  # fmt: skip
@workspace_option
@json_option
def history(
    rows: str, names: Sequence[str], timestamp: str, time_zone: str, with_status: bool, output: str,
    workspace: Path | None, is_json: bool,
) -> None:  # fmt: skip
    """Add features to the rows of a file, each as it was known at the row's moment."""
    file_kind(output)
    with Workspace.open(workspace) as opened:
        frame = _with_moments(read_frame(rows), timestamp)
        made = opened.features.get_historical_features(
            frame, _features(names), timestamp=timestamp, time_zone=time_zone, with_status=with_status
        )
    print_frame(made, output, is_json=is_json)


def _features(names: Sequence[str]) -> Any:
    return names[0] if len(names) == 1 and ":" not in names[0] else list(names)


def _with_moments(frame: Any, timestamp: str) -> Any:
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
        frame = _with_moments(read_frame(rows), getattr(found, "event_timestamp", "event_timestamp"))
        count = opened.features.push(view, frame)
    if is_json:
        print_json({"view": view, "rows": count})
    else:
        click.echo(f"{words.count(count, 'row')} pushed to {view}")


@command(
    name="check",
    examples=[
        ("exit code 1 if they differ", f"{PROGRAM} features check served.parquet departure -t asked_at")
    ],
)
@click.argument("rows", metavar="FILE", type=click.Path(dir_okay=False, allow_dash=True))
@click.argument("names", metavar="SERVICE|FEATURE…", nargs=-1, required=True, shell_complete=feature_names)
@click.option(
    "-t", "--timestamp", default="event_timestamp", show_default=True, help="The column of the moments."
)
@click.option(
    "--limit", type=click.FloatRange(0, 1), default=0.0, show_default=True, help="Which share may differ."
)
@workspace_option
@json_option
def check(
    rows: str, names: Sequence[str], timestamp: str, limit: float, workspace: Path | None, is_json: bool
) -> int:
    """Replay logged predictions: were models served what training would have shown them?"""
    with Workspace.open(workspace) as opened:
        found = opened.features.check(
            _with_moments(read_frame(rows), timestamp), _features(names), timestamp=timestamp, limit=limit
        )
    if is_json:
        print_json(
            {
                "is_consistent": found.is_consistent,
                "features": [
                    {
                        "feature": one.feature, "rows": one.rows, "mismatch": one.mismatch, "missing": one.missing,
                        "extra": one.extra, "share": one.share, "smape": one.smape,
                    }
                    for one in found.features
                ],
            }
        )  # fmt: skip
    else:
        cells: list[list[str | Text]] = [
            [
                one.feature, f"{one.rows:,}", f"{one.mismatch:,}", f"{one.missing:,}", f"{one.extra:,}",
                Text(f"{one.share:.2%}", "red" if one.share > limit else "green"),
            ]
            for one in found.features
        ]  # fmt: skip
        console().print(table(["feature", "rows", "mismatch", "missing", "extra", "differ"], cells))
    return 0 if found.is_consistent else 1


@command(
    name="drift",
    examples=[
        ("of new rows against a view", f"{PROGRAM} features drift weather today.parquet"),
        ("of its rows against a model's training data", f"{PROGRAM} features drift weather --model delay@champion"),
    ],
)  # fmt: skip
@click.argument("view", metavar="VIEW", shell_complete=feature_names)
@click.argument("rows", metavar="[FILE]", required=False, type=click.Path(dir_okay=False, allow_dash=True))
@click.option("--model", "reference", metavar="MODEL", help="Against what this version was trained on.")
@click.option(
    "--limit", type=click.FloatRange(0), default=0.2, show_default=True, help="From which PSI on it drifts."
)
@workspace_option
@json_option
def drift(
    view: str, rows: str | None, reference: str | None, limit: float, workspace: Path | None, is_json: bool
) -> int:
    """Tell how far rows are from a view's, or a view's from a model's training data; exit code 1 if they drift."""
    if (rows is None) == (reference is None):
        raise InvalidInput(
            "either a file of rows or --model", hint=f"{PROGRAM} features drift {view} today.parquet"
        )
    with Workspace.open(workspace) as opened:
        store = opened.features
        if reference is not None:
            found = opened.models.drift(reference, store.newest_rows(view), psi_limit=limit)
        else:
            found = store.drift(view, read_frame(str(rows)), psi_limit=limit)
    bodies = [_drift_body(one) for one in found.features]
    if is_json:
        print_json({"is_drifted": found.is_drifted, "features": bodies})
    else:
        cells: list[list[str | Text]] = [
            [
                body["feature"], words.value(body["psi"]), words.value(body["ks"]),
                Text("drifts", "red") if body["is_drifted"] else Text("as before", "green"),
            ]
            for body in bodies
        ]  # fmt: skip
        console().print(table(["feature", "PSI", "KS", ""], cells))
    return 1 if found.is_drifted else 0


def _drift_body(one: Any) -> Mapping[str, Any]:
    return {"feature": one.feature, "psi": one.psi, "ks": one.ks, "is_drifted": one.is_drifted}


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
