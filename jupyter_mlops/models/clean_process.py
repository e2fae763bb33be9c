"""A process in which nothing of this one exists, for the full trial.

It can import nothing but the standard library and what a version depends on. It is kept for the next version that
depends on the same, since the imports are what takes long: each trial is a fork of it, which alone sees what the
version does. It belongs to the process that started it, and ends with that.
"""

from __future__ import annotations

import atexit
import json
import os
import select
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from typing import IO, Any

from ..errors import InvalidInput
from . import runtime

_TIMEOUT_SECONDS = 300.0
# One thread: a fork must not find others, and no result depends on how many there are.
_ENVIRONMENT = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


class _CleanProcess:
    """The process that is kept; another one is started when something else shall be allowed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._key: tuple[Any, ...] = ()

    def ask(self, folder: str, *, allowed: Sequence[str], modules: Sequence[str]) -> dict[str, Any]:
        """What `runtime.replay` says of the version in `folder`, where only the top-level modules `allowed`
        can be imported; `modules` are, beforehand. `InvalidInput` when it takes too long."""
        with self._lock:
            process = self._started(tuple(sorted(allowed)))
            try:
                self._send(process, {"folder": folder, "modules": list(modules)})
                answer: dict[str, Any] = json.loads(self._line(process.stdout))
            except OSError as error:
                self._end()
                return {"error": f"the process ended by itself: {error}", "traceback": ""}
            if not hasattr(os, "fork"):
                self._end()  # the version was there itself
            return answer

    def _started(self, allowed: tuple[str, ...]) -> subprocess.Popen[bytes]:
        environment = {**os.environ, **_ENVIRONMENT}
        key = (os.getpid(), allowed, environment)
        if self._process is None or self._key != key or self._process.poll() is not None:
            self._end()
            # -I: neither the current folder nor PYTHONPATH nor the user's packages count there.
            self._process = subprocess.Popen(
                [sys.executable, "-I", runtime.__file__],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                cwd=os.path.abspath(os.sep), env=environment, start_new_session=True,
            )  # fmt: skip
            self._key = key
            self._send(self._process, {"allowed": allowed})
        return self._process

    @staticmethod
    def _send(process: subprocess.Popen[bytes], body: Mapping[str, Any]) -> None:
        if process.stdin is not None:
            process.stdin.write(json.dumps(body).encode() + b"\n")
            process.stdin.flush()

    def _line(self, stream: IO[bytes] | None) -> bytes:
        deadline, line = time.monotonic() + _TIMEOUT_SECONDS, b""
        while stream is not None and not line.endswith(b"\n"):
            left = deadline - time.monotonic()
            # Pipes cannot be waited for on Windows; there a trial may take as long as it likes.
            if os.name == "posix" and (left <= 0 or not select.select([stream], [], [], left)[0]):
                self._end()
                raise InvalidInput(
                    f"the trial in a clean process took longer than {_TIMEOUT_SECONDS:.0f} s",
                    hint="check='quick' leaves it out",
                )
            piece = os.read(stream.fileno(), 1 << 16)
            if not piece:
                raise OSError("it did not answer")
            line += piece
        return line

    def close(self) -> None:
        """End the process, if there is one."""
        with self._lock:
            self._end()

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                stream.close()
        if self._key[0] == os.getpid():
            process.kill()
            process.wait()


_kept = _CleanProcess()
ask = _kept.ask
atexit.register(_kept.close)
