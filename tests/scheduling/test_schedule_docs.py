"""docs/schedules.md says what is so: its pipeline is read, its commands and its Python are run."""

from __future__ import annotations

import configparser
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from jupyter_mlops.cli import cli
from jupyter_mlops.cron import parse_cron
from jupyter_mlops.pipelines.schedules import _PARTS

DOCS = Path(__file__).parents[2] / "docs"
TEXT = (DOCS / "schedules.md").read_text(encoding="utf-8")
CONTAINER = DOCS / "deploy" / "scheduler.Dockerfile"
UNIT = DOCS / "deploy" / "mlops-scheduler.service"


def blocks(kind: str) -> list[str]:
    found = re.findall(r"^```(\w*)\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)
    return [text for name, text in found if name == kind]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pipeline_writer: Any) -> Path:
    """A folder with the pipeline of the page, beside another one with a region."""
    (pipeline,) = blocks("yaml")
    pipeline_writer(tmp_path, pipeline.replace("parameters:\n", "parameters:\n  region: US\n", 1))
    notebook = json.loads((tmp_path / "only.ipynb").read_text())
    notebook["cells"][0]["source"] = (
        "import datetime\nsince: datetime.datetime = None\nuntil: datetime.datetime = None"
    )
    notebook["cells"][1]["source"] = "open('ran', 'a').write(f'{since:%m-%d}..{until:%m-%d} ')"
    (tmp_path / "pull.ipynb").write_text(json.dumps(notebook))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_its_commands_run(project: Path) -> None:
    lines = [line.partition("#")[0] for block in blocks("") for line in block.splitlines()]
    commands = [shlex.split(line)[2:] for line in lines if line.startswith("jupyter mlops")]
    assert len(commands) == 6
    for words in commands:
        if words[0] == "scheduler":
            words.append("--once")  # the page's goes on
        if "@daily" in words:  # a day is enough
            words[words.index("--to") + 1] = "2026-01-02"
        result = CliRunner().invoke(cli, words)
        assert result.exit_code == 0, (words, result.stderr)
    assert "12-31..01-01 01-01..01-02" in (project / "ran").read_text()


def test_its_python_runs(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (code,) = blocks("python")
    exec(compile(code, "schedules.md", "exec"), {})
    assert capsys.readouterr().out.count("report.nightly") == 3


def test_its_crons_are_crons() -> None:
    table = TEXT[TEXT.index("| written | fires |") : TEXT.index("Five fields:")]
    shown = [
        text for row in table.strip().splitlines()[2:] for text in re.findall(r"`([^`]+)`", row.split("|")[1])
    ]
    crons = [cron for text in shown for cron in (text.split() if text.startswith("@") else [text])]
    assert len(crons) == 12
    for cron in crons:
        parse_cron(cron)


def test_it_names_every_part_of_a_moment() -> None:
    row = next(line for line in TEXT.splitlines() if "`${schedule.fire_at.date}`" in line)
    assert {part for part in _PARTS if f"`{part}`" in row} == set(_PARTS)


def test_the_unit_is_one_for_systemd() -> None:
    unit = configparser.ConfigParser(interpolation=None)
    unit.optionxform = str  # type: ignore[method-assign, assignment]
    unit.read(UNIT)
    assert unit["Service"]["KillMode"] == "process"
    words = shlex.split(unit["Service"]["ExecStart"])[1:]
    assert words == ["scheduler"]


def test_systemd_has_nothing_to_say_of_the_unit(tmp_path: Path) -> None:
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.fail("systemd is not there") if os.environ.get("CI") else pytest.skip("systemd is not there")
    program = tmp_path / "project" / ".venv" / "bin" / "jupyter-mlops"
    program.parent.mkdir(parents=True)
    program.touch(mode=0o755)
    env = {**os.environ, "HOME": str(tmp_path), "XDG_RUNTIME_DIR": str(tmp_path)}

    def told(unit: Path) -> str:
        command = [analyze, "--user", "verify", str(unit)]
        return subprocess.run(command, capture_output=True, text=True, check=False, env=env).stderr

    assert told(UNIT) == ""
    wrong = tmp_path / "wrong.service"
    wrong.write_text(UNIT.read_text().replace("KillMode=process", "KillMode=proces"))
    assert "proces" in told(wrong)  # it does look


def test_the_container_is_one_that_hadolint_likes() -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    done = subprocess.run(
        [hadolint, "--failure-threshold", "style", CONTAINER], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout
    said = CONTAINER.read_text()
    assert json.loads(re.findall(r"^ENTRYPOINT (.*)$", said, re.MULTILINE)[0]) == ["jupyter", "mlops"]
    words = json.loads(re.findall(r"^CMD (.*)$", said, re.MULTILINE)[0])
    assert words[0] in cli.list_commands(click.Context(cli))
