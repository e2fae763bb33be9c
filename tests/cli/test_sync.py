"""``sync``: blobs to another store, by a command."""

from __future__ import annotations

from pathlib import Path

import pytest

from jupyter_mlops.blobs import BlobStore

from .conftest import Tell


@pytest.fixture
def filled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> BlobStore:
    (tmp_path / "mlops.toml").touch()
    monkeypatch.chdir(tmp_path)
    store = BlobStore(tmp_path / ".mlops" / "blobs")
    store.put_bytes(b"one")
    store.put_bytes(b"two")
    store.put_document("outcomes/x", b"{}")
    return store


def test_there_and_back(filled: BlobStore, tmp_path: Path, tell: Tell) -> None:
    other = tmp_path / "other"
    assert tell("sync", "--to", other, "--dry-run").out.startswith("would copy 2 files (6 B)")
    assert not other.exists()
    said = tell("sync", "--to", other, "--json")
    assert said.json["copied"] == 2
    assert said.json["documents"] == 1
    for digest in list(filled.digests()):
        filled.delete(digest)
    assert "copied 2 files" in tell("sync", "--from", other).out
    assert "copied 0 files (0 B)" in tell("sync", "--from", other).out


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), "nothing to copy to"),
        (("--to", "s4://bucket"), "s4://bucket"),
        (("--to", "other", "--to-options", "nothing.json"), "nothing.json"),
    ],
)
def test_what_is_wrong(filled: BlobStore, tell: Tell, words: tuple[str, ...], told: str) -> None:
    said = tell("sync", *words)
    assert said.code == 2
    assert told in said.err
    assert "Traceback" not in said.err
