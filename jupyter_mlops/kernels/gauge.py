"""What a kernel uses, with the processes that it started: memory, and time of CPUs."""

from __future__ import annotations

import contextlib
import functools
import os
from pathlib import Path

_NAMES = ("VmRSS", "VmHWM", "RssAnon")
_HAS_PROC = Path("/proc/self/stat").exists()


class Gauge:
    """Measures one kernel and the processes that it started. Each look is some reads of ``/proc``: what was used
    between two of them is not missed, since Linux keeps peaks and sums.

    What a forked kernel had from its zygote when it was handed over (modules that were imported once for all)
    is not counted: it is there only once, however many kernels share it. Nor is what it did before that.
    """

    def __init__(self, pid: int, *, is_forked: bool) -> None:
        self.pid = pid
        self.cpus = _cpus(pid)  # how many it may use
        self._peak = 0
        self._inherited = _status(pid).get("RssAnon", 0) if is_forked else 0
        self._before = (_cpu_seconds(pid) or 0.0) if is_forked else 0.0
        self._cpu_seconds: float | None = None

    def look(self) -> int:
        """Take note of what they use; the bytes of memory are the answer, 0 when the kernel is gone."""
        used = _status(self.pid).get("VmRSS") or _resident(self.pid)
        seconds = _cpu_seconds(self.pid)
        if not used or seconds is None:
            return 0
        used = max(0, used - self._inherited)
        for child in _descendants(self.pid):
            used += _own_memory(child)
            seconds += _cpu_seconds(child) or 0.0
        self._peak = max(self._peak, used)
        self._take(seconds)
        return used

    def peak(self) -> int:
        """The most bytes that they were seen to use; of the kernel itself, the most that it used (on Linux)."""
        highest = _status(self.pid).get("VmHWM", 0) - self._inherited
        self._peak = max(self._peak, highest)
        return self._peak

    def cpu_seconds(self, at_exit: float | None = None) -> float | None:
        """What they have used of CPUs until the last look, in seconds; None if there was nothing to look at.

        `at_exit` is what the system said of a kernel that has ended. It knows of no processes that the kernel
        left behind, the last look of nothing that came later: the greater one counts.
        """
        if at_exit is not None:
            self._take(at_exit)
        return self._cpu_seconds

    def _take(self, seconds: float) -> None:
        self._cpu_seconds = max(self._cpu_seconds or 0.0, seconds - self._before)


def _status(pid: int) -> dict[str, int]:
    """Some figures that Linux keeps of a process; empty elsewhere, and when it has ended."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return {}
    pairs = (line.split(":", 1) for line in lines if line.startswith(_NAMES))
    return {name: int(value.split()[0]) * 1024 for name, value in pairs}


def _resident(pid: int) -> int:
    import psutil

    try:
        return int(psutil.Process(pid).memory_info().rss)
    except psutil.Error:
        return 0


def _own_memory(pid: int) -> int:
    """What a process does not share: a child that was forked has most of its parent's pages."""
    import psutil

    try:
        memory = psutil.Process(pid).memory_info()
    except psutil.Error:
        return 0
    return max(0, int(memory.rss - getattr(memory, "shared", 0)))


def _cpu_seconds(pid: int) -> float | None:
    """Of a process, all its threads, and its children that have ended (where the system says so); None without it."""
    if _HAS_PROC:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return None
        return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")  # utime, stime, cutime, cstime
    import psutil

    try:
        times = psutil.Process(pid).cpu_times()
    except psutil.Error:
        return None
    return float(times.user + times.system + times.children_user + times.children_system)


def _cpus(pid: int) -> int:
    if hasattr(os, "sched_getaffinity"):
        with contextlib.suppress(OSError):
            return len(os.sched_getaffinity(pid))
    return os.cpu_count() or 1


def _descendants(pid: int) -> list[int]:
    """All processes below one. Linux lists a thread's children; elsewhere all processes must be walked through."""
    import psutil

    if not _lists_children():
        try:
            return [child.pid for child in psutil.Process(pid).children(recursive=True)]
        except psutil.Error:
            return []
    found, ahead = [], [pid]
    while ahead:
        children = _children(ahead.pop())
        found += children
        ahead += children
    return found


def _children(pid: int) -> list[int]:
    found: list[int] = []
    with contextlib.suppress(OSError):
        for thread in os.listdir(f"/proc/{pid}/task"):
            with contextlib.suppress(OSError):  # it has ended meanwhile
                found += map(int, Path(f"/proc/{pid}/task/{thread}/children").read_text().split())
    return found


@functools.cache
def _lists_children() -> bool:
    return Path(f"/proc/self/task/{os.getpid()}/children").exists()
