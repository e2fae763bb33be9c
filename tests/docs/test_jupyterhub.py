"""docs/howto/jupyterhub.md with a real JupyterHub: its settings reach the servers, and each run is its user's.

The hub runs with its own proxy and starts a server for each of two users, as processes of this machine, by the
configuration that the page shows, with places of this test in place of the servers in it.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import psutil
import pytest

from jupyter_mlops.catalog import Catalog
from jupyter_mlops.catalog.records import QueueUsage
from jupyter_mlops.queueing import Queue, Quotas

from .conftest import ROOT

pytestmark = pytest.mark.slow
PAGE = (ROOT / "docs" / "howto" / "jupyterhub.md").read_text(encoding="utf-8")
TOKEN = "a-token-of-the-tests"
CONFIG = """
c = get_config()  # noqa: F821
{page}
c.Spawner.environment["MLOPS_ZYGOTE_LINGER_SECONDS"] = "0"
c.Spawner.args = ["--allow-root"]
c.Spawner.notebook_dir = {folder!r} + "/{{username}}"
c.JupyterHub.spawner_class = "simple"
c.JupyterHub.authenticator_class = "dummy"
c.Authenticator.allow_all = True
c.JupyterHub.bind_url = "http://127.0.0.1:{ports[0]}"
c.JupyterHub.hub_bind_url = "http://127.0.0.1:{ports[1]}"
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:{ports[2]}"
c.ConfigurableHTTPProxy.command = {proxy!r}
c.JupyterHub.db_url = "sqlite://"
c.JupyterHub.services = [{{"name": "tests", "api_token": "{token}"}}]
c.JupyterHub.load_roles = [{{
    "name": "tests",
    "services": ["tests"],
    "scopes": ["admin:users", "admin:servers", "tokens", "access:servers"],
}}]
"""


@dataclass(frozen=True)
class Hub:
    """A running hub, asked by its REST API."""

    url: str
    folder: Path

    def ask(self, method: str, path: str, body: Any = None, token: str = TOKEN) -> Any:
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"token {token}", "Content-Type": "application/json"}
        request = urllib.request.Request(f"{self.url}{path}", data, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                text = answer.read()
        except urllib.error.HTTPError as refusal:
            refusal.close()
            raise
        return json.loads(text) if text else None

    def server_of(self, user: str) -> str:
        """Start a user's server; a token with which that user asks it."""
        self.ask("POST", f"/hub/api/users/{user}")
        self.ask("POST", f"/hub/api/users/{user}/server")
        deadline = time.monotonic() + 90
        while not self.ask("GET", f"/hub/api/users/{user}")["servers"].get("", {}).get("ready"):
            assert time.monotonic() < deadline
            time.sleep(0.2)
        return str(self.ask("POST", f"/hub/api/users/{user}/tokens", {})["token"])


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    pytest.importorskip("jupyterhub")
    folder = tmp_path_factory.mktemp("jupyterhub")
    bin_folder = Path(sys.executable).parent
    path = f"{bin_folder}{os.pathsep}{os.environ['PATH']}"
    install = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "configurable-http-proxy@5"]
    done = subprocess.run(
        install, cwd=folder, env={**os.environ, "PATH": path}, capture_output=True, check=False
    )
    if done.returncode:
        if os.environ.get("CI"):
            pytest.fail(done.stderr.decode())
        pytest.skip("configurable-http-proxy cannot be installed")
    for user in ("ada", "bob"):
        project = folder / user
        project.mkdir()
        (project / "mlops.toml").write_text("")
        (project / "pipeline.yaml").write_text("name: one\ntasks: {one: {notebook: one.ipynb}}\n")
        kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
        cells = [nbformat.v4.new_code_cell("1 + 1")]
        nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=kernel), project / "one.ipynb")
    ports = _free_ports(3)
    proxy = [
        shutil.which("node", path=path) or "node",
        str(folder / "node_modules/configurable-http-proxy/bin/configurable-http-proxy"),
    ]
    (folder / "jupyterhub_config.py").write_text(
        CONFIG.format(page=_places(folder), folder=str(folder), ports=ports, proxy=proxy, token=TOKEN)
    )
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "jupyterhub", "--config", folder / "jupyterhub_config.py"],
            cwd=folder, env={**os.environ, "PATH": path}, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
    hub = Hub(f"http://127.0.0.1:{ports[0]}", folder)
    try:
        deadline = time.monotonic() + 60
        while True:
            assert process.poll() is None, (folder / "log").read_text()
            assert time.monotonic() < deadline, (folder / "log").read_text()
            try:
                hub.ask("GET", "/hub/api/")
                break
            except (OSError, http.client.HTTPException):
                time.sleep(0.2)
        yield hub
        for user in ("ada", "bob"):
            with suppress(urllib.error.HTTPError):
                hub.ask("DELETE", f"/hub/api/users/{user}/server")
    finally:
        started = psutil.Process(process.pid).children(recursive=True)
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(30)
        for each in started:  # a node that a wheel brings is a child of a child, which nobody ends
            with suppress(psutil.NoSuchProcess):
                each.kill()


