"""Jobs on dask: one backend for a cluster in this process, for any scheduler elsewhere, and for one that is started.

dask places jobs; it does not know the pipeline. A graph of notebooks handed to dask whole would be run again
in part whenever a worker dies with results that were done (its results live in the workers' memory); the
runner instead submits a job when all it needs is recorded as done, under a key that names the attempt.

A scheduler elsewhere may go away in mid-run. Then all that it was given counts as lost, which is told when it
has come back (the runner submits again) or when it has not within `reconnect_seconds` (submitting fails then).
"""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import time
from collections.abc import Mapping
from concurrent.futures import CancelledError
from typing import Any

from distributed import Client, KilledWorker, LocalCluster
from distributed import worker as dask_worker

from ..compute.offers import machine_resources
from ..errors import InvalidInput, MlopsError, Unavailable, WorkerLost
from ..events import Event, decode
from ..kernels import KernelPool
from ..resources import ResourceRequest
from ._plugin import PLUGIN, TOPIC, MlopsWorkerPlugin, cancel_job, recall_job, run_job
from .clusters import ClusterSpec, find_cluster
from .counting import counted, most
from .environment import misfits
from .job import Job, JobKey, JobOutcome, Listener
from .running import RunningCluster
from .work import Worker

CONNECT_SECONDS = 10.0
RECONNECT_SECONDS = 30.0
_LOOPBACK = "127.0.0.1:0"
_WATCH_SECONDS = 0.5
_MORE_TRIES = 4
_IDLE_SECONDS = 60.0  # so long workers are kept that nothing runs on
_LOOK_SECONDS = 2.0  # between two looks at who the workers are, which is a round trip
_OFFERS_SECONDS = 5.0  # asking the scheduler what its workers declare is a round trip
log = logging.getLogger(__name__)


class _Disturbed(Unavailable):
    """The scheduler answered, then something broke."""


