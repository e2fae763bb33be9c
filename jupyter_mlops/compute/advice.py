"""What tasks should ask for, by what they were measured to use. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from ..resources import ResourceRequest, format_bytes
from .cost import cheapest_fit
from .instances import Instance
from .usage import Use

HEADROOM = 1.25  # above the highest peak
_STEP = 256 * 2**20
_WORTH = 0.25  # a difference of less than a quarter is not worth a line


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """Ask for `memory` instead of what was asked (None: nothing); `peak` is the highest that was measured."""

    task: str
    asked: int | None
    peak: int
    memory: int

    @property
    def is_short(self) -> bool:
        """Whether it asks for less than it used."""
        return self.asked is not None and self.asked < self.peak

    def __str__(self) -> str:
        asked = "asked nothing" if self.asked is None else f"asked {format_bytes(self.asked)}"
        return f"{asked}, used {format_bytes(self.peak)}: ask {format_bytes(self.memory)}"

    def to_json(self) -> dict[str, Any]:
        """Plain JSON; `resources` is what to write into the pipeline."""
        return {
            "task": self.task,
            "asked_memory": self.asked,
            "peak_memory": self.peak,
            "memory": self.memory,
            "is_short": self.is_short,
            "resources": ResourceRequest(memory=self.memory).written(),
        }


def fitting_memory(peak: int) -> int:
    """A peak with some headroom, in steps as people write them: 256 MiB, above 1 GiB 512 MiB, above 8 GiB 1 GiB."""
    wanted = int(peak * HEADROOM)
    step = _STEP if wanted <= 4 * _STEP else 2 * _STEP if wanted <= 32 * _STEP else 4 * _STEP
    return max(-(-wanted // step), 1) * step


def suggest(uses: Iterable[Use]) -> list[Suggestion]:
    """One for each task that was measured and asks for far more than it uses, for less, or for nothing.

    Instances of a task (``score[0]``) ask for the same: what the one with the highest peak needs.
    """
    peaks: dict[str, Use] = {}
    for use in uses:
        name = use.task.partition("[")[0]
        if use.peak_memory and use.peak_memory >= peaks.get(name, use).peak_memory:
            peaks[name] = use
    found = []
    for task, use in peaks.items():
        memory, asked = fitting_memory(use.peak_memory), use.asked.memory
        is_near = asked is not None and use.peak_memory <= asked and asked - memory < _WORTH * asked
        if not is_near:
            found.append(Suggestion(task=task, asked=asked, peak=use.peak_memory, memory=memory))
    return found


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
