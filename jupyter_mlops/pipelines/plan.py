"""The plan: a pipeline lowered to what will run, once, for whoever runs or exports it.

Edges are explicit (by key), matrices are expanded, defaults and arguments are bound. What only a run can know
stays open: references to results, conditions, and the length of a mapped list. A plan is plain JSON too
(`Plan.to_json`), and stands in the run's record, so that a resumed run does what was planned, whatever the
files say by then.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from functools import cached_property
from typing import Any, Literal

from .. import encoding
from ..errors import InvalidInput, InvalidPipeline, NotFound, did_you_mean
from ..problems import Problem, summarize
from ..resources import ResourceRequest
from . import graph, references
from .arguments import bind_arguments
from .checks import demand
from .definition import Pipeline, RetryPolicy, Task, TaskSettings

_VERSION = 1
_RICH = ("parameters", "matrix", "map")  # fields whose values may be more than JSON


@dataclass(frozen=True, slots=True)
class PlannedTask(TaskSettings):
    """A task, or one instance of a matrix. `needs` are keys; `matrix` has this instance's value of each axis.
    With `map` it is a group: its instances (``train[0]``, …) appear while the run goes on."""

    _: KW_ONLY
    key: str
    needs: tuple[str, ...] = ()
    matrix: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Fields that differ from their default."""
        body: dict[str, Any] = {"key": self.key}
        for name, default in _DEFAULTS.items():
            value = getattr(self, name)
            if value != default:
                body[name] = encoding.to_json(value) if name in _RICH else _plain(value)
        return body

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> PlannedTask:
        """The task that `to_json` wrote."""
        given = {name: value for name, value in body.items() if name in _DEFAULTS or name == "key"}
        for name, read in _READERS.items():
            if name in given:
                given[name] = read(given[name])
        return cls(**given)


def _plain(value: Any) -> Any:
    if isinstance(value, ResourceRequest):
        return value.to_json()
    if isinstance(value, RetryPolicy):
        return {**dataclasses.asdict(value), "on": list(value.on)}
    return list(value) if isinstance(value, tuple) else value


_DEFAULTS: Mapping[str, Any] = {
    each.name: {} if each.default is dataclasses.MISSING else each.default
    for each in dataclasses.fields(PlannedTask)
    if each.name != "key"
}
_READERS: Mapping[str, Any] = {
    **dict.fromkeys(_RICH, encoding.from_json),
    **dict.fromkeys(("needs", "files"), tuple),
    "retries": lambda body: RetryPolicy(**{**body, "on": tuple(body.get("on", ()))}),
    "resources": ResourceRequest.parse,
}


@dataclass(frozen=True)
class Plan:
    """What a run will do. `tasks` maps keys to tasks, each after all that it needs.

    `reuse` names tasks (by name or key) that are not run but must be found in the cache; `force` those whose
    cache is not asked. `path` is the pipeline's file as it was given, "" for one built in Python.
    """

    pipeline: str
    tasks: Mapping[str, PlannedTask]
    arguments: Mapping[str, Any] = field(default_factory=dict)
    path: str = ""
    reuse: frozenset[str] = frozenset()
    force: frozenset[str] = frozenset()

    @cached_property
    def keys_of(self) -> Mapping[str, tuple[str, ...]]:
        """Task name → the keys of its planned instances, in order."""
        keys: dict[str, list[str]] = {}
        for key, task in self.tasks.items():
            keys.setdefault(task.name, []).append(key)
        return {name: tuple(each) for name, each in keys.items()}

    @property
    def edges(self) -> dict[str, tuple[str, ...]]:
        """Key → the keys it needs, for `graph` and for drawings."""
        return {key: task.needs for key, task in self.tasks.items()}

    def to_json(self) -> dict[str, Any]:
        """Plain JSON; ``Plan.from_json(plan.to_json()) == plan``."""
        return {
            "version": _VERSION,
            "pipeline": self.pipeline,
            "path": self.path,
            "arguments": encoding.to_json(dict(self.arguments)),
            "reuse": sorted(self.reuse),
            "force": sorted(self.force),
            "tasks": [task.to_json() for task in self.tasks.values()],
        }

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> Plan:
        """The plan that `to_json` wrote; `InvalidInput` if a later version of ours did."""
        if body.get("version") != _VERSION:
            raise InvalidInput(
                f"this plan has version {body.get('version')}, and only {_VERSION} is known here",
                hint="use the version of jupyter-mlops that started the run",
            )
        tasks = [PlannedTask.from_json(task) for task in body["tasks"]]
        return cls(
            pipeline=body["pipeline"],
            path=body["path"],
            arguments=encoding.from_json(body["arguments"]),
            reuse=frozenset(body["reuse"]),
            force=frozenset(body["force"]),
            tasks={task.key: task for task in tasks},
        )


