"""Materialization: half-open bounds, late rows, cuts at any moment, expectations, streams."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from jupyter_mlops.catalog import FeaturePart, Materialization
from jupyter_mlops.errors import ExpectationFailed, InvalidInput, NotFound, StorageUnavailable
from jupyter_mlops.features import Entity, Expectation, FeatureStore, FeatureView
from jupyter_mlops.features import materialize as materializing

MICROSECOND = timedelta(microseconds=1)


def day(number: float) -> datetime:
    """A moment of March 2024; the clock stands at the 10th, at noon."""
    return datetime(2024, 3, 1, tzinfo=UTC) + timedelta(days=number - 1)


class Source:
    """A parquet file that grows."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rows: list[dict[str, Any]] = []

    def add(self, *rows: tuple[str, float, float, float | None]) -> None:
        names = ("origin", "event_timestamp", "made", "temp")
        self.rows += [dict(zip(names, (key, day(e), day(c), temp), strict=True)) for key, e, c, temp in rows]
        schema = pa.schema({"origin": pa.string(), "event_timestamp": pa.timestamp("us", "UTC")})
        schema = schema.append(pa.field("made", pa.timestamp("us", "UTC"))).append(
            pa.field("temp", pa.float64())
        )
        pq.write_table(pa.Table.from_pylist(self.rows, schema), self.path)


@pytest.fixture
def source(tmp_path: Path) -> Source:
    made = Source(tmp_path / "weather.parquet")
    made.add(("JFK", 1, 1, 1.0), ("JFK", 2, 2, 2.0), ("LGA", 2, 2, 20.0))
    return made


def weather(airport: Entity, **changes: Any) -> FeatureView:
    given = {
        "name": "weather",
        "entities": [airport],
        "sql": "SELECT * FROM 'weather.parquet'",
        "created_timestamp": "made",
    }
    return FeatureView(**(given | changes))


def now(store: FeatureStore, *keys: str) -> list[Any]:
    rows = [{"origin": key} for key in keys]
    return [values[0] for values in store.get_online_features(rows, ["weather:temp"]).values]


def parts(store: FeatureStore) -> list[FeaturePart]:
    return store._catalog.find(FeaturePart, order_by="seq")


def test_the_newest_row_of_each_key_is_online(
    store: FeatureStore, airport: Entity, source: Source, clock: Any
) -> None:
    store.register(weather(airport))
    (done,) = store.materialize("weather")
    assert (done.state, done.start_at, done.end_at) == ("succeeded", None, clock.now)
    assert (done.rows, done.online_rows) == (3, 2)
    assert now(store, "JFK", "LGA", "???") == [2.0, 20.0, None]


def test_only_what_became_known_since_comes_next_late_rows_too(
    store: FeatureStore, airport: Entity, source: Source, clock: Any
) -> None:
    store.register(weather(airport))
    (first,) = store.materialize("weather")
    source.add(("JFK", 1.5, 11, 1.5), ("LGA", 11, 11, 21.0), ("JFK", 12, 12, 12.0))
    clock.now = day(11.5)
    (second,) = store.materialize("weather")
    assert (second.start_at, second.end_at, second.rows) == (first.end_at, clock.now, 2)
    assert now(store, "JFK", "LGA") == [2.0, 21.0]  # the late row is older than what is there
    out = store.get_historical_features(
        [{"origin": "JFK", "event_timestamp": day(1.7)}, {"origin": "JFK", "event_timestamp": day(11.2)}],
        ["weather:temp"], include_late=True,
    )  # fmt: skip
    assert out["temp"].tolist() == [1.5, 2.0]
    assert store.materialize("weather") == []  # it is not later than the watermark
    clock.now = day(12)
    (third,) = store.materialize("weather")
    assert third.rows == 1  # the end is included: the last point is not lost
    assert now(store, "JFK") == [12.0]


