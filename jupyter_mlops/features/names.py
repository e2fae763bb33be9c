"""What may be called how, and how a feature is referred to: ``view:feature``, ``view@version:feature``.

Names are strict, and no path is ever built from one (folders are named by digests), so that a hostile name is
refused at the door and not met again in SQL, in a key or on a disk.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..errors import InvalidInput

EVENT = "event_timestamp"
CREATED = "created_timestamp"
ARRIVAL = "__arrival"  # no feature can be called so: two underscores are ours
RESERVED = frozenset({EVENT, CREATED})

_OBJECT = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,127}")
_COLUMN = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,127}")
_VERSION = re.compile(r"[0-9a-f]{4,64}")
_DEVICES = {
    "con",
    "prn",
    "aux",
    "nul",
    *(f"{port}{number}" for port in ("com", "lpt") for number in range(1, 10)),
}


@dataclass(frozen=True, slots=True)
class Reference:
    """`version` is "" for the current one, `feature` is "" for all of the view's."""

    view: str
    version: str = ""
    feature: str = ""

    def __str__(self) -> str:
        version = f"@{self.version}" if self.version else ""
        return f"{self.view}{version}" + (f":{self.feature}" if self.feature else "")


def check_name(name: object, what: str) -> str:
    """`name` if it may name an entity, view or service; `InvalidInput`."""
    if (
        not isinstance(name, str)
        or not _OBJECT.fullmatch(name)
        or ".." in name
        or name.partition(".")[0].lower() in _DEVICES
    ):
        raise InvalidInput(
            f"{name!r} is not a name for {what}",
            hint="a letter, then letters, digits, _, - or single dots; at most 128 characters",
        )
    return name


def check_column(name: object, what: str) -> str:
    """`name` if it may name a feature, a join key or a column of a source; `InvalidInput`."""
    if not isinstance(name, str) or not _COLUMN.fullmatch(name) or "__" in name:
        raise InvalidInput(
            f"{name!r} is not a name for {what}",
            hint="a letter, then letters, digits or single underscores; rename it in the query with AS",
        )
    return name


def parse_reference(text: object) -> Reference:
    """``view``, ``view:feature``, ``view@version:feature``; `InvalidInput` for anything else."""
    if not isinstance(text, str):
        raise InvalidInput(f"{text!r} refers to no feature", hint="write 'view:feature'")
    head, has_feature, feature = text.partition(":")
    view, has_version, version = head.partition("@")
    is_wrong = (
        not _OBJECT.fullmatch(view)
        or (has_feature and not _COLUMN.fullmatch(feature))
        or (has_version and not _VERSION.fullmatch(version))
    )
    if is_wrong:
        raise InvalidInput(
            f"{text!r} refers to no feature", hint="write 'view:feature' or 'view@version:feature'"
        )
    return Reference(view, version, feature)


def quote(name: str) -> str:
    """An identifier as SQL writes it, whatever is in it."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text as SQL writes it, whatever is in it."""
    return "'" + text.replace("'", "''") + "'"
