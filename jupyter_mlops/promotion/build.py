"""Images by docker, podman or buildah: the same Dockerfile, the same times, the same secrets, whichever is there.

What is called is plain lists of words (`build_command`, `push_command`); what they print is told line by line.
The login to a registry is the tool's own. Where none of them is there, `daemonless` builds without.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal, get_args

from ..errors import BuildFailed, InvalidInput, MissingExtra, did_you_mean
from ..image_names import is_loopback, parse_reference
from .build_secrets import Secret
from .context import Built, Context, write_context
from .traces import take_out

Builder = Literal["docker", "podman", "buildah", "python"]
BUILDERS: tuple[Builder, ...] = get_args(Builder)
_LOG_LINES = 40
_ASK_SECONDS = 10.0
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")

Told = Callable[[str], None]


def find_builder(wanted: str = "") -> Builder:
    """The builder that is wanted, or the first one that works here; "python" needs none of them.

    Raises `MissingExtra` for one that is not here, `InvalidInput` for a word that is none.
    """
    if wanted and wanted not in BUILDERS:
        raise InvalidInput(f"there is no builder {wanted!r}", hint=did_you_mean(wanted, BUILDERS))
    for builder in BUILDERS:
        if wanted in ("", builder) and (builder == "python" or _answers(builder)):
            return builder
    why = "is not installed" if shutil.which(wanted) is None else "does not answer (is its daemon running?)"
    raise MissingExtra(f"{wanted} {why}", hint="install it, or build with --builder python, which needs none")


@functools.lru_cache(maxsize=8)
def _answers(builder: str) -> bool:
    """Whether it is there, and docker's daemon with its BuildKit behind it too."""
    if shutil.which(builder) is None:
        return False
    questions = {"docker": [["info", "--format", "{{.ServerVersion}}"], ["buildx", "version"]]}
    return all(
        _ask([builder, *question]).returncode == 0 for question in questions.get(builder, [["--version"]])
    )


def _keeps_with_containerd() -> bool:
    """Whether docker's engine has the containerd image store, as engines since 29 have unless told otherwise.

    That one refuses to rewrite times of what goes straight into it.
    """
    return (
        "io.containerd.snapshotter" in _ask(["docker", "info", "--format", "{{json .DriverStatus}}"]).stdout
    )


