"""Whatever the contract allows, and much that it does not, sent to a real server: see schemathesis' checks.

It runs as a command of its own: its plugin for pytest and its data stay out of this process.
"""

from __future__ import annotations

import os
import subprocess
import sys
from copy import deepcopy
from pathlib import Path

import pytest
import yaml

from jupyter_mlops.server.contract import document

from .conftest import TOKEN, Server

CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,"
    "negative_data_rejection,ignored_auth"
)

STARTERS = ("/api/runs", "/api/notebooks/{path}/run", "/api/deployments", "/api/dockerize", "/api/export")


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_nothing_that_is_sent_breaks_it(own_server: Server, tmp_path: Path) -> None:
    own_server.start()
    own_server.run()
    plain = {**deepcopy(dict(document())), "servers": [{"url": f"{own_server.url}mlops"}]}
    # What starts processes or writes folders is asked elsewhere; here it would do so hundreds of times.
    for path in STARTERS:
        plain["paths"][path].pop("post")
    contract = tmp_path / "openapi.yaml"
    contract.write_text(yaml.safe_dump(plain, sort_keys=False))
    command = [
        Path(sys.executable).parent / "schemathesis",
        "run",
        str(contract),
        "--url",
        f"{own_server.url}mlops",
        "--header",
        f"Authorization: token {TOKEN}",
        "--checks",
        CHECKS,
        "--max-examples",
        os.environ.get("MLOPS_EXAMPLES", "40"),
        "--phases",
        "examples,coverage,fuzzing",
        "--workers",
        "1",  # CPython 3.11 counts the depth of ast.parse across threads (gh-106905), and hypothesis parses lambdas
        "--seed",
        "7",
        "--no-color",
        "--generation-database",
        "none",
    ]
    done = subprocess.run(
        command, cwd=tmp_path, env=own_server.environment, capture_output=True, text=True, timeout=540
    )
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
