"""What tests of images of models share: a model, the command line that makes its image, and a server in a container."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jupyter_mlops.oci.keys import PASSWORD

from .conftest import STRICT, Containers

REGISTER = """
import numpy as np
import jupyter_mlops as mlops

class Twice:
    def predict(self, rows):
        return np.asarray(rows, dtype=float).sum(axis=1) * 2

version = mlops.register_model("twice", Twice(), input_example=np.asarray([[1.0, 2.0], [3.0, 4.0]]))
mlops.alias("twice", "champion", version.version)
"""


def mlops(containers: Containers, folder: Path, *words: str) -> dict[str, Any]:
    """The command in a process of its own, as somebody types it; the document of ``--json``."""
    env = {**os.environ, **containers.env, PASSWORD: "secret"}
    command = [sys.executable, "-c", "from jupyter_mlops.cli import main; main()"]
    command += [*words, "-w", str(folder), "--json"]
    done = subprocess.run(command, env=env, cwd=folder, capture_output=True, text=True, timeout=400)
    assert done.returncode == 0, done.stdout + done.stderr
    document: dict[str, Any] = json.loads(done.stdout)
    return document


@contextlib.contextmanager
def running(containers: Containers, image: str, *words: str, options: tuple[str, ...] = ()) -> Iterator[str]:
    """A server in a container that may do nothing; its name, with the variable ``PORT`` told to it."""
    name = f"serves-{os.getpid()}-{time.monotonic_ns()}"
    containers.call(
        "podman", "run", "-d", "--name", name, *STRICT, "--tls-verify=false", *options, image, *words
    )
    try:
        yield name
    finally:
        containers.call("podman", "rm", "--force", "--time", "5", name, is_checked=False)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def ask(port: int, path: str, body: Any = None) -> tuple[int, Any]:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}{path}", data=data, headers={"content-type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        text = answer.read()
        return answer.status, json.loads(text) if text.strip().startswith(b"{") else text


def wait_for(port: int, seconds: int = 30) -> None:
    for _ in range(10 * seconds):
        with contextlib.suppress(OSError):
            if ask(port, "/ping")[0] == 200:
                return
        time.sleep(0.1)
    raise AssertionError("it does not answer")
