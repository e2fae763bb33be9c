"""Images without a daemon: made of wheels and files, put into a real registry, the same each time."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
import tarfile
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from jupyter_mlops.errors import AccessDenied, BuildFailed, InvalidInput, NotFound
from jupyter_mlops.image_names import parse_reference
from jupyter_mlops.oci.attachments import referrers
from jupyter_mlops.oci.cache import LayerCache
from jupyter_mlops.oci.descriptor import Descriptor, Platform
from jupyter_mlops.oci.image import Base, Image, Part, Settings, make_image, make_index
from jupyter_mlops.oci.keys import SigningKey
from jupyter_mlops.oci.layer import Layer, write_layer
from jupyter_mlops.oci.layout import Layout, write_layout
from jupyter_mlops.oci.registry import Registry
from jupyter_mlops.oci.sign import verify_image
from jupyter_mlops.promotion.context import APP, LIB, MODEL, PROGRAM, PROJECT, Context, HealthCheck
from jupyter_mlops.promotion.daemonless import build_without_daemon

from .conftest import Line

BOTH = ("linux/amd64", "linux/arm64")
PYTHON_IN_BASE = Settings(env={"PATH": "/usr/local/bin:/bin", "PYTHON_VERSION": "3.11.7"}, cmd=("python3",))


def wheel(folder: Path, name: str, files: dict[str, bytes], *, tag: str = "py3-none-any") -> str:
    """A wheel by hand, and its line of a lock."""
    info = f"{name}-1.0.dist-info"
    files = {
        **files,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n".encode(),
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: false\nTag: {tag}\n".encode(),
        f"{info}/entry_points.txt": f"[console_scripts]\n{name}-run = {name}:run\n".encode(),
    }
    rows = [
        f"{path},sha256={base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b'=').decode()},{len(data)}"
        for path, data in files.items()
    ]
    target = folder / f"{name}-1.0-{tag}.whl"
    with zipfile.ZipFile(target, "w") as archive:
        for path, data in {
            **files,
            f"{info}/RECORD": "\n".join([*rows, f"{info}/RECORD,,", ""]).encode(),
        }.items():
            archive.writestr(zipfile.ZipInfo(path, (2020, 1, 1, 0, 0, 0)), data)
    return hashlib.sha256(target.read_bytes()).hexdigest()


@pytest.fixture
def lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """What is locked lies in a folder of wheels; no index is asked."""
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    pure = wheel(wheels, "pure", {"pure/__init__.py": b"def run():\n    return frozenset({'a', 'b', 'c'})\n"})
    native = [
        wheel(
            wheels,
            "native",
            {"native/__init__.py": b"", "native/x.so": machine.encode()},
            tag=f"cp311-cp311-{tag}",
        )
        for machine, tag in (("x86", "manylinux_2_17_x86_64"), ("arm", "manylinux_2_17_aarch64"))
    ]
    for name in ("UV_INDEX", "UV_DEFAULT_INDEX", "UV_EXTRA_INDEX_URL", "UV_INDEX_URL", "PIP_FIND_LINKS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("UV_NO_INDEX", "1")
    monkeypatch.setenv("UV_FIND_LINKS", str(wheels))
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv"))
    hashes = "".join(f" --hash=sha256:{one}" for one in native)
    return f"pure==1.0 --hash=sha256:{pure}\nnative==1.0{hashes}\n"


@pytest.fixture
def context(lock: str, registry: Registry, tmp_path: Path) -> Context:
    model = tmp_path / "model.bin"
    model.write_bytes(b"weights")
    return Context(
        kind="serving",
        name="Delay",
        python="3.11",
        base=f"{registry.name}/base/python:3.11-slim",
        dockerfile="",
        files={},
        code={
            f"{MODEL}/data/model.bin": model,
            f"{LIB}/jupyter_mlops/__init__.py": b"X = 1\n",
            f"{PROJECT}/look.py": b"GREY = 1\n",
            f"{APP}/sbom.cdx.json": b'{"bomFormat": "CycloneDX"}',
        },
        requirements_lock=lock,
        labels={"org.opencontainers.image.title": "Delay"},
        env={"PATH": "/opt/venv/bin:/usr/bin", "PYTHONPATH": LIB},
        entrypoint=("python", "-m", "jupyter_mlops.serving"),
        exposed_ports=(8080,),
        healthcheck=HealthCheck(command=("true",)),
        source="models:/delay/3",
    )


def base_images(folder: Path) -> tuple[Layer, list[Image]]:
    layer = write_layer({"/etc/os-release": b"NAME=test\n"}, folder / "base-layer", epoch=0)
    parts = [Part(layer.descriptor, layer.diff_id, "base")]
    machines = [Platform("linux", one) for one in ("amd64", "arm64")]
    return layer, [make_image(Base(), parts, PYTHON_IN_BASE, platform=one, epoch=0) for one in machines]


@pytest.fixture(autouse=True)
def base(registry: Registry, tmp_path: Path) -> Layer:
    """A small image for two platforms that stands for the official one."""
    layer, images = base_images(tmp_path)
    registry.put_blob("base/python", layer.path, layer.descriptor.digest)
    for image in images:
        registry.put_blob("base/python", image.config, image.config_descriptor.digest)
        registry.put_manifest("base/python", image.manifest, image.media_type)
    registry.put_manifest("base/python", *make_index(images), tag="3.11-slim")
    return layer


def pulled(
    registry: Registry, repository: str, digest: str, machine: str = "amd64"
) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Configuration and files of an image, as somebody gets it who pulls it."""
    manifest = registry.read_manifest(repository, digest)
    if manifest.is_index:
        entries = [Descriptor.from_json(one) for one in manifest.document["manifests"]]
        [wanted] = [one for one in entries if one.platform and one.platform.architecture == machine]
        manifest = registry.read_manifest(repository, wanted.digest)
    config = json.loads(registry.read_blob(repository, Descriptor.from_json(manifest.document["config"])))
    files: dict[str, bytes] = {}
    for one, diff_id in zip(manifest.document["layers"], config["rootfs"]["diff_ids"], strict=True):
        data = gzip.decompress(registry.read_blob(repository, Descriptor.from_json(one)))
        assert f"sha256:{hashlib.sha256(data).hexdigest()}" == diff_id
        with tarfile.open(fileobj=io.BytesIO(data)) as tar:
            files |= {member.name: tar.extractfile(member).read() for member in tar if member.isfile()}  # type: ignore[union-attr]
            assert {(member.uid, member.gid) for member in tar} == {(0, 0)}
    return config, files


