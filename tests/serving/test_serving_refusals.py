"""What is wrong gets the right status, a clear message, and nothing of the inside."""

from __future__ import annotations

import json
import math
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .conftest import FLIGHTS, ROW, Served

JSON = {"content-type": "application/json"}
NEEDED = "hour, distance, carrier, is_weekend, origin"
WRONG: list[tuple[Any, str]] = [
    (b"", "the body is empty"),
    (b"{", "the body is no JSON"),
    (b'{"instances": [NaN]}', "NaN and Infinity are no JSON, null is a missing value"),
    (b"[" * 100_000, "the body is no JSON"),
    (b"\xff\xfe", "the body is no JSON"),
    (3, "the body is neither an object nor a list"),
    ([], "'instances' has no rows"),
    ({}, "the body says nothing"),
    ({"instances": [ROW], "dataframe_records": [ROW]}, "one of them is meant"),
    ({"instances": [ROW], "instancse": 3}, "'instancse' beside 'instances'"),
    ({"instances": []}, "has no rows"),
    ({"instances": 3}, "must be a list of rows"),
    ({"instances": [ROW, 3]}, "mixes objects with other rows"),
    ({"instances": [[1, 2]]}, f"row 0 must be an object, or a list of 5: {NEEDED}"),
    ({"instances": [[{}] * 5]}, "the column 'hour' must be long (int64)"),
    ({"instances": [{**ROW, "hour": "nine"}]}, "the column 'hour' must be long (int64): it holds 'nine'"),
    ({"instances": [{**ROW, "hour": 9.5}]}, "it holds fractions"),
    ({"instances": [{**ROW, "hour": None}]}, "it has missing values, the example had none"),
    ({"instances": [{**ROW, "hour": 2**70}]}, "the column 'hour' must be long"),
    ({"instances": [{**ROW, "carrier": "ZZ"}]}, "'ZZ' is none of its categories"),
    ({"instances": [{**ROW, "is_weekend": 1}]}, "it holds other values than true and false"),
    ({"instances": [{**ROW, "origin": ["x"]}]}, "the column 'origin'"),
    (
        {"instances": [{name: ROW[name] for name in ROW if name != "hour"}]},
        "the input lacks the column 'hour'",
    ),
    ({"instances": [{**ROW, "Hour": 3, "hour": 9} | {"distance": {"a": 1}}]}, "the column 'distance'"),
    ({"dataframe_split": {"columns": ["a", "a"], "data": [[1, 2]]}}, "name one twice"),
    ({"dataframe_split": {"columns": ["a"], "data": [[1, 2]]}}, "must be a list of 1 values"),
    ({"dataframe_split": [ROW]}, "must be an object with 'columns' and 'data'"),
    ({"dataframe_records": [[1]]}, "must be a list of objects"),
    ({"inputs": {"hour": [1], "distance": [1, 2]}}, "must be lists of one length"),
    ({"inputs": [{"datatype": "INT64"}]}, "input 0 has no name"),
    (
        {"inputs": [{"name": "a", "datatype": "INT64", "shape": [2**40], "data": [1]}]},
        "must be a list of sizes",
    ),
    ({"inputs": [{"name": "a", "datatype": "INT64", "shape": [2], "data": [1]}]}, "its shape says 2"),
    ({"inputs": [{"name": "a", "datatype": "INT8", "shape": [1], "data": [300]}]}, "no INT8"),
    ({"inputs": [{"name": "a", "datatype": "INT8", "shape": [1], "data": [1.5]}]}, "holds other values"),
    ({"inputs": [{"name": "a", "datatype": "CAT", "shape": [1], "data": [1]}]}, "must be one of BOOL"),
    ({"inputs": [{"name": "a", "datatype": "INT8", "shape": [2], "data": [[1], 2]}]}, "nested unevenly"),
]


