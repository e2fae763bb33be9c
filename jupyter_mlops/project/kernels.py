"""The kernels that a project's notebooks name: each is started for real."""

from __future__ import annotations

import json
import shlex
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from ..errors import MlopsError
from ..kernels import KernelPool, KernelRequest
from ..notebooks.files import kernel_name
from .checkup import Check
from .files import notebooks_below

_MOST_NOTEBOOKS = 200
_PATIENCE_SECONDS = 30.0


def kernels(root: Path) -> Iterator[Check]:
    """One check a kernel: the default one and each that a notebook below `root` names."""
    names = sorted({"python3", *names_below(root)})
    with KernelPool(size=0, linger_seconds=0) as pool, ThreadPoolExecutor(len(names)) as threads:
        yield from threads.map(lambda name: _start(pool, name, root), names)


def names_below(root: Path) -> set[str]:
    """What the notebooks of a project say of their kernel; those that cannot be read say nothing."""
    found = set()
    for path in notebooks_below(root)[:_MOST_NOTEBOOKS]:
        try:
            found.add(kernel_name(json.loads(path.read_bytes())))
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            continue
    return found - {""}


def _start(pool: KernelPool, name: str, root: Path) -> Check:
    began = time.monotonic()

    async def start() -> bool:
        kernel = await pool.acquire(KernelRequest(kernel_name=name, cwd=root))
        is_warm = kernel.is_warm
        await pool.release(kernel)
        return is_warm

    title = f"kernel {name}"
    try:
        is_warm = pool.submit(start()).result(_PATIENCE_SECONDS)
    except TimeoutError:
        return Check(title, "problem", f"does not answer within {_PATIENCE_SECONDS:g} s", _removed(name))
    except MlopsError as error:
        return Check(title, "problem", error.message, _removed(name), error.hint)
    how = "forked from a zygote" if is_warm else "started in the ordinary way"
    return Check(title, "ok", f"{how}, answers after {time.monotonic() - began:.1f} s")


def _removed(name: str) -> str:
    """Without its kernelspec, a Python notebook runs in this environment's Python."""
    return f"jupyter kernelspec remove -y {shlex.quote(name)}"
