"""A pipeline that says everything, our own run of it, and other orchestrators in environments of their own."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import pytest
from click.testing import CliRunner

from jupyter_mlops.catalog.records import TaskRun
from jupyter_mlops.cli import cli
from jupyter_mlops.workspace import Workspace

SCORES = """\
name: scores
description: Two models, the better one is deployed.
parameters:
  week: {type: int, default: 20}
  bonus_a: {type: float, default: 0.0}
tasks:
  pull:
    notebook: pull.ipynb
    parameters: {week: "${params.week}"}
    retries: {limit: 2, delay: 1s}
    timeout: 5m
  train:
    notebook: train.ipynb
    description: One of two models
    matrix: {model: [a, b]}
    parameters: {rows: "${tasks.pull.artifacts.rows}", model: "${matrix.model}", bonus_a: "${params.bonus_a}"}
    resources: {cpu: 1, memory: 1Gi}
  compare:
    notebook: compare.ipynb
    parameters: {scores: "${tasks.train.results.score}"}
    priority: 5
  deploy_a:
    notebook: deploy.ipynb
    when: ${tasks.compare.results.best} == 'a'
    parameters: {model: a}
  deploy_b:
    notebook: deploy.ipynb
    when: ${tasks.compare.results.best} == 'b'
    parameters: {model: b}
  region:
    notebook: region.ipynb
    map: ${tasks.pull.results.regions}
    when: ${item} != 'south'
    parameters: {region: "${item}"}
  summary:
    notebook: summary.ipynb
    run_if: none_failed
    needs: [deploy_a, deploy_b]
    parameters: {counts: "${tasks.region.results.count}", best: "${tasks.compare.results.best}"}
  alarm:
    notebook: deploy.ipynb
    when: ${tasks.compare.results.best} == 'a'
    parameters: {model: alarm}
"""
EMIT = "import jupyter_mlops as mlops\n"
NOTEBOOKS = {
    "pull": (
        "week: int = 1",
        'mlops.artifact("rows", [week, week + 1])\nmlops.result("regions", ["north", "south", "west"])',
    ),
    "train": (
        "rows: object = None\nmodel: str = 'a'\nbonus_a: float = 0.0",
        'rows = mlops.input(rows)\nmlops.result("score", sum(rows) / 100 + (0.1 if model == "b" else bonus_a))',
    ),
    "compare": ("scores: list = []", 'mlops.result("best", "a" if scores[0] > scores[1] else "b")'),
    "deploy": ("model: str = 'a'", 'mlops.result("deployed", model)'),
    "region": ("region: str = ''", 'mlops.result("count", len(region))'),
    "summary": (
        "counts: list = []\nbest: str = ''",
        'mlops.result("total", sum(count for count in counts if count))\nmlops.result("best", best)',
    ),
}  # fmt: skip
ALONE = {"MLOPS_ZYGOTE_LINGER_SECONDS": "0"}  # a whole run in this process leaves nothing behind
ANSWERS: list[dict[str, Any]] = [{"bonus_a": 0.5}, {}]  # the condition goes one way and the other


@dataclass(frozen=True)
class Said:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Outcome = dict[str, tuple[str, Any]]


@pytest.fixture(scope="session", autouse=True)
def _zygotes_for_the_next_task() -> Iterator[None]:
    """Each task is a command of its own; without that each would import what its notebook does anew."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MLOPS_ZYGOTE_LINGER_SECONDS", "60")
        yield


@pytest.fixture(scope="session")
def say() -> Callable[..., Said]:
    """Give a command line in this process."""

    def call(*words: object) -> Said:
        result = CliRunner().invoke(
            cli, [str(word) for word in words], env=ALONE if words[0] == "run" else {}
        )
        return Said(result.exit_code, result.stdout, result.stderr)

    return call


