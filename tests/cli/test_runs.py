"""runs, show, logs and cancel, after a real run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from jupyter_mlops.catalog.records import Run
from jupyter_mlops.workspace import Workspace

RUN = """
run_id pipeline pipeline_path state message arguments user_name rerun_of created_at started_at finished_at
duration_seconds is_driven
"""
USED = "cpu_seconds cpu_utilization gpu_utilization"  # of all tasks of a run that is shown
TASK = """
task name state attempt reason source_run_id arguments results artifacts error worker cell cells started_at
finished_at duration_seconds peak_memory_bytes cpu_seconds cpus cpu_utilization memory_utilization gpu_utilization
"""


@pytest.fixture
def ask(project, say, monkeypatch):
    """Give command lines in the project that ran."""
    monkeypatch.chdir(project)
    return say


def test_runs_are_listed(ask):
    said = ask("runs")
    assert said.code == 0
    header, row = said.out.splitlines()
    assert header.split() == ["run", "pipeline", "state", "started", "took", "tasks", "arguments"]
    assert "small" in row
    assert "✔ succeeded" in row
    assert "2 succeeded, 1 skipped" in row
    assert "base = 3" in row


def test_runs_are_filtered(ask):
    assert len(ask("runs", "--json", "--state", "succeeded", "--pipeline", "small").json["runs"]) == 1
    assert ask("runs", "--json", "--state", "failed").json == {"runs": []}
    assert ask("runs", "--json", "--pipeline", "other").json == {"runs": []}
    said = ask("runs", "--state", "failed")
    assert (said.code, said.out, said.err) == (0, "", "no runs\n")


def test_a_workspace_without_runs_says_how_to_make_one(tell):
    said = tell("runs")
    assert (said.code, said.out) == (0, "")
    assert "jupyter mlops run" in said.err


def test_the_shape_of_a_run(ask):
    (run,) = ask("runs", "--json").json["runs"]
    assert set(run) == set(RUN.split())
    shown = ask("show", "--json").json
    assert set(shown) == {"run", "tasks"}
    assert {name: told for name, told in shown["run"].items() if name not in USED.split()} == run
    assert set(shown["run"]) == {*RUN.split(), *USED.split()}
    assert all(set(task) == set(TASK.split()) for task in shown["tasks"])


def test_a_run_is_named_by_its_beginning(ask):
    (run,) = ask("runs", "--json").json["runs"]
    assert ask("show", run["run_id"][:-2], "--json").json["run"]["run_id"] == run["run_id"]
    said = ask("show", "nonsense")
    assert said.code == 2
    assert said.err.startswith("error: ")


def test_a_run_is_shown(ask):
    out = ask("show").out
    assert out.startswith("✔ small succeeded in ")
    assert "base = 3" in out
    assert "first   ✔ succeeded" in out
    assert "– skipped" in out


def test_a_run_tells_how_much_it_used_of_what_it_could(ask):
    shown = ask("show", "--json").json
    executed = [task for task in shown["tasks"] if task["state"] == "succeeded"]
    for task in executed:
        assert task["cpu_seconds"] > 0
        assert 0 < task["cpu_utilization"] <= 1
        assert task["cpus"] >= 1
        assert (task["memory_utilization"], task["gpu_utilization"]) == (None, None)  # it asked for neither
    assert shown["run"]["cpu_seconds"] == pytest.approx(sum(task["cpu_seconds"] for task in executed))
    assert 0 < shown["run"]["cpu_utilization"] <= 1
    assert "of what its tasks could use" in ask("show").out
    assert " CPUs (" in ask("show", "latest", "first").out
    assert (
        ask("show", "latest", "first", "--json").json["task"]["flops_at_most"] == {}
    )  # nobody measured the machine


def test_a_run_whose_process_died_says_so_and_how_to_go_on(ask, project):
    with Workspace.open(project) as workspace:
        (run,) = workspace.catalog.find(Run)
        unfinished = replace(run, run_id="lost", state="running", finished_at=None, runner="")
        workspace.catalog.add(unfinished, replace(unfinished, run_id="waiting", state="queued"))
    said = ask("show", "lost")
    assert "nobody drives it any more  jupyter mlops resume lost" in said.out
    assert "nobody drives" not in ask("show", run.run_id).out
    assert "waits for a process to drive it" in ask("show", "waiting").out
    assert ask("show", "lost", "--json").json["run"]["is_driven"] is False
    with Workspace.open(project) as workspace:
        workspace.catalog.delete(Run, {"run_id": ["lost", "waiting"]})


def test_a_task_is_shown_with_what_it_made(ask, project):
    shown = ask("show", "latest", "first", "--json").json
    assert shown["task"]["results"] == {"doubled": 6}
    assert shown["task"]["arguments"] == {"base": 3}
    (artifact,) = shown["artifacts"]
    assert (artifact["name"], artifact["format"]) == ("numbers", "json")
    assert artifact["reference"].startswith("blob://sha256/")
    assert [attempt["state"] for attempt in shown["attempts"]] == ["succeeded"]
    assert Path(project, shown["task"]["notebook"]).is_file()
    out = ask("show", "latest", "first").out
    assert "doubled  6" in out
    assert "numbers" in out
    assert ".ipynb" in out


def test_an_unknown_task_names_the_nearest(ask):
    said = ask("show", "latest", "frist")
    assert said.code == 2
    assert "hint: did you mean 'first'?" in said.err


def test_logs_are_what_was_printed(ask):
    assert "doubling 3" in ask("logs").out
    assert "doubling 3" in ask("logs", "latest", "first").out
    assert "doubling 3" not in ask("logs", "latest", "second").out
    body = ask("logs", "latest", "first", "--json").json
    assert body["task"] == "first"
    assert any("doubling 3" in line for line in body["lines"])
    assert ask("logs", "--json", "-f").json["error"]["code"] == "invalid_input"


def test_logs_that_are_followed_end_with_the_run(ask):
    assert "doubling 3" in ask("logs", "latest", "-f").out


def test_a_run_that_is_over_cannot_be_cancelled_or_stays_as_it_is(ask):
    said = ask("cancel", "latest")
    assert said.code in (0, 2)
    assert ask("runs", "--json").json["runs"][0]["state"] == "succeeded"


def test_a_run_is_cancelled_from_another_terminal(tell, tmp_path, spawn, finish, write_notebook, wait_for):
    (tmp_path / "mlops.toml").write_text("")
    (tmp_path / "pipeline.yaml").write_text("name: slow\ntasks:\n  sleep: {notebook: sleep.ipynb}\n")
    write_notebook(tmp_path / "sleep.ipynb", "open('started', 'w').close()\nimport time\ntime.sleep(60)")
    process = spawn("run", cwd=tmp_path)
    wait_for(tmp_path / "started", process)
    assert tell("cancel", "latest").code == 0
    said = finish(process, timeout=30)
    assert said.code == 130, said
    assert tell("runs", "--json").json["runs"][0]["state"] == "cancelled"
