"""Which versions answer, and how much of the traffic each gets: a small JSON file that is replaced as a whole."""

from __future__ import annotations

import hashlib
import json
import os
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import InvalidInput, NotFound

_SUM = 1e-6  # how far shares may be from 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One version: `share` of the requests are answered by it, `shadow` of them are shown to it unseen."""

    version: int
    folder: str
    manifest_digest: str = ""
    share: float = 1.0
    shadow: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """What a traffic file says."""

    name: str
    model: str
    revision: int
    versions: tuple[Part, ...]

    @classmethod
    def from_json(cls, body: Any) -> Traffic:
        """The traffic of a document; `InvalidInput`."""
        if not isinstance(body, dict) or not isinstance(body.get("versions"), list) or not body["versions"]:
            raise InvalidInput(
                "the traffic file lists no versions", hint='{"name": …, "revision": 1, "versions": […]}'
            )
        parts = tuple(_part(one) for one in body["versions"])
        numbers = [part.version for part in parts]
        if len(set(numbers)) != len(numbers):
            raise InvalidInput("the traffic file lists a version twice")
        total = sum(part.share for part in parts)
        if abs(total - 1) > _SUM:
            raise InvalidInput(f"the shares of the traffic file sum to {total:g}, not to 1")
        name, model, revision = body.get("name", ""), body.get("model", ""), body.get("revision", 1)
        if not isinstance(name, str) or not isinstance(model, str) or type(revision) is not int:
            raise InvalidInput("name and model of the traffic file are texts, its revision is a whole number")
        return cls(name=name or model, model=model or name, revision=revision, versions=parts)

    @classmethod
    def read(cls, path: Path) -> Traffic:
        """The traffic in a file; `NotFound`, `InvalidInput`."""
        try:
            return cls.from_json(json.loads(path.read_bytes()))
        except FileNotFoundError:
            raise NotFound(f"there is no traffic file {path}") from None
        except (OSError, ValueError) as error:
            raise InvalidInput(f"the traffic file {path} cannot be read: {error}") from None

    def to_json(self) -> dict[str, Any]:
        """The document."""
        versions = [{name: getattr(part, name) for name in Part.__slots__} for part in self.versions]
        return {"name": self.name, "model": self.model, "revision": self.revision, "versions": versions}

    def write(self, path: Path) -> None:
        """Replace the file as a whole."""
        fresh = path.with_name(f".{path.name}.{os.getpid()}")
        fresh.write_text(json.dumps(self.to_json(), indent=1), encoding="utf-8")
        os.replace(fresh, path)


def _part(given: Any) -> Part:
    if not isinstance(given, Mapping) or type(given.get("version")) is not int or given["version"] < 1:
        raise InvalidInput(
            "each version of the traffic file has a number", hint='{"version": 3, "folder": …}'
        )
    if not isinstance(given.get("folder"), str):
        raise InvalidInput(f"version {given['version']} of the traffic file has no folder")
    share, shadow = given.get("share", 1.0), given.get("shadow", 0.0)
    for word, value in (("share", share), ("shadow", shadow)):
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1:
            raise InvalidInput(
                f"the {word} of version {given['version']} is {value!r}, no number from 0 to 1"
            )
    return Part(
        version=given["version"],
        folder=given["folder"],
        manifest_digest=str(given.get("manifest_digest", "")),
        share=float(share),
        shadow=float(shadow),
    )


def place_of(key: str, salt: str = "") -> float:
    """Where a key stands between 0 and 1: always the same, and evenly for many."""
    return int.from_bytes(hashlib.blake2b(f"{salt}{key}".encode(), digest_size=7).digest()) / 2**56


def choose(shares: Sequence[float], key: str = "") -> int:
    """Which of the shares it is: by the key, if there is one, so that it always meets the same version; else by
    chance."""
    point = place_of(key) if key else random.random()  # noqa: S311 - chance, no secret
    for index, share in enumerate(shares):
        point -= share
        if point < 0:
            return index
    return max(index for index, share in enumerate(shares) if share > 0)
