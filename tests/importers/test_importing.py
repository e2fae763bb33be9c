"""The command: where things go, and what is not overwritten."""

from __future__ import annotations

import json

import pytest


@pytest.fixture
def definition(tmp_path, write_notebook):
    write_notebook(tmp_path / "from" / "a.ipynb", ("x = 1",))
    path = tmp_path / "from" / "d.json"
    path.write_text(json.dumps({"name": "a", "input_filename": "a.ipynb"}))
    return path


def test_beside_the_original(definition, say):
    said = say("import", definition, "--json")
    assert said.code == 0, said
    assert said.json == {
        "pipeline": str(definition.parent / "pipeline.yaml"),
        "files": [str(definition.parent / "pipeline.yaml")],
        "lost": [],
    }


def test_elsewhere_with_what_it_needs(definition, say, tmp_path):
    assert say("import", definition, "-o", tmp_path / "to").code == 0
    assert {path.name for path in (tmp_path / "to").iterdir()} == {"pipeline.yaml", "a.ipynb"}
    assert say("check", tmp_path / "to").code == 0


def test_nothing_is_overwritten_unasked(definition, say):
    mine = definition.parent / "pipeline.yaml"
    mine.write_text("mine")
    said = say("import", definition)
    assert (said.code, mine.read_text()) == (2, "mine")
    assert "--force" in said.err
    assert say("import", definition, "--force").code == 0


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("x.yaml", "tasks: {a: {notebook: a.ipynb}}", "pipeline of ours already"),
        ("x.yaml", "a: 1", "of no tool that is known here"),
        ("x.toml", "a = 1", "of no tool that is known here"),
    ],
)
def test_what_is_not_known(name, text, message, say, tmp_path):
    (tmp_path / name).write_text(text)
    said = say("import", tmp_path / name)
    assert said.code == 2
    assert message in said.err


def test_no_file_and_no_tool(say, tmp_path):
    assert say("import", tmp_path / "none.yaml").code == 2
    said = say("import", tmp_path / "none.yaml", "--from", "elira")
    assert "did you mean 'elyra'" in said.err


@pytest.mark.parametrize(
    "body",
    [
        {"doc_type": "pipeline", "primary_pipeline": "a", "pipelines": [{"id": "a", "nodes": [1]}]},
        {"doc_type": "pipeline", "primary_pipeline": "a", "pipelines": [{"id": "a", "nodes": 3}]},
        {"tasks": [{"source": 1, "product": 2}]},
        {"job_definitions": [{"input_filename": "a.ipynb", "parameters": "no JSON"}]},
        {"job_definitions": [{"input_filename": "a.ipynb", "parameters": [1]}]},
    ],
)
def test_what_no_tool_writes_is_an_error(body, say, tmp_path):
    (tmp_path / "x.json").write_text(json.dumps(body))
    said = say("import", tmp_path / "x.json")
    assert said.code == 2
    assert "bug" not in said.err
