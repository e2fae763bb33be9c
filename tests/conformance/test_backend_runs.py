"""Whole runs on a scheduler elsewhere."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from jupyter_mlops.blobs import BlobStore
from jupyter_mlops.catalog import Catalog
from jupyter_mlops.catalog.records import Attempt, TaskRun
from jupyter_mlops.errors import Unavailable
from jupyter_mlops.kernels import KernelPool
from jupyter_mlops.runner import RunOptions, Runs
from jupyter_mlops.settings import Settings

EMIT = "import jupyter_mlops as mlops\n"
PIPELINE = """\
name: elsewhere
tasks:
  make: {notebook: make.ipynb, files: [numbers.txt]}
  use: {notebook: use.ipynb, parameters: {total: "${tasks.make.results.total}"}, resources: {cpu: 1}}
"""


def write(path: Path, source: str, parameters: str = "") -> None:
    cells = [(parameters, ["parameters"])] if parameters else []
    path.write_text(
        json.dumps(
            {
                "cells": [
                    {
                        "cell_type": "code", "id": f"c{n}", "metadata": {"tags": tags}, "source": code,
                        "outputs": [], "execution_count": None,
                    }
                    for n, (code, tags) in enumerate([*cells, (source, [])])
                ],
                "metadata": {"kernelspec": {"name": "python3", "language": "python", "display_name": "P"}},
                "nbformat": 4,
                "nbformat_minor": 5,
            }
        )
    )  # fmt: skip


def no_kernels() -> KernelPool:
    raise AssertionError("a run elsewhere needs no kernels here")


@pytest.fixture
def runs(tmp_path: Path) -> Iterator[Runs]:
    (tmp_path / "mlops.toml").touch()
    (tmp_path / "numbers.txt").write_text("1 2 3")
    (tmp_path / "pipeline.yaml").write_text(PIPELINE)
    source = "total = sum(map(int, open('numbers.txt').read().split()))\nprint('counting')\n"
    write(tmp_path / "make.ipynb", EMIT + source + "mlops.result('total', total)")
    write(tmp_path / "use.ipynb", EMIT + "mlops.result('twice', 2 * total)", parameters="total: int")
    settings = Settings.load(tmp_path, env={})
    with Catalog.open(settings.catalog) as catalog:
        yield Runs(catalog=catalog, blobs=BlobStore(settings.blobs), settings=settings, kernels=no_kernels)


def test_a_run_and_a_second_one_that_has_nothing_to_do(runs, shared_cluster):
    path = runs.settings.root / "pipeline.yaml"
    options = RunOptions(cluster=shared_cluster.address)
    run = runs.run(path, options=options)
    tasks = {task.task: task for task in runs.catalog.find(TaskRun, where={"run_id": run.run_id})}
    assert run.state == "succeeded", [task.reason for task in tasks.values()]
    assert tasks["use"].results == {"twice": 12}
    assert {attempt.worker[:6] for attempt in runs.catalog.find(Attempt)} == {"tcp://"}
    assert list(runs.log(run.run_id, "make")) == ["counting"]
    again = runs.run(path, options=options)
    assert {task.state for task in runs.catalog.find(TaskRun, where={"run_id": again.run_id})} == {"cached"}


@pytest.mark.slow
def test_a_worker_that_dies_costs_an_attempt(runs, make_cluster):
    cluster = make_cluster()
    cluster.add_worker(threads=1)
    cluster.wait_for_workers(1)
    root = runs.settings.root
    write(
        root / "use.ipynb",
        "import time\nfrom pathlib import Path\nif not Path('go').exists(): time.sleep(60)",
        "total: int",
    )

    def hear(event):
        is_first = event.__class__.__name__ == "CellStarted" and event.attempt == 1 and event.cell == 2
        if is_first and event.task == "use":
            (root / "go").touch()
            cluster.workers[0].kill()
            cluster.add_worker(threads=1)

    run = runs.run(root / "pipeline.yaml", options=RunOptions(cluster=cluster.address), on_event=hear)
    attempts = runs.catalog.find(Attempt, where={"task": "use"}, order_by="attempt")
    assert run.state == "succeeded"
    assert [attempt.state for attempt in attempts] == ["lost", "succeeded"]
    assert "gone" in attempts[0].reason


def test_a_run_cannot_be_resumed_while_nobody_knows_what_its_workers_do(runs, shared_cluster):
    path = runs.settings.root / "pipeline.yaml"

    def hear(event):
        if type(event).__name__ == "CellStarted":
            raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        runs.run(path, options=RunOptions(cluster=shared_cluster.address), on_event=hear)
    run = runs.resolve_run("latest")
    options = dict(run.options)
    runs.catalog.update(type(run), run.run_id, options={**options, "cluster": "tcp://127.0.0.1:1"})
    with pytest.raises(Unavailable, match="no dask scheduler answers"):
        runs.resume(run.run_id)
    runs.catalog.update(type(run), run.run_id, options=options)
    assert runs.resume(run.run_id).state == "succeeded"
