"""What is in an image, as CycloneDX 1.6: distributions by the lock, Debian packages, the base, the user's files.

The same input gives the same bytes: the serial number is made of the content, and no time is told.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from .._version import __version__

_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")
_NAMESPACE = uuid.UUID("6f1c3b7e-0d0b-5b53-9c0a-6a3a5d0f4e21")  # ours; any fixed one would do


@dataclass(frozen=True, slots=True, kw_only=True)
class Pinned:
    """A line of the lock: a distribution, and the hashes of the files that may be it."""

    name: str
    version: str
    marker: str = ""
    url: str = ""
    hashes: tuple[str, ...] = ()


def read_lock(lock: str) -> Iterator[Pinned]:
    """The distributions of a requirements file with hashes, in its order."""
    for line in lock.replace("\\\n", " ").splitlines():
        text = line.partition(" #")[0].strip()
        if not text or text.startswith(("#", "-")):
            continue
        words = text.partition(" --hash=")[0].strip()
        try:
            found = Requirement(words)
        except InvalidRequirement:
            continue
        version = next((one.version for one in found.specifier if one.operator == "=="), "")
        yield Pinned(
            name=canonicalize_name(found.name),
            version=version,
            marker=str(found.marker or ""),
            url=found.url or "",
            hashes=tuple(_HASH.findall(text)),
        )


def render(
    *,
    name: str,
    version: str,
    base: str,
    locks: Sequence[str],
    system_packages: Sequence[str] = (),
    files: Mapping[str, str] | None = None,
    properties: Mapping[str, str] | None = None,
) -> str:
    """The document. `files` are paths in the image → SHA-256, of what is the user's own."""
    components = [
        _base(base),
        *(_debian(package) for package in sorted(system_packages)),
        *(_distribution(one) for lock in locks for one in read_lock(lock)),
        *(_file(path, digest) for path, digest in sorted((files or {}).items())),
    ]
    subject = {"type": "container", "bom-ref": "image", "name": name, "version": version}
    if properties:
        subject["properties"] = _properties(properties.items())  # type: ignore[assignment]
    document: dict[str, Any] = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "tools": {
                "components": [{"type": "application", "name": "jupyter-mlops", "version": __version__}]
            },
            "component": subject,
        },
        "components": components,
        "dependencies": [{"ref": "image", "dependsOn": sorted(one["bom-ref"] for one in components)}],
    }
    serial = uuid.uuid5(_NAMESPACE, json.dumps(document, sort_keys=True))
    return json.dumps({**document, "serialNumber": f"urn:uuid:{serial}"}, indent=1, sort_keys=True) + "\n"


def _base(base: str) -> dict[str, Any]:
    name, _, digest = base.partition("@")
    head, _, last = name.rpartition("/")
    bare, _, tag = last.partition(":")
    made = {
        "type": "container",
        "bom-ref": f"base:{base}",
        "name": f"{head}/{bare}" if head else bare,
        "version": tag or digest,
    }
    if digest:
        url = quote(f"{head}/{bare}" if head else bare, safe="")
        made["purl"] = f"pkg:oci/{bare}@{quote(digest, safe='')}?repository_url={url}" + (
            f"&tag={quote(tag, safe='')}" if tag else ""
        )
    return made


def _debian(package: str) -> dict[str, Any]:
    purl = f"pkg:deb/debian/{quote(package, safe='')}"
    return {"type": "library", "bom-ref": purl, "name": package, "purl": purl}


def _distribution(one: Pinned) -> dict[str, Any]:
    purl = f"pkg:pypi/{one.name}" + (f"@{quote(one.version, safe='')}" if one.version else "")
    if one.url:
        purl += f"?vcs_url={quote(one.url, safe='')}"
    made: dict[str, Any] = {"type": "library", "bom-ref": purl, "name": one.name, "purl": purl}
    if one.version:
        made["version"] = one.version
    told = [("jupyter-mlops:marker", one.marker)] if one.marker else []
    # Each is the hash of one of the files that an installer may choose, so none is *the* component's.
    told += [("jupyter-mlops:sha256", digest) for digest in one.hashes]
    if told:
        made["properties"] = _properties(told)
    return made


def _file(path: str, digest: str) -> dict[str, Any]:
    return {
        "type": "file",
        "bom-ref": f"file:{path}",
        "name": path,
        "hashes": [{"alg": "SHA-256", "content": digest}],
    }


def _properties(pairs: Any) -> list[dict[str, str]]:
    return [{"name": name, "value": value} for name, value in pairs]
