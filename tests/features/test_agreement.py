"""One question, one answer: as history, materialized, and pushed; in value and in status; for any data."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from jupyter_mlops.blobs import BlobStore
from jupyter_mlops.catalog import Catalog
from jupyter_mlops.features import Entity, FeatureStore, FeatureView

START = datetime(2024, 3, 1, tzinfo=UTC)
TTL = 4  # hours
Row = tuple[str, int, int, float | None, str | None]  # key, event and creation in hours, value, text


def hour(number: float) -> datetime:
    return START + timedelta(hours=number)


def brute(rows: list[Row], key: str, at: float) -> tuple[float | None, str | None, str, str]:
    """The answer by looking at every row: values and statuses."""
    known = [row for row in rows if row[0] == key and row[1] <= at and row[2] <= at]
    if not known:
        return None, None, "NOT_FOUND", "NOT_FOUND"
    # Among equal times the greatest values stand, feature by feature, null last.
    row = max(
        known,
        key=lambda one: (one[1], one[2], one[3] is not None, one[3] or 0.0, one[4] is not None, one[4] or ""),
    )
    if row[1] < at - TTL:
        return None, None, "EXPIRED", "EXPIRED"
    statuses = ["NULL" if value is None else "PRESENT" for value in row[3:]]
    return row[3], row[4], statuses[0], statuses[1]


@pytest.fixture(params=["sqlite", "redis"], scope="module")
def store(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FeatureStore]:
    folder = tmp_path_factory.mktemp("agreement")
    online = request.getfixturevalue("redis_url") if request.param == "redis" else None
    with (
        Catalog.open(f"sqlite:///{folder}/catalog.db") as catalog,
        FeatureStore(catalog, BlobStore(folder / "blobs"), root=folder, online=online) as opened,
    ):
        opened.register(Entity("airport", "origin"))
        yield opened


keys = st.sampled_from(["a", "b", "ä"])
hours = st.integers(0, 10)
values = st.sampled_from([None, 0.0, -1.5, 2.0, 1e300])
rows_of = st.lists(
    st.tuples(keys, hours, hours, values, st.sampled_from([None, "", "x", "'; --", "y\0"])),
    min_size=1,
    max_size=14,
)
asked_of = st.lists(
    st.tuples(st.sampled_from(["a", "b", "ä", "zz"]), st.integers(0, 16)), min_size=1, max_size=6
)


def table_of(rows: list[Row]) -> Any:
    import pyarrow as pa

    moment = pa.timestamp("us", "UTC")
    return pa.table(
        {
            "origin": [row[0] for row in rows],
            "event_timestamp": pa.array([hour(row[1]) for row in rows], moment),
            "made": pa.array([hour(row[2]) for row in rows], moment),
            "temp": pa.array([row[3] for row in rows], pa.float64()),
            "word": pa.array([row[4] for row in rows], pa.string()),
        }
    )


def view_of(path: Path | None, name: str) -> FeatureView:
    sql = "" if path is None else f"SELECT * FROM '{path}'"
    return FeatureView(
        name=name, entities=["airport"], sql=sql, created_timestamp="made", ttl=timedelta(hours=TTL),
        schema={"temp": "float64", "word": "string"},
    )  # fmt: skip


def as_asked(store: FeatureStore, name: str, asked: list[tuple[str, int]]) -> list[tuple[Any, ...]]:
    entities = [{"origin": key, "event_timestamp": hour(at)} for key, at in asked]
    import pyarrow as pa

    answer = store.get_historical_features(
        pa.Table.from_pylist(entities), [name], with_status=True
    ).to_pylist()
    return [(row["temp"], row["word"], row["temp__status"], row["word__status"]) for row in answer]


def agree(store: FeatureStore, tmp_path: Path, rows: list[Row], asked: list[tuple[str, int]]) -> None:
    import pyarrow.parquet as pq

    path = tmp_path / f"{uuid.uuid4().hex}.parquet"
    pq.write_table(table_of(rows), path)
    expected = [brute(rows, key, at) for key, at in asked]
    name = f"v{uuid.uuid4().hex}"
    store.register(view_of(path, name))
    assert as_asked(store, name, asked) == expected  # from the source itself

    moments = sorted({at for _, at in asked})
    for at in moments:  # a materialization at each moment, and then the question
        store.materialize(name, end=hour(at))
        assert online(store, name, asked, at) == [
            e for e, (_, when) in zip(expected, asked, strict=True) if when == at
        ]
    store.materialize(name, end=hour(99))
    assert as_asked(store, name, asked) == expected  # from the log, in several parts

    pushed = f"p{uuid.uuid4().hex}"
    store.register(view_of(None, pushed))
    distinct = {
        row[:3]: row
        for row in sorted(
            rows,
            key=lambda one: (*one[:3], one[3] is not None, one[3] or 0.0, one[4] is not None, one[4] or ""),
        )
    }
    waiting = sorted(distinct.values(), key=lambda one: max(one[1], one[2]))
    for at in moments:
        now = [row for row in waiting if max(row[1], row[2]) <= at]
        waiting = [row for row in waiting if row not in now]
        for row in reversed(now):  # the later ones first
            store.push(pushed, table_of([row]))
        assert online(store, pushed, asked, at) == [
            e for e, (_, when) in zip(expected, asked, strict=True) if when == at
        ]
    assert as_asked(store, pushed, asked) == expected


def online(store: FeatureStore, name: str, asked: list[tuple[str, int]], at: int) -> list[tuple[Any, ...]]:
    rows = [{"origin": key} for key, when in asked if when == at]
    answer = store.get_online_features(rows, [name], at=hour(at))
    return [(*values, *statuses) for values, statuses in zip(answer.values, answer.statuses, strict=True)]


FEW = settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@FEW
@given(rows_of, asked_of)
@example(
    [("a", 0, 0, 10.0, "x")], [("a", 12)]
)  # Feast: dropped, NULL and PRESENT, depending on whom one asks
@example(
    [("a", 1, 9, 1.0, None), ("a", 1, 2, 2.0, "x"), ("a", 1, 2, 2.0, None)], [("a", 2), ("a", 9), ("a", 1)]
)
def test_history_the_materialized_and_the_pushed_agree_with_brute_force(
    store: FeatureStore, tmp_path: Path, rows: list[Row], asked: list[tuple[str, int]]
) -> None:
    agree(store, tmp_path, rows, asked)


@pytest.mark.slow
@settings(FEW, max_examples=60)
@given(rows_of, asked_of)
def test_they_agree_on_much_more_data(
    store: FeatureStore, tmp_path: Path, rows: list[Row], asked: list[tuple[str, int]]
) -> None:
    agree(store, tmp_path, rows, asked)
