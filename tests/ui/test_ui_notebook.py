"""The panel in Notebook 7: a page holds one document there, and the one with the files takes our tabs."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("notebook")
pytestmark = pytest.mark.slow
TOKEN = "a-token-for-tests"


def _expect(locator: Any) -> Any:
    from playwright.sync_api import expect

    return expect(locator)


@pytest.fixture
def visit(lab: Any, browser: Any) -> Iterator[Callable[[str], Any]]:
    """`page = visit("tree")`: a page of Notebook 7's, on the server that has JupyterLab, too."""
    lab.prefer("@jupyterlab/apputils-extension:themes", theme="JupyterLab Light")
    context = browser.new_context(viewport={"width": 1280, "height": 800}, reduced_motion="reduce")
    context.set_default_timeout(60_000)
    context.new_page().goto(f"{lab.url}login?token={TOKEN}")  # signs in: a page has no token in its URL

    def visit(path: str) -> Any:
        page = context.new_page()
        page.goto(lab.url + path)
        return page

    yield visit
    context.close()


def test_a_run_goes_on_in_a_tab_beside_the_files(visit: Any, lab: Any, churn: Path, shoot: Any) -> None:
    page = visit("tree")
    page.locator(".jp-DirListing-item").first.wait_for()
    page.locator(".lm-MenuBar-item", has_text="View").click()
    page.locator(".lm-Menu-item", has_text="MLOps Panel").click()
    row = page.locator('[data-path="churn/pipeline.yaml"]')
    row.locator(".jp-mlops-IconButton").click()
    page.locator("#jp-mlops-field-rows").fill("1100")
    page.locator("#jp-mlops-field-pause").fill("0.2")
    row.locator("form button[type=submit]").click()
    run = page.locator(".jp-mlops-Run:visible")
    _expect(run.locator("[data-task=load]")).to_have_class(re.compile("jp-mod-running"), timeout=30_000)
    _expect(page.locator("#menu-panel .jp-mlops-Running")).to_have_text("1 task running")
    shoot(page, "notebook7-light")
    _expect(run.locator(".jp-mlops-Run-state")).to_have_text("succeeded", timeout=60_000)
    run.locator("[data-task=report]").click()
    run.get_by_role("button", name="Executed notebook").click()
    _expect(page.locator("#main-panel .lm-TabBar-tab", has_text="report · executed")).to_be_visible()
    inside = page.frame_locator("iframe.jp-mlops-Notebook:visible")
    _expect(inside.locator("body")).to_contain_text("scores:")


def test_from_a_notebook_a_run_opens_in_a_page_of_its_own(visit: Any, lab: Any, churn: Path) -> None:
    page = visit("notebooks/churn/load.ipynb")
    page.locator(".jp-Notebook .jp-Cell").first.wait_for()
    page.locator('[data-jp-item-name="mlops-run"]').click()
    dialog = page.locator(".jp-Dialog")
    dialog.locator("#jp-mlops-field-rows").fill("65")
    with page.expect_popup() as opened:
        dialog.get_by_role("button", name="Run", exact=True).click()
    run = opened.value.locator(".jp-mlops-Run:visible")
    _expect(run.locator(".jp-mlops-Run-state")).to_have_text("succeeded", timeout=60_000)
    _expect(opened.value.locator("#main-panel .lm-TabBar-tab", has_text="load.ipynb")).to_be_visible()
