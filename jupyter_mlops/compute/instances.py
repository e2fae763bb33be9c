"""What can be rented or bought, as values: an instance type with its price an hour, a server with its costs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from ..resources import ResourceRequest

HOURS_A_MONTH = 730.0  # 8,760 / 12, as all clouds count


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What it has. `gpu` counts accelerators of any kind: GPUs, or the chips of a TPU."""

    provider: str
    name: str
    cpu: float
    memory: int
    gpu: int = 0
    accelerator: str = ""

    def fits(self, demand: ResourceRequest) -> bool:
        """Whether it has all that is asked. ``a100`` is also an ``a100-80gb``; a TPU comes only when it is named."""
        named, own = (demand.accelerator or "").casefold(), self.accelerator.casefold()
        if named and not own.startswith(named):
            return False
        if demand.gpu and not named and own.startswith("tpu"):
            return False
        return (
            (demand.cpu or 0) <= self.cpu
            and (demand.memory or 0) <= self.memory
            and (demand.gpu or 0) <= self.gpu
        )

    def share(self, demand: ResourceRequest) -> float:
        """How much of it a demand takes: of the resource that it takes most of. More than 1 does not fit."""
        asked = (
            (demand.cpu or 0.0, self.cpu),
            (demand.memory or 0, self.memory),
            (demand.gpu or 0, self.gpu),
        )
        return max(want / have if have else math.inf for want, have in asked if want or have)

    def whole(self) -> ResourceRequest:
        """All that it has."""
        return ResourceRequest(
            cpu=self.cpu, memory=self.memory, gpu=self.gpu or None, accelerator=self.accelerator or None
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance(Machine):
    """A type of instance in a cloud; prices are of an hour. `spot` is None where there is none."""

    region: str
    price: float
    spot: float | None = None
    interruptions_an_hour: float = 0.0  # of a spot instance
    architecture: str = "x86_64"
    as_of: date
    source: str
    is_approximate: bool = False
    is_spot_approximate: bool = False

    def to_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return {**asdict(self), "as_of": self.as_of.isoformat()}


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """What is the same for all servers of a data center: power, cooling, people, parts."""

    electricity_a_kwh: float = 0.15
    overhead: float = 1.4
    person_a_year: float = 150_000.0
    maintenance_a_year: float = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Server(Machine):
    """A server of one's own. `people` is the part of a person's work that it takes, `colocation` money a month."""

    purchase: float
    watts: float
    lifetime_years: float
    colocation: float = 0.0
    people: float = 0.0
    site: Site
    as_of: date
    source: str
    is_approximate: bool = True

    def monthly(self) -> Mapping[str, float]:
        """What it costs a month, whether it is used or not, by what for."""
        return {
            "purchase": self.purchase / (self.lifetime_years * 12),
            "power": self.power_an_hour() * HOURS_A_MONTH,
            "colocation": self.colocation,
            "maintenance": self.purchase * self.site.maintenance_a_year / 12,
            "people": self.people * self.site.person_a_year / 12,
        }

    def power_an_hour(self) -> float:
        """What its electricity costs under load, cooling included."""
        return self.watts / 1000 * self.site.overhead * self.site.electricity_a_kwh

    def running(self) -> float:
        """What it costs a month once it is bought."""
        return sum(cost for name, cost in self.monthly().items() if name != "purchase")

    def price(self, utilization: float = 1.0) -> float:
        """What an hour of it costs when it is used for that part of all hours."""
        return sum(self.monthly().values()) / HOURS_A_MONTH / utilization

    def to_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return {**asdict(self), "as_of": self.as_of.isoformat(), "monthly": dict(self.monthly())}
