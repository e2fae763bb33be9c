"""The folder of one deployment, and the small files in it by which its processes meet.

``wanted.json``  what shall be: written by `LocalTarget`, read by the supervisor
``state.json``   what is: written by the supervisor some times a second, read by everybody
``traffic.json`` which versions answer what share: read by the replicas
``backends.json`` which replicas answer: read by the front
``processes.json`` who runs: for a supervisor that takes over
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import stat
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ...errors import StorageUnavailable
from . import processes

_LONGEST_BASE = 60  # a Unix socket's path may have about 100 characters


class Places:
    """Where everything of one deployment lies."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.wanted = folder / "wanted.json"
        self.state = folder / "state.json"
        self.traffic = folder / "traffic.json"
        self.backends = folder / "backends.json"
        self.processes = folder / "processes.json"
        self.lock = folder / "supervisor.lock"
        self.logs = folder / "logs"

    @classmethod
    def of(cls, root: Path, name: str) -> Places:
        """Those of the deployment `name` in a workspace. Names are strict: see `models.names`."""
        return cls(root / ".mlops" / "deployments" / name)

    @property
    def sockets(self) -> Path:
        """A private folder with a short path, the same for every process of the deployment."""
        base = tempfile.gettempdir()
        base = "/tmp" if len(base) > _LONGEST_BASE else base  # noqa: S108 - what is made there is private
        ours = Path(base) / f"mlops-serving-{os.getuid()}"
        folder = ours / hashlib.sha256(str(self.folder).encode()).hexdigest()[:10]
        for each in (ours, folder):
            each.mkdir(mode=0o700, exist_ok=True)
            found = each.lstat()
            if (
                found.st_uid != os.getuid()
                or stat.S_IMODE(found.st_mode) & 0o077
                or not stat.S_ISDIR(found.st_mode)
            ):
                raise StorageUnavailable(f"{each} is open to others", hint="remove it; it will be made anew")
        return folder

    def start_supervisor(self) -> None:
        """Start one; if there is one, the new one ends at once."""
        log = self.log("supervisor")
        processes.rotate(log)
        words = ["-m", "jupyter_mlops.targets.local.supervisor", str(self.folder)]
        processes.spawn(words, log, cwd=self.folder)

    def log(self, process: str) -> Path:
        """What a process writes: ``supervisor``, ``front``, ``replica-1``, …"""
        return self.logs / f"{process}.log"


def read(path: Path) -> dict[str, Any]:
    """A small file; {} when there is none, or when it is no JSON."""
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def write(path: Path, body: Mapping[str, Any]) -> None:
    """Replace it as a whole."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    fresh.write_text(json.dumps(body, indent=1), encoding="utf-8")
    os.replace(fresh, path)


@contextlib.contextmanager
def locked(path: Path, *, wait: bool = True) -> Iterator[bool]:
    """Hold a file's lock, which ends with the process whatever kills it; whether we hold it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(descriptor)
