"""The bodies of all calls, pure: a model for each image, an endpoint, deployed models, and the shares last.

Models and deployed models are named by what they are made of, so a revision that only moves shares deploys nothing:
what is there already is kept.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...errors import InvalidInput
from ..given import by_share, check_wanted, environment, option, percents, read_options, versions
from ..target import Request, Wanted

DEPLOYMENT, REVISION = "mlops-deployment", "mlops-revision"  # labels
_IMAGE = re.compile(r"([a-z0-9-]+-docker\.pkg\.dev|([a-z]+\.)?gcr\.io)/", re.ASCII)
_CPU = "aiplatform.googleapis.com/prediction/online/cpu/utilization"
_GPU = "aiplatform.googleapis.com/prediction/online/accelerator/duty_cycle"
_MACHINES = (  # (cores, GiB, GPUs) → the smallest current type of general use
    *((cores, 4 * cores, 0, f"n2-standard-{cores}") for cores in (2, 4, 8, 16, 32, 64)),
    (4, 16, 1, "g2-standard-4"),
    (16, 64, 1, "g2-standard-16"),
    (24, 96, 2, "g2-standard-24"),
    (48, 192, 4, "g2-standard-48"),
    (96, 384, 8, "g2-standard-96"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Of a project, a region and an endpoint."""

    project: str = option("", "The project's ID.")
    region: str = option("", "The region.")
    service_account: str = option("", "E-mail of the account that containers run as; else Vertex AI's own.")
    machine_type: str = option("", "Else the smallest that holds what is asked for.")
    accelerator_type: str = option(
        "", "Of GPUs: `NVIDIA_L4` with the machine that is chosen here; else name both."
    )
    startup_seconds: int = option(600, "How long a container may take until its model answers.")
    cpu_utilization: int = option(60, "Percent of CPU (of a GPU: of its time) at which replicas are added.")
    dedicated: bool = option(
        default=True, help="An endpoint with a name and network of its own, larger requests."
    )
    kms_key: str = option("", "Full name of a key for models and endpoint.")
    env: Mapping[str, str] = option({}, "Environment variables; anybody who may read the model reads them.")
    labels: Mapping[str, str] = option({}, "Labels, for cost and access.")

    @property
    def parent(self) -> str:
        """Where everything is."""
        return f"projects/{self.project}/locations/{self.region}"


def read(given: Mapping[str, Any]) -> Options:
    """Options as a person wrote them. Raises `InvalidInput`."""
    options = read_options(Options, given, "vertex")
    if not re.fullmatch(r"[a-z][-a-z0-9:.]{4,62}[a-z0-9]", options.project):
        raise InvalidInput(
            f"vertex: {options.project!r} is no project's ID", hint="for example -o project=my-project"
        )
    if not re.fullmatch(r"[a-z]+-[a-z]+\d+", options.region):
        raise InvalidInput(
            f"vertex: {options.region!r} is no region", hint="for example -o region=europe-west4"
        )
    if options.service_account and "@" not in options.service_account:
        raise InvalidInput("vertex: a service account is given by its e-mail")
    if not 1 <= options.cpu_utilization <= 100 or not 60 <= options.startup_seconds <= 3600:
        raise InvalidInput("vertex: cpu_utilization is 1 … 100 percent, startup_seconds 60 … 3600")
    for key, value in options.labels.items():
        if not re.fullmatch(r"[a-z][-_a-z0-9]{0,62}", key) or not re.fullmatch(r"[-_a-z0-9]{0,63}", value):
            raise InvalidInput(
                f"vertex: {key}={value} is no label", hint="lowercase, digits, dashes, underscores"
            )
    environment(options.env, "vertex")
    return options


def check(wanted: Wanted, options: Options) -> None:
    """Raise `InvalidInput` for what Vertex AI cannot do."""
    check_wanted(wanted, "vertex")
    for version in versions(wanted):
        if not _IMAGE.match(wanted.images[version]):
            raise InvalidInput(
                f"vertex pulls from Artifact Registry only, not {wanted.images[version]}",
                hint=f"push the image to {options.region}-docker.pkg.dev/{options.project}/REPOSITORY/NAME",
            )
    if wanted.shadow:
        raise InvalidInput(
            "vertex cannot copy requests to a shadow", hint="use kubernetes, azureml or sagemaker for it"
        )
    _machine(wanted, options)


