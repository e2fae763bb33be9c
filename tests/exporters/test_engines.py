"""Each export runs in its own tool, with what our own run gives: both answers of the condition, map and join.

Every tool has an environment of its own. What cannot be had here, Argo's controller, is stood in for by an
interpreter of the parts of a workflow that we write, and by the models of Argo's API.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from .argo_workflow import Workflow

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


@pytest.fixture(scope="session")
def airflow_home(sdk, tmp_path_factory) -> Path:
    """Airflow's home with an empty database, to be copied: making it takes seconds."""
    home = tmp_path_factory.mktemp("airflow") / "home"
    env = airflow_environment(home, home / "dags")
    sdk("apache-airflow>=3,<4").run("airflow", "db", "migrate", cwd=home.parent, env=env)
    return home


def airflow_environment(home: Path, dags: Path) -> dict[str, str]:
    return {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW__CORE__DAGS_FOLDER": str(dags),
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{home / 'airflow.db'}",
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__DATABASE__LOAD_DEFAULT_CONNECTIONS": "False",
        "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
        "SCARF_ANALYTICS": "false",
    }


def expected_skips(way: int) -> list[str]:
    return sorted(["region 1", *(["deploy_b -1"] if way == 0 else ["deploy_a -1", "alarm -1"])])


@pytest.mark.slow
def test_airflow_at_once(scores, export, sdk, ours, outcome_of, airflow_home, tmp_path):
    folder = export("airflow", "--schedule", "0 6 * * 1", "--timezone", "Europe/Zurich")
    shutil.copytree(airflow_home, tmp_path / "home")
    env = airflow_environment(tmp_path / "home", folder / "dags")
    airflow = sdk("apache-airflow>=3,<4")
    script = (
        "import json, runpy, sys\n"
        "run = runpy.run_path(sys.argv[1])['dag'].test(run_conf=json.loads(sys.argv[2]))\n"
        "states = {f'{each.task_id} {each.map_index}': str(each.state) for each in run.get_task_instances()}\n"
        "print('STATES', json.dumps({'run': str(run.state), **states}))\n"
    )
    dag = folder / "dags" / "scores.py"
    said = airflow.run("python", "-c", script, dag, json.dumps(ANSWERS[1]), cwd=tmp_path, env=env)
    states = json.loads(re.findall(r"^STATES (.*)$", said, re.M)[-1])
    assert states["run"].endswith("success")
    assert sorted(name for name, state in states.items() if state.endswith("skipped")) == expected_skips(1)
    assert outcome_of(scores.parent) == ours[1]


@pytest.mark.slow
def test_airflow_with_its_scheduler(scores, export, sdk, ours, outcome_of, airflow_home, tmp_path):
    """The whole of it: scheduler, processor of DAGs, API, and tasks that run side by side."""
    folder = export("airflow")
    home = tmp_path / "home"
    shutil.copytree(airflow_home, home)
    port, logs_port, triggerer_port = free_ports(3)
    env = {
        **airflow_environment(home, folder / "dags"),
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__HOST": "127.0.0.1",
        "AIRFLOW__API__BASE_URL": f"http://127.0.0.1:{port}",
        "AIRFLOW__API__WORKERS": "1",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://127.0.0.1:{port}/execution/",
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_ALL_ADMINS": "True",
        "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "AIRFLOW__CORE__PARALLELISM": "3",
        "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": str(logs_port),
        "AIRFLOW__LOGGING__TRIGGER_LOG_SERVER_PORT": str(triggerer_port),
    }
    airflow = sdk("apache-airflow>=3,<4")
    with (tmp_path / "airflow.log").open("wb") as log:
        stack = airflow.start("airflow", "standalone", cwd=tmp_path, env=env, log=log)
        try:
            known = "select count(*) from dag where dag_id = 'scores' and is_paused = 0"
            until(lambda: ask(home, known) == [(1,)], tmp_path / "airflow.log")
            conf = json.dumps(ANSWERS[0])
            airflow.run(
                "airflow", "dags", "trigger", "scores", "-r", "one", "-c", conf, cwd=tmp_path, env=env
            )
            ended = "select state from dag_run where run_id = 'one' and state in ('success', 'failed')"
            until(lambda: ask(home, ended), tmp_path / "airflow.log")
        finally:
            os.killpg(stack.pid, signal.SIGKILL)
            stack.wait(20)
    assert ask(home, ended) == [("success",)]
    states = (
        "select task_id || ' ' || map_index from task_instance where run_id = 'one' and state = 'skipped'"
    )
    assert sorted(name for (name,) in ask(home, states)) == expected_skips(0)
    assert outcome_of(scores.parent) == ours[0]


def ask(home: Path, query: str) -> list[tuple[Any, ...]]:
    """What Airflow's own database answers."""
    with contextlib.closing(
        sqlite3.connect(f"file:{home / 'airflow.db'}?mode=ro", uri=True, timeout=20)
    ) as found:
        return found.execute(query).fetchall()


def until(is_so: Callable[[], object], log: Path, seconds: float = 200) -> None:
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end, log.read_text(errors="replace")[-6000:]
        time.sleep(0.3)


def free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


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
