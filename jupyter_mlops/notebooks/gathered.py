"""The text of one stream of a cell while it comes: in memory up to the limit, beyond it on its way to the blobs.

A cell may print without end, and whoever listens must not run out of memory before the disk is full.
"""

from __future__ import annotations

from typing import Any

from ..blobs import Growing, make_reference
from ..resources import format_bytes
from .outputs import (
    Blobs,
    content_size,
    first_lines,
    kept_characters,
    last_lines,
    limit_outputs,
    spill_notice,
    text_size,
    text_stub,
)

_LEAST_BYTES = 1 << 20  # a file is not worth its while for less; the end of the cell sees to the limit


class GatheredText:
    """What is printed into one `output` of the notebook; `flush` brings it there."""

    def __init__(self, output: dict[str, Any], limit_bytes: int, blobs: Blobs | None) -> None:
        self.output = output
        self._limit, self._blobs = limit_bytes, blobs
        # In pieces: appending to one text is quadratic for a cell that prints a lot.
        self._pieces: list[str] = []
        self._size = 0
        self._growing: Growing | None = None
        self._head = self._tail = ""
        self._room = kept_characters(limit_bytes)

    def add(self, text: str) -> None:
        """The next piece."""
        if self._growing is not None:
            self._spill(self._growing, text)
            return
        self._pieces.append(text)
        self._size += text_size(text)
        if self._blobs is not None and self._size > max(self._limit, _LEAST_BYTES):
            whole = "".join(self._pieces)
            self._pieces.clear()
            self._head = whole[: self._room]
            self._growing = self._blobs.begin()
            self._spill(self._growing, whole)

    def flush(self) -> None:
        """Bring what has come so far into the notebook, or the ends of it."""
        if self._growing is not None:
            self._show(f"{format_bytes(self._growing.size_bytes)} so far, on their way to the blobs")
        elif len(self._pieces) > 1 or not self.output["text"]:
            self._pieces = ["".join(self._pieces)]
            self.output["text"] = self._pieces[0]

    def finish(self) -> None:
        """Nothing more comes: the notebook gets the text, or its ends and where the whole is."""
        self.flush()
        if self._growing is not None:
            name = str(self.output.get("name", "output"))
            reference = make_reference(self._growing.keep(), name, "txt")
            self._show(spill_notice({"reference": reference, "size_bytes": self._growing.size_bytes}))
        elif self._blobs is not None and content_size(self.output) > self._limit:
            self.output.update(limit_outputs(self.output, self._limit, self._blobs))

    def discard(self) -> None:
        """The output was cleared."""
        if self._growing is not None:
            self._growing.discard()

    def _spill(self, growing: Growing, text: str) -> None:
        growing.write(text.encode("utf-8", "surrogatepass"))
        if self._room:
            self._tail = (self._tail + text[-self._room :])[-self._room :]

    def _show(self, notice: str) -> None:
        head, tail = first_lines(self._head, self._room), last_lines(self._tail, self._room)
        self.output["text"] = text_stub(head, notice, tail)
