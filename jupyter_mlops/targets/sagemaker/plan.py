"""The bodies of all calls, pure: a model for each version, an endpoint configuration for each revision, one endpoint.

The primary version keeps the variant's name ``primary``, so that a new version starts with as many instances as the old
one had been scaled to.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...errors import InvalidInput
from ..given import by_share, check_wanted, environment, option, read_options, smallest_instance, versions
from ..target import Request, Wanted

_IMAGE = re.compile(r"\d{12}\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(\.cn)?/", re.ASCII)
_ROLE = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:role/\S+", re.ASCII)
_PATIENCE = 3600  # what SageMaker allows a container to take until it is healthy
_INSTANCES = (  # (cores, GiB, GPUs) → the smallest current type of general use
    (2, 8, 0, "ml.m5.large"),
    (4, 16, 0, "ml.m5.xlarge"),
    (8, 32, 0, "ml.m5.2xlarge"),
    (16, 64, 0, "ml.m5.4xlarge"),
    (48, 192, 0, "ml.m5.12xlarge"),
    (96, 384, 0, "ml.m5.24xlarge"),
    (4, 16, 1, "ml.g5.xlarge"),
    (16, 64, 1, "ml.g5.4xlarge"),
    (48, 192, 4, "ml.g5.12xlarge"),
    (192, 768, 8, "ml.g5.48xlarge"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Of an account, a region and an endpoint."""

    region: str = option("", "The region; the image must be in its ECR.")
    role: str = option("", "ARN of the role that the endpoint runs as.")
    profile: str = option("", "A profile of the AWS configuration; else its default chain of credentials.")
    instance_type: str = option("", "Else the smallest that holds what is asked for.")
    startup_seconds: int = option(480, "How long a container may take until its model answers (60 … 3600).")
    invocations_per_instance: int = option(
        600, "Requests a minute and instance at which instances are added."
    )
    subnets: tuple[str, ...] = option((), "Of a VPC, with `security_groups`.")
    security_groups: tuple[str, ...] = option((), "Of a VPC, with `subnets`.")
    kms_key: str = option("", "A key for the instances' disks.")
    env: Mapping[str, str] = option(
        {}, "Environment variables; anybody who may describe the model reads them."
    )
    tags: Mapping[str, str] = option({}, "Tags, for cost and access.")


def read(given: Mapping[str, Any]) -> Options:
    """Options as a person wrote them. Raises `InvalidInput`."""
    options = read_options(Options, given, "sagemaker")
    if not re.fullmatch(r"[a-z]{2}(-[a-z]+)+-\d", options.region):
        raise InvalidInput(
            f"sagemaker: {options.region!r} is no region", hint="for example -o region=eu-central-1"
        )
    if options.instance_type and not re.fullmatch(r"ml\.[a-z0-9-]+\.[a-z0-9]+", options.instance_type):
        raise InvalidInput(
            f"sagemaker: {options.instance_type!r} is no instance type", hint="for example ml.m5.large"
        )
    if not 60 <= options.startup_seconds <= _PATIENCE:
        raise InvalidInput("sagemaker: startup_seconds is 60 … 3600")
    if options.invocations_per_instance < 1:
        raise InvalidInput("sagemaker: invocations_per_instance is at least 1")
    if bool(options.subnets) != bool(options.security_groups):
        raise InvalidInput("sagemaker: a VPC needs subnets and security_groups")
    environment(options.env, "sagemaker")
    return options


def check(wanted: Wanted, options: Options) -> None:
    """Raise `InvalidInput` for what SageMaker cannot do."""
    check_wanted(wanted, "sagemaker")
    if not _ROLE.fullmatch(options.role):
        raise InvalidInput(
            "sagemaker needs the role that the endpoint runs as",
            hint="-o role=arn:aws:iam::ACCOUNT:role/NAME; docs/targets.md says what it may do",
        )
    for version in versions(wanted):
        image = wanted.images[version]
        found = _IMAGE.match(image)
        if not found or found["region"] != options.region:
            raise InvalidInput(
                f"sagemaker pulls from the ECR of its region only, not {image}",
                hint=f"push the image to ACCOUNT.dkr.ecr.{options.region}.amazonaws.com/NAME",
            )
    with_traffic = [share for share in wanted.traffic.values() if share > 0]
    if wanted.shadow and (len(with_traffic) > 1 or len(wanted.shadow) > 1):
        raise InvalidInput(
            "sagemaker has one shadow, of one version", hint="end the canary or the shadow first"
        )
    if len(with_traffic) > 10:
        raise InvalidInput("sagemaker splits requests between 10 versions at most")
    instance_type(wanted, options)


def instance_type(wanted: Wanted, options: Options) -> str:
    """The one that was named, or the smallest that holds what is asked for."""
    return options.instance_type or smallest_instance(wanted, _INSTANCES, example="ml.…")


