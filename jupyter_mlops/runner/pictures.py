"""Pipelines and runs as the nodes and edges of a picture, for whoever draws one: terminal, notebook, server."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from .. import words
from ..catalog.records import Run, TaskRun
from ..pipelines import Pipeline, Task, graph
from ..pipelines.drawing import Node
from ..pipelines.layout import Edge
from .board import Board, Row

_WORST_FIRST = (
    "failed",
    "running",
    "queued",
    "cancelled",
    "upstream_failed",
    "succeeded",
    "cached",
    "skipped",
)


def pipeline_picture(pipeline: Pipeline) -> tuple[list[Node], list[Edge]]:
    """The tasks as people wrote them, matrices and maps not expanded."""
    nodes = [Node(key=task.name, detail=_fan_out(task)) for task in pipeline.tasks]
    needs = graph.upstream(pipeline.tasks)
    return nodes, [(need, name) for name, before in needs.items() for need in before]


def run_picture(run: Run, tasks: Iterable[TaskRun], moment: datetime) -> tuple[list[Node], list[Edge]]:
    """The planned tasks of a run as the catalog has them; see `board_picture`."""
    board = Board()
    board.plan(run, tasks)
    return board_picture(board, moment)


def board_picture(
    board: Board, moment: datetime, *, has_results: bool = True
) -> tuple[list[Node], list[Edge]]:
    """The planned tasks with their states; a mapped task is one node that counts its instances."""
    nodes = []
    for key in board.needs:
        row, instances = board.rows.get(key), board.instances(key)
        if instances:
            nodes.append(_group(key, row, instances))
        elif row is not None:
            nodes.append(Node(key=key, state=row.state, detail=_detail(row, moment, has_results=has_results)))
        else:
            nodes.append(Node(key=key))
    return nodes, [(need, key) for key, needs in board.needs.items() for need in needs if need in board.needs]


def _detail(row: Row, moment: datetime, *, has_results: bool) -> str:
    took = words.duration(words.lifetime(row.started_at, row.finished_at, moment))
    if row.state == "running" and row.cells:
        return f"cell {row.cell}/{row.cells} · {took}"
    return (words.error_line(row.error) or words.mapping(row.results, 40) if has_results else "") or took


def _group(key: str, row: Row | None, instances: Sequence[Row]) -> Node:
    states = [instance.state for instance in instances]
    counts = {state: states.count(state) for state in dict.fromkeys(states)}
    shown = row.state if row is not None else next(state for state in _WORST_FIRST if state in counts)
    return Node(key=key, state=shown, detail=", ".join(f"{n} {state}" for state, n in counts.items()))


def _fan_out(task: Task) -> str:
    """What is special about a task, in a few words."""
    if task.map is not None:
        return "for each " + (
            task.map.strip("${}").rpartition(".")[2] if isinstance(task.map, str) else "item"
        )
    if task.matrix:
        return "for each " + ", ".join(
            f"{axis} in {', '.join(map(str, values))}" if not isinstance(values, str) else axis
            for axis, values in task.matrix.items()
        )
    return f"if {task.when}" if task.when else ""
