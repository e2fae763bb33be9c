"""One task at a time by the command line: the same as a run of the whole."""

from __future__ import annotations

import json

import pytest

from jupyter_mlops.errors import Conflict
from jupyter_mlops.workspace import Workspace


@pytest.mark.slow
def test_task_by_task_both_ways(scores, say, ours, outcome_of):
    for number, (answer, expected) in enumerate(zip([{"bonus_a": 0.5}, {}], ours, strict=True)):
        words = ["--run-id", f"run-{number}", "--json", "--force", "--arguments", json.dumps(answer)]
        for key in ("pull", "train[model=a]", "train[model=b]", "compare", "deploy_a", "deploy_b", "alarm"):
            said = say("task", scores, key, *words)
            assert said.code == 0, said
        for key in say("task", scores, "region", *words, "--list").json:
            assert say("task", scores, key, *words).code == 0
        assert say("task", scores, "summary", *words).json["results"]["total"] == 9
        assert outcome_of(scores.parent, f"run-{number}") == expected


def test_outputs_are_plain_files(scores, say, tmp_path):
    out = tmp_path / "out"
    assert say("task", scores, "pull", "--run-id", "r", "-o", out).code == 0
    assert (out / "state").read_text() == "succeeded"
    assert (out / "results" / "regions").read_text() == '["north", "south", "west"]'
    assert (out / "artifacts" / "rows").read_text().startswith("blob://sha256/")
    assert json.loads((out / "outcome.json").read_text())["attempt"] == 1


def test_too_early_is_told(scores, say):
    said = say("task", scores, "compare", "--run-id", "r", "--json")
    assert said.code == 2
    assert "train[model=a], train[model=b], which has not ended in run r" in said.json["error"]["message"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["compere"], "no task 'compere'"),
        (["region"], "which has not ended"),
        (["pull", "--list"], "not mapped"),
        (["pull", "--arguments", "{"], "no JSON"),
        (["pull", "--arguments", "[1]"], "not a JSON object"),
        (["pull", "-p", "weak", "1"], "no parameter 'weak'"),
    ],
)
def test_wrong_input_is_one_message(words, message, scores, say):
    said = say("task", scores, *words, "--run-id", "r")
    assert said.code == 2
    assert message in said.err
    assert "Traceback" not in said.err


def test_a_mapped_task_runs_as_its_instances(scores, say):
    assert say("task", scores, "pull", "--run-id", "r").code == 0
    said = say("task", scores, "region", "--run-id", "r")
    assert said.code == 2
    assert "it runs as its instances" in said.err
    assert say("task", scores, "region[7]", "--run-id", "r").code == 2
    assert say("task", scores, "region[1]", "--run-id", "r", "--skip-code", 99).code == 99


def test_an_attempt_that_ended_is_not_run_twice(tmp_path, write_project, say):
    text = "name: once\ntasks:\n  a: {notebook: a.ipynb}\n"
    path = write_project(
        tmp_path / "p", text, {"a": ("x: int = 1", "open('ran', 'a').write('x')\nmlops.result('x', x)")}
    )
    words = ["task", path, "a", "--run-id", "r", "--json"]
    assert say(*words, "--attempt", 1).json["results"] == {"x": 1}
    assert say(*words, "--attempt", 1).json["results"] == {"x": 1}
    assert (path.parent / "ran").read_text() == "x"
    assert say(*words).json["attempt"] == 2
    assert (path.parent / "ran").read_text() == "xx"


def test_retries_of_some_errors_only(tmp_path, write_project, say):
    text = "name: some\ntasks:\n  a: {notebook: a.ipynb, retries: {limit: 3, on: [ConnectionError]}}\n"
    code = "open('ran', 'a').write('x')\nraise ValueError('no')"
    path = write_project(tmp_path / "p", text, {"a": ("x: int = 1", code)})
    for _ in range(2):
        said = say("task", path, "a", "--run-id", "r", "--json")
        assert (said.code, said.json["state"], said.json["error"]["ename"]) == (1, "failed", "ValueError")
    assert (path.parent / "ran").read_text() == "x"


