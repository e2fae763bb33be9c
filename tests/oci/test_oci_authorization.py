"""Who we are at a registry: logins as docker and podman leave them, tokens from real servers, TLS."""

from __future__ import annotations

import base64
import json
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

import pytest

from jupyter_mlops.errors import AccessDenied, InvalidSettings, RegistryUnavailable
from jupyter_mlops.oci.authorization import Authorizer, parse_challenge
from jupyter_mlops.oci.credentials import Credentials, find_credentials
from jupyter_mlops.oci.descriptor import digest_of
from jupyter_mlops.oci.plain import may_be_plain
from jupyter_mlops.oci.registry import Registry
from jupyter_mlops.oci.transport import Patience

from .conftest import PASSWORD, QUICK, USER, running, served

BASIC = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()


def login(path: Path, **document: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document))
    return path


# --- what a login left ----------------------------------------------------------------------------------


def test_dockers_login_is_found(tmp_path: Path) -> None:
    login(tmp_path / "home" / ".docker" / "config.json", auths={"r.io": {"auth": BASIC}})
    environ = {"HOME": str(tmp_path / "home")}
    assert find_credentials("r.io", environ=environ) == Credentials(USER, PASSWORD)
    assert find_credentials("other.io", environ=environ) is None


def test_podmans_login_comes_first_and_a_named_file_alone(tmp_path: Path) -> None:
    def auth(user: str) -> dict[str, object]:
        return {"r.io": {"auth": base64.b64encode(f"{user}:x".encode()).decode()}}

    environ = {"HOME": str(tmp_path), "XDG_RUNTIME_DIR": str(tmp_path / "run")}
    login(tmp_path / ".docker" / "config.json", auths=auth("docker"))
    login(tmp_path / "run" / "containers" / "auth.json", auths=auth("podman"))
    named = login(tmp_path / "named.json", auths={})
    found = find_credentials("r.io", environ=environ)
    assert found is not None
    assert found.user == "podman"
    assert find_credentials("r.io", environ={**environ, "REGISTRY_AUTH_FILE": str(named)}) is None


def test_a_login_for_a_part_of_a_registry_counts_there(tmp_path: Path) -> None:
    auths = {
        f"r.io{part}": {"username": user, "password": "x"} for part, user in (("", "all"), ("/team", "team"))
    }
    named = login(tmp_path / "a.json", auths=auths)
    environ = {"REGISTRY_AUTH_FILE": str(named)}
    users = [
        getattr(find_credentials("r.io", name, environ), "user", "") for name in ("team/app", "teams/app", "")
    ]
    assert users == ["team", "all", "all"]


def test_docker_hubs_old_name_is_its_own(tmp_path: Path) -> None:
    named = login(tmp_path / "a.json", auths={"https://index.docker.io/v1/": {"identitytoken": "t"}})
    assert find_credentials("docker.io", environ={"REGISTRY_AUTH_FILE": str(named)}) == Credentials(
        identity_token="t"
    )


def test_a_helper_is_asked_as_docker_asks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    helper = tmp_path / "docker-credential-tested"
    helper.write_text(
        "#!/bin/sh\nread -r host\n"
        'case "$host" in r.io) echo \'{"Username":"u","Secret":"p"}\';;'
        ' t.io) echo \'{"Username":"<token>","Secret":"i"}\';;'
        " *) echo 'credentials not found in native keychain'; exit 1;; esac\n"
    )
    helper.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    environ = {"REGISTRY_AUTH_FILE": str(login(tmp_path / "a.json", credsStore="tested"))}
    assert find_credentials("r.io", environ=environ) == Credentials("u", "p")
    assert find_credentials("t.io", environ=environ) == Credentials(identity_token="i")
    assert find_credentials("x.io", environ=environ) is None


@pytest.mark.parametrize(
    ("document", "told"),
    [
        ("{", "is not JSON"),
        ("[]", "no file of registry logins"),
        ('{"auths": {"r.io": {"auth": "%%%"}}}', "cannot be read"),
        ('{"auths": {"r.io": {"auth": "eA=="}}}', "without a password"),
        ('{"credsStore": "../../bin/sh"}', "no program's name"),
        ('{"credsStore": "is-not-there"}', "not installed"),
    ],
)
def test_a_damaged_login_is_told(tmp_path: Path, document: str, told: str) -> None:
    (tmp_path / "a.json").write_text(document)
    with pytest.raises(InvalidSettings, match=told):
        find_credentials("r.io", environ={"REGISTRY_AUTH_FILE": str(tmp_path / "a.json")})


