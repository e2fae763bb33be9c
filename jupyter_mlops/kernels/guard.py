"""What sees to it that kernels end with us, even if we are killed.

A forked kernel hears of it from Linux, and an ipykernel looks for its parent; an R, a Julia, or whatever a kernel
has started, would go on for ever. So a small process (`watchdog`) holds the other end of a pipe of ours. It also
removes the directory of their sockets.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
from pathlib import Path

_PROGRAM = Path(__file__).with_name("watchdog.py")
_END_SECONDS = 5.0


class Guard:
    """Watches process groups. The process that does it is there from the first one on; POSIX only."""

    def __init__(self) -> None:
        self._groups: set[int] = set()
        self._directory: Path | None = None
        self._process: subprocess.Popen[str] | None = None

    def own(self, directory: Path) -> None:
        """Remove this directory when we are gone."""
        if directory != self._directory:
            self._directory = directory
            self._tell(str(directory))

    def watch(self, group: int) -> None:
        """Kill this process group when we are gone."""
        self._groups.add(group)
        self._tell(f"+{group}")

    def forget(self, group: int) -> None:
        """It has ended, and its number may be another's soon."""
        self._groups.discard(group)
        self._tell(f"-{group}")

    def close(self) -> None:
        """Nothing is to be watched any more."""
        process, self._process = self._process, None
        if process is not None:
            for group in list(self._groups):
                self.forget(group)
            with contextlib.suppress(OSError, ValueError):
                process.stdin.close()  # type: ignore[union-attr]
            try:
                process.wait(_END_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _tell(self, line: str) -> None:
        if sys.platform == "win32":
            return
        if self._process is None:
            self._start()
        elif not self._write(line):  # somebody has killed it
            self._process.wait()
            self._start()

    def _start(self) -> None:
        # In a session of its own: what ends our process group must not end it before its work is done.
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(_PROGRAM)], text=True, cwd="/", start_new_session=True,
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        if self._directory is not None:
            self._write(str(self._directory))
        for group in self._groups:
            self._write(f"+{group}")

    def _write(self, line: str) -> bool:
        try:
            self._process.stdin.write(f"{line}\n")  # type: ignore[union-attr]
            self._process.stdin.flush()  # type: ignore[union-attr]
        except (OSError, ValueError):
            return False
        return True
