"""A layer: files as a tar that is the same bytes whenever it is made of the same files.

Sorted paths, one time for all, owners by number, modes that are plain, parents included, nothing twice. Files stream
through; no layer is in memory whole. The compressed form is made of blocks on their own (each a gzip member, which
every reader joins), so that all cores work on it, and how many there are makes no difference to the bytes.
"""

from __future__ import annotations

import hashlib
import io
import os
import tarfile
import zlib
from collections import deque
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, BinaryIO, Literal

from ..errors import InvalidInput, MissingExtra, StorageUnavailable
from .descriptor import OCI_LAYER, Descriptor

Compression = Literal["gzip", "zstd", "none"]
_BLOCK = 4 << 20  # bytes compressed on their own
_LEVEL = 6
_ZSTD_LEVEL = 3
_TYPES: Mapping[str, str] = {"gzip": f"{OCI_LAYER}+gzip", "zstd": f"{OCI_LAYER}+zstd", "none": OCI_LAYER}


@dataclass(frozen=True, slots=True)
class Entry:
    """A file with what bytes alone do not say. `link` makes it a symbolic link; `content` counts else."""

    content: bytes | Path = b""
    is_executable: bool = False
    link: str = ""


Files = Mapping[str, bytes | Path | Entry]


@dataclass(frozen=True, slots=True)
class Layer:
    """A layer as it lies in a file: what a manifest says of it, and `diff_id`, the digest of the plain tar."""

    path: Path
    descriptor: Descriptor
    diff_id: str


@dataclass(frozen=True, slots=True)
class Owner:
    """Who owns the files of a layer. Root, as a rule: what a service runs, it must not be able to change."""

    uid: int = 0
    gid: int = 0


def write_layer(
    files: Files,
    target: Path,
    *,
    epoch: int,
    owner: Owner | None = None,
    compression: Compression = "gzip",
    folders: tuple[str, ...] = (),
) -> Layer:
    """Write the layer of `files` (path in the image → content) to `target`. `folders` are there even when empty."""
    planned = plan(files, folders)
    try:
        with target.open("wb") as out:
            sink = _Sink(out, compression)
            stream: Any = sink  # tarfile asks for no more than `write`
            with tarfile.open(mode="w|", fileobj=stream, format=tarfile.PAX_FORMAT, bufsize=_BLOCK) as tar:
                for path, entry in planned:
                    _add(tar, path, entry, epoch, owner or Owner())
            sink.finish()
    except OSError as error:
        target.unlink(missing_ok=True)
        raise StorageUnavailable(
            f"cannot write a layer to {target.parent}: {error.strerror or error}",
            hint="free some space, or set XDG_CACHE_HOME to a disk that has some",
        ) from error
    except BaseException:
        target.unlink(missing_ok=True)
        raise
    return Layer(target, Descriptor(_TYPES[compression], sink.digest, sink.size), sink.diff_id)


def plan(files: Files, folders: tuple[str, ...] = ()) -> list[tuple[str, Entry | None]]:
    """What goes into the tar, in order: parents before what is in them; None is a folder."""
    found: dict[str, Entry | None] = {}
    for given, content in files.items():
        path = _inside(given)
        if path in found:
            raise InvalidInput(f"a layer cannot have {given!r} twice")
        found[path] = content if isinstance(content, Entry) else Entry(content, _is_executable(content))
    for path in [*found, *(_inside(folder) + "/" for folder in folders)]:
        parts = path.split("/")[:-1]
        for depth in range(1, len(parts) + 1):
            parent = "/".join(parts[:depth])
            if found.setdefault(parent, None) is not None:
                raise InvalidInput(f"a layer cannot have {parent!r} as a file and as a folder")
    return sorted(found.items(), key=lambda item: item[0].split("/"))


def folder_files(folder: Path, prefix: str) -> dict[str, bytes | Path | Entry]:
    """What is in a folder of this machine, as files of a layer below `prefix`. Links must stay inside."""
    found: dict[str, bytes | Path | Entry] = {}
    root = folder.resolve()
    for place, names, files in os.walk(folder):
        names.sort()
        for name in sorted([*files, *(name for name in names if Path(place, name).is_symlink())]):
            path = Path(place, name)
            where = f"{prefix.rstrip('/')}/{path.relative_to(folder).as_posix()}"
            if path.is_symlink():
                target = path.readlink()
                if target.is_absolute() or not path.resolve().is_relative_to(root):
                    raise InvalidInput(f"{path} links to {target}, which is outside of {folder}")
                found[where] = Entry(link=target.as_posix())
            elif path.is_file():
                found[where] = path
            else:
                raise InvalidInput(f"{path} is no ordinary file, and cannot go into an image")
    return found


