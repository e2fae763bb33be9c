"""The panel in another language: one in which every text stands in brackets."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .conftest import new_lab

pytestmark = pytest.mark.slow
SOURCES = Path(__file__).parents[2] / "labextension" / "src"
TEXT = re.compile(r"\b__\(\s*'((?:[^'\\]|\\.)*)'")
SPOKEN = "button, summary, th, option, label, h1, h2, dt, .jp-mlops-Run-state"
DATA = (  # names of things, not words of the panel
    r"churn|load|fit_[ab]|report|rows|kind|pause|local|cluster|workers|root|int|str|float(32|64)?"
)


def _pack() -> str:
    """A language pack as JupyterLab's server hands it out: every text that stands in the sources, in brackets."""
    texts = {
        found.replace("\\'", "'")
        for path in SOURCES.rglob("*.ts*")
        for found in TEXT.findall(path.read_text())
    }
    head = {"domain": "jupyter_mlops", "language": "eo", "plural_forms": "nplurals=2; plural=(n != 1);"}
    pack = {"": head, **{text: [f"⟦{text}⟧"] for text in texts}}
    return json.dumps({"data": {"jupyter_mlops": pack}, "message": ""})


@pytest.fixture(scope="module")
def lab(panel_files: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """One of its own: what other tests left in theirs has names, which are in no language."""
    with new_lab(panel_files, tmp_path_factory) as lab:
        yield lab


def test_what_people_read_is_in_their_language(lab: Any, browser: Any, churn: Path, command: Any) -> None:
    started = lab.api("POST", "runs", {"path": "churn/pipeline.yaml", "arguments": {"rows": "903"}})
    lab.wait_for(started["run_id"])
    lab.prefer("@jupyterlab/translation-extension:plugin", locale="eo")
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    try:
        page = context.new_page()
        page.set_default_timeout(60_000)
        page.route(
            "**/lab/api/translations/**",
            lambda route: route.fulfill(content_type="application/json", body=_pack()),
        )
        page.goto(f"{lab.url}lab?token=a-token-for-tests&reset")
        page.wait_for_function("window.jupyterapp?.commands.hasCommand('mlops:open-panel')")
        page.wait_for_selector(".jp-DirListing")
        command(page, "mlops:open-panel")
        page.locator('[data-path="churn/pipeline.yaml"] .jp-mlops-IconButton').click()
        command(page, "mlops:open-run", runId=started["run_id"], title="churn")
        page.locator(".jp-mlops-Run [data-task=load]").click()
        page.locator(".jp-mlops-Run-side h2").wait_for()
        bare = _bare(page)
        for section in ("runs", "schedules", "models", "features", "deployments", "compute"):
            page.locator(f"#jp-mlops-tab-{section}").click()
            page.wait_for_timeout(300)
            bare |= _bare(page)
        for view in (1, 2):
            page.locator(".jp-mlops-Switch button").nth(view).click()
            bare |= _bare(page)
        assert page.locator("#jp-mlops-tab-models").get_attribute("title") == "⟦Models⟧"
        assert not bare
    finally:
        context.close()
        lab.prefer("@jupyterlab/translation-extension:plugin", locale="default")


def _bare(page: Any) -> set[str]:
    """What stands on the page in English, but for the names of things."""
    texts = page.evaluate(
        "spoken => [...document.querySelectorAll('.jp-mlops')].flatMap(root => [...root.querySelectorAll(spoken)])"
        ".filter(node => node.offsetParent).map(node => node.innerText)",
        SPOKEN,
    )
    return {
        line
        for text in texts
        for line in text.splitlines()
        if re.search(r"[a-zA-Z]{3}", re.sub(rf"⟦.*?⟧|\b({DATA})\b", "", line))
    }
