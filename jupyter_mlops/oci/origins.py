"""Where a base image comes from: a registry, or an OCI layout in a folder. Its layers come only when they must."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

from ..errors import InvalidInput, NotFound
from ..image_names import Reference, parse_reference
from .cache import LayerCache
from .credentials import Credentials, find_credentials
from .descriptor import Descriptor, Platform, loads
from .downloads import Progress
from .image import Base
from .layout import Layout, parse_layout
from .registry import Manifest, Registry

_LONGEST_CONFIG = 8 << 20


@dataclass(frozen=True, slots=True)
class Origin:
    """An image that others stand on: in a registry (`reference`), or in a `layout`."""

    name: str
    registry: Registry | None = None
    reference: Reference | None = None
    layout: Layout | None = None
    tag: str = ""

    def base(self, platform: Platform) -> Base:
        """The image for a platform: its configuration and what its layers are. `NotFound` when there is none."""
        top = self._manifest(self.tag)
        manifest = top
        if top.is_index:
            manifest = self._manifest(self._pick(top, platform))
        document = manifest.document
        config = loads(
            self._read(Descriptor.from_json(document.get("config"))), f"the configuration of {self.name}"
        )
        if not all(isinstance(config.get(part) or {}, dict) for part in ("config", "rootfs")):
            raise InvalidInput(f"{self.name} is damaged: its configuration is none")
        if not platform.matches(config):
            found = f"{config.get('os')}/{config.get('architecture')}"
            raise NotFound(
                f"{self.name} is an image for {found}, not for {platform}",
                hint="take a base image that is made for several platforms",
            )
        layers = tuple(Descriptor.from_json(one) for one in document.get("layers") or ())
        name = "" if self.layout else self.name.partition("@")[0]  # where a folder lies is nobody's to know
        return Base(config, layers, name, top.digest)

    def bring(self, layer: Descriptor, cache: LayerCache, progress: Progress | None = None) -> Path:
        """The file of one of its layers, fetched if it was not here yet."""
        if self.layout is not None:
            return self.layout.local_blob(layer)
        if not cache.has(layer.digest):
            registry, repository = self._there
            registry.fetch_blob(repository, layer, cache.path(layer.digest), progress)
        return cache.path(layer.digest)

    def mount(self, layer: Descriptor, target: Registry, repository: str) -> bool:
        """Have the target registry take a layer over by itself, where it has the base image, too; whether it did."""
        if self.registry is None or self.reference is None or self.registry.name != target.name:
            return target.has_blob(repository, layer.digest)
        return target.mount_blob(repository, layer.digest, self.reference.repository)

    # --- inside -----------------------------------------------------------------------------------------

    @property
    def _there(self) -> tuple[Registry, str]:
        if self.registry is None or self.reference is None:
            raise InvalidInput(f"{self.name} is neither in a registry nor in a layout")
        return self.registry, self.reference.repository

    def _manifest(self, wanted: str) -> Manifest:
        if self.layout is not None:
            return self.layout.read_manifest(wanted)
        registry, repository = self._there
        return registry.read_manifest(repository, wanted)

    def _read(self, descriptor: Descriptor) -> bytes:
        if self.layout is not None:
            return self.layout.read_blob(descriptor)
        registry, repository = self._there
        return registry.read_blob(repository, descriptor, _LONGEST_CONFIG)

    def _pick(self, index: Manifest, platform: Platform) -> str:
        entries = [one for one in index.document.get("manifests") or () if isinstance(one, dict)]
        for one in entries:
            if isinstance(one.get("platform"), dict) and platform.matches(one["platform"]):
                return Descriptor.from_json(one).digest
        there = [Descriptor.from_json(one).platform for one in entries]
        known = ", ".join(sorted({str(one) for one in there if one and one.os != "unknown"}))
        raise NotFound(f"{self.name} is not made for {platform}", hint=f"it is for {known}" if known else "")


def find_origin(text: str, *, open_registry: Callable[[Reference], Registry]) -> Origin:
    """The base image that is called so: ``registry/repository:tag[@sha256:…]`` or ``oci:FOLDER[:TAG]``."""
    if text.startswith("oci:"):
        folder, tag = parse_layout(text)
        return Origin(text, layout=Layout(folder), tag=tag)
    reference = parse_reference(text)
    return Origin(str(reference), open_registry(reference), reference, tag=reference.wanted)


def opener(plain_http: Collection[str] = ()) -> Callable[[Reference], Registry]:
    """What opens registries, each once; those in `plain_http` are spoken to without TLS."""
    known: dict[tuple[str, Credentials | None], Registry] = {}

    def open_registry(reference: Reference) -> Registry:
        name = reference.registry
        login = find_credentials(name, reference.repository)  # it may be another one for another repository
        if (name, login) not in known:
            plain = True if name in plain_http else None
            known[name, login] = Registry(name, credentials=login, plain_http=plain)
        return known[name, login]

    return open_registry
