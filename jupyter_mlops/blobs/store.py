"""Bytes kept under the digest of their content, on any fsspec URL; and a few small named documents.

A blob cannot change, so whoever holds its digest holds its content: caches, retries and workers on other
machines need no more than that. It becomes visible only when it is complete, and it is verified whenever it
is read. Plain paths never import fsspec.

Documents are the other kind: small bytes under a name, replaced atomically, such as the marker that an
attempt leaves when it is done. Blobs lie under ``sha256/ab/cdef…``, documents under ``documents/``,
unfinished files under ``tmp/``.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from ..errors import CorruptBlob, InvalidInput, MlopsError, NotFound, StorageUnavailable
from ..fingerprint import digest_bytes, digest_file
from .files import Files, LocalFiles, RemoteFiles
from .growing import Growing
from .references import check_digest

GRACE_SECONDS = 24 * 3600.0  # `clean` leaves younger blobs alone: a run may be about to refer to them
_CACHE_LIMIT_BYTES = 20 * 2**30
_PIECE = 200  # file systems take 255 bytes a name
_CURES = {
    errno.ENOSPC: "the disk is full: free some space, `jupyter mlops clean` removes old runs",
    errno.EDQUOT: "the disk quota is used up: free some space, `jupyter mlops clean` removes old runs",
    errno.EFBIG: "the file is larger than the system allows (ulimit -f)",
    errno.EACCES: "this user may not do that there",
    errno.EROFS: "it is mounted read-only",
}


class BlobStore:
    """Content-addressed bytes at `url`: a path, ``file://…``, ``s3://bucket/prefix`` or any fsspec URL.

    `options` go to fsspec (``endpoint_url``, keys); they never show in a repr. A store is safe to use from
    many threads and processes at once, and travels to workers by pickle.
    """

    def __init__(self, url: str | Path, options: Mapping[str, Any] | None = None) -> None:
        text = str(url)
        if text.startswith("file://"):
            text = unquote(text.removeprefix("file://"))
        self.url = text if "://" in text else str(Path(text).absolute())
        self._options = dict(options or {})
        self._files_there: Files | None = None if "://" in self.url else LocalFiles(Path(self.url))
        self._verified: dict[str, tuple[int, int, int]] = {}  # digest → what its file looked like

    def __reduce__(self) -> tuple[Any, ...]:
        return (BlobStore, (self.url, self._options))

    def __repr__(self) -> str:
        return f"BlobStore({self.url!r})"

    # --- blobs ------------------------------------------------------------------------------------------

    def put_bytes(self, data: bytes) -> str:
        """Keep `data`; returns its digest. Nothing happens when it is there already."""
        digest = digest_bytes(data)
        key = _key(digest)
        with self._access(f"write {len(data)} bytes to"):
            found = self._files.stat(key)
            if found is None or not found.is_current(len(data)):
                self._files.write(key, data)
        return digest

    def put_file(self, path: Path | str) -> str:
        """Keep the content of a file; returns its digest. `InvalidInput` when there is no such file."""
        source = Path(path)
        if not source.is_file():
            raise InvalidInput(f"{source} is not a file", hint="check the path and the working directory")
        with self._access(f"write {source} to"):
            return self._files.store(source, _key)

    def begin(self) -> Growing:
        """A blob that comes bit by bit, and need never be in memory whole."""
        return Growing(self._files, _key, self._access)

    def read_bytes(self, digest: str) -> bytes:
        """The blob's bytes, verified: `NotFound` when it is not here, `CorruptBlob` when it is another."""
        key = _key(digest)
        with self._access(f"read blob {digest[:12]}… from"):
            try:
                data = self._files.read(key)
            except FileNotFoundError:
                raise self._missing(digest) from None
        if digest_bytes(data) != digest:
            raise self._corrupt(digest)
        return data

    def local_path(self, digest: str) -> Path:
        """A verified local file with the blob's content, not to be written to.

        A blob of a remote store is downloaded to the user's cache folder first, where it stays for the next
        time.
        """
        check_digest(digest)
        if not isinstance(self._files, LocalFiles):
            return self._download(digest)
        path = self._files.path(_key(digest))
        with self._access(f"read blob {digest[:12]}… from"):
            try:
                is_good = self._is_intact(path, digest)
            except FileNotFoundError:
                raise self._missing(digest) from None
        if not is_good:
            raise self._corrupt(digest)
        return path

    def exists(self, digest: str) -> bool:
        """Whether the blob is here (its content is not verified)."""
        with self._access("look into"):
            return self._files.stat(_key(digest)) is not None

    def size(self, digest: str) -> int:
        """The blob's size in bytes; `NotFound`."""
        with self._access("look into"):
            found = self._files.stat(_key(digest))
        if found is None:
            raise self._missing(digest)
        return found.size

    def delete(self, digest: str) -> None:
        """Take the blob away, if it is here."""
        with self._access("delete from"):
            self._files.remove(_key(digest))

    def digests(self) -> Iterator[str]:
        """The digest of every blob, in order."""
        with self._access("list"):
            for key, _ in self._files.keys("sha256"):
                digest = key.removeprefix("sha256/").replace("/", "")
                if _key_is_ours(digest):
                    yield digest

    def clean(
        self, keep: Collection[str], *, grace_seconds: float = GRACE_SECONDS, is_dry_run: bool = False
    ) -> list[str]:
        """Delete each blob that is not in `keep` and is older than the grace period; returns their digests.

        Unfinished files of that age go as well. What is put meanwhile becomes young and stays.
        """
        removed = []
        with self._access("clean"):
            for key, stat in list(self._files.keys("sha256")):
                digest = key.removeprefix("sha256/").replace("/", "")
                if not _key_is_ours(digest) or digest in keep or stat.age_seconds < grace_seconds:
                    continue
                if not is_dry_run:
                    latest = self._files.stat(key)  # somebody may have put it again since it was listed
                    if latest is None or latest.age_seconds < grace_seconds:
                        continue
                    self._files.remove(key)
                removed.append(digest)
            for key, stat in list(self._files.keys("tmp")) if not is_dry_run else ():
                if stat.age_seconds >= max(grace_seconds, 60.0):
                    self._files.remove(key)
        return removed

    # --- documents --------------------------------------------------------------------------------------

    def put_document(self, name: str, data: bytes) -> None:
        """Keep `data` under `name` (parts divided by ``/``), replacing what was there at once."""
        key = _document_key(name)
        with self._access(f"write document {name!r} to"):
            self._files.write(key, data)

    def read_document(self, name: str) -> bytes | None:
        """The bytes under `name`, or None."""
        key = _document_key(name)
        with self._access(f"read document {name!r} from"), contextlib.suppress(FileNotFoundError):
            return self._files.read(key)
        return None

    def delete_document(self, name: str) -> None:
        """Take the document away, if it is here."""
        key = _document_key(name)
        with self._access(f"delete document {name!r} from"):
            self._files.remove(key)

    def documents(self, prefix: str = "") -> list[str]:
        """The names that begin with `prefix`, in order."""
        folder, slash, _ = prefix.rpartition("/")
        root = f"documents/{_quote_parts(folder)}" if slash else "documents"
        with self._access("list"):
            names = [_document_name(key) for key, _ in self._files.keys(root)]
        return sorted(name for name in names if name.startswith(prefix))

    # --- inside -----------------------------------------------------------------------------------------

    @property
    def _files(self) -> Files:
        if self._files_there is None:
            self._files_there = RemoteFiles(self.url, self._options)
        return self._files_there

    @contextlib.contextmanager
    def _access(self, doing: str) -> Iterator[None]:
        """Every error of the system, of fsspec or of a cloud's client becomes one of ours."""
        try:
            yield
        except MlopsError:
            raise
        except Exception as error:  # each client library has its own tree of errors
            number = error.errno if isinstance(error, OSError) else None
            reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
            cure = _CURES.get(number or 0, "check the settings `blobs` and `blob_options`")
            raise StorageUnavailable(
                f"cannot {doing} the blob store {self.url}: {reason}", hint=cure
            ) from error

    def _missing(self, digest: str) -> NotFound:
        return NotFound(
            f"blob {digest[:12]}… is not in {self.url}",
            hint="it may have been cleaned away: run its task again with --force",
            digest=digest,
        )

    def _corrupt(self, digest: str) -> CorruptBlob:
        return CorruptBlob(
            f"blob {digest[:12]}… in {self.url} is damaged: its content has another digest",
            hint="delete it and run its task again with --force",
            digest=digest,
        )

    def _is_intact(self, path: Path, digest: str) -> bool:
        """Verify a file, unless this store has verified it and it looks the same as then."""
        stat = path.stat()
        looks = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
        if self._verified.get(digest) != looks:
            if digest_file(path) != digest:
                return False
            self._verified[digest] = looks
        return True

    def _download(self, digest: str) -> Path:
        cache = LocalFiles(_cache_folder())
        key = _key(digest)
        path = cache.path(key)
        try:
            if self._is_intact(path, digest):
                os.utime(path)  # the cache forgets what has been unused for longest
                return path
        except OSError:
            pass  # not there yet, or not readable: the download replaces it
        with self._access(f"download blob {digest[:12]}… from"), cache.temporary() as temporary:
            try:
                self._files.fetch(key, temporary)
            except FileNotFoundError:
                raise self._missing(digest) from None
            if digest_file(temporary) != digest:
                raise self._corrupt(digest)
            cache.publish(temporary, key)
            _forget_oldest(cache)
        return path


