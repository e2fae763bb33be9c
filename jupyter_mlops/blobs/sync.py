"""Copying a blob store to another, in the same cloud or in another one.

What is there already is not sent again: a copy that was cut off goes on where it was, a second one lists both."""

from __future__ import annotations

from collections.abc import Callable, Collection
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass

from ..errors import InvalidInput
from .store import BlobStore

_THREADS = 16  # most of the time each waits for a network
_AHEAD = 4 * _THREADS
_PIECES = 1 << 20  # what is larger goes by a file


@dataclass(slots=True)
class Synced:
    """What was done: blobs and documents copied, with their bytes; `present` were there already."""

    copied: int = 0
    copied_bytes: int = 0
    present: int = 0
    documents: int = 0


def sync(
    source: BlobStore,
    target: BlobStore,
    *,
    digests: Collection[str] | None = None,
    is_dry_run: bool = False,
    progress: Callable[[Synced, int], None] = lambda done, all_: None,
) -> Synced:
    """Copy blobs, all or those of `digests`, and all documents. Blobs first: a document may name them.

    Each is verified when it is read. `progress` hears of what is done, and of how many blobs there are. Raises
    `CorruptBlob`, `NotFound` for a digest that the source lacks, `StorageUnavailable`.
    """
    if source.url == target.url:
        raise InvalidInput(f"{source.url} cannot be copied to itself", hint="name another store")
    wanted = list(source.digests()) if digests is None else sorted(digests)
    there = set(target.digests())
    done = Synced(present=sum(digest in there for digest in wanted))
    missing = [digest for digest in wanted if digest not in there]
    if is_dry_run:
        done.copied = len(missing)
        done.copied_bytes = sum(source.size(digest) for digest in missing)
        done.documents = len(source.documents())
        return done
    with ThreadPoolExecutor(_THREADS, thread_name_prefix="mlops-sync") as threads:
        going: set[Future[int]] = set()
        try:
            for digest in missing:
                going.add(threads.submit(_copy, source, target, digest))
                if len(going) >= _AHEAD:
                    going = _settle(going, done, lambda: progress(done, len(wanted)))
            while going:
                going = _settle(going, done, lambda: progress(done, len(wanted)))
        except BaseException:
            threads.shutdown(cancel_futures=True)
            raise
        for _ in threads.map(lambda name: _copy_document(source, target, name), source.documents()):
            done.documents += 1
    progress(done, len(wanted))
    return done


def _settle(going: set[Future[int]], done: Synced, tell: Callable[[], None]) -> set[Future[int]]:
    ended, rest = wait(going, return_when=FIRST_COMPLETED)
    for one in ended:
        done.copied_bytes += one.result()
        done.copied += 1
    tell()
    return rest


def _copy(source: BlobStore, target: BlobStore, digest: str) -> int:
    size = source.size(digest)
    if size > _PIECES:
        target.put_file(source.local_path(digest))
    else:
        target.put_bytes(source.read_bytes(digest))
    return size


def _copy_document(source: BlobStore, target: BlobStore, name: str) -> None:
    data = source.read_document(name)
    if data is not None:  # else it was deleted meanwhile
        target.put_document(name, data)
