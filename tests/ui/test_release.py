"""A release, made as docs/release.md says, and installed where there is nothing: no Node, no compiler."""

from __future__ import annotations

import email
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tarfile
import time
import urllib.request
import zipfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from jupyter_mlops import __version__

REPOSITORY = Path(__file__).parents[2]
SHARED = f"jupyter_mlops-{__version__}.data/data/share/jupyter/labextensions/jupyter-mlops"
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def files(hatch_build: Any, panel_files: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sdist, made of a clone, and the wheel, made of that sdist as pip would, without Node in reach."""
    folder = tmp_path_factory.mktemp("release")
    clone = folder / "clone"
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"],
        cwd=REPOSITORY, capture_output=True, text=True, check=True,
    )  # fmt: skip
    for name in listed.stdout.splitlines():
        if (REPOSITORY / name).is_file():
            (clone / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(REPOSITORY / name, clone / name)
    built = clone / hatch_build.BUILT
    shutil.copytree(panel_files, built)
    (built / "source.sha256").write_text(hatch_build.digest(clone / "labextension"))
    _build("sdist", clone, folder / "dist")
    (sdist,) = (folder / "dist").glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        archive.extractall(folder / "unpacked", filter="data")
    (source,) = (folder / "unpacked").iterdir()
    _build("wheel", source, folder / "dist")
    return folder / "dist"


def _build(kind: str, source: Path, target: Path) -> None:
    program = (
        "import sys; from hatchling import build\n"
        f"assert build.get_requires_for_build_{kind}() == []\n"
        f"build.build_{kind}(sys.argv[1])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(target)],
        cwd=source, env={"PATH": "", "HOME": str(target.parent)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert not done.returncode, done.stderr[-3000:]


def _wheel(files: Path) -> Path:
    (wheel,) = files.glob("*.whl")
    return wheel


def test_the_version_comes_from_one_place(files: Path) -> None:
    assert {path.name for path in files.iterdir()} == {
        f"jupyter_mlops-{__version__}.tar.gz",
        f"jupyter_mlops-{__version__}-py3-none-any.whl",
    }
    with zipfile.ZipFile(_wheel(files)) as wheel:
        told = email.message_from_bytes(wheel.read(f"jupyter_mlops-{__version__}.dist-info/METADATA"))
        assert told["Version"] == __version__
        panel = json.loads(wheel.read(f"{SHARED}/package.json"))
        assert panel["version"] == __version__
        assert "@jupyterlab/application" in panel["dependencies"], "what it says of JupyterLab's versions"
    others = ("pyproject.toml", "hatch_build.py", "labextension/package.json")
    written = [name for name in others if __version__ in (REPOSITORY / name).read_text(encoding="utf-8")]
    assert not written, "the version stands in jupyter_mlops/_version.py, and nowhere else"


def test_an_index_would_take_them(files: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "twine", "check", "--strict", *files.iterdir()],
        capture_output=True, text=True, check=False, env=os.environ | {"NO_COLOR": "1", "COLUMNS": "200"},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("PASSED") == 2


def test_the_wheel_holds_what_it_needs_and_no_more(files: Path) -> None:
    names = zipfile.ZipFile(_wheel(files)).namelist()
    assert f"{SHARED}/install.json" in names
    assert any(name.startswith(f"{SHARED}/static/remoteEntry.") for name in names)
    assert any(name.endswith("etc/jupyter/jupyter_server_config.d/jupyter_mlops.json") for name in names)
    for example in ("plain", "churn", "timeseries", "flights"):
        assert f"jupyter_mlops/project/template/{example}/pipeline.yaml" in names
    assert "jupyter_mlops/py.typed" in names
    strange = ("node_modules", "build_log", "__pycache__", ".mlops/", "docs/", ".duckdb")
    assert not [name for name in names if any(one in name for one in strange)]


@dataclass(frozen=True)
class Environment:
    """A Python that has the wheel and what that needs, for somebody who has nothing else."""

    folder: Path

    @property
    def env(self) -> dict[str, str]:
        home = self.folder / "home"
        return {"PATH": str(self.folder / "bin"), "HOME": str(home), "MLOPS_ZYGOTE_LINGER_SECONDS": "0"}

    def __call__(self, *words: str, cwd: Path | None = None) -> str:
        done = subprocess.run(
            words, cwd=cwd or self.folder, env=self.env, capture_output=True, text=True, check=False, timeout=120
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr


@pytest.fixture(scope="module")
def installed(files: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    folder = tmp_path_factory.mktemp("empty-environment") / "venv"
    uv = [sys.executable, "-m", "uv"]
    subprocess.run([*uv, "venv", "-q", "--python", sys.executable, folder], check=True)
    subprocess.run(
        # Nothing is built: each dependency comes as a wheel.
        [*uv, "pip", "install", "-q", "--only-binary", ":all:", "--python", folder / "bin" / "python", _wheel(files)],
        check=True,
        env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
    )  # fmt: skip
    (folder / "home").mkdir()
    return Environment(folder)


def test_jupyter_finds_the_panel_and_the_server_extension(installed: Environment) -> None:
    assert shutil.which("node", path=installed.env["PATH"]) is None
    questions = (("jupyter", "labextension", "list"), ("jupyter", "server", "extension", "list"))
    with ThreadPoolExecutor(2) as pool:
        panel, server = (
            re.sub(r"\x1b\[[0-9;]*m", "", told) for told in pool.map(lambda one: installed(*one), questions)
        )
    assert re.search(rf"jupyter-mlops v{re.escape(__version__)} enabled +OK", panel), panel
    assert re.search(rf"jupyter_mlops {re.escape(__version__)} OK", server), server
    assert re.search(r"jupyter_mlops enabled", server), server


def test_a_project_runs_and_the_panel_is_served(installed: Environment) -> None:
    installed("jupyter", "mlops", "init", "demo")
    project = installed.folder / "demo"
    assert "succeeded" in installed("jupyter", "mlops", "run", cwd=project)
    with Served(installed, project) as url:
        page = _get(f"{url}/lab")
        (config,) = re.findall(
            r'<script id="jupyter-config-data" type="application/json">\s*(.*?)</script>', page, re.DOTALL
        )
        (panel,) = [
            one for one in json.loads(config)["federated_extensions"] if one["name"] == "jupyter-mlops"
        ]
        static = project.parent / "share" / "jupyter" / "labextensions" / "jupyter-mlops" / "static"
        for file in static.glob("*.js"):
            _get(f"{url}/lab/extensions/jupyter-mlops/static/{file.name}")
        assert "jupyter-mlops" in _get(f"{url}/lab/extensions/jupyter-mlops/{panel['load']}")
        runs = json.loads(_get(f"{url}/mlops/api/runs"))
        assert [run["state"] for run in runs["items"]] == ["succeeded"]


class Served:
    """A JupyterLab of that environment over a project, on a port that is free."""

    def __init__(self, installed: Environment, project: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self.log = (project / "server.log").open("wb")
        self.process = subprocess.Popen(
            ["jupyter", "lab", "--no-browser", "--allow-root", f"--port={self.port}", "--IdentityProvider.token=t"],
            cwd=project, env=installed.env, stdout=self.log, stderr=self.log,
        )  # fmt: skip
        self.project = project

    def __enter__(self) -> str:
        url = f"http://127.0.0.1:{self.port}"
        deadline = time.monotonic() + 90
        while True:
            assert self.process.poll() is None, (self.project / "server.log").read_text()
            assert time.monotonic() < deadline, (self.project / "server.log").read_text()
            try:
                _get(f"{url}/api/status")
                return url
            except OSError:
                time.sleep(0.1)

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait(30)
        self.log.close()


def _get(url: str) -> str:
    request = urllib.request.Request(url, headers={"Authorization": "token t"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return str(answer.read().decode())
