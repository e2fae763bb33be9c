"""run, resume and rerun, on real pipelines."""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path

import pytest

from jupyter_mlops.events import decode

FAILING = """\
name: failing
tasks:
  good: {notebook: good.ipynb}
  bad: {notebook: bad.ipynb, needs: good}
  after: {notebook: good.ipynb, needs: bad}
"""

TWO_TASKS = """\
name: slow
tasks:
  quick: {notebook: quick.ipynb}
  sleep: {notebook: sleep.ipynb, needs: quick}
"""


@pytest.fixture
def failing(tmp_path, write_notebook) -> Path:
    (tmp_path / "mlops.toml").write_text("")
    (tmp_path / "pipeline.yaml").write_text(FAILING)
    write_notebook(tmp_path / "good.ipynb", "1 + 1")
    write_notebook(tmp_path / "bad.ipynb", "print('so far so good')", "{}['missing']")
    return tmp_path


def states(document: dict) -> dict[str, str]:
    return {task["task"]: task["state"] for task in document["tasks"]}


def test_a_run_as_json(tell, tmp_path, write_project):
    write_project(tmp_path)
    said = tell("run", "--json", "-p", "base", "21")
    assert said.code == 0
    assert said.err == ""
    assert said.json["run"]["state"] == "succeeded"
    assert said.json["run"]["arguments"] == {"base": 21}
    assert states(said.json) == {"first": "succeeded", "second": "succeeded", "never": "skipped"}
    assert said.json["tasks"][1]["results"] == {"squared": 42**2}
    again = tell("run", "--json", "-p", "base", "21").json
    assert states(again) == {"first": "cached", "second": "cached", "never": "skipped"}
    forced = tell("run", "--json", "-p", "base", "21", "--force", "second").json
    assert states(forced) == {"first": "cached", "second": "succeeded", "never": "skipped"}


@pytest.mark.slow
def test_the_pipeline_may_stand_behind_force(tell, tmp_path, write_project):
    write_project(tmp_path)
    tell("run", "--json")
    said = tell("run", "--json", "--force", "pipeline.yaml")
    assert states(said.json) == {"first": "succeeded", "second": "succeeded", "never": "skipped"}


def test_only_and_from_take_what_comes_before_from_the_cache(tell, tmp_path, write_project):
    write_project(tmp_path)
    tell("run", "--json")
    assert states(tell("run", "--json", "--only", "second", "--force").json)["second"] == "succeeded"
    assert states(tell("run", "--json", "--from", "second", "--force").json)["first"] == "cached"


def test_a_run_as_lines_in_a_log(tmp_path, spawn, finish, write_project):
    write_project(tmp_path)
    said = finish(spawn("run", cwd=tmp_path, env={"CI": "true"}))
    assert said.code == 0
    assert "✔ first: succeeded in " in said.out
    assert "– never: skipped" in said.out
    assert "✔ small succeeded in " in said.out
    assert "doubled  6" in said.out
    assert "\x1b" not in said.out
    folder = next(line for line in said.out.splitlines() if line.startswith("executed notebooks")).split()[-1]
    assert {p.name for p in (tmp_path / folder).iterdir()} >= {"first.ipynb", "second.ipynb"}


@pytest.mark.slow
def test_a_run_as_events(tell, tmp_path, write_project):
    write_project(tmp_path)
    said = tell("run", "--json-events")
    assert said.code == 0
    events = [decode(json.loads(line)) for line in said.out.splitlines()]
    kinds = [type(event).__name__ for event in events]
    assert kinds[-1] == "RunFinished"
    assert {"RunStarted", "AttemptSucceeded", "TaskStateChanged", "CellExecuted", "OutputStreamed"} <= set(
        kinds
    )


def test_json_and_json_events_exclude_each_other(tell, tmp_path, write_project):
    write_project(tmp_path)
    said = tell("run", "--json", "--json-events")
    assert said.code == 2
    assert said.json["error"]["code"] == "invalid_input"


def test_a_failed_run_exits_with_1_and_says_where_to_look(failing, spawn, finish):
    said = finish(spawn("run", cwd=failing))
    assert said.code == 1
    assert "✘ failing failed after " in said.out
    assert "KeyError" in said.out
    assert "bad.ipynb" in said.out
    assert "jupyter mlops rerun " in said.out
    assert said.err == ""


