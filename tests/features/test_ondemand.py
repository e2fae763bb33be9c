"""On-demand features: the same for a batch and a row, and proved so before they are kept."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from jupyter_mlops.errors import InvalidInput
from jupyter_mlops.features import Entity, FeatureService, FeatureStore, FeatureView, OnDemandView

START = datetime(2024, 3, 1, tzinfo=UTC)
FACTOR = 2.0


@pytest.fixture(autouse=True)
def weather(store: FeatureStore, airport: Entity, tmp_path: Path) -> None:
    table = {
        "origin": ["JFK", "LGA"], "event_timestamp": pa.array([START, START]), "temp": [1.5, None], "wind": [3, 4],
        "note": ["x", "y"],
    }  # fmt: skip
    pq.write_table(pa.table(table), tmp_path / "w.parquet")
    store.register(FeatureView(name="weather", entities=[airport], sql="SELECT * FROM 'w.parquet'"))
    store.materialize("weather")


def scaled(frame: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame({"chill": frame["temp"] * FACTOR - frame["wind"], "is_far": frame["miles"] > 100})


def scaled_row(row: dict[str, Any]) -> dict[str, Any]:
    chill = None if row["temp"] is None or row["wind"] is None else row["temp"] * FACTOR - row["wind"]
    return {"chill": chill, "is_far": None if row["miles"] is None else row["miles"] > 100}


def view(function: Any, **changes: Any) -> OnDemandView:
    given = {
        "name": "feel", "inputs": ["weather:temp", "weather:wind"], "request": {"miles": "int64"},
        "schema": {"chill": "float64", "is_far": "bool"},
    }  # fmt: skip
    return OnDemandView(function=function, **(given | changes))


@pytest.mark.parametrize(("function", "mode"), [(scaled, "frame"), (scaled_row, "row")])
def test_training_and_serving_give_the_same(store: FeatureStore, function: Any, mode: str) -> None:
    store.register(view(function, mode=mode), FeatureService(name="s", features=["weather:temp", "feel"]))
    asked = [{"origin": key, "miles": miles} for key, miles in (("JFK", 50), ("LGA", 500), ("???", 101))]
    rows = [row | {"event_timestamp": START} for row in asked]
    out = store.get_historical_features(pa.Table.from_pylist(rows), "s", with_status=True).to_pylist()
    history = [(row["temp"], row["chill"], row["is_far"]) for row in out]
    assert history == [(1.5, 0.0, False), (None, None, True), (None, None, True)]
    answer = store.get_online_features(asked, "s", at=START)
    assert answer.values == history
    statuses = [(row["temp__status"], row["chill__status"], row["is_far__status"]) for row in out]
    assert answer.statuses == statuses
    assert statuses[1:] == [("NULL", "NULL", "PRESENT"), ("NOT_FOUND", "NULL", "PRESENT")]


def centered(frame: pd.DataFrame) -> Any:
    return {"chill": frame["temp"] - frame["temp"].mean(), "is_far": frame["miles"] > 1}


def ranked(frame: pd.DataFrame) -> Any:
    return {"chill": frame["temp"].rank(), "is_far": frame["miles"] > 1}


def dropping(frame: pd.DataFrame) -> Any:
    return pd.DataFrame({"chill": frame["temp"], "is_far": frame["miles"] > 1})[:2]


def branching(frame: pd.DataFrame) -> Any:
    return {"chill": frame["temp"] if frame["temp"] > 0 else 0, "is_far": frame["miles"] > 1}


def forgetful(frame: pd.DataFrame) -> Any:
    return {"chill": frame["temp"]}


def mistyped(frame: pd.DataFrame) -> Any:
    return {"chill": frame["temp"].astype(str), "is_far": frame["miles"] > 1}


CALLS = {"number": 0}


def counting(row: Any) -> Any:
    CALLS["number"] += 1
    return {"chill": float(CALLS["number"]), "is_far": True}


WRONG = [
    (centered, "frame", "'chill' of row 0 is .* in a batch, but 0.0 alone", "row alone"),
    (ranked, "frame", "but 1.0 alone", ""),
    (dropping, "frame", "made 2 rows of 4", "one row for each row"),
    (branching, "frame", "raised ValueError: The truth value", ""),
    (forgetful, "frame", "no column 'is_far'", ""),
    (mistyped, "frame", "'chill' has the type .*string, not float64", ""),
    (counting, "row", "'chill' of row 0 is", ""),
    (lambda row: 7, "row", "returned 7", "return"),
    (lambda row: {"chill": "x", "is_far": True}, "row", "'x' is not a number", ""),
]


@pytest.mark.parametrize(("function", "mode", "message", "hint"), WRONG)
def test_a_function_that_looks_beyond_its_row_is_refused(
    store: FeatureStore, function: Any, mode: str, message: str, hint: str
) -> None:
    with pytest.raises(InvalidInput, match=message) as caught:
        store.register(view(function, mode=mode))
    assert hint in caught.value.hint
    assert store.find(kind=OnDemandView) == []


def test_what_only_the_notebook_has_is_found_in_a_clean_process(store: FeatureStore) -> None:
    import sys
    import types

    module = types.ModuleType("made_up_here")
    module.factor = 2.0  # type: ignore[attr-defined]
    sys.modules["made_up_here"] = module

    def hidden(row: Any) -> Any:
        import made_up_here  # type: ignore[import-not-found]

        return {"chill": row["temp"] * made_up_here.factor, "is_far": True}

    try:
        with pytest.raises(InvalidInput, match=r"does not run in a clean process.*made_up_here"):
            store.register(view(hidden, mode="row"))
    finally:
        del sys.modules["made_up_here"]


def test_an_example_of_ones_own_is_tried(store: FeatureStore) -> None:
    def root(row: Any) -> Any:
        return {"chill": math.sqrt(row["temp"]), "is_far": True}

    store.register(view(root, mode="row"))
    with pytest.raises(InvalidInput, match="math domain error"):
        store.register(view(root, mode="row", example=[{"temp": -1.0, "wind": 1, "miles": 1}]))
    with pytest.raises(InvalidInput, match="no column 'miles'"):
        store.register(view(root, mode="row", example=[{"temp": -1.0, "wind": 1}]))


def test_what_comes_with_the_question_is_checked(store: FeatureStore) -> None:
    store.register(view(scaled))
    with pytest.raises(InvalidInput, match="lacks 'miles'"):
        store.get_online_features({"origin": "JFK"}, ["feel:chill"])
    with pytest.raises(InvalidInput, match="'far' is not a whole number"):
        store.get_online_features({"origin": "JFK", "miles": "far"}, ["feel:chill"])
    with pytest.raises(InvalidInput, match="no column 'miles'"):
        store.get_historical_features([{"origin": "JFK", "event_timestamp": START}], ["feel:chill"])


def test_names_of_inputs_do_not_collide(store: FeatureStore) -> None:
    for changes, message in [
        ({"request": {"temp": "int64"}}, "occurs twice"),
        ({"schema": {"temp": "float64"}}, "an input and a feature"),
        ({"inputs": ["weather:tmp"]}, "no feature 'tmp'"),
    ]:
        with pytest.raises(Exception, match=message):
            store.register(view(scaled, **changes))


def test_every_type_goes_through(store: FeatureStore) -> None:
    kinds = {
        "i": "int64", "j": "int32", "x": "float64", "y": "float32", "b": "bool", "s": "string", "d": "bytes",
        "t": "timestamp",
    }  # fmt: skip
    schema = {f"{name}2": kind for name, kind in kinds.items()}

    def same(frame: pd.DataFrame) -> Any:
        return frame.rename(columns=lambda name: f"{name}2")

    def same_row(row: Any) -> Any:
        return {f"{name}2": value for name, value in row.items()}

    row = {
        "i": 2**53 + 1,
        "j": -5,
        "x": 0.1,
        "y": 0.5,
        "b": False,
        "s": "ä",
        "d": b"\0",
        "t": START + timedelta(microseconds=1),
    }
    for function, mode in ((same, "frame"), (same_row, "row")):
        store.register(OnDemandView(name="all", function=function, request=kinds, schema=schema, mode=mode))
        answer = store.get_online_features([row, dict.fromkeys(row)], [f"all:{name}" for name in schema])
        assert answer.values == [tuple(row.values()), (None,) * 8]
        table = pa.Table.from_pylist([row | {"event_timestamp": START}])
        table = table.set_column(1, "j", table["j"].cast(pa.int32()))
        out = store.get_historical_features(table, ["all"]).to_pylist()[0]
        assert {name: out[f"{name}2"] for name in row} == row
