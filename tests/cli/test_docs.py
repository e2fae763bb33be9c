"""docs/cli.md is as complete as the commands are."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest

from jupyter_mlops.cli import COMMANDS, cli

TEXT = (Path(__file__).parents[2] / "docs" / "cli.md").read_text()
GENERAL, *_ = re.split(r"^### ", TEXT, flags=re.M)
SECTIONS = {part.split("\n", 1)[0]: part for part in re.split(r"^### |^## ", TEXT, flags=re.M)}


def options(name):
    """The options of a command, and of the commands behind it."""
    command = cli.get_command(click.Context(cli), name)
    commands = [command, *getattr(command, "commands", {}).values()]
    return [p for each in commands for p in each.params if isinstance(p, click.Option)]


@pytest.mark.parametrize("entry", COMMANDS, ids=lambda entry: entry.name)
def test_every_command_and_option_is_documented(entry):
    section = SECTIONS[entry.name]
    for option in options(entry.name):
        if not option.hidden:
            for name in (*option.opts, *option.secondary_opts):
                spelled = name.replace("--start_timeout", "--start-timeout")  # papermill's older spelling
                assert re.search(rf"`[^`]*{re.escape(spelled)}\b[^`]*`", section + GENERAL), (
                    entry.name,
                    name,
                )


def test_nothing_is_documented_that_is_not_there():
    names = {entry.name for entry in COMMANDS}
    assert {name for name in SECTIONS if re.fullmatch("[a-z]+", name)} == names
    known = {"--help", "--version", "--debug"}
    for entry in COMMANDS:
        for option in options(entry.name):
            known |= {*option.opts, *option.secondary_opts}
    assert set(re.findall(r"(?<![\w-])--[a-z][a-z0-9_-]+", TEXT)) <= known
