"""init, completion, version."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from jupyter_mlops.notebooks.files import load_notebook
from jupyter_mlops.notebooks.parameters import read_parameters
from jupyter_mlops.pipelines.spec import load_pipeline
from jupyter_mlops.settings import Settings

FILES = ["pipeline.yaml", "mlops.toml", ".gitignore", "notebooks/throw.ipynb", "notebooks/estimate.ipynb"]


def test_init_writes_a_project_and_says_how_to_run_it(tell, tmp_path):
    said = tell("init", "demo")
    assert said.code == 0
    assert said.out.splitlines()[-1] == "next: cd demo && jupyter mlops run"
    assert sorted(
        str(p.relative_to(tmp_path / "demo")) for p in (tmp_path / "demo").rglob("*") if p.is_file()
    ) == sorted(FILES)


def test_what_init_writes_is_valid(tell, tmp_path):
    tell("init", "demo")
    pipeline = load_pipeline(tmp_path / "demo" / "pipeline.yaml")
    assert pipeline.name == "demo"
    assert Settings.load(tmp_path / "demo", env={}).workers >= 1
    for task in pipeline.tasks:
        path = tmp_path / "demo" / task.notebook
        nbformat.validate(nbformat.read(path, as_version=4))
        declared = {parameter.name for parameter in read_parameters(load_notebook(path))}
        assert set(task.parameters) <= declared


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        ("demo", "demo"),
        ("my 'quoted' \"project\"", "my-quoted-project"),
        ("ünïcode: #1", "n-code-1"),
        ("- dash", "dash"),
        ("2026", "pipeline-2026"),
        ("日本", "pipeline"),
    ],
)
def test_init_takes_any_directory_name(tell, tmp_path, folder, name):
    assert tell("init", "--", folder).code == 0
    assert load_pipeline(tmp_path / folder / "pipeline.yaml").name == name


def test_init_overwrites_nothing(tell, tmp_path):
    (tmp_path / "pipeline.yaml").write_text("mine")
    said = tell("init")
    assert said.code == 2
    assert said.err.startswith("error: pipeline.yaml: there already\nhint: ")
    assert [p.name for p in tmp_path.iterdir()] == ["pipeline.yaml"]
    assert (tmp_path / "pipeline.yaml").read_text() == "mine"


def test_init_speaks_json(tell):
    assert tell("init", "demo", "--json").json == {"files": [f"demo/{name}" for name in FILES]}


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_is_a_script_for_the_shell(tell, shell):
    said = tell("completion", shell)
    assert said.code == 0
    assert "_JUPYTER_MLOPS_COMPLETE" in said.out
    body = tell("completion", shell, "--json").json
    assert (body["shell"], body["script"].strip()) == (shell, said.out.strip())


def test_completion_needs_to_know_the_shell(tell, monkeypatch):
    monkeypatch.setenv("SHELL", "/bin/tcsh")
    said = tell("completion")
    assert said.code == 2
    assert "hint: name bash, zsh or fish" in said.err
    monkeypatch.setenv("SHELL", "/usr/bin/fish")
    assert "fish" in tell("completion").out


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["r"], {"run", "runs", "resume", "rerun"}),
        (["init", "--j"], {"--json"}),
        (["completion", ""], {"bash", "zsh", "fish"}),
    ],
)
def test_bash_completes(tmp_path, words, expected):
    script = Path(sys.executable).with_name("jupyter-mlops")
    code = (
        f'PATH={script.parent}:$PATH; eval "$(jupyter-mlops completion bash)"\n'
        f"COMP_WORDS=(jupyter-mlops {shlex.join(words)}); COMP_CWORD={len(words)}\n"
        "_jupyter_mlops_completion jupyter-mlops\n"
        'printf "%s\\n" "${COMPREPLY[@]}"'
    )
    done = subprocess.run(["bash", "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert set(done.stdout.split()) == expected


def test_version_names_what_a_bug_report_needs(tell):
    found = tell("version", "--json").json
    assert {"jupyter-mlops", "python", "papermill", "dask"} <= set(found["versions"])
    assert found["versions"]["jupyter-mlops"] in tell("version").out