def lower(pipeline: Pipeline, arguments: Mapping[str, Any] | None = None, *, from_text: bool = False) -> Plan:
    """Plan a run. Raises `InvalidPipeline` or `InvalidParameter`, each with all `problems`.

    With `from_text`, arguments are strings from a command line.
    """
    demand(pipeline)
    bound = bind_arguments(pipeline, arguments or {}, from_text=from_text)
    axes = _axes(pipeline, bound)
    tasks = {task.name: task for task in pipeline.tasks}
    instances: dict[str, dict[str, dict[str, Any]]] = {}
    planned: dict[str, PlannedTask] = {}
    for name in graph.topological_order(graph.upstream(pipeline.tasks)):
        task = tasks[name]
        own = graph.expand_matrix(name, axes[name]) if task.matrix else {name: {}}
        instances[name] = own
        needs = _needs(task, instances)
        for key, matrix in own.items():
            planned[key] = _planned(task, key=key, needs=needs, matrix=matrix)
    path = "" if pipeline.path is None else str(pipeline.path)
    return Plan(pipeline=pipeline.name, tasks=planned, arguments=bound, path=path)


_SHARED = tuple(each.name for each in dataclasses.fields(TaskSettings))


def _planned(task: Task, *, key: str, needs: tuple[str, ...], matrix: dict[str, Any]) -> PlannedTask:
    settings = {name: getattr(task, name) for name in _SHARED}
    return PlannedTask(**settings, key=key, needs=needs, matrix=matrix)


def _axes(pipeline: Pipeline, arguments: Mapping[str, Any]) -> dict[str, dict[str, Sequence[Any]]]:
    """Task name → its axes with the lists that parameters stand for filled in."""

    def lookup(reference: references.Reference) -> Any:
        return references.follow(arguments[reference.name], reference)

    axes: dict[str, dict[str, Sequence[Any]]] = {}
    problems = []
    for task in pipeline.tasks:
        axes[task.name] = {}
        for axis, values in task.matrix.items():
            try:
                resolved = references.resolve(values, lookup)
                if not isinstance(resolved, list | tuple):
                    raise InvalidInput(f"axis {axis!r} is {resolved!r}, which is no list")
                axes[task.name][axis] = resolved
                graph.expand_matrix(task.name, {axis: resolved})
            except (InvalidInput, NotFound) as error:
                where = pipeline.where(task, f"matrix.{axis}")
                problems.append(
                    Problem(message=f"{task.name}: {error.message}", where=where, hint=error.hint)
                )
    if problems:
        raise InvalidPipeline(summarize(problems), problems=problems)
    return axes


def _needs(task: Task, instances: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> tuple[str, ...]:
    """The keys that come before a task: every instance of a task that is named whole, else those named."""
    named = [need.partition("[")[::2] for need in task.needs]
    named += [(each.task, each.instance) for _, each in graph.scan(task)[0] if each.root == "tasks"]
    needs: dict[str, None] = {}
    for name, instance in named:
        own = instances[name]
        axes = list(next(iter(own.values())))
        if not instance or not axes:  # an instance of a mapped task needs the whole group
            needs |= dict.fromkeys(own)
            continue
        key = graph.matching_instance(name, instance.removesuffix("]"), axes)
        if key not in own:
            raise InvalidPipeline(f"{task.name}: {key} is none of the matrix", hint=did_you_mean(key, own))
        needs[key] = None
    return tuple(needs)


def select(
    plan: Plan,
    *,
    only: Iterable[str] = (),
    start_from: Iterable[str] = (),
    force: Collection[str] | Literal["all"] = (),
    reuse: Iterable[str] = (),
) -> Plan:
    """The part of a plan that was asked for, by task names or keys.

    `only` these tasks, and those in `start_from` with everything after them; with neither, all of them. What
    comes before is reused: it must be found in the cache, under whatever key. `reuse` names more of that
    kind. `force` names tasks whose cache is not asked. Raises `NotFound` for a name that is none.
    """
    edges = plan.edges
    only, start_from = _keys(plan, only), _keys(plan, start_from)
    if not only and not start_from:
        chosen = set(plan.tasks)
    else:
        chosen = only | graph.reachable(graph.downstream(edges), start_from)
    needed = graph.reachable(edges, chosen)
    forced = chosen if force == "all" else _keys(plan, force)
    return dataclasses.replace(
        plan,
        tasks={key: task for key, task in plan.tasks.items() if key in needed},
        reuse=plan.reuse | (needed - chosen) | frozenset(reuse),
        force=plan.force | (forced & needed),
    )


def _keys(plan: Plan, names: Iterable[str]) -> set[str]:
    keys: set[str] = set()
    for name in [names] if isinstance(names, str) else names:
        if name in plan.tasks:
            keys.add(name)
        elif name in plan.keys_of:
            keys |= set(plan.keys_of[name])
        else:
            hint = did_you_mean(name, [*plan.keys_of, *plan.tasks])
            raise NotFound(f"the pipeline {plan.pipeline!r} has no task {name!r}", hint=hint)
    return keys
