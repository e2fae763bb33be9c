"""Feast's and Polars' side of the stores' benchmark, for the Python that has them; see `stores_features`.

Imports, the registry and the reading of the questions are not part of any figure.
"""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import feast
import pandas as pd
import polars as pl
from feast import Entity, FeatureStore, FeatureView, Field, FileSource, RepoConfig, ValueType
from feast.types import Float64, Int64
from peer_loop import middle, serve

STORES: dict[str, FeatureStore] = {}


def versions() -> dict[str, Any]:
    return {"feast": feast.__version__, "polars": pl.__version__}


def prepare(
    store: str, folder: str, offline: str, online: dict[str, Any], views: dict[str, str], ttl_days: float
) -> dict[str, Any]:
    """Make a store: `views` has a parquet file for each name."""
    Path(folder).mkdir(parents=True, exist_ok=True)
    made = FeatureStore(
        config=RepoConfig(
            project="bench", provider="local", registry=f"{folder}/registry.db", online_store=online,
            offline_store={"type": offline}, entity_key_serialization_version=3,
        )
    )  # fmt: skip
    user = Entity(name="user", join_keys=["user"], value_type=ValueType.INT64)
    definitions: list[Any] = [user]
    for name, path in views.items():
        source = FileSource(
            name=f"{name}_source", path=path, timestamp_field="ts", created_timestamp_column="created"
        )
        fields = [Field(name=f"{name}_{place}", dtype=Float64) for place in range(3)]
        definitions.append(
            FeatureView(
                name=name, entities=[user], ttl=timedelta(days=ttl_days), source=source,
                schema=[Field(name="user", dtype=Int64), *fields],
            )
        )  # fmt: skip
    started = time.perf_counter()
    made.apply(definitions)
    STORES[store] = made
    return {"seconds": time.perf_counter() - started}


def join(store: str, questions: str, features: list[str], answer: str) -> dict[str, Any]:
    frame = pd.read_parquet(questions)
    started = time.perf_counter()
    found = STORES[store].get_historical_features(entity_df=frame, features=features).to_df()
    seconds = time.perf_counter() - started
    found.to_parquet(answer)
    return {"seconds": seconds, "rows": len(found)}


def polars(
    questions: str, views: dict[str, str], ttl_days: float, answer: str, kind: str = "pandas"
) -> dict[str, Any]:
    """The join by hand, from the same frame to a frame of the same kind."""
    frame: Any = pd.read_parquet(questions)
    if kind == "polars":
        frame = pl.from_pandas(frame)
    started = time.perf_counter()
    left = (pl.from_pandas(frame) if kind == "pandas" else frame).lazy().sort("event_timestamp")
    for path in views.values():
        rows = pl.scan_parquet(path).drop("created").sort("ts")
        left = left.join_asof(
            rows, left_on="event_timestamp", right_on="ts", by="user", tolerance=timedelta(days=ttl_days),
            check_sortedness=False,
        )  # fmt: skip
        left = left.drop("ts", strict=False)
    found: Any = left.collect()
    if kind == "pandas":
        found = found.to_pandas()
    seconds = time.perf_counter() - started
    (found if kind == "pandas" else found.to_pandas()).to_parquet(answer)
    return {"seconds": seconds, "rows": len(found)}


def materialize(store: str, start: str, end: str, view: str) -> dict[str, Any]:
    bounds = [datetime.fromisoformat(text) for text in (start, end)]
    started = time.perf_counter()
    STORES[store].materialize(*bounds, feature_views=[view])
    return {"seconds": time.perf_counter() - started}


def read(store: str, features: list[str], users: list[int], times: int) -> dict[str, Any]:
    rows = [{"user": user} for user in users]
    made = STORES[store]

    def call() -> Any:
        return made.get_online_features(features=features, entity_rows=rows).to_dict()

    return {**middle(call, times), "answer": call()}


if __name__ == "__main__":
    serve(
        {
            "versions": versions, "prepare": prepare, "join": join, "polars": polars,
            "materialize": materialize, "read": read,
        }
    )  # fmt: skip
