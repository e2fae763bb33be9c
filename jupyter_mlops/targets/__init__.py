"""Where models are served: one protocol (`target.Target`), five places, chosen by name.

`TARGETS` maps a name to a class; it is made with the workspace's folder, ``LocalTarget(root)``, and imports the
SDK of its cloud only when it needs it. Other distributions add theirs by the entry points ``jupyter_mlops.targets``.
"""

from __future__ import annotations

from pathlib import Path

from ..plugins import Registry
from .target import ReplicaStatus, Request, Status, Target, Wanted

TARGETS = Registry(
    "jupyter_mlops.targets",
    {
        "local": ("jupyter_mlops.targets.local:LocalTarget", "pip install 'jupyter-mlops[serving]'"),
        "kubernetes": (
            "jupyter_mlops.targets.kubernetes:KubernetesTarget",
            "",
        ),
        "sagemaker": (
            "jupyter_mlops.targets.sagemaker:SageMakerTarget",
            "pip install 'jupyter-mlops[sagemaker]'",
        ),
        "vertex": ("jupyter_mlops.targets.vertex:VertexTarget", "pip install 'jupyter-mlops[vertex]'"),
        "azureml": ("jupyter_mlops.targets.azureml:AzureMLTarget", "pip install 'jupyter-mlops[azureml]'"),
    },
)


def make_target(name: str, root: Path) -> Target:
    """The target of that name for the workspace at `root`. Raises `NotFound` with the nearest name."""
    target: Target = TARGETS.get(name)(root)
    return target


__all__ = ["TARGETS", "ReplicaStatus", "Request", "Status", "Target", "Wanted", "make_target"]
