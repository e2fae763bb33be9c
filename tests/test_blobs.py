"""References, and what goes wrong on real disks. What every store promises is in ``conformance/``."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_mlops.blobs import BlobStore, Reference, make_reference, parse_reference
from jupyter_mlops.errors import InvalidInput, InvalidSettings, NotFound, StorageUnavailable

DIGEST = "ab" * 32


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_a_reference_says_digest_name_and_format() -> None:
    text = make_reference(DIGEST, "train", "parquet")
    assert text == f"blob://sha256/{DIGEST}/train.parquet"
    assert parse_reference(text) == Reference(DIGEST, "train", "parquet")
    assert str(parse_reference(text)) == text


names = st.text(st.characters(exclude_categories=("Cs",)), min_size=1)
formats = st.lists(st.from_regex(r"[a-z0-9_]{1,6}", fullmatch=True), max_size=2).map(".".join)


@given(names, formats)
def test_any_name_makes_the_round_trip(name: str, format_: str) -> None:
    reference = make_reference(DIGEST, name, format_)
    assert reference.isascii()
    assert parse_reference(reference) == Reference(DIGEST, name, format_)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "train",
        None,
        3,
        "blob://",
        f"blob://sha256/{DIGEST}",
        f"blob://sha256/{DIGEST}/",
        "blob://sha256/ab/x.y",
    ],
)
def test_anything_else_is_no_reference(text: object) -> None:
    assert parse_reference(text) is None


def test_a_reference_of_nonsense_is_refused() -> None:
    for digest, name, format_ in ((DIGEST, "", "csv"), (DIGEST, "x", "c/v"), ("ab", "x", "csv")):
        with pytest.raises(InvalidInput):
            make_reference(digest, name, format_)


def test_a_folder_needs_no_fsspec(tmp_path: Path) -> None:
    code = """
import sys
from jupyter_mlops.blobs import BlobStore
store = BlobStore(sys.argv[1])
store.read_bytes(store.put_bytes(b"x"))
print("fsspec" in sys.modules)
"""
    assert subprocess.check_output([sys.executable, "-c", code, str(tmp_path)], text=True).strip() == "False"


def test_a_file_url_is_a_folder(tmp_path: Path) -> None:
    assert BlobStore(f"file://{tmp_path}/b%20c").url == f"{tmp_path}/b c"


def test_a_missing_source_is_told(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="is not a file"):
        BlobStore(tmp_path).put_file(tmp_path / "missing")
    with pytest.raises(InvalidInput, match="is not a file"):
        BlobStore(tmp_path).put_file(tmp_path)


def test_a_place_that_nobody_knows_is_told(tmp_path: Path) -> None:
    with pytest.raises(InvalidSettings, match="nowhere://x"):
        BlobStore("nowhere://x").put_bytes(b"")


def test_a_server_that_does_not_answer_is_told() -> None:
    options = {"key": "k", "secret": "hunter2", "client_kwargs": {"endpoint_url": "http://127.0.0.1:9"}}
    options["config_kwargs"] = {"retries": {"max_attempts": 1}, "connect_timeout": 2}
    with pytest.raises(StorageUnavailable, match="s3://bucket/x") as caught:
        BlobStore("s3://bucket/x", options).put_bytes(b"x")
    assert "hunter2" not in str(caught.value)
    assert "blob_options" in caught.value.hint


def test_a_bucket_that_is_not_there_is_told(s3: dict[str, object]) -> None:
    with pytest.raises(StorageUnavailable, match="s3://missing-bucket"):
        BlobStore("s3://missing-bucket/x", s3).put_bytes(b"x")
    with pytest.raises(NotFound):
        BlobStore("s3://missing-bucket/x", s3).read_bytes(DIGEST)


def test_a_folder_that_is_a_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageUnavailable, match="cannot write"):
        BlobStore(tmp_path / "file").put_bytes(b"x")


@pytest.fixture
def small_disk(tmp_path: Path) -> Path:
    """A real file system of one megabyte."""
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder], capture_output=True)
    if mounted.returncode:
        pytest.skip(f"cannot mount a tmpfs here: {mounted.stderr.decode().strip()}")
    return folder


def test_a_full_disk_is_told_and_leaves_nothing_half_written(small_disk: Path, tmp_path: Path) -> None:
    try:
        store = BlobStore(small_disk / "blobs")
        small = store.put_bytes(b"fits")
        (tmp_path / "large").write_bytes(b"x" * 2_000_000)
        for put in (
            lambda: store.put_bytes(b"y" * 2_000_000),
            lambda: store.put_file(tmp_path / "large"),
            lambda: store.put_document("marker", b"z" * 2_000_000),
        ):
            with pytest.raises(StorageUnavailable, match="No space left") as caught:
                put()
            assert "jupyter mlops clean" in caught.value.hint
        assert len(files_in(small_disk)) == 1
        assert list(store.digests()) == [small]
        assert store.read_bytes(store.put_bytes(b"fits now too")) == b"fits now too"
    finally:
        subprocess.run(["umount", small_disk], check=True)


def test_a_file_that_may_not_grow_further_is_told_and_leaves_nothing(tmp_path: Path) -> None:
    code = """
