"""Compute units, what they were measured to do, and what using them costs, here and elsewhere."""

from .book import Compute
from .breakeven import BreakEven, break_even, fleet, payback_months
from .cost import Quote
from .discovery import find_units
from .estimate import Estimate, estimate
from .instances import Instance, Server
from .limits import usable_cpus, usable_memory
from .money import money
from .prices import PriceList, load_prices
from .units import ComputeUnit, format_flops
from .usage import Use

__all__ = [
    "BreakEven",
    "Compute",
    "ComputeUnit",
    "Estimate",
    "Instance",
    "PriceList",
    "Quote",
    "Server",
    "Use",
    "break_even",
    "estimate",
    "find_units",
    "fleet",
    "format_flops",
    "load_prices",
    "money",
    "payback_months",
    "usable_cpus",
    "usable_memory",
]
