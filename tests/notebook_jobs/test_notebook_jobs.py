"""jupyter-scheduler's own REST API, with our scheduler behind it, in a real server."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from jupyter_mlops.catalog.records import Run, TaskRun
from jupyter_mlops.workspace import Workspace

pytestmark = pytest.mark.slow
pytest.importorskip("jupyter_scheduler")
Ask = Callable[..., Any]


def write(path: Path, *sources: str) -> None:
    cells = [
        {
            "cell_type": "code", "id": f"c{number}", "source": source, "outputs": [], "execution_count": None,
            "metadata": {"tags": ["parameters"]} if number == 0 else {},
        }
        for number, source in enumerate(sources)
    ]  # fmt: skip
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    body = {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
    path.write_text(json.dumps(body))


@pytest.fixture(scope="module")
def jobs_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("notebook-jobs") / "root"
    root.mkdir()
    (root / "mlops.toml").write_text("zygote_linger_seconds = 0\n")
    return root


@pytest.fixture(scope="module")
def ask(jobs_root: Path) -> Iterator[Ask]:
    """``ask("GET", "scheduler/jobs", body)`` of a server; its answer."""
    home = jobs_root.parent
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    words = [
        sys.executable, "-m", "jupyter", "server", "--no-browser", "--ServerApp.token=t", f"--port={port}",
        f"--ServerApp.root_dir={jobs_root}", "--allow-root",
        "--ServerApp.jpserver_extensions={'jupyter_scheduler': True, 'jupyter_mlops': False}",
        "--SchedulerApp.scheduler_class=jupyter_mlops.notebook_jobs.MlopsScheduler",
        f"--SchedulerApp.db_url=sqlite:///{home / 'scheduler.sqlite'}",
    ]  # fmt: skip
    data = {"JUPYTER_DATA_DIR": str(home / "data"), "JUPYTER_RUNTIME_DIR": str(home / "runtime")}
    log = (home / "server.log").open("wb")
    server = subprocess.Popen(
        words, stdout=log, stderr=subprocess.STDOUT, env={**os.environ, **data}, cwd=jobs_root, start_new_session=True
    )  # fmt: skip
    try:
        _demand_ready(home / "server.log", server, port)

        def call(method: str, path: str, body: Any = None) -> Any:
            request = urllib.request.Request(
                f"http://127.0.0.1:{port}/{path}", method=method, headers={"Authorization": "token t"},
                data=None if body is None else json.dumps(body).encode(),
            )  # fmt: skip
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.loads(answer.read() or b"null")

        yield call
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(30)
        log.close()


def _demand_ready(log: Path, server: subprocess.Popen[bytes], port: int) -> None:
    until = time.monotonic() + 90
    while time.monotonic() < until and server.poll() is None:
        with socket.socket() as client:
            if client.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise AssertionError(log.read_text()[-4000:])


def ended(ask: Ask, job_id: str) -> Any:
    until = time.monotonic() + 90
    while time.monotonic() < until:
        job = ask("GET", f"scheduler/jobs/{job_id}")
        is_begun = job["status"] != "STOPPED" or job["start_time"]  # until its process starts it is "stopped"
        if is_begun and job["status"] in ("COMPLETED", "FAILED", "STOPPED"):
            return job
        time.sleep(0.2)
    raise AssertionError(job)


def start(ask: Ask, name: str, **more: Any) -> str:
    body = {
        "name": name, "input_uri": f"{name}.ipynb", "runtime_environment_name": "base",
        "output_formats": ["ipynb", "html"], **more,
    }  # fmt: skip
    return str(ask("POST", "scheduler/jobs", body)["job_id"])


def test_a_job_is_a_run(ask, jobs_root):
    write(jobs_root / "week.ipynb", "week: int = 1", "print('the week is', week + 1)")
    job = ended(ask, start(ask, "week", parameters={"week": 41}))
    assert job["status"] == "COMPLETED", job
    with Workspace.open(jobs_root) as workspace:
        (run,) = workspace.catalog.find(Run, where={"pipeline": "week"})
        (task,) = workspace.catalog.find(TaskRun, where={"run_id": run.run_id})
    assert (run.state, task.arguments) == ("succeeded", {"week": 41})
    assert job["status_message"] == f"run {run.run_id}"
    ask("GET", f"scheduler/jobs/{job['job_id']}/download_files")
    until = time.monotonic() + 30
    while time.monotonic() < until:
        job = ask("GET", f"scheduler/jobs/{job['job_id']}")
        files = {each["file_format"]: each["file_path"] for each in job["job_files"] if each["file_path"]}
        if {"ipynb", "html"} <= set(files):
            break
        time.sleep(0.2)
    assert "the week is 42" in (jobs_root / files["ipynb"]).read_text()
    assert "the week is 42" in (jobs_root / files["html"]).read_text()


def test_a_job_that_fails_says_why(ask, jobs_root):
    write(jobs_root / "wrong.ipynb", "x: int = 1", "1 / 0")
    job = ended(ask, start(ask, "wrong"))
    assert job["status"] == "FAILED"
    assert "ZeroDivisionError" in job["status_message"]
    job = ended(ask, start(ask, "wrong", parameters={"y": 1}))
    assert job["status"] == "FAILED"
    assert "'y'" in job["status_message"]


def test_a_job_that_is_stopped_is_a_run_that_is_cancelled(ask, jobs_root):
    write(jobs_root / "long.ipynb", "x: int = 1", "import time\nopen('begun', 'w').close()\ntime.sleep(600)")
    job_id = start(ask, "long")
    until = time.monotonic() + 60
    with Workspace.open(jobs_root) as workspace:
        while time.monotonic() < until:
            tasks = workspace.catalog.find(TaskRun, where={"name": "long", "state": "running"})
            if tasks:
                break
            time.sleep(0.1)
        request = {"status": "STOPPED"}
        ask("PATCH", f"scheduler/jobs/{job_id}", request)
        while time.monotonic() < until:
            run = workspace.catalog.get(Run, tasks[0].run_id)
            if run.state == "cancelled":
                break
            time.sleep(0.1)
    assert run.state == "cancelled"
    assert ended(ask, job_id)["status"] == "STOPPED"
