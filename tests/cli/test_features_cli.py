"""``features`` as it is typed: looking, materializing, asking for values now and then, checking, drift."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

import jupyter_mlops as mlops
from jupyter_mlops.features import Expectation, FeatureService
from jupyter_mlops.session.place import close_workspace

from .conftest import Tell

HOURS = pd.date_range("2026-11-20", periods=48, freq="h", tz="UTC")
ROWS = pd.DataFrame({"origin": "JFK", "event_timestamp": HOURS, "temp": [float(hour) for hour in range(48)]})


@pytest.fixture
def store(tell: Tell, tmp_path: Path) -> Iterator[Path]:
    (tmp_path / "mlops.toml").touch()
    ROWS.to_parquet(tmp_path / "weather.parquet")

    @mlops.feature_view(
        entities="airport=origin",
        ttl="900d",
        expectations=[Expectation("between", "temp", low=-60, high=60)],
    )
    def weather() -> pd.DataFrame:
        """Hourly weather."""
        import pandas

        return pandas.read_parquet("weather.parquet")

    mlops.register_features(FeatureService(name="departure", features=["weather"], owner="ann"))
    yield tmp_path
    close_workspace()


def test_from_the_source_to_an_answer(tell: Tell, store: Path) -> None:
    assert "never" in tell("features").out
    said = tell("features", "materialize", "--json").json["materializations"]
    assert [(one["view"], one["rows"], one["online_rows"], one["state"]) for one in said] == [
        ("weather", 48, 1, "succeeded")
    ]
    assert tell("features", "materialize", "weather").code == 0
    assert "just now" in tell("features").out
    (row,) = tell("features", "get", "departure", "origin=JFK", "--json").json["rows"]
    assert row["entity"] == {"origin": "JFK"}
    assert (row["features"]["temp"]["value"], row["features"]["temp"]["status"]) == (47.0, "PRESENT")
    said = tell("features", "get", "weather:temp", "-e", "origin=JFK", "-e", "origin=EWR")
    assert "PRESENT" in said.out
    assert "NOT_FOUND" in said.out
    shown = tell("features", "show", "weather")
    for text in ("Hourly weather", "float64", "def weather", "✔  temp", "48"):
        assert text in shown.out
    body = tell("features", "show", "weather", "--json").json
    assert (
        body["view"]["rows"],
        body["materializations"][-1]["rows"],
        body["expectations"][0]["is_met"],
    ) == (
        48,
        48,
        True,
    )
    assert tell("features", "show", "departure", "--json").json["service"]["owner"] == "ann"
    assert tell("features", "show", "airport").code == 0
    assert (store / ".mlops").is_dir()


def test_history_is_as_it_was_known_and_its_replay_agrees(tell: Tell, store: Path) -> None:
    tell("features", "materialize")
    asked = pd.DataFrame({"origin": ["JFK", "JFK"], "at": ["2026-11-20T05:30:00Z", "2026-11-21T00:00:00Z"]})
    asked.to_csv(store / "asked.csv", index=False)
    assert tell("features", "history", "asked.csv", "departure", "-t", "at", "-o", "train.csv").code == 0
    assert pd.read_csv(store / "train.csv")["temp"].tolist() == [5.0, 24.0]
    assert tell("features", "check", "train.csv", "departure", "-t", "at").code == 0
    pd.read_csv(store / "train.csv").assign(temp=[5.0, 0.0]).to_csv(store / "served.csv", index=False)
    said = tell("features", "check", "served.csv", "departure", "-t", "at", "--json")
    assert (said.code, said.json["is_consistent"], said.json["features"][0]["mismatch"]) == (1, False, 1)
    assert tell("features", "check", "served.csv", "departure", "-t", "at", "--limit", "0.5").code == 0


def test_rows_are_pushed_and_drift_is_told(tell: Tell, store: Path) -> None:
    tell("features", "materialize")
    late = pd.DataFrame({"origin": ["EWR"], "event_timestamp": ["2026-11-22T00:00:00Z"], "temp": [3.5]})
    late.to_csv(store / "late.csv", index=False)
    assert tell("features", "push", "weather", "late.csv").out == "1 row pushed to weather\n"
    (row,) = tell("features", "get", "weather:temp", "origin=EWR", "--json").json["rows"]
    assert row["features"]["temp"]["value"] == 3.5
    assert tell("features", "drift", "weather", "weather.parquet").code == 0
    ROWS.assign(temp=ROWS.temp + 100).to_parquet(store / "hot.parquet")
    said = tell("features", "drift", "weather", "hot.parquet", "--json")
    assert (said.code, said.json["is_drifted"]) == (1, True)


def test_a_broken_expectation_ends_with_a_line_and_keeps_nothing(tell: Tell, store: Path) -> None:
    ROWS.assign(temp=100.0).to_parquet(store / "weather.parquet")
    said = tell("features", "materialize")
    assert (said.code, said.out) == (1, "")
    assert "temp" in said.err
    assert "never" in tell("features").out


def test_feast_gets_a_repository(tell: Tell, store: Path) -> None:
    tell("features", "materialize")
    assert tell("features", "export", "-o", "feast").code == 0
    assert (store / "feast" / "feature_store.yaml").is_file()


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize(
    ("words", "message", "hint"),
    [
        (["show", "wether"], "no feature definition is called 'wether'", "did you mean 'weather'?"),
        (["materialize", "wether"], "wether", "did you mean 'weather'?"),
        (["materialize", "--start", "monday"], "'monday' is no moment", "2026-11-24"),
        (["get", "departure"], "features and an entity are needed", "origin=JFK"),
        (["get", "departure", "-e", "origin"], "-e 'origin' is no pair", ""),
        (["history", "none.csv", "departure"], "there is no file none.csv", ""),
        (["drift", "weather"], "either a file of rows or --model", ""),
        (["gt"], "there is no command 'features gt'", "did you mean 'get'?"),
    ],
)
def test_what_is_wrong_is_said_in_a_line(tell: Tell, words: list[str], message: str, hint: str) -> None:
    said = tell("features", *words)
    assert said.code in (1, 2)
    assert message in said.err
    assert hint in said.err
    assert "Traceback" not in said.err