def test_no_secret_is_in_a_repr() -> None:
    assert "p" not in repr(Credentials("u", "p")).replace("repository", "").split("(")[1]


# --- challenges -----------------------------------------------------------------------------------------


def test_a_challenge_is_read() -> None:
    found = parse_challenge(
        'Bearer realm="https://a/t?x=1,2",service="r.io",scope="repository:a/b:pull,push"'
    )
    assert found is not None
    assert (found.scheme, found.fields["realm"]) == ("bearer", "https://a/t?x=1,2")
    assert found.fields["scope"] == "repository:a/b:pull,push"


def test_bearer_is_taken_before_basic() -> None:
    found = parse_challenge('Basic realm="x", Bearer realm="https://a/t",service="s"')
    assert found is not None
    assert found.scheme == "bearer"
    assert parse_challenge("Negotiate abc") is None
    assert parse_challenge("") is None


def test_a_token_server_without_tls_gets_no_password() -> None:
    asked: list[Any] = []
    authorizer = Authorizer(
        "r.io", False, Credentials("u", "p"), lambda *given: asked.append(given) or (200, {})
    )  # type: ignore[func-returns-value]
    assert authorizer.learn('Bearer realm="http://r.io/t"', ["a"])
    with pytest.raises(RegistryUnavailable, match="without TLS"):
        authorizer.header(["a"])
    assert asked == []


def test_a_token_is_used_until_it_runs_out() -> None:
    clock, given = [0.0], iter(range(9))
    authorizer = Authorizer(
        "r.io",
        False,
        None,
        lambda *_: (200, {"token": f"t{next(given)}", "expires_in": 100}),
        now=lambda: clock[0],
    )
    authorizer.learn('Bearer realm="https://a/t"', ["a"])
    assert [authorizer.header(["a"]), authorizer.header(["a"]), authorizer.header(["b"])] == [
        "Bearer t0", "Bearer t0", "Bearer t1",
    ]  # fmt: skip
    clock[0] = 95.0
    assert authorizer.header(["a"]) == "Bearer t2"


@pytest.mark.parametrize("answer", [(200, None), (200, {"token": "a\r\nb"}), (200, {"token": 7}), (500, {})])
def test_what_is_no_token_is_told(answer: tuple[int, Any]) -> None:
    authorizer = Authorizer("r.io", False, None, lambda *_: answer)
    authorizer.learn('Bearer realm="https://a/t"', ["a"])
    with pytest.raises(RegistryUnavailable, match=r"gave no token for r\.io"):
        authorizer.header(["a"])


def test_a_token_that_is_refused_is_fetched_again() -> None:
    given = iter(range(9))
    authorizer = Authorizer("r.io", False, None, lambda *_: (200, {"token": f"t{next(given)}"}))
    challenge = 'Bearer realm="https://a/t"'
    assert authorizer.learn(challenge, ["a"])
    assert authorizer.header(["a"]) == "Bearer t0"
    assert authorizer.learn(challenge, ["a"])  # of a request that began before that
    assert authorizer.header(["a"]) == "Bearer t0"
    assert authorizer.learn(challenge, ["a"], "Bearer t0")
    assert authorizer.header(["a"]) == "Bearer t1"


def test_a_password_that_is_refused_is_not_sent_again() -> None:
    authorizer = Authorizer("r.io", False, Credentials("u", "p"), lambda *_: (200, {}))
    assert authorizer.learn('Basic realm="x"', ["a"])
    assert not authorizer.learn('Basic realm="x"', ["a"], authorizer.header(["a"]) or "")


# --- a registry that wants tokens -----------------------------------------------------------------------


