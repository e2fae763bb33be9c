"""Scripts of cells are read as jupytext reads them, and run as tasks."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_mlops.catalog import TaskRun
from jupyter_mlops.errors import InvalidNotebook
from jupyter_mlops.notebooks.facts import inspect_notebook
from jupyter_mlops.notebooks.files import dump_notebook, load_notebook
from jupyter_mlops.notebooks.parameters import read_parameters
from jupyter_mlops.notebooks.percent import parse_percent
from jupyter_mlops.workspace import Workspace

TRAIN = '''\
# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Train
#
# A paragraph with `# %%` in it.

# %% tags=["parameters"]
rows: str = "rows"  # what came before
share: float = 0.5

# %%
import math

import jupyter_mlops as mlops

# %% The fit
# %matplotlib inline
text = """
# %% no cell
"""


def fit():
    return math.sqrt(share)


# %% [raw]
# as it is

# %%
# !true
mlops.result("fit", fit())
'''
SCRIPTS = {
    "a whole one": TRAIN,
    "without a header": "# %%\n1 + 1\n\n# %%\n2\n",
    "code before the first mark": "import os\n\n# %%\n1\n",
    "close marks": "#%%\n1\n#%% [markdown]\n# text\n",
    "titles": "# %% A title\n1\n# %% Another [markdown]\n# text\n",
    "metadata": '# %% tags=["parameters", "x"] collapsed=true\na = 1\n# %% [markdown] tags=["y"] n=3\n# t\n',
    "a title and metadata": '# %% Fit it slideshow={"slide_type": "slide"}\n1\n',
    "text between quotes": '# %% [markdown]\n"""\n# Title\n\nText.\n"""\n\n# %%\n1\n',
    "text without a space": "# %% [md]\n#tight\n# wide\n#\n# end\n",
    "depth": "# %%\n1\n# %%% Sub\n2\n",
    "empty cells": "# %%\n\n# %%\n1\n",
    "magics": "# %%\n# %load_ext x\n# %%time\n# !ls -l\n# a comment\n# 100% of it\n",
    "marks in strings": "# %%\nx = '''\n# %%\n'''\n\n# %%\ny = 1\n",
    "no Python": "# %%\nthis is (no python\n\n# %%\n2\n",
    "carriage returns": "# %%\r\n1\r\n\r\n# %%\r\n2\r\n",
}


LAYOUT = ("lines_to_next_cell", "cell_marker", "region_name")  # by which jupytext writes the same text again


def told(notebook: dict) -> list[tuple[str, str, dict]]:
    return [
        (
            cell["cell_type"],
            cell["source"],
            {name: value for name, value in cell["metadata"].items() if name not in LAYOUT},
        )
        for cell in notebook["cells"]
    ]


@pytest.mark.parametrize("name", SCRIPTS)
def test_they_are_read_as_jupytext_reads_them(name: str) -> None:
    jupytext = pytest.importorskip("jupytext")
    text = SCRIPTS[name].replace("\r\n", "\n")
    theirs = jupytext.reads(text, fmt="py:percent")
    assert told(parse_percent(SCRIPTS[name])) == told(theirs)


def test_they_are_what_jupytext_writes() -> None:
    jupytext = pytest.importorskip("jupytext")
    for path in sorted((Path(__file__).parents[2] / "notebooks").rglob("*.ipynb")):
        notebook = nbformat.read(path, as_version=4)
        text = jupytext.writes(notebook, fmt="py:percent")
        mine = parse_percent(text)
        assert told(mine) == told(jupytext.reads(text, fmt="py:percent")), path
        assert mine["metadata"]["kernelspec"] == notebook.metadata.kernelspec


@given(st.text(alphabet=st.sampled_from("# %\n[]{}=\"'abT!-:"), max_size=80))
def test_any_text_is_cells_or_one_clear_error(text: str) -> None:
    try:
        notebook = parse_percent(text)
    except ValueError:
        return
    assert {cell["cell_type"] for cell in notebook["cells"]} <= {"code", "markdown", "raw"}


def test_what_is_no_script_of_cells_is_refused(tmp_path: Path) -> None:
    (tmp_path / "plain.py").write_text("print('no cells')\n")
    with pytest.raises(InvalidNotebook, match="is not a script of cells: no line begins a cell") as caught:
        load_notebook(tmp_path / "plain.py")
    assert "# %%" in caught.value.hint
    (tmp_path / "bad.py").write_text("# ---\n# jupyter: [\n# ---\n# %%\n1\n")
    with pytest.raises(InvalidNotebook, match="its header is no YAML"):
        load_notebook(tmp_path / "bad.py")
    (tmp_path / "latin.py").write_bytes(b"# %%\nx = '\xe4'\n")
    with pytest.raises(InvalidNotebook, match="not a script of cells"):
        load_notebook(tmp_path / "latin.py")


def test_all_that_is_known_of_a_notebook_is_known_of_a_script(tmp_path: Path) -> None:
    path = tmp_path / "train.py"
    path.write_text(TRAIN)
    notebook = load_notebook(path)
    nbformat.validate(nbformat.from_dict(notebook))
    assert load_notebook(path) == notebook  # the same ids at each reading
    assert [(one.name, one.help) for one in read_parameters(notebook)] == [
        ("rows", "what came before"),
        ("share", ""),
    ]
    facts = inspect_notebook(path)
    assert (facts.kernel_name, set(facts.results), "math" in facts.modules) == ("python3", {"fit"}, True)
    before = facts.code_digest
    path.write_text(TRAIN.replace("A paragraph", "Another paragraph"))
    assert inspect_notebook(path).code_digest == before
    path.write_text(TRAIN.replace("math.sqrt", "math.exp"))
    assert inspect_notebook(path).code_digest != before


def test_an_image_has_it_as_a_notebook_under_its_own_name(tmp_path: Path) -> None:
    path = tmp_path / "train.py"
    path.write_text(TRAIN)
    notebook = load_notebook(path)
    path.write_text(dump_notebook(notebook))
    assert load_notebook(path) == notebook


def test_a_script_runs_as_a_task_and_is_kept_as_a_notebook(tmp_path: Path) -> None:
    (tmp_path / "mlops.toml").write_text("zygote_linger_seconds = 0\nkernel_pool = 0\n")
    (tmp_path / "train.py").write_text(TRAIN)
    (tmp_path / "pipeline.yaml").write_text(
        "name: scripts\ntasks:\n  train: {notebook: train.py, parameters: {share: 0.25, rows: x}}\n"
    )
    with Workspace.open(tmp_path) as workspace:
        run = workspace.runs.run(tmp_path / "pipeline.yaml")
        (task,) = workspace.catalog.find(TaskRun, where={"run_id": run.run_id})
        assert (run.state, task.results) == ("succeeded", {"fit": 0.5})
        executed = nbformat.read(workspace.runs.task_notebook(run.run_id, "train"), as_version=4)
        nbformat.validate(executed)
        assert [cell.cell_type for cell in executed.cells].count("code") == 5  # with the injected one
        run = workspace.runs.run(tmp_path / "pipeline.yaml")
        (task,) = workspace.catalog.find(TaskRun, where={"run_id": run.run_id})
        assert task.state == "cached"


def test_the_command_line_executes_a_script(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(TRAIN)
    script = Path(sys.executable).with_name("jupyter-mlops")
    subprocess.run(
        [script, "execute", "train.py", "out.ipynb", "-p", "share", "0.16"],
        cwd=tmp_path, check=True, capture_output=True, timeout=100,
    )  # fmt: skip
    assert "0.4" in (tmp_path / "out.ipynb").read_text()
