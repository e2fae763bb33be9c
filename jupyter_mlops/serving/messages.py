"""What comes in, what goes out, and how much of it a client may send."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

JSON = b"application/json"
_STATUS_LINES = {s.value: f"HTTP/1.1 {s.value} {s.phrase}\r\n".encode() for s in HTTPStatus}


@dataclass(slots=True)
class Request:
    """What came in; header names are in lower case."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes = b""


@dataclass(slots=True)
class Answer:
    """What goes out."""

    body: bytes
    status: int = 200
    content_type: bytes = JSON
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a client may take."""

    body_bytes: int = 25 * 2**20
    held_bytes: int = 256 * 2**20  # bodies of all connections together
    head_bytes: int = 64 * 2**10
    head_seconds: float = 10.0
    body_seconds: float = 30.0
    idle_seconds: float = 75.0
    write_seconds: float = 30.0
    connections: int = 1024


def encode(method: str, answer: Answer, date: bytes, *, is_last: bool) -> bytes:
    """The bytes of an answer; `is_last`: the connection ends with it."""
    body = answer.body
    parts = [
        _STATUS_LINES[answer.status],
        date,
        b"content-type: ", answer.content_type,
        b"\r\ncontent-length: ", str(len(body)).encode(),
        b"\r\nconnection: close\r\n" if is_last else b"\r\n",
    ]  # fmt: skip
    if answer.headers:
        parts += [f"{name}: {value}\r\n".encode("latin-1") for name, value in answer.headers.items()]
    parts.append(b"\r\n")
    if method != "HEAD":
        parts.append(body)
    return b"".join(parts)
