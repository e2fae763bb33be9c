"""What asks the feature store for values, and whether they are as they were; commands of `features`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click
from rich.text import Text

from .. import words
from ..errors import InvalidInput
from ..frames import file_kind, read_frame
from ..workspace import Workspace
from .completing import feature_names
from .features_bringing import with_moments
from .group import PROGRAM, command
from .options import json_option, pair, print_frame, workspace_option
from .output import console, print_json, table


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
        frame = with_moments(read_frame(rows), timestamp)
        made = opened.features.get_historical_features(
            frame, _features(names), timestamp=timestamp, time_zone=time_zone, with_status=with_status
        )
    print_frame(made, output, is_json=is_json)


def _features(names: Sequence[str]) -> Any:
    return names[0] if len(names) == 1 and ":" not in names[0] else list(names)


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
            with_moments(read_frame(rows), timestamp), _features(names), timestamp=timestamp, limit=limit
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
