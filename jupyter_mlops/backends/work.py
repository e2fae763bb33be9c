"""The worker's side: one job, from the message to the outcome.

The outcome is written to the blob store before it is returned. Should the message be lost (the runner was
killed, the connection broke), the next runner finds it there, and a worker that is asked again for the same
attempt answers with it instead of running the notebook twice.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from ..blobs import BlobStore
from ..compute.gpu_use import watching
from ..compute.limits import usable_cpus
from ..encoding import from_json
from ..errors import Cancelled, InvalidInput, MlopsError, NotebookFailed, StorageUnavailable, WorkerLost
from ..events import CellExecuted, CellStarted, Event, OutputStreamed
from ..fingerprint import digest_file
from ..kernels import KernelPool, KernelRequest
from ..notebooks.execute import CancelToken, NotebookOutcome, Progress, cpus_of, limits_of, run_cells
from ..notebooks.files import language, parse_notebook
from ..notebooks.inject import inject
from ..notebooks.secrets import Mask
from .job import Job, JobKey, JobOutcome

Tell = Callable[[Event], None]


class Worker:
    """What jobs on one worker share: its kernels, its devices, and the jobs that can be cancelled.

    Where a scheduler may give a job to another worker when it has lost one, `marks_starts` keeps the attempt
    from being run twice: who comes second finds the first one's mark, and says that the attempt was lost.
    """

    def __init__(
        self, pool: KernelPool, *, name: str = "", gpus: int = 0, marks_starts: bool = False
    ) -> None:
        self.pool = pool
        self.name = name or f"{socket.gethostname()}:{os.getpid()}"
        self.devices = Devices(gpus, os.environ.get("CUDA_VISIBLE_DEVICES", ""))
        self.marks_starts = marks_starts
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._tokens: dict[JobKey, CancelToken] = {}
        self._running: set[JobKey] = set()
        self._stores: dict[str, BlobStore] = {}
        self._is_closing = False

    def cancel(self, key: JobKey) -> None:
        """Interrupt the job, or keep it from starting."""
        self._token(key).cancel()

    def recall(self, key: JobKey, timeout_seconds: float = 30.0) -> None:
        """Interrupt the job, or keep it from starting, and wait until it has ended."""
        self.cancel(key)
        with self._changed:
            self._changed.wait_for(lambda: key not in self._running, timeout_seconds)

    def close(self, *, ends_pool: bool = True) -> None:
        """Kill what runs; it counts as lost, since nobody asked for it to stop."""
        with self._lock:
            self._is_closing = True
            tokens = [self._tokens[key] for key in self._running]
        if ends_pool:
            self.pool.close()
        else:
            for token in tokens:
                token.cancel()

    def execute(self, job: Job, tell: Tell) -> JobOutcome:
        """Run it. Never raises: what goes wrong is told by the outcome. `tell` hears the progress."""
        token = self._token(job.key)
        with self._lock:
            self._running.add(job.key)
        try:
            return self._once(job, token, tell)
        except MlopsError as error:
            return self._failed(error)
        except OSError as error:
            problem = f"the worker {self.name} cannot prepare {job.notebook_name}: {error.strerror or error}"
            return self._failed(StorageUnavailable(problem, hint="check its disk and its permissions"))
        finally:
            with self._changed:
                self._tokens.pop(job.key, None)
                self._running.discard(job.key)
                self._changed.notify_all()

    def _once(self, job: Job, token: CancelToken, tell: Tell) -> JobOutcome:
        blobs = self._store(job)
        known = blobs.read_document(job.key.document)
        if known is not None:
            return JobOutcome.from_json(json.loads(known))
        if self.marks_starts:
            before = blobs.read_document(job.key.start_document)
            if before is not None:
                reason = f"it had begun on {before.decode()}, which is gone"
                return JobOutcome(state="lost", worker=self.name, reason=reason)
            blobs.put_document(job.key.start_document, self.name.encode())
        outcome = self._attempt(job, blobs, token, tell)
        if self._is_closing and outcome.state != "succeeded":
            outcome = JobOutcome(state="lost", worker=self.name, reason=f"the worker {self.name} was closed")
        if outcome.state != "lost":
            blobs.put_document(job.key.document, json.dumps(outcome.to_json()).encode())
        return outcome

    def _attempt(self, job: Job, blobs: BlobStore, token: CancelToken, tell: Tell) -> JobOutcome:
        if token.is_cancelled:
            return JobOutcome(state="cancelled", worker=self.name, reason="cancelled before it started")
        with (
            _directory(job, blobs) as cwd,
            self.devices.take(job.resources.gpu) as devices,
            watching(devices) as gpus,
        ):
            source = blobs.read_bytes(job.notebook)
            nb = inject(
                parse_notebook(source, where=job.notebook_name),
                {name: from_json(value) for name, value in job.arguments.items()},
                input_path=job.notebook_name,
                output_path=Path(job.output_path).name,
            )
            can_save = bool(job.output_path) and Path(job.output_path).parent.is_dir()
            outcome = run_cells(
                nb,
                pool=self.pool,
                request=self._request(job, language(nb), cwd, devices),
                output=Path(job.output_path) if can_save else None,
                limits=limits_of(
                    job.resources,
                    timeout_seconds=job.timeout_seconds,
                    cell_timeout_seconds=job.cell_timeout_seconds,
                    output_bytes=job.output_limit_bytes,
                ),
                mask=Mask(job.secrets.values()),
                blobs=blobs,
                progress=_Told(job.key, tell),
                cancel=token,
            )
        notebook = blobs.put_bytes(outcome.text.encode("utf-8", "surrogatepass"))
        return replace(self._ended(outcome, notebook), gpu_utilization=gpus.part)

    def _request(self, job: Job, spoken: str, cwd: Path, devices: Mapping[str, str]) -> KernelRequest:
        return KernelRequest(
            kernel_name=job.kernel,
            language=spoken,
            cwd=cwd,
            env={**job.env, **_environment(job), **devices, **job.secrets},
            preload=job.preload,
            isolation="cold" if job.isolation == "cold" else "warm",
            is_bare=job.is_bare,
            cpus=cpus_of(job.resources),
        )

    def _ended(self, outcome: NotebookOutcome, notebook: str) -> JobOutcome:
        failed = self._failed(outcome.error) if outcome.error else JobOutcome(state="succeeded")
        return JobOutcome(
            state=failed.state,
            results=outcome.results,
            artifacts=outcome.artifacts,
            notebook=notebook,
            error=failed.error,
            error_class=failed.error_class,
            duration_seconds=outcome.duration_seconds,
            peak_memory_bytes=outcome.peak_memory_bytes,
            cpu_seconds=outcome.cpu_seconds,
            cpus=outcome.cpus and min(float(outcome.cpus), usable_cpus()),
            worker=self.name,
            reason=failed.reason,
        )

    def _failed(self, error: MlopsError) -> JobOutcome:
        if isinstance(error, Cancelled):
            return JobOutcome(state="cancelled", worker=self.name, reason=error.message)
        if isinstance(error, WorkerLost):
            return JobOutcome(state="lost", worker=self.name, reason=error.message)
        name = error.ename if isinstance(error, NotebookFailed) else type(error).__name__
        return JobOutcome(state="failed", error=error.to_json(), error_class=name, worker=self.name)

    def _token(self, key: JobKey) -> CancelToken:
        with self._lock:
            return self._tokens.setdefault(key, CancelToken())

    def _store(self, job: Job) -> BlobStore:
        with self._lock:
            return self._stores.setdefault(job.blobs_url, BlobStore(job.blobs_url, job.blob_options))


class Devices:
    """Hands out GPUs, each to one job at a time: those that this process may see, by the index or the UUID that
    ``CUDA_VISIBLE_DEVICES`` names them by."""

    def __init__(self, count: int, visible: str = "") -> None:
        named = [each.strip() for each in visible.split(",") if each.strip()]
        self._order = named[:count] if named else [str(index) for index in range(count)]
        self._free = list(self._order)
        self._changed = threading.Condition()

    @contextlib.contextmanager
    def take(self, wanted: int | None) -> Iterator[Mapping[str, str]]:
        """The environment that shows `wanted` devices and no others; unchanged when nothing was asked."""
        if wanted is None:
            yield {}
            return
        with self._changed:
            if wanted > len(self._free) and not self._changed.wait_for(
                lambda: len(self._free) >= wanted, 3600
            ):
                raise InvalidInput(f"{wanted} GPUs did not become free within an hour")
            taken, self._free = self._free[:wanted], self._free[wanted:]
        try:
            yield {"CUDA_VISIBLE_DEVICES": ",".join(taken)}
        finally:
            with self._changed:
                self._free = sorted([*self._free, *taken], key=self._order.index)
                self._changed.notify_all()


class _Told(Progress):
    """Turns progress into events."""

    def __init__(self, key: JobKey, tell: Tell) -> None:
        self._key = key
        self._tell = tell

    def cell_started(self, cell: int, cells: int, description: str) -> None:
        run_id, task, attempt = self._key.run_id, self._key.task, self._key.attempt
        self._tell(
            CellStarted(
                run_id=run_id, task=task, attempt=attempt, cell=cell, cells=cells, description=description
            )
        )

    def cell_executed(self, cell: int, cells: int, duration_seconds: float) -> None:
        run_id, task, attempt = self._key.run_id, self._key.task, self._key.attempt
        self._tell(
            CellExecuted(
                run_id=run_id, task=task, attempt=attempt, cell=cell, cells=cells, duration_seconds=duration_seconds
            )
        )  # fmt: skip

    def streamed(self, cell: int, name: str, text: str) -> None:
        run_id, task, attempt = self._key.run_id, self._key.task, self._key.attempt
        self._tell(OutputStreamed(run_id=run_id, task=task, attempt=attempt, cell=cell, name=name, text=text))


def _environment(job: Job) -> dict[str, str]:
    """What the notebook's side of us (`emit`) reads."""
    return {
        "MLOPS_RUN_ID": job.key.run_id,
        "MLOPS_TASK": job.key.task,
        "MLOPS_ATTEMPT": str(job.key.attempt),
        "MLOPS_NOTEBOOK": job.notebook_name,
        "MLOPS_NOTEBOOK_DIGEST": job.notebook,
        "MLOPS_ROOT": job.root,
        "MLOPS_BLOBS": job.blobs_url,
        "MLOPS_BLOB_OPTIONS": json.dumps(dict(job.blob_options)),
        "MLOPS_INPUTS": json.dumps(dict(job.inputs)),
    }


@contextlib.contextmanager
def _directory(job: Job, blobs: BlobStore) -> Iterator[Path]:
    """The notebook's own directory where this machine has it as it was sent, else a copy made of what was sent."""
    home, base = Path(job.cwd), Path(job.base)
    if home.is_dir() and all(_is_same(base / name, digest) for name, digest in job.files.items()):
        yield home
        return
    with tempfile.TemporaryDirectory(prefix="mlops-job-", ignore_cleanup_errors=True) as temporary:
        copy = Path(temporary).resolve()
        cwd = copy / os.path.relpath(home, base)
        cwd.mkdir(parents=True, exist_ok=True)
        for name, digest in job.files.items():
            target = copy / name
            if not target.resolve().is_relative_to(copy):
                raise InvalidInput(f"the file {name!r} would be written outside the job's directory")
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(blobs.read_bytes(digest))
        yield cwd


def _is_same(path: Path, digest: str) -> bool:
    try:
        return digest_file(path) == digest
    except (OSError, MlopsError):
        return False
