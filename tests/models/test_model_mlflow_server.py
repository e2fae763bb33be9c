"""With MLflow itself: it loads, serves and enforces what we wrote, and its server is mirrored to and read from."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from importlib.metadata import version as version_of
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from jupyter_mlops.blobs import BlobStore
from jupyter_mlops.catalog import Catalog
from jupyter_mlops.errors import InvalidInput, InvalidSettings, NotFound, StorageUnavailable
from jupyter_mlops.models import MlflowServer, ModelStore, pull, push

Register = Callable[..., Any]


def test_a_server_that_is_not_there_is_told(store: ModelStore, register: Register) -> None:
    register()
    with pytest.raises(StorageUnavailable, match="does not answer"):
        push(store, "delay", MlflowServer("http://127.0.0.1:9"))
    with pytest.raises(InvalidSettings, match="no MLflow server"):
        MlflowServer("file:///etc")


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python that has MLflow: of ``MLOPS_TEST_MLFLOW``, or one that is made (and kept in the user's cache)."""
    given = os.environ.get("MLOPS_TEST_MLFLOW")
    if given:
        return Path(given)
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "jupyter_mlops" / "test-mlflow"
    binary = cache / "bin" / "python"
    if not (cache / "ready").exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", cache], check=True)
        names = ("scikit-learn", "pandas", "numpy", "scipy", "cloudpickle", "skops")
        pins = [f"{name}=={version_of(name)}" for name in names]
        uv = [sys.executable, "-m", "uv", "pip", "install", "-q", "--python", binary, "mlflow>=3", *pins]
        if subprocess.run(uv, check=False).returncode:  # a fifth of the time, where it can be had
            subprocess.run([binary, "-m", "pip", "install", "-q", "mlflow>=3", *pins], check=True)
        (cache / "ready").touch()
    return binary


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def started(command: list[Any], url: str, folder: Path) -> Iterator[str]:
    """A server process, and its URL when it answers; ended with all its children."""
    environment = {**os.environ, "PATH": f"{Path(command[0]).parent}:{os.environ['PATH']}"}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            command, stdout=log, stderr=log, cwd=folder, env=environment, start_new_session=True
        )
    try:
        for _ in range(600):
            try:
                urllib.request.urlopen(f"{url}/health", timeout=2).close()
                break
            except OSError:
                assert process.poll() is None, (folder / "log").read_text()
                time.sleep(0.2)
        else:
            pytest.fail((folder / "log").read_text())
        yield url
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(30)


