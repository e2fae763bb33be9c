"""Which process drives a run, and whether it still does.

A process is named by its machine (more exactly: by the table of processes that it is in, since two containers
may have one host name), its number, and when it began, so that a number that is used again is not taken for
it. On this machine that can be looked up; elsewhere a heartbeat in the catalog has to do.
"""

from __future__ import annotations

import contextlib
import getpass
import hashlib
import os
import socket
from collections.abc import Iterator
from datetime import timedelta
from functools import cache
from pathlib import Path

from ..events import now
from .records import Run

HEARTBEAT_SECONDS = 2.0
ELSEWHERE = "another orchestrator"  # in place of a process: it starts tasks when it wants to
_ABANDONED = timedelta(seconds=15 * HEARTBEAT_SECONDS)
_driven_here: set[str] = set()  # the runs that this process drives: it may outlive its drives


def mark() -> str:
    """This process, as a run's record names who drives it."""
    return f"{_place()}:{os.getpid()}:{_started(os.getpid())}"


def shown(runner: str) -> str:
    """A mark for messages: host and process number."""
    if runner == ELSEWHERE:
        return runner
    place, pid, _ = runner.rsplit(":", 2)
    return f"process {pid} on {place.rpartition('/')[0] or place}"


def user_name() -> str:
    """Who this process works for, as runs, schedules and the queue have it: the hub's user, or the system's.

    Not `getpass.getuser`, which believes ``LOGNAME`` and ``USER``: quotas go by this name.
    """
    hub_user = os.environ.get("JUPYTERHUB_USER")
    if hub_user:
        return hub_user
    try:
        import pwd

        return pwd.getpwuid(os.getuid()).pw_name
    except ImportError:  # Windows
        return getpass.getuser()
    except KeyError:  # a container's user without a name
        return str(os.getuid())


@contextlib.contextmanager
def driving(run_id: str) -> Iterator[None]:
    """This process drives the run, for as long as the block lasts."""
    _driven_here.add(run_id)
    try:
        yield
    finally:
        _driven_here.discard(run_id)


def is_driven(run: Run) -> bool:
    """Whether the process that said it drives the run still does. Of another orchestrator nobody knows: until the
    run is over, or cancelled here, it is that one's."""
    if run.runner in ("", ELSEWHERE):
        return run.runner == ELSEWHERE
    place, pid, started = run.runner.rsplit(":", 2)
    if place != _place():
        return run.heartbeat_at is not None and now() - run.heartbeat_at < _ABANDONED
    if int(pid) == os.getpid():
        return run.run_id in _driven_here
    return _started(int(pid)) == started


@cache
def _place() -> str:
    try:
        table = Path("/proc/sys/kernel/random/boot_id").read_text() + os.readlink("/proc/self/ns/pid")
    except OSError:
        table = ""
    return f"{socket.gethostname()}/{hashlib.sha256(table.encode()).hexdigest()[:6]}"


def _started(pid: int) -> str:
    """When a process began; "" if there is none, or if it is a zombie."""
    try:
        # Ticks since the machine began: seconds since 1970 move when somebody sets the clock.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return "" if fields[0] in "ZX" else fields[19]
    except OSError:
        return _started_elsewhere(pid)


def _started_elsewhere(pid: int) -> str:
    """The same on systems without /proc."""
    import psutil

    try:
        process = psutil.Process(pid)
        return "" if process.status() == psutil.STATUS_ZOMBIE else f"{process.create_time():.1f}"
    except psutil.Error:
        return ""
