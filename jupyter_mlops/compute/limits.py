"""What this process may use of its machine: affinity, and what its control groups (v1 and v2) allow.

A container that may use 2 of 64 CPUs sees 64 of them in ``/proc``; a group's limit holds for all below it, so that
each is the least on the way up. Everything is read below `root`, which is ``/``.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from pathlib import Path

_ROOT = Path("/")


def usable_cpus(root: Path = _ROOT) -> float:
    """CPUs that this process may use; a fraction where its group has a quota of one."""
    seen = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return float(min(seen, cpu_quota(root) or math.inf))


def usable_memory(root: Path = _ROOT) -> int:
    """Bytes that this process may use: all of the machine's, or what its group allows."""
    import psutil

    total = int(psutil.virtual_memory().total)
    return min(total, memory_limit(root) or total)


def cpu_quota(root: Path = _ROOT) -> float | None:
    """CPUs' worth of time that the control groups allow; None without a limit."""
    limits = []
    for folder in _folders(root, "cpu"):
        quota, period = _words(folder / "cpu.max", 2) or (
            *(_words(folder / "cpu.cfs_quota_us", 1) or ("max",)),
            *(_words(folder / "cpu.cfs_period_us", 1) or ("100000",)),
        )
        if (allowed := _number(quota)) is not None and (over := _number(period)):
            limits.append(allowed / over)
    return min(limits, default=None)


def memory_limit(root: Path = _ROOT) -> int | None:
    """Bytes that the control groups allow; None without a limit."""
    limits = []
    for folder in _folders(root, "memory"):
        for name in ("memory.max", "memory.limit_in_bytes"):
            limit = _number((_words(folder / name, 1) or ("max",))[0])
            if limit is not None and limit < 2**60:  # v1 says "no limit" by a number that no machine has
                limits.append(int(limit))
    return min(limits, default=None)


def _folders(root: Path, controller: str) -> Iterator[Path]:
    """Our group's folder and those above it. In a container the path that we are told may be the host's: then
    only the top is there, which is our own."""
    try:
        lines = (root / "proc/self/cgroup").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return
    for line in lines:
        _, _, rest = line.partition(":")
        names, _, path = rest.partition(":")
        if names and controller not in names.split(","):
            continue
        mounts = (names, controller) if names else ("", "unified")
        for mount in dict.fromkeys(mounts):
            top = root / "sys/fs/cgroup" / mount
            own = top / path.lstrip("/")
            for folder in (own, *own.parents):
                if folder.is_dir() and folder.is_relative_to(top):
                    yield folder


def _words(path: Path, count: int) -> tuple[str, ...] | None:
    try:
        words = path.read_text(encoding="ascii", errors="replace").split()
    except OSError:
        return None
    return tuple(words[:count]) if len(words) >= count else None


def _number(text: str) -> float | None:
    """A limit; None for "max", for v1's -1, and for what is no number."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if value > 0 else None
