"""What may name a model, a version or an alias, and the text by which one is referred to.

``models:/churn/3`` is a version, ``models:/churn@champion`` the version that an alias names, ``models:/churn``
the newest one; the ``models:/`` may be left out. Names are strict, so that a name is the same in every file
system, URL and shell; no path is made of one all the same.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..errors import InvalidInput

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_ALIAS = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")
_DEVICE = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)
_REFERENCE = re.compile(r"(?:models:/+)?(?P<name>[^/@]+)(?:/(?P<version>[^/@]+)|@(?P<alias>[^/@]+))?")
NEWEST = "latest"


@dataclass(frozen=True, slots=True)
class ModelReference:
    """Which version of which model: by number, by alias, or (neither) the newest."""

    name: str
    version: int | None = None
    alias: str | None = None

    def __str__(self) -> str:
        end = f"/{self.version}" if self.version is not None else f"@{self.alias}" if self.alias else ""
        return f"models:/{self.name}{end}"


def check_name(name: object) -> str:
    """`name` itself, if it can name a model; else `InvalidInput`."""
    if not isinstance(name, str) or not _NAME.fullmatch(name) or ".." in name or _DEVICE.fullmatch(name):
        raise InvalidInput(
            f"{name!r} cannot name a model",
            hint="up to 128 letters, digits, '.', '_' and '-', beginning with a letter or digit, without '..'",
        )
    return name


def check_alias(alias: object) -> str:
    """`alias` itself, if it can be one; else `InvalidInput`."""
    if not isinstance(alias, str) or not _ALIAS.fullmatch(alias) or alias.lower() == NEWEST:
        raise InvalidInput(
            f"{alias!r} cannot be an alias",
            hint=f"up to 64 letters, digits, '_' and '-', beginning with a letter, and not {NEWEST!r}",
        )
    return alias


def parse_model_reference(text: object) -> ModelReference:
    """The parts of ``models:/NAME/3``, ``models:/NAME@alias`` or ``models:/NAME``; `InvalidInput`."""
    found = _REFERENCE.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        raise InvalidInput(
            f"{text!r} does not refer to a model",
            hint="models:/NAME/3, models:/NAME@champion, or models:/NAME for the newest version",
        )
    name = check_name(found["name"])
    if found["alias"]:
        if found["alias"].lower() == NEWEST:
            return ModelReference(name)
        return ModelReference(name, alias=check_alias(found["alias"]))
    version = found["version"]
    if version is None or version == NEWEST:
        return ModelReference(name)
    if not re.fullmatch(r"[1-9][0-9]{0,17}", version):
        raise InvalidInput(
            f"{version!r} is no version of a model",
            hint=f"a number: models:/{name}/3, or models:/{name}@alias",
        )
    return ModelReference(name, version=int(version))
