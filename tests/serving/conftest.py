"""Model versions in folders, and real serving processes."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from jupyter_mlops.blobs import BlobStore
from jupyter_mlops.catalog import Catalog
from jupyter_mlops.models import ModelStore


@dataclass
class Reply:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Served:
    """A process that serves, at a port of its own."""

    process: subprocess.Popen[bytes]
    port: int
    log: Path
    connections: list[http.client.HTTPConnection] = field(default_factory=list)

    def ask(
        self, path: str, body: Any = None, *, method: str = "", headers: Mapping[str, str] | None = None
    ) -> Reply:
        """One request over a connection of its own; what is no text or bytes is sent as JSON."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            given = dict(headers or {})
            if body is not None and not isinstance(body, bytes):
                body = json.dumps(body).encode()
                given.setdefault("content-type", "application/json")
            connection.request(method or ("GET" if body is None else "POST"), path, body, given)
            answer = connection.getresponse()
            names = {name.lower(): value for name, value in answer.getheaders()}
            return Reply(answer.status, names, answer.read())
        finally:
            connection.close()

    def predict(self, rows: Any, **headers: str) -> Any:
        reply = self.ask("/invocations", {"instances": rows}, headers=headers)
        assert reply.status == 200, reply.body
        return reply.json["predictions"]

    def raw(self, data: bytes, *, seconds: float = 20) -> bytes:
        """Bytes sent as they are; all that comes back until the server closes."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=seconds) as opened:
            opened.sendall(data)
            opened.shutdown(socket.SHUT_WR)
            answer = b""
            while piece := opened.recv(65536):
                answer += piece
            return answer

    def state(self) -> Any:
        return self.ask("/mlops/state").json

    def metric(self, name: str) -> float:
        """The sum of a metric over its labels."""
        lines = self.ask("/metrics").body.decode().splitlines()
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(name))

    def until(self, what: Callable[[], bool], seconds: float = 30) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            assert self.process.poll() is None, self.log.read_text()
            try:
                if what():
                    return
            except OSError:
                pass
            time.sleep(0.05)
        raise AssertionError(f"it never came to be: {self.log.read_text()}")

    def until_revision(self, revision: int) -> None:
        self.until(lambda: self.state()["revision"] == revision)

    def stop(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(40)


def start_serving(
    folder: Path, *arguments: str, is_awaited: bool = True, is_piped: bool = False, **environment: str
) -> Served:
    """A serving process; its log lies in `folder`. `is_piped`: what it prints can be read."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(128)
        port = listener.getsockname()[1]
        log = folder / f"serving-{port}.log"
        command = [sys.executable, "-m", "jupyter_mlops.serving", "serve", "--fd", str(listener.fileno())]
        with log.open("wb") as file:
            process = subprocess.Popen(
                [*command, *arguments],
                pass_fds=[listener.fileno()],
                stdout=subprocess.PIPE if is_piped else None,
                stderr=file,
                env={**os.environ, "OMP_NUM_THREADS": "1", **environment},
            )
    served = Served(process, port, log)
    if is_awaited:
        served.until(lambda: served.ask("/ping").status == 200)
    return served


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Served]]:
    """Start serving processes, which end with the test."""
    begun: list[Served] = []

    def call(*arguments: str, **given: Any) -> Served:
        begun.append(start_serving(tmp_path, *arguments, **given))
        return begun[-1]

    yield call
    for served in begun:
        if served.process.poll() is None:
            served.process.kill()
            served.process.wait()


# --- models -------------------------------------------------------------------------------------------------

FLIGHTS = pd.DataFrame({
    "hour": np.array([5, 9, 23, 14], "int64"),
    "distance": [187.0, 2475.0, 1089.5, 733.0],
    "carrier": pd.Categorical(["AA", "UA", "DL", "AA"], categories=["AA", "DL", "UA"]),
    "is_weekend": [True, False, False, True],
    "origin": ["JFK", "LGA", "EWR", "JFK"],
})  # fmt: skip
ROW = {"hour": 9, "distance": 1000.0, "carrier": "UA", "is_weekend": False, "origin": "JFK"}


def late(scale: float) -> tuple[Any, Any]:
    """A model that is a number, and its predict."""

    def predict(model, features):
        return (features["hour"] * model + features["distance"] / 1000).to_numpy()

    return scale, predict


@pytest.fixture(scope="session")
def serving_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ModelStore, Path]]:
    root = tmp_path_factory.mktemp("serving-models")
    with Catalog.open(f"sqlite:///{root}/catalog.db") as catalog:
        yield ModelStore(catalog, BlobStore(root / "blobs"), user_name="ada"), root


@pytest.fixture(scope="session")
def folder_of(serving_store: tuple[ModelStore, Path]) -> Callable[..., Path]:
    """The folder of a version of a model, registered when it is first asked for."""
    store, root = serving_store
    known: dict[str, Path] = {}

    def call(name: str, make: Callable[[], Mapping[str, Any]]) -> Path:
        if name not in known:
            version = store.register(name, **{"code": {"cells": []}, **make()})
            known[name] = store.export_mlflow(f"models:/{name}/{version.version}", root / name)
        return known[name]

    return call


@pytest.fixture(scope="session")
def flights(folder_of: Callable[..., Path]) -> Path:
    """late = hour + distance / 1000."""
    model, predict = late(1.0)
    return folder_of("late", lambda: {"model": model, "predict": predict, "input_example": FLIGHTS})


@pytest.fixture(scope="session")
def doubled(folder_of: Callable[..., Path]) -> Path:
    """late = 2 hour + distance / 1000."""
    model, predict = late(2.0)
    return folder_of("late2", lambda: {"model": model, "predict": predict, "input_example": FLIGHTS})


@pytest.fixture(scope="session")
def arrays(folder_of: Callable[..., Path]) -> Path:
    """The sum of a row of three numbers."""

    def predict(model, features):
        return features.sum(axis=1)

    return folder_of("sums", lambda: {"model": 0, "predict": predict, "input_example": np.ones((4, 3))})


@pytest.fixture(scope="session")
def served(flights: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One process that the tests share which only ask."""
    opened = start_serving(
        tmp_path_factory.mktemp("serving-shared"), "--model", str(flights),
        AIP_HEALTH_ROUTE="/v1/endpoints/7/deployedModels/8",
        AIP_PREDICT_ROUTE="/v1/endpoints/7/deployedModels/8:predict",
    )  # fmt: skip
    yield opened
    opened.process.kill()
    opened.process.wait()
