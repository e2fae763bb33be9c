"""A workspace that has been in use for years, a pipeline of hundreds of tasks, and readers who cannot see."""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from jupyter_mlops.catalog import Catalog, Run
from jupyter_mlops.catalog.records import TaskRun
from jupyter_mlops.workspace import Workspace

pytestmark = pytest.mark.slow
AXE = Path(__file__).parents[2] / "labextension" / "node_modules" / "axe-core" / "axe.min.js"
SERIOUS = ("serious", "critical")


def _expect(locator: Any) -> Any:
    from playwright.sync_api import expect

    return expect(locator)


@pytest.fixture(scope="module")
def crowd(lab: Any) -> Iterator[tuple[Catalog, str]]:
    """The catalog with ten thousand runs in it, and the id of a run of 500 tasks."""
    lines = ["name: wide", "tasks:"]
    for n in range(500):
        lines += [f"  task_{n:03}:", "    notebook: one.ipynb"]
        if n >= 25:
            lines.append(f"    needs: [task_{n - 25:03}, task_{(n - 25) // 25 * 25 + n % 7:03}]")
    folder = lab.root / "wide"
    folder.mkdir()
    (folder / "one.ipynb").write_text(
        '{"cells": [], "metadata": {"kernelspec": {"name": "python3"}}, "nbformat": 4, "nbformat_minor": 5}'
    )
    (folder / "pipeline.yaml").write_text("\n".join(lines) + "\n")
    with Workspace.open(lab.root) as workspace:
        run = workspace.runs.record(folder / "pipeline.yaml")
        catalog = workspace.catalog
        catalog.update(Run, run.run_id, state="running", started_at=run.created_at)
        old = dataclasses.replace(run, pipeline="ancient", state="succeeded", plan={})
        copies = [
            dataclasses.replace(
                old, run_id=f"old-{n:05}", created_at=run.created_at - timedelta(days=9, minutes=n)
            )
            for n in range(10_000)
        ]
        catalog.add(*copies)
        yield catalog, run.run_id
        catalog.delete(Run, {"pipeline": ["ancient", "wide"]})
    shutil.rmtree(folder)


def test_ten_thousand_runs_are_a_page_at_a_time(open_lab: Any, crowd: Any) -> None:
    page = open_lab()
    page.locator("#jp-mlops-tab-runs").click()
    rows = page.locator("[data-run]")
    _expect(rows).to_have_count(50)
    pager = page.locator(".jp-mlops-Pager")
    _expect(pager).to_contain_text("/ 10,0")
    page.get_by_role("button", name="Older").click()
    _expect(pager).to_contain_text("51–100")
    page.get_by_role("searchbox", name="Search runs").fill("old-09999")
    _expect(rows).to_have_count(1)


def test_the_panel_is_quick_with_all_of_them(
    lab: Any, browser: Any, open_lab: Any, crowd: Any, command: Any
) -> None:
    """Usable within a second of its opening, and no task of the page's main thread takes more than 100 ms, whatever
    is clicked. Tasks are measured by the thread's own time, and the best of three tries counts: others work here, too.
    """
    tried = []
    for _ in range(3):
        usable, worst = _work_through(browser, open_lab(is_shown=False), crowd[1], command)
        tried.append(f"usable after {usable:.0f} ms, longest task {worst:.0f} ms")
        if usable < 1000 and worst < 100:
            break
    print(*tried, sep="\n")
    assert usable < 1000, tried
    assert worst < 100, tried


def _work_through(browser: Any, page: Any, run_id: str, command: Any) -> tuple[float, float]:
    """Open the panel and look at everything; after how many ms there was something to click, and the longest task."""
    page.wait_for_timeout(1000)  # what JupyterLab does after it is restored is not ours
    page.evaluate(
        """() => {
            const opened = performance.now();
            const look = () => document.querySelector('.jp-mlops-Panel .jp-mlops-Row')?.offsetParent
                ? window.usable = performance.now() - opened : requestAnimationFrame(look);
            requestAnimationFrame(look);
        }"""
    )
    browser.start_tracing(page=page, categories=["toplevel"])
    command(page, "mlops:open-panel")
    page.wait_for_function("window.usable !== undefined")
    page.locator("#jp-mlops-tab-runs").click()
    _expect(page.locator("[data-run]")).to_have_count(50)
    page.get_by_role("button", name="Older").click()
    _expect(page.locator(".jp-mlops-Pager")).to_contain_text("51–100")
    page.locator("#jp-mlops-tab-pipelines").click()
    wide = page.locator('[data-path="wide/pipeline.yaml"] .jp-mlops-Row-main')
    if wide.get_attribute("aria-expanded") == "false":
        wide.click()
    _expect(page.locator(".jp-mlops-Panel .jp-mlops-Dag-node")).to_have_count(500)
    command(page, "mlops:open-run", runId=run_id, title="wide")
    run = page.locator(".jp-mlops-Run")
    _expect(run.locator(".jp-mlops-Dag-node")).to_have_count(500)
    run.locator("[data-task=task_003]").click()
    _expect(run.locator(".jp-mlops-Run-side h2")).to_have_text("task_003")
    run.get_by_role("tab", name="Tasks").click()
    _expect(run.locator("tbody tr")).to_have_count(500)
    run.get_by_role("tab", name="Timeline").click()
    _expect(run.locator(".jp-mlops-Gantt-row")).to_have_count(500)
    trace = json.loads(browser.stop_tracing())["traceEvents"]
    main = {
        (one["pid"], one["tid"])
        for one in trace
        if one["name"] == "thread_name" and one["args"]["name"] == "CrRendererMain"
    }
    tasks = [one["tdur"] for one in trace if "tdur" in one and (one["pid"], one["tid"]) in main]
    assert len(tasks) > 100
    return page.evaluate("window.usable"), max(tasks) / 1000


