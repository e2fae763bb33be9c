"""docs/targets.md has every option, and its commands are command lines that parse."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

from jupyter_mlops.cli import cli
from jupyter_mlops.targets.azureml.plan import Options as AzureMLOptions
from jupyter_mlops.targets.given import options_table, read_options
from jupyter_mlops.targets.kubernetes.options import Options as KubernetesOptions
from jupyter_mlops.targets.sagemaker.plan import Options as SageMakerOptions
from jupyter_mlops.targets.vertex.plan import Options as VertexOptions

TEXT = (Path(__file__).parents[3] / "docs" / "targets.md").read_text(encoding="utf-8")
KINDS = {
    "kubernetes": KubernetesOptions,
    "sagemaker": SageMakerOptions,
    "vertex": VertexOptions,
    "azureml": AzureMLOptions,
}
LINES = re.findall(r"^\$ jupyter mlops (.*)$", TEXT, re.MULTILINE)


@pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
def test_the_tables_of_options_are_fresh(kind):
    assert options_table(kind) in TEXT


@pytest.mark.parametrize("line", LINES)
def test_every_command_parses_with_options_that_there_are(line):
    name, *words = shlex.split(line)
    context = click.Context(cli)
    command = cli.get_command(context, name)
    assert command is not None
    given = command.make_context(name, words, parent=context).params
    target = given["target"] if name == "deploy" else "kubernetes"
    assert read_options(KINDS[target], dict(each.split("=", 1) for each in given["options"]), target)


def test_there_are_commands():
    assert len(LINES) >= 7
