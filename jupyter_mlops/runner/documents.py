"""Attempts and artifacts as JSON, for whoever shows them: ``--json`` and the panel."""

from __future__ import annotations

from typing import Any

from ..catalog.records import Artifact, Attempt
from ..compute.utilization import cpu_utilization
from ..words import iso


def attempt_body(attempt: Attempt) -> dict[str, Any]:
    """One try of a task run; its error is as the catalog has it."""
    return {
        "attempt": attempt.attempt,
        "state": attempt.state,
        "worker": attempt.worker,
        "reason": attempt.reason,
        "error": dict(attempt.error) or None,
        "started_at": iso(attempt.started_at),
        "finished_at": iso(attempt.finished_at),
        "duration_seconds": attempt.duration_seconds,
        "peak_memory_bytes": attempt.peak_memory_bytes,
        "cpu_seconds": attempt.cpu_seconds,
        "cpus": attempt.cpus,
        "cpu_utilization": cpu_utilization(attempt),
        "gpu_utilization": attempt.gpu_utilization,
    }


def artifact_body(artifact: Artifact) -> dict[str, Any]:
    """What a task made."""
    return {
        "name": artifact.name,
        "reference": artifact.reference,
        "format": artifact.format,
        "size_bytes": artifact.size_bytes,
        "summary": dict(artifact.summary),
        "created_at": iso(artifact.created_at),
    }
