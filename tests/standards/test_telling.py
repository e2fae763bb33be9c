"""A run as OpenLineage's events, which meet their schemas, and as OpenTelemetry's spans."""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from jsonschema import Draft202012Validator, FormatChecker
from referencing import Registry, Resource

from jupyter_mlops.cli import cli
from jupyter_mlops.standards.identity import TraceParent, attempt_parent, lineage_id, span_id
from jupyter_mlops.workspace import Workspace

SCHEMAS = {
    path.stem: json.loads(path.read_text()) for path in (Path(__file__).parent / "schemas").glob("*.json")
}
REGISTRY: Registry[Any] = Registry().with_resources(
    (body["$id"], Resource.from_contents(body)) for body in SCHEMAS.values()
)
PIPELINE = """\
name: told
parameters: {week: 20}
tasks:
  rows:
    notebook: rows.ipynb
    description: Makes rows
    files: [data.csv]
    parameters: {week: "${params.week}"}
  train:
    notebook: train.ipynb
    parameters: {rows: "${tasks.rows.artifacts.rows}"}
  flaky:
    notebook: flaky.ipynb
    retries: {limit: 1, delay: 0s}
  never:
    notebook: flaky.ipynb
    when: "1 > 2"
"""
NOTEBOOKS = {
    "rows": (
        "week: int = 1",
        "import os\nimport pandas as pd\nimport jupyter_mlops as mlops\n"
        'mlops.artifact("rows", pd.DataFrame({"x": [1, 2], "y": [2, 4]}))\n'
        'mlops.result("parent", os.environ.get("TRACEPARENT", ""))',
    ),
    "train": (
        "rows: object = None",
        "import jupyter_mlops as mlops\nfrom sklearn.linear_model import LinearRegression\n"
        'rows = mlops.input(rows)\nmodel = LinearRegression().fit(rows[["x"]], rows["y"])\n'
        'mlops.register_model("slope", model, input_example=rows[["x"]], data=rows, metrics={"r2": 1.0},\n'
        '    description="A line")',
    ),
    "flaky": (
        "x: int = 1",
        'from pathlib import Path\nmark = Path("mark")\nif not mark.exists():\n    mark.touch()\n'
        '    raise ConnectionError("not yet")',
    ),
}


def refs(url: str) -> tuple[str, str]:
    """File and definition of a schema's address."""
    path, _, fragment = url.partition("#")
    return path.rsplit("/", 1)[1].removesuffix(".json"), fragment


