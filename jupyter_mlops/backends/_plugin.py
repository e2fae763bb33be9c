"""What dask imports on a worker: the plugin that holds the kernels, and the functions that are sent there."""

from __future__ import annotations

import dataclasses
from typing import Any

from distributed import Worker as DaskWorker
from distributed import WorkerPlugin, get_worker

from ..events import Event, encode
from ..kernels import KernelPool
from .job import Job, JobKey, JobOutcome
from .work import Worker

PLUGIN = "mlops-worker"
TOPIC = "mlops"


class MlopsWorkerPlugin(WorkerPlugin):  # type: ignore[misc]
    """Holds the kernel pool of a worker, for as long as the worker lives.

    In the runner's own process it is given the runner's pool as `worker`, and tells its news to `sink`
    directly; on a worker elsewhere it makes a pool, and tells through dask's events.
    """

    name = PLUGIN
    idempotent = True

    def __init__(self, pool_size: int, *, worker: Worker | None = None, sink: Any = None) -> None:
        self.pool_size = pool_size
        self.worker = worker
        self.sink = sink
        self._owns_pool = False

    def setup(self, worker: Any) -> None:
        """Called by dask when the worker has this plugin."""
        if self.worker is None:
            self._owns_pool = True
            gpus = int(worker.state.total_resources.get("gpu", 0))
            self.worker = Worker(KernelPool(size=self.pool_size), name=worker.address, gpus=gpus)

    def teardown(self, worker: Any) -> None:
        """Called by dask when the worker closes."""
        if self._owns_pool and self.worker is not None:
            self.worker.pool.close()
            self.worker = None

    def execute(self, job: Job) -> JobOutcome:
        """Run the job here."""
        assert self.worker is not None
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
        return self.worker.execute(job, tell)


def run_job(job: Job) -> JobOutcome:
    """The function that is submitted to dask."""
    plugin: MlopsWorkerPlugin = get_worker().plugins[PLUGIN]
    return plugin.execute(job)


def cancel_job(key: JobKey, dask_worker: DaskWorker | None = None) -> None:
    """Sent to every worker."""
    plugin = getattr(dask_worker, "plugins", {}).get(PLUGIN)
    if plugin is not None and plugin.worker is not None:
        plugin.worker.cancel(key)


def recall_job(key: JobKey, dask_worker: DaskWorker | None = None) -> None:
    """Sent to every worker."""
    plugin = getattr(dask_worker, "plugins", {}).get(PLUGIN)
    if plugin is not None and plugin.worker is not None:
        plugin.worker.recall(key)
