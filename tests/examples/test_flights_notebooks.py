"""The flights example, run as a reader runs it: each notebook on an ordinary kernel, one after the other.

What takes a kernel a few seconds is done once, for all tests; what looks into single cells runs them here.
"""

from __future__ import annotations

import importlib
import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import pytest

import jupyter_mlops as mlops
from jupyter_mlops import emit
from jupyter_mlops.catalog import TaskRun
from jupyter_mlops.notebooks.outputs import read_artifacts, read_results
from jupyter_mlops.notebooks.parameters import read_parameters
from jupyter_mlops.pipelines.spec import load_pipeline
from jupyter_mlops.session.place import close_workspace
from jupyter_mlops.settings import Settings
from jupyter_mlops.workspace import Workspace

pytestmark = pytest.mark.slow
FLIGHTS = Path(__file__).parents[2] / "notebooks" / "flights"
NOTEBOOKS = ("pull", "features", "train", "compare", "deploy")
WEEK, TRAIN_WEEKS = 20, 2


@dataclass(frozen=True)
class Ran:
    """One executed notebook."""

    notebook: Any
    results: dict[str, Any]
    artifacts: dict[str, str]


@dataclass(frozen=True)
class Example:
    """A copy of the example's folder, its blobs, and what its tasks gave."""

    folder: Path
    tasks: dict[str, Ran]

    def open(self, task: str, artifact: str) -> Any:
        return emit.input(self.tasks[task].artifacts[artifact])


def read_notebook(folder: Path, name: str) -> Any:
    return nbformat.read(folder / f"{name}.ipynb", as_version=4)


def surroundings(folder: Path) -> dict[str, str]:
    """What a run sets for its kernels; one thread, since this machine has others at work."""
    return {"MLOPS_BLOBS": str(folder / "blobs"), "MLOPS_ROOT": str(folder), "OMP_NUM_THREADS": "1"}


def execute(folder: Path, name: str, arguments: Mapping[str, Any]) -> Ran:
    from nbclient import NotebookClient

    notebook = read_notebook(folder, name)
    place = next(i for i, cell in enumerate(notebook.cells) if "parameters" in cell.metadata.get("tags", []))
    injected = "\n".join(f"{key} = {value!r}" for key, value in arguments.items())
    notebook.cells.insert(place + 1, nbformat.v4.new_code_cell(injected))
    client = NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(folder)}})
    client.execute(env={**os.environ, **surroundings(folder)})
    artifacts = {key: value["reference"] for key, value in read_artifacts(notebook).items()}
    return Ran(notebook, read_results(notebook), artifacts)


def execute_here(
    folder: Path,
    name: str,
    arguments: Mapping[str, Any],
    *,
    cells: Iterable[str] = (),
    replace: tuple[str, str] = ("", ""),
    names: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """The names that cells leave behind, run in this process: all cells, or those with these ids, after others."""
    names = {"__name__": "__main__"} if names is None else names
    for cell in read_notebook(folder, name).cells:
        if cell.cell_type == "code" and (not cells or cell.id in cells):
            exec(compile(cell.source.replace(*replace), f"{name}.ipynb:{cell.id}", "exec"), names)
            if "parameters" in cell.metadata.get("tags", []):
                names.update(arguments)
    return names


def end_deployments(folder: Path) -> None:
    """An endpoint outlives the notebook that made it, but not the test."""
    with Workspace(Settings.load(folder, env={"MLOPS_BLOBS": str(folder / "blobs")})) as workspace:
        for one in workspace.deployments.find():
            workspace.deployments.remove(one.name)


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Example]:
    folder = tmp_path_factory.mktemp("flights")
    for path in [*FLIGHTS.glob("*.ipynb"), *FLIGHTS.glob("*.py")]:
        shutil.copy(path, folder)
    tasks: dict[str, Ran] = {}

    def run(task: str, name: str, **arguments: Any) -> dict[str, str]:
        tasks[task] = execute(folder, name, arguments)
        return tasks[task].artifacts

    pulled = run("pull", "pull", week=WEEK, train_weeks=TRAIN_WEEKS)
    made = run("features", "features", week=WEEK, **pulled)
    given = {"train": made["train"], "feature_service": tasks["features"].results["feature_service"]}
    run("train_a", "train", algorithm="logistic", **given)
    run("train_b", "train", algorithm="boosting", **given)
    models = {name: tasks[f"train_{name}"].results["model"] for name in ("a", "b")}
    compared = run("compare", "compare", model_a=models["a"], model_b=models["b"], holdout=made["holdout"])
    winner = tasks["compare"].results["winner"]
    given = {"candidate": winner, "model": models[winner], "holdout": made["holdout"]}
    try:
        run("deploy", "deploy", scores=compared["scores"], **given)
        yield Example(folder, tasks)
    finally:
        end_deployments(folder)