def write(folder: Path, pipeline: str, notebooks: Mapping[str, tuple[str, str]]) -> Path:
    """A project: a pipeline, and notebooks of a parameters cell and one of code."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "mlops.toml").write_text("")
    (folder / "pipeline.yaml").write_text(pipeline)
    for name, (parameters, code) in notebooks.items():
        cells = [(parameters, ["parameters"]), (EMIT + code, [])]
        body = {
            "cells": [
                {
                    "cell_type": "code",
                    "id": f"cell-{number}",
                    "metadata": {"tags": tags},
                    "source": source,
                    "execution_count": None,
                    "outputs": [],
                }
                for number, (source, tags) in enumerate(cells)
            ],
            "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
            "nbformat": 4,
            "nbformat_minor": 5,
        }
        (folder / f"{name}.ipynb").write_text(json.dumps(body))
    return folder / "pipeline.yaml"


@pytest.fixture(scope="session")
def write_project() -> Callable[..., Path]:
    return write


@pytest.fixture
def scores(tmp_path: Path) -> Path:
    """The pipeline, fresh."""
    return write(tmp_path / "scores", SCORES, NOTEBOOKS)


def outcome(folder: Path, run_id: str = "latest") -> Outcome:
    """Task → state and results, as the catalog has them."""
    with Workspace.open(folder) as workspace:
        run = workspace.runs.resolve_run(run_id)
        tasks = workspace.catalog.find(TaskRun, where={"run_id": run.run_id})
        return {"run": (run.state, None), **{task.task: (task.state, task.results) for task in tasks}}


@pytest.fixture(scope="session")
def outcome_of() -> Callable[..., Outcome]:
    return outcome


@pytest.fixture(scope="session")
def ours(tmp_path_factory: pytest.TempPathFactory) -> list[Outcome]:
    """What our own runs give, for each of `ANSWERS`."""
    path = write(tmp_path_factory.mktemp("ours"), SCORES, NOTEBOOKS)
    found = []
    for answer in ANSWERS:
        words = [word for name, value in answer.items() for word in ("-p", name, str(value))]
        result = CliRunner().invoke(cli, ["run", str(path), "--force", "--json", *words], env=ALONE)
        assert result.exit_code == 0, result.output
        found.append(outcome(path.parent))
    assert [each["deploy_a"][0] for each in found] == ["succeeded", "skipped"]
    return found


@dataclass(frozen=True)
class Sdk:
    """The environment of another orchestrator; our own commands come after its own on the PATH."""

    folder: Path

    def run(
        self,
        *words: object,
        cwd: Path,
        env: Mapping[str, str] | None = None,
        timeout: float = 280,
        code: int = 0,
    ) -> str:
        """A command in it, which must end with that exit code; what it printed."""
        done = subprocess.run(
            [str(word) for word in words],
            cwd=cwd,
            env=self._environment(env),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=timeout,
        )
        assert done.returncode == code, done.stdout[-6000:]
        return done.stdout

    def start(
        self, *words: str, cwd: Path, env: Mapping[str, str], log: IO[bytes]
    ) -> subprocess.Popen[bytes]:
        """A command in it that goes on, in a session of its own."""
        return subprocess.Popen(
            words, cwd=cwd, env=self._environment(env), stdin=subprocess.DEVNULL, stdout=log,
            stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip

    def _environment(self, env: Mapping[str, str] | None) -> dict[str, str]:
        path = f"{self.folder / 'bin'}:{Path(sys.executable).parent}:{os.environ['PATH']}"
        kept = {k: v for k, v in os.environ.items() if k not in ("PYTHONDONTWRITEBYTECODE", "VIRTUAL_ENV")}
        return {**kept, "PATH": path, **(env or {})}


@pytest.fixture(scope="session")
def sdk(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Sdk]:
    """``sdk("prefect<4", …)``: an environment with these packages, made once a session. Where they cannot be had,
    the test is skipped; in CI it fails."""
    made: dict[tuple[str, ...], Sdk] = {}

    def make(*packages: str) -> Sdk:
        if packages not in made:
            folder = tmp_path_factory.mktemp("sdk") / "venv"
            python, ours = str(folder / "bin" / "python"), sys.executable
            commands = [
                [ours, "-m", "uv", "venv", "-q", "--python", ours, str(folder)],
                # Not to bytecode: a few processes import a part of it, and what they import is kept.
                [ours, "-m", "uv", "pip", "install", "-q", "--python", python, *packages],
            ]
            if importlib.util.find_spec("uv") is None:
                commands = [
                    [ours, "-m", "venv", str(folder)],
                    [python, "-m", "pip", "install", "-q", *packages],
                ]
            for words in commands:
                done = subprocess.run(words, capture_output=True, text=True, timeout=280)
                if done.returncode:
                    (pytest.fail if os.environ.get("CI") else pytest.skip)(done.stderr[-2000:])
            made[packages] = Sdk(folder)
        return made[packages]

    return make
