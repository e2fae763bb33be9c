"""How much tasks used of what they were given. Pure, of records as the catalog has them.

All parts are from 0 to 1, and None where nobody measured. A part of the CPUs' time is no part of their operations: a
core that waits for memory is busy, too. So what follows from measured FLOPS is a bound, and is called one.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from ..catalog.records import ComputeMeasurement
from ..resources import ResourceRequest
from ..words import duration
from .units import format_flops, formats


class Used(Protocol):
    """An attempt, or a task run, which has its last attempt's figures."""

    @property
    def worker(self) -> str: ...
    @property
    def duration_seconds(self) -> float: ...
    @property
    def peak_memory_bytes(self) -> int: ...
    @property
    def cpu_seconds(self) -> float | None: ...
    @property
    def cpus(self) -> float | None: ...
    @property
    def gpu_utilization(self) -> float | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class RunUtilization:
    """Of all tasks of a run together, each by its last attempt: parts of what they could use while they ran."""

    cpu_seconds: float | None = None
    cpu: float | None = None
    gpu: float | None = None

    def to_json(self) -> dict[str, Any]:
        """As a run's document has it."""
        return {
            "cpu_seconds": self.cpu_seconds,
            "cpu_utilization": self.cpu,
            "gpu_utilization": self.gpu,
        }


def busy_cpus(used: Used) -> float | None:
    """How many CPUs it kept busy, on average."""
    if used.cpu_seconds is None or used.duration_seconds <= 0:
        return None
    return used.cpu_seconds / used.duration_seconds


def cpu_utilization(used: Used) -> float | None:
    """The part of its CPUs' time in which it kept them busy."""
    busy = busy_cpus(used)
    return None if busy is None or not used.cpus else min(1.0, busy / used.cpus)


def memory_utilization(used: Used, asked: ResourceRequest) -> float | None:
    """Its peak, of what it asked for. More than 1 is possible: what was found to be too much has been used."""
    return used.peak_memory_bytes / asked.memory if asked.memory and used.peak_memory_bytes else None


def run_utilization(tasks: Iterable[Used]) -> RunUtilization:
    """Of a run's tasks; those that did not execute, or were not measured, do not count."""
    counted = list(tasks)
    measured = [each for each in counted if each.cpu_seconds is not None and each.duration_seconds > 0]
    if not measured:
        return RunUtilization()
    seconds = math.fsum(each.cpu_seconds or 0.0 for each in measured)
    given = math.fsum(each.duration_seconds * (each.cpus or 0.0) for each in measured)
    on_gpu = [each for each in measured if each.gpu_utilization is not None]
    gpu_time = math.fsum(each.duration_seconds for each in on_gpu)
    gpu_busy = math.fsum(each.duration_seconds * (each.gpu_utilization or 0.0) for each in on_gpu)
    return RunUtilization(
        cpu_seconds=seconds,
        cpu=min(1.0, seconds / given) if given else None,
        gpu=gpu_busy / gpu_time if gpu_time else None,
    )


def flops_at_most(used: Used, measured: Mapping[str, ComputeMeasurement]) -> dict[str, float]:
    """Operations a second that its busy CPUs could have done at most, by number format: of the machine where it ran, as
    ``compute bench`` measured it, by unit. Empty where that was not measured."""
    busy, known = busy_cpus(used), measured.get(f"{machine_of(used.worker)}/cpu")
    if busy is None or known is None:
        return {}
    threads = max(1, int(known.body.get("threads", 1)))
    return {name: rate / threads * min(busy, threads) for name, rate in known.body.get("flops", {}).items()}


def told_cpu(used: Used) -> str:
    """For people: ``3.2 s, 0.9 of 4 CPUs (22 %)``."""
    busy, part = busy_cpus(used), cpu_utilization(used)
    if busy is None:
        return ""
    of = f" of {used.cpus:g}" if used.cpus else ""
    return f"{duration(used.cpu_seconds)}, {busy:.2g}{of} CPUs" + ("" if part is None else f" ({part:.0%})")


def told_flops(at_most: Mapping[str, float]) -> str:
    """For people: ``at most 31.2 GFLOPS in float64``; it names the widest format."""
    name = next(iter(formats(at_most)), None)
    return "" if name is None else f"at most {format_flops(at_most[name])} in {name}"


def machine_of(worker: str) -> str:
    """The machine in a worker's name: ``host:pid``, or the address ``tcp://host:port``."""
    return worker.rpartition("://")[2].rpartition(":")[0]
