"""A task's process as those who observe runs see it (`standards`): its attempt, and the run's end after the last."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from .. import encoding
from ..catalog import Catalog
from ..catalog.records import Run
from ..events import (
    TERMINAL,
    AttemptCancelled,
    AttemptFailed,
    AttemptStarted,
    AttemptSucceeded,
    CacheHit,
    Event,
    RunFinished,
    RunStarted,
    measured,
    now,
)
from ..pipelines import RunState
from ..settings import Settings
from ..standards import observe

if TYPE_CHECKING:
    from .task import Ended


class Telling:
    """What this process tells. `run` is None where no catalog has it."""

    def __init__(
        self, run: Run | None, machine: RunState, settings: Settings, open_catalog: Callable[[], Catalog]
    ) -> None:
        plan = machine.plan
        self._run_id = machine.run_id
        known = run or Run(
            run_id=machine.run_id, pipeline=plan.pipeline, plan=plan.to_json(), created_at=now(),
            arguments=encoding.to_json(dict(plan.arguments)),
        )  # fmt: skip
        self._machine = machine
        self._observer = observe(known, machine, catalog=open_catalog, settings=settings)
        self._attempt = 0

    def begun(self, key: str, attempt: int) -> None:
        """The task runs now."""
        self._first()
        self._attempt = attempt
        self.handle(AttemptStarted(run_id=self._run_id, task=key, attempt=attempt))

    def found(self, hit: CacheHit) -> None:
        """It does not run: an earlier run left what it would give."""
        self._first()
        self._machine.task(hit.task).artifacts = hit.artifacts
        self.handle(hit)

    def _first(self) -> None:
        """The first task of a run says that the run began; of two that begin it, each does."""
        states = self._machine.states.values()
        if not any(state in TERMINAL for state in states):
            self.handle(RunStarted(run_id=self._run_id))

    def handle(self, event: Event) -> None:
        """Something happened."""
        if self._observer is not None:
            self._observer.handle(event)

    def ended(self, ended: Ended, after: RunState) -> None:
        """The task has ended; `after` is the run as it stands now."""
        if self._observer is None:
            return
        if self._attempt:
            self._machine.task(ended.task).artifacts = ended.artifacts
            self.handle(_fact(ended))
        if after.state is not None:
            self.handle(RunFinished(run_id=self._run_id, state=after.state))
        self._observer.close()


def _fact(ended: Ended) -> Event:
    run_id, task, attempt = ended.run_id, ended.task, ended.attempt
    match ended.state:
        case "succeeded":
            return AttemptSucceeded(
                run_id=run_id, task=task, attempt=attempt, results=ended.results, artifacts=ended.artifacts,
                notebook=ended.notebook, **measured(ended),
            )  # fmt: skip
        case "cancelled":
            return AttemptCancelled(run_id=run_id, task=task, attempt=attempt, **measured(ended))
        case _:
            return AttemptFailed(
                run_id=run_id, task=task, attempt=attempt, error=ended.error,
                error_class=str(ended.error.get("ename", "")), **measured(ended),
            )  # fmt: skip


def both(one: Callable[[Event], None], other: Callable[[Event], None]) -> Callable[[Event], None]:
    """Tell both."""

    def tell(event: Event) -> None:
        one(event)
        other(event)

    return tell
