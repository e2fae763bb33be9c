"""Kernels that talk over one socket: frames, and what ZeroMQ and its threads did for the others."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_mlops.errors import TimedOut
from jupyter_mlops.kernels import KernelPool, direct, zygotes
from jupyter_mlops.notebooks.execute import Limits, NotebookOutcome

Run = Callable[..., NotebookOutcome]
frames = st.lists(st.tuples(st.integers(0, 2), st.lists(st.binary(max_size=40), min_size=1, max_size=6)))


@pytest.fixture(scope="module")
def pool() -> Iterator[KernelPool]:
    with KernelPool(size=1) as kernels:
        yield kernels


def streams(outcome: NotebookOutcome, name: str = "stdout") -> str:
    outputs: list[dict[str, Any]] = [
        one for cell in outcome.notebook["cells"] for one in cell.get("outputs", ())
    ]
    return "".join(one["text"] for one in outputs if one.get("name") == name)


@given(frames, st.lists(st.integers(1, 50), max_size=20))
def test_frames_survive_however_they_are_cut(sent: list[tuple[int, list[bytes]]], cuts: list[int]):
    data = b"".join(direct.pack(channel, parts) for channel, parts in sent)
    reader, found = direct.Frames(), []
    for piece in _pieces(data, cuts):
        found += reader.feed(piece)
    assert found == sent
    assert not reader.buffer


def _pieces(data: bytes, cuts: list[int]) -> Iterator[bytes]:
    for size in cuts:
        yield data[:size]
        data = data[size:]
    yield data


def test_a_warm_kernel_has_one_thread_more_than_its_notebook(pool: KernelPool, run: Run):
    outcome = run(pool, "import threading\nprint([thread.name for thread in threading.enumerate()])")
    assert streams(outcome) == "['MainThread', 'IOPub']\n"


def test_what_other_processes_and_libraries_write_is_there_when_the_cell_ends(pool: KernelPool, run: Run):
    source = (
        "import os, subprocess, sys\n"
        "print('first')\n"
        "sys.stdout.flush()\n"
        "subprocess.run(['sh', '-c', 'echo second; echo loud >&2'])\n"
        "os.write(1, b'third\\n')\n"
        "os.system('echo fourth')\n"
    )
    for _ in range(5):
        outcome = run(pool, source)
        assert sorted(streams(outcome).split()) == ["first", "fourth", "second", "third"]
        assert streams(outcome, "stderr") == "loud\n"


def test_what_a_forked_child_prints_comes_through_its_parent(pool: KernelPool, run: Run):
    source = (
        "import multiprocessing\n"
        "def work(number):\n"
        "    print('child', number, flush=True)\n"
        "    return number\n"
        "with multiprocessing.get_context('fork').Pool(2) as pool:\n"
        "    print(pool.map(work, range(20)))\n"
    )
    outcome = run(pool, source)
    assert outcome.error is None
    lines = streams(outcome).splitlines()
    assert sorted(line for line in lines if line.startswith("child")) == sorted(
        f"child {n}" for n in range(20)
    )
    assert str(list(range(20))) in lines


def test_an_interrupt_never_cuts_a_message(pool: KernelPool, run: Run):
    """A cell that only prints is interrupted again and again; whatever comes must still be whole."""
    source = (
        "import os, signal, sys, threading, time\n"
        "def interrupt():\n"
        "    for _ in range(100):\n"
        "        time.sleep(0.002)\n"
        "        os.kill(os.getpid(), signal.SIGINT)\n"
        "caught = 0\n"
        "nagging = threading.Thread(target=interrupt)\n"
        "nagging.start()\n"
        "while nagging.is_alive():\n"
        "    try:\n"
        "        while nagging.is_alive():\n"
        "            print('x' * 500)\n"
        "            sys.stdout.flush()\n"
        "    except KeyboardInterrupt:\n"
        "        caught += 1\n"
    )
    outcome = run(pool, source, "print(caught > 5)")
    assert outcome.error is None or outcome.error.fields.get("ename") == "KeyboardInterrupt"
    lines = streams(outcome).split()
    assert len(lines) > 50 or outcome.error is not None  # it may hit outside of the loop, too
    # `print` writes its end by itself: an interrupt between the two leaves a line that the next one goes on with
    assert [line for line in lines if not re.fullmatch("x*(True|False)?", line)] == []


def test_buffers_of_any_shape_travel_with_a_message(pool: KernelPool, run: Run):
    source = (
        "import array\n"
        "from comm import create_comm\n"
        "numbers = memoryview(array.array('d', [1.0, 2.0, 3.0]))\n"
        "create_comm(target_name='nobody', data={}, buffers=[numbers, numbers.cast('B').cast('B', (3, 8))])\n"
        "print('after')"
    )
    outcome = run(pool, source, "print('next')")
    assert outcome.error is None
    assert streams(outcome) == "after\nnext\n"


def test_a_client_that_does_not_read_makes_the_kernel_wait(
    pool: KernelPool, run: Run, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("jupyter_mlops.kernels.channels._UNREAD_BYTES", 100_000)
    outcome = run(pool, "for _ in range(300):\n    print('y' * 10_000, flush=True)")
    assert outcome.error is None
    assert len(streams(outcome)) == 300 * 10_001


def test_a_busy_cell_is_heard_while_it_runs(pool: KernelPool, run: Run, tmp_path: Any):
    """Without a flush: the second thread sends what was printed."""
    flag = tmp_path / "go"
    seen: list[float] = []

    def watch() -> None:
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline and not seen:
            text = output.read_text() if output.exists() else ""
            if "working" in text:
                seen.append(time.monotonic())
                flag.touch()
            time.sleep(0.05)

    output = tmp_path / "out.ipynb"
    watching = threading.Thread(target=watch)
    watching.start()
    source = (
        "import os, time\nprint('work' + 'ing')\nstart = time.monotonic()\n"
        "while not os.path.exists('go') and time.monotonic() < start + 10:\n    pass\n"
    )
    outcome = run(pool, source, output=output)
    watching.join()
    assert outcome.error is None
    assert seen


def test_a_timeout_interrupts_and_keeps_what_was_said(pool: KernelPool, run: Run):
    outcome = run(pool, "print('before')\nimport time\ntime.sleep(60)", limits=Limits(timeout_seconds=0.5))
    assert isinstance(outcome.error, TimedOut)
    assert streams(outcome) == "before\n"


def test_a_cell_may_await(pool: KernelPool, run: Run):
    waits = "import asyncio\nprint('before')\nawait asyncio.sleep(0.01)\nprint('after')\n'value'"
    outcome = run(pool, waits, "async def f(): return 3\nawait f()", "await asyncio.sleep(0); 1 / 0")
    assert streams(outcome) == "before\nafter\n"
    values = [
        one["data"]["text/plain"]
        for cell in outcome.notebook["cells"]
        for one in cell.get("outputs", ())
        if "data" in one
    ]
    assert values == ["'value'", "3"]
    assert "ZeroDivisionError" in str(outcome.error)


def test_a_kernel_that_fails_itself_says_so(pool: KernelPool, run: Run):
    breaks = "get_ipython().kernel.do_execute = lambda *_, **__: 1 / 0"
    outcome = run(pool, breaks, "'never'")
    assert "ZeroDivisionError: in the kernel itself, not in the cell" in str(outcome.error)


def test_an_ipykernel_that_is_another_than_we_know_is_forked_with_its_own_channels(
    run: Run, monkeypatch: Any
):
    begin = zygotes.Zygote.__init__

    def without(self: Any, reader: Any, writer: Any, hello: Any) -> None:
        begin(self, reader, writer, {**hello, "direct": False})

    monkeypatch.setattr(zygotes.Zygote, "__init__", without)
    with KernelPool(size=1) as pool:
        outcome = run(pool, "import threading\nprint(threading.active_count() > 3)")
    assert outcome.error is None
    assert streams(outcome) == "True\n"


def test_what_a_preloaded_package_imports_when_used_is_there_for_the_next(run: Run):
    with KernelPool(size=1) as pool:
        before = run(
            pool,
            "import sys\nprint('scipy.constants' in sys.modules)\nimport scipy.constants",
            preload=("scipy",),
        )
        after = run(pool, "import sys\nprint('scipy.constants' in sys.modules)", preload=("scipy",))
    assert (streams(before), streams(after)) == ("False\n", "True\n")