@pytest.fixture
def here(example: Example, monkeypatch: pytest.MonkeyPatch) -> Iterator[Example]:
    """The example, as if this process stood in its folder."""
    from threadpoolctl import threadpool_limits

    for name, value in {**surroundings(example.folder), "MPLBACKEND": "agg"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.syspath_prepend(example.folder)
    monkeypatch.chdir(example.folder)
    with threadpool_limits(1):
        yield example
    close_workspace()


def test_no_notebook_warns(example: Example) -> None:
    warned = [
        (task, output.text)
        for task, ran in example.tasks.items()
        for cell in ran.notebook.cells
        for output in cell.get("outputs", [])
        if output.output_type == "stream" and output.name == "stderr"
    ]
    assert warned == []


def test_plots_are_there_for_the_reader(example: Example) -> None:
    plots = {
        task: sum("image/png" in o.get("data", {}) for c in ran.notebook.cells for o in c.get("outputs", []))
        for task, ran in example.tasks.items()
    }
    assert plots == {"pull": 1, "features": 2, "train_a": 1, "train_b": 1, "compare": 1, "deploy": 0}


def test_pulled_weeks_are_the_ones_asked_for(here: Example) -> None:
    flights = here.open("pull", "flights")
    assert len(flights) == here.tasks["pull"].results["flights_pulled"] > 15_000
    local_days = flights["departs_at"].dt.tz_localize("UTC").dt.tz_convert("America/New_York").dt.date
    weeks = {day.isocalendar().week for day in local_days.unique()}
    assert weeks == {WEEK - 1, WEEK, WEEK + 1}


def test_held_out_week_is_later_than_all_that_is_learned_from(here: Example) -> None:
    train, holdout = here.open("features", "train"), here.open("features", "holdout")
    outcomes_known_at = train["departs_at"] + train["dep_delay"].astype("timedelta64[s]") * 60
    assert outcomes_known_at.max() < holdout["departs_at"].min()
    assert (holdout["departs_at"].max() - holdout["departs_at"].min()).days == 6


def test_both_models_rank_well_and_beat_the_departure_board(here: Example) -> None:
    scores = here.open("compare", "scores")
    board = scores["models"]["board"]
    for name in ("a", "b"):
        model = scores["models"][name]
        assert 0.6 < board["auc"] < model["auc"] < 0.95  # far above that would be a leak
        assert scores["late_share"] < board["average_precision"] < model["average_precision"]
        assert model["brier"] < scores["late_share"] * (1 - scores["late_share"])  # better than a constant
        assert here.tasks["compare"].results[f"auc_{name}"] == model["auc"]


def test_winner_is_the_one_with_the_higher_auc(example: Example) -> None:
    results = example.tasks["compare"].results
    assert results["winner"] == ("b" if results["auc_b"] > results["auc_a"] else "a")


def test_deployment_moves_the_champion_to_the_winner_and_it_answers(here: Example) -> None:
    deployment = here.open("deploy", "deployment")
    results = here.tasks["compare"].results
    winner = results["winner"]
    assert deployment["candidate"] == winner == here.tasks["deploy"].results["deployed"]
    assert deployment["metrics"] == here.open("compare", "scores")["models"][winner]
    assert deployment["valid_from"] == "2013-05-27"
    champion = mlops.load_model("models:/flights-delay@champion")
    assert champion.reference == deployment["model"] == here.tasks[f"train_{winner}"].results["model"]
    chances = champion.predict(here.open("features", "holdout"))
    assert 0 < chances.min() < chances.max() < 1


def test_the_endpoint_outlives_the_notebook_and_says_what_the_store_says(here: Example) -> None:
    url = here.tasks["deploy"].results["url"]
    (served,) = mlops.find_deployments()
    assert (served.deployment.name, served.deployment.state, served.deployment.url) == (
        "flights-delay",
        "running",
        url,
    )
    champion = mlops.load_model("models:/flights-delay@champion")
    assert dict(served.revision.traffic) == {str(champion.version.version): 1.0}
    week = here.open("features", "holdout").tail(50)
    names = execute_here(here.folder, "deploy", {}, cells=("imports", "ask"))
    told, who = names["ask"](url, week)
    assert who == champion.reference.removeprefix("models:/")
    assert told == pytest.approx(champion.predict(week), rel=1e-6)
    assert "deployment flights-delay" in map(
        str, mlops.get_workspace().models.lineage(champion.reference).downstream
    )


def test_models_say_what_they_were_made_of(here: Example) -> None:
    service = here.tasks["features"].results["feature_service"]
    versions = mlops.find_models("flights-delay")
    assert {version.tags["algorithm"] for version in versions} == {"logistic", "boosting"}
    for version in versions:
        manifest = mlops.get_workspace().models.manifest(version)
        assert manifest.data[0]["feature_service"] == service
        assert manifest.featurize is not None
        assert manifest.predict is not None
        assert "scikit-learn" in " ".join(manifest.dependencies["direct"])
        assert any("@mlops.featurize" in cell for cell in manifest.code["cells"])
        assert set(manifest.artifacts) == {"importance"}
        task = "train_a" if version.tags["algorithm"] == "logistic" else "train_b"
        shown = here.tasks[task].results["validation_auc"]
        assert round(version.metrics["validation_auc"], 4) == shown


@pytest.mark.filterwarnings("ignore:FigureCanvasAgg is non-interactive")
def test_models_that_change_places_change_the_winner_and_only_the_winner_is_deployed(here: Example) -> None:
    features, scores_of = here.tasks["features"].artifacts, here.tasks["compare"].results
    arguments = {
        "model_a": here.tasks["train_b"].results["model"],
        "model_b": here.tasks["train_a"].results["model"],
        "holdout": features["holdout"],
    }
    before = mlops.load_model("models:/flights-delay@champion").reference
    swapped = execute_here(here.folder, "compare", arguments)
    assert swapped["winner"] != scores_of["winner"]
    assert swapped["scores"]["a"]["auc"] == scores_of["auc_b"]
    loser = {
        "candidate": swapped["winner"],
        "model": arguments["model_b"],
        "scores": here.tasks["compare"].artifacts["scores"],
    }
    with pytest.raises(ValueError, match="did not win"):
        execute_here(here.folder, "deploy", loser)
    assert mlops.load_model("models:/flights-delay@champion").reference == before


LEAKS = {
    "weather known by its stamp": ('event_timestamp="observed_at"', 'event_timestamp="time_hour"'),
    "outcomes known when scheduled": ('event_timestamp="left_at"', 'event_timestamp="departs_at"'),
    "a flight in its own past": ("is_self_excluded=True", "is_self_excluded=False"),
    "delays of the whole day": (
        'flights.reset_index(drop=True), "departure", timestamp="departs_at"',
        'flights.reset_index(drop=True).assign(asked_at=flights["departs_at"].dt.ceil("D").to_numpy()),'
        ' "departure", timestamp="asked_at"',
    ),
}


@pytest.mark.parametrize("leak", LEAKS)
def test_each_proof_stops_the_notebook_when_a_leak_is_planted(here: Example, leak: str) -> None:
    assert any(LEAKS[leak][0] in cell.source for cell in read_notebook(here.folder, "features").cells)
    cells = ("parameters", "imports", "known", "views", "extract")
    arguments = {"week": WEEK, **here.tasks["pull"].artifacts}
    names = execute_here(here.folder, "features", arguments, cells=cells, replace=LEAKS[leak])
    for proof in ("slow", "proof"):
        with pytest.raises(AssertionError):
            execute_here(here.folder, "features", {}, cells=(proof,), replace=LEAKS[leak], names=dict(names))


@pytest.mark.filterwarnings("ignore:FigureCanvasAgg is non-interactive")
def test_same_inputs_give_the_same_artifacts(here: Example) -> None:
    pulled, made = here.tasks["pull"].artifacts, here.tasks["features"].artifacts
    features = execute_here(here.folder, "features", {"week": WEEK, **pulled})
    assert emit.artifact("train", features["train"]) == made["train"]
    assert emit.artifact("holdout", features["holdout"]) == made["holdout"]
    holdout = features["holdout"]
    for task, algorithm in (("train_a", "logistic"), ("train_b", "boosting")):
        before = mlops.load_model(here.tasks[task].results["model"]).predict(holdout)
        given = {"train": made["train"], "algorithm": algorithm}
        cells = ("parameters", "imports", "functions", "models", "validate")
        again = execute_here(here.folder, "train", given, cells=cells)
        columns = again["FEATURES"]
        model = again["make_model"]().fit(again["columns"][columns], again["late"])
        assert (again["predict"](model, again["featurize"](holdout)[columns]) == before).all()


def test_a_second_run_does_nothing_but_deploy(
    here: Example, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    for name in surroundings(here.folder):
        if name.startswith("MLOPS_"):
            monkeypatch.delenv(name)
    for path in [*FLIGHTS.glob("*.*"), here.folder / "flights.duckdb"]:
        shutil.copy(path, tmp_path)
    (tmp_path / "mlops.toml").write_text("zygote_linger_seconds = 0\n")
    monkeypatch.chdir(tmp_path)
    mlops.run_pipeline("pipeline.yaml", {"train_weeks": 2})
    request.addfinalizer(lambda: end_deployments(tmp_path))
    served = mlops.find_deployments()[0].deployment
    champion = mlops.load_model("models:/flights-delay@champion").version
    mlops.alias("flights-delay", "champion", 3 - champion.version)  # somebody else moved it meanwhile
    run = mlops.run_pipeline("pipeline.yaml", {"train_weeks": 2})
    tasks = mlops.get_workspace().catalog.find(TaskRun, where={"run_id": run.run_id})
    states = {task.task: task.state for task in tasks}
    assert [states[name] for name in ("pull", "features", "train_a", "train_b", "compare")] == ["cached"] * 5
    assert sorted([states["deploy_a"], states["deploy_b"]]) == ["skipped", "succeeded"]
    assert mlops.load_model("models:/flights-delay@champion").version == champion
    assert mlops.find_deployments()[0].deployment == served  # nothing was restarted
    assert {version.task for version in mlops.find_models("flights-delay")} == {"train_a", "train_b"}


def test_a_warehouse_on_postgresql_gives_the_same_features(here: Example, postgresql: Any) -> None:
    import sqlalchemy

    warehouse = importlib.import_module("warehouse")
    address = postgresql.fresh().replace("postgresql://", "postgresql+psycopg://")
    engine = sqlalchemy.create_engine(address)
    some = "time_hour BETWEEN '2013-05-04' AND '2013-05-30'"
    for table in warehouse.TABLES:
        rows = some if table in ("flights", "weather") else "TRUE"
        found = warehouse.read("duckdb:///flights.duckdb", f"SELECT * FROM {table} WHERE {rows}")
        found.to_sql(table, engine, index=False, chunksize=10_000)
    engine.dispose()
    pulled = execute(here.folder, "pull", {"week": WEEK, "train_weeks": TRAIN_WEEKS, "warehouse": address})
    assert pulled.artifacts == here.tasks["pull"].artifacts
    made = execute(here.folder, "features", {"week": WEEK, "warehouse": address, **pulled.artifacts})
    assert made.artifacts == here.tasks["features"].artifacts


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_notebook_is_kept_clean(name: str) -> None:
    notebook = json.loads((FLIGHTS / f"{name}.ipynb").read_text("utf-8"))
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert [cell["outputs"] for cell in code if cell["outputs"] or cell["execution_count"]] == []
    ids = [cell["id"] for cell in notebook["cells"]]
    assert len(ids) == len(set(ids))
    assert notebook["metadata"]["kernelspec"]["name"] == "python3"
    nbformat.validate(nbformat.from_dict(notebook))


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_each_parameter_has_a_type_a_default_and_help(name: str) -> None:
    parameters = read_parameters(read_notebook(FLIGHTS, name))
    assert parameters
    for parameter in parameters:
        assert str(parameter.kind) != "anything"
        assert parameter.help
        assert parameter.default_source


def test_pipeline_gives_each_notebook_only_what_it_declares() -> None:
    pipeline = load_pipeline(FLIGHTS / "pipeline.yaml")
    assert [task.name for task in pipeline.tasks] == [
        "pull", "features", "train_a", "train_b", "compare", "deploy_a", "deploy_b",
    ]  # fmt: skip
    for task in pipeline.tasks:
        declared = {
            parameter.name for parameter in read_parameters(nbformat.read(FLIGHTS / task.notebook, 4))
        }
        assert set(task.parameters) <= declared


@pytest.mark.parametrize(("number", "name"), list(enumerate(NOTEBOOKS, start=1)))
def test_notebook_tells_the_reader_where_it_stands(number: int, name: str) -> None:
    title, _, trail, *_ = read_notebook(FLIGHTS, name).cells[0].source.splitlines()
    assert title.startswith(f"# {number} · ")
    assert f"**{name}**" in trail
    assert trail.replace("**", "") == "pull → features → train (twice) → compare → deploy"
