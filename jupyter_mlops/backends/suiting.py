"""What kind of machine tasks ask for, held against what a cluster is: the image of its workers, and whether they can be
taken away. Pure.

How much tasks ask for is another matter, which dask counts (`counting`). The workers of one cluster are all of one
image, so that a run's tasks can name one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from ..errors import InvalidInput
from ..problems import Problem
from ..resources import ResourceRequest
from .clusters import ClusterSpec

_OPTIONS: Mapping[str, str] = {
    "kubernetes": "image",
    "fargate": "image",
    **dict.fromkeys(("ec2", "azure", "gcp"), "docker_image"),
}
_HERE = "this machine"

Asked = Mapping[str, ResourceRequest]  # by task


def takes_image(spec: ClusterSpec | None) -> bool:
    """Whether its workers are started in an image that we say; None is this machine."""
    return spec is not None and spec.type in _OPTIONS and "custom_cluster_spec" not in spec.options


def usual_image(spec: ClusterSpec | None) -> str:
    """The image of its workers where no task names one; "" where they have none that we know of."""
    return str(spec.options.get(_OPTIONS[spec.type], "")) if spec is not None and takes_image(spec) else ""


def with_image(spec: ClusterSpec, images: Iterable[str | None]) -> ClusterSpec:
    """The cluster with workers of the image that tasks ask for. Raises `InvalidInput` where they ask for several."""
    asked = sorted({image for image in images if image}) if takes_image(spec) else []
    if not asked:
        return spec
    if len(asked) > 1:
        raise InvalidInput(
            f"the workers of a cluster have one image, and the tasks ask for {len(asked)}: {', '.join(asked)}",
            hint="name one for all of them, run them as pipelines of their own, or export to Argo or Kubeflow",
        )
    return replace(spec, options={**spec.options, _OPTIONS[spec.type]: asked[0]})


def unsuitable(spec: ClusterSpec | None, asked: Asked) -> list[Problem]:
    """What of the tasks' wishes a run there does not fulfill, each kind told once."""
    problems = []
    where = _HERE if spec is None else f"the cluster {spec.name!r}"
    imaged = [task for task, request in asked.items() if request.image]
    if imaged and not takes_image(spec):
        message = f"image: not used for {_named(imaged)}, since {where} starts no containers"
        hint = "an image is used by clusters of containers, and by exports to Argo and Kubeflow"
        problems.append(Problem(message=message, hint=hint, severity="warning"))
    elif spec is not None:
        try:
            with_image(spec, [request.image for request in asked.values()])
        except InvalidInput as error:
            problems.append(Problem(message=error.message, hint=error.hint))
    lasting = [task for task, request in asked.items() if not request.spot]
    if spec is not None and spec.spot and lasting:
        message = f"spot: {_named(lasting)} may lose their worker, since those of {where} can be taken away"
        hint = "what is lost is tried again; say resources: {spot: true}, or choose another cluster"
        problems.append(Problem(message=message, hint=hint, severity="warning"))
    return problems


def _named(tasks: list[str]) -> str:
    shown = ", ".join(tasks[:5])
    return f"{shown} and {len(tasks) - 5} more" if len(tasks) > 5 else shown
