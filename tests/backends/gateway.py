"""A real dask-gateway whose clusters are processes on this machine, for tests."""

from __future__ import annotations

import base64
import getpass
import json
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_CONF = """\
c.DaskGateway.backend_class = "dask_gateway_server.backends.local.UnsafeLocalBackend"
c.DaskGateway.authenticator_class = "dask_gateway_server.auth.SimpleAuthenticator"
c.DaskGateway.address = "127.0.0.1:{private}"
c.Proxy.address = "127.0.0.1:{public}"
c.UnsafeLocalBackend.clusters_directory = "{folder}/clusters"
c.UnsafeLocalBackend.sigint_timeout = c.UnsafeLocalBackend.sigterm_timeout = 2
# distributed 2026.8 has no commands dask-scheduler and dask-worker any more, which it would start
c.ClusterConfig.scheduler_cmd = ["{python}", "-m", "distributed.cli.dask_scheduler"]
c.ClusterConfig.worker_cmd = ["{python}", "-m", "distributed.cli.dask_worker", "--resources", "cpu=1"]
"""


@contextmanager
def gateway(folder: Path) -> Iterator[str]:
    """Runs while it is open; its address."""
    sockets = [socket.socket() for _ in range(2)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    public, private = (each.getsockname()[1] for each in sockets)
    for each in sockets:
        each.close()
    (folder / "conf.py").write_text(
        _CONF.format(public=public, private=private, folder=folder, python=sys.executable)
    )
    address, script = f"http://127.0.0.1:{public}", Path(sys.executable).with_name("dask-gateway-server")
    with (folder / "log").open("w") as log:
        process = subprocess.Popen([script, "-f", "conf.py"], cwd=folder, stdout=log, stderr=log)
    try:
        until = time.monotonic() + 40
        while not _answers(address):
            is_late = process.poll() is not None or time.monotonic() > until
            assert not is_late, (folder / "log").read_text()
            time.sleep(0.1)
        yield address
    finally:
        process.terminate()
        process.wait(30)


def clusters_of(address: str) -> dict[str, Any]:
    """The clusters that it has, by name."""
    request = urllib.request.Request(f"{address}/api/v1/clusters/")
    user = base64.b64encode(f"{getpass.getuser()}:".encode()).decode()
    request.add_header("Authorization", f"Basic {user}")
    with urllib.request.urlopen(request, timeout=10) as answer:
        found: dict[str, Any] = json.load(answer)
    return found


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/api/health", timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
