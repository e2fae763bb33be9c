"""Features by entity key, the log of what was predicted, and what the two say together."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from jupyter_mlops.blobs import BlobStore
from jupyter_mlops.catalog import Catalog
from jupyter_mlops.errors import InvalidInput
from jupyter_mlops.features import Entity, FeatureService, FeatureStore, FeatureView
from jupyter_mlops.models import DataSource, ModelStore
from jupyter_mlops.serving import journal

from .conftest import ROW, Served


@dataclass
class Place:
    """A catalog with a feature service, its online store, and a model that was trained from it."""

    folder: Path
    features: FeatureStore
    options: list[str]


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    url, blobs = f"sqlite:///{tmp_path}/catalog.db", BlobStore(tmp_path / "blobs")
    with Catalog.open(url) as catalog, FeatureStore(catalog, blobs, root=tmp_path) as features:
        schema = {"temp": "float64", "flights": "int64"}
        airport = Entity("airport", "origin")
        *_, service = features.register(
            airport,
            FeatureView(name="weather", entities=["airport"], schema=schema, ttl=timedelta(hours=2)),
            FeatureService(name="delays", features=["weather"]),
        )
        now = datetime.now(UTC)
        features.push("weather", [
            {"origin": "JFK", "event_timestamp": now - timedelta(minutes=5), "temp": 10.5, "flights": 3},
            {"origin": "LGA", "event_timestamp": now - timedelta(minutes=9), "temp": 1.5, "flights": 4},
            {"origin": "OLD", "event_timestamp": now - timedelta(hours=9), "temp": 7.0, "flights": 5},
        ])  # fmt: skip

        def predict(model, frame):
            return frame["temp"].fillna(-1) * 2 + frame["delay"]

        example = pd.DataFrame({"temp": [1.0, 2.0], "delay": [0.0, 1.0]})
        store = ModelStore(catalog, blobs, user_name="ada")
        source = DataSource(digest="sha256:1", feature_service=service.reference)
        store.register("delay", 0, predict=predict, input_example=example, data=source, code={"cells": []})
        folder = store.export_mlflow("models:/delay/1", tmp_path / "model")
        online = f"sqlite:///{tmp_path}/.mlops/online.db"
        options = [
            "--features",
            url,
            "--features-blobs",
            str(tmp_path / "blobs"),
            "--features-online",
            online,
        ]
        yield Place(folder, features, ["--model", str(folder), *options])


def test_features_are_looked_up_by_key(start: Callable[..., Served], place: Place) -> None:
    served = start(*place.options)
    entities = [
        {"origin": "JFK", "delay": 1.0},
        {"origin": "OLD", "delay": 0.0},
        {"origin": "XXX", "delay": 0.0},
    ]
    reply = served.ask("/invocations", {"entities": entities})
    assert reply.json == {
        "predictions": [22.0, -2.0, -2.0],
        "features": [{"temp": 10.5, "flights": 3}, {"temp": None, "flights": None}, {"temp": None, "flights": None}],
        "statuses": [
            {"temp": status, "flights": status} for status in ("PRESENT", "EXPIRED", "NOT_FOUND")
        ],
    }  # fmt: skip
    assert served.ask("/invocations", {"keys": entities[:1]}).json["predictions"] == [22.0]
    place.features.push(
        "weather", {"origin": "JFK", "event_timestamp": datetime.now(UTC), "temp": 0.5, "flights": 1}
    )
    assert served.ask("/invocations", {"entities": entities[:1]}).json["predictions"] == [2.0]
    assert served.metric('mlops_features_total{status="EXPIRED"}') == 2
    rows = served.ask("/invocations", {"instances": [{"temp": 1.0, "delay": 2.0}]})
    assert rows.json == {"predictions": [4.0]}
    lacking = served.ask("/invocations", {"entities": [{"delay": 1.0}]})
    assert lacking.status == 400
    assert "origin" in lacking.json["error"]
    assert served.ask("/invocations", {"entities": [{"origin": "JFK"}]}).status == 400  # without its delay


def test_a_version_without_a_service_has_none_to_look_up(
    start: Callable[..., Served], place: Place, flights: Path
) -> None:
    served = start("--model", str(flights), *place.options[2:])
    reply = served.ask("/invocations", {"entities": [{"origin": "JFK"}]})
    assert reply.status == 400
    assert "was not trained from a feature service" in reply.json["error"]


def test_features_need_all_three_places(start: Callable[..., Served], flights: Path) -> None:
    served = start("--model", str(flights), "--features", "sqlite:///nowhere.db", is_awaited=False)
    assert served.process.wait(30) == 2
    assert "--features-online URL" in served.log.read_text()


def test_what_was_served_is_replayed_and_a_skew_is_found(
    start: Callable[..., Served], place: Place, tmp_path: Path
) -> None:
    folder = tmp_path / "log"
    served = start(*place.options, "--journal", str(folder))
    for _ in range(3):
        for origin in ("JFK", "LGA", "OLD", "XXX"):
            assert served.ask("/invocations", {"entities": [{"origin": origin, "delay": 0.0}]}).status == 200
    served.predict([{"temp": 1.0, "delay": 2.0}])  # rows of no entity are logged, and not replayed
    assert served.stop() == 0
    records = list(journal.read(folder))
    assert len(records) == 13
    rows = journal.served(records)
    assert len(rows) == 12
    check = place.features.check(rows, "delays")
    assert check.is_consistent, check.to_pandas()
    for row in rows[:2]:
        row["temp"] += 1  # as if another transformation ran when serving
    rows[2]["temp"] = 3.5  # served although it had expired
    skewed = place.features.check(rows, "delays")
    temp, flights = skewed.features
    assert (temp.mismatch, temp.missing, temp.extra) == (2, 0, 1)
    assert flights.share == 0
    assert not skewed.is_consistent


def test_the_log_says_what_was_asked_and_answered(
    start: Callable[..., Served], flights: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "log"
    served = start("--model", str(flights), "--journal", str(folder))
    served.predict([ROW, ROW], **{"x-mlops-prediction-id": "one", "x-mlops-key": "ann"})
    served.ask("/invocations", {"instances": [{**ROW, "hour": "x"}]})  # no prediction
    served.until(lambda: any(True for _ in journal.read(folder)))
    (record,) = journal.read(folder)
    digest = served.state()["versions"][0]["manifest_digest"]
    at = datetime.fromisoformat(record.pop("at"))
    assert abs((datetime.now(UTC) - at).total_seconds()) < 60
    assert record == {
        "id": "one", "key": "ann", "model": "late", "version": 1, "digest": digest, "rows": [ROW, ROW],
        "output": [10.0, 10.0], "entities": [], "features": [], "statuses": [],
    }  # fmt: skip
    (file,) = folder.iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_the_log_is_sampled_by_key_rotated_and_bounded(
    start: Callable[..., Served], flights: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "log"
    served = start(
        "--model", str(flights), "--journal", str(folder), "--journal-share", "0.5", "--journal-bytes", "4000",
        "--journal-files", "3",
    )  # fmt: skip
    for _ in range(3):
        for key in range(60):
            served.predict([ROW], **{"x-mlops-key": f"k{key}"})
    assert served.stop() == 0
    files = sorted(folder.iterdir())
    assert len(files) == 3
    assert all(file.stat().st_size <= 4000 for file in files)
    kept = [record["key"] for record in journal.read(folder)]
    expected = [
        f"k{key}" for _ in range(3) for key in range(60) if journal.place_of(f"k{key}", "journal:") < 0.5
    ]
    assert kept == expected[-len(kept) :]
    assert 15 < len(set(expected)) < 45


def test_a_half_written_line_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "predictions-1.jsonl").write_bytes(b'{"id": 1}\n{"id"')
    assert list(journal.read(tmp_path)) == [{"id": 1}]
    with pytest.raises(InvalidInput, match="there is no folder"):
        list(journal.read(tmp_path / "nowhere"))


def test_traces_and_logs_know_their_parent(start: Callable[..., Served], flights: Path) -> None:
    served = start("--model", str(flights), "--log-requests", OTEL_TRACES_EXPORTER="console", is_piped=True)
    trace, parent = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
    served.predict([ROW], traceparent=f"00-{trace}-{parent}-01")
    out, _ = served.process.communicate(served.process.terminate(), timeout=30)
    span = json.loads(out[out.index(b"{") : out.rindex(b"}") + 1])
    assert (span["name"], span["parent_id"]) == ("POST /invocations", f"0x{parent}")
    assert span["context"]["trace_id"] == f"0x{trace}"
    assert span["attributes"] == {"http.response.status_code": 200, "mlops.model.version": "1"}
    (line,) = [line for line in served.log.read_text().splitlines() if "/invocations 200" in line]
    logged: dict[str, Any] = json.loads(line)
    assert (logged["trace_id"], logged["status"], logged["version"]) == (trace, 200, "1")
