"""The ids of a run, its attempts and its cells in both standards, made of what they are called here.

So whoever tells of the same thing says the same id: a run that is resumed by another process, the tasks of one
that other orchestrators start each in a container of its own, and a notebook's own spans.
"""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass

_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "urn:jupyter-mlops:run")
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})")


def lineage_id(run_id: str, task: str = "", attempt: int = 0) -> str:
    """The UUID of a run, or of one attempt of its tasks, as OpenLineage wants it."""
    return str(uuid.uuid5(_NAMESPACE, f"{run_id}/{task}/{attempt}" if task else run_id))


def trace_id(run_id: str) -> int:
    """The trace of a run that nobody else's trace has begun: 128 bits, not 0."""
    return int.from_bytes(hashlib.sha256(run_id.encode()).digest()[:16]) or 1


def span_id(run_id: str, task: str = "", attempt: int = 0, cell: int = 0) -> int:
    """The span of a run, of an attempt, or of a cell in it: 64 bits, not 0."""
    text = f"{run_id}/{task}/{attempt}/{cell}"
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[16:24]) or 1


@dataclass(frozen=True, slots=True)
class TraceParent:
    """The span that a process was started within, as ``TRACEPARENT`` tells it."""

    trace: int
    span: int
    flags: int

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> TraceParent | None:
        """That of the environment; None where there is none, or nonsense."""
        found = _TRACEPARENT.fullmatch(environment.get("TRACEPARENT", "").strip().lower())
        if found is None or not int(found[1], 16) or not int(found[2], 16):
            return None
        return cls(int(found[1], 16), int(found[2], 16), int(found[3], 16))

    def __str__(self) -> str:
        return f"00-{self.trace:032x}-{self.span:016x}-{self.flags:02x}"


def attempt_parent(environment: Mapping[str, str], run_id: str, task: str, attempt: int) -> TraceParent:
    """What a notebook is told: its own spans belong to the span of its attempt."""
    outer = TraceParent.read(environment)
    trace, flags = (outer.trace, outer.flags) if outer else (trace_id(run_id), 1)
    return TraceParent(trace, span_id(run_id, task, attempt), flags)
