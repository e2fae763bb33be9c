"""Each export runs in its own tool, with what our own run gives: both answers of the condition, map and join.

Every tool has an environment of its own. What cannot be had here, Argo's controller, is stood in for by an
interpreter of the parts of a workflow that we write, and by the models of Argo's API.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from . import engines
from .argo_workflow import Workflow
from .engines import airflow_environment
from .graphs import IN_ENGINES, NOTEBOOK, WEEKLY, pipeline

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


FIRED_AT = "2026-05-18T04:00:00+00:00"  # the fire before it is in the week 20, for which our own runs are


@pytest.fixture
def weekly(scores):
    """The pipeline with a schedule; another week than ours is what it takes where it is given none."""
    text = scores.read_text()
    assert "week: {type: int, default: 20}" in text
    scores.write_text(text.replace("default: 20", "default: 7") + WEEKLY)
    return scores


def expected_skips(way: int) -> list[str]:
    return sorted(["region 1", *(["deploy_b -1"] if way == 0 else ["deploy_a -1", "alarm -1"])])


@pytest.mark.slow
def test_airflow_at_once(weekly, export, sdk, ours, outcome_of, airflow_home, tmp_path):
    """By the logical date that its scheduler gives a run."""
    folder = export("airflow")
    shutil.copytree(airflow_home, tmp_path / "home")
    skipped = engines.airflow(sdk, folder, "scores", ANSWERS[1], tmp_path / "home", fired_at=FIRED_AT)
    assert skipped == expected_skips(1)
    assert outcome_of(weekly.parent) == ours[1]


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
def test_prefect(way, weekly, export, sdk, ours, outcome_of, tmp_path):
    """Started by hand, and as a run of its schedule."""
    folder = export("prefect")
    (deployment,) = yaml.safe_load((folder / "prefect.yaml").read_text())["deployments"]
    scheduled = {**deployment["parameters"], **deployment["schedules"][0]["parameters"]}
    given = {"week": 20, **ANSWERS[0]} if way == 0 else scheduled
    engines.prefect(sdk, folder, "scores", given, tmp_path, fired_at="" if way == 0 else FIRED_AT)
    assert outcome_of(weekly.parent) == ours[way]


@pytest.mark.slow
@WAYS
def test_metaflow(way, scores, export, sdk, ours, outcome_of, tmp_path):
    folder = export("metaflow", "--schedule", "0 6 * * 1", "--timezone", "Europe/Zurich")
    engines.metaflow(sdk, folder, "scores", ANSWERS[way], tmp_path)
    assert outcome_of(scores.parent) == ours[way]


@pytest.mark.slow
@WAYS
def test_kubeflow(way, scores, export, sdk, ours, outcome_of, tmp_path):
    folder = export("kubeflow", "--image", "registry/scores:1", "--schedule", "0 6 * * 1")
    engines.kubeflow(sdk, folder, "scores", ANSWERS[way], tmp_path)
    expected = dict(ours[way])
    if way == 1:  # KFP leaves `alarm` out by itself, so that nobody tells us
        assert "dsl.If" in (folder / "scores.py").read_text()
    assert outcome_of(scores.parent) == expected
    script = (
        "import kfp, runpy, unittest.mock\n"
        "with unittest.mock.patch('kfp.Client', autospec=True) as client:\n"  # no server is to be had
        "    runpy.run_path('scores_schedule.py')\n"
        "    client.return_value.create_recurring_run.assert_called_once()\n"
    )
    sdk("kfp>=2.14", "kfp-kubernetes").run("python", "-c", script, cwd=folder)


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
def test_argo(way, weekly, export, ours, outcome_of, tmp_path):
    """Started by hand, and by its CronWorkflow."""
    folder = export("argo", "--image", "i:1")
    _, cron = yaml.safe_load_all((folder / "scores.yaml").read_text())
    parameters = cron["spec"]["workflowSpec"]["arguments"]["parameters"]
    given = {"week": 20, **ANSWERS[0]} if way == 0 else {each["name"]: each["value"] for each in parameters}
    left_out = {"deploy-b"} if way == 0 else {"deploy-a", "alarm"}
    fired_at = "" if way == 0 else "2026-05-18T06:00:00+02:00"  # as Argo writes it
    skipped = engines.argo(folder, "scores", given, weekly.parent, tmp_path, fired_at=fired_at)
    assert skipped == left_out
    expected = {**ours[way], "run": ("succeeded", None)}
    assert outcome_of(weekly.parent) == expected


@pytest.mark.slow
def test_argo_again_takes_all_from_the_cache(scores, export, say, ours, outcome_of, tmp_path, monkeypatch):
    folder = export("argo", "--image", "i:1")
    monkeypatch.chdir(scores.parent)
    found = []
    for name in ("one", "two"):
        engines.argo(
            folder, "scores", {}, scores.parent, tmp_path / name, name, lambda words, _: say(*words[1:]).code
        )
        found.append(outcome_of(scores.parent, name))
    assert found[0] == {**ours[1], "run": ("succeeded", None)}
    again = {key: (state.replace("succeeded", "cached"), told) for key, (state, told) in found[0].items()}
    assert found[1] == {**again, "run": found[0]["run"], "region": found[0]["region"]}


# --- an image for each environment ----------------------------------------------------------------------------

TWO = """\
name: two
tasks:
  pull: {notebook: pull.ipynb}
  train: {notebook: train.ipynb, needs: [pull], parameters: {rows: "${tasks.pull.results.rows}"}}
