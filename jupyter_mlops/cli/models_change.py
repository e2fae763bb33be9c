"""What changes models, uses them, or takes them elsewhere; commands of `models`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

import click

from ..errors import InvalidInput
from ..frames import file_kind, read_frame
from ..models import MlflowServer, parse_model_reference, pull, push
from ..models.documents import alias_body, version_body
from ..workspace import Workspace
from .completing import model_argument, model_names
from .group import PROGRAM, command
from .options import json_option, pair, print_frame, workspace_option
from .output import near, print_json


@command(
    name="alias",
    examples=[
        ("", f"{PROGRAM} models alias delay champion 3"),
        ("and from now on only by --force", f"{PROGRAM} models alias delay champion 3 --protected"),
        ("take it away", f"{PROGRAM} models alias delay challenger --delete"),
    ],
)
@click.argument("name", metavar="NAME", shell_complete=model_names)
@click.argument("alias", metavar="ALIAS")
@click.argument("version", metavar="[VERSION]", type=click.IntRange(1), required=False)
@click.option("--delete", "is_deleted", is_flag=True, help="Take the alias away.")
@click.option(
    "--protected/--unprotected", default=None, help="Whether it moves only with --force from now on."
)
@click.option("--force", is_flag=True, help="Move or delete it although it is protected.")
@workspace_option
@json_option
def alias(
    name: str, alias: str, version: int | None, is_deleted: bool, protected: bool | None, force: bool,
    workspace: Path | None, is_json: bool,
) -> None:  # fmt: skip
    """Let an alias such as champion name another version, or take it away."""
    if (version is None) != is_deleted:
        raise InvalidInput("either a version or --delete", hint=f"{PROGRAM} models alias {name} {alias} 3")
    with Workspace.open(workspace) as opened:
        if version is None:
            opened.models.delete_alias(name, alias, force=force)
            made = None
        else:
            made = opened.models.set_alias(name, alias, version, is_protected=protected, force=force)
    if is_json:
        print_json({"alias": alias_body(made) if made else None})
    else:
        click.echo(f"{name}@{alias} is {name}/{version}" if made else f"{name} has no {alias} any more")


@command(
    name="tag",
    examples=[
        ("", f"{PROGRAM} models tag delay/3 region=eu"),
        ("away with it", f"{PROGRAM} models tag delay/3 region="),
    ],
)
@model_argument
@click.argument("tags", metavar="NAME=VALUE…", nargs=-1, required=True)
@workspace_option
@json_option
def tag(reference: str, tags: Sequence[str], workspace: Path | None, is_json: bool) -> None:
    """Set tags of a version; NAME= takes one away."""
    given = {name: value or None for name, value in (pair(text, "tag") for text in tags)}
    with Workspace.open(workspace) as opened:
        version = opened.models.set_tags(reference, **given)
    if is_json:
        print_json(
            {"version": {"name": version.name, "version": version.version, "tags": dict(version.tags)}}
        )
    else:
        told = ", ".join(f"{name}={value}" for name, value in version.tags.items())
        click.echo(f"{version.name}/{version.version}: {told or 'no tags'}")


@command(
    name="check",
    examples=[("exit code 2 if it does not", f"{PROGRAM} models check delay@champion")],
)
@model_argument
@workspace_option
@json_option
def check(reference: str, workspace: Path | None, is_json: bool) -> None:
    """Try whether a version still predicts its example as when it was registered, here and in a clean process."""
    with Workspace.open(workspace) as opened:
        version = opened.models.check(reference)
    if is_json:
        print_json({"version": version_body(version, ())})
    else:
        click.echo(f"{version.name}/{version.version} predicts its example as when it was registered")


@command(
    name="predict",
    examples=[
        ("", f"{PROGRAM} models predict delay@champion flights.parquet -o late.parquet"),
        ("from a pipe to a pipe", f"cat flights.csv | {PROGRAM} models predict delay - > late.csv"),
    ],
)
@model_argument
@click.argument("rows", metavar="FILE", type=click.Path(dir_okay=False, allow_dash=True))
@click.option(
    "-o", "--output", metavar="FILE", default="-", type=click.Path(dir_okay=False, allow_dash=True),
    help="Where the rows go with their predictions: .csv, .parquet, .json or .jsonl.  [default: stdout, as CSV]",
)  # fmt: skip
@click.option("--column", default="prediction", show_default=True, help="The name of the new column.")
@workspace_option
@json_option
def predict(
    reference: str, rows: str, output: str, column: str, workspace: Path | None, is_json: bool
) -> None:
    """Predict the rows of a file, which are raw ones: the version makes its features itself."""
    file_kind(output)  # before anything is opened
    with Workspace.open(workspace) as opened:
        model = opened.models.load(reference)
        frame = read_frame(rows)
        if column in frame.columns:
            raise InvalidInput(f"the rows have a column {column!r} already", hint="--column NAME")
        predicted = model.predict(frame)
    if hasattr(predicted, "columns"):  # several columns: each behind the name
        made = frame.join(predicted.set_index(frame.index).add_prefix(f"{column}_"))
    else:
        made = frame.assign(**{column: list(predicted)})
    print_frame(made, output, is_json=is_json)


@command(
    name="export",
    examples=[
        ("as a folder that MLflow loads and serves", f"{PROGRAM} models export delay@champion -o delay"),
        ("to an MLflow server", f"{PROGRAM} models export delay@champion -o http://mlflow:5000"),
    ],
)
@model_argument
@click.option("-o", "--output", required=True, metavar="DIR|URL", help="A new folder, or an MLflow server.")
@workspace_option
@json_option
def export(reference: str, output: str, workspace: Path | None, is_json: bool) -> None:
    """Write a version as an MLflow model, into a folder or to a server."""
    with Workspace.open(workspace) as opened:
        if urlsplit(output).scheme in ("http", "https"):
            body = push(opened.models, reference, MlflowServer(output))
            told = f"{body['name']}/{body['version']} on {output}"
        else:
            folder = opened.models.export_mlflow(reference, Path(output))
            body, told = {"folder": str(folder)}, f"{near(folder)}"
    if is_json:
        print_json({"exported": body})
    else:
        click.echo(f"{reference} → {told}")


@command(
    name="import",
    examples=[
        ("a folder", f"{PROGRAM} models import mlruns/model --name delay"),
        (
            "from an MLflow server",
            f"{PROGRAM} models import models:/delay@champion --from http://mlflow:5000",
        ),
    ],
)
@click.argument("source", metavar="DIR|MODEL")
@click.option("--name", metavar="NAME", help="What it is called here.  [default, from a server: as there]")
@click.option("--from", "server", metavar="URL", help="The MLflow server that has it.")
@click.option(
    "--alias", "aliases", multiple=True, metavar="ALIAS", help="An alias that names it; again for more."
)
@workspace_option
@json_option
def import_(
    source: str,
    name: str | None,
    server: str | None,
    aliases: Sequence[str],
    workspace: Path | None,
    is_json: bool,
) -> None:
    """Register a model that MLflow has. Nothing in it is opened before `trusted_models` allows it."""
    if server is None and not name:
        raise InvalidInput("a folder needs --name, the model's name here")
    with Workspace.open(workspace) as opened:
        if server is not None:
            version = pull(opened.models, MlflowServer(server), source, name=name or "")
            for one in aliases:
                opened.models.set_alias(version.name, one, version.version)
        else:
            version = opened.models.import_mlflow(Path(source), str(name), aliases=aliases)
    if is_json:
        print_json({"version": version_body(version, aliases)})
    else:
        click.echo(f"registered {version.name}/{version.version}")


@command(
    name="delete",
    examples=[
        ("one version", f"{PROGRAM} models delete delay/3"),
        ("all of it", f"{PROGRAM} models delete delay --yes"),
    ],
)
@model_argument
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@workspace_option
@json_option
def delete(reference: str, yes: bool, workspace: Path | None, is_json: bool) -> None:
    """Delete a version, or (by NAME alone) a model with all of its versions. What an alias names stays."""
    wanted = parse_model_reference(reference)
    is_whole = wanted.version is None and wanted.alias is None
    with Workspace.open(workspace) as opened:
        if is_whole:
            known = len(opened.models.find(wanted.name, limit=None))
            opened.models.aliases(wanted.name)  # a name that nobody has is an error before it is a question
            asked = f"delete {wanted.name} with its {known} versions?"
        else:
            asked = f"delete {wanted}?"
        if not yes and not is_json:
            click.confirm(asked, abort=True)
        if is_whole:
            opened.models.delete_model(wanted.name)
        else:
            opened.models.delete(wanted)
    if is_json:
        print_json({"deleted": str(wanted)})
    else:
        click.echo(f"{wanted} is deleted; `{PROGRAM} clean` frees its space")
