"""The catalog, on SQLite and on PostgreSQL: whatever is asserted here holds for both."""

from __future__ import annotations

import dataclasses
import math
import threading
from contextlib import suppress
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jupyter_mlops.catalog import (
    RECORDS,
    Artifact,
    CacheEntry,
    Catalog,
    RegisteredModel,
    Run,
    RunEvent,
    TaskRun,
)
from jupyter_mlops.errors import Conflict, InvalidInput, NotFound

NOON = datetime(2026, 3, 29, 12, 0, 0, 123456, tzinfo=UTC)


def run(run_id: str = "r1", **fields: Any) -> Run:
    return Run(
        **{"run_id": run_id, "pipeline": "flights", "plan": {"tasks": []}, "created_at": NOON, **fields}
    )


def event(run_id: str = "r1", **body: Any) -> RunEvent:
    return RunEvent(run_id=run_id, kind="RunStarted", at=NOON, body=body)


def test_what_was_added_comes_back_equal(catalog: Catalog) -> None:
    kept = run(arguments={"week": 20, "nested": [1, {"a": None}]}, started_at=NOON, is_cancel_requested=True)
    catalog.add(kept)
    assert catalog.get(Run, "r1") == kept


def test_moments_come_back_in_utc_whatever_their_zone(catalog: Catalog) -> None:
    there = datetime(2026, 7, 1, 23, 59, 59, 999999, tzinfo=timezone(timedelta(hours=-5)))
    catalog.add(run(created_at=there))
    got = catalog.get(Run, "r1").created_at
    assert got == there
    assert got.tzinfo is UTC


def test_a_naive_moment_is_refused(catalog: Catalog) -> None:
    with pytest.raises(InvalidInput, match="aware"):
        catalog.add(run(created_at=datetime(2026, 1, 1)))  # noqa: DTZ001


def test_the_same_key_twice_is_a_conflict_and_keeps_the_first(catalog: Catalog) -> None:
    catalog.add(run(message="first"))
    with pytest.raises(Conflict, match="already"):
        catalog.add(run(message="second"))
    assert catalog.get(Run, "r1").message == "first"


def test_an_add_of_several_is_all_or_nothing(catalog: Catalog) -> None:
    catalog.add(run("r2"))
    with pytest.raises(Conflict):
        catalog.add(run("r1"), TaskRun(run_id="r1", task="a", name="a"), run("r2"))
    assert catalog.count(Run) == 1
    assert catalog.count(TaskRun) == 0


def test_put_replaces_every_field(catalog: Catalog) -> None:
    catalog.put(TaskRun(run_id="r1", task="a", name="a", state="running", worker="w1"))
    catalog.put(
        TaskRun(run_id="r1", task="a", name="a", state="failed"), TaskRun(run_id="r1", task="b", name="b")
    )
    assert catalog.get(TaskRun, "r1", "a") == TaskRun(run_id="r1", task="a", name="a", state="failed")
    assert catalog.count(TaskRun) == 2


def test_events_are_numbered_in_the_order_in_which_they_were_added(catalog: Catalog) -> None:
    catalog.add(event(n=0), event(n=1), event("r2", n=9))
    catalog.add(event(n=2))
    found = catalog.find(RunEvent, where={"run_id": "r1"})
    assert [one.body["n"] for one in found] == [0, 1, 2]
    assert [one.seq for one in found] == sorted({one.seq for one in found})
    assert catalog.find(RunEvent, where={"run_id": "r1", "seq": (">", found[1].seq)}) == found[2:]


def test_the_number_of_a_deleted_event_is_not_given_again(catalog: Catalog) -> None:
    catalog.add(event())
    (first,) = catalog.find(RunEvent)
    catalog.delete(RunEvent, {"seq": first.seq})
    catalog.add(event())
    assert catalog.find(RunEvent)[0].seq > first.seq


def test_a_wrong_name_is_told_with_the_nearest_one(catalog: Catalog) -> None:
    catalog.add(
        TaskRun(run_id="r1", task="train", name="train"), TaskRun(run_id="r2", task="trian", name="trian")
    )
    with pytest.raises(NotFound, match=r"no task run \('r1', 'trian'\)") as caught:
        catalog.get(TaskRun, "r1", "trian")
    assert caught.value.hint == "did you mean 'train'?"


