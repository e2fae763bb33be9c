"""What the quotas leave stands beside a request, and about when a run of it would start."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from jupyter_mlops.catalog import owner
from jupyter_mlops.catalog.records import QueueEntry, Run
from jupyter_mlops.events import now
from jupyter_mlops.queueing import Quotas
from jupyter_mlops.resources import ResourceRequest
from jupyter_mlops.settings import Settings
from jupyter_mlops.widgets.outlook import Standing, judged
from jupyter_mlops.widgets.requesting import request_resources
from jupyter_mlops.workspace import Workspace

QUOTAS = {
    "all": {"cpu": 4, "memory": "8Gi", "cost": 100},
    "queues": {"night": {"cpu": 2}},
    "users": {"*": {"runs": 3}},
}


def _standing(project: Path) -> Standing:
    standing = Standing.read(Settings.load(project))
    assert standing is not None
    return standing


def _limit(project: Path, quotas: dict[str, Any] = QUOTAS) -> None:
    with Workspace.open(project) as workspace:
        workspace.queue.set_quotas(Quotas.parse(quotas), owner.user_name())


def _go(project: Path, cpu: float, seconds: float | None) -> None:
    """Somebody's run that was admitted and goes on, and takes about so long."""
    moment = now()
    run = Run(
        run_id="going", pipeline="small", plan={}, user_name="ada", created_at=moment, started_at=moment,
        state="running", runner=owner.mark(), heartbeat_at=moment,
    )  # fmt: skip
    amount = [1, 1, cpu, 0, 0]
    entry = QueueEntry(
        run_id="going", pipeline="small", user_name="ada", queue="default", state="admitted", least=amount,
        most=amount, granted=amount, since_at=moment, created_at=moment, admitted_at=moment, seconds=seconds,
    )  # fmt: skip
    with Workspace.open(project) as workspace:
        workspace.catalog.add(run, entry)


def test_nothing_is_said_and_nothing_made_where_there_are_no_quotas(project: Path) -> None:
    assert Standing.read(Settings.load(project)) is None
    assert not (project / ".mlops").exists()
    with Workspace.open(project) as workspace:
        assert workspace.catalog.count(Run) == 0
    assert Standing.read(Settings.load(project)) is None


def test_what_fits_is_admitted_now_and_what_never_fits_is_told(project: Path) -> None:
    _limit(project)
    standing = _standing(project)
    assert standing.queues == ["default", "night"]
    html = judged(standing, ResourceRequest(cpu=2.0, memory=2**32), "default", 0)
    assert "the quotas would admit a run of it now" in html
    assert "everybody cpu" in html
    assert "8 GiB of 8 GiB free" in html
    assert "everybody cost this month" in html
    assert "queue night" not in html
    html = judged(standing, ResourceRequest(cpu=3.0), "night", 0)
    assert "can never run: it needs 3 cpus, and queue night may use 2 cpus" in html
    assert "queue night cpu" in html


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(1800, "it would start in about 30 min"), (None, "nobody can say when it would start")],
)
def test_what_waits_says_why_and_about_how_long(project: Path, seconds: float | None, said: str) -> None:
    _limit(project)
    _go(project, cpu=3.0, seconds=seconds)
    with owner.driving("going"):
        html = judged(_standing(project), ResourceRequest(cpu=2.0), "default", 0)
    assert "a run of it waits for 2 cpus: everybody together use 3 of 4 cpus" in html
    assert said in html or said.replace("30 min", "29 min") in html
    assert "1 of 4 free" in html
    with Workspace.open(project) as workspace:  # it was only thought of
        assert [entry.run_id for entry in workspace.catalog.find(QueueEntry)] == ["going"]


def test_the_form_asks_for_the_queue_where_there_are_several(project: Path) -> None:
    plain = request_resources(project / "train.ipynb")
    assert plain._queue.layout.display == "none"
    assert plain._wishes.cpu.layout.display is None
    assert plain._quotas.value == ""
    _limit(project)
    form = request_resources(project / "train.ipynb")
    assert form._queue.layout.display is None
    form._wishes.cpu.value = "3"
    assert "would admit a run of it now" in form._quotas.value
    form._queue.value = "night"
    assert "can never run" in form._quotas.value
