"""What a run asks of the queue, from its plan."""

from __future__ import annotations

from collections import defaultdict

from ..errors import MlopsError
from ..pipelines import Plan, PlannedTask
from ..queueing.amounts import Amount, ask, task_amount
from ..resources import ResourceRequest
from .sources import Sources

_MANY = 16  # how many tasks of a run may be thought to run at once on a cluster


def ask_of(
    plan: Plan, sources: Sources, default: ResourceRequest, workers: int | None
) -> tuple[Amount, Amount]:
    """Its largest task, and the most that it could use at once: of tasks that are equally far from the beginning,
    which can run together, the largest; at most `workers` where they run here."""
    most = workers or _MANY
    depth: dict[str, int] = {}
    levels: dict[int, list[Amount]] = defaultdict(list)
    for key, task in plan.tasks.items():
        depth[key] = 1 + max((depth.get(need, 0) for need in task.needs), default=0)
        amount = task_amount(resources_of(task, sources), default)
        levels[depth[key]] += [amount] * (most if task.map is not None else 1)
    return ask(levels.values(), most)


def resources_of(task: PlannedTask, sources: Sources) -> ResourceRequest:
    """What a task asks for; if its notebook cannot be read, which its attempt will tell, what the pipeline says."""
    try:
        return sources.resources(task)
    except MlopsError:
        return task.resources
