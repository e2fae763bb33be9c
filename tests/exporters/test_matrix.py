"""Graphs × behaviors × targets: what a target makes of a pipeline ends as our own run of it does.

Those that can be had in this process, a shell and the interpreter of Argo's workflows, run all of it with real
notebooks; the other engines run one pipeline with all of these graphs in `test_engines`.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml

from jupyter_mlops.exporters import TARGETS, ExportOptions, NotExpressible
from jupyter_mlops.pipelines import lower, parse_pipeline

from .argo_workflow import Workflow

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
    "given: object = None\nme: str = ''\nbehavior: str = ''",
    'mlops.result("value", 1)\nmlops.result("items", [1, 2, 3])\n'
    "import os, pathlib\n"
    'mark = pathlib.Path(os.environ["MLOPS_TASK"] + ".mark")\n'
    "is_second = mark.exists()\nmark.touch()\n"
    'assert me != "b" or behavior != "fail", "as asked"\n'
    'assert me != "b" or behavior != "retry" or is_second, "not yet"',
)
BEHAVIORS = ("succeed", "fail", "retry", "skip")


def pipeline(behavior: str, *graphs: str) -> str:
    """The graphs side by side, their tasks named ``chain_a``, …; what a behavior means, it means for each ``b``."""
    tasks = {}
    for graph in graphs or GRAPHS:
        for line in GRAPHS[graph]:
            name, _, rest = line.partition(": ")
            rest = re.sub(r"tasks\.(\w)\b", rf"tasks.{graph}_\1", rest)
            task = {"notebook": "task.ipynb", **(yaml.safe_load(rest) or {})}
            task["parameters"] = {"me": name, "behavior": "${params.behavior}", **task.get("parameters", {})}
            task["needs"] = [f"{graph}_{need}" for need in task.get("needs", [])]
            if name == "b" and behavior == "skip":
                task["when"] = "1 > 2"
            if name == "b" and behavior == "retry":
                task["retries"] = {"limit": 1, "delay": "0s"}
            tasks[f"{graph}_{name}"] = task
    return yaml.safe_dump(
        {"name": "matrix", "parameters": {"behavior": behavior}, "tasks": tasks}, sort_keys=False
    )


@pytest.mark.parametrize(
    "behavior",
    ["skip", *(pytest.param(each, marks=pytest.mark.slow) for each in BEHAVIORS if each != "skip")],
)
def test_every_graph_ends_as_in_a_run(behavior, tmp_path, write_project, say, outcome_of, monkeypatch):
    text = pipeline(behavior)
    whole = write_project(tmp_path / "whole", text, {"task": NOTEBOOK})
    say("run", whole)
    expected = outcome_of(whole.parent)
    parts = write_project(tmp_path / "shell", text, {"task": NOTEBOOK})
    _shell(parts, text, behavior, say)
    assert outcome_of(parts.parent, "r") == expected
    sent = write_project(tmp_path / "argo", text, {"task": NOTEBOOK})
    monkeypatch.chdir(sent.parent)
    exported = TARGETS.get("argo").export(
        lower(parse_pipeline(text), {}), ExportOptions(project=str(sent.parent), image="i:1")
    )
    template = next(yaml.safe_load_all(exported.files["matrix.yaml"]))
    workflow = Workflow(
        template["spec"], sent.parent, tmp_path / "pods", {}, start=lambda words, _: say(*words[1:]).code
    )
    workflow.run()
    assert outcome_of(sent.parent) == expected


def _shell(path: Path, text: str, behavior: str, say) -> None:
    """Every task in the order of the plan, each when all before it has ended; one that fails is tried again."""
    given = ["--run-id", "r", "--settled", "--json"]
    for key, task in lower(parse_pipeline(text), {}).tasks.items():
        keys = [key]
        if task.map is not None:
            listed = say("task", path, key, *given, "--list")
            keys = listed.json if listed.code == 0 else []
        for each in keys:
            for _ in range(1 + task.retries.limit):
                if say("task", path, each, *given).code == 0:
                    break


GAPS = {("metaflow", "run_if"): "a failure ends the flow"}


@pytest.mark.parametrize(
    ("target", "graph"),
    [
        pytest.param(
            target, graph,
            marks=[pytest.mark.xfail(raises=NotExpressible, strict=True, reason=GAPS[target, graph])]
            if (target, graph) in GAPS
            else [],
        )
        for target in sorted(TARGETS.names())
        for graph in GRAPHS
    ],
)  # fmt: skip
def test_every_graph_can_be_said(target, graph):
    """A gap that is closed fails here, so that the mark goes."""
    for behavior in BEHAVIORS:
        plan = lower(parse_pipeline(pipeline(behavior, graph)), {})
        exported = TARGETS.get(target).export(plan, ExportOptions(image="i:1"))
        assert all(json.dumps(text) for text in exported.files.values())
