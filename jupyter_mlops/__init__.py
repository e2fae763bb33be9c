"""From a notebook to production without leaving Jupyter.

In a notebook::

    import jupyter_mlops as mlops

    mlops.result("auc", 0.91)          # a small value that others may refer to
    mlops.artifact("train", frame)     # a frame, file or object, kept by its content
    frame = mlops.input("train")       # and opened again

In a program, ``mlops.Workspace.open()`` has everything; on a command line, ``jupyter mlops``. Names are
imported when they are first used, so that importing this costs next to nothing.
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
    from .workspace import Workspace

_HOMES = {
    "MlopsError": "errors",
    "Pipeline": "pipelines",
    "PipelineParameter": "pipelines",
    "ResourceRequest": "resources",
    "RetryPolicy": "pipelines",
    "RunOptions": "runner",
    "Task": "pipelines",
    "Workspace": "workspace",
    "artifact": "emit",
    "input": "emit",
    "result": "emit",
}

__all__ = [
    "MlopsError",
    "Pipeline",
    "PipelineParameter",
    "ResourceRequest",
    "RetryPolicy",
    "RunOptions",
    "Task",
    "Workspace",
    "__version__",
    "artifact",
    "input",
    "load_ipython_extension",
    "result",
]


def load_ipython_extension(shell: Any) -> None:
    """``%load_ext jupyter_mlops``."""
    importlib.import_module(".magics", __name__).register(shell)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f".{_HOMES[name]}", __name__), name)


def __dir__() -> list[str]:
    return __all__
