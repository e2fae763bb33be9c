"""The pool hands out kernels that answer, of the right environment, however they have to be started."""

from __future__ import annotations

import asyncio
import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jupyter_mlops.errors import KernelUnavailable, WorkerLost
from jupyter_mlops.kernels import KernelPool, KernelRequest, interpreter_of
from jupyter_mlops.notebooks.execute import NotebookOutcome

Run = Callable[..., NotebookOutcome]
pytestmark = pytest.mark.timeout(120)


def shown(outcome: NotebookOutcome, cell: int = -1) -> str:
    assert outcome.error is None, outcome.error
    (output,) = outcome.notebook["cells"][cell]["outputs"]
    return str(output["text"] if "text" in output else output["data"]["text/plain"])


def until(path: Path) -> None:
    """Wait for a file that a notebook makes."""
    deadline = time.monotonic() + 60
    while not path.exists():
        assert time.monotonic() < deadline, f"nobody made {path.name}"
        time.sleep(0.02)


def test_kernels_come_from_one_zygote_and_each_notebook_has_its_own(pool: KernelPool, run: Run):
    ids = [shown(run(pool, "import os; (os.getpid(), os.getppid())")) for _ in range(3)]
    pids, parents = zip(*map(eval, ids), strict=True)
    assert len(set(pids)) == 3
    assert len(set(parents)) == 1


def test_an_idle_kernel_is_handed_out(pool: KernelPool, run: Run, zygotes_of: Any):
    run(pool, "1")
    (zygote,) = zygotes_of(pool)
    deadline = time.monotonic() + 60
    while True:
        waiting = {kernel.pid for kernel in zygote.children()}
        if int(shown(run(pool, "import os; os.getpid()"))) in waiting:
            return
        assert time.monotonic() < deadline, "kernels are started only when they are asked for"
        time.sleep(0.4)


@pytest.mark.slow
def test_a_pool_of_size_zero_starts_kernels_when_they_are_asked_for(remains: Any, run: Run):
    with KernelPool(size=0) as pool:
        assert shown(run(pool, "'a'")) == "'a'"
        assert shown(run(pool, "'b'")) == "'b'"
    remains.assert_nothing_new()


