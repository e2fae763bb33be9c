"""``init``, ``completion`` and ``version``: what needs no workspace, and so answers at once."""

from __future__ import annotations

import os
import platform
import shlex
import sys
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as version_of
from pathlib import Path

import click

from .._version import __version__
from ..errors import InvalidInput
from ..project.templates import EXAMPLES, project_files, write_project
from .group import COMPLETE_VARIABLE, PROGRAM, command
from .options import json_option
from .output import print_json

_SCRIPT = "jupyter-mlops"  # completion is a matter of executables, and this is ours
_SHELLS = ("bash", "zsh", "fish")
_REPORTED = ("papermill", "nbclient", "jupyter-client", "ipykernel", "dask", "distributed", "sqlalchemy")


@command(
    name="init",
    examples=[
        ("in a new directory", "jupyter mlops init demo"),
        ("in this one", "jupyter mlops init"),
        ("two models, the better one is kept", "jupyter mlops init demo --example churn"),
    ],
)
@click.argument("folder", metavar="[DIR]", default=".", type=click.Path(file_okay=False, path_type=Path))
@click.option(
    "--example",
    default="plain",
    show_default=True,
    metavar="|".join(EXAMPLES),
    help="What it begins with; each runs at once, without a network.",
    shell_complete=lambda _ctx, _parameter, text: [name for name in EXAMPLES if name.startswith(text)],
)
@json_option
def init(folder: Path, example: str, is_json: bool) -> None:
    """Write a project that runs and is tested: a pipeline, its notebooks, settings, and what CI, Codespaces and
    Binder need.

    Nothing that exists is overwritten.
    """
    written = write_project(folder, project_files(folder.resolve().name, example))
    if is_json:
        print_json({"example": example, "files": [str(path) for path in written]})
        return
    for path in written:
        click.echo(f"{click.style('+', fg='green')} {path}")
    step = "" if folder.resolve() == Path.cwd() else f"cd {shlex.quote(str(folder))} && "
    click.echo(f"\nnext: {step}{PROGRAM} run")


@command(
    name="completion",
    examples=[
        ("bash: in ~/.bashrc", 'eval "$(jupyter-mlops completion bash)"'),
        ("zsh: in ~/.zshrc", 'eval "$(jupyter-mlops completion zsh)"'),
        ("fish", "jupyter-mlops completion fish > ~/.config/fish/completions/jupyter-mlops.fish"),
    ],
)
@click.argument("shell", required=False, type=click.Choice(_SHELLS))
@json_option
def completion(shell: str | None, is_json: bool) -> None:
    """Print the script that makes a shell complete commands, options and files of `jupyter-mlops`.

    SHELL is bash, zsh or fish; by default the one you use.
    """
    from click.shell_completion import get_completion_class

    shell = shell or Path(os.environ.get("SHELL", "")).name
    found = get_completion_class(shell) if shell in _SHELLS else None
    if found is None:
        raise InvalidInput(
            f"cannot tell which shell you use ({shell or 'SHELL is not set'})", hint="name bash, zsh or fish"
        )
    root = click.get_current_context().find_root().command
    script = found(root, {}, _SCRIPT, COMPLETE_VARIABLE).source()
    if is_json:
        print_json({"shell": shell, "script": script})
    else:
        click.echo(script)


@command(
    name="version",
    examples=[("", "jupyter mlops version --json")],
)
@json_option
def version(is_json: bool) -> None:
    """Tell the versions that matter in a bug report."""
    found = {"jupyter-mlops": __version__, "python": platform.python_version()}
    for name in _REPORTED:
        try:
            found[name] = version_of(name)
        except PackageNotFoundError:
            continue
    if is_json:
        print_json({"versions": found, "executable": sys.executable, "platform": platform.platform()})
        return
    for name, number in found.items():
        click.echo(f"{name:<16}{number}")
    click.echo(f"{'platform':<16}{platform.platform()}")
