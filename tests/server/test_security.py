"""Every route, asked by nobody, from another site, and with hostile input."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from jupyter_mlops.server.contract import CONTRACT, Operation

from .conftest import Server, key

ALL = pytest.mark.parametrize("operation", CONTRACT.operations, ids=lambda operation: operation.name)
CHANGING = pytest.mark.parametrize(
    "operation",
    [each for each in CONTRACT.operations if each.verb != "get"],
    ids=lambda operation: operation.name,
)
HOSTILE = [
    "../../../etc/passwd",
    "..%2f..%2f..%2fetc%2fpasswd",
    "%2e%2e/%2e%2e/etc/passwd",
    "..\\..\\etc",
    "/etc/passwd",
    "%2Fetc%2Fpasswd",
    "a%00b",
    "%00",
    "%ff%fe",
    "x" * 3000,
    "a/../../b.yaml",
    ".mlops/catalog.db",
    ".ssh/id.yaml",
    "~/x.yaml",
    "%0d%0aX-Evil:1",
    "' OR 1=1 --",
    "%25",
    "*",
    "[",
    "${jndi:x}",
    "<script>alert(1)</script>",
    "-1",
    "1e999",
    "NaN",
    "💥",
    "con",
    "a//b.yaml",
]


def place(operation: Operation, value: str) -> str:
    """The operation's path with a value for each of its names."""
    path = operation.path
    for parameter in operation.parameters:
        if parameter["in"] == "path":
            path = path.replace(f"{{{parameter['name']}}}", value)
    return path


@pytest.fixture(scope="session")
def cookies(server: Server) -> Iterator[requests.Session]:
    """A browser that is logged in: it has cookies, and no token."""
    with requests.Session() as session:
        session.get(
            f"{server.url}api/status", params={"token": "a-token-for-tests"}, timeout=30
        ).raise_for_status()
        assert session.cookies
        yield session


@ALL
def test_nobody_gets_in_without_a_token(server: Server, operation: Operation) -> None:
    with requests.Session() as nobody:
        answer = nobody.request(
            operation.verb,
            f"{server.url}mlops{place(operation, '1')}",
            json={},
            timeout=30,
            allow_redirects=False,
        )
    if operation.is_page:
        assert answer.status_code == 302
        assert "/login" in answer.headers["Location"]
    else:
        assert answer.status_code == 403
        assert answer.json()["code"] == "forbidden"


@ALL
def test_a_wrong_token_is_none(server: Server, operation: Operation) -> None:
    headers = {"Authorization": "token wrong"}
    answer = server.ask(
        operation.verb, place(operation, "1"), headers=headers, json={}, allow_redirects=False
    )
    assert answer.status_code in (302, 403)


@CHANGING
def test_another_site_cannot_use_the_cookie(
    server: Server, cookies: requests.Session, operation: Operation
) -> None:
    url = f"{server.url}mlops{place(operation, '1')}"
    answer = cookies.request(operation.verb, url, json={}, timeout=30)
    assert answer.status_code == 403
    assert "_xsrf" in answer.json()["message"] or answer.json()["code"] == "forbidden"


def test_the_panel_can_use_the_cookie(server: Server, cookies: requests.Session) -> None:
    cookies.get(f"{server.url}tree", timeout=30)  # a page sets the XSRF cookie
    headers = {"X-XSRFToken": cookies.cookies.get("_xsrf", "")}
    body = {"path": "pipeline.yaml", "text": "name: x"}
    answer = cookies.post(f"{server.url}mlops/api/check", json=body, headers=headers, timeout=30)
    assert answer.status_code == 200, answer.text


@ALL
def test_another_origin_is_refused(server: Server, cookies: requests.Session, operation: Operation) -> None:
    url, headers = f"{server.url}mlops{place(operation, '1')}", {"Origin": "https://evil.example"}
    answer = cookies.request(operation.verb, url, headers=headers, json={}, timeout=30)
    assert answer.status_code in (403, 404)
    assert "Access-Control-Allow-Origin" not in answer.headers


