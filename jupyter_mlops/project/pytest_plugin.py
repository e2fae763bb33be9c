"""``pytest --mlops``: pipelines and notebooks as tests, beside whatever else pytest finds.

This module is loaded wherever the package is installed, so it does nothing, and imports nothing, until it is asked.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--mlops`` and where to report to."""
    group = parser.getgroup("mlops", "pipelines and notebooks (jupyter_mlops)")
    group.addoption(
        "--mlops",
        action="store_true",
        default=False,
        help="check pipelines and run notebooks; `jupyter mlops test` does the same",
    )
    group.addoption(
        "--mlops-report", metavar="FILE", type=Path, default=None, help="write what was found as JSON"
    )


def pytest_configure(config: pytest.Config) -> None:
    """The tests themselves, if they are asked for."""
    if config.getoption("--mlops"):
        from .testing import Testing

        config.pluginmanager.register(Testing(config), "mlops-testing")
