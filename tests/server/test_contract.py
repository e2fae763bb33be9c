"""The document is valid, complete, and says what the routes do: no more and no less."""

from __future__ import annotations

from typing import Any

import pytest
from openapi_spec_validator import validate

from jupyter_mlops.errors import InvalidInput
from jupyter_mlops.events import TERMINAL
from jupyter_mlops.server.contract import CONTRACT, Operation, document, resolve
from jupyter_mlops.server.handlers import OPERATIONS, NothingHandler, routes
from jupyter_mlops.server.watch import SCHEMA, SCHEMA_ID

BY_NAME = {operation.name: operation for operation in CONTRACT.operations}


def test_it_is_valid_openapi() -> None:
    validate(dict(document()))


def test_document_and_routes_agree_both_ways() -> None:
    assert set(BY_NAME) == set(OPERATIONS)
    made = routes("/", None, None)  # type: ignore[arg-type]
    assert made[-1][1] is NothingHandler
    served = {
        (pattern, verb)
        for pattern, handler, _ in made[:-1]
        for verb in ("get", "put", "post", "delete", "patch")
        if verb in vars(handler)
    }
    assert served == {(f"/mlops{operation.pattern}", operation.verb) for operation in CONTRACT.operations}


@pytest.mark.parametrize("operation", CONTRACT.operations, ids=lambda operation: operation.name)
def test_every_operation_is_described(operation: Operation) -> None:
    node = document()["paths"][operation.path][operation.verb]
    assert operation.summary.endswith(".")
    assert "default" in node["responses"]
    assert all(parameter["description"] for parameter in operation.parameters)
    names = {parameter["name"] for parameter in operation.parameters if parameter["in"] == "path"}
    assert names == set(__import__("re").findall(r"\{(\w+)\}", operation.path))


def _requests() -> set[str]:
    """Schemas of what is sent, where fields may be left out."""
    found: set[str] = set()
    for operation in CONTRACT.operations:
        waiting: list[Any] = [operation.body]
        while waiting:
            node = waiting.pop()
            if isinstance(node, dict):
                if "$ref" in node:
                    found.add(node["$ref"].rpartition("/")[2])
                    waiting.append(resolve(node))
                waiting += list(node.values())
            elif isinstance(node, list):
                waiting += node
    return found


def test_an_answer_leaves_no_field_out() -> None:
    asked = _requests()
    for name, schema in document()["components"]["schemas"].items():
        if schema.get("type") == "object" and "properties" in schema and name not in asked:
            assert set(schema["required"]) == set(schema["properties"]), name
            assert all(resolve(field) for field in schema["properties"].values())


def test_states_are_those_of_runs() -> None:
    assert set(document()["components"]["schemas"]["State"]["enum"]) == {*TERMINAL, "queued", "running"}


def test_the_bell_is_the_one_that_the_document_shows() -> None:
    import yaml

    bell = yaml.safe_load(SCHEMA.read_text())
    shown = document()["components"]["schemas"]["Change"]
    assert bell["$id"] == SCHEMA_ID
    assert set(bell["required"]) == set(bell["properties"]) == set(shown["properties"])
    assert bell["properties"]["kinds"]["items"]["enum"] == shown["properties"]["kinds"]["items"]["enum"]
    assert SCHEMA_ID in document()["info"]["description"]


# --- reading requests -----------------------------------------------------------------------------------


def read(name: str, groups: list[str] | None = None, body: bytes = b"", **query: str) -> dict[str, Any]:
    return BY_NAME[name].read(groups or [], {key: [value.encode()] for key, value in query.items()}, body)


def test_what_is_not_said_has_its_default() -> None:
    assert read("listRuns") == {"state": None, "pipeline": None, "search": None, "limit": 50, "offset": 0}
    assert read("getPipeline", ["a/b.yaml"]) == {"path": "a/b.yaml", "direction": "right"}
    assert read("rerunRun", ["r"])["from_failed"] is True


def test_values_are_read_by_their_type() -> None:
    assert read("listRuns", limit="7", offset="2", search="a b")["limit"] == 7
    assert read("deleteAlias", ["m", "a"], force="true")["force"] is True
    assert read("getModelVersion", ["m", "3"])["version"] == 3
    assert read("startRun", body=b'{"path": "p.yaml", "options": {"force": "all"}}')["options"] == {
        "force": "all"
    }


def test_what_tornado_and_jupyter_add_is_no_mistake() -> None:
    assert read("getStatus", token="x", _xsrf="y", no_track_activity="1") == {}
    assert BY_NAME["getStatus"].read([], {"1732623": [b""]}, b"") == {}  # ServerConnection's way round caches


@pytest.mark.parametrize(
    ("name", "query", "told"),
    [
        ("listRuns", {"limit": "many"}, "limit must be a whole number"),
        ("listRuns", {"limit": "0"}, "limit: 0 is less than the minimum of 1"),
        ("listRuns", {"limit": "501"}, "limit: 501 is greater"),
        ("listRuns", {"offset": "-1"}, "offset: -1 is less"),
        ("listRuns", {"offset": "9" * 30}, "offset"),
        ("listRuns", {"sate": "failed"}, "there is no query parameter 'sate'"),
        ("listRuns", {"search": "x" * 300}, "search"),
        ("listRuns", {"search": "a\0b"}, "search holds a null byte"),
        ("getPipeline", {"direction": "left"}, "direction"),
        ("compareRuns", {"left": "a"}, "'right' is missing"),
        ("compareModels", {"versions": "1"}, "versions"),
    ],
)
def test_a_wrong_query_is_told(name: str, query: dict[str, str], told: str) -> None:
    groups = ["m"] * BY_NAME[name].path.count("{")
    with pytest.raises(InvalidInput, match=told):
        read(name, groups, **query)


@pytest.mark.parametrize(
    "body",
    [
        b"[]",
        b"null",
        b"7",
        b'"text"',
        b"{",
        b"\xff",
        b"{}",
        b'{"path": 7}',
        b'{"path": ""}',
        b'{"path": null}',
        b'{"path": "p.yaml", "more": 1}',
        b'{"path": "p.yaml", "arguments": []}',
        b'{"path": "p.yaml", "options": {"force": "some"}}',
        b'{"path": "p.yaml", "options": {"only": [1]}}',
        b'{"path": "p.yaml", "arguments": {"x": NaN}}',
        b"[" * 5000,
        b'{"path": "' + b"x" * 2000 + b'"}',
        b" " * (5 * 2**20),
    ],
)
def test_a_wrong_body_is_told(body: bytes) -> None:
    with pytest.raises(InvalidInput) as error:
        read("startRun", body=body)
    assert error.value.fields["problems"]


def test_all_that_is_wrong_is_told_at_once() -> None:
    with pytest.raises(InvalidInput) as error:
        read("listRuns", limit="x", offset="y", foo="z")
    assert len(error.value.fields["problems"]) == 3
