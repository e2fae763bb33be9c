"""What is written, as text: golden files, the targets' own rules, and what cannot be said."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import nbformat
import pytest
import yaml
import yamllint.config
import yamllint.linter

from jupyter_mlops.exporters import FEATURES, TARGETS, ExportOptions, NotExpressible
from jupyter_mlops.exporters.docs import markdown_table
from jupyter_mlops.exporters.making import make
from jupyter_mlops.pipelines import load_pipeline, lower, parse_pipeline
from jupyter_mlops.pipelines.schedules import ScheduleSpec
from jupyter_mlops.spot_nodes import TAINTS

YAMLLINT = yamllint.config.YamlLintConfig("{extends: default, rules: {line-length: {max: 120}}}")
GOLDEN = Path(__file__).parent / "golden"
NAMES = sorted(TARGETS.names())
OPTIONS = ExportOptions(
    project="/project", image="registry/scores:1", schedule=ScheduleSpec(cron="0 6 * * 1", timezone="Europe/Zurich"),
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


ENVIRONMENTS = """
name: environments
parameters: {week: 3}
tasks:
  pull: {notebook: pull.ipynb, parameters: {week: "${params.week}"}}
  train: {notebook: train.ipynb, needs: [pull], matrix: {model: [a, b]}, resources: {gpu: 1}}
  region: {notebook: train.ipynb, needs: [pull], map: [north, south], resources: {gpu: 1}}
  compare: {notebook: compare.ipynb, needs: [train, region]}
  tell: {notebook: compare.ipynb, needs: [compare], resources: {image: "ghcr.io/team/tell:2"}}
"""
ON_GPU = f"registry/train@sha256:{'ab' * 32}"
OF_ENVIRONMENTS = ExportOptions(
    project="/project", image="registry/pull:1", images={"train": ON_GPU, "region": ON_GPU}
)


@pytest.mark.parametrize("name", [name for name in NAMES if name != "prefect"])
def test_a_pipeline_of_two_environments(name):
    """Golden, too."""
    exported = export(name, ENVIRONMENTS, OF_ENVIRONMENTS)
    for path, text in exported.files.items():
        golden = GOLDEN / name / f"{path}.txt"
        if os.environ.get("GOLDEN"):
            golden.write_text(text)
        assert text == golden.read_text()
    notes = [note for note in exported.notes if note.startswith("image: ")]
    assert (f"image: train[model=a], train[model=b], region: {ON_GPU} is not" in "".join(notes)) == (
        name == "airflow"
    )
    assert ("steps with @kubernetes" in "".join(notes)) == (name == "metaflow")


def test_argo_starts_each_task_in_the_image_of_its_environment():
    (workflow,) = yaml.safe_load_all(export("argo", ENVIRONMENTS, OF_ENVIRONMENTS).files["environments.yaml"])
    images = {
        each["name"]: each["container"]["image"]
        for each in workflow["spec"]["templates"]
        if "container" in each
    }
    assert images == {
        "pull": "registry/pull:1", "train-model-a": ON_GPU, "train-model-b": ON_GPU, "region-instances": ON_GPU,
        "region": ON_GPU, "compare": "registry/pull:1", "tell": "ghcr.io/team/tell:2",
    }  # fmt: skip


def test_a_flow_of_prefect_s_has_one_image():
    with pytest.raises(NotExpressible, match=r"image for each environment.*: train, region") as caught:
        export("prefect", ENVIRONMENTS, OF_ENVIRONMENTS)
    assert "--image IMAGE" in caught.value.hint


@pytest.mark.parametrize("name", ["argo", "kubeflow"])
def test_a_task_without_an_image_is_named(name):
    with pytest.raises(NotExpressible, match=r"without a container image: pull, compare") as caught:
        export(name, ENVIRONMENTS, replace(OF_ENVIRONMENTS, image=""))
    assert "ENVIRONMENT=IMAGE" in caught.value.hint


@pytest.mark.parametrize("name", ["kubeflow", "metaflow"])
def test_what_the_files_call_images_is_no_task_and_no_parameter(name):
    tasks = "name: p\ntasks: {IMAGES: {notebook: a.ipynb}, kubernetes: {notebook: b.ipynb}}"
    options = ExportOptions(image="i:1", images={"IMAGES": "i:2"})
    tree = ast.parse(export(name, tasks, options).files["p.py"])
    stored = [n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)]
    methods = {n.name for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)}
    assert stored.count("IMAGES") == 1
    assert not {"IMAGES", "kubernetes"} & methods
    with pytest.raises(NotExpressible, match="free name for the parameter 'IMAGES'"):
        export(name, f"{tasks}\nparameters: {{IMAGES: 1}}", options)


def test_metaflow_s_decorators_keep_their_names():
    tasks = {name: {"notebook": "a.ipynb", "retries": {"limit": 1}} for name in ("step", "retry", "timeout")}
    text = yaml.safe_dump({"name": "p", "parameters": {"timeout": 1}, "tasks": tasks})
    (written,) = export("metaflow", text).files.values()
    assert {f"def {name}_2(self):" in written for name in tasks} == {True}
    with pytest.raises(NotExpressible, match="free name for the parameter 'retry'"):
        export("metaflow", text.replace("{timeout: 1}", "{retry: 1}").replace("  timeout: 1", "  retry: 1"))


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


@pytest.mark.parametrize("which", ["scores", "odd", "wishes", "environments", "fired"])
@pytest.mark.parametrize("name", NAMES)
def test_what_is_written_is_formatted(name, which, scores, tmp_path):
    pipeline = {"odd": ODD, "wishes": WISHES, "environments": ENVIRONMENTS}.get(which) or scores.read_text()
    options = replace(OPTIONS, schedule=FULL) if which == "fired" else OPTIONS
    if which == "environments" and name != "prefect":
        options = OF_ENVIRONMENTS
    for path, text in export(name, pipeline, options).files.items():
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


WISHES = """
name: wishes
tasks:
  a: {notebook: a.ipynb}
  b: {notebook: b.ipynb, needs: a, resources: {spot: true, image: "ghcr.io/team/train:2"}}
  c: {notebook: b.ipynb, needs: a, map: [1, 2], resources: {image: "ghcr.io/team/map:1"}}