@pytest.mark.parametrize(("body", "message"), WRONG)
def test_a_wrong_body_is_400_and_says_why(served: Served, body: Any, message: str) -> None:
    given = body if isinstance(body, bytes) else json.dumps(body).encode()
    reply = served.ask("/invocations", given, headers=JSON)
    assert (reply.status, reply.json["code"]) == (400, "invalid_input")
    assert message in reply.json["error"]
    assert not any(word in reply.json["error"] for word in ("Traceback", ".py", "jupyter_mlops"))
    assert set(reply.json) == {"error", "code"}


@pytest.mark.parametrize(
    ("csv", "message"),
    [
        (b"hour\n", "at least one row"),
        (b"a,a\n1,2\n", "names a column twice"),
        (b"a,b\n1\n", "has 1 fields, not 2"),
        (b"\xff\n1\n", "no CSV"),
        (b'a\n"x', "no CSV"),
    ],
)
def test_a_wrong_csv(served: Served, csv: bytes, message: str) -> None:
    reply = served.ask("/invocations", csv, headers={"content-type": "text/csv"})
    assert reply.status == 400
    assert message in reply.json["error"]


def test_the_wrong_path_method_and_kind(served: Served) -> None:
    missing = served.ask("/nothing")
    assert (missing.status, missing.json["code"]) == (404, "not_found")
    method = served.ask("/invocations", method="GET")
    assert (method.status, method.headers["allow"]) == (405, "POST")
    assert served.ask("/ping", b"", method="POST").headers["allow"] == "GET, HEAD"
    kind = served.ask("/invocations", b"x", headers={"content-type": "application/x-www-form-urlencoded"})
    assert (kind.status, kind.json["code"]) == (415, "unsupported_media_type")
    assert served.ask("/invocations", b"x", headers={"content-encoding": "gzip"}).status == 415
    for path in ("/../../etc/passwd", "/%2e%2e/etc/passwd", "/v2/models/%00/infer", "/v1/models/a:b:predict"):
        assert served.ask(path).status == 404


def test_entities_need_a_feature_store(served: Served) -> None:
    reply = served.ask("/invocations", {"entities": [{"origin": "JFK"}]})
    assert (reply.status, reply.json["error"]) == (
        404,
        "this server looks up no features; send the rows themselves",
    )


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"GET / HTTP/9.9\r\n\r\n", 400),
        (b"POST /invocations HTTP/1.1\r\nhost: x\r\n\r\n", 411),
        (b"POST /invocations HTTP/1.1\r\nhost: x\r\ncontent-length: 99999999999\r\n\r\n", 413),
        (b"POST /invocations HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\n", 400),
        (b"POST /invocations HTTP/1.1\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n", 400),
        (b"POST /invocations HTTP/1.1\r\ncontent-length: -1\r\n\r\n", 400),
        (b"GET /ping HTTP/1.1\r\na: " + b"x" * 200_000 + b"\r\n\r\n", 431),
        (b"GET /" + b"x" * 200_000 + b" HTTP/1.1\r\n\r\n", 431),
        (b"GET /ping HTTP/1.1\r\n" + b"a: b\r\n" * 30_000 + b"\r\n", 431),
    ],
)
def test_what_is_no_request(served: Served, data: bytes, status: int) -> None:
    assert served.raw(data).startswith(f"HTTP/1.1 {status} ".encode())


def test_an_upgrade_is_answered_as_if_none_was_asked(served: Served) -> None:
    head = b"GET /ping HTTP/1.1\r\nhost: x\r\nconnection: upgrade, http2-settings\r\nupgrade: h2c\r\n\r\n"
    assert served.raw(head).startswith(b"HTTP/1.1 200 OK")


