"""Secrets: named where a value is asked for, resolved at the last moment, masked in all that is kept.

A parameter carries ``secret:NAME``; only the kernel's environment ever holds the value. What a notebook
prints may still contain it, so every output passes a `Mask` before it is saved, logged or shown. A mask looks
for the value itself and for the forms in which it usually travels: escaped for JSON, HTML, Python or a URL,
and in base64, also in the middle of a longer text (``user:password`` of basic authentication).

A secret has at least `MIN_LENGTH` characters: masking a shorter one would riddle every output with holes, so
`resolve` refuses it instead of promising what cannot be kept.
"""

from __future__ import annotations

import base64
import html
import json
import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

from ..errors import InvalidParameter, SecretNotFound, did_you_mean

MIN_LENGTH = 4
SERVICE = "jupyter_mlops"  # the keyring service under which secrets stand
_MIN_FRAGMENT = 6  # of base64: shorter ones occur by chance in every other image
_REFERENCE = re.compile(r"secret:([A-Za-z_][A-Za-z0-9_.-]*)")
_LONGEST_CODE = 64  # characters that a color code is waited for
_ANSI = re.compile(r"\x1b(?:\[[0-9;?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\^_])")


@dataclass(frozen=True, slots=True)
class SecretReference:
    """The name of a secret, standing where its value will be. ``str()`` gives ``secret:NAME``."""

    name: str

    def __str__(self) -> str:
        return f"secret:{self.name}"

    @classmethod
    def parse(cls, text: object) -> SecretReference | None:
        """The reference that `text` is (``secret:NAME``), or None for anything else."""
        match = _REFERENCE.fullmatch(text) if isinstance(text, str) else None
        return cls(match[1]) if match else None


def resolve(name: str, *, env: Mapping[str, str], dotenv: Path | None = None) -> str:
    """The value of a secret: from `env`, else the file `dotenv`, else the keyring (service `SERVICE`).

    Raises `SecretNotFound`, and `InvalidParameter` for a value shorter than `MIN_LENGTH` characters.
    """
    value = env.get(name)
    from_file = _read_dotenv(dotenv) if value is None else {}
    if value is None:
        value = from_file.get(name)
    if value is None:
        value = _read_keyring(name)
    if value is None:
        raise SecretNotFound(
            f"no secret is called {name!r}", hint=_where_to_set(name, env, from_file, dotenv)
        )
    if len(value) < MIN_LENGTH:
        raise InvalidParameter(
            f"the secret {name!r} has {len(value)} characters; it could not be masked in outputs",
            hint=f"secrets have at least {MIN_LENGTH} characters",
        )
    return value


def _read_dotenv(path: Path | None) -> dict[str, str]:
    if path is None or not path.is_file():
        return {}
    from dotenv import dotenv_values

    # Not interpolated: a password may well contain "${".
    return {key: value for key, value in dotenv_values(path, interpolate=False).items() if value is not None}


def _read_keyring(name: str) -> str | None:
    """The keyring's value; None where there is no keyring, as on most servers."""
    try:
        import keyring
        from keyring.errors import KeyringError
    except ImportError:
        return None
    try:
        value: str | None = keyring.get_password(SERVICE, name)
    except (KeyringError, OSError, RuntimeError):
        return None
    return value


def _where_to_set(
    name: str, env: Mapping[str, str], from_file: Mapping[str, str], dotenv: Path | None
) -> str:
    near = did_you_mean(name, [*env, *from_file])
    ways = [f"set the environment variable {name}", f"run: keyring set {SERVICE} {name}"]
    if dotenv is not None:
        ways.insert(1, f"write {name}=… to {dotenv.name}")
    return (f"{near} Else " if near.startswith("did you mean") else "") + ", or ".join(ways)


