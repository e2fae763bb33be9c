"""Who may start now, and why the others wait. Pure: no clock, no catalog.

The order is: effective priority (the priority that was asked for, and one more for every `aging_minutes` of waiting),
then whose user has used least of late (fair share), then who has waited longest. In that order each run is admitted
if it fits into every quota that it touches. One that does not fit *reserves* what it needs in the narrowest quota
that lacks room, and in those within it, so that whoever comes after cannot keep it out for ever; a quota of its
own keeps nobody else waiting. A later one may pass a reservation if by its estimate it is over before the
reserved start (backfill), as long as the one who reserved has waited for less than `patience_minutes`.

A run of a higher priority may have preemptible ones of a lower priority make way, if that gives it enough room.
"""

from __future__ import annotations

import heapq
import math
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from .amounts import NOTHING, RESOURCES, Amount, shown
from .quotas import Limits, Quotas
from .rooms import Room
from .shares import billing, month_end, month_start

MOST_PREEMPTIONS = 3  # then a run is left in peace, or it would never come to its end
_ASSUMED_SECONDS = 600.0  # what a run of unknown length adds to its user's share
_FORECASTS = 1000  # how many of those that wait are told when they may start
_GPU = RESOURCES.index("gpu")


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A run that wants to start. Moments are seconds since 1970; `seconds` is how long it may take, if known."""

    run_id: str
    user: str
    queue: str
    priority: int = 0
    least: Amount
    most: Amount
    since: float
    seconds: float | None = None
    is_held: bool = False
    is_absent: bool = False  # no process is there to drive it


@dataclass(frozen=True, slots=True, kw_only=True)
class Going:
    """A run that was admitted."""

    run_id: str
    user: str
    queue: str
    priority: int = 0
    is_preemptible: bool = False
    granted: Amount
    since: float
    seconds: float | None = None
    is_leaving: bool = False  # it was told to make way


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What becomes of one that waits. `position` counts from 1; `victims` shall make way for it."""

    run_id: str
    verb: Literal["admit", "wait", "reject"]
    reason: str = ""
    position: int = 0
    starts_at: float | None = None
    granted: Amount = NOTHING
    victims: tuple[str, ...] = ()


