"""The widgets as people meet them: JupyterLab in a browser, a real kernel behind it."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import pytest

from jupyter_mlops.catalog import owner
from jupyter_mlops.queueing import Quotas
from jupyter_mlops.workspace import Workspace

from .conftest import notebook

sync_api = pytest.importorskip("playwright.sync_api")
CHROMIUM = next(
    (path for name in ("chromium", "google-chrome") if (path := Path("/usr/bin", name)).exists()), None
)
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None and not os.environ.get("CI"), reason="there is no Chromium"),
]

PICTURES = os.environ.pop(
    "MLOPS_SCREENSHOTS", ""
)  # a folder; it is no setting, and workspaces would refuse it
QUOTAS = {"all": {"cpu": 4, "memory": "16Gi", "runs": 8}, "users": {"*": {"runs": 3}}}
PARAMETERS = """\
from datetime import date
from typing import Annotated, Literal
week: Annotated[int, range(1, 54), "which ISO week"] = 20
model: Literal["forest", "linear"] = "forest"  # what to train
rate: float = 0.1
since: date = date(2013, 1, 1)
is_full: bool = False
limit: int | None = None  # at most so many rows
token: str = "secret:API_TOKEN"
region: str  # where
"""
CELLS = [
    "import jupyter_mlops as mlops\nform = mlops.form('load.ipynb')\nform",
    "mlops.request_resources('train.ipynb')",
    "mlops.PipelineView('pipeline.yaml')",
    "_ = mlops.run_pipeline('pipeline.yaml', {'week': 2})",
]


@dataclass
class Lab:
    """A JupyterLab of our own: token on, cross-site protection on, nothing of this user's settings."""

    url: str
    token: str
    root: Path

    def put_setting(self, plugin: str, **values: object) -> None:
        body = json.dumps({"raw": json.dumps(values)}).encode()
        request = urllib.request.Request(
            f"{self.url}lab/api/settings/{plugin}", data=body, method="PUT",
            headers={"Authorization": f"token {self.token}", "Content-Type": "application/json"},
        )  # fmt: skip
        urllib.request.urlopen(request, timeout=20).close()


