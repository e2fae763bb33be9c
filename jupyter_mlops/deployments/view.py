"""A deployment for a reader: what is on record, and how it really is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .. import words
from ..catalog import Deployment, DeploymentRevision
from ..display import Shown
from ..targets import Status


@dataclass(frozen=True, slots=True)
class DeploymentStatus(Shown):
    """The record, its current revision, and what its target says now; or in `trouble` why it cannot be asked."""

    deployment: Deployment
    revision: DeploymentRevision | None
    live: Status
    trouble: str = ""

    @property
    def note(self) -> str:
        """What a table says of it: what is wrong, else where it answers."""
        return self.trouble or self.deployment.message or self.deployment.url

    def facts(self) -> Mapping[str, str]:
        """What a reader wants to know first."""
        metrics = self.live.metrics
        replicas = [f"{one.name} {one.state}" for one in self.live.replicas]
        speed = ""
        if metrics.get("requests"):
            half, most = (metrics.get(f"p{each}_seconds", 0) * 1000 for each in (50, 99))
            answered = words.count(int(metrics["requests"]), "request")
            wrong = words.count(int(metrics.get("errors", 0)), "error")
            speed = f"{answered}, {wrong}, half within {half:.1f} ms, 99 % within {most:.1f} ms"
        return {
            **self.deployment.facts(),
            "traffic": shares(self.revision),
            "why": self.revision.reason if self.revision else "",
            "replicas": ", ".join(replicas),
            "answered": speed,
        }


def shares(revision: DeploymentRevision | None) -> str:
    """``version 3``, ``3 90 %, 4 10 %``, with shadows."""
    if revision is None:
        return ""
    told = [f"{version} {share:.0%}" for version, share in revision.traffic.items()]
    if len(told) == 1:
        told = [f"version {next(iter(revision.traffic))}"]
    told += [f"{version} in the shadow, {share:.0%}" for version, share in revision.shadow.items()]
    return words.shorten(", ".join(told), 120)
