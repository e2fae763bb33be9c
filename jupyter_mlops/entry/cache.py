"""The cache, as the process of one task sees it: asked before the notebook runs, told after.

The keys are those of our own runs, so each takes what the other left. Of its own run a task takes nothing: a
further attempt is asked for so that it runs, and instances of a mapped task would find each other's by chance.
Without a catalog there is no cache, and the task runs.
"""

from __future__ import annotations

from ..backends import JobOutcome
from ..blobs import BlobStore
from ..catalog.records import CacheEntry
from ..errors import MlopsError
from ..events import CacheHit, now
from ..pipelines import RunState
from ..pipelines.cache import Components
from ..runner.cachebook import Cachebook, key_of
from ..runner.sources import Sources
from .report import Report


class TaskCache:
    """What the cache has for one task of the run that `machine` is at; of the files as they are now, before it runs."""

    def __init__(
        self, key: str, machine: RunState, sources: Sources, blobs: BlobStore, report: Report
    ) -> None:
        self.key, self.machine = key, machine
        self.sources, self.blobs, self.report = sources, blobs, report
        self.components = self._components()
        planned = machine.task(key).planned
        self.cache_key = (
            key_of(machine.plan.pipeline, planned.key, self.components) if self.components else ""
        )

    def _components(self) -> Components | None:
        """What the outcome depends on; None if it is not kept. What is wrong with it is told when the task runs."""
        planned = self.machine.task(self.key).planned
        if not planned.cache:
            return None
        try:
            bound = self.sources.bind(planned, self.machine.arguments(self.key))
            return self.sources.components(planned, bound, self.machine.environment(self.key))
        except MlopsError:
            return None

    def find(self) -> CacheHit | None:
        """What an earlier run left."""
        if self.components is None:
            return None
        with self.report.reached() as catalog:
            if catalog is not None:
                book = Cachebook(catalog, self.blobs, self.machine.plan.pipeline, self.machine.run_id)
                answer = book.answer(self.key, self.cache_key, self.components)
                if isinstance(answer, CacheHit) and answer.source_run_id != self.machine.run_id:
                    return answer
        return None

    def keep(self, outcome: JobOutcome) -> None:
        """The task ran and succeeded: its outcome is there for later runs."""
        if self.components is None:
            return
        with self.report.reached() as catalog:
            if catalog is None:
                return
            plan, run_id = self.machine.plan, self.machine.run_id
            entry = CacheEntry(
                cache_key=self.cache_key, pipeline=plan.pipeline, task=self.key, run_id=run_id,
                components=self.components, results=outcome.results,
                artifacts={name: str(told["reference"]) for name, told in outcome.artifacts.items()},
                notebook=outcome.notebook, duration_seconds=outcome.duration_seconds, created_at=now(),
            )  # fmt: skip
            catalog.put(Cachebook(catalog, self.blobs, plan.pipeline, run_id).keep(entry))
