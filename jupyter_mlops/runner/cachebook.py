"""What earlier runs left that a task of this run may take: the cache, as one run sees it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..blobs import BlobStore, parse_reference
from ..catalog import Catalog
from ..catalog.records import CacheEntry, TaskRun
from ..events import DONE_WELL, CacheHit, CacheMissed, now
from ..pipelines import PlannedTask, explain, task_key
from ..pipelines.cache import Components


class Cachebook:
    """Answers a run's look-ups. The entries of the pipeline are read once; a thousand look-ups are quick."""

    def __init__(self, catalog: Catalog, blobs: BlobStore, pipeline: str, run_id: str) -> None:
        self.catalog, self.blobs = catalog, blobs
        self.pipeline, self.run_id = pipeline, run_id
        self.earlier: Mapping[str, TaskRun] = {}  # of the run that this one repeats: taken first
        self._by_key: dict[str, CacheEntry] = {}
        self._newest: dict[str, CacheEntry] = {}
        self._frozen: dict[str, CacheEntry] = {}
        for entry in catalog.find(CacheEntry, where={"pipeline": pipeline}, order_by="created_at"):
            self._by_key[entry.cache_key] = entry
            self._newest[entry.task] = entry
            if entry.is_frozen:
                self._frozen[entry.task] = entry
        self._known_blobs: set[str] = set()

    def key(self, task: PlannedTask, components: Components) -> str:
        """The cache key. Two tasks of a pipeline do not share one; the instances of a mapped task do."""
        return task_key({**components, "task": f"{self.pipeline}:{task.key}"})

    def frozen(self, task: str) -> CacheEntry | None:
        """What stands for the task whatever changed, if it was frozen."""
        return self._frozen.get(task)

    def newest(self, task: str) -> CacheEntry | None:
        """The last outcome of the task, whatever its key."""
        return self._newest.get(task)

    def answer(
        self, task: str, key: str, components: Components, *, any_key: bool = False
    ) -> CacheHit | CacheMissed:
        """Hit or miss, with its reason. A hit's blobs are all there."""
        repeated = self.earlier.get(task)
        if repeated is not None and repeated.state in DONE_WELL:
            source = repeated.source_run_id or repeated.run_id
            found = CacheEntry(
                cache_key=repeated.cache_key or key, pipeline=self.pipeline, task=task, run_id=source,
                components={}, results=repeated.results, artifacts=repeated.artifacts,
                notebook=repeated.notebook, created_at=now(),
            )  # fmt: skip
            return self._hit(task, found, "done in the run that this one repeats")
        frozen = self._frozen.get(task)
        if frozen is not None:
            return self._hit(task, frozen, "frozen")
        entry = self._newest.get(task) if any_key else self._by_key.get(key)
        if entry is None and not any_key:
            entry = next(iter(self.catalog.find(CacheEntry, where={"cache_key": key}, limit=1)), None)
        if entry is None:
            return CacheMissed(run_id=self.run_id, task=task, cache_key=key, reason=self.why(task, components))
        gone = self._gone(entry)
        if gone:
            return CacheMissed(run_id=self.run_id, task=task, cache_key=key, reason=f"{gone} is gone from the blobs")
        return self._hit(task, entry, "")

    def why(self, task: str, components: Components) -> str:
        """What changed since the task last ran, as one sentence; empty if it never did."""
        reasons = self.reasons(task, components)
        return "; ".join(reasons[:3]) + (f"; and {len(reasons) - 3} more" if len(reasons) > 3 else "")

    def reasons(self, task: str, components: Components) -> list[str]:
        """What changed since the task last ran."""
        last = self._newest.get(task)
        return [] if last is None else explain(last.components, components)

    def keep(self, entry: CacheEntry) -> CacheEntry:
        """Remember an outcome of this run, for its own later look-ups; the caller puts it into the catalog."""
        self._by_key[entry.cache_key] = self._newest[entry.task] = entry
        return entry

    def _hit(self, task: str, entry: CacheEntry, reason: str) -> CacheHit:
        return CacheHit(
            run_id=self.run_id,
            task=task,
            cache_key=entry.cache_key,
            source_run_id=entry.run_id,
            results=entry.results,
            artifacts=entry.artifacts,
            notebook=entry.notebook,
            reason=reason,
        )

    def _gone(self, entry: CacheEntry) -> str:
        """The first blob that the entry needs and that is not there."""
        digests: dict[str, str] = {"the executed notebook": entry.notebook} if entry.notebook else {}
        for name, reference in entry.artifacts.items():
            parsed = parse_reference(reference)
            if parsed is not None:
                digests[f"artifact {name}"] = parsed.digest
        for what, digest in digests.items():
            if digest not in self._known_blobs:
                if not self.blobs.exists(digest):
                    return what
                self._known_blobs.add(digest)
        return ""


def entry_of(
    pipeline: str, task: str, run_id: str, key: str, components: Components, fields: Mapping[str, Any]
) -> CacheEntry:
    """A cache entry for an outcome."""
    return CacheEntry(
        cache_key=key, pipeline=pipeline, task=task, run_id=run_id, components=components, created_at=now(), **fields
    )
