"""What an output of a notebook shows leads to the panel: a click on a model, a view, a run or a pipeline."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("filled")]


def _expect(locator: Any) -> Any:
    from playwright.sync_api import expect

    return expect(locator)


def test_outputs_lead_to_the_panels_tabs(open_lab: Any, lab: Any, churn: Path, command: Any) -> None:
    run = lab.api("POST", "runs", {"path": "churn/pipeline.yaml", "arguments": {"rows": "60"}})
    lab.wait_for(run["run_id"])
    cells = [
        "%load_ext jupyter_mlops\nimport jupyter_mlops as mlops",
        "%models",
        "%features",
        "%mlops",
        "mlops.PipelineView('churn/pipeline.yaml')",
    ]
    kernel = {"kernelspec": {"name": "python3", "language": "python", "display_name": "Python 3"}}
    nbformat.write(
        new_notebook(cells=[*map(new_code_cell, cells)], metadata=kernel), lab.root / "links.ipynb"
    )
    page = open_lab(is_shown=False)
    command(page, "docmanager:open", path="links.ipynb")
    page.locator(".jp-Notebook .jp-Cell").first.wait_for()
    page.get_by_text("Python 3 (ipykernel) | Idle").wait_for(timeout=60_000)
    command(page, "notebook:run-all-cells")
    outputs = page.locator(".jp-OutputArea-output")

    def follow(text: str) -> None:
        command(page, "docmanager:open", path="links.ipynb")
        page.wait_for_timeout(9000); print(text, [outputs.nth(i).inner_html()[:300] for i in range(outputs.count())]); page.screenshot(path="/tmp/dA/shot.png"); outputs.get_by_role("button", name=text, exact=True).first.click(timeout=3_000)

    for text, kind in (("late-flights", "model"), ("weather", "feature"), (run["run_id"], "run")):
        follow(text)
        _expect(page.locator(f".jp-mlops-Tab.jp-mod-{kind}:visible")).to_be_visible()
    follow("churn")
    _expect(page.locator('.jp-mlops-Panel [data-path="churn/pipeline.yaml"] form')).to_be_visible()
