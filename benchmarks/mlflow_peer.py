"""MLflow's side of the stores' benchmark, for the Python that has it; see `stores_models`.

Imports, the making of its database and the fitting of the model are not part of any figure.
"""

from __future__ import annotations

import importlib.metadata
import time
from pathlib import Path
from typing import Any

import mlflow
import pandas as pd
from mlflow.models import infer_signature
from mlflow.tracking import MlflowClient
from peer_loop import middle, serve
from sklearn.linear_model import LogisticRegression

KEPT: dict[str, Any] = {}


def versions() -> dict[str, Any]:
    return {"mlflow": mlflow.__version__, "its scikit-learn": importlib.metadata.version("scikit-learn")}


def prepare(folder: str, rows: str) -> dict[str, Any]:
    """A tracking store on SQLite with local artifacts, and a model."""
    Path(folder).mkdir(parents=True, exist_ok=True)
    mlflow.set_tracking_uri(f"sqlite:///{folder}/mlflow.db")
    started = time.perf_counter()
    mlflow.create_experiment("bench", artifact_location=f"file://{folder}/artifacts")
    mlflow.set_experiment("bench")
    frame = pd.read_parquet(rows)
    KEPT["frame"] = frame.drop(columns="label")
    KEPT["model"] = LogisticRegression(max_iter=200).fit(KEPT["frame"], frame["label"])
    KEPT["client"] = MlflowClient()
    return {"seconds": time.perf_counter() - started}


def register(is_pinned: bool, has_example: bool) -> dict[str, Any]:
    """One version in a run of its own, with its metrics and parameters."""
    example = KEPT["frame"].head(5)
    model = KEPT["model"]
    more: dict[str, Any] = {}
    if is_pinned:
        version = importlib.metadata.version("scikit-learn")
        more["pip_requirements"] = [f"scikit-learn=={version}", f"pandas=={pd.__version__}"]
    if has_example:
        more |= {"input_example": example, "signature": infer_signature(example, model.predict(example))}
    started = time.perf_counter()
    with mlflow.start_run():
        mlflow.log_params(model.get_params())
        mlflow.log_metric("auc", 0.9)
        mlflow.sklearn.log_model(model, name="model", registered_model_name="delay", **more)
    return {"seconds": time.perf_counter() - started}


def load(how: str, times: int) -> dict[str, Any]:
    """How: ``sklearn`` or ``pyfunc``."""
    frame = KEPT["frame"].head(5)
    loader = getattr(mlflow, how).load_model
    return {
        **middle(lambda: loader("models:/delay/1"), times),
        "answer": [int(one) for one in loader("models:/delay/1").predict(frame)],
    }


def fill(count: int) -> dict[str, Any]:
    """Records of versions, all of one model that is there already: no bytes are written."""
    client = KEPT["client"]
    source = client.get_model_version("delay", "1")
    client.create_registered_model("many")
    started = time.perf_counter()
    for number in range(count):
        client.create_model_version("many", source.source, run_id=source.run_id, tags={"number": str(number)})
    return {"seconds": time.perf_counter() - started}


def listed(count: int, times: int) -> dict[str, Any]:
    client = KEPT["client"]

    def call() -> Any:
        return client.search_model_versions("name = 'many'", max_results=count)

    return {**middle(call, times), "count": len(call())}


if __name__ == "__main__":
    serve(
        {
            "versions": versions, "prepare": prepare, "register": register, "load": load, "fill": fill,
            "listed": listed,
        }
    )  # fmt: skip
