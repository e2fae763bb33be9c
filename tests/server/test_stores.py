"""Models and features, as a workspace really has them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd
import pytest

from jupyter_mlops.features import Entity, Expectation, FeatureService, FeatureView, OnDemandView
from jupyter_mlops.workspace import Workspace

from .conftest import Server

MIDNIGHT = datetime(2026, 11, 1, tzinfo=UTC)


class Doubler:
    """A model that needs no library."""

    def __init__(self, factor: float) -> None:
        self.factor = factor

    def predict(self, rows: Any) -> Any:
        return [self.factor * row["x"] for row in rows]


@pytest.fixture(scope="module")
def stocked(server: Server, done: dict[str, Any]) -> Iterator[Server]:
    """A server whose workspace has two versions of a model and some features."""
    with Workspace.open(server.root) as workspace:
        for factor in (2.0, 3.0):
            workspace.models.register(
                "doubler",
                Doubler(factor),
                input_example=[{"x": 1.0}],
                metrics={"auc": factor / 4},
                tags={"kind": "toy"},
                description="Doubles <b>x</b>",
                parameters={"factor": factor},
            )
        workspace.models.set_alias("doubler", "champion", 1)
        workspace.models.set_alias("doubler", "locked", 1, is_protected=True)
        store = workspace.features
        weather = FeatureView(
            name="weather",
            entities=[Entity("airport", "origin")],
            schema={"temp": "float64", "sky": "string"},
            ttl=timedelta(hours=6),
            expectations=[Expectation("between", "temp", low=-60, high=60)],
            owner="team",
        )
        (server.root / "weather.parquet").unlink(missing_ok=True)
        frame = pd.DataFrame(
            {
                "origin": ["JFK", "EWR"] * 50,
                "event_timestamp": [MIDNIGHT + timedelta(hours=hour) for hour in range(100)],
                "temp": [float(hour % 30) for hour in range(100)],
                "sky": ["clear", "cloudy"] * 50,
            }
        )
        frame.to_parquet(server.root / "weather.parquet")
        store.register(weather)
        store.push("weather", frame.head(3))
        queried = FeatureView(
            name="history",
            entities=["airport"],
            sql="SELECT * FROM 'weather.parquet'",
            ttl=timedelta(days=2),
            expectations=[Expectation("between", "temp", low=-60, high=60), Expectation("not_null", "sky")],
        )
        store.register(queried)
        store.materialize("history", end=MIDNIGHT + timedelta(hours=40), online=False)
        store.materialize("history", end=MIDNIGHT + timedelta(hours=120), online=False)
        store.register(
            OnDemandView(
                name="warmth",
                function=warmth,
                schema={"is_warm": "bool"},
                inputs=["history:temp"],
                mode="row",
            ),
            FeatureService(name="flight", features=["history:temp"]),
        )
    return server


def warmth(row: dict[str, Any]) -> dict[str, Any]:
    return {"is_warm": row["temp"] is not None and row["temp"] > 20}


NAME = "doubler"


def test_models_are_listed(stocked: Server) -> None:
    found = stocked.get("/api/models?search=DOUB")
    assert found["total"] == 1
    model = found["items"][0]
    assert (model["name"], model["last_version"], model["version_count"]) == ("doubler", 2, 2)
    assert model["aliases"] == {"champion": 1, "locked": 1}
    assert model["metrics"] == {"auc": 0.75}
    assert stocked.get("/api/models?search=none")["items"] == []


def test_a_model_has_its_versions_and_its_story(stocked: Server) -> None:
    model = stocked.get(f"/api/models/{NAME}")
    assert [version["version"] for version in model["versions"]] == [2, 1]
    assert model["versions"][1]["aliases"] == ["champion", "locked"]
    assert model["metric_names"] == ["auc"]
    assert [move["alias"] for move in model["alias_history"]] == ["locked", "champion"]
    assert stocked.get(f"/api/models/{NAME}?limit=1")["versions"] == model["versions"][:1]
    assert "did you mean" in stocked.get("/api/models/doublr", 404)["hint"]


def test_a_version_shows_all_that_it_holds(stocked: Server) -> None:
    shown = stocked.get(f"/api/models/{NAME}/versions/2")
    assert shown["version"]["description"] == "Doubles <b>x</b>"
    assert shown["envelope"]["parameters"]["factor"] == 3.0
    assert shown["envelope"]["signature"]["inputs"]
    assert [node["is_self"] for node in shown["lineage"]["nodes"]].count(True) == 1
    assert len(shown["lineage"]["graph"]["nodes"]) == len(shown["lineage"]["nodes"])
    assert stocked.get(f"/api/models/{NAME}/versions/9", 404)["hint"] == "the newest is 2"


def test_versions_are_compared(stocked: Server) -> None:
    found = stocked.get(f"/api/models/{NAME}/compare?versions=1,2")
    tables = {table["title"]: table["rows"] for table in found["tables"]}
    assert tables["metrics"] == [{"name": "auc", "values": [0.5, 0.75], "is_same": False}]
    for wrong in ("1", "1,1", "a,b", "1," + "9" * 40):
        assert stocked.get(f"/api/models/{NAME}/compare?versions={wrong}", 400)


def test_an_alias_moves(stocked: Server) -> None:
    moved = stocked.put(f"/api/models/{NAME}/aliases/champion", {"version": 2})
    assert moved["version"] == 2
    assert stocked.get(f"/api/models/{NAME}")["alias_history"][0]["new_version"] == 2
    assert stocked.put(f"/api/models/{NAME}/aliases/locked", {"version": 2}, 409)["code"] == "conflict"
    assert stocked.put(f"/api/models/{NAME}/aliases/locked", {"version": 2, "force": True})["is_protected"]
    assert stocked.put(f"/api/models/{NAME}/aliases/champion", {"version": 77}, 404)
    assert stocked.put(f"/api/models/{NAME}/aliases/not%20a%20name!", {"version": 1}, 400)
    assert stocked.put("/api/models/none/aliases/a", {"version": 1}, 404)


def test_an_alias_goes(stocked: Server) -> None:
    stocked.put(f"/api/models/{NAME}/aliases/brief", {"version": 1, "is_protected": True})
    assert stocked.ask("DELETE", f"/api/models/{NAME}/aliases/brief").status_code == 409
    gone = stocked.ask("DELETE", f"/api/models/{NAME}/aliases/brief?force=true")
    assert (gone.status_code, gone.text) == (204, "")
    assert stocked.ask("DELETE", f"/api/models/{NAME}/aliases/brief").status_code == 404


def test_features_are_listed(stocked: Server) -> None:
    found = stocked.get("/api/features")
    assert found["entities"][0]["keys"] == {"origin": "string"}
    views = {view["name"]: view for view in found["views"]}
    assert views["weather"]["kind"] == "push"
    assert views["weather"]["rows"] == 3
    assert views["history"]["kind"] == "sql"
    assert views["history"]["rows"] == 100
    assert views["history"]["watermark_at"] == "2026-11-06T00:00:00Z"
    assert views["warmth"]["kind"] == "on_demand"
    assert found["services"][0]["features"][0].startswith("history@")
    assert [view["name"] for view in stocked.get("/api/features?search=team")["views"]] == ["weather"]


def test_a_view_has_its_story(stocked: Server) -> None:
    shown = stocked.get("/api/features/history")
    assert (shown["source_text"], shown["source_language"]) == ("SELECT * FROM 'weather.parquet'", "sql")
    assert shown["keys"] == {"origin": "string"}
    assert shown["services"] == ["flight"]
    assert [batch["rows"] for batch in shown["materializations"]] == [59, 41]
    assert all(each["is_met"] for each in shown["expectations"])
    temp, sky = shown["profile"]["features"]
    assert len(temp["histogram"]["edges"]) == len(temp["histogram"]["shares"]) + 1
    assert sum(temp["histogram"]["shares"]) == pytest.approx(1)
    assert {each["value"] for each in sky["top"]} == {"clear", "cloudy"}
    assert shown["profile_before"]["rows"] == 41
    assert {each["feature"] for each in shown["drift"]} == {"temp", "sky"}
    assert stocked.get("/api/features/warmth")["source_language"] == "python"
    assert stocked.get("/api/features/weather")["profile"] is None
    assert "did you mean" in stocked.get("/api/features/histry", 404)["hint"]


def test_some_rows_can_be_looked_at(stocked: Server) -> None:
    rows = stocked.get("/api/features/history/preview?limit=2")
    assert [column["name"] for column in rows["columns"]] == ["origin", "event_timestamp", "temp", "sky"]
    assert rows["rows"][0] == ["EWR", "2026-11-05T03:00:00Z", 9.0, "cloudy"]
    assert (len(rows["rows"]), rows["total"]) == (2, 100)
    assert stocked.get("/api/features/warmth/preview", 400)
