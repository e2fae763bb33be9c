"""The bodies of all calls, pure, in the form of Azure ML's own YAML: environments, an endpoint, its deployments; the
shares last.

Environments and deployments are named by what they are made of, so a revision that only moves shares makes nothing new:
what is there already is kept.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...errors import InvalidInput
from ..given import (
    by_share,
    check_wanted,
    environment,
    option,
    percents,
    read_options,
    smallest_instance,
    versions,
)
from ..target import Request, Wanted

DEPLOYMENT, REVISION = "mlops-deployment", "mlops-revision"  # tags
PORT = 8080
_MOST_MIRRORED = 0.5
_INSTANCES = (  # (cores, GiB, GPUs) → the smallest that managed endpoints offer
    (4, 14, 0, "Standard_DS3_v2"),
    (8, 28, 0, "Standard_DS4_v2"),
    (16, 56, 0, "Standard_DS5_v2"),
    (32, 64, 0, "Standard_F32s_v2"),
    (64, 128, 0, "Standard_F64s_v2"),
    (4, 28, 1, "Standard_NC4as_T4_v3"),
    (24, 220, 1, "Standard_NC24ads_A100_v4"),
    (64, 440, 4, "Standard_NC64as_T4_v3"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Of a subscription, a workspace and an endpoint."""

    subscription: str = option("", "The subscription's ID.")
    resource_group: str = option("", "The resource group.")
    workspace: str = option("", "The Azure ML workspace.")
    instance_type: str = option("", "Else the smallest that holds what is asked for.")
    auth: str = option("key", "How callers prove who they are: `key`, `aml_token` or `aad_token`.")
    public: bool = option(
        default=True, help="Whether the endpoint answers outside of the workspace's network."
    )
    timeout_seconds: int = option(60, "How long a request may take (1 … 180).")
    concurrency: int = option(64, "Requests at once that an instance is given.")
    startup_seconds: int = option(600, "How long a container may take until its model answers.")
    env: Mapping[str, str] = option(
        {}, "Environment variables; anybody who may read the deployment reads them."
    )
    tags: Mapping[str, str] = option({}, "Tags, for cost and access.")


def read(given: Mapping[str, Any]) -> Options:
    """Options as a person wrote them. Raises `InvalidInput`."""
    options = read_options(Options, given, "azureml")
    if not re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", options.subscription, re.IGNORECASE):
        raise InvalidInput(
            f"azureml: {options.subscription!r} is no subscription's ID",
            hint="see them: az account list -o table",
        )
    for name in ("resource_group", "workspace"):
        if not re.fullmatch(r"[\w().-]{1,90}", getattr(options, name)):
            raise InvalidInput(f"azureml needs a {name}", hint=f"for example -o {name}=ml")
    if options.auth not in ("key", "aml_token", "aad_token"):
        raise InvalidInput(f"azureml: auth is key, aml_token or aad_token, not {options.auth!r}")
    if not 1 <= options.timeout_seconds <= 180 or options.concurrency < 1 or options.startup_seconds < 60:
        raise InvalidInput(
            "azureml: timeout_seconds is 1 … 180, concurrency at least 1, startup_seconds at least 60"
        )
    environment(options.env, "azureml")
    return options


def check(wanted: Wanted, options: Options) -> None:
    """Raise `InvalidInput` for what Azure ML cannot do."""
    check_wanted(wanted, "azureml", longest_name=32)
    if len(wanted.name) < 3:
        raise InvalidInput(f"azureml cannot call an endpoint {wanted.name!r}", hint="use at least 3 letters")
    if len(wanted.shadow) > 1 or any(share > _MOST_MIRRORED for share in wanted.shadow.values()):
        raise InvalidInput("azureml copies at most half of the requests, to one version")
    if set(wanted.shadow) & {version for version, share in wanted.traffic.items() if share > 0}:
        raise InvalidInput("a version that answers is no shadow besides")
    _instance_type(wanted, options)


def _instance_type(wanted: Wanted, options: Options) -> str:
    return options.instance_type or smallest_instance(wanted, _INSTANCES, example="Standard_…")


def plan(wanted: Wanted, options: Options) -> list[Request]:
    """Every call of `apply` in its order; what is there already is left out when they are sent."""
    check(wanted, options)
    found = [
        Request(call="azureml.environments.create_or_update", body=_environment(wanted, version))
        for version in versions(wanted)
    ]
    endpoint = _endpoint(wanted, options)
    found.append(Request(call="azureml.online_endpoints.begin_create_or_update", body=endpoint))
    found += [
        Request(
            call="azureml.online_deployments.begin_create_or_update",
            body=_deployment(wanted, version, options),
        )
        for version in versions(wanted)
    ]
    shares = {_name(wanted, version, options): percent for version, percent in percents(wanted).items()}
    copies = {
        _name(wanted, version, options): max(1, round(share * 100))
        for version, share in wanted.shadow.items()
    }
    tags = {**endpoint["tags"], REVISION: str(wanted.revision)}
    moved = {**endpoint, "tags": tags, "traffic": shares, "mirror_traffic": copies}
    found.append(Request(call="azureml.online_endpoints.begin_create_or_update", body=moved))
    return found


def _endpoint(wanted: Wanted, options: Options) -> dict[str, Any]:
    return {
        "name": wanted.name,
        "auth_mode": options.auth,
        "public_network_access": "enabled" if options.public else "disabled",
        "tags": {**options.tags, DEPLOYMENT: wanted.name},
    }


def _environment(wanted: Wanted, version: int) -> dict[str, Any]:
    image = wanted.images[version]

    def route(path: str) -> dict[str, Any]:
        return {"port": PORT, "path": path}

    return {
        "name": f"{wanted.name}-v{version}",
        "version": image.rpartition(":")[2][:12],
        "image": image,
        "inference_config": {
            "liveness_route": route("/healthz/live"),
            "readiness_route": route("/healthz/ready"),
            "scoring_route": route("/score"),
        },
    }


def _deployment(wanted: Wanted, version: int, options: Options) -> dict[str, Any]:
    body = _machines(wanted, version, options)
    return {"name": _name(wanted, version, options), "endpoint_name": wanted.name, **body}


def _name(wanted: Wanted, version: int, options: Options) -> str:
    text = json.dumps(_machines(wanted, version, options), sort_keys=True)
    return f"v{version}-{hashlib.sha256(text.encode()).hexdigest()[:10]}"


def _machines(wanted: Wanted, version: int, options: Options) -> dict[str, Any]:
    """A model on machines. How many there are does not change by itself: that would be Azure Monitor's to do."""
    made = _environment(wanted, version)
    period = 10
    probe = {"initial_delay": period, "period": period, "timeout": 2, "success_threshold": 1}
    return {
        "environment": f"azureml:{made['name']}:{made['version']}",
        "instance_type": _instance_type(wanted, options),
        "instance_count": wanted.replicas[0] if version == by_share(wanted)[0] else 1,
        "scale_settings": {"type": "default"},
        "environment_variables": {**options.env, "PORT": str(PORT)},
        "request_settings": {
            "request_timeout_ms": options.timeout_seconds * 1000,
            "max_concurrent_requests_per_instance": options.concurrency,
        },
        "liveness_probe": {**probe, "failure_threshold": max(6, options.startup_seconds // period)},
        "readiness_probe": {**probe, "failure_threshold": max(6, options.startup_seconds // period)},
        "tags": {DEPLOYMENT: wanted.name, "mlops-version": str(version)},
    }
