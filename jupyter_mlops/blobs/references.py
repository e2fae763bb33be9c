"""Artifact references: the text by which a task hands a blob on, with its name and its format.

A reference is a plain string, so that it can be a notebook's argument: ``blob://sha256/<digest>/train.parquet``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote, unquote

from ..errors import InvalidInput

_DIGEST = re.compile(r"[0-9a-f]{64}")
_FORMAT = re.compile(r"([A-Za-z0-9_]+(\.[A-Za-z0-9_]+)*)?")


@dataclass(frozen=True, slots=True)
class Reference:
    """An artifact as tasks hand it on: which blob, its name, how to open it (``parquet``, ``tar.gz``)."""

    digest: str
    name: str
    format: str

    def __str__(self) -> str:
        return make_reference(self.digest, self.name, self.format)


def make_reference(digest: str, name: str, format: str) -> str:  # noqa: A002 - the word for it everywhere
    """``blob://sha256/<digest>/<name>.<format>``; `name` is percent-quoted where it must be."""
    if not name or not _FORMAT.fullmatch(format):
        raise InvalidInput(f"an artifact cannot be called {name!r} with the format {format!r}")
    quoted = quote(name, safe="").replace(".", "%2E")  # the first dot begins the format
    return f"blob://sha256/{check_digest(digest)}/{quoted}" + (f".{format}" if format else "")


def parse_reference(text: object) -> Reference | None:
    """The parts of an artifact reference, or None when `text` is something else."""
    if not isinstance(text, str) or not text.startswith("blob://sha256/"):
        return None
    digest, _, file = text.removeprefix("blob://sha256/").partition("/")
    name, _, format_ = file.partition(".")
    if not _DIGEST.fullmatch(digest) or not name or "/" in file:
        return None
    return Reference(digest, unquote(name), format_)


def check_digest(digest: str) -> str:
    """`digest` itself when it is 64 hex digits; else `InvalidInput`."""
    if not isinstance(digest, str) or not _DIGEST.fullmatch(digest):
        raise InvalidInput(f"{digest!r} is not a SHA-256 digest", hint="64 lower-case hexadecimal digits")
    return digest