def test_a_change_is_shown_soon_after_its_event(open_lab: Any, crowd: Any, command: Any) -> None:
    """From the moment that the event is in the page until the task of 500 looks different; the best of some changes."""
    catalog, run_id = crowd
    page = open_lab()
    command(page, "mlops:open-run", runId=run_id, title="wide")
    _expect(page.locator(".jp-mlops-Run .jp-mlops-Dag-node")).to_have_count(500)
    page.evaluate(
        """() => {
            window.rang = []; window.shown = {};
            window.jupyterapp.serviceManager.events.stream.connect((_, event) => {
                event.schema_id.includes('jupyter-mlops') && window.rang.push(performance.now());
            });
            new MutationObserver(() =>
                document.querySelectorAll('.jp-mlops-Run .jp-mlops-Dag-node.jp-mod-running').forEach(node => {
                    window.shown[node.dataset.task] ??= performance.now();
                })
            ).observe(document.body, {subtree: true, childList: true, attributes: true, attributeFilter: ['class']});
        }"""
    )
    took: list[float] = []
    while len(took) < 12 and not (took and min(took) < 250):
        task = f"task_{100 + len(took)}"
        page.evaluate("window.rang.length = 0")
        catalog.update(TaskRun, (run_id, task), state="running", cell=1, cells=9)
        page.wait_for_function("task => window.shown[task] !== undefined", arg=task)
        took.append(page.evaluate("task => window.shown[task] - window.rang[0]", task))
    print(f"shown after {min(took):.0f} ms")
    assert min(took) < 250, took


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_serious(lab: Any, open_lab: Any, churn: Path, command: Any, theme: str) -> None:
    if not AXE.is_file():
        pytest.skip("axe-core is not there: jlpm install")
    started = lab.api("POST", "runs", {"path": "churn/pipeline.yaml", "arguments": {"kind": "bad"}})
    lab.wait_for(started["run_id"])
    page = open_lab(theme=theme)
    page.evaluate(AXE.read_text() + "; undefined")
    page.locator('[data-path="churn/pipeline.yaml"] .jp-mlops-IconButton').click()
    _expect(page.locator("form.jp-mlops-Form")).to_be_visible()
    command(page, "mlops:open-run", runId=started["run_id"], title="churn")
    _expect(page.locator(".jp-mlops-Run:visible .jp-mlops-Error")).to_be_visible()
    found = _violations(page)
    for view in ("Timeline", "Tasks"):
        page.locator(".jp-mlops-Run:visible").get_by_role("tab", name=view).click()
        found += _violations(page)
    page.locator("#jp-mlops-tab-runs").click()
    _expect(page.locator("[data-run]").first).to_be_visible()
    found += _violations(page)
    timed = (churn / "pipeline.yaml").read_text() + "schedules:\n  weekly: {cron: 61 6 * * MON}\n"
    (churn / "timed.pipeline.yaml").write_text(timed)
    command(page, "docmanager:open", path="churn/timed.pipeline.yaml", factory="Pipeline Editor")
    _expect(page.locator(".jp-mlops-ScheduleFields:visible [aria-invalid]")).to_be_visible()
    found += _violations(page)
    command(page, "mlops:export-pipeline", path="churn/pipeline.yaml")
    _expect(page.locator(".jp-mlops-ExportTab:visible")).to_be_visible()
    found += _violations(page)
    command(page, "mlops:dockerize", path="churn/load.ipynb")
    _expect(page.locator(".jp-mlops-DockerizeTab:visible")).to_be_visible()
    for section, shown in (
        ("schedules", "button"),
        ("deployments", "button"),
        ("compute", ".jp-mlops-UnitFacts"),
    ):
        page.locator(f"#jp-mlops-tab-{section}").click()
        _expect(page.locator(f".jp-mlops-Section {shown}").first).to_be_visible()
        found += _violations(page)
    assert not found, "\n".join(found)


def _violations(page: Any) -> list[str]:
    """What axe has to say of our parts of the page."""
    page.evaluate(
        "() => { window.told = null; const ours = ['.jp-mlops-Panel', '.jp-mlops-Tab', '.jp-mlops-EditorDocument'];"
        "void axe.run({include: ours.filter(one => document.querySelector(one)).map(one => [one])})"
        ".then(told => { window.told = told.violations; }); }"
    )
    page.wait_for_function("window.told !== null")
    told = page.evaluate(
        "window.told.map(({id, impact, help, nodes}) =>"
        "({id, impact, help, where: nodes.slice(0, 3).map(n => n.html)}))"
    )
    return [f"{one['id']} ({one['help']}): {one['where']}" for one in told if one["impact"] in SERIOUS]
