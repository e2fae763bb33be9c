"""How often a pipeline runs in a month: by its schedules, or as it was seen to. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import islice

from ..cron import parse_cron

_YEAR = timedelta(days=365)
_MANY = 2000  # fires that are counted one by one


def fires_a_month(cron: str, timezone: str, now: datetime) -> float:
    """How often an expression fires a month, on average over the year to come. Raises `InvalidInput`."""
    fires = list(islice(parse_cron(cron, timezone).times(now, now + _YEAR), _MANY + 1))
    if len(fires) <= _MANY:
        return len(fires) / 12
    first, last = fires[0], fires[-1]  # so often that these few tell enough
    return _MANY * (_YEAR / (last - first)) / 12


def seen_a_month(started: Iterable[datetime], now: datetime, *, days: float = 30.0) -> float:
    """How often runs were started in the last days, as a number a month."""
    since = now - timedelta(days=days)
    return sum(1 for moment in started if since <= moment <= now) * (365 / 12) / days


def runs_a_month(
    schedules: Sequence[tuple[str, str]], started: Iterable[datetime], now: datetime
) -> tuple[float, str]:
    """The number, and what it is by: schedules of (cron, zone), else the runs of the last month."""
    if schedules:
        return sum(fires_a_month(cron, zone, now) for cron, zone in schedules), "its schedules"
    return seen_a_month(started, now), "its runs of the last 30 days"
