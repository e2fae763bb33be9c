"""The benchmarks run, both sides do the work, and the tables have their shape. Times are never asserted."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(__file__).parent.parent / "benchmarks"
sys.path.insert(0, str(FOLDER))

import dag  # noqa: E402 - the benchmarks are scripts beside each other, no package
import harness  # noqa: E402
import stores_features  # noqa: E402
import stores_peer  # noqa: E402

KEYS = {"case", "who", "unit", "median", "least", "most", "count", "times_faster", "is_ours"}


def run(tmp_path: Path, script: str, *words: str) -> tuple[dict[str, Any], str]:
    """What a script writes as JSON, and what it prints."""
    target = Path("found", "figures.json")  # from where the caller stands
    full = [sys.executable, str(FOLDER / script), *words, "--json", str(target)]
    done = subprocess.run(full, capture_output=True, text=True, timeout=240, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    return json.loads((tmp_path / target).read_text()), done.stdout + done.stderr


def rows_of(found: dict[str, Any]) -> list[dict[str, Any]]:
    rows = [row for table in found["tables"] for row in table["rows"]]
    assert {"date", "machine", "load", "python", "versions"} <= found.keys()
    for row in rows:
        assert row.keys() >= KEYS
        assert 0 < row["least"] <= row["median"] <= row["most"]
    for case in {row["case"] for row in rows}:
        first = next(row for row in rows if row["case"] == case)
        assert first["times_faster"] == 1
    return rows


@pytest.mark.slow
def test_latency_measures_papermill_and_us_in_a_process_and_by_commands(tmp_path: Path) -> None:
    words = ("--cases", "trivial", "--rounds", "1", "--batch", "2", "--command-rounds", "1")
    found, printed = run(tmp_path, "latency.py", *words)
    rows = rows_of(found)
    assert [row["who"] for row in rows if not row["is_ours"]] == ["papermill.execute_notebook", "papermill"]
    assert {row["who"] for row in rows} >= {
        "ours",
        "ours, 2 in a row, each",
        "ours, the first of a process",
        "jupyter mlops execute",
        "jupyter mlops execute, the first",
        "papermill --engine mlops",
    }
    assert "| trivial | papermill " in printed
    assert not list(tmp_path.glob("*.ipynb"))


@pytest.mark.slow
def test_throughput_measures_a_pipeline_and_threads_against_pools_of_papermill(tmp_path: Path) -> None:
    words = ("--cases", "trivial", "--notebooks", "2", "--rounds", "1", "--ploomber", "skip")
    found, printed = run(tmp_path, "throughput.py", *words)
    rows = rows_of(found)
    assert {row["unit"] for row in rows} == {"per second"}
    assert [row["who"] for row in rows][:2] == ["papermill, 2 processes", "papermill, 4 processes"]
    assert {"ours, a pipeline", "ours, run_cells in 4 threads"} <= {row["who"] for row in rows}
    assert "without Ploomber: --ploomber skip" in printed


@pytest.mark.slow
def test_outputs_counts_what_is_written(tmp_path: Path) -> None:
    small = ("--small", "displays under one id", "displays in a widget", "--counts", "20")
    found, _ = run(tmp_path, "outputs.py", "--cells", "3", "--size", "20000", "--rounds", "1", *small)
    rows = rows_of(found)
    assert [row["who"] for row in rows[:3]] == ["papermill", "papermill, no save on cell execute", "ours"]
    assert [(row["case"], row["who"]) for row in rows[-3:]] == [
        ("20 displays under one id", "papermill"),
        ("20 displays under one id", "ours"),
        ("20 displays in a widget", "ours"),
    ]
    for row in rows[:-3]:
        assert row["MB written"] == "?" or row["MB written"] >= 0.06
        assert row["MB lost"] == 0


@pytest.mark.slow
def test_dag_plans_checks_and_finds_up_to_date(tmp_path: Path) -> None:
    found, printed = run(
        tmp_path, "dag.py", "--tasks", "6", "--width", "3", "--rounds", "1", "--ploomber", "skip"
    )
    rows = rows_of(found)
    assert len(rows) == 6
    assert {row["tasks"] for row in rows} == {6}
    assert "Without Ploomber." in printed


@pytest.mark.slow
def test_ploomber_does_its_part_in_an_environment_that_is_made_for_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """As `dag.py` and `throughput.py` ask it; each process takes it seconds to start, so it is asked three times."""
    kernel = tmp_path / "jupyter" / "kernels" / harness.KERNEL / "kernel.json"
    kernel.parent.mkdir(parents=True)
    argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    kernel.write_text(json.dumps({"argv": argv, "display_name": harness.KERNEL, "language": "python"}))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "jupyter"))
    monkeypatch.setenv("PLOOMBER_STATS_ENABLED", "false")
    ploomber = harness.Ploomber.find("auto")
    assert ploomber is not None, "its environment could not be made"
    spec = dag.write_ploomber(tmp_path, dag.shape(4, 2), is_shared=True)
    task = {"spec": spec.name, "rehearsal": dag.REHEARSAL}
    ploomber.run("prepare", task, tmp_path)
    assert ploomber.run("rebuild", task, tmp_path)["ran"] == 0
    outputs = [tmp_path / f"{number}.ipynb" for number in (1, 2)]
    asked = {"notebook": str(tmp_path / "notebooks" / "shared.ipynb"), "outputs": [*map(str, outputs)]}
    assert ploomber.run("parallel", {**asked, "processes": 2}, tmp_path)["seconds"] > 0
    assert ["".join(one["text"] for one in harness.outputs_of(path)) for path in outputs] == ["0\n", "2\n"]


@pytest.mark.slow
def test_stores_measures_us_alone_where_there_are_no_peers(tmp_path: Path) -> None:
    found, printed = run(tmp_path, "stores.py", "--small", "--feast", "skip", "--mlflow", "skip")
    titles = [table["title"] for table in found["tables"]]
    assert titles == ["Point-in-time join", "Materialize", "Online reads", "Models", "Import"]
    assert all(row["is_ours"] for row in rows_of(found))
    assert all(row["lost"] == row["wrong"] == 0 for row in found["tables"][0]["rows"])
    assert "without feast: --feast skip" in printed


@pytest.mark.slow
def test_feast_and_mlflow_stand_beside_where_they_are_installed(tmp_path: Path) -> None:
    pythons = {
        name: stores_peer.place(name, wanted) / "bin" / "python" for name, wanted in stores_peer.PEERS.items()
    }
    if not all(python.exists() for python in pythons.values()):
        pytest.skip("no benchmark has made the peers' environments here yet")
    words = [word for name, python in pythons.items() for word in (f"--{name}", str(python))]
    found, _ = run(tmp_path, "stores.py", "--small", *words)
    rows = rows_of(found)
    assert {"Polars' join_asof", "Feast, its DuckDB store", "Feast", "MLflow, pyfunc"} <= {
        row["who"] for row in rows
    }
    joined = {row["who"]: row for row in found["tables"][0]["rows"]}
    assert all(row["wrong"] == 0 for row in joined.values())
    assert joined["Polars' join_asof"]["lost"] == joined["Feast, its DuckDB store"]["lost"] == 0
    assert joined["Feast, its default (dask) store"]["lost"] > 0, (
        "it loses rows; if not any more, tell the docs"
    )


def test_lost_and_wrong_rows_are_counted() -> None:
    pandas = pytest.importorskip("pandas")
    expected = pandas.DataFrame({"row": [0, 1, 2, 3], "a_0": [1.0, None, 3.0, 4.0], "user": [1, 2, 3, 4]})
    assert stores_features.differences(expected.iloc[::-1], expected) == (0, 0)
    answer = pandas.DataFrame({"row": [3, 1, 0], "a_0": [4.0, None, 1.5]})
    assert stores_features.differences(answer, expected) == (1, 1)


def test_who_goes_first_alternates_and_the_first_round_is_thrown_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(harness, "PAUSE_SECONDS", 0)
    went: list[str] = []

    def contestant(who: str) -> Any:
        return harness.Row("case", who), lambda: went.append(who) or float(len(went))

    turns = [contestant("a"), contestant("b")]
    harness.take_turns(turns, 2)
    assert "".join(went) == "ba" + "ab" + "ba"
    assert [row.values for row, _ in turns] == [[3.0, 6.0], [4.0, 5.0]]
    went.clear()
    harness.take_turns([contestant("a"), contestant("b")], 1)
    assert went == ["a", "b"], "a single round is no measurement, and none is thrown away before it"


def test_ratios_are_to_the_first_of_the_case_for_times_and_for_rates() -> None:
    rows = [
        harness.Row("one", "peer", [2.0, 4.0, 3.0]),
        harness.Row("one", "ours", [0.03], is_ours=True),
        harness.Row("two", "peer", [2.0], is_rate=True),
        harness.Row("two", "ours", [30.0], is_rate=True, is_ours=True),
    ]
    table = harness.Table("A title", rows, notes=["A note."])
    assert [round(table.ratio(row), 6) for row in rows] == [1, 100, 1, 15]
    text = table.to_text().splitlines()
    assert text[0] == "### A title"
    assert len({len(line) for line in text[2:8]}) == 1
    assert text[5].split("|")[2:5] == [" **ours** ", " 30.0 ms ", " 30.0 ms – 30.0 ms "]
    assert text[-1] == "A note."


@pytest.mark.parametrize(
    ("found", "word"), [({"a": [1], "b": [2]}, "differ"), ({"a": [], "b": []}, "nothing")]
)
def test_a_wrong_answer_ends_a_benchmark(found: dict[str, Any], word: str) -> None:
    with pytest.raises(SystemExit, match=word):
        harness.require_equal(found)


def test_text_in_pieces_is_the_same_text(tmp_path: Path) -> None:
    def written(name: str, *outputs: dict[str, Any]) -> Path:
        path = tmp_path / name
        path.write_text(json.dumps({"cells": [{"outputs": [*outputs]}, {}]}))
        return path

    def stream(name: str, *text: str) -> dict[str, Any]:
        return {"output_type": "stream", "name": name, "text": [*text]}

    value = {
        "output_type": "execute_result",
        "data": {"text/plain": ["1"]},
        "metadata": {},
        "execution_count": 3,
    }
    one = written("one.ipynb", stream("stdout", "a\n", "b"), stream("stderr", "c"), value)
    two = written(
        "two.ipynb",
        stream("stdout", "a\n"),
        stream("stdout", "b"),
        stream("stderr", "c"),
        {**value, "execution_count": 4},
    )
    assert harness.outputs_of(one) == harness.outputs_of(two)
    assert harness.outputs_of(one)[0]["text"] == "a\nb"


def test_layers_fan_in_from_the_layer_above() -> None:
    needs = dag.shape(30, 10)
    assert len(needs) == 30
    assert needs["t3"] == []
    assert needs["t19"] == ["t9", "t0", "t1"]
    assert needs["t20"] == ["t10", "t11", "t12"]


@pytest.mark.slow
def test_a_ploomber_that_cannot_be_installed_is_told_and_left_out(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(harness, "PLOOMBER_VENV", tmp_path / "venv")
    monkeypatch.setattr(harness, "PLOOMBER_REQUIREMENTS", (str(tmp_path / "no-such-1.0-py3-none-any.whl"),))
    if importlib.util.find_spec("ploomber") is not None:
        pytest.skip("Ploomber is installed here")
    assert harness.Ploomber.find("auto") is None
    assert "without Ploomber: it could not be installed" in capfd.readouterr().err
