"""Outcomes that stand, whatever changes: the cache's entries of a task, frozen and let go again."""

from __future__ import annotations

from ..catalog import Catalog
from ..catalog.records import CacheEntry
from ..errors import NotFound, did_you_mean
from ..pipelines import Pipeline


def freeze(catalog: Catalog, pipeline: Pipeline, task: str) -> CacheEntry:
    """Let the last outcome of a task stand; of each of its instances, if it has some."""
    entries = _entries(catalog, pipeline, task)
    if not entries:
        raise NotFound(f"{task} has no outcome that could be frozen", hint="run it first")
    newest: dict[str, CacheEntry] = {}
    for entry in entries:
        newest.setdefault(entry.task, entry)
    with catalog.transaction():
        for entry in newest.values():
            catalog.update(CacheEntry, entry.cache_key, is_frozen=True)
    return entries[0]


def unfreeze(catalog: Catalog, pipeline: Pipeline, task: str) -> None:
    """Let the task run again when something changes."""
    frozen = [entry for entry in _entries(catalog, pipeline, task) if entry.is_frozen]
    if not frozen:
        raise NotFound(f"{task} is not frozen")
    with catalog.transaction():
        for entry in frozen:
            catalog.update(CacheEntry, entry.cache_key, is_frozen=False)


def _entries(catalog: Catalog, pipeline: Pipeline, task: str) -> list[CacheEntry]:
    """What the cache holds of a task, the latest first."""
    names = [known.name for known in pipeline.tasks]
    if task.partition("[")[0] not in names:
        raise NotFound(f"the pipeline {pipeline.name!r} has no task {task!r}", hint=did_you_mean(task, names))
    entries = catalog.find(CacheEntry, where={"pipeline": pipeline.name}, order_by="-created_at")
    return [entry for entry in entries if task in (entry.task, entry.task.partition("[")[0])]
