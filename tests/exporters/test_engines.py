"""Each export runs in its own tool, with what our own run gives: both answers of the condition, map and join.

Every tool has an environment of its own. What cannot be had here, Argo's controller, is stood in for by an
interpreter of the parts of a workflow that we write, and by the models of Argo's API.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

ANSWERS: list[dict[str, Any]] = [{"bonus_a": 0.5}, {}]
WAYS = pytest.mark.parametrize("way", [0, 1], ids=["a", "b"])


@pytest.fixture
def export(scores, say, tmp_path):
    """Export the pipeline; the folder of the files."""

    def make(target: str, *words: str) -> Path:
        said = say(
            "export", scores, "--to", target, "-o", tmp_path / target, "--project", scores.parent, *words
        )
        assert said.code == 0, said
        return tmp_path / target

    return make


@pytest.mark.slow
@WAYS
def test_airflow(way, scores, export, sdk, ours, outcome_of, tmp_path):
    folder = export("airflow", "--schedule", "0 6 * * 1", "--timezone", "Europe/Zurich")
    env = {
        "AIRFLOW_HOME": str(tmp_path / "home"),
        "AIRFLOW__CORE__DAGS_FOLDER": str(folder / "dags"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__DATABASE__LOAD_DEFAULT_CONNECTIONS": "False",
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
        "SCARF_ANALYTICS": "false",
    }
    airflow = sdk("apache-airflow>=3,<4")
    airflow.run("airflow", "db", "migrate", cwd=tmp_path, env=env)
    assert "No data found" in airflow.run("airflow", "dags", "list-import-errors", cwd=tmp_path, env=env)
    script = (
        "import json, runpy, sys\n"
        "run = runpy.run_path(sys.argv[1])['dag'].test(run_conf=json.loads(sys.argv[2]))\n"
        "states = {f'{each.task_id} {each.map_index}': str(each.state) for each in run.get_task_instances()}\n"
        "print('STATES', json.dumps({'run': str(run.state), **states}))\n"
    )
    dag = folder / "dags" / "scores.py"
    said = airflow.run("python", "-c", script, dag, json.dumps(ANSWERS[way]), cwd=tmp_path, env=env)
    states = json.loads(re.findall(r"^STATES (.*)$", said, re.M)[-1])
    assert states["run"].endswith("success")
    left_out = ["deploy_b -1"] if way == 0 else ["deploy_a -1", "alarm -1"]
    assert sorted(name for name, state in states.items() if state.endswith("skipped")) == sorted(
        [*left_out, "region 1"]
    )
    assert outcome_of(scores.parent) == ours[way]


@pytest.mark.slow
@WAYS
def test_prefect(way, scores, export, sdk, ours, outcome_of, tmp_path):
    folder = export("prefect", "--schedule", "0 6 * * 1", "--timezone", "Europe/Zurich")
    env = {
        "PREFECT_HOME": str(tmp_path / "home"),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
        "DO_NOT_TRACK": "1",
    }
    script = (
        "import json, sys, scores\n"
        "state = scores.scores(**json.loads(sys.argv[1]), return_state=True)\n"
        "print('STATE', state.type.value)\n"
    )
    said = sdk("prefect<4", "fastapi<0.154").run(
        "python", "-c", script, json.dumps(ANSWERS[way]), cwd=folder, env=env
    )
    assert "STATE COMPLETED" in said
    assert outcome_of(scores.parent) == ours[way]


@pytest.mark.slow
@WAYS
def test_metaflow(way, scores, export, sdk, ours, outcome_of, tmp_path):
    folder = export("metaflow", "--schedule", "0 6 * * 1", "--timezone", "Europe/Zurich")
    env = {
        "USERNAME": "tester",
        "METAFLOW_HOME": str(tmp_path / "home"),
        "METAFLOW_DATASTORE_SYSROOT_LOCAL": str(tmp_path),
        "METAFLOW_DEFAULT_METADATA": "local",
        "METAFLOW_DEFAULT_DATASTORE": "local",
    }
    words = [word for name, value in ANSWERS[way].items() for word in (f"--{name}", value)]
    said = sdk("metaflow>=2.15", "setuptools").run("python", "scores.py", "run", *words, cwd=folder, env=env)
    assert "Done!" in said
    assert outcome_of(scores.parent) == ours[way]


@pytest.mark.slow
@WAYS
def test_kubeflow(way, scores, export, sdk, ours, outcome_of, tmp_path):
    folder = export("kubeflow", "--image", "registry/scores:1")
    kfp = sdk("kfp>=2.14", "kfp-kubernetes")
    kfp.run("python", "scores.py", cwd=folder)
    script = (
        "import json, sys\nfrom kfp import components, local\nimport scores\n"
        "components.load_component_from_file('scores.yaml')\n"
        "runner = local.SubprocessRunner(use_venv=False)\n"
        "local.init(runner, pipeline_root=sys.argv[2], raise_on_error=True)\n"
        "scores.scores(**json.loads(sys.argv[1]))\n"
    )
    kfp.run("python", "-c", script, json.dumps(ANSWERS[way]), tmp_path / "root", cwd=folder)
    expected = dict(ours[way])
    if way == 1:  # KFP leaves `alarm` out by itself, so that nobody tells us
        assert "dsl.If" in (folder / "scores.py").read_text()
    assert outcome_of(scores.parent) == expected


@pytest.mark.slow
def test_argo_knows_every_field(export, sdk, tmp_path):
    """hera's models are made of Argo's schema; they ignore what they do not know, so it is looked for afterwards."""
    folder = export("argo", "--image", "i:1", "--schedule", "0 6 * * 1", "--timezone", "Europe/Zurich")
    script = (
        "import sys, yaml\nfrom hera.workflows import models\n"
        "def check(given, kept, where):\n"
        "    if isinstance(given, dict):\n"
        "        for key, value in given.items():\n"
        "            assert key in kept, f'{where}.{key}'\n"
        "            check(value, kept[key], f'{where}.{key}')\n"
        "    elif isinstance(given, list):\n"
        "        for number, (one, other) in enumerate(zip(given, kept)): check(one, other, f'{where}[{number}]')\n"
        "for body in yaml.safe_load_all(open(sys.argv[1])):\n"
        "    model = getattr(models, body['kind']).model_validate(body)\n"
        "    check(body, model.model_dump(by_alias=True, exclude_none=True, mode='json'), body['kind'])\n"
        "    print('GOOD', body['kind'])\n"
    )
    said = sdk("hera>=5.20", "pyyaml").run("python", "-c", script, folder / "scores.yaml", cwd=tmp_path)
    assert "GOOD WorkflowTemplate" in said
    assert "GOOD CronWorkflow" in said


@pytest.mark.slow
@WAYS
def test_argo(way, scores, export, ours, outcome_of, tmp_path):
    folder = export("argo", "--image", "i:1")
    template = next(yaml.safe_load_all((folder / "scores.yaml").read_text()))
    workflow = Workflow(
        template["spec"], scores.parent, tmp_path / "pods", {k: str(v) for k, v in ANSWERS[way].items()}
    )
    workflow.run()
    left_out = {"deploy-b"} if way == 0 else {"deploy-a", "alarm"}
    assert {name for name, state in workflow.states.items() if state == "Skipped"} == left_out
    expected = {**ours[way], "run": ("succeeded", None)}
    assert outcome_of(scores.parent) == expected


class Workflow:
    """An interpreter of the parts of an Argo workflow that we write: a DAG of containers with ``depends``, ``when``,
    ``withParam``, and outputs taken from files. Containers are processes here; ``/tmp/outputs`` is a folder each."""

    def __init__(
        self, spec: Mapping[str, Any], project: Path, pods: Path, arguments: Mapping[str, str]
    ) -> None:
        self.templates = {each["name"]: each for each in spec["templates"]}
        given = {each["name"]: each["value"] for each in spec.get("arguments", {}).get("parameters", [])}
        self.values = {f"workflow.parameters.{name}": value for name, value in {**given, **arguments}.items()}
        self.values["workflow.name"] = "scores-x7k2p"
        self.project, self.pods = project, pods
        self.states: dict[str, str] = {}

    def run(self) -> None:
        for task in self.templates["main"]["dag"]["tasks"]:  # written in topological order
            self.states[task["name"]] = self.node(task)

    def node(self, task: Mapping[str, Any]) -> str:
        if not self.holds(re.sub(r"([\w-]+)\.(\w+)", self._is, task.get("depends", "True"))):
            return "Omitted"
        if "when" in task and not self.holds(self.fill(task["when"])):
            return "Skipped"
        template = self.templates[task["template"]]
        items = json.loads(self.fill(task["withParam"])) if "withParam" in task else [None]
        states = {self.pod(task, template, item, number) for number, item in enumerate(items)}
        return "Failed" if "Failed" in states else "Succeeded"

    def pod(self, task: Mapping[str, Any], template: Mapping[str, Any], item: Any, number: int) -> str:
        values = {"item": item if isinstance(item, str) else json.dumps(item)}
        for each in task.get("arguments", {}).get("parameters", []):
            values[f"inputs.parameters.{each['name']}"] = self.fill(each["value"], values)
        outputs = self.pods / f"{task['name']}-{number}"
        container = template["container"]
        words = [self.fill(word, values) for word in (*container["command"], *container["args"])]
        words = [str(outputs) if word == "/tmp/outputs" else word for word in words]
        words[0] = str(Path(sys.executable).with_name(words[0]))
        assert container["workingDir"] == str(self.project)
        done = subprocess.run(words, cwd=self.project, capture_output=True, text=True, timeout=100)
        for each in template.get("outputs", {}).get("parameters", []):
            source = outputs / Path(each["valueFrom"]["path"]).relative_to("/tmp/outputs")
            value = source.read_text() if source.exists() else each["valueFrom"]["default"]
            self.values[f"tasks.{task['name']}.outputs.parameters.{each['name']}"] = value
        return "Failed" if done.returncode else "Succeeded"

    def fill(self, text: str, more: Mapping[str, str] | None = None) -> str:
        known = {**self.values, **(more or {})}
        return re.sub(r"\{\{([^{}]+)\}\}", lambda hole: known[hole[1]], text)

    def _is(self, found: re.Match[str]) -> str:
        return str(self.states[found[1]] == found[2])

    @staticmethod
    def holds(condition: str) -> bool:
        return bool(eval(condition.replace("&&", "and").replace("||", "or"), {"__builtins__": {}}))
