"""What a builder leaves of itself in an image's configuration, taken out: so the same input has the same digest.

buildah and podman write the ids of their working containers, a random host name and the ids of intermediate
images, in the format that they must use to keep a HEALTHCHECK. No layer and nothing that runs is changed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from ..image_names import Reference
from ..oci.descriptor import Descriptor
from ..oci.registry import Registry

_MOST_CONFIG_BYTES = 4 << 20


def take_out(reference: Reference, digest: str) -> tuple[str, int]:
    """Put the image `digest` in its place without traces; the digest then, and the size of its layers."""
    registry = Registry.of(reference)
    manifest = registry.read_manifest(reference.repository, digest)
    document = manifest.document
    size = sum(int(layer["size"]) for layer in document.get("layers", ()))
    if "config" not in document:  # an index: of docker's, whose images have none
        return digest, size
    told = document["config"]
    descriptor = Descriptor(told["mediaType"], told["digest"], int(told["size"]))
    before = registry.read_blob(reference.repository, descriptor, _MOST_CONFIG_BYTES)
    after = json.dumps(cleaned(json.loads(before)), sort_keys=True, separators=(",", ":")).encode()
    if after == before:
        return digest, size
    config = f"sha256:{hashlib.sha256(after).hexdigest()}"
    registry.put_blob(reference.repository, after, config)
    document["config"] = {**told, "digest": config, "size": len(after)}
    data = json.dumps(document, sort_keys=True, separators=(",", ":")).encode()
    return registry.put_manifest(
        reference.repository, data, manifest.media_type, reference.tag or "latest"
    ), size


def cleaned(config: Mapping[str, Any]) -> dict[str, Any]:
    """A configuration without what is different in each build; everything that a container runs by stays."""
    kept = {
        name: value
        for name, value in config.items()
        if name not in ("container", "parent", "container_config")
    }
    if isinstance(kept.get("config"), dict):
        kept["config"] = {
            name: value for name, value in kept["config"].items() if name not in ("Hostname", "Image")
        }
    if isinstance(kept.get("history"), list):
        kept["history"] = [
            {name: value for name, value in step.items() if name != "comment"} for step in kept["history"]
        ]
    return kept
