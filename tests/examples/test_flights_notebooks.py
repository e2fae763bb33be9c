"""The flights example, run as a reader runs it: each notebook on an ordinary kernel, one after the other.

What takes a kernel a few seconds is done once, for all tests; what looks into single cells runs them here.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
import pytest

from jupyter_mlops import emit
from jupyter_mlops.notebooks.outputs import read_artifacts, read_results
from jupyter_mlops.notebooks.parameters import read_parameters
from jupyter_mlops.pipelines.spec import load_pipeline

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
) -> dict[str, Any]:
    """The names that cells leave behind, run in this process: all cells, or those with these ids."""
    names: dict[str, Any] = {"__name__": "__main__"}
    for cell in read_notebook(folder, name).cells:
        if cell.cell_type == "code" and (not cells or cell.id in cells):
            exec(compile(cell.source.replace(*replace), f"{name}.ipynb:{cell.id}", "exec"), names)
            if "parameters" in cell.metadata.get("tags", []):
                names.update(arguments)
    return names


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Example:
    folder = tmp_path_factory.mktemp("flights")
    for path in [*FLIGHTS.glob("*.ipynb"), *FLIGHTS.glob("*.py")]:
        shutil.copy(path, folder)
    tasks: dict[str, Ran] = {}

    def run(task: str, name: str, **arguments: Any) -> dict[str, str]:
        tasks[task] = execute(folder, name, arguments)
        return tasks[task].artifacts

    pulled = run("pull", "pull", week=WEEK, train_weeks=TRAIN_WEEKS)
    made = run("features", "features", week=WEEK, **pulled)
    model_a = run("train_a", "train", train=made["train"], algorithm="logistic")["logistic"]
    model_b = run("train_b", "train", train=made["train"], algorithm="boosting")["boosting"]
    compared = run("compare", "compare", model_a=model_a, model_b=model_b, holdout=made["holdout"])
    winner = tasks["compare"].results["winner"]
    model = {"a": model_a, "b": model_b}[winner]
    scores, holdout = compared["scores"], made["holdout"]
    run("deploy", "deploy", candidate=winner, model=model, scores=scores, holdout=holdout)
    return Example(folder, tasks)


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


def test_deployment_names_the_winner_and_a_model_that_answers(here: Example) -> None:
    deployment = here.open("deploy", "deployment")
    winner = here.tasks["compare"].results["winner"]
    assert deployment["candidate"] == winner == here.tasks["deploy"].results["deployed"]
    assert deployment["metrics"] == here.open("compare", "scores")["models"][winner]
    assert deployment["valid_from"] == "2013-05-27"
    model, holdout = emit.input(deployment["model"]), here.open("features", "holdout")
    chances = model.predict_proba(holdout[list(model.feature_names_in_)])[:, 1]
    assert 0 < chances.min() < chances.max() < 1


@pytest.mark.filterwarnings("ignore:FigureCanvasAgg is non-interactive")
def test_models_that_change_places_change_the_winner_and_only_the_winner_is_deployed(here: Example) -> None:
    features, scores_of = here.tasks["features"].artifacts, here.tasks["compare"].results
    arguments = {
        "model_a": here.tasks["train_b"].artifacts["boosting"],
        "model_b": here.tasks["train_a"].artifacts["logistic"],
        "holdout": features["holdout"],
    }
    swapped = execute_here(here.folder, "compare", arguments)
    assert swapped["winner"] != scores_of["winner"]
    assert swapped["scores"]["a"]["auc"] == scores_of["auc_b"]
    loser = {
        "candidate": swapped["winner"],
        "model": arguments["model_a"],
        "scores": here.tasks["compare"].artifacts["scores"],
        "holdout": features["holdout"],
    }
    with pytest.raises(ValueError, match="did not win"):
        execute_here(here.folder, "deploy", loser)


LEAKS = {
    "weather known by its stamp": ('weather_known="observed_at"', 'weather_known="time_hour"'),
    "outcomes known when scheduled": ('outcome_known="left_at"', 'outcome_known="departs_at"'),
    "a flight in its own past": ("is_self_excluded=True", "is_self_excluded=False"),
    "delays of the whole day": (
        'closes_at = flights["departs_at"]',
        'closes_at = flights["departs_at"].dt.ceil("D")',
    ),
}


@pytest.mark.parametrize("proof", ["slow", "proof"])
@pytest.mark.parametrize("leak", LEAKS)
def test_each_proof_stops_the_notebook_when_a_leak_is_planted(here: Example, leak: str, proof: str) -> None:
    assert any(LEAKS[leak][0] in cell.source for cell in read_notebook(here.folder, "features").cells)
    cells = ("parameters", "imports", "known", "extract", proof)
    arguments = {"week": WEEK, **here.tasks["pull"].artifacts}
    with pytest.raises(AssertionError):
        execute_here(here.folder, "features", arguments, cells=cells, replace=LEAKS[leak])


@pytest.mark.filterwarnings("ignore:FigureCanvasAgg is non-interactive")
def test_same_inputs_give_the_same_artifacts(here: Example) -> None:
    pulled, made = here.tasks["pull"].artifacts, here.tasks["features"].artifacts
    features = execute_here(here.folder, "features", {"week": WEEK, **pulled})
    assert emit.artifact("train", features["train"]) == made["train"]
    assert emit.artifact("holdout", features["holdout"]) == made["holdout"]
    holdout = features["holdout"]
    for task, algorithm in (("train_a", "logistic"), ("train_b", "boosting")):
        again = execute_here(here.folder, "train", {"train": made["train"], "algorithm": algorithm})["model"]
        before = here.open(task, algorithm)
        columns = list(again.feature_names_in_)
        # Pickles of equal models may differ in which of their texts are one object, so what they say counts.
        assert (again.predict_proba(holdout[columns]) == before.predict_proba(holdout[columns])).all()


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
