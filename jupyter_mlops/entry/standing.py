"""Where a run stands, told by the outcomes that its tasks left: the run's state machine, led through them."""

from __future__ import annotations

import hashlib
import json
import re
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from ..backends import JobKey, JobOutcome
from ..blobs import BlobStore
from ..errors import WorkerLost
from ..events import (
    AttemptCancelled,
    AttemptSucceeded,
    CacheHit,
    CacheMissed,
    Event,
    RunStarted,
    TaskUnrunnable,
)
from ..pipelines import Plan, RunState
from ..pipelines.instructions import Instruction, LookUpCache, Submit

_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
_LONGEST_ID = 100


def run_id_of(text: str) -> str:
    """An orchestrator's id of a run as one of ours, which stands in file names and URLs. Two different texts never
    become one id: what had to be changed is told apart by a digest."""
    safe = _UNSAFE.sub("-", text).strip(".-")[:_LONGEST_ID]
    if safe == text:
        return text
    return f"{safe or 'run'}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


@dataclass(frozen=True, slots=True)
class Left:
    """The last outcome that a task left in a run."""

    attempt: int
    outcome: JobOutcome


def outcomes(blobs: BlobStore, run_id: str) -> dict[str, Left]:
    """Task key → the outcome of its latest attempt."""
    latest: dict[str, int] = {}
    for name in blobs.documents(f"outcomes/{run_id}/"):
        if name.endswith(".json"):
            _, _, task, file = name.split("/")
            key, attempt = unquote(task), int(file.removesuffix(".json"))
            latest[key] = max(attempt, latest.get(key, 0))
    found = {}
    for key, attempt in latest.items():
        data = blobs.read_document(JobKey(run_id=run_id, task=key, attempt=attempt).document)
        if data is not None:
            found[key] = Left(attempt, JobOutcome.from_json(json.loads(data)))
    return found


class Standing:
    """The run after these outcomes. `target` is left unanswered, whatever it did before: it is about to run, unless
    the cache, if it `is_cache_asked`, has it. When what comes before it `is_settled`, what left no outcome has
    failed: its process or machine was lost."""

    def __init__(
        self,
        plan: Plan,
        run_id: str,
        known: Mapping[str, Left],
        target: str = "",
        *,
        is_settled: bool = False,
    ) -> None:
        self.machine = RunState(plan, run_id)
        self.is_target_due = False
        self.is_cache_asked = False
        waiting: deque[Instruction] = deque(self.machine.handle(RunStarted(run_id=run_id)))
        while waiting:
            instruction = waiting.popleft()
            if isinstance(instruction, LookUpCache):
                self.is_cache_asked = self.is_cache_asked or instruction.task == target
                left = None if instruction.task == target else known.get(instruction.task)
                waiting += self.machine.handle(_answer(run_id, instruction.task, left))
            elif isinstance(instruction, Submit):
                if instruction.task == target:
                    self.is_target_due = True
                elif instruction.task in known:
                    waiting += self.machine.handle(
                        _fact(run_id, instruction, known[instruction.task].outcome)
                    )
                elif is_settled:
                    lost = WorkerLost(f"{instruction.task} left no outcome").to_json()
                    waiting += self.machine.handle(
                        TaskUnrunnable(run_id=run_id, task=instruction.task, error=lost)
                    )

    def missing(self, key: str) -> list[str]:
        """What the task still waits for."""
        states = self.machine.states
        return [
            need for need in self.machine.task(key).planned.needs if states[need] in ("queued", "running")
        ]


def _answer(run_id: str, task: str, left: Left | None) -> Event:
    """What the cache gave in this run, as the task's own process found."""
    if left is None or left.outcome.state != "cached":
        return CacheMissed(run_id=run_id, task=task, cache_key="")
    outcome = left.outcome
    return CacheHit(
        run_id=run_id, task=task, cache_key="", source_run_id="", results=outcome.results,
        artifacts=_references(outcome), notebook=outcome.notebook,
    )  # fmt: skip


def _references(outcome: JobOutcome) -> dict[str, str]:
    return {name: told["reference"] for name, told in outcome.artifacts.items()}


def _fact(run_id: str, submit: Submit, outcome: JobOutcome) -> Event:
    """The outcome as the machine takes it. That of a failed attempt stands: further ones are the orchestrator's."""
    match outcome.state:
        case "succeeded" | "cached":
            return AttemptSucceeded(
                run_id=run_id,
                task=submit.task,
                attempt=submit.attempt,
                results=outcome.results,
                artifacts=_references(outcome),
                notebook=outcome.notebook,
            )
        case "cancelled":
            return AttemptCancelled(run_id=run_id, task=submit.task, attempt=submit.attempt)
        case _:
            return TaskUnrunnable(run_id=run_id, task=submit.task, error=outcome.error)
