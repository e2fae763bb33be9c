"""A registry's repositories: blobs and manifests in and out, checked by their digests (Distribution API 1.1).

What is pulled is believed by its digest alone; what is pushed is skipped when it is there, mounted when another
repository of the registry has it, and uploaded else.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from ..errors import InvalidInput, RegistryUnavailable
from ..image_names import Reference, check_digest
from .credentials import Credentials, find_credentials
from .descriptor import INDEXES, MANIFESTS, Descriptor, digest_of, loads
from .downloads import Download, Progress, corrupt
from .transport import Patience, Transport
from .uploads import Upload

_LONGEST_MANIFEST = 4 << 20  # what registries take
_PIECE = 1 << 20
_MOST_PAGES = 1000


@dataclass(frozen=True, slots=True)
class Manifest:
    """A manifest or index as it came: its bytes are its identity."""

    data: bytes
    media_type: str
    digest: str

    @property
    def document(self) -> dict[str, Any]:
        """What it says."""
        return loads(self.data, f"manifest {self.digest[:19]}…")

    @property
    def is_index(self) -> bool:
        """Whether it lists manifests of several platforms."""
        return self.media_type in INDEXES

    @property
    def descriptor(self) -> Descriptor:
        """What points at it."""
        return Descriptor(self.media_type, self.digest, len(self.data))


class Registry:
    """One registry: ``Registry("ghcr.io")``. Credentials are those of this machine, unless given."""

    def __init__(
        self,
        registry: str,
        *,
        repository: str = "",
        credentials: Credentials | None = None,
        plain_http: bool | None = None,
        patience: Patience | None = None,
    ) -> None:
        known = credentials or find_credentials(registry, repository)
        host = Reference(registry, "-").host
        self.name = registry
        self.transport = Transport(host, credentials=known, plain_http=plain_http, patience=patience)

    @classmethod
    def of(cls, reference: Reference, **more: Any) -> Registry:
        """The registry of an image."""
        return cls(reference.registry, repository=reference.repository, **more)

    # --- blobs ------------------------------------------------------------------------------------------

    def has_blob(self, repository: str, digest: str) -> bool:
        """Whether the repository has the blob."""
        answer = self.transport.send(
            "HEAD",
            f"/v2/{repository}/blobs/{check_digest(digest)}",
            doing=f"look for {digest[:19]}… in {self.name}/{repository}",
            scopes=pull_scope(repository),
            ok=(200, 404),
        )
        return answer.status_code == 200

    def put_blob(
        self,
        repository: str,
        source: bytes | Path,
        digest: str,
        *,
        mount_from: str = "",
        chunk_bytes: int | None = None,
        progress: Progress | None = None,
    ) -> str:
        """Bring a blob into a repository; ``there`` already, ``mounted`` from another one, or ``uploaded``."""
        if self.has_blob(repository, digest):
            return "there"
        is_elsewhere = bool(mount_from) and mount_from != repository
        scopes = push_scope(repository) + (pull_scope(mount_from) if is_elsewhere else ())
        size = len(source) if isinstance(source, bytes) else source.stat().st_size
        upload = Upload(self.transport, repository, source, digest, size, scopes, chunk_bytes, progress)
        return upload.run(mount_from if is_elsewhere else "")

    def mount_blob(self, repository: str, digest: str, mount_from: str) -> bool:
        """Have the registry take a blob over from another repository of its own; whether it did."""
        if self.has_blob(repository, digest):
            return True
        query = urlencode({"mount": check_digest(digest), "from": mount_from})
        answer = self.transport.send(
            "POST",
            f"/v2/{repository}/blobs/uploads/?{query}",
            doing=f"mount {digest[:19]}… in {self.name}/{repository}",
            scopes=push_scope(repository) + pull_scope(mount_from),
            ok=(201, 202, 401, 403, 404, 405),  # may not, or cannot: the blob takes the long way
        )
        if answer.status_code == 202 and answer.headers.get("Location"):
            with contextlib.suppress(
                Exception
            ):  # an upload that nobody wants; registries forget it by themselves
                self.transport.send(
                    "DELETE",
                    answer.headers["Location"],
                    doing="let go",
                    scopes=push_scope(repository),
                    ok=(204, 200, 202),
                )
        return answer.status_code == 201

    def read_blob(self, repository: str, descriptor: Descriptor, limit: int = _LONGEST_MANIFEST) -> bytes:
        """A small blob's bytes, checked."""
        if descriptor.size > limit:
            raise InvalidInput(
                f"{descriptor.digest[:19]}… of {self.name}/{repository} has {descriptor.size:,} bytes"
            )
        answer = Download(self.transport, repository, descriptor).open()
        data = _limited(answer, limit, self.name)
        if digest_of(data) != descriptor.digest:
            raise corrupt(self.name, repository, descriptor.digest)
        return data

    def fetch_blob(
        self, repository: str, descriptor: Descriptor, target: Path, progress: Progress | None = None
    ) -> None:
        """A blob into a file, which is there only when all of it came and its digest is right."""
        Download(self.transport, repository, descriptor, progress).run(target)

    # --- manifests --------------------------------------------------------------------------------------

    def read_manifest(self, repository: str, wanted: str) -> Manifest:
        """A manifest or index by tag or digest; `NotFound`."""
        answer = self.transport.send(
            "GET",
            f"/v2/{repository}/manifests/{wanted}",
            doing=f"pull {self.name}/{repository}{'@' if ':' in wanted else ':'}{wanted}",
            scopes=pull_scope(repository),
            headers={"Accept": ", ".join((*MANIFESTS, *INDEXES))},
            is_streamed=True,
        )
        data = _limited(answer, _LONGEST_MANIFEST, self.name)
        digest = digest_of(data)
        if ":" in wanted and digest != wanted:
            raise corrupt(self.name, repository, wanted)
        told = answer.headers.get("Docker-Content-Digest", digest)
        if told.startswith("sha256:") and told != digest:
            raise corrupt(self.name, repository, told)
        media_type = answer.headers.get("Content-Type", "").partition(";")[0].strip()
        if media_type not in (*MANIFESTS, *INDEXES):
            media_type = str(loads(data, f"the manifest of {repository}").get("mediaType") or media_type)
        return Manifest(data, media_type, digest)

    def find_manifest(self, repository: str, wanted: str) -> Descriptor | None:
        """The descriptor of what a tag or digest names, or None."""
        answer = self.transport.send(
            "HEAD",
            f"/v2/{repository}/manifests/{wanted}",
            doing=f"look for {self.name}/{repository} {wanted}",
            scopes=pull_scope(repository),
            ok=(200, 404),
            headers={"Accept": ", ".join((*MANIFESTS, *INDEXES))},
        )
        digest = answer.headers.get("Docker-Content-Digest", "")
        if answer.status_code == 404:
            return None
        if not digest:  # some registries say it only when asked for all of it
            return self.read_manifest(repository, wanted).descriptor
        size = int(answer.headers.get("Content-Length") or 0)
        return Descriptor(answer.headers.get("Content-Type", ""), check_digest(digest), size)

    def put_manifest(self, repository: str, data: bytes, media_type: str, tag: str = "") -> str:
        """Put a manifest or index under its digest, or under a tag; returns the digest. Its blobs are there before."""
        return self.put_manifest_with_subject(repository, data, media_type, tag)[0]

    def put_manifest_with_subject(
        self, repository: str, data: bytes, media_type: str, tag: str = ""
    ) -> tuple[str, bool]:
        """The digest, and whether the registry itself lists what is attached to the manifest's subject."""
        digest = digest_of(data)
        answer = self.transport.send(
            "PUT",
            f"/v2/{repository}/manifests/{tag or digest}",
            doing=f"push {self.name}/{repository}{f':{tag}' if tag else f'@{digest}'}",
            scopes=push_scope(repository),
            ok=(201, 202, 200),
            headers={"Content-Type": media_type},
            body=data,
        )
        told = answer.headers.get("Docker-Content-Digest", digest)
        if told != digest:
            raise corrupt(self.name, repository, digest)
        return digest, "OCI-Subject" in answer.headers

    def tags(self, repository: str) -> list[str]:
        """Every tag of a repository, in order; `NotFound`."""
        path, found = f"/v2/{repository}/tags/list", list[str]()
        for _ in range(_MOST_PAGES):
            doing = f"list the tags of {self.name}/{repository}"
            answer = self.transport.send("GET", path, doing=doing, scopes=pull_scope(repository))
            found += [str(tag) for tag in loads(answer.content, "the list of tags").get("tags") or ()]
            path = answer.links.get("next", {}).get("url", "")
            if not path:
                break
        return sorted(set(found))


def _limited(answer: Any, limit: int, name: str) -> bytes:
    """The body of an answer, unless it is longer than it may be."""
    data = bytearray()
    with contextlib.closing(answer):
        for piece in answer.iter_content(_PIECE):
            data += piece
            if len(data) > limit:
                raise RegistryUnavailable(f"{name} sends more than {limit:,} bytes for a manifest")
    return bytes(data)


def pull_scope(repository: str) -> tuple[str, ...]:
    return (f"repository:{repository}:pull",)


def push_scope(repository: str) -> tuple[str, ...]:
    return (f"repository:{repository}:pull,push",)
