"""How much memory a kernel uses."""

from __future__ import annotations

import contextlib
from pathlib import Path

_NAMES = ("VmRSS", "VmHWM", "RssAnon")


class MemoryGauge:
    """Measures one kernel and the processes that it started, in bytes.

    What a forked kernel had from its zygote when it was handed over (modules that were imported once for all)
    is not counted: it is there only once, however many kernels share it.
    """

    def __init__(self, pid: int, *, is_forked: bool) -> None:
        self.pid = pid
        self._peak = 0
        self._inherited = _status(pid).get("RssAnon", 0) if is_forked else 0

    def now(self) -> int:
        """What they use now; 0 when the kernel is gone."""
        import psutil

        used = _status(self.pid).get("VmRSS") or _resident(self.pid)
        if not used:
            return 0
        used = max(0, used - self._inherited)
        with contextlib.suppress(psutil.Error):
            for child in psutil.Process(self.pid).children(recursive=True):
                with contextlib.suppress(psutil.Error):
                    memory = child.memory_info()
                    used += max(0, memory.rss - getattr(memory, "shared", 0))
        self._peak = max(self._peak, used)
        return used

    def peak(self) -> int:
        """The most that they were seen to use; of the kernel itself, the most that it used (on Linux)."""
        highest = _status(self.pid).get("VmHWM", 0) - self._inherited
        self._peak = max(self._peak, highest)
        return self._peak


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
