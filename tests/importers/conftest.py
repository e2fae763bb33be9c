"""Command lines in this process, and notebooks of cells with tags."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from jupyter_mlops.cli import cli


@dataclass(frozen=True)
class Said:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture(scope="session")
def say() -> Callable[..., Said]:
    def call(*words: object) -> Said:
        result = CliRunner().invoke(cli, [str(word) for word in words])
        return Said(result.exit_code, result.stdout, result.stderr)

    return call


@pytest.fixture(scope="session")
def write_notebook() -> Callable[..., Path]:
    """``write_notebook(path, (source, *tags), …, metadata={})``."""

    def write(path: Path, *cells: tuple[str, ...], metadata: Any = None) -> Path:
        made = [
            {
                "cell_type": "code",
                "id": f"cell-{number}",
                "metadata": {"tags": tags} if tags else {},
                "source": source,
                "execution_count": None,
                "outputs": [],
            }
            for number, (source, *tags) in enumerate(cells)
        ]
        kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
        body = {
            "cells": made,
            "metadata": {"kernelspec": kernel, **(metadata or {})},
            "nbformat": 4,
            "nbformat_minor": 5,
        }
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(body))
        return path

    return write
