"""The shape of a pipeline: who comes before whom, cycles by name, order, descendants, and matrix expansion.

The functions on edges know nothing of tasks: `Edges` maps a node to those that come before it, by task name
or by task key, whichever the caller has.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..errors import InvalidInput
from . import conditions, references
from .definition import Task, TaskSettings
from .references import Reference

Edges = Mapping[str, Sequence[str]]

MOST_INSTANCES = 10_000  # of one task; beyond that the list is surely not what was meant
_SAFE = re.compile(r"[A-Za-z0-9_.+-]+")


def scan(task: TaskSettings) -> tuple[list[tuple[str, Reference]], list[tuple[str, InvalidInput]]]:
    """Every reference of a task with the field that it stands in (``parameters.week``, ``when``), and every
    error in writing one."""
    found: list[tuple[str, Reference]] = []
    errors: list[tuple[str, InvalidInput]] = []
    fields: list[tuple[str, Any]] = [
        *((f"parameters.{name}", value) for name, value in task.parameters.items()),
        *((f"env.{name}", value) for name, value in task.env.items()),
        ("map", task.map),
    ]
    if isinstance(task, Task):
        fields += [(f"matrix.{axis}", values) for axis, values in task.matrix.items()]
    for field, value in fields:
        try:
            found += [(field, reference) for reference in references.references(value)]
        except InvalidInput as error:
            errors.append((field, error))
    if task.when is not None:
        try:
            found += [("when", each) for each in conditions.references_in(conditions.parse(task.when))]
        except InvalidInput as error:
            errors.append(("when", error))
    return found, errors


def upstream(tasks: Iterable[Task]) -> dict[str, tuple[str, ...]]:
    """By task name: what comes before it, `needs` first, then what references name. References that are
    wrongly written or name no task are left out; `checks` tells of them. An instance in `needs`
    (``train[model=a]``) counts as its task."""
    tasks = list(tasks)
    names = {task.name for task in tasks}
    edges = {}
    for task in tasks:
        before = [*(name.partition("[")[0] for name in task.needs)]
        before += [reference.task for _, reference in scan(task)[0] if reference.root == "tasks"]
        edges[task.name] = tuple(name for name in dict.fromkeys(before) if name in names)
    return edges


def topological_order(edges: Edges) -> list[str]:
    """The nodes, each after all that come before it, otherwise as they stand; nodes on a cycle and behind
    one are left out."""
    waiting = {node: len(set(before)) for node, before in edges.items()}
    after = downstream(edges)
    ready = [node for node, count in waiting.items() if count == 0]
    order = []
    for node in ready:  # grows while it is walked
        order.append(node)
        for follower in after.get(node, ()):
            waiting[follower] -= 1
            if waiting[follower] == 0:
                ready.append(follower)
    return order


def downstream(edges: Edges) -> dict[str, list[str]]:
    """The edges turned round: a node → those that come right after it."""
    after: dict[str, list[str]] = {node: [] for node in edges}
    for node, before in edges.items():
        for other in dict.fromkeys(before):
            after.setdefault(other, []).append(node)
    return after


def find_cycles(edges: Edges) -> list[list[str]]:
    """Cycles, each as a path in the order of execution that ends where it began (``[a, b, a]``); enough of
    them that mending all makes the graph acyclic or leaves only cycles that shared a node with these."""
    rest = {node: list(before) for node, before in edges.items()}
    cycles = []
    while len(order := topological_order(rest)) < len(rest):
        done = set(order)
        left = {
            node: [n for n in before if n not in done] for node, before in rest.items() if node not in done
        }
        path, seen = [next(iter(left))], {}
        while path[-1] not in seen:  # everything that is left has something left before it
            seen[path[-1]] = len(path) - 1
            path.append(left[path[-1]][0])
        cycle = path[seen[path[-1]] :][:-1][::-1]
        first = min(range(len(cycle)), key=lambda index: list(edges).index(cycle[index]))
        cycle = cycle[first:] + cycle[:first]
        cycles.append([*cycle, cycle[0]])
        gone = set(cycle)
        rest = {n: [b for b in before if b not in gone] for n, before in left.items() if n not in gone}
    return cycles


def reachable(edges: Edges, roots: Iterable[str]) -> set[str]:
    """`roots` and everything that `edges` lead to from them: the ancestors, or with `downstream(edges)` the
    descendants."""
    seen = set(roots)
    waiting = list(seen)
    while waiting:
        for node in edges.get(waiting.pop(), ()):
            if node not in seen:
                seen.add(node)
                waiting.append(node)
    return seen


# --- fan-out --------------------------------------------------------------------------------------------


def instance_key(name: str, instance: Mapping[str, Any] | int) -> str:
    """``train[model=a,depth=3]`` of a matrix, ``train[0]`` of a mapped task."""
    if isinstance(instance, int):
        return f"{name}[{instance}]"
    return f"{name}[{','.join(f'{axis}={text}' for axis, text in instance.items())}]"


def axis_texts(values: Sequence[Any]) -> list[str]:
    """How each value of an axis is written in a key: as it is where that is short and plain, else by its
    position (``#2``), since keys become file names and stand in references."""
    texts = []
    for position, value in enumerate(values):
        text = value if isinstance(value, str) else json.dumps(value, default=str)
        is_plain = len(text) <= 40 and _SAFE.fullmatch(text) is not None and text.strip(".")
        texts.append(text if is_plain else f"#{position}")
    return texts


def expand_matrix(name: str, axes: Mapping[str, Sequence[Any]]) -> dict[str, dict[str, Any]]:
    """Key → the value of each axis, for every combination, the last axis fastest; `InvalidInput` where a
    value stands twice, an axis is empty, or there are far too many."""
    count = 1
    for axis, values in axes.items():
        texts = axis_texts(values)
        double = next((text for index, text in enumerate(texts) if text in texts[:index]), None)
        if double is not None:
            raise InvalidInput(f"axis {axis!r} has the value {double} twice")
        count *= len(texts)
        if not values:
            raise InvalidInput(f"axis {axis!r} has no values")
        if count > MOST_INSTANCES:
            raise InvalidInput(f"the matrix of {name!r} has more than {MOST_INSTANCES:,} combinations")
    expanded = {}
    written = [list(zip(axis_texts(values), values, strict=True)) for values in axes.values()]
    for combination in itertools.product(*written):
        texts_by_axis = {axis: text for axis, (text, _) in zip(axes, combination, strict=True)}
        values_by_axis = {axis: value for axis, (_, value) in zip(axes, combination, strict=True)}
        expanded[instance_key(name, texts_by_axis)] = values_by_axis
    return expanded


def matching_instance(name: str, instance: str, axes: Sequence[str]) -> str:
    """The key that ``[model=a,depth=3]`` in a reference means, its axes in whatever order; `InvalidInput`
    where an axis is missing or unknown."""
    parts = [part.partition("=") for part in instance.split(",")]
    given = {axis.strip(): text.strip() for axis, _, text in parts}
    if set(given) != set(axes) or len(parts) != len(axes):
        wanted = ",".join(f"{axis}=…" for axis in axes)
        raise InvalidInput(f"{name}[{instance}] does not say one instance", hint=f"write {name}[{wanted}]")
    return instance_key(name, {axis: given[axis] for axis in axes})
