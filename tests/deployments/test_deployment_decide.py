"""What follows from what: traffic, rollbacks, moved aliases, records that are not true any more."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_mlops.catalog import AliasMove, Deployment, DeploymentRevision
from jupyter_mlops.deployments import decide
from jupyter_mlops.errors import Conflict, InvalidInput, NotFound
from jupyter_mlops.targets import Status

AT = datetime(2026, 1, 1, tzinfo=UTC)


def record(**more: Any) -> Deployment:
    given: dict[str, Any] = {
        "name": "late",
        "target": "local",
        "model": "late",
        "state": "running",
        "revision": 3,
    }
    return Deployment(**{**given, "created_at": AT, "updated_at": AT, **more})


def revision(number: int, traffic: dict[str, float] | None = None, **more: Any) -> DeploymentRevision:
    return DeploymentRevision(
        name="late", revision=number, traffic=traffic or {str(number): 1.0}, created_at=AT, **more
    )


# --- traffic ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ({3: 1}, {3: 1.0}),
        ({"3": "90%", "4": "10%"}, {3: 0.9, 4: 0.1}),
        ({4: 0.25, 3: "0.75", 2: 0}, {3: 0.75, 4: 0.25}),
        ({1: 1 / 3, 2: 1 / 3, 3: 1 / 3}, {1: 1 / 3, 2: 1 / 3, 3: 1 / 3}),
    ],
)
def test_traffic_is_read(given: Any, read: dict[int, float]) -> None:
    assert decide.check_traffic(given) == read


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({}, "sum to 0, not to 1"),
        ({3: 0.9}, "sum to 0.9, not to 1"),
        ({3: 0.9, 4: 0.2}, "sum to 1.1, not to 1"),
        ({"champion": 1}, "'champion' is no version"),
        ({0: 1}, "0 is no version"),
        ({3: "much"}, "'much' is no share"),
        ({3: -0.5, 4: 1.5}, "is no share"),
        ({3: float("nan")}, "is no share"),
        ({3: True}, "is no share"),
        ({3: "110%"}, "is no share"),
    ],
)
def test_wrong_traffic_is_refused(given: Any, says: str) -> None:
    with pytest.raises(InvalidInput, match=says):
        decide.check_traffic(given)


@given(st.dictionaries(st.integers(1, 50), st.integers(1, 1000), min_size=1, max_size=12))
def test_shares_that_were_divided_always_sum_to_one(parts: dict[int, int]) -> None:
    total = sum(parts.values())
    shares = decide.check_traffic({version: part / total for version, part in parts.items()})
    assert shares.keys() == parts.keys()


def test_a_shadow_is_not_heard_so_it_cannot_answer_too() -> None:
    assert decide.check_shadow({"4": "100%"}, {3: 1.0}) == {4: 1.0}
    with pytest.raises(InvalidInput, match="cannot be a shadow too"):
        decide.check_shadow({3: 0.5}, {3: 1.0})


@pytest.mark.parametrize(
    ("given", "read"),
    [(3, (3, 3)), ("2:4", (2, 4)), ("2-4", (2, 4)), ("2", (2, 2)), ((1, 8), (1, 8)), ([1, 8], (1, 8))],
)
def test_replicas_are_read(given: Any, read: tuple[int, int]) -> None:
    assert decide.check_replicas(given) == read


@pytest.mark.parametrize("given", ["many", "4:2", (1, 2, 3), True, -1, None, "1:"])
def test_wrong_replicas_are_refused(given: Any) -> None:
    if given == "1:":
        assert decide.check_replicas(given) == (1, 1)
        return
    with pytest.raises(InvalidInput, match="no number of replicas"):
        decide.check_replicas(given)


# --- rollback ---------------------------------------------------------------------------------------------


def test_a_rollback_goes_to_the_last_one_that_was_different_and_came_up() -> None:
    history = [
        revision(1, {"1": 1.0}),
        revision(2, {"2": 1.0}, reason="failed: deploy"),
        revision(3, {"3": 1.0}),
        revision(4, {"3": 1.0}),
    ]
    assert decide.revision_to_return_to(record(revision=4), history, None).revision == 1


def test_two_rollbacks_go_forth_and_back() -> None:
    history = [
        revision(1, {"1": 1.0}),
        revision(2, {"2": 1.0}),
        revision(3, {"1": 1.0}, reason="rollback to 1"),
    ]
    assert decide.revision_to_return_to(record(revision=3), history, None).revision == 2


def test_a_rollback_to_a_certain_one() -> None:
    history = [revision(1), revision(2, reason="failed: deploy"), revision(3)]
    assert decide.revision_to_return_to(record(), history, 1).revision == 1
    with pytest.raises(Conflict, match="never came up"):
        decide.revision_to_return_to(record(), history, 2)
    with pytest.raises(Conflict, match="at revision 3 already"):
        decide.revision_to_return_to(record(), history, 3)
    with pytest.raises(NotFound, match="no revision 9") as caught:
        decide.revision_to_return_to(record(), history, 9)
    assert caught.value.hint == "there are 1, 2, 3"
    assert decide.revision_to_return_to(record(state="failed"), history, 3).revision == 3


def test_without_a_past_there_is_nothing_to_return_to() -> None:
    with pytest.raises(NotFound, match="no earlier revision"):
        decide.revision_to_return_to(record(revision=1), [revision(1)], None)


# --- aliases ----------------------------------------------------------------------------------------------


def move(seq: int, new: int | None) -> AliasMove:
    return AliasMove(seq=seq, name="late", alias="champion", new_version=new, at=AT)


def test_a_move_is_followed_once() -> None:
    moves = [move(8, 3), move(5, 2)]
    followed = decide.alias_move_to_follow(record(alias="champion", options={"alias_seq": 5}), moves)
    assert followed == moves[0]
    assert decide.alias_move_to_follow(record(alias="champion", options={"alias_seq": 8}), moves) is None


@pytest.mark.parametrize(
    ("known", "moves"),
    [
        ({"alias": ""}, [move(8, 3)]),
        ({"alias": "champion", "state": "stopped"}, [move(8, 3)]),
        ({"alias": "champion", "state": "removed"}, [move(8, 3)]),
        ({"alias": "champion"}, []),
        ({"alias": "champion"}, [move(8, None)]),  # taken away: what answers goes on answering
    ],
)
def test_there_is_nothing_to_follow(known: dict[str, Any], moves: list[AliasMove]) -> None:
    assert decide.alias_move_to_follow(record(**known), moves) is None


# --- records ----------------------------------------------------------------------------------------------


def mended(known: Deployment, live: Status, *, busy: bool = False) -> dict[str, Any]:
    return decide.mended(known, live, is_being_deployed=busy)


def test_a_record_that_is_true_is_left_alone() -> None:
    assert mended(record(url="u"), Status(state="running", url="u", revision=3)) == {}


def test_what_the_target_says_counts() -> None:
    live = Status(state="degraded", url="u", revision=3, message="replica-1 does not answer")
    assert mended(record(url="u"), live) == {"state": "degraded", "message": "replica-1 does not answer"}


def test_what_went_wrong_last_is_told_until_something_changes() -> None:
    told = record(url="u", message="revision 4 does not come up")
    assert mended(told, Status(state="running", url="u", revision=3)) == {}
    assert mended(told, Status(state="degraded", url="u", revision=3)) == {"state": "degraded", "message": ""}


def test_what_is_gone_has_failed_and_says_how_to_mend_it() -> None:
    found = mended(record(url="u"), Status(state="removed"))
    assert (found["state"], found["url"]) == ("failed", "")
    assert "deploy it again" in found["message"]


def test_a_rollout_that_goes_on_is_nobody_elses_business() -> None:
    assert mended(record(state="deploying"), Status(state="running", revision=2), busy=True) == {}


def test_a_rollout_that_was_cut_off_before_the_deed() -> None:
    found = mended(record(state="deploying"), Status(state="running", url="u", revision=2))
    assert (found["state"], found["revision"]) == ("running", 2)
    assert found["message"] == "the rollout of revision 3 was cut off: deploy it again"


def test_a_rollout_that_was_cut_off_after_the_deed_is_done() -> None:
    found = mended(
        record(state="deploying", message="by process 7"), Status(state="running", url="u", revision=3)
    )
    assert found == {"state": "running", "url": "u", "message": ""}


def test_a_first_rollout_that_was_cut_off_has_failed() -> None:
    found = mended(record(state="deploying", revision=1), Status(state="removed"))
    assert found["state"] == "failed"
    assert "cut off" in found["message"]


def test_a_name_stays_where_it_is_and_serves_one_model() -> None:
    decide.check_same(record(), "local", "late")
    decide.check_same(record(state="removed"), "sagemaker", "early")
    with pytest.raises(Conflict, match="deployed on local"):
        decide.check_same(record(), "sagemaker", "late")
    with pytest.raises(Conflict, match="serves the model 'late'"):
        decide.check_same(record(), "local", "early")
