"""What the supervisor of the local target decides."""

from __future__ import annotations

from typing import Any

import pytest

from jupyter_mlops.targets.local.decide import (
    Load,
    Seen,
    deaths_after,
    pause,
    replicas_for,
    rollout,
    too_large,
)
from jupyter_mlops.targets.local.listening import ports


def seen(name: str = "replica-1", *, alive: bool = True, deaths: int = 0, **said: Any) -> Seen:
    return Seen(name, alive, deaths, said)


def test_the_first_restart_waits_for_nothing_and_later_ones_longer_and_longer() -> None:
    pauses = [pause(deaths) for deaths in range(1, 12)]
    assert pauses[:4] == [0.0, 0.2, 0.4, 0.8]
    assert pauses == sorted(pauses)
    assert pauses[-1] == 10.0


def test_one_that_lived_for_a_while_has_recovered() -> None:
    assert deaths_after(5, lived_seconds=1.0) == 6
    assert deaths_after(5, lived_seconds=60.0) == 1


def after(looks: list[tuple[float, float]], replicas: int) -> Load:
    load = Load()
    for at, in_flight in looks:
        load = load.seen(in_flight, replicas, at)
    return load


def test_one_more_replica_after_some_busy_seconds() -> None:
    busy = [(float(at), 20.0) for at in range(5)]
    assert replicas_for(after(busy[:3], 2), 2, 2, 4, at=2.0) == 2
    assert replicas_for(after(busy, 2), 2, 2, 4, at=4.0) == 3
    assert replicas_for(after(busy, 4), 4, 2, 4, at=4.0) == 4


def test_one_less_after_an_idle_minute() -> None:
    idle = [(float(at), 0.0) for at in range(70)]
    assert replicas_for(after(idle[:30], 3), 3, 2, 4, at=29.0) == 3
    assert replicas_for(after(idle, 3), 3, 2, 4, at=69.0) == 2
    assert replicas_for(after(idle, 2), 2, 2, 4, at=69.0) == 2


def test_a_peak_of_a_moment_changes_nothing() -> None:
    assert replicas_for(after([(0.0, 50.0), (1.0, 0.0), (4.0, 50.0)], 2), 2, 2, 4, at=4.0) == 2


@pytest.mark.parametrize("now", [1, 9])
def test_there_are_never_fewer_or_more_than_allowed(now: int) -> None:
    assert 2 <= replicas_for(Load(), now, 2, 4, at=0.0) <= 4


def test_a_revision_is_served_when_all_that_answer_answer_with_it() -> None:
    new, old = seen(revision=2, state="ready"), seen("replica-2", revision=1, state="loading")
    assert rollout(2, [new, old], 2) == ("waiting", "")
    assert rollout(2, [new, seen("replica-2", revision=2, state="ready")], 2) == ("done", "")
    assert rollout(2, [new], 2) == ("waiting", "")


def test_one_that_died_holds_nothing_up_but_must_come_back() -> None:
    new = [seen(f"replica-{i}", revision=2, state="ready") for i in (1, 2)]
    dead = seen("replica-3", alive=False, revision=1, state="ready")
    assert rollout(2, [*new, dead], 2)[0] == "done"
    assert rollout(2, [new[0], dead], 2)[0] == "waiting"


def test_a_revision_that_one_cannot_load_is_rejected_with_its_words() -> None:
    refused = seen(revision=1, state="ready", message="revision 2: the digest differs")
    assert rollout(2, [refused, seen("replica-2", revision=2, state="ready")], 2) == (
        "rejected",
        "the digest differs",
    )


def test_one_that_has_nothing_to_answer_with_says_that_it_failed() -> None:
    assert rollout(1, [seen(state="failed", message="revision 1: no such folder")], 1) == (
        "rejected",
        "no such folder",
    )
    assert rollout(1, [seen(state="failed")], 1) == ("rejected", "the model cannot be loaded")
    assert rollout(3, [seen(revision=1, state="ready", message="revision 2: …")], 1) == (
        "waiting",
        "",
    )  # old news
    assert rollout(3, [seen(state="failed", message="revision 2: damaged")], 1) == (
        "waiting",
        "",
    )  # it has not read on


def test_a_model_that_kills_its_process_is_rejected() -> None:
    outcome, why = rollout(2, [seen(alive=False, deaths=3)], 1)
    assert outcome == "rejected"
    assert "replica-1 ended 3 times" in why
    assert (
        rollout(2, [seen(deaths=3, revision=2, state="ready")], 1)[0] == "done"
    )  # those were other accidents


def test_who_drains_or_has_not_begun_gets_no_requests() -> None:
    assert not seen(revision=0, state="loading").is_ready
    assert not seen(revision=2, state="draining").is_ready
    assert seen(revision=1, state="loading").is_ready  # with the version that it has


def test_the_port_is_the_one_asked_for_else_the_last_one_else_a_free_one() -> None:
    assert ports(9000, 8104) == [9000]
    assert ports(0, 8104)[:2] == [8104, 8100]
    assert ports(0, 0)[0] == 8100
    assert ports(0, 0)[-1] == 0


def test_who_cannot_load_it_beside_what_it_has_is_outdated_and_not_a_reason_to_refuse() -> None:
    told = "revision 2: the module looks of this version is not the one …; load the version in a process of its own"
    one = Seen("replica-1", True, 0, {"revision": 1, "state": "ready", "message": told})
    assert one.is_ready
    assert one.is_outdated(2)
    assert not one.is_outdated(3)
    assert not Seen("replica-1", True, 0, {"revision": 1, "message": "revision 2: damaged"}).is_outdated(2)
    # a new process that says so has not loaded another one: it is the version's own fault
    assert not Seen("replica-3", True, 0, {"revision": 0, "state": "failed", "message": told}).is_outdated(2)


MIB = 2**20


def held(name: str, mebibytes: int, *, revision: int, first: int) -> Seen:
    return Seen(name, True, 0, {"revision": revision, "state": "ready"}, mebibytes * MIB, first)


def test_a_revision_that_a_new_process_has_no_room_for_is_too_large_and_the_cure_is_enough() -> None:
    small, large = held("replica-1", 90, revision=2, first=2), held("replica-2", 200, revision=2, first=2)
    assert too_large(2, [small, large], 100 * MIB) == (
        "it is too large: with the model loaded, replica-2 holds 200 MiB, and may use 100 MiB",
        "give each replica more memory: 256Mi would do",
    )
    for nothing in (
        too_large(2, [small], 100 * MIB),
        too_large(2, [small, large], 0),
        too_large(3, [large], MIB),
    ):
        assert nothing == ("", "")


@pytest.mark.parametrize("first", [1, -1])
def test_who_held_another_revision_before_is_no_measure_but_a_new_process_is(first: int) -> None:
    one = held("replica-1", 200, revision=2, first=first)
    assert too_large(2, [one], 100 * MIB) == ("", "")
    assert one.is_outdated(2, 100 * MIB)
    assert not one.is_outdated(2, 300 * MIB)
    assert not one.is_outdated(2)
    assert not held("replica-1", 200, revision=1, first=1).is_outdated(2, 100 * MIB)  # it still loads


def test_who_has_not_loaded_it_or_is_gone_is_not_too_large() -> None:
    assert too_large(2, [held("replica-1", 200, revision=0, first=0)], MIB) == ("", "")
    gone = Seen("replica-1", False, 1, {"revision": 2}, 200 * MIB, 2)
    assert too_large(2, [gone], MIB) == ("", "")
