"""Words are spelled right, and as Americans do, in docs, docstrings, comments and messages."""

from __future__ import annotations

import subprocess
import sys

from .conftest import PAGES, ROOT

# What is meant, though it looks like a mistake: our word for a state, the header TE, the beginning of a file name.
MEANT = "cancelled,cancelling,te,requir"


def test_nothing_is_misspelled() -> None:
    done = subprocess.run(
        [
            *(sys.executable, "-m", "codespell_lib", "--builtin", "clear,rare,en-GB_to_en-US"),
            *("--ignore-words-list", MEANT, "--skip", "*/labextension/*,*.json,*.csv,*/template/*"),
            *(str(page) for page in PAGES),
            str(ROOT / "jupyter_mlops"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert not done.stdout, done.stdout
    assert done.returncode == 0, done.stderr
