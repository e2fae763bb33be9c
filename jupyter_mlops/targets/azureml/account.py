"""A workspace of Azure ML, through its own client: what a plan says is sent, where it is not there already."""

from __future__ import annotations

import io
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import yaml

from ...errors import DeploymentFailed, MissingExtra
from ..target import ReplicaStatus, Request, Status, Wanted
from .plan import REVISION, Options

_INSTALL = "pip install 'jupyter-mlops[azureml]'"


class Account:
    """The client of one workspace."""

    def __init__(self, options: Options) -> None:
        self.options = options
        try:
            from azure.ai import ml
        except ImportError as error:
            raise MissingExtra("Azure ML needs azure-ai-ml", hint=_INSTALL) from error
        self.ml = ml
        self.client = self.make_client(options)

    def make_client(self, options: Options) -> Any:
        """Azure's client, with the credentials that are found where its tools keep them."""
        try:
            from azure.identity import DefaultAzureCredential
        except ImportError as error:
            raise MissingExtra("Azure ML needs azure-identity", hint=_INSTALL) from error
        place = (options.subscription, options.resource_group, options.workspace)
        return self.ml.MLClient(DefaultAzureCredential(), *place, show_progress=False, enable_telemetry=False)

    def endpoint(self, name: str) -> Any | None:
        """The endpoint, or None."""
        return _or_none(lambda: self.client.online_endpoints.get(name))

    def deployments(self, name: str) -> list[Any]:
        """The endpoint's deployments."""
        return list(self.client.online_deployments.list(name))

    def send(self, calls: list[Request], wanted: Wanted, made: list[str], *, timeout_seconds: float) -> None:
        """Send what is not there already. What was made is added to `made`: ``endpoint``, or a deployment's name."""
        until = time.monotonic() + timeout_seconds
        for call in calls:
            left = max(1.0, until - time.monotonic())
            kind = call.call.split(".")[1]
            if kind == "environments":
                self._send_environment(call.body)
            elif kind == "online_deployments":
                self._send_deployment(call.body, wanted, made, left)
            elif "traffic" in call.body:
                _wait(self._put_endpoint(call.body), f"the endpoint {wanted.name}", left)
            elif self.endpoint(wanted.name) is None:
                going = self._put_endpoint(call.body)
                made.append("endpoint")
                _wait(going, f"the endpoint {wanted.name}", left)

    def _send_environment(self, body: Mapping[str, Any]) -> None:
        """A version of an environment cannot be changed, so one that is there is right: its version is its image's."""
        name, version = body["name"], body["version"]
        if _or_none(lambda: self.client.environments.get(name, version=version)) is None:
            self.client.environments.create_or_update(_load(self.ml.load_environment, body))

    def _put_endpoint(self, body: Mapping[str, Any]) -> Any:
        return self.client.online_endpoints.begin_create_or_update(_load(self.ml.load_online_endpoint, body))

    def _send_deployment(self, body: Mapping[str, Any], wanted: Wanted, made: list[str], left: float) -> None:
        name = body["name"]
        there = {each.name: each for each in self.deployments(wanted.name)}
        if name in there and _state(there[name]) == "succeeded":
            return
        deployment = _load(self.ml.load_online_deployment, body)
        made.append(name)  # before: one that is refused half-way may be there all the same
        going = self.client.online_deployments.begin_create_or_update(deployment)
        try:
            _wait(going, f"the deployment {name}", left)
        except Exception as error:
            reason = getattr(error, "message", "") or str(error)
            message = (
                f"{wanted.name} revision {wanted.revision} never answered: {' '.join(reason.split())[:600]}"
            )
            hint = f"its log: az ml online-deployment get-logs -n {name} -e {wanted.name}"
            raise DeploymentFailed(message, hint=hint) from error

    def take_back(self, wanted: Wanted, made: list[str]) -> None:
        """Undo what a failed revision made, the latest first."""
        for each in reversed(made):
            with suppress(Exception):  # the first error is the one to tell
                if each == "endpoint":
                    self.remove(wanted.name)
                else:
                    _wait(self.client.online_deployments.begin_delete(each, wanted.name), each, 600)

    def clean(self, wanted: Wanted, calls: list[Request]) -> None:
        """Delete deployments that this revision does not use. Environments stay: they cost nothing, and versions of
        them cannot be deleted."""
        kept = {call.body["name"] for call in calls if ".online_deployments." in call.call}
        for each in self.deployments(wanted.name):
            if each.name not in kept:
                _wait(self.client.online_deployments.begin_delete(each.name, wanted.name), each.name, 1200)

    def remove(self, name: str) -> None:
        """The endpoint with its deployments; fine if it is gone already."""
        if self.endpoint(name) is not None:
            _wait(self.client.online_endpoints.begin_delete(name), f"the endpoint {name}", 1200)

    def status(self, name: str) -> Status:
        """The endpoint in our words."""
        found = self.endpoint(name)
        if found is None:
            return Status(state="removed", message=f"there is no endpoint {name} in {self.options.workspace}")
        revision = int((found.tags or {}).get(REVISION, "0"))
        deployments = self.deployments(name)
        states = {_state(each) for each in deployments}
        is_answering = any((found.traffic or {}).values())
        state = "running" if is_answering and states == {"succeeded"} else "deploying"
        if "failed" in states:
            state = "degraded" if is_answering else "failed"
        return Status(
            state=state,
            url=found.scoring_uri or "",
            revision=revision,
            replicas=[
                ReplicaStatus(
                    name=f"{each.name}/{number}",
                    state={"succeeded": "running", "failed": "failed"}.get(_state(each), "starting"),
                    revision=revision,
                )
                for each in deployments
                for number in range(each.instance_count or 0)
            ],
        )


def _state(deployment: Any) -> str:
    """``succeeded``, ``failed``, …: the SDK gives an enumeration, or text where it does not know the word."""
    state = deployment.provisioning_state
    return str(getattr(state, "value", state)).lower()


def _load(load: Any, body: Mapping[str, Any]) -> Any:
    """A body as Azure's own entity, checked by Azure's own schema."""
    return load(io.StringIO(yaml.safe_dump(dict(body))))


def _wait(going: Any, what: str, seconds: float) -> None:
    going.wait(seconds)
    if not going.done():
        raise DeploymentFailed(
            f"{what} was not ready after {seconds:g} s", hint="look at its logs, or allow more time"
        )
    going.result()


def _or_none(get: Any) -> Any | None:
    """What `get` finds; of Azure's errors only the name of the class is known here."""
    try:
        return get()
    except Exception as error:
        if type(error).__name__ == "ResourceNotFoundError":
            return None
        raise