def facets(event: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from event["run"].get("facets", {}).values()
    yield from event["job"].get("facets", {}).values()
    for side in ("inputs", "outputs"):
        for dataset in event.get(side, []):
            for kind in ("facets", "inputFacets", "outputFacets"):
                yield from dataset.get(kind, {}).values()


def check(event: dict[str, Any]) -> None:
    """The event, and every facet of it, as the specification has them."""
    for url, body in [(event["schemaURL"], event), *((each["_schemaURL"], each) for each in facets(event))]:
        name, fragment = refs(url)
        schema = {"$ref": f"{SCHEMAS[name]['$id']}#{fragment}"}
        Draft202012Validator(schema, registry=REGISTRY, format_checker=FormatChecker()).validate(body)


@pytest.fixture
def told(write_project, receiver):
    """The pipeline's file, and a workspace that tells the receiver of its runs."""
    path = write_project(PIPELINE, NOTEBOOKS)
    (path.parent / "data.csv").write_text("1")
    with Workspace.open(path.parent, lineage_url=receiver.url, traces_url=receiver.url) as workspace:
        yield path, workspace


@pytest.mark.slow
def test_a_run_in_both_standards(told, receiver):
    path, workspace = told
    run = workspace.runs.run(path, {"week": 21})
    failed = [
        each["run"]["facets"]["errorMessage"] for each in receiver.events if each["eventType"] == "FAIL"
    ]
    assert run.state == "succeeded", failed
    _lineage(receiver.events, run.run_id, path)
    _spans(receiver.spans, run.run_id)
    parent = TraceParent.read({"TRACEPARENT": workspace.runs.status(path) and _result(workspace, run.run_id)})
    assert parent == attempt_parent({}, run.run_id, "rows", 1)  # a notebook's own spans are children

    receiver.bodies.clear()
    again = workspace.runs.run(path, {"week": 21})
    cached = [e for e in receiver.events if e["job"]["name"] == "told.rows" and e["eventType"] == "COMPLETE"]
    assert [each["run"]["runId"] for each in cached] == [lineage_id(again.run_id, "rows", 0)]
    tags = {tag["key"]: tag["value"] for tag in cached[0]["run"]["facets"]["tags"]["tags"]}
    assert (tags["cached"], tags["source_run"]) == ("true", run.run_id)
    (whole,) = [span for span in receiver.spans if span.name == "told"]
    assert Counter(event.name for event in whole.events) == {"task cached": 3, "task skipped": 1}


def _result(workspace: Workspace, run_id: str) -> str:
    from jupyter_mlops.catalog.records import TaskRun

    return str(workspace.catalog.get(TaskRun, run_id, "rows").results["parent"])


def _lineage(events: list[dict[str, Any]], run_id: str, path: Path) -> None:
    for event in events:
        check(event)
    assert events[0]["eventType"] == "START"
    assert events[0]["job"]["name"] == events[-1]["job"]["name"] == "told"
    assert events[-1]["eventType"] == "COMPLETE"
    assert events[0]["run"]["runId"] == lineage_id(run_id)
    assert events[0]["run"]["facets"]["executionParameters"]["parameters"] == [{"key": "week", "value": "21"}]
    of_tasks = [event for event in events if event["job"]["name"] != "told"]
    assert Counter((each["job"]["name"], each["eventType"]) for each in of_tasks) == {
        ("told.rows", "START"): 1, ("told.rows", "COMPLETE"): 1, ("told.train", "START"): 1,
        ("told.train", "COMPLETE"): 1, ("told.flaky", "START"): 2, ("told.flaky", "FAIL"): 1,
        ("told.flaky", "COMPLETE"): 1,
    }  # fmt: skip
    assert {each["run"]["facets"]["parent"]["run"]["runId"] for each in of_tasks} == {lineage_id(run_id)}
    by = {(each["job"]["name"], each["eventType"]): each for each in of_tasks}
    (rows,) = by["told.rows", "COMPLETE"]["outputs"]
    assert rows["name"] == "told.rows.rows"
    assert [each["name"] for each in rows["facets"]["schema"]["fields"]] == ["x", "y"]
    assert rows["outputFacets"]["outputStatistics"]["rowCount"] == 2
    assert by["told.rows", "START"]["inputs"][0]["name"] == (path.parent / "data.csv").as_posix()
    read = by["told.train", "START"]["inputs"]
    assert [each["name"] for each in read] == ["told.rows.rows"]
    assert read[0]["facets"]["version"] == rows["facets"]["version"]
    (model,) = by["told.train", "COMPLETE"]["outputs"]
    assert (model["name"], model["facets"]["version"]["datasetVersion"]) == ("models/slope", "1")
    assert model["facets"]["documentation"]["description"] == "A line"
    assert "not yet" in by["told.flaky", "FAIL"]["run"]["facets"]["errorMessage"]["message"]


def _spans(spans: list[Any], run_id: str) -> None:
    by = {int.from_bytes(span.span_id): span for span in spans}
    assert len(by) == len(spans)
    assert len({span.trace_id for span in spans}) == 1
    whole = by[span_id(run_id)]
    assert (whole.name, whole.parent_span_id) == ("told", b"")
    for task, attempt in (("rows", 1), ("train", 1), ("flaky", 1), ("flaky", 2)):
        span = by[span_id(run_id, task, attempt)]
        assert int.from_bytes(span.parent_span_id) == span_id(run_id)
        assert whole.start_time_unix_nano <= span.start_time_unix_nano <= span.end_time_unix_nano
        cells = [each for each in spans if each.parent_span_id == span.span_id]
        assert cells
        assert all(each.name.startswith("cell ") for each in cells)
        is_failed = (task, attempt) == ("flaky", 1)
        assert (span.status.code == 2) is is_failed
        assert (cells[-1].status.code == 2) is is_failed


@pytest.mark.parametrize(
    "kind", ["wrong", *(pytest.param(kind, marks=pytest.mark.slow) for kind in ("refused", "gone"))]
)
def test_a_receiver_that_is_no_good_harms_no_run(kind, write_project, receiver, caplog, monkeypatch):
    path = write_project("name: one\ntasks: {a: {notebook: a.ipynb}}\n", {"a": ("x: int = 1", "x")})
    receiver.status = 400
    url = "http://127.0.0.1:9" if kind == "gone" else receiver.url
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1")
    if kind == "wrong":
        monkeypatch.setenv("OTEL_TRACES_EXPORTER", "zipkin")
        monkeypatch.setenv("OPENLINEAGE__TRANSPORT__TYPE", "pigeon")
    else:
        retry = {"total": 0, "connect": 0}
        monkeypatch.setenv("OPENLINEAGE__TRANSPORT__RETRY", json.dumps(retry))
        monkeypatch.setenv("MLOPS_LINEAGE_URL", url)
        monkeypatch.setenv("MLOPS_TRACES_URL", url)
    with caplog.at_level(logging.WARNING, "jupyter_mlops"), Workspace.open(path.parent) as workspace:
        assert workspace.runs.run(path).state == "succeeded"
    told = [r.getMessage() for r in caplog.records if r.name.startswith("jupyter_mlops.standards")]
    assert sorted(text[:11] for text in told) == ["OpenLineage", "OpenTelemet"]


def test_what_nobody_asks_for_is_not_loaded(write_project, receiver):
    from jupyter_mlops.settings import Settings
    from jupyter_mlops.standards import lineage, traces

    settings = Settings.load(write_project("", {}).parent)
    assert not lineage.is_wanted(settings, {})
    assert not traces.is_wanted(settings, {})
    on = {"OPENLINEAGE_URL": "http://x"}
    assert lineage.is_wanted(settings, on)
    assert not lineage.is_wanted(settings, {**on, "OPENLINEAGE_DISABLED": "true"})
    on = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x"}
    assert traces.is_wanted(settings, on)
    assert not traces.is_wanted(settings, {**on, "OTEL_SDK_DISABLED": "true"})
    assert not traces.is_wanted(settings, {**on, "OTEL_TRACES_EXPORTER": "none"})


def test_tasks_that_others_start_join_one_run(write_project, receiver, monkeypatch):
    """Each in a process of its own, within a trace that the orchestrator began."""
    text = "name: two\ntasks:\n  a: {notebook: a.ipynb}\n  b: {notebook: a.ipynb, needs: [a]}\n"
    path = write_project(text, {"a": ("x: int = 1", "x")})
    outer = TraceParent(0xABC, 0xDEF, 1)
    monkeypatch.setenv("TRACEPARENT", str(outer))
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.url)
    monkeypatch.setenv("OPENLINEAGE_URL", receiver.url)
    monkeypatch.setenv("OPENLINEAGE_PARENT_ID", f"airflow/daily.two/{lineage_id('outer')}")
    for task in "ab":
        said = CliRunner().invoke(cli, ["task", str(path), task, "--run-id", "monday"])
        assert said.exit_code == 0, said.output
    for event in receiver.events:
        check(event)
    assert [(each["job"]["name"], each["eventType"]) for each in receiver.events] == [
        ("two", "START"), ("two.a", "START"), ("two.a", "COMPLETE"), ("two.b", "START"), ("two.b", "COMPLETE"),
        ("two", "COMPLETE"),
    ]  # fmt: skip
    parent = receiver.events[0]["run"]["facets"]["parent"]["job"]
    assert (parent["namespace"], parent["name"]) == ("airflow", "daily.two")
    assert {int.from_bytes(span.trace_id) for span in receiver.spans} == {0xABC}
    whole = next(span for span in receiver.spans if span.name == "two")
    assert int.from_bytes(whole.parent_span_id) == 0xDEF
    begun = next(span for span in receiver.spans if span.name == "a")
    assert whole.start_time_unix_nano <= begun.start_time_unix_nano
    assert begun.parent_span_id == whole.span_id
    before = len(receiver.events)
    assert CliRunner().invoke(cli, ["task", str(path), "a", "--run-id", "tuesday"]).exit_code == 0
    again = receiver.events[before:]
    for event in again:
        check(event)
    assert [(each["job"]["name"], each["eventType"]) for each in again] == [
        ("two", "START"), ("two.a", "START"), ("two.a", "COMPLETE"),
    ]  # fmt: skip
    tags = {each["key"]: each["value"] for each in again[-1]["run"]["facets"]["tags"]["tags"]}
    assert (tags["cached"], tags["source_run"]) == ("true", "monday")
