"""Pipeline files under the server's root: found, read, and written without losing what others wrote."""

from __future__ import annotations

import os
import secrets
import stat
import threading
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ..errors import Conflict, InvalidInput, NotFound, StorageUnavailable
from ..fingerprint import digest_bytes

SUFFIXES = (".yaml", ".yml")
_NAMES = ("pipeline.yaml", "pipeline.yml")
_ENDINGS = (".pipeline.yaml", ".pipeline.yml")
_NEVER = {"node_modules", "__pycache__", "site-packages"}
_MOST_FOLDERS = 20_000
_MOST_BYTES = 2_000_000
_writing = threading.Lock()


@dataclass(frozen=True, slots=True)
class Found:
    """The pipelines under a folder, by path. Not `is_complete`: there were too many folders to search all."""

    paths: tuple[Path, ...]
    is_complete: bool


def find_pipelines(root: Path) -> Found:
    """Search the folders, those near the root first; hidden ones, links and virtual environments are left out."""
    paths: list[Path] = []
    waiting, count = deque([str(root)]), 0
    while waiting and count < _MOST_FOLDERS:
        folder, count = waiting.popleft(), count + 1
        with suppress(OSError), os.scandir(folder) as entries:
            inner: list[str] = []
            is_environment = False
            for entry in entries:
                name = entry.name
                is_environment |= name == "pyvenv.cfg"
                if name.startswith(".") or name in _NEVER:
                    continue
                if entry.is_dir(follow_symlinks=False):
                    inner.append(entry.path)
                elif (name in _NAMES or name.endswith(_ENDINGS)) and entry.is_file():
                    paths.append(Path(entry.path))
            if not is_environment:
                waiting.extend(sorted(inner))
    return Found(tuple(sorted(paths)), is_complete=not waiting)


def read_text(path: Path, shown: str) -> tuple[str, str]:
    """The text of a file and its digest. `shown` names it in errors."""
    try:
        content = path.read_bytes() if path.stat().st_size <= _MOST_BYTES else None
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
        raise NotFound(f"there is no file {shown!r}") from error
    except OSError as error:
        raise InvalidInput(
            f"{shown} cannot be read: {error.strerror}", hint="check its permissions"
        ) from error
    if content is None:
        raise InvalidInput(f"{shown} is too large to be a pipeline", hint=f"at most {_MOST_BYTES} bytes")
    try:
        return content.decode("utf-8-sig"), digest_bytes(content)
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{shown} is not UTF-8 text", hint="save it as UTF-8") from error


def write_text(path: Path, text: str, digest: str | None, shown: str) -> None:
    """Replace the file at once, if it is still the one with this digest; None: if there is none.

    Raises `Conflict` if somebody else wrote to it, `NotFound` if there is no such folder.
    """
    content = text.encode("utf-8", "surrogatepass")
    if not path.parent.is_dir():
        raise NotFound(f"there is no folder for {shown!r}", hint="make it first")
    with _writing:
        now = read_text(path, shown)[1] if path.exists() else None
        if now != digest:
            what = (
                "is not there any more"
                if now is None
                else "is there already"
                if digest is None
                else "was changed meanwhile"
            )
            raise Conflict(f"{shown} {what}", hint="read it again, and bring in your change")
        target = Path(os.path.realpath(path))  # a link stays a link
        temporary = target.with_name(f".{target.name[:100]}.{secrets.token_hex(6)}.tmp")
        try:
            temporary.write_bytes(content)
            with suppress(OSError):
                os.chmod(temporary, stat.S_IMODE(target.stat().st_mode))
            os.replace(temporary, target)
        except OSError as error:
            raise StorageUnavailable(f"{shown} cannot be written: {error.strerror}") from error
        finally:
            with suppress(OSError):
                temporary.unlink()  # after a success there is none
