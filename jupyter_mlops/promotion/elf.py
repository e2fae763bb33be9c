"""What an extension module links to, read from its ELF header: the names that the loader will look for.

No ``ldd``: that runs the file's loader, needs one for the file's platform, and says nothing of arm64 on amd64.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple

_LOAD, _DYNAMIC = 1, 2
_NEEDED, _STRINGS, _STRINGS_SIZE, _SONAME = 1, 5, 10, 14
_LARGEST = 2**20  # entries and tables beyond this are no real file's


class Linked(NamedTuple):
    """The libraries that a file `needs`, and its own name if it is one."""

    needs: tuple[str, ...]
    soname: str


class _Segment(NamedTuple):
    kind: int
    offset: int
    address: int
    size: int


def read_linked(path: Path) -> Linked | None:
    """What the file links to; None if it is no 64-bit ELF file, or a broken one."""
    try:
        with path.open("rb") as file:
            return _read(file)
    except (OSError, struct.error, ValueError, IndexError):
        return None


def _read(file: BinaryIO) -> Linked | None:
    head = file.read(64)
    if head[:4] != b"\x7fELF" or len(head) < 64 or head[4] != 2:
        return None
    order = "<" if head[5] == 1 else ">"
    (start,) = struct.unpack_from(f"{order}Q", head, 32)
    size, count = struct.unpack_from(f"{order}HH", head, 54)
    file.seek(start)
    table = file.read(size * count)
    segments = [_segment(table, size * index, order) for index in range(count)]
    dynamic = next((one for one in segments if one.kind == _DYNAMIC), None)
    if dynamic is None:
        return Linked((), "")
    file.seek(dynamic.offset)
    entries = _entries(file.read(min(dynamic.size, _LARGEST)), order)
    strings = _strings(file, segments, dict(entries))
    soname = next((_text(strings, value) for tag, value in entries if tag == _SONAME), "")
    return Linked(tuple(_text(strings, value) for tag, value in entries if tag == _NEEDED), soname)


def _segment(table: bytes, at: int, order: str) -> _Segment:
    kind, _flags, offset, address, _physical, size = struct.unpack_from(f"{order}IIQQQQ", table, at)
    return _Segment(kind, offset, address, size)


def _entries(data: bytes, order: str) -> list[tuple[int, int]]:
    pairs = [struct.unpack_from(f"{order}qQ", data, at) for at in range(0, len(data) - 15, 16)]
    end = next((index for index, (tag, _) in enumerate(pairs) if tag == 0), len(pairs))
    return [(tag, value) for tag, value in pairs[:end]]


def _strings(file: BinaryIO, segments: Sequence[_Segment], entries: dict[int, int]) -> bytes:
    """The table of names: its address is one in memory, so the segment that is loaded there has it."""
    address, size = entries.get(_STRINGS, 0), entries.get(_STRINGS_SIZE, 0)
    for one in segments:
        if one.kind == _LOAD and one.address <= address < one.address + one.size:
            file.seek(one.offset + address - one.address)
            return file.read(min(size, 64 * _LARGEST))
    return b""


def _text(strings: bytes, at: int) -> str:
    return strings[at : strings.index(b"\0", at)].decode("ascii", "replace")
