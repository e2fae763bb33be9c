"""``init``, ``completion`` and ``version``: what needs no workspace, and so answers at once."""

from __future__ import annotations

import os
import platform
import sys
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as version_of
from pathlib import Path

import click

from .._version import __version__
from ..errors import Conflict, InvalidInput, StorageUnavailable
from .group import COMPLETE_VARIABLE, PROGRAM, command
from .options import json_option
from .output import print_json
from .starter import project_files

_SCRIPT = "jupyter-mlops"  # completion is a matter of executables, and this is ours
_SHELLS = ("bash", "zsh", "fish")
_REPORTED = ("papermill", "nbclient", "jupyter-client", "ipykernel", "dask", "distributed", "sqlalchemy")


@command(
    name="init",
    examples=[("in a new directory", "jupyter mlops init demo"), ("in this one", "jupyter mlops init")],
)
@click.argument("folder", metavar="[DIR]", default=".", type=click.Path(file_okay=False, path_type=Path))
@json_option
def init(folder: Path, is_json: bool) -> None:
    """Write a small project that runs: a pipeline, two notebooks, settings.

    Nothing that exists is overwritten.
    """
    files = {folder / name: text for name, text in project_files(folder.resolve().name).items()}
    taken = [path for path in files if path.exists()]
    if taken:
        raise Conflict(
            f"{', '.join(map(str, taken))}: there already",
            hint="choose an empty directory: nothing is overwritten",
        )
    try:
        for path, text in files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("x", encoding="utf-8") as file:
                file.write(text)
    except OSError as error:
        raise StorageUnavailable(f"cannot write {path}: {error.strerror or error}") from error
    if is_json:
        print_json({"files": [str(path) for path in files]})
        return
    for path in files:
        click.echo(f"{click.style('+', fg='green')} {path}")
    step = "" if folder.resolve() == Path.cwd() else f"cd {folder} && "
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
