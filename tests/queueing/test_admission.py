"""Who may start, decided without a catalog: by example, and for whatever queue hypothesis thinks of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_mlops.queueing import Admission, Decision, Going, Limits, Quotas, Waiting
from jupyter_mlops.queueing.amounts import Amount, ask, fits, plus

NOW = 1_795_000_000.0  # a moment in November 2026


def need(cpu: float = 1, gpu: int = 0, tasks: int = 1, memory: int = 0) -> Amount:
    return Amount(1, tasks, cpu, memory, gpu)


def wants(
    run_id: str, user: str = "ana", *, since: float = 0, amount: Amount | None = None, **given: Any
) -> Waiting:
    amount = amount or need()
    given.setdefault("least", amount)
    return Waiting(
        run_id=run_id, user=user, queue=given.pop("queue", "default"), most=amount, since=NOW + since, **given
    )


def goes(
    run_id: str, user: str = "ana", *, since: float = 0, amount: Amount | None = None, **given: Any
) -> Going:
    granted = amount or need()
    return Going(
        run_id=run_id,
        user=user,
        queue=given.pop("queue", "default"),
        granted=granted,
        since=NOW + since,
        **given,
    )


def decide(
    quotas: dict[str, Any], waiting: Iterable[Waiting], going: Iterable[Going] = (), **given: Any
) -> dict[str, Decision]:
    decisions = Admission(Quotas.parse(quotas), going, NOW, **given).decide(waiting)
    return {decision.run_id: decision for decision in decisions}


def verbs(decisions: dict[str, Decision]) -> dict[str, str]:
    return {name: decision.verb for name, decision in decisions.items()}


def test_without_a_limit_all_start() -> None:
    assert verbs(decide({}, [wants("a"), wants("b")])) == {"a": "admit", "b": "admit"}


def test_the_reason_names_who_uses_what() -> None:
    quotas = {"groups": {"research": {"members": ["ana", "ben"], "gpu": 4}}}
    going = [goes("g", "ben", amount=need(gpu=4), since=-48 * 60, seconds=3600)]
    (found,) = decide(quotas, [wants("w", amount=need(gpu=1))], going).values()
    assert found.reason == "waits for 1 gpu: group research uses its 4 of 4 gpus"
    assert found.starts_at == NOW + 12 * 60
    assert found.position == 1


@pytest.mark.parametrize(
    ("quotas", "reason"),
    [
        ({"all": {"cpu": 2}}, "waits for 1 cpu: everybody together use 2 of 2 cpus"),
        ({"queues": {"night": {"runs": 1}}}, "waits for 1 run: queue night uses its 1 of 1 run"),
        ({"users": {"*": {"tasks": 2}}}, "waits for 2 tasks: user ana uses its 1 of 2 tasks"),
        ({"users": {"ana": {"memory": "3Gi"}}}, "waits for 2 GiB: user ana uses its 2 GiB of 3 GiB"),
    ],
    ids=["all", "queue", "user", "memory"],
)
def test_each_kind_of_limit_keeps_waiting(quotas: dict[str, Any], reason: str) -> None:
    going = [goes("g", amount=Amount(1, 1, 2, 2 * 2**30, 0), queue="night")]
    waiting = [wants("w", amount=Amount(1, 2, 1, 2 * 2**30, 0), queue="night")]
    (found,) = decide(quotas, waiting, going).values()
    assert (found.verb, found.reason) == ("wait", reason)


def test_what_can_never_fit_is_rejected_with_the_limit() -> None:
    (found,) = decide({"users": {"*": {"gpu": 2}}}, [wants("w", amount=need(gpu=3))]).values()
    assert found.verb == "reject"
    assert found.reason == "can never run: it needs 3 gpus, and user ana may use 2 gpus"


def test_a_run_of_many_small_tasks_is_granted_what_its_quota_has() -> None:
    run = wants("w", amount=need(cpu=64, tasks=64), least=need())
    assert decide({"users": {"*": {"cpu": 4}}}, [run])["w"].granted == need(cpu=4, tasks=64)


def test_higher_priorities_go_first_and_waiting_makes_up_for_it() -> None:
    one = {"all": {"runs": 1}}
    found = decide(one, [wants("low", since=-60), wants("high", priority=1)])
    assert verbs(found) == {"high": "admit", "low": "wait"}
    found = decide(one, [wants("low", since=-1201), wants("high", priority=1)])
    assert verbs(found) == {"low": "admit", "high": "wait"}


def test_among_equals_who_has_used_least_goes_first() -> None:
    shares = {"ana": 5000.0, "ben": 10.0}
    waiting = [wants("a1", since=-60), wants("a2", since=-50), wants("b1", "ben"), wants("b2", "ben")]
    found = decide({"all": {"runs": 3}}, waiting, shares=shares)
    assert [name for name, each in found.items() if each.verb == "admit"] == ["b1", "b2", "a1"]
    heavy = {"all": {"runs": 3}, "users": {"ana": {"weight": 1000}}}
    assert decide(heavy, waiting, shares=shares)["a2"].verb == "admit"


def test_seats_that_become_free_at_once_are_shared() -> None:
    waiting = [wants(f"a{number}", since=-100) for number in range(9)] + [
        wants("b", "ben"),
        wants("c", "cem"),
    ]
    found = decide({"all": {"runs": 3}}, waiting)
    assert {each.run_id for each in found.values() if each.verb == "admit"} == {"a0", "b", "c"}


def test_a_large_run_is_not_starved_by_small_ones() -> None:
    quotas = {"all": {"cpu": 8}}
    going = [goes("g", "cem", amount=need(cpu=4))]
    found = decide(
        quotas,
        [wants("large", since=-60, amount=need(cpu=8)), wants("small", "ben", amount=need(cpu=1))],
        going,
    )
    assert verbs(found) == {"large": "wait", "small": "wait"}
    assert found["small"].reason == "waits behind run large, for which cpu is kept"


def test_one_that_is_over_in_time_may_pass() -> None:
    going = [goes("g", "cem", amount=need(cpu=4), seconds=3600)]
    large = wants("large", since=-60, amount=need(cpu=8))
    small = [
        wants("short", "ben", seconds=3000.0),
        wants("long", "ben", seconds=4000.0),
        wants("unknown", "ben"),
    ]
    found = decide({"all": {"cpu": 8}}, [large, *small], going)
    assert verbs(found) == {"large": "wait", "short": "admit", "long": "wait", "unknown": "wait"}
    patient = wants("large", since=-3601, amount=need(cpu=8))
    assert decide({"all": {"cpu": 8}}, [patient, *small], going)["short"].verb == "wait"


def test_who_waits_for_his_own_quota_keeps_nobody_else_waiting() -> None:
    quotas = {"all": {"cpu": 4}, "users": {"*": {"runs": 1}}}
    waiting = [wants(f"a{number}", since=-900) for number in range(5)] + [wants("b", "ben")]
    found = decide(quotas, waiting, [goes("g")])
    assert found["b"].verb == "admit"
    assert all(found[f"a{number}"].verb == "wait" for number in range(5))


def test_a_month_that_is_used_up() -> None:
    quotas = {"users": {"ana": {"gpu_hours": 10}}, "all": {"cost": 100}}
    spent = {("user", "ana"): (9.0, 0.0)}
    going = [goes("g", since=-1800, amount=need(gpu=2))]
    found = decide(quotas, [wants("gpu", amount=need(gpu=1)), wants("cpu")], going, spent=spent)
    assert (
        found["gpu"].reason == "waits until 1 December: user ana has used 10.0 of 10.0 gpu hours this month"
    )
    assert found["cpu"].verb == "admit"
    found = decide(quotas, [wants("cpu", "ben")], spent={("all", ""): (0.0, 120.5)})
    assert (
        found["cpu"].reason
        == "waits until 1 December: everybody together has spent 120.50 of 100.00 this month"
    )


def test_preemptible_runs_make_way_for_higher_priorities_only_as_many_as_need_be() -> None:
    quotas = {"all": {"gpu": 4}}
    going = [
        goes("firm", amount=need(gpu=1)),
        goes("old", amount=need(gpu=1), since=-900, is_preemptible=True),
        goes("new", "ben", amount=need(gpu=1), since=-60, is_preemptible=True),
        goes("high", amount=need(gpu=1), priority=9, is_preemptible=True),
    ]
    found = decide(quotas, [wants("w", priority=5, amount=need(gpu=1))], going)["w"]
    assert (found.victims, found.reason) == (("new",), "waits for 1 gpu: new makes way")
    assert decide(quotas, [wants("w", amount=need(gpu=1))], going)["w"].victims == ()
    assert decide(quotas, [wants("w", priority=5, amount=need(gpu=4))], going)["w"].victims == ()
    leaving = [
        going[0],
        going[1],
        goes("new", amount=need(gpu=1), is_preemptible=True, is_leaving=True),
        going[3],
    ]
    again = decide(quotas, [wants("w", priority=5, amount=need(gpu=1))], leaving)["w"]
    assert (again.victims, again.reason) == ((), "waits for 1 gpu: others make way")


def test_a_victim_that_a_larger_one_makes_needless_stays() -> None:
    going = [
        goes("small", amount=need(gpu=1), since=-1, is_preemptible=True),
        goes("large", amount=need(gpu=3), since=-9, is_preemptible=True),
    ]
    assert decide({"all": {"gpu": 4}}, [wants("w", priority=1, amount=need(gpu=3))], going)["w"].victims == (
        "large",
    )


def test_held_and_absent_ones_wait_and_reserve_nothing() -> None:
    waiting = [wants("held", since=-9, is_held=True), wants("gone", since=-8, is_absent=True), wants("here")]
    found = decide({"all": {"runs": 1}}, waiting)
    assert verbs(found) == {"held": "wait", "gone": "wait", "here": "admit"}
    assert found["gone"].reason == "has no process that would drive it"


def test_forecasts_follow_the_line() -> None:
    going = [goes("g", seconds=600)]
    waiting = [wants(f"w{number}", since=number - 9, seconds=600.0) for number in range(3)]
    found = decide({"all": {"runs": 1}}, waiting, going)
    assert [found[f"w{number}"].starts_at for number in range(3)] == [NOW + 600, NOW + 1200, NOW + 1800]
    assert decide({"all": {"runs": 1}}, waiting, [goes("g")])["w0"].starts_at is None


def test_what_a_run_asks_for() -> None:
    one, two = Amount(0, 1, 1, 4, 0), Amount(0, 1, 2, 1, 1)
    least, most = ask([[one], [one, one, two], [two]], 2)
    assert (least, most) == (Amount(1, 1, 2, 4, 1), Amount(1, 2, 3, 8, 1))


# --- whatever the queue -----------------------------------------------------------------------------------

USERS = ["ana", "ben", "cem", "dora"]
AMOUNTS = st.builds(need, cpu=st.sampled_from([0.5, 1, 2, 4]), gpu=st.integers(0, 2), tasks=st.integers(1, 4))
LIMITS = st.fixed_dictionaries(
    {},
    optional={
        "runs": st.integers(1, 4),
        "tasks": st.integers(1, 6),
        "cpu": st.integers(1, 8),
        "gpu": st.integers(0, 3),
    },
)


@st.composite
def quotas_of(draw: st.DrawFn) -> dict[str, Any]:
    group = draw(LIMITS) | {"members": ["ana", "ben"]}
    users = {name: draw(LIMITS) for name in draw(st.lists(st.sampled_from([*USERS, "*"]), unique=True))}
    return {
        "all": draw(LIMITS),
        "users": users,
        "groups": {"research": group},
        "queues": {"night": draw(LIMITS)},
    }


def waiting_of(amounts: st.SearchStrategy[Amount]) -> st.SearchStrategy[list[Waiting]]:
    one = st.builds(
        wants,
        run_id=st.uuids().map(str), user=st.sampled_from(USERS), queue=st.sampled_from(["default", "night"]),
        amount=amounts, least=st.just(need(cpu=0.5)), priority=st.integers(-3, 3), since=st.integers(-9000, 0),
        seconds=st.one_of(st.none(), st.floats(1, 5000)),
    )  # fmt: skip
    return st.lists(one, max_size=25)


def uses(quotas: Quotas, runs: Iterable[tuple[str, str, Amount]]) -> dict[tuple[str, str], Amount]:
    found: dict[tuple[str, str], Amount] = {}
    for user, queue, amount in runs:
        for scope, name, _ in quotas.scopes(user, queue):
            found[scope, name] = plus(found.get((scope, name), Amount()), amount)
    return found


def assert_within(quotas: Quotas, runs: list[tuple[str, str, Amount]]) -> None:
    limits = {
        (scope, name): limit for user, queue, _ in runs for scope, name, limit in quotas.scopes(user, queue)
    }
    for key, used in uses(quotas, runs).items():
        for number, limit in limits[key].at_once():
            assert used[number] <= limit + 1e-6, (key, number, used, limit)


@settings(max_examples=3 * settings.default.max_examples, deadline=None)
@given(quotas_of(), waiting_of(AMOUNTS), st.integers(0, 3))
def test_never_over_quota_each_decided_once_and_the_first_is_never_kept_out(
    given_quotas: dict[str, Any], waiting: list[Waiting], rounds: int
) -> None:
    quotas = Quotas.parse(given_quotas)
    going: list[Going] = []
    by_id = {run.run_id: run for run in waiting}
    for number in range(rounds + 1):
        left = [run for run in waiting if run.run_id not in {each.run_id for each in going}]
        decisions = Admission(quotas, going, NOW + 60 * number).decide(left)
        assert Counter(each.run_id for each in decisions) == Counter(run.run_id for run in left)
        assert all(each.reason for each in decisions if each.verb != "admit")
        for each in decisions:
            if each.verb == "admit":
                run = by_id[each.run_id]
                assert fits(run.least, each.granted)
                assert fits(each.granted, run.most)
                going.append(
                    goes(run.run_id, run.user, queue=run.queue, amount=each.granted, since=60 * number)
                )
        assert_within(quotas, [(run.user, run.queue, run.granted) for run in going])
        first = next((each for each in decisions if each.verb == "wait"), None)
        if first is not None and not going:  # nobody uses anything: whoever can ever run starts
            raise AssertionError(first)


@pytest.mark.parametrize("least_seconds", [None, 60.0, 3000.0], ids=["unknown", "short", "long"])
def test_a_large_run_of_low_priority_has_its_turn(least_seconds: float | None) -> None:
    """Whenever a core becomes free somebody of a higher priority wants it; without aging, reservations and the end
    of patience this would go on for ever."""
    quotas = Quotas.parse({"all": {"cpu": 4}})
    going = {f"g{number}": goes(f"g{number}", "ben", since=-60) for number in range(4)}
    large = wants("large", amount=need(cpu=4), priority=-3)
    left = {"large": large}
    for number in range(60):
        now = NOW + 300 * number
        for each in Admission(quotas, going.values(), now).decide(list(left.values())):
            if each.verb == "admit":
                run = left.pop(each.run_id)
                going[run.run_id] = goes(run.run_id, run.user, since=now - NOW, seconds=run.seconds)
        if "large" in going:
            assert number >= 6  # but first those of the higher priority had theirs
            return
        if going:
            del going[min(going, key=lambda name: going[name].since)]
        for user in USERS:
            name = f"new{number}{user}"
            left[name] = wants(name, user, since=now - NOW, priority=3, seconds=least_seconds)
    raise AssertionError("it never had its turn")


def test_limits_say_what_they_are() -> None:
    assert Limits(cpu=2).to_json() == {"cpu": 2}
    assert not Quotas()
    assert Quotas(everybody=Limits(runs=1))
