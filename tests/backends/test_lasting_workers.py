"""When a worker by SSH is started again, and when its host is given up."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from jupyter_mlops.backends.ssh import RESTARTS, ending, failures_after, pause_before


def _life(restarts: int, lived: list[float]) -> list[float | None]:
    """The pauses after each of these lives, until the host is given up."""
    failures, pauses = 0, list[float | None]()
    for seconds in lived:
        failures = failures_after(failures, seconds)
        pauses.append(pause_before(failures, restarts))
        if pauses[-1] is None:
            break
    return pauses


def test_pauses_double_up_to_a_minute_and_end() -> None:
    assert _life(3, [500.0, 0, 0, 0, 0]) == [1, 2, 4, None]
    pauses = _life(RESTARTS, [500.0] + [0] * 20)
    assert len(pauses) == RESTARTS + 1
    assert pauses[5:-1] == [32, *[60] * 6]
    assert sum(pause or 0 for pause in pauses) > 300  # a machine may start anew meanwhile


def test_a_worker_that_lived_long_begins_the_count_anew() -> None:
    assert _life(2, [500.0, 0, 90.0, 3.0, 90.0, 0, 0]) == [1, 2, 1, 2, 1, 2, None]
    assert _life(2, [2.0, 2.0, 2.0]) == [1, 2, None]  # one that starts and ends at once does not


def test_no_restarts_at_all() -> None:
    assert _life(0, [500.0]) == [None]


@given(st.integers(0, 10_000), st.integers(1, 20_000))
def test_every_pause_is_between_a_second_and_a_minute(restarts: int, failures: int) -> None:
    pause = pause_before(failures, restarts)
    assert (pause is None) == (failures > restarts)
    assert pause is None or 1 <= pause <= 60


def test_how_it_ended_is_told() -> None:
    assert ending(-1, "KILL", "started") == "SIGKILL ended it"
    assert ending(None, "", "started") == "its connection broke"
    assert ending(3, "", "no space left") == "it ended with status 3: no space left"
    assert ending(127, "", "") == "it ended with status 127"
