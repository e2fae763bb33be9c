"""execute: papermill's options with papermill's meaning."""

from __future__ import annotations

import base64
import json
import os
import signal

import nbformat
import papermill
import pytest

PARAMETERS = 'week: int = 1  # which week\nregion: str = "west"\nnames: list[str] = ["a"]'


@pytest.fixture
def notebook(tmp_path, write_notebook):
    return write_notebook(tmp_path / "in.ipynb", "print(repr((week, region, names)))", parameters=PARAMETERS)


def printed(path) -> str:
    cells = nbformat.read(path, as_version=4).cells
    return "".join(out.get("text", "") for cell in cells for out in cell.get("outputs", ()))


def test_arguments_are_read_by_their_types(tell, notebook):
    said = tell("execute", "in.ipynb", "out.ipynb", "-p", "week", "007", "-p", "region", "007")
    assert (said.code, said.out) == (0, "")
    assert "✔ out.ipynb in " in said.err
    assert printed("out.ipynb") == "(7, '007', ['a'])\n"


def test_precedence_is_papermills(tell, notebook, tmp_path):
    (tmp_path / "p.yaml").write_text("week: 2\nregion: file\nnames: [file]")
    packed = base64.b64encode(b"week: 1\nregion: packed\nnames: [packed]").decode()
    for more, expected in (
        ((), "(2, 'file', ['file'])"),
        (("-y", "region: yaml"), "(2, 'yaml', ['file'])"),
        (("-y", "region: yaml", "-p", "region", "typed"), "(2, 'typed', ['file'])"),
        (("-r", "region", "raw", "-y", "region: yaml", "-p", "region", "typed"), "(2, 'raw', ['file'])"),
    ):
        said = tell("execute", "in.ipynb", "out.ipynb", "-b", packed, "-f", "p.yaml", *more)
        assert said.code == 0, said
        assert printed("out.ipynb") == expected + "\n"


def test_prepared_notebooks_are_papermills(tell, notebook):
    """Prepared by papermill and by us: the same cells and metadata."""
    assert tell("execute", "in.ipynb", "ours.ipynb", "-p", "week", "21", "--prepare-only").code == 0
    papermill.execute_notebook(
        "in.ipynb", "theirs.ipynb", {"week": 21}, prepare_only=True, progress_bar=False
    )
    ours, theirs = (nbformat.read(f"{name}.ipynb", as_version=4) for name in ("ours", "theirs"))
    assert [c.source for c in ours.cells] == [c.source for c in theirs.cells]
    assert [c.metadata.get("tags") for c in ours.cells] == [c.metadata.get("tags") for c in theirs.cells]
    assert ours.metadata.papermill.parameters == theirs.metadata.papermill.parameters


def test_help_notebook_shows_the_parameters(tell, notebook, write_notebook, tmp_path):
    said = tell("execute", "--help-notebook", "in.ipynb")
    assert said.code == 0
    assert "week: int (default 1)" in said.out
    assert "which week" in said.out
    write_notebook(tmp_path / "plain.ipynb", "1")
    said = tell("execute", "--help-notebook", "plain.ipynb")
    assert said.code == 1
    assert "No cell tagged 'parameters'" in said.out
    body = tell("execute", "--help-notebook", "in.ipynb", "--json").json
    assert [p["name"] for p in body["parameters"]] == ["week", "region", "names"]


def test_the_output_is_named_by_arguments(tell, notebook, tmp_path):
    (tmp_path / "out").mkdir()
    assert (
        tell(
            "execute", "in.ipynb", "out/{region}-{week}.ipynb", "-p", "region", "east", "-p", "week", "3"
        ).code
        == 0
    )
    assert (tmp_path / "out" / "east-3.ipynb").is_file()


def test_unknown_argument_names_the_nearest(tell, notebook):
    said = tell("execute", "in.ipynb", "out.ipynb", "-p", "wek", "3")
    assert said.code == 2
    assert "wek" in said.err
    assert "did you mean 'week'?" in said.err
    assert not os.path.exists("out.ipynb")


def test_a_failing_cell_exits_with_1_and_keeps_the_notebook(tell, tmp_path, write_notebook):
    write_notebook(tmp_path / "bad.ipynb", "print('so far')", "1 / 0")
    said = tell("execute", "bad.ipynb", "out.ipynb")
    assert said.code == 1
    assert "ZeroDivisionError" in said.err
    assert "out.ipynb" in said.err
    assert "so far" in printed("out.ipynb")
    body = tell("execute", "bad.ipynb", "out.ipynb", "--json")
    assert body.code == 1
    assert body.json["state"] == "failed"
    assert body.json["error"]["code"] == "notebook_failed"


def test_a_dead_kernel_exits_with_138(tell, tmp_path, write_notebook):
    write_notebook(tmp_path / "dead.ipynb", "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)")
    assert tell("execute", "dead.ipynb", "out.ipynb").code == 138


def test_a_cell_that_takes_too_long_exits_with_124(tell, tmp_path, write_notebook):
    write_notebook(tmp_path / "slow.ipynb", "import time\ntime.sleep(60)")
    said = tell("execute", "slow.ipynb", "out.ipynb", "--execution-timeout", "1")
    assert said.code == 124
    assert "timeout" in said.err


def test_sys_exit_is_a_success(tell, tmp_path, write_notebook):
    write_notebook(tmp_path / "exit.ipynb", "import sys\nsys.exit(0)", "print('not reached')")
    assert tell("execute", "exit.ipynb", "out.ipynb").code == 0