@pytest.fixture
def lab(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    home = tmp_path_factory.mktemp("home")
    emit = "import jupyter_mlops as mlops"
    notebook(project / "load.ipynb", emit, "mlops.result('rows', 10 * week)", parameters=PARAMETERS)
    notebook(project / "demo.ipynb", *CELLS)
    with Workspace.open(project) as workspace:
        workspace.queue.set_quotas(Quotas.parse(QUOTAS), owner.user_name())
    (project / ".env").write_text("API_TOKEN=not-for-anybodys-eyes\n")
    env = {name: value for name, value in os.environ.items() if not name.startswith(("JUPYTER", "MLOPS"))}
    env |= {
        "HOME": str(home),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
        "JUPYTER_CONFIG_DIR": str(home / "config"),
    }
    command = [
        sys.executable, "-m", "jupyterlab", "--no-browser", "--port=0", "--allow-root",
        f"--ServerApp.root_dir={project}", "--LabApp.expose_app_in_browser=True",
    ]  # fmt: skip
    with (
        (home / "log").open("w") as log,
        subprocess.Popen(command, cwd=project, env=env, stdout=log, stderr=log) as server,
    ):
        try:
            info = _started(server, home)
            opened = Lab(info["url"], info["token"], project)
            opened.put_setting("@jupyterlab/apputils-extension:notification", fetchNews="false")
            yield opened
        finally:
            server.send_signal(signal.SIGINT)
            server.send_signal(signal.SIGTERM)
            server.wait(30)


def _started(server: subprocess.Popen[bytes], home: Path) -> dict[str, Any]:
    file = home / "runtime" / f"jpserver-{server.pid}.json"
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and server.poll() is None:
        if file.exists() and (text := file.read_text()):
            info = dict(json.loads(text))
            with socket.socket() as client:  # its record is written before it listens
                if client.connect_ex(("127.0.0.1", info["port"])) == 0:
                    return info
        time.sleep(0.1)
    pytest.fail((home / "log").read_text()[-2000:])


@pytest.fixture
def page(lab: Lab) -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        opened = browser.new_page(viewport={"width": 1280, "height": 1700})
        opened.set_default_timeout(60_000)
        yield opened
        picture(opened, "last")
        browser.close()


def open_notebook(page: Any, lab: Lab, name: str) -> None:
    page.goto(f"{lab.url}lab/tree/{name}?reset&token={lab.token}")
    page.wait_for_function(
        "window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel?.connectionStatus"
        " === 'connected'"
    )


def command(page: Any, name: str) -> None:
    page.evaluate("name => { void window.jupyterapp.commands.execute(name) }", name)


def picture(page: Any, name: str) -> None:
    """Kept where somebody looks at them: ``MLOPS_SCREENSHOTS=folder``."""
    if PICTURES:
        page.screenshot(path=str(Path(PICTURES, f"{name}.png")))


@pytest.mark.parametrize("theme", ["JupyterLab Light", "JupyterLab Dark"])
def test_form_request_and_run_in_a_notebook(page, lab, theme):
    lab.put_setting("@jupyterlab/apputils-extension:themes", theme=theme)
    open_notebook(page, lab, "demo.ipynb")
    command(page, "application:toggle-left-area")
    command(page, "notebook:run-all-cells")
    cells = page.locator(".jp-Notebook .jp-CodeCell")
    form, request, pipeline, run = (cells.nth(place) for place in range(4))

    form.get_by_label("region *").wait_for()
    form.get_by_role("button", name="Run").click()
    form.get_by_text("this must be given").wait_for()
    form.get_by_label("region *").fill("west")
    form.get_by_text("this must be given").wait_for(state="hidden")
    form.get_by_label("limit").fill("many")
    form.get_by_text("must be int or None").wait_for()
    form.get_by_label("limit").fill("5")
    form.get_by_label("model").select_option("linear")

    request.get_by_label("cpu").fill("100000")
    request.get_by_text("can never run here").wait_for()
    request.get_by_label("cpu").fill("0.5")
    request.get_by_label("memory").fill("256Mi")
    request.get_by_text(re.compile("room for it now|not enough is free")).wait_for()
    request.get_by_text("the quotas would admit a run of it now").wait_for()
    request.get_by_text(re.compile(r"^\$[0-9.]+ an hour instead of \$[0-9.]+$")).wait_for()
    request.get_by_label("spot").check()
    request.get_by_text(re.compile(r"an hour of it: \$[0-9.]+ on \w+ spot")).wait_for()
    request.get_by_label("image").fill("ghcr.io/team/train:2")
    request.get_by_text("this machine starts no containers").wait_for()
    request.get_by_role("button", name="Save to pipeline").click()
    request.get_by_text("written to task train").wait_for()
    asked = 'resources: {cpu: 0.5, memory: 256Mi, spot: true, image: "ghcr.io/team/train:2"}'
    assert f"    {asked}\n" in (lab.root / "pipeline.yaml").read_text()

    run.locator(".mlops-view .head .succeeded").wait_for()
    assert "nobody drives" not in run.inner_text()  # it waited in the queue, for a moment
    assert pipeline.locator("svg .node").count() == 2
    form.get_by_role("button", name="Run").click()
    form.locator(".mlops-view .head .succeeded").wait_for()
    assert "rows = 200" in form.inner_text()
    assert "not-for-anybodys-eyes" not in page.content()
    page.wait_for_timeout(300)
    picture(page, f"widgets-{theme.split()[-1].lower()}")

    command(page, "docmanager:save")
    deadline = time.monotonic() + 30
    while "mlops-graph" not in (lab.root / "demo.ipynb").read_text():
        assert time.monotonic() < deadline
        time.sleep(0.2)
    saved = nbformat.read(lab.root / "demo.ipynb", 4)
    outputs = saved.cells[3].outputs
    assert [output["output_type"] for output in outputs] == ["display_data"], outputs
    (output,) = outputs
    assert "✔ succeeded" in output["data"]["text/html"], "a saved notebook keeps how the run ended"
