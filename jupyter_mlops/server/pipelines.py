"""The operations on pipeline files and notebooks: list, show, check, save."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from ..catalog.records import Run
from ..errors import InvalidInput, MlopsError, NotFound
from ..fingerprint import digest_bytes
from ..notebooks.files import load_notebook
from ..notebooks.parameters import read_parameters
from ..pipelines import Pipeline, Task, graph, lower, read_pipeline
from ..preflight import check_plan
from ..problems import Problem
from ..settings import find_root
from . import files
from .graphs import Direction, pipeline_graph
from .panel import Panel
from .places import Places
from .present import notebook_parameter, page, pipeline_parameter, problem_body, resources_body
from .present_runs import summaries


def list_page(panel: Panel, asked: Mapping[str, Any]) -> dict[str, Any]:
    """`listPipelines`: files are few, and no database has them, so they are all looked at."""
    found = files.find_pipelines(panel.places.root)
    words = (asked["search"] or "").casefold().split()
    heads = [_head(panel.places, path) for path in found.paths]
    matching = [head for head in heads if all(word in head.searched for word in words)]
    start, limit = asked["offset"], asked["limit"]
    items = [_summary(panel, head) for head in matching[start : start + limit]]
    return {**page(items, len(matching), limit, start), "is_complete": found.is_complete}


def show(panel: Panel, asked: Mapping[str, Any]) -> dict[str, Any]:
    """`getPipeline`."""
    path = panel.places.inside(asked["path"], *files.SUFFIXES)
    text, digest = files.read_text(path, asked["path"])
    return _body(panel, path, asked["path"], text, digest, asked["direction"])


def check(panel: Panel, asked: Mapping[str, Any]) -> dict[str, Any]:
    """`checkPipeline`."""
    path = panel.places.inside(asked["path"], *files.SUFFIXES)
    digest = digest_bytes(asked["text"].encode("utf-8", "surrogatepass"))
    return _body(panel, path, asked["path"], asked["text"], digest, asked["direction"])


def save(panel: Panel, asked: Mapping[str, Any]) -> dict[str, Any]:
    """`savePipeline`."""
    path = panel.places.inside(asked["path"], *files.SUFFIXES)
    files.write_text(path, asked["text"], asked["digest"], asked["path"])
    panel.saved = True
    return show(panel, {"path": asked["path"], "direction": "right"})


def notebook_parameters(panel: Panel, asked: Mapping[str, Any]) -> dict[str, Any]:
    """`getNotebookParameters`: a notebook whose parameters cannot be read has a problem instead."""
    path = panel.places.inside(asked["path"], ".ipynb")
    problems: list[Problem] = []
    parameters: Sequence[Any] = ()
    try:
        parameters = read_parameters(load_notebook(path), where=asked["path"])
    except NotFound:
        raise NotFound(f"there is no notebook {asked['path']!r}") from None
    except InvalidInput as error:
        problems.append(Problem(message=error.message, hint=error.hint, where=asked["path"]))
    return {
        "path": asked["path"],
        "parameters": [notebook_parameter(each) for each in parameters],
        "problems": [problem_body(each, panel.places) for each in problems],
    }


# --- lists ----------------------------------------------------------------------------------------------


class _Head:
    """What a list shows of a file."""

    def __init__(
        self, path: Path, shown: str, pipeline: Pipeline | None, problems: Sequence[Problem]
    ) -> None:
        self.path, self.shown = path, shown
        self.name = pipeline.name if pipeline else path.parent.name
        self.description = pipeline.description if pipeline else ""
        self.task_count = len(pipeline.tasks) if pipeline else 0
        self.error_count = sum(problem.severity == "error" for problem in problems)
        self.searched = f"{shown} {self.name} {self.description}".casefold()


def _head(places: Places, path: Path) -> _Head:
    try:
        found = path.stat()
    except OSError:
        return _Head(path, places.relative(path) or path.name, None, ())
    return _known_head(places, path, found.st_mtime_ns, found.st_size)


@lru_cache(maxsize=2000)
def _known_head(places: Places, path: Path, _changed: int, _size: int) -> _Head:
    """A file that did not change is not read again."""
    shown = places.relative(path) or path.name
    try:
        pipeline, problems = read_pipeline(files.read_text(path, shown)[0], path)
    except MlopsError as error:
        return _Head(path, shown, None, [Problem(message=error.message)])
    return _Head(path, shown, pipeline, problems)


def _summary(panel: Panel, head: _Head) -> dict[str, Any]:
    own = find_root(head.path.parent)
    return {
        "path": head.shown,
        "name": head.name,
        "description": head.description,
        "task_count": head.task_count,
        "error_count": head.error_count,
        "workspace": None if own == panel.workspace_root else panel.places.relative(own),
        "last_run": last_run(panel, head.name, head.path),
    }


def last_run(panel: Panel, name: str, path: Path) -> dict[str, Any] | None:
    """The newest run of a pipeline's file."""
    workspace = panel.workspace
    where = {"pipeline": name, "pipeline_path": panel.places.spellings(path)}
    found = workspace.catalog.find(Run, where=where, order_by="-created_at", limit=1, omit=("plan",))
    return next(iter(summaries(workspace, panel.places, found)), None)


