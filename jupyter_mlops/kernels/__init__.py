"""Warm kernels: see `pool`."""

from .kernel import Kernel
from .pool import KernelPool
from .request import KernelRequest

__all__ = ["Kernel", "KernelPool", "KernelRequest"]
