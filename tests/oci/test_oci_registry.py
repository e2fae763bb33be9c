"""The client against a real registry, over lines that break and servers that lie."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from jupyter_mlops.errors import (
    AccessDenied,
    CorruptBlob,
    InvalidInput,
    NotFound,
    RegistryUnavailable,
    StorageUnavailable,
)
from jupyter_mlops.oci.attachments import attach, referrers
from jupyter_mlops.oci.credentials import Credentials
from jupyter_mlops.oci.descriptor import OCI_MANIFEST, Descriptor, Platform, digest_of
from jupyter_mlops.oci.image import Base, Settings, make_image
from jupyter_mlops.oci.registry import Registry
from jupyter_mlops.oci.transport import ConnectionLost

from .conftest import PASSWORD, QUICK, USER, Line, small_disk

BIG = os.urandom(9 << 20)


def put_image(registry: Registry, repository: str, tag: str = "v1") -> Descriptor:
    image = make_image(Base(), [], Settings(), platform=Platform("linux", "amd64"), epoch=0)
    registry.put_blob(repository, image.config, image.config_descriptor.digest)
    registry.put_manifest(repository, image.manifest, image.media_type, tag)
    return image.descriptor


def test_blobs_go_up_and_come_down(registry: Registry, tmp_path: Path) -> None:
    small, big = b"small", tmp_path / "big"
    big.write_bytes(BIG)
    passed: list[int] = []
    assert registry.put_blob("a/x", small, digest_of(small)) == "uploaded"
    assert registry.put_blob("a/x", small, digest_of(small)) == "there"
    assert registry.put_blob("a/x", big, digest_of(BIG), progress=passed.append) == "uploaded"
    assert sum(passed) == len(BIG)
    assert registry.read_blob("a/x", Descriptor.of(small, "x")) == small
    registry.fetch_blob("a/x", Descriptor.of(BIG, "x"), tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == BIG


def test_a_blob_of_a_file_goes_up_in_chunks(registry: Registry, tmp_path: Path) -> None:
    path = tmp_path / "big"
    path.write_bytes(BIG[:-7])
    assert registry.put_blob("a/chunks", path, digest_of(BIG[:-7]), chunk_bytes=4 << 20) == "uploaded"
    assert registry.has_blob("a/chunks", digest_of(BIG[:-7]))


def test_a_blob_is_mounted_from_another_repository(registry: Registry) -> None:
    data = b"of another"
    registry.put_blob("m/one", data, digest_of(data))
    assert registry.mount_blob("m/two", digest_of(data), "m/one")
    assert registry.put_blob("m/three", data, digest_of(data), mount_from="m/one") == "mounted"
    assert not registry.mount_blob("m/two", digest_of(b"nowhere"), "m/one")


def test_a_broken_upload_goes_on_where_it_broke(
    patient_host: str, line: Callable[[str], Line], tmp_path: Path
) -> None:
    wire = line(patient_host)
    path = tmp_path / "big"
    path.write_bytes(BIG[5:])
    registry = Registry(wire.host, patience=QUICK)
    registry.transport.base  # noqa: B018 (the cuts are for the upload)
    wire.cuts[:] = [3 << 20, 2 << 20, 1 << 20]
    assert registry.put_blob("broken/up", path, digest_of(BIG[5:])) == "uploaded"
    assert wire.broken == 3
    assert wire.passed < len(BIG) + (1 << 20)  # what had arrived was not sent again
    assert registry.has_blob("broken/up", digest_of(BIG[5:]))


@pytest.mark.parametrize("chunk_bytes", [None, 2 << 20])
def test_a_registry_that_forgets_a_broken_upload_gets_it_again(
    registry_host: str, line: Callable[[str], Line], tmp_path: Path, chunk_bytes: int | None
) -> None:
    wire = line(registry_host)
    path = tmp_path / "big"
    path.write_bytes(BIG[6:])
    registry = Registry(wire.host, patience=QUICK)
    registry.transport.base  # noqa: B018
    wire.cuts[:] = [3 << 20, 2 << 20, 1 << 20]
    name = f"broken/again-{chunk_bytes or 0}"
    assert registry.put_blob(name, path, digest_of(BIG[6:]), chunk_bytes=chunk_bytes) == "uploaded"
    assert wire.broken == 3
    registry.fetch_blob(name, Descriptor.of(BIG[6:], "x"), tmp_path / "back")


def test_an_upload_that_never_gets_on_ends(registry_host: str, line: Callable[[str], Line]) -> None:
    wire = line(registry_host)
    registry = Registry(wire.host, patience=QUICK)
    registry.transport.base  # noqa: B018
    wire.cuts[:] = [60_000] * 400
    with pytest.raises(ConnectionLost, match="cannot push sha256"):
        registry.put_blob("broken/never", BIG[9:], digest_of(BIG[9:]))


def test_a_broken_download_goes_on_where_it_broke(
    registry: Registry, registry_host: str, line: Callable[[str], Line], tmp_path: Path
) -> None:
    registry.put_blob("broken/down", BIG, digest_of(BIG))
    wire = line(registry_host)
    other = Registry(wire.host, patience=QUICK)
    other.transport.base  # noqa: B018
    wire.down_cuts[:] = [4 << 20, 2 << 20]
    other.fetch_blob("broken/down", Descriptor.of(BIG, "x"), tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == BIG
    assert wire.broken == 2


def test_a_wrong_digest_is_refused_up_and_down(
    registry: Registry, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    with pytest.raises(InvalidInput, match="digest"):
        registry.put_blob("wrong/x", b"one thing", digest_of(b"another"))
    data = b"right " * 1000
    registry.put_blob("wrong/x", data, digest_of(data))
    found = tmp_path_factory.getbasetemp().glob(f"oci-registry*/data/**/blobs/**/{digest_of(data)[7:]}/data")
    [stored] = {path.resolve() for path in found}
    stored.write_bytes(b"wrong " * 1000)
    target = tmp_path / "down"
    with pytest.raises(CorruptBlob, match="gave something else"):
        registry.fetch_blob("wrong/x", Descriptor.of(data, "x"), target)
    with pytest.raises(CorruptBlob):
        registry.read_blob("wrong/x", Descriptor.of(data, "x"))
    assert list(tmp_path.glob("down*")) == []


def test_a_full_disk_leaves_nothing_half(registry: Registry, tmp_path: Path) -> None:
    registry.put_blob("full/x", BIG, digest_of(BIG))
    with small_disk(tmp_path / "small", megabytes=4) as folder:
        with pytest.raises(StorageUnavailable, match="No space left") as caught:
            registry.fetch_blob("full/x", Descriptor.of(BIG, "x"), folder / "layer")
        assert list(folder.iterdir()) == []
    assert "XDG_CACHE_HOME" in caught.value.hint


def test_manifests_by_tag_and_digest(registry: Registry) -> None:
    described = put_image(registry, "man/x")
    assert registry.read_manifest("man/x", "v1").digest == described.digest
    found = registry.read_manifest("man/x", described.digest)
    assert (found.media_type, found.is_index) == (OCI_MANIFEST, False)
    assert registry.find_manifest("man/x", "v1") == Descriptor(OCI_MANIFEST, described.digest, described.size)
    assert registry.find_manifest("man/x", "nothing") is None
    with pytest.raises(NotFound, match=r"cannot pull .*man/x:nothing"):
        registry.read_manifest("man/x", "nothing")


def test_every_tag_comes_page_by_page(registry: Registry) -> None:
    for number in range(5):
        put_image(registry, "tags/x", f"v{number}")
    assert registry.tags("tags/x") == ["v0", "v1", "v2", "v3", "v4"]
    with pytest.raises(NotFound, match="list the tags"):
        registry.tags("tags/none")


def test_what_is_attached_is_found_again(registry: Registry) -> None:
    subject = put_image(registry, "att/x")
    sbom = attach(
        registry,
        "att/x",
        subject,
        "application/vnd.cyclonedx+json",
        [("sbom.json", "application/json", b"{1}")],
    )
    other = attach(registry, "att/x", subject, "text/plain", [("note", "text/plain", b"note")])
    assert [one.digest for one in referrers(registry, "att/x", subject.digest)] == [sbom, other]
    [found] = referrers(registry, "att/x", subject.digest, "application/vnd.cyclonedx+json")
    document = registry.read_manifest("att/x", found.digest).document
    assert registry.read_blob("att/x", Descriptor.from_json(document["layers"][0])) == b"{1}"
    assert referrers(registry, "att/x", digest_of(b"nobody")) == []


# --- who may --------------------------------------------------------------------------------------------


def test_who_is_not_known_is_told_how_to_log_in(locked_host: str) -> None:
    with pytest.raises(AccessDenied, match="does not let an anonymous user") as caught:
        Registry(locked_host, patience=QUICK).has_blob("x", digest_of(b""))
    assert f"docker login {locked_host}" in caught.value.hint


def test_a_wrong_password_is_told_without_it(locked_host: str) -> None:
    registry = Registry(locked_host, credentials=Credentials(USER, "guess-7"), patience=QUICK)
    with pytest.raises(AccessDenied, match="user 'anna'") as caught:
        registry.put_blob("x", b"1", digest_of(b"1"))
    assert "guess-7" not in f"{caught.value} {caught.value.hint} {registry.transport.credentials!r}"


def test_a_password_opens(locked_host: str) -> None:
    registry = Registry(locked_host, credentials=Credentials(USER, PASSWORD), patience=QUICK)
    assert registry.put_blob("x", b"1", digest_of(b"1")) in ("uploaded", "there")


# --- no registry ----------------------------------------------------------------------------------------


def test_nobody_answers() -> None:
    with pytest.raises(ConnectionLost, match=r"no connection to 127\.0\.0\.1:9") as caught:
        Registry("127.0.0.1:9", patience=QUICK).tags("x")
    assert isinstance(caught.value, RegistryUnavailable)
    assert "port" in caught.value.hint
