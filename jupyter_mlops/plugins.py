"""One registry shape for everything pluggable.

A registry maps a name to a dotted path ``module:attribute`` and the command that installs what it needs.
Nothing is imported before it is asked for; other distributions add names by entry points of the group; a name
is never replaced silently. The shape is fsspec's ``registry.py``.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from importlib.metadata import entry_points
from types import MappingProxyType
from typing import Any

from .errors import Conflict, MissingExtra, NotFound, did_you_mean


class Registry:
    """Names of one kind of plugin.

    `builtin` maps a name to ``(dotted path, install command)``; `group` is the entry point group in which
    other distributions offer more.
    """

    def __init__(self, group: str, builtin: Mapping[str, tuple[str, str]]) -> None:
        self.group = group
        self._known: dict[str, tuple[str, str]] = dict(builtin)
        self._discovered = False

    @property
    def kind(self) -> str:
        """One of them, in words: ``exporter`` for the group ``jupyter_mlops.exporters``."""
        return self.group.removeprefix("jupyter_mlops.").removesuffix("s").replace("_", " ")

    def register(self, name: str, path: str, install: str = "") -> None:
        """Add a name; a `Conflict` if it is taken by something else."""
        if self.names().get(name, (path, install)) != (path, install):
            raise Conflict(f"{self.group}: {name!r} is registered already, as {self._known[name][0]}")
        self._known[name] = (path, install)

    def names(self) -> Mapping[str, tuple[str, str]]:
        """A read-only view: name → (dotted path, install command)."""
        if not self._discovered:
            self._discovered = True
            for point in entry_points(group=self.group):
                self._known.setdefault(point.name, (point.value, ""))
        return MappingProxyType(self._known)

    def get(self, name: str) -> Any:
        """Import and return what `name` stands for."""
        known = self.names()
        if name not in known:
            hint = did_you_mean(name, known) or f"there are {', '.join(sorted(known))}"
            raise NotFound(f"no {self.kind} is called {name!r}", hint=hint)
        path, install = known[name]
        module, _, attribute = path.partition(":")
        try:
            return getattr(importlib.import_module(module), attribute)
        except ImportError as error:
            raise MissingExtra(f"{self.kind} {name!r} needs {error.name or error}", hint=install) from error
