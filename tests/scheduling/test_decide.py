"""What a schedule is due for, without clock or catalog."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from jupyter_mlops.pipelines import ScheduleSpec
from jupyter_mlops.scheduling import decide
from jupyter_mlops.scheduling.decide import Missed, due, first_fire

HOURLY = "0 * * * *"
NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def spec(**changes: object) -> ScheduleSpec:
    return ScheduleSpec(**{"cron": HOURLY, **changes})  # type: ignore[arg-type]


def test_a_fire_on_time_runs_whatever_is_caught_up() -> None:
    for catch_up in ("none", "last", "all"):
        found = due("s", spec(catch_up=catch_up), NOON, NOON + timedelta(seconds=59))
        assert found.steps == (NOON,)
        assert found.next_at == found.due_at == NOON + HOUR


def test_before_its_time_nothing_is_due() -> None:
    found = due("s", spec(), NOON, NOON - timedelta(seconds=1))
    assert found.steps == ()
    assert found.next_at == NOON


def test_of_late_ones_none_the_last_or_all_run() -> None:
    late = NOON + 3 * HOUR + timedelta(minutes=30)
    assert due("s", spec(catch_up="none"), NOON, late).steps == (Missed(NOON, NOON + 3 * HOUR, 4),)
    assert due("s", spec(catch_up="last"), NOON, late).steps == (
        Missed(NOON, NOON + 2 * HOUR, 3),
        NOON + 3 * HOUR,
    )
    assert due("s", spec(catch_up="all"), NOON, late).steps == tuple(NOON + i * HOUR for i in range(4))


def test_one_that_is_on_time_runs_beside_the_missed_ones() -> None:
    found = due("s", spec(catch_up="none"), NOON, NOON + 2 * HOUR + timedelta(seconds=5))
    assert found.steps == (Missed(NOON, NOON + HOUR, 2), NOON + 2 * HOUR)


def test_after_its_end_there_is_no_next_one() -> None:
    found = due("s", spec(end="2026-05-04T13:00"), NOON, NOON)
    assert found.steps == (NOON,)
    assert found.next_at is None
    assert found.due_at is None


def test_what_was_missed_for_a_year_is_decided_in_steps() -> None:
    minutely = spec(cron="* * * * *")
    now, next_at, count, runs = NOON + timedelta(days=30), NOON, 0, []
    for _ in range(10):
        found = due("s", minutely, next_at, now)
        count += sum(step.count for step in found.steps if isinstance(step, Missed))
        runs += [step for step in found.steps if isinstance(step, datetime)]
        assert found.next_at is not None
        next_at = found.next_at
    assert runs == [now - timedelta(minutes=1), now]  # at most a minute late
    assert count == 30 * 24 * 60 - 1


def test_a_start_in_the_past_is_caught_up_unless_nothing_is() -> None:
    past = spec(start="2026-05-04T00:00")
    assert first_fire(past, NOON) == datetime(2026, 5, 4, tzinfo=UTC)
    assert first_fire(spec(start="2026-05-04T00:00", catch_up="none"), NOON) == NOON + HOUR
    assert first_fire(spec(), NOON) == NOON + HOUR
    assert first_fire(spec(start="2027-01-01"), NOON) == datetime(2027, 1, 1, tzinfo=UTC)
    assert first_fire(spec(end="2026-01-01"), NOON) is None


@given(st.floats(0, 86400), st.integers(0, 10_000))
def test_jitter_is_a_delay_that_is_always_the_same(seconds: float, hours: int) -> None:
    jittery, at = spec(jitter_seconds=seconds), NOON + hours * HOUR
    found = decide.jittered("s", jittery, at)
    assert timedelta() <= found - at <= timedelta(seconds=seconds)
    assert found == decide.jittered("s", jittery, at)


def test_jitter_differs_from_fire_to_fire() -> None:
    jittery = spec(jitter_seconds=600)
    assert len({decide.jittered("s", jittery, NOON + i * HOUR) - (NOON + i * HOUR) for i in range(20)}) == 20


@given(
    st.sampled_from(["none", "last", "all"]), st.sampled_from([0.0, 90.0, 5000.0]),
    st.lists(st.integers(1, 50_000), min_size=1, max_size=20),
)  # fmt: skip
def test_every_fire_is_decided_on_once_and_in_order(catch_up: str, jitter: float, waits: list[int]) -> None:
    tested = spec(cron="*/20 * * * *", catch_up=catch_up, jitter_seconds=jitter)
    now, next_at = NOON, NOON
    decided: list[datetime] = []
    for wait in waits:
        now += timedelta(seconds=wait)
        while True:
            found = due("s", tested, next_at, now)
            for step in found.steps:
                if isinstance(step, Missed):
                    times = list(tested.parsed().times(step.first_at - HOUR / 60, step.last_at))
                    assert len(times) == step.count
                    decided += times
                else:
                    decided.append(step)
            assert found.next_at is not None
            next_at = found.next_at
            if not found.steps:
                break
    expected = []
    for at in decide.fires(tested, NOON - timedelta(seconds=1)):
        if at >= next_at:
            break
        expected.append(at)
    assert decided == expected
    assert decide.jittered("s", tested, next_at) > now
