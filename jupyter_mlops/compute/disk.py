"""How fast a folder's disk takes and gives bytes, past the page cache where the system lets us."""

from __future__ import annotations

import contextlib
import mmap
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..errors import StorageUnavailable

SIZE = 256 * 2**20
_BLOCK = 4 * 2**20
_ROOM = 4  # at least so many times as much must be free


def measure_disk(folder: Path, size: int = SIZE) -> dict[str, Any]:
    """Write and read bandwidth, in bytes a second; the file is gone afterwards, whatever happens.

    `is_direct` tells whether the page cache was passed by. Raises `StorageUnavailable`.
    """
    try:
        if shutil.disk_usage(folder).free < size * _ROOM:
            raise StorageUnavailable(
                f"the disk of {folder} has too little room to be measured",
                hint="free some, or name another folder with --folder",
            )
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".mlops-bench-") as file, _block() as block:
            path, is_direct = Path(file.name), _can_direct(Path(file.name))
            write = _write(path, block, size, is_direct=is_direct)
            read = _read(path, block, size, is_direct=is_direct)
    except OSError as error:
        raise StorageUnavailable(f"cannot measure the disk of {folder}: {error.strerror or error}") from error
    return {
        "folder": str(folder),
        "write_bytes_a_second": write,
        "read_bytes_a_second": read,
        "size_bytes": size,
        "is_direct": is_direct,
    }


@contextlib.contextmanager
def _block() -> Iterator[mmap.mmap]:
    """Memory on a page's border, as direct access wants it; not of zeros, which some disks do not write."""
    with mmap.mmap(-1, _BLOCK) as block:
        block.write(os.urandom(_BLOCK))
        yield block


def _can_direct(path: Path) -> bool:
    """Whether this file system knows O_DIRECT: tmpfs, for one, does not everywhere."""
    if not hasattr(os, "O_DIRECT"):
        return False
    try:
        os.close(os.open(path, os.O_RDWR | os.O_DIRECT))
    except OSError:
        return False
    return True


def _write(path: Path, block: mmap.mmap, size: int, *, is_direct: bool) -> float:
    handle = os.open(path, os.O_WRONLY | (os.O_DIRECT if is_direct else 0))
    try:
        began = time.perf_counter()
        for _ in range(size // _BLOCK):
            os.write(handle, block)
        os.fsync(handle)
        return size / max(time.perf_counter() - began, 1e-9)
    finally:
        os.close(handle)


def _read(path: Path, block: mmap.mmap, size: int, *, is_direct: bool) -> float:
    handle = os.open(path, os.O_RDONLY | (os.O_DIRECT if is_direct else 0))
    try:
        if not is_direct and hasattr(os, "posix_fadvise"):
            os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
        began = time.perf_counter()
        while os.readv(handle, [block]):
            pass
        return size / max(time.perf_counter() - began, 1e-9)
    finally:
        os.close(handle)
