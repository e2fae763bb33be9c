"""A run of thirty tasks in processes of its own, and the means to kill any of them."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest

from jupyter_mlops.blobs import BlobStore, parse_reference
from jupyter_mlops.catalog import Catalog
from jupyter_mlops.catalog.records import Artifact, Attempt, Run, RunEvent, TaskRun

CLI = Path(sys.executable).with_name("jupyter-mlops")
MARK = "FAULTS_MARK"
WORK = """\
import os, time
with open(os.path.join(place, 'executed'), 'a') as file:
    file.write(f'{name} {time.time()}\\n')
time.sleep(0.1)
"""
EMIT = """\
import jupyter_mlops as mlops
mlops.result('name', name)
mlops.artifact('made', {'name': name, 'before': sorted(before)})
"""


def pipeline_text(place: Path, cluster_cpus: bool = False) -> str:
    """Thirty tasks: a source, a fan-out of 8, four diamonds on each half of it, joins, and an end."""
    lines = [
        "name: thirty",
        "defaults: {retries: {limit: 20, on: [KernelDied]}}",
        "tasks:",
    ]

    def task(name: str, *needs: str) -> str:
        before = ", ".join(f'"${{tasks.{need}.results.name}}"' for need in needs)
        parameters = f'{{name: {name}, place: "{place}", before: [{before}]}}'
        lines.append(f"  {name}: {{notebook: work.ipynb, parameters: {parameters}}}")
        return name

    source = task("source")
    fan = [task(f"fan{n}", source) for n in range(8)]
    joins = []
    for n in range(4):
        left, right = task(f"left{n}", fan[2 * n]), task(f"right{n}", fan[2 * n + 1])
        joins.append(task(f"join{n}", left, right))
    middle = [task("middle0", *joins[:2]), task("middle1", *joins[2:])]
    leaves = [task(f"leaf{n}", middle[n % 2]) for n in range(6)]
    task("end", *leaves)
    assert len(lines) == 3 + 30
    return "\n".join(lines) + "\n"


@dataclass
class Scene:
    """A project, the processes that work on it, and the random numbers that decide who dies when."""

    root: Path
    temporary: Path
    seed: int
    mark: str = field(default_factory=lambda: uuid.uuid4().hex)
    deaths: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        self.root.mkdir()
        (self.root / "mlops.toml").write_text("workers = 3\nkernel_pool = 1\n")
        self.place = self.root / "place"
        self.place.mkdir()
        write_notebook(
            self.root / "work.ipynb",
            WORK,
            EMIT,
            parameters="name: str = ''\nplace: str = ''\nbefore: list = []",
        )
        (self.root / "pipeline.yaml").write_text(pipeline_text(self.place))

    def beside(self, seed: int) -> Scene:
        """Another project, with random numbers of its own, where the same processes may work."""
        root = self.root.with_name(f"project-{seed}")
        return Scene(root, self.temporary, seed, mark=self.mark)

    @property
    def environment(self) -> dict[str, str]:
        return {
            **os.environ, MARK: self.mark, "TMPDIR": str(self.temporary), "CI": "1", "PYTHONWARNINGS": "ignore",
            "MLOPS_ZYGOTE_LINGER_SECONDS": "0",
        }  # fmt: skip

    def launch(self, *words: str | Path) -> subprocess.Popen[str]:
        return subprocess.Popen(
            list(map(str, words)), cwd=self.root, env=self.environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
        )  # fmt: skip

    def catalog(self) -> Catalog:
        return Catalog.open(f"sqlite:///{self.root}/.mlops/catalog.db")

    # --- who is there, and who dies -------------------------------------------------------------------------

    def processes(self) -> list[psutil.Process]:
        found = []
        for process in psutil.process_iter():
            try:
                if process.environ().get(MARK) == self.mark and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
            except psutil.Error:
                continue
        return found

    def victims(self, kind: str) -> list[psutil.Process]:
        """The processes of a kind: runner, kernel, zygote, worker."""
        return [process for process in self.processes() if kind_of(process) == kind]

    def kill_one(self, kinds: list[str]) -> None:
        kind = self.random.choice(kinds)
        victims = self.victims(kind)
        if victims:
            victim = self.random.choice(sorted(victims, key=lambda process: process.pid))
            try:
                victim.send_signal(signal.SIGKILL)
                self.deaths.append(kind)
            except psutil.Error:
                pass

    # --- what must hold in the end --------------------------------------------------------------------------

    def check(self) -> None:
        with self.catalog() as catalog:
            (run,) = catalog.find(Run)
            tasks = {task.task: task for task in catalog.find(TaskRun)}
            attempts = catalog.find(Attempt)
            events = catalog.find(RunEvent, order_by="seq")
            artifacts = catalog.find(Artifact)
        failed = [(task.task, task.reason) for task in tasks.values() if task.state == "failed"]
        told = f"seed {self.seed}, deaths {self.deaths}, {run.message}, {failed}"
        assert run.state == "succeeded", told
        assert run.runner == ""
        assert len(tasks) == 30
        assert {task.state for task in tasks.values()} == {"succeeded"}, told
        won = [attempt.task for attempt in attempts if attempt.state == "succeeded"]
        assert sorted(won) == sorted(tasks), told
        assert not [attempt for attempt in attempts if attempt.state == "running"], told
        finished = {event.body["task"]: event.at for event in events if event.kind == "AttemptSucceeded"}
        assert sum(event.kind == "AttemptSucceeded" for event in events) == len(finished) == 30, told
        tried: dict[str, int] = {}
        for line in (self.place / "executed").read_text().splitlines():
            name, at = line.split()
            tried[name] = tried.get(name, 0) + 1
            assert float(at) <= finished[name].timestamp(), f"{name} ran after it had finished; {told}"
        counts = {task: sum(attempt.task == task for attempt in attempts) for task in tasks}
        assert all(1 <= tried[task] <= counts[task] for task in tasks), (told, tried, counts)
        self.check_artifacts(artifacts)

    def check_artifacts(self, artifacts: list[Artifact]) -> None:
        blobs = BlobStore(self.root / ".mlops" / "blobs")
        assert len(artifacts) == 30
        for artifact in artifacts:
            reference = parse_reference(artifact.reference)
            assert reference is not None
            content = json.loads(blobs.read_bytes(reference.digest))
            assert content["name"] == artifact.task
        for digest in blobs.digests():
            blobs.read_bytes(digest)

    def check_nothing_is_left(self) -> None:
        deadline = time.monotonic() + 75  # a zygote that nobody came to waits for a minute
        while (left := self.processes()) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert not left, [(process.pid, process.cmdline()) for process in left]
        # What lies in dask's own folder are its locks: some stay for good, the others until its next start.
        files = [
            path
            for path in self.temporary.rglob("*")
            if not path.is_dir() and path.parent.name != "dask-scratch-space"
        ]
        assert not files, f"deaths {self.deaths}: {files}"
        folders = [path for path in self.temporary.iterdir() if path.name.startswith(("jm-", "mlops-job-"))]
        assert not folders, f"deaths {self.deaths}: {folders}"

    def close(self) -> None:
        for process in self.processes():
            try:
                process.kill()
            except psutil.Error:
                continue
        shutil.rmtree(self.temporary, ignore_errors=True)


def kind_of(process: psutil.Process) -> str:
    """What a process of ours is."""
    try:
        command = process.cmdline()
        if any(word.endswith("zygote.py") for word in command):
            parent = process.parent()
            is_kernel = parent is not None and any(word.endswith("zygote.py") for word in parent.cmdline())
            return "kernel" if is_kernel else "zygote"
        if any(word.endswith("jupyter-mlops") for word in command):
            return "runner"
        parent = process.parent()
        if (
            "--multiprocessing-fork" in command
            and parent
            and "distributed.cli.dask_worker" in parent.cmdline()
        ):
            return "worker"
    except psutil.Error:
        pass
    return ""


def write_notebook(path: Path, *cells: str, parameters: str = "") -> None:
    tagged: list[tuple[str, list[str]]] = [(parameters, ["parameters"])] if parameters else []
    body: Mapping[str, Any] = {
        "cells": [
            {
                "cell_type": "code", "id": f"c{number}", "metadata": {"tags": tags} if tags else {},
                "source": source, "execution_count": None, "outputs": [],
            }
            for number, (source, tags) in enumerate([*tagged, *((cell, []) for cell in cells)])
        ],
        "metadata": {"kernelspec": {"name": "python3", "language": "python", "display_name": "Python 3"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }  # fmt: skip
    path.write_text(json.dumps(body))


@pytest.fixture
def make_scene(tmp_path: Path) -> Iterator[Any]:
    made: list[Scene] = []

    def make(seed: int) -> Scene:
        made.append(Scene(tmp_path / "project", Path(tempfile.mkdtemp(prefix="f-", dir="/tmp")), seed))
        return made[-1]

    yield make
    for scene in made:
        scene.close()
