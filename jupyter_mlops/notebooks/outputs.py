"""What an executed notebook left behind: results, artifacts, and outputs too large to keep in the file.

Results are stored the way scrapbook stores them, so that its readers find ours and we find what
``scrapbook.glue`` (and papermill's older ``record``) wrote. Outputs over a limit go to the blob store; what
stays in the notebook says so, keeps the first and last lines and names the blob.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from html import escape
from typing import Any, Protocol

from ..blobs import Growing, make_reference
from ..resources import format_bytes

SCRAP_PREFIX = "application/scrapbook.scrap."
RECORD_MIME = "application/papermill.record+json"
ARTIFACT_MIME = "application/vnd.jupyter-mlops.artifact+json"
SPILLED = "spilled"  # key in an output's metadata: {what: {"reference": …, "size_bytes": …}}
_KEPT_LINES = 20  # at each end
_KEPT_CHARACTERS = 4000  # at each end, should the lines be long
_SUFFIXES = {
    "text/plain": "txt",
    "text/html": "html",
    "text/markdown": "md",
    "text/latex": "tex",
    "image/svg+xml": "svg",
    "image/jpeg": "jpg",
    "application/javascript": "js",
}


class Blobs(Protocol):
    """The methods of `blobs.BlobStore` that spilling needs."""

    def put_bytes(self, data: bytes) -> str:
        """Store `data`, return its digest."""
        ...

    def begin(self) -> Growing:
        """A blob that comes bit by bit."""
        ...


def read_results(nb: Mapping[str, Any]) -> dict[str, Any]:
    """The results that the notebook's outputs hold, name → JSON value; the last of a name counts."""
    results: dict[str, Any] = {}
    for data in _bundles(nb):
        for mime, body in data.items():
            if mime == RECORD_MIME and isinstance(body, Mapping):
                results.update(body)
            elif mime.startswith(SCRAP_PREFIX) and _is_plain_scrap(body):
                results[body["name"]] = body.get("data")
    return results


