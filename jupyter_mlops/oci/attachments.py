"""What is attached to an image: signatures and SBOMs, found by the image's digest (referrers).

Registries of the Distribution API 1.1 keep that list themselves; for older ones it stands in an index under the tag
``sha256-…``, which we keep as the specification wants it, so that other tools find it there.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..image_names import check_digest
from .descriptor import OCI_EMPTY, OCI_INDEX, OCI_MANIFEST, Descriptor, digest_of, dumps, loads
from .registry import Registry, pull_scope

_NOTHING = b"{}"


def referrers(registry: Registry, repository: str, digest: str, artifact_type: str = "") -> list[Descriptor]:
    """What is attached to a manifest, all of it or of one type."""
    answer = registry.transport.send(
        "GET",
        f"/v2/{repository}/referrers/{check_digest(digest)}",
        doing=f"list what is attached to {digest[:19]}…",
        scopes=pull_scope(repository),
        ok=(200, 400, 404, 405),
    )
    if answer.status_code == 200 and answer.headers.get("Content-Type", "").startswith(OCI_INDEX):
        document = loads(answer.content, "the list of what is attached")
    else:
        document = _kept_under_tag(registry, repository, digest)
    found = [Descriptor.from_json(one) for one in document.get("manifests") or ()]
    return [one for one in found if not artifact_type or one.artifact_type == artifact_type]


def attach(
    registry: Registry,
    repository: str,
    subject: Descriptor,
    artifact_type: str,
    files: Sequence[tuple[str, str, bytes]],
) -> str:
    """Attach files (name, media type, bytes) to a manifest, as one artifact; returns the artifact's digest."""
    layers = []
    for name, media_type, data in files:
        layers.append(Descriptor.of(data, media_type, annotations={"org.opencontainers.image.title": name}))
        registry.put_blob(repository, data, layers[-1].digest)
    registry.put_blob(repository, _NOTHING, digest_of(_NOTHING))
    document = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "artifactType": artifact_type,
        "config": {**Descriptor.of(_NOTHING, OCI_EMPTY).to_json(), "data": "e30="},
        "layers": [layer.to_json() for layer in layers],
        "subject": Descriptor(subject.media_type, subject.digest, subject.size).to_json(),
    }
    data = dumps(document)
    digest, is_listed = registry.put_manifest_with_subject(repository, data, OCI_MANIFEST)
    if not is_listed:
        entry = Descriptor(OCI_MANIFEST, digest, len(data), artifact_type=artifact_type).to_json()
        others = _kept_under_tag(registry, repository, subject.digest).get("manifests") or []
        manifests = [one for one in others if one.get("digest") != digest] + [entry]
        index = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": manifests}
        registry.put_manifest(repository, dumps(index), OCI_INDEX, subject.digest.replace(":", "-"))
    return digest


def _kept_under_tag(registry: Registry, repository: str, digest: str) -> dict[str, Any]:
    tag = digest.replace(":", "-")
    return registry.read_manifest(repository, tag).document if registry.find_manifest(repository, tag) else {}
