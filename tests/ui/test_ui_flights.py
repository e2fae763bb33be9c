"""The flights example from its form to its end, with pictures of every view for the docs, light and dark."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jupyter_mlops.workspace import Workspace

from .conftest import WITH_PICTURES

pytestmark = pytest.mark.slow
REPOSITORY = Path(__file__).parents[2]
PATH = "flights/pipeline.yaml"


@pytest.fixture(scope="module")
def flights(lab: Any) -> Iterator[Path]:
    """The example, without what it leaves behind: its endpoint is ended."""
    folder = lab.root / "flights"
    shutil.copytree(
        REPOSITORY / "notebooks" / "flights",
        folder,
        ignore=shutil.ignore_patterns("*.duckdb*", ".mlops", "__pycache__", ".ipynb_checkpoints"),
    )
    yield Path(folder)
    with Workspace.open(folder) as workspace:
        for one in workspace.deployments.find():
            workspace.deployments.remove(one.name)


def _expect(locator: Any) -> Any:
    from playwright.sync_api import expect

    return expect(locator)


@pytest.mark.timeout(600)
def test_flights_from_the_form_to_the_executed_notebook(
    lab: Any, open_lab: Any, flights: Path, command: Any, shoot: Any
) -> None:
    page = open_lab()
    page.locator(f'[data-path="{PATH}"] .jp-mlops-IconButton').click()
    form = page.locator("form.jp-mlops-Form")
    form.locator("#jp-mlops-field-week").fill("21")
    shoot(page, "form-light")
    if not WITH_PICTURES:  # with less to learn from, all of it looks the same, and takes half the time
        form.locator("#jp-mlops-field-train_weeks").fill("2")
    form.get_by_role("button", name="Run", exact=True).click()

    run = page.locator(".jp-mlops-Run:visible")
    _expect(run.locator("[data-task=pull]")).to_have_class(re.compile("jp-mod-running"), timeout=60_000)
    _expect(run.locator("[data-task=features]")).to_have_class(re.compile("jp-mod-running"), timeout=120_000)
    shoot(page, "run-live-light")
    _expect(run.locator(".jp-mlops-Run-state")).to_have_text("succeeded", timeout=300_000)
    # One of the two is deployed, the condition of the other was false.
    states = [run.locator(f"[data-task=deploy_{one}]").get_attribute("class") for one in "ab"]
    assert sorted("jp-mod-skipped" in state for state in states) == [False, True]

    run.locator("[data-task=train_b]").click()
    _expect(run.locator(".jp-mlops-Run-side")).to_contain_text("validation_auc")
    shoot(page, "run-light")
    run.get_by_role("tab", name="Timeline").click()
    _expect(run.locator(".jp-mlops-Gantt-legend")).to_contain_text("pull → features")
    shoot(page, "timeline-light")
    run.get_by_role("tab", name="Tasks").click()
    shoot(page, "tasks-light")
    run.get_by_role("button", name="Executed notebook").click()
    inside = page.frame_locator("iframe.jp-mlops-Notebook:visible")
    _expect(inside.locator("body")).to_contain_text("gradient boosting")
    _expect(inside.locator("img").first).to_be_visible()
    shoot(page, "executed-notebook-light")

    # A week later: what differs?
    arguments = {"week": "22"} if WITH_PICTURES else {"week": "22", "train_weeks": "2"}
    second = lab.api("POST", "runs", {"path": PATH, "arguments": arguments})
    assert lab.wait_for(second["run_id"], 300)["state"] == "succeeded"
    command(page, "mlops:open-run", runId=second["run_id"], title="flights")
    page.locator(".jp-mlops-Run:visible").get_by_role("button", name="Compare…").click()
    compared = page.locator(".jp-mlops-Compare")
    _expect(compared.locator(".jp-mlops-Compare-row.jp-mod-differs").first).to_contain_text("week")
    shoot(page, "compare-light")

    page = open_lab(theme="dark", width=1920, height=1080)
    page.locator("#jp-mlops-tab-runs").click()
    _expect(page.locator("[data-run]").first).to_be_visible()
    command(page, "mlops:open-run", runId=second["run_id"], title="flights")
    run = page.locator(".jp-mlops-Run:visible")
    run.locator("[data-task=compare]").click()
    _expect(run.locator(".jp-mlops-Run-side")).to_contain_text("winner")
    shoot(page, "run-dark")
    run.get_by_role("tab", name="Timeline").click()
    shoot(page, "timeline-dark")
    page.locator("#jp-mlops-tab-pipelines").click()
    row = page.locator(f'[data-path="{PATH}"] .jp-mlops-Row-main')
    if row.get_attribute("aria-expanded") == "false":  # a pipeline that is the only one is open by itself
        row.click()
    _expect(page.locator(".jp-mlops-Panel .jp-mlops-Dag-node")).to_have_count(7)
    run.get_by_role("button", name="Executed notebook").click()
    _expect(page.frame_locator("iframe.jp-mlops-Notebook:visible").locator("body")).to_contain_text("winner")
    shoot(page, "pipelines-dark")