@pytest.fixture(scope="module")
def signer(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    """What signs tokens: a key and its certificate, which the registry trusts."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "tokens")])
    now = datetime.now(UTC)
    made = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    made = made.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=2))
    certificate = made.sign(key, hashes.SHA256())
    path = tmp_path_factory.mktemp("oci-signer") / "bundle.pem"
    path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return path, (key, certificate)


def token(signer: Any, service: str, scopes: list[str]) -> str:
    """A token as docker's registry wants it (JWT, ES256, the certificate along)."""
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

    key, certificate = signer
    access = []
    for scope in scopes:
        kind, name, actions = scope.split(":")
        access.append({"type": kind, "name": name, "actions": actions.split(",")})
    now = int(datetime.now(UTC).timestamp())
    claims = {
        "iss": "tokens",
        "sub": USER,
        "aud": service,
        "exp": now + 60,
        "nbf": now - 9,
        "iat": now,
        "jti": "1",
    }
    chain = [base64.b64encode(certificate.public_bytes(serialization.Encoding.DER)).decode()]

    def part(document: object) -> str:
        data = document if isinstance(document, bytes) else json.dumps(document).encode()
        return base64.urlsafe_b64encode(data).rstrip(b"=").decode()

    head = f"{part({'typ': 'JWT', 'alg': 'ES256', 'x5c': chain})}.{part({**claims, 'access': access})}"
    r, s = decode_dss_signature(key.sign(head.encode(), ec.ECDSA(hashes.SHA256())))
    return f"{head}.{part(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"


class TokenServer(BaseHTTPRequestHandler):
    """A real token server: it knows one user, and lets others pull from ``public/`` alone."""

    signer: ClassVar[Any] = None
    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        query = parse_qs(urlsplit(self.path).query)
        given = self.headers.get("Authorization")
        self._give(
            query["service"][0], query.get("scope", []), is_known=given == f"Basic {BASIC}", given=given
        )

    def do_POST(self) -> None:
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        is_known = form["refresh_token"] == ["refresh-me"]
        self._give(form["service"][0], form["scope"][0].split(), is_known=is_known, given="token")

    def _give(self, service: str, scopes: list[str], *, is_known: bool, given: str | None) -> None:
        self.asked.append(" ".join(scopes))
        if given and not is_known:
            self._say(401, {"errors": [{"code": "UNAUTHORIZED", "message": "who?"}]})
            return
        allowed = [one for one in scopes if is_known or ("public/" in one and one.endswith(":pull"))]
        self._say(200, {"token": token(self.signer, service, allowed), "expires_in": 60})

    def _say(self, status: int, document: object) -> None:
        data = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def token_host(signer: tuple[Path, Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    TokenServer.signer = signer[1]
    with served(TokenServer) as tokens:
        more = (
            f"auth:\n  token:\n    realm: http://{tokens}/token\n    service: tested\n    issuer: tokens\n"
            f"    rootcertbundle: {signer[0]}\n"
        )
        with running(tmp_path_factory.mktemp("oci-tokens"), more) as host:
            yield host


@pytest.mark.parametrize("who", [Credentials(USER, PASSWORD), Credentials(identity_token="refresh-me")])
def test_tokens_let_push_mount_and_pull(token_host: str, who: Credentials) -> None:
    registry = Registry(token_host, credentials=who, patience=QUICK)
    data = f"for {who.user}".encode()
    assert registry.put_blob("team/one", data, digest_of(data)) == "uploaded"
    assert registry.put_blob("team/two", data, digest_of(data), mount_from="team/one") == "mounted"
    assert any("team/one:pull" in one and "team/two:pull,push" in one for one in TokenServer.asked)


def test_anybody_may_pull_what_is_public(token_host: str) -> None:
    owner = Registry(token_host, credentials=Credentials(USER, PASSWORD), patience=QUICK)
    owner.put_blob("public/x", b"seen", digest_of(b"seen"))
    anybody = Registry(token_host, patience=QUICK)
    assert anybody.has_blob("public/x", digest_of(b"seen"))
    with pytest.raises(AccessDenied, match="anonymous user push"):
        anybody.put_blob("public/x", b"mine", digest_of(b"mine"))


def test_a_token_server_that_knows_us_not(token_host: str) -> None:
    with pytest.raises(AccessDenied, match="does not let user 'anna'"):
        Registry(token_host, credentials=Credentials(USER, "wrong"), patience=QUICK).tags("team/one")


# --- TLS ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def tls_host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    folder = tmp_path_factory.mktemp("oci-tls")
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-days",
        "2",
    ]
    command += ["-subj", "/CN=here", "-addext", "subjectAltName=IP:127.0.0.1"]
    command += ["-keyout", str(folder / "key.pem"), "-out", str(folder / "ca.pem")]
    subprocess.run(command, check=True, capture_output=True)
    tls = f"  tls:\n    certificate: {folder / 'ca.pem'}\n    key: {folder / 'key.pem'}\n"
    with running(folder, tls=tls) as host:
        yield host, folder / "ca.pem"


def test_a_certificate_that_nobody_vouches_for_is_refused(tls_host: tuple[str, Path]) -> None:
    with pytest.raises(RegistryUnavailable, match="no secure connection") as caught:
        Registry(tls_host[0], patience=QUICK).has_blob("x", digest_of(b""))
    assert "SSL_CERT_FILE" in caught.value.hint


def test_a_certificate_of_a_known_authority_is_taken(
    tls_host: tuple[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SSL_CERT_FILE", str(tls_host[1]))
    registry = Registry(tls_host[0], patience=QUICK)
    assert registry.put_blob("x", b"1", digest_of(b"1")) == "uploaded"
    assert registry.transport.base.startswith("https:")


def test_plain_http_where_tls_is_wanted_is_told(registry_host: str) -> None:
    with pytest.raises(RegistryUnavailable, match="no secure connection") as caught:
        Registry(registry_host, plain_http=False, patience=QUICK).tags("x")
    assert "plain HTTP" in caught.value.hint


def test_a_registry_is_plain_where_podman_has_it_so(tmp_path: Path) -> None:
    environ = {"HOME": str(tmp_path), "CONTAINERS_REGISTRIES_CONF": str(tmp_path / "r.conf")}
    (tmp_path / "r.conf").write_text('[[registry]]\nlocation = "r.local:5000"\ninsecure = true\n')
    (tmp_path / "registries.conf.d").mkdir()
    more = '[[registry]]\nprefix = "s.local/team"\nlocation = "t.local"\ninsecure = true\n'
    (tmp_path / "registries.conf.d" / "x.conf").write_text(more)
    marked = [
        host
        for host in ("r.local:5000", "s.local", "t.local", "r.local", "ghcr.io")
        if may_be_plain(host, environ)
    ]
    assert marked == ["r.local:5000", "s.local", "t.local"]
    (tmp_path / "r.conf").write_text("[[")
    with pytest.raises(InvalidSettings, match="is not TOML"):
        may_be_plain("ghcr.io", environ)


# --- a busy server --------------------------------------------------------------------------------------


class Busy(BaseHTTPRequestHandler):
    answers: ClassVar[list[tuple[int, dict[str, str]]]] = []
    seen: ClassVar[list[str | None]] = []

    def do_GET(self) -> None:
        self.seen.append(self.headers.get("Authorization"))
        status, headers = self.answers.pop(0) if self.answers else (200, {})
        body = b'{"tags": ["v1"]}' if status == 200 else b""
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def test_a_busy_server_is_asked_again_when_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    monkeypatch.setattr(
        Busy, "answers", [(429, {"Retry-After": "7"}), (503, {}), (502, {"Retry-After": "9999"})]
    )
    with served(Busy) as host:
        registry = Registry(host, plain_http=True, patience=Patience(first_seconds=0.5, sleep=waits.append))
        assert registry.tags("x") == ["v1"]
    assert waits[0] == 7
    assert 0.5 <= waits[1] <= 1.5
    assert waits[2] == 60


def test_a_server_that_stays_busy_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Busy, "answers", [(503, {})] * 9)
    with served(Busy) as host, pytest.raises(RegistryUnavailable, match="HTTP 503"):
        Registry(host, plain_http=True, patience=Patience(tries=3, sleep=lambda _: None)).tags("x")


def test_what_we_may_is_not_told_to_others(monkeypatch: pytest.MonkeyPatch) -> None:
    with served(Busy) as elsewhere, served(Busy) as host:
        first = [
            (401, {"WWW-Authenticate": 'Basic realm="x"'}),
            (307, {"Location": f"http://{elsewhere}/v2/x"}),
        ]
        monkeypatch.setattr(Busy, "answers", first)
        monkeypatch.setattr(Busy, "seen", [])
        Registry(host, plain_http=True, credentials=Credentials(USER, PASSWORD), patience=QUICK).tags("x")
        assert Busy.seen == [None, f"Basic {BASIC}", None]


def test_a_server_that_sends_on_and_on_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    with served(Busy) as host:
        monkeypatch.setattr(Busy, "answers", [(302, {"Location": f"http://{host}/v2/x"})] * 9)
        registry = Registry(host, plain_http=True, patience=QUICK)
        with pytest.raises(RegistryUnavailable, match="on and on"):
            registry.tags("x")
