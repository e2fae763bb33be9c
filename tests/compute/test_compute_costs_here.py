"""Costs by the records of a catalog: of runs, tasks, model versions and pipelines, and on the command line."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner, Result

from jupyter_mlops.catalog import Catalog
from jupyter_mlops.catalog.records import Attempt, ComputeMeasurement, ModelVersion, Run, Schedule, TaskRun
from jupyter_mlops.cli import cli
from jupyter_mlops.compute.book import Compute
from jupyter_mlops.errors import InvalidInput, NotFound
from jupyter_mlops.events import now

GIB = 2**30
PLAN = {
    "version": 1,
    "tasks": [
        {"key": "pull"},
        {"key": "train", "needs": ["pull"], "resources": {"cpu": 2.0, "memory": 8 * GIB}},
        {"key": "report", "needs": ["pull"]},
        {"key": "score", "needs": ["train"], "resources": {"memory": 2 * GIB}},
    ],
}
PIPELINE = """\
name: flights
tasks:
  pull: {notebook: pull.ipynb}
schedules:
  nightly: {cron: "@daily"}
"""


def task(run: str, name: str, seconds: float, **more: Any) -> TaskRun:
    given = {
        "state": "succeeded",
        "duration_seconds": seconds,
        "peak_memory_bytes": GIB,
        "name": name,
        **more,
    }
    return TaskRun(run_id=run, task=more.pop("task", name), **{k: v for k, v in given.items() if k != "task"})


def run(run_id: str, **more: Any) -> Run:
    given = {"pipeline": "flights", "plan": PLAN, "state": "succeeded", "created_at": now(), **more}
    return Run(run_id=run_id, **given)


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    """Two runs: of the second one, `pull` came from the cache, and `train` took two attempts."""
    (tmp_path / "mlops.toml").write_text("")
    (tmp_path / ".mlops").mkdir()
    with Catalog.open(f"sqlite:///{tmp_path / '.mlops' / 'catalog.db'}") as opened:
        opened.add(
            run("run-1", created_at=now() - timedelta(hours=2)),
            task("run-1", "pull", 600),
            task("run-1", "train", 1800, peak_memory_bytes=int(1.2 * GIB)),
            task("run-1", "report", 60),
            run("run-2"),
            task("run-2", "pull", 0, state="cached", source_run_id="run-1"),
            task("run-2", "train", 1800),
            task("run-2", "report", 60),
            task("run-2", "score", 30, task="score[0]"),
            task("run-2", "score", 30, task="score[1]"),
            task("run-2", "later", 0, state="upstream_failed"),
            Attempt(run_id="run-2", task="train", attempt=1, state="failed", duration_seconds=900),
            Attempt(run_id="run-2", task="train", attempt=2, state="succeeded", duration_seconds=1800),
        )
        yield opened


@pytest.fixture
def version() -> Callable[..., ModelVersion]:
    def make(**given: Any) -> ModelVersion:
        return ModelVersion(name="late", version=1, manifest="d", created_at=now(), **given)

    return make


def test_a_run_pays_for_every_attempt_and_nothing_from_the_cache(catalog: Catalog) -> None:
    found = Compute(catalog).cost_of_run(catalog.get(Run, "run-2"))
    taken = {use.task: (use.seconds, use.longest) for use in found.uses}
    assert taken == {"train": (2700, 1800), "report": (60, 60), "score[0]": (30, 30), "score[1]": (30, 30)}
    assert {use.task: use.asked.memory for use in found.uses}["score[0]"] == 2 * GIB  # as its group asks
    assert found.subject == "run run-2"
    assert found.runs_a_month is None
    assert json.loads(json.dumps(found.to_json()))["hours"] == pytest.approx(2820 / 3600)


def test_one_task_of_a_run(catalog: Catalog) -> None:
    compute, last = Compute(catalog), catalog.get(Run, "run-2")
    assert [use.task for use in compute.cost_of_run(last, "score").uses] == ["score[0]", "score[1]"]
    whole = {quote.place: quote.total for quote in compute.cost_of_run(last).quotes}
    parts = [
        {q.place: q.total for q in compute.cost_of_run(last, name).quotes}
        for name in ("train", "report", "score")
    ]
    for place, total in whole.items():
        assert sum(part[place] for part in parts) == pytest.approx(total)
    with pytest.raises(NotFound) as caught:
        compute.cost_of_run(last, "trian")
    assert "train" in caught.value.hint


def test_a_model_costs_what_came_before_it_wherever_that_was_executed(
    catalog: Catalog, version: Callable[..., ModelVersion]
) -> None:
    compute = Compute(catalog)
    made = compute.cost_of_version(version(run_id="run-2", task="train"))
    assert {use.task: use.seconds for use in made.uses} == {"train": 2700, "pull": 600}  # no report, no score
    mapped = compute.cost_of_version(version(run_id="run-2", task="score[0]"))
    assert {"pull", "train", "score[0]"} <= {use.task for use in mapped.uses}
    assert made.subject == "models:/late/1"
    for lost in (version(), version(run_id="gone", task="train")):
        with pytest.raises(NotFound, match="outside of a run"):
            compute.cost_of_version(lost)


def test_a_pipelines_month(catalog: Catalog) -> None:
    compute = Compute(catalog)
    found = compute.cost_of_pipeline("flights", schedules=[("@daily", "UTC")])
    assert found.runs_a_month == pytest.approx(365 / 12)
    assert found.basis == "its schedules"
    taken = {use.task: use.seconds for use in found.uses}
    assert taken["pull"] == 600  # a scheduled run finds nothing in the cache
    assert taken["train"] == (1800 + 2700) / 2
    assert taken["score[0]"] == 15  # in one run of two
    assert {suggestion.task for suggestion in found.suggestions} == {"pull", "train", "report", "score"}


def test_how_often_it_runs(catalog: Catalog) -> None:
    compute = Compute(catalog)
    seen = compute.cost_of_pipeline("flights")
    assert (seen.runs_a_month, seen.basis) == (pytest.approx(2 * 365 / 360), "its runs of the last 30 days")
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    catalog.add(
        Schedule(
            name="flights.weekly", pipeline="flights", pipeline_path="pipeline.yaml", cron="@weekly", timezone="UTC",
            spec={}, created_at=moment, updated_at=moment,
        )
    )  # fmt: skip
    active = compute.cost_of_pipeline("flights", schedules=[("@daily", "UTC")])
    assert active.runs_a_month == pytest.approx(52 / 12, rel=0.03)  # what is active counts, not the file
    given = compute.cost_of_pipeline("flights", runs=10)
    assert (given.runs_a_month, given.basis) == (10, "what you gave")
    with pytest.raises(InvalidInput, match="cannot be"):
        compute.cost_of_pipeline("flights", runs=-1)
    with pytest.raises(NotFound, match="never measured"):
        compute.cost_of_pipeline("other")


# --- the command line --------------------------------------------------------------------------------------


@pytest.fixture
def tell(catalog: Catalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    monkeypatch.chdir(tmp_path)
    for name in ("CI", "FORCE_COLOR", "NO_COLOR", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "pipeline.yaml").write_text(PIPELINE)
    return lambda *words: CliRunner().invoke(cli, [str(word) for word in words])


def test_cost_of_the_pipeline_here(tell: Callable[..., Result]) -> None:
    said = tell("cost")
    assert said.exit_code == 0, said.output
    assert "pipeline flights: 5 tasks" in said.stdout
    assert "runs 30.4 times a month, by its schedules" in said.stdout
    for place in ("here", "aws spot", "azure", "gcp", "own"):
        assert f"\n{place} " in said.stdout
    assert "asked 8 GiB, used 1.2 GiB: ask 1.5 GiB" in said.stdout
    assert "owning is cheaper" in said.stdout
    assert "are of 2025-06-30, older than a year: put newer ones" in said.stderr


def test_newer_prices_are_one_step(tell: Callable[..., Result], tmp_path: Path) -> None:
    said = tell("compute", "prices", "--write", "prices")
    assert said.exit_code == 0, said.output
    for path in (tmp_path / "prices").iterdir():
        path.write_text(path.read_text().replace("as_of: 2025-06-30", f"as_of: {now():%Y-%m-%d}"))
    (line,) = [line for line in said.stdout.splitlines() if "compute_prices" in line]
    (tmp_path / "mlops.toml").write_text(line.partition("mlops.toml: ")[2] + "\n")
    assert "older than a year" not in tell("cost").stderr
    assert f"{now():%Y-%m-%d}" in tell("compute", "prices").stdout
    assert "there is a file" in tell("compute", "prices", "--write", "prices").stderr


def test_cost_as_json_and_as_a_picture(tell: Callable[..., Result], tmp_path: Path) -> None:
    said = tell(
        "cost",
        "pipeline.yaml",
        "--runs-per-month",
        "5000",
        "--plot",
        "cost.svg",
        "--provider",
        "aws",
        "--json",
    )
    body = json.loads(said.stdout)["cost"]
    assert body["runs_a_month"] == 5000
    assert [quote["place"] for quote in body["quotes"]] == ["here", "aws", "aws spot", "own"]
    assert body["quotes"][1]["monthly"] == pytest.approx(5000 * body["quotes"][1]["total"])
    assert {each["place"] for each in body["break_evens"]} == {"aws", "aws spot"}
    ElementTree.parse(tmp_path / "cost.svg")


def test_cost_of_a_run_by_task(tell: Callable[..., Result]) -> None:
    said = tell("cost", "latest", "--tasks")
    assert "run run-2: 4 tasks, 47 min 00 s of work" in said.stdout
    assert "score[1]" in said.stdout
    assert tell("cost", "run-1", "--task", "train", "--json").exit_code == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("cost", "nothing"), "is no pipeline, run or model"),
        (("cost", "missing.yaml"), "there is no pipeline file missing.yaml"),
        (("cost", "models:/none/1"), "none"),
        (("cost", "latest", "--runs-per-month", "3"), "runs a month are of a pipeline"),
        (("cost", "--task", "train"), "a task's cost is of a run"),
        (("cost", "models:/none", "--task", "train"), "a task's cost is of a run"),
        (("cost", "--utilization", "2"), "cannot be"),
        (("cost", "--utilization", "nan"), "cannot be"),
        (("cost", "--runs-per-month", "-1"), "range"),
        (("cost", "--instance", "m7i.larg"), "no instance 'm7i.larg'"),
        (("cost", "--server", "x"), "no server 'x'"),
        (("cost", "--provider", "x"), "no prices of 'x'"),
        (("compute", "prices", "--provider", "x"), "no prices of 'x'"),
        (("compute", "bnech"), "no command"),
        (("compute", "suggest", "missing.yaml"), "no pipeline file"),
    ],
)
def test_what_is_wrong_is_one_clear_message(
    tell: Callable[..., Result], words: tuple[str, ...], message: str
) -> None:
    said = tell(*words)
    assert said.exit_code == 2, said.output
    assert message in said.stderr
    assert "Traceback" not in said.output


def test_a_picture_that_cannot_be_written(tell: Callable[..., Result]) -> None:
    said = tell("cost", "--plot", "missing/cost.svg")
    assert said.exit_code == 1
    assert "cannot write missing/cost.svg" in said.stderr


def test_prices_that_are_wrong_end_in_one_message(tell: Callable[..., Result], tmp_path: Path) -> None:
    (tmp_path / "mlops.toml").write_text('compute_prices = "own.yaml"\n')
    assert "there is no file" in tell("cost").stderr
    (tmp_path / "own.yaml").write_text("provider: x\n")
    said = tell("cost", "--json")
    assert said.exit_code == 2
    assert len(json.loads(said.stdout)["error"]["problems"]) == 2


def test_units_and_what_was_measured(tell: Callable[..., Result], catalog: Catalog) -> None:
    said = tell("compute")
    assert "CPU" in said.stdout
    assert "nothing was measured yet" in said.stderr
    unit = json.loads(tell("compute", "--json").stdout)["units"][0]
    assert unit["measured"] is None
    body = {"flops": {"float64": 123e9}, "memory_bandwidth": 1e10, "seconds": 1.0}
    catalog.add(ComputeMeasurement(unit=unit["unit"], kind="CPU", name="x", body=body, measured_at=now()))
    assert "f64 123 GFLOPS" in tell("compute").stdout
    assert json.loads(tell("compute", "--json").stdout)["units"][0]["measured"]["flops"] == {"float64": 123e9}


@pytest.mark.slow
def test_bench_measures_and_keeps(tell: Callable[..., Result], tmp_path: Path) -> None:
    said = tell("compute", "bench", "--json")
    (measured,) = [each for each in json.loads(said.stdout)["measurements"] if each["kind"] == "CPU"]
    assert measured["disk"]["folder"] == str(tmp_path)
    assert "GFLOPS" in tell("compute").stdout


def test_prices_are_listed_with_date_and_source(tell: Callable[..., Result]) -> None:
    said = tell("compute", "prices", "--provider", "gcp", "--gpu")
    assert "tpu-v5e" in said.stdout
    assert "n2-standard" not in said.stdout
    assert "2025-06-30" in said.stdout
    assert "https://cloud.google.com/tpu/pricing" in said.stdout
    own = json.loads(tell("compute", "prices", "--provider", "own", "--json").stdout)
    assert own["instances"] == []
    assert own["servers"][0]["monthly"]["power"] > 0


def test_suggestions(tell: Callable[..., Result]) -> None:
    assert "asked nothing, used 1 GiB: ask 1.5 GiB" in tell("compute", "suggest").stdout
    found = json.loads(tell("compute", "suggest", "--json").stdout)
    assert found["pipeline"] == "flights"
    assert {each["task"] for each in found["suggestions"]} >= {"pull", "train"}


# --- a notebook --------------------------------------------------------------------------------------------


def test_the_same_from_a_notebook(tell: Callable[..., Result]) -> None:
    from jupyter_mlops.session import costing
    from jupyter_mlops.session.place import close_workspace

    try:
        units = costing.compute_units()
        assert units[0].kind == "CPU"
        assert "<table" in units._repr_html_()
        assert units[0].unit in repr(units)
        assert list(units[:1]) == [units[0]]
        month = costing.cost(runs_a_month=100, providers=["aws"])
        assert month.runs_a_month == 100
        assert "<svg" in month._repr_html_()
        assert costing.cost(".").subject == "pipeline flights"
        assert costing.cost("latest", task="train").subject == "task train of run run-2"
        with pytest.raises(NotFound):
            costing.cost("other.yaml")
    finally:
        close_workspace()
