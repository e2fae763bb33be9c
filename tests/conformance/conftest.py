"""Backends to test: the one in this process, and a real scheduler with workers that share no directory with us."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from jupyter_mlops.backends import BACKENDS, Backend, Job, JobKey, JobOutcome
from jupyter_mlops.blobs import BlobStore
from jupyter_mlops.events import Event
from jupyter_mlops.kernels import KernelPool


class Heard:
    """A listener that remembers, and can be waited for."""

    def __init__(self) -> None:
        self.news: list[tuple[str, str]] = []  # ("started" | outcome's state, task)
        self.outcomes: dict[JobKey, JobOutcome] = {}
        self.workers: dict[JobKey, str] = {}
        self.events: list[Event] = []
        self._changed = threading.Condition()

    def started(self, key: JobKey, worker: str) -> None:
        with self._changed:
            self.news.append(("started", key.task))
            self.workers[key] = worker
            self._changed.notify_all()

    def ended(self, key: JobKey, outcome: JobOutcome) -> None:
        with self._changed:
            assert key not in self.outcomes, f"{key} was told twice"
            self.news.append((outcome.state, key.task))
            self.outcomes[key] = outcome
            self._changed.notify_all()

    def progressed(self, event: Event) -> None:
        with self._changed:
            self.events.append(event)
            self._changed.notify_all()

    def wait(self, condition: Callable[[], Any], seconds: float = 40) -> None:
        with self._changed:
            assert self._changed.wait_for(condition, seconds), f"heard: {self.news}, {self.outcomes}"

    def outcome(self, key: JobKey, seconds: float = 40) -> JobOutcome:
        self.wait(lambda: key in self.outcomes, seconds)
        return self.outcomes[key]

    def has_started(self, key: JobKey) -> None:
        self.wait(lambda: key in self.workers)

    def in_cell(self, key: JobKey) -> None:
        self.wait(lambda: any(getattr(event, "task", "") == key.task for event in self.events))


@dataclass
class Cluster:
    """A dask scheduler and its workers, as processes of their own in directories of their own."""

    folder: Path
    port: int = 0
    scheduler: subprocess.Popen[bytes] | None = None
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def _launch(self, name: str, *words: str) -> subprocess.Popen[bytes]:
        place = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=self.folder))
        with (place / "log").open("wb") as log:
            return subprocess.Popen(
                [sys.executable, "-m", *words], cwd=place, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env={**os.environ, "PYTHONWARNINGS": "ignore"},
            )  # fmt: skip

    def start(self) -> None:
        file = self.folder / f"scheduler-{time.monotonic_ns()}.json"
        self.scheduler = self._launch(
            "scheduler", "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", str(self.port),
            "--dashboard-address", "127.0.0.1:0", "--no-show", "--scheduler-file", str(file),
        )  # fmt: skip
        deadline = time.monotonic() + 30
        while not file.exists() or not file.read_text().strip():
            assert self.scheduler.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
        self.port = int(json.loads(file.read_text())["address"].rpartition(":")[2])

    @property
    def address(self) -> str:
        return f"tcp://127.0.0.1:{self.port}"

    def add_worker(self, *, threads: int = 2, resources: str = "cpu=2 memory=8000000000") -> None:
        self.workers.append(
            self._launch(
                "worker", "distributed.cli.dask_worker", self.address, "--nthreads", str(threads), "--no-nanny",
                "--host", "127.0.0.1", "--no-dashboard", "--resources", resources,
                "--local-directory", str(self.folder),
            )
        )  # fmt: skip

    def wait_for_workers(self, count: int) -> None:
        from distributed import Client

        with Client(self.address, set_as_default=False, timeout=20) as client:
            client.wait_for_workers(count, timeout=40)

    def stop(self, signal_number: int = signal.SIGTERM) -> None:
        for process in [*self.workers, *filter(None, [self.scheduler])]:
            process.send_signal(signal_number)
        for process in [*self.workers, *filter(None, [self.scheduler])]:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.workers.clear()


@pytest.fixture
def make_cluster(tmp_path: Path) -> Iterator[Callable[[], Cluster]]:
    made: list[Cluster] = []

    def make() -> Cluster:
        made.append(Cluster(Path(tempfile.mkdtemp(dir=tmp_path))))
        made[-1].start()
        return made[-1]

    yield make
    for cluster in made:
        cluster.stop(signal.SIGKILL)


@pytest.fixture(scope="session")
def shared_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """One worker with two threads."""
    cluster = Cluster(tmp_path_factory.mktemp("cluster"))
    cluster.start()
    cluster.add_worker()
    cluster.wait_for_workers(1)
    yield cluster
    cluster.stop()


@pytest.fixture(scope="session")
def pool() -> Iterator[KernelPool]:
    with KernelPool(size=2) as pool:
        yield pool


@dataclass
class Bench:
    """A backend, what it told, and a way to make jobs for it."""

    folder: Path
    blobs: BlobStore
    heard: Heard
    backend: Backend
    is_remote: bool
    count: int = 0

    def job(self, *cells: str, task: str = "", files: dict[str, str] | None = None, **fields: Any) -> Job:
        """`files` are path → content; `cwd` is a directory of this machine that no worker may need."""
        self.count += 1
        key = JobKey(run_id=f"run-{self.folder.name}", task=task or f"task{self.count}", attempt=1)
        nothing = self.folder / "not-there"
        source = json.dumps(
            {
                "cells": [
                    {
                        "cell_type": "code", "id": f"c{number}", "metadata": {}, "source": cell,
                        "execution_count": None, "outputs": [],
                    }
                    for number, cell in enumerate(cells)
                ],
                "metadata": {"kernelspec": {"name": "python3", "language": "python", "display_name": "P"}},
                "nbformat": 4,
                "nbformat_minor": 5,
            }
        )  # fmt: skip
        given: dict[str, Any] = {
            "cwd": str(nothing), "base": str(nothing), "root": str(nothing), "notebook_name": "job.ipynb",
            "notebook": self.blobs.put_bytes(source.encode()), "blobs_url": self.blobs.url, "kernel": "python3",
            "files": {name: self.blobs.put_bytes(content.encode()) for name, content in (files or {}).items()},
        }  # fmt: skip
        return Job(key=key, **{**given, **fields})

    def submit(self, *cells: str, **fields: Any) -> JobKey:
        job = self.job(*cells, **fields)
        self.backend.submit(job)
        return job.key


@pytest.fixture
def make_bench(tmp_path: Path, pool: KernelPool) -> Iterator[Callable[..., Bench]]:
    made: list[Bench] = []

    def make(address: str = "", *, workers: int = 2, **options: Any) -> Bench:
        folder = Path(tempfile.mkdtemp(dir=tmp_path))
        heard = Heard()
        backend = BACKENDS.get("dask")(
            heard, address=address, pool=None if address else pool, workers=workers, **options
        )
        made.append(Bench(folder, BlobStore(folder / "blobs"), heard, backend, bool(address)))
        return made[-1]

    yield make
    for bench in made:
        bench.backend.close()


@pytest.fixture(params=["here", pytest.param("elsewhere", marks=pytest.mark.slow)])
def bench(request: pytest.FixtureRequest, make_bench: Callable[..., Bench]) -> Bench:
    """A backend that runs two jobs at once."""
    if request.param == "here":
        return make_bench()
    return make_bench(request.getfixturevalue("shared_cluster").address)
