"""A served model as manifests, pure: a Deployment for each version, what scales and protects it, and the way in.

The version with the largest share is the *primary* and keeps the deployment's name, so a new version of it is a rolling
update; each other has a Deployment ``NAME-v4`` of its own. Selectors never name a version, since they cannot change.
With a gateway the shares are exact (and pods scale by load); without one they are shares of pods, whose number is fixed
for that.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...errors import InvalidInput
from ..given import by_share, check_wanted, percents, versions
from ..target import Wanted
from . import kserve, network
from .options import Options
from .pods import (
    COMPONENT,
    INSTANCE,
    MANAGER,
    PORT,
    REVISION,
    TRACK,
    TRAFFIC,
    account_name,
    around,
    container,
    labels,
    manifest,
    pod,
)

_COMPONENT = "serving"
_GRACE, _PAUSE = (
    45,
    5,
)  # a pod leaves the endpoints (5 s), then answers what it has (30 s), with some to spare
_OFF = 5.0  # percentage points that shares of pods may be off


def check(wanted: Wanted, options: Options) -> None:
    """Raise `InvalidInput` for what these manifests cannot hold."""
    check_wanted(wanted, "kubernetes")
    if wanted.shadow and not options.gateway:
        raise InvalidInput(
            "a Service cannot copy requests to a shadow", hint="name a Gateway: -o gateway=NAMESPACE/NAME"
        )
    if set(wanted.shadow) & set(by_share(wanted)):
        raise InvalidInput("a version that answers is no shadow besides")
    if options.kserve:
        kserve.check(wanted)
    elif is_split_by_pods(wanted, options):
        pods_by_version(wanted)


def serving(wanted: Wanted, options: Options) -> list[dict[str, Any]]:
    """All manifests of a revision, in the order in which they are applied: workloads first, then the way in."""
    check(wanted, options)
    marks = labels(wanted.name, _COMPONENT) | {REVISION: str(wanted.revision)}
    found = around(wanted.name, options, marks)
    if options.kserve:
        return found + kserve.services(wanted, options, marks)
    found.append(network.policy(wanted.name, _COMPONENT, options, marks))
    for version in versions(wanted):
        found += _workload(wanted, version, options, marks)
    return found + _way_in(wanted, options, marks)


def is_split_by_pods(wanted: Wanted, options: Options) -> bool:
    """Whether shares are made by numbers of pods."""
    return len([share for share in wanted.traffic.values() if share > 0]) > 1 and not options.gateway


def workload_name(wanted: Wanted, version: int) -> str:
    """What the Deployment of a version is called."""
    return wanted.name if version == by_share(wanted)[0] else f"{wanted.name}-v{version}"


def pods_by_version(wanted: Wanted) -> dict[int, int]:
    """Version → pods, so that the shares of pods come nearest to the shares that were asked for."""
    shares = {version: share for version, share in wanted.traffic.items() if share > 0}
    least, most = wanted.replicas

    def split(total: int) -> tuple[float, dict[int, int]]:
        pods = {version: max(1, round(share * total)) for version, share in shares.items()}
        everyone = sum(pods.values())
        off = max(abs(pods[version] / everyone - share) * 100 for version, share in shares.items())
        return off, pods

    totals = range(max(least, len(shares)), most + 1)
    found = sorted(
        ((off, sum(pods.values()), pods) for off, pods in map(split, totals) if sum(pods.values()) <= most),
        key=lambda each: each[:2],
    )
    if found and found[0][0] <= _OFF:
        return found[0][2]
    enough = next((total for total in range(2, 1001) if split(total)[0] <= _OFF), None)
    raise InvalidInput(
        f"{most} pods cannot be split as {_shown(shares)}",
        hint=f"allow {enough} replicas, or name a Gateway: -o gateway=NAMESPACE/NAME",
    )


def _shown(shares: Mapping[int, float]) -> str:
    return ", ".join(f"version {version}: {share:.0%}" for version, share in shares.items())


def _workload(
    wanted: Wanted, version: int, options: Options, marks: Mapping[str, str]
) -> list[dict[str, Any]]:
    name = workload_name(wanted, version)
    track = "primary" if name == wanted.name else f"v{version}"
    selector = {INSTANCE: wanted.name, COMPONENT: _COMPONENT, TRACK: track}
    own = {**marks, TRACK: track, "app.kubernetes.io/version": str(version)}
    found = [_deployment(wanted, version, name, selector, own, options)]
    least, most = _range(wanted, version, options)
    if least < most:
        found.append(_autoscaler(name, least, most, options, own))
    budget = {
        "maxUnavailable": 1,  # not "min available": as many as there are would block every drain of a node
        "selector": {"matchLabels": selector},
        "unhealthyPodEvictionPolicy": "AlwaysAllow",
    }
    found.append(manifest("policy/v1", "PodDisruptionBudget", name, options.namespace, own, budget))
    if options.gateway:
        found.append(network.service(name, selector, options, own))
    return found


def _range(wanted: Wanted, version: int, options: Options) -> tuple[int, int]:
    if is_split_by_pods(wanted, options):
        pods = pods_by_version(wanted)[version]
        return pods, pods
    least, most = wanted.replicas
    return (least, most) if version == by_share(wanted)[0] else (1, most)


def _deployment(
    wanted: Wanted,
    version: int,
    name: str,
    selector: Mapping[str, str],
    marks: Mapping[str, str],
    options: Options,
) -> dict[str, Any]:
    least, most = _range(wanted, version, options)
    spread = [
        {
            "maxSkew": 1,
            "topologyKey": key,
            "whenUnsatisfiable": "ScheduleAnyway",
            "labelSelector": {"matchLabels": dict(selector)},
            "matchLabelKeys": ["pod-template-hash"],  # a rolling update counts its own pods only
        }
        for key in ("topology.kubernetes.io/zone", "kubernetes.io/hostname")
    ]
    spec = pod(
        _container(wanted, version, options),
        wanted.resources,
        options,
        account_name(wanted.name, options),
        grace_seconds=_GRACE,
        topologySpreadConstraints=spread,
    )
    inside = {
        key: value for key, value in marks.items() if key != REVISION
    }  # or each revision restarts all pods
    if wanted.traffic.get(version, 0) > 0:
        inside[TRAFFIC] = "true"
    template: dict[str, Any] = {"metadata": {"labels": inside}, "spec": spec}
    if wanted.digests.get(version):
        template["metadata"]["annotations"] = {f"{MANAGER}/model": _model(wanted, version)}
    body: dict[str, Any] = (
        {} if least < most else {"replicas": least}
    )  # with an autoscaler the number is its own
    body |= {
        "revisionHistoryLimit": 5,
        "progressDeadlineSeconds": options.startup_seconds + 120,
        "minReadySeconds": 5,
        "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}},
        "selector": {"matchLabels": dict(selector)},
        "template": template,
    }
    return manifest("apps/v1", "Deployment", name, options.namespace, marks, body)


def _model(wanted: Wanted, version: int) -> str:
    return f"models:/{wanted.model}/{version}@{wanted.digests[version]}"


def _container(wanted: Wanted, version: int, options: Options) -> dict[str, Any]:
    def asks(path: str, period: int, timeout: int, failures: int) -> dict[str, Any]:
        get = {"path": path, "port": "http"}
        return {
            "httpGet": get,
            "periodSeconds": period,
            "timeoutSeconds": timeout,
            "failureThreshold": failures,
        }

    pause: dict[str, Any] = {"sleep": {"seconds": _PAUSE}}
    if options.minor < 30:  # before, that is behind a feature gate
        pause = {"exec": {"command": ["python", "-c", f"import time; time.sleep({_PAUSE})"]}}
    return container(
        "model",
        wanted.images[version],
        wanted.resources,
        options,
        {"PORT": str(PORT)},
        args=["serve"],
        ports=[{"name": "http", "containerPort": PORT, "protocol": "TCP"}],
        startupProbe=asks("/healthz/ready", 2, 2, max(1, options.startup_seconds // 2)),
        readinessProbe=asks("/healthz/ready", 5, 2, 3),
        livenessProbe=asks("/healthz/live", 10, 5, 6),  # never touches the model, and forgives a minute
        lifecycle={"preStop": pause},
    )


def _autoscaler(
    name: str, least: int, most: int, options: Options, marks: Mapping[str, str]
) -> dict[str, Any]:
    target = {"type": "Utilization", "averageUtilization": options.cpu_utilization}
    spec = {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": name},
        "minReplicas": least,
        "maxReplicas": most,
        "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": target}}],
        "behavior": {
            "scaleUp": {
                "stabilizationWindowSeconds": 0,
                "policies": [{"type": "Percent", "value": 100, "periodSeconds": 15}],
            },
            "scaleDown": {
                "stabilizationWindowSeconds": 300,
                "policies": [{"type": "Pods", "value": 1, "periodSeconds": 60}],
            },
        },
    }
    return manifest("autoscaling/v2", "HorizontalPodAutoscaler", name, options.namespace, marks, spec)


def _way_in(wanted: Wanted, options: Options, marks: Mapping[str, str]) -> list[dict[str, Any]]:
    if options.gateway:
        weights = [(workload_name(wanted, v), share) for v, share in percents(wanted).items()]
        shadows = [
            (workload_name(wanted, v), max(1, round(share * 100)))
            for v, share in sorted(wanted.shadow.items())
        ]
        return [network.route(wanted.name, weights, shadows, options, marks)]
    selector = {INSTANCE: wanted.name, COMPONENT: _COMPONENT, TRAFFIC: "true"}
    found = [network.service(wanted.name, selector, options, marks)]
    return [*found, network.ingress(wanted.name, options, marks)] if options.host else found
