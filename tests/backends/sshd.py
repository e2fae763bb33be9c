"""An sshd on loopback with keys of its own, for tests."""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_CONF = """\
Port {port}
ListenAddress 127.0.0.1
HostKey {folder}/host
AuthorizedKeysFile {folder}/authorized
PidFile {folder}/pid
StrictModes no
UsePAM no
PasswordAuthentication no
"""


def missing() -> list[str]:
    """The commands that are not there."""
    return [name for name in ("sshd", "ssh-keygen") if _find(name) is None]


def _find(name: str) -> str | None:
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")


@contextmanager
def sshd(folder: Path) -> Iterator[dict[str, Any]]:
    """Runs while it is open; what a client of it says to get in."""
    for name in ("host", "mine", "other"):
        command = [str(_find("ssh-keygen")), "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)]
        subprocess.run(command, check=True)
    (folder / "authorized").write_text((folder / "mine.pub").read_text())
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (folder / "conf").write_text(_CONF.format(port=port, folder=folder))
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)  # where it goes to be nobody
    with (folder / "log").open("w") as log:
        process = subprocess.Popen([str(_find("sshd")), "-D", "-e", "-f", folder / "conf"], stderr=log)
    try:
        until = time.monotonic() + 20
        while "listening" not in (folder / "log").read_text():
            is_late = process.poll() is not None or time.monotonic() > until
            assert not is_late, (folder / "log").read_text()
            time.sleep(0.05)
        host = (folder / "host.pub").read_text()
        (folder / "known").write_text(f"[127.0.0.1]:{port} {host}")
        yield {
            "port": port, "username": getpass.getuser(), "client_keys": [str(folder / "mine")],
            "known_hosts": str(folder / "known"),
        }  # fmt: skip
    finally:
        process.terminate()
        process.wait(20)
