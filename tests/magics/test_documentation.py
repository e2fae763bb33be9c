"""docs/magics.md: every magic is in it, and its cells run one after the other in an empty folder."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import jupyter_mlops as mlops
from jupyter_mlops.magics import MAGICS, Magic

from .conftest import Notebook

TEXT = (Path(__file__).parents[2] / "docs" / "magics.md").read_text(encoding="utf-8")
CELLS = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)


@pytest.mark.slow
def test_every_cell_of_the_documentation_runs(notebook: Notebook) -> None:
    for cell in CELLS:
        notebook.run(cell)
    assert [one.reference for one in mlops.find_models("delay")] == ["models:/delay/2", "models:/delay/1"]
    assert notebook.run("run.state") == "succeeded"


@pytest.mark.parametrize("magic", MAGICS, ids=lambda magic: magic.name)
def test_every_magic_is_documented_with_an_example(magic: Magic) -> None:
    assert any(f"`{magic.sign}`" in line for line in TEXT.splitlines() if line.startswith("## "))
    assert any(re.search(rf"{magic.sign}(?!\w)", cell) for cell in CELLS)


@pytest.mark.parametrize("magic", MAGICS, ids=lambda magic: magic.name)
def test_help_tells_all_that_a_magic_takes(magic: Magic, notebook: Notebook) -> None:
    told = magic.help()
    for option in magic.syntax.options:
        assert f"--{option.name}" in told
    for argument in magic.syntax.arguments:
        assert argument.name in told
    assert magic.examples
    function = notebook.shell.find_magic(magic.name, magic.kind)
    assert function.__doc__ == told
    if magic.kind == "line":
        assert notebook.shown(f"%{magic.name} --help") == f"{told}\n"


@pytest.mark.parametrize("magic", MAGICS, ids=lambda magic: magic.name)
def test_every_example_of_a_help_text_is_understood(magic: Magic) -> None:
    from jupyter_mlops.magics.options import read

    for example in magic.examples:
        line = example.split("\n")[0].partition(magic.sign)[2]
        read(magic.syntax, line, lambda text: text)
