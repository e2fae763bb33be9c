"""A real JupyterLab with the panel, in a process of its own, and a real Chromium that looks at it.

The server has its own home, its own folder and a token; XSRF is on. The panel is built first when its sources are
newer than what is there. Playwright is started for each module: it keeps an event loop, which other tests must not
find.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

REPOSITORY = Path(__file__).parents[2]
TOKEN = "a-token-for-tests"
OVER = ("succeeded", "failed", "cancelled")
IMAGES = REPOSITORY / "docs" / "images"
WITH_PICTURES = bool(os.environ.pop("MLOPS_SCREENSHOTS", ""))  # it is no setting: workspaces would refuse it
NEWS = "@jupyterlab/apputils-extension:notification"
THEMES = "@jupyterlab/apputils-extension:themes"


def _needed(what: str) -> None:
    """What is missing fails the build in CI; elsewhere the tests that need it are skipped."""
    if os.environ.get("CI"):
        pytest.fail(what)
    pytest.skip(what)


def notebook(*cells: str, parameters: str = "") -> str:
    """A notebook as a file has it."""
    sources = [parameters, *cells] if parameters else list(cells)
    made: list[dict[str, Any]] = [
        {"cell_type": "code", "source": text, "metadata": {}, "outputs": [], "execution_count": None}
        for text in sources
    ]
    if parameters:
        made[0]["metadata"] = {"tags": ["parameters"]}
    kernel = {"kernelspec": {"name": "python3", "language": "python", "display_name": "Python 3"}}
    return json.dumps({"cells": made, "metadata": kernel, "nbformat": 4, "nbformat_minor": 5})


@dataclass
class Lab:
    """A JupyterLab over a folder. `root` is what its file browser shows."""

    root: Path
    home: Path
    port: int = 0
    process: subprocess.Popen[bytes] | None = None
    log: Path = field(init=False)

    def __post_init__(self) -> None:
        self.log = self.home / "server.log"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    def start(self) -> None:
        """Start the server and wait until it answers; a second time, on the same port."""
        names = ("config", "data", "runtime")
        folders = {f"JUPYTER_{name.upper()}_DIR": str(self.home / name) for name in names}
        folders["JUPYTER_PATH"] = folders["JUPYTER_DATA_DIR"]  # before the panel that the environment has
        runtime = Path(folders["JUPYTER_RUNTIME_DIR"])
        command = [
            sys.executable,
            *("-m", "jupyterlab", "--no-browser", "--allow-root", f"--ServerApp.root_dir={self.root}"),
            *(f"--ServerApp.port={self.port}", "--ServerApp.port_retries=0"),
            *(f"--IdentityProvider.token={TOKEN}", "--LabApp.expose_app_in_browser=True"),
        ]
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("JUPYTER", "MLOPS"))}
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command,
                cwd=self.root,
                env={**kept, **folders, "HOME": str(self.home), "MLOPS_ZYGOTE_LINGER_SECONDS": "0"},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        record = runtime / f"jpserver-{self.process.pid}.json"
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and self.process.poll() is None:
            if record.is_file() and (text := record.read_text()):
                self.port = int(json.loads(text)["port"])
                try:
                    self.ask("GET", "mlops/api/status")
                    return
                except OSError:
                    pass
            time.sleep(0.1)
        pytest.fail(f"JupyterLab did not start:\n{self.log.read_text()[-3000:]}")

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """A request past the browser: to prepare, and to look behind the panel."""
        request = urllib.request.Request(
            self.url + path,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"token {TOKEN}", "Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                text = answer.read()
        except urllib.error.HTTPError as error:
            with error:
                said = error.read().decode(errors="replace")
            raise AssertionError(f"{method} {path}: {error.code} {said[:500]}") from None
        return json.loads(text) if text else None

    def api(self, method: str, path: str, body: Any = None) -> Any:
        """The same, for our own routes: `lab.api("GET", "runs")`."""
        return self.ask(method, f"mlops/api/{path}", body)

    def prefer(self, plugin: str, **settings: str) -> None:
        """Set a user's settings of a plugin of JupyterLab's."""
        self.ask("PUT", f"lab/api/settings/{plugin}", {"raw": json.dumps(settings)})

    def wait_for(self, run_id: str, seconds: float = 120) -> dict[str, Any]:
        """The run, once it is over."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            run: dict[str, Any] = self.api("GET", f"runs/{run_id}")
            if run["state"] in OVER:
                return run
            time.sleep(0.2)
        raise AssertionError(f"the run {run_id} is not over after {seconds} s")


