"""The same on a database server: runs, lists, searches, and the bell."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import Server
from .test_events import listening


@pytest.mark.slow
def test_a_catalog_on_postgresql(own_server: Server, postgresql: Any) -> None:
    settings = own_server.root / "mlops.toml"
    settings.write_text(f'{settings.read_text()}catalog = "{postgresql.fresh()}"\n')
    own_server.start()
    assert not own_server.get("/api/status")["is_fresh"]
    with listening(own_server) as bell:
        run_id = own_server.start_run()
        bell.wait("run", run_id)
        assert own_server.wait_for(run_id)["state"] == "succeeded"
    assert own_server.get("/api/runs?search=SMALL&state=succeeded")["total"] == 1
    assert own_server.get("/api/pipelines?search=pipeline.yaml")["items"][0]["last_run"]["run_id"] == run_id
    for path in ("/api/models?search=x", "/api/features", "/api/compute"):
        own_server.get(path)