class Admission:
    """One round of decisions at the moment `now`. `shares` is what each user has used of late, decayed; `spent`
    what each (scope, name) has used this month: GPU-hours and cost."""

    def __init__(
        self,
        quotas: Quotas,
        going: Iterable[Going],
        now: float,
        *,
        shares: Mapping[str, float] | None = None,
        spent: Mapping[tuple[str, str], tuple[float, float]] | None = None,
    ) -> None:
        self._quotas, self._now = quotas, now
        self._going = list(going)
        self._spent = dict(spent or {})
        self._known: dict[tuple[str, str], Room] = {}
        self._paths: dict[tuple[str, str], tuple[tuple[Room, ...], Amount]] = {}
        self._shares: dict[str, float] = defaultdict(float)
        for user, share in (shares or {}).items():
            self._shares[user] = share / self._weight(user)
        month = month_start(now)
        for run in self._going:
            elapsed = max(0.0, now - run.since)
            self._use(run.user, run.granted, max(elapsed, run.seconds or _ASSUMED_SECONDS))
            this_month = max(0.0, now - max(run.since, month))
            hours = run.granted.gpu * this_month / 3600
            cost = billing(run.granted, this_month, quotas.prices) / 3600
            end = math.inf if run.seconds is None else max(run.since + run.seconds, now + elapsed / 10)
            for room in self.rooms(run.user, run.queue):
                room.enter(run.granted, end, is_leaving=run.is_leaving)
                room.spend(hours, cost)
        # Those that gain least from having gone on so far make way first.
        self._victims = sorted(
            (run for run in self._going if run.is_preemptible and not run.is_leaving),
            key=lambda run: (run.priority, -run.since),
        )

    def rooms(self, user: str, queue: str) -> tuple[Room, ...]:
        """Every quota that a run touches, the narrowest first."""
        return self._path(user, queue)[0]

    def decide(self, waiting: Iterable[Waiting]) -> list[Decision]:
        """A decision for each, in their order; what is admitted counts for those after it."""
        decisions: list[Decision] = []
        place = 0
        for run in self._ordered(waiting):
            if not (run.is_held or run.is_absent):
                place += 1
            decisions.append(self._consider(run, place))
        return decisions

    def rank(self, run: Waiting) -> int:
        """The effective priority."""
        return run.priority + int(max(0.0, self._now - run.since) // (self._quotas.aging_minutes * 60))

    # --- the order ------------------------------------------------------------------------------------------

    def _ordered(self, waiting: Iterable[Waiting]) -> Iterator[Waiting]:
        classes: dict[int, dict[str, list[Waiting]]] = defaultdict(lambda: defaultdict(list))
        for run in waiting:
            classes[self.rank(run)][run.user].append(run)
        for rank in sorted(classes, reverse=True):
            lines = {
                user: deque(sorted(runs, key=lambda run: (run.since, run.run_id)))
                for user, runs in classes[rank].items()
            }
            heap = [(self._shares[user], line[0].since, user) for user, line in lines.items()]
            heapq.heapify(heap)
            while heap:
                user = heapq.heappop(heap)[2]
                line = lines[user]
                yield line.popleft()  # if it is admitted, its user's share has grown by now
                if line:
                    heapq.heappush(heap, (self._shares[user], line[0].since, user))

    def _use(self, user: str, granted: Amount, seconds: float) -> None:
        self._shares[user] += billing(granted, seconds) / self._weight(user)

    def _weight(self, user: str) -> float:
        group = self._quotas.groups.get(self._quotas.group_of(user), Limits())
        return self._quotas.user(user).weight * group.weight

    # --- one run --------------------------------------------------------------------------------------------

    def _consider(self, run: Waiting, place: int) -> Decision:
        rooms, caps = self._path(run.user, run.queue)
        granted = Amount(*map(min, run.most, caps))
        refusal = self.refusal(run)
        if refusal:
            return Decision(run_id=run.run_id, verb="reject", reason=refusal, position=place)
        if run.is_held:
            return Decision(run_id=run.run_id, verb="wait", reason="is held")
        if run.is_absent:
            return Decision(run_id=run.run_id, verb="wait", reason="has no process that would drive it")
        for room in rooms:
            if room.is_spent(has_gpu=bool(granted[_GPU])):
                end = month_end(self._now)
                reason = f"waits until {datetime.fromtimestamp(end, UTC):%-d %B}: {room.told_spent()}"
                return Decision(run_id=run.run_id, verb="wait", reason=reason, position=place, starts_at=end)
        lacking = [(room, number) for room in rooms for number in room.lacks(granted)]
        if not lacking or self._may_pass(run, granted, rooms):
            self._enter(run, granted, rooms)
            return Decision(run_id=run.run_id, verb="admit", position=place, granted=granted)
        return self._wait(run, granted, rooms, lacking, place)

    def refusal(self, run: Waiting) -> str:
        """Why a run can never start; "" if it can."""
        rooms, caps = self._path(run.user, run.queue)
        for number, (need, cap) in enumerate(zip(run.least, caps, strict=True)):
            if need > cap:
                room = next(room for room in rooms if room.limit(number) == cap)
                what = RESOURCES[number]
                return f"can never run: it needs {shown(what, need)}, and {room.label} may use {shown(what, cap)}"
        return ""

    def _enter(self, run: Waiting, granted: Amount, rooms: Sequence[Room]) -> None:
        end = math.inf if run.seconds is None else self._now + run.seconds
        for room in rooms:
            room.enter(granted, end)
        self._use(run.user, granted, run.seconds or _ASSUMED_SECONDS)

    def _may_pass(self, run: Waiting, granted: Amount, rooms: Sequence[Room]) -> bool:
        """Whether only reservations stand against it, and it is over before they are needed."""
        if run.seconds is None:
            return False
        end = self._now + run.seconds
        return all(room.has(granted) and (end <= room.gate or not room.lacks(granted)) for room in rooms)

    def _wait(
        self,
        run: Waiting,
        granted: Amount,
        rooms: Sequence[Room],
        lacking: Sequence[tuple[Room, int]],
        place: int,
    ) -> Decision:
        room, number = lacking[0]
        is_first = all(each.reserved[resource] == 0 for each, resource in lacking)
        victims = self._make_way(run, granted, rooms) if is_first and self._victims else ()
        starts_at = self._forecast(run, granted, rooms) if place <= _FORECASTS else None
        starts_at = self._now if victims else starts_at
        is_patient = self._now - run.since < self._quotas.patience_minutes * 60
        gate = -math.inf if not is_patient else self._now if starts_at is None else starts_at
        told = room.told(number, granted[number], victims)
        if not victims and room.has_one(number, granted[number]):
            told = f"waits behind run {room.blocker(number)}, for which {RESOURCES[number]} is kept"
        for each in rooms if victims else rooms[: rooms.index(room) + 1]:
            each.reserve(granted, run.run_id, gate)
        return Decision(
            run_id=run.run_id, verb="wait", reason=told, position=place, starts_at=starts_at,
            victims=tuple(victim for victim in victims if victim),
        )  # fmt: skip

    def _forecast(self, run: Waiting, granted: Amount, rooms: Sequence[Room]) -> float | None:
        """About when it starts, if all take as long as they are thought to; it takes its place in the forecast."""
        at = max((room.when(granted) for room in rooms), default=self._now)
        at = max(at, self._now)
        end = math.inf if run.seconds is None else at + run.seconds
        for room in rooms:
            room.expect(granted, end)
        return at if math.isfinite(at) else None

    # --- making way -----------------------------------------------------------------------------------------

    def _make_way(self, run: Waiting, granted: Amount, rooms: Sequence[Room]) -> tuple[str, ...]:
        """Who shall leave, so that it fits; those who are leaving already count as gone, and if they suffice, the
        answer is ("",). Nobody leaves in vain."""
        short = {
            (room.key, number): amount
            for room in rooms
            for number, amount in room.shortages(granted)
            if amount > 0
        }
        if not short:
            return ("",)
        chosen: list[Going] = []
        for victim in self._victims:
            if victim.priority >= run.priority:
                break
            keys = [room.key for room in self.rooms(victim.user, victim.queue)]
            helps = [
                need for need in short if need[0] in keys and short[need] > 0 and victim.granted[need[1]]
            ]
            if helps:
                chosen.append(victim)
                for need in short:
                    if need[0] in keys:
                        short[need] -= victim.granted[need[1]]
            if all(amount <= 0 for amount in short.values()):
                break
        else:
            return ()
        if any(amount > 0 for amount in short.values()):
            return ()
        for victim in list(chosen):  # a later, larger one may have made an earlier one needless
            keys = [room.key for room in self.rooms(victim.user, victim.queue)]
            if all(short[need] + victim.granted[need[1]] <= 0 for need in short if need[0] in keys):
                chosen.remove(victim)
                for need in short:
                    if need[0] in keys:
                        short[need] += victim.granted[need[1]]
        for victim in chosen:
            self._victims.remove(victim)
            for room in self.rooms(victim.user, victim.queue):
                room.leave_soon(victim.granted)
        return tuple(victim.run_id for victim in chosen)

    def _path(self, user: str, queue: str) -> tuple[tuple[Room, ...], Amount]:
        known = self._paths.get((user, queue))
        if known is None:
            rooms = []
            for scope, name, limits in self._quotas.scopes(user, queue):
                room = self._known.get((scope, name))
                if room is None:
                    room = Room(scope, name, limits, self._now, self._spent.get((scope, name), (0.0, 0.0)))
                    self._known[scope, name] = room
                rooms.append(room)
            caps = Amount(
                *(min((room.limit(number) for room in rooms), default=math.inf) for number in range(5))
            )
            known = self._paths[user, queue] = (tuple(rooms), caps)
        return known
