"""Names of images: ``registry/repository:tag@sha256:…``, as docker and podman read them.

A first part with a dot, a colon or an upper-case letter, or ``localhost``, is a registry; without one the image is
Docker Hub's, and a single word there is one of its ``library/``.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, replace

from .errors import InvalidInput

DOCKER_HUB = "docker.io"
_HUB_NAMES = {"docker.io", "index.docker.io", "registry-1.docker.io"}
_HUB_HOST = "registry-1.docker.io"  # where Docker Hub's API is
_LONGEST = 255  # of registry and repository together
_LABEL = r"(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])"
_REGISTRY = re.compile(rf"(?:{_LABEL}(?:\.{_LABEL})*|\[[0-9a-fA-F:]+\])(?::[0-9]{{1,5}})?")
_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_REPOSITORY = re.compile(rf"{_PART}(?:/{_PART})*")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128}")
_HEX = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Reference:
    """An image in a repository of a registry: by `tag`, by `digest`, or both (then the digest counts)."""

    registry: str
    repository: str
    tag: str = ""
    digest: str = ""

    def __str__(self) -> str:
        return f"{self.name}{f':{self.tag}' if self.tag else ''}{f'@{self.digest}' if self.digest else ''}"

    @property
    def name(self) -> str:
        """Registry and repository, without tag and digest."""
        return f"{self.registry}/{self.repository}"

    @property
    def host(self) -> str:
        """Where the registry's API is."""
        return _HUB_HOST if self.registry == DOCKER_HUB else self.registry

    @property
    def wanted(self) -> str:
        """What to ask the registry for: the digest, else the tag, else ``latest``."""
        return self.digest or self.tag or "latest"

    def with_tag(self, tag: str) -> Reference:
        """The same repository's image with that tag."""
        return replace(self, tag=check_tag(tag), digest="")

    def with_digest(self, digest: str) -> Reference:
        """The same image, by its digest."""
        return replace(self, digest=check_digest(digest))


def parse_reference(text: str) -> Reference:
    """Read a name as people and Dockerfiles write it; `InvalidInput` says what is wrong with it."""
    rest, at, digest = text.partition("@")
    if at:
        _check(_DIGEST, digest, text, "a digest is 'sha256:' and 64 hex digits")
    head, slash, tail = rest.partition("/")
    is_registry = bool(slash) and (head == "localhost" or "." in head or ":" in head or head != head.lower())
    registry, path = (head, tail) if is_registry else (DOCKER_HUB, rest)
    repository, colon, tag = path.partition(":")
    if colon:
        _check(_TAG, tag, text, "a tag has letters, digits, '_', '.' and '-', at most 128 of them")
    _check(_REGISTRY, registry, text, "a registry is a host name with a port, if it needs one")
    if ":" in registry and not registry.endswith("]") and not 0 < int(registry.rpartition(":")[2]) < 65536:
        raise _wrong(text, "a port is between 1 and 65535")
    if repository != repository.lower():
        raise _wrong(text, f"repositories are in lower case: {repository.lower()!r}")
    _check(
        _REPOSITORY,
        repository,
        text,
        "a repository is words of a-z and 0-9 with '.', '_' or '-' between, and '/'",
    )
    if not is_registry and _HEX.fullmatch(repository):
        raise _wrong(text, "64 hex digits are an image's ID, not a name: NAME@sha256:… is one")
    registry = DOCKER_HUB if registry in _HUB_NAMES else registry
    if registry == DOCKER_HUB and "/" not in repository:
        repository = f"library/{repository}"
    if len(registry) + len(repository) + 1 > _LONGEST:
        raise _wrong(text, f"registry and repository have at most {_LONGEST} characters")
    return Reference(registry, repository, tag, digest)


def check_digest(text: str) -> str:
    """The digest itself; `InvalidInput` for anything that is none (it becomes part of URLs and paths)."""
    if not _DIGEST.fullmatch(text):
        raise InvalidInput(f"{text!r} is no digest of an image", hint="'sha256:' and 64 hex digits")
    return text


def check_tag(text: str) -> str:
    """The tag itself; `InvalidInput` for anything that is none."""
    if not _TAG.fullmatch(text):
        raise InvalidInput(
            f"{text!r} is no tag of an image", hint="letters, digits, '_', '.' and '-', at most 128"
        )
    return text


def is_loopback(host: str) -> bool:
    """Whether a registry is on this machine: the only place where HTTP without TLS needs no word from the user."""
    name = host.rpartition(":")[0] if re.search(r":\d+$", host) else host
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name.strip("[]")).is_loopback
    except ValueError:
        return False


def _check(pattern: re.Pattern[str], part: str, text: str, rule: str) -> None:
    if not pattern.fullmatch(part):
        raise _wrong(text, rule)


def _wrong(text: str, rule: str) -> InvalidInput:
    shown = text if len(text) <= 300 else f"{text[:300]}…"
    return InvalidInput(f"{shown!r} is no name of an image", hint=rule)