class DaskBackend:
    """Jobs on a dask scheduler: that at `address`, that of a `cluster` which is started now and ended by `close`, or
    one in this process.

    `workers` is how many jobs run at once in this process, `pool` the kernels they use; on workers elsewhere
    `kernel_pool_size` kernels idle. Raises `Unavailable` if no scheduler answers or the cluster does not start.
    """

    def __init__(
        self,
        listener: Listener,
        *,
        address: str = "",
        cluster: ClusterSpec | None = None,
        pool: KernelPool | None = None,
        workers: int | None = None,
        kernel_pool_size: int = 2,
        connect_seconds: float = CONNECT_SECONDS,
        reconnect_seconds: float = RECONNECT_SECONDS,
    ) -> None:
        self._listener = listener
        self._pool_size = kernel_pool_size
        self._reconnect_seconds = reconnect_seconds
        self._open: dict[JobKey, ResourceRequest] = {}  # submitted, and not told to have ended
        self._futures: dict[JobKey, Any] = {}  # kept until dask is done with them
        self._started: set[JobKey] = set()
        self._cancelled: set[JobKey] = set()
        self._lock = threading.Lock()
        self._is_closed = threading.Event()
        self._is_disturbed = False  # the scheduler took a job away that nobody had cancelled
        self._refusal: WorkerLost | None = None
        self._offers: list[Mapping[str, float]] = []
        self._offers_until = 0.0
        self._is_gpu_missed = False  # it was said that no worker has one
        self._worker: Worker | None = None
        self._cluster: Any = None
        self._elsewhere: RunningCluster | None = None
        self._known_workers: set[str] = set()
        self._busy_at = self._look_at = time.monotonic()
        if address and cluster is None:
            cluster = find_cluster(address, {})
        if cluster is not None:
            self._elsewhere = RunningCluster(cluster)
            if cluster.is_uniform and (declared := cluster.worker.to_dask()):
                self._offers, self._offers_until = [declared], float("inf")  # before the first has come
            try:
                self._client = self._connect(connect_seconds)
            except BaseException:
                self._elsewhere.close()
                raise
            threading.Thread(target=self._watch, name="mlops-scheduler-watch", daemon=True).start()
            return
        if pool is None:
            raise InvalidInput("a cluster in this process needs a kernel pool")
        offer = machine_resources()
        self._offers, self._offers_until = [offer.to_dask()], float("inf")
        self._worker = Worker(pool, gpus=offer.gpu or 0)
        plugin = MlopsWorkerPlugin(kernel_pool_size, worker=self._worker, sink=self)
        self._cluster = _local_cluster(workers or os.cpu_count() or 1, offer, plugin)
        try:
            self._client = Client(self._cluster, set_as_default=False)
        except BaseException:
            self._cluster.close()
            raise

    # --- Backend ------------------------------------------------------------------------------------------

    def submit(self, job: Job) -> None:
        """See `Backend`."""
        if self._refusal is not None:
            raise self._refusal
        with self._lock:
            self._open[job.key] = job.resources  # before a worker can say that it has begun
        try:
            resources = self._known_resources(job.resources)
            future = self._client.submit(
                run_job, job, key=str(job.key), pure=False, retries=0,
                priority=job.priority, resources=resources or None,
            )  # fmt: skip
        except (OSError, TimeoutError, RuntimeError, AttributeError) as error:
            # The client is between two connections: the watch will tell how that ended.
            log.info("submitting %s: %s", job.key, error)
            future = None
        except BaseException:
            with self._lock:
                self._open.pop(job.key, None)
            raise
        with self._lock:
            self._futures[job.key] = future
        if future is not None:
            future.add_done_callback(lambda done: self._done(job.key, done))
        if future is None or future.client is not self._client:
            self._is_disturbed = True

    def cancel(self, key: JobKey) -> None:
        """See `Backend`. A job that no worker has begun is taken back from the scheduler."""
        with self._lock:
            if key not in self._open:
                return
            self._cancelled.add(key)
        # It may start at this very moment: the workers are told first, and the first answer counts.
        self._tell_workers(cancel_job, key)
        with self._lock:
            future = None if key in self._started else self._futures.get(key)
        if future is not None:
            future.cancel()

    def recall(self, key: JobKey) -> None:
        """See `Backend`. Workers in this process began with it: nobody can be at anything older."""
        if self._worker is None:
            self._tell_workers(recall_job, key)

    def capacity(self) -> ResourceRequest | None:
        """See `Backend`."""
        return most(self._known_offers(), is_final=self._elsewhere is None or self._elsewhere.spec.is_uniform)

    def close(self) -> None:
        """See `Backend`."""
        self._is_closed.set()
        if self._worker is not None:
            self._worker.close(ends_pool=False)
        _close(self._client)
        if self._cluster is not None:
            with contextlib.suppress(OSError, TimeoutError):
                self._cluster.close(timeout=10)
        if self._elsewhere is not None:
            with contextlib.suppress(OSError, TimeoutError, RuntimeError):
                self._elsewhere.close()

    # --- what workers say -----------------------------------------------------------------------------------

    def job_started(self, key: JobKey, worker: str) -> None:
        """A worker took the job up."""
        with self._lock:
            if key not in self._open or key in self._started or self._is_closed.is_set():
                return  # late news of a job that is over, or another client's
            self._started.add(key)
        self._listener.started(key, worker)

    def job_ended(self, key: JobKey, outcome: JobOutcome) -> None:
        """It is over: said by a worker in this process, or when dask has brought the outcome."""
        with self._lock:
            if key not in self._open or self._is_closed.is_set():
                return
            del self._open[key]
            is_started = key in self._started
            self._started.discard(key)
            self._cancelled.discard(key)
        if not is_started and outcome.state in ("succeeded", "failed"):
            self._listener.started(key, outcome.worker)  # its message is slower than the outcome
        self._listener.ended(key, outcome)

    def job_progressed(self, event: Event) -> None:
        """Progress from a worker."""
        if not self._is_closed.is_set():
            self._listener.progressed(event)

    def _heard(self, event: tuple[float, Mapping[str, Any]]) -> None:
        _, message = event
        if "started" in message:
            self.job_started(JobKey(**message["started"]), message["worker"])
            return
        progress = decode(message)
        with self._lock:
            is_ours = any(key.run_id == progress.run_id for key in self._open)
        if is_ours:
            self.job_progressed(progress)

    def _done(self, key: JobKey, future: Any) -> None:
        with self._lock:
            if key not in self._open and self._futures.get(key) is future:
                # A worker in this process has told the outcome: it need not be gathered.
                del self._futures[key]
                return
        outcome = _outcome_of(future)
        with self._lock:
            if self._futures.get(key) is not future:
                return
            if outcome is None and key in self._open and key not in self._cancelled:
                self._is_disturbed = True
                return
            del self._futures[key]
        self.job_ended(key, outcome or JobOutcome(state="cancelled", reason="cancelled before it started"))

    # --- the cluster ----------------------------------------------------------------------------------------

    def _known_offers(self) -> list[Mapping[str, float]]:
        """What each worker declares to offer, or will when it has come."""
        if time.monotonic() > self._offers_until:
            workers = self._client.scheduler_info(n_workers=-1)["workers"]
            self._offers = [worker["resources"] for worker in workers.values() if worker.get("resources")]
            self._offers_until = time.monotonic() + _OFFERS_SECONDS
        return self._offers

    def _known_resources(self, request: ResourceRequest) -> dict[str, float]:
        """What dask counts of a request; see `counting`."""
        offers = self._known_offers()
        if request.gpu and not any(offer.get("gpu") for offer in offers) and not self._is_gpu_missed:
            self._is_gpu_missed = True
            log.warning(
                "no worker of %s declares a GPU yet; what needs one waits for it (dask worker --resources gpu=1)",
                self._address,
            )
        return counted(request, offers)

    def _tell_workers(self, function: Any, key: JobKey) -> None:
        if self._worker is not None:
            self._worker.cancel(key)
            return
        with contextlib.suppress(OSError, TimeoutError, RuntimeError, AttributeError):
            self._client.run(function, key, on_error="ignore")

    @property
    def _address(self) -> str:
        return self._elsewhere.address if self._elsewhere is not None else "this process"

    def _connect(self, timeout_seconds: float) -> Client:
        """A new client. What a worker that has just died spoils is done again: the scheduler knows in a moment."""
        for _ in range(_MORE_TRIES):
            try:
                return self._connect_once(timeout_seconds)
            except _Disturbed as error:
                log.info("%s; trying again", error)
                self._is_closed.wait(1.0)
        return self._connect_once(timeout_seconds)

    def _connect_once(self, timeout_seconds: float) -> Client:
        assert self._elsewhere is not None  # noqa: S101 - only then
        try:
            client: Client = self._elsewhere.client(timeout_seconds)
        except (OSError, TimeoutError, ValueError, TypeError) as error:
            raise Unavailable(
                f"no dask scheduler answers at {self._address}: {error}",
                hint="start one with `dask scheduler` and `dask worker`, or leave --cluster out to run here",
            ) from error
        try:
            self._know(client)
            client.register_plugin(MlopsWorkerPlugin(self._pool_size), name=PLUGIN)
            client.subscribe_topic(TOPIC, self._heard)
            if not self._known_workers and self._elsewhere.spec.is_address:
                log.warning("the dask scheduler at %s has no workers yet; tasks wait for one", self._address)
        except BaseException as error:
            _close(client)
            if isinstance(error, OSError | TimeoutError):
                raise _Disturbed(f"the dask scheduler at {self._address} went away: {error}") from error
            raise
        return client

    def _know(self, client: Client) -> None:
        """Look at workers that are new: one whose environment does not fit gets no jobs. Raises `Unavailable` when none
        fits."""
        known = client.scheduler_info(n_workers=-1)["workers"]
        workers = set(known)
        wrong = misfits(client, sorted(workers - self._known_workers))
        for worker, why in wrong.items():
            log.error("the worker %s gets no tasks: %s", worker, why)
        if wrong:
            if self._elsewhere is not None:
                self._elsewhere.refuse({str(known[worker].get("name")): why for worker, why in wrong.items()})
            client.retire_workers(list(wrong), close_workers=True, remove=True)
        if wrong and len(wrong) == len(workers):
            worker, why = next(iter(wrong.items()))
            raise Unavailable(
                f"no worker of {self._address} can run our tasks; {worker}: {why}",
                hint="the same Python, jupyter-mlops and cloudpickle as here belong there",
            )
        self._known_workers = workers - set(wrong)

    def _watch(self) -> None:
        while not self._is_closed.wait(_WATCH_SECONDS):
            if self._is_disturbed or self._client.status != "running":
                self._restore()
            if self._refusal is not None:
                return
            try:
                self._tend()
            except MlopsError as error:
                log.error("%s", error)
            except (OSError, TimeoutError, RuntimeError, KeyError, AttributeError) as error:
                log.info("looking after the cluster: %s", error)  # the next look will tell what became of it

    def _tend(self) -> None:
        """Let the cluster have as many workers as there is work for, and look at those that came."""
        assert self._elsewhere is not None  # noqa: S101 - only then is there a watch
        with self._lock:
            jobs = list(self._open.values())
        moment = time.monotonic()
        if jobs:
            self._busy_at = moment
        if jobs or moment - self._busy_at > _IDLE_SECONDS:
            self._elsewhere.fit(jobs)
        if moment > self._look_at:
            self._look_at = moment + _LOOK_SECONDS
            workers = self._client.scheduler_info(n_workers=-1)["workers"]
            try:
                if set(workers) != self._known_workers:
                    self._know(self._client)
                self._elsewhere.look({str(worker.get("name")) for worker in workers.values()})
            except Unavailable as error:
                if self._elsewhere.spec.is_address:  # somebody else's, who may add workers that fit
                    raise
                self._refusal = WorkerLost(error.message, hint=error.hint)
                self._lose(error.message)

    def _restore(self) -> None:
        """Connect anew, then tell what was lost; or refuse everything from now on."""
        log.warning("the dask scheduler at %s does not answer; trying again", self._address)
        _close(self._client)
        self._is_disturbed = False
        deadline = time.monotonic() + self._reconnect_seconds
        while not self._is_closed.is_set():
            try:
                self._client = self._connect(2.0)
                break
            except Unavailable:
                if time.monotonic() > deadline:
                    self._refusal = WorkerLost(
                        f"the dask scheduler at {self._address} went away, and did not come back"
                        f" within {self._reconnect_seconds:g} s",
                        hint="start it again, then run what is missing: jupyter mlops rerun",
                    )
                    break
                self._is_closed.wait(0.5)
        self._lose(f"the dask scheduler at {self._address} went away")

    def _lose(self, reason: str) -> None:
        """Tell that every job is lost."""
        with self._lock:
            lost = list(self._open)
            self._futures.clear()
        for key in lost:
            self.job_ended(key, JobOutcome(state="lost", reason=reason))


