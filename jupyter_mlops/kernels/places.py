"""Where kernels and zygotes have their sockets: short paths, ours alone, that do not outlive their owner.

So that nothing stays however we end, a directory gets its name first, and is made when somebody is there who removes
it should we be killed: a zygote, or the process that ends ordinary kernels (`guard`).
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import secrets
import shutil
import stat
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from .._version import __version__
from ..errors import KernelUnavailable
from .request import is_sensitive

_PREFIX = "jm-"
_LONGEST_BASE = 60  # a Unix socket's path may have about 100 characters
_SCRIPTS = ("zygote.py", "forked.py", "direct.py")


def new_directory() -> Path:
    """The name of a directory for sockets, not made yet; it has our pid in it, so that the next one can sweep it."""
    base = _short(tempfile.gettempdir())
    sweep(base)
    return base / f"{_PREFIX}{os.getpid()}-{secrets.token_hex(4)}"


def make_private(directory: Path) -> None:
    """Make it ours alone; it may be there already. Raises `KernelUnavailable`."""
    try:
        directory.mkdir(mode=0o700, exist_ok=True)
        found = directory.lstat()
    except OSError as error:
        raise KernelUnavailable(f"cannot make the folder {directory}: {error.strerror}") from error
    if found.st_uid != os.getuid() or found.st_mode & 0o077 or not stat.S_ISDIR(found.st_mode):
        raise KernelUnavailable(f"{directory} is open to others", hint="remove it; it will be made anew")


def sweep(base: Path) -> None:
    """Remove what a process left under `base` that was killed together with its zygote."""
    for path in base.glob(f"{_PREFIX}*"):
        pid = path.name[len(_PREFIX) :].partition("-")[0]
        if pid.isdigit() and not _is_alive(int(pid)):
            with contextlib.suppress(OSError):
                if path.stat().st_uid == os.getuid():
                    shutil.rmtree(path, ignore_errors=True)


def shared_socket(argv: Sequence[str], environment: Mapping[str, str], *, is_bare: bool) -> Path:
    """Where this user's lingering zygote for an interpreter and what it inherits listens."""
    sensitive = sorted((name, value) for name, value in environment.items() if is_sensitive(name))
    # A kernel has its zygote's limits and control group: those of another job would be the wrong ones.
    surroundings = [_read("/proc/self/cgroup"), _read("/proc/self/limits")]
    scripts = [Path(__file__).with_name(name).stat().st_mtime_ns for name in _SCRIPTS]
    key = json.dumps([__version__, scripts, list(argv), sensitive, is_bare, surroundings])
    directory = shared_directory()
    make_private(directory)
    return directory / hashlib.sha256(key.encode()).hexdigest()[:12]


def shared_directory() -> Path:
    """The folder of this user's lingering zygotes, which need not be there yet."""
    base = _short(os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir())
    return base / f"mlops-zygotes-{os.getuid()}"


def own_environment() -> dict[str, str]:
    """The environment that kernels inherit: ours, without what a kernel that we run in was told."""
    return {name: value for name, value in os.environ.items() if not name.startswith("JPY_")}


def _short(base: str) -> Path:
    return Path("/tmp" if len(base) > _LONGEST_BASE else base)  # noqa: S108 - what is made there is private


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _read(path: str) -> str:
    try:
        return Path(path).read_text()
    except OSError:
        return ""
