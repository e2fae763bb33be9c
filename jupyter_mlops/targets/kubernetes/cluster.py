"""The deeds: a revision is applied, waited for, and taken back if its pods never answer.

Pods come first, and the way in is changed only when they answer. An update keeps every old pod until a new one is
ready, so one that fails leaves the old ones answering; it is undone all the same, so that no broken pods stay.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ...errors import MlopsError, Unavailable
from ..target import Request, Status, Wanted
from . import pods as pod_parts
from .kubectl import Kubectl
from .options import Options, read
from .serving import check, serving
from .status import status_of, troubles

_KINDS = (  # the way in first, then what scales and protects, the pods last but for what they stand on
    "httproutes.gateway.networking.k8s.io",
    "ingresses.networking.k8s.io",
    "services",
    "horizontalpodautoscalers.autoscaling",
    "poddisruptionbudgets.policy",
    "inferenceservices.serving.kserve.io",
    "deployments.apps",
    "networkpolicies.networking.k8s.io",
    "serviceaccounts",
)
_KSERVE = (
    "inferenceservices.serving.kserve.io",
    "serviceaccounts",
)  # what KServe makes of it, it takes away itself
_WAY_IN = ("Service", "Ingress", "HTTPRoute")
_APART = {"Deployment": "deployment", "InferenceService": "inferenceservice"}


class KubernetesTarget:
    """Models served in a cluster, by ``kubectl``."""

    name = "kubernetes"
    needs_image = True

    def __init__(self, root: Path | None = None) -> None:
        self.root = root

    def check(self, wanted: Wanted) -> None:
        """Raise `InvalidInput` for what the manifests cannot hold."""
        check(wanted, read(wanted.options))

    def requests(self, wanted: Wanted) -> list[Request]:
        """The manifests in their order, then what is deleted: whatever an earlier revision had besides."""
        options = read(wanted.options)
        found = [Request(call="kubectl apply", body=each) for each in serving(wanted, options)]
        kinds, selector = _leftovers(wanted, options)
        body = {"kinds": list(kinds), "selector": selector, "namespace": options.namespace}
        return [*found, Request(call="kubectl delete", body=body)]

    def apply(self, wanted: Wanted, *, timeout_seconds: float = 600) -> Status:
        """Make it so, and wait until its pods answer. Raises `Unavailable`, with what they say, if they never do."""
        options = read(wanted.options)
        manifests = serving(wanted, options)
        kubectl = Kubectl(options.context, options.namespace)
        until = time.monotonic() + timeout_seconds
        before = self._workloads(kubectl, wanted.name, options)
        first = [each for each in manifests if each["kind"] not in _WAY_IN]
        try:
            if options.kserve:
                self._apply_in_turn(kubectl, first, until)
            else:
                kubectl.apply(first, timeout_seconds=_left(until))
                self._wait(kubectl, first, until)
        except MlopsError as error:
            said = troubles(self._pods(kubectl, wanted.name))
            self._undo(kubectl, wanted.name, options, before)
            message = f"{wanted.name} revision {wanted.revision} never answered: {said or error.message}"
            raise Unavailable(message, hint=error.hint or "the pods before it go on answering") from error
        way_in = [each for each in manifests if each["kind"] in _WAY_IN]
        if way_in:
            kubectl.apply(way_in, timeout_seconds=_left(until))
        kubectl.delete(*_leftovers(wanted, options))
        return self.status(wanted.name, wanted.options)

    def status(self, name: str, options: Mapping[str, Any]) -> Status:
        """What Deployments and pods say."""
        chosen = read(options)
        kubectl = Kubectl(chosen.context, chosen.namespace)
        workloads = self._workloads(kubectl, name, chosen)
        return status_of(name, chosen, workloads, self._pods(kubectl, name))

    def remove(self, name: str, options: Mapping[str, Any]) -> None:
        """Take all of it away; the way in first."""
        chosen = read(options)
        Kubectl(chosen.context, chosen.namespace).delete(_kinds(chosen), _selector(name))

    def _workloads(self, kubectl: Kubectl, name: str, options: Options) -> list[dict[str, Any]]:
        kinds = ["inferenceservices.serving.kserve.io"] if options.kserve else ["deployments.apps"]
        return kubectl.items(kinds, _selector(name))

    def _pods(self, kubectl: Kubectl, name: str) -> list[dict[str, Any]]:
        return kubectl.items(["pods"], f"{pod_parts.INSTANCE}={name},{pod_parts.COMPONENT}=serving")

    def _apply_in_turn(self, kubectl: Kubectl, manifests: list[dict[str, Any]], until: float) -> None:
        """KServe's primary must answer before the same object becomes the canary."""
        for each in manifests:
            kubectl.apply([each], timeout_seconds=_left(until))
            self._wait(kubectl, [each], until)

    def _wait(self, kubectl: Kubectl, manifests: list[dict[str, Any]], until: float) -> None:
        for each in manifests:
            kind = _APART.get(each["kind"])
            if kind is None:
                continue
            name, left = each["metadata"]["name"], _left(until)
            words = ["rollout", "status", f"deployment/{name}", f"--timeout={left:.0f}s"]
            if kind == "inferenceservice":
                words = [
                    "wait",
                    "--for=condition=Ready",
                    f"inferenceservice/{name}",
                    f"--timeout={left:.0f}s",
                ]
            kubectl.run(*words, timeout_seconds=left + 10)

    def _undo(self, kubectl: Kubectl, name: str, options: Options, before: list[dict[str, Any]]) -> None:
        """Workloads that were there get back what they were; new ones go. What cannot be undone stays harmless, since
        the way in was not touched."""
        were = {each["metadata"]["name"]: each for each in before}
        with contextlib.suppress(MlopsError):
            if not were:
                kubectl.delete(_kinds(options), _selector(name))
            elif options.kserve:
                kubectl.apply([_as_applied(each) for each in before], timeout_seconds=60)
            else:
                self._undo_deployments(kubectl, name, options, were)

    def _undo_deployments(
        self, kubectl: Kubectl, name: str, options: Options, were: Mapping[str, dict[str, Any]]
    ) -> None:
        for each in self._workloads(kubectl, name, options):
            own = each["metadata"]["name"]
            if own in were:
                _restore(kubectl, own, each, were[own])
            else:
                made = [f"{kind}/{own}" for kind in ("deployment", "hpa", "pdb")]
                kubectl.run("delete", *made, "--ignore-not-found", "--wait=false")


