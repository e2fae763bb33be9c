"""Signatures of images in cosign's format, and whether they are right.

What is signed is a small JSON document with the image's digest; signature and document lie in the image's repository
under the tag ``sha256-….sig``, where cosign, skopeo, Kyverno and others look for them. Signing again adds a signature;
others stay. (cosign 3 looks for bundles first and takes these with ``--new-bundle-format=false``.)
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import InvalidInput, NotFound
from ..image_names import Reference
from .descriptor import OCI_CONFIG, OCI_MANIFEST, Descriptor, dumps, loads
from .keys import PublicKey, SigningKey
from .registry import Registry

_KIND = "cosign container image signature"
_PAYLOAD = "application/vnd.dev.cosign.simplesigning.v1+json"
_SIGNATURE = "dev.cosignproject.cosign/signature"
_BEGINNING = "0001-01-01T00:00:00Z"


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature that a key has made: for which repository, and what the signer said besides."""

    digest: str
    repository: str
    optional: Mapping[str, Any]


def sign_image(
    registry: Registry, reference: Reference, key: SigningKey, notes: Mapping[str, str] | None = None
) -> str:
    """Sign what `reference` names by its digest; returns the tag under which the signatures lie."""
    payload = make_payload(reference, notes or {})
    layer = Descriptor.of(
        payload, _PAYLOAD, annotations={_SIGNATURE: base64.b64encode(key.sign(payload)).decode()}
    )
    registry.put_blob(reference.repository, payload, layer.digest)
    tag = signature_tag(reference)
    others = [
        one
        for one in _layers(registry, reference)
        if not _is_same(one, layer, registry, reference, key.public)
    ]
    layers = [*others, layer]
    config = dumps(
        {
            "architecture": "",
            "created": _BEGINNING,
            "history": [{"created": _BEGINNING} for _ in layers],
            "os": "",
            "rootfs": {"type": "layers", "diff_ids": [one.digest for one in layers]},
            "config": {},
        }
    )
    described = Descriptor.of(config, OCI_CONFIG)
    registry.put_blob(reference.repository, config, described.digest)
    manifest = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": described.to_json(),
        "layers": [one.to_json() for one in layers],
    }
    registry.put_manifest(reference.repository, dumps(manifest), OCI_MANIFEST, tag)
    return tag


def verify_image(registry: Registry, reference: Reference, key: PublicKey) -> list[Signature]:
    """The signatures of an image that `key` made. `NotFound` when there is none: what is signed by others, for
    another image, or for another repository, does not count."""
    layers = _layers(registry, reference)
    found = [one for layer in layers if (one := _verified(registry, reference, layer, key)) is not None]
    if not found:
        what = "a signature by another key" if layers else "no signature"
        raise NotFound(
            f"{reference} has {what}", hint="verify with the signer's public key, or sign the image"
        )
    return found


def signature_tag(reference: Reference) -> str:
    """Where the signatures of an image lie."""
    if not reference.digest:
        raise InvalidInput(
            f"{reference} is not named by its digest", hint="what is signed is a digest: NAME@sha256:…"
        )
    return f"{reference.digest.replace(':', '-')}.sig"


def make_payload(reference: Reference, notes: Mapping[str, str]) -> bytes:
    """The document that is signed."""
    critical = {
        "identity": {"docker-reference": reference.name},
        "image": {"docker-manifest-digest": reference.digest},
        "type": _KIND,
    }
    return dumps({"critical": critical, "optional": dict(sorted(notes.items())) or None})


# --- inside ---------------------------------------------------------------------------------------------


def _layers(registry: Registry, reference: Reference) -> list[Descriptor]:
    tag = signature_tag(reference)
    if registry.find_manifest(reference.repository, tag) is None:
        return []
    found = registry.read_manifest(reference.repository, tag).document.get("layers") or []
    return [one for one in map(Descriptor.from_json, found) if one.media_type == _PAYLOAD]


def _verified(
    registry: Registry, reference: Reference, layer: Descriptor, key: PublicKey
) -> Signature | None:
    """The signature in a layer, if it is the key's and is for this very image."""
    payload = registry.read_blob(reference.repository, layer)
    try:
        signature = base64.b64decode(layer.annotations.get(_SIGNATURE, ""), validate=True)
    except (binascii.Error, ValueError):
        return None
    if not key.has_signed(payload, signature):
        return None
    try:
        document = loads(payload, "what was signed")
        critical = document["critical"]
        digest, kind = critical["image"]["docker-manifest-digest"], critical["type"]
        name = str(critical["identity"]["docker-reference"])
    except (InvalidInput, KeyError, TypeError):
        return None
    if (digest, kind) != (reference.digest, _KIND) or _bare(name) != reference.name:
        return None
    return Signature(digest, name, document.get("optional") or {})


def _is_same(
    old: Descriptor, new: Descriptor, registry: Registry, reference: Reference, key: PublicKey
) -> bool:
    """Whether a signature there says the same by the same key (ECDSA never gives the same bytes twice)."""
    return old.digest == new.digest and _verified(registry, reference, old, key) is not None


def _bare(name: str) -> str:
    """A name without tag and digest: signers differ in whether they give them."""
    head, slash, last = name.partition("@")[0].rpartition("/")
    return f"{head}{slash}{last.partition(':')[0]}"
