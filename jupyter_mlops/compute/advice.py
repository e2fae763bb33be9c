"""What tasks should ask for, by what they were measured to use. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from ..resources import ResourceRequest, format_bytes
from .cost import cheapest_fit
from .instances import Instance
from .usage import DEFAULT_CPU, ONE_CORE, Use

HEADROOM = 1.25  # above what was measured
_STEP = 256 * 2**20
_WORTH = 0.25  # a difference of less than a quarter is not worth a line
_PARTS = (0.25, 0.5)  # of a CPU, as people write them
_BRIEF_SECONDS = 1.0  # of a shorter task its kernel's start is a good part


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """Ask for `memory` and for `cpu` CPUs instead of what was `asked`; None: what was asked, if anything, is fine.

    `peak` is the most memory that was measured, `busy_cpus` how many CPUs were busy on average.
    """

    task: str
    asked: ResourceRequest
    peak: int = 0
    busy_cpus: float | None = None
    memory: int | None = None
    cpu: float | None = None

    @property
    def is_short(self) -> bool:
        """Whether it asks for less than it used."""
        return (self.asked.memory is not None and self.asked.memory < self.peak) or _is_busier(
            self.busy_cpus, self.asked.cpu
        )

    @property
    def has_asked(self) -> bool:
        """Whether it asks for what is to be changed, instead of for nothing."""
        of_memory = self.memory is not None and self.asked.memory is not None
        return of_memory or (self.cpu is not None and self.asked.cpu is not None)

    def __str__(self) -> str:
        told = []
        if self.memory is not None:
            asked = "nothing" if self.asked.memory is None else format_bytes(self.asked.memory)
            told.append(f"asked {asked}, used {format_bytes(self.peak)}: ask {format_bytes(self.memory)}")
        if self.cpu is not None:
            asked = "no CPU" if self.asked.cpu is None else _cpus(self.asked.cpu)
            told.append(f"asked {asked}, used {self.busy_cpus:.2g} on average: ask {self.cpu:g}")
        return "; ".join(told)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON; `resources` is what to write into the pipeline."""
        return {
            "task": self.task,
            "asked_memory": self.asked.memory,
            "peak_memory": self.peak,
            "memory": self.memory,
            "asked_cpu": self.asked.cpu,
            "busy_cpus": self.busy_cpus,
            "cpu": self.cpu,
            "is_short": self.is_short,
            "resources": ResourceRequest(memory=self.memory, cpu=self.cpu).written(),
        }


def fitting_memory(peak: int) -> int:
    """A peak with some headroom, in steps as people write them: 256 MiB, above 1 GiB 512 MiB, above 8 GiB 1 GiB."""
    wanted = int(peak * HEADROOM)
    step = _STEP if wanted <= 4 * _STEP else 2 * _STEP if wanted <= 32 * _STEP else 4 * _STEP
    return max(-(-wanted // step), 1) * step


def fitting_cpu(busy: float) -> float:
    """CPUs for a task that keeps so many busy on average: parts below one, above it whole ones with some headroom."""
    for part in _PARTS:
        if busy * HEADROOM <= part:
            return part
    return 1.0 if busy <= ONE_CORE else float(math.ceil(busy * HEADROOM))


def suggest(uses: Iterable[Use]) -> list[Suggestion]:
    """One for each task that was measured and asks for far more than it uses, for less, or for nothing.

    Instances of a task (``score[0]``) ask for the same: what the one with the highest peak needs, and the busiest.
    """
    by_name: dict[str, list[Use]] = {}
    for use in uses:
        by_name.setdefault(use.task.partition("[")[0], []).append(use)
    found = []
    for task, alike in by_name.items():
        peak = max(use.peak_memory for use in alike)
        asked = next(use.asked for use in alike if use.peak_memory == peak)
        long = [use for use in alike if max(use.longest, use.seconds) >= _BRIEF_SECONDS]
        busy = max((use.busy_cpus for use in long if use.busy_cpus is not None), default=None)
        memory, cpu = _memory(peak, asked.memory), _cpu(busy, asked.cpu)
        if memory is not None or cpu is not None:
            found.append(
                Suggestion(task=task, asked=asked, peak=peak, busy_cpus=busy, memory=memory, cpu=cpu)
            )
    return found


def _memory(peak: int, asked: int | None) -> int | None:
    if not peak:
        return None
    memory = fitting_memory(peak)
    is_near = asked is not None and peak <= asked and asked - memory < _WORTH * asked
    return None if is_near else memory


def _cpu(busy: float | None, asked: float | None) -> float | None:
    """Who asks for no CPU is given one's place: that is worth a line only if it keeps more of them busy."""
    if busy is None:
        return None
    cpu = fitting_cpu(busy)
    if asked is None:
        return cpu if cpu > DEFAULT_CPU else None
    return cpu if _is_busier(busy, asked) or asked - cpu >= max(_WORTH * asked, _PARTS[0]) else None


def _is_busier(busy: float | None, asked: float | None) -> bool:
    return busy is not None and asked is not None and busy > asked * ONE_CORE


def _cpus(count: float) -> str:
    return f"{count:g} CPU" if count == 1 else f"{count:g} CPUs"


def advise(uses: Sequence[Use], instances: Iterable[Instance]) -> Instance | None:
    """The cheapest instance on which every one of the tasks fits, one at a time; None if there is none."""
    demands = [use.demand() for use in uses]
    largest = ResourceRequest(
        cpu=max((each.cpu or 0.0 for each in demands), default=None),
        memory=max((each.memory or 0 for each in demands), default=None),
        gpu=max((each.gpu or 0 for each in demands), default=0) or None,
        accelerator=next((each.accelerator for each in demands if each.accelerator), None),
    )
    return cheapest_fit(largest, [each for each in instances if all(each.fits(demand) for demand in demands)])
