"""What long lists ask: words somewhere in a record, counts by value, sums."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from jupyter_mlops.catalog import Catalog, FeaturePart, Run, TaskRun
from jupyter_mlops.errors import InvalidInput

START = datetime(2026, 1, 1, tzinfo=UTC)
FIELDS = ("run_id", "pipeline", "user_name")


@pytest.fixture
def catalog(catalog_url: str) -> Iterator[Catalog]:
    with Catalog.open(catalog_url) as opened:
        for number, (pipeline, user) in enumerate(
            [("flights", "ann"), ("Flights", "Bob"), ("100%_sure", "ann"), ("churn", "flo")]
        ):
            moment = START + timedelta(hours=number)
            opened.add(
                Run(run_id=f"r{number}", pipeline=pipeline, plan={}, user_name=user, created_at=moment)
            )
        for run_id, task, state in [
            ("r0", "a", "failed"),
            ("r0", "b", "succeeded"),
            ("r1", "a", "succeeded"),
        ]:
            opened.add(TaskRun(run_id=run_id, task=task, name=task, state=state))
        yield opened


def found(catalog: Catalog, text: str, **more: Any) -> list[str]:
    search = (text, FIELDS)
    runs = catalog.find(Run, order_by="-created_at", search=search, **more)
    assert catalog.count(Run, search=search, where=more.get("where")) >= len(runs)
    return [run.run_id for run in runs]


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("flights", ["r1", "r0"]),
        ("FLI", ["r1", "r0"]),
        ("flights bob", ["r1"]),
        ("bob flights", ["r1"]),
        ("ann", ["r2", "r0"]),
        ("%", ["r2"]),
        ("_", ["r2"]),
        ("0%_", ["r2"]),
        ("\\", []),
        ("'; DROP TABLE runs; --", []),
        ("r3", ["r3"]),
        ("", ["r3", "r2", "r1", "r0"]),
        ("  ", ["r3", "r2", "r1", "r0"]),
    ],
)
def test_each_word_must_stand_somewhere(catalog: Catalog, text: str, ids: list[str]) -> None:
    assert found(catalog, text) == ids
    assert found(catalog, text, limit=10) == ids
    assert found(catalog, text, limit=1, offset=1) == ids[1:2]
    assert catalog.count(Run, search=(text, FIELDS)) == len(ids)


def test_a_search_goes_with_a_filter(catalog: Catalog) -> None:
    assert found(catalog, "flights", where={"user_name": "ann"}, limit=5) == ["r0"]


def test_a_search_over_a_key_of_several_fields(catalog: Catalog) -> None:
    tasks = catalog.find(TaskRun, order_by=("run_id", "task"), search=("a", ("task",)), limit=5)
    assert [(task.run_id, task.task) for task in tasks] == [("r0", "a"), ("r1", "a")]


def test_json_cannot_be_searched(catalog: Catalog) -> None:
    with pytest.raises(InvalidInput, match="cannot search in plan"):
        catalog.find(Run, search=("x", ("plan",)))
    with pytest.raises(InvalidInput, match="no field"):
        catalog.count(Run, search=("x", ("pipelines",)))


def test_records_are_counted_by_their_values(catalog: Catalog) -> None:
    counted = catalog.count_by(TaskRun, ("run_id", "state"), where={"run_id": ["r0", "r1", "r2"]})
    assert counted == {("r0", "failed"): 1, ("r0", "succeeded"): 1, ("r1", "succeeded"): 1}
    assert catalog.count_by(TaskRun, ("state",)) == {("failed",): 1, ("succeeded",): 2}


def test_a_field_is_summed(catalog: Catalog) -> None:
    assert catalog.total(FeaturePart, "rows") == 0
    for number in (3, 4):
        part = FeaturePart(
            part_id=f"p{number}", view="v", version="1", path="p", rows=number, size_bytes=1,
            least_at=START, greatest_at=START, created_at=START,
        )  # fmt: skip
        catalog.add(part)
    assert catalog.total(FeaturePart, "rows", where={"view": "v"}) == 7
    assert isinstance(catalog.total(FeaturePart, "rows"), int)
