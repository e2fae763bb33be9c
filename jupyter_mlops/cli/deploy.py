"""``deploy`` and ``rollback``: which version of a model answers. ``deployments`` looks at them: `deployments`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from ..deployments import decide
from ..errors import InvalidInput
from ..resources import ResourceRequest
from ..workspace import Workspace
from .completing import model_names
from .deployments import name_argument, print_deployment
from .group import PROGRAM, command
from .options import json_option, workspace_option
from .output import console, print_json


def timeout_option(function: Any) -> Any:
    """``--timeout`` → `timeout`."""
    return click.option(
        "--timeout", type=click.FloatRange(min=1), default=600.0, show_default=True, metavar="SECONDS",
        help="How long it may take until it answers.",
    )(function)  # fmt: skip


@command(
    name="deploy",
    examples=[
        ("the champion, on this machine, with two replicas", f"{PROGRAM} deploy models:/flights-delay@champion"),
        ("and whatever becomes the champion later", f"{PROGRAM} deploy models:/flights-delay@champion --follow"),
        ("a tenth of the requests for version 4", f"{PROGRAM} deploy flights-delay --traffic 3=90% --traffic 4=10%"),
        ("exactly what a cloud would be sent", f"{PROGRAM} deploy flights-delay/3 --target sagemaker --dry-run"),
    ],
)  # fmt: skip
@click.argument("model", shell_complete=model_names)
@click.option("--name", metavar="NAME", help="The deployment's name.  [default: the model's]")
@click.option(
    "--target",
    metavar="TARGET",
    help="Where: local, kubernetes, sagemaker, …  [default: where it is, or local]",
)
@click.option(
    "--traffic",
    multiple=True,
    metavar="VERSION=SHARE",
    help="A version's share of the requests; they sum to 1.",
)
@click.option(
    "--shadow",
    multiple=True,
    metavar="VERSION=SHARE",
    help="A version that sees a share of the requests unheard.",
)
@click.option(
    "--replicas",
    metavar="LEAST:MOST",
    help="How many processes; between the two it goes by load.  [default: 2:4]",
)
@click.option("--cpu", metavar="CORES", help="What a replica may use, such as 2 or 500m.")
@click.option("--memory", metavar="BYTES", help="What a replica may use, such as 1Gi.")
@click.option("--gpu", metavar="COUNT", help="GPUs of a replica.")
@click.option(
    "--image",
    metavar="IMAGE",
    help="The image, for targets that pull one.  [default: the last one pushed for it]",
)
@click.option("--follow/--no-follow", "follow", default=None, help="Go along when the alias moves.")
@click.option(
    "-o",
    "--option",
    "options",
    multiple=True,
    metavar="KEY=VALUE",
    help="One of the target's: port=8100.",
)
@click.option("--dry-run", is_flag=True, help="Print what would be sent, and send nothing.")
@timeout_option
@workspace_option
@json_option
def deploy(
    model: str,
    traffic: Sequence[str],
    shadow: Sequence[str],
    cpu: str | None,
    memory: str | None,
    gpu: str | None,
    follow: bool | None,
    options: Sequence[str],
    dry_run: bool,
    timeout: float,
    workspace: Path | None,
    is_json: bool,
    **given: Any,
) -> None:
    """Serve a version of a model, or change what is served.

    MODEL is models:/NAME/3, models:/NAME@champion or models:/NAME; the models:/ may be left out. What is deployed
    already under the name goes on answering until the new version does. What you do not give stays as it is.
    """  # fmt: skip
    asked: dict[str, Any] = dict(given)
    if traffic:
        asked["traffic"] = decide.pairs(traffic, "share of the traffic: such as --traffic 3=90%")
    if shadow:
        asked["shadow"] = decide.pairs(shadow, "shadow: such as --shadow 4=10%")
    needs = {
        name: each for name, each in (("cpu", cpu), ("memory", memory), ("gpu", gpu)) if each is not None
    }
    if needs:
        asked["resources"] = ResourceRequest.parse(needs)
    if options:
        asked["options"] = decide.pairs(options, "option: such as -o port=8100")
    if follow is not None:
        alias = model.partition("@")[2]
        if follow and not alias:
            raise InvalidInput(
                f"{model} names no alias that could be followed",
                hint=f"{PROGRAM} deploy {model}@champion --follow",
            )
        asked["follow_alias"] = alias if follow else ""
    with Workspace.open(workspace) as opened:
        if dry_run:
            _print_requests(opened.deployments.requests(model, **asked), is_json=is_json)
            return
        made = opened.deployments.deploy(model, timeout_seconds=timeout, **asked)
        print_deployment(opened.deployments.status(made.name), is_json=is_json)


def _print_requests(requests: Any, *, is_json: bool) -> None:
    bodies = [{"call": one.call, "body": json.loads(json.dumps(one.body, default=str))} for one in requests]
    if is_json:
        print_json({"requests": bodies})
        return
    import yaml

    to = console()
    for one in bodies:
        to.print(f"# {one['call']}", style="bold", soft_wrap=True)
        to.print(yaml.safe_dump(one["body"], sort_keys=False, allow_unicode=True), soft_wrap=True)


@command(
    name="rollback",
    examples=[
        ("back to what it served before", f"{PROGRAM} rollback flights-delay"),
        ("to a certain revision", f"{PROGRAM} rollback flights-delay --to 3"),
    ],
)
@name_argument
@click.option(
    "--to", type=click.IntRange(min=1), metavar="REVISION", help="Which one: see `deployments show`."
)
@timeout_option
@workspace_option
@json_option
def rollback(name: str, to: int | None, timeout: float, workspace: Path | None, is_json: bool) -> None:
    """Serve again what a deployment served before, as a new revision.

    A deployment that follows an alias stays there until the alias moves again.
    """
    with Workspace.open(workspace) as opened:
        opened.deployments.rollback(name, to, timeout_seconds=timeout)
        print_deployment(opened.deployments.status(name), is_json=is_json)
