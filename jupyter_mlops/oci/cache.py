"""Layers that are kept: those that were made, under a key of what they were made of, and those of base images.

A layer is there whole or not at all, is checked before it is used, and goes when it was not used for longest.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ..errors import InvalidInput, StorageUnavailable
from ..fingerprint import digest_bytes, digest_file
from ..image_names import check_digest
from .descriptor import Descriptor
from .layer import Layer

_LIMIT_BYTES = 20 * 2**30
_OF_THE_DISK = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.ENOTDIR, errno.EEXIST}
_HEX = re.compile(r"[0-9a-f]{64}")


class LayerCache:
    """A folder of layers, shared by all of a user's processes; without one, the user's cache folder."""

    def __init__(self, folder: Path | None = None, limit_bytes: int = _LIMIT_BYTES) -> None:
        home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
        self.folder = folder or Path(home, "jupyter_mlops", "layers")
        self._limit = limit_bytes

    def find(self, key: str) -> Layer | None:
        """The layer that was made of what `key` stands for, if it is still here and undamaged."""
        try:
            told = json.loads(self._key(key).read_bytes())
            described = Descriptor.from_json(told["descriptor"])
            path = self.path(described.digest)
            if path.stat().st_size != described.size or f"sha256:{digest_file(path)}" != described.digest:
                return None
            os.utime(path)
            return Layer(path, described, check_digest(told["diff_id"]))
        except (OSError, ValueError, KeyError, TypeError, InvalidInput):
            return None

    def keep(self, key: str, make: Callable[[Path], Layer]) -> Layer:
        """Make the layer in a file, and keep it under `key`."""
        with self.room() as room:
            made = make(room / "layer")
            layer = Layer(self.path(made.descriptor.digest), made.descriptor, made.diff_id)
            told = {"descriptor": layer.descriptor.to_json(), "diff_id": layer.diff_id}
            (room / "key").write_text(json.dumps(told))
            for source, target in ((made.path, layer.path), (room / "key", self._key(key))):
                target.parent.mkdir(parents=True, exist_ok=True)
                source.replace(target)
        self._forget()
        return layer

    def has(self, digest: str) -> bool:
        """Whether a layer is here, undamaged."""
        path = self.path(digest)
        try:
            is_good = f"sha256:{digest_file(path)}" == digest
        except (OSError, InvalidInput):  # not there, or not readable: it comes again
            return False
        if is_good:
            os.utime(path)
        return is_good

    def path(self, digest: str) -> Path:
        """Where a layer lies, or would."""
        return self.folder / "sha256" / check_digest(digest).partition(":")[2]

    @contextmanager
    def room(self) -> Iterator[Path]:
        """A scratch folder on the cache's disk, which goes afterwards."""
        try:
            (self.folder / "tmp").mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=self.folder / "tmp") as made:
                yield Path(made)
        except OSError as error:
            if error.errno not in _OF_THE_DISK:
                raise
            raise StorageUnavailable(
                f"cannot keep layers in {self.folder}: {error.strerror or error}",
                hint="free some space, or set XDG_CACHE_HOME to a disk that has some",
            ) from error

    def _key(self, key: str) -> Path:
        return self.folder / "keys" / digest_bytes(key.encode())

    def _forget(self) -> None:
        """Let go of what was not used for longest, beyond the limit."""
        found = []
        with contextlib.suppress(OSError):
            for path in (self.folder / "sha256").iterdir():
                if _HEX.fullmatch(path.name):
                    found.append((path.stat().st_mtime, path.stat().st_size, path))
        left = self._limit
        for _, size, path in sorted(found, reverse=True):
            left -= size
            if left < 0:
                path.unlink(missing_ok=True)
