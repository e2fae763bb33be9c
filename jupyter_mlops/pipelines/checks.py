"""What must hold of a pipeline beyond its format: names, references, conditions, fan-out, cycles.

The same checks serve a file and a pipeline built in Python; all problems are told at once.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ..errors import InvalidInput, InvalidPipeline, did_you_mean
from ..problems import Problem, summarize
from . import graph
from .arguments import convert
from .definition import ISOLATION, RUN_IF, Pipeline, Task
from .reading import NAME, PARAMETER_NAME, TYPES
from .references import Reference
from .scheduled import schedule_problems

_ENVIRONMENT_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_NEEDS_UPSTREAM = ("at_least_one_success", "all_failed", "at_least_one_failed")


def check(pipeline: Pipeline) -> list[Problem]:
    """Every problem: errors first met, then warnings (a parameter that nothing uses)."""
    return [*_Checker(pipeline).problems()]


def demand(pipeline: Pipeline) -> None:
    """Raise `InvalidPipeline` with all problems if there is an error among them."""
    problems = check(pipeline)
    if any(problem.severity == "error" for problem in problems):
        raise InvalidPipeline(summarize(problems), problems=problems)


class _Checker:
    """One pass over one pipeline; each task is scanned for references once."""

    def __init__(self, pipeline: Pipeline) -> None:
        self.pipeline = pipeline
        self.tasks = {task.name: task for task in pipeline.tasks}
        self.scans = [(task, *graph.scan(task)) for task in pipeline.tasks]

    def problem(self, task: Task | None, field: str, message: str, hint: str = "") -> Problem:
        prefix = "" if task is None else f"{task.name}: "
        return Problem(message=prefix + message, where=self.pipeline.where(task, field), hint=hint)

    def problems(self) -> Iterator[Problem]:
        yield from self.heading()
        seen: set[str] = set()
        used: set[str] = set()
        for task, found, errors in self.scans:
            if task.name in seen:
                yield self.problem(task, "", "the name is taken by another task", "rename one of them")
            seen.add(task.name)
            yield from self.settings(task)
            yield from self.fan_out(task, found)
            for field, error in errors:
                yield self.problem(task, field, error.message, error.hint)
            for field, reference in dict.fromkeys(found):
                used.add(reference.name if reference.root == "params" else "")
                if told := self.target(task, field, reference):
                    yield self.problem(task, field, *told)
            yield from self.needs(task, found)
        yield from self.cycles()
        yield from schedule_problems(self.pipeline)
        if not any(errors for _, _, errors in self.scans):
            yield from self.unused(used)

    def heading(self) -> Iterator[Problem]:
        if not NAME.fullmatch(self.pipeline.name):
            yield self.problem(None, "name", f"{self.pipeline.name!r} is no name", _NAME_HINT)
        if not self.pipeline.tasks:
            yield self.problem(None, "tasks", "there are no tasks", "add one under `tasks:`")
        for name, parameter in self.pipeline.parameters.items():
            field = f"parameters.{name}"
            if not PARAMETER_NAME.fullmatch(name):
                yield self.problem(None, field, f"{name!r} is no parameter name", _PARAMETER_HINT)
            if parameter.type not in TYPES:
                hint = did_you_mean(parameter.type, TYPES)
                yield self.problem(None, field, f"parameter {name!r} has no type {parameter.type!r}", hint)
            elif not parameter.is_required:
                try:
                    convert(parameter.default, parameter)
                except InvalidInput as error:
                    yield self.problem(None, field, f"default of {name!r}: {error.message}", error.hint)

    def settings(self, task: Task) -> Iterator[Problem]:
        if not NAME.fullmatch(task.name):
            yield self.problem(task, "", f"{task.name!r} is no task name", _NAME_HINT)
        if not task.notebook.endswith((".ipynb", ".py")):
            hint = "a task runs an .ipynb file, or a .py of cells (# %%)"
            yield self.problem(task, "notebook", f"{task.notebook!r} is no notebook", hint)
        for name in task.parameters:
            if not (isinstance(name, str) and PARAMETER_NAME.fullmatch(name)):
                message = f"{name!r} is no parameter name"
                yield self.problem(task, f"parameters.{name}", message, _PARAMETER_HINT)
        for field, value, choices in (
            ("run_if", task.run_if, RUN_IF),
            ("isolation", task.isolation, ISOLATION),
        ):
            if value is not None and value not in choices:
                hint = did_you_mean(value, choices)
                yield self.problem(task, field, f"{field} cannot be {value!r}", hint)
        for field, names in (("env", task.env), ("secrets", task.secrets)):
            for name in names:
                if not _ENVIRONMENT_NAME.fullmatch(name):
                    yield self.problem(task, f"{field}.{name}", f"{name!r} cannot name a variable")
        for name in task.secrets.keys() & task.env.keys():
            yield self.problem(task, f"secrets.{name}", f"{name!r} stands under env as well", "drop one")
        for name, value in task.secrets.items():
            if not re.fullmatch(r"secret:.+", value):
                hint = f"write {name}: secret:NAME; the value itself never stands in a file"
                yield self.problem(
                    task, f"secrets.{name}", f"secret {name!r} is not given by reference", hint
                )

    def fan_out(self, task: Task, found: list[tuple[str, Reference]]) -> Iterator[Problem]:
        if task.map is not None and task.matrix:
            hint = "put the combinations into the list that is mapped"
            yield self.problem(task, "map", "a task has a matrix or a map, not both", hint)
        for field, reference in found:
            if field.startswith("matrix.") and reference.root != "params":
                hint = "only ${params.…} is known when the matrix is laid out; use `map` for results"
                yield self.problem(task, field, f"${{{reference}}} cannot stand in a matrix", hint)
        literal: dict[str, Any] = {}
        for axis, values in task.matrix.items():
            field = f"matrix.{axis}"
            if not PARAMETER_NAME.fullmatch(axis):
                yield self.problem(task, field, f"{axis!r} cannot name an axis", _PARAMETER_HINT)
            if not isinstance(values, str):
                literal[axis] = values
        try:
            graph.expand_matrix(task.name, literal)
        except InvalidInput as error:
            yield self.problem(task, "matrix", error.message, error.hint)
        if isinstance(task.map, list | tuple) and len(task.map) > graph.MOST_INSTANCES:
            yield self.problem(task, "map", f"more than {graph.MOST_INSTANCES:,} items")

    def target(self, task: Task, field: str, reference: Reference) -> tuple[str, str] | None:
        """Message and hint if a reference names nothing."""
        match reference.root:
            case "params" if reference.name not in self.pipeline.parameters:
                hint = did_you_mean(reference.name, self.pipeline.parameters)
                return (
                    f"the pipeline has no parameter {reference.name!r}",
                    hint or "declare it under `parameters:`",
                )
            case "matrix" if reference.name not in task.matrix and not field.startswith("matrix."):
                hint = did_you_mean(reference.name, task.matrix) or "declare it under `matrix:`"
                return f"the task has no axis {reference.name!r}", hint
            case "item" if task.map is None or field == "map":
                return (
                    f"${{{reference}}} has a meaning only where `map` is set",
                    "add `map:`, or use ${matrix.…}",
                )
            case "tasks":
                return self.task_target(reference)
        return None

    def task_target(self, reference: Reference) -> tuple[str, str] | None:
        other = self.tasks.get(reference.task)
        if other is None:
            return f"no task is called {reference.task!r}", did_you_mean(reference.task, self.tasks)
        return self.instance(other, reference.instance)

    def instance(self, other: Task, instance: str) -> tuple[str, str] | None:
        """Message and hint if ``other[instance]`` is none of its instances."""
        if not instance:
            return None
        if other.map is not None:
            if not instance.isdecimal():
                return f"{other.name}[{instance}] is no instance of a mapped task", f"write {other.name}[0]"
            return None
        if not other.matrix:
            return f"{other.name!r} has no matrix and no map, so no [{instance}]", f"write {other.name}"
        try:
            key = graph.matching_instance(other.name, instance, list(other.matrix))
        except InvalidInput as error:
            return error.message, error.hint
        if any(isinstance(values, str) for values in other.matrix.values()):
            return None  # known once the parameters are
        try:
            keys = graph.expand_matrix(other.name, dict(other.matrix))
        except InvalidInput:
            return None  # told of the other task
        return None if key in keys else (f"{key} is none of the matrix", did_you_mean(key, keys))

    def needs(self, task: Task, found: list[tuple[str, Reference]]) -> Iterator[Problem]:
        for needed in task.needs:
            name, bracket, instance = needed.partition("[")
            other = self.tasks.get(name)
            if other is None:
                hint = did_you_mean(name, self.tasks)
                yield self.problem(task, "needs", f"no task is called {name!r}", hint)
            elif told := self.instance(other, instance.removesuffix("]") if bracket else ""):
                yield self.problem(task, "needs", *told)
        has_upstream = task.needs or any(reference.root == "tasks" for _, reference in found)
        if task.run_if in _NEEDS_UPSTREAM and not has_upstream:
            hint = "add `needs:`, or leave run_if out"
            yield self.problem(task, "run_if", f"run_if {task.run_if} has no task to look at", hint)

    def cycles(self) -> Iterator[Problem]:
        edges = graph.upstream(self.pipeline.tasks)
        for cycle in graph.find_cycles(edges):
            hint = "no task can come before itself: drop one of these needs or references"
            yield self.problem(self.tasks[cycle[0]], "", f"a cycle: {' → '.join(cycle)}", hint)

    def unused(self, used: set[str]) -> Iterator[Problem]:
        for name in self.pipeline.parameters:
            if name not in used:
                yield Problem(
                    message=f"no task uses the parameter {name!r}",
                    where=self.pipeline.where(None, f"parameters.{name}"),
                    hint=f"pass it on: ${{params.{name}}}",
                    severity="warning",
                )


_NAME_HINT = "begin with a letter, go on with letters, digits, _ and -"
_PARAMETER_HINT = "letters, digits and _, not beginning with a digit"
