"""Real containers for the tests: a base image made here, a builder, a runtime and a registry on loopback."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

TOOLS = ("buildah", "podman", "runc", "conmon", "mmdebstrap", "docker-registry")


def needed(what: str) -> None:
    """What is missing fails the build in CI; elsewhere the tests that need it are skipped."""
    if os.environ.get("CI"):
        pytest.fail(what)
    pytest.skip(what)


@dataclass(frozen=True)
class Containers:
    """A container storage of our own, with a stand-in for ``python:3.11-slim`` in it, and a registry."""

    folder: Path
    registry: str

    @property
    def env(self) -> dict[str, str]:
        return {
            "CONTAINERS_STORAGE_CONF": str(self.folder / "storage.conf"),
            "CONTAINERS_CONF": str(self.folder / "containers.conf"),
            "BUILDAH_ISOLATION": "chroot",
            "TMPDIR": str(self.folder / "tmp"),
        }

    def call(
        self, *words: str, timeout: float = 120, is_checked: bool = True
    ) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            words, capture_output=True, text=True, timeout=timeout, env={**os.environ, **self.env}
        )
        assert not is_checked or done.returncode == 0, f"{words}: {done.stderr}\n{done.stdout}"
        return done

    def run(self, image: str, *words: str, options: Sequence[str] = ()) -> subprocess.CompletedProcess[str]:
        """As strict as a cluster would: no root, no capability, nothing to write to but ``/tmp``."""
        return self.call("podman", "run", "--rm", *STRICT, *options, image, *words, is_checked=False)


STRICT = ("--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--pids-limit", "256")


@pytest.fixture(scope="session")
def base() -> Path:
    """A container storage with nothing but the base image. It takes a minute to make, so it is kept in the user's
    cache for a week, and shared: a second process waits for the one that makes it."""
    if missing := [tool for tool in TOOLS if shutil.which(tool) is None]:
        needed(f"containers need {', '.join(missing)}: apt-get install what .ci/run installs")
    if os.getuid() != 0:
        needed("a base image is made by root here")
    script = Path(__file__).with_name("base.sh")
    week = f"{datetime.now(UTC):%G-%V}"
    made_of = [script.read_text(), sys.version, sys.base_prefix, Path("/etc/os-release").read_text(), week]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "jupyter_mlops" / "test-base"
    folder = cache / hashlib.sha256("\n".join(made_of).encode()).hexdigest()[:16]
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "made").exists():
            for old in filter(Path.is_dir, cache.iterdir()):
                remove(old)
            made = subprocess.run(
                ["bash", script, folder, sys.executable], capture_output=True, text=True, timeout=600
            )
            unmount(folder)
            if made.returncode:
                needed(f"no base image (does buildah's chroot isolation work here?): {made.stderr[-2000:]}")
            (folder / "made").touch()
    return folder


@pytest.fixture(scope="session")
def containers(base: Path) -> Iterator[Containers]:
    folder = Path(tempfile.mkdtemp(prefix="mlops-containers-"))
    (folder / "tmp").mkdir()
    shutil.copy(base / "containers.conf", folder)
    storage = (base / "storage.conf").read_text().replace(str(base), str(folder))
    shared = f'[storage.options]\nadditionalimagestores = ["{base}/root"]\n'
    (folder / "storage.conf").write_text(storage + shared)
    try:
        with registry(folder) as address:
            ours = Containers(folder, address)
            tried = ours.run("docker.io/library/python:3.11-slim", "python", "-c", "print(1)")
            if tried.returncode:
                needed(f"podman cannot run a container here: {tried.stderr[-2000:]}")
            yield ours
            ours.call("podman", "rm", "--all", "--force", "--time", "1", is_checked=False)
            ours.call("buildah", "umount", "--all", is_checked=False)
    finally:
        remove(folder)


def unmount(folder: Path) -> None:
    for line in reversed(Path("/proc/mounts").read_text().splitlines()):
        if (place := line.split()[1]).startswith(f"{folder}/"):
            subprocess.run(["umount", "-l", place], check=False, capture_output=True)


def remove(folder: Path) -> None:
    unmount(folder)
    subprocess.run(["rm", "-rf", "--one-file-system", folder], check=False)  # a hundred thousand files


@contextlib.contextmanager
def registry(folder: Path) -> Iterator[str]:
    """A registry on loopback; ``127.0.0.1:PORT``."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    settings = folder / "registry.yml"
    settings.write_text(
        "version: 0.1\nlog: {level: error}\n"
        f"storage:\n  filesystem: {{rootdirectory: {folder}/registry}}\n  delete: {{enabled: true}}\n"
        f"http: {{addr: '{address}'}}\n"
    )
    with (folder / "registry.log").open("wb") as log:
        process = subprocess.Popen(["docker-registry", "serve", settings], stdout=log, stderr=log)
    try:
        for _ in range(600):
            with contextlib.suppress(OSError), socket.create_connection(tuple(address.split(":")), timeout=1):  # type: ignore[arg-type]
                break
            time.sleep(0.1)
        yield address
    finally:
        process.terminate()
        process.wait(timeout=10)
