"""The run's state machine, without I/O: facts go in, instructions come out.

No clock, disk or socket is touched, so a run can be tested in three lines, and rebuilt after a crash by
feeding it the facts that the catalog kept (`replay`). What may happen to a task stands in one table,
`_TABLE`: phase × fact → what to do. A fact about an attempt that is no longer live is a latecomer: it is
noted in the task's story and changes nothing. Any other fact that the table does not have raises `Conflict`
with that story, since it means that two runners drive one run, or that the log is broken.

Each fact costs in proportion to what it sets off, not to the size of the run: a task counts the needs that it
still waits for, and the last of them wakes it.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from .. import events
from ..errors import Conflict, InvalidInput, MlopsError, NotFound, WorkerLost, did_you_mean
from ..events import Event, RunFinished, State, TaskFact, TaskStateChanged
from . import conditions, graph, references
from .instructions import CancelAttempt, Instruction, LookUpCache, Record, Recover, Submit, WaitForRetry
from .plan import Plan
from .references import Reference
from .run_if import Tally, decide
from .task_state import LIVE, Phase, TaskState, is_late, joined, uses_item, value_of

MAX_LOST = 3  # lost attempts of a task that are made up for


class RunState:
    """A run of `plan`. Feed it facts with `handle`; do what it answers; until `state` is not None."""

    def __init__(self, plan: Plan, run_id: str) -> None:
        self.plan = plan
        self.run_id = run_id
        self.state: State | None = None
        self.tasks: dict[str, TaskState] = {
            key: TaskState(key=key, planned=task, waiting_for=len(task.needs))
            for key, task in plan.tasks.items()
        }
        self._after = graph.downstream(plan.edges)
        self._open = len(self.tasks)
        self._counts: Counter[str] = Counter()
        self._failed: list[str] = []
        self._is_started = False
        self._is_cancelled = False
        self._ended: deque[TaskState] = deque()
        self._out: list[Instruction] = []
        self._at: datetime = datetime.min.replace(tzinfo=UTC)

    # --- what can be asked -----------------------------------------------------------------------------

    @property
    def states(self) -> dict[str, State]:
        """Task key → state; mapped instances are there once their list is known."""
        return {key: task.state for key, task in self.tasks.items()}

    def arguments(self, task: str) -> Mapping[str, Any]:
        """The resolved arguments of a task; empty until its needs are met."""
        return self.task(task).arguments

    def environment(self, task: str) -> Mapping[str, str]:
        """The resolved environment variables of a task, beyond those of the run."""
        return self.task(task).environment

    def results(self, task: str) -> Mapping[str, Any]:
        """What a task emitted; of a mapped task lists over its instances, None where one did not."""
        state = self.task(task)
        if state.instances is None:
            return state.results
        names = dict.fromkeys(name for each in state.instances for name in each.results)
        return {name: [each.results.get(name) for each in state.instances] for name in names}

    def task(self, key: str) -> TaskState:
        """The task with that key; `NotFound` names the nearest."""
        if key not in self.tasks:
            raise NotFound(f"run {self.run_id} has no task {key!r}", hint=did_you_mean(key, self.tasks))
        return self.tasks[key]

    # --- facts -----------------------------------------------------------------------------------------

    def handle(self, event: Event) -> list[Instruction]:
        """Take a fact in; the instructions must be carried out in order. Decisions and progress, which this
        machine itself caused, give nothing. `Conflict` for what cannot have happened."""
        if event.run_id != self.run_id:
            raise Conflict(f"an event of run {event.run_id} was fed to run {self.run_id}")
        self._out, self._at = [], event.at
        match event:
            case events.RunStarted():
                self._start()
            case events.CancelRequested():
                self._cancel(event.by)
            case TaskFact():
                self._take(self.task(event.task), event)
        self._settle()
        return self._out

    def _start(self) -> None:
        if self._is_started:  # taken up again by another runner
            for task in self.tasks.values():
                task.is_orphan = task.phase in LIVE
            return
        self._is_started = True
        for task in list(self.tasks.values()):
            if task.phase is Phase.WAITING and task.waiting_for == 0:
                self._consider(task)

    def _cancel(self, by: str) -> None:
        self._is_cancelled = True
        reason = f"cancelled by {by}" if by else "cancelled"
        for task in list(self.tasks.values()):
            if task.phase in (Phase.SUBMITTED, Phase.RUNNING):
                task.phase, task.reason = Phase.CANCELLING, reason
                self._out.append(CancelAttempt(task=task.key, attempt=task.attempt))
            elif task.phase in (Phase.WAITING, Phase.LOOKING, Phase.DELAYED):
                self._end(task, "cancelled", reason)

    def _take(self, task: TaskState, fact: TaskFact) -> None:
        attempt = getattr(fact, "attempt", None)
        line = f"{task.phase}: {type(fact).__name__}" + ("" if attempt is None else f" of attempt {attempt}")
        if is_late(task, fact, attempt):
            task.story.append(f"{line} came late and was ignored")
            return
        action = _TABLE.get((task.phase, type(fact)))
        expected = task.attempt + 1 if isinstance(fact, events.RetryDue) else task.attempt
        if action is None or attempt not in (None, expected):
            story = [*task.story, line]
            raise Conflict(
                f"{line} cannot happen to task {task.key} of run {self.run_id}; story: {'; '.join(story)}",
                hint="two runners may be driving this run, or its log was changed",
                story=story,
            )
        task.story.append(line)
        action(self, task, fact)

    def _hit(self, task: TaskState, fact: events.CacheHit) -> None:
        task.results, task.artifacts, task.notebook = fact.results, fact.artifacts, fact.notebook
        task.cache_key, task.source_run_id = fact.cache_key, fact.source_run_id
        self._end(task, "cached", fact.reason)

    def _missed(self, task: TaskState, fact: events.CacheMissed) -> None:
        task.cache_key = fact.cache_key
        if self._is_named(self.plan.reuse, task):
            hint = f"run it once, or add it: --only {task.planned.name}"
            self._fail(task, NotFound(f"there is no earlier outcome of {task.key} to reuse", hint=hint))
            return
        task.reason = fact.reason
        self._submit(task)

    def _begun(self, task: TaskState, fact: events.AttemptStarted) -> None:
        task.phase = Phase.RUNNING
        task.is_orphan = False
        self._change(task, "running", task.reason)

    def _succeeded(self, task: TaskState, fact: events.AttemptSucceeded) -> None:
        task.results, task.artifacts, task.notebook = fact.results, fact.artifacts, fact.notebook
        self._end(task, "succeeded", "")

    def _failed_once(self, task: TaskState, fact: events.AttemptFailed) -> None:
        policy = task.planned.retries
        message = str(fact.error.get("message", "")).strip().split("\n")[0]
        told = f"{fact.error_class}: {message}" if message else fact.error_class
        task.error, task.notebook, task.is_orphan = fact.error, fact.notebook or task.notebook, False
        if task.retries >= policy.limit or not policy.covers(fact.error_class):
            self._end(task, "failed", told)
            return
        task.retries += 1
        delay = policy.delay_before(task.retries)
        again = f"retry {task.retries} of {policy.limit}" + (f" in {delay:g} s" if delay else "")
        self._change(task, "queued", f"{again} after {told}")
        if delay:
            task.phase = Phase.DELAYED
            self._out.append(self._wait(task))
        else:
            self._submit(task)

    def _lost_once(self, task: TaskState, fact: events.AttemptLost) -> None:
        task.lost += not task.is_orphan
        task.is_orphan = False
        if task.lost > MAX_LOST:
            self._fail(task, WorkerLost(f"lost {task.lost} times, the last time: {fact.reason}"))
            return
        self._change(task, "queued", f"attempt {task.attempt} was lost: {fact.reason}")
        self._submit(task)

    def _cancelled(self, task: TaskState, fact: TaskFact) -> None:
        task.notebook = getattr(fact, "notebook", "") or task.notebook
        self._end(task, "cancelled", task.reason)

    def _retry(self, task: TaskState, fact: events.RetryDue) -> None:
        self._submit(task)

    def _unrunnable(self, task: TaskState, fact: events.TaskUnrunnable) -> None:
        task.error = fact.error
        self._end(task, "failed", str(fact.error.get("message", "")))

    def _again(self, task: TaskState, fact: TaskFact) -> None:
        """The same start told twice changes nothing."""

    # --- what follows ----------------------------------------------------------------------------------

    def _consider(self, task: TaskState) -> None:
        """All that the task needs has ended: run it, map it, or end it without running."""
        planned = task.planned
        verdict = decide(
            planned.run_if, [(self.tasks[key].planned.name, self._tally(key)) for key in planned.needs]
        )
        if verdict is not None:
            self._end(task, *verdict)
            return
        is_per_item = planned.map is not None and uses_item(planned.when)
        if not is_per_item and not self._holds(task):
            return
        if planned.map is None:
            self._prepare(task)
        else:
            self._expand(task, is_per_item=is_per_item)

    def _holds(self, task: TaskState) -> bool:
        """Whether `when` holds; if not, the task has been ended."""
        if task.planned.when is None:
            return True
        condition = conditions.parse(task.planned.when)
        lookup = self._lookup(task)
        try:
            if conditions.evaluate(condition, lookup):
                return True
        except (InvalidInput, NotFound) as error:
            self._fail(task, type(error)(f"when: {error.message}", hint=error.hint))
            return False
        self._end(task, "skipped", f"not when {conditions.explain(condition, lookup)}")
        return False

    def _prepare(self, task: TaskState) -> None:
        """Resolve the arguments, then ask the cache or submit."""
        lookup = self._lookup(task)
        try:
            task.arguments = references.resolve(dict(task.planned.parameters), lookup)
            resolved = references.resolve(dict(task.planned.env), lookup)
        except (InvalidInput, NotFound) as error:
            self._fail(task, error)
            return
        task.environment = {name: references.as_text(value) for name, value in resolved.items()}
        is_reused = self._is_named(self.plan.reuse, task)
        if is_reused or (task.planned.cache and not self._is_named(self.plan.force, task)):
            task.phase = Phase.LOOKING
            self._out.append(self._look_up(task))
        else:
            self._submit(task)

    def _expand(self, group: TaskState, *, is_per_item: bool) -> None:
        try:
            items = references.resolve(group.planned.map, self._lookup(group))
            if not isinstance(items, list | tuple):
                hint = "emit a list: mlops.result(name, [...])"
                raise InvalidInput(f"map: {references.as_text(items)[:80]} is no list", hint=hint)
            if len(items) > graph.MOST_INSTANCES:
                raise InvalidInput(f"map: {len(items):,} items; at most {graph.MOST_INSTANCES:,} can be")
        except (InvalidInput, NotFound) as error:
            self._fail(group, error)
            return
        group.instances = [
            TaskState(key=graph.instance_key(group.key, index), planned=group.planned, item=item, group=group)
            for index, item in enumerate(items)
        ]
        if not items:
            self._end(group, "succeeded", "nothing to map: the list is empty")
            return
        group.phase, group.open_instances = Phase.EXPANDED, len(items)
        self._open += len(items)
        self._change(group, "running", f"{len(items)} instances")
        for task in group.instances:
            self.tasks[task.key] = task
            self._change(task, "queued", "")
        for task in group.instances:
            if not is_per_item or self._holds(task):
                self._prepare(task)

    def _submit(self, task: TaskState) -> None:
        task.attempt += 1
        task.phase = Phase.SUBMITTED
        self._out.append(Submit(task=task.key, attempt=task.attempt, arguments=task.arguments))

    def _look_up(self, task: TaskState) -> LookUpCache:
        any_key = self._is_named(self.plan.reuse, task)
        return LookUpCache(task=task.key, arguments=task.arguments, any_key=any_key)

    def _wait(self, task: TaskState) -> WaitForRetry:
        delay = task.planned.retries.delay_before(task.retries)
        return WaitForRetry(task=task.key, attempt=task.attempt + 1, delay_seconds=delay)

    def _is_named(self, names: frozenset[str], task: TaskState) -> bool:
        return task.key in names or task.planned.key in names or task.planned.name in names

    def _fail(self, task: TaskState, error: MlopsError) -> None:
        task.error = error.to_json()
        self._end(task, "failed", error.message)

    def _change(self, task: TaskState, state: State, reason: str) -> None:
        task.state, task.reason = state, reason
        changed = TaskStateChanged(
            run_id=self.run_id, at=self._at, task=task.key, state=state, attempt=task.attempt, reason=reason
        )
        self._out.append(Record(event=changed))

    def _end(self, task: TaskState, state: State, reason: str) -> None:
        task.phase = Phase.DONE
        task.story.append(f"{state}: {reason}" if reason else state)
        self._change(task, state, reason)
        self._counts[state] += 1
        if state == "failed" and task.instances is None:
            self._failed.append(task.key)
        self._open -= 1
        self._ended.append(task)

    def _settle(self) -> None:
        """Wake what waited for the tasks that have ended, and what waited for those, to the end."""
        while self._ended:
            task = self._ended.popleft()
            if task.group is not None:
                task.group.open_instances -= 1
                if task.group.open_instances == 0:
                    self._end(task.group, *joined(task.group))
                continue
            for key in self._after.get(task.key, ()):
                follower = self.tasks[key]
                follower.waiting_for -= 1
                if follower.waiting_for == 0 and follower.phase is Phase.WAITING:
                    self._consider(follower)
        if self._open == 0 and self.state is None:
            self.state = self._outcome()
            self._out.append(self._finished())

    def _outcome(self) -> State:
        if self._is_cancelled and self._counts["cancelled"]:
            return "cancelled"
        if self._counts["failed"] or self._counts["upstream_failed"]:
            return "failed"
        return "cancelled" if self._counts["cancelled"] else "succeeded"

    def _finished(self) -> Record:
        assert self.state is not None  # noqa: S101 - only called at the end
        message = ""
        if self._failed:
            more = f" and {len(self._failed) - 3} more" if len(self._failed) > 3 else ""
            message = f"failed: {', '.join(self._failed[:3])}{more}"
        return Record(event=RunFinished(run_id=self.run_id, at=self._at, state=self.state, message=message))

    # --- what references see ---------------------------------------------------------------------------

    def _lookup(self, task: TaskState) -> references.Lookup:
        def lookup(reference: Reference) -> Any:
            match reference.root:
                case "tasks":
                    return self._task_value(reference)
                case "params":
                    value = self.plan.arguments[reference.name]
                case "matrix":
                    value = task.planned.matrix[reference.name]
                case "item":
                    value = task.item
                case "run":
                    value = {"id": self.run_id, "pipeline": self.plan.pipeline}[reference.name]
            return references.follow(value, reference)

        return lookup

    def _task_value(self, reference: Reference) -> Any:
        """A value of a task; the list over its instances where it fans out and no instance is named."""
        name, instance = reference.task, reference.instance
        first = self.tasks[self.plan.keys_of[name][0]]
        if first.planned.map is not None:
            return self._mapped_value(first, reference)
        if not first.planned.matrix:
            return value_of(first, reference)
        if instance:
            key = graph.matching_instance(name, instance, list(first.planned.matrix))
            return value_of(self.tasks[key], reference)
        return [value_of(self.tasks[key], reference) for key in self.plan.keys_of[name]]

    def _mapped_value(self, group: TaskState, reference: Reference) -> Any:
        if group.instances is None:  # it never came to be mapped
            return group.state if reference.field == "state" else None
        if not reference.instance:
            return [value_of(each, reference) for each in group.instances]
        index = int(reference.instance)
        if index >= len(group.instances):
            raise NotFound(f"${{{reference}}}: {group.key} has {len(group.instances)} instances")
        return value_of(group.instances[index], reference)

    def _tally(self, key: str) -> Tally:
        """How a task ended, instance by instance where it was mapped."""
        task = self.tasks[key]
        if not task.instances:
            return Counter([task.state])
        return Counter(each.state for each in task.instances)

    # --- after a crash ---------------------------------------------------------------------------------

    def pending(self) -> list[Instruction]:
        """What must be done (again) by a runner that takes this run up as it stands."""
        instructions: list[Instruction] = []
        for task in self.tasks.values():
            if task.phase is Phase.LOOKING:
                instructions.append(self._look_up(task))
            elif task.phase is Phase.DELAYED:
                instructions.append(self._wait(task))
            elif task.phase in LIVE:
                recover = Recover(task=task.key, attempt=task.attempt, arguments=task.arguments)
                instructions.append(recover)
                if task.phase is Phase.CANCELLING:
                    instructions.append(CancelAttempt(task=task.key, attempt=task.attempt))
        if self.state is not None:
            instructions.append(self._finished())
        return instructions


def replay(plan: Plan, run_id: str, log: Iterable[Event]) -> tuple[RunState, list[Instruction]]:
    """The run as its facts made it, and what is to do now: `Recover` for each attempt that was under way,
    lookups and retries again, and the end if it was reached. Feed a `RunStarted` first: losses of attempts
    whose runner went away do not count against a task."""
    state = RunState(plan, run_id)
    for event in log:
        state.handle(event)
    return state, state.pending()


_Action = Callable[[RunState, TaskState, Any], None]

_OUTCOMES: Mapping[type[TaskFact], _Action] = {
    events.AttemptSucceeded: RunState._succeeded,
    events.AttemptFailed: RunState._failed_once,
    events.AttemptLost: RunState._lost_once,
    events.AttemptCancelled: RunState._cancelled,
}
_ROWS: Mapping[Phase, Mapping[type[TaskFact], _Action]] = {
    Phase.LOOKING: {
        events.CacheHit: RunState._hit,
        events.CacheMissed: RunState._missed,
        events.TaskUnrunnable: RunState._unrunnable,
    },
    Phase.SUBMITTED: {  # an outcome may come without a start: the word of it got lost
        events.AttemptStarted: RunState._begun,
        events.TaskUnrunnable: RunState._unrunnable,
        **_OUTCOMES,
    },
    Phase.RUNNING: {events.AttemptStarted: RunState._again, **_OUTCOMES},
    Phase.DELAYED: {events.RetryDue: RunState._retry},
    Phase.CANCELLING: {  # what succeeded before it could be stopped has succeeded
        events.AttemptStarted: RunState._again,
        events.TaskUnrunnable: RunState._cancelled,
        events.AttemptSucceeded: RunState._succeeded,
        events.AttemptFailed: RunState._cancelled,
        events.AttemptLost: RunState._cancelled,
        events.AttemptCancelled: RunState._cancelled,
    },
}
_TABLE: Mapping[tuple[Phase, type[TaskFact]], _Action] = {
    (phase, kind): action for phase, row in _ROWS.items() for kind, action in row.items()
}
