"""Bytes that become a blob once they have all come: on the disk meanwhile, however many they are."""

from __future__ import annotations

import contextlib
import hashlib
import tempfile
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from ..errors import MlopsError
from .files import Files, LocalFiles

_BUFFER_BYTES = 1 << 18


class Growing:
    """A blob that is not complete: `write` what comes, then `keep` it or `discard` it.

    It grows among the store's unfinished files if those are on this machine, else in its temporary folder, from
    where it is uploaded. For one thread at a time. `access` makes an error of ours from one of the system.
    """

    def __init__(
        self,
        files: Files,
        key_of: Callable[[str], str],
        access: Callable[[str], contextlib.AbstractContextManager[None]],
    ) -> None:
        self.size_bytes = 0
        self._files, self._key_of, self._access = files, key_of, access
        self._hash = hashlib.sha256()
        self._error: MlopsError | None = None
        folder = files.root / "tmp" if isinstance(files, LocalFiles) else Path(tempfile.gettempdir())
        self._path = folder / uuid.uuid4().hex
        with self._access("begin a blob in"):
            folder.mkdir(parents=True, exist_ok=True)
            self._file: IO[bytes] = self._path.open("xb", buffering=_BUFFER_BYTES)

    def write(self, data: bytes) -> None:
        """Put `data` behind what is there. After an error nothing is kept."""
        with self._failing(f"write {len(data)} bytes to"):
            self._file.write(data)
        self._hash.update(data)
        self.size_bytes += len(data)

    def keep(self) -> str:
        """The bytes are all there: make a blob of them; returns its digest."""
        with self._failing(f"write {self.size_bytes} bytes to"):
            self._file.close()
            if isinstance(self._files, LocalFiles):
                digest = self._hash.hexdigest()
                self._files.publish(self._path, self._key_of(digest))
                return digest
            digest = self._files.store(self._path, self._key_of)
        self._path.unlink(missing_ok=True)
        return digest

    def discard(self) -> None:
        """Nobody wants them any more."""
        with contextlib.suppress(OSError):  # of a full disk, that it could not write what was left
            self._file.close()
        self._path.unlink(missing_ok=True)

    @contextlib.contextmanager
    def _failing(self, doing: str) -> Iterator[None]:
        if self._error is not None:
            raise self._error
        try:
            with self._access(doing):
                yield
        except MlopsError as error:
            self._error = error
            self.discard()
            raise
