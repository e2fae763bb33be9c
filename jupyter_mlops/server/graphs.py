"""Pictures of DAGs as coordinates: the layout that terminal and SVG have too, in pixels.

Boxes have room for a label and a line below it, whatever stands there, so that a picture does not move while a
run goes on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Literal

from ..pipelines import PlannedTask, Task
from ..pipelines.definition import TaskSettings
from ..pipelines.graph import scan
from ..pipelines.layout import Edge, lay_out
from ..words import columns, shorten

Direction = Literal["right", "down"]
Kind = Literal["parameters", "when", "needs"]
_HEIGHT, _MARGIN = 48.0, 16.0
_LEAST_WIDTH, _MOST_LABEL, _PER_COLUMN, _BESIDE = 132.0, 30, 7.6, 48.0
_GAPS: Mapping[str, tuple[float, float]] = {
    "right": (20.0, 56.0),
    "down": (24.0, 44.0),
}  # beside, between layers


def graph_of(
    labels: Mapping[str, tuple[str, str]], edges: Mapping[Edge, str], direction: Direction
) -> dict[str, Any]:
    """`Graph` of the contract: node → (label, kind), edge → kind."""
    nodes = tuple((key, *label) for key, label in labels.items())
    return _drawn(nodes, tuple((source, target, kind) for (source, target), kind in edges.items()), direction)


@lru_cache(maxsize=64)
def _drawn(
    nodes: tuple[tuple[str, str, str], ...], edges: tuple[tuple[str, str, str], ...], direction: Direction
) -> dict[str, Any]:
    is_down = direction == "down"
    widths = {key: width_of(label) for key, label, _ in nodes}
    beside, between = _GAPS[direction]
    layout = lay_out(
        list(widths),
        [(source, target) for source, target, _ in edges],
        breadths=widths if is_down else dict.fromkeys(widths, _HEIGHT),
        gap=beside,
    )
    # Along the layers each has the extent of its largest box; across them the layout has placed the centers.
    extents = [
        _HEIGHT if is_down else max((widths[key] for key in layer), default=0.0) for layer in layout.layers
    ]
    starts = [_MARGIN + sum(extents[:i]) + between * i for i in range(len(extents))]
    length = (starts[-1] + extents[-1] if extents else 0.0) + _MARGIN
    breadth = layout.breadth + 2 * _MARGIN

    def point(along: float, across: float) -> list[float]:
        pair = (across, along) if is_down else (along, across)
        return [round(pair[0], 1), round(pair[1], 1)]

    drawn = []
    for key, label, kind in nodes:
        layer, center = layout.positions[key]
        extent = widths[key] if is_down else _HEIGHT
        x, y = point(starts[layer], center + _MARGIN - extent / 2)
        drawn.append(
            {"id": key, "label": label, "kind": kind, "x": x, "y": y, "width": widths[key], "height": _HEIGHT}
        )
    lines = []
    for source, target, kind in edges:
        (layer, center), *rest = layout.routes[source, target]
        own = _HEIGHT if is_down else widths[source]
        points = [point(starts[layer] + own, center + _MARGIN)]
        if own < extents[layer]:
            points.append(point(starts[layer] + extents[layer], center + _MARGIN))
        for passed, at in rest:
            points.append(point(starts[passed], at + _MARGIN))
            if (passed, at) != rest[-1]:
                points.append(point(starts[passed] + extents[passed], at + _MARGIN))
        lines.append({"source": source, "target": target, "kind": kind, "points": points})
    width, height = point(length, breadth)
    return {"width": width, "height": height, "direction": direction, "nodes": drawn, "edges": lines}


def width_of(label: str) -> float:
    """How wide a box is, by an average character: nobody measures text before it is shown."""
    return max(_LEAST_WIDTH, round(_BESIDE + _PER_COLUMN * columns(shorten(label, _MOST_LABEL))))


def kinds_of(task: TaskSettings) -> dict[str, Kind]:
    """The tasks that a task names in references → why: their values, or a condition."""
    kinds: dict[str, Kind] = {}
    for field, reference in scan(task)[0]:
        if reference.root == "tasks":
            kind: Kind = "when" if field == "when" else "parameters"
            kinds[reference.task] = "parameters" if kinds.get(reference.task) == "parameters" else kind
    return kinds


def pipeline_graph(
    tasks: Sequence[Task], upstream: Mapping[str, Sequence[str]], direction: Direction
) -> dict[str, Any]:
    """Of tasks as people wrote them. Edges on a cycle are left out, so that there is a picture of what is wrong."""
    labels = {
        task.name: (task.name, "matrix" if task.matrix else "map" if task.map is not None else "task")
        for task in tasks
    }
    edges: dict[Edge, str] = {}
    after: dict[str, set[str]] = {name: set() for name in labels}
    for task in tasks:
        kinds = kinds_of(task)
        for need in upstream.get(task.name, ()):
            if need not in labels or need == task.name or _leads(after, task.name, need):
                continue
            after[need].add(task.name)
            edges[need, task.name] = kinds.get(need, "needs")
    return graph_of(labels, edges, direction)


def _leads(after: Mapping[str, set[str]], start: str, end: str) -> bool:
    seen, waiting = {start}, [start]
    while waiting:
        for node in after[waiting.pop()]:
            if node == end:
                return True
            if node not in seen:
                seen.add(node)
                waiting.append(node)
    return False


def plan_graph(tasks: Mapping[str, PlannedTask], direction: Direction) -> dict[str, Any]:
    """Of planned tasks; the instances of a mapped one are not drawn, they would be as many as its list is long."""
    labels = {key: (key, "map" if task.map is not None else "task") for key, task in tasks.items()}
    edges: dict[Edge, str] = {}
    for key, task in tasks.items():
        kinds = kinds_of(task)
        for need in task.needs:
            if need in tasks:
                edges[need, key] = kinds.get(tasks[need].name, "needs")
    return graph_of(labels, edges, direction)
