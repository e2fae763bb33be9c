"""A workspace with a small pipeline, and schedulers whose clock the test moves."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from jupyter_mlops.catalog.records import Fire, Run, Schedule
from jupyter_mlops.events import now
from jupyter_mlops.pipelines import ScheduleSpec
from jupyter_mlops.scheduling import Lease, Scheduler, decide
from jupyter_mlops.scheduling.specs import spec_to_json
from jupyter_mlops.workspace import Workspace

BEGIN = datetime(2026, 5, 4, 12, tzinfo=UTC)
PIPELINE = """\
name: small
parameters:
  since: {type: datetime, default: 2026-01-01}
  week: {type: int, default: 1}
schedules:
  nightly:
    cron: 30 2 * * MON-FRI
    timezone: Europe/Berlin
    parameters: {since: "${schedule.data_interval_start}", week: "${schedule.fire_at.week}"}
tasks:
  only: {notebook: only.ipynb, parameters: {since: "${params.since}", week: "${params.week}"}}
"""


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def catalog_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database without any tables, on each engine."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/catalog.db"
    url: str = request.getfixturevalue("postgresql").fresh()
    return url


def write_pipeline(folder: Path, text: str = PIPELINE) -> Path:
    (folder / "mlops.toml").touch()
    parameters = "import datetime\nsince: datetime.datetime = None\nweek: int = 0"
    cells = [
        (parameters, ["parameters"]),
        ("open('executed.txt', 'a').write(f'{since.isoformat()} {week}\\n')", []),
    ]
    code = {"cell_type": "code", "execution_count": None, "outputs": []}
    notebook = {
        "cells": [
            {**code, "id": f"c{i}", "metadata": {"tags": tags}, "source": source}
            for i, (source, tags) in enumerate(cells)
        ],
        "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    (folder / "only.ipynb").write_text(json.dumps(notebook))
    (folder / "pipeline.yaml").write_text(text)
    return folder / "pipeline.yaml"


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    write_pipeline(tmp_path)
    with Workspace.open(tmp_path) as opened:
        yield opened


@dataclass
class Stage:
    """A scheduler at a moment that the test moves. What it would have driven is in `driven`."""

    workspace: Workspace
    moment: datetime = BEGIN
    driven: list[tuple[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.catalog = self.workspace.catalog
        self.scheduler = self.another()

    def another(self) -> Scheduler:
        lease = Lease(self.catalog, "scheduler", clock=lambda: self.moment)
        return Scheduler(
            self.catalog,
            lease,
            prepare=self.workspace.schedules.prepare,
            keep=self.workspace.runs.queue,
            drive=lambda verb, run_id: self.driven.append((verb, run_id)),
            clock=lambda: self.moment,
        )

    def schedule(self, **changes: Any) -> Schedule:
        """An active schedule, every hour from `BEGIN` on."""
        spec = ScheduleSpec(**{"cron": "0 * * * *", **changes})
        made = Schedule(
            name="small.hourly", pipeline="small", pipeline_path="pipeline.yaml", cron=spec.cron,
            timezone=spec.timezone, spec=spec_to_json(spec), next_at=BEGIN,
            due_at=decide.jittered("small.hourly", spec, BEGIN), created_at=BEGIN, updated_at=BEGIN,
        )  # fmt: skip
        self.catalog.put(made)
        return made

    def tick(self, after: timedelta = timedelta(0)) -> bool:
        self.moment += after
        return self.scheduler.tick()

    def end_run(self, fire: Fire, state: str = "succeeded", message: str = "") -> None:
        assert self.catalog.update(Run, fire.run_id, state=state, message=message, finished_at=now())

    @property
    def fires(self) -> list[Fire]:
        return self.catalog.find(Fire, order_by="fire_at")

    @property
    def states(self) -> list[str]:
        return [fire.state for fire in self.fires]


@pytest.fixture
def stage(workspace: Workspace) -> Stage:
    return Stage(workspace)


@pytest.fixture(scope="session")
def pipeline_writer() -> Callable[..., Path]:
    """Write the small pipeline into a folder: ``pipeline_writer(folder, text)``."""
    return write_pipeline
