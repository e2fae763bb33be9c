"""What a GPU really does, by torch or CuPy, whichever is there: matrix products by format, and its memory.

Both are imported only when a GPU is to be measured; neither is a dependency of ours.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Protocol

from ..errors import MissingExtra, Unavailable
from .bench import Progress
from .units import ComputeUnit, utilization

_SIDE = 8192
_ROUNDS = 5
_COPY_BYTES = 2**30


class Library(Protocol):
    """The little that is asked of torch or CuPy."""

    name: ClassVar[str]
    formats: ClassVar[tuple[str, ...]]

    def product(self, format_name: str, side: int) -> Callable[[], object]:
        """A product of two matrices, ready to be done again and again."""

    def copy(self, size: int) -> Callable[[], object]:
        """A copy of so many bytes within its memory."""

    def wait(self) -> None:
        """Until all of it is done: products are only queued."""


class _Torch:
    name: ClassVar[str] = "torch"
    formats: ClassVar[tuple[str, ...]] = ("float64", "float32", "tfloat32", "bfloat16", "float16")

    def __init__(self, index: int) -> None:
        import torch

        if not torch.cuda.is_available():
            raise ImportError("torch sees no GPU")
        self._torch, self._device = torch, torch.device("cuda", index)

    def product(self, format_name: str, side: int) -> Callable[[], object]:
        torch = self._torch
        torch.backends.cuda.matmul.allow_tf32 = format_name == "tfloat32"
        kind = torch.float32 if format_name == "tfloat32" else getattr(torch, format_name)
        left, right = (torch.randn(side, side, device=self._device).to(kind) for _ in range(2))
        into = torch.empty_like(left)
        return lambda: torch.matmul(left, right, out=into)

    def copy(self, size: int) -> Callable[[], object]:
        source = self._torch.ones(size, dtype=self._torch.uint8, device=self._device)
        into = self._torch.empty_like(source)
        return lambda: into.copy_(source)

    def wait(self) -> None:
        self._torch.cuda.synchronize(self._device)


class _Cupy:
    name: ClassVar[str] = "cupy"
    formats: ClassVar[tuple[str, ...]] = ("float64", "float32", "float16")

    def __init__(self, index: int) -> None:
        import cupy

        try:
            cupy.cuda.Device(index).use()
        except cupy.cuda.runtime.CUDARuntimeError as error:
            raise ImportError(str(error)) from error
        self._cupy = cupy

    def product(self, format_name: str, side: int) -> Callable[[], object]:
        cupy = self._cupy
        left, right = (cupy.random.random((side, side)).astype(format_name) for _ in range(2))
        into = cupy.empty_like(left)
        return lambda: cupy.matmul(left, right, out=into)

    def copy(self, size: int) -> Callable[[], object]:
        source = self._cupy.ones(size, dtype="uint8")
        into = self._cupy.empty_like(source)
        return lambda: self._cupy.copyto(into, source)

    def wait(self) -> None:
        self._cupy.cuda.runtime.deviceSynchronize()


def measure_gpu(unit: ComputeUnit, progress: Progress) -> dict[str, Any]:
    """The body of a GPU's measurement. Raises `MissingExtra` without torch and CuPy, `Unavailable` if it fails."""
    index = int(unit.unit.rpartition("gpu")[2])
    return measure_by(_library(index), unit, progress)


def measure_by(
    library: Library, unit: ComputeUnit, progress: Progress, *, side: int = _SIDE
) -> dict[str, Any]:
    """The same by a given library. A format that this GPU does not know is left out."""
    began = time.perf_counter()
    flops: dict[str, float] = {}
    refused: dict[str, str] = {}
    for name in library.formats:
        progress(f"matrix products, {name}")
        try:
            flops[name] = 2.0 * side**3 / _best(library, library.product(name, side))
        except (RuntimeError, TypeError) as error:  # what both raise: no such kernel, no memory
            refused[name] = str(error).partition("\n")[0]
    if not flops:
        reasons = "; ".join(f"{name}: {reason}" for name, reason in refused.items())
        raise Unavailable(f"{unit.name} does no products for {library.name}: {reasons}")
    progress("memory")
    size = min(_COPY_BYTES, (unit.memory or _COPY_BYTES) // 4)
    bandwidth = 2.0 * size / _best(library, library.copy(size))  # read and written
    return {
        "flops": flops,
        "refused": refused,
        "memory_bandwidth": bandwidth,
        "peak_flops": dict(unit.peak_flops),
        "utilization": utilization(flops, unit.peak_flops),
        "library": {"name": library.name},
        "seconds": time.perf_counter() - began,
    }


def _library(index: int) -> Library:
    kinds: Mapping[str, Callable[[int], Library]] = {"torch": _Torch, "cupy": _Cupy}
    reasons = []
    for name, kind in kinds.items():
        try:
            return kind(index)
        except ImportError as error:
            reasons.append(f"{name}: {error}")
    raise MissingExtra(
        f"a GPU is measured by torch or CuPy, and neither can ({'; '.join(reasons)})",
        hint="pip install torch, or pip install cupy-cuda12x",
    )


def _best(library: Library, work: Callable[[], object]) -> float:
    work()
    library.wait()
    times = []
    for _ in range(_ROUNDS):
        began = time.perf_counter()
        work()
        library.wait()
        times.append(time.perf_counter() - began)
    return max(min(times), 1e-9)
