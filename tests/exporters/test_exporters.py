"""What is written, as text: golden files, the targets' own rules, and what cannot be said."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
import yamllint.config
import yamllint.linter

from jupyter_mlops.exporters import FEATURES, TARGETS, ExportOptions, NotExpressible
from jupyter_mlops.exporters.docs import markdown_table
from jupyter_mlops.pipelines import lower, parse_pipeline

YAMLLINT = yamllint.config.YamlLintConfig("{extends: default, rules: {line-length: {max: 120}}}")
GOLDEN = Path(__file__).parent / "golden"
NAMES = sorted(TARGETS.names())
OPTIONS = ExportOptions(
    project="/project", image="registry/scores:1", schedule="0 6 * * 1", timezone="Europe/Zurich",
    description="Two models",
)  # fmt: skip


def export(name: str, text: str, options: ExportOptions = OPTIONS, arguments=None):
    return TARGETS.get(name).export(lower(parse_pipeline(text), arguments or {}), options)


def one(**task: object) -> str:
    return yaml.safe_dump(
        {"name": "one", "tasks": {"a": {"notebook": "a.ipynb"}, "b": {"notebook": "b.ipynb", **task}}}
    )


@pytest.mark.parametrize("name", NAMES)
def test_golden(name, scores):
    """Write them again with GOLDEN=1."""
    exported = export(name, scores.read_text())
    for path, text in exported.files.items():
        golden = GOLDEN / name / f"{path}.txt"
        if os.environ.get("GOLDEN"):
            golden.parent.mkdir(parents=True, exist_ok=True)
            golden.write_text(text)
        assert text == golden.read_text()
    assert exported == export(name, scores.read_text())


ODD = """
name: Odd_Name-x
parameters:
  cities: {type: list, default: [a, "b's"]}
  options: {type: dict, default: {k: [1, 2.5, true], 'x"': '"'}}
  day: {type: date, default: 2024-01-02}
  flag: true
tasks:
  one:
    notebook: one.ipynb
    map: ${params.cities}
    parameters: {city: "${item}", o: "${params.options}", d: "${params.day}", f: "${params.flag}"}
    retries: {limit: 3, delay: 90s, backoff: 3}
    resources: {gpu: 1, accelerator: a100}
    secrets: {TOKEN: secret:API_TOKEN}
  two:
    notebook: one.ipynb
    run_if: none_failed
    parameters: {city: "${tasks.one.state}"}
