"""Cron against a brute force that walks through every minute, where clocks change and where they do not."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from jupyter_mlops.cron import ALIASES, Cron, parse_cron
from jupyter_mlops.errors import InvalidInput

MINUTE = timedelta(minutes=1)
CHANGES = [  # a zone and a moment within a day of which its clock changes, or does not
    ("America/New_York", datetime(2026, 3, 8, 7, tzinfo=UTC)),
    ("America/New_York", datetime(2026, 11, 1, 6, tzinfo=UTC)),
    ("Europe/Berlin", datetime(2026, 3, 29, 1, tzinfo=UTC)),
    ("Europe/Berlin", datetime(2026, 10, 25, 1, tzinfo=UTC)),
    ("Europe/London", datetime(2026, 3, 29, 1, tzinfo=UTC)),
    ("Australia/Lord_Howe", datetime(2026, 4, 4, 15, tzinfo=UTC)),  # half an hour
    ("Australia/Lord_Howe", datetime(2026, 10, 3, 15, 30, tzinfo=UTC)),
    ("America/Sao_Paulo", datetime(2018, 11, 4, 3, tzinfo=UTC)),  # no midnight
    ("America/Sao_Paulo", datetime(2018, 2, 18, 2, tzinfo=UTC)),  # two
    ("Africa/Casablanca", datetime(2026, 2, 15, 2, tzinfo=UTC)),
    ("Pacific/Apia", datetime(2011, 12, 30, 10, tzinfo=UTC)),  # no 30 December
    ("Asia/Kathmandu", datetime(2026, 3, 1, tzinfo=UTC)),
    ("UTC", datetime(2026, 2, 28, tzinfo=UTC)),
]
MINUTES = ["*", "*/7", "*/30", "0", "30", "59", "0,30", "15,45", "5-20/5", "10/20"]
HOURS = ["*", "*/2", "*/5", "0", "1", "2", "3", "1,2", "0-3", "2,3", "23", "22-23"]
DAYS = [
    "* * *", "* * 0", "* * SAT,SUN", "* * MON-FRI", "29 * *", "1 * WED", "L * *", "* 3,11 *", "*/2 * SUN", "* * SUN#1",
    "* * SUNL", "LW * *",
]  # fmt: skip


def is_shown(cron: Cron, at: datetime) -> bool:
    is_hour = at.minute in cron.minutes and at.hour in cron.hours
    return is_hour and at.month in cron.months and cron._is_day(at.date())


def brute(cron: Cron, begin: datetime, end: datetime) -> list[datetime]:
    """The fires from `begin` on and before `end`, minute by minute."""
    zone = cron.zone
    if not cron.is_wall:  # elapsed time: whatever looks like it
        every = [begin + MINUTE * i for i in range(int((end - begin) / MINUTE))]
        return [at for at in every if is_shown(cron, at.astimezone(zone))]
    found = set()
    shown = begin.astimezone(zone).replace(tzinfo=None) - timedelta(days=2)
    last = end.astimezone(zone).replace(tzinfo=None) + timedelta(days=2)
    while shown < last:
        if is_shown(cron, shown):
            at = shown.replace(tzinfo=zone).astimezone(UTC)
            if at.astimezone(zone).replace(tzinfo=None) != shown:  # the clock skips it
                at = shown.replace(tzinfo=zone, fold=1).astimezone(UTC)
                while at.astimezone(zone).replace(tzinfo=None) <= shown:
                    at += MINUTE
            found.add(at)
        shown += MINUTE
    return sorted(at for at in found if begin <= at < end)


@settings(max_examples=4 * settings.default.max_examples, deadline=None)
@given(
    st.sampled_from(MINUTES), st.sampled_from(HOURS), st.sampled_from(DAYS), st.sampled_from(CHANGES),
    st.integers(0, 1000),
)  # fmt: skip
@example("*", "23", "* * *", CHANGES[5], 0)  # what cronsim 2.8 loses
@example("0,30", "*/5", "* * 0", CHANGES[7], 0)  # and what it adds
def test_times_are_those_of_a_walk_through_every_minute(
    minute: str, hour: str, days: str, change: tuple[str, datetime], early: int
) -> None:
    zone, at = change
    cron = parse_cron(f"{minute} {hour} {days}", zone)
    begin, end = at - timedelta(hours=20) - MINUTE * early, at + timedelta(hours=30)
    assert list(cron.times(begin - MINUTE, end - MINUTE)) == brute(cron, begin, end)


@given(st.sampled_from(MINUTES), st.sampled_from(HOURS), st.sampled_from(CHANGES), st.integers(-3000, 3000))
def test_after_and_before_are_neighbors(
    minute: str, hour: str, change: tuple[str, datetime], offset: int
) -> None:
    cron = parse_cron(f"{minute} {hour} * * *", change[0])
    moment = change[1] + timedelta(seconds=30 * offset)
    after = cron.after(moment)
    assert after is not None
    assert after > moment
    before = cron.before(after)
    assert before is not None
    assert before <= moment
    assert cron.after(before) == after


@given(
    st.text(max_size=30) | st.from_regex(r"\A[0-9*/,\-L#A-Z ]{0,20}\Z"),
    st.sampled_from(["UTC", "", "x/y"]) | st.text(),
)
def test_any_text_is_a_cron_or_one_error(expression: str, zone: str) -> None:
    with suppress(InvalidInput):
        assert parse_cron(expression, zone).after(datetime(2026, 1, 1, tzinfo=UTC)) is not None


def local(expression: str, zone: str, begin: datetime, count: int) -> list[str]:
    times = islice(parse_cron(expression, zone).times(begin), count)
    return [f"{at.astimezone(ZoneInfo(zone)):%m-%d %H:%M %Z}" for at in times]


def test_a_time_that_the_clock_skips_fires_once_after_the_gap() -> None:
    begin = datetime(2026, 3, 7, 12, tzinfo=UTC)
    assert local("30 2 * * *", "America/New_York", begin, 3) == [
        "03-08 03:00 EDT",
        "03-09 02:30 EDT",
        "03-10 02:30 EDT",
    ]
    assert local("0,30 2 * * *", "America/New_York", begin, 3) == [
        "03-08 03:00 EDT",
        "03-09 02:00 EDT",
        "03-09 02:30 EDT",
    ]


def test_a_time_that_the_clock_shows_twice_fires_the_first_time() -> None:
    begin = datetime(2026, 10, 31, 12, tzinfo=UTC)
    assert local("30 1 * * *", "America/New_York", begin, 2) == ["11-01 01:30 EDT", "11-02 01:30 EST"]


def test_every_half_hour_is_elapsed_time() -> None:
    begin = datetime(2026, 11, 1, 4, 59, tzinfo=UTC)
    assert local("*/30 * * * *", "America/New_York", begin, 5) == [
        "11-01 01:00 EDT", "11-01 01:30 EDT", "11-01 01:00 EST", "11-01 01:30 EST", "11-01 02:00 EST",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("expression", "days"),
    [
        ("0 0 L * *", ["01-31", "02-28", "03-31"]),
        ("0 0 LW * *", ["01-30", "02-27", "03-31"]),
        ("0 0 * * MON#1", ["01-05", "02-02", "03-02"]),
        ("0 0 * * 5L", ["01-30", "02-27", "03-27"]),
        ("0 0 13 * FRI", ["01-02", "01-09", "01-13"]),  # either
        ("0 0 */2 * MON", ["01-05", "01-19", "02-09"]),  # both, as one begins with a star
        ("0 0 * * 7", ["01-04", "01-11", "01-18"]),
        ("0 0 * JAN-FEB SAT-SUN", ["01-03", "01-04", "01-10"]),
        ("0 0 29 2 *", ["02-29", "02-29", "02-29"]),
    ],
)
def test_days(expression: str, days: list[str]) -> None:
    assert [shown[:5] for shown in local(expression, "UTC", datetime(2026, 1, 1, 1, tzinfo=UTC), 3)] == days


@pytest.mark.parametrize("alias", ALIASES)
def test_aliases_stand_for_their_five_fields(alias: str) -> None:
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    assert parse_cron(alias.upper()).after(begin) == parse_cron(ALIASES[alias]).after(begin)


@pytest.mark.parametrize(
    ("expression", "message", "hint"),
    [
        ("@dayly", "'@dayly' is no cron expression", "did you mean '@daily'?"),
        ("* * *", "has five fields, and '* * *' has 3", "minute, hour, day of month, month, day of week"),
        ("* * * * * *", "has five fields", "minute, hour"),
        ("0 25 * * *", "'25' is no hour: it goes from 0 to 23", "for example"),
        ("0 2 * * MNO", "'MNO' is no day of week", "did you mean 'MON'?"),
        ("0 2 1 * MON,TUW", "'TUW' in 'MON,TUW' is no day of week", "did you mean 'TUE'?"),
        ("0 0 30 2 *", "never happens", "no such day"),
        ("0 22-2 * * *", "goes backward", "write 22-23,0-2"),
        ("*/0 * * * *", "no whole number above 0", "for example"),
        ("0 0 * * 6#7", "#7 is none of #1 to #5", "for example"),
        ("0 0 0 * *", "it goes from 1 to 31", "for example"),
        ("٣ * * * *", "is no minute", "for example"),
        (f"{'9' * 5000} * * * *", "is no minute", "for example"),
    ],
)
def test_what_is_wrong_is_told(expression: str, message: str, hint: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_cron(expression)
    assert message in caught.value.message
    assert hint in caught.value.hint


@pytest.mark.parametrize(
    ("zone", "hint"),
    [
        ("Berlin", "'Europe/Berlin'"),
        ("Europe/Belin", "'Europe/Berlin'"),
        ("New York", "'America/New_York'"),
        ("../../etc/passwd", "IANA"),
        ("a\0b", "IANA"),
    ],
)
def test_a_zone_that_is_none_is_told(zone: str, hint: str) -> None:
    with pytest.raises(InvalidInput, match="there is no time zone") as caught:
        parse_cron("@daily", zone)
    assert hint in caught.value.hint
