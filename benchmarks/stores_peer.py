"""Peers of the stores' benchmark, each in a Python environment of its own that this makes, and keeps, in the cache.

A peer's process stays up and is asked by lines of JSON (`peer_loop` is its end), so that it can be warm and take
turns with us. Its requirements are part of the environment's path: another version is another environment.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import harness
from harness import Row

PEERS = {
    "feast": ("feast[duckdb,redis]==0.67.0", "polars>=1.30"),
    "mlflow": ("mlflow==3.17.2", "scikit-learn>=1.6"),
}
_QUIET = {  # no telemetry from a benchmark
    "FEAST_USAGE": "False",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
}


def place(name: str, requirements: Sequence[str]) -> Path:
    """Where the peer's virtual environment is, or will be."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    digest = hashlib.sha256(" ".join([sys.version, *requirements]).encode()).hexdigest()[:8]
    return cache / "jupyter-mlops" / "benchmarks" / f"{name}-{digest}"


def environment(name: str, requirements: Sequence[str]) -> Path:
    """The Python of a virtual environment with these requirements, made if there is none."""
    folder = place(name, requirements)
    python = folder / "bin" / "python"
    if not (folder / "ready").exists():
        print(f"making {folder} (once) …", file=sys.stderr)
        harness.environment(folder, requirements)
        (folder / "ready").touch()
    return python


class Peer:
    """A peer's process: `ask` it to do something, and it answers with what it measured."""

    def __init__(self, python: Path, script: str, folder: Path) -> None:
        self.python = python
        self._log = folder / f"{script}.log"
        with self._log.open("w") as log:
            self._process = subprocess.Popen(
                [str(python), str(Path(__file__).with_name(script))],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True, cwd=folder,
                env={**os.environ, **_QUIET},
            )  # fmt: skip

    def ask(self, action: str, **task: Any) -> dict[str, Any]:
        """What the peer's function `action` returns for `task`; a failure of its ends the benchmark."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(json.dumps([action, task], default=str) + "\n")
            self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise SystemExit(f"the peer failed at {action}:\n{self._log.read_text()[-3000:]}")
        found: dict[str, Any] = json.loads(answer)
        return found

    def close(self) -> None:
        """It ends when nobody asks any more."""
        self._process.kill()
        self._process.communicate()


def find(name: str, folder: Path, choice: str) -> Peer | None:
    """The peer, by ``--feast`` or ``--mlflow``: ``auto`` (an environment of its own), ``skip``, or a Python.

    None, and a line that says why, if there is none.
    """
    reason = f"--{name} skip"
    if choice != "skip":
        try:
            python = environment(name, PEERS[name]) if choice == "auto" else Path(choice)
            return Peer(python, f"{name}_peer.py", folder)
        except (OSError, subprocess.SubprocessError) as error:
            reason = f"it could not be installed: {error}"
    print(f"without {name}: {reason}", file=sys.stderr)
    return None


@contextlib.contextmanager
def redis_server(folder: Path) -> Iterator[int | None]:
    """The port of a Redis of our own that keeps everything in memory; None where none is installed."""
    binary = shutil.which("redis-server")
    if binary is None:
        print("without Redis: there is no redis-server here", file=sys.stderr)
        yield None
        return
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    words = [binary, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
    server = subprocess.Popen([*words, "--dir", str(folder)], stdout=subprocess.DEVNULL)
    try:
        for _ in range(200):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                break
            time.sleep(0.05)
        yield port
    finally:
        server.terminate()
        server.wait()


Contestant = tuple[Row, Callable[[], float], int]


def take_turns(contestants: Sequence[Contestant]) -> None:
    """As the harness's, with a number of rounds for each: who takes a minute gets fewer, and with one round
    none is thrown away (its process has done the same at a small size before)."""
    most = max(rounds for _, _, rounds in contestants)
    for number in range(-1 if most > 1 else 0, most):
        ordered = contestants if number % 2 == 0 else list(reversed(contestants))
        for row, measure, rounds in ordered:
            if number >= rounds or (number < 0 and rounds == 1):
                continue
            time.sleep(harness.PAUSE_SECONDS)
            value = measure()
            if number >= 0:
                row.values.append(value)
                harness.progress(f"{row.case}: {row.who}: {harness.shown(row, value)}")
