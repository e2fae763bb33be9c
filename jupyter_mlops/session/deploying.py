"""Serving from a notebook: deploy a version, look at what is deployed, go back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, overload

from ..catalog import Deployment
from ..deployments import DeploymentStatus
from ..deployments.view import shares
from ..display import table_html, table_text
from .place import get_workspace

_COLUMNS = ("deployment", "state", "model", "traffic", "target", "replicas", "url")


class DeploymentTable(Sequence[DeploymentStatus]):
    """Deployments as a table that is a sequence."""

    def __init__(self, found: Sequence[DeploymentStatus]) -> None:
        self._found = tuple(found)

    def __len__(self) -> int:
        return len(self._found)

    @overload
    def __getitem__(self, index: int) -> DeploymentStatus: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[DeploymentStatus]: ...
    def __getitem__(self, index: int | slice) -> DeploymentStatus | Sequence[DeploymentStatus]:
        return self._found[index]

    def __iter__(self) -> Iterator[DeploymentStatus]:
        return iter(self._found)

    def _rows(self) -> list[list[str]]:
        return [
            [
                one.deployment.name,
                one.deployment.state,
                f"{one.deployment.model}{'@' if one.deployment.alias else ''}{one.deployment.alias}",
                shares(one.revision),
                one.deployment.target,
                str(sum(each.state == "running" for each in one.live.replicas) or ""),
                one.note,
            ]
            for one in self._found
        ]

    def __repr__(self) -> str:
        return table_text(_COLUMNS, self._rows()) if self._found else "nothing is deployed"

    def _repr_html_(self) -> str:
        return table_html(_COLUMNS, self._rows()) if self._found else "nothing is deployed"


def deploy(
    model: str,
    *,
    name: str | None = None,
    target: str | None = None,
    traffic: Mapping[Any, Any] | None = None,
    shadow: Mapping[Any, Any] | None = None,
    replicas: int | str | tuple[int, int] | None = None,
    resources: Mapping[str, Any] | None = None,
    image: str | None = None,
    follow_alias: str | None = None,
    options: Mapping[str, Any] | None = None,
    timeout_seconds: float = 600,
) -> Deployment:
    """Serve ``models:/NAME/3`` or ``models:/NAME@champion``; the deployment, once it answers at its `url`.

    On this machine by default, with two replicas, which go on when the notebook ends. Under a `name` that is deployed
    already (by default the model's) it is the next revision, and no request is lost meanwhile; if that is what runs
    already, nothing is done. `traffic` (``{3: 0.9, 4: 0.1}``), `shadow` and all else as for `Deployments.deploy`.
    """
    return get_workspace().deployments.deploy(
        model, name=name, target=target, traffic=traffic, shadow=shadow, replicas=replicas, resources=resources,
        image=image, follow_alias=follow_alias, options=options, timeout_seconds=timeout_seconds,
    )  # fmt: skip


def find_deployments(name: str | None = None) -> DeploymentTable:
    """What is deployed, as it really is; one, or all."""
    book = get_workspace().deployments
    return DeploymentTable([book.status(name)] if name else [book.look(each.name) for each in book.find()])


def rollback(name: str, to: int | None = None) -> Deployment:
    """Let a deployment serve what it served before, or what revision `to` served."""
    return get_workspace().deployments.rollback(name, to)
