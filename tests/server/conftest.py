"""A real Jupyter server with the extension, in a process of its own: token on, XSRF on, its own home and folder."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.cookiejar import DefaultCookiePolicy
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import requests
from jsonschema import Draft202012Validator

from jupyter_mlops.server.contract import CONTRACT, document, resolve

REPOSITORY = Path(__file__).parents[2]
TOKEN = "a-token-for-tests"
OVER = ("succeeded", "failed", "cancelled")
# Extensions that the environment has for other tests; to load them is a third of what it costs to start a server.
OTHERS = (
    "jupyter_lsp",
    "jupyter_scheduler",
    "jupyter_server_terminals",
    "jupyterlab",
    "jupytext",
    "notebook",
    "notebook_shim",
)
# jsonschema checks IRIs where this is installed, and to import that is half of a start of a server (see `cli.main`).
SERVER = (
    "import sys; sys.modules['rfc3987_syntax'] = None; import jsonschema; del sys.modules['rfc3987_syntax'];"
    " from jupyter_server.serverapp import main; main()"
)
PIPELINE = """\
name: small
description: Two notebooks.

parameters:
  n:
    type: int
    default: 3
    help: how many

tasks:
  one:
    notebook: one.ipynb
    parameters:
      n: ${params.n}
  two:
    notebook: two.ipynb
    parameters:
      total: ${tasks.one.results.total}
"""
SLOW = """\
name: slow
parameters:
  seconds: {type: float, default: 60}
tasks:
  wait:
    notebook: wait.ipynb
    parameters: {seconds: "${params.seconds}"}
  after:
    notebook: wait.ipynb
    needs: [wait]
    parameters: {seconds: 0}
