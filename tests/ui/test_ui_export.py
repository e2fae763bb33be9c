"""A pipeline in another orchestrator's files, by the panel: refused by name, looked at, written, not overwritten."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from jupyter_mlops.fingerprint import digest_bytes

pytestmark = pytest.mark.slow


def _expect(locator: Any) -> Any:
    from playwright.sync_api import expect

    return expect(locator)


@pytest.fixture
def target(churn: Path) -> Iterator[Path]:
    """Where it goes; the pipeline has two environments."""
    file = churn / "pipeline.yaml"
    text = file.read_text()
    file.write_text(text.replace("  fit_b:\n", "  fit_b:\n    resources: {gpu: 1}\n"))
    yield churn / "argo"
    file.write_text(text)
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
    image = tab.get_by_label("Container image that has the project")
    _expect(tab.get_by_role("alert")).to_contain_text("--image")
    _expect(image).to_have_attribute("aria-invalid", "true")

    # An image for each environment.
    image.fill("registry/churn:1")
    gpu = tab.get_by_label("churn-fit_b")
    gpu.fill("registry/Churn:gpu")
    tab.get_by_role("button", name="Only look").click()
    _expect(gpu).to_have_attribute("aria-invalid", "true")
    gpu.fill("registry/churn-gpu:1")
    tab.get_by_role("button", name="Only look").click()
    file = tab.locator("[data-export] details")
    _expect(file.locator("summary")).to_have_text("churn.yaml")
    _expect(tab.get_by_role("alert")).to_have_count(0)
    assert not target.exists()
    tab.get_by_role("button", name="Write").click()
    file.locator("summary").click()
    _expect(file.get_by_role("button", name="churn/argo/churn.yaml")).to_be_visible()
    _expect(file.locator("pre")).to_contain_text("kind: WorkflowTemplate")
    text = (target / "churn.yaml").read_text()
    assert "image: registry/churn:1" in text
    assert "image: registry/churn-gpu:1" in text

    (target / "churn.yaml").write_text("mine")
    tab.get_by_role("button", name="Write").click()
    _expect(tab.get_by_role("alert")).to_contain_text("is there and differs")
    assert (target / "churn.yaml").read_text() == "mine"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_it_starts_in_what_was_built(
    target: Path, open_lab: Any, command: Any, shoot: Any, theme: str
) -> None:
    folder = target.parent
    digest = f"sha256:{digest_bytes((folder / 'pipeline.yaml').read_bytes())}"
    tasks = {"churn-load": ["load", "fit_a", "report"], "churn-fit_b": ["fit_b"]}
    told = {
        "captures": [{"name": name, "tasks": its, "source_digest": digest} for name, its in tasks.items()],
        "images": [
            {"name": f"r/{name}:1", "is_pushed": True, "reference": f"r/{name}@sha256:{digit * 64}"}
            for name, digit in zip(tasks, "ab", strict=True)
        ],
    }
    (folder / "images.json").write_text(json.dumps(told))
    page = open_lab(theme=theme, height=1040, is_shown=False)
    command(page, "mlops:export-pipeline", path="churn/pipeline.yaml")
    tab = page.locator(".jp-mlops-ExportTab:visible")
    tab.get_by_label("Orchestrator").select_option("Argo")
    built = tab.get_by_label("File that tells which images were built")
    built.fill("churn/image.json")
    tab.get_by_role("button", name="Only look").click()
    _expect(built).to_have_attribute("aria-invalid", "true")
    built.fill("churn/images.json")
    tab.get_by_role("button", name="Only look").click()
    file = tab.locator("[data-export] details")
    file.locator("summary").click()
    for digit in "ab":
        _expect(file.locator("pre")).to_contain_text(f"sha256:{digit * 64}")

    # What is given by hand counts before it.
    tab.get_by_label("churn-fit_b").fill("registry.example/churn-gpu:2")
    tab.get_by_role("button", name="Only look").click()
    _expect(file.locator("pre")).to_contain_text("registry.example/churn-gpu:2")
    _expect(file.locator("pre")).not_to_contain_text("b" * 64)
    tab.get_by_role("heading").first.scroll_into_view_if_needed()
    shoot(page, f"export-{theme}")
