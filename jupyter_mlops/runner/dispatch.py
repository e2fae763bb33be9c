"""Carrying out what the machine says: look-ups in the cache, jobs for the backend, outcomes after a crash.

Each instruction is answered with a fact, at once or, for a job, through the inbox. What the user's files or
arguments get wrong is the failure of that task; a store or a database that does not answer ends the drive.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from .. import encoding
from ..backends import BACKENDS, Backend, JobKey, JobOutcome
from ..backends.clusters import LOCAL, ClusterSpec, find_cluster
from ..backends.suiting import with_image
from ..blobs import BlobStore
from ..errors import CatalogUnavailable, InvalidInput, MlopsError, StorageUnavailable, Unavailable
from ..events import AttemptCancelled, Event, TaskUnrunnable
from ..kernels import KernelPool, KernelRequest
from ..notebooks.facts import NotebookFacts
from ..notebooks.inject import named_secrets
from ..pipelines import PlannedTask, RunState
from ..pipelines.cache import Components
from ..pipelines.instructions import CancelAttempt, Instruction, LookUpCache, Recover, Submit
from ..pipelines.task_state import LIVE
from ..queueing.amounts import NOTHING, Amount, fits, minus, plus, task_amount
from ..resources import ResourceRequest
from ..settings import Settings
from .asking import resources_of
from .cachebook import Cachebook
from .inbox import Inbox, fact_of
from .ledger import Ledger
from .places import notebook_path
from .sources import Sources, preloads

NO_REQUEST = ResourceRequest()
_FRESH_SECONDS = 1.0  # how long what was found in the files is taken to be true when a job is made
_BATCH_SECONDS = 60.0  # a batch of look-ups may take a while


@dataclass(frozen=True, slots=True)
class _Identity:
    """What a task is made of, as the files stood `at` a moment (of the monotonic clock)."""

    key: str
    components: Components
    bound: dict[str, Any]
    given: Mapping[str, Any]
    at: float


class Dispatch:
    """The hands of one run. `cluster` is ``local`` or a scheduler's address, `workers` how many jobs run at once
    in this process. Tasks that would use more than `granted` at once (None: anything) wait here; one that asks for
    nothing counts as `default`."""

    def __init__(
        self,
        machine: RunState,
        ledger: Ledger,
        cachebook: Cachebook,
        sources: Sources,
        inbox: Inbox,
        *,
        blobs: BlobStore,
        settings: Settings,
        cluster: str,
        workers: int,
        kernels: Callable[[], KernelPool],
        granted: Amount | None = None,
        default: ResourceRequest = NO_REQUEST,
    ) -> None:
        self.machine, self.ledger, self.cachebook = machine, ledger, cachebook
        self.sources, self.inbox, self.blobs = sources, inbox, blobs
        self.settings, self.cluster, self.workers, self.kernels = settings, cluster, workers, kernels
        self._granted, self._default = granted, default
        self._in_use: dict[JobKey, Amount] = {}
        self._used = NOTHING
        self._kept: list[Submit] = []  # for which there is no room yet
        self._has_room = False
        self._identities: dict[str, _Identity] = {}
        self._backend: Backend | None = None
        self._refusal: Unavailable | None = None

    def do(self, instructions: Iterable[Instruction]) -> list[Event]:
        """Carry them out in order; the facts that are known at once.

        Raises `StorageUnavailable` and `CatalogUnavailable`, and `Unavailable` when no cluster answers of which
        the fate of earlier attempts could be learned.
        """
        instructions = [*self._let_go(), *instructions]
        self._prefetch(instructions)
        answers = (self._answer(instruction) for instruction in instructions)
        return [answer for answer in answers if answer is not None]

    def outcome(self, key: JobKey, outcome: JobOutcome) -> Event:
        """The fact that an outcome is. One that is lost to dask may have been left in the blob store."""
        if outcome.state == "lost":
            outcome = self._left(key) or outcome
        self.ledger.describe(key.task, outcome.artifacts)
        self._free(key)
        return fact_of(key, outcome)

    def interrupt(self) -> set[JobKey]:
        """Have all that runs stop; the attempts whose outcomes will tell that they did."""
        keys = {
            self._job_key(task.key, task.attempt)
            for task in self.machine.tasks.values()
            if task.phase in LIVE
        }
        keys -= {self._job_key(kept.task, kept.attempt) for kept in self._kept}
        if self._backend is None:
            return set()
        for key in keys:
            self._backend.cancel(key)
        return keys

    def close(self) -> None:
        """Let the backend go."""
        if self._backend is not None:
            self._backend.close()

    # --- one instruction --------------------------------------------------------------------------------------

    def _answer(self, instruction: Instruction) -> Event | None:
        match instruction:
            case LookUpCache():
                return self._guarded(instruction.task, lambda: self._look_up(instruction))
            case Submit():
                return self._guarded(instruction.task, lambda: self._submit(instruction))
            case Recover():
                return self._recover(instruction)
            case CancelAttempt():
                kept = [each for each in self._kept if each.task == instruction.task]
                if kept:
                    self._kept.remove(kept[0])
                    return AttemptCancelled(
                        run_id=self.machine.run_id, task=instruction.task, attempt=instruction.attempt
                    )
                if self._backend is not None:
                    self._backend.cancel(self._job_key(instruction.task, instruction.attempt))
                return None
            case _:
                raise AssertionError(instruction)  # the drive keeps the others

    def _guarded(self, task: str, action: Callable[[], Event | None]) -> Event | None:
        try:
            return action()
        except (StorageUnavailable, CatalogUnavailable):
            raise
        except MlopsError as error:
            return TaskUnrunnable(run_id=self.machine.run_id, task=task, error=error.to_json())

    def _prefetch(self, instructions: list[Instruction]) -> None:
        lookups = [each for each in instructions if isinstance(each, LookUpCache) and not each.any_key]
        if len(lookups) > 1:
            keys = []
            for each in lookups:
                with contextlib.suppress(MlopsError):  # told when it is its turn
                    keys.append(self._identify(each.task, each.arguments).key)
            self.cachebook.prefetch(keys)

    def _look_up(self, instruction: LookUpCache) -> Event:
        identity = self._identify(instruction.task, instruction.arguments, _BATCH_SECONDS)
        return self.cachebook.answer(
            instruction.task, identity.key, identity.components, any_key=instruction.any_key
        )

    def _submit(self, instruction: Submit) -> Event | None:
        task, planned = instruction.task, self._planned(instruction.task)
        identity = self._identify(task, instruction.arguments)
        backend = self._open_backend()
        wanted = self.sources.resources(planned)
        capacity = backend.capacity() if wanted.to_dask() else None
        if capacity is not None and not wanted.fits(capacity):
            raise InvalidInput(
                f"no worker can run it: {'; '.join(wanted.shortfall(capacity))}",
                hint="lower its resources, or choose another cluster",
            )
        key = self._job_key(task, instruction.attempt)
        if not self._take(key, wanted):
            self._kept.append(instruction)
            return None
        output = notebook_path(self.settings.root, self.machine.run_id, task)
        with contextlib.suppress(OSError):  # then it is not saved there while it runs, only at its end
            output.parent.mkdir(parents=True, exist_ok=True)
        environment = self.machine.environment(task)
        try:
            backend.submit(self.sources.job(planned, key, identity.bound, environment, self._preload, output))
        except BaseException:
            self._free(key)
            raise
        return None

    def _take(self, key: JobKey, wanted: ResourceRequest) -> bool:
        """Whether there is room for an attempt in what the run was granted; one alone always has room."""
        if self._granted is None:
            return True
        need = task_amount(wanted, self._default)
        if self._in_use and not fits(plus(self._used, need), self._granted):
            return False
        self._in_use[key], self._used = need, plus(self._used, need)
        return True

    def _free(self, key: JobKey) -> None:
        if key in self._in_use:
            self._used, self._has_room = minus(self._used, self._in_use.pop(key)), True

    def _let_go(self) -> list[Submit]:
        """Of those that wait for room the ones that have it now."""
        if not (self._kept and self._has_room):
            return []
        self._has_room = False
        found: list[Submit] = []
        used = self._used
        for each in self._kept:
            need = task_amount(self.sources.resources(self._planned(each.task)), self._default)
            if (not self._in_use and not found) or fits(plus(used, need), self._granted or NOTHING):
                found.append(each)
                used = plus(used, need)
        self._kept = [each for each in self._kept if each not in found]
        return found

    def _recover(self, instruction: Recover) -> Event:
        """The outcome of an attempt that an earlier runner submitted, if it left one.

        A worker elsewhere may still be at it: it is interrupted, and the attempt is lost with its runner, unless
        it was done by then. That nobody else wanted it to stop is why its ``cancelled`` counts as lost.
        """
        key = self._job_key(instruction.task, instruction.attempt)
        outcome = self._left(key)
        # A cluster that the earlier runner had started ended with it.
        if outcome is None and self._cluster_spec is not None and self._cluster_spec.is_address:
            self._open_backend().recall(key)
            outcome = self._left(key)
        if outcome is None or outcome.state == "cancelled":
            outcome = JobOutcome(state="lost", reason="its runner ended")
            # Should a worker that nobody reached still come to it, it finds this and leaves it.
            self.blobs.put_document(key.document, json.dumps(outcome.to_json()).encode())
        elif outcome.state == "succeeded":
            self._recognize(instruction)
        self.ledger.describe(key.task, outcome.artifacts)
        return fact_of(key, outcome)

    def _recognize(self, instruction: Recover) -> None:
        """The cache may have the outcome only if the files are those that it was made of."""
        before = self.ledger.task_runs[instruction.task].cache_key
        with contextlib.suppress(MlopsError):
            identity = self._identify(instruction.task, instruction.arguments)
            if identity.key != before:
                self.ledger.forget(instruction.task)
                self.ledger.change(instruction.task, cache_key=before)

    def _left(self, key: JobKey) -> JobOutcome | None:
        known = self.blobs.read_document(key.document)
        return None if known is None else JobOutcome.from_json(json.loads(known))

    # --- what a task is made of --------------------------------------------------------------------------------

    def _identify(
        self, task: str, arguments: Mapping[str, Any], fresh_seconds: float = _FRESH_SECONDS
    ) -> _Identity:
        """Once for a look-up and the attempt that follows it at once. A retry looks at the files again: people
        edit notebooks while they run."""
        known = self._identities.get(task)
        if known is not None and known.given is arguments and time.monotonic() - known.at < fresh_seconds:
            return known
        at = time.monotonic()
        planned = self._planned(task)
        bound = self.sources.bind(planned, arguments)
        components = self.sources.components(planned, bound, self.machine.environment(task))
        key = self.cachebook.key(planned, components)
        if planned.cache:
            self.ledger.expect(task, key, components)
        told = {name: encoding.to_json(value) for name, value in named_secrets(bound).items()}
        self.ledger.change(task, arguments=told, cache_key=key)
        identity = _Identity(key, components, bound, arguments, at)
        self._identities[task] = identity
        return identity

    def _planned(self, task: str) -> PlannedTask:
        return self.machine.task(task).planned

    def _job_key(self, task: str, attempt: int) -> JobKey:
        return JobKey(run_id=self.machine.run_id, task=task, attempt=attempt)

    # --- the backend, opened when something must really run ----------------------------------------------------

    @cached_property
    def _cluster_spec(self) -> ClusterSpec | None:
        if self.cluster == LOCAL:
            return None
        spec = find_cluster(self.cluster, self.settings.clusters)
        tasks = self.machine.plan.tasks.values()
        return with_image(spec, (resources_of(task, self.sources).image for task in tasks))

    def _open_backend(self) -> Backend:
        if self._refusal is not None:
            raise self._refusal  # asking again for each task would take its time again
        if self._backend is None:
            pool = self.kernels() if self._cluster_spec is None else None
            if pool is not None:
                self._warm_up(pool)
            try:
                self._backend = BACKENDS.get("dask")(
                    self.inbox,
                    cluster=self._cluster_spec,
                    pool=pool,
                    workers=self.workers,
                    kernel_pool_size=self.settings.kernel_pool,
                )
            except Unavailable as error:
                self._refusal = error
                raise
        return self._backend

    def _warm_up(self, pool: KernelPool) -> None:
        """Have the zygotes import while dask is imported and started."""
        for kernel, language in {(facts.kernel_name, facts.language) for facts in self._facts}:
            folder = self.sources.folder
            pool.warm(KernelRequest(kernel_name=kernel, language=language, cwd=folder, preload=self._preload))

    @cached_property
    def _facts(self) -> list[NotebookFacts]:
        found = []
        for task in {task.notebook: task for task in self.machine.plan.tasks.values()}.values():
            with contextlib.suppress(MlopsError):  # its own task will tell
                found.append(self.sources.facts(task))
        return found

    @cached_property
    def _preload(self) -> tuple[str, ...]:
        return preloads(self._facts)
