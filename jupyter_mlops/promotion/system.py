"""Debian packages that wheels do not bring: the shared libraries that extension modules link to, and programs.

What a wheel links to lies in the wheel (auditwheel puts it there), in another distribution, in the slim base image, or
has to be installed: the last is what is looked for here, in all distributions that go along.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from ..problems import Problem
from .captured import SystemPackage
from .debian import BY_DISTRIBUTION, IN_BASE, LIBRARIES, OF_DRIVER
from .elf import read_linked
from .environment import Installed


def system_packages(
    distributions: Mapping[str, Installed], asked: Iterable[tuple[str, str]] = ()
) -> tuple[tuple[SystemPackage, ...], tuple[Problem, ...]]:
    """The packages for `distributions` (all that go along), and those that the notebook `asked` for; and libraries
    of which it is not known what brings them."""
    because: dict[str, list[str]] = {}
    for name, where in asked:
        because.setdefault(name, []).append(f"installed by {where}")
    for distribution in distributions:
        for package in BY_DISTRIBUTION.get(distribution, ()):
            because.setdefault(package, []).append(f"{distribution} uses it")
    problems = []
    for library, users in sorted(_unmet(distributions).items()):
        package = LIBRARIES.get(library) or _package_here(library)
        if package:
            because.setdefault(package, []).append(f"{', '.join(sorted(users))} links to {library}")
        else:
            told = f"{', '.join(sorted(users))} links to {library}, and it is not known which Debian package has it"
            problems.append(
                Problem(message=told, hint="install it in a cell: !apt-get install …", severity="warning")
            )
    packages = (SystemPackage(name=name, because=tuple(why)) for name, why in sorted(because.items()))
    return tuple(packages), tuple(problems)


def _unmet(distributions: Mapping[str, Installed]) -> dict[str, set[str]]:
    """Library → the distributions that link to it, where neither they nor the base image bring it."""
    needed: dict[str, set[str]] = {}
    brought: set[str] = set()
    for name, one in distributions.items():
        for path in _shared_objects(one):
            brought.add(path.name)
            linked = read_linked(path)
            if linked is None:
                continue
            brought |= {linked.soname} - {""}
            for library in linked.needs:
                needed.setdefault(library, set()).add(name)
    return {
        library: users
        for library, users in needed.items()
        if library not in brought and not IN_BASE.match(library) and not OF_DRIVER.match(library)
    }


def _shared_objects(one: Installed) -> Iterator[Path]:
    try:
        lines = (one.record / "RECORD").read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return
    for line in lines:
        file = line.rpartition(",")[0].rpartition(",")[0].strip('"')
        if re.search(r"\.so(\.\w+)*\Z", file) and (path := one.folder / file).is_file():
            yield path


def _package_here(library: str) -> str:
    """The Debian package that has a library on this machine, if it is a Debian."""
    command = shutil.which("dpkg-query")
    if command is None or not re.fullmatch(r"[\w.+-]+", library):
        return ""
    found = _run([command, "--search", f"*/{library}"])
    names = sorted({line.partition(":")[0] for line in found if not line.startswith("diversion")})
    return names[0] if len(names) == 1 else ""


def _run(command: Sequence[str]) -> list[str]:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.SubprocessError):
        return []
    return done.stdout.splitlines() if done.returncode == 0 else []
