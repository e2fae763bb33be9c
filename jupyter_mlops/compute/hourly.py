"""What an hour of something costs to rent: of a request, or of as much as a unit is. Pure."""

from __future__ import annotations

import platform
import re
from collections.abc import Iterable
from dataclasses import replace

from ..resources import ResourceRequest
from .cost import Quote, on_demand, on_spot
from .instances import Instance
from .prices import PriceList
from .units import ComputeUnit
from .usage import Use

HOUR = 3600.0


def own_architecture() -> str:
    """This machine's: notebooks run elsewhere on machines of its kind."""
    return "arm64" if platform.machine().lower() in ("arm64", "aarch64") else "x86_64"


def hourly(request: ResourceRequest, prices: PriceList, *, architecture: str = "x86_64") -> list[Quote]:
    """An hour of it in each cloud that has room for it, on demand and on spot, whichever it asks for; the cheapest
    first."""
    use = Use(task="an hour", seconds=HOUR, longest=HOUR, asked=replace(request, spot=None))
    quotes = []
    for provider in prices.providers:
        rented = [each for each in prices.of(provider) if each.architecture == architecture]
        if rented:
            quotes += [on_demand([use], rented), on_spot([use], rented)]
    return sorted((quote for quote in quotes if not quote.unfit), key=lambda quote: quote.total)


def like_unit(unit: ComputeUnit, prices: PriceList, *, architecture: str = "x86_64") -> Quote | None:
    """An hour of as much as the unit is, on demand, where that is cheapest; None if nobody rents it out."""
    if unit.kind == "CPU":
        wanted = ResourceRequest(cpu=unit.cores, memory=unit.memory)
    else:
        accelerator = _sold_as(unit.name, prices.instances)
        if not accelerator:
            return None
        wanted = ResourceRequest(gpu=1, accelerator=accelerator)
    quotes = hourly(wanted, prices, architecture=architecture)
    return next((quote for quote in quotes if not quote.place.endswith(" spot")), None)


def _sold_as(name: str, instances: Iterable[Instance]) -> str:
    """What lists of prices call an accelerator: ``h100`` for an NVIDIA H100 80GB HBM3; "" for an unknown one."""
    told = re.sub(r"[\s_]+", "-", name.casefold())
    known = sorted({each.accelerator.casefold() for each in instances if each.accelerator}, key=len)
    found = [each for each in known if re.search(rf"(^|-){re.escape(each)}($|-)", told)]
    return found[-1] if found else ""
