"""A feature store with a clock of its own, and a Redis."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from jupyter_mlops.blobs import BlobStore
from jupyter_mlops.catalog import Catalog
from jupyter_mlops.features import Entity, FeatureStore

NOON = datetime(2024, 3, 10, 12, tzinfo=UTC)


@dataclass
class Clock:
    """What the store takes for now."""

    now: datetime = NOON

    def __call__(self) -> datetime:
        return self.now

    def go(self, **ahead: float) -> datetime:
        self.now += timedelta(**ahead)
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path, clock: Clock) -> Iterator[FeatureStore]:
    with (
        Catalog.open(f"sqlite:///{tmp_path}/catalog.db") as catalog,
        FeatureStore(catalog, BlobStore(tmp_path / "blobs"), root=tmp_path, now=clock) as opened,
    ):
        yield opened


@pytest.fixture
def airport() -> Entity:
    return Entity("airport", "origin")
