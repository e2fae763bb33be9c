"""Small real projects with quotas, whose notebooks say when they run."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from jupyter_mlops.catalog.records import QueueEntry, Run, TaskRun
from jupyter_mlops.errors import MlopsError
from jupyter_mlops.events import Event, RunWaits
from jupyter_mlops.kernels import KernelPool
from jupyter_mlops.queueing import Quotas
from jupyter_mlops.runner import RunOptions, Runs
from jupyter_mlops.settings import Settings
from jupyter_mlops.workspace import Workspace

# Each notebook writes when it begins and ends; it goes on until it is told, by a file of its name, or a minute.
CELLS = [
    "name: str = ''\nlong: bool = False",
    "import pathlib, time\n"
    "with open('story.txt', 'a') as file:\n    file.write(f'begin {name}\\n')\n"
    "until = time.monotonic() + (60 if long else 0)\n"
    "while time.monotonic() < until and not pathlib.Path(f'{name}.go').exists():\n    time.sleep(0.02)\n"
    "with open('story.txt', 'a') as file:\n    file.write(f'end {name}\\n')",
]
PIPELINE = """\
name: line
parameters: {name: "", long: false}
tasks:
  first: {notebook: wait.ipynb, parameters: {name: "${params.name}-first"}}
  second: {notebook: wait.ipynb, needs: [first], parameters: {name: "${params.name}", long: "${params.long}"}}
"""
WIDE = """\
name: wide
parameters: {long: false}
tasks:
  part:
    notebook: wait.ipynb
    matrix: {name: [a, b, c, d]}
    parameters: {name: "${matrix.name}", long: "${params.long}"}
"""


def write_project(root: Path) -> None:
    """The files of a project."""
    root.mkdir(parents=True, exist_ok=True)
    (root / "mlops.toml").touch()
    cells = [
        {
            "cell_type": "code", "id": f"cell-{number}", "metadata": {"tags": ["parameters"]} if not number else {},
            "source": source, "execution_count": None, "outputs": [],
        }
        for number, source in enumerate(CELLS)
    ]  # fmt: skip
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    text = json.dumps({"cells": cells, "metadata": kernel, "nbformat": 4, "nbformat_minor": 5})
    (root / "wait.ipynb").write_text(text)
    (root / "pipeline.yaml").write_text(PIPELINE)
    (root / "wide.yaml").write_text(WIDE)


def eventually(condition: Callable[[], Any], seconds: float = 60) -> Any:
    """Wait until it holds, and return what it says."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        found = condition()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError("it never came to that")


@dataclass
class Line:
    """A project, its workspace, and the runs that go on in threads."""

    root: Path
    workspace: Workspace
    started: list[Started] = field(default_factory=list)

    @property
    def runs(self) -> Runs:
        return self.workspace.runs

    def set(self, **tables: Any) -> None:
        self.workspace.queue.set_quotas(Quotas.parse(tables), "root")

    def start(
        self, name: str, *, pipeline: str = "pipeline.yaml", long: bool = True, **options: Any
    ) -> Started:
        self.started.append(Started(self, name, pipeline, long, options))
        return self.started[-1]

    def go(self, name: str) -> None:
        (self.root / f"{name}.go").touch()

    def story(self) -> list[str]:
        path = self.root / "story.txt"
        return path.read_text().splitlines() if path.exists() else []

    def entry(self, run_id: str) -> QueueEntry | None:
        return self.workspace.queue.find(run_id)

    def run(self, run_id: str) -> Run:
        return self.workspace.catalog.get(Run, run_id)

    def states(self, run_id: str) -> dict[str, str]:
        return {
            task.task: task.state for task in self.workspace.catalog.find(TaskRun, where={"run_id": run_id})
        }


class Started:
    """A run in a thread."""

    def __init__(self, line: Line, name: str, pipeline: str, long: bool, options: Mapping[str, Any]) -> None:
        self.line, self.name = line, name
        self.run_id = ""
        self.events: list[Event] = []
        self.error: BaseException | None = None
        self._thread = threading.Thread(target=self._go, args=(pipeline, long, options))
        self._thread.start()
        eventually(lambda: self.run_id or self.error)

    def _go(self, pipeline: str, long: bool, options: Mapping[str, Any]) -> None:
        arguments = {"long": long} | ({"name": self.name} if pipeline == "pipeline.yaml" else {})
        try:
            self.line.runs.run(
                self.line.root / pipeline, arguments, options=RunOptions(**options),
                on_plan=self._planned, on_event=self.events.append,
            )  # fmt: skip
        except BaseException as error:  # noqa: BLE001 - finish() raises it
            self.error = error

    def _planned(self, run: Run, tasks: list[TaskRun]) -> None:
        self.run_id = run.run_id

    @property
    def reasons(self) -> list[str]:
        return [event.reason for event in self.events if isinstance(event, RunWaits)]

    def begins(self, task: str = "") -> None:
        eventually(lambda: f"begin {task or self.name}" in self.line.story() or self.error)

    def finish(self) -> Run:
        self._thread.join(60)
        assert not self._thread.is_alive()
        if self.error is not None:
            raise self.error
        return self.line.run(self.run_id)

    def stop(self) -> None:
        if self._thread.is_alive():
            with contextlib.suppress(MlopsError):
                self.line.runs.cancel(self.run_id)
            self._thread.join(60)


@pytest.fixture(scope="session")
def queue_kernels() -> Iterator[KernelPool]:
    with KernelPool(size=2) as pool:
        yield pool


@pytest.fixture
def line(tmp_path: Path, queue_kernels: KernelPool) -> Iterator[Line]:
    root = tmp_path / "line"
    write_project(root)
    workspace = Workspace(Settings.load(root, env={}, overrides={"workers": 4}))
    workspace.__dict__["kernels"] = _Kept(queue_kernels)
    made = Line(root, workspace)
    yield made
    for started in made.started:
        started.stop()
    workspace.close()


class _Kept:
    """A pool that the workspace does not close."""

    def __init__(self, pool: KernelPool) -> None:
        self._pool = pool

    def __getattr__(self, name: str) -> Any:
        return getattr(self._pool, name)

    def close(self) -> None:
        pass
