"""``python -m jupyter_mlops.serving``: options in, a process that serves, an exit code out."""

from __future__ import annotations

import importlib.util
import os
import sys
from collections.abc import Sequence

from ..errors import MissingExtra, MlopsError
from . import options, server, workers

_NEEDED = ("httptools", "orjson", "uvloop")


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until told to end."""
    try:
        given = options.read(sys.argv[1:] if arguments is None else arguments, os.environ)
        _check_installed()
        _limit_threads(given.workers)
        return workers.run(given) if given.workers > 1 else server.run(given)
    except MlopsError as error:
        hint = f"\n{error.hint}" if error.hint else ""
        sys.stderr.write(f"error: {error.message}{hint}\n")
        return error.exit_code
    except KeyboardInterrupt:
        return 130


def _check_installed() -> None:
    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise MissingExtra(
            f"serving needs {' and '.join(missing)}", hint="pip install 'jupyter-mlops[serving]'"
        )


def _limit_threads(workers: int) -> None:
    """Let numerical libraries use the processors that this process may, not all that the machine has."""
    threads = str(max(1, processors() // workers))
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, threads)


def processors() -> int:
    """How many this process may use, by its affinity and its control group."""
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        with open("/sys/fs/cgroup/cpu.max", encoding="ascii") as file:
            quota, period = file.read().split()
        return max(1, min(count, int(quota) // int(period)))
    except (OSError, ValueError):
        return count
