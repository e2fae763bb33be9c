"""A disk that is full, a database that somebody holds, files that are no pipelines: one clear message each."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

import pytest

from jupyter_mlops.blobs import BlobStore
from jupyter_mlops.catalog import Catalog
from jupyter_mlops.catalog.records import Run, TaskRun
from jupyter_mlops.errors import CatalogUnavailable, StorageUnavailable
from jupyter_mlops.kernels import KernelPool
from jupyter_mlops.runner import Runs
from jupyter_mlops.settings import Settings

CLI = Path(sys.executable).with_name("jupyter-mlops")


@pytest.fixture(scope="module")
def pool():
    with KernelPool(size=1) as pool:
        yield pool


@pytest.fixture
def tiny_disk():
    """A file system of 2 MB."""
    folder = Path(tempfile.mkdtemp(prefix="tiny-"))
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", folder], capture_output=True, check=False
    )
    if done.returncode:
        folder.rmdir()
        pytest.skip("mounting a tmpfs needs root")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)
    shutil.rmtree(folder, ignore_errors=True)


def make_runs(root: Path, pool: KernelPool, *, busy_seconds: float = 20.0, **overrides) -> Runs:
    (root / "mlops.toml").touch()
    settings = Settings.load(root, env={}, overrides={"workers": 2, **overrides})
    return Runs(
        catalog=Catalog.open(settings.catalog, busy_seconds=busy_seconds),
        blobs=BlobStore(settings.blobs),
        settings=settings,
        kernels=lambda: pool,
    )


def write(root: Path, *cells: str, pipeline: str = "name: p\ntasks: {a: {notebook: a.ipynb}}\n") -> Path:
    body = {
        "cells": [
            {"cell_type": "code", "id": f"c{n}", "metadata": {}, "source": cell, "outputs": [], "execution_count": None}
            for n, cell in enumerate(cells)
        ],
        "metadata": {"kernelspec": {"name": "python3", "language": "python", "display_name": "P"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }  # fmt: skip
    (root / "a.ipynb").write_text(json.dumps(body))
    (root / "pipeline.yaml").write_text(pipeline)
    return root / "pipeline.yaml"


def test_an_artifact_that_does_not_fit_fails_its_task(tmp_path, tiny_disk, pool):
    runs = make_runs(tmp_path, pool, blobs=str(tiny_disk / "blobs"))
    path = write(
        tmp_path, "import os\nimport jupyter_mlops as mlops\nmlops.artifact('big', os.urandom(4 << 20))"
    )
    run = runs.run(path)
    (task,) = runs.catalog.find(TaskRun)
    assert run.state == "failed"
    assert "No space left on device" in task.error["message"]
    assert not list((tiny_disk / "blobs" / "tmp").glob("*"))
    for digest in runs.blobs.digests():
        runs.blobs.read_bytes(digest)
    write(tmp_path, "import jupyter_mlops as mlops\nmlops.artifact('small', b'x')")
    assert runs.run(path).state == "succeeded"
    runs.catalog.close()


def test_an_executed_notebook_that_does_not_fit_fails_its_task(tmp_path, tiny_disk, pool):
    runs = make_runs(tmp_path, pool, blobs=str(tiny_disk / "blobs"))
    path = write(tmp_path, "print('x' * (3 << 20))")
    run = runs.run(path)
    (task,) = runs.catalog.find(TaskRun)
    assert run.state == "failed"
    assert task.error["code"] == "storage_unavailable"
    assert "No space left on device" in task.error["message"]
    assert "free some space" in task.error["hint"]
    runs.catalog.close()


def test_a_project_whose_disk_is_full_says_so_once_and_goes_on_later(tiny_disk):
    """Catalog, blobs, logs and notebooks are all on it."""
    (tiny_disk / "mlops.toml").touch()
    fill = tiny_disk / "filling"
    write(tiny_disk, f"open({str(fill)!r}, 'wb').write(b'x' * (8 << 20))")
    environment = {**os.environ, "CI": "1", "MLOPS_ZYGOTE_LINGER_SECONDS": "0"}
    said = subprocess.run(
        [CLI, "run"], cwd=tiny_disk, env=environment, capture_output=True, text=True, timeout=90, check=False
    )
    assert said.returncode == 1
    assert "Traceback" not in said.stderr
    assert "No space left" in said.stdout + said.stderr or "disk is full" in said.stdout + said.stderr
    fill.unlink()
    write(tiny_disk, "1")
    with Catalog.open(f"sqlite:///{tiny_disk}/.mlops/catalog.db") as catalog:
        (run,) = catalog.find(Run)
    verb = ["rerun"] if run.state == "failed" else ["resume"]
    again = subprocess.run(
        [CLI, *verb, run.run_id], cwd=tiny_disk, env=environment, capture_output=True, text=True, timeout=90,
        check=False,
    )  # fmt: skip
    assert again.returncode == 0, again.stdout + again.stderr


def hold(path: Path, begun: threading.Event, ended: threading.Event) -> None:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    connection.execute("BEGIN IMMEDIATE")
    begun.set()
    ended.wait(30)
    connection.execute("ROLLBACK")
    connection.close()


def test_a_catalog_that_somebody_holds_ends_the_run_clearly_and_it_can_be_resumed(tmp_path, pool):
    runs = make_runs(tmp_path, pool, busy_seconds=0.5)
    path = write(tmp_path, "open('ran.txt', 'a').write('x')", "import time; time.sleep(0.7)")
    begun, ended = threading.Event(), threading.Event()
    holder = threading.Thread(target=hold, args=(tmp_path / ".mlops" / "catalog.db", begun, ended))

    def hear(event):
        if type(event).__name__ == "CellStarted" and not holder.is_alive():
            holder.start()
            assert begun.wait(10)

    with pytest.raises(CatalogUnavailable, match="locked") as caught:
        runs.run(path, on_event=hear)
    assert "another process holds it" in caught.value.hint
    ended.set()
    holder.join()
    (run,) = runs.catalog.find(Run)
    assert run.state == "running"
    assert runs.resume(run.run_id).state == "succeeded"
    assert runs.catalog.get(Run, run.run_id).runner == ""
    runs.catalog.close()


def test_a_catalog_that_is_busy_for_a_while_only_delays(tmp_path, pool):
    runs = make_runs(tmp_path, pool)
    path = write(tmp_path, "1")
    begun, ended = threading.Event(), threading.Event()
    holder = threading.Thread(target=hold, args=(tmp_path / ".mlops" / "catalog.db", begun, ended))
    holder.start()
    begun.wait(10)
    threading.Timer(0.7, ended.set).start()
    assert runs.run(path).state == "succeeded"
    holder.join()
    runs.catalog.close()


def test_blobs_that_cannot_be_written_end_the_run_clearly(tmp_path, pool):
    (tmp_path / "blobs").write_text("a file where a folder should be")
    runs = make_runs(tmp_path, pool, blobs=str(tmp_path / "blobs"))
    with pytest.raises(StorageUnavailable) as caught:
        runs.run(write(tmp_path, "1"))
    assert str(tmp_path / "blobs") in caught.value.message
    (run,) = runs.catalog.find(Run)
    assert (run.state, run.runner) == ("running", "")
    (tmp_path / "blobs").unlink()
    assert runs.resume(run.run_id).state == "succeeded"
    runs.catalog.close()
