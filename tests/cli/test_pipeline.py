"""check, graph, status; freeze, unfreeze and clean."""

from __future__ import annotations

import os
import xml.etree.ElementTree as ElementTree

import pytest

BROKEN = """\
name: broken
tasks:
  pull: {notebook: pull.ipynb}
  train:
    notebook: train.ipynb
    needs: pul
    retrys: 3
"""


@pytest.fixture
def ask(project, say, monkeypatch):
    """Give command lines in the project that ran."""
    monkeypatch.chdir(project)
    return say


# --- check ----------------------------------------------------------------------------------------------


def test_a_good_pipeline_passes(ask):
    said = ask("check")
    assert said.code == 0
    assert said.out == "✔ pipeline.yaml: nothing stands against running it\n"
    assert ask("check", "--json").json == {"is_good": True, "problems": []}


def test_all_problems_are_told_at_once(tell, tmp_path):
    (tmp_path / "pipeline.yaml").write_text(BROKEN)
    said = tell("check")
    assert said.code == 2
    text = said.out + said.err
    assert "'pull'" in text
    assert "retries" in text
    assert "pipeline.yaml:" in text
    assert "Traceback" not in text


def test_problems_in_notebooks_have_their_place(tell, tmp_path, write_notebook):
    (tmp_path / "pipeline.yaml").write_text(
        "name: p\ntasks:\n  a: {notebook: a.ipynb, parameters: {wek: 1}}\n"
    )
    write_notebook(tmp_path / "a.ipynb", "print(undefined_name)", parameters="week: int = 1")
    said = tell("check")
    assert said.code == 2
    assert "undefined_name" in said.out
    assert "a.ipynb" in said.out
    assert "wek" in said.out
    body = tell("check", "--json").json
    assert body["is_good"] is False
    assert all(set(problem) == {"message", "where", "hint", "severity"} for problem in body["problems"])


def test_a_missing_pipeline_is_one_clear_error(tell):
    said = tell("check")
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith("error: there is no pipeline.yaml in this directory\nhint: ")


# --- graph ----------------------------------------------------------------------------------------------


def test_a_pipeline_is_drawn_in_the_terminal(ask):
    out = ask("graph").out
    assert "│ first │" in out
    assert "╭" in out
    assert all(len(line) <= 80 for line in out.splitlines())


def test_a_run_is_drawn_with_its_states(ask):
    out = ask("graph", "--run", "latest").out
    assert "✔ first" in out
    assert "– never" in out


def test_a_graph_as_mermaid_and_json(ask):
    assert ask("graph", "--format", "mermaid").out.startswith("flowchart LR\n")
    body = ask("graph", "--json").json
    assert [node["key"] for node in body["nodes"]] == ["first", "second", "never"]
    assert sorted(body["edges"]) == [["first", "never"], ["first", "second"]]


def test_a_graph_goes_into_a_file_by_its_ending(ask, tmp_path):
    target = tmp_path / "run.svg"
    said = ask("graph", "--run", "latest", "-o", target)
    assert said.out == ""
    root = ElementTree.fromstring(target.read_text())
    assert "2 succeeded, 1 skipped" in root.get("aria-label")


def test_a_graph_needs_no_arguments(tell, tmp_path):
    (tmp_path / "pipeline.yaml").write_text(
        "name: p\nparameters:\n  week: {type: int}\ntasks:\n"
        "  train: {notebook: a.ipynb, matrix: {model: [a, b]}, parameters: {week: '${params.week}'}}\n"
    )
    assert "for each model in a, b" in tell("graph").out


# --- status, freeze, clean ------------------------------------------------------------------------------


def test_status_tells_what_would_run_and_why(tell, tmp_path, write_project, write_notebook):
    write_project(tmp_path)
    assert {task["state"] for task in tell("status", "--json").json["tasks"]} <= {"new", "unknown"}
    tell("run", "--json")
    tasks = {task["task"]: task for task in tell("status", "--json").json["tasks"]}
    assert tasks["first"]["state"] == tasks["second"]["state"] == "fresh"
    assert set(tasks["first"]) == {"task", "state", "reasons", "run_id", "at"}
    write_notebook(
        tmp_path / "second.ipynb",
        'import jupyter_mlops as mlops\nmlops.result("squared", value**3)',
        parameters="value: int = 0",
    )
    tasks = {task["task"]: task for task in tell("status", "--json").json["tasks"]}
    assert (tasks["first"]["state"], tasks["second"]["state"]) == ("fresh", "stale")
    said = tell("status", "--why")
    assert "second.ipynb" in said.out
    assert "↻ stale" in said.out
    assert "✔ fresh" in tell("status").out


def test_a_frozen_task_stands_whatever_changes(tell, tmp_path, write_project, write_notebook):
    write_project(tmp_path)
    tell("run", "--json")
    assert tell("freeze", "first").out == "first is frozen: its last results stand\n"
    broken = 'raise SystemError\nimport jupyter_mlops as mlops\nmlops.result("doubled", 1)'
    write_notebook(tmp_path / "first.ipynb", broken, parameters="base: int = 1")
    tasks = {task["task"]: task["state"] for task in tell("run", "--json").json["tasks"]}
    assert tasks["first"] == "cached"
    assert tell("unfreeze", "first", "--json").json == {"task": "first", "is_frozen": False}
    tasks = {task["task"]: task["state"] for task in tell("run", "--json").json["tasks"]}
    assert tasks["first"] == "failed"


def test_an_unknown_task_cannot_be_frozen(tell, tmp_path, write_project):
    write_project(tmp_path)
    said = tell("freeze", "frist")
    assert said.code == 2
    assert "'first'" in said.err


def test_clean_tells_what_would_go_and_lets_it_go(tell, tmp_path, write_project):
    write_project(tmp_path)
    for base in "123":
        assert tell("run", "--json", "-p", "base", base).code == 0
    options = ("clean", "--older-than", "0", "--keep", "1")
    would = tell(*options, "--dry-run", "--json").json
    assert (would["runs"], would["is_dry_run"]) == (2, True)
    assert len(tell("runs", "--json").json["runs"]) == 3
    assert tell(*options).out.startswith("deleted 2 runs and ")
    assert len(tell("runs", "--json").json["runs"]) == 1


def test_clean_takes_what_the_feature_store_has_no_record_of(tell, tmp_path, write_project):
    write_project(tmp_path)
    lost = tmp_path / ".mlops" / "features" / "0f" / "lost.parquet"
    lost.parent.mkdir(parents=True)
    lost.write_bytes(b"half of a fi")
    assert tell("clean", "--json").json["feature_files"] == 0, "it is young: somebody may be writing it"
    os.utime(lost, (1, 1))
    would = tell("clean", "--dry-run", "--json").json
    assert (would["feature_files"], would["feature_bytes"]) == (1, 12)
    assert lost.exists()
    assert tell("clean").out.splitlines()[1] == "deleted 1 file of the feature store (12 B)"
    assert not lost.exists()


@pytest.mark.parametrize("days", ["-1", "nan", "inf"])
def test_clean_refuses_nonsense(tell, days):
    assert tell("clean", "--older-than", days).code == 2
