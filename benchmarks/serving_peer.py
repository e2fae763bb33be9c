"""A peer's end of benchmarks/serving.py: trains the model, keeps it as the peer likes it, and becomes its server.

``python serving_peer.py NAME MODEL PORT``, in a folder of its own and in the peer's own environment.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

NAMES = ["sepal_length", "sepal_width", "petal_length", "petal_width"]


def train(name: str) -> tuple[Any, Any]:
    """The model, and the frame that it was trained on; the same in every environment."""
    from sklearn.datasets import load_iris
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    data, target = load_iris(return_X_y=True, as_frame=True)
    data.columns = NAMES
    forest = RandomForestClassifier(200, random_state=7)
    model = forest if name == "forest" else make_pipeline(StandardScaler(), LogisticRegression())
    return model.fit(data, target), data


def mlflow(name: str, port: str) -> list[str]:
    import mlflow.sklearn
    from mlflow.models import infer_signature

    model, data = train(name)
    mlflow.sklearn.save_model(
        model,
        "model",
        signature=infer_signature(data, model.predict(data)),
        serialization_format="cloudpickle",
    )
    return [sys.executable, "-m", "mlflow", "models", "serve", "-m", "model", "-p", port, "-h", "127.0.0.1",
            "--env-manager", "local", "-w", "1"]  # fmt: skip


BENTO = """
import bentoml
import joblib
import numpy as np


@bentoml.service(workers=1, traffic={{"timeout": 60}})
class Served:
    def __init__(self):
        self.model = joblib.load("model.joblib")

    @bentoml.api(batchable={batchable}, max_batch_size=256, max_latency_ms=60000)
    def predict(self, rows: np.ndarray) -> np.ndarray:
        return self.model.predict(rows)
"""


def bentoml(name: str, port: str) -> list[str]:
    import joblib

    model, data = train(name)
    joblib.dump(model.fit(data.to_numpy(), model.predict(data)), "model.joblib")
    Path("service.py").write_text(BENTO.format(batchable=True))
    return [sys.executable, "-m", "bentoml", "serve", "service:Served", "--port", port, "--host", "127.0.0.1"]


def mlserver(name: str, port: str) -> list[str]:
    import joblib

    model, data = train(name)
    joblib.dump(model.fit(data.to_numpy(), model.predict(data)), "model.joblib")
    settings = {"http_port": int(port), "grpc_port": int(port) + 1, "metrics_port": int(port) + 2, "host": "127.0.0.1",
                "parallel_workers": 0}  # fmt: skip
    Path("settings.json").write_text(json.dumps(settings))
    parameters = {"name": "iris", "implementation": "mlserver_sklearn.SKLearnModel", "max_batch_size": 256,
                  "max_batch_time": 0.001, "parameters": {"uri": "./model.joblib", "version": "1"}}  # fmt: skip
    Path("model-settings.json").write_text(json.dumps(parameters))
    return [str(Path(sys.executable).with_name("mlserver")), "start", "."]


def main() -> None:
    who, name, port = sys.argv[1:]
    command = {"mlflow": mlflow, "bentoml": bentoml, "mlserver": mlserver}[who](name, port)
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    os.execve(command[0], command, environment)


if __name__ == "__main__":
    main()
