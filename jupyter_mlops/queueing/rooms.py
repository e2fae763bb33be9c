"""One quota during a round of admission: what is in use of it, reserved, and when it becomes free."""

from __future__ import annotations

import heapq
import math
from collections.abc import Sequence

from .amounts import RESOURCES, Amount, shown
from .quotas import Limits

_CLOSE = 1e-9  # cores are floats


class Room:
    """What `scope` (user, group, queue, all) `name` may use. `gate` is the moment at which what is reserved will be
    needed: whoever is over by then may pass."""

    __slots__ = (
        "_blockers", "_ends", "_leaving", "_limits", "_lines", "_month", "_now", "_spent", "gate", "key",
        "label", "limits", "reserved", "used",
    )  # fmt: skip

    def __init__(self, scope: str, name: str, limits: Limits, now: float, spent: tuple[float, float]) -> None:
        self.key = (scope, name)
        self.label = "everybody together" if scope == "all" else f"{scope} {name}"
        self.limits = limits.at_once()
        self._limits = limits
        self._now = now
        self._spent = list(spent)
        self.used = [0.0] * len(RESOURCES)
        self.reserved = [0.0] * len(RESOURCES)
        self.gate = math.inf
        self._leaving = [0.0] * len(RESOURCES)
        self._blockers: dict[int, str] = {}
        self._ends: list[tuple[float, Amount]] = []
        self._lines: dict[int, _Line] = {}

    def limit(self, number: int) -> float:
        """The ceiling of one resource, infinity where there is none."""
        return next((limit for each, limit in self.limits if each == number), math.inf)

    # --- what is in use -------------------------------------------------------------------------------------

    def enter(self, granted: Amount, end: float, *, is_leaving: bool = False) -> None:
        """A run uses so much of it, until about `end`."""
        for number, _ in self.limits:
            self.used[number] += granted[number]
            if number in self._lines:
                self._lines[number].take(granted[number], end)
        self._ends.append((end, granted))
        if is_leaving:
            self.leave_soon(granted)

    def leave_soon(self, granted: Amount) -> None:
        """A run was told to make way."""
        for number, _ in self.limits:
            self._leaving[number] += granted[number]

    def reserve(self, granted: Amount, run_id: str, gate: float) -> None:
        """Keep so much for a run that waits."""
        for number, _ in self.limits:
            if granted[number]:
                self.reserved[number] += granted[number]
                self._blockers.setdefault(number, run_id)
        if (
            self.gate == math.inf or gate == -math.inf
        ):  # the first one's start counts, and everybody's patience
            self.gate = gate

    def has_one(self, number: int, need: float) -> bool:
        """Whether there is enough of one resource, were nothing reserved."""
        return self.used[number] + need <= self.limit(number) + _CLOSE

    def has(self, granted: Amount) -> bool:
        """The same for all."""
        used = self.used
        return all(used[number] + granted[number] <= limit + _CLOSE for number, limit in self.limits)

    def lacks(self, granted: Amount) -> list[int]:
        """The resources that do not suffice."""
        used, reserved = self.used, self.reserved
        return [
            number
            for number, limit in self.limits
            if granted[number] and used[number] + reserved[number] + granted[number] > limit + _CLOSE
        ]

    def shortages(self, granted: Amount) -> list[tuple[int, float]]:
        """How much of each is missing when those who are leaving have left."""
        return [
            (number, self.used[number] - self._leaving[number] + granted[number] - limit - _CLOSE)
            for number, limit in self.limits
            if granted[number]
        ]

    def blocker(self, number: int) -> str:
        """The first run for which the resource is reserved."""
        return self._blockers.get(number, "")

    def told(self, number: int, need: float, victims: Sequence[str]) -> str:
        """Why it does not suffice."""
        what, limit = RESOURCES[number], self.limit(number)
        if victims:
            who = " and ".join(victims[:2]) if victims[0] else "others"
            return f"waits for {shown(what, need)}: {who} {'makes' if len(victims) == 1 and victims[0] else 'make'} way"
        used = shown(what, self.used[number]) if what == "memory" else f"{self.used[number]:g}"
        verb = "use" if self.key[0] == "all" else "uses its"
        return f"waits for {shown(what, need)}: {self.label} {verb} {used} of {shown(what, limit)}"

    # --- the month ------------------------------------------------------------------------------------------

    def spend(self, gpu_hours: float, cost: float) -> None:
        """What a run that goes on has used this month."""
        self._spent[0] += gpu_hours
        self._spent[1] += cost

    def is_spent(self, *, has_gpu: bool) -> bool:
        """Whether the month's GPU-hours, for a run that wants GPUs, or its money are gone."""
        hours, cost = self._limits.gpu_hours, self._limits.cost
        return (has_gpu and hours is not None and self._spent[0] >= hours) or (
            cost is not None and self._spent[1] >= cost
        )

    def told_spent(self) -> str:
        """Why the month is over for it."""
        hours, cost = self._limits.gpu_hours, self._limits.cost
        if cost is not None and self._spent[1] >= cost:
            return f"{self.label} has spent {self._spent[1]:,.2f} of {cost:,.2f} this month"
        return f"{self.label} has used {self._spent[0]:,.1f} of {hours:,.1f} gpu hours this month"

    # --- the forecast ---------------------------------------------------------------------------------------

    def when(self, granted: Amount) -> float:
        """About when there will be room, after all that was expected before."""
        return max(
            (self._line(number).when(granted[number]) for number, _ in self.limits if granted[number]),
            default=0.0,
        )

    def expect(self, granted: Amount, end: float) -> None:
        """A run will use so much until `end`."""
        for number, _ in self.limits:
            if granted[number]:
                self._line(number).take(granted[number], end)

    def _line(self, number: int) -> _Line:
        known = self._lines.get(number)
        if known is None:
            ends = [(end, float(granted[number])) for end, granted in self._ends if granted[number]]
            known = self._lines[number] = _Line(self.limit(number) - self.used[number], ends, self._now)
        return known


class _Line:
    """When how much of one resource becomes free. Time only goes forward: those who wait start in their order."""

    __slots__ = ("_at", "_ends", "_free")

    def __init__(self, free: float, ends: list[tuple[float, float]], now: float) -> None:
        self._free, self._ends, self._at = free, ends, now
        heapq.heapify(self._ends)

    def when(self, need: float) -> float:
        while self._free + _CLOSE < need and self._ends:
            end, amount = heapq.heappop(self._ends)
            self._free += amount
            self._at = max(self._at, end)
        return self._at if self._free + _CLOSE >= need else math.inf

    def take(self, amount: float, end: float) -> None:
        self._free -= amount
        heapq.heappush(self._ends, (end, amount))
