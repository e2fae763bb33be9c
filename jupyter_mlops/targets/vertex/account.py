"""A project of Google's, through its own clients: what a plan says is sent, where it is not there already."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from ...errors import DeploymentFailed, MissingExtra
from ..target import ReplicaStatus, Request, Status, Wanted
from .plan import DEPLOYMENT, REVISION, Options, endpoint_name

_INSTALL = "pip install 'jupyter-mlops[vertex]'"


class Account:
    """The clients of one project and region."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.models, self.endpoints = self.clients(options)

    def clients(self, options: Options) -> tuple[Any, Any]:
        """Google's clients of models and of endpoints, with the credentials that are found where gcloud keeps them."""
        try:
            from google.cloud import aiplatform_v1
        except ImportError as error:
            raise MissingExtra("Vertex AI needs google-cloud-aiplatform", hint=_INSTALL) from error
        place = {"api_endpoint": f"{options.region}-aiplatform.googleapis.com"}
        return (
            aiplatform_v1.ModelServiceClient(client_options=place),
            aiplatform_v1.EndpointServiceClient(client_options=place),
        )

    def endpoint(self, name: str) -> Any | None:
        """The endpoint, or None."""
        return _or_none(self.endpoints.get_endpoint, endpoint_name(name, self.options))

    def send(
        self, calls: list[Request], wanted: Wanted, made: list[tuple[str, str]], *, timeout_seconds: float
    ) -> None:
        """Send what is not there already. What was made is added to `made`, as (kind, name)."""
        until = time.monotonic() + timeout_seconds
        for call in calls:
            self._send(call, wanted, made, max(1.0, until - time.monotonic()))

    def _send(self, call: Request, wanted: Wanted, made: list[tuple[str, str]], left: float) -> None:
        body, verb = dict(call.body), call.call.partition(".")[2]
        if verb == "upload_model":
            name = f"{body['parent']}/models/{body['model_id']}"
            if _or_none(self.models.get_model, name) is None:
                self.models.upload_model(request=body).result(timeout=left)
                made.append(("model", name))
        elif verb == "create_endpoint":
            if self.endpoint(wanted.name) is None:
                self.endpoints.create_endpoint(request=body).result(timeout=left)
                made.append(("endpoint", wanted.name))
        elif verb == "deploy_model":
            own = body["deployed_model"]["id"]
            endpoint = self.endpoint(wanted.name)
            if endpoint is None or own not in {each.id for each in endpoint.deployed_models}:
                going = self.endpoints.deploy_model(request=body)
                made.append(("deployed", own))  # one that fails half-way may be there all the same
                self._wait(going, wanted, left)
        else:
            self.endpoints.update_endpoint(request=body)

    def _wait(self, going: Any, wanted: Wanted, left: float) -> None:
        try:
            going.result(timeout=left)
        except Exception as error:
            reason = getattr(error, "message", "") or str(error) or f"it took more than {left:g} s"
            message = f"{wanted.name} revision {wanted.revision} never answered: {reason}"
            hint = f"its log: gcloud logging read 'resource.labels.endpoint_id=\"{wanted.name}\"'"
            raise DeploymentFailed(message, hint=hint) from error

    def take_back(self, wanted: Wanted, made: list[tuple[str, str]]) -> None:
        """Undo what a failed revision made, the latest first."""
        for kind, name in reversed(made):
            with suppress(Exception):  # the first error is the one to tell
                if kind == "deployed":
                    self._undeploy(wanted.name, name, {})
                elif kind == "endpoint":
                    self._delete_endpoint(name)
                else:
                    self.models.delete_model(name=name).result(timeout=300)

    def clean(self, wanted: Wanted, calls: list[Request]) -> None:
        """Undeploy and delete what this revision does not use."""
        kept = {call.body["deployed_model"]["id"] for call in calls if call.call.endswith(".deploy_model")}
        endpoint = self.endpoint(wanted.name)
        for each in endpoint.deployed_models if endpoint is not None else ():
            if each.id not in kept:
                self._undeploy(wanted.name, each.id, {})
        models = {call.body["model_id"] for call in calls if call.call.endswith(".upload_model")}
        self._delete_models(wanted.name, models)

    def remove(self, name: str) -> None:
        """The endpoint with what is deployed, then the models."""
        endpoint = self.endpoint(name)
        if endpoint is not None:
            # One that has traffic can be undeployed only if its share goes to another, or as the last of them.
            deployed = [each.id for each in endpoint.deployed_models]
            for own in deployed[:-1]:
                self._undeploy(name, own, {deployed[-1]: 100})
            for own in deployed[-1:]:
                self._undeploy(name, own, {})
            self._delete_endpoint(name)
        self._delete_models(name, set())

    def _undeploy(self, name: str, own: str, shares: Mapping[str, int]) -> None:
        """`shares` is how requests are split from then on; empty leaves that as it is."""
        body = {
            "endpoint": endpoint_name(name, self.options),
            "deployed_model_id": own,
            "traffic_split": dict(shares),
        }
        self.endpoints.undeploy_model(request=body).result(timeout=600)

    def _delete_endpoint(self, name: str) -> None:
        self.endpoints.delete_endpoint(name=endpoint_name(name, self.options)).result(timeout=300)

    def _delete_models(self, name: str, kept: set[str]) -> None:
        query = {"parent": self.options.parent, "filter": f'labels.{DEPLOYMENT}="{name}"'}
        for each in list(self.models.list_models(request=query)):
            if each.name.rpartition("/")[2] not in kept:
                self.models.delete_model(name=each.name).result(timeout=300)

    def status(self, name: str) -> Status:
        """The endpoint in our words."""
        found = self.endpoint(name)
        if found is None:
            return Status(
                state="removed",
                message=f"there is no endpoint {name} in {self.options.project}, {self.options.region}",
            )
        answering = {own for own, share in found.traffic_split.items() if share}
        revision = int(dict(found.labels).get(REVISION, "0"))
        host = found.dedicated_endpoint_dns or f"{self.options.region}-aiplatform.googleapis.com"
        return Status(
            state="running" if answering else "deploying",
            url=f"https://{host}/v1/{found.name}:predict",
            message="; ".join(each.status.message for each in found.deployed_models if each.status.message),
            revision=revision,
            replicas=[
                ReplicaStatus(
                    name=f"{each.display_name}/{number}",
                    state="running" if each.id in answering else "starting",
                    revision=revision,
                )
                for each in found.deployed_models
                for number in range(_replicas(each))
            ],
        )


def _replicas(deployed: Any) -> int:
    return int(deployed.status.available_replica_count or deployed.dedicated_resources.min_replica_count)


def _or_none(get: Any, name: str) -> Any | None:
    """What `get` finds; of Google's errors only the name of the class is known here."""
    try:
        return get(name=name)
    except Exception as error:
        if type(error).__name__ == "NotFound":
            return None
        raise
