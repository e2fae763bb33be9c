"""One notebook as a pipeline of one task, so that it runs as every task does: cached, logged, seen by all."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from ..errors import InvalidInput
from .definition import Pipeline, PipelineParameter, Task


def notebook_pipeline(notebook: str, names: Iterable[str] = ()) -> Pipeline:
    """A pipeline that runs `notebook` (its path from the workspace's root) with arguments of these `names`.

    They are parameters of the pipeline, so that what is given stays a value: text with ``${`` in it is no
    reference. The notebook's own declarations convert and check them.
    """
    path = Path(notebook)
    if path.suffix not in (".ipynb", ".py"):
        hint = "give the path of an .ipynb file, or of a .py of cells (# %%)"
        raise InvalidInput(f"{notebook!r} is no notebook", hint=hint)
    name = re.sub(r"[^A-Za-z0-9_-]+", "_", path.stem)
    name = name if name[:1].isalpha() else f"notebook_{name}"
    names = list(names)
    task = Task(name, path.as_posix(), parameters={each: f"${{params.{each}}}" for each in names})
    parameters = {each: PipelineParameter(is_required=True) for each in names}
    return Pipeline(name, (task,), description=f"{path.name}, alone", parameters=parameters)
