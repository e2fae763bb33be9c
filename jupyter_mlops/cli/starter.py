"""The project that ``init`` writes: it estimates π, shows parameters, an artifact, results and the cache."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

PIPELINE = """\
name: {name}
description: Estimate π by throwing points at a square.

parameters:
  points:
    type: int
    default: 20000
    help: how many points to throw

tasks:
  throw:
    notebook: notebooks/throw.ipynb
    parameters:
      points: ${{params.points}}

  estimate:
    notebook: notebooks/estimate.ipynb
    parameters:
      points: ${{tasks.throw.artifacts.points}}   # so it needs `throw`: no other word is necessary
"""

SETTINGS = """\
# Settings of this workspace; what is not set here has the default that stands behind the `#`.
# workers = 4              # tasks that run at once; default: the number of CPUs
# cluster = "local"        # or the address of a dask scheduler: "tcp://scheduler:8786"
# catalog = "sqlite:///.mlops/catalog.db"
# blobs = ".mlops/blobs"   # or "s3://bucket/prefix"
"""

IGNORE = """\
.mlops/
.env
.ipynb_checkpoints/
"""

_THROW: Sequence[tuple[str, str]] = (
    (
        "markdown",
        "# Throw points at a square\n\n"
        "Each point falls somewhere between 0 and 1 on both axes. Those nearer to the origin than 1 lie "
        "inside a quarter of a circle.",
    ),
    (
        "parameters",
        "points: int = 20_000  # how many points to throw\nseed: int = 7  # the same seed, the same points",
    ),
    ("code", "import numpy as np\nimport pandas as pd\n\nimport jupyter_mlops as mlops"),
    (
        "code",
        "random = np.random.default_rng(seed)\n"
        'frame = pd.DataFrame(random.random((points, 2)), columns=["x", "y"])\n'
        'frame["is_inside"] = frame.x**2 + frame.y**2 < 1\n'
        "frame.head()",
    ),
    ("markdown", "The next notebook gets the frame as its parameter `points`."),
    ("code", 'mlops.artifact("points", frame)'),
)

_ESTIMATE: Sequence[tuple[str, str]] = (
    (
        "markdown",
        "# Estimate π\n\n"
        "A quarter of a circle with radius 1 has the area π/4, "
        "so four times the share of points inside is about π.",
    ),
    ("parameters", "points: str  # the points, as `throw` made them"),
    ("code", "import math\n\nimport jupyter_mlops as mlops\n\nframe = mlops.input(points)"),
    (
        "code",
        "share = frame.is_inside.mean()\n"
        "estimate = 4 * share\n"
        "deviation = 4 * math.sqrt(share * (1 - share) / len(frame))\n"
        'print(f"π is about {estimate:.4f}, give or take {deviation:.4f}")',
    ),
    ("code", 'mlops.result("pi", round(estimate, 5))\nmlops.result("deviation", round(deviation, 5))'),
)


def project_files(name: str) -> Mapping[str, str]:
    """Relative path → text of each file of the project."""
    return {
        "pipeline.yaml": PIPELINE.format(name=pipeline_name(name)),
        "mlops.toml": SETTINGS,
        ".gitignore": IGNORE,
        "notebooks/throw.ipynb": _notebook(_THROW),
        "notebooks/estimate.ipynb": _notebook(_ESTIMATE),
    }


def pipeline_name(folder: str) -> str:
    """The nearest thing to a directory's name that a pipeline may be called."""
    name = re.sub(r"[^A-Za-z0-9_-]+", "-", folder).strip("-_")
    return name if name[:1].isalpha() else f"pipeline-{name}".rstrip("-")


def _notebook(cells: Sequence[tuple[str, str]]) -> str:
    return (
        json.dumps(
            {
                "cells": [_cell(kind, source) for kind, source in cells],
                "metadata": {
                    "kernelspec": {
                        "display_name": "Python 3 (ipykernel)",
                        "language": "python",
                        "name": "python3",
                    },
                    "language_info": {"name": "python"},
                },
                "nbformat": 4,
                "nbformat_minor": 5,
            },
            ensure_ascii=False,
            indent=1,
        )
        + "\n"
    )


def _cell(kind: str, source: str) -> dict[str, Any]:
    is_code = kind != "markdown"
    cell: dict[str, Any] = {
        "cell_type": "code" if is_code else "markdown",
        "id": hashlib.sha256(source.encode()).hexdigest()[:8],
        "metadata": {"tags": ["parameters"]} if kind == "parameters" else {},
        "source": source.splitlines(keepends=True),
    }
    return {**cell, "execution_count": None, "outputs": []} if is_code else cell
