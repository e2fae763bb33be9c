"""An IPython with our magics in an empty folder. What a cell shows and raises is seen as a front end sees it."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from jupyter_mlops.session import modeling
from jupyter_mlops.session.place import close_workspace


@dataclass
class Notebook:
    """An IPython session, one cell at a time."""

    shell: Any
    folder: Path

    def run(self, source: str) -> Any:
        """The cell's value; whatever it raises."""
        result = self.shell.run_cell(source, store_history=True)
        result.raise_error()
        return result.result

    def shown(self, source: str) -> str:
        """What the cell prints."""
        from IPython.utils.capture import capture_output

        with capture_output() as captured:
            self.run(source)
        return str(captured.stdout)

    def refused(self, source: str) -> str:
        """The one line with which the cell is refused."""
        from IPython.core.error import UsageError

        with pytest.raises(UsageError) as raised:
            self.run(source)
        message = str(raised.value)
        assert "\n" not in message
        return message


@pytest.fixture(scope="module")
def ipython() -> Iterator[Any]:
    from IPython.core.interactiveshell import InteractiveShell

    InteractiveShell.clear_instance()
    shell = InteractiveShell.instance(colors="nocolor")
    shell.run_line_magic("load_ext", "jupyter_mlops")
    yield shell
    InteractiveShell.clear_instance()


@pytest.fixture
def notebook(
    ipython: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, warm_zygotes: None
) -> Iterator[Notebook]:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mlops.toml").touch()
    for name in ("MLOPS_RUN_ID", "MLOPS_ROOT", "MLOPS_BLOBS", "MLOPS_CATALOG"):
        monkeypatch.delenv(name, raising=False)
    gc.freeze()  # a reset collects garbage, which would look at all that other tests have imported, each time
    ipython.reset(new_session=True, aggressive=False)
    modeling._marked.clear()
    yield Notebook(ipython, tmp_path)
    close_workspace()


MODEL = """
import numpy as np, pandas as pd
from sklearn.linear_model import LogisticRegression
import jupyter_mlops as mlops

X = pd.DataFrame({"a": np.arange(50.0), "b": np.arange(50.0) % 7})
y = X["b"] > 3
model = LogisticRegression().fit(X, y)
"""


@pytest.fixture
def with_model(notebook: Notebook) -> Notebook:
    notebook.run(MODEL)
    return notebook
