"""What a user may get wrong with the feature store: one clear message each, and nothing is done."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pandas as pd
import pytest

from jupyter_mlops.errors import MlopsError
from jupyter_mlops.features import Entity, FeatureService, FeatureStore, FeatureView

DAY = datetime(2024, 3, 9, tzinfo=UTC)
NAIVE = datetime(2024, 3, 9)  # noqa: DTZ001 - that is what is wrong with it
ROWS = [{"origin": "JFK", "event_timestamp": DAY}]
Ask = Callable[[FeatureStore], Any]


@pytest.fixture
def filled(store: FeatureStore, airport: Entity) -> FeatureStore:
    store.register(FeatureView(name="weather", entities=[airport], schema={"temp": "float64"}))
    store.push("weather", {**ROWS[0], "temp": 3.0})
    return store


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda s: s.get_historical_features(ROWS, None), "a NoneType is no list of names"),
        (lambda s: s.get_historical_features(ROWS, {"weather": 1}), "a dict is no list of names"),
        (lambda s: s.get_historical_features(ROWS, ["weather:tmep"]), "has no feature 'tmep'"),
        (lambda s: s.get_historical_features(ROWS, ["wether:temp"]), "no feature view 'wether'"),
        (lambda s: s.get_historical_features(ROWS, [1]), "1 refers to no feature"),
        (lambda s: s.get_historical_features(7, ["weather"]), "a int is not a frame"),
        (lambda s: s.get_historical_features([{"origin": "JFK"}], ["weather"]), "no column 'event_timestamp'"),
        (
            lambda s: s.get_historical_features([{**ROWS[0], "event_timestamp": NAIVE}], ["weather"]),
            "have no zone",
        ),
        (lambda s: s.get_historical_features([{**ROWS[0], "origin": 7}], ["weather"]), "type int64, not string"),
        (lambda s: s.get_online_features(None, ["weather"]), "a NoneType is not a frame"),
        (lambda s: s.get_online_features(5, ["weather"]), "a int is not a frame"),
        (lambda s: s.get_online_features(["JFK"], ["weather"]), "the entity row 'JFK' is no mapping"),
        (lambda s: s.get_online_features({"orign": "JFK"}, ["weather"]), "has no 'origin'"),
        (lambda s: s.get_online_features({"origin": 7}, ["weather"]), "7 is not a text"),
        (lambda s: s.get_online_features({"origin": "\ud800"}, ["weather"]), "UTF-8"),
        (lambda s: s.get_online_features({"origin": "JFK"}, [["weather"]]), "refers to no feature"),
        (lambda s: s.get_online_features({"origin": "JFK"}, 7), "a int is no list of names"),
        (lambda s: s.get_online_features({"origin": "JFK"}, ["weather"], at="2024"), "'2024' is not a moment"),
        (lambda s: s.get_online_features({"origin": "JFK"}, ["weather"], at=NAIVE), "no time zone"),
        (lambda s: s.materialize("weather", end="2024-01-01"), "end: '2024-01-01' is not a moment"),
        (lambda s: s.materialize("weather", end=date(2024, 1, 1)), "is not a moment"),
        (lambda s: s.materialize("weather", every=3), "every is 3, not a timedelta above 0"),
        (lambda s: s.materialize(7), "a int is no list of names"),
        (lambda s: s.materialize("wether"), "no feature view 'wether'"),
        (lambda s: s.push("weather", {**ROWS[0], "temp": "warm"}), "type string, not float64"),
        (lambda s: s.push("weather", {**ROWS[0], "tmep": 1.0}), "the view has no 'tmep'"),
        (lambda s: s.push("weather", [{**ROWS[0], "temp": 1.0}, {**ROWS[0], "temp": 2.0}]), "2 rows have origin="),
        (lambda s: s.drift({}, pd.DataFrame({"temp": [1.0]})), "is no profile"),
        (lambda s: s.drift("weather", None), "no materialization"),
        (lambda s: FeatureView(name="v", entities="airport", schema={"x": "int64"}), "entities is 'airport', no list"),
        (lambda s: FeatureView(name="v", entities=7, schema={"x": "int64"}), "entities is 7, no list"),
        (lambda s: FeatureService(name="v", features="weather"), "no list of features"),
    ],
)  # fmt: skip
def test_each_has_one_message(filled: FeatureStore, ask: Ask, message: str) -> None:
    before = [filled.find(), filled.get_online_features(ROWS, ["weather"]).to_dict()]
    with pytest.raises(MlopsError) as caught:
        ask(filled)
    assert message in str(caught.value)
    assert before == [filled.find(), filled.get_online_features(ROWS, ["weather"]).to_dict()]


def test_a_frame_of_entity_rows_is_as_good_as_a_list(filled: FeatureStore) -> None:
    frame = pd.DataFrame({"origin": ["JFK", "LGA"], "when": [DAY, DAY - timedelta(days=1)]})
    assert filled.get_online_features(frame, ["weather"]).to_dict() == {"temp": [3.0, None]}
    assert filled.get_online_features(iter(ROWS), ["weather"])[0] == {"temp": 3.0}