@pytest.fixture(scope="module")
def server(python: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("mlflow")
    port = free_port()
    arguments = ["server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    places = ["--backend-store-uri", f"sqlite:///{folder}/m.db", "--artifacts-destination", f"{folder}/files"]
    yield from started([python, "-m", "mlflow", *arguments, *places], f"http://127.0.0.1:{port}", folder)


def run_there(python: Path, code: str, **env: str) -> str:
    done = subprocess.run(
        [python, "-c", code], capture_output=True, text=True, env={**os.environ, **env}, cwd="/tmp"
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


PREDICT = """
import json, sys
import pandas as pd, mlflow
model = mlflow.pyfunc.load_model({source!r})
frame = pd.read_json({rows!r}, convert_dates=["at"])
frame["at"] = frame["at"].dt.tz_localize(None)  # MLflow knows no zones
try:
    model.predict(frame.drop(columns=["carrier"]))
    print("not enforced")
except mlflow.exceptions.MlflowException as error:
    print("enforced")
print(json.dumps(model.predict(frame).tolist()))
"""


@pytest.mark.slow
def test_mlflow_loads_what_we_wrote_and_enforces_its_signature(
    python: Path, store: ModelStore, register: Register, flights: pd.DataFrame, tmp_path: Path
) -> None:
    register()
    folder = store.export_mlflow("delay", tmp_path / "out")
    rows = tmp_path / "rows.json"
    flights.head(4).to_json(rows, orient="records", date_format="iso")
    told = run_there(python, PREDICT.format(source=str(folder), rows=str(rows))).splitlines()
    assert told[-2] == "enforced"
    np.testing.assert_allclose(json.loads(told[-1]), store.load("delay").predict(flights.head(4)))


@pytest.mark.slow
def test_mlflow_serves_what_we_wrote(
    python: Path, store: ModelStore, register: Register, flights: pd.DataFrame, tmp_path: Path
) -> None:
    register()
    folder = store.export_mlflow("delay", tmp_path / "out")
    port = free_port()
    arguments = ["models", "serve", "-m", folder, "--env-manager", "local", "--port", str(port)]
    for url in started([python, "-m", "mlflow", *arguments], f"http://127.0.0.1:{port}", tmp_path):
        body = (folder / "serving_input_example.json").read_bytes()
        request = urllib.request.Request(f"{url}/invocations", body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request) as answer:
            told = json.load(answer)
        np.testing.assert_allclose(told["predictions"], store.load("delay").predict(flights.head(6)))


@pytest.mark.slow
def test_a_version_goes_to_a_server_and_mlflow_loads_it_by_alias(
    python: Path, server: str, store: ModelStore, register: Register, flights: pd.DataFrame, tmp_path: Path
) -> None:
    register("there", metrics={"auc": 0.9}, tags={"region": "eu"}, aliases=["champion"], description="first")
    told = push(store, "there/1", MlflowServer(server))
    assert (told["name"], told["version"]) == ("there", 1)
    assert push(store, "there@champion", MlflowServer(server))["version"] == 2
    rows = tmp_path / "rows.json"
    flights.head(4).to_json(rows, orient="records", date_format="iso")
    code = PREDICT.format(source="models:/there@champion", rows=str(rows))
    lines = run_there(python, code, MLFLOW_TRACKING_URI=server).splitlines()
    np.testing.assert_allclose(json.loads(lines[-1]), store.load("there").predict(flights.head(4)))


@pytest.mark.slow
def test_a_version_comes_back_from_a_server_whole(
    server: str,
    store: ModelStore,
    register: Register,
    flights: pd.DataFrame,
    catalog: Catalog,
    blobs: BlobStore,
) -> None:
    register(
        "round", metrics={"auc": 0.9}, parameters={"week": 20}, aliases=["champion"], artifacts={"n": b"x"}
    )
    remote = MlflowServer(server)
    push(store, "round/1", remote)
    version = pull(store, remote, "models:/round@champion", name="back")
    assert version.origin == f"{server}/models/round/1"
    assert version.metrics == {"auc": 0.9}
    assert store.manifest("back").parameters["week"] == 20
    assert store.manifest("back").artifacts == store.manifest("round").artifacts
    with pytest.raises(InvalidInput, match="holds a pickle"):
        store.load("back")
    trusting = ModelStore(catalog, blobs, trusted=[f"{server}/*"])
    np.testing.assert_allclose(trusting.load("back").predict(flights), store.load("round").predict(flights))
    assert pull(store, remote, "round", name="back").version == 2


LOG = """
import mlflow, numpy as np
from sklearn.linear_model import LinearRegression
from mlflow.models import infer_signature
mlflow.set_experiment("theirs")
x = np.random.default_rng(0).random((6, 2))
import pandas as pd
frame = pd.DataFrame(x, columns=["a", "b"])
model = LinearRegression().fit(frame, frame["a"] * 3)
with mlflow.start_run():
    mlflow.log_metric("rmse", 0.25)
    mlflow.log_param("depth", 3)
    mlflow.sklearn.log_model(model, name="model", registered_model_name="theirs", serialization_format={form!r},
                             signature=infer_signature(frame, model.predict(frame)), pip_requirements=["scikit-learn"])
mlflow.MlflowClient().set_registered_model_alias("theirs", "champion", 1)
"""


@pytest.mark.slow
@pytest.mark.parametrize("form", ["cloudpickle", "skops"])
def test_a_model_that_mlflow_logged_is_imported(
    python: Path, server: str, store: ModelStore, catalog: Catalog, blobs: BlobStore, form: str
) -> None:
    run_there(
        python, LOG.format(form=form).replace('"theirs"', f'"theirs-{form}"'), MLFLOW_TRACKING_URI=server
    )
    version = pull(store, MlflowServer(server), f"theirs-{form}@champion", name="ours")
    assert version.metrics == {"rmse": 0.25}
    assert store.manifest("ours").parameters == {"depth": "3"}
    if form == "cloudpickle":
        with pytest.raises(InvalidInput, match="holds a pickle"):
            store.load("ours")
        store = ModelStore(catalog, blobs, trusted=[f"{server}/*"])
    loaded = store.load("ours")
    np.testing.assert_allclose(loaded.predict(pd.DataFrame({"b": [1], "a": [2]})), [6.0], atol=1e-9)
    with pytest.raises(InvalidInput, match="lacks the column 'a'"):
        loaded.predict(pd.DataFrame({"b": [1.0]}))


@pytest.mark.slow
def test_what_the_server_has_not_is_told(server: str, store: ModelStore) -> None:
    for reference in ("models:/nobody/1", "models:/nobody@champion", "models:/nobody"):
        with pytest.raises(NotFound, match="nobody"):
            pull(store, MlflowServer(server), reference)


DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.slow
def test_the_recipe_does_what_it_says_with_a_server(
    server: str, flights: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The Python of docs/howto/mlflow.md, with this server's address in place of the one in it."""
    from sklearn.linear_model import LinearRegression

    from jupyter_mlops import Workspace

    text = (DOCS / "howto" / "mlflow.md").read_text(encoding="utf-8")
    settings, *_ = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    (tmp_path / "mlops.toml").write_text(settings.replace("https://mlflow.example.com", server))
    monkeypatch.chdir(tmp_path)
    rows = flights[["distance"]]
    model = LinearRegression().fit(rows, rows["distance"])
    with Workspace.open() as workspace:
        for name in ("delay", "delay", "delay", "churn"):
            workspace.models.register(name, model, input_example=rows.head(3))
        workspace.models.set_alias("churn", "champion", 1)
        push(workspace.models, "churn@champion", MlflowServer(server))
    for code in re.findall(r"```python\n(.*?)```", text, re.DOTALL):
        exec(code.replace("https://mlflow.example.com", server), {"__name__": "__main__"})
    there = MlflowServer(server).call("GET", "model-versions/get", {"name": "delay", "version": "1"})
    assert {"key": "jupyter_mlops.version", "value": "3"} in there["model_version"]["tags"]
    with Workspace.open() as workspace:
        pulled = workspace.models.get("churn")
        assert pulled.origin == f"{server}/models/churn/1"
        assert len(workspace.models.load(pulled).predict(rows)) == len(rows)
