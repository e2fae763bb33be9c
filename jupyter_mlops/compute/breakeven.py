"""When a server of one's own is cheaper than renting, and how fast it pays for itself. Pure.

The two questions behind the published exits from the cloud: from which utilization on, and after how many months.
`tests/compute/test_exits.py` holds it against what Ahrefs and 37signals published.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from .instances import HOURS_A_MONTH, Instance, Machine, Server


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """Some equal servers for some months: what they cost owned and rented, in all."""

    own: float
    cloud: float

    @property
    def saved(self) -> float:
        """By owning; less than nothing where renting is cheaper."""
        return self.cloud - self.own

    @property
    def ratio(self) -> float:
        """How many times as dear renting is."""
        return self.cloud / self.own if self.own else math.inf


def fleet(servers: int, months: float, *, own_monthly: float, cloud_monthly: float) -> Fleet:
    """`own_monthly` and `cloud_monthly` are of one server, or of what replaces it."""
    return Fleet(own=servers * months * own_monthly, cloud=servers * months * cloud_monthly)


def payback_months(purchase: float, *, cloud_monthly: float, running_monthly: float) -> float:
    """After how many months the saved rent has paid for the purchase; infinite if it never does."""
    saving = cloud_monthly - running_monthly
    return purchase / saving if saving > 0 else math.inf


def equivalent_price(
    machine: Machine,
    instances: Iterable[Instance],
    *,
    is_spot: bool = False,
    accelerator: str | None = None,
) -> float | None:
    """What an hour of as much rented capacity costs at least: parts of instances count as parts.

    A machine with GPUs is as many GPUs of its kind, or of the `accelerator` that tasks ask for ("": any GPU), with
    whatever CPUs and memory come along with them. None if nothing of that kind is rented out.
    """
    kind = (machine.accelerator if accelerator is None else accelerator).casefold()
    prices = []
    for each in instances:
        price, own = each.spot if is_spot else each.price, each.accelerator.casefold()
        if price is None or bool(machine.gpu) != bool(each.gpu):
            continue
        if not machine.gpu:
            prices.append(price * each.share(machine.whole()))
        elif own.startswith(kind) and (kind or not own.startswith("tpu")):
            prices.append(price * machine.gpu / each.gpu)
    return min(prices, default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakEven:
    """One server against one way to rent: from which utilization on it is cheaper (None: never), and after how
    many months it has paid for itself when it is used at `at`."""

    server: str
    place: str
    own_monthly: float
    cloud_full: float  # a month of the same capacity, rented around the clock
    utilization: float | None
    months: float | None
    at: float

    def to_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return {name: getattr(self, name) for name in self.__slots__}


def break_even(
    server: Server,
    instances: Sequence[Instance],
    *,
    at: float = 1.0,
    is_spot: bool = False,
    accelerator: str | None = None,
) -> BreakEven | None:
    """One server against what a cloud rents out; None if it rents nothing of the kind."""
    price = equivalent_price(server, instances, is_spot=is_spot, accelerator=accelerator)
    if price is None or not price > 0:
        return None
    own, full = sum(server.monthly().values()), price * HOURS_A_MONTH
    utilization = own / full
    months = payback_months(server.purchase, cloud_monthly=full * at, running_monthly=server.running())
    return BreakEven(
        server=server.name,
        place=f"{instances[0].provider}{' spot' if is_spot else ''}",
        own_monthly=own,
        cloud_full=full,
        utilization=utilization if utilization <= 1 else None,
        months=months if math.isfinite(months) else None,
        at=at,
    )
