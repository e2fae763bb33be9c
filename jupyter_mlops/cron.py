"""Cron: five fields and an IANA zone → the moments at which something fires. Pure.

The rules are Debian's. Day of month and day of week both count if one of them begins with ``*``, else either
will do. Where neither minute nor hour begins with ``*`` the expression means times on the clock: one that the
clock skips fires at the first moment after the gap, one that the clock shows twice fires the first time only.
All others (``*/15 * * * *``, ``0 * * * *``) mean elapsed time: every moment that looks like it, no other.

It is our own since the libraries differ from that on the days when clocks change: cronsim, the best of those
measured, loses a day's fires where a clock moves by half an hour, and fires that exist where midnight is skipped.
"""

from __future__ import annotations

import calendar
import re
import zoneinfo
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache

from .errors import InvalidInput, did_you_mean

ALIASES: Mapping[str, str] = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_WHOLE = re.compile("[0-9]{1,4}")
_MINUTE, _DAY = timedelta(minutes=1), timedelta(days=1)
_FURTHEST_DAYS = 366 * 41  # a 29 February that must be a Sunday comes every 28 years, around 2100 after 40
_LONGEST_GAP = 2 * 24 * 60  # minutes; Samoa skipped a day in 2011
_LAST, _LAST_WEEKDAY = 32, 33  # among the days of a month: the last one, the last one from Monday to Friday
# Among the days of a week: 8–47 is the nth one (day + 8 * n), 48–55 the last one of the month (day + 48).
_NTH, _LAST_OF = 8, 48


@dataclass(frozen=True, slots=True)
class _Part:
    """One of the five fields: what it may hold."""

    name: str
    least: int
    most: int
    words: tuple[str, ...] = ()
    example: str = ""


_PARTS = (
    _Part("minute", 0, 59, example="0, 30 or */15"),
    _Part("hour", 0, 23, example="2, 8-18 or */6"),
    _Part("day of month", 1, 31, example="1, 1,15, L (the last) or LW (the last workday)"),
    _Part("month", 1, 12, _MONTHS, "1, JAN or JAN-MAR"),
    _Part("day of week", 0, 7, _DAYS, "MON, MON-FRI, MON#1 (the first) or FRIL (the last)"),
)


