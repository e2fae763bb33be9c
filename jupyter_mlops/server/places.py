"""Paths between the server and its clients: from outside confined to the server's root, to outside relative to it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from ..errors import InvalidInput, NotFound


@dataclass(frozen=True)
class Places:
    """The server's root folder, what Jupyter's file browser shows."""

    root: Path

    @cached_property
    def real(self) -> Path:
        """The root without links."""
        return Path(os.path.realpath(self.root))

    def inside(self, text: str, *suffixes: str) -> Path:
        """The file that a client's path names. `InvalidInput`, or `NotFound` for what is hidden or, by whatever
        way, outside of the root."""
        parts = text.split("/")
        if "\0" in text or "\\" in text or text.startswith("/") or any(len(part) > 255 for part in parts):
            raise InvalidInput(
                f"{text!r} is no path below the server's root", hint="write folder/pipeline.yaml"
            )
        if suffixes and not text.endswith(suffixes):
            raise InvalidInput(f"{text!r} does not end with {' or '.join(suffixes)}")
        if any(part in ("", "..") or part.startswith(".") for part in parts):
            raise NotFound(f"there is no file {text!r}", hint="hidden files are not served")
        try:
            path = self.root.joinpath(*parts)
            real = Path(os.path.realpath(path))
        except (OSError, ValueError):
            raise InvalidInput(f"{text!r} is no path below the server's root") from None
        if not real.is_relative_to(self.real):
            raise NotFound(
                f"there is no file {text!r}", hint="links that lead out of the server's root are not followed"
            )
        return path

    def relative(self, path: Path | str | None) -> str | None:
        """A path for clients; None for what lies outside of the root."""
        if not path:
            return None
        absolute = Path(os.path.abspath(path))
        for root in (self.root, self.real):
            if absolute.is_relative_to(root):
                return absolute.relative_to(root).as_posix()
        return None

    def spellings(self, path: Path) -> list[str]:
        """How the catalog may have written the path down: with and without links."""
        return list(dict.fromkeys([str(path), os.path.realpath(path)]))

    def shown(self, message: str) -> str:
        """A message without the root's path: readers know the files by where the file browser has them."""
        for root in (self.root, self.real):
            message = message.replace(f"{root}{os.sep}", "")
        return message
