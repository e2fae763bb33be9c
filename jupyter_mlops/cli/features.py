"""``features``: what features there are and how fresh. What brings values is in
`features_bringing`, what asks for them in `features_asking`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
from rich.text import Text

from .. import words
from ..events import now
from ..features import Entity, FeatureService, FeatureStore, FeatureView, OnDemandView
from ..features.definitions import Definition
from ..features.documents import (
    aggregation_bodies,
    entity_body,
    expectation_body,
    materialization_body,
    service_body,
    source_of,
    view_body,
)
from ..features.listing import DefinitionTable
from ..workspace import Workspace
from .completing import feature_names
from .features_asking import check, drift, get, history
from .features_bringing import export, materialize, push
from .group import PROGRAM, Listing, command
from .options import json_option, workspace_option
from .output import console, print_json, state, table

features = Listing(
    "features",
    help="Look at features, materialize them, ask for them, check them. Without a command: list.",
    context_settings={"help_option_names": ["-h", "--help"]},
)


@command(
    name="list",
    examples=[("", f"{PROGRAM} features"), ("that tell of a word", f"{PROGRAM} features --search weather")],
)
@click.option("--search", metavar="TEXT", default="", help="Only those in which each word of it occurs.")
@workspace_option
@json_option
def list_(search: str, workspace: Path | None, is_json: bool) -> None:
    """List entities, feature views and services, and until when each view's values are known."""
    with Workspace.open(workspace) as opened:
        store = opened.features
        found = store.find(search)
        views = [one for one in found if isinstance(one, FeatureView | OnDemandView)]
        standing = {one.name: store.standing(one) for one in views}
    if is_json:
        print_json(
            {
                "entities": [entity_body(one) for one in found if isinstance(one, Entity)],
                "views": [view_body(one, *standing[one.name]) for one in views],
                "services": [service_body(one) for one in found if isinstance(one, FeatureService)],
            }
        )
        return
    if not found:
        click.echo(
            f"no feature tells of {search!r}"
            if search
            else "no features yet: %%feature_view in a notebook makes some"
        )
        return
    moment = now()
    columns, rows = DefinitionTable(found).cells()
    # A view tells its freshness where the others have nothing to tell.
    told = [
        (words.ago(standing[one.name][0], moment) or "never") if isinstance(one, FeatureView) else ""
        for one in found
    ]
    place = columns.index("description")
    console().print(
        table(
            [*columns[:place], "materialized", "description"],
            [[*row[:place], fresh, row[place]] for row, fresh in zip(rows, told, strict=True)],
        )
    )


@command(
    name="show",
    examples=[
        ("a view", f"{PROGRAM} features show weather"),
        ("a version of it", f"{PROGRAM} features show weather@4f1c"),
    ],
)
@click.argument("name", metavar="NAME", shell_complete=feature_names)
@workspace_option
@json_option
def show(name: str, workspace: Path | None, is_json: bool) -> None:
    """Show a view, a service or an entity: what it is made of, its expectations, its last materializations."""
    with Workspace.open(workspace) as opened:
        store = opened.features
        found = store.named(name)
        body = _body(store, found)
        batches = store.materializations(found.reference) if isinstance(found, FeatureView) else []
    if is_json:
        print_json({**body, "materializations": [materialization_body(one) for one in batches]})
        return
    facts = {
        label: text
        for label, text in zip(*_facts(found), strict=True)
        if text and label not in ("features", "source")
    }
    width = max(map(words.columns, facts))
    for label, text in facts.items():
        click.echo(f"{click.style(label.ljust(width), dim=True)}  {words.plain(text)}")
    told = body.get("view") or body.get("service") or {}
    if told.get("watermark_at"):
        click.echo(
            f"{click.style('rows'.ljust(width), dim=True)}  {told['rows']:,}, known until {told['watermark_at']}"
        )
    if isinstance(found, FeatureService):
        click.echo()
        for text in found.features:
            click.echo(f"  {text}")
        return
    if isinstance(found, Entity):
        return
    click.echo()
    rows: list[list[str | Text]] = [[key, dtype] for key, dtype in found.schema.items()]
    console().print(table(["feature", "type"], rows))
    text, _ = source_of(found)
    if text:
        click.echo(f"\n{click.style('source', dim=True)}")
        for line in words.plain(text).strip().splitlines():
            click.echo(f"  {line}")
    if body["expectations"]:
        click.echo()
        signs = {None: "·", True: "✔", False: "✘"}
        rows = [
            [signs[one["is_met"]], one["feature"], one["text"], one["severity"], one["message"]]
            for one in body["expectations"]
        ]
        console().print(table(["", "expected of", "that it is", "else", ""], rows))
    if batches:
        click.echo()
        moment = now()
        rows = [
            [
                state(one.state), f"{one.rows:,}", f"{one.online_rows:,}",
                f"{one.end_at:%Y-%m-%d %H:%M} UTC", words.ago(one.created_at, moment), one.message,
            ]
            for one in batches
        ]  # fmt: skip
        console().print(table(["materialization", "rows", "online", "until", "made", ""], rows))


def _facts(found: Definition) -> tuple[list[str], list[str]]:
    columns, (row,) = DefinitionTable([found]).cells()
    more = {"owner": found.owner, "tags": words.mapping(dict(found.tags))}
    return [*columns, *more], [*row, *more.values()]


def _body(store: FeatureStore, found: Definition) -> dict[str, Any]:
    if isinstance(found, Entity):
        return {"entity": entity_body(found)}
    if isinstance(found, FeatureService):
        return {"service": service_body(found)}
    batches = store.materializations(found.reference) if isinstance(found, FeatureView) else []
    problems = next((one.problems for one in batches if one.rows), None)
    return {
        "view": view_body(found, *store.standing(found)),
        "aggregations": aggregation_bodies(found),
        "expectations": [expectation_body(one, problems) for one in getattr(found, "expectations", ())],
        "source": source_of(found)[0],
    }


for each in (list_, show, materialize, get, history, push, check, drift, export):
    features.add_command(each)