def test_an_image_is_made_and_can_be_pulled(context: Context, registry: Registry) -> None:
    lines: list[str] = []
    built = build_without_daemon(context, push=f"{registry.name}/made/delay:3", told=lines.append)
    assert (built.builder, built.is_pushed, built.platforms) == ("python", True, ("linux/amd64",))
    assert registry.read_manifest("made/delay", "3").digest == built.digest
    config, files = pulled(registry, "made/delay", built.digest)
    packages = "opt/venv/lib/python3.11/site-packages"
    assert files[f"{packages}/native/x.so"] == b"x86"
    assert files["opt/ml/model/data/model.bin"] == b"weights"
    assert files["project/look.py"] == b"GREY = 1\n"
    assert files["etc/os-release"] == b"NAME=test\n"
    assert f"{packages}/pure/__pycache__/__init__.cpython-311.pyc" in files
    assert "opt/app/lib/jupyter_mlops/__pycache__/__init__.cpython-311.pyc" in files
    inner = config["config"]
    assert (inner["User"], inner["WorkingDir"]) == ("10001:10001", PROJECT)
    assert inner["Entrypoint"] == ["python", "-m", "jupyter_mlops.serving"]
    assert "Cmd" not in inner  # the base's is not ours
    env = dict(one.split("=", 1) for one in inner["Env"])
    assert env["PATH"] == "/opt/venv/bin:/usr/local/bin:/bin"
    assert (env["PYTHONUSERBASE"], env["PYTHONPATH"]) == ("/opt/venv", LIB)
    assert inner["Healthcheck"]["Test"] == ["CMD", "true"]
    assert any(line.startswith("pushed: ") for line in lines)