def test_filters_choose_by_value_list_none_and_operator(catalog: Catalog) -> None:
    for number, state in enumerate(["queued", "running", "failed", "failed"]):
        catalog.add(
            run(
                f"r{number}",
                state=state,
                created_at=NOON + timedelta(hours=number),
                finished_at=NOON if state == "failed" else None,
            )
        )

    def ids(**where: Any) -> list[str]:
        return [one.run_id for one in catalog.find(Run, where=where, order_by="run_id")]

    assert ids(state="failed") == ["r2", "r3"]
    assert ids(state=["queued", "running"]) == ["r0", "r1"]
    assert ids(state={"queued"}) == ["r0"]
    assert ids(state=[]) == []
    assert ids(state=("not in", ["failed"])) == ["r0", "r1"]
    assert ids(finished_at=None) == ["r0", "r1"]
    assert ids(finished_at=("!=", None)) == ["r2", "r3"]
    assert ids(finished_at=("!=", NOON)) == ["r0", "r1"]
    assert ids(created_at=(">", NOON + timedelta(hours=1)), state="failed") == ["r2", "r3"]
    assert ids(created_at=("<=", NOON)) == ["r0"]
    assert ids(run_id=("prefix", "r")) == ["r0", "r1", "r2", "r3"]
    assert ids(is_cancel_requested=False) == ["r0", "r1", "r2", "r3"]
    assert catalog.count(Run, where={"state": "failed"}) == 2


def test_a_prefix_is_taken_literally(catalog: Catalog) -> None:
    catalog.add(run("a%b"), run("axb"), run("a_c"), run("A%b"))
    assert [one.run_id for one in catalog.find(Run, where={"run_id": ("prefix", "a%")})] == ["a%b"]
    assert [one.run_id for one in catalog.find(Run, where={"run_id": ("prefix", "a_")})] == ["a_c"]


def test_order_and_pages_are_certain_even_where_moments_are_equal(catalog: Catalog) -> None:
    catalog.add(
        *(run(f"r{number}") for number in range(7)), run("late", created_at=NOON + timedelta(seconds=1))
    )
    everything = [one.run_id for one in catalog.find(Run)]
    pages = [one.run_id for at in range(0, 8, 3) for one in catalog.find(Run, limit=3, offset=at)]
    assert everything == pages == ["late", "r6", "r5", "r4", "r3", "r2", "r1", "r0"]
    assert [one.run_id for one in catalog.find(Run, offset=6)] == ["r1", "r0"]
    assert [one.run_id for one in catalog.find(Run, order_by=("state", "-run_id"), limit=2)] == ["r6", "r5"]


def test_task_runs_come_in_topological_order(catalog: Catalog) -> None:
    catalog.add(*(TaskRun(run_id="r1", task=name, name=name, position=at) for at, name in enumerate("cab")))
    assert [one.task for one in catalog.find(TaskRun, where={"run_id": "r1"})] == ["c", "a", "b"]


