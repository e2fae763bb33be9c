"""One blob comes down into a file. What breaks goes on where it broke; nothing is kept that has another digest."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import CorruptBlob, RegistryUnavailable, StorageUnavailable
from .descriptor import Descriptor
from .transport import Transport

_PIECE = 1 << 20

Progress = Callable[[int], None]  # so many bytes more have gone through


@dataclass(frozen=True, slots=True)
class Download:
    """A blob on its way out of a repository."""

    transport: Transport
    repository: str
    descriptor: Descriptor
    progress: Progress | None = None

    def open(self, start: int = 0) -> Any:
        """The registry's answer, as a stream from `start` on, where it can do that."""
        return self.transport.send(
            "GET",
            f"/v2/{self.repository}/blobs/{self.descriptor.digest}",
            doing=f"pull {self.descriptor.digest[:19]}… from {self.transport.host}/{self.repository}",
            scopes=(f"repository:{self.repository}:pull",),
            ok=(200, 206),
            headers={"Range": f"bytes={start}-"} if start else {},
            is_streamed=True,
        )

    def run(self, target: Path) -> None:
        """Bring it into `target`, which appears when it is complete and right."""
        partial = target.with_name(f"{target.name}.{os.getpid()}.part")
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            with partial.open("wb+") as file:
                self._fill(file)
            partial.replace(target)
        except OSError as error:
            raise StorageUnavailable(
                f"cannot keep a layer in {target.parent}: {error.strerror or error}",
                hint="free some space, or set XDG_CACHE_HOME to a disk that has some",
            ) from error
        finally:
            partial.unlink(missing_ok=True)

    def _fill(self, file: io.BufferedRandom) -> None:
        from requests import exceptions

        failures = 0
        while (size := file.tell()) < self.descriptor.size:
            try:
                for piece in self._pieces(size):
                    if piece is None:  # the server cannot go on, and begins again
                        file.seek(0)
                        file.truncate()
                        continue
                    file.write(piece)
                    failures = 0
                    if file.tell() > self.descriptor.size:
                        raise corrupt(self.transport.host, self.repository, self.descriptor.digest)
                    if self.progress:
                        self.progress(len(piece))
                if file.tell() >= self.descriptor.size:
                    break
                reason: Exception | None = None
            except exceptions.RequestException as error:
                reason = error
            failures += 1
            if failures >= self.transport.patience.tries:
                raise RegistryUnavailable(
                    f"cannot pull {self.descriptor.digest[:19]}… from {self.transport.host}/{self.repository}: it "
                    f"broke at {file.tell():,} of {self.descriptor.size:,} bytes"
                ) from reason
            self.transport.patience.wait(failures)
        file.seek(0)
        if f"sha256:{hashlib.file_digest(file, 'sha256').hexdigest()}" != self.descriptor.digest:
            raise corrupt(self.transport.host, self.repository, self.descriptor.digest)

    def _pieces(self, start: int) -> Iterator[bytes | None]:
        with contextlib.closing(self.open(start)) as answer:
            if start and answer.status_code != 206:
                yield None
            yield from answer.iter_content(_PIECE)


def corrupt(registry: str, repository: str, digest: str) -> CorruptBlob:
    """The error for bytes that are not what their digest says."""
    return CorruptBlob(
        f"{registry}/{repository} gave something else than {digest[:19]}…",
        hint="the registry or something on the way to it is damaged: nothing of it was kept",
        digest=digest,
    )