@dataclass(frozen=True, slots=True)
class Cron:
    """When something fires. Made by `parse_cron`; moments are aware, and those that come out are in UTC."""

    expression: str
    timezone: str
    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    is_both: bool  # both kinds of day must match
    is_wall: bool  # times on the clock, not elapsed time

    @property
    def zone(self) -> zoneinfo.ZoneInfo:
        """Whose clock it is."""
        return zoneinfo.ZoneInfo(self.timezone)

    def after(self, moment: datetime) -> datetime | None:
        """The first fire after `moment`; None if there is none for decades."""
        return next(self.times(moment), None)

    def times(self, after: datetime, until: datetime | None = None) -> Iterator[datetime]:
        """Every fire after `after`, in order, none later than `until`."""
        last = after.astimezone(UTC)
        day = after.astimezone(self.zone).date() - _DAY
        stop = day + timedelta(days=_FURTHEST_DAYS)
        while day < stop:
            if day.month not in self.months:
                day = (day.replace(day=1) + timedelta(days=32)).replace(day=1)
                continue
            if self._is_day(day):
                for moment in _fires(self, day):
                    if until is not None and moment > until:
                        return
                    if moment > last:
                        yield moment
                        last = moment
                        stop = day + timedelta(days=_FURTHEST_DAYS)
            elif until is not None and day > until.astimezone(self.zone).date():
                return
            day += _DAY

    def before(self, moment: datetime) -> datetime | None:
        """The last fire before `moment`; None if there was none for decades."""
        for days in (1, 9, 40, 400, 366 * 9, _FURTHEST_DAYS):
            times = self.times(moment - timedelta(days=days), moment - timedelta(microseconds=1))
            if found := deque(times, maxlen=1):
                return found[0]
        return None

    def _is_day(self, day: date) -> bool:
        of_month, of_week = self._is_day_of_month(day), self._is_day_of_week(day)
        return (of_month and of_week) if self.is_both else (of_month or of_week)

    def _is_day_of_month(self, day: date) -> bool:
        if day.day in self.days:
            return True
        if day.day < 26 or max(self.days) < _LAST:
            return False
        last = calendar.monthrange(day.year, day.month)[1]
        workday = last - max(0, date(day.year, day.month, last).isoweekday() - 5)
        return (_LAST in self.days and day.day == last) or (_LAST_WEEKDAY in self.days and day.day == workday)

    def _is_day_of_week(self, day: date) -> bool:
        weekday = day.isoweekday() % 7
        if weekday in self.weekdays or weekday + _NTH * ((day.day + 6) // 7) in self.weekdays:
            return True
        is_last = day.day + 7 > calendar.monthrange(day.year, day.month)[1]
        return is_last and weekday + _LAST_OF in self.weekdays


def parse_cron(expression: str, timezone: str = "UTC") -> Cron:
    """The cron that is written so. Raises `InvalidInput`, which says what is wrong with which field."""
    text = " ".join(expression.split())
    if text.startswith("@") and text.lower() not in ALIASES:
        hint = did_you_mean(text.lower(), ALIASES)
        raise InvalidInput(f"{text!r} is no cron expression", hint=hint or f"known: {', '.join(ALIASES)}")
    fields = ALIASES.get(text.lower(), text).upper().split()
    if len(fields) != 5:
        raise InvalidInput(
            f"a cron expression has five fields, and {expression!r} has {len(fields)}",
            hint="minute, hour, day of month, month, day of week: 30 2 * * MON-FRI",
        )
    _check_zone(timezone)
    minutes, hours, days, months, weekdays = (
        _parse(field, part) for field, part in zip(fields, _PARTS, strict=True)
    )
    cron = Cron(
        expression=text, timezone=timezone, minutes=minutes, hours=hours, days=days, months=months,
        weekdays=weekdays,
        is_both=fields[2].startswith("*") or fields[4].startswith("*"),
        is_wall=not fields[0].startswith("*") and not fields[1].startswith("*"),
    )  # fmt: skip
    if cron.after(datetime(2000, 1, 1, tzinfo=UTC)) is None:
        raise InvalidInput(f"{expression!r} never happens", hint="there is no such day in that month")
    return cron


def _check_zone(timezone: str) -> None:
    try:
        zoneinfo.ZoneInfo(timezone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        known = zoneinfo.available_timezones()
        near = did_you_mean(timezone.replace(" ", "_"), known)
        ends = {name.rpartition("/")[2].lower(): name for name in sorted(known)}
        found = ends.get(timezone.replace(" ", "_").lower())
        hint = f"did you mean {found!r}?" if found else near or "write an IANA zone, such as Europe/Berlin"
        raise InvalidInput(f"there is no time zone {timezone!r}", hint=hint) from None


def _parse(field: str, part: _Part) -> frozenset[int]:
    return frozenset().union(*(_parse_term(term, field, part) for term in field.split(",")))


def _parse_term(term: str, field: str, part: _Part) -> frozenset[int]:
    head, slash, step_text = term.partition("/")
    step = 1
    if slash:
        if not _WHOLE.fullmatch(step_text) or int(step_text) == 0:
            raise _wrong(term, field, part, f"the step {step_text!r} is no whole number above 0")
        step = int(step_text)
    if part.name == "day of month" and head in ("L", "LW"):
        return frozenset({_LAST if head == "L" else _LAST_WEEKDAY})
    if part.name == "day of week" and ("#" in head or (len(head) > 1 and head.endswith("L"))):
        return frozenset({_parse_nth(head, field, part)})
    top = 6 if part.name == "day of week" else part.most
    if head == "*":
        first, last = part.least, top
    elif "-" in head:
        low, _, high = head.partition("-")
        first, last = _number(low, field, part), _number(high, field, part)
        if part.name == "day of week" and last == 0 and first > 0:
            last = 7  # FRI-SUN
        if first > last:
            cure = f"write {low}-{top},{part.least}-{high}"
            raise _wrong(term, field, part, f"the range {head} goes backward", cure)
    else:
        first = _number(head, field, part)
        last = top if slash else first
    numbers = range(first, last + 1, step)
    return frozenset(number % 7 for number in numbers) if part.name == "day of week" else frozenset(numbers)


def _parse_nth(head: str, field: str, part: _Part) -> int:
    if head.endswith("L"):
        return _number(head[:-1], field, part) % 7 + _LAST_OF
    day, _, nth = head.partition("#")
    if nth not in ("1", "2", "3", "4", "5"):
        raise _wrong(head, field, part, f"#{nth} is none of #1 to #5")
    return _number(day, field, part) % 7 + _NTH * int(nth)


def _number(text: str, field: str, part: _Part) -> int:
    if text in part.words:
        return part.words.index(text) + part.least
    if not _WHOLE.fullmatch(text):
        near = did_you_mean(text[:3], part.words) if part.words and len(text) > 1 else ""
        raise _wrong(text, field, part, "", near if near.startswith("did") else "")
    if not part.least <= int(text) <= part.most:
        raise _wrong(text, field, part, f"it goes from {part.least} to {part.most}")
    return int(text)


def _wrong(term: str, field: str, part: _Part, why: str, hint: str = "") -> InvalidInput:
    inside = f" in {field!r}" if field != term else ""
    told = f": {why}" if why else ""
    return InvalidInput(
        f"{term!r}{inside} is no {part.name}{told}", hint=hint or f"for example {part.example}"
    )


@lru_cache(maxsize=1024)
def _fires(cron: Cron, day: date) -> tuple[datetime, ...]:
    """The fires of one day on the clock, in UTC and in order."""
    zone = cron.zone
    midnight = datetime.combine(day, time())
    shown = [
        midnight.replace(hour=hour, minute=minute)
        for hour in sorted(cron.hours)
        for minute in sorted(cron.minutes)
    ]
    early, late = (midnight + timedelta(hours=hours) for hours in (-27, 51))
    offset = early.replace(tzinfo=zone).utcoffset()
    assert offset is not None  # noqa: S101 - a ZoneInfo has one
    if offset == late.replace(tzinfo=zone).utcoffset():  # nothing changes near this day
        return tuple((moment - offset).replace(tzinfo=UTC) for moment in shown)
    if cron.is_wall:
        return tuple(sorted({_on_clock(moment, zone) for moment in shown}))
    both = {
        moment.replace(tzinfo=zone, fold=fold).astimezone(UTC)
        for moment in shown
        for fold in (0, 1)
        if _exists(moment, zone)
    }
    return tuple(sorted(both))


def _exists(moment: datetime, zone: zoneinfo.ZoneInfo) -> bool:
    aware = moment.replace(tzinfo=zone)
    return aware.astimezone(UTC).astimezone(zone).replace(tzinfo=None) == moment


def _on_clock(moment: datetime, zone: zoneinfo.ZoneInfo) -> datetime:
    """When the clock shows `moment` for the first time, or the end of the gap that it falls into."""
    if _exists(moment, zone):
        return moment.replace(tzinfo=zone).astimezone(UTC)
    at = moment.replace(tzinfo=zone, fold=1).astimezone(UTC)  # by the later offset: before the change
    for _ in range(_LONGEST_GAP):
        if at.astimezone(zone).replace(tzinfo=None) > moment:
            break
        at += _MINUTE
    return at
