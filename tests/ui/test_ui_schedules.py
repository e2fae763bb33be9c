"""Schedules in the panel: added with a form that shows what it will do, paused, and fired by the server itself."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from jupyter_mlops.catalog import Catalog, Fire

pytestmark = pytest.mark.slow
_NAME = "churn.main"


def _expect(locator: Any) -> Any:
    from playwright.sync_api import expect

    return expect(locator)


@pytest.fixture
def clean(lab: Any, churn: Path) -> Iterator[None]:
    yield
    for schedule in lab.api("GET", "schedules")["items"]:
        lab.api("DELETE", f"schedules/{schedule['name']}")


def _open_form(page: Any) -> Any:
    page.locator("#jp-mlops-tab-schedules").click()
    page.get_by_role("button", name="Add a schedule").click()
    form = page.locator("form.jp-mlops-Form")
    form.get_by_label("Pipeline", exact=True).select_option("churn/pipeline.yaml")
    form.get_by_label("Time zone").fill("Europe/Berlin")
    return form


@pytest.mark.usefixtures("clean")
def test_a_schedule_is_added_and_shown_with_its_next_fires(lab: Any, open_lab: Any) -> None:
    page = open_lab()
    form = _open_form(page)
    form.get_by_label("Cron").fill("0 25 * * *")
    _expect(form.locator(".jp-mlops-NextFires")).to_contain_text("25")
    form.get_by_label("Cron").fill("30 6 * * MON")
    _expect(form.locator(".jp-mlops-NextFires li")).to_have_count(3)
    _expect(form.locator(".jp-mlops-NextFires li").first).to_contain_text("Mon")
    form.get_by_text("Arguments").click()
    form.get_by_label("rows").fill("7")
    form.get_by_text("Start, end and jitter").click()
    form.get_by_label("Late by up to").fill("soon")
    form.get_by_role("button", name="Add", exact=True).click()
    _expect(form.get_by_role("alert")).to_contain_text("'soon' is no duration")
    _expect(form.get_by_label("Late by up to")).to_have_attribute("aria-invalid", "true")
    form.get_by_label("Late by up to").fill("90s")
    form.get_by_role("button", name="Add", exact=True).click()

    row = page.locator(f'[data-schedule="{_NAME}"]')
    _expect(row).to_contain_text("30 6 * * MON")
    row.locator("button").click()
    tab = page.locator(".jp-mlops-ScheduleTab:visible")
    _expect(tab.locator("tbody tr")).to_have_count(5)
    _expect(tab.locator("tbody tr").first).to_contain_text("rows=7")
    tab.get_by_role("button", name="Pause").click()
    _expect(row).to_contain_text("paused")
    tab.get_by_role("button", name="Resume").click()
    _expect(tab.get_by_role("button", name="Pause")).to_be_visible()
    tab.get_by_role("button", name="Remove").click()
    tab.get_by_role("button", name="Remove it and its history").click()
    _expect(row).to_have_count(0)
    assert lab.api("GET", "schedules")["items"] == []


@pytest.mark.usefixtures("clean")
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_pictures(lab: Any, open_lab: Any, shoot: Any, theme: str) -> None:
    started = lab.api("POST", "runs", {"path": "churn/pipeline.yaml", "arguments": {"rows": "5"}})
    lab.wait_for(started["run_id"])
    lab.api(
        "POST",
        "schedules",
        {"path": "churn/pipeline.yaml", "name": "main", "cron": "0 6 * * *", "timezone": "Europe/Berlin"},
    )
    lab.api(
        "POST",
        "schedules",
        {"path": "churn/pipeline.yaml", "name": "monthly", "cron": "0 6 1 * *", "is_paused": True},
    )
    six = datetime.now(ZoneInfo("Europe/Berlin")).replace(hour=6, minute=0, second=0, microsecond=0)
    today = six.astimezone(UTC)
    told = [
        ("succeeded", "", started["run_id"]),
        ("skipped", "an earlier run goes on", ""),
        ("missed", "nothing fired schedules", ""),
    ]
    with Catalog.open(f"sqlite:///{lab.root / '.mlops' / 'catalog.db'}") as catalog:
        catalog.add(
            *[
                Fire(schedule=_NAME, fire_at=today - timedelta(days=days), state=state, reason=why, run_id=run,
                     count=4 if state == "missed" else 1, created_at=today)
                for days, (state, why, run) in enumerate(told, 1)
            ]
        )  # fmt: skip
    page = open_lab(theme=theme)
    form = _open_form(page)
    _expect(form.locator(".jp-mlops-NextFires li")).to_have_count(3)
    page.locator(f'[data-schedule="{_NAME}"] button').click()
    tab = page.locator(".jp-mlops-ScheduleTab:visible")
    _expect(tab.locator("tbody")).to_have_count(2)
    shoot(page, f"schedules-{theme}")
