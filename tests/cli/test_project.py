"""completion, version; and completion of what `init` takes."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

import pytest


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
        (["r"], {"run", "runs", "resume", "rerun", "rollback"}),
        (["init", "--j"], {"--json"}),
        (["init", "--example", "c"], {"churn"}),
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
