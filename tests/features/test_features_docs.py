"""The documentation's example runs as it stands."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from jupyter_mlops.features.dtypes import DTYPES

TEXT = (Path(__file__).parents[2] / "docs" / "features.md").read_text(encoding="utf-8")


def test_the_example_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    hours = pd.date_range("2013-01-01", periods=48, freq="h")
    weather = pd.DataFrame({"time_hour": hours, "temp": range(48), "wind_speed": 10.0})
    pd.concat([weather.assign(origin=key) for key in ("JFK", "LGA")]).to_parquet("weather.parquet")
    flights = pd.DataFrame({"origin": "JFK", "dep_time": hours.tz_localize("UTC"), "dep_delay": range(48)})
    flights.to_parquet("flights.parquet")
    names: dict[str, Any] = {"__name__": "__main__"}
    (code,) = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    exec(code, names)
    train = names["train"]
    assert train["temp"].tolist() == [33.0, 34.0]
    assert train["dep_delay_avg_3h"].tolist()[:1] == [32.0]
    assert train["feels"].tolist() == pytest.approx([26.0, 27.0])
    assert train["count_1d__status"].tolist() == ["PRESENT", "NOT_FOUND"]
    assert set(names["answer"].statuses[0]) <= {"PRESENT", "NULL", "EXPIRED"}
    names["store"]._catalog.close()
    names["store"].close()


def test_every_type_is_named() -> None:
    assert f"`{' '.join(DTYPES)}`" in TEXT
