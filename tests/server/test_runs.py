"""Runs: started, followed, cancelled, repeated, compared; by a server that may go away meanwhile."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import nbformat
import pytest

from .conftest import Server, key


def tasks(run: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {task["task"]: task for task in run["tasks"]}


def test_a_run_is_there_at_once_and_goes_to_its_end(server: Server) -> None:
    started = server.post("/api/runs", {"path": "pipeline.yaml", "arguments": {"n": "4"}})
    assert started["state"] in ("queued", "running")
    run = server.wait_for(started["run_id"])
    assert run["state"] == "succeeded"
    assert run["arguments"] == {"n": 4}
    assert run["task_states"] == {"succeeded": 2}
    assert tasks(run)["two"]["results"] == {"double": 12}
    assert tasks(run)["two"]["upstream"] == ["one"]
    assert run["critical_path"] == ["one", "two"]
    assert [node["id"] for node in run["graph"]["nodes"]] == ["one", "two"]
    assert not run["is_driven"]
    assert run["server_id"] == server.get("/api/status")["server_id"]


def test_a_second_run_comes_from_the_cache(server: Server, done: dict[str, Any]) -> None:
    run = server.run()
    assert run["task_states"] == {"cached": 2}
    assert tasks(run)["one"]["duration_seconds"] is None
    assert tasks(run)["one"]["has_notebook"]
    assert server.get(f"/api/runs/{run['run_id']}/tasks/one")["why"]
    forced = server.run(force=["two"])
    assert forced["task_states"] == {"cached": 1, "succeeded": 1}


@pytest.mark.parametrize(
    ("body", "told", "parameter"),
    [
        ({"path": "pipeline.yaml", "arguments": {"n": "many"}}, "'many' is no int", "n"),
        ({"path": "pipeline.yaml", "arguments": {"m": "1"}}, "no parameter 'm'", "m"),
        ({"path": "pipeline.yaml", "options": {"only": ["three"]}}, "no task 'three'", None),
    ],
)
def test_what_is_wrong_is_told_before_anything_runs(
    server: Server, body: dict[str, Any], told: str, parameter: str | None
) -> None:
    before = server.get("/api/runs")["total"]
    refused = server.ask("POST", "/api/runs", json=body)
    assert refused.status_code in (400, 404)
    assert told in refused.json()["message"]
    if parameter:
        assert refused.json()["problems"][0]["parameter"] == parameter
    assert server.get("/api/runs")["total"] == before


def test_a_preflight_names_every_problem(server: Server) -> None:
    text = (
        "name: wrong\ntasks:\n  a: {notebook: none.ipynb}\n  b: {notebook: one.ipynb, parameters: {q: 1}}\n"
    )
    (server.root / "wrong.pipeline.yaml").write_text(text)
    try:
        refused = server.post("/api/runs", {"path": "wrong.pipeline.yaml"}, 400)
        assert refused["code"] == "preflight_failed"
        assert len([each for each in refused["problems"] if each["severity"] == "error"]) >= 2
    finally:
        (server.root / "wrong.pipeline.yaml").unlink()


def test_a_failed_run_says_where_and_can_be_repeated(server: Server) -> None:
    run = server.run(arguments={"n": 5})  # 0 + 1 + 2 + 3 + 4 is ten
    assert run["state"] == "failed"
    error = tasks(run)["two"]["error"]
    assert (error["name"], error["message"]) == (
        "AssertionError",
        "cell 3 raised AssertionError: ten is too much",
    )
    assert error["cell"] == 3
    assert "ten is too much" in error["traceback"]
    again = server.post(f"/api/runs/{run['run_id']}/rerun", {"from_failed": True})
    assert again["rerun_of"] == run["run_id"]
    repeated = server.wait_for(again["run_id"])
    assert tasks(repeated)["one"]["state"] == "cached"
    assert tasks(repeated)["two"]["state"] == "failed"
    everything = server.wait_for(
        server.post(f"/api/runs/{run['run_id']}/rerun", {"from_failed": False})["run_id"]
    )
    assert tasks(everything)["one"]["state"] == "succeeded"


def test_all_about_a_task(server: Server, done: dict[str, Any]) -> None:
    run_id = done["run_id"]
    detail = server.get(f"/api/runs/{run_id}/tasks/one")
    assert detail["attempts"][0]["state"] == "succeeded"
    assert detail["task"]["results"] == {"total": 3}
    log = server.get(f"/api/runs/{run_id}/tasks/one/log")
    assert log == {"text": "counting to 3\n", "offset": 14, "attempt": 1, "is_complete": True}
    assert server.get(f"/api/runs/{run_id}/tasks/one/log?offset=9")["text"] == "to 3\n"
    assert server.get(f"/api/runs/{run_id}/tasks/one/log?offset=-2")["text"] == "3\n"
    assert server.get(f"/api/runs/{run_id}/tasks/one/log?offset=1000")["text"] == ""
    assert server.get(f"/api/runs/{run_id}/tasks/one/log?attempt=7", 404)
    nbformat.validate(nbformat.from_dict(server.get(f"/api/runs/{run_id}/tasks/one/notebook")))
    assert "did you mean" in server.get(f"/api/runs/{run_id}/tasks/onee", 404)["hint"]


def test_the_page_of_a_notebook_is_harmless(server: Server, done: dict[str, Any]) -> None:
    url = server.get(f"/api/runs/{done['run_id']}/tasks/one")["view_url"]
    answer = server.ask("GET", url.removeprefix("/mlops"))
    assert answer.headers["Content-Type"].startswith("text/html")
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "sandbox" in policy
    assert "script-src" not in policy
    assert "<b>bold</b>" in answer.text
    assert "<script" not in answer.text
    assert "prefers-color-scheme: dark" in answer.text
    assert "small" in answer.text
    assert "succeeded" in answer.text
    missing = server.ask("GET", f"/view/{done['run_id']}/none")
    assert missing.status_code == 404
    assert missing.headers["Content-Type"].startswith("text/html")
    evil = server.ask("GET", f"/view/{key('<script>alert(1)</script>')}/x")
    assert "<script>" not in evil.text


def test_runs_are_filtered_searched_and_paged(server: Server, done: dict[str, Any]) -> None:
    found = server.get("/api/runs?state=succeeded&pipeline=small")
    assert found["items"]
    assert all(run["state"] == "succeeded" for run in found["items"])
    assert server.get(f"/api/runs?search={done['run_id']}")["total"] == 1
    assert server.get("/api/runs?search=SMALL%20succeeded")["total"] == found["total"]
    assert server.get("/api/runs?search=%25")["total"] == 0
    page = server.get("/api/runs?limit=1&offset=1")
    assert page["items"] == server.get("/api/runs?limit=2")["items"][1:]
    assert "did you mean" in server.get("/api/runs?state=faild", 400)["hint"]
    moments = [run["created_at"] for run in server.get("/api/runs")["items"]]
    assert moments == sorted(moments, reverse=True)


def test_one_notebook_can_be_run(server: Server) -> None:
    run = server.wait_for(server.post("/api/notebooks/one.ipynb/run", {"arguments": {"n": "6"}})["run_id"])
    assert run["state"] == "succeeded"
    assert run["tasks"][0]["results"] == {"total": 15}
    assert run["tasks"][0]["notebook_path"] is None or run["tasks"][0]["notebook_path"] == "one.ipynb"
    refused = server.post("/api/notebooks/one.ipynb/run", {"arguments": {"n": "x"}}, 400)
    assert refused["problems"][0]["parameter"] == "n"
    assert server.post("/api/notebooks/none.ipynb/run", {}, 404)


def test_two_runs_are_compared(server: Server, done: dict[str, Any]) -> None:
    other = server.run(arguments={"n": 8})
    found = server.get(f"/api/compare?left={done['run_id']}&right={other['run_id']}&task=one")
    assert found["arguments"] == [{"name": "n", "left": 3, "right": 8, "is_same": False}]
    one = found["tasks"][0]
    assert one["results"] == [{"name": "total", "left": 3, "right": 28, "is_same": False}]
    assert "argument n: 3 → 8" in one["why"]
    assert not one["is_same_notebook"]
    assert any("+ counting to 8" in cell["outputs"] for cell in found["notebook"]["cells"])
    assert server.get(f"/api/compare?left={done['run_id']}&right=none", 404)
    same = server.get(f"/api/compare?left={done['run_id']}&right={done['run_id']}")
    assert same["notebook"] is None
    assert same["tasks"][0]["is_same_notebook"]


def test_a_running_run_is_seen_and_cancelled(server: Server) -> None:
    run_id = server.start_run("slow.pipeline.yaml")
    server.wait_for(run_id, "running")
    wait_for_log(server, run_id)
    run = server.get(f"/api/runs/{run_id}")
    assert run["is_driven"]
    assert tasks(run)["wait"]["state"] == "running"
    assert (tasks(run)["wait"]["cells"], tasks(run)["after"]["state"]) == (3, "queued")  # one is injected
    assert not server.get(f"/api/runs/{run_id}/tasks/wait/log")["is_complete"]
    compute = server.get("/api/compute")
    assert [task["task"] for task in compute["running"] if task["run_id"] == run_id] == ["wait"]
    waiting = [task for task in compute["waiting"] if task["run_id"] == run_id]
    assert [(task["task"], task["why"]) for task in waiting] == [("after", "waits for wait")]
    assert compute["units"][0]["in_use"]["tasks"] >= 1
    assert server.post(f"/api/runs/{run_id}/resume", {}, 409)["code"] == "conflict"
    assert server.post(f"/api/runs/{run_id}/rerun", {}, 409)["code"] == "conflict"
    assert server.post(f"/api/runs/{run_id}/cancel", {}, 202)["is_cancel_requested"]
    over = server.wait_for(run_id)
    assert over["state"] == "cancelled"
    assert server.post(f"/api/runs/{run_id}/cancel", {}, 409)["code"] == "conflict"


def wait_for_log(server: Server, run_id: str) -> None:
    for _ in range(300):
        if "waiting" in server.get(f"/api/runs/{run_id}/tasks/wait/log")["text"]:
            return
        time.sleep(0.1)
    raise AssertionError(server.get(f"/api/runs/{run_id}"))


@pytest.mark.slow  # that a run is no part of the server, the next test shows every day
def test_a_run_outlives_the_server(own_server: Server) -> None:
    own_server.start()
    run_id = own_server.start_run("slow.pipeline.yaml", {"seconds": 4})
    wait_for_log(own_server, run_id)
    own_server.stop(signal.SIGKILL)
    own_server.start()
    run = own_server.wait_for(run_id)
    assert run["state"] == "succeeded"
    assert all(
        attempt["attempt"] == 1 for attempt in own_server.get(f"/api/runs/{run_id}/tasks/wait")["attempts"]
    )


def test_a_run_whose_driver_dies_can_be_resumed_or_cancelled(server: Server) -> None:
    run_id = server.start_run("slow.pipeline.yaml", {"seconds": 30})
    wait_for_log(server, run_id)
    kill_driver(server, run_id)
    for _ in range(100):
        run = server.get(f"/api/runs/{run_id}")
        assert (run["state"], run["is_driven"]) == ("running", False)
        if run["message"]:
            break
        time.sleep(0.1)
    assert "driver.log" in run["message"]
    server.post(f"/api/runs/{run_id}/resume", {}, 202)
    for _ in range(300):
        run = server.get(f"/api/runs/{run_id}")
        if run["is_driven"]:
            break
        time.sleep(0.1)
    assert (run["is_driven"], run["message"]) == (True, "")
    kill_driver(server, run_id)
    server.post(f"/api/runs/{run_id}/cancel", {}, 202)
    assert server.wait_for(run_id)["state"] == "cancelled"


def kill_driver(server: Server, run_id: str) -> None:
    from jupyter_mlops.catalog import Catalog
    from jupyter_mlops.catalog.records import Run

    with Catalog.open(f"sqlite:///{server.root / '.mlops' / 'catalog.db'}") as catalog:
        pid = int(catalog.get(Run, run_id).runner.rsplit(":", 2)[1])
    os.kill(pid, signal.SIGKILL)
    for _ in range(200):
        if not server.get(f"/api/runs/{run_id}")["is_driven"]:
            return
        time.sleep(0.05)
    raise AssertionError("it lives")


def test_a_run_of_the_command_line_is_seen(server: Server) -> None:
    run_by_command(server, 9)
    newest = server.get("/api/runs?limit=1")["items"][0]
    assert newest["state"] == "succeeded"
    assert server.get(f"/api/runs/{newest['run_id']}")["arguments"] == {"n": 9}


def run_by_command(server: Server, n: int) -> None:
    command = [Path(sys.executable).parent / "jupyter-mlops", "run", "pipeline.yaml", "-p", "n", str(n)]
    subprocess.run(
        command, cwd=server.root, env=server.environment, check=True, capture_output=True, timeout=120
    )