def test_rerun_runs_what_failed(tell, failing, write_notebook):
    first = tell("run", "--json")
    assert first.code == 1
    assert states(first.json) == {"good": "succeeded", "bad": "failed", "after": "upstream_failed"}
    assert first.json["tasks"][1]["error"]["code"] == "notebook_failed"
    write_notebook(failing / "bad.ipynb", "print('better')")
    again = tell("rerun", "--json")
    assert again.code == 0
    assert again.json["run"]["rerun_of"] == first.json["run"]["run_id"]
    assert states(again.json)["bad"] == "succeeded"
    assert states(again.json)["after"] == "succeeded"


def test_ctrl_c_cancels_and_exits_with_130(tmp_path, spawn, finish, write_notebook, wait_for):
    (tmp_path / "mlops.toml").write_text("")
    (tmp_path / "pipeline.yaml").write_text("name: slow\ntasks:\n  sleep: {notebook: sleep.ipynb}\n")
    write_notebook(tmp_path / "sleep.ipynb", "open('started', 'w').close()\nimport time\ntime.sleep(60)")
    process = spawn("run", cwd=tmp_path)
    wait_for(tmp_path / "started", process)
    process.send_signal(signal.SIGINT)
    said = finish(process, timeout=30)
    assert said.code == 130, said
    assert "slow cancelled" in said.out
    assert "Traceback" not in said.err


@pytest.mark.slow
def test_a_run_that_was_killed_is_resumed(tmp_path, spawn, finish, write_notebook, wait_for):
    (tmp_path / "mlops.toml").write_text("")
    (tmp_path / "pipeline.yaml").write_text(TWO_TASKS)
    write_notebook(tmp_path / "quick.ipynb", "open('quick', 'a').write('x')")
    write_notebook(
        tmp_path / "sleep.ipynb",
        "import os, time",
        "if not os.path.exists('started'):\n    open('started', 'w').close()\n    time.sleep(60)",
    )
    process = spawn("run", cwd=tmp_path)
    wait_for(tmp_path / "started", process)
    process.kill()
    process.communicate()
    said = finish(spawn("resume", "latest", "--json", cwd=tmp_path))
    assert said.code == 0, said
    assert states(said.json) == {"quick": "succeeded", "sleep": "succeeded"}
    assert (tmp_path / "quick").read_text() == "x"


def test_wrong_arguments_are_told_before_anything_starts(tell, tmp_path, write_project):
    write_project(tmp_path)
    said = tell("run", "-p", "bas", "3")
    assert said.code == 2
    assert "bas" in said.err
    assert "'base'" in said.err
    assert said.out == ""
    assert tell("runs", "--json").json == {"runs": []}
    assert tell("run", "-p", "base", "three").code == 2


def test_a_run_elsewhere_uses_that_workspace(tell, tmp_path, write_project):
    other = tmp_path / "other"
    other.mkdir()
    write_project(other)
    assert tell("run", "other", "--json").code == 0
    assert (other / ".mlops").is_dir()
    assert not (tmp_path / ".mlops").exists()


def test_the_project_that_init_writes_runs(tell, tmp_path):
    assert tell("init", "demo").code == 0
    said = tell("run", "demo", "--json", "-p", "points", "2000")
    assert said.code == 0, said
    results = {task["task"]: task["results"] for task in said.json["tasks"]}
    assert 2.9 < results["estimate"]["pi"] < 3.4
    assert set(states(tell("run", "demo", "--json", "-p", "points", "2000").json).values()) == {"cached"}


def test_a_terminal_shows_the_dag_move(tmp_path, write_notebook):
    """A real pseudo-terminal: what a person sees."""
    import pty

    (tmp_path / "mlops.toml").write_text("")
    (tmp_path / "pipeline.yaml").write_text(TWO_TASKS)
    write_notebook(tmp_path / "quick.ipynb", "1 + 1")
    write_notebook(tmp_path / "sleep.ipynb", "import time", "print('snoring')\ntime.sleep(1)", "2 + 2")
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(tmp_path)
        os.environ.update(TERM="xterm-256color", COLUMNS="80", LINES="24")
        os.environ.pop("CI", None)
        os.execv(Path(sys.executable).with_name("jupyter-mlops"), ["jupyter-mlops", "run"])
    text = b""
    while True:
        try:
            piece = os.read(terminal, 65536)
        except OSError:
            break
        if not piece:
            break
        text += piece
    os.close(terminal)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    shown = text.decode()
    assert "cell 2/3" in shown
    assert "snoring" in shown
    assert "━" in shown
    assert "executed notebooks" in shown
    assert shown.rfind("\x1b[?25h") > shown.rfind("\x1b[?25l")  # the cursor is visible again
