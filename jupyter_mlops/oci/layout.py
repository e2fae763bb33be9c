"""Images as files: an OCI layout (a folder), or one archive that docker, podman and skopeo load.

The archive is a layout with docker's ``manifest.json`` beside it, as docker itself saves since 25: who knows the one
reads that, who knows the other reads this. A layout can be a base image, too.
"""

from __future__ import annotations

import os
import shutil
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from ..errors import Conflict, CorruptBlob, InvalidInput, NotFound, StorageUnavailable
from ..fingerprint import digest_file
from ..image_names import check_digest
from .descriptor import INDEXES, OCI_INDEX, Descriptor, digest_of, dumps, loads
from .image import Image, make_index
from .registry import Manifest

_MARK = b'{"imageLayoutVersion":"1.0.0"}'
_NAMED = "org.opencontainers.image.ref.name"
_FULL_NAME = "io.containerd.image.name"


@dataclass(frozen=True, slots=True)
class Layout:
    """A folder with an image, to read from."""

    folder: Path

    def read_manifest(self, wanted: str = "") -> Manifest:
        """The manifest or index with that tag or digest; without one, the only one there is."""
        index = loads(self._read(self.folder / "index.json"), f"{self.folder}/index.json")
        entries = [Descriptor.from_json(one) for one in index.get("manifests") or ()]
        if wanted.startswith("sha256:") and wanted not in {one.digest for one in entries}:
            found_there = self._checked(self._read(self.blob(wanted)), "", wanted)
            return replace(found_there, media_type=str(found_there.document.get("mediaType") or ""))
        found = [one for one in entries if not wanted or wanted in (one.digest, one.annotations.get(_NAMED))]
        if len(found) != 1:
            raise NotFound(
                f"{self.folder} has {len(found)} images{f' that are called {wanted!r}' if wanted else ''}",
                hint="name one by its tag: oci:FOLDER:TAG",
            )
        return self._checked(self._read(self.blob(found[0].digest)), found[0].media_type, found[0].digest)

    def read_blob(self, descriptor: Descriptor) -> bytes:
        """A small blob's bytes, checked."""
        return self._checked(self._read(self.blob(descriptor.digest)), "", descriptor.digest).data

    def local_blob(self, descriptor: Descriptor) -> Path:
        """A blob's file, checked."""
        path = self.blob(descriptor.digest)
        if not path.is_file() or f"sha256:{digest_file(path)}" != descriptor.digest:
            raise CorruptBlob(f"{path} is missing or damaged", hint="make the layout again")
        return path

    def blob(self, digest: str) -> Path:
        """Where a blob lies."""
        kind, _, name = check_digest(digest).partition(":")
        return self.folder / "blobs" / kind / name

    def _read(self, path: Path) -> bytes:
        try:
            return path.read_bytes()
        except OSError as error:
            raise NotFound(f"{self.folder} is no OCI layout: {path.name} is not there") from error

    def _checked(self, data: bytes, media_type: str, digest: str) -> Manifest:
        if digest_of(data) != digest:
            raise CorruptBlob(f"{self.blob(digest)} is damaged", hint="make the layout again")
        return Manifest(data, media_type, digest)


def write_layout(folder: Path, images: list[Image], blobs: Mapping[str, Path], name: str, tag: str) -> str:
    """Write an OCI layout; returns the image's digest. `blobs` are the layers' files by digest.

    A folder that holds anything but an earlier layout is a `Conflict`; it is replaced whole, or not at all.
    """
    is_taken = any(folder.iterdir()) if folder.is_dir() else folder.exists()
    if is_taken and not (folder / "oci-layout").is_file():
        raise Conflict(f"{folder} is there, and is no OCI layout", hint="name another folder")
    with _beside(folder) as made:
        digest = _fill(made, images, blobs, name, tag)
        if folder.is_dir():
            shutil.rmtree(folder)
        made.rename(folder)
    return digest


def write_archive(path: Path, images: list[Image], blobs: Mapping[str, Path], name: str, tag: str) -> str:
    """Write one file with the image, for ``podman load``, ``docker load`` and ``skopeo copy oci-archive:``."""
    if path.is_dir():
        raise Conflict(f"{path} is a folder", hint="name a file that ends in .tar")
    with _beside(path) as made:
        digest = _fill(made / "layout", images, blobs, name, tag)
        config = images[0].config_descriptor.digest.partition(":")[2]
        entry = {
            "Config": f"blobs/sha256/{config}",
            "RepoTags": [f"{name}:{tag}"],
            "Layers": [f"blobs/sha256/{layer.digest.partition(':')[2]}" for layer in images[0].layers],
        }
        (made / "layout" / "manifest.json").write_bytes(b"[" + dumps(entry) + b"]")
        with tarfile.open(made / "archive", "w", format=tarfile.PAX_FORMAT) as tar:
            for file in sorted((made / "layout").rglob("*")):
                member = tar.gettarinfo(file, file.relative_to(made / "layout").as_posix())
                member.uid = member.gid = member.mtime = 0
                member.uname = member.gname = ""
                member.mode = 0o755 if member.isdir() else 0o644
                if member.islnk():  # a link of this disk's, where one blob is two files
                    member.type, member.linkname, member.size = tarfile.REGTYPE, "", file.stat().st_size
                with file.open("rb") if member.isreg() else _nothing() as source:
                    tar.addfile(member, source)
        (made / "archive").replace(path)
    return digest


def parse_layout(text: str) -> tuple[Path, str]:
    """``oci:FOLDER[:TAG]`` as skopeo has it."""
    place, _, tag = text.removeprefix("oci:").partition(":")
    if not place:
        raise InvalidInput(f"{text!r} names no folder", hint="oci:FOLDER or oci:FOLDER:TAG")
    return Path(place), tag


def _fill(folder: Path, images: list[Image], blobs: Mapping[str, Path], name: str, tag: str) -> str:
    store = folder / "blobs" / "sha256"
    store.mkdir(parents=True)
    top, media_type = (images[0].manifest, images[0].media_type) if len(images) == 1 else make_index(images)
    small = {digest_of(data): data for image in images for data in (image.config, image.manifest)}
    for digest, data in (small | {digest_of(top): top}).items():
        (store / digest.partition(":")[2]).write_bytes(data)
    for layer in {layer.digest: layer for image in images for layer in image.layers}.values():
        _place(blobs[layer.digest], store / layer.digest.partition(":")[2])
    named = {_NAMED: tag, _FULL_NAME: f"{name}:{tag}"}
    entry = Descriptor.of(top, media_type, annotations=named)
    if media_type not in INDEXES:
        entry = Descriptor.of(top, media_type, annotations=named, platform=images[0].platform)
    index = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [entry.to_json()]}
    (folder / "index.json").write_bytes(dumps(index))
    (folder / "oci-layout").write_bytes(_MARK)
    return entry.digest


def _place(source: Path, target: Path) -> None:
    """Layers are big and never change: a second name costs nothing, where the disk is the same."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


@contextmanager
def _beside(target: Path) -> Iterator[Path]:
    """A folder beside `target`, which is gone afterwards unless it was moved."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(prefix=f".{target.name}-", dir=target.parent))
        try:
            made.chmod(0o755)
            yield made
        finally:
            shutil.rmtree(made, ignore_errors=True)
    except OSError as error:
        raise StorageUnavailable(f"cannot write {target}: {error.strerror or error}") from error


@contextmanager
def _nothing() -> Iterator[None]:
    yield None
