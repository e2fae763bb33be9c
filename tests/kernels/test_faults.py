"""Whatever is killed, the others notice at once, and nothing is left behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from jupyter_mlops.errors import KernelDied, StorageUnavailable, WorkerLost
from jupyter_mlops.kernels import KernelPool, KernelRequest, zygotes
from jupyter_mlops.kernels.places import new_directory
from jupyter_mlops.notebooks.execute import Limits, NotebookOutcome

Run = Callable[..., NotebookOutcome]
pytestmark = pytest.mark.timeout(120)

RUNNER = """
import sys, threading
from pathlib import Path
from jupyter_mlops.kernels import KernelPool, KernelRequest
from jupyter_mlops.notebooks.execute import run_cells
pool = KernelPool(size=1)
source = "import os, subprocess, time; child = subprocess.Popen(['sleep', '300'])\\n" \\
    "open('pids', 'w').write(f'{os.getpid()} {os.getppid()} {child.pid}')\\ntime.sleep(300)"
cell = {"cell_type": "code", "id": "a", "metadata": {}, "source": source, "outputs": [], "execution_count": None}
nb = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [cell]}
print(pool.directory, flush=True)
run_cells(nb, pool=pool, request=KernelRequest(), output=Path("out.ipynb"))
"""


def eventually(condition: Callable[[], bool], what: str, seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


def is_gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def command_of(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


class Running:
    """A process of its own that runs a notebook for ever."""

    def __init__(self, directory: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", RUNNER], cwd=directory, stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        self.directory = Path(self.process.stdout.readline().strip())
        eventually(lambda: (directory / "pids").exists(), "the notebook does not start", 30)
        time.sleep(0.3)  # for the spare kernel, too
        self.kernel, self.zygote, self.child = map(int, (directory / "pids").read_text().split())
        self.kernels = [process.pid for process in psutil.Process(self.zygote).children()]

    def everyone(self) -> list[int]:
        return [self.zygote, self.child, *self.kernels]

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()


@pytest.fixture
def running(tmp_path: Path, remains: Any) -> Iterator[Running]:
    started = Running(tmp_path)
    yield started
    started.end()


def test_when_the_runner_is_killed_all_goes(running: Running):
    running.process.kill()
    eventually(lambda: all(map(is_gone, running.everyone())), f"left: {running.everyone()}")
    eventually(lambda: not running.directory.exists(), "its directory is left")


def test_when_the_runner_and_the_zygote_are_killed_the_kernels_go(running: Running):
    os.kill(running.zygote, signal.SIGKILL)
    running.process.kill()
    running.process.wait()
    eventually(lambda: all(map(is_gone, [running.zygote, *running.kernels])), "kernels are left")
    # Nobody was there to remove the directory; the next pool does.
    with KernelPool(size=0):
        assert not running.directory.exists()


def test_when_the_zygote_is_killed_the_notebook_is_lost_and_what_it_started_goes(
    running: Running, tmp_path: Path
):
    os.kill(running.zygote, signal.SIGKILL)
    eventually(lambda: (tmp_path / "out.ipynb").exists(), "nothing is saved")
    running.process.wait(60)
    assert running.process.returncode == 0
    assert all(map(is_gone, running.everyone()))
    assert not running.directory.exists()


@pytest.mark.parametrize("victims", ["kernel", "zygote", "both"])
def test_a_pool_recovers_from_a_kill(victims: str, pool: KernelPool, run: Run, tmp_path: Path):
    outcomes: list[NotebookOutcome] = []
    source = "import os, time; open('pids', 'w').write(f'{os.getpid()} {os.getppid()}'); time.sleep(300)"
    running = threading.Thread(target=lambda: outcomes.append(run(pool, source, "1")))
    running.start()
    pids = tmp_path / "pids"
    eventually(lambda: pids.exists() and " " in pids.read_text(), "the notebook does not start")
    kernel, zygote = map(int, pids.read_text().split())
    for pid in {"kernel": [kernel], "zygote": [zygote], "both": [kernel, zygote]}[victims]:
        os.kill(pid, signal.SIGKILL)
    running.join(60)
    assert not running.is_alive(), "nobody noticed"
    expected = {"kernel": KernelDied, "zygote": WorkerLost, "both": (KernelDied, WorkerLost)}[victims]
    assert isinstance(outcomes[0].error, expected)
    for _ in range(2):
        again = run(pool, "import os; os.getppid()")
        assert again.error is None
        shown = again.notebook["cells"][0]["outputs"][0]["data"]["text/plain"]
        assert (int(shown) == zygote) == (victims == "kernel")


def test_idle_kernels_that_were_killed_are_not_handed_out(pool: KernelPool, run: Run, zygotes_of: Any):
    run(pool, "1")
    (zygote,) = zygotes_of(pool)
    eventually(lambda: bool(zygote.children()), "no kernel waits")
    for process in zygote.children():
        process.kill()
    assert run(pool, "1").error is None


def test_a_zygote_that_dies_while_it_imports_is_no_harm(pool: KernelPool, run: Run):
    site = Path(pytest.__file__).parent.parent
    module = site / "mlops_test_deadly.py"
    module.write_text("import os; os.getenv('JPY_PARENT_PID') or os.abort()")
    try:
        assert run(pool, "'fine'", preload=("mlops_test_deadly",)).error is None
    finally:
        module.unlink()
    assert run(pool, "'fine'").error is None


def test_what_a_dead_process_left_is_swept(remains: Any):
    ended = subprocess.Popen(["true"])
    ended.wait()
    stale = Path(tempfile.gettempdir()) / f"jm-{ended.pid}-abcdef"
    mine = Path(tempfile.gettempdir()) / f"jm-{os.getpid()}-abcdef"
    other = Path(tempfile.gettempdir()) / "jm-notes"
    for path in (stale, mine, other):
        path.mkdir()
    made = new_directory()
    assert not stale.exists()
    assert all(path.exists() for path in (mine, other))
    assert not made.exists()
    for path in (mine, other):
        path.rmdir()


DYING = """
import os, signal
from pathlib import Path
from jupyter_mlops.kernels import KernelPool, KernelRequest, ordinary, pool as pools, stock, zygotes

