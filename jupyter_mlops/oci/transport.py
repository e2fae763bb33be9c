"""HTTP with one registry: authorized, retried, its refusals as our errors.

TLS always, except on loopback and for what `registries.conf` marks, where a registry without it is recognized, and
where `plain_http` says so. Redirects
(registries keep blobs elsewhere) are followed by hand, since what we are allowed to do at the registry is nobody
else's to know. A busy or broken server is asked again, after as long as it says, else ever longer.
"""

from __future__ import annotations

import json
import os
import random
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

from ..errors import InvalidInput, MlopsError, NotFound, RegistryUnavailable
from ..image_names import is_loopback
from ..words import plain, shorten
from .authorization import Authorizer, denied
from .credentials import Credentials
from .plain import may_be_plain

if TYPE_CHECKING:
    from requests import Response, Session

BUSY = {408, 425, 429, 500, 502, 503, 504}
_REDIRECTS = {301, 302, 303, 307, 308}
_MOST_REDIRECTS = 5
_LONGEST_WAIT_SECONDS = 60.0
_CONNECT_SECONDS = 10.0
_READ_SECONDS = 300.0  # a registry digests gigabytes before it answers
_BUNDLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")

Body = bytes | Callable[[], Any]  # bytes, or what opens a stream of them (again, when it is sent again)


class ConnectionLost(RegistryUnavailable):
    """The connection broke before the answer was there: what was sent may have arrived, or not."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How often a request is made and how long is waited between; `sleep` is replaced in tests."""

    tries: int = 5
    first_seconds: float = 0.25
    sleep: Callable[[float], None] = time.sleep

    def wait(self, attempt: int, retry_after: str | None = None) -> None:
        """Wait before the next try: as long as the server says, else twice as long each time, with some chance."""
        told = _seconds(retry_after) if retry_after else None
        grown = self.first_seconds * 2**attempt * (0.75 + random.random() / 2)  # noqa: S311
        self.sleep(min(grown if told is None else told, _LONGEST_WAIT_SECONDS))


