"""Features and compute in the panel: how fresh, how they look, whether they drift, where tasks run."""

from __future__ import annotations

from typing import Any

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("filled")]


def _expect(locator: Any) -> Any:
    from playwright.sync_api import expect

    return expect(locator)


def _open(page: Any, view: str) -> Any:
    page.locator("#jp-mlops-tab-features").click()
    page.locator(f'[data-view="{view}"] button').click()
    tab = page.locator(".jp-mlops-FeatureTab:visible", has=page.locator("h1", has_text=view))
    tab.wait_for()
    return tab


def test_views_show_their_freshness(open_lab: Any) -> None:
    page = open_lab()
    page.locator("#jp-mlops-tab-features").click()
    _expect(page.locator('[data-view="weather"]')).to_contain_text(" old")
    _expect(page.locator('[data-view="wind"]')).to_contain_text("not materialized")
    _expect(page.locator('[data-view="feel"]')).to_contain_text("when asked")
    _expect(page.locator(".jp-mlops-Services")).to_contain_text("departure")
    page.get_by_label("Search features").fill("noaa")
    _expect(page.locator("[data-view]")).to_have_count(1)


def test_a_view_shows_profiles_drift_and_rows(open_lab: Any) -> None:
    tab = _open(open_lab(), "weather")
    temp = tab.locator('[data-feature="temp"]')
    _expect(temp.locator(".jp-mlops-Profile-drift")).to_contain_text("▲ PSI")
    _expect(temp.locator("rect")).not_to_have_count(0)
    _expect(temp.locator(".jp-mlops-Profile-before")).to_have_count(1)
    _expect(tab.locator('[data-feature="sky"] li').first).to_contain_text("clear")
    _expect(tab).to_contain_text("1 of 3 features drifted")
    _expect(tab.locator(".jp-mlops-Expectations li").first).to_contain_text("temp between -60 and 140")
    _expect(tab.locator(".jp-mlops-Source").first).to_contain_text("FROM 'weather.parquet'")
    _expect(tab.locator(".jp-mlops-Preview tbody tr")).to_have_count(50)


def test_a_view_that_is_computed_has_no_rows(open_lab: Any) -> None:
    tab = _open(open_lab(), "feel")
    _expect(tab).to_contain_text("when asked")
    _expect(tab.locator(".jp-mlops-Source")).to_contain_text("wind_speed")
    _expect(tab.locator(".jp-mlops-Preview")).to_have_count(0)


def test_compute_shows_what_runs_and_who_waits(open_lab: Any, lab: Any, churn: Any) -> None:
    run = lab.api("POST", "runs", {"path": "churn/pipeline.yaml", "arguments": {"pause": "4", "rows": "31"}})
    page = open_lab()
    page.locator("#jp-mlops-tab-compute").click()
    compute = page.locator(".jp-mlops-Compute")
    _expect(compute.get_by_role("meter")).to_have_count(2)
    _expect(compute.locator('[data-task="load"]')).to_contain_text("churn", timeout=60_000)
    _expect(compute.locator('[data-task="fit_a"]')).to_contain_text("load")
    lab.api("POST", f"runs/{run['run_id']}/cancel")
    _expect(compute.locator('[data-task="load"]')).to_have_count(0, timeout=30_000)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_pictures(open_lab: Any, shoot: Any, theme: str) -> None:
    page = open_lab(theme=theme, width=1440, height=900)
    tab = _open(page, "weather")
    tab.locator(".jp-mlops-Preview").wait_for()
    shoot(page, f"features-{theme}")
    page.locator("#jp-mlops-tab-compute").click()
    page.locator(".jp-mlops-Unit").first.wait_for()
    shoot(page, f"compute-{theme}")
