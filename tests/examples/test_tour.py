"""The tour runs by itself, in an empty folder, twice, and keeps what it says it keeps."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest

import jupyter_mlops as mlops
from jupyter_mlops.notebooks.lint import lint
from jupyter_mlops.session.place import close_workspace

TOUR = Path(__file__).parents[2] / "notebooks" / "tour.ipynb"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    for name in [name for name in os.environ if name.startswith("MLOPS_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    shutil.copy(TOUR, tmp_path)
    yield tmp_path
    close_workspace()


@pytest.mark.slow
def test_it_runs_under_papermill_and_again(folder: Path) -> None:
    import papermill

    for turn in (1, 2):
        done = papermill.execute_notebook("tour.ipynb", "out.ipynb", cwd=".", progress_bar=False)
        cells = {cell.id: cell for cell in done.cells}
        assert "models:/rush@champion" in cells["alias"].outputs[0]["data"]["text/plain"]
        (refusal,) = cells["wrong"].outputs
        assert "featurize gives other values (taken_sum_3h)" in refusal["text"]
        assert len(mlops.find_models("rush")) == 2 * turn
    champion = mlops.load_model("models:/rush@champion")
    assert champion.version.tags == {"kind": "forest"}
    first, *_, last = sorted(mlops.find_models("rush", tags={"kind": "forest"}), key=lambda one: one.version)
    assert first.metrics == last.metrics  # what was materialized meanwhile changes nothing


@pytest.mark.slow
def test_it_runs_under_nbval(folder: Path) -> None:
    command = [sys.executable, "-m", "pytest", "--nbval-lax", "-q", "-p", "no:cacheprovider", "tour.ipynb"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder)
    assert done.returncode == 0, done.stdout


def test_it_is_kept_clean() -> None:
    notebook = nbformat.read(TOUR, as_version=4)
    nbformat.validate(notebook)
    assert lint(notebook, TOUR.name) == []
    for cell in notebook.cells:
        if cell.cell_type == "code":
            assert (cell.outputs, cell.execution_count) == ([], None)
