"""Locks by uv from the index that is configured: complete, with hashes, what is installed here."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

from jupyter_mlops.errors import InvalidInput, MissingExtra
from jupyter_mlops.promotion import lock as locking
from jupyter_mlops.promotion.capture import PLATFORMS, capture_notebook
from jupyter_mlops.promotion.environment import Installed
from jupyter_mlops.promotion.indexes import uv_environment
from jupyter_mlops.promotion.lock import lock
from jupyter_mlops.promotion.system import system_packages

PYTHON = "3.11"
FLIGHTS = Path(__file__).parents[3] / "notebooks" / "flights"


def pins(text: str) -> dict[str, str]:
    heads = [line.partition(" ")[0] for line in text.splitlines() if not line.startswith(" ")]
    return dict(head.split("==") for head in heads)


def test_without_uv_the_cure_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "uv", None)
    monkeypatch.setattr(shutil, "which", lambda _: None)
    locking.uv.cache_clear()
    try:
        with pytest.raises(MissingExtra) as caught:
            lock("orjson\n", "", python=PYTHON, platforms=PLATFORMS)
    finally:
        locking.uv.cache_clear()
    assert caught.value.hint == "pip install 'jupyter-mlops[images]'"


def test_no_index_is_a_problem_and_no_failure(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("UV_INDEX", "UV_EXTRA_INDEX_URL", "UV_FIND_LINKS", "PIP_FIND_LINKS", "UV_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("UV_DEFAULT_INDEX", "http://me:very-secret@127.0.0.1:9/simple")
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path))
    found = lock("orjson==3\n", "", python=PYTHON, platforms=PLATFORMS)
    (problem,) = found.problems
    assert found.text == ""
    assert "an index does not answer" in problem.message
    assert "very-secret" not in str(problem)


def test_platforms_that_there_are_no_wheels_for() -> None:
    with pytest.raises(InvalidInput, match="'linux/amd' is no platform") as caught:
        lock("x\n", "", python=PYTHON, platforms=["linux/amd"])
    assert "linux/amd64" in caught.value.hint
    assert lock("\n", "", python=PYTHON, platforms=PLATFORMS).text == ""


@pytest.mark.slow
def test_the_lock_is_what_is_installed_here() -> None:
    capture = capture_notebook(FLIGHTS / "pull.ipynb")
    assert capture.platforms == PLATFORMS
    assert capture.is_complete, capture.problems
    found = pins(capture.lock)
    assert {"pandas", "matplotlib", "ipykernel", "pyzmq", "six", "traitlets"} <= found.keys()
    assert not {"jupyterlab", "dask", "distributed", "papermill", "jupyter-server"} & found.keys()
    assert found == {name: metadata.version(name) for name in found}
    hashed = [line for line in capture.lock.splitlines() if line.startswith("    --hash=sha256:")]
    assert len(hashed) >= len(found)
    assert ";" not in capture.lock
    assert "http" not in capture.lock


@pytest.mark.slow
def test_the_same_again() -> None:
    first, second = (lock("orjson\nrich\n", "", python=PYTHON, platforms=PLATFORMS) for _ in range(2))
    assert first == second
    assert first.text


@pytest.mark.slow
def test_constraints_that_do_not_fit_are_told() -> None:
    found = lock("rich==13.9.4\n", "pygments==0.0.1\n", python=PYTHON, platforms=PLATFORMS)
    (problem,) = found.problems
    assert "does not fit together" in problem.message
    assert "rich" in pins(found.text)


@pytest.mark.slow
def test_what_no_index_has_is_told() -> None:
    found = lock("orjson==0.0.999\n", "", python=PYTHON, platforms=PLATFORMS)
    assert found.text == ""
    assert "orjson==0.0.999" in found.problems[0].message


def uv_install(*words: str | Path) -> None:
    """Install from the main index, as an image is."""
    environ = uv_environment(os.environ, has_extra=False)
    subprocess.run([*locking.uv(), *words, "--quiet"], check=True, env=environ, timeout=200)


@pytest.mark.slow
def test_what_is_locked_is_enough_to_import_what_the_notebook_imports(tmp_path: Path) -> None:
    capture = capture_notebook(FLIGHTS / "features.ipynb")
    (tmp_path / "lock.txt").write_text(capture.lock)
    python = tmp_path / "locked-env" / "bin" / "python"
    uv_install("venv", "--python", sys.executable, python.parents[1])
    uv_install("pip", "sync", "--require-hashes", "--python", python, tmp_path / "lock.txt")
    code = "import pandas, numpy, matplotlib.pyplot, duckdb, sqlalchemy, pyarrow, ipykernel, IPython"
    done = subprocess.run([python, "-I", "-c", code], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_real_wheels_link_to_what_they_do_not_bring(tmp_path: Path) -> None:
    uv_install(
        "pip", "install", "--no-deps", "--target", tmp_path, "lightgbm==4.5.0", "psycopg2-binary==2.9.10"
    )
    found = {
        info.name.partition("-")[0].replace("_", "-"): Installed(
            "", "", "index", "", None, (), tmp_path, info
        )
        for info in tmp_path.glob("*.dist-info")
    }
    packages, problems = system_packages(found)
    assert ([one.name for one in packages], problems) == (["libgomp1"], ())