class Mask:
    """Replaces secret values by ``****`` in text, outputs and notebooks. Values under `MIN_LENGTH` are left.

    After masking, no form of a secret is left: the mask's character occurs in none of them, so what stands
    around a mask cannot join into a secret again (a secret with ``*`` in it is masked by another character).
    """

    def __init__(self, values: Iterable[str] = ()) -> None:
        forms = {form for value in values if len(value) >= MIN_LENGTH for form in _forms(value)}
        self.forms: tuple[str, ...] = tuple(sorted(forms, key=lambda form: (-len(form), form)))
        self._has_numbers = any(form[-1].isdigit() for form in self.forms)
        self.replacement = 4 * _unused_character("".join(self.forms))
        self.pattern = re.compile("|".join(map(re.escape, self.forms)))

    def __bool__(self) -> bool:
        return bool(self.forms)

    def __repr__(self) -> str:
        return f"Mask({len(self.forms)} forms)"

    def text(self, text: str) -> str:
        """`text` without secrets; one that is cut by terminal color codes is found too."""
        return self._pieces([text])[0] if self.forms else text

    def value(self, value: Any) -> Any:
        """A copy of a JSON-like value, masked throughout; keys too. A list of texts counts as one text in
        pieces, as notebook files store their lines."""
        if not self.forms:
            return value
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {self.value(key): self.value(item) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            if value and all(isinstance(item, str) for item in value):
                return self._pieces(list(value))
            return [self.value(item) for item in value]
        if self._has_numbers and isinstance(value, (int, float)) and self._occurs(str(value)):
            return self.replacement
        return value

    def output(self, output: Mapping[str, Any]) -> dict[str, Any]:
        """A masked copy of a notebook output. What nbformat itself names (types, streams) stays as it is."""
        if not self.forms:
            return dict(output)
        return {key: self._member(key, item) for key, item in output.items()}

    def notebook(self, nb: Mapping[str, Any]) -> dict[str, Any]:
        """A masked copy of a whole notebook: outputs, sources, metadata and attachments."""
        if not self.forms:
            return dict(nb)
        return {key: self._member(key, item) for key, item in nb.items()}

    def stream(self) -> StreamMask:
        """A masker for text that arrives in chunks."""
        return StreamMask(self)

    def _member(self, key: str, item: Any) -> Any:
        if key in _STRUCTURE:
            return item
        if key == "cells":
            return [self.notebook(cell) for cell in item]
        if key == "outputs":
            return [self.output(output) for output in item]
        if key == "name" and item in ("stdout", "stderr"):
            return item
        if key == "data" and isinstance(item, Mapping):
            return {
                mime if mime in _MIMES else self.value(mime): self.value(body) for mime, body in item.items()
            }
        return self.value(item)

    def _occurs(self, text: str) -> bool:
        # A few substring searches are much faster than one alternation over megabytes of output.
        return any(form in text for form in self.forms)

    def _pieces(self, pieces: list[str]) -> list[str]:
        """Mask what `pieces` hold when joined: as they are, and then with color codes left out of sight."""
        joined = "".join(pieces) if len(pieces) > 1 else pieces[0]
        if self._occurs(joined):
            pieces = self._masked(list(enumerate(pieces)), [], len(pieces))
        if "\x1b" in joined:
            visible, hidden = _split_ansi(pieces)
            if self._occurs("".join(text for _, text in visible)):
                pieces = self._masked(visible, hidden, len(pieces))
        return pieces

    def _masked(
        self, visible: list[tuple[int, str]], hidden: list[tuple[int, int, str]], count: int
    ) -> list[str]:
        """The `count` pieces again, masked where their visible texts joined hold a secret."""
        spans = [match.span() for match in self.pattern.finditer("".join(text for _, text in visible))]
        out: list[list[tuple[int, str]]] = [[] for _ in range(count)]
        for order, index, text in hidden:
            out[index].append((order, text))
        start = 0
        for order, (index, text) in enumerate(visible):
            out[index].append((order, self._cut(text, start, spans)))
            start += len(text)
        return ["".join(text for _, text in sorted(parts, key=lambda part: part[0])) for parts in out]

    def _cut(self, text: str, start: int, spans: list[tuple[int, int]]) -> str:
        """`text`, which begins at `start` of the whole, with the mask where a span begins and nothing where
        one goes on."""
        end, at, kept = start + len(text), start, []
        for first, last in spans[bisect_right(spans, start, key=lambda span: span[1]) :]:
            if first >= end:
                break
            kept.append(text[at - start : max(first, start) - start])
            if first >= start:
                kept.append(self.replacement)
            at = min(last, end)
        return "".join([*kept, text[at - start :]])


class StreamMask:
    """Masks a text that comes in chunks: what may be the beginning of a secret waits for the next chunk."""

    def __init__(self, mask: Mask) -> None:
        self._mask = mask
        self._held = ""
        self._first = frozenset(form[0] for form in mask.forms)

    def feed(self, chunk: str) -> str:
        """What can be shown after `chunk`; may be empty."""
        if not self._mask:
            return chunk
        text = self._held + chunk
        cut = self._safe_length(text)
        self._held = text[cut:]
        return self._mask.text(text[:cut])

    def flush(self) -> str:
        """What was held back, at the end of the stream."""
        held, self._held = self._held, ""
        return self._mask.text(held)

    def _safe_length(self, text: str) -> int:
        """How much of `text` can be masked now: no secret is cut there, and none may begin before it."""
        safe = self._safe_part(text)
        if "\x1b" in text:
            positions, plain = _plain_with_positions(text)
            cut = self._safe_part(plain)
            if cut < len(plain):
                safe = min(safe, positions[cut])
            partial = text.rfind("\x1b")  # a color code of which the rest is to come
            if not _ANSI.match(text, partial) and len(text) - partial <= _LONGEST_CODE:
                safe = min(safe, partial)
        return safe

    def _safe_part(self, text: str) -> int:
        longest = len(self._mask.forms[0])
        candidates = range(max(0, len(text) - longest + 1), len(text))
        may_begin = (at for at in candidates if text[at] in self._first and self._may_begin(text[at:]))
        cut = next(may_begin, len(text))
        for match in self._mask.pattern.finditer(text):
            if match.start() < cut < match.end():
                cut = match.end()
        return cut

    def _may_begin(self, tail: str) -> bool:
        return any(len(form) > len(tail) and form.startswith(tail) for form in self._mask.forms)


# Words of the notebook format; masking them would break the file and they hold nothing of the user's.
_STRUCTURE = frozenset({"output_type", "cell_type", "execution_count", "nbformat", "nbformat_minor", "id"})
_MIMES = frozenset(
    {
        "text/plain", "text/html", "text/markdown", "text/latex", "image/png", "image/jpeg", "image/svg+xml",
        "application/json", "application/javascript", "application/vnd.jupyter.widget-view+json",
        "application/scrapbook.scrap.json+json", "application/vnd.jupyter-mlops.artifact+json",
    }
)  # fmt: skip


def _forms(value: str) -> Iterator[str]:
    """The ways in which a secret may be written, each at least `MIN_LENGTH` characters long."""
    yield value
    for ascii_only in (True, False):
        escaped = json.dumps(value, ensure_ascii=ascii_only)[1:-1]
        yield escaped
        yield escaped.replace("/", "\\/")
    yield repr(value)[1:-1]
    yield ascii(value)[1:-1]
    yield repr(value.encode("utf-8", "surrogatepass"))[2:-1]
    yield html.escape(value)
    yield html.escape(value).replace("&#x27;", "&#39;")
    yield html.escape(value, quote=False)
    data = value.encode("utf-8", "surrogatepass")
    quoted = {quote(data, safe=""), quote(data), quote_plus(data), quote(data, safe="/:@!$&'()*+,;=")}
    for form in quoted:
        yield form
        yield re.sub(r"%[0-9A-F]{2}", lambda match: match[0].lower(), form)
    yield from _base64_forms(data)
    # A key of many lines may be printed a line at a time.
    yield from (line.strip() for line in value.splitlines() if len(line.strip()) >= 2 * MIN_LENGTH)


def _base64_forms(data: bytes) -> Iterator[str]:
    """Base64 of the data by itself, and of its whole characters wherever it begins in a longer text."""
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        yield encode(data).decode()
        for offset in range(3):
            text = encode(bytes(offset) + data).decode()
            # Characters that also depend on the neighbors' bits are left out at both ends.
            first = (offset * 8 + 5) // 6
            last = (offset + len(data)) * 8 // 6
            if last - first >= _MIN_FRAGMENT:
                yield text[first:last]


def _unused_character(text: str) -> str:
    candidates = "*•█" + "".join(map(chr, range(0x2500, 0x2600)))
    return next((char for char in candidates if char not in text), "")


def _split_ansi(pieces: list[str]) -> tuple[list[tuple[int, str]], list[tuple[int, int, str]]]:
    """Visible texts as (piece, text), color codes as (number of the visible text after it, piece, code)."""
    visible: list[tuple[int, str]] = []
    hidden: list[tuple[int, int, str]] = []
    for index, piece in enumerate(pieces):
        at = 0
        for match in _ANSI.finditer(piece) if "\x1b" in piece else ():
            if match.start() > at:
                visible.append((index, piece[at : match.start()]))
            hidden.append((len(visible), index, match[0]))
            at = match.end()
        if at < len(piece):
            visible.append((index, piece[at:]))
    return visible, hidden


def _plain_with_positions(text: str) -> tuple[list[int], str]:
    """The text without color codes, and where each of its characters stands in `text`."""
    positions: list[int] = []
    at = 0
    for match in _ANSI.finditer(text):
        positions.extend(range(at, match.start()))
        at = match.end()
    positions.extend(range(at, len(text)))
    return positions, "".join(text[position] for position in positions)
