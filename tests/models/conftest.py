from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from jupyter_mlops.blobs import BlobStore
from jupyter_mlops.catalog import Catalog
from jupyter_mlops.models import ModelStore


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def catalog_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty catalog, on each engine."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/catalog.db"
    url: str = request.getfixturevalue("postgresql").fresh()
    return url


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    with Catalog.open(f"sqlite:///{tmp_path}/catalog.db") as opened:
        yield opened


@pytest.fixture
def blobs(tmp_path: Path) -> BlobStore:
    return BlobStore(tmp_path / "blobs")


@pytest.fixture
def store(catalog: Catalog, blobs: BlobStore) -> ModelStore:
    return ModelStore(catalog, blobs, user_name="ada")


@pytest.fixture(scope="session")
def flights() -> pd.DataFrame:
    rng = np.random.default_rng(7)
    return pd.DataFrame(
        {
            "departure": rng.integers(0, 24, 200) * 100 + rng.integers(0, 60, 200),
            "distance": rng.random(200) * 4000,
            "carrier": rng.choice(["AA", "UA", "DL"], 200),
            "at": pd.date_range("2026-01-01", periods=200, freq="h", tz="UTC"),
        }
    )


@pytest.fixture(scope="session")
def fitted(flights: pd.DataFrame) -> tuple[Any, Callable[..., Any], Callable[..., Any]]:
    """A model, its featurize and its predict."""
    from sklearn.linear_model import LogisticRegression

    def featurize(data):
        return pd.DataFrame(
            {
                "hour": data["departure"] // 100,
                "distance": np.log1p(data["distance"]),
                "is_united": (data["carrier"] == "UA").astype(int),
                "weekday": data["at"].dt.day_of_week,
            }
        )

    def predict(model, features):
        return model.predict_proba(features)[:, 1]

    model = LogisticRegression(max_iter=500).fit(featurize(flights), flights["distance"] > 2000)
    return model, featurize, predict


@pytest.fixture
def register(store: ModelStore, flights: pd.DataFrame, fitted: Any) -> Callable[..., Any]:
    """Register a version; keyword arguments replace the usual ones."""
    model, featurize, predict = fitted

    def call(name: str = "delay", **changes: Any) -> Any:
        given: dict[str, Any] = {
            "model": model,
            "featurize": featurize,
            "predict": predict,
            "input_example": flights.head(6),
            "code": {"cells": ["fit()"], "git": {"commit": "c0ffee", "is_dirty": False}},
        }
        return store.register(name, **{**given, **changes})

    return call
