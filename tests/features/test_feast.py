"""The export to Feast: its text here, and Feast itself on it, in an environment of its own."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from jupyter_mlops.errors import InvalidInput
from jupyter_mlops.features import Entity, FeatureService, FeatureStore, FeatureView, OnDemandView

START = datetime(2024, 3, 1, tzinfo=UTC)
FEAST = "feast[duckdb]==0.67.0"
ASK = """
import sys
import pandas as pd
from feast import FeatureStore
store = FeatureStore(sys.argv[1])
store.apply([])
entities = pd.read_parquet("entities.parquet")
service = store.get_feature_service("model")
out = store.get_historical_features(entity_df=entities, features=service).to_df()
out.sort_values("row").to_parquet("answer.parquet")
store.materialize(pd.Timestamp("2024-01-01", tz="UTC"), pd.Timestamp("2024-04-01", tz="UTC"))
rows = [{"user": key} for key in (0, 1, 2)]
print(store.get_online_features(features=store.get_feature_service("model"), entity_rows=rows).to_dict())
"""


@pytest.fixture
def filled(store: FeatureStore) -> FeatureStore:
    """Two views of random rows; each is created with its event, since Feast takes creation for ties only."""
    generator = np.random.default_rng(5)
    user = Entity("user", {"user": "int64"}, owner='it\'s "me"', description="a\nb")
    store.register(
        FeatureView(
            name="numbers_",
            entities=[user],
            schema={"x": "float64", "n": "int64"},
            ttl=timedelta(days=2),
            tags={"k": "v'"},
        ),
        FeatureView(
            name="words", entities=["user"], schema={"word": "string", "ok": "bool", "seen": "timestamp"}
        ),
    )
    for name in ("numbers_", "words"):
        moments = pd.to_datetime(START) + pd.to_timedelta(generator.permutation(600) * 10, unit="min")
        rows = pd.DataFrame({"user": generator.integers(0, 12, 600), "event_timestamp": moments})
        if name == "words":
            rows = rows.assign(word=[f"w'{n}" for n in range(600)], ok=rows.index % 3 == 0, seen=moments)
        else:
            rows = rows.assign(x=generator.normal(size=600), n=pd.array([None, *range(599)], "Int64"))
        store.push(name, rows)
    store.register(FeatureService(name="model", features=["numbers_", "words:word", "words:ok"]))
    return store


def test_the_repository_is_python_and_parquet(filled: FeatureStore, tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    written = filled.export_feast(tmp_path / "repo", project="flights")
    assert sorted(path.name for path in written if path.suffix != ".parquet") == [
        "definitions.py",
        "feature_store.yaml",
    ]
    ast.parse((tmp_path / "repo" / "definitions.py").read_text())
    assert "type: duckdb" in (tmp_path / "repo" / "feature_store.yaml").read_text()
    for path in written:
        if path.suffix == ".parquet":
            assert str(pq.read_schema(path).field("event_timestamp").type) == "timestamp[us, tz=UTC]"


def test_what_feast_cannot_say_is_refused(filled: FeatureStore, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="Feast project"):
        filled.export_feast(tmp_path, project="My Project")
    filled.register(
        OnDemandView(
            name="twice",
            function=lambda row: {"y": row["z"]},
            request={"z": "float64"},
            schema={"y": "float64"},
            mode="row",
        ),
        FeatureService(name="computed", features=["twice:y"]),
    )
    filled.export_feast(tmp_path / "repo")
    assert "service_computed" not in (tmp_path / "repo" / "definitions.py").read_text()
    with pytest.raises(InvalidInput, match="on demand or not the current"):
        filled.export_feast(tmp_path, services=["computed"])
    filled.register(FeatureView(name="pair", entities=[Entity("pair", ["a", "b"])], schema={"x": "int64"}))
    with pytest.raises(InvalidInput, match="have one join key, 'pair' has 2"):
        filled.export_feast(tmp_path)


def feast_python() -> Path:
    """Feast's environment, made once: ``.venv-feast`` beside the tests."""
    folder = Path(__file__).parents[2] / ".venv-feast"
    python = folder / "bin" / "python"
    if not (folder / "made").exists():
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        uv = [sys.executable, "-m", "uv", "pip", "install", "-q", "--python", python, FEAST]
        if subprocess.run(uv, check=False).returncode:
            subprocess.run([python, "-m", "pip", "install", "-q", FEAST], check=True)
        (folder / "made").touch()
    return python


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_feast_gives_the_same_answers(filled: FeatureStore, tmp_path: Path) -> None:
    generator = np.random.default_rng(6)
    repo = tmp_path / "repo"
    filled.export_feast(repo)
    python = feast_python()
    minutes = generator.permutation(6000)[:400]  # one question a moment: Feast loses duplicates
    entities = pd.DataFrame({
        "row": range(400), "user": generator.integers(0, 14, 400),
        "event_timestamp": pd.to_datetime(START) + pd.to_timedelta(minutes, unit="min"),
    })  # fmt: skip
    entities.to_parquet(repo / "entities.parquet")
    quiet: dict[str, Any] = {
        "cwd": repo,
        "check": True,
        "text": True,
        "env": os.environ | {"FEAST_USAGE": "False"},
    }
    subprocess.run([python, "-m", "feast.cli.cli", "apply"], capture_output=True, **quiet)
    done = subprocess.run([python, "-c", ASK, "."], capture_output=True, **quiet)
    ours = filled.get_historical_features(entities, "model")
    theirs = pd.read_parquet(repo / "answer.parquet")
    assert len(theirs) == 400
    for name in ("x", "n", "word", "ok"):
        mine, other = ours[name], theirs[name]
        assert mine.isna().tolist() == other.isna().tolist()
        assert [v for v in mine if not pd.isna(v)] == [v for v in other if not pd.isna(v)]
    online: dict[str, list[Any]] = ast.literal_eval(done.stdout.strip().splitlines()[-1])
    answer = filled.get_online_features(
        [{"user": key} for key in (0, 1, 2)], "model", at=START + timedelta(minutes=6000)
    )
    assert online["word"] == [row["word"] for row in answer.to_dicts()]
    assert online["ok"] == [row["ok"] for row in answer.to_dicts()]


def test_a_name_that_breaks_feasts_sql_is_refused(store: FeatureStore, tmp_path: Path) -> None:
    store.register(FeatureView(name="a-b", entities=[Entity("user")], schema={"x": "int64"}))
    with pytest.raises(InvalidInput, match="'a-b' would break them"):
        store.export_feast(tmp_path)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_what_the_recipe_shows_as_feasts_is_feasts(tmp_path: Path) -> None:
    """The first block of docs/howto/feast.md, read by Feast."""
    page = (Path(__file__).parents[2] / "docs" / "howto" / "feast.md").read_text(encoding="utf-8")
    theirs = page.split("```python\n")[1].split("```")[0]
    code = (
        "from datetime import timedelta\nfrom feast import Entity, FeatureView, FileSource\n"
        f"airport = Entity(name='airport', join_keys=['origin'])\n{theirs}\nprint(weather.name, weather.ttl)"
    )
    done = subprocess.run(
        [feast_python(), "-W", "ignore", "-c", code], capture_output=True, text=True, cwd=tmp_path
    )
    assert done.stdout.strip() == "weather 6:00:00", done.stderr
