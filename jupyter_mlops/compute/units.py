"""What computes, as a value: a CPU, a GPU, a TPU, an IPU, with what it can do at most.

A unit is had in some form (`abstraction`): as a process of a cluster, a job of a batch system, a pod, an instance.
Peaks are theoretical, in floating point operations a second, by number format; what a unit was measured to do
stands beside it in the catalog (`ComputeMeasurement`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from ..display import Shown
from ..resources import format_bytes

KINDS = ("CPU", "GPU", "TPU", "IPU")
ABSTRACTIONS = ("process", "job", "pod", "instance")
FORMATS = ("float64", "float32", "tfloat32", "bfloat16", "float16", "float8", "int8")  # widest first
_PREFIXES = ("", "k", "M", "G", "T", "P", "E")


@dataclass(frozen=True, slots=True, kw_only=True)
class ComputeUnit(Shown):
    """One thing that computes. `cores` are those that we may use; `memory` is its own, in bytes."""

    unit: str  # "host/cpu", "host/gpu0", "worker tcp://…"
    kind: str
    name: str  # "AMD EPYC 7B13", "NVIDIA H100"
    abstraction: str = "instance"
    cores: float = 1.0
    memory: int | None = None
    peak_flops: Mapping[str, float] = field(default_factory=dict)
    memory_bandwidth: float | None = None  # bytes a second, theoretical
    facts_known: Mapping[str, Any] = field(default_factory=dict)  # clock, instruction set, driver, …

    def to_json(self) -> dict[str, Any]:
        """Plain JSON, bytes and operations a second."""
        return {**asdict(self), "peak_flops": dict(self.peak_flops), "facts_known": dict(self.facts_known)}

    def facts(self) -> Mapping[str, str]:
        """What a reader wants to know first."""
        return {
            "unit": self.unit,
            "kind": self.kind,
            "name": self.name,
            "as": self.abstraction,
            "cores": f"{self.cores:g}",
            "memory": "" if self.memory is None else format_bytes(self.memory),
            "peak": ", ".join(
                f"{name} {format_flops(self.peak_flops[name])}" for name in formats(self.peak_flops)
            ),
        }


def formats(by_format: Mapping[str, float]) -> list[str]:
    """The number formats in a mapping, the widest first."""
    return [name for name in FORMATS if name in by_format]


def format_flops(rate: float) -> str:
    """For people, with three digits: ``134 GFLOPS``, ``1.98 PFLOPS``."""
    power = 0
    while rate >= 999.5 and power < len(_PREFIXES) - 1:
        rate, power = rate / 1000, power + 1
    return f"{rate:.3g} {_PREFIXES[power]}FLOPS"


def utilization(measured: Mapping[str, float], peak: Mapping[str, float]) -> dict[str, float]:
    """Measured over theoretical, for the formats that have both. More than 1 is possible: clocks turn up."""
    return {name: measured[name] / peak[name] for name in formats(measured) if peak.get(name)}
