"""`jupyter mlops test` and `pytest --mlops`: one project with all that can go right and wrong."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import nbformat
import pytest

PLUGIN = "jupyter_mlops.project.pytest_plugin"
ROOT = Path(__file__).parents[2]


def with_output(path: Path, index: int, text: str) -> None:
    """Let a cell have printed `text` when the notebook was saved."""
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[index].execution_count = 1
    notebook.cells[index].outputs = [nbformat.v4.new_output("stream", name="stdout", text=text)]
    nbformat.write(notebook, path)


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory, write_project, write_notebook) -> Path:
    folder = tmp_path_factory.mktemp("mixed_project")
    write_project(folder)
    (folder / "pipeline.test.yaml").write_text("base: 2\n")
    bad = folder / "bad"
    bad.mkdir()
    (bad / "pipeline.yaml").write_text("name: bad\ntasks:\n  one: {notebook: onne.ipynb}\n")
    write_notebook(bad / "one.ipynb", "1")
    failing = folder / "failing"
    failing.mkdir()
    (failing / "pipeline.yaml").write_text("name: failing\ntasks:\n  only: {notebook: only.ipynb}\n")
    (failing / "pipeline.test.yaml").write_text("")
    write_notebook(failing / "only.ipynb", "raise ValueError('as planned')")

    good = write_notebook(
        folder / "good.ipynb",
        "# NBVAL_CHECK_OUTPUT\nimport datetime\nprint(datetime.datetime.now(), 'took 3.2 s', sides)",
        "print('not compared')",
        "# NBVAL_CHECK_OUTPUT\nprint('host', 'b' * 3)",
        "import jupyter_mlops as mlops\nmlops.result('sides', sides)",
        parameters="sides: int = 6",
    )
    with_output(good, 1, "2020-01-31 10:00:00.123456 took 17.0 ms 6\n")
    with_output(good, 2, "something else\n")
    with_output(good, 3, "host aaa\n")
    (folder / "nbval-sanitize.cfg").write_text("[hosts]\nregex: host \\w+\nreplace: host NAME\n")
    wrong = write_notebook(
        folder / "wrong.ipynb", "# NBVAL_CHECK_OUTPUT\nprint(2 + 2)", "undefined_name", "print('goes on')"
    )
    with_output(wrong, 0, "5\n")
    write_notebook(folder / "needy.ipynb", "print(rows)", parameters="rows: str")
    moved = write_notebook(folder / "moved.ipynb", "print('kernel of another machine')")
    moved.write_text(moved.read_text().replace('"name": "python3"', '"name": "conda-env-mine"'))
    (folder / "broken.ipynb").write_text("{")
    (folder / "test_ordinary.py").write_text("def test_it():\n    pass\n")
    return folder


@pytest.mark.slow
def test_everything_is_tested_and_told(mixed: Path, spawn, finish) -> None:
    said = finish(spawn("test", "--json", "--junit", "junit.xml", cwd=mixed))
    assert said.code == 1, said
    assert not said.json["is_good"]
    found = {(line["path"], line["test"]): line for line in said.json["tests"]}
    assert {key: (line["state"], line["note"]) for key, line in found.items()} == {
        ("pipeline.yaml", "check"): ("passed", "nothing stands against it"),
        ("pipeline.yaml", "run"): ("passed", "ran 2 tasks"),
        ("bad/pipeline.yaml", "check"): ("failed", "1 problem"),
        ("bad/pipeline.yaml", "dry run"): ("skipped", "not after what the check found"),
        ("failing/pipeline.yaml", "check"): ("passed", "nothing stands against it"),
        ("failing/pipeline.yaml", "run"): ("failed", "failed: only"),
        ("bad/one.ipynb", "cells"): ("passed", "1 cell"),
        ("good.ipynb", "cells"): ("passed", "5 cells"),
        ("wrong.ipynb", "cells"): ("failed", "1 of 3 cells"),
        ("broken.ipynb", "read"): ("failed", found["broken.ipynb", "read"]["note"]),
        ("needy.ipynb", "alone"): ("skipped", "needs rows"),
        ("moved.ipynb", "cells"): ("passed", "1 cell"),
    }
    names = {case.get("name") for case in ElementTree.parse(mixed / "junit.xml").iter("testcase")}
    assert {"check", "run", "dry run", "Cell 0", "test_it"} <= names
    # Its stores were its own.
    assert not (mixed / ".mlops" / "catalog.db").exists()


@pytest.mark.slow
def test_pytest_does_the_same_when_it_is_asked(mixed: Path) -> None:
    def run(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "pytest", "-q", "-p", PLUGIN, *words]
        return subprocess.run(command, cwd=mixed, capture_output=True, text=True, timeout=120)

    done = run("--mlops", "failing", "wrong.ipynb", "bad/pipeline.yaml")
    assert done.returncode == 1
    assert "ValueError: as planned" in done.stdout
    assert "as far as it came: " in done.stdout
    assert "did you mean 'one.ipynb'?" in done.stdout
    assert "✘ wrong.ipynb" in done.stdout
    done = run()  # not asked: nothing of ours
    assert (done.returncode, "1 passed" in done.stdout, "pipelines" in done.stdout) == (0, True, False)


@pytest.mark.slow
def test_a_good_project_passes_and_shows_a_table(tmp_path: Path, write_project, spawn, finish) -> None:
    write_project(tmp_path)
    said = finish(spawn("test", ".", "--", "-x", cwd=tmp_path))
    assert said.code == 0, said
    assert "✔ pipeline.yaml  dry run  would run 3 tasks" in said.out


def test_where_there_is_nothing_it_says_so(tmp_path: Path, spawn, finish, tell) -> None:
    said = finish(spawn("test", "--json", cwd=tmp_path))
    assert (said.code, said.json["error"]["code"]) == (2, "not_found")
    said = tell("test", "nowhere")
    assert (said.code, said.err.splitlines()[0]) == (2, "error: there is no nowhere")


def test_it_says_what_it_needs(tell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jupyter_mlops.cli.test.find_spec", lambda name: None if name == "nbval" else True)
    said = tell("test")
    assert said.code == 1
    assert "hint: pip install 'jupyter-mlops[testing]'" in said.err


def test_the_plugin_costs_nobody_anything_who_does_not_ask() -> None:
    code = f"import sys, {PLUGIN}; print(*(name for name in sys.modules if name.startswith('jupyter_mlops')))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) == {
        "jupyter_mlops",
        "jupyter_mlops._version",
        "jupyter_mlops.project",
        PLUGIN,
    }


@pytest.mark.slow
def test_the_notebooks_of_this_repository_pass(tmp_path: Path, spawn, finish) -> None:
    shutil.copytree(
        ROOT / "notebooks", tmp_path / "notebooks", ignore=shutil.ignore_patterns(".mlops", "*.duckdb")
    )
    environment = {"OMP_NUM_THREADS": "1"}
    said = finish(spawn("test", "notebooks", "--json", cwd=tmp_path, env=environment), timeout=280)
    assert said.code == 0, said
    found = {(line["path"], line["test"]): line["state"] for line in json.loads(said.out)["tests"]}
    assert found == {
        ("notebooks/flights/pipeline.yaml", "check"): "passed",
        ("notebooks/flights/pipeline.yaml", "dry run"): "passed",
        ("notebooks/tour.ipynb", "cells"): "passed",
    }
    assert os.listdir(tmp_path) == ["notebooks"] or ".pytest_cache" in os.listdir(tmp_path)
