"""Online reads: value, status and age; any number of views, keys and columns in one question."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from jupyter_mlops.errors import CorruptBlob, InvalidInput
from jupyter_mlops.features import Entity, FeatureService, FeatureStore, FeatureView

MICROSECOND = timedelta(microseconds=1)
START = datetime(2024, 3, 1, tzinfo=UTC)


@pytest.fixture(autouse=True)
def filled(store: FeatureStore, airport: Entity) -> None:
    store.register(
        FeatureView(
            name="weather",
            entities=[airport],
            schema={"temp": "float64", "sky": "string"},
            ttl=timedelta(hours=2),
        ),
        FeatureView(name="traffic", entities=["airport"], schema={"flights": "int64", "seen": "timestamp"}),
        FeatureService(name="model", features=["traffic:flights", "weather"]),
    )
    store.push("weather", {"origin": "JFK", "event_timestamp": START, "temp": 1.5, "sky": None})
    store.push(
        "traffic",
        {"origin": "JFK", "event_timestamp": START - timedelta(days=30), "flights": 7, "seen": START},
    )


def test_an_answer_has_value_status_and_age(store: FeatureStore) -> None:
    answer = store.get_online_features({"origin": "JFK"}, ["weather"], at=START + timedelta(seconds=90))
    assert answer.names == ("temp", "sky")
    assert answer.values == [(1.5, None)]
    assert answer.statuses == [("PRESENT", "NULL")]
    assert answer.ages == [(90.0, 90.0)]
    assert answer[0] == {"temp": 1.5, "sky": None}
    assert answer.to_dicts() == [answer[0]]
    assert answer.to_dict() == {name: [value] for name, value in answer[0].items()}
    assert answer.to_pandas()["temp"].tolist() == [1.5]
    assert "1.5" in repr(answer)


def test_the_ttl_holds_as_it_does_in_training(store: FeatureStore) -> None:
    edge = START + timedelta(hours=2)
    for at, status in ((edge, "PRESENT"), (edge + MICROSECOND, "EXPIRED")):
        answer = store.get_online_features({"origin": "JFK"}, ["weather:temp"], at=at)
        assert answer.statuses == [(status,)]
        assert answer.values == [(1.5 if status == "PRESENT" else None,)]
        out = store.get_historical_features(
            [{"origin": "JFK", "event_timestamp": at}], ["weather:temp"], with_status=True
        )
        assert out["temp__status"].tolist() == [status]
    assert answer.ages == [(pytest.approx(7200.000001),)]


def test_many_keys_and_views_are_one_answer_in_the_order_asked(store: FeatureStore) -> None:
    rows = [{"origin": key} for key in ("???", "JFK", "JFK")]
    answer = store.get_online_features(rows, "model", at=START)
    assert answer.names == ("flights", "temp", "sky")
    assert answer.values == [(None, None, None), (7, 1.5, None), (7, 1.5, None)]
    assert answer.statuses[0] == ("NOT_FOUND",) * 3
    assert answer.ages[1] == (30 * 86400.0, 0.0, 0.0)
    mixed = store.get_online_features(
        rows[1], ["weather:sky", "traffic:seen", "weather:temp", "traffic:flights"], at=START
    )
    assert mixed.values == [(None, START, 1.5, 7)]
    assert mixed.ages == [(0.0, 30 * 86400.0, 0.0, 30 * 86400.0)]
    assert len(store.get_online_features([], "model")) == 0


def test_a_service_may_be_named_or_given(store: FeatureStore) -> None:
    service = store.get("model", FeatureService)
    named = store.get_online_features({"origin": "JFK"}, "model", at=START)
    for same in (service, service.reference, FeatureService(name="model", features=["x:y"])):
        assert store.get_online_features({"origin": "JFK"}, same, at=START).values == named.values


def test_a_new_version_is_another_place(store: FeatureStore, clock: Any) -> None:
    clock.go(minutes=1)
    store.register(FeatureView(name="weather", entities=["airport"], schema={"temp": "int64"}))
    assert store.get_online_features({"origin": "JFK"}, ["weather:temp"], at=START).statuses == [
        ("NOT_FOUND",)
    ]
    assert store.get_online_features({"origin": "JFK"}, "model", at=START)[0]["temp"] == 1.5  # it is pinned


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ({"orign": "JFK"}, "no 'origin'"),
        ({"origin": None}, "'origin' is empty"),
        ({"origin": 7}, "7 is not a text"),
        ({}, "no 'origin'"),
    ],
)
def test_what_is_no_key_is_told(store: FeatureStore, rows: Any, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        store.get_online_features(rows, ["weather:temp"])
    with pytest.raises(InvalidInput, match="no time zone"):
        store.get_online_features({"origin": "JFK"}, ["weather:temp"], at=datetime(2024, 1, 1))  # noqa: DTZ001


def test_a_damaged_row_is_never_handed_out(store: FeatureStore) -> None:
    view = store.get("weather")
    store.online.write(view=view.reference, rows=[(b"BAD", b"\xff" * 24 + b"rubbish")])
    with pytest.raises(CorruptBlob, match="another schema"):
        store.get_online_features({"origin": "BAD"}, ["weather:temp"])


def test_threads_read_at_once(store: FeatureStore) -> None:
    wrong: list[Any] = []

    def read() -> None:
        for _ in range(50):
            values = store.get_online_features([{"origin": "JFK"}] * 3, "model", at=START).values
            wrong.extend(one for one in values if one != (7, 1.5, None))

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
