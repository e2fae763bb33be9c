"""One process speaks every contract, and says the same by each."""

from __future__ import annotations

import http.client
import re
import socket
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .conftest import ROW, Served

ROWS = [ROW, {**ROW, "hour": 5, "distance": 500.0}]
WANTED = [10.0, 5.5]
NAMES = list(ROW)
SPLIT = {"columns": NAMES, "data": [list(row.values()) for row in ROWS]}
COLUMNS = {name: [row[name] for row in ROWS] for name in NAMES}
TENSORS = [
    {"name": "hour", "shape": [2], "datatype": "INT64", "data": COLUMNS["hour"]},
    {"name": "distance", "shape": [2, 1], "datatype": "FP64", "data": [[1000.0], [500.0]]},
    {"name": "carrier", "shape": [2], "datatype": "BYTES", "data": COLUMNS["carrier"]},
    {"name": "is_weekend", "shape": [2], "datatype": "BOOL", "data": COLUMNS["is_weekend"]},
    {"name": "origin", "shape": [2], "datatype": "BYTES", "data": COLUMNS["origin"]},
]
FORMS: dict[str, Any] = {
    "mlflow split": {"dataframe_split": SPLIT},
    "mlflow records": {"dataframe_records": ROWS},
    "mlflow inputs": {"inputs": COLUMNS},
    "mlflow inputs as rows": {"inputs": ROWS},
    "vertex": {"instances": ROWS, "parameters": {"a": 1}},
    "positional": {"instances": SPLIT["data"]},
    "azure input_data": {"input_data": SPLIT},
    "azure data": {"data": ROWS},
    "a bare list": ROWS,
}


@pytest.mark.parametrize(
    "path", ["/invocations", "/score", "/v1/models/late:predict", "/v1/endpoints/7/deployedModels/8:predict"]
)
@pytest.mark.parametrize("form", FORMS)
def test_every_form_at_every_path(served: Served, path: str, form: str) -> None:
    reply = served.ask(path, FORMS[form])
    assert (reply.status, reply.json) == (200, {"predictions": WANTED})
    assert reply.headers["x-mlops-model"] == "late/1"
    assert len(reply.headers["x-mlops-prediction-id"]) == 20


def test_a_row_alone(served: Served) -> None:
    assert served.ask("/invocations", ROW).json == {"predictions": WANTED[:1]}


def test_open_inference(served: Served) -> None:
    body = {"id": "abc", "inputs": TENSORS}
    wanted = {
        "model_name": "late", "model_version": "1", "id": "abc",
        "outputs": [{"name": "predict", "shape": [2], "datatype": "FP64", "data": WANTED}],
    }  # fmt: skip
    for path in ("/v2/models/late/infer", "/v2/models/late/versions/1/infer", "/invocations"):
        assert served.ask(path, body).json == wanted
    assert served.ask("/v2/models/late/infer", {**body, "outputs": [{"name": "predict"}]}).json == wanted
    wrong = served.ask("/v2/models/late/infer", {**body, "outputs": [{"name": "x"}]})
    assert (wrong.status, wrong.json["code"]) == (400, "invalid_input")
    for path in (
        "/v2/health/live",
        "/v2/health/ready",
        "/v2/models/late/ready",
        "/v2/models/late/versions/1/ready",
    ):
        assert served.ask(path).status == 200
    assert served.ask("/v2").json["name"] == "jupyter_mlops"
    told = served.ask("/v2/models/late").json
    assert (told["versions"], told["outputs"]) == (
        ["1"],
        [{"name": "predict", "datatype": "FP64", "shape": [-1]}],
    )
    assert told["inputs"] == [
        {"name": one["name"], "datatype": one["datatype"], "shape": [-1]} for one in TENSORS
    ]
    for path in (
        "/v2/models/other/infer",
        "/v2/models/late/versions/2/infer",
        "/v2/models/late/versions/x/infer",
    ):
        assert served.ask(path, body).status == 404


