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
    page.locator("#jp-mlops-tab-pipelines").click()
    row = page.locator(f'[data-path="{path}"]')
    row.locator(".jp-mlops-IconButton").click()
    for name, text in texts.items():
        page.locator(f"#jp-mlops-field-{name}").fill(text)
    row.locator("form button[type=submit]").click()
    run = page.locator(".jp-mlops-Run:visible")
    run.wait_for()
    return run


@pytest.mark.slow  # every day `tests/server/test_runs.py` asks the server for what the panel asks it for here
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


@pytest.mark.slow
def test_an_executed_notebook_opens_in_a_tab_and_by_its_link(lab: Any, open_lab: Any, churn: Path) -> None:
    page = open_lab()
    started = lab.api("POST", "runs", {"path": "churn/pipeline.yaml", "arguments": {"rows": "400"}})
    lab.wait_for(started["run_id"])
    page.locator("#jp-mlops-tab-runs").click()
    page.locator(f'[data-run="{started["run_id"]}"] button').click()
    run = page.locator(".jp-mlops-Run:visible")
    run.locator("[data-task=report]").click()
    run.get_by_role("button", name="Executed notebook").click()
    inside = page.frame_locator("iframe.jp-mlops-Notebook:visible")
    _expect(inside.locator("body")).to_contain_text("scores: [0.6, 0.6]")

    page.locator(".lm-TabBar-tab", has_text="churn").first.click()
    run.get_by_role("button", name="Copy link").click()
    page.wait_for_function("navigator.clipboard.readText().then(text => text.includes('/mlops/view/'))")
    link = page.evaluate("navigator.clipboard.readText()")
    reader = page.context.new_page()
    reader.goto(link)
    _expect(reader.locator("body")).to_contain_text("scores: [0.6, 0.6]")


@pytest.mark.slow
def test_a_failure_says_which_cell_and_what_failed_is_run_again(lab: Any, open_lab: Any, churn: Path) -> None:
    page = open_lab()
    run = _start(page, "churn/pipeline.yaml", rows="500", kind="bad")
    _expect(run.locator(".jp-mlops-Run-state")).to_have_text("failed", timeout=60_000)
    side = run.locator(".jp-mlops-Run-side")
    _expect(side.locator("h2")).to_have_text("fit_b")  # what failed is shown unasked
    _expect(side.locator(".jp-mlops-Error")).to_contain_text("cannot fit 500 rows of kind 'bad'")
    _expect(side.locator(".jp-mlops-Error")).to_contain_text("cell 3")  # with the one that is injected

    (churn / "fit.ipynb").write_text((churn / "fit.ipynb").read_text().replace("== 'bad'", "== 'worse'"))
    run.get_by_role("button", name="Rerun failed").click()
    page.wait_for_function("document.querySelectorAll('.jp-mlops-Run').length === 2")
    again = page.locator(".jp-mlops-Run:visible")
    _expect(again.locator(".jp-mlops-Run-state")).to_have_text("succeeded", timeout=60_000)
    _expect(again.locator("[data-task=load]")).to_have_class(re.compile("jp-mod-cached"))


@pytest.mark.slow
def test_a_mistake_in_the_form_is_told_at_its_field(open_lab: Any, lab: Any, churn: Path) -> None:
    page = open_lab()
    page.locator('[data-path="churn/pipeline.yaml"] .jp-mlops-IconButton').click()
    form = page.locator("form.jp-mlops-Form")
    rows = form.locator(".jp-mlops-Field", has=page.locator("#jp-mlops-field-rows"))
    rows.locator("input").fill("12.5")
    form.get_by_role("button", name="Run", exact=True).click()
    _expect(rows.get_by_role("alert")).to_have_text("must be a whole number")  # the form saw it by itself
    _expect(rows.locator("input")).to_have_attribute("aria-invalid", "true")

    rows.locator("input").fill("12")
    (churn / "report.ipynb").rename(churn / "gone.ipynb")
    form.get_by_role("button", name="Run", exact=True).click()
    _expect(form.locator(".jp-mlops-Problems")).to_contain_text("report.ipynb")  # the server saw it
    (churn / "gone.ipynb").rename(churn / "report.ipynb")


@pytest.mark.slow
def test_a_run_is_cancelled(lab: Any, open_lab: Any, churn: Path) -> None:
    page = open_lab()
    run = _start(page, "churn/pipeline.yaml", rows="77", pause="5")
    _expect(run.locator("[data-task=load]")).to_have_class(re.compile("jp-mod-running"))
    _expect(page.locator(".jp-mlops-Running")).to_have_text("1 task running")
    run.get_by_role("button", name="Cancel").click()
    _expect(run.locator(".jp-mlops-Run-state")).to_have_text("cancelled", timeout=60_000)
    _expect(run.locator("[data-task=load]")).to_have_class(re.compile("jp-mod-cancelled"))
    _expect(page.locator(".jp-mlops-Running")).to_have_count(0)