def _ask(words: Sequence[str]) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(words, capture_output=True, text=True, timeout=_ASK_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return subprocess.CompletedProcess(list(words), 127, "", str(error))


# --- what is called -----------------------------------------------------------------------------------------


def build_command(
    builder: Builder,
    folder: Path,
    name: str,
    *,
    epoch: int,
    platform: str = "",
    secrets: Sequence[Secret] = (),
    id_file: Path,
    is_cached: bool = True,
    archive: Path | None = None,
) -> list[str]:
    """The command line that builds `folder` as `name` and writes the image's id to `id_file`.

    All files get the time `epoch`, so that the same folder gives the same digest. docker writes the image to `archive`,
    if there is one, from which it can be loaded.
    """
    words = [builder, "build"]
    if builder == "docker":
        # Times are rewritten (BuildKit 0.13 and later) by what writes an archive. The engine's older store takes none
        # from its own BuildKit, and ignores the option: there only what is cached gives the same digest again.
        into = f",dest={archive}" if archive else ""
        words += ["--progress=plain", "--provenance=false", "--build-arg", f"SOURCE_DATE_EPOCH={epoch}"]
        words += ["--output", f"type=docker,name={name}{into},rewrite-timestamp=true"]
    else:
        # In OCI's format a HEALTHCHECK is dropped. `--layers` caches each step.
        # Without `--identity-label` the version of the tool would be part of the image.
        words += ["--format", "docker", "--layers", "--identity-label=false"]
        words += ["--timestamp", str(epoch), "--tag", name]
    if not is_cached:
        words.append("--no-cache")
    if platform:
        words += ["--platform", platform]
    for secret in secrets:
        words += ["--secret", f"id={secret.name},src={secret.path}"]
    return [*words, "--iidfile", str(id_file), str(folder)]


def push_command(builder: Builder, name: str, *, digest_file: Path, is_plain: bool) -> list[str]:
    """The command line that pushes `name`; podman and buildah write the manifest's digest to `digest_file`.

    A registry on loopback `is_plain`: it has no certificate. docker treats those so by itself.
    """
    if builder == "docker":
        return ["docker", "push", name]
    plain = ["--tls-verify=false"] if is_plain else []
    return [builder, "push", *plain, "--digestfile", str(digest_file), name, f"docker://{name}"]


# --- doing it -----------------------------------------------------------------------------------------------


def build(
    context: Context,
    *,
    name: str,
    builder: str = "",
    platform: str = "",
    secrets: Sequence[Secret] = (),
    is_pushed: bool = False,
    is_cached: bool = True,
    told: Told | None = None,
) -> Built:
    """Build the image as `name`, and push it if that `is_pushed`.

    Raises `MissingExtra` for a builder that is not here and `BuildFailed` with the end of what it said. What
    has been pushed is known by its manifest's digest; what has not, by its image's id, which podman and buildah
    make anew where nothing was cached.
    """
    chosen = find_builder(builder)
    if chosen == "python":
        raise InvalidInput("the builder python has a function of its own", hint="build_without_daemon")
    reference = parse_reference(name)
    started = time.monotonic()
    tell = told or (lambda line: None)
    with tempfile.TemporaryDirectory(prefix="mlops-build-") as made:
        folder, id_file, digest_file = Path(made, "context"), Path(made, "id"), Path(made, "digest")
        archive = Path(made, "image.tar") if chosen == "docker" and _keeps_with_containerd() else None
        write_context(context, folder)
        command = build_command(
            chosen,
            folder,
            name,
            epoch=context.epoch,
            platform=platform,
            secrets=secrets,
            id_file=id_file,
            is_cached=is_cached,
            archive=archive,
        )
        said = _run(command, f"{chosen} could not build {name}", tell)
        digest, size = _find_digest(_read(id_file) or said), 0
        if archive is not None:
            _run(["docker", "load", "--input", str(archive)], f"docker could not load {name}", tell)
        if is_pushed:
            push = push_command(chosen, name, digest_file=digest_file, is_plain=is_loopback(reference.host))
            said = _run(push, f"{chosen} could not push {name}", tell)
            digest = _find_digest(_read(digest_file) or said)
            digest, size = take_out(reference, digest)
    return Built(
        name=name,
        digest=digest,
        builder=chosen,
        platforms=(platform or native_platform(),),
        size_bytes=size or _local_size(chosen, name),
        is_pushed=is_pushed,
        seconds=time.monotonic() - started,
    )


def _run(words: Sequence[str], what: str, tell: Told) -> str:
    """Run it to its end, telling each line; what it said last. Raises `BuildFailed`."""
    last: deque[str] = deque(maxlen=_LOG_LINES)
    env = {**os.environ, "DOCKER_BUILDKIT": "1"}
    try:
        process = subprocess.Popen(
            words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
            text=True, errors="replace", env=env,
        )  # fmt: skip
    except OSError as error:
        raise BuildFailed(f"{what}: {error.strerror or error}") from error
    with process:
        assert process.stdout is not None  # noqa: S101 - a pipe, two lines above
        try:
            for line in process.stdout:
                last.append(line.rstrip("\n"))
                tell(last[-1])
        except BaseException:
            process.terminate()
            raise
    log = "\n".join(last)
    if process.returncode:
        reason = next((line for line in reversed(last) if line.strip()), f"exit code {process.returncode}")
        raise BuildFailed(f"{what}: {reason.strip()}", hint=_hint(log), log=log)
    return log


def _hint(log: str) -> str:
    """What is known to mend it."""
    known = {
        "CERTIFICATE_VERIFY_FAILED": "the certificates of a proxy: --secret ca=FILE",
        "HASHES": "a file on the index is not what was locked; capture it again",
        "No matching distribution": "is it on a private index? --secret pip_conf=FILE",
        "unauthorized": "log in first: docker login, podman login or buildah login",
        "setrlimit": "within a container, buildah builds with BUILDAH_ISOLATION=chroot",
        "unshare": "within a container, buildah builds with BUILDAH_ISOLATION=chroot",
    }
    return next((hint for text, hint in known.items() if text.lower() in log.lower()), "")


def _read(path: Path) -> str:
    with contextlib.suppress(OSError):
        return path.read_text(encoding="utf-8")
    return ""


def _find_digest(text: str) -> str:
    """The last digest in what a tool wrote; buildah leaves out the algorithm of an id."""
    found = _DIGEST.findall(text) or [f"sha256:{one}" for one in re.findall(r"\b[0-9a-f]{64}\b", text)]
    if not found:
        raise BuildFailed("the builder told no digest of the image", log=text)
    return str(found[-1])


def _local_size(builder: Builder, name: str) -> int:
    """The image's size in the builder's own store, where it is not compressed; 0 if that is not told."""
    if builder == "buildah":
        answer = _ask(["buildah", "images", "--json", name])
        with contextlib.suppress(ValueError, LookupError, TypeError):
            return _bytes_of(json.loads(answer.stdout)[0]["size"])
        return 0
    answer = _ask([builder, "image", "inspect", "--format", "{{.Size}}", name])
    return int(answer.stdout) if answer.stdout.strip().isdigit() else 0


def _bytes_of(text: str) -> int:
    number, _, unit = str(text).partition(" ")
    return int(float(number) * {"B": 1, "KB": 1e3, "MB": 1e6, "GB": 1e9}[unit.upper()])


def native_platform() -> str:
    """The platform of this machine, as images have it."""
    machine = os.uname().machine
    return f"linux/{ {'x86_64': 'amd64', 'aarch64': 'arm64'}.get(machine, machine) }"