@pytest.fixture(scope="session")
def needed() -> Callable[[str], None]:
    """Say what is missing: `needed("there is no Node")`."""
    return _needed


@pytest.fixture(scope="session")
def hatch_build() -> Any:
    """The module that builds the panel when the package is installed."""
    spec = importlib.util.spec_from_file_location("hatch_build", REPOSITORY / "hatch_build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def panel_files(hatch_build: Any) -> Path:
    """The built panel; built now if its sources have changed since. TEST_MLOPS_PANEL names another one to test."""
    if given := os.environ.get("TEST_MLOPS_PANEL"):
        return Path(given)
    source, built = REPOSITORY / "labextension", REPOSITORY / hatch_build.BUILT
    stamp = built / "source.sha256"
    wanted = hatch_build.digest(source)
    if not (stamp.is_file() and stamp.read_text() == wanted):
        if not hatch_build.has_node():
            _needed("the panel is not built, and there is no Node to build it with")
        try:
            hatch_build.build(source)
        except subprocess.CalledProcessError as error:
            pytest.fail(f"the panel cannot be built:\n{error.stdout[-3000:]}")
        stamp.write_text(wanted)
    return built


@contextmanager
def new_lab(panel_files: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A JupyterLab over an empty workspace."""
    home, root = tmp_path_factory.mktemp("lab-home"), tmp_path_factory.mktemp("lab-root")
    (root / "mlops.toml").write_text("workers = 2\n")
    extensions = home / "data" / "labextensions"
    extensions.mkdir(parents=True)
    shutil.copytree(panel_files, extensions / "jupyter-mlops")
    (home / "config").mkdir()
    enabled = {"ServerApp": {"jpserver_extensions": {"jupyter_mlops": True}}}
    (home / "config" / "jupyter_server_config.json").write_text(json.dumps(enabled))
    lab = Lab(root, home)
    lab.start()
    lab.prefer(NEWS, fetchNews="false")
    yield lab
    lab.stop()


@pytest.fixture(scope="session")
def lab(panel_files: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """The one that most tests share. Tests write projects of their own into `lab.root`."""
    with new_lab(panel_files, tmp_path_factory) as lab:
        yield lab


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Debian's Chromium."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        _needed("there is no Chromium: apt-get install chromium")
    sync_api = pytest.importorskip("playwright.sync_api")
    sync_api.expect.set_options(timeout=30_000)  # of 5: that is little where other tests run beside this one
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


@pytest.fixture
def open_lab(lab: Lab, browser: Any) -> Iterator[Callable[..., Any]]:
    """`page = open_lab(theme="dark", width=1920)`: JupyterLab, fresh, with our panel shown unless `is_shown=False`."""
    contexts: list[Any] = []
    mistakes: list[str] = []

    def open_page(
        theme: str = "light", width: int = 1280, height: int = 800, *, is_shown: bool = True
    ) -> Any:
        lab.prefer(THEMES, theme=f"JupyterLab {theme.title()}")
        context = browser.new_context(
            viewport={"width": width, "height": height}, color_scheme=theme, reduced_motion="reduce"
        )
        contexts.append(context)
        context.grant_permissions(["clipboard-read", "clipboard-write"])
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.on("pageerror", lambda error: mistakes.append(str(error)))
        page.goto(f"{lab.url}lab?token={TOKEN}&reset")
        page.wait_for_function("window.jupyterapp !== undefined", timeout=60_000)
        # Never hand a promise of JupyterLab's to `evaluate`: it has no timeout.
        page.evaluate("() => { void window.jupyterapp.restored.then(() => { window.isRestored = true; }); }")
        page.wait_for_function("window.isRestored")
        if is_shown:
            run_command(page, "mlops:open-panel")
            page.wait_for_selector(".jp-mlops-Panel")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not mistakes, f"the page raised: {mistakes}"


def run_command(page: Any, command: str, **args: Any) -> None:
    """Execute a command of JupyterLab's, without waiting for it."""
    page.evaluate(
        "([command, args]) => { void window.jupyterapp.commands.execute(command, args); }", [command, args]
    )


@pytest.fixture
def command() -> Callable[..., None]:
    """`command(page, "mlops:open-run", runId=…)`."""
    return run_command


@pytest.fixture
def shoot() -> Callable[[Any, str], None]:
    """`shoot(page, "run-dark")` keeps a picture for the docs, when MLOPS_SCREENSHOTS=1."""

    def take(page: Any, name: str) -> None:
        if WITH_PICTURES:
            page.wait_for_function(
                "!document.querySelector('.Toastify__toast')"
            )  # it covers what is below it
            page.wait_for_timeout(300)  # what slides and fades comes to rest
            IMAGES.mkdir(parents=True, exist_ok=True)
            page.screenshot(path=IMAGES / f"{name}.png")

    return take


@pytest.fixture(scope="session")
def filled(lab: Lab) -> Lab:
    """The same JupyterLab, with models and features registered in its workspace; see `stores.py`."""
    env = {key: value for key, value in os.environ.items() if not key.startswith("MLOPS")}
    script = Path(__file__).with_name("stores.py")
    subprocess.run([sys.executable, script, lab.root], check=True, timeout=120, env=env)
    return lab


@pytest.fixture
def churn(lab: Lab) -> Path:
    """A small project: four tasks; one of them writes for a while, one fails if it is told to."""
    folder = lab.root / "churn"
    folder.mkdir(exist_ok=True)
    files = {
        "pipeline.yaml": PIPELINE,
        "load.ipynb": notebook(
            "import time\nfor batch in range(1, 13):\n    time.sleep(pause)\n    print('batch', batch, 'of 12')",
            "import jupyter_mlops as mlops\nmlops.result('rows', rows)",
            parameters="rows: int = 1000  # how many rows to read\npause: float = 0.0",
        ),
        "fit.ipynb": notebook(
            "if kind == 'bad':\n    raise ValueError(f'cannot fit {rows} rows of kind {kind!r}')",
            "import jupyter_mlops as mlops\nmlops.result('auc', 0.5 + rows / 4000)",
            parameters="rows: int = 10\nkind: str = 'good'",
        ),
        "report.ipynb": notebook("print('scores:', scores)", parameters="scores: list = []"),
    }
    for path in folder.iterdir():  # another test may have left something, or changed it
        if path.is_file() and path.name not in files:
            path.unlink()
    for name, text in files.items():
        (folder / name).write_text(text)
    return folder


PIPELINE = """\
name: churn
description: Who will leave next month?

parameters:
  rows: {type: int, default: 1000, help: how many rows to read}
  kind: {type: str, default: good, help: one of the two fails if it is bad}
  pause: {type: float, default: 0.0, help: seconds between two batches}

tasks:
  load:
    notebook: load.ipynb
    parameters: {rows: "${params.rows}", pause: "${params.pause}"}
  fit_a:
    notebook: fit.ipynb
    parameters: {rows: "${tasks.load.results.rows}"}
  fit_b:
    notebook: fit.ipynb
    parameters: {rows: "${tasks.load.results.rows}", kind: "${params.kind}"}
  report:
    notebook: report.ipynb
    parameters: {scores: ["${tasks.fit_a.results.auc}", "${tasks.fit_b.results.auc}"]}
"""