"""


def test_argo_starts_a_task_where_it_asks_to_be():
    (workflow,) = yaml.safe_load_all(
        export("argo", WISHES, ExportOptions(image="r/i:1")).files["wishes.yaml"]
    )
    templates = {each["name"]: each for each in workflow["spec"]["templates"]}
    images = {name: each["container"]["image"] for name, each in templates.items() if "container" in each}
    own = "ghcr.io/team/map:1"
    assert images == {"a": "r/i:1", "b": "ghcr.io/team/train:2", "c-instances": own, "c": own}
    assert [name for name, each in templates.items() if "tolerations" in each or "affinity" in each] == ["b"]
    taints = {(each["key"], each["value"]) for each in templates["b"]["tolerations"]}
    assert taints == set(TAINTS)


def test_kubeflow_starts_a_task_where_it_asks_to_be():
    text = export("kubeflow", WISHES, ExportOptions(image="r/i:1")).files["wishes.py"]
    assert '    b.set_container_image("ghcr.io/team/train:2")\n    may_be_taken_away(b)\n' in text
    assert text.count('.set_container_image("ghcr.io/team/map:1")') == 2  # of its list, too
    assert text.count("may_be_taken_away(") == 2  # as it is made, and used
    assert (
        "may_be_taken_away" not in export("kubeflow", WISHES.replace("spot: true, ", "")).files["wishes.py"]
    )


def test_a_task_that_asks_for_nothing_takes_what_its_notebook_asks_for(tmp_path):
    (tmp_path / "mlops.toml").touch()
    (tmp_path / "pipeline.yaml").write_text(WISHES)
    nb = nbformat.v4.new_notebook(metadata={"mlops": {"resources": {"image": "team/own:1", "cpu": 3}}})
    nbformat.write(nb, tmp_path / "a.ipynb")
    nbformat.write(nb, tmp_path / "b.ipynb")
    pipeline = load_pipeline(tmp_path / "pipeline.yaml")
    text = make(pipeline, TARGETS.get("argo"), {}, image="r/i:1").files["wishes.yaml"]
    templates = {each["name"]: each.get("container") for each in yaml.safe_load(text)["spec"]["templates"]}
    assert (templates["a"]["image"], templates["b"]["image"]) == ("team/own:1", "ghcr.io/team/train:2")
    assert templates["a"]["resources"] == {"requests": {"cpu": "3"}}
    assert "resources" not in templates["b"], "the two are not mixed"


@pytest.mark.parametrize("name", ["airflow", "prefect", "metaflow"])
def test_where_a_task_cannot_be_placed_a_note_says_so(name):
    notes = [note for note in export(name, WISHES).notes if note.startswith(("spot: ", "image: "))]
    assert any(note.startswith("spot: b: ") for note in notes)
    assert any(note.startswith("image: b, c: ") for note in notes)


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


@pytest.mark.parametrize("name", NAMES)
def test_names_that_steps_of_the_target_s_own_have_are_kept_apart(name):
    others = ("a_instances", "a_joined", "a-instances", "join_1", "split_1", "failed", "instances")
    tasks = {each: {"notebook": "a.ipynb"} for each in others}
    text = yaml.safe_dump({"name": "p", "tasks": {**tasks, "a": {"notebook": "a.ipynb", "map": [1]}}})
    for path, written in export(name, text).files.items():
        if path.endswith("p.py"):
            tree = ast.parse(written)
            named = [each.name for each in ast.walk(tree) if isinstance(each, ast.FunctionDef)]
            named += [ast.unparse(t) for a in ast.walk(tree) if isinstance(a, ast.Assign) for t in a.targets]
            inside = {"arguments", "done", "said", "self.failed", "self.outcome"}
            assert {each for each in named if named.count(each) > 1} <= inside
        elif path.endswith("p.yaml"):
            templates = [each["name"] for each in next(yaml.safe_load_all(written))["spec"]["templates"]]
            assert len(templates) == len(set(templates))


def test_metaflow_does_not_join_and_split_in_one_step():
    """It refuses such a flow."""
    layers = {"a": [], "b": [], "c": ["a"], "d": ["b"]}
    text = yaml.safe_dump(
        {"name": "p", "tasks": {k: {"notebook": "a.ipynb", "needs": v} for k, v in layers.items()}}
    )
    tree = ast.parse(export("metaflow", text).files["p.py"])
    methods = [each for each in ast.walk(tree) if isinstance(each, ast.FunctionDef)]
    joins = [each for each in methods if [a.arg for a in each.args.args] == ["self", "inputs"]]
    assert len(joins) == 2
    for each in joins:
        onward = each.body[-1].value
        assert (ast.unparse(onward.func), len(onward.args)) == ("self.next", 1)


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
    more = "schedules:\n  weekly: {cron: '0 6 * * 1', timezone: Europe/Zurich, overlap: cancel, jitter: 5m}\n"
    scores.write_text(scores.read_text() + more)
    said = say("export", scores, "--to", "airflow", "-o", tmp_path / "out")
    assert said.code == 0, said
    assert "schedule: overlap cancel: the earlier run goes on" in said.err
    assert "schedule: not carried over: jitter" in said.err
    text = (tmp_path / "out" / "dags" / "scores.py").read_text()
    assert 'CronTriggerTimetable("0 6 * * 1", timezone="Europe/Zurich")' in text
    scores.write_text(scores.read_text() + "  daily: {cron: '0 7 * * *'}\n")
    said = say("export", scores, "--to", "airflow", "-o", tmp_path / "out")
    assert said.code == 2
    assert "several schedules: weekly, daily" in said.err


FULL = ScheduleSpec(
    cron="0 6 * * 1", parameters={"week": 30, "bonus_a": "${schedule.fire_at.day}"}, catch_up="all", overlap="queue",
    start="2026-01-31", is_paused=True,
)  # fmt: skip


@pytest.mark.parametrize(
    ("name", "said", "noted"),
    [
        (
            "airflow",
            [
                "Param(30)",
                "catchup=True",
                "max_active_runs=1",
                "is_paused_upon_creation=True",
                'start_date=datetime.fromisoformat("2026-01-31T00:00:00+00:00")',
                '"bonus_a": Param("${schedule.fire_at.day}")',
                '"MLOPS_TASK_FIRED_AT": "{{ dag_run.logical_date or \'\' }}"',
            ],
            ["its parameters are the defaults"],
        ),
        (
            "argo",
            [
                "concurrencyPolicy: Allow",
                "startingDeadlineSeconds: 31622400",
                "suspend: true",
                "mutexes:",
                "arguments:\n      parameters:\n        - name: week\n          value: '30'",
                "        - name: bonus_a\n          value: ${schedule.fire_at.day}",
                "          - --fired-at\n          - '{{workflow.scheduledTime}}'",
            ],
            ["catch_up all: of the missed fires the latest", "not carried over: start"],
        ),
        (
            "prefect",
            [
                "active: false",
                "week: 30",
                "collision_strategy: ENQUEUE",
                "bonus_a: ${schedule.fire_at.day}",
                "bonus_a: float | str = 0.0",
                '"MLOPS_TASK_FIRED_AT": flow_run.scheduled_start_time.isoformat()',
            ],
            ["not carried over: start"],
        ),
        (
            "kubeflow",
            [
                'params={"week": 30}',
                "no_catchup=False",
                "max_concurrency=1",
                "enabled=False",
                'start_time="2026-01-31T00:00:00Z"',
            ],
            ["schedule: bonus_a: no run knows there"],
        ),
        (
            "metaflow",
            ['Parameter("week", default=30'],
            [
                "overlap queue: Metaflow has Argo start a run beside",
                "not carried over: start, paused",
                "schedule: bonus_a: no run knows there",
            ],
        ),
    ],
)
def test_a_schedule_is_said_in_the_target_s_words(name, said, noted, scores):
    exported = export(name, scores.read_text(), replace(OPTIONS, schedule=FULL))
    text = "\n".join(exported.files.values())
    assert [each for each in said if each not in text] == []
    notes = "\n".join(exported.notes)
    assert [each for each in noted if each not in notes] == []
    assert ("bonus_a" in notes) == any("bonus_a" in each for each in noted)


@pytest.mark.parametrize(("overlap", "policy"), [("skip", "Forbid"), ("cancel", "Replace")])
def test_argo_has_a_word_for_each_overlap(overlap, policy, scores):
    spec = ScheduleSpec(cron="0 6 * * 1", catch_up="none", overlap=overlap)
    (text,) = export("argo", scores.read_text(), replace(OPTIONS, schedule=spec)).files.values()
    assert f"concurrencyPolicy: {policy}" in text
    assert "startingDeadlineSeconds" not in text
