"""Beside JupyterLab: git's tools for notebooks, `jupyter console`, plain IPython, scripts of cells from an editor."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import nbformat
import pytest

from jupyter_mlops.notebooks.files import load_notebook

pytestmark = pytest.mark.slow
BIN = Path(sys.executable).parent
KERNEL = {"kernelspec": {"name": "python3", "display_name": "Python 3 (ipykernel)", "language": "python"}}
TESTING = (Path(__file__).parents[2] / "docs" / "testing.md").read_text(encoding="utf-8")
PIPELINE = """\
name: small
tasks:
  double: {notebook: double.ipynb, parameters: {week: 21}}
  tell: {notebook: tell.py, parameters: {value: "${tasks.double.results.double}"}}
"""
SCRIPT = """\
# %% tags=["parameters"]
value: int = 0

# %%
import jupyter_mlops as mlops

mlops.result("text", f"it is {value}")
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A notebook, and a script of cells as Vim or VS Code write it."""
    cells = [
        nbformat.v4.new_markdown_cell("# Double", id="title"),
        nbformat.v4.new_code_cell("week: int = 1", metadata={"tags": ["parameters"]}, id="parameters"),
        nbformat.v4.new_code_cell(
            'import jupyter_mlops as mlops\n\nprint("week", week)\nmlops.result("double", 2 * week)',
            id="double",
        ),
    ]
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=KERNEL), tmp_path / "double.ipynb")
    (tmp_path / "tell.py").write_text(SCRIPT)
    (tmp_path / "pipeline.yaml").write_text(PIPELINE)
    (tmp_path / "mlops.toml").write_text("zygote_linger_seconds = 0\n")
    return tmp_path


def _say(folder: Path, *words: str, text: str = "", env: Mapping[str, str] | None = None) -> str:
    """What a command says, which stands beside this Python."""
    done = subprocess.run(
        words, cwd=folder, input=text, capture_output=True, text=True, check=False, timeout=120,
        env={**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}", "NO_COLOR": "1", **(env or {})},
    )  # fmt: skip
    assert done.returncode in (0, 1), done.stderr  # nbdiff: 1 where there are differences
    return done.stdout


def _digests(folder: Path) -> dict[str, str]:
    files = [path for path in folder.iterdir() if path.is_file()]
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_running_and_testing_leaves_sources_as_they_are(project: Path) -> None:
    before = _digests(project)
    told = _say(project, "jupyter", "mlops", "run", "--json")
    results = {task["task"]: task["results"] for task in json.loads(told)["tasks"]}
    assert results == {"double": {"double": 42}, "tell": {"text": "it is 42"}}
    assert "2 passed" in _say(project, "jupyter", "mlops", "test")
    assert _digests(project) == before


def test_git_sees_the_same_notebook_after_nbstripout(project: Path) -> None:
    """The command of docs/testing.md makes of an executed notebook what it was made of, bar what papermill adds."""
    _say(project, "jupyter", "mlops", "execute", "double.ipynb", "out.ipynb", "-p", "week", "3")
    (line,) = re.findall(r"^\$ (nbstripout .*)$", TESTING, re.MULTILINE)
    words = [word.strip("'") for word in re.findall(r"'[^']*'|\S+", line)]
    _say(project, *words)
    source, stripped = (nbformat.read(project / name, as_version=4) for name in ("double.ipynb", "out.ipynb"))
    assert [(cell.id, cell.source) for cell in stripped.cells] == [
        (cell.id, cell.source) for cell in source.cells
    ]
    for cell in stripped.cells:
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None
        assert {key for key in cell.metadata if key != "tags"} == set()
    assert stripped.metadata == source.metadata
    # A second run of it adds nothing to that.
    shutil.copy(project / "out.ipynb", project / "double.ipynb")
    before = (project / "out.ipynb").read_bytes()
    _say(project, "jupyter", "mlops", "execute", "double.ipynb", "out.ipynb", "-p", "week", "5")
    _say(project, *words)
    assert (project / "out.ipynb").read_bytes() == before


@pytest.fixture(scope="module")
def nbdiff(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Of nbdime, in an environment of its own: it would bring an extension into JupyterLab."""
    python = tmp_path_factory.mktemp("nbdime") / "venv" / "bin" / "python"
    uv = [sys.executable, "-m", "uv"]
    subprocess.run([*uv, "venv", "-q", "--python", sys.executable, python.parents[1]], check=True)
    install = [*uv, "pip", "install", "-q", "--python", python, "nbdime>=4"]
    if subprocess.run(install, check=False).returncode:
        pytest.fail("nbdime cannot be installed") if os.environ.get("CI") else pytest.skip("no nbdime")
    return str(python.with_name("nbdiff"))


def test_nbdime_shows_what_differs_and_nothing_else(project: Path, nbdiff: str) -> None:
    for week in ("3", "4"):
        _say(project, "jupyter", "mlops", "execute", "double.ipynb", f"out-{week}.ipynb", "-p", "week", week)
    (line,) = re.findall(r"^\$ (nbdiff .*)$", TESTING, re.MULTILINE)
    words = [nbdiff, *line.split()[1:-2]]
    told = _say(project, *words, "--no-color", "out-3.ipynb", "out-4.ipynb")
    changed = [one for one in told.splitlines() if re.match(r"[-+](?![-+])", one)]
    assert changed == ["-week = 3", "+week = 4"], told
    injected = _say(project, *words, "--no-color", "double.ipynb", "out-3.ipynb")
    assert re.findall(r"^## (.*)$", injected, re.MULTILINE) == ["inserted before /cells/2:"], injected


CELLS = """\
%load_ext jupyter_mlops
import jupyter_mlops as mlops
run = mlops.run_pipeline("pipeline.yaml")
print("state:", run.state)
%mlops
%models
"""


def test_the_magics_work_in_a_jupyter_console(project: Path) -> None:
    told = _say(project, sys.executable, "-m", "jupyter_console", "--simple-prompt", text=CELLS)
    assert "state: succeeded" in told, told
    assert "no models yet" in told, told


def test_the_magics_work_in_plain_ipython(project: Path) -> None:
    told = _say(
        project, sys.executable, "-m", "IPython", "--simple-prompt", "--no-banner", text=f"{CELLS}exit\n"
    )
    assert "state: succeeded" in told, told
    assert "no models yet" in told, told


def test_a_script_of_cells_is_what_jupytext_makes_of_it(project: Path) -> None:
    import jupytext

    theirs = jupytext.read(project / "tell.py")
    ours = load_notebook(project / "tell.py")
    assert [cell["source"] for cell in ours["cells"]] == [cell.source for cell in theirs.cells]
