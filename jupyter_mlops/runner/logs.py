"""What the cells of a run write, as files that can be followed while they grow."""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

from ..catalog import Catalog
from ..catalog.records import Run, TaskRun
from ..events import TERMINAL, OutputStreamed
from .places import log_path

_FOLLOW_SECONDS = 0.2
log = logging.getLogger(__name__)


class LogWriter:
    """The logs of one run. A disk that is full costs lines of a log, never the run."""

    def __init__(self, root: Path, run_id: str) -> None:
        self.root, self.run_id = root, run_id
        self._files: dict[tuple[str, int], TextIO] = {}

    def write(self, event: OutputStreamed) -> None:
        """Add what a cell wrote to the log of its attempt."""
        key = (event.task, event.attempt)
        try:
            if key not in self._files:
                path = log_path(self.root, self.run_id, event.task, event.attempt)
                path.parent.mkdir(parents=True, exist_ok=True)
                self._files[key] = path.open("a", encoding="utf-8", errors="backslashreplace", newline="")
            self._files[key].write(event.text)
            self._files[key].flush()
        except OSError as error:
            log.warning("the log of %s cannot be written: %s", event.task, error.strerror)

    def end(self, task: str, attempt: int) -> None:
        """The attempt is over."""
        file = self._files.pop((task, attempt), None)
        if file is not None:
            with contextlib.suppress(OSError):
                file.close()

    def close(self) -> None:
        """Close them all."""
        for key in list(self._files):
            self.end(*key)


class LogReader:
    """The logs of a run, or of one task of it, in the order of its tasks and attempts."""

    def __init__(self, catalog: Catalog, root: Path, run_id: str, task: str | None) -> None:
        self.catalog, self.root, self.run_id, self.task = catalog, root, run_id, task
        self._offsets: dict[Path, int] = {}
        self._rests: dict[Path, tuple[str, bytes]] = {}  # unfinished last lines, with the task's name

    def lines(self, *, follow: bool) -> Iterator[str]:
        """Whole lines, without their ends; with `follow` until the run (or the task) is over."""
        while True:
            is_over = self._is_over()  # asked first: what is written until then is read afterwards
            yield from self._new_lines()
            if not follow or is_over:
                break
            time.sleep(_FOLLOW_SECONDS)
        for name, rest in self._rests.values():
            if rest:
                yield self._shown(name, rest)

    def _is_over(self) -> bool:
        where: dict[str, Any] = {"run_id": self.run_id, "state": list(TERMINAL)}
        if self.task is not None:
            return self.catalog.count(TaskRun, where={**where, "task": self.task}) > 0
        return self.catalog.count(Run, where=where) > 0

    def _new_lines(self) -> Iterator[str]:
        where = {"run_id": self.run_id} | ({} if self.task is None else {"task": self.task})
        for task in self.catalog.find(TaskRun, where=where, order_by="position"):
            for attempt in range(1, task.attempt + 1):
                path = log_path(self.root, self.run_id, task.task, attempt)
                with contextlib.suppress(FileNotFoundError), path.open("rb") as file:
                    file.seek(self._offsets.get(path, 0))
                    data = file.read()
                    self._offsets[path] = self._offsets.get(path, 0) + len(data)
                    *whole, rest = (self._rests.get(path, ("", b""))[1] + data).split(b"\n")
                    self._rests[path] = task.task, rest
                    for line in whole:
                        yield self._shown(task.task, line)

    def _shown(self, task: str, line: bytes) -> str:
        text = line.decode("utf-8", "replace").removesuffix("\r")
        return text if self.task is not None else f"{task}: {text}"
