"""Several serving processes at one port: each has the model to itself, the system shares out connections."""

from __future__ import annotations

import dataclasses
import logging
import os
import signal
import subprocess
import sys
import threading
import time

from . import logs
from .options import Options, secrets_of, to_arguments
from .server import listen, where

_TICK_SECONDS = 0.2
_PAUSE_SECONDS = 1.0  # before one that died at once is started again
log = logging.getLogger("jupyter_mlops.serving")


def run(options: Options) -> int:
    """Start the processes, start again what dies, and end all of them on SIGTERM; the exit code."""
    logs.begin(options.log_level, options.log_format)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stop.set())
    listener = listen(options)
    log.info("%s processes share %s", options.workers, where(options))
    mine = dataclasses.replace(options, workers=1, fd=listener.fileno(), uds="", port=0)
    running = [_start(mine) for _ in range(options.workers)]
    began = [time.monotonic()] * options.workers
    while not stop.wait(_TICK_SECONDS):
        for index, process in enumerate(running):
            if process.poll() is None:
                continue
            lived = time.monotonic() - began[index]
            if process.returncode in (1, 2) and options.model and lived < 30 and not _any_alive(running):
                listener.close()
                return process.returncode  # none of them can serve this model
            log.error("process %s ended with %s; another is started", process.pid, process.returncode)
            if lived < _PAUSE_SECONDS and stop.wait(_PAUSE_SECONDS):
                break
            # The others answer; nobody shall meet one that is still loading.
            patient = dataclasses.replace(mine, listen_when_ready=_any_alive(running))
            running[index], began[index] = _start(patient), time.monotonic()
    for process in running:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
    listener.close()
    return _await_all(running, options.drain_seconds + options.linger_seconds + 5)


def _start(options: Options) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "jupyter_mlops.serving", *to_arguments(options)],
        pass_fds=[options.fd],
        env={**os.environ, **secrets_of(options)},
    )


def _any_alive(running: list[subprocess.Popen[bytes]]) -> bool:
    return any(process.poll() is None for process in running)


def _await_all(running: list[subprocess.Popen[bytes]], seconds: float) -> int:
    end = time.monotonic() + seconds
    codes = []
    for process in running:
        try:
            codes.append(process.wait(max(0.1, end - time.monotonic())))
        except subprocess.TimeoutExpired:
            process.kill()
            codes.append(process.wait())
    # One that was told to end before it could hear of it has lost nothing either.
    return max((abs(code) for code in codes if code != -signal.SIGTERM), default=0)
