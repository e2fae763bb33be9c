"""Names of the workspace's things for the shell's completion. A module of its own: opening a workspace is not light."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

import click
from click.shell_completion import CompletionItem

from ..errors import MlopsError
from ..settings import Settings, find_root
from ..workspace import Workspace

F = TypeVar("F", bound=Callable[..., Any])


def known_names(
    ask: Callable[[Workspace], Iterable[tuple[str, str]]], incomplete: str
) -> list[CompletionItem]:
    """What the workspace knows, each (name, help), for the shell's completion; none where there is no catalog yet."""
    try:
        settings = Settings.load(find_root(Path.cwd()))
        if settings.catalog.startswith("sqlite:///"):
            path = Path(settings.catalog.removeprefix("sqlite:///").partition("?")[0])
            if not path.exists():
                return []
        with Workspace(settings) as workspace:
            known = list(ask(workspace))
    except MlopsError:
        return []
    return [CompletionItem(name, help=told) for name, told in known if name.startswith(incomplete)]


def model_names(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Models, and behind a model's name its aliases, for the shell's completion."""

    def known(workspace: Workspace) -> list[tuple[str, str]]:
        found = workspace.models.overview()
        told = [(one.model.name, one.model.description) for one in found]
        return told + [
            (f"{one.model.name}@{each.alias}", f"version {each.version}")
            for one in found
            if incomplete.startswith(one.model.name)
            for each in one.aliases
        ]

    return known_names(known, incomplete)


def model_argument(function: F) -> F:
    """``MODEL`` → `reference`: ``NAME``, ``NAME/3`` or ``NAME@champion``."""
    return click.argument("reference", metavar="MODEL", shell_complete=model_names)(function)


def feature_names(ctx: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Feature views and services, for the shell's completion."""
    return known_names(
        lambda workspace: ((one.name, one.description) for one in workspace.features.find()), incomplete
    )
