"""What points at bytes in a registry: media type, digest, size. And the media types that we know."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..errors import InvalidInput
from ..image_names import check_digest

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"
OCI_EMPTY = "application/vnd.oci.empty.v1+json"
OCI_LAYER = "application/vnd.oci.image.layer.v1.tar"
DOCKER_MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
DOCKER_INDEX = "application/vnd.docker.distribution.manifest.list.v2+json"
DOCKER_CONFIG = "application/vnd.docker.container.image.v1+json"
DOCKER_LAYER = "application/vnd.docker.image.rootfs.diff.tar"

MANIFESTS = (OCI_MANIFEST, DOCKER_MANIFEST)
INDEXES = (OCI_INDEX, DOCKER_INDEX)
_LAYERS = {  # docker's names are other words for the same bytes
    DOCKER_LAYER: OCI_LAYER,
    f"{DOCKER_LAYER}.gzip": f"{OCI_LAYER}+gzip",
    f"{DOCKER_LAYER}.zstd": f"{OCI_LAYER}+zstd",
    OCI_LAYER: OCI_LAYER,
    f"{OCI_LAYER}+gzip": f"{OCI_LAYER}+gzip",
    f"{OCI_LAYER}+zstd": f"{OCI_LAYER}+zstd",
}


@dataclass(frozen=True, slots=True)
class Platform:
    """``linux/amd64``, ``linux/arm64``, ``linux/arm/v7``."""

    os: str
    architecture: str
    variant: str = ""

    def __str__(self) -> str:
        return "/".join(filter(None, [self.os, self.architecture, self.variant]))

    @classmethod
    def parse(cls, text: str) -> Platform:
        """Read ``os/architecture[/variant]``."""
        parts = text.split("/")
        if not 2 <= len(parts) <= 3 or not all(part.isalnum() for part in parts):
            raise InvalidInput(f"{text!r} is no platform", hint="linux/amd64 or linux/arm64")
        return cls(*parts)

    def matches(self, other: Mapping[str, Any]) -> bool:
        """Whether an index's entry (or a configuration) is of this platform; arm64 without a variant is v8."""
        if (other.get("os"), other.get("architecture")) != (self.os, self.architecture):
            return False
        usual = "v8" if self.architecture == "arm64" else ""
        return (other.get("variant") or usual) == (self.variant or usual)

    def to_json(self) -> dict[str, str]:
        """As it stands in an index."""
        return {
            "architecture": self.architecture,
            "os": self.os,
            **({"variant": self.variant} if self.variant else {}),
        }


@dataclass(frozen=True, slots=True)
class Descriptor:
    """Bytes by their digest, with their media type and size."""

    media_type: str
    digest: str
    size: int
    annotations: Mapping[str, str] = field(default_factory=dict)
    platform: Platform | None = None
    artifact_type: str = ""

    @classmethod
    def of(cls, data: bytes, media_type: str, **more: Any) -> Descriptor:
        """The descriptor of these bytes."""
        return cls(media_type, digest_of(data), len(data), **more)

    @classmethod
    def from_json(cls, found: Any) -> Descriptor:
        """Read one out of a manifest; `InvalidInput` when it is none."""
        try:
            digest, size, platform = found["digest"], found["size"], found.get("platform")
            if not isinstance(size, int) or isinstance(size, bool) or size < 0:
                raise TypeError
            return cls(
                str(found["mediaType"]),
                check_digest(digest),
                size,
                dict(found.get("annotations") or {}),
                Platform(
                    str(platform["os"]), str(platform["architecture"]), str(platform.get("variant") or "")
                )
                if platform
                else None,
                str(found.get("artifactType") or ""),
            )
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise InvalidInput(
                "a manifest refers to something without media type, digest and size"
            ) from error

    def to_json(self) -> dict[str, Any]:
        """As it stands in a manifest."""
        return {
            "mediaType": self.media_type,
            "digest": self.digest,
            "size": self.size,
            **({"annotations": dict(sorted(self.annotations.items()))} if self.annotations else {}),
            **({"platform": self.platform.to_json()} if self.platform else {}),
            **({"artifactType": self.artifact_type} if self.artifact_type else {}),
        }


def digest_of(data: bytes) -> str:
    """``sha256:…`` of some bytes."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def dumps(document: Mapping[str, Any]) -> bytes:
    """JSON in one certain form, because its digest is its name."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def loads(data: bytes, what: str) -> dict[str, Any]:
    """A JSON object out of bytes from elsewhere; `InvalidInput` when it is none."""
    try:
        document = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise InvalidInput(f"{what} is not JSON") from error
    if not isinstance(document, dict):
        raise InvalidInput(f"{what} is no JSON object")
    return document


def oci_layer_type(media_type: str) -> str:
    """The OCI name of a layer's media type; `InvalidInput` for layers that may not be passed on."""
    if media_type not in _LAYERS:
        raise InvalidInput(
            f"the base image has a layer of the type {media_type!r}, which cannot be copied",
            hint="take a base image with ordinary layers (tar, gzip or zstd)",
        )
    return _LAYERS[media_type]
