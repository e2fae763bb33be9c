"""What dask imports on a worker: the plugin that holds the kernels, and the functions that are sent there."""

from __future__ import annotations

import asyncio
import dataclasses
from typing import Any, Protocol

from distributed import WorkerPlugin, get_worker

from ..events import Event, encode
from ..kernels import KernelPool
from .job import Job, JobKey, JobOutcome
from .work import Worker

PLUGIN = "mlops-worker"
TOPIC = "mlops"


class Sink(Protocol):
    """Who hears of jobs in this very process."""

    def job_started(self, key: JobKey, worker: str) -> None:
        """A worker took the job up."""

    def job_progressed(self, event: Event) -> None:
        """It goes on."""

    def job_ended(self, key: JobKey, outcome: JobOutcome) -> None:
        """It is over."""


class MlopsWorkerPlugin(WorkerPlugin):
    """Holds the kernel pool of a worker, for as long as the worker lives.

    In the runner's own process it is given the runner's pool as `worker`, and tells its news to `sink`
    directly; on a worker elsewhere it makes a pool, and tells through dask's events.
    """

    name = PLUGIN
    idempotent = True

    def __init__(self, pool_size: int, *, worker: Worker | None = None, sink: Sink | None = None) -> None:
        self.pool_size = pool_size
        self.worker = worker
        self.sink = sink

    def setup(self, worker: Any) -> None:
        """Called by dask when the worker has this plugin."""
        if self.worker is None:
            gpus = int(worker.state.total_resources.get("gpu", 0))
            pool = KernelPool(size=self.pool_size)
            self.worker = Worker(pool, name=worker.address, gpus=gpus, marks_starts=True)

    def teardown(self, worker: Any) -> None:
        """Called by dask when the worker closes."""
        if self.worker is not None:
            self.worker.close(ends_pool=self.sink is None)

    def execute(self, job: Job) -> JobOutcome:
        """Run the job here."""
        assert self.worker is not None  # noqa: S101 - dask calls setup() before it gives jobs
        dask_worker = get_worker()

        def tell(event: Event) -> None:
            if self.sink is not None:
                self.sink.job_progressed(event)
            else:
                dask_worker.log_event(TOPIC, encode(event))

        if self.sink is not None:
            self.sink.job_started(job.key, self.worker.name)
        else:
            message = {"started": dataclasses.asdict(job.key), "worker": self.worker.name}
            dask_worker.log_event(TOPIC, message)
        outcome = self.worker.execute(job, tell)
        if self.sink is not None:
            self.sink.job_ended(job.key, outcome)  # what dask does to bring it there takes milliseconds
        return outcome


def run_job(job: Job) -> JobOutcome:
    """The function that is submitted to dask."""
    plugin: Any = get_worker().plugins[PLUGIN]
    outcome: JobOutcome = plugin.execute(job)
    return outcome


def cancel_job(key: JobKey, dask_worker: Any = None) -> None:
    """Sent to every worker."""
    worker = _worker_of(dask_worker)
    if worker is not None:
        worker.cancel(key)


async def recall_job(key: JobKey, dask_worker: Any = None) -> None:
    """Sent to every worker; waits aside, so that the worker goes on answering its scheduler."""
    worker = _worker_of(dask_worker)
    if worker is not None:
        await asyncio.to_thread(worker.recall, key)


def _worker_of(dask_worker: Any) -> Worker | None:
    plugin = getattr(dask_worker, "plugins", {}).get(PLUGIN)
    return plugin.worker if isinstance(plugin, MlopsWorkerPlugin) else None
