"""What earlier runs left that a task of this run may take: the cache, as one run sees it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime
from functools import cached_property

from ..blobs import BlobStore, parse_reference
from ..catalog import Catalog
from ..catalog.records import CacheEntry, TaskRun
from ..events import DONE_WELL, CacheHit, CacheMissed, now
from ..pipelines import PlannedTask, explain, task_key
from ..pipelines.cache import Components

_BATCH = 500  # keys in one question


def key_of(pipeline: str, task: str, components: Components) -> str:
    """The cache key of a planned task."""
    return task_key({**components, "task": f"{pipeline}:{task}"})


class Cachebook:
    """Answers a run's look-ups, one by one or, after `prefetch`, many at the price of one question."""

    def __init__(
        self,
        catalog: Catalog,
        blobs: BlobStore,
        pipeline: str,
        run_id: str,
        *,
        earlier: Mapping[str, TaskRun] | None = None,
    ) -> None:
        self.catalog, self.blobs = catalog, blobs
        self.pipeline, self.run_id = pipeline, run_id
        self.earlier = earlier or {}  # of the run that this one repeats: taken first
        self._by_key: dict[str, CacheEntry] = {}
        self._own: dict[str, CacheEntry] = {}
        self._known_blobs: set[str] = set()

    @cached_property
    def _frozen(self) -> Mapping[str, CacheEntry]:
        where = {"pipeline": self.pipeline, "is_frozen": True}
        return {
            entry.task: entry for entry in self.catalog.find(CacheEntry, where=where, order_by="created_at")
        }

    def key(self, task: PlannedTask, components: Components) -> str:
        """The cache key. Two tasks of a pipeline do not share one; the instances of a mapped task do."""
        return key_of(self.pipeline, task.key, components)

    def newest(self, task: str) -> CacheEntry | None:
        """The last outcome of the task, whatever its key."""
        if task in self._own:
            return self._own[task]
        where = {"pipeline": self.pipeline, "task": task}
        found = self.catalog.find(CacheEntry, where=where, order_by=("-created_at", "-cache_key"), limit=1)
        return found[0] if found else None

    def made_at(self, key: str) -> datetime | None:
        """When the outcome that the last `answer` gave under this key was made."""
        entry = self._by_key.get(key)
        return None if entry is None else entry.created_at

    def prefetch(self, keys: Collection[str]) -> None:
        """Read what the catalog has under these keys, for the look-ups that follow."""
        wanted = [key for key in dict.fromkeys(keys) if key not in self._by_key]
        for at in range(0, len(wanted), _BATCH):
            part = wanted[at : at + _BATCH]
            for entry in self.catalog.find(CacheEntry, where={"cache_key": part}, omit=("components",)):
                self._by_key[entry.cache_key] = entry

    def answer(
        self, task: str, key: str, components: Components, *, any_key: bool = False
    ) -> CacheHit | CacheMissed:
        """Hit or miss, with its reason. A hit's blobs are all there."""
        repeated = self.earlier.get(task)
        if repeated is not None and repeated.state in DONE_WELL:
            source = repeated.source_run_id or repeated.run_id
            # Only the outcome is taken: what it was made of is not known here.
            found = CacheEntry(
                cache_key=repeated.cache_key or key, pipeline=self.pipeline, task=task, run_id=source,
                components={}, results=repeated.results, artifacts=repeated.artifacts,
                notebook=repeated.notebook, created_at=now(),
            )  # fmt: skip
            if not self._gone(found):
                return self._hit(task, found, "done in the run that this one repeats")
        frozen = self._frozen.get(task)
        if frozen is not None and not self._gone(frozen):
            return self._hit(task, frozen, "frozen")
        if any_key:
            entry = self.newest(task)
        else:
            self.prefetch([key])
            entry = self._by_key.get(key)
        if entry is None:
            return self._miss(task, key, self.why(task, components))
        gone = self._gone(entry)
        if gone:
            return self._miss(task, key, f"{gone} is gone from the blobs")
        return self._hit(task, entry, "")

    def why(self, task: str, components: Components) -> str:
        """What changed since the task last ran, as one sentence; empty if it never did."""
        reasons = self.reasons(task, components)
        return "; ".join(reasons[:3]) + (f"; and {len(reasons) - 3} more" if len(reasons) > 3 else "")

    def reasons(self, task: str, components: Components) -> list[str]:
        """What changed since the task last ran."""
        last = self.newest(task)
        return [] if last is None else explain(last.components, components)

    def keep(self, entry: CacheEntry) -> CacheEntry:
        """Remember an outcome of this run, for its own later look-ups; the caller puts it into the catalog.

        The outcome of a frozen task that was forced to run is frozen in its turn.
        """
        if entry.task in self._frozen:
            entry = replace(entry, is_frozen=True)
        self._by_key[entry.cache_key] = self._own[entry.task] = entry
        return entry

    def _miss(self, task: str, key: str, reason: str) -> CacheMissed:
        return CacheMissed(run_id=self.run_id, task=task, cache_key=key, reason=reason)

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
