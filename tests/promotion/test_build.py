"""What builders are told, which of them is chosen, and what of this machine a build may read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from jupyter_mlops.errors import BuildFailed, InvalidInput, MissingExtra
from jupyter_mlops.promotion import build
from jupyter_mlops.promotion.build_secrets import Secret, own_secrets
from jupyter_mlops.promotion.traces import cleaned

SECRETS = [Secret("pip_conf", Path("/etc/pip.conf"))]


@pytest.mark.parametrize("builder", ["podman", "buildah"])
def test_what_podman_and_buildah_are_told(builder: Any) -> None:
    words = build.build_command(
        builder,
        Path("ctx"),
        "r.example/a:1",
        epoch=7,
        secrets=SECRETS,
        id_file=Path("id"),
        platform="linux/arm64",
    )
    assert words == [
        builder, "build", "--format", "docker", "--layers", "--identity-label=false", "--timestamp", "7",
        "--tag", "r.example/a:1", "--platform", "linux/arm64", "--secret", "id=pip_conf,src=/etc/pip.conf",
        "--iidfile", "id", "ctx",
    ]  # fmt: skip
    push = build.push_command(builder, "127.0.0.1:5000/a:1", digest_file=Path("d"), is_plain=True)
    assert push == [
        builder, "push", "--tls-verify=false", "--digestfile", "d", "127.0.0.1:5000/a:1", "docker://127.0.0.1:5000/a:1",
    ]  # fmt: skip


def test_what_docker_is_told() -> None:
    words = build.build_command(
        "docker", Path("ctx"), "a:1", epoch=7, secrets=SECRETS, id_file=Path("id"), is_cached=False
    )
    assert words == [
        "docker", "build", "--progress=plain", "--provenance=false", "--build-arg", "SOURCE_DATE_EPOCH=7",
        "--output", "type=docker,name=a:1,rewrite-timestamp=true", "--no-cache",
        "--secret", "id=pip_conf,src=/etc/pip.conf", "--iidfile", "id", "ctx",
    ]  # fmt: skip
    archived = build.build_command(
        "docker", Path("ctx"), "a:1", epoch=7, id_file=Path("id"), archive=Path("a.tar")
    )
    assert "type=docker,name=a:1,dest=a.tar,rewrite-timestamp=true" in archived
    assert build.push_command("docker", "a:1", digest_file=Path("d"), is_plain=False) == [
        "docker",
        "push",
        "a:1",
    ]


def on_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, **scripts: str) -> None:
    """Programs of these names, and no others, on the path."""
    for name, script in scripts.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    build._answers.cache_clear()


@pytest.fixture(autouse=True)
def forgets() -> Any:
    yield
    build._answers.cache_clear()


def test_the_first_builder_that_answers_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    on_path(tmp_path, monkeypatch, docker="exit 1", buildah="exit 0")
    assert build.find_builder() == "buildah", "docker is there, but not its daemon"
    with pytest.raises(MissingExtra, match="docker does not answer"):
        build.find_builder("docker")
    with pytest.raises(MissingExtra, match="podman is not installed"):
        build.find_builder("podman")
    on_path(tmp_path, monkeypatch, podman="exit 0")
    assert build.find_builder() == "podman"
    on_path(tmp_path, monkeypatch, docker="exit 0")
    assert build.find_builder() == "docker"


def test_without_any_builder_python_does_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    on_path(tmp_path, monkeypatch)
    assert build.find_builder() == "python"
    with pytest.raises(InvalidInput, match="no builder 'kaniko'"):
        build.find_builder("kaniko")


def test_a_build_that_fails_says_what_was_said_last(tmp_path: Path) -> None:
    told: list[str] = []
    with pytest.raises(BuildFailed, match="could not build: the end") as caught:
        build._run(
            ["sh", "-c", "echo begin; echo CERTIFICATE_VERIFY_FAILED; echo the end; exit 3"],
            "could not build",
            told.append,
        )
    assert told == ["begin", "CERTIFICATE_VERIFY_FAILED", "the end"]
    assert "--secret ca=FILE" in caught.value.hint
    assert "begin" in caught.value.fields["log"]
    with pytest.raises(BuildFailed, match="No such file"):
        build._run(["/no/such/program"], "could not build", told.append)


def test_digests_are_found_in_what_tools_say() -> None:
    digest = "ab" * 32
    assert build._find_digest(f"{digest}\n") == f"sha256:{digest}"
    assert build._find_digest(f"1: digest: sha256:{digest} size: 1234") == f"sha256:{digest}"
    with pytest.raises(BuildFailed, match="no digest"):
        build._find_digest("nothing")


# --- secrets ------------------------------------------------------------------------------------------------


def test_pip_is_told_in_a_build_what_it_is_told_here(tmp_path: Path) -> None:
    certificates = tmp_path / "ca.pem"
    certificates.write_text("-----BEGIN CERTIFICATE-----\n")
    (tmp_path / "pip.conf").write_text(
        "[global]\nfind-links = /wheels\nextra-index-url = https://extra.example/simple file:///wheels/simple\n"
    )
    (tmp_path / ".netrc").write_text("machine index.example login me password secret\n")
    env = {
        "HOME": str(tmp_path),
        "PIP_CONFIG_FILE": str(tmp_path / "pip.conf"),
        "PIP_INDEX_URL": "https://me:secret@index.example/simple",
        "PIP_CERT": str(certificates),
    }
    with own_secrets(env) as secrets:
        found = {secret.name: secret.path for secret in secrets}
        text = found["pip_conf"].read_text()
        assert "index-url = https://me:secret@index.example/simple" in text
        assert "https://extra.example/simple" in text
        assert "cert = /etc/ssl/certs/ca-certificates.crt" in text, "where the secret is mounted"
        assert "wheels" not in text, "that folder is not in the container"
        assert found["pip_conf"].stat().st_mode & 0o077 == 0
        assert found["ca"] == certificates
        assert found["netrc"] == tmp_path / ".netrc"
        kept = found["pip_conf"]
    assert not kept.exists()


def test_what_is_given_wins(tmp_path: Path) -> None:
    own = tmp_path / "other.conf"
    own.write_text("[global]\n")
    with own_secrets(
        {"HOME": str(tmp_path), "PIP_INDEX_URL": "https://x.example"}, [Secret.read(f"pip_conf={own}")]
    ) as secrets:
        assert [secret.path for secret in secrets if secret.name == "pip_conf"] == [own]


@pytest.mark.parametrize("text", ["pip_config=/etc/passwd", "pip_conf=/no/such/file", "pip_conf", "="])
def test_secrets_that_are_none(text: str) -> None:
    with pytest.raises(InvalidInput):
        Secret.read(text)


# --- traces -------------------------------------------------------------------------------------------------


def test_what_differs_from_build_to_build_is_taken_out_and_nothing_else() -> None:
    config = {
        "created": "2000-01-01T00:00:00Z", "container": "random", "parent": "sha256:random", "architecture": "amd64",
        "container_config": {"Hostname": "random"},
        "config": {"Hostname": "random", "User": "10001", "Healthcheck": {"Test": ["CMD", "x"]}, "Image": ""},
        "rootfs": {"type": "layers", "diff_ids": ["sha256:1"]},
        "history": [{"created_by": "RUN x", "comment": "FROM random", "empty_layer": True}],
    }  # fmt: skip
    text = json.dumps(cleaned(config))
    assert "random" not in text
    assert cleaned(config) == {
        "created": "2000-01-01T00:00:00Z", "architecture": "amd64",
        "config": {"User": "10001", "Healthcheck": {"Test": ["CMD", "x"]}},
        "rootfs": config["rootfs"], "history": [{"created_by": "RUN x", "empty_layer": True}],
    }  # fmt: skip
    assert cleaned(cleaned(config)) == cleaned(config)