# --- inside ---------------------------------------------------------------------------------------------


def _inside(path: str) -> str:
    parts = [part for part in path.split("/") if part not in ("", ".")]
    if not parts or ".." in parts or "\0" in path or parts[-1].startswith(".wh."):
        raise InvalidInput(f"{path!r} is no path for a file of an image")
    return "/".join(parts)


def _is_executable(content: bytes | Path) -> bool:
    return isinstance(content, Path) and os.access(content, os.X_OK)


def _add(tar: tarfile.TarFile, path: str, entry: Entry | None, epoch: int, owner: Owner) -> None:
    member = tarfile.TarInfo(path)
    member.mtime, member.uid, member.gid = epoch, owner.uid, owner.gid
    if entry is None:
        member.type, member.mode = tarfile.DIRTYPE, 0o755
        tar.addfile(member)
    elif entry.link:
        member.type, member.mode, member.linkname = tarfile.SYMTYPE, 0o777, entry.link
        tar.addfile(member)
    else:
        member.mode = 0o755 if entry.is_executable else 0o644
        with _open(entry.content) as file:
            member.size = (
                os.fstat(file.fileno()).st_size if isinstance(entry.content, Path) else len(entry.content)
            )
            tar.addfile(member, file)


def _open(content: bytes | Path) -> IO[bytes]:
    return io.BytesIO(content) if isinstance(content, bytes) else content.open("rb")


class _Sink:
    """Takes the tar's bytes, digests them, compresses them and digests that. tarfile knows only `write`."""

    def __init__(self, out: BinaryIO, compression: Compression) -> None:
        self._out = out
        self._plain, self._packed = hashlib.sha256(), hashlib.sha256()
        self.size = 0
        self._buffer = bytearray()
        self._pack = {"gzip": _gzip, "zstd": _zstd(compression), "none": bytes}[compression]
        workers = min(8, os.cpu_count() or 1)
        self._pool = (
            ThreadPoolExecutor(workers, thread_name_prefix="layer") if compression != "none" else None
        )
        self._waiting: deque[Future[bytes]] = deque()
        self._most = 2 * workers

    @property
    def digest(self) -> str:
        return f"sha256:{self._packed.hexdigest()}"

    @property
    def diff_id(self) -> str:
        return f"sha256:{self._plain.hexdigest()}"

    def write(self, data: bytes) -> int:
        self._plain.update(data)
        self._buffer += data
        while len(self._buffer) >= _BLOCK:
            self._take(bytes(self._buffer[:_BLOCK]))
            del self._buffer[:_BLOCK]
        return len(data)

    def finish(self) -> None:
        """The last block, and all that is still being compressed."""
        if self._buffer:
            self._take(bytes(self._buffer))
        while self._waiting:
            self._emit(self._waiting.popleft().result())
        if self._pool:
            self._pool.shutdown()

    def _take(self, block: bytes) -> None:
        if self._pool is None:
            self._emit(block)
            return
        self._waiting.append(self._pool.submit(self._pack, block))
        if len(self._waiting) > self._most:
            self._emit(self._waiting.popleft().result())

    def _emit(self, data: bytes) -> None:
        self._packed.update(data)
        self.size += len(data)
        self._out.write(data)


def _gzip(block: bytes) -> bytes:
    """One gzip member without name and time."""
    packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, 31)
    return packer.compress(block) + packer.flush()


def _zstd(compression: Compression) -> Any:
    """What makes one frame of zstd; the library is an extra."""
    if compression != "zstd":
        return None
    try:
        import zstandard
    except ImportError as error:
        hint = "pip install 'jupyter-mlops[images]'"
        raise MissingExtra("layers in zstd need the distribution zstandard", hint=hint) from error
    return lambda block: zstandard.ZstdCompressor(_ZSTD_LEVEL).compress(block)