def test_a_body_in_chunks_and_one_that_waits_to_be_asked_for(served: Served) -> None:
    body = json.dumps({"instances": [ROW]}).encode()
    head = b"POST /invocations HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
    chunks = b"".join(
        b"%x\r\n%s\r\n" % (len(body[i : i + 7]), body[i : i + 7]) for i in range(0, len(body), 7)
    )
    assert b'{"predictions":[10.0]}' in served.raw(
        head + b"transfer-encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", served.port), timeout=10) as opened:
        opened.sendall(head + b"expect: 100-continue\r\ncontent-length: %d\r\n\r\n" % len(body))
        assert opened.recv(1000).startswith(b"HTTP/1.1 100 Continue")
        opened.sendall(body)
        assert opened.recv(1000).startswith(b"HTTP/1.1 200 OK")


def test_limits(start: Callable[..., Served], flights: Path) -> None:
    served = start(
        "--model", str(flights), "--body-bytes", "1000", "--head-seconds", "1", "--body-seconds", "1",
        "--idle-seconds", "1", "--connections", "20",
    )  # fmt: skip
    large = served.ask("/invocations", {"instances": [ROW] * 100})
    assert (large.status, large.json["code"]) == (413, "too_large")
    head, chunk = (
        b"POST /invocations HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n",
        b"3e8\r\n" + b"x" * 1000 + b"\r\n",
    )
    assert served.raw(head + chunk * 2).startswith(b"HTTP/1.1 413 ")
    slow = [socket.create_connection(("127.0.0.1", served.port), timeout=10) for _ in range(4)]
    slow[0].sendall(b"GET /ping HTT")
    slow[1].sendall(b"POST /invocations HTTP/1.1\r\ncontent-length: 100\r\n\r\nabc")
    slow[2].sendall(b"GET /ping HTTP/1.1\r\n\r\n")
    assert served.ask("/ping").status == 200  # nobody waits for them
    assert slow[0].recv(100).startswith(b"HTTP/1.1 408 ")
    assert slow[1].recv(100).startswith(b"HTTP/1.1 408 ")
    assert slow[2].recv(1000).startswith(b"HTTP/1.1 200 ")
    assert slow[2].recv(100) == b""  # kept for a second, then closed
    assert slow[3].recv(100) == b""
    for one in slow:
        one.close()
    many = [socket.create_connection(("127.0.0.1", served.port), timeout=10) for _ in range(30)]
    assert b"503" in many[-1].recv(100)
    for one in many:
        one.close()
    served.until(lambda: served.ask("/ping").status == 200)


def test_a_client_that_does_not_read_is_let_go(start: Callable[..., Served], flights: Path) -> None:
    served = start("--model", str(flights))
    with socket.create_connection(("127.0.0.1", served.port), timeout=10) as opened:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        one = b"GET /openapi.json HTTP/1.1\r\nhost: x\r\n\r\n"
        before = served.metric("process_resident_memory_bytes")
        opened.setblocking(False)
        end = time.monotonic() + 2
        while time.monotonic() < end:
            try:
                opened.send(one * 50)
            except BlockingIOError:
                break
        assert served.ask("/ping").status == 200
        assert served.metric("process_resident_memory_bytes") < before + 20 * 2**20


def test_bodies_of_all_clients_together_are_bounded(start: Callable[..., Served], flights: Path) -> None:
    served = start("--model", str(flights), "--held-bytes", "3000000")
    head = b"POST /invocations HTTP/1.1\r\nhost: x\r\ncontent-length: 2000000\r\n\r\n"
    with socket.create_connection(("127.0.0.1", served.port), timeout=10) as first:
        first.sendall(head + b"x" * 1_900_000)
        answers: list[bytes] = []

        def is_refused() -> bool:  # once what the first one sent is there
            answers.append(served.raw(head + b"x" * 2_000_000))
            return answers[-1].startswith(b"HTTP/1.1 429 ")

        served.until(is_refused)
        assert b"retry-after: 1" in answers[-1]
        assert served.predict([ROW]) == [10.0]
    served.until(lambda: served.raw(head + b"x" * 2_000_000).startswith(b"HTTP/1.1 400 "))