def test_nothing_in_an_image_tells_of_this_machine(
    context: Context, registry: Registry, tmp_path: Path
) -> None:
    built = build_without_daemon(context, push=f"{registry.name}/made/clean:1")
    _, files = pulled(registry, "made/clean", built.digest)
    script = files["opt/venv/bin/pure-run"]
    assert script.startswith(b"#!/usr/bin/env python3\n")
    for path, data in files.items():
        assert str(tmp_path).encode() not in data, path
        assert b".venv" not in data, path
    record = files["opt/venv/lib/python3.11/site-packages/pure-1.0.dist-info/RECORD"].decode()
    digest = base64.urlsafe_b64encode(hashlib.sha256(script).digest()).rstrip(b"=").decode()
    assert f"bin/pure-run,sha256={digest},{len(script)}" in record
    assert (
        b"/opt/venv/lib/python3.11/site-packages/pure/__init__.py"
        in (files["opt/venv/lib/python3.11/site-packages/pure/__pycache__/__init__.cpython-311.pyc"])
    )


def test_the_same_context_is_the_same_digest(context: Context, registry: Registry, tmp_path: Path) -> None:
    first, again, fresh = (
        build_without_daemon(
            context, push=f"{registry.name}/same/{name}:1", cache=LayerCache(tmp_path / folder)
        )
        for name, folder in (("a", "c1"), ("b", "c1"), ("c", "c2"))
    )
    assert first.digest == again.digest == fresh.digest
    changed = replace(context, code={**context.code, f"{PROJECT}/look.py": b"GREY = 2\n"})
    other = build_without_daemon(changed, push=f"{registry.name}/same/a:2")
    assert other.digest != first.digest
    layers = [registry.read_manifest("same/a", tag).document["layers"] for tag in ("1", "2")]
    assert layers[0][:-1] == layers[1][:-1]  # only the code's layer is another


def test_one_image_for_two_platforms(context: Context, registry: Registry) -> None:
    built = build_without_daemon(context, platforms=BOTH, push=f"{registry.name}/multi/x:1")
    for machine, content in (("amd64", b"x86"), ("arm64", b"arm")):
        config, files = pulled(registry, "multi/x", built.digest, machine)
        assert config["architecture"] == machine
        assert files["opt/venv/lib/python3.11/site-packages/native/x.so"] == content
    assert built.platforms == BOTH


def test_what_is_pushed_is_signed_and_has_its_bill(context: Context, registry: Registry) -> None:
    key = SigningKey.generate()
    built = build_without_daemon(context, push=f"{registry.name}/signed/x:1", key=key)
    assert built.is_signed
    assert verify_image(registry, parse_reference(built.reference), key.public)
    [bill] = referrers(registry, "signed/x", built.digest, "application/vnd.cyclonedx+json")
    document = registry.read_manifest("signed/x", bill.digest).document
    content = registry.read_blob("signed/x", Descriptor.from_json(document["layers"][0]))
    assert json.loads(content) == {"bomFormat": "CycloneDX"}


def test_a_file_instead_of_a_registry(context: Context, tmp_path: Path) -> None:
    built = build_without_daemon(context, platforms=BOTH, output=tmp_path / "layout")
    manifest = Layout(tmp_path / "layout").read_manifest("latest")
    assert (manifest.digest, manifest.is_index) == (built.digest, True)
    again = build_without_daemon(context, platforms=BOTH, output=tmp_path / "image.tar", name="delay:4")
    assert again.digest == built.digest
    assert (built.name, built.is_pushed) == ("localhost/delay:latest", False)
    assert again.name == "localhost/delay:4"


def test_a_base_from_a_file_goes_up_with_the_rest(
    context: Context, registry: Registry, tmp_path: Path
) -> None:
    layer, images = base_images(tmp_path)
    write_layout(tmp_path / "python", images, {layer.descriptor.digest: layer.path}, "x", "v1")
    built = build_without_daemon(
        context, base=f"oci:{tmp_path}/python:v1", push=f"{registry.name}/from-file/x:1"
    )
    assert pulled(registry, "from-file/x", built.digest)[1]["etc/os-release"] == b"NAME=test\n"


