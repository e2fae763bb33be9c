"""What use costs, somewhere. Pure: uses and prices in, amounts out.

A task pays for the part of a machine that it takes while it runs: on a cluster that others fill, or one that grows
and shrinks. Machines that stand idle are what `utilization` is for: at 0.5, each used hour pays for an idle one.
A spot instance may be taken away; a task that is cut off starts again, so that it takes longer on average
(`expected_seconds`), and long tasks pay more for that than short ones.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from ..resources import ResourceRequest
from .instances import Instance, Machine, Server
from .usage import Use

M = TypeVar("M", bound=Machine)
RESTART_SECONDS = 120.0  # until a new instance runs a kernel again
_NEVER = 1e-9  # interruptions that are expected while it runs: none to speak of
_MOST_EXPONENT = 30.0  # a task that is cut off so surely never ends: there is no price for it


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskCost:
    """A task's cost on the machine that is cheapest for it, or None if no machine fits; in US dollars."""

    task: str
    machine: str | None
    amount: float | None
    hours: float  # that are paid for, interruptions included
    share: float = 0.0  # of the machine


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """What a run costs in one place. `total` leaves out what does not fit anywhere there: see `unfit`."""

    place: str  # "aws", "aws spot", "own", "here"
    tasks: tuple[TaskCost, ...]
    is_approximate: bool = False
    as_of: str = ""
    notes: tuple[str, ...] = ()
    total: float = field(init=False)
    unfit: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "total", math.fsum(each.amount or 0.0 for each in self.tasks))
        object.__setattr__(self, "unfit", tuple(each.task for each in self.tasks if each.amount is None))

    def to_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return {
            "place": self.place,
            "total": self.total,
            "unfit": list(self.unfit),
            "is_approximate": self.is_approximate,
            "as_of": self.as_of,
            "notes": list(self.notes),
            "tasks": [
                {
                    "task": each.task,
                    "machine": each.machine,
                    "amount": each.amount,
                    "hours": each.hours,
                    "share": each.share,
                }
                for each in self.tasks
            ],
        }


def expected_seconds(
    seconds: float, interruptions_an_hour: float, restart_seconds: float = RESTART_SECONDS
) -> float:
    """How long a task takes on average that starts from its beginning whenever it is interrupted.

    Interruptions come as a Poisson process: (1/λ + restart) (e^(λ·t) - 1). Infinite where it would never end.
    """
    rate = interruptions_an_hour / 3600
    if rate * seconds < _NEVER:
        return max(seconds, 0.0)
    if rate * seconds > _MOST_EXPONENT:
        return math.inf
    return (1 / rate + restart_seconds) * math.expm1(rate * seconds)


def on_demand(uses: Iterable[Use], instances: Sequence[Instance], *, utilization: float = 1.0) -> Quote:
    """Rented by the hour, each task on the instance on which its part is cheapest; on spot those that ask for it."""
    uses = [*uses]

    def price(machine: Instance, use: Use) -> tuple[float, float]:
        if use.asked.spot and machine.spot is not None:
            return _spot_price(machine, use)
        return machine.price, use.seconds

    costs, chosen = _each(uses, instances, price, utilization)
    asking = [use.task for use in uses if use.asked.spot]
    notes = (f"on spot, as they ask: {', '.join(asking)}",) if asking else ()
    is_approximate = any(each.is_approximate or (asking and each.is_spot_approximate) for each in chosen)
    return _quote(_provider(instances), costs, chosen, is_approximate=is_approximate, notes=notes)


def on_spot(uses: Iterable[Use], instances: Sequence[Instance], *, utilization: float = 1.0) -> Quote:
    """The same on instances that may be taken away at any time."""
    offered = [each for each in instances if each.spot is not None]
    costs, chosen = _each(uses, offered, _spot_price, utilization)
    is_approximate = any(each.is_approximate or each.is_spot_approximate for each in chosen)
    return _quote(f"{_provider(instances)} spot", costs, chosen, is_approximate=is_approximate)


def _spot_price(machine: Instance, use: Use) -> tuple[float, float]:
    assert machine.spot is not None  # noqa: S101 - only those are asked
    longest = use.longest or use.seconds
    stretch = expected_seconds(longest, machine.interruptions_an_hour) / longest if longest else 1.0
    return machine.spot, use.seconds * stretch


def on_own(uses: Iterable[Use], servers: Sequence[Server], *, utilization: float) -> Quote:
    """In a data center of one's own, whose servers are used for that part of all hours."""
    costs, chosen = _each(uses, servers, lambda machine, use: (machine.price(), use.seconds), utilization)
    return _quote("own", costs, chosen, is_approximate=any(each.is_approximate for each in chosen))


def here(uses: Iterable[Use], machine: Machine, reference: Server) -> Quote:
    """On this machine, which is there anyhow: the power that the tasks add, as a server like `reference` takes it."""
    share = reference.share(machine.whole())
    price = reference.power_an_hour() * (share if math.isfinite(share) else 1.0)
    costs, _ = _each(uses, [machine], lambda _, use: (price, use.seconds), 1.0)
    note = f"power alone, as a part of a {reference.name}"
    return Quote(
        place="here", tasks=costs, is_approximate=True, as_of=reference.as_of.isoformat(), notes=(note,)
    )


def cheapest_fit(demand: ResourceRequest, instances: Iterable[Instance]) -> Instance | None:
    """The instance with the least price that has room for a demand; of equals the smaller one."""
    fitting = [each for each in instances if each.fits(demand)]
    return min(fitting, key=lambda each: (each.price, each.cpu, each.memory, each.name), default=None)


def _each(
    uses: Iterable[Use],
    machines: Sequence[M],
    price: Callable[[M, Use], tuple[float, float]],
    utilization: float,
) -> tuple[tuple[TaskCost, ...], list[M]]:
    costs, chosen = [], []
    for use in uses:
        demand = use.demand()
        options = []
        for machine in machines:
            if machine.fits(demand):
                an_hour, seconds = price(machine, use)
                share = machine.share(demand)
                amount = an_hour * share * seconds / 3600 / utilization
                if math.isfinite(amount):
                    options.append(
                        (amount, machine.cpu, machine.memory, machine.name, seconds, share, machine)
                    )
        if not options:
            costs.append(TaskCost(task=use.task, machine=None, amount=None, hours=use.seconds / 3600))
            continue
        amount, _, _, name, seconds, share, machine = min(options, key=lambda option: option[:4])
        chosen.append(machine)
        costs.append(TaskCost(task=use.task, machine=name, amount=amount, hours=seconds / 3600, share=share))
    return tuple(costs), chosen


def _provider(instances: Sequence[Instance]) -> str:
    return instances[0].provider if instances else "cloud"


def _quote(
    place: str, costs: tuple[TaskCost, ...], chosen: Sequence[Instance | Server], *, is_approximate: bool,
    notes: tuple[str, ...] = (),
) -> Quote:  # fmt: skip
    as_of = min((each.as_of.isoformat() for each in chosen), default="")
    return Quote(place=place, tasks=costs, is_approximate=is_approximate, as_of=as_of, notes=notes)
