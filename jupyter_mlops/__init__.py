"""From a notebook to production without leaving Jupyter.

In a notebook::

    import jupyter_mlops as mlops

    mlops.result("auc", 0.91)          # a small value that others may refer to
    mlops.artifact("train", frame)     # a frame, file or object, kept by its content
    frame = mlops.input("train")       # and opened again

    mlops.register_model("delay", model, input_example=frame.head(), metrics={"auc": 0.91})
    model = mlops.load_model("models:/delay@champion")
    mlops.deploy("models:/delay@champion").url  # it answers there, also when this notebook has ended
    mlops.find_models("delay"); mlops.find_features(); mlops.status()
    mlops.run_pipeline("pipeline.yaml", {"week": 21})

``%load_ext jupyter_mlops`` gives the same as magics. In a program, ``mlops.Workspace.open()`` has everything; on
a command line, ``jupyter mlops``. Names are imported when they are first used, so that importing this costs next
to nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from ._version import __version__

if TYPE_CHECKING:
    from .emit import artifact, input, result  # noqa: A004
    from .errors import MlopsError
    from .pipelines import Pipeline, PipelineParameter, RetryPolicy, Task
    from .resources import ResourceRequest
    from .runner import RunOptions
    from .session.costing import compute_units, cost
    from .session.deploying import deploy, find_deployments, rollback
    from .session.exporting import export_pipeline
    from .session.featuring import feature_store, feature_view, find_features, register_features
    from .session.modeling import alias, featurize, find_models, load_model, predict, register_model
    from .session.place import get_workspace
    from .session.promoting import dockerize
    from .session.running import run_pipeline, status
    from .widgets import PipelineView, RunView
    from .widgets.form import form
    from .widgets.requesting import request_resources
    from .workspace import Workspace

_HOMES = {
    "MlopsError": "errors",
    "Pipeline": "pipelines",
    "PipelineParameter": "pipelines",
    "PipelineView": "widgets",
    "ResourceRequest": "resources",
    "RetryPolicy": "pipelines",
    "RunOptions": "runner",
    "RunView": "widgets",
    "Task": "pipelines",
    "Workspace": "workspace",
    "alias": "session.modeling",
    "artifact": "emit",
    "compute_units": "session.costing",
    "cost": "session.costing",
    "deploy": "session.deploying",
    "dockerize": "session.promoting",
    "export_pipeline": "session.exporting",
    "feature_store": "session.featuring",
    "feature_view": "session.featuring",
    "featurize": "session.modeling",
    "find_deployments": "session.deploying",
    "find_features": "session.featuring",
    "find_models": "session.modeling",
    "get_workspace": "session.place",
    "form": "widgets.form",
    "input": "emit",
    "load_model": "session.modeling",
    "predict": "session.modeling",
    "register_features": "session.featuring",
    "register_model": "session.modeling",
    "request_resources": "widgets.requesting",
    "result": "emit",
    "rollback": "session.deploying",
    "run_pipeline": "session.running",
    "status": "session.running",
}

__all__ = [
    "MlopsError",
    "Pipeline",
    "PipelineParameter",
    "PipelineView",
    "ResourceRequest",
    "RetryPolicy",
    "RunOptions",
    "RunView",
    "Task",
    "Workspace",
    "__version__",
    "alias",
    "artifact",
    "compute_units",
    "cost",
    "deploy",
    "dockerize",
    "export_pipeline",
    "feature_store",
    "feature_view",
    "featurize",
    "find_deployments",
    "find_features",
    "find_models",
    "form",
    "get_workspace",
    "input",
    "load_ipython_extension",
    "load_model",
    "predict",
    "register_features",
    "register_model",
    "request_resources",
    "result",
    "rollback",
    "run_pipeline",
    "status",
]


def load_ipython_extension(shell: Any) -> None:
    """``%load_ext jupyter_mlops``."""
    importlib.import_module(".magics", __name__).register(shell)


def _jupyter_server_extension_points() -> list[dict[str, Any]]:
    """How Jupyter's server finds the extension that ``jupyter-config/`` enables."""
    app = importlib.import_module(".server.app", __name__)
    return [{"module": app.__name__, "app": app.MlopsExtension}]


def _jupyter_labextension_paths() -> list[dict[str, str]]:
    """Where the built panel is, for `jupyter-builder develop`."""
    return [{"src": "labextension", "dest": "jupyter-mlops"}]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f".{_HOMES[name]}", __name__), name)


def __dir__() -> list[str]:
    return __all__
