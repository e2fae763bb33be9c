"""History: one row out for each row in, exact bounds, clear refusals."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from jupyter_mlops.errors import InvalidInput, StorageUnavailable
from jupyter_mlops.features import Entity, FeatureStore, FeatureView

MICROSECOND = timedelta(microseconds=1)


def day(number: float) -> datetime:
    """A moment of March 2024."""
    return datetime(2024, 3, 1, tzinfo=UTC) + timedelta(days=number - 1)


def write_parquet(path: Path, rows: list[dict[str, Any]]) -> None:
    pq.write_table(pa.Table.from_pylist(rows), path)


@pytest.fixture
def weather(store: FeatureStore, airport: Entity, tmp_path: Path) -> FeatureView:
    rows = [
        {"origin": "JFK", "event_timestamp": day(1), "made": day(1), "temp": 1.0, "wind": 1, "ok": True},
        {"origin": "JFK", "event_timestamp": day(3), "made": day(5), "temp": 3.0, "wind": None, "ok": None},
        {
            "origin": "LGA",
            "event_timestamp": day(2),
            "made": day(2),
            "temp": None,
            "wind": 2**60 + 1,
            "ok": False,
        },
    ]
    write_parquet(tmp_path / "weather.parquet", rows)
    made: FeatureView = store.register(
        FeatureView(
            name="weather", entities=[airport], sql="SELECT * FROM 'weather.parquet'", created_timestamp="made",
            ttl=timedelta(days=7),
        )
    )  # fmt: skip
    return made


def temps(store: FeatureStore, *asked: tuple[str, datetime], **options: Any) -> list[Any]:
    rows = [{"origin": key, "event_timestamp": at} for key, at in asked]
    table = store.get_historical_features(pa.Table.from_pylist(rows), ["weather:temp"], **options)
    return table.column("temp").to_pylist()


@pytest.mark.usefixtures("weather")
def test_rows_come_out_in_order_with_duplicates_and_an_index_of_their_own(store: FeatureStore) -> None:
    frame = pd.DataFrame(
        {
            "label": [1, 2, 3, 4],
            "origin": ["LGA", "JFK", "???", "JFK"],
            "event_timestamp": [day(2), day(2), day(2), day(2)],
        },
        index=pd.Index(["x", "y", "x", "z"], name="row"),
    )
    out = store.get_historical_features(frame, ["weather:temp", "weather:wind"])
    pd.testing.assert_frame_equal(out[frame.columns.tolist()], frame, check_flags=False)
    assert out.index.equals(frame.index)
    assert out["temp"].tolist()[1::2] == [1.0, 1.0]
    assert out["temp"].isna().tolist() == [True, False, True, False]
    assert out["wind"].iloc[0] == 2**60 + 1  # not through a float
    assert list(out.columns) == ["label", "origin", "event_timestamp", "temp", "wind"]
    assert list(frame.columns) == ["label", "origin", "event_timestamp"]


@pytest.mark.usefixtures("weather")
def test_the_ttl_is_exact_and_inclusive(store: FeatureStore) -> None:
    edge = day(8)
    assert temps(store, ("JFK", day(1) - MICROSECOND), ("JFK", day(1))) == [None, 1.0]
    assert temps(store, ("LGA", day(9)), ("JFK", edge), ("JFK", day(10)), ("JFK", day(10) + MICROSECOND)) == [
        None, 3.0, 3.0, None,
    ]  # fmt: skip


@pytest.mark.usefixtures("weather")
def test_what_was_created_later_was_not_known(store: FeatureStore) -> None:
    asked = [("JFK", day(3)), ("JFK", day(5) - MICROSECOND), ("JFK", day(5))]
    assert temps(store, *asked) == [1.0, 1.0, 3.0]
    assert temps(store, *asked, include_late=True) == [3.0, 3.0, 3.0]


@pytest.mark.usefixtures("weather")
def test_statuses_tell_why_there_is_no_value(store: FeatureStore) -> None:
    rows = pd.DataFrame(
        {
            "origin": ["JFK", "JFK", "LGA", "???", None],
            "event_timestamp": [day(1), day(20), day(2), day(2), day(2)],
        }
    )
    out = store.get_historical_features(rows, ["weather:temp", "weather:wind"], with_status=True)
    assert out["temp__status"].tolist() == ["PRESENT", "EXPIRED", "NULL", "NOT_FOUND", "NOT_FOUND"]
    assert out["wind__status"].tolist() == ["PRESENT", "EXPIRED", "PRESENT", "NOT_FOUND", "NOT_FOUND"]


@pytest.mark.usefixtures("weather")
def test_the_answer_is_the_kind_of_frame_that_asked(store: FeatureStore) -> None:
    rows = [{"origin": "JFK", "event_timestamp": day(1)}]
    table = pa.Table.from_pylist(rows)
    assert isinstance(store.get_historical_features(table, ["weather:temp"]), pa.Table)
    assert isinstance(store.get_historical_features(rows, ["weather:temp"]), pd.DataFrame)
    columns = {"origin": np.array(["JFK"]), "event_timestamp": pd.Series([day(1)])}
    assert store.get_historical_features(columns, ["weather:temp"])["temp"].tolist() == [1.0]


@pytest.mark.usefixtures("weather")
def test_whole_numbers_and_booleans_stay_what_they_are(store: FeatureStore) -> None:
    rows = pd.DataFrame({"origin": ["JFK", "???"], "event_timestamp": [day(1), day(1)]})
    out = store.get_historical_features(rows, ["weather:wind", "weather:ok"])
    assert [str(kind) for kind in out.dtypes[["wind", "ok"]]] == ["Int64", "boolean"]
    full = store.get_historical_features(rows[:1], ["weather:wind", "weather:ok"])
    assert [str(kind) for kind in full.dtypes[["wind", "ok"]]] == ["int64", "bool"]


def test_a_frame_says_which_versions_it_was_made_with(
    store: FeatureStore, weather: FeatureView, tmp_path: Path
) -> None:
    rows = pd.DataFrame({"origin": ["JFK"], "event_timestamp": [day(1)]})
    out = store.get_historical_features(rows, ["weather:temp"], full_names=True)
    assert out.attrs["features"] == {"weather__temp": f"{weather.reference}:temp"}
    out.to_parquet(tmp_path / "train.parquet")
    assert pd.read_parquet(tmp_path / "train.parquet").attrs["features"] == out.attrs["features"]


@pytest.mark.usefixtures("weather")
def test_times_of_any_kind_mean_the_same_moment(store: FeatureStore) -> None:
    paris = pd.to_datetime(["2024-03-01 01:00"]).tz_localize("Europe/Paris")
    for times in (paris, paris.as_unit("ns"), paris.as_unit("s"), paris.tz_convert("Asia/Tokyo")):
        frame = pd.DataFrame({"origin": ["JFK"], "event_timestamp": times})
        assert store.get_historical_features(frame, ["weather:temp"])["temp"].tolist() == [1.0]
    naive = pd.DataFrame({"origin": ["JFK"], "at": pd.to_datetime(["2024-03-01 01:00"])})
    out = store.get_historical_features(naive, ["weather:temp"], timestamp="at", time_zone="Europe/Paris")
    assert out["temp"].tolist() == [1.0]


@pytest.mark.usefixtures("weather")
@pytest.mark.parametrize(
    ("rows", "options", "message", "hint"),
    [
        (
            {"origin": ["JFK"], "event_timestamp": pd.to_datetime(["2024-03-01"])},
            {},
            "have no zone",
            "time_zone",
        ),
        (
            {"origin": ["JFK"], "event_timestamp": ["2024-03-01"]},
            {},
            "type string, not a time",
            "to_datetime",
        ),
        ({"origin": ["JFK"], "event_timestamp": [None]}, {}, "type null", ""),
        ({"origin": ["JFK", "JFK"], "event_timestamp": [day(1), None]}, {}, "empty in 1 of 2 rows", ""),
        ({"orign": ["JFK"], "event_timestamp": [day(1)]}, {}, "no column 'origin'", "'orign'"),
        (
            {"origin": ["JFK"], "event_timestmp": [day(1)]},
            {},
            "no column 'event_timestamp'",
            "'event_timestmp'",
        ),
        ({"origin": [1], "event_timestamp": [day(1)]}, {}, "'origin' has the type int64, not string", ""),
        (
            {"origin": ["JFK"], "event_timestamp": [day(1)], "temp": [1]},
            {},
            "column 'temp' already",
            "full_names",
        ),
        (
            {"origin": ["JFK"], "event_timestamp": [day(1)]},
            {"features": ["weather:temp", "weather:temp"]},
            "same name",
            "",
        ),
        ({"origin": ["JFK"], "event_timestamp": [day(1)]}, {"features": []}, "no features", ""),
        (7, {}, "a int is not a frame", "pandas"),
    ],
)
def test_what_cannot_be_asked_is_told(
    store: FeatureStore, rows: Any, options: dict[str, Any], message: str, hint: str
) -> None:
    with pytest.raises(InvalidInput, match=message) as caught:
        store.get_historical_features(rows, **({"features": ["weather:temp"]} | options))
    assert hint in caught.value.hint


@pytest.mark.usefixtures("weather")
def test_no_rows_are_no_rows(store: FeatureStore) -> None:
    frame = pd.DataFrame(
        {"origin": pd.Series([], dtype=str), "event_timestamp": pd.Series([], dtype="datetime64[us, UTC]")}
    )
    for _ in range(2):
        out = store.get_historical_features(frame, ["weather:temp"], with_status=True)
        assert out.shape == (0, 4)
        store.materialize("weather")


def test_several_keys_and_several_views_are_one_answer(store: FeatureStore, tmp_path: Path) -> None:
    airport, carrier = (
        Entity("airport", "origin"),
        Entity("carrier", {"carrier": "string", "number": "int64"}),
    )
    write_parquet(tmp_path / "a.parquet", [{"origin": "JFK", "event_timestamp": day(1), "size": 5}])
    flights = [
        {"origin": "JFK", "carrier": "AA", "number": 1, "event_timestamp": day(2), "size": 7},
        {"origin": "JFK", "carrier": "AA", "number": 2, "event_timestamp": day(2), "size": 8},
        {"origin": "LGA", "carrier": "AA", "number": 1, "event_timestamp": day(2), "size": 9},
    ]
    write_parquet(tmp_path / "f.parquet", flights)
    store.register(
        FeatureView(name="a", entities=[airport], sql="SELECT * FROM 'a.parquet'"),
        FeatureView(name="f", entities=[airport, carrier], sql="SELECT * FROM 'f.parquet'"),
    )
    asked = [
        {key: row[key] for key in ("origin", "carrier", "number")} | {"event_timestamp": day(3)}
        for row in flights
    ]
    for _ in range(2):
        out = store.get_historical_features(asked, ["a:size", "f:size"], full_names=True)
        assert out["f__size"].tolist() == [7, 8, 9]
        assert out["a__size"].tolist() == [5, 5, pd.NA]
        store.materialize()
    answer = store.get_online_features(asked, ["f:size", "a:size"], full_names=True, at=day(3))
    assert answer.values == [(7, 5), (8, 5), (9, None)]
    assert answer.names == ("f__size", "a__size")


def test_a_database_is_read_and_not_written(store: FeatureStore, airport: Entity, tmp_path: Path) -> None:
    import duckdb

    with duckdb.connect(tmp_path / "it's.duckdb") as connection:
        connection.execute(
            "CREATE TABLE w AS SELECT 'JFK' AS origin, TIMESTAMP '2024-03-01 07:00' AS seen, 2.5 AS temp"
        )
    store.register(
        FeatureView(
            name="w", entities=[airport], database="it's.duckdb", sql="FROM w -- all of it",
            event_timestamp="seen", time_zone="America/New_York",
        )
    )  # fmt: skip
    rows = [{"origin": "JFK", "event_timestamp": datetime(2024, 3, 1, hour, tzinfo=UTC)} for hour in (11, 12)]
    assert store.get_historical_features(rows, ["w:temp"])["temp"].tolist()[1:] == [2.5]


def test_python_variables_are_no_tables(store: FeatureStore, airport: Entity) -> None:
    frame = pd.DataFrame({"origin": ["JFK"], "event_timestamp": [day(1)], "x": [1]})
    with pytest.raises(InvalidInput, match="frame"):
        store.register(FeatureView(name="v", entities=[airport], sql="SELECT * FROM frame"))
    assert len(frame)


@pytest.mark.usefixtures("weather")
def test_a_part_that_was_lost_is_told(store: FeatureStore, tmp_path: Path) -> None:
    store.materialize("weather")
    for part in (tmp_path / ".mlops" / "features").rglob("*.parquet"):
        part.write_bytes(b"damaged")
    with pytest.raises(StorageUnavailable, match="cannot read"):
        temps(store, ("JFK", day(1)))


def test_ties_of_a_source_are_decided_the_same_way_each_time(
    store: FeatureStore, airport: Entity, tmp_path: Path
) -> None:
    rows = [
        {"origin": "JFK", "event_timestamp": day(1), "x": x, "y": y}
        for x, y in [(1, "b"), (None, "z"), (1, "c"), (1, None)]
    ]
    for number, order in enumerate([rows, rows[::-1], rows[2:] + rows[:2]]):
        write_parquet(tmp_path / f"{number}.parquet", order)
        store.register(
            FeatureView(name=f"v{number}", entities=[airport], sql=f"SELECT * FROM '{number}.parquet'")
        )
        for _ in range(2):
            out = store.get_historical_features(
                [{"origin": "JFK", "event_timestamp": day(2)}], [f"v{number}"]
            )
            assert (out["x"].item(), out["y"].item()) == (1, "c")
            store.materialize(f"v{number}")
        assert store.get_online_features({"origin": "JFK"}, [f"v{number}"]).values == [(1, "c")]


def test_not_a_number_is_no_value(store: FeatureStore, airport: Entity, tmp_path: Path) -> None:
    write_parquet(
        tmp_path / "n.parquet",
        [{"origin": "JFK", "event_timestamp": day(1), "x": float("nan"), "y": float("inf")}],
    )
    store.register(FeatureView(name="n", entities=[airport], sql="SELECT * FROM 'n.parquet'"))
    for _ in range(2):
        out = store.get_historical_features(
            [{"origin": "JFK", "event_timestamp": day(2)}], ["n"], with_status=True
        )
        assert out["x__status"].tolist() == ["NULL"]
        assert out["y"].tolist() == [float("inf")]
        store.materialize("n")
    assert store.get_online_features({"origin": "JFK"}, ["n"]).statuses == [("NULL", "PRESENT")]


@pytest.mark.parametrize("place", ["memory", "s3"])
def test_the_log_lies_on_any_url(
    store: FeatureStore, airport: Entity, tmp_path: Path, place: str, request: Any
) -> None:
    options = request.getfixturevalue("s3") if place == "s3" else {}
    with FeatureStore(
        store._catalog,
        store._blobs,
        root=tmp_path,
        offline=f"{place}://mlops/{tmp_path.name}",
        offline_options=options,
    ) as remote:
        write_parquet(
            tmp_path / "w.parquet", [{"origin": "JFK", "event_timestamp": day(1), "x": n} for n in (1, 2)]
        )
        remote.register(FeatureView(name="w", entities=[airport], sql="SELECT * FROM 'w.parquet'"))
        (done,) = remote.materialize("w")
        assert (done.rows, done.online_rows) == (1, 1)
        remote.push("w", {"origin": "JFK", "event_timestamp": day(2), "x": 3})
        rows = [{"origin": "JFK", "event_timestamp": at} for at in (day(1), day(2))]
        assert remote.get_historical_features(rows, ["w:x"])["x"].tolist() == [2, 3]
        assert len(list(remote.log.paths())) == 2
        assert remote.clean(grace_seconds=0) == {}