"""
OF_TWO = {
    "pull": ("", 'mlops.result("rows", 3)'),
    "train": ("rows: int = 0", 'mlops.result("twice", 2 * rows)'),
}


@pytest.fixture
def two(write_project, say, tmp_path):
    """A pipeline whose second task has another environment, and its export to a target."""
    path = write_project(tmp_path / "two", TWO, OF_TWO)
    train = path.parent / "train.ipynb"
    body = json.loads(train.read_text())
    body["metadata"]["mlops"] = {"resources": {"gpu": 1}}
    train.write_text(json.dumps(body))

    def export(target: str) -> Path:
        images = ["--image", "r/pull:1", "--image", "two-train=r/train:1"]
        said = say("export", path, "--to", target, "-o", tmp_path / target, *images)
        assert said.code == 0, said
        return tmp_path / target

    return path, export


@pytest.mark.slow
def test_a_task_runs_in_an_image_that_has_its_own_notebook_only(two, outcome_of, tmp_path):
    path, export = two
    folder = export("argo")
    images = {f"r/{name}:1": tmp_path / "images" / name for name in OF_TWO}
    shared = f'catalog = "sqlite:///{tmp_path / "shared.db"}"\nblobs = "{tmp_path / "shared"}"\n'
    for name, project in zip(OF_TWO, images.values(), strict=True):
        project.mkdir(parents=True)
        (project / "mlops.toml").write_text(shared)
        for file in ("pipeline.yaml", f"{name}.ipynb"):
            shutil.copy(path.parent / file, project)
    template = next(yaml.safe_load_all((folder / "two.yaml").read_text()))
    workflow = Workflow(template["spec"], Path("/project"), tmp_path / "pods", {}, run="two-1", images=images)
    workflow.run()
    assert workflow.states == {"pull": "Succeeded", "train": "Succeeded"}
    assert outcome_of(tmp_path / "images" / "pull", "two-1")["train"] == ("succeeded", {"twice": 6})


@pytest.mark.slow
def test_kubeflow_compiles_an_image_for_each_environment(two, sdk):
    _, export = two
    folder = export("kubeflow")
    sdk("kfp>=2.14", "kfp-kubernetes").run("python", "two.py", cwd=folder)
    executors = next(yaml.safe_load_all((folder / "two.yaml").read_text()))["deploymentSpec"]["executors"]
    assert sorted(each["container"]["image"] for each in executors.values()) == ["r/pull:1", "r/train:1"]


@pytest.mark.slow
def test_metaflow_reads_an_image_for_each_environment(two, sdk, tmp_path):
    _, export = two
    script = (
        "import json\nfrom two import TwoFlow\n"
        "def images(step): return [each.attributes['image'] for each in step.decorators if each.name == 'kubernetes']\n"
        "print('IMAGES', json.dumps({step.name: images(step) for step in TwoFlow._graph}))\n"
    )
    env = {"USERNAME": "tester", "METAFLOW_HOME": str(tmp_path / "home")}
    said = sdk("metaflow>=2.15", "setuptools").run("python", "-c", script, cwd=export("metaflow"), env=env)
    images = {"start": [], "pull": ["r/pull:1"], "train": ["r/train:1"], "end": []}
    assert json.loads(said.partition("IMAGES ")[2]) == images


# --- graphs × behaviors ---------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("target", ["airflow", "kubeflow", "metaflow", "prefect"])
def test_in_its_engine(target, tmp_path, write_project, say, sdk, matrix_of_ours, outcome_of, request):
    """Failures and all, in one run an engine: to start one takes longer than what it does then."""
    path = write_project(tmp_path / "there", pipeline(*IN_ENGINES), {"task": NOTEBOOK})
    image = ["--image", "i:1"] if target == "kubeflow" else []
    said = say("export", path, "--to", target, "-o", tmp_path / target, "--project", path.parent, *image)
    assert said.code == 0, said
    if target == "airflow":
        shutil.copytree(request.getfixturevalue("airflow_home"), tmp_path / "home")
    else:
        (tmp_path / "home").mkdir()
    getattr(engines, target)(sdk, tmp_path / target, "matrix", {}, tmp_path / "home", ends="failed")
    assert outcome_of(path.parent) == matrix_of_ours


@pytest.fixture(scope="module")
def matrix_of_ours(tmp_path_factory, write_project, say, outcome_of):
    """What our own run gives."""
    path = write_project(tmp_path_factory.mktemp("ours"), pipeline(*IN_ENGINES), {"task": NOTEBOOK})
    say("run", path)
    return outcome_of(path.parent)


# --- the example ----------------------------------------------------------------------------------------------

FLIGHTS = Path(__file__).parents[2] / "notebooks" / "flights"
CHANCE = ("model", "champion", "url", "deployed_at")
WEEKS: list[dict[str, Any]] = [
    {"week": 30, "train_weeks": 2},
    {"week": 20, "train_weeks": 2},
]  # A wins, B wins


@pytest.fixture
def flights(tmp_path: Path, say: Any) -> Iterator[Path]:
    """The example in a workspace of its own; what a run of it has deployed goes afterwards."""
    folder = tmp_path / "flights"
    shutil.copytree(FLIGHTS, folder, ignore=shutil.ignore_patterns(".mlops", "*.duckdb*", "__pycache__"))
    (folder / "mlops.toml").touch()
    yield folder
    say("deployments", "remove", "flights-delay", "--workspace", folder)


@pytest.fixture(scope="module")
def our_flights(tmp_path_factory: pytest.TempPathFactory, say: Any, outcome_of: Any) -> list[Any]:
    """What our own runs of it give."""
    folder = tmp_path_factory.mktemp("ours") / "flights"
    shutil.copytree(FLIGHTS, folder, ignore=shutil.ignore_patterns(".mlops", "*.duckdb*", "__pycache__"))
    (folder / "mlops.toml").touch()
    found = []
    for arguments in WEEKS:
        words = [word for name, value in arguments.items() for word in ("-p", name, value)]
        said = say("run", folder, "--json", *words)
        assert said.code == 0, said
        found.append(told(outcome_of(folder)))
    say("deployments", "remove", "flights-delay", "--workspace", folder)
    assert [each["compare"][1]["winner"] for each in found] == ["a", "b"]
    return found


def told(outcome: dict[str, tuple[str, Any]]) -> dict[str, tuple[str, Any]]:
    """States and results, but for numbers of versions (A and B are trained at once), the endpoint and the time."""
    return {
        task: (
            state,
            {name: value for name, value in (results or {}).items() if name not in CHANCE},
        )
        for task, (state, results) in outcome.items()
    }


@pytest.mark.slow
@pytest.mark.parametrize(
    ("target", "way"),
    [("airflow", 0), ("prefect", 1), ("metaflow", 0), ("kubeflow", 1), ("argo", 0), ("argo", 1)],
)
def test_flights(target, way, flights, say, sdk, our_flights, outcome_of, tmp_path, request):
    folder = tmp_path / target
    image = ["--image", "i:1"] if target in ("kubeflow", "argo") else []
    said = say(
        "export", flights / "pipeline.yaml", "--to", target, "-o", folder, "--project", flights, *image
    )
    assert said.code == 0, said
    if target == "argo":
        skipped = engines.argo(folder, "flights", WEEKS[way], flights, tmp_path)
        assert skipped == {"deploy-b" if way == 0 else "deploy-a"}
    elif target == "airflow":
        shutil.copytree(request.getfixturevalue("airflow_home"), tmp_path / "home")
        skipped = engines.airflow(sdk, folder, "flights", WEEKS[way], tmp_path / "home")
        assert skipped == [f"deploy_{'ba'[way]} -1"]
    else:
        getattr(engines, target)(sdk, folder, "flights", WEEKS[way], tmp_path)
    assert told(outcome_of(flights)) == our_flights[way]
