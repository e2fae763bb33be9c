"""Compute, costs, the queue and images in the panel."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from jupyter_mlops.catalog import Catalog
from jupyter_mlops.catalog.owner import user_name
from jupyter_mlops.catalog.records import ComputeMeasurement
from jupyter_mlops.queueing import Queue, Quotas

pytestmark = pytest.mark.slow
QUOTAS = {
    "all": {"runs": 1, "cpu": 4, "memory": "8Gi"},
    "users": {"*": {"runs": 4, "max_priority": 20}},
    "queues": {"night": {"cpu": 2}},
}


def _expect(locator: Any) -> Any:
    from playwright.sync_api import expect

    return expect(locator)


def _until(holds: Callable[[], Any], seconds: float = 40) -> Any:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := holds():
            return found
        time.sleep(0.1)
    raise AssertionError("it did not come to that")


def _catalog(lab: Any) -> Catalog:
    return Catalog.open(f"sqlite:///{lab.root / '.mlops' / 'catalog.db'}")


@pytest.fixture
def done(lab: Any, churn: Path) -> dict[str, Any]:
    """A run whose cost can be told."""
    asked = {"path": "churn/pipeline.yaml", "arguments": {"rows": "20"}, "options": {"force": "all"}}
    started = lab.api("POST", "runs", asked)
    run: dict[str, Any] = lab.wait_for(started["run_id"])
    assert run["state"] == "succeeded"
    return run


@pytest.fixture
def limited(lab: Any, done: dict[str, Any]) -> Iterator[str]:
    """One run at a time: one that goes on, and so whatever comes next waits. Its id."""
    with _catalog(lab) as catalog:
        Queue(catalog).set_quotas(Quotas.parse(QUOTAS), user_name())
    asked = {"path": "churn/pipeline.yaml", "arguments": {"pause": "6", "rows": "21"}}
    started = lab.api("POST", "runs", asked)
    _until(lambda: lab.api("GET", f"runs/{started['run_id']}")["state"] == "running")
    yield started["run_id"]
    with _catalog(lab) as catalog:
        Queue(catalog).set_quotas(Quotas(), user_name())
    for run in lab.api("GET", "runs?state=queued,running")["items"]:
        lab.api("POST", f"runs/{run['run_id']}/cancel")
        lab.wait_for(run["run_id"])


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_who_waits_says_why_and_costs_are_told(
    lab: Any, open_lab: Any, limited: str, done: dict[str, Any], shoot: Any, command: Any, theme: str
) -> None:
    unit = lab.api("GET", "units")["items"][0]
    body = {
        "flops": {name: 0.8 * rate for name, rate in unit["peak_flops"].items()},
        "memory_bandwidth": 2e10,
    }
    with _catalog(lab) as catalog:
        catalog.put(
            ComputeMeasurement(
                unit=unit["unit"], kind="CPU", name=unit["name"], body=body, measured_at=datetime.now(UTC)
            )
        )
    page = open_lab(theme=theme, height=1100)
    page.locator('[data-path="churn/pipeline.yaml"] .jp-mlops-IconButton').click()
    form = page.locator("form.jp-mlops-Form")
    form.get_by_text("Queue and priority").click()
    form.get_by_label("Queue", exact=True).select_option("night")
    form.get_by_label("Priority", exact=True).fill("3")
    form.get_by_role("button", name="Run", exact=True).click()
    tab = page.locator(".jp-mlops-Run:visible")
    _expect(tab.locator(".jp-mlops-Run-message")).to_contain_text("waits for 1 run")

    page.locator("#jp-mlops-tab-compute").click()
    waiting = page.locator("[data-queued]").filter(has_text="waits for 1 run")
    _expect(waiting).to_contain_text("night · priority 3")
    waiting.get_by_role("button", name="Priority…").click()
    page.get_by_role("spinbutton", name="Priority of churn").fill("7")
    page.keyboard.press("Enter")
    _expect(page.locator("[data-queued]").filter(has_text="priority 7")).to_have_count(1)
    waiting.get_by_role("button", name="Hold").click()
    held = page.locator("[data-queued]").filter(has_text="is held")
    held.get_by_role("button", name="Release").click()
    _expect(waiting).to_have_count(1)
    _expect(page.locator(".jp-mlops-QuotaBar").first).to_contain_text("runs")
    _expect(page.locator(".jp-mlops-UnitFacts").first).to_contain_text("80 %")

    page.locator("#jp-mlops-tab-pipelines").click()
    page.locator('[data-path="churn/pipeline.yaml"]').get_by_role("button", name="Cost").click()
    costs = page.locator(".jp-mlops-CostTab:visible")
    _expect(costs.locator('[data-place="aws spot"]')).to_be_visible()
    costs.get_by_label("Runs a month").fill("40000")
    _expect(costs.locator(".jp-mlops-Tab-head")).to_contain_text("40,000 runs a month")
    _expect(costs.locator(".jp-mlops-Plot svg")).to_be_visible()
    page.locator("#jp-mlops-tab-compute").click()
    _expect(waiting).to_have_count(1)
    shoot(page, f"compute-{theme}")
    page.locator("#jp-mlops-tab-runs").click()
    _expect(page.locator("[data-run]").filter(has_text="waits for 1 run")).to_have_count(1)
    shoot(page, f"cost-{theme}")

    command(page, "mlops:open-run", runId=done["run_id"], title="churn")
    side = page.locator(".jp-mlops-Run:visible .jp-mlops-Run-side")
    close = side.get_by_role("button", name="Close")
    if close.count():
        close.click()
    side.locator(".jp-mlops-CostFold > summary").click()
    _expect(side.locator('[data-place="own"]')).to_be_visible()


def test_a_notebook_is_added_to_a_pipeline_and_made_into_an_image(
    lab: Any, open_lab: Any, done: dict[str, Any], churn: Path, shoot: Any, command: Any
) -> None:
    (churn / "extra.ipynb").write_text((churn / "fit.ipynb").read_text())
    page = open_lab()
    command(page, "mlops:add-to-pipeline", path="churn/extra.ipynb")
    dialog = page.locator(".jp-Dialog")
    _expect(dialog.get_by_label("Pipeline")).to_have_value("churn/pipeline.yaml")
    dialog.get_by_role("button", name="Add", exact=True).click()
    _expect(dialog).to_have_count(0)
    text = (churn / "pipeline.yaml").read_text()
    assert "extra:\n    notebook: extra.ipynb" in text
    assert text.count("${params.rows}") == 2
    assert not lab.api("GET", "pipelines/churn/pipeline.yaml")["problems"]

    command(page, "mlops:dockerize", path="churn/extra.ipynb")
    tab = page.locator(".jp-mlops-DockerizeTab:visible")
    _expect(tab.get_by_label("Folder for the Dockerfile")).to_have_value("churn/extra-image")
    tab.get_by_role("button", name="Only look").click()
    _expect(tab.locator("[data-image] h2")).to_have_text("extra", timeout=60_000)
    _expect(tab.locator("[data-image]")).to_contain_text("extra.ipynb")
    assert not (churn / "extra-image").exists()
    (churn / "extra-image").mkdir()
    (churn / "extra-image" / "own.txt").write_text("mine")
    tab.get_by_role("button", name="Write").click()
    _expect(tab.locator(".jp-mlops-Failure")).to_contain_text("holds no earlier context", timeout=60_000)
    assert [path.name for path in (churn / "extra-image").iterdir()] == ["own.txt"]
    tab.get_by_role("button", name="Only look").click()
    _expect(tab.locator(".jp-mlops-Failure")).to_have_count(0)
    shoot(page, "dockerize-light")
