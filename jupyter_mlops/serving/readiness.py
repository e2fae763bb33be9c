"""How a process says that it answers to whoever started it: systemd's protocol, a datagram to ``NOTIFY_SOCKET``."""

from __future__ import annotations

import contextlib
import socket
import sys
import tempfile
import uuid
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

VARIABLE = "NOTIFY_SOCKET"
_READY = b"READY=1"


def tell(address: str) -> None:
    """Say so; nothing happens where nobody wants to know."""
    if not address:
        return
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as told:
        told.connect(f"\0{address[1:]}" if address.startswith("@") else address)
        told.send(_READY)


@contextlib.contextmanager
def heard() -> Iterator[tuple[Mapping[str, str], Callable[[], bool]]]:
    """The variables by which a process that is started can say it, and whether it has."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as told, tempfile.TemporaryDirectory() as folder:
        is_abstract = sys.platform == "linux"  # a name without a file
        name = f"mlops-{uuid.uuid4().hex}" if is_abstract else str(Path(folder, "ready"))
        told.bind(f"\0{name}" if is_abstract else name)
        told.setblocking(False)  # noqa: FBT003 - the standard library's signature
        said = False

        def is_ready() -> bool:
            nonlocal said
            with contextlib.suppress(BlockingIOError):
                said = said or told.recv(100).startswith(_READY)
            return said

        yield {VARIABLE: f"@{name}" if is_abstract else name}, is_ready