def test_a_correction_replaces_the_same_event(
    store: FeatureStore, airport: Entity, source: Source, clock: Any
) -> None:
    store.register(weather(airport))
    store.materialize("weather")
    source.add(("JFK", 2, 11, 2.5))
    clock.now = day(12)
    store.materialize("weather")
    assert now(store, "JFK") == [2.5]
    asked = [{"origin": "JFK", "event_timestamp": at} for at in (day(3), day(11) - MICROSECOND, day(11))]
    assert store.get_historical_features(asked, ["weather:temp"])["temp"].tolist() == [2.0, 2.0, 2.5]


def test_a_long_time_may_be_done_in_pieces(store: FeatureStore, airport: Entity, source: Source) -> None:
    store.register(weather(airport))
    done = store.materialize("weather", start=day(0), end=day(3), every=timedelta(days=1))
    assert [(one.start_at, one.end_at, one.rows) for one in done] == [
        (day(0), day(1), 1), (day(1), day(2), 2), (day(2), day(3), 0),
    ]  # fmt: skip
    assert len(parts(store)) == 2  # nothing is written for nothing
    assert now(store, "JFK", "LGA") == [2.0, 20.0]
    with pytest.raises(InvalidInput, match="above 0"):
        store.materialize("weather", start=day(0), end=day(3), every=timedelta(0))


def test_doing_it_again_changes_nothing(store: FeatureStore, airport: Entity, source: Source) -> None:
    store.register(weather(airport))
    asked = [{"origin": "JFK", "event_timestamp": day(number)} for number in range(1, 5)]
    store.materialize("weather")
    before = store.get_historical_features(asked, ["weather:temp"], with_status=True)
    store.materialize("weather", start=day(0))
    pd.testing.assert_frame_equal(
        store.get_historical_features(asked, ["weather:temp"], with_status=True), before
    )
    assert now(store, "JFK", "LGA") == [2.0, 20.0]


