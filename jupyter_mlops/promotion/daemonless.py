"""Images without docker, podman or buildah: wheels, layers and manifests, put straight into a registry or a file.

No root, no daemon, no privilege, so it works in a pod of a JupyterHub. What `build` makes by a Dockerfile is made here
of the same context: the same files in the same places, variables, user, entry point. Distributions lie where the
virtual environment would be, as the user site of the base's own Python (``PYTHONUSERBASE``): that holds wherever
that Python is, and reads ``.pth`` files, too. What cannot be had this way (Debian packages, distributions that
have to be compiled) is told before anything is built.

The layers, most lasting first: distributions, the model, our files, the user's. Those of the base stay in the
registry, when it has them.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Literal

from .._version import __version__
from ..errors import InvalidInput
from ..fingerprint import digest_bytes
from ..image_names import DOCKER_HUB, Reference, parse_reference
from ..oci.attachments import attach
from ..oci.cache import LayerCache
from ..oci.descriptor import Platform
from ..oci.image import Base, Health, Part, Settings, make_image
from ..oci.keys import SigningKey
from ..oci.layer import Entry, Files, Layer, folder_files, write_layer
from ..oci.layout import write_archive, write_layout
from ..oci.origins import Origin, find_origin, opener
from ..oci.sign import sign_image
from ..resources import format_bytes
from .context import APP, LIB, MODEL, PROGRAM, PROJECT, Built, Content, Context
from .delivery import Made, Told, all_layers, push_images, top
from .lock import MACHINES
from .wheels import compile_bytecode, install_wheels

Format = Literal["docker", "oci"]

_VENV = "/opt/venv"
_LAYOUT = 1  # of a layer of distributions: what is kept in the cache is of this one
_SBOM = "application/vnd.cyclonedx+json"


def build_without_daemon(
    context: Context,
    *,
    platforms: Sequence[str] = ("linux/amd64",),
    push: str = "",
    output: Path | None = None,
    name: str = "",
    base: str = "",
    key: SigningKey | None = None,
    format: Format | None = None,  # noqa: A002
    plain_http: Collection[str] = (),
    is_sbom_attached: bool = True,
    cache: LayerCache | None = None,
    told: Told | None = None,
) -> Built:
    """Make the image of a context, for one or more platforms, and bring it to a registry or into a file.

    - `push` is the image's name, ``registry/repository:tag``; `output` a file that ends in ``.tar`` (for
      ``podman load``, ``docker load``), or a folder (an OCI layout). One of both has to be there; what is not
      pushed is called `name`, or as its context.
    - `base` takes the place of the context's: another name, or ``oci:FOLDER[:TAG]``.
    - `key` signs what is pushed. `plain_http` are registries that are spoken to without TLS; those on loopback need
      not be named.
    - `format` is docker's own in a registry (there podman reads the health check), OCI's in a file.

    The same context on the same base gives the same digest. Raises `InvalidInput` for what needs a builder,
    `BuildFailed` for what uv cannot install, and the errors of `Registry`.
    """
    tell, started = told or (lambda line: None), time.monotonic()
    called = _check(context, platforms, push, output, name)
    open_registry = opener(plain_http)
    origin = find_origin(base or context.base, open_registry=open_registry)
    is_docker = (format or ("docker" if output is None else "oci")) == "docker"
    kept = cache or LayerCache()
    with kept.room() as room:
        shared = _code_layers(context, room)
        images = [
            _image(context, Platform.parse(one), origin, shared, kept, tell, is_docker=is_docker)
            for one in platforms
        ]
        if output is not None:
            blobs = all_layers(images, origin, kept, tell)
            write = write_archive if output.suffix == ".tar" else write_layout
            digest = write(output, [one.image for one in images], blobs, called.name, called.tag)
            tell(f"written: {output}")
        if push:
            registry = open_registry(called)
            digest = push_images(images, origin, registry, called, kept, tell)
            pushed = called.with_digest(digest)
            if is_sbom_attached and isinstance(bill := context.code.get(f"{APP}/sbom.cdx.json"), bytes):
                subject = top(images)[1]
                attach(registry, called.repository, subject, _SBOM, [("sbom.cdx.json", _SBOM, bill)])
            if key is not None:
                sign_image(registry, pushed, key)
                tell(f"signed: {digest}")
            tell(f"pushed: {pushed}")
    return Built(
        name=str(called),
        digest=digest,
        builder="python",
        platforms=tuple(platforms),
        size_bytes=sum({one.digest: one.size for made in images for one in made.image.layers}.values()),
        is_pushed=bool(push),
        is_signed=bool(push) and key is not None,
        seconds=time.monotonic() - started,
    )


def reasons_against(context: Context) -> list[str]:
    """Why a context needs a builder with a Dockerfile; nothing, when it does not."""
    found = []
    if context.system_packages:
        found.append(f"it needs Debian packages: {', '.join(context.system_packages)}")
    if context.files.get("requirements.vcs"):
        found.append("it needs distributions of a version control system, which have to be built")
    return found


# --- what it is made of ---------------------------------------------------------------------------------


def _check(
    context: Context, platforms: Sequence[str], push: str, output: Path | None, name: str
) -> Reference:
    """Everything that would fail later, told first; the image's name."""
    if not push and output is None:
        raise InvalidInput("an image has to go somewhere", hint="push to a registry, or write a file")
    called = parse_reference(push) if push else _local(name or context.name.lower())
    if called.digest:
        raise InvalidInput(f"{called} has a digest", hint="an image gets its digest here: give it a tag")
    if not platforms or len(set(platforms)) < len(platforms):
        raise InvalidInput("an image is for one platform or more, each named once")
    for one in platforms:
        if one not in MACHINES:
            raise InvalidInput(
                f"{one!r} is no platform that can be built", hint=f"known: {', '.join(MACHINES)}"
            )
        if one not in context.platforms:
            hint = f"what was locked is for {', '.join(context.platforms)}"
            raise InvalidInput(f"{context.name} is not locked for {one}", hint=hint)
    if reasons := reasons_against(context):
        hint = "build with docker, podman or buildah; or take a base image that has them, and capture without"
        raise InvalidInput(
            f"{context.name} cannot be built without a builder: {'; '.join(reasons)}", hint=hint
        )
    return called if called.tag else called.with_tag("latest")