def _machine(wanted: Wanted, options: Options) -> dict[str, Any]:
    asked = wanted.resources
    name, gpus = options.machine_type, asked.gpu or 0
    if not name:
        gigabytes = math.ceil((asked.memory or 0) / 2**30)
        for cores, memory, has, each in _MACHINES:
            is_enough = cores >= (asked.cpu or 0) and memory >= gigabytes
            if is_enough and has >= gpus and bool(has) == bool(gpus):
                name, gpus = each, has
                break
        else:
            raise InvalidInput(f"no usual machine has {asked}", hint="name one: -o machine_type=…")
    spec: dict[str, Any] = {"machine_type": name}
    if gpus:
        if options.machine_type and not options.accelerator_type:
            raise InvalidInput("vertex: which GPU?", hint="for example -o accelerator_type=NVIDIA_TESLA_A100")
        spec["accelerator_type"] = options.accelerator_type or "NVIDIA_L4"
        spec["accelerator_count"] = gpus
    return spec


def endpoint_name(name: str, options: Options) -> str:
    """The endpoint's full name."""
    return f"{options.parent}/endpoints/{name}"


def plan(wanted: Wanted, options: Options) -> list[Request]:
    """Every call of `apply` in its order; what is there already is left out when they are sent."""
    check(wanted, options)
    marks = {**options.labels, DEPLOYMENT: wanted.name}
    key = {"encryption_spec": {"kms_key_name": options.kms_key}} if options.kms_key else {}
    found = []
    for version in versions(wanted):
        model = {**_model(wanted, version, options), "labels": marks, **key}
        body = {"parent": options.parent, "model_id": _model_id(wanted, version, options), "model": model}
        found.append(Request(call="aiplatform.upload_model", body=body))
    endpoint: dict[str, Any] = {"display_name": wanted.name, "labels": marks, **key}
    if options.dedicated:
        endpoint["dedicated_endpoint_enabled"] = True
    body = {"parent": options.parent, "endpoint_id": wanted.name, "endpoint": endpoint}
    found.append(Request(call="aiplatform.create_endpoint", body=body))
    name = endpoint_name(wanted.name, options)
    shares = {}
    for version in versions(wanted):
        deployed = _deployed(wanted, version, options)
        shares[deployed["id"]] = percents(wanted)[version]
        found.append(
            Request(call="aiplatform.deploy_model", body={"endpoint": name, "deployed_model": deployed})
        )
    changed = {"name": name, "traffic_split": shares, "labels": {**marks, REVISION: str(wanted.revision)}}
    body = {"endpoint": changed, "update_mask": {"paths": ["traffic_split", "labels"]}}
    found.append(Request(call="aiplatform.update_endpoint", body=body))
    return found


def _model(wanted: Wanted, version: int, options: Options) -> dict[str, Any]:
    def probe(path: str, period: int, timeout: int, failures: int) -> dict[str, Any]:
        get = {"path": path, "port": 8080}
        return {
            "http_get": get,
            "period_seconds": period,
            "timeout_seconds": timeout,
            "failure_threshold": failures,
        }

    return {
        "display_name": f"{wanted.name} {wanted.model} {version}",
        "container_spec": {
            "image_uri": wanted.images[version],
            "args": ["serve"],
            "env": [{"name": name, "value": value} for name, value in options.env.items()],
            "ports": [{"container_port": 8080}],
            "predict_route": "/predict",
            "health_route": "/healthz/ready",
            "deployment_timeout": {"seconds": options.startup_seconds + 600},
            "startup_probe": probe("/healthz/ready", 5, 2, max(1, options.startup_seconds // 5)),
            "health_probe": probe("/healthz/ready", 10, 2, 3),
            "liveness_probe": probe("/healthz/live", 10, 5, 6),
        },
    }


def _digest(body: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()


def _model_id(wanted: Wanted, version: int, options: Options) -> str:
    return f"{wanted.name}-v{version}-{_digest(_model(wanted, version, options))[:10]}"


def _deployed(wanted: Wanted, version: int, options: Options) -> dict[str, Any]:
    """A model on machines. Its ID must be of at most 10 digits: those of its digest."""
    least, most = wanted.replicas
    is_primary = version == by_share(wanted)[0]
    machine = _machine(wanted, options)
    metrics = [_CPU, *([_GPU] if "accelerator_type" in machine else [])]
    body: dict[str, Any] = {
        "model": f"{options.parent}/models/{_model_id(wanted, version, options)}",
        "display_name": f"{wanted.model} {version}",
        "dedicated_resources": {
            "machine_spec": machine,
            "min_replica_count": least if is_primary else 1,
            "max_replica_count": most,
            "autoscaling_metric_specs": [
                {"metric_name": metric, "target": options.cpu_utilization} for metric in metrics
            ],
        },
    }
    if options.service_account:
        body["service_account"] = options.service_account
    return {"id": str(int(_digest(body)[:8], 16) % 9_000_000_000 + 1_000_000_000), **body}
