"""The document that describes a served model, and what happens when it is taken at its word."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from openapi_spec_validator import validate

from .conftest import ROW, Served


def test_the_document_is_typed_by_the_signature(served: Served) -> None:
    document = served.ask("/openapi.json").json
    validate(document)
    row = document["components"]["schemas"]["Row"]
    assert row["required"] == list(ROW)
    assert row["properties"]["distance"] == {"type": ["number", "null"]}
    assert row["properties"]["carrier"] == {"enum": ["AA", "DL", "UA", None]}
    assert row["properties"]["is_weekend"] == {"type": "boolean"}
    assert row["properties"]["hour"]["type"] == "integer"
    jsonschema.validate(ROW, row)
    for path in (
        "/invocations",
        "/v1/endpoints/7/deployedModels/8:predict",
        "/v2/models/late/infer",
        "/ping",
    ):
        assert path in document["paths"]
    bodies = document["paths"]["/invocations"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert [form["required"] for form in bodies["anyOf"]] == [
        ["instances"],
        ["dataframe_records"],
        ["dataframe_split"],
    ]


def test_the_document_of_an_array(start: Callable[..., Served], arrays: Path) -> None:
    document = start("--model", str(arrays)).ask("/openapi.json").json
    validate(document)
    row = document["components"]["schemas"]["Row"]
    assert row == {"type": "array", "items": {"type": "number"}, "minItems": 3, "maxItems": 3}


@pytest.mark.slow
@pytest.mark.parametrize("name", ["flights", "arrays"])
def test_whatever_the_document_allows_is_answered(
    start: Callable[..., Served], request: pytest.FixtureRequest, name: str, tmp_path: Path
) -> None:
    """schemathesis sends what fits the document and what does not; each answer must be one that is described."""
    served = start("--model", str(request.getfixturevalue(name)))
    config = tmp_path / "schemathesis.toml"
    config.write_text("")
    command = [
        str(Path(sys.executable).with_name("schemathesis")), "--config-file", str(config), "run",
        f"http://127.0.0.1:{served.port}/openapi.json", "--workers", "1", "--max-examples", "40",
        "--seed", "7", "--phases", "examples,coverage,fuzzing",
        "--checks", "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,"
        "negative_data_rejection,unsupported_method",
        "--generation-database", "none",
    ]  # fmt: skip
    environment: dict[str, Any] = {**os.environ, "NO_COLOR": "1", "COLUMNS": "150"}
    done = subprocess.run(
        command, capture_output=True, text=True, env=environment, cwd=tmp_path, check=False, timeout=200
    )
    assert done.returncode == 0, done.stdout[-6000:]
    assert served.state()["errors"] == 0
    assert json.loads(served.ask("/ping").body)
