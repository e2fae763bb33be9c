"""Pages that are made from the code are fresh, and whatever can be plugged in is named."""

from __future__ import annotations

import importlib.util
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from jupyter_mlops import errors

from .conftest import ROOT

PLUGINS = (ROOT / "docs" / "plugins.md").read_text(encoding="utf-8")
_GROUP = re.compile(r"Registry\(\s*\"(jupyter_mlops\.[a-z_]+)\"")


def _tool(name: str) -> Any:
    spec = importlib.util.spec_from_file_location(f"docs_{name}", ROOT / "docs" / "tools" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


REFERENCE = _tool("reference")


@pytest.mark.parametrize(
    ("path", "text"), REFERENCE.pages().items(), ids=lambda each: getattr(each, "name", "")
)
def test_the_pages_that_are_made_are_fresh(path: Path, text: str) -> None:
    assert path.read_text(encoding="utf-8") == text, "run: python docs/tools/reference.py"


def test_every_error_has_a_cure() -> None:
    kinds = {
        name
        for name, kind in vars(errors).items()
        if isinstance(kind, type) and issubclass(kind, errors.MlopsError)
    }
    assert set(REFERENCE.CURES) == kinds


def test_the_tree_in_the_docstring_is_the_tree() -> None:
    drawn = re.findall(r"(?:├──|└──) (\w+)", errors.__doc__ or "")
    assert drawn == [kind.__name__ for kind, depth in REFERENCE._tree(errors.MlopsError) if depth]


def test_every_group_of_plugins_is_documented() -> None:
    groups = {
        group
        for path in (ROOT / "jupyter_mlops").rglob("*.py")
        for group in _GROUP.findall(path.read_text(encoding="utf-8"))
    }
    assert len(groups) >= 6
    assert groups == set(re.findall(r"^\| `(jupyter_mlops\.[a-z_]+)` \|", PLUGINS, re.MULTILINE))


def test_every_entry_point_is_documented() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for group, points in project["entry-points"].items():
        for name in points:
            assert f"| `{group}` | `{name}` |" in PLUGINS, (group, name)
