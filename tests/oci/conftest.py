"""Real registries on loopback (Debian's docker-registry), and a line to them that can be cut."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar
from urllib.parse import parse_qs, urlsplit

import pytest

from jupyter_mlops.oci.descriptor import digest_of
from jupyter_mlops.oci.registry import Registry
from jupyter_mlops.oci.transport import Patience

QUICK = Patience(first_seconds=0.01)
USER, PASSWORD = "anna", "s3cret pass"
# htpasswd -nbB anna 's3cret pass'
HASHED = "anna:$2b$05$9Ow8rUoQew2ms5R9GiFqSOSsyYZ4fEHRVrD7CQwcnNlzMuK822.lG"


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def start_registry(folder: Path, more: str = "", tls: str = "") -> tuple[subprocess.Popen[bytes], str]:
    """A registry's process and host; the caller ends it."""
    program = shutil.which("docker-registry")
    if program is None:
        what = "docker-registry is not installed"
        if os.environ.get("CI"):
            pytest.fail(what)
        pytest.skip(what)
    port = free_port()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.yml").write_text(
        f"version: 0.1\nlog: {{level: error, accesslog: {{disabled: true}}}}\n"
        f"storage:\n  filesystem: {{rootdirectory: {folder / 'data'}}}\n  delete: {{enabled: true}}\n"
        f"http:\n  addr: 127.0.0.1:{port}\n{tls}{more}"
    )
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [program, "serve", folder / "config.yml"], stdout=log, stderr=subprocess.STDOUT
        )
    for _ in range(400):
        if process.poll() is not None:
            pytest.fail((folder / "log").read_text()[-2000:])
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return process, f"127.0.0.1:{port}"
        time.sleep(0.02)
    process.kill()
    pytest.fail("the registry does not start")


@contextlib.contextmanager
def running(folder: Path, more: str = "", tls: str = "") -> Iterator[str]:
    process, host = start_registry(folder, more, tls)
    try:
        yield host
    finally:
        process.terminate()
        process.wait(10)


@pytest.fixture(autouse=True)
def no_logins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The logins and the cache of who runs the tests are not the tests'."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for name in (
        "REGISTRY_AUTH_FILE",
        "DOCKER_CONFIG",
        "XDG_RUNTIME_DIR",
        "XDG_CONFIG_HOME",
        "COSIGN_PASSWORD",
    ):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session")
def registry_host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running(tmp_path_factory.mktemp("oci-registry")) as host:
        yield host


@pytest.fixture
def registry(registry_host: str) -> Registry:
    return Registry(registry_host, patience=QUICK)


@pytest.fixture(scope="session")
def locked_host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A registry that wants a password."""
    folder = tmp_path_factory.mktemp("oci-locked")
    (folder / "htpasswd").write_text(f"{HASHED}\n")
    with running(folder, f"auth:\n  htpasswd:\n    realm: here\n    path: {folder / 'htpasswd'}\n") as host:
        yield host


@dataclass
class Line:
    """A line to a server, which can be cut: `cuts` says after how many bytes upward each connection breaks."""

    target: str
    host: str
    cuts: list[int] = field(default_factory=list)
    down_cuts: list[int] = field(default_factory=list)
    broken: int = 0
    passed: int = 0  # bytes upward
    _server: socket.socket = field(default_factory=socket.socket)

    def serve(self) -> None:
        while True:
            try:
                here, _ = self._server.accept()
            except OSError:
                return
            name, _, port = self.target.rpartition(":")
            there = socket.create_connection((name, int(port)))
            for source, sink, cuts in ((here, there, self.cuts), (there, here, self.down_cuts)):
                threading.Thread(target=self._copy, args=(source, sink, cuts), daemon=True).start()

    def _copy(self, source: socket.socket, sink: socket.socket, cuts: list[int]) -> None:
        passed = 0
        with contextlib.suppress(OSError):
            while piece := source.recv(1 << 16):
                if cuts and passed + len(piece) > cuts[0]:
                    sink.sendall(piece[: cuts.pop(0) - passed])
                    self.broken += 1
                    time.sleep(0.05)  # what was sent arrives before the line breaks
                    break
                passed += len(piece)
                self.passed += len(piece) if cuts is self.cuts else 0
                sink.sendall(piece)
        for one in (source, sink):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()


@pytest.fixture
def line() -> Iterator[Callable[[str], Line]]:
    made: list[Line] = []

    def make(target: str) -> Line:
        server = socket.create_server(("127.0.0.1", 0))
        one = Line(target, f"127.0.0.1:{server.getsockname()[1]}", _server=server)
        threading.Thread(target=one.serve, daemon=True).start()
        made.append(one)
        return one

    yield make
    for one in made:
        with contextlib.suppress(OSError):
            one._server.shutdown(socket.SHUT_RDWR)
        one._server.close()


class _Patient(BaseHTTPRequestHandler):
    """A registry's uploads by the letter of the specification: what arrived of a broken request stays, and the
    upload's status says how much that is. (Docker's own registry does not do that.)"""

    protocol_version = "HTTP/1.1"
    blobs: ClassVar[dict[str, bytes]] = {}
    uploads: ClassVar[dict[str, bytearray]] = {}

    def do_POST(self) -> None:
        name = f"u{len(self.uploads)}"
        self.uploads[name] = bytearray()
        self._say(202, Location=f"/v2/x/blobs/uploads/{name}")

    def do_PATCH(self) -> None:
        got, left = self._upload(), int(self.headers["Content-Length"])
        told = self.headers.get("Content-Range", "")
        if told and not told.startswith(f"{len(got)}-"):
            self.close_connection = True
            self._say(416, Range=f"0-{len(got) - 1}")
            return
        while left and (piece := self.rfile.read1(min(left, 1 << 16))):
            got += piece
            left -= len(piece)
        if not left:
            self._say(202, Location=self.path, Range=f"0-{len(got) - 1}")

    def do_GET(self) -> None:
        if self.path == "/v2/":
            self._say(200)
        else:
            self._say(204, Location=self.path, Range=f"0-{max(0, len(self._upload()) - 1)}")

    def do_PUT(self) -> None:
        got = self._upload() + self.rfile.read(int(self.headers.get("Content-Length") or 0))
        digest = digest_of(bytes(got))
        is_right = parse_qs(urlsplit(self.path).query)["digest"] == [digest]
        if is_right:
            self.blobs[digest] = bytes(got)
        self._say(201 if is_right else 400)

    def do_HEAD(self) -> None:
        self._say(200 if self.path.rpartition("/")[2] in self.blobs else 404)

    def log_message(self, *_: object) -> None:
        pass

    def _upload(self) -> bytearray:
        return self.uploads[urlsplit(self.path).path.rpartition("/")[2]]

    def _say(self, status: int, **headers: str) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": "0"}.items():
            self.send_header(name, value)
        self.end_headers()


@pytest.fixture
def patient_host() -> Iterator[str]:
    with served(_Patient) as host:
        yield host


@contextlib.contextmanager
def served(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    """A server of our own, for what the real one does not do."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)


@contextlib.contextmanager
def small_disk(folder: Path, *, megabytes: int) -> Iterator[Path]:
    """A disk that is soon full; only root may mount one."""
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)]
    if os.getuid() != 0 or subprocess.run(command, capture_output=True, check=False).returncode != 0:
        pytest.skip("this user may not mount a small disk")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)
