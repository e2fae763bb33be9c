"""How much a run uses at once, as five numbers, and the words for them.

A tuple, not a `ResourceRequest`: admission adds and compares these some ten thousand times a second.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from .. import words
from ..resources import ResourceRequest, format_bytes

RESOURCES = ("runs", "tasks", "cpu", "memory", "gpu")
_CLOSE = 1e-9  # cores are floats


class Amount(NamedTuple):
    """Runs, tasks, cores, bytes of memory and GPUs, all at once."""

    runs: float = 0
    tasks: float = 0
    cpu: float = 0.0
    memory: float = 0
    gpu: float = 0

    @classmethod
    def read(cls, given: Sequence[float]) -> Amount:
        """What the catalog keeps of one."""
        return cls(*given)


NOTHING = Amount()


def task_amount(request: ResourceRequest, default: ResourceRequest) -> Amount:
    """One task; what it does not ask for it is taken to need as the quotas say."""
    return Amount(
        tasks=1,
        cpu=_either(request.cpu, default.cpu),
        memory=int(_either(request.memory, default.memory)),
        gpu=int(_either(request.gpu, default.gpu)),
    )


def _either(asked: float | None, default: float | None) -> float:
    return asked if asked is not None else default or 0


def plus(one: Amount, other: Amount) -> Amount:
    """Both together."""
    return Amount(*(a + b for a, b in zip(one, other, strict=True)))


def minus(one: Amount, other: Amount) -> Amount:
    """What is left."""
    return Amount(*(a - b for a, b in zip(one, other, strict=True)))


def fits(need: Amount, room: Amount) -> bool:
    """Whether there is room for all of it."""
    return all(a <= b + _CLOSE for a, b in zip(need, room, strict=True))


def ask(levels: Iterable[Sequence[Amount]], workers: int) -> tuple[Amount, Amount]:
    """What a run needs to go on at all, its largest task, and the most that it could use at once: of tasks that
    can run together, the `workers` largest."""
    least, most = Amount(), Amount()
    for level in levels:
        least = Amount(*map(max, least, *level))
        columns = zip(*level, strict=True)
        top = Amount(*(sum(sorted(column, reverse=True)[:workers]) for column in columns))
        most = Amount(*map(max, most, top))
    return least._replace(runs=1, tasks=1), Amount(
        1, *(max(a, b) for a, b in zip(least[1:], most[1:], strict=True))
    )


def shown(resource: str, amount: float) -> str:
    """``2 runs``, ``1 gpu``, ``0.5 cpus``, ``4 GiB``."""
    if resource == "memory":
        return format_bytes(round(amount))
    noun = resource.removesuffix("s")
    if float(amount).is_integer():
        return words.count(int(amount), noun)
    return f"{amount:g} {noun}s"


def body(amount: Amount) -> Mapping[str, float]:
    """For JSON."""
    return dict(zip(RESOURCES, amount, strict=True))
