"""Two runs side by side: arguments, tasks, results, what their tasks were made of, and their notebooks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..blobs import BlobStore
from ..catalog import Catalog
from ..catalog.records import CacheEntry, Run, TaskRun
from ..errors import NotFound, did_you_mean
from ..notebooks.comparison import NotebookDifference, diff_notebooks
from ..notebooks.files import parse_notebook
from ..pipelines import explain

_MISSING = object()
_BATCH = 500


@dataclass(frozen=True, slots=True)
class Pair:
    """A name and its value on either side, None where it has none."""

    name: str
    left: Any
    right: Any
    is_same: bool


@dataclass(frozen=True, slots=True)
class TaskPair:
    """A task of either run, or of both. `why` says what it was made of that differs."""

    task: str
    left: TaskRun | None
    right: TaskRun | None
    arguments: tuple[Pair, ...]
    results: tuple[Pair, ...]
    artifacts: tuple[Pair, ...]
    why: tuple[str, ...]

    @property
    def is_same_notebook(self) -> bool:
        """Whether both have the very same executed notebook."""
        return bool(
            self.left and self.right and self.left.notebook and self.left.notebook == self.right.notebook
        )


@dataclass(frozen=True, slots=True)
class RunComparison:
    """All of it, in the left run's order; `notebook` only for the task that was asked for."""

    left: Run
    right: Run
    arguments: tuple[Pair, ...]
    tasks: tuple[TaskPair, ...]
    notebook: NotebookDifference | None = None


def compare_runs(
    catalog: Catalog, blobs: BlobStore, left: str, right: str, task: str | None = None
) -> RunComparison:
    """Compare two runs by id, and the executed notebooks of `task`. Raises `NotFound`."""
    runs = catalog.get(Run, left), catalog.get(Run, right)
    sides = [
        {each.task: each for each in catalog.find(TaskRun, where={"run_id": run.run_id}, order_by="position")}
        for run in runs
    ]
    made_of = _made_of(catalog, [each for side in sides for each in side.values()])
    keys = list(dict.fromkeys([*sides[0], *sides[1]]))
    notebook = None
    if task is not None:
        if task not in keys:
            raise NotFound(f"neither run has a task {task!r}", hint=did_you_mean(task, keys))
        notebook = diff_notebooks(
            *(_notebook(blobs, run, side.get(task), task) for run, side in zip(runs, sides, strict=True))
        )
    return RunComparison(
        left=runs[0],
        right=runs[1],
        arguments=pairs(runs[0].arguments, runs[1].arguments),
        tasks=tuple(_task_pair(key, sides[0].get(key), sides[1].get(key), made_of) for key in keys),
        notebook=notebook,
    )


def pairs(left: Mapping[str, Any], right: Mapping[str, Any]) -> tuple[Pair, ...]:
    """Every name of either side, in order."""
    return tuple(
        Pair(name, left.get(name), right.get(name), left.get(name, _MISSING) == right.get(name, _MISSING))
        for name in dict.fromkeys([*left, *right])
    )


def _task_pair(key: str, left: TaskRun | None, right: TaskRun | None, made_of: Mapping[str, Any]) -> TaskPair:
    def both(name: str) -> tuple[Pair, ...]:
        return pairs(*(getattr(side, name) if side else {} for side in (left, right)))

    before, after = (made_of.get(side.cache_key if side else "", None) for side in (left, right))
    why = explain(before, after) if before is not None and after is not None else []
    return TaskPair(
        task=key,
        left=left,
        right=right,
        arguments=tuple(pair for pair in both("arguments") if not pair.is_same),
        results=both("results"),
        artifacts=both("artifacts"),
        why=tuple(why),
    )


def _made_of(catalog: Catalog, tasks: Sequence[TaskRun]) -> dict[str, Any]:
    """Cache key → components, of those that differ between the runs anyway."""
    keys = list(dict.fromkeys(task.cache_key for task in tasks if task.cache_key))
    found: dict[str, Any] = {}
    for at in range(0, len(keys), _BATCH):
        part = keys[at : at + _BATCH]
        entries = catalog.find(CacheEntry, where={"cache_key": part}, omit=("results", "artifacts"))
        found |= {entry.cache_key: entry.components for entry in entries}
    return found


def _notebook(blobs: BlobStore, run: Run, task: TaskRun | None, name: str) -> Mapping[str, Any]:
    if task is None or not task.notebook:
        reason = "is not in it" if task is None else f"has no executed notebook in it: it is {task.state}"
        raise NotFound(f"run {run.run_id} cannot be compared: {name} {reason}")
    return parse_notebook(blobs.read_bytes(task.notebook), where=f"{name} of {run.run_id}")