def test_a_cut_while_logging_leaves_nothing(
    store: FeatureStore, airport: Entity, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.register(weather(airport))
    monkeypatch.setattr(materializing.profiles, "profile_rows", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        store.materialize("weather")
    monkeypatch.undo()
    assert [one.state for one in store._catalog.find(Materialization)] == ["failed"]
    assert parts(store) == []
    assert list(store.log.paths()) == []
    assert store.materialize("weather")[0].rows == 3


def test_a_cut_while_publishing_goes_on_from_there(
    store: FeatureStore, airport: Entity, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    source.add(*((f"K{number:03}", 3, 3, float(number)) for number in range(250)))
    store.register(weather(airport))
    monkeypatch.setattr(materializing, "BATCH_ROWS", 100)
    written: list[int] = []
    write = store.online.write

    def failing(*, view: str, rows: Any) -> None:
        rows = list(rows)
        if len(written) == 1:
            raise StorageUnavailable("the cable was cut")
        write(view=view, rows=rows)
        written.append(len(rows))

    monkeypatch.setattr(store.online, "write", failing)
    with pytest.raises(StorageUnavailable, match="cable"):
        store.materialize("weather")
    (part,) = parts(store)
    assert (part.online_rows, part.is_online) == (sum(written), False)
    assert 0 < part.online_rows < 252
    assert [one.state for one in store._catalog.find(Materialization)] == ["logged"]
    monkeypatch.setattr(store.online, "write", write)
    assert store.materialize("weather") == []  # there is nothing new, but it is completed
    assert now(store, "JFK", "LGA", "K000", "K249") == [2.0, 20.0, 0.0, 249.0]
    assert [one.state for one in store._catalog.find(Materialization)] == ["succeeded"]
    assert parts(store)[0].is_online


def test_without_the_online_store_it_is_only_logged(
    store: FeatureStore, airport: Entity, source: Source
) -> None:
    store.register(weather(airport))
    (done,) = store.materialize("weather", online=False)
    assert done.state == "logged"
    assert now(store, "JFK") == [None]
    store.materialize("weather")
    assert now(store, "JFK") == [2.0]


EXPECTED = [
    (Expectation("not_null", "temp"), "temp: 1 of 4 rows are null, at most 0.00% may be"),
    (Expectation("not_null", "temp", most=0.2), "at most 20.00% may be"),
    (Expectation("between", "temp", low=0, high=19.9), "temp: 1 of 4 rows are not in 0 to 19.9"),
    (Expectation("between", "temp", low=1.5), "not in 1.5 to …"),
    (Expectation("one_of", "temp", values=[1, 2.0]), "1 of 4 rows are none of 1, 2.0"),
    (Expectation("one_of", "origin_copy", values=["JFK", "it's"]), "2 of 4 rows are none of JFK, it's"),
    (Expectation("matches", "origin_copy", pattern="J.*'?"), "2 of 4 rows are not like"),
    (Expectation("row_count", low=5), "4 rows, expected 5 to …"),
    (Expectation("fresh_within", window=timedelta(days=1)), "older than 1 day"),
]


@pytest.mark.parametrize(("expectation", "message"), EXPECTED, ids=lambda one: getattr(one, "check", ""))
def test_what_does_not_meet_an_expectation_stays_out(
    store: FeatureStore, airport: Entity, source: Source, expectation: Expectation, message: str
) -> None:
    source.add(("LGA", 3, 3, None))
    sql = "SELECT *, origin AS origin_copy FROM 'weather.parquet'"
    store.register(weather(airport, sql=sql, expectations=[expectation]))
    with pytest.raises(ExpectationFailed, match="do not meet its expectations") as caught:
        store.materialize("weather")
    assert message in str(caught.value)
    assert caught.value.problems[0]["check"] == expectation.check
    assert parts(store) == []
    assert list(store.log.paths()) == []
    assert now(store, "JFK") == [None]


def test_a_warning_is_only_told(store: FeatureStore, airport: Entity, source: Source) -> None:
    fine = [Expectation("between", "temp", low=0, high=100), Expectation("row_count", low=1, high=10)]
    store.register(
        weather(airport, expectations=[*fine, Expectation("between", "temp", high=3, severity="warning")])
    )
    (done,) = store.materialize("weather")
    assert [one["message"] for one in done.problems] == ["temp: 1 of 3 rows are not in … to 3"]
    assert done.state == "succeeded"


def test_a_function_may_yield_frames_and_take_the_bounds(
    store: FeatureStore, airport: Entity, clock: Any
) -> None:
    asked: list[Any] = []

    def frames(start: datetime | None, end: datetime | None = None) -> Iterator[pd.DataFrame]:
        asked.append((start, end))
        for number in range(1, 4):
            yield pd.DataFrame({"origin": ["JFK"], "event_timestamp": [day(number)], "temp": [number * 1.0]})

    frames.__globals__["asked"] = asked
    store.register(FeatureView(name="weather", entities=[airport], function=frames))
    store.materialize("weather", end=day(2))
    assert now(store, "JFK") == [2.0]
    store.materialize("weather")
    assert now(store, "JFK") == [3.0]
    assert asked == [(None, None), (None, day(2)), (day(2), clock.now)]


def test_a_query_may_take_the_bounds(store: FeatureStore, airport: Entity, source: Source) -> None:
    sql = "SELECT * FROM 'weather.parquet' WHERE made > $start AND made <= $end"
    store.register(weather(airport, sql=sql))
    asked = [{"origin": "JFK", "event_timestamp": day(5)}]
    assert store.get_historical_features(asked, ["weather:temp"])["temp"].tolist() == [2.0]
    assert [one.rows for one in store.materialize("weather", end=day(1))] == [1]
    assert [one.rows for one in store.materialize("weather", end=day(2))] == [2]


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda: 1 / 0, "raised ZeroDivisionError"),
        (lambda: 7, "is not a frame"),
        (lambda: pd.DataFrame({"origin": ["JFK"], "event_timestamp": ["x"], "temp": [1.0]}), "not a time"),
        (lambda week: week, "needs 'week'"),
        (lambda: (_ for _ in ()), "yielded no frame"),
    ],
)
def test_a_function_that_is_no_source_is_told(
    store: FeatureStore, airport: Entity, function: Any, message: str
) -> None:
    with pytest.raises(InvalidInput, match=message):
        store.register(FeatureView(name="weather", entities=[airport], function=function))
    assert store.find() == []


