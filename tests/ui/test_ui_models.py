"""Models in the panel: a list, a tab for each, and aliases that move only when somebody agrees."""

from __future__ import annotations

from typing import Any

import pytest

_ITS = "models/late-flights"


pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("filled")]


def _expect(locator: Any) -> Any:
    from playwright.sync_api import expect

    return expect(locator)


def _open(page: Any) -> Any:
    page.locator("#jp-mlops-tab-models").click()
    page.locator('[data-model="late-flights"] button').click()
    tab = page.locator(".jp-mlops-ModelTab:visible")
    tab.locator(".jp-mlops-VersionView").wait_for()
    return tab


def test_models_are_listed_and_searched(open_lab: Any) -> None:
    page = open_lab()
    page.locator("#jp-mlops-tab-models").click()
    row = page.locator('[data-model="late-flights"]')
    _expect(row).to_contain_text("v6")
    _expect(row).to_contain_text("auc 0.7803")
    _expect(row.locator(".jp-mlops-Alias")).to_have_count(2)
    page.get_by_label("Search models").fill("airport")
    _expect(row).to_have_count(0)
    _expect(page.locator("[data-model]")).to_have_count(1)


def test_an_alias_is_moved_once_somebody_agrees(open_lab: Any, lab: Any) -> None:
    tab = _open(page := open_lab())
    before = lab.api("GET", _ITS)["aliases"]["challenger"]
    target = 5 if before == 6 else 6
    tab.locator(f'tr[data-version="{target}"]').click()
    tab.get_by_role("button", name="Move an alias here…").click()
    tab.get_by_role("button", name=f"challenger (from v{before})").click()
    dialog = page.locator(".jp-Dialog")
    _expect(dialog).to_contain_text(f"challenger names version {before} now.")
    dialog.get_by_role("button", name="Cancel").click()
    assert lab.api("GET", _ITS)["aliases"]["challenger"] == before

    tab.get_by_role("button", name="Move an alias here…").click()
    tab.get_by_role("button", name=f"challenger (from v{before})").click()
    page.locator(".jp-Dialog").get_by_role("button", name="Move").click()
    _expect(tab.locator(f'tr[data-version="{target}"] .jp-mlops-Alias')).to_have_text("challenger")
    _expect(tab.locator(f'tr[data-version="{before}"] .jp-mlops-Alias')).to_have_count(0)
    assert lab.api("GET", _ITS)["aliases"]["challenger"] == target
    _expect(page.locator('[data-model="late-flights"]')).to_contain_text(f"challengerv{target}")


def test_a_protected_alias_asks_again(open_lab: Any, lab: Any) -> None:
    tab = _open(page := open_lab())
    assert lab.api("GET", _ITS)["aliases"]["champion"] == 4
    tab.locator('tr[data-version="3"]').click()
    for answer, version in (("Cancel", 4), ("Move it all the same", 3)):
        tab.get_by_role("button", name="Move an alias here…").click()
        tab.get_by_role("button", name="champion (from v4)").click()
        page.locator(".jp-Dialog").get_by_role("button", name="Move").click()
        again = page.locator(".jp-Dialog", has_text="champion is protected")
        again.get_by_role("button", name=answer).click()
        page.locator(".jp-Dialog").wait_for(state="detached")
        _expect(
            tab.locator(f'tr[data-version="{version}"] .jp-mlops-Alias', has_text="champion")
        ).to_be_visible()
    moved = next(one for one in lab.api("GET", _ITS)["alias_list"] if one["alias"] == "champion")
    assert (moved["version"], moved["is_protected"]) == (3, True)
    lab.api("PUT", f"{_ITS}/aliases/champion", {"version": 4, "force": True})
    # Somebody else moved it: the tab says so by itself.
    _expect(tab.locator('tr[data-version="4"] .jp-mlops-Alias', has_text="champion")).to_be_visible()


def test_a_new_alias_is_given_and_taken_away(open_lab: Any, lab: Any) -> None:
    tab = _open(page := open_lab())
    tab.locator('tr[data-version="1"]').click()
    tab.get_by_role("button", name="Move an alias here…").click()
    give = tab.get_by_role("button", name="Give", exact=True)
    tab.get_by_label("A new alias").fill("0 no name")
    _expect(give).to_be_disabled()
    tab.get_by_label("A new alias").fill("first")
    give.click()
    page.locator(".jp-Dialog").get_by_role("button", name="Give").click()
    _expect(tab.locator('tr[data-version="1"] .jp-mlops-Alias')).to_have_text("first")
    tab.get_by_role("button", name="Take the alias first away").click()
    page.locator(".jp-Dialog").get_by_role("button", name="Take away").click()
    _expect(tab.locator('tr[data-version="1"] .jp-mlops-Alias')).to_have_count(0)
    assert "first" not in lab.api("GET", _ITS)["aliases"]


def test_a_version_shows_its_whole_envelope(open_lab: Any) -> None:
    tab = _open(open_lab())
    tab.locator('tr[data-version="2"]').click()
    view = tab.locator(".jp-mlops-VersionView")
    _expect(view.locator("h2")).to_have_text("late-flights v2")
    for title in ("Parameters", "Functions", "Data", "Code", "Dependencies", "Files"):
        view.locator("summary", has_text=title).first.click()
    for text in ("LogisticRegression(C=0.05", "train_weeks", "def featurize", "FROM flights", "scikit-learn==",
                 "model.skops", "int64"):  # fmt: skip
        _expect(view).to_contain_text(text)
    lineage = view.get_by_role("group", name="Lineage")
    _expect(lineage.get_by_role("button", name="late-flights/2")).to_have_attribute("aria-pressed", "true")
    _expect(lineage.get_by_role("button", name="weather@1")).to_be_visible()


def test_versions_are_compared(open_lab: Any) -> None:
    tab = _open(open_lab())
    tab.get_by_label("Compare version 2", exact=True).check()
    tab.get_by_label("Compare version 5", exact=True).check()
    table = tab.locator(".jp-mlops-Versus")
    _expect(table.locator("tr", has_text="auc")).to_contain_text("0.742")
    _expect(table.locator("tr", has_text="auc")).to_contain_text("+0.031")
    _expect(table.locator("tr", has_text="train_weeks")).to_have_count(0)
    table.get_by_label("Also what is the same").check()
    _expect(table.locator("tr", has_text="train_weeks")).to_have_count(1)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_pictures(open_lab: Any, shoot: Any, theme: str) -> None:
    page = open_lab(theme=theme, width=1440, height=900)
    tab = _open(page)
    _expect(tab.locator(".jp-mlops-Chart")).to_have_count(2)
    shoot(page, f"model-{theme}")
