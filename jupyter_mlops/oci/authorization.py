"""What a registry wants before it answers, and how it is got: Basic, or a token from a server that it names.

Tokens are kept by what they allow, and fetched again when they run out. A token server without TLS gets no password
unless the registry itself is spoken to without: else anybody on the way could ask for it.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode, urlsplit

from ..errors import AccessDenied, RegistryUnavailable
from .credentials import Credentials

_CHALLENGE = re.compile(r"\s*([A-Za-z]+)\s+(.*)", re.DOTALL)
_FIELD = re.compile(r'([A-Za-z_]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,]+))')
_CLIENT = "jupyter-mlops"
_USUAL_SECONDS = 60.0  # how long a token holds when the server does not say
_MARGIN_SECONDS = 10.0

Fetch = Callable[
    [str, str, Mapping[str, str], bytes | None], tuple[int, Any]
]  # method, url, headers, body → JSON


@dataclass(frozen=True, slots=True)
class Challenge:
    """A ``WWW-Authenticate`` header: ``Bearer realm="…",service="…",scope="…"``."""

    scheme: str
    fields: Mapping[str, str]


def parse_challenge(header: str) -> Challenge | None:
    """The challenge in a header that we know how to meet (Bearer before Basic), or None."""
    known: dict[str, Challenge] = {}
    for part in re.split(r",\s*(?=(?:Basic|Bearer)\s)", header, flags=re.IGNORECASE):
        found = _CHALLENGE.match(part)
        if found and (scheme := found[1].lower()) in ("basic", "bearer"):
            fields = {
                match[1].lower(): re.sub(r"\\(.)", r"\1", match[2]) if match[2] is not None else match[3]
                for match in _FIELD.finditer(found[2])
            }
            known[scheme] = Challenge(scheme, fields)
    return known.get("bearer") or known.get("basic")


@dataclass
class Authorizer:
    """Keeps what a registry let us have. `fetch` is how a token server is asked; `now` is a clock."""

    host: str
    is_plain: bool
    credentials: Credentials | None
    fetch: Fetch = field(repr=False)
    now: Callable[[], float] = time.monotonic
    _challenge: Challenge | None = None
    _tokens: dict[frozenset[str], tuple[str, float]] = field(default_factory=dict, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def header(self, scopes: Iterable[str]) -> str | None:
        """The ``Authorization`` header for what is to be done, as far as it is known what the registry wants."""
        challenge = self._challenge
        if challenge is None:
            return None
        if challenge.scheme == "basic":
            return None if self.credentials is None else self.credentials.basic()
        wanted = frozenset(scopes)
        with self._lock:
            token, until = self._tokens.get(wanted, ("", 0.0))
            if self.now() >= until:
                token, seconds = self._token(challenge, wanted)
                self._tokens[wanted] = (token, self.now() + seconds - _MARGIN_SECONDS)
        return f"Bearer {token}"

    def learn(self, header: str, scopes: Iterable[str], sent: str = "") -> bool:
        """Take in a refusal of a request with the header `sent`; whether there is something else to send now."""
        challenge = parse_challenge(header)
        if challenge is None:
            return False
        self._challenge = challenge
        if challenge.scheme == "basic":
            return self.credentials is not None and sent != self.credentials.basic()
        wanted = frozenset(scopes)
        with self._lock:  # another thread may have renewed it meanwhile
            if sent == f"Bearer {self._tokens.get(wanted, ('', 0.0))[0]}":
                del self._tokens[wanted]
        return True

    def _token(self, challenge: Challenge, scopes: frozenset[str]) -> tuple[str, float]:
        realm = challenge.fields.get("realm", "")
        parts = urlsplit(realm)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise RegistryUnavailable(f"{self.host} names no server that gives tokens: {realm!r}")
        if parts.scheme == "http" and not self.is_plain:
            raise RegistryUnavailable(
                f"{self.host} wants its password sent to {realm} without TLS, which is refused",
                hint="the registry's administrator has to give its token server an https:// address",
            )
        query = [("service", challenge.fields["service"])] if challenge.fields.get("service") else []
        query += [("scope", scope) for scope in sorted(scopes)]
        status, answer = self._ask(realm, query)
        if status in (400, 401, 403):
            raise denied(self.host, self.credentials, "in")
        token = (answer.get("token") or answer.get("access_token")) if isinstance(answer, dict) else None
        if status != 200 or not isinstance(token, str) or not re.fullmatch(r"[\x21-\x7e]+", token):
            raise RegistryUnavailable(f"{realm} gave no token for {self.host} (HTTP {status})")
        seconds = answer.get("expires_in")
        return token, float(seconds) if isinstance(seconds, int | float) and seconds > 0 else _USUAL_SECONDS

    def _ask(self, realm: str, query: list[tuple[str, str]]) -> tuple[int, Any]:
        known = self.credentials
        if known is not None and known.identity_token:  # OAuth 2, as docker does it
            scope = " ".join(value for name, value in query if name == "scope")
            form = {
                "grant_type": "refresh_token",
                "client_id": _CLIENT,
                "refresh_token": known.identity_token,
            }
            form |= {"service": dict(query).get("service", ""), "scope": scope}
            headers = {"Content-Type": "application/x-www-form-urlencoded"}
            return self.fetch("POST", realm, headers, urlencode(form).encode())
        headers = {} if known is None else {"Authorization": known.basic()}
        url = f"{realm}{'&' if urlsplit(realm).query else '?'}{urlencode(query)}"
        return self.fetch("GET", url, headers, None)


def denied(host: str, credentials: Credentials | None, doing: str) -> AccessDenied:
    """The error for a registry that does not let us, with the cure that fits."""
    return AccessDenied(f"{host} does not let {_who(credentials)} {doing}", hint=_cure(host, credentials))


def _who(credentials: Credentials | None) -> str:
    if credentials is None:
        return "an anonymous user"
    return f"user {credentials.user!r}" if credentials.user else "the owner of this token"


def _cure(host: str, credentials: Credentials | None) -> str:
    login = f"docker login {host}, podman login {host}, or a file named by REGISTRY_AUTH_FILE"
    return (
        f"log in first: {login}"
        if credentials is None
        else f"check the rights of that user, or log in again: {login}"
    )
