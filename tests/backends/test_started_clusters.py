"""Clusters that a run starts: processes, TLS, SLURM; workers that come, go, and do not fit."""

from __future__ import annotations

import contextlib
import gc
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType
from typing import Any

import nbformat
import psutil
import pytest

from jupyter_mlops import Workspace
from jupyter_mlops.backends import BACKENDS
from jupyter_mlops.backends.clusters import find_cluster, parse_cluster
from jupyter_mlops.backends.environment import misfits
from jupyter_mlops.backends.running import RunningCluster
from jupyter_mlops.catalog.records import Run, TaskRun
from jupyter_mlops.errors import InvalidSettings, Unavailable

from . import gateway, sshd
from . import slurm as real
from .processes import dask_processes, dask_worker

pytestmark = pytest.mark.slow
FLIGHTS = Path(__file__).parents[2] / "notebooks" / "flights"
PIPELINE = """\
name: fan
parameters: {seconds: {type: float, default: 0.2}}
tasks:
  work:
    notebook: work.ipynb
    matrix: {number: [1, 2, 3, 4, 5, 6]}
    parameters: {number: "${matrix.number}", seconds: "${params.seconds}"}
    retries: 1
  total:
    notebook: total.ipynb
    parameters: {numbers: "${tasks.work.results.double}"}
"""


def _notebook(path: Path, parameters: str, code: str) -> None:
    cells = [
        nbformat.v4.new_code_cell(parameters, metadata={"tags": ["parameters"]}),
        nbformat.v4.new_code_cell(code),
    ]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)


@pytest.fixture
def project(tmp_path: Path) -> Callable[[str], Path]:
    """A workspace with a cluster of that table."""

    def make(table: str) -> Path:
        folder = tmp_path / "project"
        folder.mkdir()
        (folder / "mlops.toml").write_text(f'cluster = "mine"\nkernel_pool = 0\n\n[clusters.mine]\n{table}\n')
        (folder / "pipeline.yaml").write_text(PIPELINE)
        _notebook(
            folder / "work.ipynb", "number: int = 0\nseconds: float = 0.0",
            "import os, time, jupyter_mlops as mlops\ntime.sleep(seconds)\n"
            "mlops.result('double', 2 * number)\nmlops.result('parent', os.environ.get('SLURM_JOB_ID', ''))",
        )  # fmt: skip
        _notebook(folder / "total.ipynb", "numbers: list = []", "mlops.result('total', sum(numbers))")
        text = (folder / "total.ipynb").read_text()
        (folder / "total.ipynb").write_text(
            text.replace("mlops.result", "import jupyter_mlops as mlops\\nmlops.result")
        )
        return folder

    return make


def _run(folder: Path, **arguments: Any) -> tuple[Run, list[TaskRun]]:
    with Workspace.open(folder) as workspace, ThreadPoolExecutor(1) as aside:
        running = aside.submit(workspace.runs.run, folder / "pipeline.yaml", arguments)
        try:
            run = running.result(200)
        except TimeoutError:
            told = _standing()
            for one in workspace.catalog.find(Run):
                workspace.runs.request_cancel(one.run_id)
            pytest.fail(f"not over after 200 s: {told}")
        return run, workspace.catalog.find(TaskRun, where={"run_id": run.run_id}, order_by="position")


def _standing() -> str:
    """What the schedulers in this process know: a run that stands still would not say."""
    told = []
    for cluster in [each for each in gc.get_objects() if type(each).__name__ == "LocalCluster"]:
        told += [
            f"nanny {name}: {nanny.status}, {nanny.process!r}" for name, nanny in cluster.workers.items()
        ]
        scheduler = cluster.scheduler
        told += [f"{each.address} {each.status} {each.metrics}" for each in scheduler.workers.values()]
        told += [f"{key}: {task.state} {task.resource_restrictions}" for key, task in scheduler.tasks.items()]
    return "\n".join(told)


