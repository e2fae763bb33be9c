"""Blobs on their way from one store to another, and from one cloud to the next."""

from __future__ import annotations

import os
import uuid
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from jupyter_mlops.blobs import BlobStore
from jupyter_mlops.blobs.sync import sync
from jupyter_mlops.errors import CorruptBlob, InvalidInput

CLOUDS = {"s3": "s3://mlops", "gcs": "gs://mlops", "azure": "abfs://mlops"}


@pytest.fixture
def here(tmp_path: Path) -> BlobStore:
    store = BlobStore(tmp_path / "blobs")
    for number in range(50):
        store.put_bytes(b"%d" % number * 100)
    large = tmp_path / "large"
    large.write_bytes(
        os.urandom(4 << 20) + b"."
    )  # the emulator of Google's storage loses a last carriage return
    store.put_file(large)
    store.put_document("outcomes/run/task/1.json", b"{}")
    return store


def test_a_copy_is_whole_and_a_second_one_sends_nothing(here: BlobStore, tmp_path: Path) -> None:
    there = BlobStore(tmp_path / "other")
    told: list[int] = []
    first = sync(here, there, progress=lambda done, count: told.append(done.copied))
    assert (first.copied, first.present, first.documents) == (51, 0, 1)
    assert list(there.digests()) == list(here.digests())
    assert there.documents() == here.documents()
    assert told == sorted(told)
    again = sync(here, there)
    assert (again.copied, again.copied_bytes, again.present) == (0, 0, 51)


def test_a_dry_run_copies_nothing(here: BlobStore, tmp_path: Path) -> None:
    there = BlobStore(tmp_path / "other")
    said = sync(here, there, is_dry_run=True)
    assert said.copied == 51
    assert said.copied_bytes > 4 << 20
    assert list(there.digests()) == []


def test_only_some(here: BlobStore, tmp_path: Path) -> None:
    there = BlobStore(tmp_path / "other")
    wanted = list(here.digests())[:3]
    assert sync(here, there, digests=wanted).copied == 3
    assert list(there.digests()) == wanted


def test_what_is_damaged_is_not_passed_on(here: BlobStore, tmp_path: Path) -> None:
    digest = next(iter(here.digests()))
    path = Path(here.url, "sha256", digest[:2], digest[2:])
    path.chmod(0o644)
    path.write_bytes(b"damaged")
    there = BlobStore(tmp_path / "other")
    with pytest.raises(CorruptBlob):
        sync(here, there)
    assert digest not in list(there.digests())
    assert there.documents() == []  # a document could name what is not there


def test_to_itself(here: BlobStore) -> None:
    with pytest.raises(InvalidInput):
        sync(here, here)


@pytest.mark.slow
def test_from_cloud_to_cloud_and_home_again(
    here: BlobStore, tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    stops: list[BlobStore] = [here]
    for name, url in CLOUDS.items():
        options: dict[str, Any] = request.getfixturevalue(name)
        stops.append(BlobStore(f"{url}/{uuid.uuid4().hex}", options))
    stops.append(BlobStore(tmp_path / "home"))
    for source, target in pairwise(stops):
        assert sync(source, target).copied == 51
    home = stops[-1]
    assert list(home.digests()) == list(here.digests())
    assert all(home.read_bytes(digest) == here.read_bytes(digest) for digest in here.digests())
    assert home.read_document("outcomes/run/task/1.json") == b"{}"
