"""The critical path of a run: the tasks whose time made the run's time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from ..catalog.records import TaskRun


def critical_path(
    tasks: Iterable[TaskRun], needs: Mapping[str, Sequence[str]], moment: datetime
) -> list[str]:
    """From the task that ended last back to the one before it that ended last, and so on; first to last.

    Of a run that goes on, the tasks that run count as ending at this `moment`. Tasks that were not executed
    made nobody wait.
    """
    ends = {
        task.task: task.finished_at or moment
        for task in tasks
        if task.started_at is not None and task.state not in ("cached", "skipped", "upstream_failed")
    }
    path: list[str] = []
    waiting: Iterable[str] = ends
    while reachable := [key for key in waiting if key in ends and key not in path]:
        path.append(max(reachable, key=lambda key: ends[key]))
        waiting = needs.get(path[-1], ())
    return path[::-1]
