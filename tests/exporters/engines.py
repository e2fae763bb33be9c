"""How a run of an exported pipeline is had from each tool: its files' folder, the pipeline's name, arguments."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import yaml

from .argo_workflow import Workflow

Sdks = Callable[..., Any]
Arguments = Mapping[str, Any]


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


def airflow(
    sdk: Sdks,
    folder: Path,
    name: str,
    arguments: Arguments,
    place: Path,
    ends: str = "succeeded",
    fired_at: str = "",
) -> list[str]:
    """By ``dag.test``, over the migrated database in `place`; the task instances that it skipped. `fired_at` is the
    run's logical date; without one it has none."""
    env = airflow_environment(place, folder / "dags")
    script = (
        "import datetime, json, runpy, sys\n"
        "date = datetime.datetime.fromisoformat(sys.argv[3]) if sys.argv[3] else None\n"
        "dag = runpy.run_path(sys.argv[1])['dag']\n"
        "run = dag.test(logical_date=date, run_conf=json.loads(sys.argv[2]))\n"
        "states = {f'{each.task_id} {each.map_index}': str(each.state) for each in run.get_task_instances()}\n"
        "print('STATES', json.dumps({'run': str(run.state), **states}))\n"
    )
    dag = folder / "dags" / f"{name}.py"
    said = sdk("apache-airflow>=3,<4").run(
        "python", "-c", script, dag, json.dumps(arguments), fired_at, cwd=place, env=env
    )
    states = json.loads(re.findall(r"^STATES (.*)$", said, re.M)[-1])
    assert states["run"].endswith("success" if ends == "succeeded" else "failed"), said[-3000:]
    return sorted(each for each, state in states.items() if state.endswith("skipped"))


def prefect(
    sdk: Sdks,
    folder: Path,
    name: str,
    arguments: Arguments,
    place: Path,
    ends: str = "succeeded",
    fired_at: str = "",
) -> None:
    """By an ephemeral server. With `fired_at` it is a run that was scheduled for then."""
    env = {
        "PREFECT_HOME": str(place / "home"),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
        "DO_NOT_TRACK": "1",
    }
    script = (
        f"import datetime, json, sys, {name}\n"
        "from prefect.client.orchestration import get_client\n"
        "from prefect.flow_engine import run_flow\n"
        "from prefect.states import Scheduled\n"
        f"flow, given, run = {name}.{name}, json.loads(sys.argv[1]), None\n"
        "if sys.argv[2]:\n"
        "    state = Scheduled(scheduled_time=datetime.datetime.fromisoformat(sys.argv[2]))\n"
        "    with get_client(sync_client=True) as client:\n"
        "        run = client.create_flow_run(flow, parameters=given, state=state)\n"
        "state = run_flow(flow, flow_run=run, parameters=given, return_type='state')\n"
        "print('STATE', state.type.value)\n"
    )
    said = sdk("prefect<4", "fastapi<0.154").run(
        "python", "-c", script, json.dumps(arguments), fired_at, cwd=folder, env=env
    )
    assert ("STATE COMPLETED" if ends == "succeeded" else "STATE FAILED") in said


def metaflow(
    sdk: Sdks, folder: Path, name: str, arguments: Arguments, place: Path, ends: str = "succeeded"
) -> None:
    """With its local store."""
    env = {
        "USERNAME": "tester",
        "METAFLOW_HOME": str(place / "home"),
        "METAFLOW_DATASTORE_SYSROOT_LOCAL": str(place),
        "METAFLOW_DEFAULT_METADATA": "local",
        "METAFLOW_DEFAULT_DATASTORE": "local",
    }
    words = [word for each, value in arguments.items() for word in (f"--{each}", value)]
    code = 0 if ends == "succeeded" else 1
    said = sdk("metaflow>=2.15", "setuptools").run(
        "python", f"{name}.py", "run", *words, cwd=folder, env=env, code=code
    )
    assert "Done!" in said or code


def kubeflow(
    sdk: Sdks, folder: Path, name: str, arguments: Arguments, place: Path, ends: str = "succeeded"
) -> None:
    """By its runner of subprocesses; the compiled YAML is read back first."""
    kfp = sdk("kfp>=2.14", "kfp-kubernetes")
    kfp.run("python", f"{name}.py", cwd=folder)
    script = (
        f"import json, sys\nfrom kfp import components, local\nimport {name}\n"
        f"components.load_component_from_file('{name}.yaml')\n"
        "runner = local.SubprocessRunner(use_venv=False)\n"
        "local.init(runner, pipeline_root=sys.argv[2], raise_on_error=sys.argv[3] == 'succeeded')\n"
        f"{name}.{name}(**json.loads(sys.argv[1]))\n"
    )
    kfp.run("python", "-c", script, json.dumps(arguments), place / "root", ends, cwd=folder)


def argo(
    folder: Path,
    name: str,
    arguments: Arguments,
    project: Path,
    place: Path,
    run: str = "scores-x7k2p",
    start: Callable[[list[str], Path], int] | None = None,
    fired_at: str = "",
) -> set[str]:
    """By our interpreter of the parts of a workflow that we write; the nodes that it skipped."""
    template = next(yaml.safe_load_all((folder / f"{name}.yaml").read_text()))
    given = {each: str(value) for each, value in arguments.items()}
    workflow = Workflow(
        template["spec"], project, place / "pods", given, start=start, run=run, fired_at=fired_at
    )
    workflow.run()
    return {each for each, state in workflow.states.items() if state == "Skipped"}
