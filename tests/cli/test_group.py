"""How commands are found, how they show their help, how errors look."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

from jupyter_mlops import errors
from jupyter_mlops.cli import COMMANDS, cli
from jupyter_mlops.cli.group import Command, describe, report
from jupyter_mlops.problems import Problem

HEAVY = (
    "alembic", "dask", "distributed", "duckdb", "fsspec", "IPython", "ipykernel", "jupyter_client", "keyring",
    "matplotlib", "nbclient", "nbformat", "numpy", "pandas", "papermill", "pyarrow", "rich", "sklearn",
    "sqlalchemy", "yaml", "zmq",
)  # fmt: skip


def loaded(command_line: str) -> set[str]:
    """The modules that a fresh interpreter has imported after a command line."""
    code = (
        "import sys, json\n"
        "from jupyter_mlops.cli import cli\n"
        f"try: cli.main({command_line.split()!r})\n"
        "except SystemExit: pass\n"
        "print(); print(json.dumps(sorted(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize("command_line", ["--help", "", "--version", "nonsense"])
def test_help_imports_nothing_heavy(command_line):
    assert not loaded(command_line) & set(HEAVY)


def test_completing_a_command_imports_no_command():
    modules = loaded("--help")
    ours = {name for name in modules if name.startswith("jupyter_mlops.")}
    assert ours == {
        "jupyter_mlops._version",
        "jupyter_mlops.cli",
        "jupyter_mlops.cli.group",
        "jupyter_mlops.errors",
    }


def test_init_version_and_completion_need_no_workspace():
    for command_line in ("init --help", "completion --help", "version --help"):
        assert not loaded(command_line) & {"sqlalchemy", "distributed", "zmq", "pandas"}


def runnable(command):
    """The command, or those behind it."""
    return list(command.commands.values()) if isinstance(command, click.Group) else [command]


@pytest.mark.parametrize("entry", COMMANDS, ids=lambda entry: entry.name)
def test_the_table_says_what_the_command_says(entry):
    """The table repeats a command's name and first sentence, so that the help needs no import."""
    command = cli.get_command(click.Context(cli), entry.name)
    assert all(isinstance(one, Command) for one in runnable(command))
    assert command.name == entry.name
    first = " ".join(command.help.split("\n\n")[0].split())
    assert first.startswith(entry.help.rstrip("."))


@pytest.mark.parametrize("entry", COMMANDS, ids=lambda entry: entry.name)
def test_every_command_shows_examples_and_speaks_json(entry, tell):
    command = cli.get_command(click.Context(cli), entry.name)
    for one in runnable(command):
        words = [entry.name] if one is command else [entry.name, one.name]
        said = tell(*words, "--help")
        assert said.code == 0
        assert "Examples:" in said.out
        assert f"mlops {' '.join(words)}" in said.out
        # A service that runs until it is stopped has no answer to give; its log is its word, and a file is a file.
        assert "--json" in said.out or entry.name == "scheduler" or one.name in ("logs", "unit")


def test_every_example_is_a_command_line_that_parses():
    found = [cli.get_command(click.Context(cli), entry.name) for entry in COMMANDS]
    for command, one in [(group, one) for group in found for one in runnable(group)]:
        start = f"mlops {command.name}"  # a group that is named alone runs one of its own
        for _, line in one.examples:
            names = {option for p in one.params for option in (*p.opts, *p.secondary_opts)}
            words = line.replace("'", "").split(start, 1)[1].split("|")[0].split(" -- ")[0].split()
            used = {word for word in words if re.match("--?[a-z]", word)}
            assert used <= names | {"--help"}, line


def test_unknown_command_names_the_nearest(tell):
    said = tell("rnu")
    assert (said.code, said.out) == (2, "")
    assert said.err == "error: there is no command 'rnu'\nhint: did you mean 'run'?\n"


def test_unknown_option_names_the_nearest(tell):
    said = tell("init", "--jsn")
    assert said.code == 2
    assert said.err == "error: there is no option --jsn\nhint: did you mean '--json'?\n"


def test_unknown_option_like_nothing_points_to_the_help(tell):
    said = tell("version", "--xyzzy")
    assert said.err == "error: there is no option --xyzzy\nhint: see `jupyter mlops version --help`\n"


def test_usage_errors_are_json_with_json(tell):
    said = tell("completion", "tcsh", "--json")
    assert said.code == 2
    assert said.json["error"]["code"] == "usage"
    assert "tcsh" in said.json["error"]["message"]
    assert said.err == ""


def test_no_command_shows_the_help(tell):
    assert "Begin with:" in tell().out


def test_debug_shows_the_traceback(tell, tmp_path):
    (tmp_path / "pipeline.yaml").write_text("")
    said = tell("init", "--debug")
    assert said.code == 2
    assert said.err.startswith("Traceback")
    assert "error: pipeline.yaml: there already" in said.err


@pytest.mark.parametrize(
    "kind", [k for k in vars(errors).values() if isinstance(k, type) and issubclass(k, errors.MlopsError)]
)
def test_each_error_leaves_with_its_own_code_and_hint(kind, capsys):
    assert report(kind("it went wrong", hint="do better"), is_json=False) == kind.exit_code
    assert capsys.readouterr().err == "error: it went wrong\nhint: do better\n"
    assert report(kind("it went wrong", hint="do better"), is_json=True) == kind.exit_code
    body = json.loads(capsys.readouterr().out)["error"]
    assert body == {"code": kind.code, "message": "it went wrong", "hint": "do better"}


def test_all_problems_are_listed_with_their_places(capsys):
    problems = [
        Problem(message="there is no task 'pul'", where="pipeline.yaml:7", hint="did you mean 'pull'?"),
        Problem(message="it is slow", where="pipeline.yaml:9", severity="warning"),
    ]
    error = errors.InvalidPipeline("pipeline.yaml:7: there is no task 'pul'\n…", problems=problems)
    assert report(error, is_json=False) == 2
    assert capsys.readouterr().err == (
        "error: 2 problems\n"
        "  ✘ pipeline.yaml:7: there is no task 'pul'\n"
        "    did you mean 'pull'?\n"
        "  ⚠ pipeline.yaml:9: it is slow\n"
    )
    report(error, is_json=True)
    assert json.loads(capsys.readouterr().out)["error"]["problems"] == [p.to_json() for p in problems]


def test_a_bug_is_called_one():
    body, code = describe(KeyError("x"))
    assert (code, body["message"]) == (1, "KeyError: 'x'")
    assert "--debug" in body["hint"]


def test_a_closed_pipe_is_no_error():
    line = f"{Path(sys.executable).with_name('jupyter-mlops')} --help | true"
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("", "")


def test_the_console_script_is_what_jupyter_calls():
    script = Path(sys.executable).with_name("jupyter-mlops")
    done = subprocess.run([script, "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("jupyter-mlops ")