def test_ids_of_other_orchestrators_are_made_safe(scores, say):
    one = say("task", scores, "pull", "--run-id", "../manual__2026-01-01T00:00:00+00:00", "--json").json[
        "run_id"
    ]
    other = say("task", scores, "pull", "--run-id", "../manual__2026-01-01T00:00:00-00:00", "--json").json[
        "run_id"
    ]
    assert one != other
    assert "/" not in one + other
    assert ":" not in one + other


def test_without_a_catalog_the_task_runs_all_the_same(scores, say, monkeypatch):
    monkeypatch.setenv("MLOPS_CATALOG", "postgresql://nobody@127.0.0.1:1/nothing")
    said = say("task", scores, "pull", "--run-id", "r", "--json")
    assert said.code == 0, said
    assert say("task", scores, "train[model=a]", "--run-id", "r", "--json").json["results"] == {"score": 0.41}


def test_what_left_no_outcome_has_failed_once_all_is_settled(tmp_path, write_project, say):
    """A machine that was lost leaves nothing; what runs after failures runs all the same."""
    text = (
        "name: lost\ntasks:\n  a: {notebook: t.ipynb}\n  b: {notebook: t.ipynb, needs: [a], run_if: all_done}\n"
        "  c: {notebook: t.ipynb, needs: [a]}\n"
    )
    path = write_project(tmp_path / "p", text, {"t": ("x: int = 1", "mlops.result('x', x)")})
    words = ["--run-id", "r", "--json"]
    assert say("task", path, "b", *words).code == 2
    assert say("task", path, "b", *words, "--settled").json["state"] == "succeeded"
    said = say("task", path, "c", *words, "--settled")
    assert (said.code, said.json["state"], said.json["reason"]) == (1, "upstream_failed", "a failed")


def test_a_run_of_others_is_not_ours_to_resume(scores, say, outcome_of):
    assert say("task", scores, "pull", "--run-id", "r").code == 0
    with Workspace.open(scores.parent) as workspace:
        with pytest.raises(Conflict, match="driven by another orchestrator"):
            workspace.runs.resume("r")
        assert workspace.runs.cancel("r").state == "cancelled"
    states = {task: state for task, (state, _) in outcome_of(scores.parent, "r").items()}
    assert (states["run"], states["pull"], states["compare"]) == ("cancelled", "succeeded", "cancelled")
    said = say("task", scores, "train[model=a]", "--run-id", "r", "--json")
    assert said.code == 130
    assert "was cancelled" in said.json["error"]["message"]
    assert outcome_of(scores.parent, "r")["run"] == ("cancelled", None)


ADDS = """\
name: adds
tasks:
  a: {notebook: a.ipynb}
  b: {notebook: b.ipynb, parameters: {x: "${tasks.a.results.x}"}}
"""


def test_what_an_earlier_run_did_is_taken(tmp_path, write_project, say, outcome_of):
    """Theirs from ours and ours from theirs; a further attempt in the same run runs."""
    ran = "open('ran', 'a').write('x')\nmlops.result('x', x + 1)"
    path = write_project(tmp_path / "p", ADDS, dict.fromkeys("ab", ("x: int = 1", ran)))

    def task(key, run_id, *words):
        said = say("task", path, key, "--run-id", run_id, "--json", *words)
        assert said.code == 0, said
        return said.json

    assert [task(key, "one")["state"] for key in "ab"] == ["succeeded", "succeeded"]
    for key in "ab":
        told = task(key, "two")
        assert (told["state"], told["source_run_id"], told["reason"]) == ("cached", "one", "done in run one")
        assert task(key, "two", "--attempt", 1)["state"] == "cached"
    assert told["results"] == {"x": 3}
    assert outcome_of(path.parent, "two") == {
        "run": ("succeeded", None), "a": ("cached", {"x": 2}), "b": ("cached", {"x": 3}),
    }  # fmt: skip
    assert say("run", path).code == 0
    assert outcome_of(path.parent)["b"] == ("cached", {"x": 3})
    assert (path.parent / "ran").read_text() == "xx"
    assert task("a", "two")["state"] == "succeeded"
    assert task("a", "three", "--force")["state"] == "succeeded"
    assert (path.parent / "ran").read_text() == "xxxx"
    write_project(path.parent, ADDS, {"a": ("x: int = 1", ran + "\nother = 1")})
    assert task("a", "four")["state"] == "succeeded"
