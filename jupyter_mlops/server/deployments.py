"""The operations on deployments and images. Deploying may take minutes: who asked is answered soon, and the bell tells
the end."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from typing import Any

from ..catalog import Deployment, DeploymentRevision, Image
from ..deployments import Deployments
from ..deployments.decide import replicas_of
from ..errors import NotFound
from ..targets import TARGETS
from ..words import iso
from .panel import Panel
from .present import page

_ANSWER_SECONDS = 3.0
_RECORD_SECONDS = 60.0
_ASKED = ("name", "target", "traffic", "shadow", "replicas", "resources", "image", "follow_alias", "options")
_threads = ThreadPoolExecutor(4, thread_name_prefix="mlops-deploy")


def list_all(panel: Panel, asked: Mapping[str, Any]) -> dict[str, Any]:
    """`listDeployments`."""
    deployments = panel.workspace.deployments
    items = [_body(each, _current(deployments, each)) for each in deployments.find()]
    return {"items": items, "targets": sorted(TARGETS.names())}


def show(panel: Panel, asked: Mapping[str, Any]) -> dict[str, Any]:
    """`getDeployment`."""
    deployments = panel.workspace.deployments
    found = deployments.look(asked["name"])
    record, live = found.deployment, found.live
    revisions = deployments.revisions(record.name)
    current = next((each for each in revisions if each.revision == record.revision), None)
    return {
        "deployment": _body(record, current),
        "live_state": live.state,
        "live_message": live.message,
        "live_revision": live.revision,
        "replicas": [
            {
                "name": each.name, "state": each.state, "revision": each.revision, "message": each.message,
                "restarts": each.restarts, "requests": each.requests, "errors": each.errors,
            }
            for each in live.replicas
        ],
        "metrics": dict(live.metrics),
        "revisions": [_revision_body(each) for each in revisions],
        "trouble": panel.places.shown(found.trouble),
        "example": f"curl -s {record.url}/openapi.json" if record.url.startswith("http") else None,
    }  # fmt: skip


def deploy(panel: Panel, asked: Mapping[str, Any]) -> dict[str, Any]:
    """`deployModel`."""
    deployments = panel.made_workspace.deployments
    given = {name: asked[name] for name in _ASKED if asked.get(name) is not None}
    before = {each.name: each.updated_at for each in deployments.find(with_removed=True)}
    future = _threads.submit(deployments.deploy, asked["model"], **given)

    def begun() -> Deployment | None:
        for each in deployments.find():
            if each.state == "deploying" and before.get(each.name) != each.updated_at:
                return each
        return None

    return _soon(deployments, future, begun)


def rollback(panel: Panel, asked: Mapping[str, Any]) -> dict[str, Any]:
    """`rollbackDeployment`."""
    return _act(panel, asked["name"], lambda all_: all_.rollback(asked["name"], asked.get("to")))


def stop(panel: Panel, asked: Mapping[str, Any]) -> dict[str, Any]:
    """`stopDeployment`."""
    return _act(panel, asked["name"], lambda all_: all_.stop(asked["name"]))


def start(panel: Panel, asked: Mapping[str, Any]) -> dict[str, Any]:
    """`startDeployment`."""
    return _act(panel, asked["name"], lambda all_: all_.start(asked["name"]))


def remove(panel: Panel, asked: Mapping[str, Any]) -> None:
    """`removeDeployment`."""
    panel.workspace.deployments.remove(asked["name"])


def plan(panel: Panel, asked: Mapping[str, Any]) -> dict[str, Any]:
    """`planDeployment`."""
    given = {name: asked[name] for name in _ASKED if asked.get(name) is not None}
    requests = panel.workspace.deployments.requests(asked["model"], **given)
    return {"requests": [{"call": each.call, "body": dict(each.body)} for each in requests]}


def list_images(panel: Panel, asked: Mapping[str, Any]) -> dict[str, Any]:
    """`listImages`."""
    catalog, limit, offset = panel.workspace.catalog, asked["limit"], asked["offset"]
    found = catalog.find(Image, order_by="-created_at", limit=limit, offset=offset)
    return page(map(_image_body, found), catalog.count(Image), limit, offset)


def _act(panel: Panel, name: str, deed: Callable[[Deployments], Deployment]) -> dict[str, Any]:
    deployments = panel.workspace.deployments
    deployments.get(name)
    return _soon(deployments, _threads.submit(deed, deployments), lambda: deployments.get(name))


def _soon(
    deployments: Deployments, future: Future[Deployment], begun: Callable[[], Deployment | None]
) -> dict[str, Any]:
    """The deployment when that is done, or as it stands after some seconds. What is wrong with the request is told."""
    until = time.monotonic() + _RECORD_SECONDS
    record: Deployment | None = None
    while record is None:
        try:
            record = future.result(_ANSWER_SECONDS)
        except NotYet:
            record = begun()
            if record is None and time.monotonic() > until:
                raise NotFound("the deployment has not begun yet", hint="look again in a moment") from None
    return _body(record, _current(deployments, record))


def _current(deployments: Deployments, record: Deployment) -> DeploymentRevision | None:
    return next(
        (each for each in deployments.revisions(record.name) if each.revision == record.revision), None
    )


def _body(record: Deployment, revision: DeploymentRevision | None) -> dict[str, Any]:
    return {
        "name": record.name,
        "target": record.target,
        "model": record.model,
        "alias": record.alias,
        "state": record.state,
        "message": record.message,
        "url": record.url,
        "revision": record.revision,
        "traffic": dict(revision.traffic) if revision else {},
        "shadow": dict(revision.shadow) if revision else {},
        "image": revision.image if revision else "",
        "reason": revision.reason if revision else "",
        "replicas": list(replicas_of(record)),
        "user_name": record.user_name,
        "created_at": iso(record.created_at),
        "updated_at": iso(record.updated_at),
    }


def _revision_body(revision: DeploymentRevision) -> dict[str, Any]:
    return {
        "revision": revision.revision,
        "traffic": dict(revision.traffic),
        "shadow": dict(revision.shadow),
        "image": revision.image,
        "reason": revision.reason,
        "user_name": revision.user_name,
        "created_at": iso(revision.created_at),
    }


def _image_body(image: Image) -> dict[str, Any]:
    return {
        "digest": image.digest,
        "name": image.name,
        "kind": image.kind,
        "source": image.source,
        "is_pushed": image.is_pushed,
        "is_signed": image.is_signed,
        "platforms": list(image.platforms),
        "size_bytes": image.size_bytes,
        "builder": image.builder,
        "run_id": image.run_id,
        "user_name": image.user_name,
        "created_at": iso(image.created_at),
    }