def die(*given, **more):
    os.kill(os.getpid(), signal.SIGKILL)

def then_die(function):
    return lambda *given, **more: (function(*given, **more), die())

place, name, when = {moment}
setattr(place, name, {{"before": die, "after": then_die(getattr(place, name))}}[when])
pool = KernelPool(size=1, linger_seconds={linger})
pool.run(pool.acquire(KernelRequest(cwd=Path.cwd(), isolation="{isolation}")))
"""
MOMENTS = {  # of a pool's beginning: each is the owner's last
    "named": ("KernelPool, 'acquire', 'before'", "warm"),
    "its zygote was started": ("zygotes, '_launch', 'after'", "warm"),
    "its zygote does not know it yet": ("zygotes.Zygote, 'own', 'before'", "warm"),
    "its zygote knows it": ("zygotes.Zygote, 'own', 'after'", "warm"),
    "made": ("stock, 'make_private', 'after'", "warm"),
    "about to be made for an ordinary kernel": ("pools, 'make_private', 'before'", "cold"),
    "made for an ordinary kernel": ("ordinary, 'start', 'before'", "cold"),
}


@pytest.mark.parametrize(
    ("moment", "linger"),
    [(moment, 0.0) for moment in MOMENTS]
    + [
        pytest.param(name, 0.2, marks=pytest.mark.slow) for name, (_, how) in MOMENTS.items() if how == "warm"
    ],
)
def test_a_pool_that_is_killed_while_it_begins_leaves_nothing(
    moment: str, linger: float, tmp_path_factory: Any
):
    """kill -9 of the owner at any moment: whoever is there by then removes the folder, without a next pool."""
    place = tmp_path_factory.mktemp("t")
    last, isolation = MOMENTS[moment]
    source = DYING.format(moment=last, linger=linger, isolation=isolation)
    environment = {**os.environ, "TMPDIR": str(place), "XDG_RUNTIME_DIR": str(place)}
    ran = subprocess.run(
        [sys.executable, "-c", source], env=environment, cwd=place, stderr=subprocess.PIPE, text=True
    )
    assert ran.returncode == -signal.SIGKILL, ran.stderr

    def others() -> list[psutil.Process]:
        return [one for one in psutil.process_iter() if any(str(place) in word for word in command_of(one))]

    if not linger:  # a zygote that others can come to waits for them
        eventually(lambda: not others(), "somebody stays")
    eventually(lambda: not list(place.glob("jm-*")), f"left: {list(place.rglob('*'))}")
    for one in others():
        one.kill()


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 256 KiB."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(place)], capture_output=True, check=False
    )
    if mounted.returncode != 0:
        pytest.skip("no right to mount a file system")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_a_full_disk_is_told_and_the_old_file_stays(
    pool: KernelPool, run: Run, tiny_disk: Path, tmp_path: Path
):
    target = tiny_disk / "out.ipynb"
    assert run(pool, "'small'", output=target).error is None
    before = target.read_bytes()
    outcome = run(pool, "import random\nprint(random.randbytes(400_000).hex())", output=target)
    assert isinstance(outcome.error, StorageUnavailable)
    assert "out.ipynb" in str(outcome.error)
    assert target.read_bytes() == before
    assert [path.name for path in tiny_disk.iterdir()] == ["out.ipynb"]
    assert len(outcome.text) > 800_000
    # While it runs, too: the notebook goes on, and is saved when there is room again.
    (tiny_disk / "filler").write_bytes(b"x" * (250 << 10 - len(before) // 1024))
    slow = run(
        pool,
        "import time; print('y' * 20_000, flush=True); time.sleep(1.5)",
        f"import os; os.unlink({str(tiny_disk / 'filler')!r})",
        output=target,
        limits=Limits(timeout_seconds=20),
    )
    assert slow.error is None
    assert "y" * 20_000 in json.loads(target.read_text())["cells"][0]["outputs"][0]["text"][0]


def test_a_zygote_whose_starter_never_came_ends_by_itself(tmp_path: Path):
    starter = (
        "import json, subprocess, sys\n"
        "from jupyter_mlops.kernels import zygotes\n"
        "import os\n"
        "options = {'socket': 'z', 'directory': None, 'linger': 0.0, 'bare': False, 'starter': os.getpid()}\n"
        "command = [sys.executable, str(zygotes._SCRIPT), json.dumps(options)]\n"
        "process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)\n"
        "print(process.pid, flush=True)\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", starter], cwd=tmp_path, stdout=subprocess.PIPE, text=True, check=True
    )
    pid = int(ran.stdout)
    eventually(lambda: is_gone(pid), f"the zygote {pid} is left", 20)


SCRIPT = """
import os, signal, subprocess, sys, time
signal.signal(signal.SIGINT, signal.SIG_IGN)
child = subprocess.Popen(["sleep", "300"])
open(sys.argv[1], "w").write(f"{os.getpid()} {os.getppid()} {child.pid}")
time.sleep(300)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there are no process groups")
def test_when_the_runner_is_killed_a_kernel_of_another_language_goes(tmp_path: Path, kernelspecs: Any):
    """One that nobody told to look for its parent: a program that is started by a script of the shell."""
    (tmp_path / "kernel.py").write_text(SCRIPT)
    pids = tmp_path / "pids"
    words = f'"{sys.executable}" "{tmp_path / "kernel.py"}" "{pids}"; true'
    kernelspecs("other", ["sh", "-c", words, "{connection_file}"], language="other")
    source = RUNNER.replace("KernelRequest()", 'KernelRequest(kernel_name="other", language="other")')
    with subprocess.Popen([sys.executable, "-c", source], cwd=tmp_path, stdout=subprocess.DEVNULL) as runner:
        try:
            eventually(lambda: pids.exists() and len(pids.read_text().split()) == 3, "no kernel", seconds=60)
            kernel, shell, child = map(int, pids.read_text().split())
            assert shell != runner.pid
        finally:
            runner.kill()
        for pid, what in ((kernel, "the kernel"), (shell, "the shell"), (child, "what it started")):
            eventually(lambda pid=pid: is_gone(pid), f"{what} lives", seconds=20)


def test_a_lingering_zygote_that_is_stopped_holds_nobody_up(monkeypatch: pytest.MonkeyPatch):
    def acquire(pool: KernelPool) -> int:
        kernel = pool.run(pool.acquire(KernelRequest()))
        assert kernel.is_warm
        return psutil.Process(kernel.pid).ppid()

    with tempfile.TemporaryDirectory(dir="/tmp") as runtime:  # short, for the socket
        monkeypatch.setenv("XDG_RUNTIME_DIR", runtime)
        with KernelPool(size=0, linger_seconds=60) as pool:
            stopped = acquire(pool)
        os.kill(stopped, signal.SIGSTOP)
        monkeypatch.setattr(zygotes, "_HELLO_SECONDS", 0.5)
        try:
            with KernelPool(size=0, linger_seconds=1) as pool:
                assert acquire(pool) != stopped
        finally:
            os.kill(stopped, signal.SIGKILL)
