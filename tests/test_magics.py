"""The magics do what `emit` does, and say what is wrong in one line."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from IPython.core.error import UsageError
from IPython.testing.globalipapp import get_ipython
from IPython.utils.capture import capture_output

from jupyter_mlops.emit import ARTIFACT_MIME, RESULT_MIME


@pytest.fixture(scope="module")
def interactive_shell() -> Iterator[Any]:
    from IPython.core.interactiveshell import InteractiveShell

    shell = get_ipython() or InteractiveShell.instance()
    shell.run_line_magic("load_ext", "jupyter_mlops")
    yield shell
    InteractiveShell.clear_instance()


@pytest.fixture
def shell(interactive_shell: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLOPS_BLOBS", str(tmp_path / "blobs"))
    interactive_shell.user_ns.update(auc=0.91, table={"a": [1, 2]})
    return interactive_shell


def outputs(shell: Any, magic: str, line: str) -> list[dict[str, Any]]:
    with capture_output() as captured:
        shell.run_line_magic(magic, line)
    return [output.data for output in captured.outputs]


def test_a_variable_is_emitted_by_its_name(shell: Any) -> None:
    (shown,) = outputs(shell, "result", "auc")
    assert shown[RESULT_MIME]["data"] == 0.91


def test_an_expression_is_evaluated_in_the_notebook(shell: Any) -> None:
    (shown,) = outputs(shell, "result", "half auc / 2")
    assert (shown[RESULT_MIME]["name"], shown[RESULT_MIME]["data"]) == ("half", 0.455)


def test_an_artifact_can_be_opened_again(shell: Any) -> None:
    (shown,) = outputs(shell, "artifact", "table")
    shell.user_ns["given"] = shown[ARTIFACT_MIME]["reference"]
    assert shell.run_line_magic("input", "given") == {"a": [1, 2]}


@pytest.mark.parametrize(
    ("magic", "line", "message"),
    [
        ("result", "", "NAME is missing"),
        ("result", "acu", "no variable 'acu'"),
        ("result", "big 'x' * 100_000", "store it with mlops.artifact"),
        ("input", "", "NAME is missing"),
        ("input", "nowhere", "nowhere"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(shell: Any, magic: str, line: str, message: str) -> None:
    with pytest.raises(UsageError, match=message) as raised:
        shell.run_line_magic(magic, line)
    assert "\n" not in str(raised.value)