def _outcome_of(future: Any) -> JobOutcome | None:
    """How the job ended; None if it was cancelled."""
    if future.status == "cancelled":
        return None
    try:
        outcome: JobOutcome = future.result()
    except Exception as error:  # noqa: BLE001 - whatever happened on the worker is what is told
        return _broken(error)
    return outcome


def _broken(error: Exception) -> JobOutcome | None:
    """What an error of dask itself means: the worker is gone, or it cannot run jobs of ours."""
    if isinstance(error, CancelledError):
        return None
    if isinstance(error, KilledWorker | OSError | TimeoutError):
        return JobOutcome(state="lost", reason=f"the worker is gone ({type(error).__name__})")
    told = InvalidInput(
        f"a worker cannot run our jobs: {type(error).__name__}: {error}",
        hint="is the same version of jupyter-mlops installed there?",
    )
    return JobOutcome(state="failed", error=told.to_json(), error_class=type(error).__name__)


def _close(client: Client) -> None:
    with contextlib.suppress(OSError, TimeoutError, RuntimeError, AttributeError):
        client.close(timeout=5)


class _PlainWorker(dask_worker.Worker):
    """Without a dashboard, whose modules take long to import and cannot be imported by two threads at once."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **{**options, "dashboard": False})


def _local_cluster(workers: int, offer: ResourceRequest, plugin: MlopsWorkerPlugin) -> LocalCluster:
    cluster = LocalCluster(
        n_workers=1,
        threads_per_worker=workers,
        processes=False,
        worker_class=_PlainWorker,
        # dask insists on HTTP servers: on ports that are free, for this machine only, and without a dashboard.
        dashboard_address=_LOOPBACK,
        worker_dashboard_address=_LOOPBACK,
        scheduler_kwargs={"dashboard": False},
        memory_limit=0,  # notebooks run in kernels, which have limits of their own
        resources=offer.to_dask(),
        plugins=[plugin],
        silence_logs=logging.ERROR,
        protocol="inproc",
    )
    # All wait in one place, the queue of the one worker, so that priorities hold among all of them.
    scheduler: Any = cluster.scheduler
    scheduler.WORKER_SATURATION = float("inf")
    return cluster