def test_all_views_with_a_source_are_materialized_by_default(
    store: FeatureStore, airport: Entity, source: Source
) -> None:
    store.register(
        weather(airport),
        weather("airport", name="other"),
        FeatureView(name="p", entities=["airport"], schema={"x": "int64"}),
    )
    assert sorted(one.view for one in store.materialize()) == ["other", "weather"]
    with pytest.raises(InvalidInput, match="no time zone"):
        store.materialize(end=datetime(2024, 1, 1))  # noqa: DTZ001 - that is the point


# --- pushing --------------------------------------------------------------------------------------------


def test_a_push_is_online_and_in_the_log_at_once(
    store: FeatureStore, airport: Entity, source: Source, clock: Any
) -> None:
    store.register(weather(airport))
    store.materialize("weather")
    clock.go(hours=1)
    assert store.push("weather", {"origin": "JFK", "event_timestamp": clock.now, "temp": 30.0}) == 1
    assert now(store, "JFK") == [30.0]
    asked = [
        {"origin": "JFK", "event_timestamp": clock.now + shift} for shift in (-MICROSECOND, timedelta(0))
    ]
    assert store.get_historical_features(asked, ["weather:temp"])["temp"].tolist() == [2.0, 30.0]


def test_a_late_push_is_history_but_not_news(
    store: FeatureStore, airport: Entity, source: Source, clock: Any
) -> None:
    store.register(weather(airport))
    store.materialize("weather")
    store.push("weather", pd.DataFrame({"origin": ["JFK"], "event_timestamp": [day(1.5)], "temp": [1.5]}))
    assert now(store, "JFK") == [2.0]
    asked = [{"origin": "JFK", "event_timestamp": day(1.7)}]
    assert store.get_historical_features(asked, ["weather:temp"])["temp"].tolist() == [1.0]  # not known then
    assert store.get_historical_features(asked, ["weather:temp"], include_late=True)["temp"].tolist() == [1.5]


def test_a_push_of_the_future_waits_for_its_time(store: FeatureStore, airport: Entity, clock: Any) -> None:
    store.register(FeatureView(name="weather", entities=[airport], schema={"temp": "float64"}))
    for number, temp in ((9, 9.0), (12, 12.0)):
        store.push("weather", {"origin": "JFK", "event_timestamp": day(number), "temp": temp})
    assert now(store, "JFK") == [9.0]
    store.materialize("weather")
    assert now(store, "JFK") == [9.0]
    clock.now = day(13)
    store.materialize("weather")
    assert now(store, "JFK") == [12.0]


