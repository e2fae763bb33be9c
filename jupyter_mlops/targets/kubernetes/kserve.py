"""A KServe InferenceService: KServe makes the Deployment, the way in and the autoscaler of it.

Its canary is a share for the newest spec beside the one that was rolled out before, so two versions are two requests:
the primary, and when that answers the canary.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...errors import InvalidInput
from ..given import by_share, percents, versions
from ..target import Wanted
from .options import Options
from .pods import PORT, REVISION, account_name, container, manifest, pod


def check(wanted: Wanted) -> None:
    """Raise `InvalidInput` for what KServe cannot do."""
    if len(versions(wanted)) > 2:
        raise InvalidInput("KServe splits requests between two versions only")
    if wanted.shadow:
        raise InvalidInput("KServe has no shadows", hint="leave kserve out and name a Gateway")


def services(wanted: Wanted, options: Options, marks: Mapping[str, str]) -> list[dict[str, Any]]:
    """One, or the primary and then the same object with the canary."""
    shares = percents(wanted)
    order = [version for version in by_share(wanted) if wanted.traffic[version] > 0]
    found = [_service(wanted, order[0], None, options, marks)]
    if len(order) > 1:
        found.append(_service(wanted, order[1], shares[order[1]], options, marks))
    return found


def _service(
    wanted: Wanted, version: int, percent: int | None, options: Options, marks: Mapping[str, str]
) -> dict[str, Any]:
    get = {"path": "/healthz/ready", "port": PORT}
    inside = container(
        "kserve-container",
        wanted.images[version],
        wanted.resources,
        options,
        {"PORT": str(PORT)},
        args=["serve"],
        ports=[{"name": "http1", "containerPort": PORT, "protocol": "TCP"}],
        readinessProbe={"httpGet": get, "periodSeconds": 5, "timeoutSeconds": 2, "failureThreshold": 3},
    )
    least, most = wanted.replicas
    predictor: dict[str, Any] = {
        "labels": {key: value for key, value in marks.items() if key != REVISION},
        "minReplicas": least,
        "maxReplicas": most,
        "scaleMetric": "cpu",
        "scaleTarget": options.cpu_utilization,
        **({} if percent is None else {"canaryTrafficPercent": percent}),
        **pod(inside, wanted.resources, options, account_name(wanted.name, options), grace_seconds=45),
    }
    own = {**marks, "app.kubernetes.io/version": str(version)}
    return manifest(
        "serving.kserve.io/v1beta1",
        "InferenceService",
        wanted.name,
        options.namespace,
        own,
        {"predictor": predictor},
    )
