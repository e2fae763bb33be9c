"""Starting the processes that drive runs. Each is of a session of its own, so that it outlives whoever starts it:
the server of the panel, or the scheduler."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import threading
from pathlib import Path
from typing import Literal

from ..errors import Unavailable
from .places import run_folder

Verb = Literal["resume", "cancel"]
log = logging.getLogger(__name__)


class Drivers:
    """The driving processes that this process has started for one workspace."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._lock = threading.Lock()
        self._going: dict[subprocess.Popen[bytes], str] = {}

    def start(self, verb: Verb, run_id: str) -> None:
        """Drive a run on to its end, or end it. Raises `Unavailable` if no process can be started."""
        folder = run_folder(self.root, run_id)
        order = json.dumps({"root": str(self.root), "verb": verb, "run_id": run_id}).encode()
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with (folder / "driver.log").open("ab") as written:
                process = subprocess.Popen(
                    [sys.executable, "-m", "jupyter_mlops.driver"],
                    stdin=subprocess.PIPE, stdout=written, stderr=written, cwd=self.root, start_new_session=True,
                )  # fmt: skip
            assert process.stdin is not None  # noqa: S101 - it is a pipe
            process.stdin.write(order)
            process.stdin.close()
        except OSError as error:
            raise Unavailable(
                f"no process can be started to drive run {run_id}: {error.strerror or error}",
                hint=f"free some memory or disk space, then: jupyter mlops resume {run_id}",
            ) from error
        with self._lock:
            self._going[process] = run_id

    def reap(self) -> None:
        """Take note of those that have ended."""
        self.failures()

    def failures(self) -> list[str]:
        """The same, and the runs whose driver did not end well."""
        failed = []
        with self._lock:
            for process in [process for process in self._going if process.poll() is not None]:
                run_id = self._going.pop(process)
                if process.returncode:
                    log.warning("the driver of run %s ended with %s", run_id, process.returncode)
                    failed.append(run_id)
        return failed

    def pids(self) -> set[int]:
        """Of those that have not been noted to have ended."""
        with self._lock:
            return {process.pid for process in self._going}

    def forget(self) -> None:
        """This process ends; those that drive go on."""
        with self._lock:
            for process in self._going:
                process.returncode = process.poll() or 0  # so that Python does not warn of it
            self._going.clear()