def plan(wanted: Wanted, options: Options) -> list[Request]:
    """Every call of `apply` in its order."""
    check(wanted, options)
    tags = [{"Key": key, "Value": value} for key, value in {**options.tags, **_marks(wanted)}.items()]
    found = [
        Request(call="sagemaker.create_model", body={**_model(wanted, version, options), "Tags": tags})
        for version in versions(wanted)
    ]
    config = {**_config(wanted, options), "Tags": tags}
    found.append(Request(call="sagemaker.create_endpoint_config", body=config))
    names = {"EndpointName": wanted.name, "EndpointConfigName": config["EndpointConfigName"]}
    if wanted.revision <= 1:
        found.append(Request(call="sagemaker.create_endpoint", body={**names, "Tags": tags}))
    else:
        found.append(Request(call="sagemaker.update_endpoint", body={**names, **update(options)}))
    return found + _scaling(wanted, options)


def _marks(wanted: Wanted) -> dict[str, str]:
    return {"jupyter-mlops:deployment": wanted.name, "jupyter-mlops:model": wanted.model}


def _model(wanted: Wanted, version: int, options: Options) -> dict[str, Any]:
    body: dict[str, Any] = {
        "ModelName": f"{wanted.name}-r{wanted.revision}-v{version}",
        "ExecutionRoleArn": options.role,
        "PrimaryContainer": {
            "Image": wanted.images[version],
            "Mode": "SingleModel",
            "Environment": dict(options.env),
        },
    }
    if options.subnets:
        body["VpcConfig"] = {
            "Subnets": list(options.subnets),
            "SecurityGroupIds": list(options.security_groups),
        }
    return body


def _variant_name(wanted: Wanted, version: int) -> str:
    return "primary" if version == by_share(wanted)[0] else f"v{version}"


def _variant(wanted: Wanted, version: int, weight: float, options: Options) -> dict[str, Any]:
    name = _variant_name(wanted, version)
    return {
        "VariantName": name,
        "ModelName": f"{wanted.name}-r{wanted.revision}-v{version}",
        "InstanceType": instance_type(wanted, options),
        "InitialInstanceCount": wanted.replicas[0] if name == "primary" else 1,
        "InitialVariantWeight": weight,
        "ContainerStartupHealthCheckTimeoutInSeconds": options.startup_seconds,
    }


def _config(wanted: Wanted, options: Options) -> dict[str, Any]:
    body: dict[str, Any] = {
        "EndpointConfigName": f"{wanted.name}-r{wanted.revision}",
        "ProductionVariants": [
            _variant(wanted, version, wanted.traffic[version], options)
            for version in versions(wanted)
            if version in wanted.traffic
        ],
    }
    shadows = [version for version in versions(wanted) if version not in wanted.traffic]
    if shadows:  # a shadow's weight is its share of the production variant's requests
        body["ShadowProductionVariants"] = [
            _variant(wanted, version, wanted.shadow[version], options) for version in shadows
        ]
    if options.kms_key:
        body["KmsKeyId"] = options.kms_key
    return body


def update(options: Options) -> dict[str, Any]:
    """Blue/green, and as many instances as there are now; shares are those of the new configuration."""
    policy = {
        "TrafficRoutingConfiguration": {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": 0},
        "TerminationWaitInSeconds": 60,
        "MaximumExecutionTimeoutInSeconds": max(1800, options.startup_seconds + 900),
    }
    return {
        "RetainAllVariantProperties": True,
        "ExcludeRetainedVariantProperties": [{"VariantPropertyType": "DesiredWeight"}],
        "DeploymentConfig": {"BlueGreenUpdatePolicy": policy},
    }


def target(wanted_name: str, variant: str) -> dict[str, str]:
    return {
        "ServiceNamespace": "sagemaker",
        "ResourceId": f"endpoint/{wanted_name}/variant/{variant}",
        "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
    }


def _scaling(wanted: Wanted, options: Options) -> list[Request]:
    """By requests an instance; not for a shadow, whose size SageMaker keeps as it is."""
    least, most = wanted.replicas
    found = []
    for version in versions(wanted):
        name = _variant_name(wanted, version)
        low = least if name == "primary" else 1
        if version not in wanted.traffic or low == most:
            continue
        place = target(wanted.name, name)
        range_ = {"MinCapacity": low, "MaxCapacity": most}
        found.append(
            Request(call="application-autoscaling.register_scalable_target", body={**place, **range_})
        )
        policy = {
            "TargetValue": float(options.invocations_per_instance),
            "PredefinedMetricSpecification": {
                "PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"
            },
            "ScaleInCooldown": 300,
            "ScaleOutCooldown": 60,
        }
        body = {
            **place,
            "PolicyName": f"{wanted.name}-{name}-invocations",
            "PolicyType": "TargetTrackingScaling",
            "TargetTrackingScalingPolicyConfiguration": policy,
        }
        found.append(Request(call="application-autoscaling.put_scaling_policy", body=body))
    return found
