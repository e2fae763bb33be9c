"""How long CPUs were busy with a notebook: whatever did the work, and however it ended."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from jupyter_mlops.errors import Cancelled, KernelDied, OutOfMemory
from jupyter_mlops.notebooks.execute import CancelToken, Limits, NotebookOutcome, Progress

Run = Callable[..., NotebookOutcome]
pytestmark = pytest.mark.timeout(90)

# By the CPU's clock, not by the wall's: a busy machine makes it take longer, and no more.
BURN = """\
import time
def burn(seconds):
    begun = time.thread_time()
    while time.thread_time() - begun < seconds:
        pass
"""
CHILD = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {BURN + 'burn(0.4)'!r}], check=True)"
THREADS = """\
import threading
both = [threading.Thread(target=burn, args=(0.2,)) for _ in range(2)]
[one.start() for one in both]
[one.join() for one in both]
"""
GRANDCHILD = f"""\
import os, subprocess, sys
inner = subprocess.Popen([sys.executable, '-c', {BURN + "burn(0.4); print('burnt', flush=True); time.sleep(600)"!r}],
                         stdout=subprocess.PIPE, text=True)
inner.stdout.readline()
"""
TICKS = 0.05  # how exactly a system counts, some processes together


def used(outcome: NotebookOutcome) -> float:
    assert outcome.cpu_seconds is not None
    return outcome.cpu_seconds


@pytest.mark.parametrize("work", [BURN + "burn(0.4)", CHILD, BURN + THREADS, GRANDCHILD],
                         ids=["itself", "a child that ended", "threads", "a child that goes on"])  # fmt: skip
def test_all_that_works_for_a_notebook_counts(run: Run, work: str) -> None:
    outcome = run(work)
    assert outcome.error is None
    assert 0.4 - TICKS <= used(outcome) < 1.0  # two interpreters start, too


def test_waiting_and_what_a_warm_kernel_did_before_do_not(run: Run) -> None:
    outcome = run("import time; time.sleep(0.5)")
    assert outcome.duration_seconds > 0.5
    assert used(outcome) < 0.2


@pytest.mark.slow
def test_a_cold_kernel_counts_from_its_start(run: Run) -> None:
    cold = run(BURN + "burn(0.3)", request={"isolation": "cold"})
    assert used(cold) > 0.3 + 0.1  # what it takes an interpreter to import ipykernel


def test_as_many_cpus_are_told_as_it_may_use(run: Run) -> None:
    inner = "import os; print(len(os.sched_getaffinity(0)))"
    outcome = run(inner, request={"cpus": 1})
    assert outcome.cpus == 1
    assert outcome.notebook["cells"][0]["outputs"][0]["text"] == "1\n"


def test_of_one_that_is_killed_it_is_known_to_the_end(run: Run) -> None:
    outcome = run(BURN + "burn(0.4)\nimport os; os.kill(os.getpid(), 9)")
    assert isinstance(outcome.error, KernelDied)
    assert used(outcome) >= 0.4


def test_of_one_that_used_too_much_memory(run: Run) -> None:
    hog = BURN + "burn(0.4)\nheld = bytearray(b'x' * (300 << 20))\ntime.sleep(60)"
    outcome = run(hog, limits=Limits(memory_bytes=200 << 20))
    assert isinstance(outcome.error, OutOfMemory)
    assert used(outcome) >= 0.4 - TICKS


def test_of_one_that_must_be_killed_with_its_children(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    token = CancelToken()

    class Second(Progress):
        def cell_started(self, cell: int, cells: int, description: str) -> None:
            if cell == 2:
                token.cancel()

    monkeypatch.setattr("jupyter_mlops.notebooks.execute.GRACE_SECONDS", 0.3)
    deaf = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True: time.sleep(1)"
    outcome = run("import time\n" + GRANDCHILD, deaf, cancel=token, progress=Second())
    assert isinstance(outcome.error, Cancelled)
    assert used(outcome) >= 0.4 - TICKS
