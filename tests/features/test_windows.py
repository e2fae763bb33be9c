"""Windowed aggregations, at any moment, against a loop over the events."""

from __future__ import annotations

import statistics
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jupyter_mlops.errors import InvalidInput
from jupyter_mlops.features import Aggregation, Entity, FeatureStore, FeatureView

START = datetime(2024, 3, 1, tzinfo=UTC)
WINDOWS = (2, 5)  # hours
FUNCTIONS = ("count", "sum", "avg", "min", "max", "stddev")
Event = tuple[str, int, int | None]

events_of = st.lists(
    st.tuples(st.sampled_from("ab"), st.integers(0, 12), st.one_of(st.none(), st.integers(-9, 9))),
    min_size=1,
    max_size=12,
)


def brute(events: list[Event], key: str, at: float) -> dict[str, Any] | None:
    """None when the key has no event yet."""
    if not any(name == key and hour <= at for name, hour, _ in events):
        return None
    out: dict[str, Any] = {}
    for window in WINDOWS:
        inside = [(hour, value) for name, hour, value in events if name == key and at - window < hour <= at]
        values = [value for _, value in inside if value is not None]
        known = {
            "count": len(values), "sum": sum(values), "avg": statistics.mean(values), "min": min(values),
            "max": max(values), "stddev": statistics.stdev(values) if len(values) > 1 else None,
        } if values else dict.fromkeys(FUNCTIONS) | {"count": 0}  # fmt: skip
        out |= {f"delay_{name}_{window}h": value for name, value in known.items()}
        out[f"rows_{window}"] = len(inside)
    return out


def view(airport: Entity | str, path: Path, name: str) -> FeatureView:
    made = [Aggregation(name, "delay", timedelta(hours=window)) for window in WINDOWS for name in FUNCTIONS]
    made += [
        Aggregation("count", window=timedelta(hours=window), name=f"rows_{window}") for window in WINDOWS
    ]
    return FeatureView(name=name, entities=[airport], sql=f"SELECT * FROM '{path}'", aggregations=made)


@settings(
    max_examples=settings.default.max_examples // 5,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    events_of,
    st.lists(
        st.tuples(st.sampled_from("abz"), st.integers(-1, 40).map(lambda half: half / 2)),
        min_size=1,
        max_size=8,
    ),
)
def test_windows_are_exact_at_every_moment(
    store: FeatureStore, airport: Entity, tmp_path: Path, events: list[Event], asked: list[tuple[str, float]]
) -> None:
    path, name = tmp_path / f"{uuid.uuid4().hex}.parquet", f"v{uuid.uuid4().hex}"
    table = {
        "origin": [key for key, _, _ in events],
        "event_timestamp": pa.array(
            [START + timedelta(hours=hour) for _, hour, _ in events], pa.timestamp("us", "UTC")
        ),
        "delay": pa.array([value for *_, value in events], pa.int64()),
    }
    pq.write_table(pa.table(table), path)
    made = store.register(view(airport, path, name))
    rows = pa.Table.from_pylist(
        [{"origin": key, "event_timestamp": START + timedelta(hours=at)} for key, at in asked]
    )
    for _ in range(2):
        answer = store.get_historical_features(rows, [name]).to_pylist()
        for (key, at), row in zip(asked, answer, strict=True):
            expected = brute(events, key, at) or dict.fromkeys(made.schema)
            assert {one: row[one] for one in made.schema} == pytest.approx(expected)
        last = max(at for _, at in asked)
        store.materialize(name, end=START + timedelta(hours=last))
    key = asked[0][0]
    online = store.get_online_features({"origin": key}, [name], at=START + timedelta(hours=last))
    assert online[0] == pytest.approx(brute(events, key, last) or dict.fromkeys(made.schema))


def test_names_and_types_follow_from_the_aggregation(
    store: FeatureStore, airport: Entity, tmp_path: Path
) -> None:
    path = tmp_path / "e.parquet"
    table = {"origin": ["a"], "event_timestamp": pa.array([START]), "delay": [1], "carrier": ["AA"]}
    pq.write_table(pa.table(table), path)
    aggregations = [
        Aggregation("avg", "delay", timedelta(days=7)), Aggregation("sum", "delay", timedelta(minutes=90)),
        Aggregation("max", "carrier", timedelta(seconds=45)), Aggregation("count", window=timedelta(hours=36)),
    ]  # fmt: skip
    made = store.register(
        FeatureView(name="v", entities=[airport], sql=f"SELECT * FROM '{path}'", aggregations=aggregations)
    )
    assert made.schema == {
        "delay_avg_7d": "float64", "delay_sum_90m": "int64", "carrier_max_45s": "string", "count_36h": "int64",
    }  # fmt: skip
    with pytest.raises(InvalidInput, match="made of windows"):
        store.push("v", {"origin": "a", "event_timestamp": START, "delay_avg_7d": 1.0})


def test_a_source_may_have_columns_called_as_sql_does(
    store: FeatureStore, airport: Entity, tmp_path: Path
) -> None:
    path = tmp_path / "e.parquet"
    names = ["at", "rows", "base", "order", "made", "arrival", "e", "total"]
    table = {"origin": ["a"], "event_timestamp": pa.array([START]), **{name: [2] for name in names}}
    pq.write_table(pa.table(table), path)
    store.register(
        FeatureView(name="plain", entities=[airport], sql=f"SELECT * FROM '{path}'"),
        FeatureView(
            name="summed", entities=["airport"], sql=f"SELECT * FROM '{path}'",
            aggregations=[Aggregation("sum", name) for name in names],
        ),
    )  # fmt: skip
    for _ in range(2):
        out = store.get_historical_features([{"origin": "a", "event_timestamp": START}], ["plain", "summed"])
        assert out.iloc[0, 2:].tolist() == [2] * 16
        store.materialize(end=START)
    assert store.get_online_features({"origin": "a"}, ["plain", "summed"], at=START).values == [(2,) * 16]


def test_a_late_event_is_not_counted_before_it_was_known(
    store: FeatureStore, airport: Entity, tmp_path: Path
) -> None:
    path = tmp_path / "e.parquet"
    moments = [START + timedelta(hours=hour) for hour in (0, 1, 2)]
    created = [moments[0], START + timedelta(hours=5), moments[2]]
    table = {"origin": ["a"] * 3, "event_timestamp": pa.array(moments), "made": pa.array(created)}
    pq.write_table(pa.table(table), path)
    store.register(
        FeatureView(
            name="v", entities=[airport], sql=f"SELECT * FROM '{path}'", created_timestamp="made",
            aggregations=[Aggregation("count", window=timedelta(hours=10), name="n")],
        )
    )  # fmt: skip
    asked = [{"origin": "a", "event_timestamp": START + timedelta(hours=hour)} for hour in (0.5, 1.5, 4.9, 5)]
    assert store.get_historical_features(asked, ["v:n"])["n"].tolist() == [1, 1, 1, 3]
    assert store.get_historical_features(asked, ["v:n"], include_late=True)["n"].tolist() == [1, 2, 3, 3]
