"""``manifests``: what Kubernetes is given, as files: for a served model, or for a notebook that runs to its end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from ..catalog.records import Image
from ..deployments import decide
from ..errors import NotFound
from ..pipelines import load_pipeline
from ..resources import ResourceRequest
from ..targets import kubernetes
from ..workspace import Workspace
from .group import PROGRAM, command
from .options import find_pipeline, force_option, json_option, timezone_option, workspace_option
from .output import print_json, warn

_MODEL = "models:/"


@command(
    name="manifests",
    examples=[
        (
            "a model, for Kustomize: a base and overlays for dev, staging, prod",
            f"{PROGRAM} manifests models:/flights-delay@champion -o k8s --option namespace=models",
        ),
        (
            "a notebook, each night, to stdout",
            f"{PROGRAM} manifests pull.ipynb --schedule '0 2 * * *' --timezone Europe/Zurich --option namespace=jobs",
        ),
        (
            "a task of a pipeline, by the pipeline's schedules",
            f"{PROGRAM} manifests pipeline.yaml --task pull -o k8s --option namespace=jobs",
        ),
    ],
)
@click.argument("target", metavar="TARGET")
@click.option(
    "-o",
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="FOLDER",
    help="Where the files go.  [default: all to stdout]",
)
@click.option(
    "--option", "options", multiple=True, metavar="KEY=VALUE", help="One of Kubernetes': namespace=models."
)
@click.option("--image", metavar="IMAGE", help="NAME@sha256:….  [default: the last one pushed for it]")
@click.option("--name", metavar="NAME", help="What it is called there.  [default: as it is here]")
@click.option("--replicas", metavar="LEAST:MOST", help="Of a model: how many pods.  [default: 2:4]")
@click.option("--traffic", multiple=True, metavar="VERSION=SHARE", help="Of a model: a version's share.")
@click.option(
    "--shadow", multiple=True, metavar="VERSION=SHARE", help="Of a model: a version that is not heard."
)
@click.option("--cpu", metavar="CORES", help="What a pod asks for, such as 2 or 500m.")
@click.option("--memory", metavar="BYTES", help="What a pod may use, such as 1Gi.")
@click.option("--gpu", metavar="COUNT", help="GPUs of a pod.")
@click.option("--task", metavar="KEY", default="", help="Of a pipeline: which task.")
@click.option(
    "-p", "--parameters", nargs=2, multiple=True, metavar="NAME VALUE", help="An argument of a notebook."
)
@click.option("--executed", metavar="URL", default="", help="Where an executed notebook goes.")
@click.option("--schedule", metavar="CRON", default="", help="When a notebook runs by itself: five fields.")
@timezone_option
@force_option
@workspace_option
@json_option
def manifests(
    target: str,
    output: Path | None,
    options: Sequence[str],
    cpu: str | None,
    memory: str | None,
    gpu: str | None,
    is_forced: bool,
    workspace: Path | None,
    is_json: bool,
    **given: Any,
) -> None:
    """Write a model or a notebook as manifests of Kubernetes; nothing is sent to a cluster.

    TARGET is models:/NAME@ALIAS (Deployment, Service, autoscaler, …), a notebook or a pipeline (a Job, or a CronJob for
    each schedule). See docs/targets.md for the options.
    """
    asked = {
        key: value for key, value in (("cpu", cpu), ("memory", memory), ("gpu", gpu)) if value is not None
    }
    resources = ResourceRequest.parse(asked) if asked else None
    chosen = kubernetes.read(decide.pairs(options, "option: such as --option namespace=models"))
    notes: list[str] = []
    with Workspace.open(workspace) as opened:
        if target.startswith(_MODEL) or not (
            target.endswith((".ipynb", ".yaml", ".yml")) or Path(target).is_dir()
        ):
            found = _serving(opened, target, options, resources, given)
        else:
            found, notes = _batch(opened, Path(target), chosen, resources, given)
    if output is not None:
        written = kubernetes.write(kubernetes.files(found, chosen.namespace), output, is_forced=is_forced)
    if is_json:
        files = [str(path) for path in written] if output is not None else []
        print_json({"manifests": found, "files": files, "notes": notes})
        return
    if output is None:
        click.echo(kubernetes.documents(found), nl=False)
    else:
        for path in written:
            click.echo(f"{click.style('✔', fg='green')} {path}")
    warn(notes)


def _serving(
    opened: Workspace,
    target: str,
    options: Sequence[str],
    resources: ResourceRequest | None,
    given: Mapping[str, Any],
) -> list[Mapping[str, Any]]:
    asked: dict[str, Any] = {
        key: given[key] for key in ("name", "image", "replicas") if given[key] is not None
    }
    for key in ("traffic", "shadow"):
        if given[key]:
            asked[key] = decide.pairs(given[key], f"share: such as --{key} 3=90%")
    if resources is not None:
        asked["resources"] = resources
    asked["options"] = decide.pairs(options, "option")
    calls = opened.deployments.requests(target, target="kubernetes", **asked)
    return [call.body for call in calls if call.call == "kubectl apply"]


def _batch(
    opened: Workspace,
    path: Path,
    chosen: kubernetes.Options,
    resources: ResourceRequest | None,
    given: Mapping[str, Any],
) -> tuple[list[Mapping[str, Any]], list[str]]:
    path = path if path.suffix == ".ipynb" else find_pipeline(path)
    if not path.is_file():
        raise NotFound(f"there is no notebook {path}")
    image = given["image"] or _pushed(opened, path)
    if path.suffix == ".ipynb":
        wanted = _notebook(path, image, given)
    else:
        wanted = kubernetes.batch_of(
            load_pipeline(path), image, given["parameters"], task=given["task"], name=given["name"] or ""
        )
    if given["schedule"]:
        wanted = kubernetes.with_schedule(wanted, given["schedule"], given["timezone"])
    made, notes = kubernetes.batch(_changed(wanted, resources, given["executed"]), chosen)
    return list(made), notes


def _notebook(path: Path, image: str, given: Mapping[str, Any]) -> kubernetes.Batch:
    from ..notebooks.files import load_notebook
    from ..notebooks.request import read_request

    return kubernetes.Batch(
        name=given["name"] or kubernetes.slug(path.stem),
        image=image,
        arguments=dict(given["parameters"]),
        resources=read_request(load_notebook(path), where=str(path)),
    )


def _changed(wanted: kubernetes.Batch, resources: ResourceRequest | None, executed: str) -> kubernetes.Batch:
    return replace(wanted, resources=resources or wanted.resources, output=executed)


def _pushed(opened: Workspace, path: Path) -> str:
    """The last image of it that a registry has."""
    full = path.resolve()
    source = full.relative_to(opened.root).as_posix() if full.is_relative_to(opened.root) else path.name
    where = {"source": source, "kind": "batch", "is_pushed": True}
    found = opened.catalog.find(Image, where=where, order_by="-created_at", limit=1)
    if not found:
        raise NotFound(
            f"no image of {source} has been pushed to a registry",
            hint=f"{PROGRAM} dockerize {path} --push REGISTRY/NAME:TAG, or give --image",
        )
    return found[0].reference
