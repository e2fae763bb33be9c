"""A notebook's exported cells as a module: imported, tested, kept fresh."""

from __future__ import annotations

import ast
import importlib.util
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from jupyter_mlops.cli import cli
from jupyter_mlops.errors import InvalidNotebook
from jupyter_mlops.promotion.module import export_module

CELLS = (
    "#| default_exp shapes.area",
    "#| export\nfrom __future__ import annotations\n\nimport math",
    "RADIUS = 3  # only to try it out",
    "#| export\n\ndef area(radius: float) -> float:\n    return math.pi * radius**2\n\n\nUNIT, _hidden = 'm2', 1",
    "#|exporti\nclass Inner:\n    value = UNIT",
    "area(RADIUS)\n%time area(2)",
)


def notebook(*cells: str) -> dict[str, Any]:
    made = [
        {
            "id": f"c{number}",
            "cell_type": "code",
            "metadata": {},
            "source": cell,
            "outputs": [],
            "execution_count": None,
        }
        for number, cell in enumerate(cells)
    ]
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": made}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "shapes.ipynb").write_text(json.dumps(notebook(*CELLS)))
    return tmp_path


def call(*words: str) -> tuple[int, str]:
    found = CliRunner().invoke(cli, ["export", *words, "--to", "module"])
    return found.exit_code, found.output


def test_the_module_has_the_marked_cells_and_nothing_else() -> None:
    module = export_module(notebook(*CELLS), "shapes.ipynb")
    assert (module.name, module.path) == ("shapes.area", Path("shapes/area.py"))
    first, second, *rest = module.text.split("\n")
    assert first.startswith("# Made of the exported cells of shapes.ipynb")
    assert second.startswith("# sha256:")
    assert rest[:3] == ["", "from __future__ import annotations", ""]
    assert '__all__ = ["UNIT", "area"]' in rest
    assert "RADIUS" not in module.text
    assert "#|" not in module.text


def test_only_what_is_exported_counts() -> None:
    once = export_module(notebook(*CELLS), "a.ipynb")
    assert once == export_module(notebook("# prose", *CELLS, "1 + 1"), "a.ipynb")
    assert once != export_module(notebook(*CELLS, "#| export\nmore = 1"), "a.ipynb")