def test_worker_processes_are_started_grow_with_the_work_and_end(project: Callable[[str], Path]) -> None:
    folder = project('type = "processes"\nworkers = [0, 2]\ncpu = 1')
    run, tasks = _run(folder)
    assert run.state == "succeeded"
    assert tasks[-1].results == {"total": 42}
    workers = {task.worker for task in tasks}
    assert len(workers) == 2, workers
    assert all(worker.startswith("tcp://127.0.0.1:") for worker in workers)


def test_worker_processes_are_started_after_a_reset_of_the_notebook(
    project: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """``%reset`` leaves a `__main__` in which there is nothing."""
    emptied = ModuleType("__main__")
    vars(emptied).clear()
    monkeypatch.setitem(sys.modules, "__main__", emptied)
    run, _ = _run(project('type = "processes"\nworkers = [0, 1]'))
    assert run.state == "succeeded"


def test_workers_none_of_which_starts_end_the_run(project: Callable[[str], Path]) -> None:
    folder = project('type = "processes"\nworkers = [0, 2]\npreload = ["a_module_that_nobody_has"]')
    run, tasks = _run(folder)
    assert run.state == "failed"
    assert {task.state for task in tasks if task.task != "total"} == {"failed"}
    assert "no worker of the cluster 'mine' starts" in str(tasks[0].error), tasks[0]


@pytest.fixture
def certificates(tmp_path: Path) -> Path:
    """One authority, and one certificate that scheduler, workers and clients share."""
    openssl = shutil.which("openssl")
    assert openssl, "openssl makes the certificates"
    folder = tmp_path / "tls"
    folder.mkdir()
    for name in ("ours", "others"):
        subprocess.run(
            [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
             "-keyout", folder / f"{name}.key", "-out", folder / f"{name}.pem"],
            check=True, capture_output=True,
        )  # fmt: skip
    return folder


@pytest.fixture
def encrypted(certificates: Path) -> Iterator[str]:
    """A scheduler and a worker that speak TLS only."""
    pem, key = f"{certificates}/ours.pem", f"{certificates}/ours.key"
    with dask_processes(
        certificates, f"--tls-ca-file={pem}", f"--tls-cert={pem}", f"--tls-key={key}"
    ) as address:
        yield address


def test_tls_with_the_right_certificate_and_with_another(
    project: Callable[[str], Path], encrypted: str, certificates: Path
) -> None:
    table = 'address = "{}"\ntls = {{ca = "{d}/{n}.pem", cert = "{d}/{n}.pem", key = "{d}/{n}.key"}}'
    folder = project(table.format(encrypted, d=certificates, n="ours"))
    run, tasks = _run(folder)
    assert run.state == "succeeded"
    assert tasks[-1].results == {"total": 42}
    assert tasks[0].worker.startswith("tls://")
    other = {"address": encrypted, "tls": {part: f"{certificates}/others.{end}" for part, end in
                                           (("ca", "pem"), ("cert", "pem"), ("key", "key"))}}  # fmt: skip
    with pytest.raises((OSError, TimeoutError)):
        RunningCluster(parse_cluster("other", other)).client(2)


def test_a_worker_whose_environment_does_not_fit_is_refused(tmp_path: Path) -> None:
    """A worker that has another jupyter-mlops: what its metadata say comes first on its path."""
    fake = tmp_path / "old" / "jupyter_mlops-0.0.1.dist-info"
    fake.mkdir(parents=True)
    (fake / "METADATA").write_text("Metadata-Version: 2.1\nName: jupyter-mlops\nVersion: 0.0.1\n")
    (tmp_path / "dask").mkdir()
    with dask_processes(tmp_path / "dask", PYTHONPATH=str(fake.parent)) as address:
        with RunningCluster(find_cluster(address, {})).client(10) as client:
            client.wait_for_workers(1, timeout=60)
            (why,) = misfits(client, list(client.scheduler_info(n_workers=-1)["workers"])).values()
        assert "jupyter-mlops 0.0.1 there" in why
        with pytest.raises(Unavailable, match=r"no worker of .* can run our tasks.*0\.0\.1 there"):
            BACKENDS.get("dask")(None, address=address)


def _demand(missing: list[str]) -> None:
    if missing:
        why = f"not there: {', '.join(missing)}"
        pytest.fail(why) if os.environ.get("CI") else pytest.skip(why)


def test_workers_that_are_started_by_ssh(project: Callable[[str], Path], tmp_path: Path) -> None:
    """On the machines that `hosts` names, with keys; another key is refused."""
    _demand(sshd.missing())
    keys = tmp_path / "keys"
    keys.mkdir()
    with sshd.sshd(keys) as options:
        way = ", ".join(f"{name} = {json.dumps(value)}" for name, value in options.items())
        hosts = 'type = "ssh"\nhosts = ["127.0.0.1", "127.0.0.1", "127.0.0.1"]\ncpu = 1\n'
        folder = project(f"{hosts}connect_options = {{{way}}}")
        run, tasks = _run(folder)
        assert run.state == "succeeded"
        assert tasks[-1].results == {"total": 42}
        assert len({task.worker for task in tasks}) == 2
        assert (keys / "log").read_text().count("Accepted publickey") == 3
        other = {
            "type": "ssh",
            "hosts": ["127.0.0.1"] * 2,
            "connect_options": {**options, "client_keys": [str(keys / "other")]},
        }
        with pytest.raises(Unavailable, match=r"'mine' does not start: .*Permission denied"):
            RunningCluster(parse_cluster("mine", other))
    assert not _processes_of("dask_spec")


@pytest.fixture
def one_host(project: Callable[[str], Path], tmp_path: Path) -> Iterator[tuple[Path, Path]]:
    """A workspace with a cluster of one worker by SSH, and the folder of its sshd. The first task that begins waits
    until it is killed. When there is a file ``broken``, Python does not start any more."""
    _demand(sshd.missing())
    keys = tmp_path / "keys"
    keys.mkdir()
    python = keys / "python"
    python.write_text(f'#!/bin/sh\n[ -e {keys}/broken ] && exit 3\nexec {sys.executable} "$@"\n')
    python.chmod(0o755)
    with sshd.sshd(keys) as options:
        way = ", ".join(f"{name} = {json.dumps(value)}" for name, value in options.items())
        folder = project(
            f'type = "ssh"\nhosts = ["127.0.0.1", "127.0.0.1"]\ncpu = 1\nrestarts = 2\n'
            f'remote_python = "{python}"\nconnect_options = {{{way}}}'
        )
        _notebook(
            folder / "work.ipynb", "number: int = 0\nseconds: float = 0.0",
            "import time, jupyter_mlops as mlops\nfrom pathlib import Path\n"
            f"keys = Path({str(keys)!r})\nif not (keys / 'begun').exists():\n"
            "    (keys / 'begun').touch()\n    time.sleep(1000)\n"
            "with (keys / 'done').open('a') as done:\n    done.write(f'{number}\\n')\n"
            "mlops.result('double', 2 * number)",
        )  # fmt: skip
        yield folder, keys


def _until(is_so: Callable[[], bool], what: str) -> None:
    until = time.monotonic() + 120
    while not is_so():
        assert time.monotonic() < until, what
        time.sleep(0.05)


def _nanny(keys: Path) -> psutil.Process:
    """What starts the worker, once the first task has begun."""
    _until((keys / "begun").exists, "no task begins")
    server = psutil.Process(int((keys / "pid").read_text()))
    (nanny,) = [each for each in server.children(recursive=True) if _is_nanny(each)]
    return nanny


def _is_nanny(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.NoSuchProcess, psutil.ZombieProcess):
        words = process.cmdline()
        return "distributed.cli.dask_spec" in words and any("distributed.Nanny" in word for word in words)
    return False


def _kill(nanny: psutil.Process) -> None:
    """It and its worker, with the kernels."""
    for process in [nanny, *nanny.children(recursive=True)]:
        with contextlib.suppress(psutil.NoSuchProcess):  # it ends with the first of them
            process.kill()


def test_the_only_worker_by_ssh_is_killed_and_comes_back(
    one_host: tuple[Path, Path], caplog: pytest.LogCaptureFixture
) -> None:
    folder, keys = one_host
    with ThreadPoolExecutor(1) as aside:
        killing = aside.submit(lambda: _kill(_nanny(keys)))
        run, tasks = _run(folder)
        killing.result()
    assert run.state == "succeeded", caplog.text
    assert tasks[-1].results == {"total": 42}
    assert sorted((keys / "done").read_text().split()) == ["1", "2", "3", "4", "5", "6"]  # once each
    assert sorted(task.attempt for task in tasks) == [1] * 6 + [2]
    assert "the worker on 127.0.0.1 is lost" in caplog.text
    assert (keys / "log").read_text().count("Accepted publickey") == 3
    assert not _processes_of("dask_spec")


def test_a_host_whose_worker_never_starts_again_ends_the_run(
    one_host: tuple[Path, Path], caplog: pytest.LogCaptureFixture
) -> None:
    """Before that only its connection breaks: then it works on, and there is no second one beside it."""
    folder, keys = one_host

    def break_it() -> None:
        nanny = _nanny(keys)
        nanny.parents()[0].kill()
        _until(lambda: "works on without its connection" in caplog.text, "nobody noticed")
        assert nanny.is_running()
        (keys / "broken").touch()
        _kill(nanny)

    with ThreadPoolExecutor(1) as aside:
        breaking = aside.submit(break_it)
        run, tasks = _run(folder)
        breaking.result()
    assert run.state == "failed"
    told = str(tasks[0].error)
    assert "no worker of the cluster 'mine' starts: 127.0.0.1 is given up" in told, told
    assert "started again 2 times in a row in vain" in told
    assert "status 3" in told
    assert (keys / "log").read_text().count("Accepted publickey") == 4
    assert not (keys / "done").exists()


def _processes_of(word: str) -> list[str]:
    found = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    return [line for line in found.splitlines() if word in line and f"{os.getpid()}" in line]


def test_workers_of_a_gateway(project: Callable[[str], Path], tmp_path: Path) -> None:
    """It starts a cluster for the run, with workers as there is work, and ends it."""
    pytest.importorskip("dask_gateway_server")
    place = tmp_path / "gateway"
    place.mkdir()
    with gateway.gateway(place) as address:
        folder = project(f'type = "gateway"\naddress = "{address}"\nworkers = [0, 2]')
        run, tasks = _run(folder)
        assert run.state == "succeeded"
        assert tasks[-1].results == {"total": 42}
        assert len({task.worker for task in tasks}) == 2
        assert gateway.clusters_of(address) == {}
        with pytest.raises(Unavailable, match="does not start"):
            RunningCluster(parse_cluster("mine", {"type": "gateway", "address": address, "image": "x"}))


_GPU = """\
name: fan
tasks:
  plain: {notebook: work.ipynb, parameters: {number: 1}, resources: {cpu: 1}}
  fast: {notebook: work.ipynb, parameters: {number: 2}, resources: {cpu: 1, gpu: 1}}
"""


def test_a_task_that_needs_a_gpu_waits_for_a_worker_that_has_one(
    project: Callable[[str], Path], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """There is none here, and dask only counts: whether the GPU is used is the notebook's business."""
    place = tmp_path / "dask"
    place.mkdir()
    with dask_processes(place) as address, ThreadPoolExecutor(1) as pool:
        folder = project(f'address = "{address}"')
        (folder / "pipeline.yaml").write_text(_GPU)
        with Workspace.open(folder) as workspace:

            def states() -> dict[str, str]:
                return {task.task: task.state for task in workspace.catalog.find(TaskRun)}

            going = pool.submit(workspace.runs.run, folder / "pipeline.yaml")
            until = time.monotonic() + 60
            while states().get("plain") != "succeeded" and not going.done():
                assert time.monotonic() < until
                time.sleep(0.1)
            assert not going.done()
            assert states()["fast"] == "queued"  # although two cores are free
            assert "no worker of" in caplog.text
            assert "declares a GPU yet" in caplog.text
            with dask_worker(place, address, "with-gpu", "cpu=1 gpu=1"):
                assert going.result(60).state == "succeeded"
            workers = {task.task: task.worker for task in workspace.catalog.find(TaskRun)}
    assert workers["fast"] != workers["plain"]


def test_options_that_its_class_does_not_know() -> None:
    with pytest.raises((InvalidSettings, Unavailable)) as raised:
        RunningCluster(parse_cluster("here", {"type": "ssh", "hosts": ["127.0.0.1"], "wrokers": 3}))
    assert "clusters.here" in f"{raised.value} {raised.value.hint}"


@pytest.fixture
def batch(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[dict[str, str]]:
    gone = real.missing()
    if gone or os.geteuid() != 0:
        why = f"SLURM is not there: {', '.join(gone)}" if gone else "its daemons are started by root"
        pytest.fail(why) if os.environ.get("CI") else pytest.skip(why)
    with real.slurm(tmp_path_factory.mktemp("slurm")) as env:
        for name in ("SLURM_CONF", "PATH"):
            monkeypatch.setenv(name, env[name])
        yield env


@pytest.mark.timeout(400)
def test_flights_go_through_slurm_and_a_job_that_is_killed_loses_nothing(
    batch: dict[str, str], tmp_path: Path
) -> None:
    folder = tmp_path / "flights"
    shutil.copytree(FLIGHTS, folder, ignore=shutil.ignore_patterns("*.duckdb*", ".mlops", "__pycache__"))
    (folder / "mlops.toml").write_text(
        'cluster = "batch"\nkernel_pool = 0\n\n[clusters.batch]\ntype = "slurm"\nworkers = [0, 2]\ncpu = 1\n'
        'memory = "1300Mi"\nqueue = "main"\nwalltime = "00:10:00"\ninterface = "lo"\n'
        f'log_directory = "{tmp_path}/jobs"\nlocal_directory = "{tmp_path}"\n'
    )
    script = str(Path(sys.executable).with_name("jupyter-mlops"))
    with (tmp_path / "out").open("w") as out:
        going = subprocess.Popen([script, "run", "--json"], cwd=folder, stdout=out, stderr=subprocess.STDOUT)
    try:
        killed = _kill_a_job_that_runs(going, folder, batch, seconds=300)
    finally:
        going.kill()
        going.wait()
        subprocess.run([script, "deployments", "remove", "flights-delay"], cwd=folder, capture_output=True)
    assert going.returncode == 0, (tmp_path / "out").read_text()
    assert killed
    with Workspace.open(folder) as workspace:
        (run,) = workspace.catalog.find(Run)
        tasks = workspace.catalog.find(TaskRun, where={"run_id": run.run_id}, order_by="position")
    assert sorted(task.state for task in tasks) == ["skipped", *["succeeded"] * 6]
    assert max(task.attempt for task in tasks) > 1  # the one whose job was killed
    deadline = time.monotonic() + 60
    while subprocess.run(["squeue", "-h"], capture_output=True, text=True, env=batch).stdout.strip():
        assert time.monotonic() < deadline, "its jobs are still there"
        time.sleep(0.5)


def _kill_a_job_that_runs(
    going: subprocess.Popen[bytes], folder: Path, batch: dict[str, str], *, seconds: float
) -> bool:
    """Once a task runs, one of its jobs is killed; whether that was done when the run has ended."""
    killed, deadline = False, time.monotonic() + seconds
    while going.poll() is None:
        assert time.monotonic() < deadline, "the run does not end"
        told = subprocess.run(
            ["squeue", "-h", "-t", "R", "-o", "%i"], capture_output=True, text=True, env=batch
        )
        jobs = told.stdout.split()
        if not killed and jobs and _begun(folder):
            subprocess.run(["scancel", "--signal=KILL", "--full", jobs[0]], check=True, env=batch)
            killed = True
        time.sleep(0.3)
    return killed


def _begun(folder: Path) -> bool:
    if not (folder / ".mlops" / "catalog.db").exists():
        return False
    with Workspace.open(folder) as workspace:
        return bool(workspace.catalog.count(TaskRun, where={"state": "running"}))
