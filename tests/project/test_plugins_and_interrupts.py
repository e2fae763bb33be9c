"""A plugin's library does not take Ctrl-C from whoever loads it, and is loaded in any thread."""

from __future__ import annotations

import subprocess
import sys

import pytest

CODE = """
import signal, threading
from jupyter_mlops.backends.clusters import CLUSTERS
before = signal.getsignal(signal.SIGINT)
failures = []

def load():
    try:
        CLUSTERS.get("slurm")
    except BaseException as error:
        failures.append(error)

{how}
import dask_jobqueue.runner
assert not failures, failures
assert signal.getsignal(signal.SIGINT) is before
assert signal.signal.__module__ == "signal"
"""


@pytest.mark.slow
@pytest.mark.parametrize("how", ["load()", "one = threading.Thread(target=load)\none.start()\none.join()"])
def test_dask_jobqueue_leaves_interrupts_alone(how: str) -> None:
    pytest.importorskip("dask_jobqueue")
    done = subprocess.run(
        [sys.executable, "-c", CODE.format(how=how)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
