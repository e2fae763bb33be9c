"""``models``: what the model store holds. What changes it is in `models_change`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
from rich.text import Text

from .. import words
from ..catalog import ModelVersion
from ..display import bars
from ..errors import InvalidInput
from ..events import now
from ..models import Comparison, ModelStore
from ..models.comparison import condition, ordering
from ..models.documents import comparison_body, envelope_body, model_body, move_body, version_body
from ..models.overview import ModelOverview
from ..workspace import Workspace
from .completing import model_argument, model_names
from .group import PROGRAM, Listing, command
from .models_change import alias, check, delete, export, import_, predict, tag
from .options import json_option, pair, workspace_option
from .output import console, print_json, table

_MOST_METRICS = 3
_MOST_COURSE = 24  # versions from which the course of a metric is drawn


models = Listing(
    "models",
    help="Look at the registered models, compare them, move their aliases. Without a command: list.\n\n"
    "MODEL is NAME (its newest version), NAME/3 or NAME@champion.",
    context_settings={"help_option_names": ["-h", "--help"]},
)


@command(
    name="list",
    examples=[
        ("", f"{PROGRAM} models"),
        ("whose name has it", f"{PROGRAM} models --search delay"),
    ],
)
@click.option("--search", metavar="TEXT", default="", help="Only those whose name has it.")
@click.option("-n", "--limit", type=click.IntRange(1), default=50, show_default=True, help="How many.")
@workspace_option
@json_option
def list_(search: str, limit: int, workspace: Path | None, is_json: bool) -> None:
    """List the models, each with its newest version and the course of its first metric."""
    with Workspace.open(workspace) as opened:
        store = opened.models
        found = store.overview(search, limit=limit)
        if is_json:
            print_json({"models": [model_body(one) for one in found]})
            return
        rows = [_model_row(store, one) for one in found]
    if rows:
        console().print(
            table(
                ["model", "newest", "aliases", "metric", "course", "estimator", "changed", "description"],
                rows,
            )
        )
    else:
        click.echo(
            f"no model is called anything like {search!r}"
            if search
            else "no models yet: %register_model in a notebook makes one"
        )


def _model_row(store: ModelStore, one: ModelOverview) -> list[str | Text]:
    newest = one.newest
    metric, course = "", ""
    if newest and newest.metrics:
        name = next(iter(newest.metrics))
        metric = f"{name} {words.value(newest.metrics[name])}"
        history = reversed(store.find(one.model.name, limit=_MOST_COURSE))
        course = bars([each.metrics[name] for each in history if name in each.metrics])
    return [
        one.model.name,
        str(newest.version) if newest else "–",
        ", ".join(f"{each.alias} → {each.version}" for each in one.aliases),
        metric,
        course,
        newest.estimator.rpartition(".")[2] if newest else "",
        words.ago(one.model.updated_at, now()),
        words.shorten(one.model.description or (newest.description if newest else ""), 60),
    ]


@command(
    name="versions",
    examples=[
        ("", f"{PROGRAM} models versions delay"),
        (
            "the best first, of those with a tag",
            f"{PROGRAM} models versions delay --sort auc --tag region=eu",
        ),
        ("by a condition", f"{PROGRAM} models versions delay --where 'auc > 0.8'"),
    ],
)
@click.argument("name", metavar="NAME", shell_complete=model_names)
@click.option("--where", "conditions", multiple=True, metavar="CONDITION", help="Such as 'auc > 0.9'.")
@click.option("--tag", "tags", multiple=True, metavar="NAME=VALUE", help="Only those with it.")
@click.option("--sort", metavar="METRIC", help="The greatest first, instead of the newest.")
@click.option("--ascending", is_flag=True, help="With --sort: the least first.")
@click.option("-n", "--limit", type=click.IntRange(1), default=50, show_default=True, help="How many.")
@workspace_option
@json_option
def versions(
    name: str, conditions: Sequence[str], tags: Sequence[str], sort: str | None, ascending: bool, limit: int,
    workspace: Path | None, is_json: bool,
) -> None:  # fmt: skip
    """List the versions of a model with their metrics, aliases and tags."""
    with Workspace.open(workspace) as opened:
        named: dict[int, list[str]] = {}
        for one, number in opened.models.aliases(name).items():
            named.setdefault(number, []).append(one)
        found = opened.models.find(
            name,
            tags=dict(pair(text, "--tag") for text in tags),
            where=dict(condition(text) for text in conditions),
            order_by=ordering(sort, is_ascending=ascending) if sort else None,
            limit=limit,
        )
    if is_json:
        print_json({"versions": [version_body(one, named.get(one.version, ())) for one in found]})
    elif found:
        console().print(_version_table(found, named))
    else:
        click.echo(f"no version of {name} is so")


def _version_table(found: Sequence[ModelVersion], named: dict[int, list[str]]) -> Any:
    metrics = list(dict.fromkeys(name for one in found for name in one.metrics))[:_MOST_METRICS]
    moment = now()
    rows: list[list[str | Text]] = [
        [
            str(one.version),
            ", ".join(named.get(one.version, ())),
            *(words.value(one.metrics.get(name, "")) for name in metrics),
            one.estimator.rpartition(".")[2],
            words.ago(one.created_at, moment),
            one.user_name,
            words.mapping(one.tags, 60),
        ]
        for one in found
    ]
    return table(["version", "aliases", *metrics, "estimator", "registered", "by", "tags"], rows)


@command(
    name="show",
    examples=[
        ("everything that a version keeps", f"{PROGRAM} models show delay@champion"),
        ("a part of it", f"{PROGRAM} models show delay/3 --part metrics"),
    ],
)
@model_argument
@click.option("--part", metavar="PART", help="Only one part: metrics, dependencies, data, code, lineage, …")
@workspace_option
@json_option
def show(reference: str, part: str | None, workspace: Path | None, is_json: bool) -> None:
    """Show a version with all that it keeps, from its data to its code."""
    with Workspace.open(workspace) as opened:
        view = opened.models.show(reference)
        moves = opened.models.alias_history(view.version.name)
    if part is not None and part not in view.parts:
        raise InvalidInput(f"a version has no part {part!r}", hint=", ".join(view.parts))
    if is_json:
        print_json(
            {
                "version": version_body(view.version, view.aliases),
                "envelope": envelope_body(view.manifest),
                "lineage": {
                    "upstream": [{"kind": one.kind, "name": one.name} for one in view.lineage.upstream],
                    "downstream": [{"kind": one.kind, "name": one.name} for one in view.lineage.downstream],
                },
                "alias_moves": [
                    move_body(move)
                    for move in moves
                    if view.version.version in (move.old_version, move.new_version)
                ],
            }
        )
        return
    for title, facts in view.parts.items():
        if part in (None, title):
            _print_part(title, facts)


def _print_part(title: str, facts: Any) -> None:
    click.secho(title, bold=True)
    shown = {name: text for name, text in facts.items() if text} or {"": "–"}
    width = min(24, max(map(words.columns, shown)))
    for name, text in shown.items():
        first, *more = words.plain(text).split("\n")
        click.echo(f"  {click.style(name.ljust(width), dim=True)}  {first}")
        for line in more:
            click.echo(f"  {'':<{width}}  {line}")


@command(
    name="compare",
    examples=[("", f"{PROGRAM} models compare delay/2 delay@champion")],
)
@click.argument("references", metavar="MODEL MODEL…", nargs=-1, required=True, shell_complete=model_names)
@click.option("--all", "with_same", is_flag=True, help="With the rows in which they do not differ.")
@workspace_option
@json_option
def compare(references: Sequence[str], with_same: bool, workspace: Path | None, is_json: bool) -> None:
    """Compare versions: metrics, parameters, data, dependencies, and the difference of their code."""
    with Workspace.open(workspace) as opened:
        found = opened.models.compare(*references)
    if is_json:
        print_json({"comparison": comparison_body(found, {})})
        return
    console().print(_comparison_table(found, with_same=with_same))
    for text in filter(None, found.code):
        click.echo()
        for line in text.splitlines():
            color = {"+": "green", "-": "red", "@": "cyan"}.get(line[:1])
            click.secho(words.plain(line), fg=color)


def _comparison_table(found: Comparison, *, with_same: bool) -> Any:
    rows: list[list[str | Text]] = []
    for title in found.tables:
        chosen = found.tables[title] if with_same or title == "metrics" else found.differences(title)
        if chosen:
            rows.append([Text(title, "bold"), *[""] * len(found.versions)])
            rows += [
                [f"  {name}", *("–" if value is None else words.value(value) for value in row)]
                for name, row in chosen.items()
            ]
    return table(["", *found.names], rows)


for each in (list_, versions, show, compare, alias, tag, check, predict, export, import_, delete):
    models.add_command(each)