"""


@pytest.mark.parametrize("is_odd", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_what_is_written_is_formatted(name, is_odd, scores, tmp_path):
    for path, text in export(name, ODD if is_odd else scores.read_text()).files.items():
        target = tmp_path / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
        if path.endswith(".py"):
            ruff = [sys.executable, "-m", "ruff"]
            length = ["--line-length", "110", "--isolated"]
            done = subprocess.run(
                [*ruff, "check", "--select", "E,F,I,W,UP,C4", *length, target], capture_output=True
            )
            assert done.returncode == 0, done.stdout.decode()
            done = subprocess.run([*ruff, "format", "--diff", *length, target], capture_output=True)
            assert done.returncode == 0, done.stdout.decode()
        else:
            wrong = [str(problem) for problem in yamllint.linter.run(text, YAMLLINT)]
            assert not wrong, wrong


def test_every_target_says_how_it_holds_every_feature():
    for name in NAMES:
        assert set(TARGETS.get(name).capabilities) == set(FEATURES), name


def test_the_table_in_the_docs_is_fresh():
    text = (Path(__file__).parents[2] / "docs" / "export.md").read_text(encoding="utf-8")
    assert markdown_table() in text, "write it again, as its comment says"


@pytest.mark.parametrize("name", NAMES)
def test_no_text_of_a_pipeline_becomes_code(name):
    """Quotes, backslashes, line ends and braces, wherever a pipeline can have them."""
    evil = "a\"\"\"b'''\\ {x} {{y}} ${z}\n#\r\t'; import os; os.abort() #"
    text = yaml.safe_dump(
        {
            "name": "evil",
            "parameters": {"p": {"type": "str", "default": evil.replace("${", "$${")}},
            "tasks": {"a": {"notebook": "a.ipynb", "description": evil, "parameters": {"x": "${params.p}"}}},
        }
    )
    exported = export(name, text, ExportOptions(project=evil, image="i", description=evil))
    for path, written in exported.files.items():
        if path.endswith(".py"):
            tree = ast.parse(written)
            calls = {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
            assert "os.abort" not in calls
            imported = {a.name for node in tree.body if isinstance(node, ast.Import) for a in node.names}
            assert imported <= {"json", "os", "shlex", "subprocess"}
        else:
            list(yaml.safe_load_all(written))


@pytest.mark.parametrize("name", ["argo", "kubeflow"])
def test_containers_need_an_image(name):
    with pytest.raises(NotExpressible) as caught:
        export(name, one(), ExportOptions())
    assert "--image" in caught.value.hint
    assert caught.value.code == "not_expressible"


def test_metaflow_has_nothing_after_a_failure():
    with pytest.raises(NotExpressible, match="run_if all_done"):
        export("metaflow", one(needs=["a"], run_if="all_done"))


@pytest.mark.parametrize("name", NAMES)
def test_a_value_that_no_target_holds_is_refused(name):
    from jupyter_mlops.pipelines import Pipeline, PipelineParameter, Task

    pipeline = Pipeline(
        "p", (Task("a", "a.ipynb", parameters={"x": "${params.x}"}),), parameters={"x": PipelineParameter()}
    )
    with pytest.raises(NotExpressible, match="'x'"):
        TARGETS.get(name).export(lower(pipeline, {"x": {1, 2}}), OPTIONS)


@pytest.mark.parametrize("name", NAMES)
def test_names_that_meet_are_kept_apart(name):
    text = yaml.safe_dump(
        {
            "name": "p",
            "tasks": {n: {"notebook": "a.ipynb"} for n in ("run", "import", "a-b", "a_b", "end", "self")},
        }
    )
    for path, written in export(name, text).files.items():
        if path.endswith(".py"):
            ast.parse(written)
        else:
            for document in yaml.safe_load_all(written):
                names = (
                    [each["name"] for each in document["spec"].get("templates", ())]
                    if "spec" in document
                    else []
                )
                assert len(names) == len(set(names))


def test_what_holds_otherwise_is_told(say, scores, tmp_path):
    said = say("export", scores, "--to", "argo", "-o", tmp_path / "out", "--image", "i:1")
    assert said.code == 0
    assert "priority: compare" in said.err
    strict = say("export", scores, "--to", "argo", "-o", tmp_path / "strict", "--image", "i:1", "--strict")
    assert strict.code == 2
    assert not (tmp_path / "strict").exists()


def test_files_that_somebody_changed_are_kept(say, scores, tmp_path):
    words = ["export", scores, "--to", "airflow", "-o", tmp_path / "out"]
    assert say(*words).code == 0
    assert say(*words).code == 0
    file = tmp_path / "out" / "dags" / "scores.py"
    file.write_text("mine")
    said = say(*words)
    assert (said.code, file.read_text()) == (2, "mine")
    assert say(*words, "--force").code == 0
    assert file.read_text() != "mine"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--to", "airflo"], "did you mean 'airflow'"),
        (["--to", "airflow", "--schedule", "weekly"], "five fields"),
        (["--to", "airflow", "--timezone", "Mars"], "no time zone 'Mars'"),
        (["--to", "airflow", "-p", "weak", "2"], "no parameter 'weak'"),
    ],
)
def test_wrong_input_is_one_message(words, message, say, scores, tmp_path):
    said = say("export", scores, "-o", tmp_path / "out", *words)
    assert said.code == 2
    assert message in said.err
    assert not (tmp_path / "out").exists()


def test_the_pipeline_s_own_schedule_is_carried_over(say, scores, tmp_path):
    more = "schedules:\n  weekly: {cron: '0 6 * * 1', timezone: Europe/Zurich, overlap: queue}\n"
    scores.write_text(scores.read_text() + more)
    said = say("export", scores, "--to", "airflow", "-o", tmp_path / "out")
    assert said.code == 0, said
    assert "schedule weekly: not carried over: overlap" in said.err
    text = (tmp_path / "out" / "dags" / "scores.py").read_text()
    assert 'CronTriggerTimetable("0 6 * * 1", timezone="Europe/Zurich")' in text
    scores.write_text(scores.read_text() + "  daily: {cron: '0 7 * * *'}\n")
    said = say("export", scores, "--to", "airflow", "-o", tmp_path / "out")
    assert said.code == 2
    assert "several schedules: weekly, daily" in said.err
