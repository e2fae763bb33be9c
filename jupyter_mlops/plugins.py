"""One registry shape for everything pluggable.

A registry maps a name to a dotted path ``module:attribute`` and the command that installs what it needs.
Nothing is imported before it is asked for; other distributions add names by entry points of the group; a name
is never replaced silently. The shape is fsspec's ``registry.py``.
"""

from __future__ import annotations

import importlib
import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
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
            with _interrupts_kept():
                return getattr(importlib.import_module(module), attribute)
        except ImportError as error:
            raise MissingExtra(f"{self.kind} {name!r} needs {error.name or error}", hint=install) from error


_in_a_thread = threading.RLock()


@contextmanager
def _interrupts_kept() -> Iterator[None]:
    """Whose Ctrl-C it is stays as it was: dask-jobqueue takes it when it is imported, and fails off the main thread."""
    if threading.current_thread() is threading.main_thread():
        before = signal.getsignal(signal.SIGINT)
        try:
            yield
        finally:
            if before is not None and signal.getsignal(signal.SIGINT) is not before:
                signal.signal(signal.SIGINT, before)
        return
    module: Any = signal
    with _in_a_thread:
        set_handler = module.signal

        def set_or_leave(number: int, handler: Any) -> Any:
            is_main = threading.current_thread() is threading.main_thread()
            return set_handler(number, handler) if is_main else signal.getsignal(number)

        module.signal = set_or_leave
        try:
            yield
        finally:
            module.signal = set_handler
