"""Versions side by side, and where they come from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from jupyter_mlops.catalog import Catalog
from jupyter_mlops.errors import InvalidInput, NotFound
from jupyter_mlops.models import DataSource, ModelStore, Node, record_link
from jupyter_mlops.models.lineage import trace
from jupyter_mlops.models.origin import query_key

Register = Callable[..., Any]


def test_a_comparison_shows_metrics_and_what_differs(
    store: ModelStore, register: Register, flights: Any
) -> None:
    def featurize(data: Any) -> Any:
        return data[["departure", "distance"]]

    def predict(model: Any, features: Any) -> Any:
        return features["distance"] > 100

    register(metrics={"auc": 0.8, "rows": 10}, parameters={"week": 20}, data=flights)
    register(
        metrics={"auc": 0.9},
        parameters={"week": 21},
        data=flights.head(10),
        featurize=featurize,
        predict=predict,
    )
    compared = store.compare("delay/1", "delay/2")
    assert compared.tables["metrics"] == {"auc": (0.8, 0.9), "rows": (10.0, None)}
    assert compared.differences("parameters") == {"week": (20, 21)}
    assert compared.differences("data")["train.rows"] == (200, 10)
    assert compared.differences("dependencies") == {}
    assert '+    return features["distance"] > 100' in compared.code[0]
    text, html = str(compared), compared._repr_html_()
    assert "auc\t0.8\t0.9" in text
    assert "features[&quot;distance&quot;] &gt; 100" in html
    with pytest.raises(InvalidInput, match="two versions or more"):
        store.compare("delay/1")


def test_lineage_goes_from_the_query_to_the_prediction(
    store: ModelStore, register: Register, catalog: Catalog, flights: Any
) -> None:
    query = "SELECT * FROM flights"
    data = DataSource.of(flights, query=query, feature_views=["weather@2"], feature_service="delays@1")
    register(
        data=data,
        run="run-7",
        code={"cells": [], "git": {"commit": "c0ffee"}, "notebook_digest": "sha256:ab"},
    )
    record_link(catalog, Node("model", "delay/1"), Node("deployment", "prod"))
    record_link(catalog, Node("deployment", "prod"), Node("prediction_log", "2026-11-24"))
    story = store.lineage("delay/1")
    assert set(map(str, story.upstream)) == {
        f"data {data.digest}",
        f"query {query_key(query)}",
        "feature_view weather@2",
        "feature_service delays@1",
        "run run-7",
        "notebook sha256:ab",
        "commit c0ffee",
    }
    assert list(map(str, story.downstream)) == ["deployment prod", "prediction_log 2026-11-24"]
    from_the_view = trace(catalog, "feature_view", "weather@2")
    assert list(map(str, from_the_view.downstream))[-1] == "prediction_log 2026-11-24"
    assert "← run run-7" in str(story)
    store.delete("delay/1")
    assert trace(catalog, "model", "delay/1").upstream == ()


def test_a_version_knows_what_its_training_data_looked_like(
    store: ModelStore, register: Register, flights: Any, tmp_path: Any
) -> None:
    register(data=DataSource.of(flights, name="flights", feature_service="departure@1"))
    manifest = store.manifest("delay/1")
    profile = manifest.profiles["flights"]
    assert profile["rows"] == len(flights)
    assert set(profile["features"]) == {*flights.columns}
    assert "profile" not in manifest.data[0]
    assert not store.drift("delay/1", flights).is_drifted
    far = store.drift("delay/1", flights.assign(distance=flights["distance"] + 9000))
    assert [one.feature for one in far.features if one.is_drifted] == ["distance"]
    store.export_mlflow("delay/1", tmp_path / "out")
    back = store.import_mlflow(tmp_path / "out", "back")
    assert store.manifest(back).profiles == manifest.profiles


def test_of_several_sources_one_is_named_and_of_none_there_is_no_drift(
    store: ModelStore, register: Register, flights: Any
) -> None:
    register(data=[flights, flights.head(50), DataSource.of(flights, name="test"), "s3://bucket/raw"])
    assert set(store.manifest("delay/1").profiles) == {"train", "train 2", "test"}
    with pytest.raises(InvalidInput, match="delay/1 has several profiles"):
        store.drift("delay/1", flights)
    with pytest.raises(NotFound, match="no profile of 'tset'") as caught:
        store.drift("delay/1", flights, data="tset")
    assert "'test'" in caught.value.hint
    assert not store.drift("delay/1", flights, data="test").is_drifted
    register(data="s3://bucket/raw")
    with pytest.raises(NotFound, match="delay/2 has no profile"):
        store.drift("delay/2", flights)
    register(data=[flights.to_numpy()[:, :2].astype(float)])
    assert store.manifest("delay/3").profiles == {}


def test_a_long_query_and_a_long_uri_are_kept(store: ModelStore, register: Register) -> None:
    register(
        data=[
            {"name": "a", "query": "SELECT " + "x, " * 5000, "uri": "s3://b/" + "k" * 3000},
            "s3://bucket/key",
        ]
    )
    kinds = [node.kind for node in store.lineage("delay").upstream]
    assert kinds.count("data") == 2
    assert len(store.manifest("delay").data[0]["query"]) > 15_000


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"digset": "x"}, "data has no field 'digset'"),
        (object(), "cannot digest"),
    ],
)
def test_data_that_cannot_be_told_is_refused(register: Register, given: Any, message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        register(data=given)


def test_data_is_told_by_frame_file_artifact_and_uri(tmp_path: Any, flights: Any) -> None:
    path = tmp_path / "train.csv"
    flights.to_csv(path)
    reference = f"blob://sha256/{'a' * 64}/train.parquet"
    assert DataSource.of(flights).rows == 200
    assert DataSource.of(str(path)).uri == path.as_uri()
    assert DataSource.of(reference).digest == "sha256:" + "a" * 64
    assert DataSource.of("s3://b/k").key == "s3://b/k"
    assert DataSource.of({"data": flights, "name": "test"}).columns == tuple(flights.columns)


def test_showing_a_version_shows_every_part_of_it(
    store: ModelStore, register: Register, flights: Any
) -> None:
    register(
        metrics={"auc": 0.9}, tags={"region": "<eu>"}, data=flights, artifacts={"notes": b"x"}, description="first",
        aliases=["champion"], parameters={"week": 20}, run="run-7",
    )  # fmt: skip
    shown = store.show("delay@champion")
    assert list(shown.parts) == [
        "version", "definition", "parameters", "featurize", "predict", "dependencies", "data", "code", "artifacts",
        "metrics", "signature", "input example", "tags", "lineage",
    ]  # fmt: skip
    assert all(any(rows.values()) for rows in shown.parts.values())
    text, html = str(shown), shown._repr_html_()
    for word in (
        "models:/delay/1",
        "champion",
        "day_of_week",
        "predict_proba",
        "scikit-learn==",
        "c0ffee",
        "run run-7",
    ):
        assert word in text
        assert word in html
    assert "<eu>" not in html
    store.register("plain", lambda rows: rows, input_example=[1.0], code={"cells": [], "git": {}})
    assert "featurize\n                 –" in str(store.show("plain"))
