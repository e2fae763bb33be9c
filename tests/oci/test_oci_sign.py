"""Signatures in cosign's format. cosign itself cannot be had here, and Debian's skopeo has it switched off: OpenSSL
checks what was signed, as they would."""

from __future__ import annotations

import base64
import subprocess
from pathlib import Path

import pytest

from jupyter_mlops.errors import InvalidInput, NotFound, SecretNotFound
from jupyter_mlops.image_names import Reference, parse_reference
from jupyter_mlops.oci.descriptor import Descriptor, Platform
from jupyter_mlops.oci.image import Base, Part, Settings, make_image
from jupyter_mlops.oci.keys import PublicKey, SigningKey
from jupyter_mlops.oci.layer import write_layer
from jupyter_mlops.oci.registry import Registry
from jupyter_mlops.oci.sign import sign_image, signature_tag, verify_image


@pytest.fixture
def key() -> SigningKey:
    return SigningKey.generate()


def pushed(registry: Registry, repository: str, folder: Path, content: bytes = b"x") -> Reference:
    layer = write_layer({"x": content}, folder / "layer", epoch=0)
    parts = [Part(layer.descriptor, layer.diff_id, "x")]
    image = make_image(Base(), parts, Settings(), platform=Platform("linux", "amd64"), epoch=0)
    registry.put_blob(repository, layer.path, layer.descriptor.digest)
    registry.put_blob(repository, image.config, image.config_descriptor.digest)
    registry.put_manifest(repository, image.manifest, image.media_type, "v1")
    return parse_reference(f"{registry.name}/{repository}:v1").with_digest(image.descriptor.digest)


def test_what_is_signed_is_verified(registry: Registry, key: SigningKey, tmp_path: Path) -> None:
    image = pushed(registry, "sign/a", tmp_path)
    assert sign_image(registry, image, key, {"run": "r1"}) == signature_tag(image)
    [found] = verify_image(registry, image, key.public)
    assert (found.digest, found.repository, found.optional) == (image.digest, image.name, {"run": "r1"})


def test_signatures_add_up_and_do_not_repeat(registry: Registry, key: SigningKey, tmp_path: Path) -> None:
    image, other = pushed(registry, "sign/b", tmp_path), SigningKey.generate()
    for one in (key, other, key):
        sign_image(registry, image, one)
    assert len(verify_image(registry, image, key.public)) == 1
    assert len(verify_image(registry, image, other.public)) == 1
    layers = registry.read_manifest("sign/b", signature_tag(image)).document["layers"]
    assert len(layers) == 2


def test_another_key_another_image_another_repository_do_not_count(
    registry: Registry, key: SigningKey, tmp_path: Path
) -> None:
    image = pushed(registry, "sign/c", tmp_path)
    with pytest.raises(NotFound, match="has no signature"):
        verify_image(registry, image, key.public)
    sign_image(registry, image, key)
    with pytest.raises(NotFound, match="a signature by another key"):
        verify_image(registry, image, SigningKey.generate().public)
    # the same signature, moved to where it does not belong
    elsewhere = pushed(registry, "sign/moved", tmp_path)
    other = pushed(registry, "sign/c", tmp_path, b"y")
    manifest = registry.read_manifest("sign/c", signature_tag(image))
    for target in (elsewhere, other):
        for one in [manifest.document["config"], *manifest.document["layers"]]:
            data = registry.read_blob("sign/c", Descriptor.from_json(one))
            registry.put_blob(target.repository, data, one["digest"])
        registry.put_manifest(target.repository, manifest.data, manifest.media_type, signature_tag(target))
        with pytest.raises(NotFound):
            verify_image(registry, target, key.public)


def test_only_a_digest_is_signed(registry: Registry, key: SigningKey) -> None:
    with pytest.raises(InvalidInput, match="not named by its digest"):
        sign_image(registry, parse_reference("localhost/x:v1"), key)


# --- keys -----------------------------------------------------------------------------------------------


def test_a_sealed_key_opens_with_its_password(
    key: SigningKey, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "cosign.key"
    path.write_bytes(key.sealed("open sesame"))
    assert SigningKey.read(path, "open sesame").public.pem == key.public.pem
    with pytest.raises(SecretNotFound, match="no password") as caught:
        SigningKey.read(path)
    assert "COSIGN_PASSWORD" in caught.value.hint
    with pytest.raises(InvalidInput, match="does not open"):
        SigningKey.read(path, "open")
    monkeypatch.setenv("COSIGN_PASSWORD", "open sesame")
    assert SigningKey.read(path).public.pem == key.public.pem
    assert "PRIVATE" not in repr(key)


@pytest.mark.parametrize("more", [[], ["-aes256", "-passout", "pass:pw"]])
def test_keys_of_openssl_sign_and_it_verifies(registry: Registry, tmp_path: Path, more: list[str]) -> None:
    private, public = tmp_path / "key.pem", tmp_path / "key.pub"
    command = [
        "openssl",
        "genpkey",
        "-algorithm",
        "EC",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-out",
        private,
    ]
    subprocess.run(
        [*command, *[one.replace("-passout", "-pass") for one in more]], check=True, capture_output=True
    )
    opened = ["-passin", "pass:pw"] if more else []
    subprocess.run(["openssl", "pkey", "-in", private, *opened, "-pubout", "-out", public], check=True)
    key = SigningKey.read(private, "pw" if more else None)
    image = pushed(registry, f"sign/ssl{len(more)}", tmp_path)
    sign_image(registry, image, key)
    assert verify_image(registry, image, PublicKey.read(public))
    [layer] = registry.read_manifest(image.repository, signature_tag(image)).document["layers"]
    (tmp_path / "payload").write_bytes(registry.read_blob(image.repository, Descriptor.from_json(layer)))
    signature = layer["annotations"]["dev.cosignproject.cosign/signature"]
    (tmp_path / "signature").write_bytes(base64.b64decode(signature))
    command = ["openssl", "dgst", "-sha256", "-verify", public, "-signature", tmp_path / "signature"]
    done = subprocess.run([*command, tmp_path / "payload"], check=True, capture_output=True, text=True)
    assert "Verified OK" in done.stdout


@pytest.mark.parametrize("content", [b"", b"-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----\n",
                                     b"-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----\ne30=\n-----END"])  # fmt: skip
def test_what_is_no_key_is_told(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(content)
    with pytest.raises(InvalidInput, match="is no"):
        SigningKey.read(tmp_path / "key", "pw")
    with pytest.raises(InvalidInput, match="is no public key"):
        PublicKey.read(tmp_path / "key")
    with pytest.raises(NotFound, match="cannot read the key"):
        SigningKey.read(tmp_path / "none")


def test_a_key_of_another_kind_is_told(tmp_path: Path) -> None:
    subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", tmp_path / "key"], check=True)
    with pytest.raises(InvalidInput, match="of another kind"):
        SigningKey.read(tmp_path / "key")
