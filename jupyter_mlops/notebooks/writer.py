"""Saving a notebook while it runs, at a cost that grows with what is new.

papermill writes the whole file before and after every cell: 40 cells of 1 MB are 1.7 GB. Here the text of a
finished cell is made once and kept; a save is one join and one atomic write; and saves are throttled so that
they never take more than a tenth of the time.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

from ..errors import MlopsError
from .files import dump_cell, dump_notebook, write_text

log = logging.getLogger("jupyter_mlops.notebooks")
_INTERVAL_SECONDS = 1.0


class NotebookWriter:
    """Writes `nb` to `path` (nowhere, if None) while somebody else changes it on the same event loop.

    Tell it with `touch` which cell changed. `flush` is called before the cell that is running is read.
    """

    def __init__(self, nb: dict[str, Any], path: Path | None, flush: Callable[[], None]) -> None:
        self.nb = nb
        self.path = path
        self._flush = flush
        self._texts: list[str | None] = [None] * len(nb["cells"])
        self._is_dirty = True

    def touch(self, index: int | None = None) -> None:
        """Cell `index` changed; None: its cells are not the same any more."""
        self._is_dirty = True
        if index is None:
            self._texts = [None] * len(self.nb["cells"])
        else:
            self._texts[index] = None

    def text(self) -> str:
        """The notebook's text as of now."""
        self._flush()
        for index, cell in enumerate(self.nb["cells"]):
            if self._texts[index] is None:
                self._texts[index] = dump_cell(cell)
        return dump_notebook(self.nb, [text for text in self._texts if text is not None])

    async def autosave(self) -> None:
        """Save now and then until cancelled; a disk that is full is told in the log, and tried again."""
        interval = _INTERVAL_SECONDS
        while True:
            await asyncio.sleep(interval)
            if self.path is None or not self._is_dirty:
                continue
            self._is_dirty = False
            started = time.monotonic()
            try:
                saving = asyncio.ensure_future(asyncio.to_thread(write_text, self.text(), self.path))
                await asyncio.shield(saving)
            except asyncio.CancelledError:
                await asyncio.wait({saving})  # it must not overtake the last save
                raise
            except MlopsError as error:
                log.warning("%s", error)
                self._is_dirty = True
            interval = max(_INTERVAL_SECONDS, 10 * (time.monotonic() - started))

    def save(self, text: str) -> None:
        """The last save. Raises `StorageUnavailable`, or `NotFound` if the folder is gone."""
        if self.path is not None:
            write_text(text, self.path)


@contextlib.asynccontextmanager
async def autosaving(writer: NotebookWriter) -> AsyncIterator[None]:
    """Save in the background while the body runs."""
    task = asyncio.create_task(writer.autosave())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
