"""Names of the workspace's things for the shell's completion. A module of its own: opening a workspace is not light."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from click.shell_completion import CompletionItem

from ..errors import MlopsError
from ..settings import Settings, find_root
from ..workspace import Workspace


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
