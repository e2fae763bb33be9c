"""Who opens the Binder or the devcontainer finds the panel open, and beside it what the example is about."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow
REPOSITORY = Path(__file__).parents[2]


def test_it_opens_on_the_panel_with_the_example(lab: Any, open_lab: Callable[..., Any]) -> None:
    notebooks = lab.root / "notebooks"
    shutil.copytree(REPOSITORY / "notebooks", notebooks, ignore=shutil.ignore_patterns(".mlops", "*.duckdb"))
    page = open_lab()
    page.goto("about:blank")  # so that nothing is saved any more but what follows
    # As postBuild does it, for the user of this server.
    env = {name: value for name, value in os.environ.items() if not name.startswith("JUPYTER")}
    env |= {f"JUPYTER_{name.upper()}_DIR": str(lab.home / name) for name in ("config", "data", "runtime")}
    layout = REPOSITORY / "binder" / "flights.jupyterlab-workspace"
    command = [sys.executable, "-m", "jupyterlab", "workspaces", "import", layout]
    subprocess.run(command, check=True, env={**env, "HOME": str(lab.home)}, capture_output=True, timeout=60)
    page.goto(f"{lab.url}lab")
    page.wait_for_selector("#jupyter-mlops-panel", state="visible")
    page.wait_for_selector(".jp-MarkdownViewer h2:has-text('Run it')", state="visible")
    page.goto("about:blank")
    shutil.rmtree(notebooks)