def test_to_one_store_only(store: FeatureStore, airport: Entity) -> None:
    store.register(FeatureView(name="weather", entities=[airport], schema={"temp": "float64"}))
    asked = [{"origin": "JFK", "event_timestamp": day(9)}]
    store.push("weather", {"origin": "JFK", "event_timestamp": day(8), "temp": 1.0}, offline=False)
    assert store.get_historical_features(asked, ["weather:temp"], with_status=True)[
        "temp__status"
    ].tolist() == ["NOT_FOUND"]
    assert now(store, "JFK") == [1.0]
    store.push("weather", {"origin": "JFK", "event_timestamp": day(8.5), "temp": 2.0}, online=False)
    assert now(store, "JFK") == [1.0]
    assert store.get_historical_features(asked, ["weather:temp"])["temp"].tolist() == [2.0]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ({"origin": "JFK", "event_timestamp": day(1), "tmp": 1.0}, "no 'tmp'"),
        (
            {"origin": "JFK", "event_timestamp": day(1), "temp": "hot"},
            "'temp' has the type string, not float64",
        ),
        ({"origin": 5, "event_timestamp": day(1), "temp": 1.0}, "'origin' has the type int64"),
        ({"origin": None, "event_timestamp": day(1), "temp": 1.0}, "'origin' is empty"),
        ({"origin": "JFK", "temp": 1.0}, "no column 'event_timestamp'"),
        ({"origin": "JFK", "event_timestamp": datetime(2024, 3, 1), "temp": 1.0}, "have no zone"),  # noqa: DTZ001
        (
            [{"origin": "JFK", "event_timestamp": day(1), "temp": t} for t in (1.0, 2.0)],
            "2 rows have origin='JFK'",
        ),
        ([], "there are none"),
    ],
)
def test_a_push_that_is_wrong_writes_nothing(
    store: FeatureStore, airport: Entity, rows: Any, message: str
) -> None:
    store.register(FeatureView(name="weather", entities=[airport], schema={"temp": "float64"}))
    with pytest.raises(InvalidInput, match=message):
        store.push("weather", rows)
    assert parts(store) == []
    assert now(store, "JFK") == [None]


def test_many_pushes_become_one_part_and_keep_their_order(
    store: FeatureStore, airport: Entity, clock: Any
) -> None:
    store.register(FeatureView(name="weather", entities=[airport], schema={"temp": "float64"}))
    for number in range(70):
        store.push("weather", {"origin": "JFK", "event_timestamp": day(1), "temp": float(number)})
    asked = [{"origin": "JFK", "event_timestamp": day(2)}]
    assert store.get_historical_features(asked, ["weather:temp"])["temp"].tolist() == [69.0]
    store.materialize("weather")
    assert [one.rows for one in parts(store)] == [70]
    assert store.get_historical_features(asked, ["weather:temp"])["temp"].tolist() == [69.0]
    assert len(store.clean(grace_seconds=0)) == 70
    store.push("weather", {"origin": "JFK", "event_timestamp": day(1), "temp": -1.0})
    assert store.get_historical_features(asked, ["weather:temp"])["temp"].tolist() == [-1.0]
    assert now(store, "JFK") == [-1.0]


def test_what_is_forgotten_is_gone_online_only(store: FeatureStore, airport: Entity, source: Source) -> None:
    store.register(weather(airport))
    store.materialize("weather")
    store.forget("weather", [{"origin": "JFK"}])
    assert now(store, "JFK", "LGA") == [None, 20.0]
    asked = [{"origin": "JFK", "event_timestamp": day(3)}]
    assert store.get_historical_features(asked, ["weather:temp"])["temp"].tolist() == [2.0]


def test_old_files_that_no_record_names_are_cleaned_up(
    store: FeatureStore, airport: Entity, source: Source
) -> None:
    version = store.register(weather(airport)).version
    store.materialize("weather")
    lost = Path(store.log.url) / version / "lost.parquet"
    lost.write_bytes(b"half of a fi")
    assert store.clean() == {}
    would = store.clean(grace_seconds=0, is_dry_run=True)
    assert [*would] == [f"{version}/lost.parquet"]
    assert store.clean(grace_seconds=0) == would
    assert store.clean(grace_seconds=0) == {}
    assert now(store, "JFK") == [2.0]
    assert store.get_historical_features([{"origin": "JFK", "event_timestamp": day(3)}], ["weather:temp"])[
        "temp"
    ].tolist() == [2.0]


def test_a_profile_comes_with_each_materialization(
    store: FeatureStore, airport: Entity, source: Source
) -> None:
    store.register(weather(airport))
    with pytest.raises(NotFound, match="no materialization"):
        store.profile("weather")
    (done,) = store.materialize("weather")
    assert store.profile("weather") == done.profile
    assert done.profile["rows"] == 3
    assert done.profile["features"]["temp"]["max"] == 20.0
