"""Images: what is made here, skopeo and podman read; and what they make, we do."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_mlops.errors import Conflict, CorruptBlob, InvalidInput, NotFound
from jupyter_mlops.oci.descriptor import DOCKER_MANIFEST, Descriptor, Platform, digest_of
from jupyter_mlops.oci.image import Base, Health, Image, Part, Settings, make_image, make_index
from jupyter_mlops.oci.layer import Layer, write_layer
from jupyter_mlops.oci.layout import Layout, parse_layout, write_archive, write_layout
from jupyter_mlops.oci.registry import Registry

AMD, ARM = Platform("linux", "amd64"), Platform("linux", "arm64")
SETTINGS = Settings(
    env={"PATH": "/opt/bin:/usr/bin", "A": "1=2"},
    entrypoint=("python", "-m", "x"),
    user="10001:10001",
    workdir="/opt",
    labels={"org.opencontainers.image.title": "tëst"},
    ports=(8080,),
    health=Health(command=("true",), interval_seconds=10, timeout_seconds=2.5, start_seconds=60, retries=3),
    stop_signal="SIGTERM",
)


@pytest.fixture
def layer(tmp_path: Path) -> Layer:
    return write_layer({"/opt/x": b"x" * 100}, tmp_path / "a-layer", epoch=0)


def made(
    layer: Layer, *, platform: Platform = AMD, base: Base | None = None, is_docker: bool = False
) -> Image:
    part = Part(layer.descriptor, layer.diff_id, "the code")
    return make_image(base or Base(), [part], SETTINGS, platform=platform, epoch=0, is_docker=is_docker)


def blobs_of(layer: Layer) -> dict[str, Path]:
    return {layer.descriptor.digest: layer.path}


def test_a_configuration_is_made_on_that_of_the_base(layer: Layer) -> None:
    below = {
        "architecture": "amd64",
        "os": "linux",
        "config": {
            "Env": ["PATH=/usr/bin", "LANG=C.UTF-8"],
            "Cmd": ["python3"],
            "Labels": {"of": "base"},
            "Healthcheck": {"Test": ["NONE"]},
            "ExposedPorts": {"1/tcp": {}},
        },
        "rootfs": {"type": "layers", "diff_ids": [digest_of(b"d")]},
        "history": [{"created_by": "base"}],
    }
    under = Descriptor("application/vnd.docker.image.rootfs.diff.tar.gzip", digest_of(b"l"), 1)
    image = made(layer, base=Base(below, (under,), "docker.io/library/python:3.11-slim", digest_of(b"b")))
    config = json.loads(image.config)
    assert config["config"] == {
        "Entrypoint": ["python", "-m", "x"],
        "Env": ["PATH=/opt/bin:/usr/bin", "LANG=C.UTF-8", "A=1=2"],
        "ExposedPorts": {"1/tcp": {}, "8080/tcp": {}},
        "Healthcheck": {
            "Test": ["CMD", "true"],
            "Interval": 10**10,
            "Timeout": 25 * 10**8,
            "StartPeriod": 60 * 10**9,
            "Retries": 3,
        },
        "Labels": {"of": "base", "org.opencontainers.image.title": "tëst"},
        "StopSignal": "SIGTERM",
        "User": "10001:10001",
        "WorkingDir": "/opt",
    }
    assert config["rootfs"]["diff_ids"] == [digest_of(b"d"), layer.diff_id]
    assert [one.get("empty_layer", False) for one in config["history"]] == [False, False, True]
    manifest = json.loads(image.manifest)
    assert {one["mediaType"] for one in manifest["layers"]} == {"application/vnd.oci.image.layer.v1.tar+gzip"}
    assert manifest["annotations"]["org.opencontainers.image.base.digest"] == digest_of(b"b")


def test_the_same_image_has_the_same_digest(layer: Layer) -> None:
    assert made(layer) == made(layer)
    assert made(layer).descriptor.digest != made(layer, platform=ARM).descriptor.digest


def test_a_base_that_does_not_fit_itself_is_refused(layer: Layer) -> None:
    with pytest.raises(InvalidInput, match="is damaged"):
        made(layer, base=Base({"rootfs": {"diff_ids": []}}, (layer.descriptor,), "b"))
    foreign = Descriptor("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", digest_of(b"l"), 1)
    with pytest.raises(InvalidInput, match="cannot be copied"):
        made(layer, base=Base({"rootfs": {"diff_ids": ["sha256:1"]}}, (foreign,), "b"))


@pytest.mark.parametrize("text", ["linux", "linux/", "a/b/c/d", "linux/amd64;x"])
def test_what_is_no_platform_is_told(text: str) -> None:
    with pytest.raises(InvalidInput, match="is no platform"):
        Platform.parse(text)


def test_arm64_is_v8() -> None:
    assert Platform.parse("linux/arm64").matches({"os": "linux", "architecture": "arm64", "variant": "v8"})
    assert not Platform.parse("linux/arm/v7").matches({"os": "linux", "architecture": "arm", "variant": "v6"})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.just("sha256:" + "0" * 64),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["mediaType", "digest", "size", "platform", "annotations", "os"]), inner
        )
    ),
    max_leaves=12,
)


@given(JSON)
def test_whatever_stands_in_a_manifest_is_a_descriptor_or_an_error(document: Any) -> None:
    try:
        found = Descriptor.from_json(document)
    except InvalidInput:
        return
    assert found.size >= 0
    assert found.digest.startswith("sha256:")


# --- files ----------------------------------------------------------------------------------------------


def test_a_layout_is_read_again(layer: Layer, tmp_path: Path) -> None:
    images = [made(layer), made(layer, platform=ARM)]
    digest = write_layout(tmp_path / "layout", images, blobs_of(layer), "example.com/x", "v1")
    assert write_layout(tmp_path / "layout", images, blobs_of(layer), "example.com/x", "v1") == digest
    layout = Layout(tmp_path / "layout")
    found = layout.read_manifest("v1")
    assert (found.is_index, found.digest, found.data) == (True, digest, make_index(images)[0])
    inner = layout.read_manifest(images[1].descriptor.digest)
    assert Descriptor.from_json(inner.document["config"]).digest == digest_of(images[1].config)
    with pytest.raises(NotFound, match="0 images that are called 'v2'"):
        layout.read_manifest("v2")
    layout.blob(images[1].descriptor.digest).write_bytes(b"other")
    with pytest.raises(CorruptBlob):
        layout.read_manifest(images[1].descriptor.digest)


def test_a_folder_of_something_else_stays(layer: Layer, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "work.txt").write_text("mine")
    with pytest.raises(Conflict, match="no OCI layout"):
        write_layout(tmp_path / "mine", [made(layer)], blobs_of(layer), "x", "v1")
    assert (tmp_path / "mine" / "work.txt").read_text() == "mine"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a-layer", "mine"]


def test_the_names_of_layouts() -> None:
    assert parse_layout("oci:a/b:v1") == (Path("a/b"), "v1")
    assert parse_layout("oci:a/b") == (Path("a/b"), "")
    with pytest.raises(InvalidInput):
        parse_layout("oci:")


# --- other tools ----------------------------------------------------------------------------------------


def skopeo(*arguments: object) -> Any:
    if shutil.which("skopeo") is None:
        pytest.skip("skopeo is not installed")
    done = subprocess.run(["skopeo", *map(str, arguments)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout) if done.stdout.startswith("{") else done.stdout


def test_skopeo_reads_layouts_and_archives(layer: Layer, tmp_path: Path) -> None:
    image = made(layer)
    write_layout(tmp_path / "layout", [image], blobs_of(layer), "example.com/x", "v1")
    digest = write_archive(tmp_path / "x.tar", [image], blobs_of(layer), "example.com/x", "v1")
    for source in (f"oci:{tmp_path}/layout:v1", f"oci-archive:{tmp_path}/x.tar:v1"):
        found = skopeo("inspect", source)
        assert (found["Digest"], found["Labels"]["org.opencontainers.image.title"]) == (digest, "tëst")
    assert (
        skopeo("inspect", "--config", f"docker-archive:{tmp_path}/x.tar")["config"]["User"] == "10001:10001"
    )
    first = (tmp_path / "x.tar").read_bytes()
    write_archive(tmp_path / "x.tar", [image], blobs_of(layer), "example.com/x", "v1")
    assert (tmp_path / "x.tar").read_bytes() == first


@pytest.mark.parametrize("is_docker", [False, True])
def test_skopeo_reads_what_was_pushed(
    registry: Registry, layer: Layer, tmp_path: Path, is_docker: bool
) -> None:
    images = [made(layer, platform=platform, is_docker=is_docker) for platform in (AMD, ARM)]
    registry.put_blob("skopeo/x", layer.path, layer.descriptor.digest)
    for image in images:
        registry.put_blob("skopeo/x", image.config, image.config_descriptor.digest)
        registry.put_manifest("skopeo/x", image.manifest, image.media_type)
    registry.put_manifest("skopeo/x", *make_index(images), tag="v1")
    name = f"docker://{registry.name}/skopeo/x:v1"
    found = skopeo("--override-arch", "arm64", "inspect", "--tls-verify=false", name)
    assert found["Architecture"] == "arm64"
    skopeo("copy", "--all", "--src-tls-verify=false", name, f"oci:{tmp_path}/back:v1")
    assert (images[0].media_type == DOCKER_MANIFEST) is is_docker


def test_what_skopeo_wrote_we_read(registry: Registry, layer: Layer, tmp_path: Path) -> None:
    image = made(layer)
    write_layout(tmp_path / "layout", [image], blobs_of(layer), "example.com/x", "v1")
    skopeo(
        "copy",
        "--dest-tls-verify=false",
        f"oci:{tmp_path}/layout:v1",
        f"docker://{registry.name}/skopeo/y:v1",
    )
    assert registry.read_manifest("skopeo/y", "v1").digest == image.descriptor.digest
