"""What a run would do now, found by leading a machine through the cache without running anything."""

from __future__ import annotations

from collections import deque
from typing import Literal

from ..errors import InvalidInput, NotFound
from ..events import DONE_WELL, CacheMissed, Event, RunStarted, TaskUnrunnable
from ..pipelines import Plan, RunState
from ..pipelines.instructions import LookUpCache, Submit
from .cachebook import Cachebook
from .options import TaskStatus
from .sources import Sources

_Told = Literal["fresh", "stale", "new", "frozen", "unknown"]


class Walk:
    """One look at a plan. A task that would run ends the walk there: what comes after it would run too."""

    def __init__(self, plan: Plan, sources: Sources, cachebook: Cachebook) -> None:
        self.machine = RunState(plan, cachebook.run_id)
        self.sources, self.cachebook = sources, cachebook
        self._found: dict[str, TaskStatus] = {}

    def go(self) -> list[TaskStatus]:
        """A status for each task, in their order."""
        waiting = deque(self.machine.handle(RunStarted(run_id=self.machine.run_id)))
        while waiting:
            instruction = waiting.popleft()
            if isinstance(instruction, LookUpCache | Submit):
                waiting += self.machine.handle(self._answer(instruction))
        for key, task in self.machine.tasks.items():
            if key not in self._found and task.instances is None:
                self._found[key] = self._unreached(key)
        return [self._found[key] for key in self.machine.tasks if key in self._found]

    def _answer(self, instruction: LookUpCache | Submit) -> Event:
        task = instruction.task
        if isinstance(instruction, Submit):
            self._found[task] = TaskStatus(
                task=task, state="stale", reasons=("cache is off: it runs every time",)
            )
            return self._would_run(task)
        planned = self.machine.task(task).planned
        try:
            bound = self.sources.bind(planned, instruction.arguments)
            components = self.sources.components(planned, bound, self.machine.environment(task))
        except (InvalidInput, NotFound) as error:
            return self._stop(task, "unknown", error.message)
        answer = self.cachebook.answer(task, self.cachebook.key(planned, components), components)
        if isinstance(answer, CacheMissed):
            reasons = self.cachebook.reasons(task, components) or [answer.reason]
            return self._stop(task, "stale", *(reason for reason in reasons if reason))
        state: _Told = "frozen" if answer.reason == "frozen" else "fresh"
        self._found[task] = TaskStatus(
            task=task, state=state, run_id=answer.source_run_id, at=self.cachebook.made_at(answer.cache_key)
        )
        return answer

    def _stop(self, task: str, state: _Told, *reasons: str) -> Event:
        self._found[task] = self._status(task, state, reasons)
        return self._would_run(task)

    def _would_run(self, task: str) -> Event:
        return TaskUnrunnable(run_id=self.machine.run_id, task=task, error={"message": "would run"})

    def _status(self, task: str, state: _Told, reasons: tuple[str, ...]) -> TaskStatus:
        """With the run in which it last ran; a task that never ran is new, not stale."""
        last = self.cachebook.newest(task)
        if last is None:
            return TaskStatus(task=task, state="new" if state == "stale" else state, reasons=reasons)
        return TaskStatus(task=task, state=state, reasons=reasons, run_id=last.run_id, at=last.created_at)

    def _unreached(self, key: str) -> TaskStatus:
        """A task that waits for one that would run, or that would be skipped."""
        task = self.machine.task(key)
        needs = [
            need
            for need in task.planned.needs
            if self.machine.task(need).state not in (*DONE_WELL, "skipped")
        ]
        if needs:
            return self._status(key, "stale", (f"{', '.join(needs)} would run first",))
        return self._status(key, "fresh", (task.reason or task.state,))
