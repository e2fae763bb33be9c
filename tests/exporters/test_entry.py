"""One task at a time by the command line: the same as a run of the whole."""

from __future__ import annotations

import json

import pytest

GRAPHS = {
    "chain": ["a: {}", "b: {needs: [a]}", "c: {needs: [b]}"],
    "diamond": ["a: {}", "b: {needs: [a]}", "c: {needs: [a]}", "d: {needs: [b, c]}"],
    "condition": [
        "a: {}",
        "b: {when: tasks.a.results.value > 0}",
        "c: {when: tasks.a.results.value <= 0}",
        "d: {needs: [c]}",
    ],
    "run_if": [
        "a: {}",
        "b: {needs: [a]}",
        "c: {needs: [b], run_if: all_done}",
        "d: {needs: [b], run_if: at_least_one_failed}",
    ],
    "nested": [
        "a: {}",
        "b: {needs: [a], when: tasks.a.results.value > 5}",
        "c: {needs: [b]}",
        "d: {needs: [b, a], run_if: none_failed}",
    ],
    "join": [
        "a: {}",
        "b: {matrix: {x: [1, 2]}, needs: [a]}",
        "c: {parameters: {given: '${tasks.b.results.value}'}}",
    ],
    "mapped": [
        "a: {}",
        "b: {map: '${tasks.a.results.items}', when: '${item} != 2'}",
        "c: {parameters: {given: '${tasks.b.results.value}'}}",
    ],
}
NOTEBOOK = (
    "given: object = None\nfails: str = ''\nme: str = ''",
    'mlops.result("value", 1)\nmlops.result("items", [1, 2, 3])\nassert me != fails, "as asked"',
)


@pytest.mark.parametrize("fails", ["", *(pytest.param(name, marks=pytest.mark.slow) for name in "ab")])
@pytest.mark.parametrize(
    "graph",
    [
        name if name in ("diamond", "condition", "mapped") else pytest.param(name, marks=pytest.mark.slow)
        for name in GRAPHS
    ],
)
def test_every_graph_ends_as_in_a_run(graph, fails, tmp_path, write_project, say, outcome_of):
    """Graphs × (succeed, fail early, fail late); conditions skip within them."""
    lines = []
    for line in GRAPHS[graph]:
        name, _, rest = line.partition(": ")
        rest = rest.removeprefix("{").removesuffix("}")
        own = "me: " + name + ", fails: '${params.fails}'"
        rest = (
            rest.replace("parameters: {", f"parameters: {{{own}, ")
            if "parameters" in rest
            else ", ".join(filter(None, [rest, f"parameters: {{{own}}}"]))
        )
        lines.append(f"  {name}: {{notebook: task.ipynb, {rest}}}")
    text = "name: graph\nparameters: {fails: ''}\ntasks:\n" + "\n".join(lines) + "\n"
    whole = write_project(tmp_path / "whole", text, {"task": NOTEBOOK})
    parts = write_project(tmp_path / "parts", text, {"task": NOTEBOOK})
    say("run", whole, "-p", "fails", fails)
    expected = outcome_of(whole.parent)
    keys = [key for key in expected if key != "run" and not (graph == "mapped" and key.startswith("b"))]
    if graph == "mapped":
        keys.insert(1, "b")
    given = ["--run-id", "r", "--arguments", json.dumps({"fails": fails}), "--settled", "--json"]
    for key in keys:
        if graph == "mapped" and key == "b":
            listed = say("task", parts, "b", *given, "--list")
            for instance in listed.json if listed.code == 0 else []:
                say("task", parts, instance, *given)
        else:
            said = say("task", parts, key, *given)
            assert said.json["state"] == expected[key][0], said
            good = expected[key][0] in ("succeeded", "skipped")
            assert said.code == (0 if good else 1)
    found = outcome_of(parts.parent, "r")
    assert found == expected


@pytest.mark.slow
def test_task_by_task_both_ways(scores, say, ours, outcome_of):
    for number, (answer, expected) in enumerate(zip([{"bonus_a": 0.5}, {}], ours, strict=True)):
        words = ["--run-id", f"run-{number}", "--json", "--arguments", json.dumps(answer)]
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
