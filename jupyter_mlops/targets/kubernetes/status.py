"""What Deployments and pods say of themselves, in our words. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ..target import ReplicaStatus, Status
from .options import Options
from .pods import REVISION


def status_of(
    name: str, options: Options, workloads: Sequence[Mapping[str, Any]], pods: Sequence[Mapping[str, Any]]
) -> Status:
    """The whole of a deployment; ``removed`` when nothing of it is there."""
    if not workloads:
        return Status(state="removed", message=f"nothing of {name} in {options.namespace}")
    revision = max(int(each["metadata"].get("labels", {}).get(REVISION, 0)) for each in workloads)
    states = [_state(each) for each in workloads]
    order = ("failed", "deploying", "degraded", "running")
    state = next(each for each in order if each in states)
    if state == "failed" and "running" in states:
        state = "degraded"
    return Status(
        state=state,
        url=_url(name, options, workloads),
        message=troubles(pods, workloads) if state != "running" else "",
        revision=revision,
        replicas=[_replica(pod, revision) for pod in pods],
        metrics={},
    )


def troubles(pods: Iterable[Mapping[str, Any]], workloads: Iterable[Mapping[str, Any]] = ()) -> str:
    """Why pods do not run, or are not even made (a quota, a policy): each reason once, with one that has it."""
    found: dict[str, str] = {}
    for workload in workloads:
        for condition in workload.get("status", {}).get("conditions", ()):
            if condition.get("type") == "ReplicaFailure" and condition.get("status") == "True":
                found.setdefault(_joined("no pod", condition.get("message")), workload["metadata"]["name"])
    for pod in pods:
        for reason in _reasons(pod):
            found.setdefault(reason, pod["metadata"]["name"])
    return "; ".join(f"{name}: {reason}" for reason, name in found.items())[:800]


def _reasons(pod: Mapping[str, Any]) -> Iterator[str]:
    status = pod.get("status", {})
    for condition in status.get("conditions", ()):
        if condition.get("type") == "PodScheduled" and condition.get("status") == "False":
            yield _joined(condition.get("reason"), condition.get("message"))
    for container in status.get("containerStatuses", ()):
        waiting = container.get("state", {}).get("waiting", {})
        if waiting.get("reason", "ContainerCreating") not in ("ContainerCreating", "PodInitializing"):
            yield _joined(waiting.get("reason"), waiting.get("message"))
        ended = container.get("lastState", {}).get("terminated") or container.get("state", {}).get(
            "terminated"
        )
        if ended and ended.get("exitCode"):
            yield _joined(ended.get("reason"), f"exit code {ended['exitCode']}")


def _joined(reason: str | None, message: str | None) -> str:
    return ": ".join(" ".join(each.split())[:300] for each in (reason, message) if each)


def _state(workload: Mapping[str, Any]) -> str:
    status = workload.get("status", {})
    conditions = {each.get("type"): each for each in status.get("conditions", ())}
    if workload.get("kind") == "InferenceService":
        return "running" if conditions.get("Ready", {}).get("status") == "True" else "deploying"
    ready, wanted = status.get("availableReplicas", 0), workload["spec"].get("replicas", 1)
    is_seen = status.get("observedGeneration", 0) >= workload["metadata"].get("generation", 0)
    if not is_seen or status.get("updatedReplicas", 0) < wanted:
        is_late = conditions.get("Progressing", {}).get("reason") == "ProgressDeadlineExceeded"
        return "deploying" if not is_late else "degraded" if ready else "failed"
    return "running" if ready >= wanted else "degraded" if ready else "failed"


def _replica(pod: Mapping[str, Any], revision: int) -> ReplicaStatus:
    status = pod.get("status", {})
    is_ready = any(
        each.get("type") == "Ready" and each.get("status") == "True" for each in status.get("conditions", ())
    )
    reasons = "; ".join(_reasons(pod))
    is_failing = status.get("phase") == "Failed" or any(
        each.get("state", {})
        .get("waiting", {})
        .get("reason", "")
        .endswith(("BackOff", "Error", "ErrImagePull"))
        for each in status.get("containerStatuses", ())
    )
    return ReplicaStatus(
        name=pod["metadata"]["name"],
        state="running" if is_ready else "failed" if is_failing else "starting",
        revision=revision if is_ready else 0,
        message="" if is_ready else reasons,
        restarts=sum(each.get("restartCount", 0) for each in status.get("containerStatuses", ())),
    )


def _url(name: str, options: Options, workloads: Sequence[Mapping[str, Any]]) -> str:
    if options.kserve:
        return str(workloads[0].get("status", {}).get("url", ""))
    if options.host:
        is_secure = bool(options.tls_secret)
        return f"{'https' if is_secure else 'http'}://{options.host}"
    return f"http://{name}.{options.namespace}.svc"
