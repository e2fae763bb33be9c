"""The bell: rung for whatever anybody writes, once for each change, in order."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
import websocket

from jupyter_mlops.catalog import Catalog
from jupyter_mlops.catalog.records import RegisteredModel, Run, TaskRun
from jupyter_mlops.events import now
from jupyter_mlops.server.watch import SCHEMA_ID, Look, look, news

from .conftest import PIPELINE, TOKEN, Server
from .test_runs import run_by_command


class Bell:
    """Jupyter's event stream, of which only our events are heard."""

    def __init__(self, socket: websocket.WebSocket) -> None:
        self.socket = socket
        self.heard: list[dict[str, Any]] = []

    def wait(self, kind: str, run_id: str = "", seconds: float = 30) -> dict[str, Any]:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self.socket.settimeout(max(0.01, until - time.monotonic()))
            event = json.loads(self.socket.recv())
            if event.get("schema_id") == SCHEMA_ID:
                self.heard.append(event)
                if kind in event["kinds"] and (not run_id or run_id in event["run_ids"]):
                    return event
        raise AssertionError(f"nothing of {kind} was heard: {self.heard}")

    def is_quiet(self, seconds: float) -> bool:
        before = len(self.heard)
        with suppress(AssertionError, websocket.WebSocketTimeoutException):
            self.wait("nothing is of this kind", seconds=seconds)
        return len(self.heard) == before


@contextmanager
def listening(server: Server) -> Iterator[Bell]:
    url = f"ws{server.url.removeprefix('http')}api/events/subscribe?token={TOKEN}"
    socket = websocket.create_connection(url, timeout=30)
    try:
        time.sleep(0.3)  # until the server listens to itself
        yield Bell(socket)
    finally:
        socket.close()


def test_a_run_rings_until_it_is_over(server: Server, done: dict[str, Any]) -> None:
    with listening(server) as bell:
        run_id = server.start_run(arguments={"n": 31})
        bell.wait("run", run_id)
        while server.get(f"/api/runs/{run_id}")["state"] != "succeeded":
            bell.wait("run", run_id)
        seqs = [event["seq"] for event in bell.heard]
        assert seqs == list(range(seqs[0], seqs[0] + len(seqs)))
        assert {event["server_id"] for event in bell.heard} == {server.get("/api/status")["server_id"]}
        assert len(bell.heard) < 40  # changes of one moment ring once


def test_a_run_of_the_command_line_rings(server: Server, done: dict[str, Any]) -> None:
    with listening(server) as bell:
        run_by_command(server, 32)
        newest = server.get("/api/runs?limit=1")["items"][0]
        while newest["run_id"] not in bell.wait("run")["run_ids"]:
            pass  # of an earlier one, which had just ended


@pytest.mark.slow  # it listens for a while; `test_what_differs_is_told_by_kind` shows every day what is no news
def test_a_heartbeat_does_not_ring(server: Server) -> None:
    run_id = server.start_run("slow.pipeline.yaml", {"seconds": 61})
    run = server.wait_for(run_id, "running")
    while run["tasks"][0]["cell"] < 2:
        time.sleep(0.2)
        run = server.get(f"/api/runs/{run_id}")
    with listening(server) as bell:  # what happened before may still ring; heartbeats would ring for ever
        until = time.monotonic() + 50
        while not bell.is_quiet(5.0):
            assert time.monotonic() < until, bell.heard
    server.post(f"/api/runs/{run_id}/cancel", {}, 202)
    server.wait_for(run_id)


def test_a_saved_pipeline_rings(server: Server) -> None:
    path = server.root / "rung.pipeline.yaml"
    path.unlink(missing_ok=True)
    with listening(server) as bell:
        server.put("/api/pipelines/rung.pipeline.yaml", {"text": PIPELINE, "digest": None})
        bell.wait("pipeline")
    path.unlink()


def test_the_number_of_the_last_ring_is_told(server: Server) -> None:
    with listening(server) as bell:
        run_id = server.start_run(arguments={"n": 33})
        event = bell.wait("run", run_id)
        assert server.get("/api/status")["seq"] >= event["seq"]
        assert server.get(f"/api/runs/{run_id}")["seq"] >= event["seq"]
    server.wait_for(run_id)


# --- what is new ----------------------------------------------------------------------------------------


def test_what_differs_is_told_by_kind(tmp_path: Any) -> None:
    url = f"sqlite:///{tmp_path / 'catalog.db'}"
    with Catalog.open(url) as ours, Catalog.open(url) as theirs:
        seen, _ = look(ours, Look())
        moment = now()
        theirs.add(
            Run(run_id="r", pipeline="p", plan={}, state="running", created_at=moment, heartbeat_at=moment)
        )
        theirs.add(TaskRun(run_id="r", task="t", name="t", state="running"))
        later, logged = look(ours, seen)
        assert news(seen, later, logged).kinds == ("run",)
        assert news(seen, later, logged).run_ids == ("r",)
        theirs.update(Run, "r", heartbeat_at=now())
        beat, logged = look(ours, later)
        assert beat.token != later.token
        assert news(later, beat, logged).kinds == ()
        theirs.update(TaskRun, ("r", "t"), cell=2)
        moved, logged = look(ours, beat)
        assert news(beat, moved, logged).run_ids == ("r",)
        theirs.add(RegisteredModel(name="m", folded="m", created_at=moment, updated_at=moment))
        named, logged = look(ours, moved)
        assert news(moved, named, logged).kinds == ("model",)
        theirs.update(Run, "r", state="succeeded")
        theirs.update(TaskRun, ("r", "t"), state="succeeded")
        over, logged = look(ours, named)
        assert news(named, over, logged).run_ids == ("r",)
        assert look(ours, over) == (over, set())
