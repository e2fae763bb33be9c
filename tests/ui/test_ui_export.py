"""A pipeline in another orchestrator's files, by the panel: refused by name, looked at, written, not overwritten."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow


def _expect(locator: Any) -> Any:
    from playwright.sync_api import expect

    return expect(locator)


@pytest.fixture
def target(churn: Path) -> Iterator[Path]:
    yield churn / "argo"
    shutil.rmtree(churn / "argo", ignore_errors=True)


def test_a_pipeline_is_exported(target: Path, open_lab: Any) -> None:
    page = open_lab()
    page.locator("#jp-mlops-tab-pipelines").click()
    row = page.locator('[data-path="churn/pipeline.yaml"]')
    head = row.locator(".jp-mlops-Row-main")
    if head.get_attribute("aria-expanded") == "false":  # the first one is unfolded by itself
        head.click()
    row.get_by_role("button", name="Export…").click()
    tab = page.locator(".jp-mlops-ExportTab:visible")
    tab.get_by_label("Orchestrator").select_option("Argo")
    tab.get_by_role("button", name="Only look").click()
    _expect(tab.get_by_role("alert")).to_contain_text("--image")

    tab.get_by_label("Container image that has the project").fill("registry/churn:1")
    tab.get_by_role("button", name="Only look").click()
    file = tab.locator("[data-export] details")
    _expect(file.locator("summary")).to_have_text("churn.yaml")
    _expect(tab.get_by_role("alert")).to_have_count(0)
    assert not target.exists()
    tab.get_by_role("button", name="Write").click()
    file.locator("summary").click()
    _expect(file.get_by_role("button", name="churn/argo/churn.yaml")).to_be_visible()
    _expect(file.locator("pre")).to_contain_text("kind: WorkflowTemplate")
    assert "registry/churn:1" in (target / "churn.yaml").read_text()

    (target / "churn.yaml").write_text("mine")
    tab.get_by_role("button", name="Write").click()
    _expect(tab.get_by_role("alert")).to_contain_text("is there and differs")
    assert (target / "churn.yaml").read_text() == "mine"
