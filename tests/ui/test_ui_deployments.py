"""Deployments in the panel: from the form to a model that answers, another version beside it, back, stopped, gone."""

from __future__ import annotations

import time
import urllib.request
from collections.abc import Iterator
from typing import Any

import psutil
import pytest

pytestmark = pytest.mark.slow
_NAME = "airport-groups"


def _expect(locator: Any) -> Any:
    from playwright.sync_api import expect

    return expect(locator)


def _left(lab: Any) -> list[str]:
    """What serves something of this JupyterLab's workspace."""
    found = []
    for process in psutil.process_iter(["cmdline"]):
        words = process.info["cmdline"] or []
        if any(f"{lab.root}/.mlops/deployments" in word for word in words):
            found.append(" ".join(words))
    return found


@pytest.fixture
def clean(filled: Any) -> Iterator[Any]:
    yield filled
    for one in filled.api("GET", "deployments")["items"]:
        filled.api("DELETE", f"deployments/{one['name']}")
    until = time.monotonic() + 30
    while (left := _left(filled)) and time.monotonic() < until:
        time.sleep(0.1)
    assert not left


def _is_running(lab: Any, name: str, revision: int) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        shown = lab.api("GET", f"deployments/{name}")
        if (shown["live_state"], shown["live_revision"], shown["deployment"]["state"]) == (
            "running", revision, "running",
        ):  # fmt: skip
            return
        time.sleep(0.2)
    raise AssertionError(shown)


def _open_form(page: Any) -> Any:
    page.locator("#jp-mlops-tab-deployments").click()
    page.get_by_role("button", name="Deploy a model").click()
    form = page.locator("form.jp-mlops-Form")
    _expect(form.get_by_label("Target")).to_have_value("local")
    return form


def test_a_model_is_deployed_from_the_form_and_comes_to_its_end(clean: Any, open_lab: Any) -> None:
    page = open_lab()
    form = _open_form(page)
    form.get_by_label("Model", exact=True).select_option(_NAME)
    form.get_by_label("Replicas from").fill("1")
    form.get_by_role("button", name="Preview").click()
    _expect(form.locator(".jp-mlops-Source").first).to_be_visible()
    form.get_by_role("button", name="Deploy", exact=True).click()

    tab = page.locator(".jp-mlops-DeploymentTab:visible")
    _expect(tab.locator("h1")).to_have_text(_NAME)
    _is_running(clean, _NAME, 1)
    _expect(tab.locator("tbody").first).to_contain_text("running")
    url = clean.api("GET", f"deployments/{_NAME}")["deployment"]["url"]
    with urllib.request.urlopen(f"{url}/healthz/ready", timeout=10) as answer:
        assert answer.status == 200

    tab.get_by_role("button", name="Stop").click()
    _expect(tab.get_by_role("button", name="Start")).to_be_enabled(timeout=30_000)
    assert not _left(clean)
    tab.get_by_role("button", name="Start").click()
    _expect(tab.get_by_role("button", name="Stop")).to_be_enabled(timeout=60_000)
    tab.get_by_role("button", name="Remove").click()
    tab.get_by_role("button", name="Take it away for good").click()
    _expect(page.locator(f'[data-deployment="{_NAME}"]')).to_have_count(0, timeout=30_000)


def test_a_canary_is_rolled_back_and_looks_well(clean: Any, open_lab: Any, shoot: Any) -> None:
    asked = {"model": "models:/late-flights/4", "replicas": [2, 4]}
    clean.api("POST", "deployments", asked)
    _is_running(clean, "late-flights", 1)
    page = open_lab()
    form = _open_form(page)
    form.get_by_label("Model", exact=True).select_option("late-flights")
    form.get_by_label("Version").select_option("6")
    form.get_by_label("Share of the requests, %").fill("10")
    form.get_by_role("button", name="Deploy", exact=True).click()
    _is_running(clean, "late-flights", 2)
    tab = page.locator(".jp-mlops-DeploymentTab:visible")
    _expect(tab.locator(".jp-mlops-Traffic")).to_have_attribute("aria-label", "Traffic: v4 90 %, v6 10 %")
    _expect(tab.locator('[data-revision="2"]')).to_be_visible()
    url = clean.api("GET", "deployments/late-flights")["deployment"]["url"]
    for _ in range(20):
        row = b'{"dataframe_records": [{"distance": 200, "departure": 1730}]}'
        request = urllib.request.Request(f"{url}/invocations", row, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=20) as answer:
            assert answer.headers["x-mlops-model"] in ("late-flights/4", "late-flights/6")
    _expect(tab.locator(".jp-mlops-Facts")).to_contain_text("20 requests")
    shoot(page, "deployments-light")
    dark = open_lab(theme="dark")
    _open_form(dark)
    dark.locator('[data-deployment="late-flights"] button').click()
    _expect(dark.locator(".jp-mlops-DeploymentTab:visible .jp-mlops-Traffic")).to_be_visible()
    shoot(dark, "deployments-dark")
    tab.locator('[data-revision="1"]').get_by_role("button", name="Roll back to it").click()
    _is_running(clean, "late-flights", 3)
    _expect(tab.locator(".jp-mlops-Traffic")).to_have_attribute("aria-label", "Traffic: v4 100 %")
