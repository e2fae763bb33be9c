"""Deployments over REST: a model that really answers, from the first request to the last process."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import psutil
import pytest
import requests

from jupyter_mlops.workspace import Workspace

from .conftest import Server

NAME = "late-api"


def _processes(server: Server) -> list[psutil.Process]:
    """Those that serve something of this server's workspace."""
    place = str(server.root)
    found = []
    for process in psutil.process_iter(["cmdline"]):
        words = process.info["cmdline"] or []
        if any(place in word for word in words) and any("jupyter_mlops" in word for word in words):
            found.append(process)
    return found


@pytest.fixture(scope="module")
def served(server: Server) -> Iterator[Server]:
    """The server, with two versions of a model; whatever serves them is gone in the end."""
    import pandas as pd
    from sklearn.linear_model import LogisticRegression

    frame = pd.DataFrame({"a": [float(i) for i in range(10)], "b": [float(i % 3) for i in range(10)]})
    with Workspace.open(server.root) as workspace:
        for smallest in (4, 6):
            model = LogisticRegression().fit(frame, (frame["a"] > smallest).astype(int))
            workspace.models.register("late", model, input_example=frame.head(3), check="none")
    yield server
    server.ask("DELETE", f"/api/deployments/{NAME}")
    _wait(lambda: not _processes(server))


def _wait(holds: Callable[[], Any], seconds: float = 60) -> Any:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if found := holds():
            return found
        time.sleep(0.1)
    raise AssertionError("it did not come to that")


def _settled(server: Server, state: str = "running") -> dict[str, Any]:
    def look() -> dict[str, Any] | None:
        shown: dict[str, Any] = server.get(f"/api/deployments/{NAME}")
        return shown if shown["deployment"]["state"] == state == shown["live_state"] else None

    found: dict[str, Any] = _wait(look)
    return found


def _versions(url: str, asked: int = 1) -> set[str]:
    """Which versions answer."""
    told = set()
    for _ in range(asked):
        answer = requests.post(
            f"{url}/invocations", json={"dataframe_records": [{"a": 9.0, "b": 0.0}]}, timeout=20
        )
        assert answer.status_code == 200, answer.text
        told.add(answer.headers["x-mlops-model"])
    return told


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_a_model_is_deployed_changed_rolled_back_stopped_and_removed(served: Server) -> None:
    asked = {"model": "models:/late/1", "name": NAME, "target": "local", "replicas": [1, 2]}
    plan = served.post("/api/deployment-plan", asked, status=200)
    assert plan["requests"]
    assert served.get("/api/deployments")["items"] == []
    made = served.post("/api/deployments", asked)
    assert (made["name"], made["model"], made["revision"], made["traffic"]) == (NAME, "late", 1, {"1": 1.0})

    shown = _settled(served)
    url = shown["deployment"]["url"]
    assert [replica["state"] for replica in shown["replicas"]] == ["running"]
    assert shown["example"] == f"curl -s {url}/openapi.json"
    assert _versions(url) == {"late/1"}
    listed = served.get("/api/deployments")
    assert [each["name"] for each in listed["items"]] == [NAME]
    assert "local" in listed["targets"]

    shares = {"1": 0.5, "2": 0.5}
    served.post("/api/deployments", {"model": "models:/late/2", "name": NAME, "traffic": shares})
    assert _settled(served)["deployment"]["traffic"] == shares
    assert _versions(url, 40) == {"late/1", "late/2"}

    served.post(f"/api/deployments/{NAME}/rollback", {"to": 1}, status=200)
    back = _settled(served)
    latest = back["revisions"][0]
    assert (latest["revision"], latest["reason"]) == (3, "rollback to 1")
    assert _versions(url, 5) == {"late/1"}

    served.post(f"/api/deployments/{NAME}/stop", status=200)
    _settled(served, "stopped")
    assert not _processes(served)
    served.post(f"/api/deployments/{NAME}/start", status=200)
    assert _settled(served)["deployment"]["url"] == url
    assert _versions(url) == {"late/1"}

    assert served.ask("DELETE", f"/api/deployments/{NAME}").status_code == 204
    assert not _processes(served)
    assert served.get("/api/deployments")["items"] == []


@pytest.mark.parametrize(
    ("asked", "status", "told"),
    [
        ({"model": "models:/nobody/1"}, 404, "nobody"),
        ({"model": "models:/late/7"}, 404, "7"),
        ({"model": "models:/late/1", "target": "locl"}, 404, "locl"),
        ({"model": "models:/late/1", "traffic": {"1": 0.5}}, 400, "0.5"),
        ({"model": "models:/late/1", "replicas": [4, 2]}, 400, "4"),
        ({"model": "models:/late/1", "name": "../late"}, 400, "../late"),
        ({"model": "models:/late/1", "options": {"nonsense": 1}}, 400, "nonsense"),
    ],
)
def test_what_is_wrong_with_a_deployment_is_told(
    served: Server, asked: dict[str, Any], status: int, told: str
) -> None:
    for path in ("/api/deployments", "/api/deployment-plan"):
        answer = served.ask("POST", path, json=asked)
        assert answer.status_code == status, answer.text
        assert told in answer.json()["message"]
        assert str(served.root) not in answer.text
    assert served.get("/api/deployments")["items"] == []


@pytest.mark.parametrize("verb", ["rollback", "stop", "start"])
def test_nothing_is_done_with_a_deployment_that_is_not_there(served: Server, verb: str) -> None:
    answer = served.ask("POST", f"/api/deployments/nobody/{verb}", json={})
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert served.ask("DELETE", "/api/deployments/nobody").status_code == 404


def test_images_are_listed(served: Server) -> None:
    found = served.get("/api/images?limit=5")
    assert (found["items"], found["total"]) == ([], 0)
