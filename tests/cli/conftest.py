"""The command line as a user meets it: arguments in, text and an exit code out; and small real projects."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from jupyter_mlops.cli import cli


@dataclass(frozen=True)
class Said:
    """What a command line answered."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Tell = Callable[..., Said]


def _call(*words: str | Path, input: str | None = None) -> Said:  # noqa: A002 - click's word
    """Give a command line, in this process."""
    result = CliRunner().invoke(cli, [str(word) for word in words], input=input)
    return Said(result.exit_code, result.stdout, result.stderr)


@pytest.fixture
def tell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tell:
    """Give command lines in an empty directory."""
    monkeypatch.chdir(tmp_path)
    for name in ("CI", "FORCE_COLOR", "NO_COLOR", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    return _call


def _spawn(*words: str | Path, cwd: Path, env: Mapping[str, str] | None = None) -> subprocess.Popen[str]:
    """Start a command line as a process of its own."""
    script = Path(sys.executable).with_name("jupyter-mlops")
    return subprocess.Popen(
        [script, *map(str, words)],
        cwd=cwd,
        env={**os.environ, **(env or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _finish(process: subprocess.Popen[str], timeout: float = 120) -> Said:
    """Wait for its end."""
    out, err = process.communicate(timeout=timeout)
    return Said(process.returncode, out, err)


def _write_notebook(path: Path, *cells: str, parameters: str = "") -> Path:
    """A notebook of code cells, the first one tagged if there are parameters."""
    tagged = [(parameters, ["parameters"])] if parameters else []
    sources = [*tagged, *((cell, []) for cell in cells)]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        json.dumps(
            {
                "cells": [
                    {
                        "cell_type": "code",
                        "id": f"cell-{i}",
                        "metadata": {"tags": tags} if tags else {},
                        "source": source,
                        "execution_count": None,
                        "outputs": [],
                    }
                    for i, (source, tags) in enumerate(sources)
                ],
                "metadata": {
                    "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}
                },
                "nbformat": 4,
                "nbformat_minor": 5,
            }
        )
    )
    return path


PIPELINE = """\
name: small
parameters:
  base: {type: int, default: 3, help: what is doubled}
tasks:
  first:
    notebook: first.ipynb
    parameters: {base: "${params.base}"}
  second:
    notebook: second.ipynb
    parameters: {value: "${tasks.first.results.doubled}"}
  never:
    notebook: second.ipynb
    when: tasks.first.results.doubled > 100
    parameters: {value: 1}
"""


def _write_project(folder: Path) -> Path:
    """A pipeline of three tasks, of which one is skipped."""
    (folder / "mlops.toml").write_text("")
    (folder / "pipeline.yaml").write_text(PIPELINE)
    _write_notebook(
        folder / "first.ipynb",
        "import jupyter_mlops as mlops",
        'print("doubling", base)',
        'mlops.result("doubled", 2 * base)\nmlops.artifact("numbers", {"base": base})',
        parameters="base: int = 1",
    )
    _write_notebook(
        folder / "second.ipynb",
        'import jupyter_mlops as mlops\nmlops.result("squared", value**2)',
        parameters="value: int = 0",
    )
    return folder


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A project whose pipeline has run once; tests of the module only look at it."""
    folder = _write_project(tmp_path_factory.mktemp("project"))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        said = _call("run", "--json")
        assert said.code == 0, said
        yield folder


@pytest.fixture(scope="session")
def spawn() -> Callable[..., subprocess.Popen[str]]:
    """Start a command line as a process of its own: ``spawn(*words, cwd=…, env=…)``."""
    return _spawn


@pytest.fixture(scope="session")
def finish() -> Callable[..., Said]:
    """Wait for the end of what `spawn` started."""
    return _finish


@pytest.fixture(scope="session")
def write_notebook() -> Callable[..., Path]:
    """``write_notebook(path, *cells, parameters="")``."""
    return _write_notebook


@pytest.fixture(scope="session")
def write_project() -> Callable[[Path], Path]:
    """Write a small pipeline into a folder."""
    return _write_project


@pytest.fixture(scope="session")
def say() -> Tell:
    """Give command lines wherever the process is."""
    return _call


@pytest.fixture(scope="session")
def spawn_piped() -> Callable[..., Said]:
    """A command line as a process that reads `input` from a pipe."""

    def run(*words: str, input: str, cwd: Path) -> Said:  # noqa: A002
        script = Path(sys.executable).with_name("jupyter-mlops")
        done = subprocess.run(
            [script, *words], input=input, cwd=cwd, capture_output=True, text=True, timeout=120
        )
        return Said(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture(scope="session")
def wait_for() -> Callable[..., None]:
    """Wait until a file is there, while a process lives."""

    def wait(path: Path, process: subprocess.Popen[str], seconds: float = 60) -> None:
        deadline = time.monotonic() + seconds
        while not path.exists():
            assert time.monotonic() < deadline, f"{path} did not appear"
            assert process.poll() is None, process.communicate()
            time.sleep(0.02)

    return wait
