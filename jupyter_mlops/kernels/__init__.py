"""Warm kernels: see `pool`."""

from .kernel import Kernel
from .pool import KernelPool, interpreter_of
from .request import KernelRequest

__all__ = ["Kernel", "KernelPool", "KernelRequest", "interpreter_of"]
