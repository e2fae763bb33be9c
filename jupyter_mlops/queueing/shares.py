"""What was used, in time: what it counts for a fair share and costs, day by day, and within a month."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta

from ..catalog.records import QueueUsage
from .amounts import Amount

GIB = 2**30
# What a second of each counts for a fair share: cores, with what memory and GPUs are worth beside them.
_WEIGHTS: Mapping[str, float] = {"cpu": 1.0, "memory": 0.25, "gpu": 16.0}
HALF_LIVES = 6  # what is older counts for nothing (1.6 %)


def billing(amount: Amount, seconds: float, prices: Mapping[str, float] = _WEIGHTS) -> float:
    """Amount by price by time; with prices of an hour, 3600 times the cost."""
    worth = (
        amount.cpu * prices.get("cpu", 0.0)
        + amount.gpu * prices.get("gpu", 0.0)
        + amount.memory / GIB * prices.get("memory", 0.0)
    )
    return worth * seconds


def by_day(start: datetime, end: datetime) -> Iterator[tuple[str, float]]:
    """The days (UTC) that a span touches, with its seconds in each."""
    start, end = start.astimezone(UTC), end.astimezone(UTC)
    while start < end:
        midnight = datetime(start.year, start.month, start.day, tzinfo=UTC) + timedelta(days=1)
        stop = min(midnight, end)
        yield f"{start:%Y-%m-%d}", (stop - start).total_seconds()
        start = stop


def month_start(now: float) -> float:
    """The beginning of this month (UTC)."""
    moment = datetime.fromtimestamp(now, UTC)
    return datetime(moment.year, moment.month, 1, tzinfo=UTC).timestamp()


def month_end(now: float) -> float:
    """The beginning of the next one."""
    moment = datetime.fromtimestamp(now, UTC)
    year, month = (moment.year + 1, 1) if moment.month == 12 else (moment.year, moment.month + 1)
    return datetime(year, month, 1, tzinfo=UTC).timestamp()


def first_day(now: datetime, half_life_days: float) -> str:
    """The earliest day that still matters, for the month or for a fair share."""
    begin = min(
        datetime.fromtimestamp(month_start(now.timestamp()), UTC),
        now - timedelta(days=HALF_LIVES * half_life_days),
    )
    return f"{begin:%Y-%m-%d}"


def shares(usage: Iterable[QueueUsage], now: datetime, half_life_days: float) -> dict[str, float]:
    """What each user has used of late: a day counts half after each half-life."""
    found: dict[str, float] = defaultdict(float)
    for day in usage:
        noon = datetime.fromisoformat(day.day).replace(hour=12, tzinfo=UTC)
        age = max(0.0, (now - noon).total_seconds() / 86400)
        amount = Amount(0, 0, day.cpu_seconds, 0, 0)
        worth = (
            billing(amount, 1.0)
            + day.gpu_seconds * _WEIGHTS["gpu"]
            + day.memory_seconds / GIB * _WEIGHTS["memory"]
        )
        found[day.user_name] += worth * 0.5 ** (age / half_life_days)
    return dict(found)


def spent(usage: Iterable[QueueUsage], now: datetime) -> dict[tuple[str, str], tuple[float, float]]:
    """GPU-hours and cost of this month, of each user, group and queue, and of all."""
    month = f"{now.astimezone(UTC):%Y-%m}"
    found: dict[tuple[str, str], list[float]] = defaultdict(lambda: [0.0, 0.0])
    for day in usage:
        if day.day.startswith(month):
            names = (("user", day.user_name), ("group", day.group_name), ("queue", day.queue), ("all", ""))
            for key in names:
                found[key][0] += day.gpu_seconds / 3600
                found[key][1] += day.cost
    return {key: (hours, cost) for key, (hours, cost) in found.items()}
