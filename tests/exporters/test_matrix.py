"""Graphs × behaviors × targets: what a target makes of a pipeline ends as our own run of it does.

Those that can be had in this process, a shell and the interpreter of Argo's workflows, run all of it with real
notebooks. The other engines each run once what differs by engine (`test_engines`).
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from jupyter_mlops.exporters import TARGETS, ExportOptions
from jupyter_mlops.pipelines import lower, parse_pipeline

from .argo_workflow import Workflow
from .graphs import BEHAVIORS, GRAPHS, NOTEBOOK, pipeline


@pytest.mark.parametrize(
    "behavior",
    ["skip", *(pytest.param(each, marks=pytest.mark.slow) for each in BEHAVIORS if each != "skip")],
)
def test_every_graph_ends_as_in_a_run(behavior, tmp_path, write_project, say, outcome_of, monkeypatch):
    text = pipeline(*((graph, behavior) for graph in GRAPHS))
    whole = write_project(tmp_path / "whole", text, {"task": NOTEBOOK})
    say("run", whole)
    expected = outcome_of(whole.parent)
    parts = write_project(tmp_path / "shell", text, {"task": NOTEBOOK})
    _shell(parts, text, say)
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


def _shell(path: Path, text: str, say) -> None:
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


@pytest.mark.parametrize("target", sorted(TARGETS.names()))
@pytest.mark.parametrize("graph", GRAPHS)
def test_every_graph_can_be_said(target, graph):
    """No target refuses one."""
    for behavior in BEHAVIORS:
        plan = lower(parse_pipeline(pipeline((graph, behavior))), {})
        exported = TARGETS.get(target).export(plan, ExportOptions(image="i:1"))
        assert all(json.dumps(text) for text in exported.files.values())
