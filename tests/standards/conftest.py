"""A server that takes what OpenLineage and OpenTelemetry send over HTTP, and small projects."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest


@dataclass
class Receiver:
    """What was posted, in order. `status` is what is answered."""

    url: str = ""
    status: int = 200
    bodies: list[tuple[str, bytes]] = field(default_factory=list)

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(body) for path, body in self.bodies if path == "/api/v1/lineage"]

    @property
    def spans(self) -> list[Any]:
        from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

        found = []
        for path, body in self.bodies:
            if path == "/v1/traces":
                request = ExportTraceServiceRequest.FromString(body)
                found += [span for r in request.resource_spans for s in r.scope_spans for span in s.spans]
        return found


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    told = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if self.headers.get("Content-Encoding") == "gzip":
                import gzip

                body = gzip.decompress(body)
            told.bodies.append((self.path, body))
            self.send_response(told.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    told.url = f"http://127.0.0.1:{server.server_port}"
    yield told
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(autouse=True)
def _nobody_else_listens(monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    for name in list(os.environ):
        if name.startswith(("OPENLINEAGE", "OTEL_", "TRACEPARENT")):
            monkeypatch.delenv(name)


@pytest.fixture
def write_project(tmp_path: Path) -> Callable[..., Path]:
    """``write_project(pipeline, {name: (parameters, code)})``: the pipeline's file."""

    def write(pipeline: str, notebooks: Mapping[str, tuple[str, str]]) -> Path:
        folder = tmp_path / "told"
        folder.mkdir()
        (folder / "mlops.toml").write_text("")
        for name, sources in notebooks.items():
            cells = [
                {
                    "cell_type": "code", "id": f"c{number}", "source": source, "outputs": [], "execution_count": None,
                    "metadata": {"tags": ["parameters"]} if number == 0 else {},
                }
                for number, source in enumerate(sources)
            ]  # fmt: skip
            kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
            body = {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
            (folder / f"{name}.ipynb").write_text(json.dumps(body))
        (folder / "pipeline.yaml").write_text(pipeline)
        return folder / "pipeline.yaml"

    return write
