"""A workspace that has been in use for years, a pipeline of hundreds of tasks, and readers who cannot see."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from jupyter_mlops.catalog import Catalog, Run

pytestmark = pytest.mark.slow
AXE = Path(__file__).parents[2] / "labextension" / "node_modules" / "axe-core" / "axe.min.js"
SERIOUS = ("serious", "critical")


def _expect(locator: Any) -> Any:
    from playwright.sync_api import expect

    return expect(locator)


def test_ten_thousand_runs_are_a_page_at_a_time(lab: Any, open_lab: Any, churn: Path) -> None:
    started = lab.api("POST", "runs", {"path": "churn/pipeline.yaml", "arguments": {"rows": "5"}})
    lab.wait_for(started["run_id"])
    url = f"sqlite:///{lab.root / '.mlops' / 'catalog.db'}"
    with Catalog.open(url) as catalog:
        run = catalog.get(Run, started["run_id"])
        copies = [
            dataclasses.replace(
                run,
                run_id=f"old-{n:05}",
                pipeline="ancient",
                created_at=run.created_at - timedelta(days=9, minutes=n),
            )
            for n in range(10_000)
        ]
        catalog.add(*copies)
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
    with Catalog.open(url) as catalog:
        catalog.delete(Run, {"pipeline": "ancient"})


def test_a_pipeline_of_five_hundred_tasks_is_drawn(lab: Any, open_lab: Any, churn: Path) -> None:
    lines = ["name: wide", "tasks:"]
    for n in range(500):
        lines += [f"  task_{n:03}:", "    notebook: report.ipynb"]
        if n >= 25:
            lines.append(f"    needs: [task_{n - 25:03}, task_{(n - 25) // 25 * 25 + n % 7:03}]")
    path = churn / "wide.pipeline.yaml"
    path.write_text("\n".join(lines) + "\n")
    page = open_lab()
    page.locator('[data-path="churn/wide.pipeline.yaml"] .jp-mlops-Row-main').click()
    _expect(page.locator(".jp-mlops-Panel .jp-mlops-Dag-node")).to_have_count(500)
    page.locator("#jp-mlops-tab-runs").click()  # it still answers
    _expect(page.get_by_role("searchbox", name="Search runs")).to_be_visible()
    path.unlink()


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
        "() => { window.told = null; void axe.run({include: [['.jp-mlops-Panel'], ['.jp-mlops-Tab']]})"
        ".then(told => { window.told = told.violations; }); }"
    )
    page.wait_for_function("window.told !== null")
    told = page.evaluate(
        "window.told.map(({id, impact, help, nodes}) =>"
        "({id, impact, help, where: nodes.slice(0, 3).map(n => n.html)}))"
    )
    return [f"{one['id']} ({one['help']}): {one['where']}" for one in told if one["impact"] in SERIOUS]
