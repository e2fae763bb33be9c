"""Schedules over REST, and the scheduler within the server."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from .conftest import Server, key


@pytest.fixture
def schedule(server: Server) -> Iterator[dict[str, Any]]:
    made = server.post(
        "/api/schedules",
        {"path": "pipeline.yaml", "name": "weekly", "cron": "0 6 * * MON", "timezone": "Europe/Berlin",
         "arguments": {"n": "5"}, "priority": -5, "is_preemptible": True},
    )  # fmt: skip
    yield made["items"][0]
    server.ask("DELETE", "/api/schedules/small.weekly")


def test_a_schedule_is_added_listed_shown_and_removed(server: Server, schedule: dict[str, Any]) -> None:
    assert (schedule["name"], schedule["path"], schedule["parameters"]) == (
        "small.weekly",
        "pipeline.yaml",
        {"n": 5},
    )
    assert (schedule["queue"], schedule["priority"], schedule["is_preemptible"]) == (None, -5, True)
    assert [each["name"] for each in server.get("/api/schedules")["items"]] == ["small.weekly"]
    shown = server.get("/api/schedules/weekly")
    assert len(shown["next"]) == 5
    assert shown["next"][0]["arguments"] == {"n": 5}
    assert shown["next"][0]["fire_at"] == schedule["next_at"]
    assert shown["problem"] == ""
    assert server.ask("DELETE", "/api/schedules/small.weekly").status_code == 204
    assert server.get("/api/schedules")["items"] == []
    assert server.ask("GET", "/api/schedules/weekly").status_code == 404


def test_it_is_paused_and_resumed(server: Server, schedule: dict[str, Any]) -> None:
    paused = server.post("/api/schedules/weekly/pause", status=200)
    assert paused["is_paused"]
    assert paused["next_at"] is None
    again = server.ask("POST", "/api/schedules/weekly/pause")
    assert (again.status_code, again.json()["code"]) == (409, "conflict")
    assert server.post("/api/schedules/weekly/resume", status=200)["next_at"]


@pytest.mark.parametrize(
    ("asked", "status", "told"),
    [
        ({"path": "pipeline.yaml", "cron": "61 * * * *"}, 400, "61"),
        ({"path": "pipeline.yaml", "cron": "@daily", "timezone": "Europe/Berln"}, 400, "Europe/Berln"),
        ({"path": "pipeline.yaml"}, 400, "has no schedules"),
        ({"path": "pipeline.yaml", "name": "nightly"}, 404, "nightly"),
        ({"path": "pipeline.yaml", "cron": "@daily", "arguments": {"m": 1}}, 400, "'m'"),
        ({"path": "pipeline.yaml", "cron": "@daily", "queue": "night"}, 404, "no queue 'night'"),
        ({"path": "pipeline.yaml", "cron": "@daily", "priority": 1001}, 400, "1000"),
        ({"path": "nothing.pipeline.yaml", "cron": "@daily"}, 404, "nothing.pipeline.yaml"),
    ],
)
def test_what_is_wrong_is_told(server: Server, asked: dict[str, Any], status: int, told: str) -> None:
    answer = server.ask("POST", "/api/schedules", json=asked)
    assert answer.status_code == status, answer.text
    assert told in answer.json()["message"]
    assert server.get("/api/schedules")["items"] == []


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"cron": "61 * * * *"}, "cron"),
        ({"cron": "0 6 * * *", "timezone": "Europe/Berln"}, "timezone"),
        ({"cron": "@daily", "jitter_seconds": "soon"}, "jitter_seconds"),
        ({"cron": "@daily", "jitter_seconds": "2d"}, "jitter_seconds"),
        ({"cron": "@daily", "start": "tomorrow"}, "start"),
        ({"cron": "@daily", "end": "2026-13-01"}, "end"),
        ({"cron": "@daily", "start": "2026-02-01", "end": "2026-01-01"}, "end"),
    ],
)
def test_what_is_wrong_is_told_at_its_field(server: Server, asked: dict[str, Any], field: str) -> None:
    answer = server.ask("POST", "/api/schedules", json={"path": "pipeline.yaml", **asked})
    assert answer.status_code == 400, answer.text
    assert [each["where"] for each in answer.json()["problems"]] == [field]


def test_a_jitter_in_words_a_start_and_an_end(server: Server) -> None:
    asked = {"cron": "@daily", "jitter_seconds": "1m30s", "start": "2026-01-31", "end": "2099-01-31T06:00"}
    try:
        (made,) = server.post("/api/schedules", {"path": "pipeline.yaml", "name": "far", **asked})["items"]
        assert (made["jitter_seconds"], made["start"][:10], made["end"][:10]) == (
            90,
            "2026-01-31",
            "2099-01-31",
        )
    finally:
        server.ask("DELETE", "/api/schedules/small.far")


def test_a_problem_below_the_tasks_is_not_the_last_tasks(server: Server) -> None:
    text = (server.root / "pipeline.yaml").read_text() + (
        "schedules:\n  weekly:\n    cron: 61 * * * *\n    parameters: {m: 1}\n"
    )
    told = server.post("/api/check", {"path": "pipeline.yaml", "text": text}, status=200)["problems"]
    assert {(each["task"], text.splitlines()[each["line"] - 1].strip()) for each in told} == {
        (None, "cron: 61 * * * *")
    }


def test_cron_is_previewed_by_its_clock(server: Server) -> None:
    found = server.get(f"/api/cron?expression={key('30 2 * * *')}&timezone=Europe/Berlin&count=3")
    assert len(found["next"]) == 3
    wrong = server.ask("GET", f"/api/cron?expression={key('30 25 * * *')}")
    assert wrong.status_code == 400
    assert "25" in wrong.json()["message"]


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_the_server_itself_fires_what_is_due(server: Server) -> None:
    """A start that is past makes the first fire due at once: nobody waits for the minute to be over."""
    start = (datetime.now(UTC) - timedelta(minutes=2)).isoformat()
    asked = {"path": "pipeline.yaml", "name": "often", "cron": "* * * * *", "start": start}
    server.post("/api/schedules", asked)
    try:
        until = time.monotonic() + 120
        while time.monotonic() < until:
            shown = server.get("/api/schedules/often")
            done = [fire for fire in shown["history"] if fire["state"] == "succeeded"]
            if done:
                break
            time.sleep(0.5)
        assert done, shown
        assert shown["scheduler"]
        assert server.get(f"/api/runs/{done[0]['run_id']}")["pipeline"] == "small"
    finally:
        server.ask("DELETE", "/api/schedules/often")
