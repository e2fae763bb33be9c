"""What a served model asks of the place where it shall run, and what such a place answers.

A target is made of pure planning and thin deeds: `requests` says exactly what would be sent, `apply` sends it. What a
deployment is, and its history, the catalog knows (`deployments`); a target knows only its own side.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from ..resources import ResourceRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A revision of a deployment, as it shall be.

    `folders`: version → the folder that `ModelStore.export_mlflow` wrote, for targets that serve from here.
    `image` is "name@sha256:…", for those that pull one.
    """

    name: str
    model: str
    revision: int
    traffic: Mapping[int, float]  # version → share of requests; they sum to 1
    shadow: Mapping[int, float] = field(default_factory=dict)
    digests: Mapping[int, str] = field(default_factory=dict)  # version → digest of its manifest
    folders: Mapping[int, str] = field(default_factory=dict)
    images: Mapping[int, str] = field(default_factory=dict)  # version → image, where each has its own
    resources: ResourceRequest = field(default_factory=ResourceRequest)
    replicas: tuple[int, int] = (2, 4)  # at least, at most: between them the target scales by load
    options: Mapping[str, Any] = field(default_factory=dict)  # of the target, checked by it


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One thing that would be sent: an API call, a manifest, a file. `body` is exactly its content, without secrets."""

    call: str  # "sagemaker.create_model", "kubectl apply", …
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplicaStatus:
    """One process, pod or instance."""

    name: str
    state: str  # starting, running, failed
    revision: int = 0
    message: str = ""
    restarts: int = 0
    requests: int = 0
    errors: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """How a deployment really is, as its target sees it now."""

    state: str  # deploying, running, degraded, failed, stopped, removed
    url: str = ""
    message: str = ""
    revision: int = 0  # the one that answers
    replicas: Sequence[ReplicaStatus] = ()
    metrics: Mapping[str, float] = field(
        default_factory=dict
    )  # requests_per_second, p50_seconds, p99_seconds, …


class Target(Protocol):
    """Where models are served. Errors are of our tree; nothing is half-made: what failed is taken back or named."""

    name: str
    needs_image: bool

    def check(self, wanted: Wanted) -> None:
        """Raise `InvalidInput` for options or resources that this target cannot give, before anything is made."""

    def requests(self, wanted: Wanted) -> Sequence[Request]:
        """Everything that `apply` would send, exactly; nothing is sent. What ``--dry-run`` prints."""

    def apply(self, wanted: Wanted, *, timeout_seconds: float = 600) -> Status:
        """Make it so, and wait until the new revision answers. If it never does, the old one goes on answering."""

    def status(self, name: str, options: Mapping[str, Any]) -> Status:
        """How it is now."""

    def remove(self, name: str, options: Mapping[str, Any]) -> None:
        """Take it away; fine if it is gone already."""


@runtime_checkable
class Stoppable(Protocol):
    """A target whose deployments can rest, and whose processes can be looked into."""

    def stop(self, name: str) -> None:
        """Answer what was begun, then end; everything stays for `start`."""

    def start(self, name: str, *, timeout_seconds: float = 600) -> Status:
        """Go on from there, or after the machine was off; wait until it answers."""

    def logs(self, name: str) -> Mapping[str, Path]:
        """The log of each process, by its name."""

    def accompany(self, name: str, words: Sequence[str]) -> None:
        """Keep ``python WORDS`` running as long as the deployment does; no words: no more."""