class Transport:
    """One registry's HTTP. Safe to use from many threads."""

    def __init__(
        self,
        host: str,
        *,
        credentials: Credentials | None = None,
        plain_http: bool | None = None,
        patience: Patience | None = None,
    ) -> None:
        self.host = host
        self.credentials = credentials
        self.patience = patience or Patience()
        self._is_local = is_loopback(host)
        self._base = {True: f"http://{host}", False: f"https://{host}", None: ""}[plain_http]
        if not self._base and not may_be_plain(host):
            self._base = f"https://{host}"
        self._here = threading.local()
        self._lock = threading.Lock()
        self._authorizer: Authorizer | None = None

    @property
    def base(self) -> str:
        """``https://host``, or ``http://host`` where that is all right."""
        with self._lock:
            if not self._base:
                self._base = f"http{'s' if self._speaks_tls() else ''}://{self.host}"
            return self._base

    def send(
        self,
        method: str,
        path: str,
        *,
        doing: str,
        scopes: Iterable[str] = (),
        ok: Iterable[int] = (200,),
        headers: Mapping[str, str] | None = None,
        body: Body | None = None,
        is_streamed: bool = False,
        is_repeatable: bool = True,
    ) -> Response:
        """One request at the registry (or at an absolute URL that it gave). The answer's status is one of `ok`.

        `doing` completes "cannot …" in errors. What is not repeatable raises `ConnectionLost` at once.
        """
        from requests import exceptions

        url = self._resolve(path)
        wanted = tuple(scopes)
        is_allowed = False
        attempt = 0
        while True:
            try:
                answer = self._follow(method, url, wanted, dict(headers or {}), body, is_streamed)
            except exceptions.SSLError as error:
                raise self._no_tls(error, doing) from error
            except (exceptions.ConnectionError, exceptions.Timeout, exceptions.ChunkedEncodingError) as error:
                if not is_repeatable or attempt + 1 >= self.patience.tries:
                    raise ConnectionLost(
                        f"cannot {doing}: no connection to {self.host} ({_reason(error)})",
                        hint="check the registry's name and port, and the network",
                    ) from error
                self.patience.wait(attempt)
                attempt += 1
                continue
            except exceptions.RequestException as error:
                raise RegistryUnavailable(f"cannot {doing} at {self.host}: {_reason(error)}") from error
            if answer.status_code in tuple(ok):
                return answer
            if answer.status_code == 401 and not is_allowed:
                is_allowed = True
                sent = str(answer.request.headers.get("Authorization") or "")
                if self._auth.learn(answer.headers.get("WWW-Authenticate", ""), wanted, sent):
                    answer.close()
                    continue
            if answer.status_code in BUSY and is_repeatable and attempt + 1 < self.patience.tries:
                answer.close()
                self.patience.wait(attempt, answer.headers.get("Retry-After"))
                attempt += 1
                continue
            raise self._refused(answer, doing)

    # --- inside -----------------------------------------------------------------------------------------

    @property
    def _session(self) -> Session:
        """One a thread. What the environment says of proxies counts, but not on loopback; nobody's .netrc does."""
        if not hasattr(self._here, "session"):
            import requests

            session = requests.Session()
            session.trust_env = not self._is_local
            session.verify = next((os.environ[name] for name in _BUNDLES if os.environ.get(name)), True)
            session.headers["User-Agent"] = "jupyter-mlops"
            self._here.session = session
        found: Session = self._here.session
        return found

    @property
    def _auth(self) -> Authorizer:
        base = self.base
        with self._lock:
            if self._authorizer is None:
                is_plain = base.startswith("http:")
                self._authorizer = Authorizer(self.host, is_plain, self.credentials, self._fetch)
            return self._authorizer

    def _follow(
        self,
        method: str,
        url: str,
        scopes: tuple[str, ...],
        headers: dict[str, str],
        body: Body | None,
        is_streamed: bool,  # noqa: FBT001
    ) -> Response:
        for _ in range(_MOST_REDIRECTS + 1):
            sent = dict(headers)
            if _origin(url) == _origin(self.base):
                known = self._auth.header(scopes)
                sent |= {"Authorization": known} if known else {}
            answer = self._once(method, url, sent, body() if callable(body) else body, is_streamed)
            if answer.status_code not in _REDIRECTS or method not in ("GET", "HEAD"):
                return answer
            target = urljoin(url, answer.headers.get("Location", ""))
            answer.close()
            if urlsplit(target).scheme not in ("https", urlsplit(url).scheme):
                raise RegistryUnavailable(
                    f"{self.host} sends us on to {target[:200]!r}, which is not followed"
                )
            url = target
        raise RegistryUnavailable(f"{self.host} sends us on and on")

    def _once(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: Any,
        is_streamed: bool,  # noqa: FBT001
    ) -> Response:
        return self._session.request(
            method,
            url,
            headers={"Accept-Encoding": "identity", **headers},
            data=body,
            stream=is_streamed,
            allow_redirects=False,
            timeout=(_CONNECT_SECONDS, _READ_SECONDS),
            auth=_as_it_is,
        )

    def _fetch(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None
    ) -> tuple[int, Any]:
        """How a token server is asked: repeated as everything else, its answer read as JSON where it is that."""
        for attempt in range(self.patience.tries):
            answer = self._once(method, url, headers, body, is_streamed=False)
            if answer.status_code not in BUSY:
                break
            self.patience.wait(attempt, answer.headers.get("Retry-After"))
        try:
            return answer.status_code, answer.json()
        except ValueError:
            return answer.status_code, None

    def _resolve(self, path: str) -> str:
        """An address that the registry gave, or a path of it. It may say ``http`` behind a proxy that speaks TLS."""
        url = urljoin(f"{self.base}/", path)
        if urlsplit(url).scheme == "http" and self.base.startswith("https:"):
            if urlsplit(url).hostname != urlsplit(self.base).hostname:
                raise RegistryUnavailable(
                    f"{self.host} sends us to {url[:200]!r} without TLS, which is refused"
                )
            url = f"{self.base}{url.removeprefix('http://').removeprefix(urlsplit(url).netloc)}"
        return url

    def _speaks_tls(self) -> bool:
        """Asked where it may be without. A certificate that we do not trust is TLS, too: that error comes later."""
        from requests import exceptions

        try:
            self._once("GET", f"https://{self.host}/v2/", {}, None, is_streamed=False)
        except exceptions.SSLError as error:
            return "CERTIFICATE" in str(error).upper()
        except (exceptions.ConnectionError, exceptions.Timeout):
            return False
        return True

    def _no_tls(self, error: Exception, doing: str) -> MlopsError:
        hint = "name the file with the registry's CA in REQUESTS_CA_BUNDLE or SSL_CERT_FILE"
        if "CERTIFICATE" not in str(error).upper():
            hint = (
                "does it speak plain HTTP? then mark it as insecure in ~/.config/containers/registries.conf"
            )
        return RegistryUnavailable(
            f"cannot {doing}: no secure connection to {self.host} ({_reason(error)})", hint=hint
        )

    def _refused(self, answer: Response, doing: str) -> MlopsError:
        told = _told(answer)
        code = answer.status_code
        if code in (401, 403):
            error = denied(self.host, self.credentials, f"{doing}{f' ({told})' if told else ''}")
        elif code == 404:
            return NotFound(f"cannot {doing}: {self.host} has no such thing{f' ({told})' if told else ''}")
        elif code in (400, 413, 415, 422):
            return InvalidInput(
                f"cannot {doing}: {self.host} refused it, {told or 'without a reason'} (HTTP {code})"
            )
        else:
            return RegistryUnavailable(
                f"cannot {doing}: {self.host} answered {told or 'nothing more'} (HTTP {code})"
            )
        return error


def _as_it_is(request: Any) -> Any:
    """Stands where requests would otherwise look for a password in .netrc."""
    return request


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc.lower()


def _seconds(retry_after: str) -> float | None:
    """``Retry-After`` is seconds or a date."""
    try:
        return max(0.0, float(retry_after))
    except ValueError:
        pass
    try:
        return max(0.0, (parsedate_to_datetime(retry_after) - datetime.now(UTC)).total_seconds())
    except (TypeError, ValueError):
        return None


def _told(answer: Response) -> str:
    """What the registry says of it: its codes and messages, as one line of plain text."""
    try:
        errors = json.loads(answer.content).get("errors") or []
        words = [f"{one.get('code', '')}: {one.get('message', '')}".strip(": ") for one in errors]
    except (ValueError, AttributeError, TypeError):
        return ""
    return shorten(plain("; ".join(words)), 300)


def _reason(error: Exception) -> str:
    """The innermost reason of an error of requests, which wraps several."""
    inner: Any = error
    for _ in range(8):
        following = getattr(inner, "reason", None) or next(
            (arg for arg in getattr(inner, "args", ()) if isinstance(arg, Exception)), None
        )
        if not isinstance(following, Exception):
            break
        inner = following
    return shorten(plain(str(inner) or type(inner).__name__), 200)
