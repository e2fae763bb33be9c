"""Processes that outlive whoever started them: told apart by their number and when they began."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from ...errors import Unavailable

_LOG_BYTES = 4 * 2**20
_IN_A_RUN = (
    "MLOPS_RUN_ID",
    "MLOPS_TASK",
    "MLOPS_ATTEMPT",
    "MLOPS_INPUTS",
    "MLOPS_NOTEBOOK",
    "MLOPS_SECRET_",
    "MLOPS_ROOT",
    "JPY_",
)
_running: dict[int, subprocess.Popen[bytes]] = {}  # our own children, which must be waited for


def began(pid: int) -> str:
    """When a process began; "" if there is none, or if only its number is left."""
    child = _running.get(pid)
    if child is not None and child.poll() is not None:
        del _running[pid]
        return ""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return "" if fields[0] in "ZX" else fields[19]
    except OSError:
        return _began_elsewhere(pid)


def _began_elsewhere(pid: int) -> str:
    """The same on systems without /proc."""
    import psutil

    try:
        process = psutil.Process(pid)
        return "" if process.status() == psutil.STATUS_ZOMBIE else f"{process.create_time():.1f}"
    except psutil.Error:
        return ""


def reap() -> None:
    """Take note of children that have ended."""
    for pid in list(_running):
        began(pid)


def mark(pid: int) -> str:
    """``PID:BEGAN``, which no later process has; "" when it is gone."""
    at = began(pid)
    return f"{pid}:{at}" if at else ""


def is_alive(marked: str) -> bool:
    """Whether the process of this mark still runs."""
    pid, _, at = marked.partition(":")
    return pid.isdigit() and bool(at) and began(int(pid)) == at


def send(marked: str, number: signal.Signals) -> None:
    """A signal, if it still is that process."""
    if is_alive(marked):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(int(marked.partition(":")[0]), number)


async def end(marks: Sequence[str], seconds: float) -> None:
    """Ask them to end, wait so long, then end them."""
    for number, patience in ((signal.SIGTERM, seconds), (signal.SIGKILL, 5.0)):
        until = time.monotonic() + patience
        for marked in marks:
            send(marked, number)
        while any(map(is_alive, marks)) and time.monotonic() < until:
            await asyncio.sleep(0.03)


def memory(marked: str) -> int:
    """The bytes that it holds; 0 when it is gone or cannot be asked."""
    import psutil

    try:
        return int(psutil.Process(int(marked.partition(":")[0])).memory_info().rss)
    except (psutil.Error, ValueError):
        return 0


def environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """Ours, without what belongs to the run or the kernel that we happen to be in: its secrets above all."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_IN_A_RUN)}
    return {**kept, "PYTHONUNBUFFERED": "1", **(more or {})}


def spawn(
    words: Sequence[str],
    log: Path,
    *,
    cwd: Path,
    env: Mapping[str, str] | None = None,
    keep: Sequence[int] = (),
) -> str:
    """Start ``python WORDS`` in a session of its own; its mark. `keep` are descriptors that it inherits.

    Raises `Unavailable`.
    """
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        with log.open("ab") as written:
            process = subprocess.Popen(
                [sys.executable, *words], stdin=subprocess.DEVNULL, stdout=written, stderr=written, cwd=cwd,
                env=environment(env), start_new_session=True, pass_fds=tuple(keep),
            )  # fmt: skip
    except OSError as error:
        raise Unavailable(
            f"no process can be started to serve: {error.strerror or error}",
            hint="free some memory or disk space",
        ) from error
    _running[process.pid] = process
    return mark(process.pid) or f"{process.pid}:ended"


def rotate(log: Path) -> None:
    """Keep a log short: what was written until now goes to ``NAME.1``. Its writer appends, and notices nothing."""
    with contextlib.suppress(OSError):
        if log.stat().st_size > _LOG_BYTES:
            log.with_name(f"{log.name}.1").write_bytes(log.read_bytes())
            os.truncate(log, 0)


def tail(log: Path, most: int = 2000) -> str:
    """The last words of a log."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - most))
            return file.read().decode("utf-8", "replace").strip()
    except OSError:
        return ""