@pytest.mark.slow
def test_two_runs_are_compared(lab: Any, open_lab: Any, churn: Path, command: Any) -> None:
    runs = []
    for rows in ("800", "1600"):
        run = lab.api("POST", "runs", {"path": "churn/pipeline.yaml", "arguments": {"rows": rows}})
        runs.append(lab.wait_for(run["run_id"]))
    page = open_lab()
    command(page, "mlops:open-run", runId=runs[1]["run_id"], title="churn")
    page.locator(".jp-mlops-Run:visible").get_by_role("button", name="Compare…").click()
    compared = page.locator(".jp-mlops-Compare")
    row = compared.locator(".jp-mlops-Compare-row", has_text="rows").first
    _expect(row).to_contain_text("800")
    _expect(row).to_contain_text("1600")
    auc = compared.locator("[data-task=fit_a] .jp-mlops-Compare-row", has_text="auc")
    _expect(auc.locator(".jp-mlops-Compare-change")).to_have_text("+0.2")
    compared.locator("[data-task=report]").get_by_role("button").click()
    _expect(compared.locator("[data-task=report] .jp-mlops-Diff").first).to_contain_text("0.9")


@pytest.mark.slow
def test_a_notebook_runs_as_a_task(lab: Any, open_lab: Any, churn: Path, command: Any) -> None:
    page = open_lab()
    command(page, "docmanager:open", path="churn/load.ipynb")
    page.wait_for_selector(".jp-NotebookPanel:visible")
    page.locator('.jp-NotebookPanel-toolbar [data-jp-item-name="mlops-run"]').click()
    dialog = page.locator(".jp-Dialog")
    dialog.locator("#jp-mlops-field-rows").fill("64")
    dialog.get_by_role("button", name="Run", exact=True).click()
    run = page.locator(".jp-mlops-Run:visible")
    _expect(run.locator(".jp-mlops-Run-state")).to_have_text("succeeded", timeout=60_000)
    _expect(run.locator(".jp-mlops-Run-side")).to_contain_text("64")


@pytest.mark.slow
def test_a_restart_of_the_server_is_told_and_recovers_by_itself(lab: Any, open_lab: Any, churn: Path) -> None:
    page = open_lab()
    run = _start(page, "churn/pipeline.yaml", rows="900", pause="0.7")
    _expect(run.locator("[data-task=load]")).to_have_class(re.compile("jp-mod-running"))
    lab.stop()
    _expect(page.locator(".jp-mlops-Panel .jp-mlops-Banner")).to_contain_text(
        "Connection lost, trying again", timeout=60_000
    )
    lab.start()
    _expect(page.locator(".jp-mlops-Banner")).to_have_count(0, timeout=60_000)
    _expect(run.locator(".jp-mlops-Run-state")).to_have_text(
        "succeeded", timeout=60_000
    )  # it went on meanwhile


@pytest.mark.slow
def test_a_network_that_drops_is_told_and_recovers_by_itself(lab: Any, open_lab: Any, churn: Path) -> None:
    page = open_lab()
    run = _start(page, "churn/pipeline.yaml", rows="901", pause="0.2")
    _expect(run.locator("[data-task=load]")).to_have_class(re.compile("jp-mod-running"), timeout=30_000)
    page.context.set_offline(True)
    lost = page.locator(".jp-mlops-Panel .jp-mlops-Banner")
    _expect(lost).to_contain_text("Connection lost, trying again")
    _expect(run.locator(".jp-mlops-Banner")).to_be_visible()  # in the tab, too
    _expect(run.locator("[data-task=load]")).to_be_visible()  # what is shown stays
    lab.wait_for(lab.api("GET", "runs?limit=1")["items"][0]["run_id"])
    page.context.set_offline(False)
    _expect(page.locator(".jp-mlops-Banner")).to_have_count(0, timeout=30_000)
    _expect(run.locator(".jp-mlops-Run-state")).to_have_text("succeeded", timeout=30_000)


@pytest.mark.slow
def test_a_kernel_that_dies_is_told_and_the_next_run_has_another(
    lab: Any, open_lab: Any, churn: Path
) -> None:
    fit = churn / "fit.ipynb"
    whole = fit.read_text()
    fit.write_text(
        whole.replace("raise ValueError(", "import os; os.kill(os.getpid(), 9); raise ValueError(")
    )
    page = open_lab()
    run = _start(page, "churn/pipeline.yaml", rows="902", kind="bad")
    _expect(run.locator(".jp-mlops-Run-state")).to_have_text("failed", timeout=60_000)
    _expect(run.locator(".jp-mlops-Run-side h2")).to_have_text("fit_b")
    _expect(run.locator(".jp-mlops-Run-side .jp-mlops-Error")).to_contain_text("the kernel was killed")
    fit.write_text(whole.replace("== 'bad'", "== 'worse'"))
    run.get_by_role("button", name="Rerun failed").click()
    page.wait_for_function("document.querySelectorAll('.jp-mlops-Run').length === 2")
    again = page.locator(".jp-mlops-Run:visible")
    _expect(again.locator(".jp-mlops-Run-state")).to_have_text("succeeded", timeout=60_000)
