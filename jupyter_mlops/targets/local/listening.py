"""The socket on which a deployment is reached: found once, then handed from process to process."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path
from typing import Any

from ...errors import Unavailable

_PORTS = range(8100, 8200)


def ports(given: int, last: int) -> list[int]:
    """Those to try: the one that was asked for, else the last one, the usual ones, any."""
    return [given] if given else [*([last] if last else []), *_PORTS, 0]


def listen(host: str, candidates: list[int]) -> socket.socket:
    """A listening socket on the first port that is free. Raises `Unavailable`."""
    for port in candidates:
        listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((host, port))
            listener.listen(1024)
        except OSError as error:
            listener.close()
            reason = error.strerror or str(error)
        else:
            listener.settimeout(0)
            return listener
    raise Unavailable(f"cannot listen on {host}:{candidates[-1]}: {reason}", hint="give another port")


def ask_front(path: Path) -> tuple[dict[str, Any], socket.socket | None]:
    """What the front counts, and the socket on which it listens; ({}, None) when it does not answer."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asking:
            asking.settimeout(1.0)
            asking.connect(str(path))
            data, descriptors, _, _ = socket.recv_fds(asking, 2**18, 4)
    except OSError:
        return {}, None
    first, *others = [*descriptors, -1]
    for each in others[:-1]:
        os.close(each)
    listener = socket.socket(fileno=first) if descriptors else None
    try:
        return dict(json.loads(data)), listener
    except ValueError:
        return {}, listener
