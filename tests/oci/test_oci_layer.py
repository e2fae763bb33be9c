"""Layers: the same files are the same bytes, and other tools read them."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jupyter_mlops.errors import InvalidInput, StorageUnavailable
from jupyter_mlops.oci.layer import Compression, Entry, Owner, folder_files, plan, write_layer

from .conftest import small_disk

EPOCH = 946_684_800


def unpacked(path: Path) -> tarfile.TarFile:
    return tarfile.open(fileobj=io.BytesIO(gzip.decompress(path.read_bytes())))


def test_a_layer_has_parents_modes_owners_and_one_time(tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text("#!/bin/sh\n")
    script.chmod(0o711)
    files = {"/opt/app/b.py": b"2", "opt/app/a/x.py": script, "opt/app/link": Entry(link="a/x.py")}
    layer = write_layer(files, tmp_path / "layer", epoch=EPOCH, owner=Owner(0, 5), folders=("/opt/ml/model",))
    members = unpacked(layer.path).getmembers()
    assert [(one.name, oct(one.mode), one.type) for one in members] == [
        ("opt", "0o755", tarfile.DIRTYPE),
        ("opt/app", "0o755", tarfile.DIRTYPE),
        ("opt/app/a", "0o755", tarfile.DIRTYPE),
        ("opt/app/a/x.py", "0o755", tarfile.REGTYPE),
        ("opt/app/b.py", "0o644", tarfile.REGTYPE),
        ("opt/app/link", "0o777", tarfile.SYMTYPE),
        ("opt/ml", "0o755", tarfile.DIRTYPE),
        ("opt/ml/model", "0o755", tarfile.DIRTYPE),
    ]
    assert {(one.mtime, one.uid, one.gid, one.uname) for one in members} == {(EPOCH, 0, 5, "")}
    assert layer.descriptor.size == layer.path.stat().st_size
    assert layer.descriptor.digest == f"sha256:{hashlib.sha256(layer.path.read_bytes()).hexdigest()}"
    assert layer.diff_id == f"sha256:{hashlib.sha256(gzip.decompress(layer.path.read_bytes())).hexdigest()}"


@settings(max_examples=30, deadline=None)
@given(
    st.dictionaries(
        st.lists(st.text("abcdé ~", min_size=1, max_size=60), min_size=1, max_size=4).map("/".join),
        st.binary(max_size=200),
        max_size=8,
    )
)
def test_the_order_of_files_makes_no_difference(files: dict[str, bytes]) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        try:
            first = write_layer(files, Path(folder, "1"), epoch=EPOCH)
        except InvalidInput:  # a file that is a folder, too
            return
        backward = dict(reversed(files.items()))
        second = write_layer(backward, Path(folder, "2"), epoch=EPOCH)
        assert first.descriptor == second.descriptor
        with unpacked(first.path) as tar:
            found = {one.name: tar.extractfile(one).read() for one in tar if one.isfile()}  # type: ignore[union-attr]
        assert found == files


def test_blocks_of_a_big_file_are_one_stream(tmp_path: Path) -> None:
    big = tmp_path / "big"
    big.write_bytes(os.urandom(6 << 20) + b"\0" * (7 << 20))
    digests = set()
    for compression in ("gzip", "gzip", "none"):
        layer = write_layer({"big": big}, tmp_path / "layer", epoch=0, compression=compression)
        digests.add((layer.descriptor.media_type, layer.descriptor.digest, layer.diff_id))
    assert len(digests) == 2
    assert len({diff_id for _, _, diff_id in digests}) == 1
    layer = write_layer({"big": big}, tmp_path / "layer", epoch=0)
    done = subprocess.run(["tar", "-xzOf", layer.path, "big"], capture_output=True, check=True)
    assert done.stdout == big.read_bytes()


def test_zstd_where_it_is_wanted(tmp_path: Path) -> None:
    zstandard = pytest.importorskip("zstandard")
    compression: Compression = "zstd"
    plain = write_layer({"a": b"x" * 9_000_000}, tmp_path / "plain", epoch=0, compression="none")
    packed = write_layer({"a": b"x" * 9_000_000}, tmp_path / "packed", epoch=0, compression=compression)
    assert packed.diff_id == plain.diff_id
    reader = zstandard.ZstdDecompressor().stream_reader(
        packed.path.open("rb"), read_across_frames=True, closefd=True
    )
    with reader:
        assert reader.read() == plain.path.read_bytes()


def test_another_process_makes_the_same(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from jupyter_mlops.oci.layer import write_layer\n"
        "print(write_layer({'a/b': b'1', 'a/c': b'2' * 5_000_000}, Path(sys.argv[1]), epoch=7).descriptor.digest)"
    )
    told = {
        subprocess.run(
            [sys.executable, "-c", code, tmp_path / "layer"],
            capture_output=True, text=True, check=True, env={**os.environ, "PYTHONHASHSEED": seed, "TZ": zone},
        ).stdout
        for seed, zone in (("1", "UTC"), ("2", "Asia/Tokyo"))
    }  # fmt: skip
    assert len(told) == 1


@pytest.mark.parametrize("path", ["../x", "a/../../x", "", "/", "a\0b", "a/.wh.b", "."])
def test_what_may_not_be_in_an_image_is_refused(path: str) -> None:
    with pytest.raises(InvalidInput, match="no path for a file"):
        plan({path: b""})


def test_a_file_is_no_folder() -> None:
    with pytest.raises(InvalidInput, match="as a file and as a folder"):
        plan({"a": b"", "a/b": b""})
    with pytest.raises(InvalidInput, match="twice"):
        plan({"a": b"", "/a": b""})


def test_a_folder_goes_in_with_its_links(tmp_path: Path) -> None:
    inside = tmp_path / "in"
    (inside / "lib").mkdir(parents=True)
    (inside / "lib" / "x.so.1").write_bytes(b"1")
    (inside / "x.so").symlink_to("lib/x.so.1")
    (inside / "all").symlink_to("lib")
    found = folder_files(inside, "/opt/p")
    assert set(found) == {"/opt/p/lib/x.so.1", "/opt/p/x.so", "/opt/p/all"}
    assert found["/opt/p/all"] == Entry(link="lib")


@pytest.mark.parametrize("target", ["/etc/passwd", "../../secret"])
def test_a_link_to_elsewhere_is_refused(tmp_path: Path, target: str) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "x").symlink_to(target)
    with pytest.raises(InvalidInput, match="outside of"):
        folder_files(tmp_path / "in", "x")


def test_a_full_disk_leaves_no_layer(tmp_path: Path) -> None:
    with small_disk(tmp_path / "small", megabytes=2) as folder:
        with pytest.raises(StorageUnavailable, match="No space left"):
            write_layer({"big": os.urandom(16 << 20)}, folder / "layer", epoch=0)
        assert list(folder.iterdir()) == []
