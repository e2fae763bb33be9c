"""A dask cluster in Kubernetes, by dask's operator: the object that it is asked for.

What dask-kubernetes makes of its arguments starts commands that distributed has no more (``dask-worker``,
``dask-scheduler``), and gives the scheduler as much as a worker: a GPU, too. So the object is made by it, put right
here, and handed to its own class.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from typing import Any

from dask_kubernetes.operator import KubeCluster, make_cluster_spec

from ..spot_nodes import placement

_OF_THE_OBJECT = ("image", "env", "scheduler_service_type", "idle_timeout", "jupyter", "n_workers")
_SCHEDULER = {"requests": {"cpu": "250m", "memory": "512Mi"}, "limits": {"memory": "2Gi"}}
_LONGEST = 40  # of a name, to which the operator adds its own ends


def start_cluster(**given: Any) -> Any:
    """A `KubeCluster` that runs, of what its class takes; `scheduler_resources` are for the scheduler's pod."""
    if given.get("custom_cluster_spec") is None:
        given = {**_others(given), "custom_cluster_spec": cluster_object(**given)}
    else:  # somebody's own object says everything
        own = ("n_workers", "resources", "worker_command", "name", "spot")
        given = {name: value for name, value in given.items() if name not in own}
    return KubeCluster(quiet=True, **given)


def cluster_object(
    *,
    name: str,
    resources: Mapping[str, Any],
    worker_command: list[str],
    scheduler_resources: Mapping[str, Any] | None = None,
    spot: bool = False,
    **given: Any,
) -> dict[str, Any]:
    """The ``DaskCluster`` that the operator is given. With `spot`, its workers may have nodes that can be taken away;
    its scheduler may not."""
    known = {key: value for key, value in given.items() if key in _OF_THE_OBJECT}
    made: dict[str, Any] = make_cluster_spec(
        name=object_name(name), resources=resources, worker_command=worker_command, **known
    )
    scheduler = made["spec"]["scheduler"]["spec"]["containers"][0]
    scheduler["args"] = ["dask", "scheduler", *scheduler["args"][1:]]
    scheduler["resources"] = dict(scheduler_resources or _SCHEDULER)
    if spot:
        made["spec"]["worker"]["spec"].update(placement())
    pruned: dict[str, Any] = _without_nothing(made)
    return pruned


def object_name(name: str) -> str:
    """As Kubernetes has names: small letters, digits and ``-``; ``{uuid}`` is made up."""
    made = re.sub(r"[^a-z0-9-]+", "-", name.replace("{uuid}", "").lower()).strip("-")[:_LONGEST].strip("-")
    return f"{made}-{uuid.uuid4().hex[:8]}" if "{uuid}" in name else made


def _others(given: Mapping[str, Any]) -> dict[str, Any]:
    """What is not of the object: how it is reached and waited for."""
    ours = (*_OF_THE_OBJECT, "name", "resources", "worker_command", "scheduler_resources", "spot")
    return {name: value for name, value in given.items() if name not in ours}


def _without_nothing(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _without_nothing(item) for key, item in value.items() if item is not None}
    return [_without_nothing(item) for item in value] if isinstance(value, list) else value