def test_a_token(start: Callable[..., Served], flights: Path, tmp_path: Path) -> None:
    secret = tmp_path / "token"
    secret.write_text("s3cret-s3cret\n")
    served = start("--model", str(flights), "--token-file", str(secret), "--log-requests")
    for headers in (
        {},
        {"authorization": "Bearer wrong"},
        {"authorization": "Basic s3cret-s3cret"},
        {"authorization": "Bearer ü"},
    ):
        reply = served.ask("/invocations", {"instances": [ROW]}, headers=headers)
        assert (reply.status, reply.headers["www-authenticate"], reply.json["code"]) == (
            401,
            "Bearer",
            "unauthorized",
        )
    for path in ("/metrics", "/openapi.json", "/mlops/state", "/nothing"):
        assert served.ask(path).status == 401
    for path in ("/ping", "/healthz/live", "/healthz/ready", "/v2/health/live", "/"):
        assert served.ask(path).status == 200
    assert served.predict([ROW], authorization="Bearer s3cret-s3cret") == [10.0]
    assert "s3cret" not in served.log.read_text()


def test_a_model_that_raises_is_500_and_its_neighbors_are_answered(
    start: Callable[..., Served], folder_of: Callable[..., Path]
) -> None:
    def predict(model, features):
        if (features["hour"] == 13).any():
            raise RuntimeError("unlucky /etc/secret")
        return features["distance"] * math.sqrt(model)

    folder = folder_of("unlucky", lambda: {"model": 1, "predict": predict, "input_example": FLIGHTS})
    served = start("--model", str(folder))
    bad = served.ask(
        "/invocations", {"instances": [{**ROW, "hour": 13}]}, headers={"x-mlops-prediction-id": "p-1"}
    )
    assert bad.status == 500
    assert bad.json == {"error": "the model failed on this input (prediction p-1)", "code": "model_failed"}
    assert "unlucky /etc/secret" in served.log.read_text()
    one = b"POST /invocations HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s"
    opened = [socket.create_connection(("127.0.0.1", served.port), timeout=10) for _ in range(24)]
    for index, each in enumerate(opened):
        body = json.dumps({"instances": [{**ROW, "hour": 13 if index == 7 else 9}]}).encode()
        each.sendall(one % (len(body), body))
    answers = [each.recv(4000) for each in opened]
    assert [answer.startswith(b"HTTP/1.1 500") for answer in answers] == [index == 7 for index in range(24)]
    assert sum(b'"predictions":[1000.0]' in answer for answer in answers) == 23
    for each in opened:
        each.close()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--model", "nowhere"], "holds no model version"),
        (["--traffic", "nowhere", "--model", "x"], "one or the other"),
        (["--modle", "x"], "unrecognized arguments: --modle"),
        (["--port", "x"], "--port is 'x', not a whole number"),
        (["--model", "x", "--port", "70000"], "no port"),
        (["--model", "x", "--workers", "0"], "must be more than 0"),
        (["--traffic", "x", "--token-file", "nowhere"], "the token cannot be read"),
        ([], "there is no model to serve"),
    ],
)
def test_a_wrong_start_is_one_line_and_an_exit_code(
    start: Callable[..., Served], arguments: list[str], message: str
) -> None:
    served = start(*arguments, is_awaited=False)
    assert served.process.wait(30) in (1, 2)
    text = served.log.read_text()
    assert message in text
    assert "Traceback" not in text


def test_damage_is_found(start: Callable[..., Served], flights: Path, tmp_path: Path) -> None:
    import shutil

    folder = shutil.copytree(flights, tmp_path / "copy")
    (folder / "artifacts" / "functions.pkl").write_bytes(b"evil")
    served = start("--model", str(folder), is_awaited=False)
    assert served.process.wait(30) == 1
    assert "functions.pkl is damaged" in served.log.read_text()