def test_more_notebooks_at_once_than_idle_kernels(pool: KernelPool, run: Run):
    results: list[str] = []
    threads = [
        threading.Thread(
            target=lambda i=i: results.append(shown(run(pool, "import time", f"time.sleep(0.2); {i}")))
        )
        for i in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(map(int, results)) == list(range(8))


def test_warming_makes_kernels_ready_before_they_are_asked_for(pool: KernelPool, run: Run, tmp_path: Path):
    pool.warm(KernelRequest(cwd=tmp_path, preload=("numpy",)))
    deadline = time.monotonic() + 30
    while not any(kernel.language_info for kernel in list(pool._kernels)):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert shown(run(pool, "import sys; 'numpy' in sys.modules", preload=("numpy",))) == "True"


@pytest.mark.slow
def test_warming_what_does_not_exist_is_silent(pool: KernelPool, tmp_path: Path):
    pool.warm(KernelRequest(cwd=tmp_path, kernel_name="nope", language="klingon"))


# --- modules ------------------------------------------------------------------------------------------------


def test_a_preloaded_pandas_knows_that_it_prints_to_no_terminal(pool: KernelPool, run: Run):
    """It asks once, when it is imported; in a terminal it would leave out columns."""
    probe = "import sys, pandas; [pandas.get_option('display.max_columns'), 'pandas' in sys.modules]"
    assert shown(run(pool, probe, preload=("pandas",))) == "[20, True]"


def test_modules_that_are_no_good_before_a_fork_are_left_out(
    pool: KernelPool, run: Run, tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    preload = ("distributed", "json", "numpy:array", "nowhere_to_be_found", "tests_of_nobody.inner")
    with caplog.at_level(logging.INFO, "jupyter_mlops.kernels"):
        probe = "import sys; [name in sys.modules for name in ('distributed', 'numpy')]"
        assert shown(run(pool, probe, preload=preload)) == "[False, True]"
    assert "distributed does not survive a fork" in caplog.text
    assert "nowhere_to_be_found not installed" in caplog.text


@pytest.mark.slow
def test_a_module_that_starts_threads_makes_a_new_zygote_without_it(
    pool: KernelPool, run: Run, caplog: pytest.LogCaptureFixture
):
    site = Path(pytest.__file__).parent.parent
    module = site / "mlops_test_threads.py"
    module.write_text(
        "import threading, time\nthreading.Thread(target=time.sleep, args=(60,), daemon=True).start()\n"
    )
    try:
        preload = ("numpy", "mlops_test_threads")
        with caplog.at_level(logging.INFO, "jupyter_mlops.kernels"):
            outcome = run(pool, "import sys; ('numpy' in sys.modules, 'mlops_test_threads' in sys.modules)",
                          preload=preload)  # fmt: skip
        assert shown(outcome) == "(True, False)"
        assert "mlops_test_threads starts threads when imported" in caplog.text
    finally:
        module.unlink()


@pytest.mark.slow
def test_an_installation_makes_a_new_zygote_and_leaves_running_notebooks_alone(
    pool: KernelPool, run: Run, tmp_path: Path
):
    site = Path(pytest.__file__).parent.parent
    parent = "import os; os.getppid()"
    first = shown(run(pool, parent, preload=("numpy",)))
    outcomes: list[NotebookOutcome] = []
    running = threading.Thread(
        target=lambda: outcomes.append(
            run(pool, "open('begun', 'w').close(); import time; time.sleep(2.5)", "'still here'")
        )
    )
    running.start()
    until(tmp_path / "begun")
    marker = site / "mlops_test_installed.py"
    marker.write_text("VALUE = 1")
    try:
        # As ``%pip install`` in a notebook does: something new in site-packages.
        assert (
            shown(run(pool, "import mlops_test_installed as m; m.VALUE", preload=("mlops_test_installed",)))
            == "1"
        )
        second = shown(run(pool, parent))
    finally:
        marker.unlink()
    assert first != second
    running.join()
    assert shown(outcomes[0]) == "'still here'"


# --- kernels of other kinds -----------------------------------------------------------------------------------


ECHO = """
from ipykernel.kernelbase import Kernel
from ipykernel.kernelapp import IPKernelApp

class Echo(Kernel):
    implementation, implementation_version, banner = "echo", "1", ""
    language_info = {"name": "echo", "mimetype": "text/plain", "file_extension": ".txt"}

    def do_execute(self, code, silent, store_history=True, user_expressions=None, allow_stdin=False, **_):
        if code == "fail":
            content = {"ename": "Oops", "evalue": "it failed", "traceback": ["Oops: it failed"]}
            self.send_response(self.iopub_socket, "error", content)
            return {"status": "error", "execution_count": self.execution_count, **content}
        self.send_response(self.iopub_socket, "stream", {"name": "stdout", "text": code.upper()})
        return {"status": "ok", "execution_count": self.execution_count, "payload": [], "user_expressions": {}}

IPKernelApp.launch_instance(kernel_class=Echo)
"""


def test_a_kernel_of_another_language_starts_the_ordinary_way(
    pool: KernelPool, run: Run, kernelspecs: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    script = tmp_path / "echo.py"
    script.write_text(ECHO)
    kernelspecs("echo", [sys.executable, str(script), "-f", "{connection_file}"], language="echo")
    with caplog.at_level(logging.INFO, "jupyter_mlops.kernels"):
        outcome = run(pool, "shout", "and again", kernel_name="echo", language="echo")
    assert shown(outcome, 0) == "SHOUT"
    assert outcome.notebook["metadata"]["language_info"]["name"] == "echo"
    assert "ordinary kernel start for echo: it is not an ipykernel" in caplog.text
    failed = run(pool, "fail", "never", kernel_name="echo", language="echo")
    assert "Oops: it failed" in str(failed.error)
    assert interpreter_of("echo", "echo") == ""


@pytest.mark.slow
def test_an_unknown_kernel_of_python_is_this_environments(
    pool: KernelPool, run: Run, caplog: pytest.LogCaptureFixture
):
    outcome = run(pool, "import sys; sys.executable", kernel_name="conda-env-of-my-colleague")
    assert shown(outcome) == repr(sys.executable)
    assert "no kernel is called 'conda-env-of-my-colleague'" in caplog.text
    cold = run(pool, "import sys; sys.executable", kernel_name="conda-env-of-my-colleague", isolation="cold")
    assert shown(cold) == repr(sys.executable)


def test_an_unknown_kernel_of_another_language_is_an_error(pool: KernelPool, tmp_path: Path):
    with pytest.raises(KernelUnavailable, match="no kernel is called 'pyhton4'") as caught:
        pool.run(pool.acquire(KernelRequest(kernel_name="pyhton4", language="R", cwd=tmp_path)))
    assert "python3" in caught.value.hint


@pytest.mark.slow
def test_the_environment_of_a_kernelspec_reaches_its_kernels(pool: KernelPool, run: Run, kernelspecs: Any):
    argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    kernelspecs("mine", argv, env={"FLAVOR": "sweet", "SHARED": "spec"})
    probe = "import os; (os.environ['FLAVOR'], os.environ['SHARED'])"
    assert shown(run(pool, probe, kernel_name="mine", env={"SHARED": "task"})) == "('sweet', 'task')"
    cold = run(pool, probe, kernel_name="mine", env={"SHARED": "task"}, isolation="cold")
    assert shown(cold) == "('sweet', 'task')"


@pytest.mark.slow
def test_options_of_a_kernelspec_reach_its_kernels(pool: KernelPool, run: Run, kernelspecs: Any):
    option = "--InteractiveShell.ast_node_interactivity=all"
    kernelspecs("all", [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}", option])
    outcome = run(pool, "1\n2", kernel_name="all")
    assert outcome.error is None
    shown_ = [out["data"]["text/plain"] for out in outcome.notebook["cells"][0]["outputs"]]
    assert shown_ == ["1", "2"]


@pytest.mark.slow
def test_a_kernelspec_whose_python_is_gone_is_told(pool: KernelPool, run: Run, kernelspecs: Any):
    kernelspecs("gone", ["/nowhere/python", "-m", "ipykernel_launcher", "-f", "{connection_file}"])
    error = run(pool, "1", kernel_name="gone").error
    assert isinstance(error, KernelUnavailable)
    assert "'gone' does not start" in str(error)


def test_an_environment_without_ipykernel_is_told(
    pool: KernelPool, run: Run, kernelspecs: Any, caplog: pytest.LogCaptureFixture
):
    python = os.path.realpath(sys.executable)  # of the base installation: site-packages of its own
    if (
        subprocess.run([python, "-I", "-c", "import ipykernel"], capture_output=True, check=False).returncode
        == 0
    ):
        pytest.skip("the base Python has ipykernel")
    kernelspecs("plain", [python, "-m", "ipykernel_launcher", "-f", "{connection_file}"])
    with caplog.at_level(logging.INFO, "jupyter_mlops.kernels"):
        outcome = run(pool, "1", kernel_name="plain")
    assert outcome.error is not None
    assert "No module named 'ipykernel'" in caplog.text


@pytest.mark.slow
def test_an_environment_without_us_runs_warm(
    pool: KernelPool, run: Run, kernelspecs: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    """A Python of its own that sees ipykernel's dependencies, but neither jupyter_mlops nor what it was not given."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "env")], check=True)
    python = tmp_path / "env" / "bin" / "python"
    (site,) = (tmp_path / "env" / "lib").glob("python*/site-packages")
    source = Path(pytest.__file__).parent.parent
    wanted = ("ipykernel", "IPython", "ipython_pygments_lexers.py", "traitlets", "tornado", "zmq", "pyzmq.libs",
              "jupyter_client", "jupyter_core", "comm", "psutil", "matplotlib_inline", "nest_asyncio.py", "pygments",
              "packaging", "platformdirs", "decorator.py", "dateutil", "six.py", "stack_data", "executing",
              "asttokens", "pure_eval", "prompt_toolkit", "wcwidth", "jedi", "parso", "pexpect", "ptyprocess",
              "typing_extensions.py", "debugpy", "_pydev_bundle")  # fmt: skip
    for name in wanted:
        if (source / name).exists():
            (site / name).symlink_to(source / name)
    for path in source.glob("*.dist-info"):
        if path.name.startswith(("ipykernel", "ipython", "comm", "jupyter_client", "debugpy")):
            (site / path.name).symlink_to(path)
    kernelspecs("other", [str(python), "-m", "ipykernel_launcher", "-f", "{connection_file}"])
    with caplog.at_level(logging.INFO, "jupyter_mlops.kernels"):
        outcome = run(
            pool,
            "import sys, importlib.util as u; print(sys.prefix, u.find_spec('jupyter_mlops'))",
            kernel_name="other",
            preload=("numpy", "psutil"),
        )
    assert shown(outcome) == f"{tmp_path / 'env'} None\n"
    assert "ordinary kernel start" not in caplog.text
    assert "numpy not installed" in caplog.text


# --- the end --------------------------------------------------------------------------------------------------


def test_closing_ends_what_runs_and_says_that_it_was_lost(remains: Any, run: Run, tmp_path: Path):
    pool = KernelPool(size=1)
    outcomes: list[NotebookOutcome] = []
    code = "open('begun', 'w').close(); import time; time.sleep(300)"
    running = threading.Thread(target=lambda: outcomes.append(run(pool, code)))
    running.start()
    until(tmp_path / "begun")
    pool.close()
    running.join(60)
    assert isinstance(outcomes[0].error, WorkerLost)
    with pytest.raises(KernelUnavailable, match="pool is closed"):
        run(pool, "1")
    pool.close()
    remains.assert_nothing_new()


def test_a_pool_that_nobody_closes_leaves_nothing(tmp_path: Path, remains: Any):
    script = (
        "from jupyter_mlops.kernels import KernelPool, KernelRequest\n"
        "pool = KernelPool()\n"
        "kernel = pool.run(pool.acquire(KernelRequest()))\n"
        "print(pool.directory, kernel.pid)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True
    )
    directory, pid = done.stdout.split()
    assert done.stderr == ""
    assert not Path(directory).exists()
    _assert_gone(int(pid))


def _assert_gone(pid: int) -> None:
    deadline = time.monotonic() + 3
    while Path("/proc", str(pid)).exists():
        assert time.monotonic() < deadline, f"process {pid} is still there"
        time.sleep(0.02)


@pytest.mark.slow
def test_an_acquisition_that_is_cancelled_leaves_no_kernel(pool: KernelPool, run: Run, tmp_path: Path):
    async def give_up(after: float) -> None:
        acquiring = asyncio.ensure_future(pool.acquire(KernelRequest(cwd=tmp_path)))
        await asyncio.sleep(after)
        if acquiring.done():
            await pool.release(acquiring.result())
        acquiring.cancel()

    for after in (0.0, 0.01, 0.3, 0.0, 0.02, 0.05):
        pool.run(give_up(after))
    assert shown(run(pool, "'fine'")) == "'fine'"
