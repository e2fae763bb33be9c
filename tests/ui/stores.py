"""A workspace with models and features in it, as the browser tests and the screenshots need it: a model of six
versions with aliases, a feature view with two batches, views that have none, a service. `python stores.py FOLDER`, in
a process of its own: what a version captures is what stands in `__main__`."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression

from jupyter_mlops import Workspace
from jupyter_mlops.features import Aggregation, Entity, Expectation, FeatureService, FeatureView, OnDemandView
from jupyter_mlops.models import DataSource

_QUERY = "SELECT origin, hour, distance, dep_delay > 15 AS late\nFROM flights\nWHERE week BETWEEN 13 AND 20"


def fill(root: Path) -> None:
    """Register everything in the workspace of a folder."""
    with Workspace.open(root) as workspace:
        _features(workspace, root)
        _models(workspace)


def _models(workspace: Workspace) -> None:
    random = np.random.default_rng(7)
    flights = pd.DataFrame(
        {"distance": random.integers(90, 2500, 400), "departure": random.integers(500, 2300, 400)}
    )

    def featurize(rows: Any) -> Any:
        return rows.assign(hour=rows["departure"] // 100)[["hour", "distance"]]

    def predict(model: Any, features: Any) -> Any:
        return model.predict_proba(features)[:, 1]

    late = (flights["departure"] // 100 + random.normal(0, 5, 400) > 15).astype(int)
    for i, c in enumerate((0.01, 0.05, 0.2, 1.0, 4.0, 8.0)):
        model = LogisticRegression(C=c, max_iter=500).fit(featurize(flights), late)
        auc = 0.711 + 0.031 * np.sqrt(i) - 0.006 * (i == 3)
        workspace.models.register(
            "late-flights",
            model,
            featurize=featurize,
            predict=predict,
            input_example=flights.head(),
            metrics={"auc": round(auc, 4), "log_loss": round(0.61 - 0.02 * i + 0.01 * (i == 3), 4)},
            parameters={"week": 15 + i, "train_weeks": 8},
            tags={"region": "nyc"},
            description="Will a departure be more than 15 minutes late?",
            data=DataSource.of(flights.assign(late=late), query=_QUERY, feature_views=["weather@1"]),
            artifacts={"scores": {"auc": round(auc, 4)}},
            run={"run_id": f"2026-11-{i + 1:02d}-weekly", "task": "train"},
            aliases=["champion"] if i == 3 else ["challenger"] if i == 5 else [],
        )
    workspace.models.set_alias("late-flights", "champion", 4, is_protected=True)
    workspace.models.register(
        "airport-groups",
        LogisticRegression().fit(featurize(flights), late),
        featurize=featurize,
        input_example=flights.head(),
        metrics={"silhouette": 0.41},
        description="Airports that behave alike",
    )


def _features(workspace: Workspace, root: Path) -> None:
    start = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(days=8)
    _weather(start).to_parquet(root / "weather.parquet")
    airport = Entity("airport", join_keys="origin", description="An airport of departure")
    weather = FeatureView(
        name="weather",
        entities=[airport],
        sql="SELECT origin, time_hour AS event_timestamp,\n       temp, wind_speed, sky\nFROM 'weather.parquet'",
        time_zone="UTC",
        ttl=timedelta(hours=6),
        expectations=[
            Expectation("between", "temp", low=-60, high=140),
            Expectation("not_null", "wind_speed", most=0.01, severity="warning"),
        ],
        owner="ops",
        description="What the weather stations measured",
        tags={"source": "noaa"},
    )
    delays = FeatureView(
        name="wind",
        entities=[airport],
        sql="SELECT origin, time_hour AS event_timestamp, wind_speed FROM 'weather.parquet'",
        time_zone="UTC",
        aggregations=[
            Aggregation("avg", "wind_speed", timedelta(hours=3)),
            Aggregation("max", "wind_speed", timedelta(days=1)),
        ],
        owner="ops",
    )

    def chill(frame: Any) -> Any:
        return {"feels": frame["temp"] - frame["wind_speed"] * frame["factor"]}

    feel = OnDemandView(
        name="feel",
        inputs=["weather:temp", "weather:wind_speed"],
        request={"factor": "float64"},
        function=chill,
        schema={"feels": "float64"},
    )
    service = FeatureService(name="departure", features=["weather", "feel:feels"])
    store = workspace.features
    store.register(weather, delays, feel, service)
    store.materialize(["weather"], start=start, end=start + timedelta(days=4), online=False)
    store.materialize(["weather"], end=start + timedelta(days=8), online=False)


def _weather(start: datetime) -> pd.DataFrame:
    random = np.random.default_rng(3)
    hours = pd.date_range(start, periods=24 * 8, freq="h", tz="UTC")
    warmer = np.where(np.arange(len(hours)) < 24 * 4, 0.0, 9.0)  # the second batch drifts
    frames = [
        pd.DataFrame(
            {
                "origin": origin,
                "time_hour": hours,
                "temp": random.normal(48 + warmer, 7).round(1),
                "wind_speed": random.gamma(3, 3, len(hours)).round(1),
                "sky": random.choice(
                    ["clear", "clouds", "rain", "snow"], len(hours), p=[0.45, 0.35, 0.15, 0.05]
                ),
            }
        )
        for origin in ("EWR", "JFK", "LGA")
    ]
    weather = pd.concat(frames, ignore_index=True)
    weather.loc[random.random(len(weather)) < 0.03, "wind_speed"] = None
    return weather


if __name__ == "__main__":
    fill(Path(sys.argv[1]))
