"""binder/ and .devcontainer/ are what their readers understand: for this repository, and for what `init` writes."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from jupyter_mlops.project.templates import EXAMPLES, project_files, write_project

ROOT = Path(__file__).parent.parent


def dockerfile(folder: Path) -> str:
    """What repo2docker would build: the build pack that it detects, and what that makes of the files."""
    command = [sys.executable, "-W", "ignore", "-m", "repo2docker", "--no-build", "--debug"]
    done = subprocess.run(
        [*command, "--user-name", "jovyan", "--user-id", "1000", str(folder)],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return done.stdout + done.stderr


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """What a clone has at hand when the image is built."""
    folder = tmp_path / "clone"
    shutil.copytree(ROOT / "binder", folder / "binder")
    shutil.copytree(ROOT / ".devcontainer", folder / ".devcontainer")
    shutil.copytree(
        ROOT / "notebooks", folder / "notebooks", ignore=shutil.ignore_patterns(".mlops", "*.duckdb")
    )
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


def test_repo2docker_builds_the_repository(clone: Path) -> None:
    text = dockerfile(clone)
    assert "Building conda environment for python=3.12" in text
    copied = text.index("COPY --chown=1000:1000 src/ ${REPO_DIR}/")
    installed = text.index('pip install --no-cache-dir -r "binder/requirements.txt"')
    prepared = text.index("RUN ./binder/postBuild")
    assert copied < installed < prepared  # `.[example]` is the repository itself


@pytest.mark.parametrize("example", EXAMPLES)
def test_repo2docker_builds_what_init_writes(example: str, tmp_path: Path) -> None:
    write_project(tmp_path / "demo", project_files("demo", example))
    text = dockerfile(tmp_path / "demo")
    assert "Building conda environment for python=3.12" in text
    assert "binder/requirements.txt" in text


def test_what_is_built_first_is_there(clone: Path) -> None:
    script = clone / "binder" / "postBuild"
    assert os.access(script, os.X_OK)
    for one in (script, clone / ".devcontainer" / "create.sh"):
        subprocess.run(["bash", "-n", one], check=True)
        for word in re.findall(r"[\w./-]+\.(?:py|jupyterlab-workspace)\b", one.read_text()):
            assert any((place / word).is_file() for place in (clone, clone / "notebooks" / "flights")), word
    assert (clone / "binder" / "requirements.txt").read_text().splitlines()[-1] == ".[example]"


def test_a_devcontainer_says_what_vs_code_knows() -> None:
    body = json.loads((ROOT / ".devcontainer" / "devcontainer.json").read_text())
    known = {
        *("name", "image", "postCreateCommand", "postAttachCommand", "forwardPorts", "portsAttributes"),
        *("hostRequirements", "customizations"),
    }
    assert set(body) <= known
    assert re.search(r"^\$\(VENV\)/\.lab:", (ROOT / "Makefile").read_text(), re.MULTILINE)


def test_the_saved_layout_names_what_is_there() -> None:
    layout = json.loads((ROOT / "binder" / "flights.jupyterlab-workspace").read_text())
    data = layout["data"]
    (panel,) = re.findall(
        r"panel\.id = '([\w-]+)'", (ROOT / "labextension" / "src" / "panels" / "frame.tsx").read_text()
    )
    assert data["layout-restorer:data"]["left"]["current"] == panel
    for name, entry in data.items():
        if name != "layout-restorer:data":
            assert (ROOT / entry["data"]["path"]).is_file()
            assert name in data["layout-restorer:data"]["main"]["dock"]["widgets"]