def test_a_base_of_another_registry_is_carried_over(
    context: Context, registry: Registry, locked_host: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    login = {"auths": {locked_host: {"auth": base64.b64encode(b"anna:s3cret pass").decode()}}}
    (tmp_path / "auth.json").write_text(json.dumps(login))
    monkeypatch.setenv("REGISTRY_AUTH_FILE", str(tmp_path / "auth.json"))
    built = build_without_daemon(context, push=f"{locked_host}/carried/x:1")
    target = Registry(locked_host)
    assert pulled(target, "carried/x", built.digest)[1]["etc/os-release"] == b"NAME=test\n"


def test_where_one_layer_is_refused_the_others_stop(
    context: Context, locked_host: str, line: Callable[[str], Line], tmp_path: Path
) -> None:
    """Nobody is logged in: the error is told at once, and no tag is there."""
    big = tmp_path / "big.bin"
    big.write_bytes(b"0" * (5 << 20))
    context = replace(context, code={**context.code, f"{MODEL}/big.bin": big})
    with pytest.raises(AccessDenied, match="anonymous user"):
        build_without_daemon(context, push=f"{line(locked_host).host}/refused/x:1")


# --- what cannot be -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"system_packages": ("libgomp1",)}, "needs Debian packages: libgomp1"),
        ({"files": {"requirements.vcs": b"x @ git+https://h/x@0\n"}}, "version control system"),
        ({"platforms": ("linux/arm64",)}, "is not locked for linux/amd64"),
        ({"python": "3.12"}, "has Python 3.11.7, and Delay was locked for 3.12"),
    ],
)
def test_what_needs_a_builder_is_told_first(
    context: Context, registry: Registry, change: dict[str, Any], told: str
) -> None:
    with pytest.raises(InvalidInput, match=told):
        build_without_daemon(replace(context, **change), push=f"{registry.name}/never/x:1")
    with pytest.raises(NotFound):
        registry.tags("never/x")


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({}, "has to go somewhere"),
        ({"push": "localhost/x@sha256:" + "0" * 64}, "has a digest"),
        ({"push": "localhost/x", "platforms": ("linux/s390x",)}, "no platform that can be built"),
        ({"push": "localhost/x", "platforms": ()}, "one platform or more"),
    ],
)
def test_what_is_asked_wrongly_is_told(context: Context, options: dict[str, Any], told: str) -> None:
    with pytest.raises(InvalidInput, match=told):
        build_without_daemon(context, **options)


def test_a_base_for_another_platform_is_told(context: Context, registry: Registry, tmp_path: Path) -> None:
    _, images = base_images(tmp_path)
    registry.put_manifest("base/python", *make_index(images[:1]), tag="amd")
    with pytest.raises(NotFound, match="is not made for linux/arm64") as caught:
        build_without_daemon(
            replace(context, base=f"{registry.name}/base/python:amd"),
            platforms=("linux/arm64",),
            push=f"{registry.name}/never/y:1",
        )
    assert caught.value.hint == "it is for linux/amd64"


def test_another_file_than_the_locked_one_is_refused(context: Context, registry: Registry) -> None:
    lock = context.requirements_lock.replace("pure==1.0 --hash=sha256:", "pure==1.0 --hash=sha256:0")[:-1]
    lock = "pure==1.0 --hash=sha256:" + "0" * 64 + "\n" + lock.partition("\n")[2]
    with pytest.raises(BuildFailed, match="cannot install what was locked for linux/amd64") as caught:
        build_without_daemon(replace(context, requirements_lock=lock), push=f"{registry.name}/never/z:1")
    assert "not what was locked" in caught.value.hint


BACKEND = """
import base64, hashlib, zipfile

def build_wheel(folder, config_settings=None, metadata_directory=None):
    files = {
        "source_only/__init__.py": b"X = 1",
        "source_only-1.0.dist-info/METADATA": b"Metadata-Version: 2.1\\nName: source-only\\nVersion: 1.0\\n",
        "source_only-1.0.dist-info/WHEEL": b"Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: TAG\\n",
    }
    rows = "".join(
        f"{path},sha256={base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b'=').decode()},{len(data)}\\n"
        for path, data in files.items()
    )
    with zipfile.ZipFile(f"{folder}/source_only-1.0-TAG.whl", "w") as archive:
        for path, data in files.items():
            archive.writestr(path, data)
        archive.writestr("source_only-1.0.dist-info/RECORD", rows + "source_only-1.0.dist-info/RECORD,,\\n")
    return "source_only-1.0-TAG.whl"
"""
BUILD_SYSTEM = """
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]

[project]
name = "source-only"
version = "1.0"
"""


