"""An account of Amazon's, through boto3: what a plan says is sent, waited for, taken back, cleaned up."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from ...errors import DeploymentFailed, MissingExtra
from ..target import ReplicaStatus, Request, Status, Wanted
from ..waiting import wait_for
from .plan import Options, target, update

_INSTALL = "pip install 'jupyter-mlops[sagemaker]'"


class Account:
    """The clients of one account and region."""

    def __init__(self, options: Options) -> None:
        try:
            import boto3
        except ImportError as error:
            raise MissingExtra("SageMaker needs boto3", hint=_INSTALL) from error
        session = boto3.Session(profile_name=options.profile or None, region_name=options.region)
        self.region = options.region
        self.clients = {name: session.client(name) for name in ("sagemaker", "application-autoscaling")}
        self.sagemaker = self.clients["sagemaker"]

    def send(self, call: Request) -> Any:
        """One call with its body."""
        service, _, method = call.call.partition(".")
        return getattr(self.clients[service], method)(**call.body)

    def endpoint(self, name: str) -> Mapping[str, Any] | None:
        """The endpoint as it is described, or None."""
        try:
            found: Mapping[str, Any] = self.sagemaker.describe_endpoint(EndpointName=name)
        except self.sagemaker.exceptions.ClientError as error:
            if "could not find" in str(error).lower():
                return None
            raise
        return found

    def put_endpoint(self, call: Request, *, is_there: bool, options: Options) -> None:
        """Create it or change it, whatever is needed: a revision's number does not say whether it was removed."""
        names = {key: call.body[key] for key in ("EndpointName", "EndpointConfigName")}
        if is_there:
            self.sagemaker.update_endpoint(**names, **update(options))
        else:
            self.sagemaker.create_endpoint(**names, **{k: v for k, v in call.body.items() if k == "Tags"})

    def wait(self, wanted: Wanted, timeout_seconds: float) -> None:
        """Until the new configuration answers. Raises `DeploymentFailed` with SageMaker's reason."""

        def ask() -> str | None:
            found = self.endpoint(wanted.name) or {}
            state = found.get("EndpointStatus", "Failed")
            if state == "InService" and found["EndpointConfigName"] == f"{wanted.name}-r{wanted.revision}":
                return ""
            if state in ("InService", "Failed", "UpdateRollbackFailed", "OutOfService"):
                return found.get("FailureReason") or f"it is {state}"
            return None

        reason = wait_for(ask, f"the endpoint {wanted.name}", timeout_seconds=timeout_seconds)
        if reason:
            raise DeploymentFailed(
                f"{wanted.name} revision {wanted.revision} never answered: {reason}",
                hint=f"its log is in CloudWatch: /aws/sagemaker/Endpoints/{wanted.name}",
            )

    def pause_scaling(self, name: str) -> list[Request]:
        """Take off its scaling, as an update needs it; what puts it back."""
        scaling = self.clients["application-autoscaling"]
        pages = scaling.get_paginator("describe_scalable_targets").paginate(ServiceNamespace="sagemaker")
        found: list[Request] = []
        for page in pages:
            for each in page["ScalableTargets"]:
                variant = re.fullmatch(rf"endpoint/{re.escape(name)}/variant/(.+)", each["ResourceId"])
                if variant:
                    found += self._scaling_of(each)
                    scaling.deregister_scalable_target(**target(name, variant[1]))
        return found

    def _scaling_of(self, found_target: Mapping[str, Any]) -> list[Request]:
        place = {key: found_target[key] for key in ("ServiceNamespace", "ResourceId", "ScalableDimension")}
        body = {**place, **{key: found_target[key] for key in ("MinCapacity", "MaxCapacity")}}
        found = [Request(call="application-autoscaling.register_scalable_target", body=body)]
        answer = self.clients["application-autoscaling"].describe_scaling_policies(**place)
        keys = ("PolicyName", "PolicyType", "TargetTrackingScalingPolicyConfiguration")
        for policy in answer["ScalingPolicies"]:
            own = {key: policy[key] for key in keys if key in policy}
            found.append(Request(call="application-autoscaling.put_scaling_policy", body={**place, **own}))
        return found

    def take_back(self, wanted: Wanted, *, is_new: bool, scaling: list[Request]) -> None:
        """Delete what a failed revision made, and put the scaling back."""
        with suppress(Exception):  # the first error is the one to tell
            if is_new:
                self.delete_endpoint(wanted.name)
            now = self.endpoint(wanted.name)
            config = f"{wanted.name}-r{wanted.revision}"
            if now is None or now["EndpointConfigName"] != config:
                self.clean(wanted.name, only=wanted.revision)
        for call in scaling if not is_new else []:
            with suppress(Exception):
                self.send(call)

    def delete_endpoint(self, name: str) -> None:
        """Fine if it is gone already."""
        if self.endpoint(name) is not None:
            self.sagemaker.delete_endpoint(EndpointName=name)

    def clean(self, name: str, *, keep: int | None = None, only: int | None = None) -> None:
        """Delete configurations and models of revisions: of all but one, or of one only."""
        for listed, key, delete in (
            ("list_endpoint_configs", "EndpointConfigName", self.sagemaker.delete_endpoint_config),
            ("list_models", "ModelName", self.sagemaker.delete_model),
        ):
            for found in list(self._names(listed, key, name)):
                revision = re.fullmatch(rf"{re.escape(name)}-r(\d+)(-v\d+)?", found)
                if revision and int(revision[1]) != keep and only in (None, int(revision[1])):
                    delete(**{key: found})

    def _names(self, listed: str, key: str, name: str) -> Iterator[str]:
        for page in self.sagemaker.get_paginator(listed).paginate(NameContains=f"{name}-r"):
            for part in ("EndpointConfigs", "Models"):
                yield from (each[key] for each in page.get(part, ()))

    def status(self, name: str) -> Status:
        """The endpoint in our words."""
        found = self.endpoint(name)
        if found is None:
            return Status(state="removed", message=f"there is no endpoint {name} in {self.region}")
        states = {"InService": "running", "Failed": "failed", "OutOfService": "failed"}
        states |= {"UpdateRollbackFailed": "failed", "Deleting": "removed"}
        state = states.get(found["EndpointStatus"], "deploying")
        revision = re.search(r"-r(\d+)$", found.get("EndpointConfigName", ""))
        variants = [*found.get("ProductionVariants", ()), *found.get("ShadowProductionVariants", ())]
        return Status(
            state=state,
            url=f"https://runtime.sagemaker.{self.region}.amazonaws.com/endpoints/{name}/invocations",
            message=found.get("FailureReason") or "",
            revision=int(revision[1]) if revision else 0,
            replicas=[
                ReplicaStatus(
                    name=f"{each['VariantName']}/{number}",
                    state="running" if state == "running" else "starting",
                    revision=int(revision[1]) if revision else 0,
                )
                for each in variants
                for number in range(each.get("CurrentInstanceCount", 0))
            ],
        )
