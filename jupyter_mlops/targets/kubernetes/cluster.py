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

from ...errors import DeploymentFailed, InvalidInput, MlopsError, Unavailable
from ..target import Request, Status, Wanted
from .kubectl import Kubectl
from .options import Options, read
from .pods import COMPONENT, INSTANCE, MANAGED, MANAGER, REVISION
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
_KSERVE = ("inferenceservices.serving.kserve.io", "serviceaccounts")
_WAY_IN = ("Service", "Ingress", "HTTPRoute")


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
        body = {
            "kinds": list(_kinds(options)),
            "selector": _leftovers(wanted),
            "namespace": options.namespace,
        }
        return [*found, Request(call="kubectl delete", body=body)]

    def apply(self, wanted: Wanted, *, timeout_seconds: float = 600) -> Status:
        """Make it so, and wait until its pods answer. Raises `DeploymentFailed`, with what they say, if they do not."""
        options = read(wanted.options)
        manifests = serving(wanted, options)
        kubectl = Kubectl(options.context, options.namespace)
        _check_kinds(kubectl, options)
        until = time.monotonic() + timeout_seconds
        before = _workloads(kubectl, wanted.name, options)
        pods = [each for each in manifests if each["kind"] not in _WAY_IN]
        try:
            _hand_over(kubectl, pods, before)
            # KServe's primary must answer before the same object becomes the canary.
            for part in [[each] for each in pods] if options.kserve else [pods]:
                kubectl.apply(part, timeout_seconds=_left(until))
                _fill(kubectl, part, before)
                _wait(kubectl, part, until)
            way_in = [each for each in manifests if each["kind"] in _WAY_IN]
            if way_in:  # a quota or a webhook may refuse it as well
                kubectl.apply(way_in, timeout_seconds=_left(until))
        except MlopsError as error:
            said = _troubles(kubectl, wanted.name, options)
            _undo(kubectl, wanted.name, options, before)
            if not isinstance(error, Unavailable):
                raise
            reason = error.message if error.hint else said or error.message  # a known one needs no guess
            message = f"{wanted.name} revision {wanted.revision} never answered: {reason}"
            after = (
                "what was there before goes on answering" if before else "nothing answered before it either"
            )
            raise DeploymentFailed(message, hint=error.hint or after) from error
        kubectl.delete(_kinds(options), _leftovers(wanted), unless_forbidden=_rarer(options))
        return self.status(wanted.name, wanted.options)

    def status(self, name: str, options: Mapping[str, Any]) -> Status:
        """What Deployments and pods say."""
        chosen = read(options)
        kubectl = Kubectl(chosen.context, chosen.namespace)
        workloads = [
            each for each in _workloads(kubectl, name, chosen) if each["kind"] != "HorizontalPodAutoscaler"
        ]
        return status_of(name, chosen, workloads, _pods(kubectl, name))

    def remove(self, name: str, options: Mapping[str, Any]) -> None:
        """Take all of it away; the way in first."""
        chosen = read(options)
        kubectl = Kubectl(chosen.context, chosen.namespace)
        kubectl.delete(_kinds(chosen), _selector(name), unless_forbidden=_rarer(chosen))


def _check_kinds(kubectl: Kubectl, options: Options) -> None:
    """Raise `InvalidInput` for options that need what the cluster has not installed."""
    needed = {
        "httproutes.gateway.networking.k8s.io": (options.gateway, "gateway", "Gateway API"),
        "inferenceservices.serving.kserve.io": (options.kserve, "kserve", "KServe"),
    }
    for kind, (is_asked, option, what) in needed.items():
        if is_asked and kind not in kubectl.kinds:
            raise InvalidInput(
                f"the cluster {options.context} has no {what}",
                hint=f"install it, or leave the option {option} out",
            )


def _workloads(kubectl: Kubectl, name: str, options: Options) -> list[dict[str, Any]]:
    """What runs pods, and says how many."""
    kinds = ["inferenceservices.serving.kserve.io"]
    if not options.kserve:
        kinds = ["deployments.apps", "horizontalpodautoscalers.autoscaling"]
    return kubectl.items(kinds, _selector(name))


def _pods(kubectl: Kubectl, name: str) -> list[dict[str, Any]]:
    with contextlib.suppress(MlopsError):  # why it failed is told better with them, but without them too
        return kubectl.items(["pods"], f"{INSTANCE}={name},{COMPONENT}=serving")
    return []


def _troubles(kubectl: Kubectl, name: str, options: Options) -> str:
    with contextlib.suppress(MlopsError):
        return troubles(_pods(kubectl, name), _workloads(kubectl, name, options))
    return ""


