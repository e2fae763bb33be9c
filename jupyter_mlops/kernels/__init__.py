"""Warm kernels: see `pool`."""

from .gauge import Gauge
from .kernel import Kernel
from .pool import KernelPool
from .request import KernelRequest
from .specs import interpreter_of

__all__ = ["Gauge", "Kernel", "KernelPool", "KernelRequest", "interpreter_of"]
