"""What a cell prints without end goes to the blobs while it is printed, so that who listens does not fill up."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_mlops.blobs import BlobStore, parse_reference
from jupyter_mlops.errors import StorageUnavailable
from jupyter_mlops.notebooks import gathered
from jupyter_mlops.notebooks.collector import Collector
from jupyter_mlops.notebooks.outputs import limit_outputs
from jupyter_mlops.notebooks.secrets import Mask

# The kernel prints 300 MB; whoever runs it may have 200 MB more than it has when the kernel is there.
CLIENT = """
import json, os, resource, sys
from pathlib import Path
from jupyter_mlops.blobs import BlobStore
from jupyter_mlops.kernels import KernelPool, KernelRequest
from jupyter_mlops.notebooks.execute import Limits, Progress, run_cells

class Bounded(Progress):
    def cell_started(self, cell, cells, description):
        if cell == 2:
            used = next(int(line.split()[1]) << 10 for line in open("/proc/self/status") if "VmData" in line)
            resource.setrlimit(resource.RLIMIT_DATA, (used + (200 << 20),) * 2)

def cell(number, source):
    return {"cell_type": "code", "id": f"c{number}", "metadata": {}, "source": source, "outputs": [],
            "execution_count": None}

sources = ["import sys", "for i in range(3000): print(f'{i:05}', 'x' * 100_000)"]
nb = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [cell(*one) for one in enumerate(sources)]}
with KernelPool(size=1) as pool:
    outcome = run_cells(nb, pool=pool, request=KernelRequest(isolation=sys.argv[1]), blobs=BlobStore("blobs"),
                        limits=Limits(output_bytes=100_000), progress=Bounded(), output=Path("out.ipynb"))
print(json.dumps([str(outcome.error), outcome.notebook["cells"][1]["outputs"][0]["text"]]))
"""


@pytest.fixture
def blobs(tmp_path: Path) -> BlobStore:
    return BlobStore(tmp_path / "blobs")


def collected(blobs: BlobStore | None, limit: int) -> tuple[Collector, list[dict[str, Any]]]:
    made = Collector(Mask(), limit, blobs, touched=lambda _: None, streamed=lambda *_: None)
    outputs: list[dict[str, Any]] = []
    made.begin(0, outputs)
    return made, outputs


def whole(output: dict[str, Any], blobs: BlobStore) -> str:
    reference = parse_reference(output["text"].split("spilled to ")[1].split()[0])
    assert reference is not None
    return blobs.read_bytes(reference.digest).decode("utf-8", "surrogatepass")


def unfinished(blobs: BlobStore) -> list[Path]:
    return [path for path in (Path(blobs.url) / "tmp").glob("*") if path.is_file()]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux counts what a process has allocated")
def test_a_client_with_little_memory_takes_in_what_a_cell_prints(tmp_path: Path, blobs: BlobStore):
    command = [sys.executable, "-c", CLIENT, "auto"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    error, text = json.loads(done.stdout)
    assert error == "None"
    assert len(text) < 10_000
    assert "286.1 MiB spilled to" in text[3900:4200]
    reference = parse_reference(text.split("spilled to ")[1].split()[0])
    assert reference is not None
    expected = hashlib.sha256()
    for number in range(3000):
        expected.update(b"%05d " % number + b"x" * 100_000 + b"\n")
    assert reference.digest == expected.hexdigest()
    assert blobs.size(reference.digest) == 3000 * 100_007
    assert unfinished(blobs) == []


def test_it_is_on_the_disk_while_the_cell_runs_and_the_notebook_says_so(blobs: BlobStore):
    collector, outputs = collected(blobs, 10_000)
    for number in range(40):
        collector.stream("stdout", f"{number}\n" + "y" * 100_000 + "\n")
    collector.flush()
    (path,) = unfinished(blobs)
    assert path.stat().st_size > 3_000_000
    assert "so far, on their way to the blobs" in outputs[0]["text"]
    assert len(outputs[0]["text"]) < 10_000
    collector.end()
    assert unfinished(blobs) == []
    assert whole(outputs[0], blobs) == "".join(f"{n}\n{'y' * 100_000}\n" for n in range(40))


def test_what_is_cleared_leaves_no_file(blobs: BlobStore):
    collector, outputs = collected(blobs, 10_000)
    collector.stream("stdout", "z" * 2_000_000)
    assert len(unfinished(blobs)) == 1
    collector.clear(waits=False)
    collector.end()
    assert (outputs, unfinished(blobs), list(blobs.digests())) == ([], [], [])


def test_a_stream_that_another_interrupts_is_done(blobs: BlobStore):
    collector, outputs = collected(blobs, 10_000)
    collector.stream("stdout", "a" * 2_000_000)
    collector.stream("stderr", "!")
    assert unfinished(blobs) == []
    collector.stream("stdout", "b")
    collector.end()
    assert [one["name"] for one in outputs] == ["stdout", "stderr", "stdout"]
    assert whole(outputs[0], blobs) == "a" * 2_000_000
    assert outputs[2]["text"] == "b"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no disk that is always full")
def test_a_full_disk_is_told_and_leaves_no_file(blobs: BlobStore):
    collector, outputs = collected(blobs, 10_000)
    collector.stream("stdout", "a" * 2_000_000)
    assert collector._stream is not None
    growing = collector._stream._growing
    assert growing is not None
    growing._file.close()
    growing._file = os.fdopen(os.open("/dev/full", os.O_WRONLY), "wb")
    for _ in range(2):  # and again, whoever goes on
        with pytest.raises(StorageUnavailable, match="No space left"):
            collector.stream("stdout", "b" * 1_000_000)
    with pytest.raises(StorageUnavailable, match="No space left"):
        collector.end()
    assert unfinished(blobs) == []
    assert len(outputs[0]["text"]) < 10_000


@given(st.lists(st.text("ab\n\r\x85é\ud800", max_size=60), min_size=1, max_size=12), st.integers(0, 400))
def test_the_same_as_if_all_had_come_at_once(
    tmp_path_factory: pytest.TempPathFactory, pieces: list[str], limit: int
):
    """Whatever is printed, the stub and the blob are those of the text as a whole."""
    blobs = BlobStore(tmp_path_factory.getbasetemp() / "gathered-blobs")
    text = "".join(pieces) + "." * 1200
    at_once = limit_outputs({"output_type": "stream", "name": "stdout", "text": text}, limit, blobs)
    least, gathered._LEAST_BYTES = gathered._LEAST_BYTES, 0
    try:
        collector, outputs = collected(blobs, limit)
        for piece in [*pieces, "." * 1200]:
            collector.stream("stdout", piece)
        collector.end()
    finally:
        gathered._LEAST_BYTES = least
    assert outputs == [at_once]
