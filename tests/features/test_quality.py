"""Profiles, drift, and the replay of what was served."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from jupyter_mlops.errors import InvalidInput
from jupyter_mlops.features import Entity, FeatureStore, FeatureView, drift, profile_frame

START = datetime(2024, 3, 1, tzinfo=UTC)
generator = np.random.default_rng(7)


def frame(rows: int = 5000, **changes: Any) -> pd.DataFrame:
    base = {
        "temp": generator.normal(10, 3, rows), "wind": generator.poisson(4, rows),
        "sky": generator.choice(["clear", "rain", "snow"], rows, p=[0.7, 0.2, 0.1]),
        "is_day": generator.random(rows) > 0.4,
        "seen": pd.to_datetime(START) + pd.to_timedelta(generator.random(rows) * 86400, unit="s"),
    }  # fmt: skip
    return pd.DataFrame(base | changes)


def test_a_profile_is_small_json_with_what_matters() -> None:
    data = frame(1000)
    data.loc[:99, "temp"] = np.nan
    profile = profile_frame(data.assign(raw=b"x", nested=[[1]] * 1000))
    assert json.loads(json.dumps(profile)) == profile
    temp = profile["features"]["temp"]
    assert (profile["rows"], temp["nulls"], temp["dtype"]) == (1000, 100, "float64")
    assert temp["mean"] == pytest.approx(data["temp"].mean())
    assert temp["std"] == pytest.approx(data["temp"].std())
    assert sum(temp["shares"]) == pytest.approx(1)
    assert profile["features"]["sky"]["top"]["clear"] == pytest.approx((data["sky"] == "clear").mean())
    assert set(profile["features"]) == {*data.columns, "raw"}  # a list can be no feature
    assert list(profile_frame(data, ["wind"])["features"]) == ["wind"]
    assert len(json.dumps(profile)) < 20_000


def test_odd_columns_have_profiles_too() -> None:
    odd = pa.table(
        {
            "empty": pa.array([None, None], pa.float64()), "same": [1, 1], "huge": [float("inf"), 1.0],
            "nothing": pa.array([None, None], pa.string()),
        }
    )  # fmt: skip
    profile = profile_frame(odd)
    assert json.loads(json.dumps(profile, allow_nan=False)) == profile
    assert not drift(profile, odd).is_drifted
    assert profile_frame(odd.slice(0, 0))["rows"] == 0


def test_the_same_distribution_has_not_drifted() -> None:
    found = drift(profile_frame(frame()), frame())
    assert not found.is_drifted
    assert [one.feature for one in found.features] == ["temp", "wind", "sky", "is_day", "seen"]
    assert all(one.psi < 0.05 and (one.ks is None or one.ks < 0.05) for one in found.features)


@pytest.mark.parametrize(
    ("feature", "changed"),
    [
        ("temp", generator.normal(14, 3, 5000)),
        ("temp", generator.normal(10, 12, 5000)),
        ("temp", np.where(generator.random(5000) < 0.3, np.nan, generator.normal(10, 3, 5000))),
        ("wind", generator.poisson(9, 5000)),
        ("sky", generator.choice(["clear", "rain", "hail"], 5000)),
        ("is_day", np.zeros(5000, bool)),
        ("seen", pd.to_datetime([START + timedelta(days=30)] * 5000)),
    ],
)
def test_another_distribution_has(feature: str, changed: Any) -> None:
    found = drift(profile_frame(frame()), frame(**{feature: changed}))
    assert [one.feature for one in found.features if one.is_drifted] == [feature]


def test_ks_is_the_distance_of_the_distributions() -> None:
    from scipy.stats import ks_2samp

    before, now = generator.normal(0, 1, 20_000), generator.normal(0.4, 1.2, 3000)
    found = drift(profile_frame(pd.DataFrame({"x": before})), pd.DataFrame({"x": now})).features[0]
    assert found.ks == pytest.approx(ks_2samp(before, now).statistic, abs=0.02)


def test_a_plot_shows_each_feature() -> None:
    figure = drift(profile_frame(frame()), frame(temp=generator.normal(20, 1, 5000))).plot()
    # Another test's style may have put titles to the left.
    titles = [panel.get_title() or panel.get_title("left") for panel in figure.axes if panel.get_visible()]
    assert [title.partition(":")[0] for title in titles] == ["temp", "wind", "sky", "is_day", "seen"]
    figure.canvas.draw()


def test_nothing_in_common_is_told() -> None:
    with pytest.raises(InvalidInput, match="none of the profile's features: temp"):
        drift(profile_frame(frame()), pd.DataFrame({"x": [1]}))
    with pytest.raises(InvalidInput, match="'temp' has the type"):
        drift(profile_frame(frame()), pd.DataFrame({"temp": ["x"]}))


def test_a_large_frame_is_sampled_the_same_each_time() -> None:
    data = pd.DataFrame({"x": np.arange(250_000) % 1000})
    profile = profile_frame(data)
    again = profile_frame(data)["features"]["x"]
    assert {name: again[name] for name in ("edges", "shares", "quantiles")}.items() <= profile["features"][
        "x"
    ].items()
    assert profile["rows"] == 250_000
    assert profile["features"]["x"]["max"] == 999


# --- replay ---------------------------------------------------------------------------------------------


@pytest.fixture
def served(store: FeatureStore, airport: Entity) -> pd.DataFrame:
    """2,000 questions and what a store that is right would have served."""
    store.register(
        FeatureView(
            name="weather", entities=[airport], schema={"temp": "float64", "wind": "int64", "sky": "string"},
            ttl=timedelta(hours=5),
        )
    )  # fmt: skip
    keys = [f"A{number}" for number in range(40)]
    data = frame(2000)
    rows = pd.DataFrame(
        {
            "origin": generator.choice(keys, 2000), "temp": data["temp"], "wind": data["wind"], "sky": data["sky"],
            "event_timestamp": pd.to_datetime(START) + pd.to_timedelta(np.arange(2000), unit="min"),
        }
    )  # fmt: skip
    store.push("weather", rows)
    asked = pd.DataFrame({
        "origin": generator.choice(keys, 2000),
        "event_timestamp": pd.to_datetime(START) + pd.to_timedelta(generator.random(2000) * 150_000, unit="s"),
        "prediction": 0.5,
    })  # fmt: skip
    return pd.DataFrame(store.get_historical_features(asked, ["weather"]))


def test_what_was_served_right_is_consistent(store: FeatureStore, served: pd.DataFrame) -> None:
    check = store.check(served, ["weather"])
    assert check.is_consistent
    assert check.to_pandas()[["mismatch", "missing", "extra"]].to_numpy().sum() == 0
    assert len(check.examples) == 0
    assert "temp" in check._repr_html_()


def test_each_fault_is_found_and_put_into_its_class(store: FeatureStore, served: pd.DataFrame) -> None:
    has_value = np.flatnonzero(served["temp"].notna())
    has_none = np.flatnonzero(served["temp"].isna())
    assert len(has_none) > 20
    wrong, lost, ghosts = has_value[:20], has_value[20:30], has_none[:7]
    served.loc[wrong, "temp"] *= 1.8
    served.loc[lost, "temp"] = np.nan
    served.loc[ghosts, "sky"] = "clear"
    check = store.check(served, ["weather"])
    temp, wind, sky = check.features
    assert (temp.mismatch, temp.missing, temp.extra) == (20, 10, 0)
    assert (wind.mismatch, wind.missing, wind.extra) == (0, 0, 0)
    assert (sky.mismatch, sky.missing, sky.extra) == (0, 0, 7)
    assert temp.smape is not None
    assert 0 < temp.smape < 0.05
    assert not check.is_consistent
    assert store.check(served, ["weather"], limit=0.05).is_consistent
    assert set(check.examples["class"]) == {"mismatch", "missing", "extra"} & set(check.examples["class"])
    assert {"origin", "event_timestamp", "served", "expected"} <= set(check.examples.columns)


def test_a_tolerance_allows_for_rounding(store: FeatureStore, served: pd.DataFrame) -> None:
    served["temp"] *= 1 + 1e-4
    assert not store.check(served, ["weather:temp"]).is_consistent
    assert store.check(served, ["weather:temp"], tolerance=1e-3).is_consistent


def test_a_log_that_lacks_something_is_told(store: FeatureStore, served: pd.DataFrame) -> None:
    with pytest.raises(InvalidInput, match="no column 'sky'"):
        store.check(served.drop(columns="sky"), ["weather"])
    with pytest.raises(InvalidInput, match="'temp' has the type"):
        store.check(served.assign(temp="hot"), ["weather"])
    with pytest.raises(InvalidInput, match="shares from 0 to 1"):
        store.check(served, ["weather"], limit=7)


def test_drift_may_be_asked_of_views(store: FeatureStore, airport: Entity) -> None:
    def weather(start: datetime | None = None) -> pd.DataFrame:
        data = frame(3000, temp=np.full(3000, 50.0)) if start else frame(3000)
        moment = START + timedelta(days=2) if start else START
        return data.assign(
            origin=[f"A{n}" for n in range(3000)], event_timestamp=pd.to_datetime([moment] * 3000)
        )

    weather.__globals__.update(frame=frame)
    store.register(FeatureView(name="w", entities=[airport], function=weather))
    store.materialize("w", end=START)
    before = store.profile("w")
    assert not store.drift(before, "w").is_drifted
    store.materialize("w")
    assert [one.feature for one in store.drift(before, "w").features if one.is_drifted] == ["temp"]
