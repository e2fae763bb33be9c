"""What there is to compute on and what it costs, over REST."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from jupyter_mlops.catalog.records import ComputeMeasurement
from jupyter_mlops.workspace import Workspace

from .conftest import Server


def test_units_stand_with_what_they_were_measured_to_do(server: Server, done: dict[str, Any]) -> None:
    (cpu, *_) = server.get("/api/units")["items"]
    assert (cpu["kind"], cpu["measured_flops"], cpu["measured_at"]) == ("CPU", {}, None)
    assert cpu["cores"] > 0
    assert cpu["peak_flops"]["float64"] > 1e9
    assert 0 < cpu["price_an_hour"] < 1000
    assert cpu["price_of"].split()[0] in ("aws", "azure", "gcp")

    body = {"flops": {"float64": 1.5e11, "float32": 3e11}, "memory_bandwidth": 2e10}
    record = ComputeMeasurement(
        unit=cpu["unit"], kind="CPU", name=cpu["name"], body=body, measured_at=datetime.now(UTC)
    )
    with Workspace.open(server.root) as workspace:
        workspace.catalog.put(record)
    (cpu, *_) = server.get("/api/units")["items"]
    assert cpu["measured_flops"] == body["flops"]
    assert cpu["measured_bandwidth"] == 2e10


def test_a_run_has_a_cost_in_each_place(server: Server, done: dict[str, Any]) -> None:
    found = server.get(f"/api/runs/{done['run_id']}/cost")
    places = {quote["place"]: quote for quote in found["quotes"]}
    assert {"here", "own", "aws", "aws spot"} <= places.keys()
    assert found["runs_a_month"] is None
    assert found["hours"] > 0
    assert {task["task"] for task in places["aws"]["tasks"]} == {"one", "two"}
    assert places["aws"]["total"] == pytest.approx(sum(task["amount"] for task in places["aws"]["tasks"]))
    assert places["aws"]["total"] > places["aws spot"]["total"] > 0


def test_a_pipeline_has_a_cost_a_month_and_break_evens(server: Server, done: dict[str, Any]) -> None:
    found = server.get("/api/pipelines/pipeline.yaml/cost?runs_a_month=1000")
    assert (found["runs_a_month"], found["basis"]) == (1000, "what you gave")
    for quote in found["quotes"]:
        assert quote["monthly"] == pytest.approx(1000 * quote["total"])
    assert found["server"]["monthly"] > 0
    assert {each["place"] for each in found["break_evens"]} >= {"aws", "aws spot"}
    assert server.get("/api/pipelines/pipeline.yaml/cost")["basis"]


@pytest.mark.parametrize(
    ("path", "status", "told"),
    [
        ("/api/runs/nothing/cost", 404, "nothing"),
        ("/api/models/nobody/versions/1/cost", 404, "nobody"),
        ("/api/pipelines/nowhere.pipeline.yaml/cost", 404, "nowhere"),
        ("/api/pipelines/slow.pipeline.yaml/cost?runs_a_month=-1", 400, "runs_a_month"),
    ],
)
def test_what_has_no_cost_says_why(
    server: Server, done: dict[str, Any], path: str, status: int, told: str
) -> None:
    answer = server.ask("GET", path)
    assert answer.status_code == status, answer.text
    assert told in answer.json()["message"]


def test_a_pipeline_that_never_ran_says_what_to_do(server: Server) -> None:
    path = server.root / "never.pipeline.yaml"
    path.write_text((server.root / "pipeline.yaml").read_text().replace("name: small", "name: never"))
    try:
        answer = server.ask("GET", "/api/pipelines/never.pipeline.yaml/cost")
    finally:
        path.unlink()
    assert answer.status_code == 404
    assert "run it once" in answer.json()["hint"]
