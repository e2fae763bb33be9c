"""Warm kernels: see `pool`."""

from .kernel import Kernel
from .memory import MemoryGauge
from .pool import KernelPool
from .request import KernelRequest
from .specs import interpreter_of

__all__ = ["Kernel", "KernelPool", "KernelRequest", "MemoryGauge", "interpreter_of"]
