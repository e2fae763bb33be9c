"""What the tests of kernels share: notebooks, and a look at what is left behind."""

from __future__ import annotations

import gc
import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from jupyter_mlops.kernels import KernelPool, KernelRequest
from jupyter_mlops.notebooks.execute import NotebookOutcome, run_cells


def notebook(*sources: str) -> dict[str, Any]:
    """Code cells."""
    cells = [
        {
            "cell_type": "code",
            "id": f"c{number}",
            "metadata": {},
            "source": source,
            "outputs": [],
            "execution_count": None,
        }
        for number, source in enumerate(sources)
    ]
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}


@pytest.fixture
def zygotes_of() -> Callable[[KernelPool], list[psutil.Process]]:
    """The zygotes of a pool; this process may have other children."""

    def find(pool: KernelPool) -> list[psutil.Process]:
        here = str(pool.directory)
        children = psutil.Process().children()
        return [child for child in children if here in _command(child.pid, most=4000)]

    return find


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., NotebookOutcome]:
    """Execute code cells: ``run(pool, "x = 1", "x", env={…})``."""

    def execute(pool: KernelPool, *sources: str, **request: Any) -> NotebookOutcome:
        options = {name: request.pop(name) for name in ("limits", "output") if name in request}
        return run_cells(
            notebook(*sources), pool=pool, request=KernelRequest(**{"cwd": tmp_path, **request}), **options
        )

    return execute


@dataclass
class Remains:
    """Processes, descriptors and files, before and after."""

    directory: Path
    processes: set[int]
    descriptors: int

    @classmethod
    def now(cls) -> Remains:
        gc.collect()
        children = {child.pid for child in psutil.Process().children(recursive=True)}
        return cls(Path(tempfile.gettempdir()), children, len(os.listdir("/proc/self/fd")))

    def assert_nothing_new(self, *, seconds: float = 60.0) -> None:
        """All is as it was, or will be within `seconds`."""
        deadline = time.monotonic() + seconds
        while problems := self._new():
            assert time.monotonic() < deadline, problems
            time.sleep(0.05)

    def _new(self) -> str:
        now = Remains.now()
        if started := now.processes - self.processes:
            return f"processes {[(pid, _command(pid)) for pid in started]}"
        if now.descriptors > self.descriptors:
            return f"{now.descriptors - self.descriptors} descriptors more"
        files = [path.name for path in self.directory.glob(f"jm-{os.getpid()}-*")]
        return f"directories {files}" if files else ""


def _command(pid: int, most: int = 100) -> str:
    try:
        return " ".join(psutil.Process(pid).cmdline())[:most]
    except psutil.Error:
        return "gone"


@pytest.fixture(scope="module")
def _only_new_garbage() -> None:
    """What other tests have imported need not be looked at each time; to do so takes most of a second."""
    gc.collect()
    gc.freeze()


@pytest.fixture
def remains(
    _only_new_garbage: None, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Remains:
    """What was there before the test; its temporary files go to a directory of their own."""
    directory = str(tmp_path_factory.mktemp("t"))
    monkeypatch.setattr(tempfile, "tempdir", directory)
    monkeypatch.setenv("TMPDIR", directory)
    return Remains.now()


@pytest.fixture
def pool(remains: Remains) -> Iterator[KernelPool]:
    """A pool of the test's own, of which nothing may be left afterwards."""
    with KernelPool(size=1) as made:
        yield made
    remains.assert_nothing_new()


@pytest.fixture
def kernelspecs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Install a kernelspec that only this test sees."""
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "jupyter"))

    def install(name: str, argv: list[str], **more: Any) -> None:
        folder = tmp_path / "jupyter" / "kernels" / name
        folder.mkdir(parents=True)
        spec = {"argv": argv, "display_name": name, "language": "python", **more}
        (folder / "kernel.json").write_text(json.dumps(spec))

    return install
