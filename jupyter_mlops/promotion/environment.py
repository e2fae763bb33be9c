"""The environment that a notebook runs in, as its kernel's Python tells it: what is installed, and from where."""

from __future__ import annotations

import os
import sys
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from packaging.markers import default_environment
from packaging.requirements import InvalidRequirement
from packaging.requirements import Requirement as Declared

from ..models.dependencies import normalize
from ..notebooks.distributions import ask_python
from . import inventory as script
from .captured import Origin

_TIMEOUT_SECONDS = 120


@dataclass(frozen=True, slots=True)
class Installed:
    """A distribution: its `version`, and where it was installed from (`origin`, `url`; `editable` is a folder)."""

    name: str
    version: str
    origin: Origin
    url: str
    editable: Path | None
    requires: tuple[str, ...]
    folder: Path
    record: Path
    note: str = ""

    @property
    def public_version(self) -> str:
        """The version as indexes have it: without ``+cpu``."""
        return self.version.partition("+")[0]

    @property
    def local_version(self) -> str:
        """What stands behind the plus: ``cpu``, ``cu124``."""
        return self.version.partition("+")[2]


@dataclass(frozen=True)
class Environment:
    """See `read_environment`."""

    python: str  # "3.11.7"
    machine: str
    path: tuple[str, ...]
    installed: Mapping[str, Installed]
    modules: Mapping[str, tuple[str, ...]]  # dotted module → distributions
    places: Mapping[str, Path]  # top-level modules of no distribution → where they are

    @property
    def minor(self) -> str:
        """``3.11``."""
        return ".".join(self.python.split(".")[:2])

    def behind(self, module: str) -> tuple[str, ...]:
        """The distributions that bring a module that was asked about; an editable one by where it lies."""
        if names := self.modules.get(module):
            return names
        place = self.places.get(module.partition(".")[0])
        if place is None:
            return ()
        return tuple(
            one.name
            for one in self.installed.values()
            if one.editable is not None and place.is_relative_to(one.editable)
        )

    @cached_property
    def _markers(self) -> dict[str, str]:
        told: dict[str, Any] = {**default_environment(), "python_version": self.minor}
        return {**told, "python_full_version": self.python, "extra": ""}

    def closure(self, names: Iterable[tuple[str, Sequence[str]]]) -> dict[str, Installed]:
        """Distributions (name and extras) and all that they require, as far as it is installed."""
        found: dict[str, Installed] = {}
        seen: set[tuple[str, str]] = set()
        waiting = [(normalize(name), extra) for name, extras in names for extra in ("", *extras)]
        while waiting:
            name, extra = waiting.pop()
            one = self.installed.get(name)
            if one is None or (name, extra) in seen:
                continue
            seen.add((name, extra))
            found[name] = one
            for text in one.requires:
                waiting += self._required(text, extra)
        return dict(sorted(found.items()))

    def _required(self, text: str, extra: str) -> list[tuple[str, str]]:
        try:
            wanted = Declared(text)
        except InvalidRequirement:
            return []
        if wanted.marker is not None and not wanted.marker.evaluate({**self._markers, "extra": extra}):
            return []
        return [(normalize(wanted.name), each) for each in ("", *wanted.extras)]


def read_environment(python: str, modules: Collection[str]) -> Environment:
    """What is installed for the interpreter `python` ("" for ours), and which of it brings `modules`.

    Raises `KernelUnavailable` if it does not run.
    """
    asked = sorted(modules)
    # Not "the same file": the Python of a virtual environment is a link to one outside.
    is_own = not python or os.path.abspath(python) == os.path.abspath(sys.executable)
    told: dict[str, Any] = (
        script.inventory(asked)
        if is_own
        else ask_python(python, script.__file__, asked, timeout_seconds=_TIMEOUT_SECONDS)
    )
    return Environment(
        python=told["python"],
        machine=told["machine"],
        path=tuple(told["path"]),
        installed={name: _installed(name, one) for name, one in told["distributions"].items()},
        modules={module: tuple(names) for module, names in told["modules"].items()},
        places={top: Path(place) for top, place in told["places"].items()},
    )


def _installed(name: str, told: Mapping[str, Any]) -> Installed:
    origin, url, editable, note = _origin(told)
    return Installed(
        name=name,
        version=str(told["version"]),
        origin=origin,
        url=url,
        editable=editable,
        requires=tuple(told["requires"]),
        folder=Path(told["folder"]),
        record=Path(told["folder"], told["files"]),
        note=note,
    )


def _origin(told: Mapping[str, Any]) -> tuple[Origin, str, Path | None, str]:
    """Where it came from by what pip wrote down (PEP 610), without credentials; and what is odd about it."""
    direct = told["direct"] if isinstance(told["direct"], Mapping) else {}
    url = str(direct.get("url", ""))
    if not url:
        return "index", "", None, ""
    if isinstance(vcs := direct.get("vcs_info"), Mapping):
        commit = str(vcs.get("commit_id", ""))
        below = f"#subdirectory={direct['subdirectory']}" if direct.get("subdirectory") else ""
        return "vcs", f"{vcs.get('vcs', 'git')}+{without_credentials(url)}@{commit}{below}", None, ""
    parts = urlsplit(url)
    if parts.scheme != "file":
        return "vcs", without_credentials(url), None, f"installed from {without_credentials(url)}"
    place = Path(unquote(parts.path))
    is_editable = (direct.get("dir_info") or {}).get("editable") is True
    if not is_editable and told["installer"] == "conda":
        # Conda's packages are built from folders that exist nowhere else; indexes have the same version.
        return "index", "", None, "installed by conda; taken from the index in the same version"
    return "local", str(place), place if is_editable else None, ""


def without_credentials(url: str) -> str:
    """A URL without user name and password; ``git@host`` of ssh is an account's name, not a secret."""
    parts = urlsplit(url)
    user, at, host = parts.netloc.rpartition("@")
    if not at or (parts.scheme.endswith("ssh") and ":" not in user):
        return url
    return parts._replace(netloc=host).geturl()
