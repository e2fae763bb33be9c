"""One blob goes up: mounted from another repository, put at once, or sent in a stream that may break and goes on.

When a stream breaks (or the server is busy), the registry is asked how far it got, and the rest is sent. Docker's own
registry forgets an upload that broke amid a request: there it begins again. What is answered is not what counts: the
registry checks the digest when the blob is put, and is asked for it when that answer is lost.
"""

from __future__ import annotations

import io
import re
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from ..errors import NotFound, RegistryUnavailable, StorageUnavailable
from .downloads import Progress
from .transport import BUSY, ConnectionLost, Transport

_AT_ONCE_BYTES = 1 << 20
_MOST_FAILURES = 5  # in a row, without a byte in between
_RANGE = re.compile(r"(?:bytes=)?0-(\d+)")
_OCTETS = {"Content-Type": "application/octet-stream"}


@dataclass
class Upload:
    """A blob on its way into a repository. `chunk_bytes` bounds one request; without it the rest goes in one, as
    docker does it, which every registry takes."""

    transport: Transport
    repository: str
    source: bytes | Path
    digest: str
    size: int
    scopes: tuple[str, ...]
    chunk_bytes: int | None = None
    progress: Progress | None = None
    _location: str = ""

    def run(self, mount_from: str = "") -> str:
        """Bring it there: ``mounted`` from another repository, or ``uploaded``."""
        if self._start(mount_from):
            return "mounted"
        if self.size <= _AT_ONCE_BYTES:
            self._put(self._all())
        else:
            self._stream()
            self._put(b"")
        return "uploaded"

    # --- inside -----------------------------------------------------------------------------------------

    @property
    def _doing(self) -> str:
        return f"push {self.digest[:19]}… to {self.transport.host}/{self.repository}"

    def _start(self, mount_from: str = "") -> bool:
        """Open an upload; True when the registry mounted the blob and there is nothing to send."""
        query = f"?{urlencode({'mount': self.digest, 'from': mount_from})}" if mount_from else ""
        answer = self.transport.send(
            "POST",
            f"/v2/{self.repository}/blobs/uploads/{query}",
            doing=self._doing,
            scopes=self.scopes,
            ok=(201, 202),
            headers={"Content-Length": "0"},
        )
        if answer.status_code == 201:
            return True
        self._move(answer)
        return False

    def _move(self, answer: Any) -> None:
        """Each answer may say that the upload goes on elsewhere."""
        location = answer.headers.get("Location") or self._location
        if not location:
            raise RegistryUnavailable(f"cannot {self._doing}: {self.transport.host} does not say where to")
        self._location = location

    def _all(self) -> bytes:
        return self.source if isinstance(self.source, bytes) else self.source.read_bytes()

    def _stream(self) -> None:
        offset = failures = 0
        while offset < self.size:
            reached, wait = self._send_from(offset)
            failures = 0 if reached > offset else failures + 1
            if failures >= _MOST_FAILURES:
                raise ConnectionLost(
                    f"cannot {self._doing}: it broke {failures} times at {offset:,} of {self.size:,} bytes",
                    hint="check the network, the registry's disk and its limit on the size of a request",
                )
            if reached < self.size and reached != offset + (self.chunk_bytes or self.size):
                self.transport.patience.wait(failures, wait)
            offset = reached

    def _send_from(self, offset: int) -> tuple[int, str | None]:
        """Send what follows; how far the registry has it then, and how long it wants to be left alone."""
        end = min(self.size, offset + (self.chunk_bytes or self.size))
        headers = dict(_OCTETS)
        if offset or end < self.size:
            headers["Content-Range"] = f"{offset}-{end - 1}"
        try:
            with closing(_Slice(self.source, offset, end, self.progress)) as part:
                answer = self.transport.send(
                    "PATCH",
                    self._location,
                    doing=self._doing,
                    scopes=self.scopes,
                    ok=(202, 204, 416, *BUSY),
                    headers=headers,
                    body=part.again,
                    is_repeatable=False,
                )
        except (ConnectionLost, NotFound):
            return self._ask(), None
        if answer.status_code in (202, 204):
            self._move(answer)
            told = _RANGE.fullmatch(answer.headers.get("Range", ""))
            return (int(told[1]) + 1 if told else end), None
        return self._ask(), answer.headers.get("Retry-After")

    def _ask(self) -> int:
        """How many bytes the registry has; an upload that it has forgotten begins again."""
        try:
            answer = self.transport.send(
                "GET", self._location, doing=self._doing, scopes=self.scopes, ok=(204, 200, 202)
            )
        except NotFound:
            self._start()
            return 0
        self._move(answer)
        told = _RANGE.fullmatch(answer.headers.get("Range", ""))
        reached = int(told[1]) + 1 if told else 0
        return 0 if reached <= 1 else min(reached, self.size)  # "0-0" is how registries say: nothing yet

    def _put(self, rest: bytes) -> None:
        """Close the upload under the blob's digest. An answer that was lost is asked for in another way."""
        for attempt in range(_MOST_FAILURES):
            joint = "&" if "?" in self._location else "?"
            try:
                self.transport.send(
                    "PUT",
                    f"{self._location}{joint}digest={quote(self.digest, safe='')}",
                    doing=self._doing,
                    scopes=self.scopes,
                    ok=(201, 204),
                    headers=_OCTETS,
                    body=rest,
                    is_repeatable=False,
                )
                if rest and self.progress:
                    self.progress(len(rest))
                return
            except (RegistryUnavailable, NotFound):
                if self._is_there():
                    return
                if attempt + 1 == _MOST_FAILURES:
                    raise
                self.transport.patience.wait(attempt)
                self._start()
                if not rest:
                    self._stream()

    def _is_there(self) -> bool:
        path = f"/v2/{self.repository}/blobs/{self.digest}"
        answer = self.transport.send("HEAD", path, doing=self._doing, scopes=self.scopes, ok=(200, 404))
        return answer.status_code == 200


class _Slice:
    """A part of a file or of bytes, as a stream that knows its length and can begin again."""

    def __init__(self, source: bytes | Path, start: int, end: int, progress: Progress | None) -> None:
        self._start, self._size, self._progress = start, end - start, progress
        self._left = 0
        try:
            self._file = io.BytesIO(source) if isinstance(source, bytes) else source.open("rb")
        except OSError as error:
            raise StorageUnavailable(f"cannot read {source!r}: {error.strerror}") from error

    def again(self) -> _Slice:
        """The stream from its beginning."""
        self._file.seek(self._start)
        self._left = self._size
        return self

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def __len__(self) -> int:
        return self._left

    def __iter__(self) -> _Slice:
        return self

    def __next__(self) -> bytes:
        if piece := self.read(1 << 16):
            return piece
        raise StopIteration

    def read(self, size: int = -1) -> bytes:
        """At most `size` bytes."""
        piece = self._file.read(self._left if size < 0 else min(size, self._left))
        self._left -= len(piece)
        if self._progress and piece:
            self._progress(len(piece))
        return piece
