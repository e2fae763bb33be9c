"""Small real projects: notebooks and pipelines that a test writes, run by real kernels."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from jupyter_mlops.blobs import BlobStore
from jupyter_mlops.catalog import Catalog
from jupyter_mlops.catalog.records import Attempt, RunEvent, TaskRun
from jupyter_mlops.catalog.records import Run as RunRecord
from jupyter_mlops.errors import MlopsError
from jupyter_mlops.events import Event
from jupyter_mlops.kernels import KernelPool
from jupyter_mlops.runner import RunOptions, Runs
from jupyter_mlops.settings import Settings

EMIT = "import jupyter_mlops as mlops\n"


@pytest.fixture(scope="session")
def kernels() -> Iterator[KernelPool]:
    """One pool for all tests: starting one costs a second."""
    with KernelPool(size=2) as pool:
        yield pool


@dataclass
class Done:
    """A run that is over, with what the catalog has of it."""

    run: RunRecord
    tasks: dict[str, TaskRun]
    attempts: list[Attempt]
    events: list[Event]

    @property
    def state(self) -> str:
        return self.run.state

    @property
    def states(self) -> dict[str, str]:
        return {key: task.state for key, task in self.tasks.items()}

    @property
    def reasons(self) -> dict[str, str]:
        return {key: task.reason for key, task in self.tasks.items()}


@dataclass
class Project:
    """A project directory and its runs."""

    root: Path
    kernels: KernelPool
    overrides: dict[str, Any] = field(default_factory=dict)
    catalog: Catalog = field(init=False)
    blobs: BlobStore = field(init=False)
    runs: Runs = field(init=False)
    started: list[Started] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.root.mkdir(parents=True, exist_ok=True)
        (self.root / "mlops.toml").touch()
        self.settings = Settings.load(self.root, env={}, overrides={"workers": 4, **self.overrides})
        self.catalog = Catalog.open(self.settings.catalog)
        self.blobs = BlobStore(self.settings.blobs, self.settings.blob_options)
        self.runs = Runs(
            catalog=self.catalog, blobs=self.blobs, settings=self.settings, kernels=lambda: self.kernels
        )

    def notebook(self, name: str, *cells: str, parameters: str = "", metadata: Any = None) -> Path:
        """A notebook of code cells; `parameters` is the tagged one."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        tagged = [(parameters, ["parameters"])] if parameters else []
        path.write_text(notebook_text([*tagged, *((cell, []) for cell in cells)], metadata))
        return path

    def pipeline(self, text: str, name: str = "pipeline.yaml") -> Path:
        path = self.root / name
        path.write_text(text)
        return path

    def run(self, arguments: Mapping[str, Any] | None = None, pipeline: Any = None, **options: Any) -> Done:
        events: list[Event] = []
        run = self.runs.run(
            pipeline or self.root / "pipeline.yaml",
            arguments or {},
            options=RunOptions(**options),
            on_event=events.append,
        )
        return self.done(run.run_id, events)

    def start(self, **options: Any) -> Started:
        """Run in a thread."""
        self.started.append(Started(self, options))
        return self.started[-1]

    def close(self) -> None:
        """End what a failing test left."""
        for started in self.started:
            started.stop()
        self.catalog.close()

    def done(self, run_id: str, events: list[Event] | None = None) -> Done:
        run = self.catalog.get(RunRecord, run_id)
        where = {"run_id": run_id}
        tasks = self.catalog.find(TaskRun, where=where, order_by="position")
        attempts = self.catalog.find(Attempt, where=where, order_by=("task", "attempt"))
        return Done(run, {task.task: task for task in tasks}, attempts, events or [])

    def log(self, run_id: str) -> list[RunEvent]:
        return self.catalog.find(RunEvent, where={"run_id": run_id}, order_by="seq")

    def executed(self, name: str = "executed.txt") -> list[str]:
        """The lines that notebooks appended to a file: what really ran."""
        path = self.root / name
        return path.read_text().split() if path.exists() else []


class Started:
    """A run that goes on in a thread."""

    def __init__(self, project: Project, options: Mapping[str, Any]) -> None:
        self.project = project
        self.run_id = ""
        self.begun = threading.Event()
        self.cell = threading.Event()
        self.error: BaseException | None = None
        self.events: list[Event] = []
        self._thread = threading.Thread(target=self._go, args=(dict(options),))
        self._thread.start()
        assert self.begun.wait(30)

    def _go(self, options: dict[str, Any]) -> None:
        arguments = options.pop("arguments", {})
        try:
            self.project.runs.run(
                self.project.root / "pipeline.yaml",
                arguments,
                options=RunOptions(**options),
                on_plan=self._planned,
                on_event=self._heard,
            )
        except BaseException as error:  # noqa: BLE001 - finish() raises it
            self.error = error
        finally:
            self.begun.set()

    def _planned(self, run: RunRecord, tasks: list[TaskRun]) -> None:
        self.run_id = run.run_id
        self.begun.set()

    def _heard(self, event: Event) -> None:
        self.events.append(event)
        if type(event).__name__ == "CellStarted":
            self.cell.set()

    def stop(self) -> None:
        if self._thread.is_alive():
            with contextlib.suppress(MlopsError):
                self.project.runs.cancel(self.run_id)
            self._thread.join(30)

    def finish(self, timeout: float = 60) -> Done:
        self._thread.join(timeout)
        assert not self._thread.is_alive()
        if self.error is not None:
            raise self.error
        return self.project.done(self.run_id, self.events)


def notebook_text(cells: list[tuple[str, list[str]]], metadata: Any = None) -> str:
    return json.dumps(
        {
            "cells": [
                {
                    "cell_type": "code",
                    "id": f"cell-{number}",
                    "metadata": {"tags": tags} if tags else {},
                    "source": source,
                    "execution_count": None,
                    "outputs": [],
                }
                for number, (source, tags) in enumerate(cells)
            ],
            "metadata": metadata
            or {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
            "nbformat": 4,
            "nbformat_minor": 5,
        }
    )


@pytest.fixture
def make_project(tmp_path: Path, kernels: KernelPool) -> Iterator[Callable[..., Project]]:
    """Make projects, such as ``make_project("name", catalog=url)``."""
    made: list[Project] = []

    def make(name: str = "project", **overrides: Any) -> Project:
        made.append(Project(tmp_path / name, kernels, overrides))
        return made[-1]

    yield make
    for project in made:
        project.close()


@pytest.fixture
def project(make_project: Callable[..., Project]) -> Project:
    return make_project()


@pytest.fixture
def counted(project: Project) -> Project:
    """A project with `count.ipynb`, which appends its `name` to executed.txt and gives `value` + 1."""
    project.notebook(
        "count.ipynb",
        "with open('executed.txt', 'a') as file:\n    file.write(f'{name}\\n')",
        EMIT + "mlops.result('value', value + 1)",
        parameters="name: str = ''\nvalue: int = 0",
    )
    return project
