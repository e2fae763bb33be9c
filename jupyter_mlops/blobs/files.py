"""Where blobs lie: one narrow seam with two sides, local folders and any fsspec file system.

Both promise the same: a file appears whole or not at all, whatever kills the writer. A local file is written
beside and renamed; an object store takes an object whole; on other remote file systems it is written beside
and moved. Errors of the system or of a client library pass through: `BlobStore` translates them.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from ..errors import InvalidInput, InvalidSettings, MissingExtra
from ..fingerprint import digest_file

_OBJECT_STORES = {"s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "adl"}
_REFRESH_SECONDS = 3600.0
_MODIFIED = ("LastModified", "last_modified", "mtime", "updated", "modified", "created")  # by file system
_INSTALL = {"s3": "'jupyter-mlops[s3]'", "s3a": "'jupyter-mlops[s3]'", "gs": "gcsfs", "gcs": "gcsfs"}


@dataclass(frozen=True, slots=True)
class FileStat:
    size: int
    age_seconds: float

    def is_current(self, size: int) -> bool:
        """Whether a blob of `size` bytes need not be written again.

        The size is compared because a machine that lost power may have left an empty file; an old blob is
        written again, which makes it young, so that a `clean` that has begun leaves it alone.
        """
        return self.size == size and self.age_seconds < _REFRESH_SECONDS


class Files(Protocol):
    """The few things that a place for files must do; keys are relative paths with ``/``."""

    def write(self, key: str, data: bytes) -> None:
        """Put `data` there atomically."""

    def store(self, source: Path, key_of: Callable[[str], str]) -> str:
        """Copy a file to the key that `key_of` makes of its digest, and return the digest."""

    def read(self, key: str) -> bytes:
        """The bytes there; `FileNotFoundError`."""

    def fetch(self, key: str, target: Path) -> None:
        """Copy what is there to a local file; `FileNotFoundError`."""

    def stat(self, key: str) -> FileStat | None:
        """Size and age, or None when nothing is there."""

    def remove(self, key: str) -> None:
        """Take it away; nothing happens when nothing is there."""

    def keys(self, folder: str) -> Iterator[tuple[str, FileStat]]:
        """Every key under a folder."""


class LocalFiles:
    """A folder of this machine (or one that is mounted)."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def path(self, key: str) -> Path:
        return self.root / key

    def write(self, key: str, data: bytes) -> None:
        with self.temporary() as temporary:
            temporary.write_bytes(data)
            self.publish(temporary, key)

    def store(self, source: Path, key_of: Callable[[str], str]) -> str:
        # Copied first, digested afterwards: the source may change meanwhile, the copy cannot.
        with self.temporary() as temporary:
            shutil.copyfile(source, temporary)
            digest = digest_file(temporary)
            self.publish(temporary, key_of(digest))
        return digest

    @contextlib.contextmanager
    def temporary(self) -> Iterator[Path]:
        """A name for an unfinished file; whatever goes wrong inside, the file goes away."""
        folder = self.root / "tmp"
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / uuid.uuid4().hex
        try:
            yield path
        except BaseException:
            path.unlink(missing_ok=True)
            raise

    def publish(self, temporary: Path, key: str) -> None:
        """Let the finished file appear at its place, whole."""
        temporary.chmod(0o444)  # whoever is handed the path must not change the content by mistake
        target = self.path(key)
        try:
            os.replace(temporary, target)
        except FileNotFoundError:
            target.parent.mkdir(parents=True, exist_ok=True)
            os.replace(temporary, target)

    def read(self, key: str) -> bytes:
        return self.path(key).read_bytes()

    def fetch(self, key: str, target: Path) -> None:
        shutil.copyfile(self.path(key), target)

    def stat(self, key: str) -> FileStat | None:
        try:
            found = self.path(key).stat()
        except FileNotFoundError:
            return None
        return FileStat(found.st_size, time.time() - found.st_mtime)

    def remove(self, key: str) -> None:
        self.path(key).unlink(missing_ok=True)

    def keys(self, folder: str) -> Iterator[tuple[str, FileStat]]:
        for parent, folders, files in os.walk(self.path(folder)):
            folders.sort()
            for name in sorted(files):
                key = Path(parent, name).relative_to(self.root).as_posix()
                if found := self.stat(key):
                    yield key, found


class RemoteFiles:
    """Any fsspec file system. What does not appear whole by itself is written beside and moved."""

    def __init__(self, url: str, options: Mapping[str, Any]) -> None:
        from fsspec.core import url_to_fs
        from fsspec.registry import known_implementations

        self.protocol = url.partition("://")[0]
        try:
            # Other processes write here too: what fsspec remembers of a listing would be stale.
            self.fs, self.root = url_to_fs(url.rstrip("/"), use_listings_cache=False, **options)
        except ImportError as error:
            known = known_implementations.get(self.protocol, {}).get("err", str(error))
            install = f"pip install {_INSTALL[self.protocol]}" if self.protocol in _INSTALL else known
            raise MissingExtra(f"blobs on {self.protocol}:// need another package", hint=install) from error
        except ValueError as error:
            raise InvalidSettings(f"blobs cannot lie on {url}: {error}") from error

    def path(self, key: str) -> str:
        return f"{self.root}/{key}"

    def write(self, key: str, data: bytes) -> None:
        with self._target(key) as path:
            self.fs.pipe_file(path, data)

    def store(self, source: Path, key_of: Callable[[str], str]) -> str:
        before = source.stat()
        digest = digest_file(source)
        found = self.stat(key_of(digest))
        if found is not None and found.is_current(before.st_size):
            return digest
        with self._target(key_of(digest)) as path:
            self.fs.put_file(str(source), path)
        after = source.stat()
        if (before.st_mtime_ns, before.st_size) != (after.st_mtime_ns, after.st_size):
            self.remove(key_of(digest))
            raise InvalidInput(
                f"{source} changed while it was stored", hint="store it when nothing writes to it"
            )
        return digest

    @contextlib.contextmanager
    def _target(self, key: str) -> Iterator[str]:
        """Where to write what shall stand at `key`."""
        path = self.path(key)
        if self.protocol in _OBJECT_STORES:
            yield path
            return
        temporary = self.path(f"tmp/{uuid.uuid4().hex}")
        for parent in (temporary, path):
            self.fs.makedirs(parent.rpartition("/")[0], exist_ok=True)
        yield temporary
        self.fs.mv(temporary, path)

    def read(self, key: str) -> bytes:
        data: bytes = self.fs.cat_file(self.path(key))
        return data

    def fetch(self, key: str, target: Path) -> None:
        self.fs.get_file(self.path(key), str(target))

    def stat(self, key: str) -> FileStat | None:
        try:
            return self._stat(self.fs.info(self.path(key)))
        except FileNotFoundError:
            return None

    @staticmethod
    def _stat(found: Mapping[str, Any]) -> FileStat:
        at = next((found[name] for name in _MODIFIED if found.get(name) is not None), None)
        moment = at.timestamp() if isinstance(at, datetime) else at
        # Of unknown age: as if it were new, so that nothing cleans it.
        age = time.time() - moment if isinstance(moment, (int, float)) else 0.0
        return FileStat(int(found["size"] or 0), age)

    def remove(self, key: str) -> None:
        with contextlib.suppress(FileNotFoundError):
            self.fs.rm_file(self.path(key))

    def keys(self, folder: str) -> Iterator[tuple[str, FileStat]]:
        found = self.fs.find(self.path(folder), detail=True)
        for path in sorted(found):
            yield path[len(self.root) + 1 :], self._stat(found[path])
