"""The panel in a real JupyterLab: run a pipeline from its form, watch it, look at what came of it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest


def _expect(locator: Any) -> Any:
    from playwright.sync_api import expect

    return expect(locator)


def _start(page: Any, path: str, **texts: str) -> Any:
    """Open the form of a pipeline, fill it in, run it; the tab of the run."""
    page.get_by_role("tab", name="Pipelines").click()
    row = page.locator(f'[data-path="{path}"]')
    row.locator(".jp-mlops-IconButton").click()
    for name, text in texts.items():
        page.locator(f"#jp-mlops-field-{name}").fill(text)
    row.locator("form button[type=submit]").click()
    run = page.locator(".jp-mlops-Run:visible")
    run.wait_for()
    return run


def test_a_run_is_started_from_its_form_and_watched_to_its_end(lab: Any, open_lab: Any, churn: Path) -> None:
    page = open_lab()
    run = _start(page, "churn/pipeline.yaml", rows="1200", pause="0.25")

    load = run.locator("[data-task=load]")
    _expect(load).to_have_class(re.compile("jp-mod-running"))
    _expect(run.locator("[data-task=report]")).to_have_class(re.compile("jp-mod-queued"))
    load.click()
    _expect(run.locator(".jp-mlops-Log")).to_contain_text("batch 2 of 12")  # it streams
    _expect(run.locator(".jp-mlops-Run-side")).to_contain_text("running for")

    _expect(run.locator(".jp-mlops-Run-state")).to_have_text("succeeded", timeout=60_000)
    _expect(run.locator("[data-task=report]")).to_have_class(re.compile("jp-mod-succeeded"))
    run.locator("[data-task=fit_a]").click()
    _expect(run.locator(".jp-mlops-Run-side")).to_contain_text("0.8")
    assert lab.api("GET", "runs?limit=1")["items"][0]["state"] == "succeeded"