def test_the_module_is_imported_and_tested_by_pytest(folder: Path) -> None:
    assert call("shapes.ipynb") == (0, "✔ shapes/area.py\n")
    path = folder / "shapes" / "area.py"
    spec = importlib.util.spec_from_file_location("shapes_area", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert round(module.area(1), 2) == 3.14
    assert sorted(module.__all__) == ["UNIT", "area"]
    (folder / "test_area.py").write_text(
        "from shapes.area import area\n\ndef test_area():\n    assert area(0) == 0\n"
    )
    options = ["-q", "-p", "no:cacheprovider", "--rootdir", str(folder)]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options], cwd=folder, capture_output=True, text=True, timeout=60,
        env={"PYTHONPATH": str(folder), "PATH": "", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout


def test_a_stale_module_is_told(folder: Path) -> None:
    assert call("shapes.ipynb", "--check")[0] == 1
    assert call("shapes.ipynb", "-o", "deep/made.py")[0] == 0
    assert call("shapes.ipynb", "-o", "deep/made.py", "--check") == (0, "✔ up to date\n")
    cells = [CELLS[0], CELLS[1], CELLS[3].replace("**2", "**3"), CELLS[4]]
    (folder / "shapes.ipynb").write_text(json.dumps(notebook(*cells)))
    code, told = call("shapes.ipynb", "-o", "deep/made.py", "--check")
    assert code == 1
    assert "deep/made.py is not up to date" in told
    code, told = call("shapes.ipynb", "-o", "deep/made.py", "--check", "--json")
    assert (code, json.loads(told)) == (1, {"target": "module", "stale": ["deep/made.py"]})
    assert "**2" in (folder / "deep" / "made.py").read_text()


@pytest.mark.parametrize(
    ("cells", "told"),
    [
        (["x = 1"], "no cell is marked for export"),
        (["#| export\n%matplotlib inline"], "`%matplotlib inline` works in a notebook only"),
        (["#| export\nfiles = !ls"], "`files = !ls` works in a notebook only"),
        (
            ["#| export\ndef f():\n    return FACTOR", "FACTOR = 3"],
            "cell 1, line 3: nothing that is exported defines 'FACTOR'",
        ),
        (["#| export\n\n\ndisplay(1)"], "cell 1, line 4: nothing that is exported defines 'display'"),
        (["#| export\nawait x"], "a module cannot hold this"),
        (["#| export\nthis is no Python"], "it is no Python"),
        (["#| export other\nx = 1"], "a notebook is exported to one module"),
        (["#| default_exp a/../b", "#| export\nx = 1"], "that is no name of a module"),
    ],
)
def test_what_no_module_can_hold(cells: list[str], told: str, folder: Path) -> None:
    with pytest.raises(InvalidNotebook) as caught:
        export_module(notebook(*cells), "n.ipynb")
    assert told in str(caught.value)
    (folder / "n.ipynb").write_text(json.dumps(notebook(*cells)))
    assert call("n.ipynb", "-o", "made.py")[0] == 2
    assert not (folder / "made.py").exists()


def test_the_hint_says_where_a_name_is_defined() -> None:
    with pytest.raises(InvalidNotebook) as caught:
        export_module(notebook("#| export\ny = x", "x = 1"), "n.ipynb")
    (problem,) = caught.value.problems  # type: ignore[attr-defined]
    assert problem.hint == "cell 2 defines it, and is not exported: mark it, or pass it as an argument"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), "a module is made of a notebook"),
        (("pipeline.yaml",), "a module is made of a notebook"),
        (("nowhere.ipynb",), "nowhere.ipynb"),
        (("bare.ipynb",), "where does the module go?"),
        (("shapes.ipynb", "-o", "."), "is a folder"),
    ],
)
def test_a_command_that_cannot_be_right(words: tuple[str, ...], told: str, folder: Path) -> None:
    (folder / "bare.ipynb").write_text(json.dumps(notebook("#| export\nx = 1")))
    code, output = call(*words)
    assert (code, told in output) == (2, True)


def test_a_pipeline_needs_a_folder_and_can_be_checked(folder: Path) -> None:
    (folder / "pipeline.yaml").write_text("name: one\ntasks:\n  a: {notebook: shapes.ipynb}\n")
    run: Callable[..., Any] = CliRunner().invoke
    assert run(cli, ["export", "--to", "airflow"]).exit_code == 2
    assert run(cli, ["export", "--to", "airflow", "-o", "out", "--check"]).exit_code == 1
    assert run(cli, ["export", "--to", "airflow", "-o", "out"]).exit_code == 0
    assert run(cli, ["export", "--to", "airflow", "-o", "out", "--check"]).exit_code == 0


names = st.from_regex(r"[a-z][a-z0-9]{0,5}", fullmatch=True).map(lambda name: f"v_{name}")


@given(st.lists(st.tuples(names, st.booleans()), max_size=8))
def test_a_module_that_is_written_is_one(cells: list[tuple[str, bool]]) -> None:
    """Whatever is marked: what comes out parses, defines what its ``__all__`` says, and no other cell's names."""
    sources = [
        f"#| export\n{name} = {index}" if is_exported else f"{name} = 'x'"
        for index, (name, is_exported) in enumerate(cells)
    ]
    exported = {name for name, is_exported in cells if is_exported}
    try:
        module = export_module(notebook(*sources), "n.ipynb")
    except InvalidNotebook:
        assert not exported
        return
    namespace: dict[str, Any] = {}
    exec(compile(ast.parse(module.text), "module", "exec"), namespace)
    assert namespace["__all__"] == sorted(exported)
    assert all(namespace[name] != "x" for name in exported)
