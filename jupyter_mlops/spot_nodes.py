"""Nodes of Kubernetes that can be taken away, as the clouds mark them, and pods that may run there.

A pod that may tolerates the clouds' own taints and would rather have such a node; where there is none it runs as any
other. So one manifest does for every cluster. Nodes that somebody marked in a way of their own need what their owner
says.
"""

from __future__ import annotations

from typing import Any

TAINTS = (("cloud.google.com/gke-spot", "true"), ("kubernetes.azure.com/scalesetpriority", "spot"))
"""Key and value; GKE's and AKS's nodes have the same as labels. Amazon's have no taint by themselves."""
LABELS = (*TAINTS, ("eks.amazonaws.com/capacityType", "SPOT"), ("karpenter.sh/capacity-type", "spot"))


def tolerations() -> list[dict[str, Any]]:
    """What lets a pod onto them."""
    return [
        {"key": key, "operator": "Equal", "value": value, "effect": "NoSchedule"} for key, value in TAINTS
    ]


def expressions() -> list[dict[str, Any]]:
    """What tells them from others: any of these."""
    return [{"key": key, "operator": "In", "values": [value]} for key, value in LABELS]


def placement() -> dict[str, Any]:
    """The part of a pod's spec."""
    terms = [{"weight": 100, "preference": {"matchExpressions": [each]}} for each in expressions()]
    affinity = {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": terms}}
    return {"tolerations": tolerations(), "affinity": affinity}
