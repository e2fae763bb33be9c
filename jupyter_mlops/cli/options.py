"""Options and arguments that several commands share, and how they become values."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from ..errors import InvalidInput, NotFound, did_you_mean
from ..frames import write_frame
from ..pipelines.arguments import parse_arguments

F = TypeVar("F", bound=Callable[..., Any])
_PIPELINE_FILES = ("pipeline.yaml", "pipeline.yml")


def json_option(function: F) -> F:
    """``--json`` → `is_json`."""
    return click.option(
        "--json", "is_json", is_flag=True, help="Print one JSON document on stdout, errors included."
    )(function)


def workspace_option(function: F) -> F:
    """``--workspace`` → `workspace`: a directory, or nothing for the one around the current directory."""
    return click.option(
        "-w",
        "--workspace",
        type=click.Path(file_okay=False, exists=True, path_type=Path),
        help="The workspace's directory.  [default: the one around this directory]",
    )(function)


def pipeline_argument(function: F) -> F:
    """``[PIPELINE]`` → `pipeline`."""
    return click.argument("pipeline", required=False, type=click.Path(path_type=Path))(function)


def arguments_options(function: F) -> F:
    """``-p`` and ``-f`` → `parameters` and `parameter_files`."""
    function = click.option(
        "-f",
        "--parameters-file",
        "parameter_files",
        multiple=True,
        type=click.Path(allow_dash=True),
        help="A YAML or JSON file of arguments; may be given several times, the later wins.",
    )(function)
    return click.option(
        "-p",
        "--parameters",
        "parameters",
        nargs=2,
        multiple=True,
        metavar="NAME VALUE",
        help="An argument; the parameter's declared type reads the value. Wins over -f.",
    )(function)


def timezone_option(function: F) -> F:
    """``--timezone`` → `timezone`, beside a ``--schedule`` of five fields."""
    return click.option(
        "--timezone", metavar="ZONE", default="UTC", show_default=True, help="The schedule's time zone."
    )(function)


def force_option(function: F) -> F:
    """``--force`` → `is_forced`, of commands that write files."""
    return click.option("--force", "is_forced", is_flag=True, help="Overwrite files that differ.")(function)


def gather_arguments(parameters: Sequence[tuple[str, str]], parameter_files: Sequence[str]) -> dict[str, Any]:
    """The arguments of ``-f`` files, then of ``-p``."""
    arguments: dict[str, Any] = {}
    for name in parameter_files:
        arguments.update(read_arguments_file(name))
    return {**arguments, **dict(parameters)}


def read_arguments_file(name: str) -> Mapping[str, Any]:
    """A file of arguments, ``-`` for stdin."""
    if name == "-":
        return parse_arguments(sys.stdin.read(), "stdin")
    try:
        text = Path(name).read_text(encoding="utf-8")
    except FileNotFoundError:
        nearest = did_you_mean(name, (str(p) for p in Path().glob("*.y*ml")))
        raise NotFound(f"there is no file {name} with arguments", hint=nearest) from None
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"cannot read the arguments in {name}: {error}") from error
    return parse_arguments(text, name)


def find_pipeline(path: Path | None) -> Path:
    """The pipeline file that the command line means: a file, a directory that holds one, or the one here."""
    folder = path if path is not None and path.is_dir() else Path() if path is None else None
    if folder is None:
        assert path is not None  # noqa: S101 - told apart one line above
        if path.is_file():
            return path
        near = [str(p) for name in ("*.yaml", "*.yml", "*/pipeline.yaml") for p in path.parent.glob(name)]
        raise NotFound(f"there is no pipeline file {path}", hint=did_you_mean(str(path), near))
    for name in _PIPELINE_FILES:
        if (folder / name).is_file():
            return folder / name
    where = "in this directory" if path is None else f"in {folder}"
    raise NotFound(
        f"there is no pipeline.yaml {where}",
        hint="name a pipeline file, or write one with `jupyter mlops init`",
    )


def print_frame(frame: Any, output: str, *, is_json: bool) -> None:
    """Rows into a file or onto stdout; with ``--json`` how many there are, and on stdout the rows themselves."""
    if is_json and output == "-":
        rows = json.loads(frame.to_json(orient="records", date_format="iso"))
        click.echo(
            json.dumps({"output": None, "count": len(frame), "rows": rows}, ensure_ascii=False, indent=2)
        )
        return
    write_frame(frame, output)
    if is_json:
        click.echo(json.dumps({"output": output, "count": len(frame)}))
    elif output != "-":
        click.echo(f"{len(frame):,} rows → {output}", err=True)


def pair(text: str, option: str) -> tuple[str, str]:
    """``NAME=VALUE``."""
    name, sign, value = text.partition("=")
    if not sign or not name:
        raise InvalidInput(f"{option} {text!r} is no pair", hint=f"such as {option} region=eu")
    return name, value