def _hand_over(
    kubectl: Kubectl, manifests: Sequence[Mapping[str, Any]], before: Sequence[Mapping[str, Any]]
) -> None:
    """Change who says how many pods there are, without changing how many. A number that we applied and no longer apply
    would fall to 1 before the autoscaler raises it, so another manager keeps it until then; and an autoscaler would
    fight a number that is fixed now, so it goes first."""
    were = {each["metadata"]["name"]: each for each in before if each["kind"] == "Deployment"}
    scaled = {each["metadata"]["name"] for each in before if each["kind"] == "HorizontalPodAutoscaler"}
    for each in manifests:
        name = each["metadata"]["name"]
        if each["kind"] != "Deployment" or name not in were:
            continue
        if "replicas" in each["spec"]:
            if name in scaled:
                kubectl.run("delete", f"horizontalpodautoscaler/{name}", "--ignore-not-found")
        elif _owns_replicas(were[name]):
            _keep_replicas(kubectl, each, were[name]["spec"].get("replicas", 1))


def _fill(
    kubectl: Kubectl, manifests: Sequence[Mapping[str, Any]], before: Sequence[Mapping[str, Any]]
) -> None:
    """A new Deployment has one pod until its autoscaler looks, some seconds later: till then we say how many."""
    were = {each["metadata"]["name"] for each in before if each["kind"] == "Deployment"}
    least = {
        each["spec"]["scaleTargetRef"]["name"]: each["spec"]["minReplicas"]
        for each in manifests
        if each["kind"] == "HorizontalPodAutoscaler"
    }
    for each in manifests:
        name = each["metadata"]["name"]
        if each["kind"] == "Deployment" and name not in were and least.get(name, 1) > 1:
            _keep_replicas(kubectl, each, least[name])


def _keep_replicas(kubectl: Kubectl, deployment: Mapping[str, Any], number: int) -> None:
    """By a manager of its own, which an autoscaler may overrule."""
    metadata = {key: deployment["metadata"][key] for key in ("name", "namespace")}
    kept = {
        "apiVersion": deployment["apiVersion"],
        "kind": deployment["kind"],
        "metadata": metadata,
        "spec": {"replicas": number},
    }
    kubectl.apply([kept], manager=f"{MANAGER}-replicas", timeout_seconds=60)


def _owns_replicas(deployment: Mapping[str, Any]) -> bool:
    return any(
        each.get("manager") == MANAGER and "f:replicas" in each.get("fieldsV1", {}).get("f:spec", {})
        for each in deployment["metadata"].get("managedFields", ())
    )


def _wait(kubectl: Kubectl, manifests: Sequence[Mapping[str, Any]], until: float) -> None:
    for each in manifests:
        name, left = each["metadata"]["name"], _left(until)
        words = {
            "Deployment": ["rollout", "status", f"deployment/{name}"],
            "InferenceService": ["wait", "--for=condition=Ready", f"inferenceservice/{name}"],
        }.get(each["kind"])
        if words is not None:
            kubectl.run(*words, f"--timeout={left:.0f}s", timeout_seconds=left + 10)


def _undo(kubectl: Kubectl, name: str, options: Options, before: Sequence[Mapping[str, Any]]) -> None:
    """Workloads that were there become what they were; new ones go. What cannot be undone stays harmless, since the way
    in was not touched."""
    were = {each["metadata"]["name"] for each in before}
    with contextlib.suppress(MlopsError):
        if not were:
            kubectl.delete(_kinds(options), _selector(name), unless_forbidden=_rarer(options))
            return
        kubectl.apply([_as_applied(each) for each in before], timeout_seconds=60)
        for each in _workloads(kubectl, name, options):
            own = each["metadata"]["name"]
            if own not in were and each["kind"] == "Deployment":
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


def _selector(name: str) -> str:
    return f"{INSTANCE}={name},{COMPONENT}=serving,{MANAGED}={MANAGER}"


def _kinds(options: Options) -> Sequence[str]:
    """KServe hands our labels on to what it makes and takes away itself: with it only its object is touched."""
    return _KSERVE if options.kserve else _KINDS


def _rarer(options: Options) -> Sequence[str]:
    """Kinds that were asked for neither now nor, as far as is known, before: an account needs no rights to them."""
    asked = {"httproutes.gateway.networking.k8s.io": options.gateway, _KSERVE[0]: options.kserve}
    return [kind for kind, is_asked in asked.items() if not is_asked]


def _leftovers(wanted: Wanted) -> str:
    """What an earlier revision made and this one did not touch."""
    return f"{_selector(wanted.name)},{REVISION}!={wanted.revision}"


def _left(until: float) -> float:
    return max(1.0, until - time.monotonic())