def test_tensors_of_an_array(start: Any, arrays: Any) -> None:
    served = start("--model", str(arrays))
    tensor = {"name": "x", "shape": [2, 3], "datatype": "FP32", "data": [1, 2, 3, 4, 5, 6]}
    answer = served.ask("/v2/models/sums/infer", {"inputs": [tensor]}).json["outputs"]
    assert answer == [{"name": "predict", "shape": [2], "datatype": "FP64", "data": [6, 15]}]
    for rows in ({"instances": [[1, 2, 3], [4, 5, 6]]}, {"inputs": [[1, 2, 3], [4, 5, 6]]}):
        assert served.ask("/invocations", rows).json == {"predictions": [6, 15]}
    assert served.ask("/invocations", {"instances": [[1, 2], [3, 4]]}).status == 400
    assert served.ask("/invocations", {"instances": [[1, 2, "x"]]}).status == 400
    assert served.ask("/v2/models/sums").json["inputs"] == [
        {"name": "input", "datatype": "FP64", "shape": [-1, 3]}
    ]


def test_sagemaker(served: Served) -> None:
    assert served.ask("/ping").status == 200
    csv = b"hour,distance,carrier,is_weekend,origin\n9,1000.0,UA,false,JFK\n5,500,UA,false,JFK\n"
    kind = {"content-type": "text/csv", "accept": "text/csv", "X-Amzn-SageMaker-Inference-Id": "mine-1"}
    reply = served.ask("/invocations", csv, headers=kind)
    assert (reply.status, reply.body) == (200, b"10.0\n5.5\n")
    assert reply.headers["content-type"].startswith("text/csv")
    assert reply.headers["x-mlops-prediction-id"] == "mine-1"
    assert served.ask("/invocations", csv, headers={"content-type": "text/csv"}).json == {
        "predictions": WANTED
    }


@pytest.mark.parametrize(
    "path", ["/health", "/", "/healthz/live", "/healthz/ready", "/v1/endpoints/7/deployedModels/8"]
)
def test_probes(served: Served, path: str) -> None:
    assert served.ask(path).status == 200
    head = served.ask(path, method="HEAD")
    assert (head.status, head.body) == (200, b"")


def test_kserve_v1_and_mlflow_tell_who_they_are(served: Served) -> None:
    assert served.ask("/v1/models/late").json == {"name": "late", "ready": True}
    assert served.ask("/v1/models").json == {"models": ["late"]}
    assert served.ask("/v1/models/other:predict", {"instances": ROWS}).status == 404
    assert served.ask("/version").body


def test_state_and_metrics(served: Served) -> None:
    before = served.metric('mlops_requests_total{route="/invocations",status="200"')
    served.predict([ROW])
    assert served.metric('mlops_requests_total{route="/invocations",status="200"') == before + 1
    assert served.metric('mlops_batch_rows_count{version="1"}') > 0
    state = served.state()
    assert (state["name"], state["revision"], state["state"], state["errors"]) == ("late", 1, "ready", 0)
    assert state["versions"][0]["version"] == 1
    assert len(state["versions"][0]["manifest_digest"]) == 64


def test_a_connection_is_kept_and_requests_may_be_pipelined(served: Served) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=10)
    for _ in range(3):
        connection.request("GET", "/ping")
        assert connection.getresponse().read()
    connection.close()
    one = b"POST /invocations HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%s"
    body = b'{"instances":[[9,1000.0,"UA",false,"JFK"]]}'
    answer = served.raw(
        one % (len(body), body) * 40 + b"GET /ping HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
    )
    assert answer.count(b'{"predictions":[10.0]}') == 40
    assert answer.count(b"HTTP/1.1 200 OK") == 41
    assert answer.endswith(b'{"status":"ready"}')  # in order


@settings(
    max_examples=2 * settings.default.max_examples // 5,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(st.integers(1, 600), max_size=12))
def test_it_does_not_matter_where_the_bytes_are_cut(served: Served, cuts: list[int]) -> None:
    body = b'{"instances":[[9,1000.0,"UA",false,"JFK"]]}'
    head = b"POST /invocations HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
    stream = (
        head + b"content-length: %d\r\n\r\n" % len(body) + body
        + b"GET /nothing HTTP/1.1\r\nhost: x\r\n\r\n"
        + head + b"transfer-encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
        + b"GET /ping HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
    )  # fmt: skip
    places = sorted({0, len(stream), *(cut for cut in cuts if cut < len(stream))})
    with socket.create_connection(("127.0.0.1", served.port), timeout=10) as opened:
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for start, end in pairwise(places):
            opened.sendall(stream[start:end])
        answer = b""
        while piece := opened.recv(65536):
            answer += piece
    assert re.findall(rb"HTTP/1.1 (\d+) ", answer) == [b"200", b"404", b"200", b"200"]
    assert answer.count(b'{"predictions":[10.0]}') == 2