"""


def notebook(*cells: str, parameters: str = "") -> str:
    """A notebook as a file has it."""
    made = [
        {"cell_type": "code", "source": cell, "metadata": {}, "outputs": [], "execution_count": None}
        for cell in cells
    ]
    if parameters:
        tagged = {
            "cell_type": "code",
            "source": parameters,
            "metadata": {"tags": ["parameters"]},
            "outputs": [],
            "execution_count": None,
        }
        made.insert(0, tagged)
    kernel = {"kernelspec": {"name": "python3", "language": "python", "display_name": "Python 3"}}
    return json.dumps({"cells": made, "metadata": kernel, "nbformat": 4, "nbformat_minor": 5})


def make_project(root: Path) -> Path:
    """A small workspace: two pipelines, and notebooks that need no heavy library."""
    files = {
        "mlops.toml": "workers = 2\nkernel_pool = 0\n",
        "pipeline.yaml": PIPELINE,
        "slow.pipeline.yaml": SLOW,
        "one.ipynb": notebook(
            "import jupyter_mlops as mlops\nprint('counting to', n)\nmlops.result('total', sum(range(n)))",
            "from IPython.display import HTML\nHTML('<b>bold</b><script>alert(1)</script>')",
            parameters="n: int = 3  # how many",
        ),
        "two.ipynb": notebook(
            "import jupyter_mlops as mlops\nassert total != 10, 'ten is too much'\nmlops.result('double', 2 * total)",
            parameters="total: int = 0",
        ),
        "wait.ipynb": notebook(
            "import time\nprint('waiting', flush=True)\ntime.sleep(seconds)\nprint('done')",
            parameters="seconds: float = 0.0",
        ),
    }
    root.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (root / name).write_text(text, encoding="utf-8")
    return root


def without_cookies() -> requests.Session:
    """A client that is known by its token alone."""
    session = requests.Session()
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    return session


@dataclass
class Server:
    """One server process on `root`. `state` holds what a user's home would."""

    root: Path
    state: Path
    base_url: str = "/"
    url: str = ""
    process: subprocess.Popen[bytes] | None = None
    session: requests.Session = field(default_factory=without_cookies)

    @property
    def environment(self) -> dict[str, str]:
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("JUPYTER", "MLOPS", "JPY"))
        }
        own = {
            "HOME": str(self.state),
            "JUPYTER_CONFIG_DIR": str(self.state / "config"),
            "JUPYTER_CONFIG_PATH": str(self.state / "enabled"),
            "JUPYTER_DATA_DIR": str(self.state / "data"),
            "JUPYTER_RUNTIME_DIR": str(self.state / "runtime"),
        }
        return {**kept, **own}

    def start(self) -> Server:
        enabled = self.state / "enabled" / "jupyter_server_config.d"
        shutil.copytree(REPOSITORY / "jupyter-config" / "server-config", enabled, dirs_exist_ok=True)
        without = {"ServerApp": {"jpserver_extensions": dict.fromkeys(OTHERS, False)}}
        (enabled / "others.json").write_text(json.dumps(without))
        command = [
            sys.executable,
            "-c",
            SERVER,
            "--allow-root",
            "--no-browser",
            "--port=0",
            "--ip=127.0.0.1",
            f"--ServerApp.root_dir={self.root}",
            f"--ServerApp.base_url={self.base_url}",
            f"--IdentityProvider.token={TOKEN}",
            "--ServerApp.allow_unauthenticated_access=False",
        ]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command, stdout=log, stderr=log, env=self.environment, cwd=self.state
            )
        told = self.state / "runtime" / f"jpserver-{self.process.pid}.json"
        for _ in range(600):
            if self.process.poll() is not None:
                break
            if told.exists() and told.read_text().strip():
                self.url = json.loads(told.read_text())["url"]
                try:
                    answer = self.ask("GET", "/api/status")
                    if answer.status_code == 200:
                        return self
                    break
                except requests.ConnectionError:
                    pass
            time.sleep(0.1)
        raise RuntimeError(self.log.read_text()[-6000:])

    @property
    def log(self) -> Path:
        return self.state / "server.log"

    def stop(self, number: int = signal.SIGTERM) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(number)
            self.process.wait(30)

    def end(self) -> None:
        """Stop it, and leave nothing behind."""
        self.stop()
        self.session.close()
        shutil.rmtree(self.state, ignore_errors=True)

    def ask(self, verb: str, path: str, **more: Any) -> requests.Response:
        """A request with the token; `path` as the contract has it."""
        headers = {"Authorization": f"token {TOKEN}", **more.pop("headers", {})}
        return self.session.request(verb, f"{self.url}mlops{path}", headers=headers, timeout=60, **more)

    def get(self, path: str, status: int = 200) -> Any:
        return self._checked("get", path, status)

    def post(self, path: str, body: Any = None, status: int = 201) -> Any:
        return self._checked("post", path, status, {} if body is None else body)

    def put(self, path: str, body: Any, status: int = 200) -> Any:
        return self._checked("put", path, status, body)

    def _checked(self, verb: str, path: str, status: int, body: Any = None) -> Any:
        """The answer, which must be as the contract says."""
        answer = self.ask(verb.upper(), path, json=body) if body is not None else self.ask(verb.upper(), path)
        assert answer.status_code == status, (answer.status_code, answer.text[:2000])
        found = answer.json()
        check_answer(verb, path.partition("?")[0], status, found)
        return found

    def start_run(
        self, path: str = "pipeline.yaml", arguments: Mapping[str, Any] | None = None, **options: Any
    ) -> str:
        body = {"path": path, "arguments": arguments or {}, "options": options}
        return str(self.post("/api/runs", body)["run_id"])

    def wait_for(self, run_id: str, *states: str, seconds: float = 90) -> dict[str, Any]:
        """The run, once it is in one of these states (by default: over)."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            run: dict[str, Any] = self.get(f"/api/runs/{run_id}")
            if run["state"] in (states or OVER):
                return run
            time.sleep(0.1)
        raise AssertionError(f"run {run_id} is still {run['state']}: {run['message']}")

    def run(
        self, path: str = "pipeline.yaml", arguments: Mapping[str, Any] | None = None, **options: Any
    ) -> dict[str, Any]:
        return self.wait_for(self.start_run(path, arguments, **options))


def check_answer(verb: str, path: str, status: int, body: Any) -> None:
    """Whether an answer is what the contract promises, and nothing else."""
    import re

    operation = next(each for each in CONTRACT.operations_of(verb) if re.fullmatch(each.pattern, path))
    responses = document()["paths"][operation.path][verb]["responses"]
    declared = resolve(responses.get(str(status)) or responses["default"])
    schema = declared["content"]["application/json"]["schema"]
    validator = Draft202012Validator({**schema, "components": document()["components"]})
    errors = [
        f"{'.'.join(map(str, error.absolute_path))}: {error.message}" for error in validator.iter_errors(body)
    ]
    assert not errors, f"{operation.name}: {errors[:5]}"
    if isinstance(body, dict):
        told = resolve(schema).get("properties")
        assert told is None or set(body) <= set(told), f"{operation.name} tells more: {set(body) - set(told)}"


def key(text: str) -> str:
    """A path segment."""
    return quote(text, safe="")


def new_server(root: Path, **more: Any) -> Server:
    return Server(root, Path(tempfile.mkdtemp(prefix="mlops-server-")), **more)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The server that most tests ask; its workspace grows while they do."""
    started = new_server(make_project(tmp_path_factory.mktemp("workspace") / "project"))
    try:
        yield started.start()
    finally:
        started.end()


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[Server]:
    """A server for one test, which may kill it; it has to be started."""
    made = new_server(make_project(tmp_path / "project"))
    try:
        yield made
    finally:
        made.end()


@pytest.fixture(scope="session")
def done(server: Server) -> dict[str, Any]:
    """A run that succeeded, and really ran, whatever other tests left in the cache."""
    run = server.wait_for(server.start_run(force="all"))
    assert run["state"] == "succeeded", run
    return run