def _local(name: str) -> Reference:
    """The name of an image that is in no registry; docker and podman put those below ``localhost/``."""
    found = parse_reference(name)
    is_bare = found.registry == DOCKER_HUB and not name.startswith(f"{DOCKER_HUB}/")
    return parse_reference(f"localhost/{name}") if is_bare else found


def _code_layers(context: Context, room: Path) -> list[tuple[str, Layer]]:
    """The layers of files that are the same on every platform."""
    rooms: dict[str, dict[str, Content]] = {MODEL: {}, LIB: {}, PROJECT: {}}
    programs: dict[str, Entry] = {}
    for path, content in context.code.items():
        if path == PROGRAM:
            programs[path] = Entry(content, is_executable=True)
            continue
        home = next((one for one in (MODEL, LIB) if path.startswith(f"{one}/")), PROJECT)
        rooms[home][path] = content
    compiled = _compiled(rooms[LIB], room / "lib", context.python)
    made: list[tuple[str, Layer]] = []
    for home, what in ((MODEL, "the model"), (LIB, "jupyter_mlops"), (PROJECT, "the code")):
        files: Files = {**rooms[home], **compiled, **programs} if home == LIB else rooms[home]
        if files:
            folders = (context.workdir, MODEL) if home == PROJECT else ()
            target = room / f"layer-{len(made)}"
            made.append((what, write_layer(files, target, epoch=context.epoch, folders=folders)))
    return made


def _compiled(files: Mapping[str, Content], folder: Path, python: str) -> dict[str, Content]:
    """The bytecode of our files."""
    for path, content in files.items():
        target = folder / path.removeprefix(f"{LIB}/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content if isinstance(content, bytes) else content.read_bytes())
    if not files or not compile_bytecode(folder, LIB, python=python):
        return {}
    return {f"{LIB}/{path.relative_to(folder).as_posix()}": path for path in sorted(folder.rglob("*.pyc"))}


def _distributions(context: Context, platform: Platform, cache: LayerCache, tell: Told) -> Layer:
    """The layer of what was locked: made once for a lock, a platform and a time."""
    parts = [_LAYOUT, __version__, context.requirements_lock, context.python, platform, context.epoch]
    key = f"distributions {digest_bytes(repr(list(map(str, parts))).encode())}"
    found = cache.find(key)
    if found is not None:
        tell(f"{platform}: distributions as before ({format_bytes(found.descriptor.size)})")
        return found
    tell(f"{platform}: installing distributions")
    with cache.room() as room:
        folder = room / "venv"
        install_wheels(context.requirements_lock, folder, python=context.python, platform=str(platform))
        if not compile_bytecode(folder, _VENV, python=context.python):
            tell(f"{platform}: no bytecode, since this Python is not {context.python}")
        files = folder_files(folder, _VENV)
        packages = (f"{_VENV}/lib/python{context.python}/site-packages",)
        layer = cache.keep(key, lambda path: write_layer(files, path, epoch=context.epoch, folders=packages))
    tell(f"{platform}: distributions packed ({format_bytes(layer.descriptor.size)})")
    return layer


def _image(
    context: Context,
    platform: Platform,
    origin: Origin,
    shared: Sequence[tuple[str, Layer]],
    cache: LayerCache,
    tell: Told,
    *,
    is_docker: bool,
) -> Made:
    base = origin.base(platform)
    has = base.env.get("PYTHON_VERSION", "")
    if has and ".".join(has.split(".")[:2]) != context.python:
        raise InvalidInput(
            f"{origin.name} has Python {has}, and {context.name} was locked for {context.python}",
            hint=f"take a base image with Python {context.python}",
        )
    made = [("distributions", _distributions(context, platform, cache, tell)), *shared]
    parts = [Part(layer.descriptor, layer.diff_id, what) for what, layer in made]
    image = make_image(
        base, parts, _settings(context, base), platform=platform, epoch=context.epoch, is_docker=is_docker
    )
    return Made(image, {layer.descriptor.digest: layer.path for _, layer in made}, base)


def _settings(context: Context, base: Base) -> Settings:
    health = context.healthcheck
    env = dict(context.env)
    if "PATH" in base.env:  # where the base's Python is the base knows
        env["PATH"] = f"{_VENV}/bin:{base.env['PATH']}"
    env["PYTHONUSERBASE"] = _VENV
    return Settings(
        env=env,
        entrypoint=context.entrypoint,
        cmd=context.cmd,
        user=context.user,
        workdir=context.workdir,
        labels=context.labels,
        ports=context.exposed_ports,
        health=None if health is None else Health(**asdict(health)),
        stop_signal=context.stop_signal,
    )