def source(folder: Path, tag: str) -> str:
    """A distribution that has only a source, which builds a wheel of that tag; its line of a lock."""
    files = {
        "PKG-INFO": "Metadata-Version: 2.1\nName: source-only\nVersion: 1.0\n",
        "pyproject.toml": BUILD_SYSTEM,
        "backend.py": BACKEND.replace("TAG", tag),
    }
    target = folder / "source_only-1.0.tar.gz"
    with tarfile.open(target, "w:gz") as tar:
        for path, text in files.items():
            info = tarfile.TarInfo(f"source_only-1.0/{path}")
            info.size = len(text)
            tar.addfile(info, io.BytesIO(text.encode()))
    return f"source-only==1.0 --hash=sha256:{hashlib.sha256(target.read_bytes()).hexdigest()}\n"


def test_the_program_of_a_pipelines_image_may_be_executed(
    context: Context, registry: Registry, tmp_path: Path
) -> None:
    context = replace(context, code={**context.code, PROGRAM: b"#!/bin/sh\n"})
    build_without_daemon(context, output=tmp_path / "image.tar")
    modes = {}
    with tarfile.open(tmp_path / "image.tar") as archive:
        for member in archive:
            blob = archive.extractfile(member)
            if blob is not None and (data := blob.read()).startswith(b"\x1f\x8b"):
                with tarfile.open(fileobj=io.BytesIO(data)) as layer:
                    modes |= {one.name: one.mode for one in layer}
    assert (modes[PROGRAM.lstrip("/")], modes["project/look.py"]) == (0o755, 0o644)


@pytest.mark.slow
def test_a_source_of_python_alone_is_built_for_every_platform(
    context: Context, registry: Registry, tmp_path: Path
) -> None:
    lock = source(tmp_path / "wheels", "py3-none-any") + context.requirements_lock
    context = replace(context, requirements_lock=lock)
    build_without_daemon(context, push=f"{registry.name}/sourced/x:1", platforms=BOTH)
    for machine in ("amd64", "arm64"):
        _, files = pulled(registry, "sourced/x", "1", machine)
        assert files["opt/venv/lib/python3.11/site-packages/source_only/__init__.py"] == b"X = 1"


@pytest.mark.slow
@pytest.mark.parametrize("platform", BOTH)
def test_a_distribution_that_has_to_be_compiled_is_told(
    platform: str, context: Context, registry: Registry, tmp_path: Path
) -> None:
    lock = source(tmp_path / "wheels", "cp311-cp311-linux_x86_64")
    context = replace(context, requirements_lock=lock)
    with pytest.raises(BuildFailed, match=r"source.only") as caught:
        build_without_daemon(context, push=f"{registry.name}/never/z:1", platforms=[platform])
    assert "build with docker, podman or buildah" in caught.value.hint


def test_a_wheel_for_a_newer_glibc_is_taken_where_there_is_no_other(
    context: Context, registry: Registry, tmp_path: Path
) -> None:
    wheels = tmp_path / "wheels"
    digest = wheel(wheels, "newer", {"newer/x.so": b"2.34"}, tag="cp311-cp311-manylinux_2_34_x86_64")
    lock = f"{context.requirements_lock}newer==1.0 --hash=sha256:{digest}\n"
    built = build_without_daemon(replace(context, requirements_lock=lock), push=f"{registry.name}/newer/x:1")
    _, files = pulled(registry, "newer/x", built.digest)
    assert files["opt/venv/lib/python3.11/site-packages/newer/x.so"] == b"2.34"


# --- what is kept ---------------------------------------------------------------------------------------


def test_a_damaged_layer_of_the_cache_is_made_anew(tmp_path: Path) -> None:
    cache, made = LayerCache(tmp_path / "cache"), []

    def make(target: Path) -> Layer:
        made.append(target)
        return write_layer({"a": b"1"}, target, epoch=0)

    layer = cache.keep("k", make)
    assert cache.find("k") == layer
    layer.path.write_bytes(b"x" * layer.descriptor.size)
    assert cache.find("k") is None
    assert not cache.has(layer.descriptor.digest)
    assert cache.keep("k", make) == layer
    assert cache.find("other") is None
    assert list((tmp_path / "cache" / "tmp").iterdir()) == []


def test_the_cache_forgets_what_was_not_used_for_longest(tmp_path: Path) -> None:
    import os

    cache = LayerCache(tmp_path / "cache", limit_bytes=450)
    for place, name in enumerate("abc"):
        layer = cache.keep(
            name, lambda target, name=name: write_layer({name: os.urandom(60)}, target, epoch=0)
        )
        os.utime(layer.path, (place, place)) if layer.path.exists() else None
    assert [cache.find(name) is not None for name in "abc"] == [False, True, True]
