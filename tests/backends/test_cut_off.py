"""A worker in a network of its own, without our disk: cut off for a while, and it loses nothing."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import pytest

from jupyter_mlops import Workspace
from jupyter_mlops.catalog.records import TaskRun

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]
_OURS, _THEIRS = "10.213.77.1", "10.213.77.2"


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)


@dataclass
class Link:
    """A namespace, and the one cable that leads there."""

    name: str

    def cut(self, seconds: float) -> None:
        """Pull the plug for so long."""
        _ip("link", "set", f"{self.name}a", "down")
        time.sleep(seconds)
        _ip("link", "set", f"{self.name}a", "up")


@pytest.fixture
def link() -> Iterator[Link]:
    if shutil.which("ip") is None or os.geteuid() != 0:
        why = "network namespaces need root and iproute2"
        pytest.fail(why) if os.environ.get("CI") else pytest.skip(why)
    link = Link(f"mlops{os.getpid() % 10_000}")
    here, there = f"{link.name}a", f"{link.name}b"
    _ip("netns", "add", link.name)
    try:
        _ip("link", "add", here, "type", "veth", "peer", "name", there, "netns", link.name)
        _ip("addr", "add", f"{_OURS}/24", "dev", here)
        _ip("link", "set", here, "up")
        for words in (
            ["addr", "add", f"{_THEIRS}/24", "dev", there],
            ["link", "set", there, "up"],
            ["link", "set", "lo", "up"],
        ):
            _ip("-n", link.name, *words)
        yield link
    finally:
        with suppress(subprocess.CalledProcessError):
            _ip("netns", "del", link.name)
        with suppress(subprocess.CalledProcessError):
            _ip("link", "del", here)


@pytest.fixture
def blobs() -> Iterator[dict[str, Any]]:
    """An S3 that both sides reach."""
    import boto3
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="0.0.0.0", port=0, verbose=False)
    server.start()
    port = server.get_host_and_port()[1]
    place = {"endpoint_url": f"http://{_OURS}:{port}", "region_name": "us-east-1"}
    local = {**place, "endpoint_url": f"http://127.0.0.1:{port}"}
    boto3.client("s3", aws_access_key_id="test", aws_secret_access_key="test", **local).create_bucket(
        Bucket="mlops"
    )
    yield place
    server.stop()


@pytest.fixture
def scheduler(link: Link, tmp_path: Path) -> Iterator[str]:
    """One scheduler here; one worker there, for which our project's folder is empty."""
    project = tmp_path / "project"
    project.mkdir()
    dask = [sys.executable, "-m"]
    worker = ["distributed.cli.dask_worker", f"tcp://{_OURS}:28786", "--host", _THEIRS, "--no-nanny", "--no-dashboard",
              "--nthreads", "2", "--resources", "cpu=2", "--local-directory", "/tmp"]  # fmt: skip
    inside = [
        "ip",
        "netns",
        "exec",
        link.name,
        "sh",
        "-c",
        'mount -t tmpfs none "$0" && exec "$@"',
        str(project),
    ]
    started = []
    with (tmp_path / "dask.log").open("wb") as log:
        for command in (
            [
                *dask,
                "distributed.cli.dask_scheduler",
                "--host",
                _OURS,
                "--port",
                "28786",
                "--no-dashboard",
                "--no-show",
            ],
            [*inside, *dask, *worker],
        ):
            started.append(subprocess.Popen(command, cwd=tmp_path, stdout=log, stderr=log))
            _wait_for_the_scheduler()
    yield f"tcp://{_OURS}:28786"
    for process in reversed(started):
        process.terminate()
        process.wait(20)


def _wait_for_the_scheduler() -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with suppress(OSError), socket.create_connection((_OURS, 28786), timeout=1):
            return
        time.sleep(0.1)
    raise AssertionError("the scheduler does not listen")


def _notebook(path: Path, parameters: str, code: str) -> None:
    cells = [
        nbformat.v4.new_code_cell(parameters, metadata={"tags": ["parameters"]}),
        nbformat.v4.new_code_cell(code),
    ]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)


def test_it_goes_on_where_it_was(link: Link, blobs: dict[str, Any], scheduler: str, tmp_path: Path) -> None:
    folder = tmp_path / "project"
    (folder / "mlops.toml").write_text(
        f'cluster = "{scheduler}"\nblobs = "s3://mlops/cut"\nkernel_pool = 0\n\n'
        '[blob_options]\nkey = "test"\nsecret = "test"\n'
        f'client_kwargs = {{endpoint_url = "{blobs["endpoint_url"]}", region_name = "us-east-1"}}\n'
    )
    (folder / "pipeline.yaml").write_text(
        "name: cut\ntasks:\n"
        "  work: {notebook: work.ipynb, matrix: {number: [1, 2, 3]}, parameters: {number: '${matrix.number}'}}\n"
        "  total: {notebook: total.ipynb, parameters: {numbers: '${tasks.work.results.double}'}}\n"
    )
    (folder / "doubling.py").write_text("def double(number):\n    return 2 * number\n")
    _notebook(
        folder / "work.ipynb", "number: int = 0",
        "import os, time, jupyter_mlops as mlops\nfrom doubling import double\ntime.sleep(4)\n"
        "mlops.result('double', double(number))\n"
        f"mlops.result('is_alone', not os.path.exists({str(folder / 'mlops.toml')!r}))",
    )  # fmt: skip
    _notebook(
        folder / "total.ipynb",
        "numbers: list = []",
        "import jupyter_mlops as mlops\nmlops.result('total', sum(numbers))",
    )
    with Workspace.open(folder) as workspace:
        cutter = threading.Timer(6, link.cut, [6])
        cutter.start()
        try:
            run = workspace.runs.run(folder / "pipeline.yaml", {})
        finally:
            cutter.cancel()
            cutter.join()
        tasks = workspace.catalog.find(TaskRun, where={"run_id": run.run_id}, order_by="position")
    assert [task.state for task in tasks] == ["succeeded"] * 4, [task.error for task in tasks]
    assert tasks[-1].results == {"total": 12}
    assert all(task.results["is_alone"] for task in tasks[:-1])  # our disk was not theirs
    assert {task.worker.partition("//")[2].partition(":")[0] for task in tasks} == {_THEIRS}
