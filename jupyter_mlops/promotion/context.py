"""What an image is made of, as one value, for ``docker build`` and for a builder that needs no Dockerfile.

Where things lie in an image::

    /opt/venv            what was locked, as a virtual environment
    /opt/app/lib         the files of ours that it needs
    /project             the user's notebooks, modules and data files, in their places to each other
    /opt/app/job.json    which notebooks there are (batch)
    /opt/app/sbom.cdx.json
    /opt/ml/model        the model (serving); what is mounted there wins
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ..errors import Conflict, StorageUnavailable
from ..fingerprint import digest_bytes, digest_file
from .captured import Kind

Content = bytes | Path

APP, LIB, PROJECT, MODEL = "/opt/app", "/opt/app/lib", "/project", "/opt/ml/model"
PROGRAM = "/opt/venv/bin/jupyter-mlops"  # of a pipeline: its tasks, for who orchestrates them
PORT = 8080
BILL = "sbom.cdx.json"  # with a Dockerfile, it tells a folder that was written before
USER = "10001:10001"
EPOCH = 946_684_800  # the time of every file, unless SOURCE_DATE_EPOCH says otherwise: the year 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthCheck:
    """How a container engine asks whether the container is well."""

    command: tuple[str, ...]
    interval_seconds: int = 10
    timeout_seconds: int = 3
    start_seconds: int = 60
    retries: int = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """See the fields; a value, so that both ways of building make the same image of it.

    - `files`: the folder for ``docker build``, the Dockerfile and the lock included, by relative path.
    - `code`: path in the image → content: what an image gets apart from its base, its distributions and its
      Debian packages.
    - `env`: as the Dockerfile sets it. Its ``PATH`` begins with ``/opt/venv/bin``; a builder that has no
      virtual environment puts its folder behind ``PYTHONPATH`` instead.
    - `base`: "registry/repository:tag", with "@sha256:…" when it is pinned.
    """

    kind: Kind
    name: str
    python: str
    base: str
    dockerfile: str
    files: Mapping[str, Content]
    code: Mapping[str, Content]
    requirements_lock: str
    system_packages: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    env: Mapping[str, str] = field(default_factory=dict)
    entrypoint: tuple[str, ...] = ()
    cmd: tuple[str, ...] = ()
    user: str = "10001:10001"
    workdir: str = PROJECT
    exposed_ports: tuple[int, ...] = ()
    healthcheck: HealthCheck | None = None
    stop_signal: str = "SIGTERM"
    platforms: tuple[str, ...] = ("linux/amd64", "linux/arm64")
    source: str = ""
    source_digest: str = ""
    epoch: int = EPOCH

    @property
    def digest(self) -> str:
        """Of everything that an image of this is made of."""
        parts = {path: digest_of(content) for path, content in sorted(self.files.items())}
        return digest_bytes(json.dumps([self.base, self.epoch, parts]).encode())


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """An image that was built: `digest` is that of its manifest (or index), with which it can be pulled once it
    is pushed."""

    name: str  # "registry/repository:tag", or a local name
    digest: str  # "sha256:…"
    builder: str  # "docker", "podman", "buildah", "python"
    platforms: tuple[str, ...] = ()
    size_bytes: int = 0  # compressed layers together
    is_pushed: bool = False
    is_signed: bool = False
    seconds: float = 0.0

    @property
    def reference(self) -> str:
        """``name@digest``, which means this very image wherever it is pulled from."""
        head, _, last = self.name.rpartition("/")
        bare = "/".join(filter(None, [head, last.partition(":")[0]]))
        return f"{bare}@{self.digest}"


def write_context(context: Context, folder: Path, *, is_forced: bool = False) -> None:
    """Write the folder for ``docker build``: all of it or nothing.

    A folder that holds anything but an earlier context is left alone unless `is_forced`; a repository, and the folder
    that somebody works in, always. Raises `Conflict`, `StorageUnavailable`.
    """
    demand_replaceable(folder, is_forced=is_forced)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
        try:
            made.chmod(0o755)
            for path, content in context.files.items():
                target = made / path
                target.parent.mkdir(parents=True, exist_ok=True)
                if isinstance(content, Path):
                    shutil.copyfile(content, target)
                else:
                    target.write_bytes(content)
            if folder.is_dir():
                shutil.rmtree(folder)
            made.rename(folder)
        finally:
            shutil.rmtree(made, ignore_errors=True)
    except OSError as error:
        raise StorageUnavailable(f"cannot write {folder}: {error.strerror or error}") from error


def demand_replaceable(folder: Path, *, is_forced: bool = False) -> None:
    """A folder that is written anew is deleted with all that is in it: `Conflict` for what could be anybody's work."""
    if folder.is_file():
        raise Conflict(f"{folder} is a file", hint="name a folder")
    if not folder.is_dir() or not any(folder.iterdir()):
        return
    if Path.cwd().resolve().is_relative_to(folder.resolve()) or (folder / ".git").exists():
        raise Conflict(f"{folder} is a folder that somebody works in", hint="name one of its own: -o image")
    is_ours = all((folder / name).is_file() for name in ("Dockerfile", BILL))
    if not (is_ours or is_forced):
        raise Conflict(f"{folder} is there, and holds no earlier context", hint="name another folder")


def digest_of(content: Content) -> str:
    """The SHA-256 of a file's content."""
    return digest_file(content) if isinstance(content, Path) else digest_bytes(content)
