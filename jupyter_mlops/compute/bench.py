"""What a unit really does: matrix products by format, memory, disk; a few seconds, and what was measured as JSON.

Products are those of the BLAS that NumPy has here, which is what notebooks get. Memory is STREAM's triad
(``a = b + s * c``, 24 bytes an element), in pieces that stay in the cache between its two steps.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

from .disk import measure_disk
from .units import ComputeUnit, utilization

Progress = Callable[[str], None]
_FORMATS = ("float64", "float32")
_SECONDS = 0.6  # about, for each format
_FIRST, _LARGEST = 512, 6144  # sides of the matrices
_ROUNDS = 3
_TRIAD_BYTES = 192 * 2**20  # of each of three arrays, over all threads: well above any cache
_PIECE = 16384  # elements


def measure_cpu(
    unit: ComputeUnit, folder: Path, progress: Progress, *, seconds: float = _SECONDS
) -> dict[str, Any]:
    """The body of a CPU's measurement. Raises `StorageUnavailable` if the folder cannot be written."""
    began = time.perf_counter()
    threads = max(1, int(unit.cores))
    flops = {}
    for name in _FORMATS:
        progress(f"matrix products, {name}")
        flops[name] = gemm(name, threads, seconds)
    progress("memory")
    memory = triad(threads, min(_TRIAD_BYTES, (unit.memory or 2**40) // 16))
    progress("disk")
    disk = measure_disk(folder)
    return {
        "threads": threads,
        "flops": flops,
        "memory_bandwidth": memory,
        "disk": disk,
        "peak_flops": dict(unit.peak_flops),
        "utilization": utilization(flops, unit.peak_flops),
        "library": _library(),
        "seconds": time.perf_counter() - began,
    }


def gemm(name: str, threads: int, seconds: float) -> float:
    """Operations a second of the best of some products: 2·n³ each. The side grows until one takes long enough."""
    import numpy as np

    random = np.random.default_rng(0)
    with _blas_threads(threads):
        side, best = _FIRST, 0.0
        while True:
            left, right = (random.random((side, side)).astype(name) for _ in range(2))
            result = np.empty_like(left)
            np.matmul(left, right, out=result)  # the first one wakes the threads and touches the pages
            took = min(_timed(lambda: np.matmul(left, right, out=result)) for _ in range(_ROUNDS))  # noqa: B023
            best = max(best, 2.0 * side**3 / took)
            if took * _ROUNDS * 8 > seconds or side >= _LARGEST:
                return best
            side *= 2


def triad(threads: int, size: int) -> float:
    """Bytes a second that the memory moves, all threads together."""
    import numpy as np

    elements = max(_PIECE, size // 8 // threads // _PIECE * _PIECE)

    def work(_: int) -> tuple[Any, Any, Any]:
        return np.zeros(elements), np.ones(elements), np.full(elements, 2.0)

    def run(arrays: tuple[Any, Any, Any]) -> None:
        into, one, other = arrays
        for start in range(0, elements, _PIECE):
            piece = slice(start, start + _PIECE)
            np.multiply(other[piece], 3.0, out=into[piece])
            np.add(into[piece], one[piece], out=into[piece])

    with ThreadPoolExecutor(threads) as pool:
        arrays = list(pool.map(work, range(threads)))  # each thread touches its own first
        took = min(_timed(lambda: list(pool.map(run, arrays))) for _ in range(_ROUNDS))
    return 24.0 * elements * threads / took


def _timed(work: Callable[[], Any]) -> float:
    began = time.perf_counter()
    work()
    return max(time.perf_counter() - began, 1e-9)


def _blas_threads(threads: int) -> AbstractContextManager[Any]:
    """As many threads as CPUs that we may use: BLAS counts those of the machine. Without threadpoolctl (scikit-learn
    brings it), its own choice stands."""
    try:
        from threadpoolctl import threadpool_limits
    except ImportError:
        return nullcontext()
    limits: AbstractContextManager[Any] = threadpool_limits(limits=threads, user_api="blas")
    return limits


def _library() -> Mapping[str, str]:
    import numpy as np

    try:
        from threadpoolctl import threadpool_info
    except ImportError:
        return {"numpy": np.__version__}
    blas: Mapping[str, Any] = next((each for each in threadpool_info() if each.get("user_api") == "blas"), {})
    told = (blas.get("internal_api"), blas.get("version"), blas.get("architecture"))
    return {"numpy": np.__version__, "blas": " ".join(str(part) for part in told if part)}
