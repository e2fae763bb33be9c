"""``papermill --engine mlops``, as a command: papermill's conventions, our kernels, nothing left behind."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from jupyter_mlops.notebooks.files import load_notebook

Papermill = Callable[..., subprocess.CompletedProcess[str]]
pytestmark = pytest.mark.timeout(120)


@pytest.fixture
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where sockets and zygotes of the commands go, so that what they leave can be seen."""
    return tmp_path_factory.mktemp("h")


@pytest.fixture
def papermill(home: Path, tmp_path: Path) -> Iterator[Papermill]:
    environment = {
        **os.environ,
        "XDG_RUNTIME_DIR": str(home),
        "TMPDIR": str(home),
        "MLOPS_ZYGOTE_LINGER_SECONDS": "1",
    }

    def call(*arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "papermill", "--no-progress-bar", *arguments],
            cwd=tmp_path,
            env={**environment, **env},
            capture_output=True,
            text=True,
            timeout=60,
        )

    yield call
    deadline = time.monotonic() + 20
    while left := _zygotes_in(home):
        assert time.monotonic() < deadline, f"zygotes are left: {left}"
        time.sleep(0.05)
    assert sorted(path.name for path in home.iterdir()) in ([], [f"mlops-zygotes-{os.getuid()}"])
    assert not [path for path in home.glob("*/*") if path.suffix != ".lock"]


def _zygotes_in(home: Path) -> list[int]:
    """Processes that were told to listen under `home`."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if str(home).encode() in path.read_bytes():
                found.append(int(path.parent.name))
        except OSError:
            continue
    return found


@pytest.fixture
def notebook(tmp_path: Path, make_notebook: Callable[..., dict[str, Any]]) -> Callable[..., str]:
    def write(*cells: Any) -> str:
        (tmp_path / "in.ipynb").write_text(json.dumps(make_notebook(*cells)))
        return "in.ipynb"

    return write


def stripped(path: Path) -> list[Any]:
    """Cells without ids and times."""
    cells = load_notebook(path)["cells"]
    for cell in cells:
        cell.pop("id")
        marks = cell["metadata"].get("papermill", {})
        cell["metadata"] = {"tags": cell["metadata"].get("tags"), "status": marks.get("status")}
    return cells


@pytest.mark.slow
def test_the_result_is_papermills_own(papermill: Papermill, notebook: Any, tmp_path: Path):
    name = notebook(("a = 1", ["parameters"]), "print('a is', a)", "#md # Title", "a * 2")
    theirs = papermill(name, "theirs.ipynb", "-p", "a", "21")
    ours = papermill("--engine", "mlops", name, "ours.ipynb", "-p", "a", "21")
    assert (theirs.returncode, ours.returncode) == (0, 0), ours.stderr
    assert stripped(tmp_path / "ours.ipynb") == stripped(tmp_path / "theirs.ipynb")
    made, known = (load_notebook(tmp_path / each)["metadata"] for each in ("ours.ipynb", "theirs.ipynb"))
    assert set(made) == set(known)
    assert set(made["papermill"]) == set(known["papermill"])
    assert made["papermill"]["parameters"] == {"a": 21}


@pytest.mark.slow
def test_exit_codes_are_papermills(papermill: Papermill, notebook: Any, tmp_path: Path):
    name = notebook("1/0")
    theirs = papermill(name, "theirs.ipynb")
    failed = papermill("--engine", "mlops", name, "ours.ipynb")
    assert theirs.returncode == failed.returncode == 1
    assert "ZeroDivisionError" in failed.stderr
    assert stripped(tmp_path / "ours.ipynb")[0] == stripped(tmp_path / "theirs.ipynb")[0]
    died = papermill("--engine", "mlops", notebook("import os; os.kill(os.getpid(), 9)"), "died.ipynb")
    assert died.returncode == 138, died.stderr
    slow = papermill(
        "--engine", "mlops", "--execution-timeout", "1", notebook("import time; time.sleep(60)"), "slow.ipynb"
    )
    assert slow.returncode == 1
    assert "timeout of 1 s" in slow.stderr
    early = papermill("--engine", "mlops", notebook("import sys; sys.exit(0)"), "early.ipynb")
    assert early.returncode == 0, early.stderr


@pytest.mark.slow
def test_output_is_logged_and_goes_to_files(papermill: Papermill, notebook: Any, tmp_path: Path):
    name = notebook("import sys\nprint('to stdout'); print('to stderr', file=sys.stderr)")
    done = papermill(
        "--engine",
        "mlops",
        "--log-output",
        "--stdout-file",
        "out.txt",
        "--stderr-file",
        "err.txt",
        name,
        "o.ipynb",
    )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out.txt").read_text() == "to stdout\n"
    assert (tmp_path / "err.txt").read_text() == "to stderr\n"
    assert "to stdout" in done.stderr


@pytest.mark.slow
def test_the_directory_is_papermills_cwd(papermill: Papermill, notebook: Any, tmp_path: Path):
    (tmp_path / "deep").mkdir()
    done = papermill("--engine", "mlops", "--cwd", "deep", notebook("import os; os.getcwd()"), "o.ipynb")
    assert done.returncode == 0, done.stderr
    (output,) = load_notebook(tmp_path / "o.ipynb")["cells"][0]["outputs"]
    assert output["data"]["text/plain"] == repr(str(tmp_path / "deep"))


@pytest.mark.slow
def test_the_second_command_finds_the_zygote_of_the_first(
    papermill: Papermill, notebook: Any, home: Path, tmp_path: Path, retire_zygotes: Callable[[Path], None]
):
    name = notebook("import os; os.getppid()")

    def parent() -> str:
        done = papermill("--engine", "mlops", name, "o.ipynb", MLOPS_ZYGOTE_LINGER_SECONDS="120")
        assert done.returncode == 0, done.stderr
        return str(load_notebook(tmp_path / "o.ipynb")["cells"][0]["outputs"][0]["data"]["text/plain"])

    first = parent()
    assert parent() == first
    assert _zygotes_in(home) == [int(first)]
    retire_zygotes(home)
