"""What makes layers an image: its configuration and manifest, and the index of several platforms. Pure.

A configuration is made on that of the base, as a Dockerfile's instructions would: variables, labels and ports add
up, the rest is replaced. Nothing in it depends on when or where it was made.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from ..errors import InvalidInput
from .descriptor import (
    DOCKER_CONFIG,
    DOCKER_INDEX,
    DOCKER_LAYER,
    DOCKER_MANIFEST,
    OCI_CONFIG,
    OCI_INDEX,
    OCI_LAYER,
    OCI_MANIFEST,
    Descriptor,
    Platform,
    dumps,
    oci_layer_type,
)

_SECOND = 1_000_000_000  # health checks are in nanoseconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """A command that says whether a container is well, and how often it is asked."""

    command: tuple[str, ...]
    interval_seconds: float
    timeout_seconds: float
    start_seconds: float
    retries: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What an image says of how it runs."""

    env: Mapping[str, str] = field(default_factory=dict)
    entrypoint: Sequence[str] = ()
    cmd: Sequence[str] = ()
    user: str = ""
    workdir: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    ports: Sequence[int] = ()
    health: Health | None = None
    stop_signal: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """A layer in an image: what the manifest says, its plain digest, and what the history says of it."""

    descriptor: Descriptor
    diff_id: str
    comment: str


@dataclass(frozen=True, slots=True)
class Image:
    """An image of one platform: bytes of its configuration and of its manifest, and its layers in order."""

    platform: Platform
    config: bytes
    manifest: bytes
    media_type: str
    layers: tuple[Descriptor, ...]

    @property
    def config_descriptor(self) -> Descriptor:
        """What points at the configuration."""
        return Descriptor.of(self.config, DOCKER_CONFIG if self.media_type == DOCKER_MANIFEST else OCI_CONFIG)

    @property
    def descriptor(self) -> Descriptor:
        """What points at the manifest."""
        return Descriptor.of(self.manifest, self.media_type, platform=self.platform)

    @property
    def size_bytes(self) -> int:
        """All of it, as it travels."""
        return len(self.manifest) + len(self.config) + sum(layer.size for layer in self.layers)


@dataclass(frozen=True, slots=True)
class Base:
    """What an image stands on: its configuration and layers. Empty for ``FROM scratch``."""

    config: Mapping[str, Any] = field(default_factory=dict)
    layers: tuple[Descriptor, ...] = ()
    name: str = ""
    digest: str = ""

    @property
    def diff_ids(self) -> list[str]:
        """The digests of the plain layers; `InvalidInput` when there are more or fewer than layers."""
        found = list((self.config.get("rootfs") or {}).get("diff_ids") or ())
        if len(found) != len(self.layers):
            raise InvalidInput(f"the base image {self.name} is damaged: its configuration knows other layers")
        return found

    @property
    def env(self) -> dict[str, str]:
        """Its variables."""
        pairs = (str(one).partition("=") for one in (self.config.get("config") or {}).get("Env") or ())
        return {name: value for name, _, value in pairs}


def make_image(
    base: Base,
    parts: Sequence[Part],
    settings: Settings,
    *,
    platform: Platform,
    epoch: int,
    is_docker: bool = False,
) -> Image:
    """The image of a base with more layers. `is_docker` writes docker's own types: podman reads health checks there."""
    layers = tuple(_typed(one, is_docker) for one in (*base.layers, *(part.descriptor for part in parts)))
    config = dumps(_config(base, parts, settings, platform, epoch))
    media_type = DOCKER_MANIFEST if is_docker else OCI_MANIFEST
    named = {
        "org.opencontainers.image.base.name": base.name,
        "org.opencontainers.image.base.digest": base.digest,
    }
    annotations = {name: value for name, value in named.items() if value} if not is_docker else {}
    manifest = {
        "schemaVersion": 2,
        "mediaType": media_type,
        "config": Descriptor.of(config, DOCKER_CONFIG if is_docker else OCI_CONFIG).to_json(),
        "layers": [layer.to_json() for layer in layers],
        **({"annotations": annotations} if annotations else {}),
    }
    return Image(platform, config, dumps(manifest), media_type, layers)


def make_index(images: Sequence[Image]) -> tuple[bytes, str]:
    """The index of one image for several platforms, and its media type."""
    is_docker = images[0].media_type == DOCKER_MANIFEST
    media_type = DOCKER_INDEX if is_docker else OCI_INDEX
    manifests = [image.descriptor.to_json() for image in images]
    return dumps({"schemaVersion": 2, "mediaType": media_type, "manifests": manifests}), media_type


def timestamp(epoch: int) -> str:
    """A moment as configurations have it."""
    return datetime.fromtimestamp(epoch, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _typed(layer: Descriptor, is_docker: bool) -> Descriptor:  # noqa: FBT001
    media_type = oci_layer_type(layer.media_type)
    if is_docker:
        packed = media_type.removeprefix(OCI_LAYER)
        media_type = DOCKER_LAYER + packed.replace("+", ".")
    return Descriptor(media_type, layer.digest, layer.size)


def _config(
    base: Base, parts: Sequence[Part], settings: Settings, platform: Platform, epoch: int
) -> dict[str, Any]:
    below = dict(base.config.get("config") or {})
    inner: dict[str, Any] = {
        **{name: value for name, value in below.items() if name not in ("Healthcheck", "OnBuild")},
        "Env": [f"{name}={value}" for name, value in {**base.env, **settings.env}.items()],
    }
    if settings.entrypoint:  # as in a Dockerfile, the base's CMD does not stay with another ENTRYPOINT
        inner |= {"Entrypoint": list(settings.entrypoint), "Cmd": list(settings.cmd) or None}
    elif settings.cmd:
        inner["Cmd"] = list(settings.cmd)
    labels = {**(below.get("Labels") or {}), **settings.labels}
    ports = {**(below.get("ExposedPorts") or {}), **{f"{port}/tcp": {} for port in settings.ports}}
    inner |= {
        name: value
        for name, value in (
            ("User", settings.user),
            ("WorkingDir", settings.workdir),
            ("StopSignal", settings.stop_signal),
            ("Labels", dict(sorted(labels.items()))),
            ("ExposedPorts", dict(sorted(ports.items()))),
            ("Healthcheck", _health(settings.health)),
        )
        if value
    }
    made = timestamp(epoch)
    history = [
        *(base.config.get("history") or [{"created": made, "comment": "base"} for _ in base.layers]),
        *({"created": made, "created_by": "jupyter_mlops", "comment": part.comment} for part in parts),
        {"created": made, "created_by": "jupyter_mlops", "comment": "configuration", "empty_layer": True},
    ]
    return {
        "created": made,
        **platform.to_json(),
        "config": {name: value for name, value in sorted(inner.items()) if value is not None},
        "rootfs": {"type": "layers", "diff_ids": [*base.diff_ids, *(part.diff_id for part in parts)]},
        "history": history,
    }


def _health(health: Health | None) -> dict[str, Any] | None:
    if health is None:
        return None
    return {
        "Test": ["CMD", *health.command],
        "Interval": int(health.interval_seconds * _SECOND),
        "Timeout": int(health.timeout_seconds * _SECOND),
        "StartPeriod": int(health.start_seconds * _SECOND),
        "Retries": health.retries,
    }