import resource, sys
from jupyter_mlops.blobs import BlobStore
from jupyter_mlops.errors import StorageUnavailable
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    BlobStore(sys.argv[1]).put_bytes(b"x" * 1_000_000)
except StorageUnavailable as error:
    print(error, "|", error.hint)
"""
    told = subprocess.check_output([sys.executable, "-c", code, str(tmp_path / "blobs")], text=True)
    assert "File too large" in told
    assert "ulimit" in told
    assert files_in(tmp_path / "blobs") == []


def test_killing_a_writer_at_any_moment_leaves_no_damaged_blob(tmp_path: Path) -> None:
    code = """
import os, sys
from jupyter_mlops.blobs import BlobStore
store = BlobStore(sys.argv[1])
print("ready", flush=True)
while True:
    store.put_bytes(os.urandom(4_000_000))
    store.put_document("marker", os.urandom(1000) * 1000)
"""
    store = BlobStore(tmp_path / "blobs")
    for number in range(8):
        writer = subprocess.Popen([sys.executable, "-c", code, store.url], stdout=subprocess.PIPE, text=True)
        assert writer.stdout is not None
        writer.stdout.readline()
        time.sleep(0.02 + number * 0.011)
        writer.kill()
        writer.communicate()
        for digest in store.digests():
            assert len(store.read_bytes(digest)) == 4_000_000
        marker = store.read_document("marker")
        assert marker is None or len(marker) == 1_000_000


def test_clean_takes_what_killed_writers_left(tmp_path: Path) -> None:
    store = BlobStore(tmp_path / "blobs")
    store.put_bytes(b"x")
    left = tmp_path / "blobs" / "tmp" / "left"
    left.write_bytes(b"half")
    store.clean(set(store.digests()))
    assert left.exists()
    os.utime(left, (0, 0))
    store.clean(set(store.digests()))
    assert not left.exists()


def test_a_blob_that_is_put_again_survives_a_clean_that_would_take_it(tmp_path: Path) -> None:
    store = BlobStore(tmp_path / "blobs")
    digest = store.put_bytes(b"x")
    os.utime(store.local_path(digest), (0, 0))
    assert store.clean([], is_dry_run=True) == [digest]
    store.put_bytes(b"x")
    assert store.clean([]) == []


def test_the_cache_of_downloads_forgets_what_was_unused_for_longest(tmp_path: Path) -> None:
    from jupyter_mlops.blobs.files import LocalFiles
    from jupyter_mlops.blobs.store import _forget_oldest

    cache = LocalFiles(tmp_path)
    for number, name in enumerate(("sha256/aa/new", "sha256/bb/old", "sha256/cc/older")):
        cache.write(name, b"x" * 100)
        os.utime(tmp_path / name, (time.time() - number * 7200,) * 2)
    _forget_oldest(cache, limit_bytes=250)
    assert [key for key, _ in cache.keys("sha256")] == ["sha256/aa/new", "sha256/bb/old"]
    _forget_oldest(cache, limit_bytes=0)
    assert [key for key, _ in cache.keys("sha256")] == ["sha256/aa/new"]  # used within the hour
