"""Which installed distributions a notebook's imports come from, for its cache key: name → version.

The answer is for the kernel's Python: found in this process if that is ours, else by one subprocess that runs
the text of `probe`. It is remembered until a folder of that Python's path changes, as happens when something
is installed. What is installed as editable, or lies about on the path, has no version that would tell a
change, so a digest of its source files stands in.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from ..errors import KernelUnavailable
from ..fingerprint import digest_file
from . import probe

_TIMEOUT_SECONDS = 60


@dataclass(slots=True)
class _Known:
    """What one Python's probe said, and how its path looked then."""

    version: str = ""
    stamp: tuple[tuple[str, int], ...] = ()
    modules: dict[str, list[list[str]]] = field(default_factory=dict)


_known: dict[str, _Known] = {}
_lock = threading.Lock()


def environment_versions(python: str, modules: Collection[str]) -> dict[str, str]:
    """The distributions behind `modules` in the environment of the interpreter `python`, and Python's own.

    Modules that are not installed there are left out. Raises `KernelUnavailable` if `python` does not run.
    """
    with _lock:
        known = _known.get(python)
        if known is None or known.stamp != _stamp([folder for folder, _ in known.stamp]):
            known = _known[python] = _Known()
        if not known.stamp or not known.modules.keys() >= set(modules):
            _ask(python, sorted({*known.modules, *modules}), known)
        versions = {"python": known.version}
        for module in sorted(modules):
            for name, version, source in known.modules.get(module, ()):
                digest = f"+source.{_digest_source(source)}" if source else ""
                versions[name or module] = version + digest
    return versions


def _ask(python: str, modules: list[str], known: _Known) -> None:
    # Not "the same file": the Python of a virtual environment is a link to one outside.
    is_own = os.path.abspath(python) == os.path.abspath(sys.executable)
    answer = probe.probe(modules) if is_own else ask_python(python, probe.__file__, modules)
    known.version = str(answer["python"])
    known.modules = answer["modules"]  # type: ignore[assignment]
    known.stamp = _stamp(answer["path"])  # type: ignore[arg-type]


def ask_python(
    python: str, script: str | None, modules: Sequence[str], *, timeout_seconds: float = _TIMEOUT_SECONDS
) -> dict[str, Any]:
    """What a script of ours, which needs the standard library alone, says of `modules` in another interpreter.

    Raises `KernelUnavailable`."""
    text = Path(str(script)).read_text(encoding="utf-8")
    try:
        done = subprocess.run(
            [python, "-c", text],
            input=json.dumps(list(modules)),
            capture_output=True,
            text=True,
            timeout=timeout_seconds,
            check=True,
        )
        answer: dict[str, Any] = json.loads(done.stdout)
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        told = (getattr(error, "stderr", "") or str(error)).strip().splitlines()
        raise KernelUnavailable(
            f"{python} does not tell what is installed there: {told[-1] if told else error}",
            hint="does the kernelspec name a Python that exists? See: jupyter kernelspec list",
        ) from error
    return answer


def _stamp(folders: Collection[str]) -> tuple[tuple[str, int], ...]:
    stamp = []
    for folder in folders:
        try:
            stamp.append((folder, os.stat(folder or ".").st_mtime_ns))
        except OSError:
            stamp.append((folder, 0))
    return tuple(stamp)


def _digest_source(source: str) -> str:
    """A digest of the Python files of a module or package."""
    if os.path.isfile(source):
        return _digest_file(source)[:16]
    hasher = hashlib.sha256()
    for parent, folders, files in os.walk(source):
        folders[:] = sorted(name for name in folders if name.isidentifier() and name != "__pycache__")
        for name in sorted(files):
            if name.endswith(".py"):
                path = os.path.join(parent, name)
                hasher.update(f"{os.path.relpath(path, source)}\0{_digest_file(path)}\0".encode())
    return hasher.hexdigest()[:16]


def _digest_file(path: str) -> str:
    try:
        found = os.stat(path)
        return _digest_unchanged(path, found.st_mtime_ns, found.st_size)
    except OSError:  # gone meanwhile, or an editor's dangling link
        return ""


@lru_cache(maxsize=16384)
def _digest_unchanged(path: str, mtime_ns: int, size: int) -> str:
    return digest_file(path)
