"""Telling the catalog of a run that somebody else orchestrates, so that it is listed and shown like our own.

The catalog may be out of reach of a container; the outcome in the blob store is what counts. So a report that
cannot be made is told once, in the log, and stops nothing.
"""

from __future__ import annotations

import contextlib
import logging
import os
import socket
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from .. import encoding
from ..backends import JobOutcome
from ..blobs import parse_reference
from ..catalog import Catalog
from ..catalog.owner import ELSEWHERE, user_name
from ..catalog.records import Artifact, Attempt, Run, TaskRun
from ..errors import Cancelled, CatalogUnavailable, Conflict, MlopsError, NotFound
from ..events import TERMINAL, measured, now
from ..notebooks.inject import named_secrets
from ..pipelines import RunState

if TYPE_CHECKING:
    from .task import Ended

log = logging.getLogger(__name__)


class Report:
    """What the catalog is told by the process of one task. `open_catalog` None: nothing is told."""

    def __init__(self, open_catalog: Callable[[], Catalog] | None, *, pipeline_path: str = "") -> None:
        self._open = open_catalog
        self.pipeline_path = pipeline_path
        self.outcome: JobOutcome | None = None
        self._attempt: Attempt | None = None

    def open_catalog(self) -> Catalog:
        """The catalog, for who else has something to ask it. Raises `CatalogUnavailable`."""
        if self._open is None:
            raise CatalogUnavailable("this task tells no catalog")
        return self._open()

    def run(self, machine: RunState) -> Run | None:
        """The run's record, if the catalog can be asked. Raises `Cancelled` if somebody cancelled it there."""
        with self.reached() as catalog:
            if catalog is None:
                return None
            run = self._demand_run(catalog, machine)
            if not run.is_cancel_requested:
                return run
        raise Cancelled(f"run {run.run_id} was cancelled", hint="start a new run, with another id")

    def begun(self, key: str, attempt: int, machine: RunState) -> None:
        """The task runs now."""
        with self.reached() as catalog:
            if catalog is None:
                return
            self._demand_run(catalog, machine)
            catalog.update(
                Run, machine.run_id, state="running", message="", finished_at=None, runner=ELSEWHERE
            )
            moment, worker = now(), f"{socket.gethostname()}:{os.getpid()}"
            task = replace(
                _task_run(catalog, machine, key),
                state="running",
                attempt=attempt,
                reason="",
                started_at=moment,
                finished_at=None,
                error={},
                worker=worker,
                arguments=_told(machine, key),
            )
            self._attempt = Attempt(
                run_id=machine.run_id,
                task=key,
                attempt=attempt,
                state="running",
                worker=worker,
                started_at=moment,
            )
            catalog.put(task, self._attempt)

    def ended(self, ended: Ended, machine: RunState) -> None:
        """The task has ended, and with it perhaps others that will not run, or the whole run."""
        with self.reached() as catalog:
            if catalog is None:
                return
            self._demand_run(catalog, machine)
            moment = now()
            task = replace(
                _task_run(catalog, machine, ended.task),
                state=ended.state,
                reason=ended.reason,
                results=ended.results,
                artifacts=ended.artifacts,
                notebook=ended.notebook,
                error=ended.error,
                cache_key=ended.cache_key,
                source_run_id=ended.source_run_id,
                finished_at=moment,
                **measured(ended),
            )
            if ended.state == "cached":  # nobody has said with what it began
                task = replace(task, arguments=_told(machine, ended.task))
            with catalog.transaction():
                if self._attempt is not None:
                    attempt = replace(
                        self._attempt,
                        state=ended.state,
                        error=ended.error,
                        notebook=ended.notebook,
                        finished_at=moment,
                        **measured(ended),
                    )
                    catalog.put(attempt, *self._artifacts(ended))
                catalog.put(task)
                self._others(catalog, machine, ended.task)
                if machine.state is not None:
                    where = {"is_cancel_requested": False}
                    changes = {"state": machine.state, "finished_at": moment, "runner": ""}
                    catalog.compare_and_set(Run, machine.run_id, where, **changes)

    def _artifacts(self, ended: Ended) -> list[Artifact]:
        told = self.outcome.artifacts if self.outcome else {}
        made = []
        for name, reference in ended.artifacts.items():
            parsed = parse_reference(reference)
            if parsed is not None:
                made.append(
                    Artifact(
                        run_id=ended.run_id,
                        task=ended.task,
                        name=name,
                        reference=reference,
                        digest=parsed.digest,
                        format=parsed.format,
                        size_bytes=int(told.get(name, {}).get("size_bytes", 0)),
                        summary=told.get(name, {}).get("summary", {}),
                        created_at=now(),
                    )
                )
        return made

    def _others(self, catalog: Catalog, machine: RunState, key: str) -> None:
        """Tasks that follow from what is known: those skipped, those whose needs failed, mapped ones as a whole."""
        known = {task.task: task for task in catalog.find(TaskRun, where={"run_id": machine.run_id})}
        for other, state in machine.tasks.items():
            before = known.get(other)
            is_news = before is None or before.state != state.state
            is_derived = state.instances is not None or state.state in ("skipped", "upstream_failed")
            if other != key and is_news and is_derived and state.state in TERMINAL:
                task = before or _task_run(catalog, machine, other)
                results = machine.results(other) if state.state == "succeeded" else {}
                catalog.put(
                    replace(task, state=state.state, reason=state.reason, results=results, finished_at=now())
                )

    def _demand_run(self, catalog: Catalog, machine: RunState) -> Run:
        """The run's record; of the tasks that begin together, one makes it."""
        plan, run_id = machine.plan, machine.run_id
        known = catalog.find(Run, where={"run_id": run_id})
        if known:
            return known[0]
        moment = now()
        run = Run(
            run_id=run_id,
            pipeline=plan.pipeline,
            pipeline_path=self.pipeline_path,
            plan=plan.to_json(),
            arguments=encoding.to_json(dict(plan.arguments)),
            state="running",
            user_name=user_name(),
            created_at=moment,
            started_at=moment,
            runner=ELSEWHERE,
        )
        tasks = [
            TaskRun(run_id=run_id, task=key, name=task.name, position=position)
            for position, (key, task) in enumerate(plan.tasks.items())
        ]
        with contextlib.suppress(Conflict):
            catalog.add(run, *tasks)
        return run

    @contextlib.contextmanager
    def reached(self) -> Iterator[Catalog | None]:
        """The catalog, or None where it is not to be had; one that is lost meanwhile is not asked again."""
        catalog = None
        try:
            catalog = None if self._open is None else self._open()
        except CatalogUnavailable as error:
            self._give_up(error)
        try:
            yield catalog
        except (CatalogUnavailable, Conflict) as error:
            self._give_up(error)

    def _give_up(self, error: MlopsError) -> None:
        log.warning("the catalog was not told of this task: %s", error)
        self._open = None


def _told(machine: RunState, key: str) -> dict[str, Any]:
    """The task's arguments as records have them: without secrets."""
    given = named_secrets(dict(machine.arguments(key)))
    return {name: encoding.to_json(value) for name, value in given.items()}


def _task_run(catalog: Catalog, machine: RunState, key: str) -> TaskRun:
    try:
        return catalog.get(TaskRun, machine.run_id, key)
    except NotFound:  # an instance of a mapped task
        name = key.partition("[")[0]
        position = list(machine.tasks).index(key) if key in machine.tasks else len(machine.tasks)
        return TaskRun(run_id=machine.run_id, task=key, name=name, position=position)