def _as_applied(found: Mapping[str, Any]) -> dict[str, Any]:
    """An object as it can be applied again: without what the cluster says of it."""
    metadata = {
        key: found["metadata"][key] for key in ("name", "namespace", "labels") if key in found["metadata"]
    }
    return {
        "apiVersion": found["apiVersion"],
        "kind": found["kind"],
        "metadata": metadata,
        "spec": found["spec"],
    }


def _restore(kubectl: Kubectl, name: str, now: Mapping[str, Any], before: Mapping[str, Any]) -> None:
    if now["spec"]["template"] != before["spec"]["template"]:
        kubectl.run("rollout", "undo", f"deployment/{name}")
    count = before["spec"].get("replicas", 1)
    if now["spec"].get("replicas", 1) != count:
        kubectl.run("scale", f"deployment/{name}", f"--replicas={count}")
    mark = before["metadata"].get("labels", {}).get(pod_parts.REVISION, "0")
    kubectl.run("label", f"deployment/{name}", f"{pod_parts.REVISION}={mark}", "--overwrite")


def _selector(name: str) -> str:
    return (
        f"{pod_parts.INSTANCE}={name},{pod_parts.COMPONENT}=serving,{pod_parts.MANAGED}={pod_parts.MANAGER}"
    )


def _kinds(options: Options) -> Sequence[str]:
    """KServe hands our labels on to what it makes, so with it only its own object is touched."""
    return _KSERVE if options.kserve else _KINDS


def _leftovers(wanted: Wanted, options: Options) -> tuple[Sequence[str], str]:
    """What an earlier revision made and this one did not touch."""
    return _kinds(options), f"{_selector(wanted.name)},{pod_parts.REVISION}!={wanted.revision}"


def _left(until: float) -> float:
    return max(1.0, until - time.monotonic())