def test_results_are_shown_and_given(tell, tmp_path, write_notebook):
    write_notebook(tmp_path / "in.ipynb", 'import jupyter_mlops as mlops\nmlops.result("auc", 0.91)')
    assert "  auc = 0.91\n" in tell("execute", "in.ipynb", "out.ipynb").err
    body = tell("execute", "in.ipynb", "out.ipynb", "--json").json
    assert body["results"] == {"auc": 0.91}
    assert set(body) == {"state", "input", "output", "results", "artifacts", "duration_seconds",
                         "peak_memory_bytes", "cpu_seconds", "error"}  # fmt: skip


def test_stdin_to_stdout(tmp_path, notebook, spawn_piped):
    said = spawn_piped("execute", "-", "-", "-p", "week", "9", input=notebook.read_text(), cwd=tmp_path)
    assert said.code == 0, said
    assert "(9, 'west', ['a'])" in json.dumps(json.loads(said.out))
    implied = spawn_piped("execute", "-p", "week", "9", input=notebook.read_text(), cwd=tmp_path)
    assert nbformat.reads(implied.out, as_version=4).cells[-1].outputs[0].text == "(9, 'west', ['a'])\n"


def test_outputs_are_copied_to_files_and_the_log(tmp_path, write_notebook, spawn, finish):
    write_notebook(tmp_path / "in.ipynb", "import sys\nprint('to out')\nprint('to err', file=sys.stderr)")
    options = ("--stdout-file", "o.txt", "--stderr-file", "e.txt", "--log-output")
    said = finish(spawn("execute", "in.ipynb", "out.ipynb", *options, cwd=tmp_path))
    assert said.code == 0, said
    assert (tmp_path / "o.txt").read_text() == "to out\n"
    assert (tmp_path / "e.txt").read_text() == "to err\n"
    assert "to out" in said.err
    assert "to err" in said.err


def test_paths_are_injected_where_asked(tell, notebook, tmp_path):
    assert tell("execute", "in.ipynb", "out.ipynb", "--inject-paths").code == 0
    source = "".join(cell.source for cell in nbformat.read("out.ipynb", as_version=4).cells)
    assert 'PAPERMILL_INPUT_PATH = "in.ipynb"' in source
    assert 'PAPERMILL_OUTPUT_PATH = "out.ipynb"' in source


def test_the_kernel_runs_where_it_is_told(tell, tmp_path, write_notebook):
    (tmp_path / "there").mkdir()
    write_notebook(tmp_path / "in.ipynb", "import os\nprint(os.getcwd())")
    assert tell("execute", "in.ipynb", "out.ipynb", "--cwd", "there").code == 0
    assert printed("out.ipynb").strip() == str((tmp_path / "there").resolve())
    assert tell("execute", "in.ipynb", "out.ipynb").code == 0
    assert printed("out.ipynb").strip() == str(tmp_path.resolve())


def test_report_mode_hides_input(tell, notebook):
    assert tell("execute", "in.ipynb", "out.ipynb", "--report-mode", "--prepare-only").code == 0
    cells = nbformat.read("out.ipynb", as_version=4).cells
    assert all(cell.metadata.jupyter.source_hidden for cell in cells if cell.cell_type == "code")


def test_secrets_reach_the_kernel_and_nothing_else(tell, tmp_path, write_notebook, monkeypatch):
    monkeypatch.setenv("API_TOKEN", "hunter2-hunter2")
    write_notebook(tmp_path / "in.ipynb", "print(token, len(token))", parameters="token: str")
    said = tell("execute", "in.ipynb", "out.ipynb", "-p", "token", "secret:API_TOKEN")
    assert said.code == 0, said
    assert printed("out.ipynb") == "**** 15\n"
    assert "hunter2" not in (tmp_path / "out.ipynb").read_text()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("missing.ipynb", "out.ipynb"), "missing.ipynb"),
        (("in.ipynb", "nowhere/out.ipynb"), "there is no directory nowhere"),
        (("in.ipynb", "."), "is a directory"),
        (("in.ipynb", "out.ipynb", "-b", "%%%"), "no base64"),
        (("in.ipynb", "out.ipynb", "-y", "[1"), "no YAML"),
        (("in.ipynb", "out.ipynb", "-y", "[1]"), "must be a mapping"),
        (("in.ipynb", "out.ipynb", "-f", "none.yaml"), "none.yaml"),
        (("in.ipynb", "out.ipynb", "-p", "not a name", "1"), "not a name"),
        (("in.ipynb", "out.ipynb", "-p", "week", "seven"), "week"),
        (("in.ipynb", "out.ipynb", "--engine", "other"), "engine"),
        (("in.ipynb", "-", "--json"), "--json"),
        (("in.ipynb", "out.ipynb", "-p", "region", "secret:NOBODY_KNOWS"), "NOBODY_KNOWS"),
    ],
)
def test_what_is_wrong_is_told_before_anything_starts(tell, notebook, words, message):
    said = tell("execute", *words)
    assert said.code == 2
    assert message in said.err + said.out
    assert "Traceback" not in said.err
    assert not os.path.exists("out.ipynb")


def test_ctrl_c_keeps_what_there_is(tmp_path, write_notebook, spawn, finish, wait_for):
    code = "open('started', 'w').close()\nimport time\ntime.sleep(60)"
    write_notebook(tmp_path / "in.ipynb", "print('so far')", code)
    process = spawn("execute", "in.ipynb", "out.ipynb", cwd=tmp_path)
    wait_for(tmp_path / "started", process)
    process.send_signal(signal.SIGINT)
    said = finish(process, timeout=30)
    assert said.code == 130, said
    assert printed(tmp_path / "out.ipynb").startswith("so far")