@pytest.mark.parametrize("value", HOSTILE)
@pytest.mark.parametrize(
    "operation",
    [each for each in CONTRACT.operations if "{" in each.path],
    ids=lambda operation: operation.name,
)
def test_hostile_paths_are_refused_in_our_words(server: Server, operation: Operation, value: str) -> None:
    """Sent as they stand: `requests` would tidy them up."""
    for written in (value, key(value)):
        prepared = requests.Request(operation.verb.upper(), server.url, json={}).prepare()
        prepared.headers["Authorization"] = "token a-token-for-tests"
        prepared.url = (
            f"{server.url}mlops{place(operation, written)}".replace(" ", "%20").encode().decode("latin-1")
        )
        answer = server.session.send(prepared, timeout=30)
        assert 400 <= answer.status_code < 500, (written, answer.status_code, answer.text)
        assert "Traceback" not in answer.text
        assert "root:" not in answer.text
        assert "X-Evil" not in answer.headers
        if not operation.is_page and answer.headers["Content-Type"].startswith("application/json"):
            assert {"code", "message"} <= set(answer.json())


@CHANGING
@pytest.mark.parametrize(
    "body",
    [b"[]", b"null", b"{", b"\xff\xfe", b'{"a":' * 2000, b'{"path": {"$ne": 1}}', b"{}" + b" " * 5_000_000],
)
def test_hostile_bodies_are_refused(server: Server, operation: Operation, body: bytes) -> None:
    answer = server.ask(operation.verb.upper(), place(operation, "1"), data=body)
    assert 400 <= answer.status_code < 500, (answer.status_code, answer.text)
    assert {"code", "message", "hint", "problems"} == set(answer.json())


QUERIES: list[dict[str, Any]] = [
    {"limit": "1e9"},
    {"limit": "-1"},
    {"offset": "99999999999999999999"},
    {"search": "%' OR ''='"},
    {"search": "\\_%"},
    {"state": "failed,'"},
    {"search": "x" * 10_000},
    {"unknown": "1"},
    {"limit": ["1", "x"]},
]


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: json.dumps(query)[:30])
@pytest.mark.parametrize("path", ["/api/runs", "/api/models", "/api/pipelines"])
def test_hostile_queries_are_data_or_mistakes(server: Server, path: str, query: dict[str, Any]) -> None:
    answer = server.ask("GET", path, params=query)
    assert answer.status_code in (200, 400, 414, 431), answer.text
    if answer.status_code == 200:
        assert answer.json()["total"] == 0 or "search" not in query


@pytest.mark.parametrize("verb", ["GET", "POST", "PUT", "DELETE", "PATCH"])
@pytest.mark.parametrize("path", ["/api", "/api/", "/api/nothing", "/api/runs/a/b/c/d"])
def test_what_is_no_route_is_told_in_our_words(server: Server, verb: str, path: str) -> None:
    answer = server.ask(verb, path)
    assert answer.status_code == 404
    assert answer.json()["code"] == "not_found"


def test_a_verb_that_a_route_lacks(server: Server) -> None:
    answer = server.ask("DELETE", "/api/runs")
    assert answer.status_code == 405
    assert answer.json()["code"] == "method_not_allowed"


def test_links_do_not_lead_out_of_the_root(server: Server, tmp_path_factory: pytest.TempPathFactory) -> None:
    outside = tmp_path_factory.mktemp("outside")
    (outside / "secret.yaml").write_text("name: secret")
    for name, target in (("link.yaml", outside / "secret.yaml"), ("folder", outside)):
        if not (server.root / name).is_symlink():
            (server.root / name).symlink_to(target)
    for path in ("link.yaml", "folder/secret.yaml"):
        assert "links" in server.get(f"/api/pipelines/{path}", 404)["hint"]
        assert server.put(f"/api/pipelines/{path}", {"text": "x", "digest": None}, 404)
    assert (outside / "secret.yaml").read_text() == "name: secret"


def test_only_pipelines_are_written(server: Server) -> None:
    for path in ("evil.py", "one.ipynb", ".bashrc", "x.yaml/../y.sh", ".mlops/x.yaml"):
        answer = server.ask("PUT", f"/api/pipelines/{key(path)}", json={"text": "x", "digest": None})
        assert answer.status_code in (400, 404)
    assert not (server.root / "evil.py").exists()


def test_no_route_is_without_its_decorators(server: Server) -> None:
    """Jupyter's server looks itself, and names the handlers that anybody may ask."""
    named = [line for line in server.log.read_text().splitlines() if " registered for " in line]
    assert not [line for line in named if "mlops" in line]
