"""Names of images: read as docker reads them, written so that they are read the same again."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_mlops.errors import InvalidInput
from jupyter_mlops.image_names import Reference, is_loopback, parse_reference

DIGEST = "sha256:" + "0123456789abcdef" * 4


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("python", "docker.io/library/python"),
        ("python:3.11-slim", "docker.io/library/python:3.11-slim"),
        ("team/app:1", "docker.io/team/app:1"),
        ("docker.io/python", "docker.io/library/python"),
        ("index.docker.io/team/app", "docker.io/team/app"),
        ("registry-1.docker.io/library/python", "docker.io/library/python"),
        ("localhost/app", "localhost/app"),
        ("localhost:5000/app:v1", "localhost:5000/app:v1"),
        ("127.0.0.1:5000/a/b/c:v1", "127.0.0.1:5000/a/b/c:v1"),
        ("[::1]:5000/app", "[::1]:5000/app"),
        ("ghcr.io/some-team/app_x.y__z:V-1.2_3", "ghcr.io/some-team/app_x.y__z:V-1.2_3"),
        ("Registry/app", "Registry/app"),
        (f"app@{DIGEST}", f"docker.io/library/app@{DIGEST}"),
        (f"ghcr.io/t/app:1@{DIGEST}", f"ghcr.io/t/app:1@{DIGEST}"),
        ("a-registry.example.com:443/x--y/z", "a-registry.example.com:443/x--y/z"),
    ],
)
def test_a_name_is_read_as_docker_reads_it(text: str, canonical: str) -> None:
    assert str(parse_reference(text)) == canonical


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("", "a repository is"),
        ("Python", "lower case: 'python'"),
        ("ghcr.io/Team/app", "lower case"),
        ("app:", "a tag has"),
        ("app:-x", "a tag has"),
        ("app:" + "x" * 129, "a tag has"),
        ("app@sha256:123", "a digest is"),
        ("app@", "a digest is"),
        ("a//b", "a repository is"),
        ("a/../b", "a repository is"),
        ("a___b", "a repository is"),
        ("host:99999/app", "a port is"),
        ("host:0/app", "a port is"),
        ("-host.x/app", "a registry is"),
        ("user@host.io/app", "a digest is"),
        ("https://ghcr.io/a/b", "a registry is"),
        ("a b", "a repository is"),
        ("app\n", "a repository is"),
        ("é", "a repository is"),
        ("f" * 64, "an image's ID"),
        ("localhost/" + "x" * 256, "at most 255"),
    ],
)
def test_what_is_no_name_is_told(text: str, hint: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parse_reference(text)
    assert hint in caught.value.hint


WORD = st.text(string.ascii_lowercase + string.digits, min_size=1, max_size=8)
REPOSITORY = st.lists(
    st.builds(
        lambda parts, joint: joint.join(parts), st.lists(WORD, min_size=1, max_size=3), st.sampled_from("._-")
    ),
    min_size=1,
    max_size=4,
).map("/".join)
REGISTRY = st.one_of(
    st.just("docker.io"),
    st.builds(lambda name, port: f"{name}.example:{port}", WORD, st.integers(1, 65535)),
    st.just("localhost"),
)
TAG = st.text(string.ascii_letters + string.digits + "_.-", max_size=128).map(lambda text: f"v{text}"[:128])


@given(REGISTRY, REPOSITORY, st.one_of(st.just(""), TAG), st.booleans())
def test_what_is_written_is_read_the_same(registry: str, repository: str, tag: str, is_pinned: bool) -> None:
    if registry == "docker.io" and "/" not in repository:
        repository = f"library/{repository}"
    made = Reference(registry, repository, tag, DIGEST if is_pinned else "")
    assert parse_reference(str(made)) == made


@given(st.text(max_size=60))
def test_any_text_is_a_name_or_an_error(text: str) -> None:
    try:
        found = parse_reference(text)
    except InvalidInput:
        return
    assert parse_reference(str(found)) == found
    assert ".." not in found.repository.split("/")


@pytest.mark.parametrize(
    "host", ["localhost", "localhost:5000", "127.0.0.1:1", "127.9.9.9", "[::1]:5", "a.localhost"]
)
def test_this_machine(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host", ["ghcr.io", "10.0.0.1:5000", "localhost.example.com", "127.0.0.1.nip.io:5000"]
)
def test_another_machine(host: str) -> None:
    assert not is_loopback(host)


def test_docker_hub_is_elsewhere_than_its_name() -> None:
    assert parse_reference("python").host == "registry-1.docker.io"
    assert parse_reference("python").wanted == "latest"
    assert parse_reference("python:3").with_digest(DIGEST).wanted == DIGEST