def read_artifacts(nb: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The artifacts: name → ``{"name", "reference", "digest", "format", "size_bytes", "summary"}``."""
    artifacts: dict[str, dict[str, Any]] = {}
    for data in _bundles(nb):
        body = data.get(ARTIFACT_MIME)
        if isinstance(body, Mapping) and "name" in body and "reference" in body:
            artifacts[body["name"]] = dict(body)
    return artifacts


def limit_outputs(output: Mapping[str, Any], limit: int, blobs: Blobs) -> dict[str, Any]:
    """`output` with no more than about `limit` bytes of content; the rest is in `blobs`.

    Give outputs that are masked already: what is spilled is stored as it is. Results and artifacts are never
    spilled, nor is what a stub would not make smaller.
    """
    kind = output.get("output_type")
    if kind == "stream":
        text = _joined(output.get("text", ""))
        stub = _spill_text(text, str(output.get("name", "output")), limit, blobs)
        return dict(output) if stub is None else {**output, "text": stub[0]}
    if kind == "error":
        return _limit_error(output, limit, blobs)
    if isinstance(output.get("data"), Mapping):
        return _limit_bundle(output, limit, blobs)
    return dict(output)


def is_emitted(mime: str) -> bool:
    """Whether a representation is a result or an artifact, which must stay in the notebook."""
    return mime.startswith(SCRAP_PREFIX) or mime in (ARTIFACT_MIME, RECORD_MIME)


def content_size(output: Mapping[str, Any]) -> int:
    """The bytes of an output's content: text, traceback, or all representations together."""
    content = [output.get(key) for key in ("text", "evalue", "traceback", "data")]
    return sum(_size(part) for part in content if part is not None)


def kept_characters(limit: int) -> int:
    """How much of a text stays in the notebook, at each end, when the text is beyond the limit."""
    return min(_KEPT_CHARACTERS, limit // 4)


def first_lines(text: str, room: int) -> str:
    """What stays of a text's beginning; its first `room` characters are enough to know."""
    return "".join(text[:room].splitlines(keepends=True)[:_KEPT_LINES])


def last_lines(text: str, room: int) -> str:
    """What stays of a text's end; its last `room` characters are enough to know."""
    return "".join(text[-room:].splitlines(keepends=True)[-_KEPT_LINES:]) if room else ""


def text_stub(head: str, notice: str, tail: str) -> str:
    """What stands for a text that is elsewhere: its ends, and a line between them that says where the rest is."""
    joint = "" if not head or head.endswith("\n") else "\n"
    return f"{head}{joint}… {notice} …\n{tail}"


def spill_notice(spilled: Mapping[str, Any]) -> str:
    """Where a text is, as the notebook says it."""
    return f"{format_bytes(spilled['size_bytes'])} spilled to {spilled['reference']}"


def text_size(text: str) -> int:
    """The bytes of a text in UTF-8."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def _bundles(nb: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for cell in nb.get("cells", ()):
        for output in cell.get("outputs", ()):
            data = output.get("data")
            if isinstance(data, Mapping):
                yield data


def _is_plain_scrap(body: object) -> bool:
    """A scrap that is its value: scrapbook's frames (base64 parquet) and bare displays are not."""
    return isinstance(body, Mapping) and "name" in body and body.get("encoder", "json") in ("json", "text")


def _size(value: Any) -> int:
    """About the bytes of a JSON value in UTF-8."""
    if isinstance(value, str):
        return text_size(value)
    if isinstance(value, Mapping):
        return sum(_size(key) + _size(item) + 4 for key, item in value.items())
    if isinstance(value, (list, tuple)):
        return sum(_size(item) + 2 for item in value)
    return 8


def _joined(text: str | list[str]) -> str:
    return text if isinstance(text, str) else "".join(text)


def _spill_text(text: str, name: str, limit: int, blobs: Blobs) -> tuple[str, dict[str, Any]] | None:
    """A stub and where the whole text is, or None if it fits."""
    size = _size(text)
    if size <= limit:
        return None
    room = kept_characters(limit)
    head, tail = first_lines(text, room), last_lines(text, room)
    if len(head) + len(tail) + 200 >= len(text):
        return None
    spilled = _put(text.encode("utf-8", "surrogatepass"), name, "txt", blobs)
    return text_stub(head, spill_notice(spilled), tail), spilled


def _put(data: bytes, name: str, suffix: str, blobs: Blobs) -> dict[str, Any]:
    reference = make_reference(blobs.put_bytes(data), name, suffix)
    return {"reference": reference, "size_bytes": len(data)}


def _limit_error(output: Mapping[str, Any], limit: int, blobs: Blobs) -> dict[str, Any]:
    limited = dict(output)
    trace = "\n".join(output.get("traceback", ()))
    if (stub := _spill_text(trace, "traceback", limit, blobs)) is not None:
        limited["traceback"] = stub[0].split("\n")
    if (stub := _spill_text(str(output.get("evalue", "")), "evalue", limit, blobs)) is not None:
        limited["evalue"] = stub[0]
    return limited


def _limit_bundle(output: Mapping[str, Any], limit: int, blobs: Blobs) -> dict[str, Any]:
    """Spill the largest representations until the rest fits."""
    data = dict(output["data"])
    sizes = {mime: _size(body) for mime, body in data.items()}
    total = sum(sizes.values())
    if total <= limit:
        return dict(output)
    spilled: dict[str, Any] = {}
    for mime in sorted(sizes, key=lambda mime: -sizes[mime]):
        if total <= limit:
            break
        if is_emitted(mime):
            continue
        stub = _spill_representation(mime, data[mime], limit, blobs)
        if stub is None:
            continue
        total -= sizes[mime]
        spilled[mime] = stub[1]
        if stub[0] is None:
            del data[mime]
        else:
            data[mime] = stub[0]
    if spilled and "text/plain" not in data:
        data["text/plain"] = "\n".join(f"{mime}: {spill_notice(where)}" for mime, where in spilled.items())
    elif set(spilled) - {"text/plain"}:
        lines = [
            f"[{mime}: {spill_notice(where)}]" for mime, where in spilled.items() if mime != "text/plain"
        ]
        data["text/plain"] = "\n".join([_joined(data["text/plain"]), *lines])
    metadata = {**output.get("metadata", {}), SPILLED: spilled} if spilled else output.get("metadata", {})
    return {**output, "data": data, "metadata": metadata}


def _spill_representation(
    mime: str, body: Any, limit: int, blobs: Blobs
) -> tuple[str | None, dict[str, Any]] | None:
    """The stub that stands for one representation (None: it goes away) and where it is now."""
    if mime == "text/plain":
        return _spill_text(_joined(body), "output", min(limit, max(_size(body) - 1, 0)), blobs)
    if _size(body) < 400:
        return None
    if mime == "text/html":
        spilled = _put(_bytes(mime, body), "output", "html", blobs)
        return f"<p><em>{escape(spill_notice(spilled))}</em></p>", spilled
    suffix = _SUFFIXES.get(mime) or ("json" if mime.endswith("json") else mime.rpartition("/")[2] or "bin")
    return None, _put(_bytes(mime, body), "output", suffix, blobs)


def _bytes(mime: str, body: Any) -> bytes:
    """What a file of this type holds: the image itself, not its base64."""
    is_lines = isinstance(body, list) and all(isinstance(line, str) for line in body)
    if not isinstance(body, str) and (not is_lines or mime.endswith("json")):
        return json.dumps(body).encode()
    text = _joined(body)
    if not mime.startswith("text/") and not mime.endswith(("xml", "json", "javascript")):
        with suppress(binascii.Error, ValueError):
            return base64.b64decode(text)
    return text.encode("utf-8", "surrogatepass")
