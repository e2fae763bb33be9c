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
from jupyter_mlops.notebooks.outputs import content_size, limit_outputs
from jupyter_mlops.notebooks.secrets import Mask

# The kernel prints 300 MB; whoever runs it may have 200 MB more than it has when the kernel is there.
PRINTS = "for i in range(3000): print(f'{i:05}', 'x' * 100_000)"
TURNS = """
for i in range(1500):
    print(f"{i:05}", "x" * 90_000, flush=True)
    print(f"{i:05}", "y" * 90_000, flush=True, file=sys.stderr)
"""
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

sources = ["import sys", sys.argv[1]]
nb = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [cell(*one) for one in enumerate(sources)]}
with KernelPool(size=1) as pool:
    outcome = run_cells(nb, pool=pool, request=KernelRequest(), blobs=BlobStore("blobs"),
                        limits=Limits(output_bytes=100_000), progress=Bounded(), output=Path("out.ipynb"))
print(json.dumps([str(outcome.error), [one["text"] for one in outcome.notebook["cells"][1]["outputs"]]]))
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


def outputs_of_a_client_with_little_memory(source: str, folder: Path) -> list[str]:
    command = [sys.executable, "-c", CLIENT, source]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    error, texts = json.loads(done.stdout)
    assert error == "None"
    return texts


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux counts what a process has allocated")
def test_a_client_with_little_memory_takes_in_what_a_cell_prints(tmp_path: Path, blobs: BlobStore):
    (text,) = outputs_of_a_client_with_little_memory(PRINTS, tmp_path)
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


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux counts what a process has allocated")
def test_a_client_with_little_memory_takes_in_two_streams_that_take_turns(tmp_path: Path, blobs: BlobStore):
    """Each piece is within the limit, so that none of them spills by itself."""
    texts = outputs_of_a_client_with_little_memory(TURNS, tmp_path)
    assert len(texts) < 10
    printed = "".join(whole({"text": text}, blobs) if "spilled to" in text else text for text in texts)
    for letter in "xy":
        lines = [line for line in printed.splitlines() if line.endswith(letter)]
        assert [int(line[:5]) for line in lines] == list(range(1500))
        assert {len(line) for line in lines} == {90_006}


def test_streams_that_take_turns_for_long_go_on_apart(blobs: BlobStore):
    collector, outputs = collected(blobs, 1_000_000)
    for number in range(5000):
        collector.stream("stdout", f"o{number}\n")
        collector.stream("stderr", f"e{number}\n")
    collector.end()
    assert 1000 <= len(outputs) <= 1002
    assert [one["text"] for one in outputs[:3]] == ["o0\n", "e0\n", "o1\n"]
    for name in ("stdout", "stderr"):
        text = "".join(one["text"] for one in outputs if one["name"] == name)
        assert text == "".join(f"{name[3]}{number}\n" for number in range(5000))
    collector.begin(1, later := [])
    for name in ("stdout", "stderr", "stdout"):  # another cell begins anew
        collector.stream(name, name)
    collector.end()
    assert [one["text"] for one in later] == ["stdout", "stderr", "stdout"]


def test_streams_that_are_apart_spill_each(blobs: BlobStore):
    collector, outputs = collected(blobs, 10_000)
    for number in range(300):
        collector.stream("stdout", f"{number:04}" + "a" * 9_000)
        collector.stream("stderr", f"{number:04}" + "b" * 9_000)
    assert len(unfinished(blobs)) == 2
    collector.end()
    assert unfinished(blobs) == []
    assert len(outputs) < 6
    for name, letter in [("stdout", "a"), ("stderr", "b")]:
        of_name = [one for one in outputs if one["name"] == name]
        text = "".join(whole(one, blobs) if "spilled to" in one["text"] else one["text"] for one in of_name)
        assert text == "".join(f"{number:04}" + letter * 9_000 for number in range(300))


def test_what_is_displayed_without_end_spills_when_there_is_much_of_it(blobs: BlobStore):
    collector, outputs = collected(blobs, 10_000)
    for number in range(100):
        data = {"text/html": f"<p>{number:04}" + "c" * 5_000 + "</p>", "text/plain": "short"}
        collector.add({"output_type": "display_data", "data": data, "metadata": {}})
    collector.end()
    kept = [one for one in outputs if "spilled" not in one["metadata"]]
    assert 15 < len(kept) < 20
    assert kept == outputs[: len(kept)]
    assert all(content_size(one) < 1000 for one in outputs[len(kept) :])
    reference = parse_reference(outputs[99]["metadata"]["spilled"]["text/html"]["reference"])
    assert reference is not None
    assert blobs.read_bytes(reference.digest).startswith(b"<p>0099ccc")


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
    growing = collector._streams["stdout"]._growing
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
