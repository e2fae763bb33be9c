"""What a round of admission decides on: who waits, who was admitted and is still there, what was used, all of one
moment; and the places in the queue that follow."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from ..catalog import Catalog
from ..catalog.records import QueueEntry, QueueUsage, Run
from . import shares
from .admission import MOST_PREEMPTIONS, Admission, Decision, Going, Waiting
from .amounts import Amount
from .quotas import Quotas

_OPEN = ("queued", "running")


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """An entry of the queue as it stands now."""

    entry: QueueEntry
    reason: str = ""
    position: int = 0
    starts_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a round decides on."""

    quotas: Quotas
    moment: datetime
    entries: list[QueueEntry]
    driven: set[str]
    lost: list[tuple[QueueEntry, datetime]]  # admitted, but nobody drives them; until when somebody did
    usage: list[QueueUsage]

    @classmethod
    def read(
        cls, catalog: Catalog, quotas: Quotas, moment: datetime, is_driven: Callable[[Run], bool]
    ) -> Snapshot:
        """As the catalog has it now."""
        entries = catalog.find(QueueEntry, order_by="run_id")
        where: dict[str, Any] = {"state": list(_OPEN), "runner": ("!=", "")}
        named = catalog.find(Run, where=where, omit=["plan", "arguments", "options"]) if entries else []
        driven = {run.run_id for run in named if is_driven(run)}
        beats = {run.run_id: run.heartbeat_at for run in named}
        lost = [
            (entry, beats.get(entry.run_id) or moment)
            for entry in entries
            if entry.state == "admitted" and entry.run_id not in driven
        ]
        first = shares.first_day(moment, quotas.half_life_days)
        usage = catalog.find(QueueUsage, where={"day": (">=", first)}) if entries or quotas else []
        return cls(quotas, moment, entries, driven, lost, usage)

    def admitted(self) -> list[QueueEntry]:
        """Those that were admitted and are still there."""
        gone = {entry.run_id for entry, _ in self.lost}
        return [entry for entry in self.entries if entry.state == "admitted" and entry.run_id not in gone]

    def decide(self) -> list[Decision]:
        """A decision for each that waits, in their order."""
        gone = {entry.run_id for entry, _ in self.lost}
        admission = Admission(
            self.quotas,
            map(_going, self.admitted()),
            self.moment.timestamp(),
            shares=shares.shares(self.usage, self.moment, self.quotas.half_life_days),
            spent=shares.spent(self.usage, self.moment),
        )
        return admission.decide(
            waiting_of(entry, is_absent=entry.run_id not in self.driven)
            for entry in self.entries
            if entry.state != "admitted" or entry.run_id in gone
        )

    def places(self) -> list[Place]:
        """What was admitted, then what waits, in its order."""
        gone = {entry.run_id for entry, _ in self.lost}
        entries = {entry.run_id: entry for entry in self.entries}
        places = [
            Place(entry=entry, reason=entry.reason)
            for entry in sorted(self.admitted(), key=lambda each: each.since_at)
        ]
        for decision in self.decide():
            entry = entries[decision.run_id]
            places.append(
                Place(
                    entry=replace(entry, state="waiting") if entry.run_id in gone else entry,
                    reason="can start now" if decision.verb == "admit" else decision.reason,
                    position=decision.position,
                    starts_at=moment_of(decision.starts_at),
                )
            )
        return places


def waiting_of(entry: QueueEntry, *, is_absent: bool = False) -> Waiting:
    """An entry as admission takes it."""
    return Waiting(
        run_id=entry.run_id, user=entry.user_name, queue=entry.queue, priority=entry.priority,
        least=Amount.read(entry.least), most=Amount.read(entry.most), since=entry.since_at.timestamp(),
        seconds=entry.seconds, is_held=entry.state == "held", is_absent=is_absent,
    )  # fmt: skip


def _going(entry: QueueEntry) -> Going:
    return Going(
        run_id=entry.run_id, user=entry.user_name, queue=entry.queue, priority=entry.priority,
        is_preemptible=entry.is_preemptible and entry.preemptions < MOST_PREEMPTIONS,
        granted=Amount.read(entry.granted), since=(entry.admitted_at or entry.since_at).timestamp(),
        seconds=entry.seconds, is_leaving=entry.is_leaving,
    )  # fmt: skip


def moment_of(at: float | None) -> datetime | None:
    """Seconds since 1970 as a moment."""
    return None if at is None else datetime.fromtimestamp(at, UTC)
