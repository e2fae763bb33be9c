"""Kernel after kernel: none fails, and all is as it was before."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import pytest

from jupyter_mlops.kernels import KernelPool
from jupyter_mlops.notebooks.execute import NotebookOutcome


def _rounds(
    run: Callable[..., NotebookOutcome], remains: Any, zygotes_of: Any, count: int, growth: int
) -> None:
    process = psutil.Process()
    with KernelPool(size=2) as pool:

        def one(number: int) -> None:
            outcome = run(pool, "import os", f"print({number}); {number}")
            assert outcome.error is None, outcome.error
            assert outcome.notebook["cells"][1]["outputs"][-1]["data"]["text/plain"] == str(number)

        with ThreadPoolExecutor(8) as threads:
            list(threads.map(one, range(min(count // 4, 100))))  # caches fill
            gc.collect()
            before, descriptors = process.memory_info().rss, len(os.listdir("/proc/self/fd"))
            list(threads.map(one, range(count)))
        gc.collect()
        # Some kernels are on their way in or out, a few sockets each; what leaks would be thousands.
        assert len(os.listdir("/proc/self/fd")) - descriptors < 100
        assert process.memory_info().rss - before < growth
        assert len(list(Path(pool.directory).iterdir())) < 150
        (zygote,) = zygotes_of(pool)
        assert len(zygote.children()) < 16
        assert zygote.num_fds() < 30
    remains.assert_nothing_new()


@pytest.mark.timeout(120)
@pytest.mark.slow
def test_a_hundred_kernels_leave_nothing(run: Callable[..., NotebookOutcome], remains: Any, zygotes_of: Any):
    _rounds(run, remains, zygotes_of, 100, 30 << 20)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_two_thousand_kernels_leave_nothing(
    run: Callable[..., NotebookOutcome], remains: Any, zygotes_of: Any
):
    _rounds(run, remains, zygotes_of, 2000, 30 << 20)
