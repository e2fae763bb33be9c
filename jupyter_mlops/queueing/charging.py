"""What a run used is charged to its user, group and queue, day by day."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from ..catalog import Catalog
from ..catalog.records import QueueEntry, QueueUsage
from . import shares
from .amounts import Amount


def charge(catalog: Catalog, entry: QueueEntry, until: datetime, prices: Mapping[str, float]) -> None:
    """Note what an entry used: what it was granted, as long as it had it. Part of a transaction."""
    if entry.admitted_at is None:
        return
    amount = Amount.read(entry.granted)
    for day, seconds in shares.by_day(entry.admitted_at, max(until, entry.admitted_at)):
        used = {
            "run_seconds": seconds,
            "task_seconds": amount.tasks * seconds,
            "cpu_seconds": amount.cpu * seconds,
            "memory_seconds": float(amount.memory * seconds),
            "gpu_seconds": amount.gpu * seconds,
            "cost": shares.billing(amount, seconds, prices) / 3600,
        }
        key = (day, entry.user_name, entry.group_name, entry.queue)
        record = QueueUsage(day=day, user_name=key[1], group_name=key[2], queue=key[3])
        catalog.count_up(record, "spans")  # from here on nobody else changes this row
        known = catalog.get(QueueUsage, *key)
        catalog.update(
            QueueUsage, key, **{name: getattr(known, name) + value for name, value in used.items()}
        )
