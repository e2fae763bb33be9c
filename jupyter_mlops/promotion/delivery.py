"""Images that were made without a daemon, on their way: into a registry, or their layers to where a file is written."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ..errors import Cancelled
from ..image_names import Reference
from ..oci.cache import LayerCache
from ..oci.descriptor import Descriptor, digest_of
from ..oci.image import Base, Image, make_index
from ..oci.origins import Origin
from ..oci.registry import Registry
from ..resources import format_bytes

_AT_ONCE = 4  # layers on their way up

Told = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Made:
    """The image of one platform, the files of its own layers, and what it stands on."""

    image: Image
    own: Mapping[str, Path]
    base: Base


def all_layers(images: Sequence[Made], origin: Origin, cache: LayerCache, tell: Told) -> dict[str, Path]:
    """The files of all layers, those of the base among them."""
    found: dict[str, Path] = {}
    for made in images:
        found |= made.own
        for layer in made.base.layers:
            if layer.digest not in found:
                tell(f"base layer {layer.digest[7:19]} ({format_bytes(layer.size)})")
                found[layer.digest] = origin.bring(layer, cache)
    return found


def push_images(
    images: Sequence[Made],
    origin: Origin,
    registry: Registry,
    name: Reference,
    cache: LayerCache,
    tell: Told,
) -> str:
    """Layers first, then configurations and manifests, the tag last: what can be pulled is always whole."""
    repository, stopped = name.repository, threading.Event()
    progress = partial(_go_on, stopped)
    waiting: dict[str, Callable[[], str]] = {}
    for made in images:
        for layer in made.base.layers:
            waiting[layer.digest] = partial(_push_base, layer, origin, registry, repository, cache, progress)
        for digest, path in made.own.items():
            waiting[digest] = partial(registry.put_blob, repository, path, digest, progress=progress)
        config = made.image.config
        waiting[digest_of(config)] = partial(registry.put_blob, repository, config, digest_of(config))
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="push") as pool:
        futures = {digest: pool.submit(send) for digest, send in waiting.items()}
        try:
            for digest, future in futures.items():
                tell(f"layer {digest[7:19]}: {future.result()}")
        except BaseException:  # Ctrl-C, too: what is on its way ends with its next piece
            stopped.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    if len(images) > 1:
        for made in images:
            registry.put_manifest(repository, made.image.manifest, made.image.media_type)
    data, described = top(images)
    return registry.put_manifest(repository, data, described.media_type, name.tag)


def _push_base(
    layer: Descriptor,
    origin: Origin,
    registry: Registry,
    repository: str,
    cache: LayerCache,
    progress: Callable[[int], None],
) -> str:
    if origin.mount(layer, registry, repository):
        return "there"
    return registry.put_blob(
        repository, origin.bring(layer, cache, progress), layer.digest, progress=progress
    )


def _go_on(stopped: threading.Event, _: int) -> None:
    if stopped.is_set():
        raise Cancelled("the push was stopped")


def top(images: Sequence[Made]) -> tuple[bytes, Descriptor]:
    """What the image's name means, a manifest or an index, and what points at it."""
    if len(images) == 1:
        data, media_type = images[0].image.manifest, images[0].image.media_type
    else:
        data, media_type = make_index([one.image for one in images])
    return data, Descriptor.of(data, media_type)
