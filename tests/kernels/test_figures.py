"""A figure is drawn in a warm kernel as in an ordinary one, though matplotlib was imported before IPython's shell."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from jupyter_mlops.kernels import KernelPool, KernelRequest
from jupyter_mlops.notebooks.execute import run_cells


@pytest.fixture(scope="module")
def pool() -> Iterator[KernelPool]:
    with KernelPool(size=1) as opened:
        yield opened


def notebook(*sources: str) -> dict[str, Any]:
    cells = [
        {
            "cell_type": "code",
            "id": f"c{number}",
            "metadata": {},
            "source": source,
            "outputs": [],
            "execution_count": None,
        }
        for number, source in enumerate(sources)
    ]
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}


@pytest.mark.parametrize(
    "preload", [(), ("matplotlib.pyplot",)], ids=["imported by the notebook", "preloaded"]
)
def test_figures_are_pictures(pool: KernelPool, preload: tuple[str, ...]) -> None:
    nb = notebook(
        "import matplotlib.pyplot as plt", "plt.plot([1, 2]); plt.show()", "figure, axes = plt.subplots()"
    )
    outcome = run_cells(nb, pool=pool, request=KernelRequest(preload=preload))
    assert outcome.error is None
    for cell in outcome.notebook["cells"][1:]:
        assert [sorted(output["data"]) for output in cell["outputs"]] == [["image/png", "text/plain"]]