def test_an_omitted_field_is_not_read(catalog: Catalog) -> None:
    catalog.add(run(plan={"tasks": ["long"]}, arguments={"week": 1}))
    (found,) = catalog.find(Run, omit=("plan",))
    assert found.plan == {}
    assert found.arguments == {"week": 1}
    with pytest.raises(InvalidInput, match="JSON"):
        catalog.find(Run, omit=("state",))


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ({"stat": "failed"}, "no field 'stat'"),
        ({"state": ("~", "x")}, "no condition for state"),
        ({"plan": {}}, "JSON"),
        ({"run_id": list(map(str, range(30_001)))}, "too many"),
    ],
)
def test_a_filter_that_cannot_be_is_told(catalog: Catalog, where: Any, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        catalog.find(Run, where=where)


def test_update_says_whether_there_was_anything(catalog: Catalog) -> None:
    catalog.add(TaskRun(run_id="r1", task="a", name="a"))
    assert catalog.update(TaskRun, ("r1", "a"), state="running", started_at=NOON, results={"rows": 3})
    assert catalog.get(TaskRun, "r1", "a").results == {"rows": 3}
    assert not catalog.update(TaskRun, ("r1", "b"), state="running")


@pytest.mark.parametrize("changes", [{}, {"stat": "x"}, {"task": "b"}, {"state": 3}, {"cell": "one"}])
def test_an_update_that_cannot_be_is_refused(catalog: Catalog, changes: dict[str, Any]) -> None:
    catalog.add(TaskRun(run_id="r1", task="a", name="a"))
    with pytest.raises(InvalidInput):
        catalog.update(TaskRun, ("r1", "a"), **changes)
    assert catalog.get(TaskRun, "r1", "a") == TaskRun(run_id="r1", task="a", name="a")


def test_a_key_of_the_wrong_length_is_told(catalog: Catalog) -> None:
    with pytest.raises(InvalidInput, match="run_id, task"):
        catalog.get(TaskRun, "r1")


def test_of_many_who_claim_one_wins(catalog: Catalog) -> None:
    catalog.add(run(runner=""))
    won: list[str] = []

    def claim(name: str) -> None:
        if catalog.compare_and_set(Run, "r1", {"runner": "", "state": ["queued", "running"]}, runner=name):
            won.append(name)

    threads = [threading.Thread(target=claim, args=(f"w{number}",)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert won == [catalog.get(Run, "r1").runner]


def test_delete_takes_what_matches_and_never_everything(catalog: Catalog) -> None:
    catalog.add(run("r1"), run("r2"), run("r3"))
    assert catalog.delete(Run, {"run_id": ["r1", "r3", "r9"]}) == 2
    with pytest.raises(InvalidInput, match="every run"):
        catalog.delete(Run, {})
    assert catalog.count(Run) == 1


def test_a_transaction_that_fails_leaves_nothing(catalog: Catalog) -> None:
    def fail_halfway() -> None:
        with catalog.transaction():
            catalog.add(run())
            assert catalog.get(Run, "r1") == run()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_halfway()
    assert catalog.find(Run) == []


def test_others_see_a_transaction_only_when_it_is_done(catalog: Catalog) -> None:
    seen: list[int] = []

    def look() -> None:
        seen.append(catalog.count(Run))

    with catalog.transaction():
        catalog.add(run())
        other = threading.Thread(target=look)
        other.start()
        other.join()
    assert seen == [0]
    assert catalog.count(Run) == 1


def test_a_nested_transaction_is_taken_back_alone(catalog: Catalog) -> None:
    def fail_inside() -> None:
        with catalog.transaction():
            catalog.add(run("inner"))
            catalog.add(run("outer"))

    with catalog.transaction():
        catalog.add(run("outer"))
        with pytest.raises(Conflict):
            fail_inside()
        with catalog.transaction():
            catalog.add(run("second"))
    assert {one.run_id for one in catalog.find(Run)} == {"outer", "second"}


def test_an_error_that_was_caught_takes_the_transaction_back_all_the_same(catalog: Catalog) -> None:
    def go_on_after_an_error() -> None:
        with catalog.transaction():
            catalog.add(run("r1"))
            with suppress(Conflict):
                catalog.add(run("r1"))

    with pytest.raises(Conflict, match="taken back"):
        go_on_after_an_error()
    assert catalog.count(Run) == 0


def test_threads_write_at_once_and_nothing_is_lost(catalog: Catalog) -> None:
    catalog.add(*(TaskRun(run_id="r1", task=f"t{number}", name="t") for number in range(8)))
    errors: list[BaseException] = []

    def work(number: int) -> None:
        try:
            for attempt in range(1, 26):
                with catalog.transaction():
                    catalog.update(TaskRun, ("r1", f"t{number}"), attempt=attempt)
                    catalog.add(event(task=number, attempt=attempt))
        except BaseException as error:  # noqa: BLE001 - told below
            errors.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert catalog.count(RunEvent) == 200
    assert {one.attempt for one in catalog.find(TaskRun)} == {25}


def test_the_change_token_tells_every_write_and_no_read(catalog: Catalog, catalog_url: str) -> None:
    tokens = [catalog.change_seq()]
    catalog.find(Run)
    assert catalog.change_seq() == tokens[0]
    catalog.add(run())
    tokens.append(catalog.change_seq())
    catalog.update(Run, "r1", state="running")
    tokens.append(catalog.change_seq())
    with Catalog.open(catalog_url) as other:
        other.update(Run, "r1", state="failed")
    tokens.append(catalog.change_seq())
    assert len(set(tokens)) == 4


def test_texts_that_a_database_cannot_keep_are_mended_and_not_refused(catalog: Catalog) -> None:
    catalog.add(run(message="a\0b \ud800 ✓", arguments={"text": "a\0b \ud800", "nan": math.nan}))
    got = catalog.get(Run, "r1")
    assert got.message == "a\ufffdb \ufffd ✓"
    assert got.arguments["text"] == "a\0b \ud800"
    assert math.isnan(got.arguments["nan"])


@pytest.mark.parametrize(
    "fields",
    [
        {"plan": {"a": object()}},
        {"pipeline": None},
        {"pipeline": 3},
        {"message": b"x"},
        {"started_at": "now"},
    ],
)
def test_a_value_of_the_wrong_type_is_refused(catalog: Catalog, fields: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput):
        catalog.add(run(**fields))
    assert catalog.count(Run) == 0


def test_a_number_that_no_column_can_keep_is_refused(catalog: Catalog) -> None:
    import numpy as np

    catalog.add(TaskRun(run_id="r1", task="a", name="a", cell=np.int64(3), duration_seconds=np.float32(0.5)))
    assert catalog.get(TaskRun, "r1", "a").cell == 3
    for fields in (
        {"cell": 2**63},
        {"cell": 1.5},
        {"duration_seconds": math.nan},
        {"duration_seconds": "long"},
    ):
        with pytest.raises(InvalidInput):
            catalog.add(TaskRun(run_id="r1", task="b", name="b", **fields))


def test_a_stranger_is_no_record(catalog: Catalog) -> None:
    with pytest.raises(InvalidInput, match="keeps no dict"):
        catalog.add({"run_id": "r1"})  # type: ignore[arg-type]
    with pytest.raises(InvalidInput, match="added, not put"):
        catalog.put(event())


texts = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), max_size=20)
plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
VALUES: dict[Any, st.SearchStrategy[Any]] = {
    "str": texts,
    "str | None": st.none() | texts,
    "int": st.integers(-(2**63), 2**63 - 1),
    "float": st.floats(allow_nan=False),
    "float | None": st.none() | st.floats(allow_nan=False),
    "bool": st.booleans(),
    "datetime": st.datetimes(timezones=st.just(UTC)),
    "datetime | None": st.none() | st.datetimes(timezones=st.just(UTC)),
    "Mapping[str, Any]": st.dictionaries(st.text(max_size=5), plain, max_size=3),
    "Mapping[str, str]": st.dictionaries(texts, texts, max_size=3),
    "Mapping[str, float]": st.dictionaries(texts, st.floats(allow_nan=False), max_size=3),
    "Sequence[Any]": st.lists(plain, max_size=3),
    "Sequence[str]": st.lists(texts, max_size=3),
    "Sequence[Mapping[str, Any]]": st.lists(
        st.dictionaries(st.text(max_size=5), plain, max_size=2), max_size=2
    ),
    "int | None": st.none() | st.integers(-(2**63), 2**63 - 1),
}


@pytest.mark.parametrize("kind", RECORDS)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_every_record_makes_the_round_trip(catalog: Catalog, kind: Any, data: st.DataObject) -> None:
    fields = {field.name: data.draw(VALUES[field.type], field.name) for field in dataclasses.fields(kind)}
    if "seq" in kind.KEY:
        fields["seq"] = abs(fields["seq"]) % 2**62 + 1
    record = kind(**fields)
    catalog.delete(kind, {name: fields[name] for name in kind.KEY})
    catalog.add(record)
    assert catalog.get(kind, *(fields[name] for name in kind.KEY)) == record


def test_counting_up_gives_each_caller_a_number_of_its_own(catalog: Catalog) -> None:
    model = RegisteredModel(name="m", folded="m", last_version=1, created_at=NOON, updated_at=NOON)
    numbers: list[int] = []

    def count() -> None:
        numbers.extend(catalog.count_up(model, "last_version") for _ in range(20))

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(numbers) == list(range(1, 81))
    assert catalog.get(RegisteredModel, "m").last_version == 80
    with catalog.transaction():
        assert catalog.count_up(model, "last_version") == 81
    with pytest.raises(InvalidInput, match="no field"):
        catalog.count_up(model, "version")


def test_the_newest_artifact_of_a_name_is_found_first(catalog: Catalog) -> None:
    for number in range(3):
        moment = NOON + timedelta(minutes=number)
        catalog.add(
            Artifact(
                run_id=f"r{number}",
                task="t",
                name="x",
                reference="b",
                digest="d",
                format="f",
                created_at=moment,
            )
        )
    assert catalog.find(Artifact, where={"name": "x"}, limit=1)[0].run_id == "r2"


def test_a_cache_entry_is_replaced_by_key(catalog: Catalog) -> None:
    entry = CacheEntry(
        cache_key="k",
        pipeline="p",
        task="t",
        run_id="r1",
        components={},
        results={},
        artifacts={},
        created_at=NOON,
    )
    catalog.put(entry)
    catalog.put(dataclasses.replace(entry, run_id="r2", is_frozen=True))
    assert catalog.get(CacheEntry, "k").run_id == "r2"
    assert catalog.get(CacheEntry, "k").is_frozen
