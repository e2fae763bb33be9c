"""Deploying as people do: on the command line, in Python, by a magic; on this machine, for real."""

from __future__ import annotations

import json
import os
import re
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell

import jupyter_mlops as mlops
from jupyter_mlops.cli import cli
from jupyter_mlops.cli.deployments import deployment_body
from jupyter_mlops.session.place import close_workspace
from jupyter_mlops.workspace import Workspace

from .conftest import Shelf


@pytest.fixture
def place(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of the workspace, in which this process stands; whatever it serves is ended."""
    monkeypatch.chdir(workspace.root)
    yield workspace.root
    for one in workspace.deployments.find():
        workspace.deployments.remove(one.name)
    close_workspace()


def tell(*words: str) -> Any:
    """The exit code, and what was said: on stdout as it is, `--json` read."""
    result = CliRunner().invoke(cli, list(words))
    return result.exit_code, json.loads(result.stdout) if "--json" in words else result.output


def ask(url: str) -> str:
    data = json.dumps({"dataframe_records": [{"a": 1.0, "b": 2.0}]}).encode()
    request = urllib.request.Request(f"{url}/invocations", data, {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return str(answer.headers["x-mlops-model"])


@pytest.mark.slow
def test_a_deployments_life_on_the_command_line(place: Path) -> None:
    # One that nobody is given who asks for none: a deployment of another test could take it while ours is stopped.
    port = 20_000 + os.getpid() % 10_000
    words = ["models:/late@champion", "--replicas", "1:2", "--memory", "1Gi", "-o", f"port={port}", "--json"]
    code, said = tell("deploy", *words)
    made = said["deployment"]
    assert (code, made["state"], made["revision"], made["traffic"]) == (0, "running", 1, {"1": 1.0})
    assert made["options"] == {
        "replicas": [1, 2],
        "resources": {"memory": 2**30},
        "options": {"port": str(port)},
    }
    assert ask(made["url"]) == "late/1"
    code, said = tell("deploy", "late", "--traffic", "2=100%")
    assert (code, ask(made["url"])) == (0, "late/2")
    assert "revision    2" in said
    code, said = tell("deployments")
    assert code == 0
    line = r"late +● running +late +version 2 +local +1/1 +\d+\.\d +"
    assert re.search(line + re.escape(made["url"]), said), said
    code, said = tell("deployments", "show", "late")
    assert code == 0
    assert "→ 2" in said
    assert "replica-1" in said
    code, said = tell("deployments", "logs", "late", "front", "-n", "3")
    assert code == 0
    code, said = tell("deployments", "logs", "late", "fornt")
    assert (code, "did you mean 'front'" in said) == (2, True)
    assert tell("rollback", "late", "--json")[1]["deployment"]["revision"] == 3
    assert ask(made["url"]) == "late/1"
    assert tell("deployments", "status", "late")[0] == 0
    assert tell("deployments", "stop", "late")[0] == 0
    assert tell("deployments", "status", "late")[0] == 1
    code, said = tell("deployments", "start", "--all")
    assert (code, said) == (0, f"late answers at {made['url']}\n")
    assert ask(made["url"]) == "late/1"
    code, said = tell("deployments", "unit", "late")
    assert f"WorkingDirectory={place}" in said
    assert "deployments start late\n" in said
    assert tell("deployments", "remove", "late") == (0, "late is removed\n")
    assert "nothing is deployed" in tell("deployments")[1]
    assert [one["state"] for one in tell("deployments", "--all", "--json")[1]["deployments"]] == ["removed"]


@pytest.mark.slow
def test_an_alias_is_followed_by_a_process_beside_the_replicas(place: Path) -> None:
    import time

    served = mlops.deploy("late@champion", follow_alias="champion", replicas=1)
    assert ask(served.url) == "late/1"
    mlops.alias("late", "champion", 2)
    until = time.monotonic() + 60
    while ask(served.url) != "late/2" and time.monotonic() < until:
        time.sleep(0.1)
    assert ask(served.url) == "late/2"
    while (
        found := mlops.find_deployments("late")[0].deployment
    ).state != "running" and time.monotonic() < until:
        time.sleep(0.1)
    assert (found.revision, found.state) == (2, "running")
    mlops.rollback("late")
    until = time.monotonic() + 60
    while ask(served.url) != "late/1" and time.monotonic() < until:
        time.sleep(0.1)
    time.sleep(1.5)  # in which whoever follows the alias could undo it
    assert ask(served.url) == "late/1"


def test_a_dry_run_prints_what_would_be_written(place: Path, shelf: Shelf) -> None:
    code, said = tell("deploy", "late/1", "--dry-run")
    assert code == 0
    assert said.startswith("# shelf.put\nname: late\n")
    code, said = tell("deploy", "late/1", "--dry-run", "--json")
    assert said == {"requests": [{"call": "shelf.put", "body": {"name": "late", "traffic": {"1": 1.0}}}]}
    assert shelf.applied == []


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["deploy", "late/9"], "has no version 9"),
        (["deploy", "late/1", "--traffic", "1"], "'1' is no share of the traffic"),
        (["deploy", "late/1", "--follow"], "names no alias that could be followed"),
        (["deploy", "late/1", "--memory", "much"], "memory"),
        (["deploy", "late/1", "-o", "port"], "'port' is no option"),
        (["deploy", "late/1", "-o", "port=http"], "'http' is no port"),
        (["deploy", "late/1", "--target", "lokal"], "did you mean 'local'"),
        (["rollback", "late"], "there is no deployment 'late'"),
        (["deployments", "shwo", "late"], "did you mean 'show'"),
        (["deployments", "start"], "either a deployment's name or --all"),
        (["deployments", "logs", "late"], "there is no deployment 'late'"),
    ],
)
def test_what_is_wrong_is_said_in_a_line(place: Path, words: list[str], says: str) -> None:
    code, said = tell(*words)
    assert code == 2
    assert says in said
    assert "Traceback" not in said


def test_in_python_and_as_it_shows_itself(place: Path, shelf: Shelf) -> None:
    assert repr(mlops.find_deployments()) == "nothing is deployed"
    made = mlops.deploy("late/1", name="gate")
    assert made.url == "http://shelf/gate"
    mlops.deploy("late/2", name="gate")
    table = mlops.find_deployments()
    assert [one.deployment.name for one in table] == ["gate"]
    assert "http://shelf/gate" in repr(table)
    assert "<table" in table._repr_html_()
    assert mlops.rollback("gate").revision == 3
    assert deployment_body(mlops.find_deployments("gate")[0])["traffic"] == {"1": 1.0}


def test_a_list_does_not_fail_for_one_whose_target_is_away(place: Path, shelf: Shelf) -> None:
    mlops.deploy("late/1")
    shelf.is_away = True
    assert "the shelf is away" in repr(mlops.find_deployments())
    code, said = tell("deployments", "--json")
    assert (code, said["deployments"][0]["trouble"]) == (0, "the shelf is away; wait for it")
    code, said = tell("deployments", "remove", "late")
    assert (code, "remove late --forget" in said) == (1, True)
    code, said = tell("deployments", "remove", "late", "--forget")
    assert (code, said) == (0, "late is removed\n")
    shelf.is_away = False
    assert repr(mlops.find_deployments()) == "nothing is deployed"


def test_what_a_name_holds_is_escaped(place: Path, shelf: Shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    mlops.deploy("late/1")
    mlops.get_workspace().catalog.update(mlops.deploy("late/1").__class__, "late", message="<script>")
    shelf.standing.clear()
    monkeypatch.setattr(
        shelf, "status", lambda name, options: mlops.targets.Status(state="failed", message="<script>")
    )
    assert "<script>" not in mlops.find_deployments()._repr_html_()
    assert "<script>" not in mlops.find_deployments("late")[0]._repr_html_()


@pytest.fixture
def shell(place: Path) -> Iterator[InteractiveShell]:
    made = InteractiveShell.instance()
    made.run_line_magic("load_ext", "jupyter_mlops")
    yield made
    InteractiveShell.clear_instance()


def test_by_magics(shell: InteractiveShell, shelf: Shelf) -> None:
    made = shell.run_line_magic("deploy", "late@champion --follow --replicas 1:3 --memory 1Gi -o port=8123")
    assert (made.alias, made.revision) == ("champion", 1)
    wanted = shelf.applied[-1]
    assert (wanted.replicas, wanted.resources.memory, wanted.options) == ((1, 3), 2**30, {"port": "8123"})
    shell.run_line_magic("deploy", "late --traffic 1=90% --traffic 2=10% --shadow 3=100%")
    assert (shelf.applied[-1].traffic, shelf.applied[-1].shadow) == ({1: 0.9, 2: 0.1}, {3: 1.0})
    assert len(shell.run_line_magic("deployments", "")) == 1
    assert shell.run_line_magic("deployments", "late").deployment.revision == 2
    assert shell.run_line_magic("deployments", "late --back").revision == 3
    assert shell.run_line_magic("deployments", "late --to 2").revision == 4


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("deploy late/1 --follow", "names no alias"),
        ("deploy late/9", "has no version 9"),
        ("deployments --back", "NAME is missing"),
        ("deployments late --to first", "that is no revision"),
        ("deployments lat", "there is no deployment 'lat'"),
    ],
)
def test_a_magic_says_in_a_line_what_is_wrong(
    shell: InteractiveShell, shelf: Shelf, line: str, says: str
) -> None:
    name, _, rest = line.partition(" ")
    with pytest.raises(UsageError, match=says):
        shell.run_line_magic(name, rest)
