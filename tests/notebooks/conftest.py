"""One pool of warm kernels for all tests that execute notebooks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from jupyter_mlops.kernels import KernelPool, KernelRequest
from jupyter_mlops.notebooks.execute import NotebookOutcome, run_cells


@pytest.fixture(scope="session")
def pool() -> Iterator[KernelPool]:
    with KernelPool(size=2) as kernels:
        yield kernels


@pytest.fixture
def make_notebook() -> Callable[..., dict[str, Any]]:
    """A notebook of the given cells: source texts, or (source, tags); markdown where a text begins with #md."""

    def make(*cells: str | tuple[str, list[str]], **metadata: Any) -> dict[str, Any]:
        made = []
        for number, cell in enumerate(cells):
            source, tags = cell if isinstance(cell, tuple) else (cell, [])
            common = {"id": f"cell-{number}", "metadata": {"tags": tags} if tags else {}, "source": source}
            if source.startswith("#md"):
                made.append({**common, "cell_type": "markdown"})
            else:
                made.append({**common, "cell_type": "code", "outputs": [], "execution_count": None})
        kernelspec = {"name": "python3", "language": "python", "display_name": "Python 3"}
        return {
            "nbformat": 4,
            "nbformat_minor": 5,
            "metadata": {"kernelspec": kernelspec, **metadata},
            "cells": made,
        }

    return make


@pytest.fixture
def run(
    pool: KernelPool, make_notebook: Callable[..., dict[str, Any]], tmp_path: Path
) -> Callable[..., NotebookOutcome]:
    """Execute a notebook of the given cells in `tmp_path`; ``request=`` and what `run_cells` takes may be given."""

    def execute(*cells: str | tuple[str, list[str]], **options: Any) -> NotebookOutcome:
        asked = {"cwd": tmp_path, **options.pop("request", {})}
        return run_cells(make_notebook(*cells), pool=pool, request=KernelRequest(**asked), **options)

    return execute
