"""The benchmark runs, and its servers answer alike. Times are never asserted."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "serving.py"


@pytest.mark.slow
def test_the_benchmark_of_servers_runs_without_peers(tmp_path: Path) -> None:
    skipped = [word for name in ("mlflow", "bentoml", "mlserver") for word in (f"--{name}", "skip")]
    figures = tmp_path / "figures.json"
    command = [sys.executable, str(SCRIPT), "--quick", *skipped, "--json", str(figures)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, done.stderr
    (table,) = json.loads(figures.read_text())["tables"]
    assert [row["who"] for row in table["rows"]] == ["ours", "ours, an array"] * 2
    assert all(row["median"] > 0 and row["failed"] == 0 for row in table["rows"])