def _key(digest: str) -> str:
    return f"sha256/{check_digest(digest)[:2]}/{digest[2:]}"


def _key_is_ours(digest: str) -> bool:
    """Strange files in the store's folder are nobody's blobs."""
    return re.fullmatch(r"[0-9a-f]{64}", digest) is not None


def _cache_folder() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "jupyter_mlops" / "blobs"


def _forget_oldest(cache: LocalFiles, limit_bytes: int = _CACHE_LIMIT_BYTES) -> None:
    """Keep the cache of downloads below its limit; what was used within the hour stays in any case."""
    found = sorted(cache.keys("sha256"), key=lambda entry: -entry[1].age_seconds)
    surplus = sum(stat.size for _, stat in found) - limit_bytes
    for key, stat in found:
        if surplus <= 0 or stat.age_seconds < 3600.0:
            break
        cache.remove(key)
        surplus -= stat.size


def _document_key(name: str) -> str:
    return f"documents/{_quote_parts(name)}+doc"


def _quote_parts(name: str) -> str:
    """A document's name as a path that every file system takes.

    Task keys such as ``train[model=a]`` are percent-quoted, long ones go on in a subfolder after a ``+``,
    which no quoted text contains.
    """
    parts = name.split("/")
    if any(part in ("", ".", "..") for part in parts):
        raise InvalidInput(
            f"{name!r} is not a name for a document", hint='parts with "/" between, none of them ".."'
        )
    quoted = (quote(part, safe="", errors="surrogatepass") for part in parts)
    return "/".join(
        "+/".join(part[at : at + _PIECE] for at in range(0, len(part), _PIECE)) for part in quoted
    )


def _document_name(key: str) -> str:
    path = key.removeprefix("documents/").removesuffix("+doc")
    return unquote(path.replace("+/", ""), errors="surrogatepass")
