"""Every example on every page is one that the tool it is written for can read.

Pages whose examples are run from beginning to end have tests of their own (magics, features, schedules, …). Here each
block is read by the parser that would read it: command lines by the command's own options, Python by Python, settings,
quotas, pipelines and JSON by what loads them.
"""

from __future__ import annotations

import ast
import importlib
import json
import re
import shlex
import tomllib
from importlib.util import find_spec
from pathlib import Path

import click
import pytest
import yaml

import jupyter_mlops
from jupyter_mlops.cli import cli
from jupyter_mlops.pipelines import parse_pipeline
from jupyter_mlops.queueing.quotas import Quotas
from jupyter_mlops.settings import Settings

from .conftest import PAGES, ROOT, Block, blocks, name_of, prose

_PROGRAM = re.compile(r"(?:^|(?<=[\s(;]))jupyter[ -]mlops(?= )")
_INLINE = re.compile(r"`(jupyter[ -]mlops [^`]+)`")
_PLACEHOLDERS = re.compile(r"\.\.\.|…|\[.*")
MADE = "docs/python.md"  # signatures, which are no statements


def _commands(text: str) -> list[str]:
    """What stands behind ``jupyter mlops`` in a shell's lines, up to where that command ends."""
    lines = [line.strip() for line in re.sub(r"\\\n\s*", " ", text).splitlines()]
    if any(line.startswith("$ ") for line in lines):  # the others are what was answered
        lines = [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]
    return [line[match.end() :].strip() for line in lines for match in _PROGRAM.finditer(line)]


def _words(command: str) -> list[str]:
    lexer = shlex.shlex(command, posix=True, punctuation_chars="|&;<>")
    lexer.whitespace_split = True
    lexer.commenters = "#"
    words = []
    for word in lexer:
        if re.fullmatch(r"[|&;<>]+", word):
            break
        words.append(word)
    return words


def _read(command: str, *, is_whole: bool) -> None:
    """Let the command's own parser read it. Raises click's errors: no such command, no such option, too many
    arguments, or of a whole command too few."""
    words = _words(command)
    found: click.Command = cli
    context = click.Context(cli)
    while isinstance(found, click.Group) and words and not words[0].startswith("-"):
        below = found.get_command(context, words[0])
        if below is None:
            raise click.UsageError(f"no command {words[0]!r}")
        found, words = below, words[1:]
        context = click.Context(found, parent=context)
    words = [word for word in words if not _PLACEHOLDERS.fullmatch(word)]
    read, rest, _ = found.make_parser(context).parse_args(words)
    if rest:
        raise click.UsageError(f"too many words: {rest}")
    given = {name: value for name, value in read.items() if isinstance(value, str | tuple | list) and value}
    missing = [
        each.human_readable_name for each in found.params if each.required and not given.get(each.name or "")
    ]
    if missing and is_whole:
        raise click.UsageError(f"without {', '.join(missing)}")


SHELL = [block for block in blocks("", "console", "bash", "sh") if _commands(block.text)]
INLINE = [(name_of(page), command) for page in PAGES for command in _INLINE.findall(prose(page))]


@pytest.mark.parametrize("block", SHELL, ids=str)
def test_every_command_line_parses(block: Block) -> None:
    for command in _commands(block.text):
        try:
            _read(command, is_whole=True)
        except (click.ClickException, ValueError) as error:
            pytest.fail(f"{block}: {command!r}: {error}")


def test_every_command_within_a_sentence_is_one() -> None:
    assert len(INLINE) > 100
    wrong = []
    for page, text in INLINE:
        for command in _commands(text.replace("\n", " ")):
            if command.split()[0].isupper():
                continue  # `jupyter mlops COMMAND`
            try:
                _read(re.sub(r"\[([^\]]*)\]", r"\1", command), is_whole=False)
            except click.BadOptionUsage:
                continue  # an option is only named, without its value
            except (click.ClickException, ValueError) as error:
                wrong.append(f"{page}: {command!r}: {error}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("block", [one for one in blocks("python") if name_of(one.page) != MADE], ids=str)
def test_every_python_is_python(block: Block) -> None:
    from IPython.core.inputtransformer2 import TransformerManager

    ast.parse(TransformerManager().transform_cell(block.text))


@pytest.mark.parametrize("block", blocks("toml"), ids=str)
def test_every_toml_is_what_its_file_takes(block: Block, tmp_path: Path) -> None:
    table = tomllib.loads(block.text)
    named = re.match(r"# \S*?([\w.-]+\.\w+)", block.text)
    file = named[1] if named else "quotas.toml" if "users" in table else "mlops.toml"
    if file == "quotas.toml":
        Quotas.parse(table)
    elif file == "mlops.toml":
        (tmp_path / "mlops.toml").write_text(block.text, encoding="utf-8")
        Settings.load(tmp_path, env={})


@pytest.mark.parametrize("block", blocks("yaml"), ids=str)
def test_every_yaml_is_yaml_and_a_pipeline_if_it_has_tasks(block: Block) -> None:
    table = yaml.safe_load(block.text)
    if "tasks" in table:
        parse_pipeline(block.text)


@pytest.mark.parametrize("block", blocks("json"), ids=str)
def test_every_json_is_json(block: Block) -> None:
    json.loads(block.text)


@pytest.mark.parametrize("block", [one for one in blocks("python") if "jupyter_mlops" in one.text], ids=str)
def test_every_name_of_ours_in_python_is_there(block: Block) -> None:
    from IPython.core.inputtransformer2 import TransformerManager

    if name_of(block.page) == MADE:
        return
    for node in ast.walk(ast.parse(TransformerManager().transform_cell(block.text))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "jupyter_mlops":
            module = importlib.import_module(node.module or "")
            for each in node.names:
                is_there = hasattr(module, each.name) or find_spec(
                    f"{node.module}.{each.name}"
                )  # a module itself
                assert is_there, f"{block}: {node.module} has no {each.name}"
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "mlops":
            assert node.attr in jupyter_mlops.__all__, f"{block}: mlops.{node.attr}"


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_extra_that_is_named_is_one(page: Path) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    named = re.findall(r"jupyter-mlops\[([a-z0-9,]+)\]", page.read_text(encoding="utf-8"))
    assert {extra for each in named for extra in each.split(",")} <= project["optional-dependencies"].keys()
