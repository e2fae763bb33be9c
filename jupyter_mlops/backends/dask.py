"""Jobs on dask: one backend for a cluster in this process and for any scheduler elsewhere.

dask places jobs; it does not know the pipeline. A graph of notebooks handed to dask whole would be run again
in part whenever a worker dies with results that were done (its results live in the workers' memory); the
runner instead submits a job when all it needs is recorded as done, under a key that names the attempt.
"""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import time
from collections.abc import Mapping
from typing import Any

import dask
from distributed import Client, LocalCluster

from ..errors import InvalidInput, Unavailable
from ..events import Event, decode
from ..kernels import KernelPool
from ..resources import ResourceRequest
from ._plugin import PLUGIN, TOPIC, MlopsWorkerPlugin, cancel_job, recall_job, run_job
from .job import Job, JobKey, JobOutcome, Listener
from .machine import count_gpus, machine_resources
from .work import Worker

CONNECT_SECONDS = 10
_OFFERS_SECONDS = 5.0  # asking the scheduler what its workers declare is a round trip


class DaskBackend:
    """Jobs on a dask scheduler: `address`, or a cluster in this process when that is empty.

    `workers` is how many jobs run at once in this process, `pool` the kernels they use. `capacity` is what
    this machine offers them.
    """

    def __init__(
        self,
        listener: Listener,
        *,
        address: str = "",
        pool: KernelPool | None = None,
        workers: int | None = None,
        kernel_pool_size: int = 2,
    ) -> None:
        self._listener = listener
        self._futures: dict[JobKey, Any] = {}
        self._started: set[JobKey] = set()
        self._lock = threading.Lock()
        self._is_closed = False
        self._cluster: Any = None
        self._declared: set[str] = set()
        self._declared_until = 0.0
        self._config = dask.config.set(
            {
                "distributed.scheduler.allowed-failures": 0,
                "distributed.admin.large-graph-warning-threshold": "1GB",
            }
        )
        self._config.__enter__()
        try:
            if address:
                self._client = _connect(address)
                self._client.register_plugin(MlopsWorkerPlugin(kernel_pool_size), name=PLUGIN)
                self._client.subscribe_topic(TOPIC, self._heard)
            else:
                if pool is None:
                    raise InvalidInput("a cluster in this process needs a kernel pool")
                plugin = MlopsWorkerPlugin(
                    kernel_pool_size, worker=Worker(pool, gpus=count_gpus()), sink=self
                )
                self._cluster = _local_cluster(workers or os.cpu_count() or 1, plugin)
                self._client = Client(self._cluster, set_as_default=False)
        except BaseException:
            self.close()
            raise

    # --- Backend ------------------------------------------------------------------------------------------

    def submit(self, job: Job) -> None:
        """See `Backend`."""
        future = self._client.submit(
            run_job,
            job,
            key=str(job.key),
            pure=False,
            retries=0,
            priority=job.priority,
            resources=self._known_resources(job.resources) or None,
        )
        with self._lock:
            self._futures[job.key] = future
        future.add_done_callback(lambda done: self._done(job.key, done))

    def cancel(self, key: JobKey) -> None:
        """See `Backend`. A job that no worker has begun is taken back from the scheduler."""
        with self._lock:
            future, is_started = self._futures.get(key), key in self._started
        if future is not None and not is_started and future.status == "pending":
            # It may start at this very moment: the workers are told as well, and the first answer counts.
            self._tell_workers(cancel_job, key)
            with self._lock:
                is_started = key in self._started
            if not is_started:
                future.cancel()
                return
        self._tell_workers(cancel_job, key)

    def recall(self, key: JobKey) -> None:
        """See `Backend`. Workers in this process began with it: nobody can be at anything older."""
        if self._cluster is None:
            self._tell_workers(recall_job, key)

    def capacity(self) -> ResourceRequest | None:
        """See `Backend`."""
        offers = self._offers()
        if not offers:
            return None
        best = {name: max(offer.get(name, 0.0) for offer in offers) for name in ("cpu", "memory", "gpu")}
        return ResourceRequest(cpu=best["cpu"], memory=int(best["memory"]), gpu=int(best["gpu"]))

    def close(self) -> None:
        """See `Backend`."""
        with self._lock:
            self._is_closed = True
        with contextlib.suppress(AttributeError, OSError, TimeoutError):
            self._client.close(timeout=5)
        if self._cluster is not None:
            with contextlib.suppress(OSError, TimeoutError):
                self._cluster.close(timeout=5)
        self._config.__exit__(None, None, None)

    # --- what workers say -----------------------------------------------------------------------------------

    def job_started(self, key: JobKey, worker: str) -> None:
        """A worker took the job up."""
        with self._lock:
            if key not in self._futures or key in self._started or self._is_closed:
                return  # late news of a job that is over, or another client's
            self._started.add(key)
        self._listener.started(key, worker)

    def job_progressed(self, event: Event) -> None:
        """Progress from a worker."""
        if not self._is_closed:
            self._listener.progressed(event)

    def _heard(self, event: tuple[float, Mapping[str, Any]]) -> None:
        _, message = event
        if "started" in message:
            self.job_started(JobKey(**message["started"]), message["worker"])
        else:
            progress = decode(message)
            with self._lock:
                is_ours = any(key.run_id == progress.run_id for key in self._futures)
            if is_ours:
                self.job_progressed(progress)

    def _done(self, key: JobKey, future: Any) -> None:
        with self._lock:
            if self._is_closed or self._futures.pop(key, None) is None:
                return
            is_started = key in self._started
            self._started.discard(key)
        outcome = _outcome_of(future)
        if not is_started and outcome.state in ("succeeded", "failed"):
            self._listener.started(key, outcome.worker)  # its message is slower than the outcome
        self._listener.ended(key, outcome)

    # --- the cluster ----------------------------------------------------------------------------------------

    def _offers(self) -> list[dict[str, float]]:
        workers = self._client.scheduler_info(n_workers=-1)["workers"]
        return [worker["resources"] for worker in workers.values() if worker.get("resources")]

    def _known_resources(self, request: ResourceRequest) -> dict[str, float]:
        """What dask counts: the resources that some worker declares; a name that none has would wait for ever."""
        wanted = request.to_dask()
        if not wanted:
            return {}
        if time.monotonic() > self._declared_until:
            self._declared = {name for offer in self._offers() for name in offer}
            self._declared_until = time.monotonic() + _OFFERS_SECONDS
        return {name: amount for name, amount in wanted.items() if name in self._declared}

    def _tell_workers(self, function: Any, key: JobKey) -> None:
        with contextlib.suppress(OSError, TimeoutError):
            self._client.run(function, key, on_error="ignore")


def _outcome_of(future: Any) -> JobOutcome:
    if future.status == "finished":
        outcome: JobOutcome = future.result()
        return outcome
    if future.status == "cancelled":
        return JobOutcome(state="cancelled", reason="cancelled before it started")
    error = future.exception() if future.status == "error" else None
    return JobOutcome(
        state="lost", reason=f"the worker is gone ({type(error).__name__})" if error else "worker gone"
    )


def _connect(address: str) -> Any:
    from distributed import Client

    try:
        return Client(address, timeout=CONNECT_SECONDS, set_as_default=False)
    except (OSError, TimeoutError, ValueError) as error:
        raise Unavailable(
            f"no dask scheduler answers at {address}: {error}",
            hint="start one with `dask scheduler` and `dask worker`, or leave --cluster out to run here",
        ) from error


def _local_cluster(workers: int, plugin: Any) -> Any:
    return LocalCluster(
        n_workers=1,
        threads_per_worker=workers,
        processes=False,
        dashboard_address=None,
        memory_limit=0,  # notebooks run in kernels, which have limits of their own
        resources=machine_resources().to_dask(),
        plugins=[plugin],
        silence_logs=logging.ERROR,
        protocol="inproc",
    )
