"""The queue and quotas over REST: who waits and why, what may be done about it, and by whom."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from jupyter_mlops.catalog.owner import user_name
from jupyter_mlops.queueing import Quotas
from jupyter_mlops.workspace import Workspace

from .conftest import Server, make_project, new_server

ONE_AT_A_TIME = {"all": {"runs": 1}, "queues": {"night": {"cpu": 2}}, "users": {"*": {"max_priority": 10}}}


def _set(server: Server, quotas: dict[str, Any]) -> None:
    with Workspace.open(server.root) as workspace:
        workspace.queue.set_quotas(Quotas.parse(quotas), user_name())


def _wait(holds: Callable[[], Any], seconds: float = 60) -> Any:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if found := holds():
            return found
        time.sleep(0.1)
    raise AssertionError("it did not come to that")


@pytest.fixture(scope="module")
def limited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose workspace runs one at a time."""
    made = new_server(make_project(tmp_path_factory.mktemp("limited-queue") / "project"))
    try:
        _set(made, ONE_AT_A_TIME)
        yield made.start()
    finally:
        for run in made.get("/api/runs?state=queued,running")["items"] if made.url else ():
            made.ask("POST", f"/api/runs/{run['run_id']}/cancel")
            made.wait_for(run["run_id"])
        made.stop()
        made.session.close()


def _entry(server: Server, run_id: str) -> dict[str, Any]:
    entry: dict[str, Any] = _wait(
        lambda: next((e for e in server.get("/api/queue")["items"] if e["run_id"] == run_id), None)
    )
    return entry


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_a_run_waits_says_why_and_is_moved_held_and_released(limited: Server) -> None:
    first = limited.start_run("slow.pipeline.yaml", {"seconds": "60"})
    limited.wait_for(first, "running")
    waiting = limited.start_run("pipeline.yaml", queue="night", priority=3, is_preemptible=True)
    entry = _entry(limited, waiting)
    assert (entry["state"], entry["queue"], entry["priority"], entry["is_preemptible"]) == (
        "waiting", "night", 3, True,
    )  # fmt: skip
    entry = _wait(lambda: (e := _entry(limited, waiting))["reason"].startswith("waits for 1 run") and e)
    assert entry["may_change"]
    assert entry["user_name"] == user_name()
    run = _wait(lambda: (r := limited.get(f"/api/runs/{waiting}"))["message"] and r)
    assert (run["state"], run["user_name"]) == ("queued", user_name())
    assert run["message"].startswith("waits for")

    assert limited.post(f"/api/queue/{waiting}", {"priority": 7}, status=200)["priority"] == 7
    refused = limited.ask("POST", f"/api/queue/{waiting}", json={"priority": 11})
    assert (refused.status_code, "at most 10" in refused.json()["hint"]) == (400, True)
    assert limited.post(f"/api/queue/{waiting}", {"is_held": True}, status=200)["state"] == "held"
    assert limited.post(f"/api/queue/{waiting}", {"is_held": False}, status=200)["state"] == "waiting"
    late = limited.ask("POST", f"/api/queue/{first}", json={"priority": 1})
    assert (late.status_code, late.json()["code"]) == (409, "conflict")

    told = limited.get("/api/quotas")
    assert (told["is_set"], told["user_name"], told["queues"]) == (True, user_name(), ["default", "night"])
    (runs,) = [each for each in told["limits"] if (each["scope"], each["resource"]) == ("all", "runs")]
    assert (runs["used"], runs["limit"], runs["is_monthly"]) == (1, 1, False)

    limited.ask("POST", f"/api/runs/{first}/cancel")
    assert limited.wait_for(waiting)["state"] == "succeeded"
    _wait(lambda: limited.get("/api/queue") == {"items": [], "total": 0, "waiting": 0})


def test_others_runs_are_not_mine_to_change(limited: Server) -> None:
    quotas = {**ONE_AT_A_TIME, "operators": ["somebody-else"]}
    with Workspace.open(limited.root) as workspace:
        run = workspace.runs.record(limited.root / "pipeline.yaml", user_name="ana")
    _set(limited, quotas)
    try:
        assert not _entry(limited, run.run_id)["may_change"]
        answer = limited.ask("POST", f"/api/queue/{run.run_id}", json={"priority": 9})
        assert (answer.status_code, answer.json()["code"]) == (409, "conflict")
        assert "somebody-else" in answer.json()["hint"]
    finally:
        with Workspace.open(limited.root) as workspace:
            workspace.queue.set_quotas(Quotas.parse(ONE_AT_A_TIME), "somebody-else")
            workspace.runs.cancel(run.run_id)


def test_nobody_says_who_he_is_in_what_he_sends(limited: Server) -> None:
    for body in (
        {"path": "pipeline.yaml", "user_name": "ana"},
        {"path": "pipeline.yaml", "options": {"user_name": "ana"}},
    ):
        answer = limited.ask("POST", "/api/runs", json=body)
        assert (answer.status_code, "user_name" in answer.json()["message"]) == (400, True)
    assert limited.ask("GET", "/api/quotas?user_name=ana").status_code == 400
    unknown = limited.ask("POST", "/api/runs", json={"path": "pipeline.yaml", "options": {"queue": "nigth"}})
    assert (unknown.status_code, unknown.json()["code"]) == (404, "not_found")
    assert "night" in unknown.json()["hint"]


@pytest.mark.slow
def test_a_hub_says_whose_run_it_is(tmp_path: Path) -> None:
    """An identity provider that knows people is believed."""
    made = new_server(make_project(tmp_path / "project"))
    configured = made.state / "config"
    configured.mkdir(parents=True)
    (configured / "jupyter_server_config.py").write_text(
        "from jupyter_server.auth.identity import IdentityProvider, User\n"
        "class Hub(IdentityProvider):\n"
        "    def generate_anonymous_user(self, handler):\n"
        "        return User('ben', 'Ben Oakley')\n"
        "c.ServerApp.identity_provider_class = Hub\n"
    )
    try:
        made.start()
        assert made.get("/api/quotas")["user_name"] == "ben"
        assert made.run()["user_name"] == "ben"
    finally:
        made.stop()
        made.session.close()


def test_nothing_waits_where_no_quotas_are_set(server: Server) -> None:
    assert server.get("/api/queue") == {"items": [], "total": 0, "waiting": 0}
    told = server.get("/api/quotas")
    assert (told["is_set"], told["queues"], told["limits"]) == (False, ["default"], [])
    answer = server.ask("POST", "/api/queue/nothing", json={"priority": 1})
    assert answer.status_code == 404
    assert server.ask("POST", "/api/queue/nothing", json={}).status_code == 400
