"""A dask scheduler and workers as processes of their own, for tests."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

_WORKER = ("--no-nanny", "--nthreads", "2")


@contextmanager
def dask_processes(folder: Path, *words: str, **worker_environment: str) -> Iterator[str]:
    """A scheduler and a worker of two cores; the address."""
    known = folder / "scheduler.json"
    protocol = ["--protocol", "tls"] if words else []
    with ExitStack() as stack:
        options = ["--port", "0", "--no-show", "--scheduler-file", str(known), *protocol]
        stack.enter_context(_process(folder, "scheduler", *options, *words))
        deadline = time.monotonic() + 30
        while not known.exists() or not known.read_text().strip():
            assert time.monotonic() < deadline
            time.sleep(0.05)
        address = str(json.loads(known.read_text())["address"])
        stack.enter_context(
            _process(
                folder, "worker", address, *_WORKER, "--resources", "cpu=2", *words, **worker_environment
            )
        )
        yield address


@contextmanager
def dask_worker(folder: Path, address: str, name: str, resources: str) -> Iterator[None]:
    """One more worker."""
    with _process(folder, "worker", address, *_WORKER, "--name", name, "--resources", resources):
        yield


@contextmanager
def _process(folder: Path, role: str, *words: str, **environment: str) -> Iterator[None]:
    module = f"distributed.cli.dask_{role}"
    command = [sys.executable, "-m", module, "--host", "127.0.0.1", "--no-dashboard", *words]
    env = {**os.environ, "PYTHONWARNINGS": "ignore", **environment}
    with (folder / f"{role}.log").open("ab") as log:
        process = subprocess.Popen(command, cwd=folder, env=env, stdout=log, stderr=log)
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:  # dask waits for what it was about to do, at times for long
            process.kill()
            process.wait()