# --- one ------------------------------------------------------------------------------------------------


def _body(
    panel: Panel, path: Path, shown: str, text: str, digest: str, direction: Direction
) -> dict[str, Any]:
    pipeline, problems = read_pipeline(text, path)
    if pipeline is not None:
        problems = [*problems, *_deeper(panel, pipeline, path, problems)]
    tasks = pipeline.tasks if pipeline else ()
    upstream = graph.upstream(tasks)
    lines = {task.name: task.lines.get("", 0) for task in tasks}
    others = list(pipeline.lines.values()) if pipeline else []
    unique = list(dict.fromkeys(problems))
    name = pipeline.name if pipeline else path.parent.name
    return {
        "path": shown,
        "name": name,
        "description": pipeline.description if pipeline else "",
        "parameters": [
            pipeline_parameter(key, each) for key, each in (pipeline.parameters if pipeline else {}).items()
        ],
        "tasks": [_task_body(panel.places, path.parent, task, upstream[task.name]) for task in tasks],
        "graph": pipeline_graph(tasks, upstream, direction),
        "problems": [problem_body(each, panel.places, lines, others) for each in unique],
        "text": text,
        "digest": digest,
        "last_run": last_run(panel, name, path),
    }


def _deeper(panel: Panel, pipeline: Pipeline, path: Path, known: Sequence[Problem]) -> list[Problem]:
    """What is wrong beyond the file, in its notebooks above all; only of a pipeline that holds, and that could
    run with its defaults."""
    if any(problem.severity == "error" for problem in known):
        return []
    if any(parameter.is_required for parameter in pipeline.parameters.values()):
        return []  # what its notebooks get is not known before it is given
    places = {task.name: pipeline.where(task) for task in pipeline.tasks}
    try:
        plan = lower(pipeline)
        return check_plan(plan, path.parent, panel.settings, places=places)
    except InvalidInput as error:
        return list(error.fields.get("problems") or [Problem(message=error.message, hint=error.hint)])


def _task_body(places: Places, folder: Path, task: Task, upstream: Sequence[str]) -> dict[str, Any]:
    return {
        "name": task.name,
        "notebook": task.notebook,
        "notebook_path": places.relative(folder / task.notebook),
        "description": task.description,
        "parameters": _plain(task.parameters),
        "when": task.when,
        "run_if": task.run_if,
        "matrix": _plain(task.matrix),
        "map": _plain(task.map),
        "retries": task.retries.limit,
        "timeout_seconds": task.timeout_seconds,
        "resources": resources_body(task.resources),
        "priority": task.priority,
        "has_cache": task.cache,
        "files": list(task.files),
        "upstream": list(upstream),
        "line": task.lines.get("") or None,
    }


def _plain(value: Any) -> Any:
    """YAML's values as JSON: dates as they are written."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)
