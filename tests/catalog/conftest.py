from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from jupyter_mlops.catalog import Catalog


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def catalog_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database without any tables, on each engine."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/deep/catalog.db"
    url: str = request.getfixturevalue("postgresql").fresh()
    return url


@pytest.fixture
def catalog(catalog_url: str) -> Iterator[Catalog]:
    with Catalog.open(catalog_url, busy_seconds=5) as opened:
        yield opened
