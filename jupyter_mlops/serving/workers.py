"""Several serving processes at one port: each has the model to itself, the system shares out connections."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path

from . import logs, readiness
from .options import Options, secrets_of, to_arguments
from .readiness import heard
from .server import listen, where

_TICK_SECONDS = 0.2
_PAUSE_SECONDS = 1.0  # before one that died at once is started again
log = logging.getLogger("jupyter_mlops.serving")


def run(options: Options) -> int:
    """Start the processes, start again what dies, and end all of them on SIGTERM; the exit code.

    The first one listens from the beginning, so that probes are answered while it loads. The others are started when
    it is ready, and listen when they are: nobody meets one that is still loading.
    """
    logs.begin(options.log_level, options.log_format)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stop.set())
    listener = listen(options)
    log.info("%s processes share %s", options.workers, where(options))
    first = dataclasses.replace(options, workers=1, fd=listener.fileno(), uds="", port=0)
    patient = dataclasses.replace(first, listen_when_ready=True)
    with contextlib.closing(listener), heard() as (variables, is_ready):
        start_first = functools.partial(_start, first, variables)
        start_more = functools.partial(_start, patient, {readiness.VARIABLE: ""})
        running = [start_first()]
        began = [time.monotonic()]
        parent = os.getppid()
        while not stop.wait(_TICK_SECONDS):
            if options.fd >= 0 and os.getppid() != parent:  # whose socket it is, is gone
                break
            if len(running) < options.workers and is_ready():
                readiness.tell(os.environ.get(readiness.VARIABLE, ""))
                running += [start_more() for _ in range(options.workers - 1)]
                began += [time.monotonic()] * (options.workers - 1)
            for index, process in enumerate(running):
                if process.poll() is None:
                    continue
                lived = time.monotonic() - began[index]
                if options.model and not is_ready() and process.returncode in (1, 2):
                    return process.returncode  # this model cannot be served
                log.error("process %s ended with %s; another is started", process.pid, process.returncode)
                if lived < _PAUSE_SECONDS and stop.wait(_PAUSE_SECONDS):
                    break
                running[index] = start_more() if _any_alive(running) else start_first()
                began[index] = time.monotonic()
        for process in running:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
    if options.uds:
        Path(options.uds).unlink(missing_ok=True)
    return _await_all(running, options.drain_seconds + options.linger_seconds + 5)


def _start(options: Options, variables: Mapping[str, str]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "jupyter_mlops.serving", *to_arguments(options)],
        pass_fds=[options.fd],
        env={**os.environ, **secrets_of(options), **variables},
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
