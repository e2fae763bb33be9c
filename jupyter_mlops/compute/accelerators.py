"""What accelerators can do at most, by their names, as their makers publish it: dense, without sparsity.

Rates are in TFLOPS, bandwidth in GB/s. A GPU that is not in the table gets its float32 peak from its cores and its
clock, if the driver tells them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rating:
    """One row: a pattern of its name, memory in GiB, GB/s, and TFLOPS by format."""

    pattern: str
    memory: float
    bandwidth: float
    tflops: Mapping[str, float]


def _nvidia(f64: float, f32: float, half: float, tf32: float = 0.0, f8: float = 0.0) -> dict[str, float]:
    rates = {"float64": f64, "float32": f32, "tfloat32": tf32, "float16": half, "float8": f8}
    if tf32:  # bfloat16 came with the same generation
        rates["bfloat16"] = half
    return {name: rate for name, rate in rates.items() if rate}


# The first pattern that is found in a name counts. Sources: the makers' data sheets.
GPUS = (
    Rating(r"B200", 180, 8000, _nvidia(37, 75, 2250, 1125, 4500)),
    Rating(r"H200", 141, 4800, _nvidia(67, 67, 989.5, 494.7, 1979)),
    Rating(r"H100 PCIe", 80, 2039, _nvidia(51, 51, 756.5, 378, 1513)),
    Rating(r"H100 NVL", 94, 3900, _nvidia(60, 60, 835.5, 417.5, 1671)),
    Rating(r"H100", 80, 3350, _nvidia(67, 67, 989.5, 494.7, 1979)),
    Rating(r"A100.*80G", 80, 2039, _nvidia(19.5, 19.5, 312, 156)),
    Rating(r"A100", 40, 1555, _nvidia(19.5, 19.5, 312, 156)),
    Rating(r"A10G", 24, 600, _nvidia(0.49, 31.5, 70, 35)),
    Rating(r"A10\b", 24, 600, _nvidia(0.49, 31.2, 125, 62.5)),
    Rating(r"L40S", 48, 864, _nvidia(1.4, 91.6, 362, 183, 733)),
    Rating(r"L4\b", 24, 300, _nvidia(0.47, 30.3, 121, 60, 242.5)),
    Rating(r"\bT4\b", 16, 320, _nvidia(0.25, 8.1, 65)),
    Rating(r"V100", 16, 900, _nvidia(7.8, 15.7, 125)),
    Rating(r"P100", 16, 732, _nvidia(4.7, 9.3, 18.7)),
    Rating(r"RTX 4090", 24, 1008, _nvidia(1.29, 82.6, 165.2, 82.6, 660.6)),
    Rating(r"RTX 3090", 24, 936, _nvidia(0.56, 35.6, 71, 35.6)),
)
TPUS = (
    Rating(r"v6e", 32, 1640, {"bfloat16": 918, "int8": 1836}),
    Rating(r"v5p", 95, 2765, {"bfloat16": 459, "int8": 918}),
    Rating(r"v5(e|lite)", 16, 819, {"bfloat16": 197, "int8": 394}),
    Rating(r"v4", 32, 1228, {"bfloat16": 275, "int8": 275}),
    Rating(r"v3", 32, 900, {"bfloat16": 123}),
    Rating(r"v2", 16, 700, {"bfloat16": 46}),
)
IPUS = (
    Rating(r"BOW", 0.9, 65_400, {"float32": 87.5, "float16": 350}),
    Rating(r"GC200|IPU", 0.9, 47_500, {"float32": 62.5, "float16": 250}),
)
# CUDA cores of one multiprocessor, by compute capability (NVIDIA's CUDA programming guide).
_CORES = {(6, 0): 64, (6, 1): 128, (7, 0): 64, (7, 5): 64, (8, 0): 64, (8, 6): 128, (8, 9): 128, (9, 0): 128}


def rating(name: str, table: tuple[Rating, ...]) -> Rating | None:
    """The row of an accelerator; None for one that is not in the table."""
    return next((row for row in table if re.search(row.pattern, name, re.IGNORECASE)), None)


def peak_of(row: Rating | None) -> dict[str, float]:
    """Its rates in operations a second."""
    return {} if row is None else {name: rate * 1e12 for name, rate in row.tflops.items()}


def cuda_cores(multiprocessors: int, capability: tuple[int, int]) -> int | None:
    """CUDA cores by the number of multiprocessors; None for a generation that came after this was written."""
    each = _CORES.get(capability)
    return None if each is None else multiprocessors * each


def float32_peak(cores: int, clock: float) -> dict[str, float]:
    """What CUDA cores do at a clock in Hz: a multiplication and an addition each cycle."""
    return {"float32": 2.0 * cores * clock} if cores > 0 and clock > 0 else {}