def _places(folder: Path) -> str:
    """The page's configuration, with places of this test."""
    (text,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    ours = {
        "postgresql://mlops@db.example.com/mlops": f"sqlite:///{folder}/catalog.db",
        "s3://our-bucket/mlops": str(folder / "blobs"),
        "tls://scheduler.example.com:8786": "local",
    }
    for theirs, place in ours.items():
        assert theirs in text
        text = text.replace(theirs, place)
    return str(text)


def _free_ports(count: int) -> list[int]:
    probes = [socket.socket() for _ in range(count)]
    for probe in probes:
        probe.bind(("127.0.0.1", 0))
    ports = [int(probe.getsockname()[1]) for probe in probes]
    for probe in probes:
        probe.close()
    return ports


def test_each_run_is_its_users_and_quotas_go_by_that_name(hub: Hub) -> None:
    quotas = Quotas.parse({"users": {"*": {"runs": 4}, "bob": {"cpu": 2}}})
    with Catalog.open(f"sqlite:///{hub.folder}/catalog.db") as catalog:
        Queue(catalog).set_quotas(quotas, "operator")
    tokens = {user: hub.server_of(user) for user in ("ada", "bob")}
    started = {}
    for user, token in tokens.items():
        body = {"path": "pipeline.yaml"}
        run = hub.ask("POST", f"/user/{user}/mlops/api/runs", body, token)
        started[user] = run["run_id"]
    with pytest.raises(urllib.error.HTTPError) as refused:
        hub.ask("GET", "/user/ada/mlops/api/runs", token=tokens["bob"])
    assert refused.value.code == 403
    for user, run_id in started.items():
        deadline = time.monotonic() + 60
        while True:
            told = hub.ask("GET", f"/user/{user}/mlops/api/runs/{run_id}", token=tokens[user])
            if told["state"] not in ("queued", "running"):
                break
            assert time.monotonic() < deadline
            time.sleep(0.2)
        assert (told["state"], told["user_name"]) == ("succeeded", user)
    # One catalog for all: the settings of the hub won over the projects' own.
    listed = hub.ask("GET", "/user/ada/mlops/api/runs", token=tokens["ada"])["items"]
    assert {run["user_name"] for run in listed} == {"ada", "bob"}
    assert not (hub.folder / "ada" / ".mlops" / "catalog.db").exists()
    used = hub.ask("GET", "/user/bob/mlops/api/quotas", token=tokens["bob"])
    assert (used["user_name"], used["is_set"]) == ("bob", True)
    with Catalog.open(f"sqlite:///{hub.folder}/catalog.db") as catalog:
        assert {one.user_name for one in catalog.find(QueueUsage)} == {"ada", "bob"}
