"""The MLflow directory that a version makes: valid by its files; run by a Python that has neither MLflow nor us."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from jupyter_mlops.errors import Conflict, InvalidInput, NotFound
from jupyter_mlops.models import ModelStore

Register = Callable[..., Any]
LOAD = """
import sys, json
sys.path.insert(0, sys.argv[1] + "/code")
import pandas as pd, yaml
flavor = yaml.safe_load(open(sys.argv[1] + "/MLmodel"))["flavors"]["python_function"]
module = __import__(flavor["loader_module"])
model = module._load_pyfunc(sys.argv[1] + "/" + flavor["data"])
frame = pd.DataFrame(**json.load(open(sys.argv[1] + "/input_example.json")))
frame["at"] = pd.to_datetime(frame["at"])  # without a zone, as MLflow hands over moments
assert frame["at"].dt.tz is None
print(json.dumps({"prediction": model.predict(frame).tolist(), "ours": "jupyter_mlops" in sys.modules}))
"""


def load_elsewhere(folder: Path, **env: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-I", "-c", LOAD, str(folder)]
    return subprocess.run(
        command, capture_output=True, text=True, env={"PATH": "/usr/bin:/bin", **env}, cwd="/"
    )


def test_the_directory_names_its_loader_signature_and_requirements(
    store: ModelStore, register: Register, tmp_path: Path
) -> None:
    version = register(run="run-7")
    folder = store.export_mlflow("delay", tmp_path / "out")
    told = yaml.safe_load((folder / "MLmodel").read_text())
    flavor = told["flavors"]["python_function"]
    assert flavor["loader_module"] == f"mlops_loader_{version.manifest[:8]}"
    assert (folder / flavor["code"] / flavor["loader_module"] / "__init__.py").is_file()
    assert [column["name"] for column in json.loads(told["signature"]["inputs"])] == [
        "departure", "distance", "carrier", "at",
    ]  # fmt: skip
    assert told["metadata"]["jupyter_mlops"] == {"reference": "models:/delay/1", "manifest": version.manifest}
    assert told["run_id"] == "run-7"
    pins = (folder / "requirements.txt").read_text().split()
    assert pins == list(store.manifest("delay").dependencies["direct"])
    assert yaml.safe_load((folder / "python_env.yaml").read_text())["dependencies"] == ["-r requirements.txt"]
    assert {"pip": pins} in yaml.safe_load((folder / "conda.yaml").read_text())["dependencies"]
    serving = json.loads((folder / "serving_input_example.json").read_text())
    assert len(serving["dataframe_split"]["data"]) == 6
    assert not (folder / "artifacts" / "model.pkl").exists()


@pytest.mark.slow
def test_it_runs_where_neither_mlflow_nor_we_are(
    store: ModelStore, register: Register, tmp_path: Path, flights: pd.DataFrame
) -> None:
    register()
    done = load_elsewhere(store.export_mlflow("delay", tmp_path / "out"))
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    np.testing.assert_allclose(told["prediction"], store.load("delay").predict(flights.head(6)))
    assert told["ours"] is False


@pytest.mark.slow
def test_its_loader_verifies_digests_and_honours_the_ban_on_pickles(
    store: ModelStore, register: Register, tmp_path: Path
) -> None:
    register()
    folder = store.export_mlflow("delay", tmp_path / "out")
    banned = load_elsewhere(folder, MLFLOW_ALLOW_PICKLE_DESERIALIZATION="False")
    assert "MLFLOW_ALLOW_PICKLE_DESERIALIZATION is false" in banned.stderr
    functions = folder / "artifacts" / "functions.pkl"
    functions.chmod(0o644)
    functions.write_bytes(functions.read_bytes() + b"x")
    assert "functions.pkl is damaged" in load_elsewhere(folder).stderr
    manifest = folder / "artifacts" / "manifest.json"
    manifest.chmod(0o644)
    manifest.write_text(manifest.read_text().replace("ada", "eve"))
    assert "manifest.json is damaged" in load_elsewhere(folder).stderr
    with pytest.raises(InvalidInput, match=r"functions\.pkl is damaged"):
        store.import_mlflow(folder, "again")


def test_two_versions_can_be_in_one_process(
    store: ModelStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """MLflow #4061: modules of the same name collide. Ours travel inside the pickle."""
    frame = pd.DataFrame({"x": [1.0, 2.0]})
    for number in (1, 2):
        (tmp_path / f"v{number}").mkdir()
        (tmp_path / f"v{number}" / "same_name.py").write_text(f"def scaled(x):\n    return x * {number}\n")
        with monkeypatch.context() as patch:
            patch.syspath_prepend(tmp_path / f"v{number}")
            import same_name  # type: ignore[import-not-found]

            def featurize(data: Any) -> Any:
                return same_name.scaled(data["x"])

            store.register("m", lambda features: features, featurize=featurize, input_example=frame)
            del sys.modules["same_name"]
    one, two = store.load("m/1"), store.load("m/2")
    assert one.predict(frame).tolist() == [1, 2]
    assert two.predict(frame).tolist() == [2, 4]
    names = {store.export_mlflow(f"m/{n}", tmp_path / f"e{n}").joinpath("code") for n in (1, 2)}
    assert len({child.name for code in names for child in code.iterdir()}) == 2


def test_what_we_wrote_comes_back_with_its_envelope(
    store: ModelStore, register: Register, tmp_path: Path, flights: pd.DataFrame
) -> None:
    register(metrics={"auc": 0.9}, tags={"region": "eu"}, artifacts={"notes": b"hello"}, data=flights)
    folder = store.export_mlflow("delay", tmp_path / "out")
    store.import_mlflow(folder, "copy", aliases=["champion"], tags={"region": "us", "from": "there"})
    one, other = store.manifest("delay").to_json(), store.manifest("copy@champion").to_json()
    changed = {name for name in one if one[name] != other[name]}
    assert changed == {"name", "files", "definition", "tags"}
    assert other["definition"]["forms"] == {"portable": "model.skops"}
    assert other["tags"] == {"region": "eu", "from": "there"}
    assert store.get("copy").origin == folder.as_uri()


def test_a_folder_that_is_there_is_not_written_over(
    store: ModelStore, register: Register, tmp_path: Path
) -> None:
    register()
    (tmp_path / "out").mkdir()
    store.export_mlflow("delay", tmp_path / "out")
    with pytest.raises(Conflict, match="is there already"):
        store.export_mlflow("delay", tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".out")] == []


def test_what_is_no_mlflow_model_is_told(store: ModelStore, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no MLflow model"):
        store.import_mlflow(tmp_path, "m")
    for text, message in (
        ("flavors: {spark: {}}", "has the flavors spark"),
        ("{", "no YAML"),
        ("x: 1", "names no flavors"),
        ("flavors: {sklearn: {pickled_model: a.pkl}}", "lacks a.pkl"),
        ("flavors: {sklearn: {serialization_format: onnx}}", "'onnx' is not known"),
    ):
        (tmp_path / "MLmodel").write_text(text)
        with pytest.raises(InvalidInput, match=message):
            store.import_mlflow(tmp_path, "m")
    assert store.models() == []
