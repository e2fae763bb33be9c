"""A pod as both kinds of workload have it: what it may do (next to nothing), what it gets, what it is called.

The pods pass the *restricted* pod security standard: a numeric user that is not root, no capabilities, a read-only root
file system with a bounded /tmp, no token of the service account.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from ...resources import ResourceRequest
from ...spot_nodes import placement
from .options import Options

PORT = 8080
USER = 10001  # of the images that `promotion` makes
MANAGER = "jupyter-mlops"
INSTANCE = "app.kubernetes.io/instance"
MANAGED = "app.kubernetes.io/managed-by"
COMPONENT = "app.kubernetes.io/component"
REVISION = f"{MANAGER}/revision"
TRACK = f"{MANAGER}/track"
TRAFFIC = f"{MANAGER}/traffic"
_LEAST = ResourceRequest(
    cpu=0.5, memory=512 * 2**20
)  # an autoscaler by CPU needs a request to measure against
_TMP = "1Gi"


def labels(instance: str, component: str, **more: str) -> dict[str, str]:
    """The labels that Kubernetes recommends."""
    found = {"app.kubernetes.io/name": instance, INSTANCE: instance, COMPONENT: component, MANAGED: MANAGER}
    return found | {f"app.kubernetes.io/{name.replace('_', '-')}": value for name, value in more.items()}


def manifest(
    api: str, kind: str, name: str, namespace: str, marks: Mapping[str, str], spec: Mapping[str, Any] | None = None,
    annotations: Mapping[str, str] | None = None, **more: Any,
) -> dict[str, Any]:  # fmt: skip
    """An object: its head, then its spec or whatever it has in place of one."""
    metadata: dict[str, Any] = {"name": name, "namespace": namespace, "labels": dict(marks)}
    if annotations:
        metadata["annotations"] = dict(annotations)
    body: dict[str, Any] = {"apiVersion": api, "kind": kind, "metadata": metadata, **more}
    return {**body, "spec": spec} if spec is not None else body


def resources(wanted: ResourceRequest, options: Options) -> dict[str, Any]:
    """Memory asked is memory's limit, since what is used above is taken back by killing; CPU is asked only."""
    cpu = cores(wanted.cpu or _LEAST.cpu or 1)
    memory = memory_text(wanted.memory or _LEAST.memory or 0)
    limits: dict[str, Any] = {"memory": memory}
    if options.cpu_limit:
        limits["cpu"] = cpu
    if wanted.gpu:
        limits["nvidia.com/gpu"] = str(wanted.gpu)
    requests = {"cpu": cpu, "memory": memory, "ephemeral-storage": _TMP}
    return {"requests": requests, "limits": {**limits, "ephemeral-storage": "4Gi"}}


def cores(cpu: float) -> str:
    """``2`` or ``500m``, rounded up to a thousandth."""
    thousandths = math.ceil(cpu * 1000 - 1e-6)
    return str(thousandths // 1000) if thousandths % 1000 == 0 else f"{thousandths}m"


def memory_text(count: int) -> str:
    """Bytes by the largest unit that is exact, else as a number."""
    for unit, size in (("Gi", 2**30), ("Mi", 2**20), ("Ki", 2**10)):
        if count % size == 0:
            return f"{count // size}{unit}"
    return str(count)


def environment(options: Options, env: Mapping[str, str]) -> list[dict[str, Any]]:
    """Plain variables, then those that come of Secrets; what a person says wins."""
    plain = {**env, **options.env}
    found: list[dict[str, Any]] = [
        {"name": name, "value": value} for name, value in plain.items() if name not in options.secrets
    ]
    for name, reference in options.secrets.items():
        secret, _, key = reference.partition("/")
        found.append({"name": name, "valueFrom": {"secretKeyRef": {"name": secret, "key": key}}})
    return found


def container(name: str, image: str, wanted: ResourceRequest, options: Options, env: Mapping[str, str],
              **more: Any) -> dict[str, Any]:  # fmt: skip
    """One container. Threads of numeric libraries are as many as cores are asked for, not as the node has."""
    threads = str(max(1, math.ceil(wanted.cpu or _LEAST.cpu or 1)))
    made = {"TMPDIR": "/tmp", "HOME": "/tmp", "OMP_NUM_THREADS": threads, "OPENBLAS_NUM_THREADS": threads}  # noqa: S108
    found: dict[str, Any] = {
        "name": name,
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        **{key: value for key, value in more.items() if key in ("args",)},
        "env": environment(options, {**made, **env}),
        "resources": resources(wanted, options),
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
            "runAsNonRoot": True,
        },
        "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],  # noqa: S108 - in the container
    }
    return found | {key: value for key, value in more.items() if key not in found}


def pod(inside: Mapping[str, Any], wanted: ResourceRequest, options: Options, account: str, *, grace_seconds: int,
        **more: Any) -> dict[str, Any]:  # fmt: skip
    """A pod's spec round one container."""
    spec: dict[str, Any] = {
        "serviceAccountName": account,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": USER,
            "runAsGroup": USER,
            "fsGroup": USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "terminationGracePeriodSeconds": grace_seconds,
        "containers": [inside],
        "volumes": [{"name": "tmp", "emptyDir": {"sizeLimit": _TMP}}],
        **more,
    }
    if options.image_pull_secret:
        spec["imagePullSecrets"] = [{"name": options.image_pull_secret}]
    if options.priority_class:
        spec["priorityClassName"] = options.priority_class
    chosen = dict(options.node_selector)
    if wanted.accelerator and options.accelerator_label:
        chosen[options.accelerator_label] = wanted.accelerator
    if chosen:
        spec["nodeSelector"] = chosen
    if wanted.spot:
        spec |= placement()
    if wanted.gpu:
        own = {"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}
        spec["tolerations"] = [own, *spec.get("tolerations", [])]
    return spec


def account_name(instance: str, options: Options) -> str:
    """The service account that the pods run as."""
    return options.service_account or instance


def around(instance: str, options: Options, marks: Mapping[str, str]) -> list[dict[str, Any]]:
    """What pods need before they start: the namespace and the service account, where they are not there."""
    found: list[dict[str, Any]] = []
    if options.create_namespace:
        standard = {
            f"pod-security.kubernetes.io/{mode}": level
            for mode in ("enforce", "audit", "warn")
            for level in ("restricted",)
        }
        metadata = {"name": options.namespace, "labels": {MANAGED: MANAGER, **standard}}
        found.append({"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})
    if not options.service_account:
        found.append(
            manifest(
                "v1", "ServiceAccount", instance, options.namespace, marks,
                annotations=options.service_account_annotations, automountServiceAccountToken=False,
            )
        )  # fmt: skip
    return found
