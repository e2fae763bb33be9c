"""What is told of a capture: all that was taken, with reasons; nothing of it acts on who reads it."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from jupyter_mlops.problems import Problem
from jupyter_mlops.promotion import report
from jupyter_mlops.promotion.captured import Capture, OptionalModule, Requirement, SystemPackage

NASTY = "<script>alert(1)</script> | `x` [red]\\_*"


@pytest.fixture
def capture() -> Capture:
    return Capture(
        kind="batch",
        name="pull",
        python="3.11",
        requirements=(
            Requirement(name="pandas", version="2.2.3", because=("a", "b", "c", "d")),
            Requirement(name="uvicorn", version="0.31.0", extras=("standard",), marker="os_name == 'posix'"),
            Requirement(
                name="mine", origin="vcs", url="git+https://host/mine@abc", marker="os_name == 'posix'"
            ),
            Requirement(name="later", specifier=">=2"),
        ),
        lock="pandas==2.2.3 \\\n    --hash=sha256:1\nnumpy==2.1.0 \\\n    --hash=sha256:2\n",
        system_packages=(SystemPackage(name="libgomp1", because=("lightgbm links to libgomp.so.1",)),),
        modules={"look.py": b"x = 1"},
        notebooks={"pull.ipynb": b"{}"},
        reasons={"look.py": "imported by pull.ipynb, cell 3"},
        optional=(OptionalModule(module="torch", where="pull.ipynb, cell 1"),),
        problems=(
            Problem(message=NASTY, where="pull.ipynb, cell 2", severity="warning"),
            Problem(message="worse", hint="mend it"),
        ),
        accelerator="a100",
        cuda="12.4",
        source="pull.ipynb",
        commit="c" * 40,
    )


def test_requirements_are_written_as_pip_reads_them(capture: Capture) -> None:
    from packaging.requirements import Requirement as Read

    lines = capture.input_text.splitlines()
    assert lines == [
        "pandas==2.2.3",
        "uvicorn[standard]==0.31.0; os_name == 'posix'",
        "mine @ git+https://host/mine@abc ; os_name == 'posix'",
        "later>=2",
    ]
    assert [Read(line).name for line in lines] == ["pandas", "uvicorn", "mine", "later"]


def test_everything_is_in_the_report(capture: Capture) -> None:
    text = report.to_markdown(capture)
    for told in (
        "2 distributions, with hashes",
        "a100 · CUDA 12.4",
        "a; b; c and 1 more",
        "libgomp1",
        "torch",
        "look.py",
    ):
        assert told in text, told
    assert text.index("worse") < text.index("script")  # errors first
    assert "## Could not be decided" in text


def test_what_is_shown_is_escaped(capture: Capture) -> None:
    from rich.console import Console

    assert "<script>" not in report.to_html(capture)
    assert "<script>" not in report.to_markdown(capture)
    assert "\\|" in report.to_markdown(capture)
    buffer = io.StringIO()
    Console(file=buffer, width=400).print(report.to_rich(capture))
    assert NASTY in buffer.getvalue()


def test_the_json_has_digests_instead_of_bytes(capture: Capture) -> None:
    body = json.loads(json.dumps(capture.to_json()))
    assert body["content"]["look.py"] == capture.content()["look.py"]
    assert body["requirements"][0]["because"] == ["a", "b", "c", "d"]
    assert not capture.is_complete


@pytest.mark.parametrize("path", ["/etc/passwd", "../x", "a/../../x", ""])
def test_nothing_is_put_outside_of_the_root(path: str) -> None:
    with pytest.raises(ValueError, match="not below the root"):
        Capture(kind="batch", name="x", python="3.11", files={path: Path("x")})
