"""This machine's CPU, and its theoretical peak: cores × clock × operations a cycle. Pure but for `read_cpu`."""

from __future__ import annotations

import contextlib
import platform
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_CPUINFO = Path("/proc/cpuinfo")
_AT_CLOCK = re.compile(r"@\s*([\d.]+)\s*GHz")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cpu:
    """What is known of it. `clock` is in Hz, 0 if nobody knows; `threads_a_core` is 2 with hyper-threading."""

    name: str
    vendor: str = ""
    family: int = 0
    flags: frozenset[str] = frozenset()
    clock: float = 0.0
    threads_a_core: int = 1
    is_arm: bool = False


def flops_a_cycle(cpu: Cpu) -> tuple[str, int]:
    """The instruction set that counts, and double precision operations a cycle and core.

    A multiplication and addition in one are two. Of AVX-512 Intel's servers have two units; AMD's Zen 4 makes it
    of two halves, Zen 5 no longer.
    """
    if cpu.is_arm:
        return ("sve", 16) if "sve" in cpu.flags else ("neon", 8)
    if "avx512f" in cpu.flags:
        is_halved = cpu.vendor == "AuthenticAMD" and cpu.family == 25
        return "avx512", 16 if is_halved else 32
    if {"avx2", "fma"} <= cpu.flags:
        return "avx2+fma", 16
    if "avx" in cpu.flags:
        return "avx", 8
    return "sse2", 4


def cpu_peak(cpu: Cpu, threads: float) -> dict[str, float]:
    """Peak by format of as many hardware threads; two on a core share its units. Empty without a clock."""
    if not cpu.clock or threads <= 0:
        return {}
    _, double = flops_a_cycle(cpu)
    cores = max(threads / cpu.threads_a_core, min(threads, 1.0))
    peak = {"float64": cores * cpu.clock * double, "float32": cores * cpu.clock * double * 2}
    if "avx512_fp16" in cpu.flags:
        peak["float16"] = cores * cpu.clock * double * 4
    return peak


def read_cpu(path: Path = _CPUINFO) -> Cpu:
    """This machine's, by ``/proc/cpuinfo`` where there is one."""
    import psutil

    known = _fields(path)
    name = known.get("model name") or platform.processor() or platform.machine()
    both, physical = psutil.cpu_count() or 1, psutil.cpu_count(logical=False) or 1
    return Cpu(
        name=" ".join(name.split()),
        vendor=known.get("vendor_id", ""),
        family=int(known["cpu family"]) if known.get("cpu family", "").isdigit() else 0,
        flags=frozenset((known.get("flags") or known.get("Features") or "").split()),
        clock=_clock(known, name),
        threads_a_core=max(1, round(both / physical)),
        is_arm=platform.machine().lower() in ("aarch64", "arm64"),
    )


def _clock(known: Mapping[str, str], name: str) -> float:
    """The highest that is said: by the kernel's scaling driver, the name, or what it runs at now."""
    import psutil

    found = _AT_CLOCK.search(name)
    said = [float(found[1]) * 1e9] if found else []
    try:
        frequency = psutil.cpu_freq()
    except (OSError, NotImplementedError, RuntimeError):
        frequency = None
    if frequency:
        said.append(max(frequency.max or 0.0, frequency.current or 0.0) * 1e6)
    with contextlib.suppress(ValueError):
        said.append(float(known.get("cpu MHz", "0")) * 1e6)
    return max(said, default=0.0)


def _fields(path: Path) -> dict[str, str]:
    """Of the first processor."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return {}
    first = text.partition("\n\n")[0]
    pairs = (line.partition(":") for line in first.splitlines())
    return {key.strip(): value.strip() for key, _, value in pairs}
