"""``queue`` and ``quota`` on the command line, who the user is, and what the documentation says."""

from __future__ import annotations

import json
import os
import pwd
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

import jupyter_mlops.server
from jupyter_mlops.catalog import owner
from jupyter_mlops.catalog.records import Run
from jupyter_mlops.cli import cli
from jupyter_mlops.events import now
from jupyter_mlops.queueing import Quotas
from jupyter_mlops.runner import RunOptions

from .conftest import Line, eventually

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture
def command(line: Line, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.chdir(line.root)

    def call(*words: str) -> tuple[int, str, str]:
        code = 0
        try:
            cli.main(args=list(words))
        except SystemExit as end:
            code = int(end.code or 0)
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return call


QUOTAS = """
[all]
runs = 2
gpu = 4
[users."*"]
max_priority = 3
cost = 10
[groups.research]
members = ["ana"]
memory = "64Gi"
"""


def test_quotas_are_applied_shown_and_cleared(line: Line, command: Any) -> None:
    assert command("quota")[2].startswith("no quotas are set")
    assert json.loads(command("quota", "--json")[1]) == {"quotas": None, "in_use": []}
    (line.root / "quotas.toml").write_text(QUOTAS)
    assert command("quota", "apply", "quotas.toml", "--dry-run")[1] == "quotas.toml is right\n"
    assert not line.workspace.queue.quotas()
    assert command("quota", "apply", "quotas.toml")[0] == 0
    code, out, _ = command("quota")
    assert code == 0
    assert re.search(r"all +runs +━+ 0 of 2 runs", out)
    assert re.search(r"group +research +memory +━+ 0 B of 64 GiB", out)
    found = json.loads(command("quota", "--json")[1])
    assert found["quotas"]["users"] == {"*": {"max_priority": 3, "cost": 10.0}}
    assert found["in_use"][0] == {"scope": "all", "name": "", "resource": "runs", "used": 0, "limit": 2}
    (line.root / "wrong.toml").write_text("[users.ana]\ngpus = 1\n")
    code, _, err = command("quota", "apply", "wrong.toml")
    assert (code, "users.ana.gpus" in err, "gpu" in err) == (2, True, True)
    (line.root / "wrong.toml").write_text("[users")
    assert command("quota", "apply", "wrong.toml")[0] == 2
    assert "no file" in command("quota", "apply", "none.toml")[2]
    assert command("quota", "clear")[0] == 0
    assert not line.workspace.queue.quotas()


def test_the_queue_is_shown_and_changed(line: Line, command: Any) -> None:
    line.set(all={"runs": 1}, users={"*": {"max_priority": 3}})
    assert "nothing waits" in command("queue")[1]
    kept = line.runs.record(line.root / "pipeline.yaml", options=RunOptions(is_preemptible=True, priority=-2))
    out = command("queue")[1]
    assert "-2 preemptible" in out
    assert "has no process that would drive it" in out
    assert "0 runs admitted, 1 waiting" in out
    assert command("queue", "move", "latest", "--priority", "2")[1] == f"run {kept.run_id} has priority 2\n"
    code, _, err = command("queue", "move", "latest", "--priority", "4")
    assert (code, "more than user" in err) == (2, True)
    assert json.loads(command("queue", "hold", kept.run_id[:15], "--json")[1])["state"] == "held"
    assert "already" in command("queue", "hold", "latest")[2]
    assert command("queue", "release", "latest")[0] == 0
    (found,) = json.loads(command("queue", "--json")[1])["queue"]
    assert (found["run_id"], found["priority"], found["needs"]["cpu"], found["granted"]) == (
        kept.run_id,
        2,
        1,
        None,
    )
    assert command("queue", "moove", "latest")[0] == 2


def test_a_run_that_nobody_waits_for(line: Line, command: Any) -> None:
    line.set(all={"runs": 1})
    code, out, _ = command(
        "run", "-p", "name", "alone", "--no-wait", "--priority", "2", "--preemptible", "--json"
    )
    assert code == 0
    run_id = json.loads(out)["run"]["run_id"]
    done = eventually(lambda: line.run(run_id).state == "succeeded" and line.run(run_id))
    assert done.options["priority"] == 2
    assert done.options["is_preemptible"] is True
    code, _, err = command("run", "--queue", "nigth")
    assert (code, "no queue 'nigth'" in err) == (2, True)


def test_the_user_is_the_hubs_or_the_systems(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JUPYTERHUB_USER", raising=False)
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.setenv(name, "somebody-else")
    assert owner.user_name() == pwd.getpwuid(os.getuid()).pw_name
    monkeypatch.setenv("JUPYTERHUB_USER", "ana")
    assert owner.user_name() == "ana"


def test_no_request_names_a_user() -> None:
    contract = yaml.safe_load((Path(jupyter_mlops.server.__file__).parent / "openapi.yaml").read_text())
    for path in contract["paths"].values():
        for operation in path.values():
            body = operation.get("requestBody") if isinstance(operation, dict) else None
            assert "user_name" not in json.dumps(body or {})
    options = contract["components"]["schemas"]["RunOptions"]
    assert options["additionalProperties"] is False
    assert not {"user", "user_name"} & set(options["properties"])


def test_the_example_of_quotas_is_right() -> None:
    text = (DOCS / "queue.md").read_text()
    (example,) = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    quotas = Quotas.parse(tomllib.loads(example))
    assert quotas.group_of("ana") == "research"
    assert Quotas.parse(quotas.to_json()) == quotas
    assert (
        Quotas.of_records(
            quotas.records("root", Run(run_id="r", pipeline="p", plan={}, created_at=now()).created_at)
        )
        == quotas
    )
