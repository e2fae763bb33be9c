"""`schedule`, `backfill` and `scheduler`, as a user meets them: real runs, driven by processes of their own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from jupyter_mlops.catalog.records import Run, Schedule
from jupyter_mlops.cli import cli
from jupyter_mlops.events import now
from jupyter_mlops.workspace import Workspace

SCRIPT = Path(sys.executable).with_name("jupyter-mlops")


class Said:
    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Tell = Callable[..., Said]


@pytest.fixture
def tell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pipeline_writer: Any) -> Tell:
    """Give command lines beside the small pipeline."""
    pipeline_writer(tmp_path)
    monkeypatch.chdir(tmp_path)

    def give(*words: str) -> Said:
        result = CliRunner().invoke(cli, words)
        return Said(result.exit_code, result.stdout, result.stderr)

    return give


def wait_until(holds: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_add_list_show_and_next(tell: Tell) -> None:
    said = tell("schedule", "add")
    assert said.code == 0, said.err
    assert "small.nightly" in said.out
    assert "jupyter mlops scheduler" in said.err  # nothing fires them yet
    (body,) = tell("schedule", "list", "--json").json["schedules"]
    assert body["cron"] == "30 2 * * MON-FRI"
    assert body["parameters"]["week"] == "${schedule.fire_at.week}"
    assert datetime.fromisoformat(body["next_at"]) > now()
    upcoming = tell("schedule", "next", "nightly", "-n", "3", "--json").json["next"]
    assert upcoming[0]["fire_at"] == body["next_at"]
    assert upcoming[0]["arguments"]["since"]["value"]["zone"] == "Europe/Berlin"
    shown = tell("schedule", "show", "nightly")
    assert "nothing fires schedules here" in shown.out
    assert "02:30" in shown.out
    assert (
        "+01:00" in tell("schedule", "next", "nightly").out
        or "+02:00" in tell("schedule", "next", "nightly").out
    )
    assert tell("schedule", "history", "nightly").err == "small.nightly has not fired yet\n"
    assert tell("schedule", "show", "nightly", "--json").json["history"] == []


def test_a_schedule_from_the_command_line(tell: Tell) -> None:
    said = tell(
        "schedule", "add", "--name", "weekly", "--cron", "0 6 * * MON", "--timezone", "Europe/Berlin",
        "-p", "since", "${schedule.data_interval_start}", "-p", "week", "7", "--jitter", "5m", "--overlap", "queue",
        "--json",
    )  # fmt: skip
    (body,) = said.json["schedules"]
    assert body["name"] == "small.weekly"
    assert body["parameters"] == {"since": "${schedule.data_interval_start}", "week": 7}
    assert (body["jitter_seconds"], body["overlap"]) == (300, "queue")


@pytest.mark.parametrize(
    ("words", "message", "hint"),
    [
        (["add", "--cron", "0 25 * * *"], "'25' is no hour", ""),
        (["add", "--cron", "@dayly"], "'@dayly' is no cron", "'@daily'"),
        (["add", "--cron", "@daily", "--timezone", "Berlin"], "no time zone", "Europe/Berlin"),
        (["add", "--cron", "@daily", "-p", "weak", "3"], "no parameter 'weak'", "'week'"),
        (["add", "--cron", "@daily", "-p", "week", "three"], "'three' is no int", "20"),
        (["add", "--cron", "@daily", "--jitter", "soon"], "'soon' is no duration", "10m"),
        (["add", "--cron", "@daily", "--name", "a b"], "'a b' is no schedule name", ""),
        (["add", "--timezone", "UTC"], "without --cron", ""),
        (["add", "--name", "nihgtly"], "has no schedule 'nihgtly'", "'nightly'"),
        (["pause", "nightly"], "there is no schedule 'nightly'", "schedule list"),
        (["lst"], "no command 'schedule lst'", "'list'"),
    ],
)
def test_what_is_wrong_is_told_and_nothing_is_kept(
    tell: Tell, words: list[str], message: str, hint: str
) -> None:
    said = tell("schedule", *words)
    assert said.code == 2
    assert message in said.err
    assert hint in said.err
    assert "Traceback" not in said.err
    assert tell("schedule", "list", "--json").json["schedules"] == []


def test_pause_resume_and_remove(tell: Tell) -> None:
    tell("schedule", "add")
    assert tell("schedule", "pause", "nightly").out == "small.nightly is paused\n"
    assert "paused" in tell("schedule", "list").out
    assert "paused already" in tell("schedule", "pause", "nightly").err
    assert tell("schedule", "resume", "nightly", "--json").json["schedule"]["is_paused"] is False
    assert tell("schedule", "remove", "nightly").out == "small.nightly is removed\n"
    assert tell("schedule", "list").err.startswith("no schedules yet")


def test_the_shell_completes_names(tell: Tell, monkeypatch: pytest.MonkeyPatch) -> None:
    tell("schedule", "add")
    monkeypatch.setenv("COMP_WORDS", "jupyter-mlops schedule pause sm")
    monkeypatch.setenv("COMP_CWORD", "3")
    monkeypatch.setenv("_JUPYTER_MLOPS_COMPLETE", "bash_complete")
    done = subprocess.run([SCRIPT], capture_output=True, text=True, check=False)
    assert done.stdout == "plain,small.nightly\n"


def test_backfill(tell: Tell, tmp_path: Path) -> None:
    asked = ["backfill", "--from", "2026-01-01", "--to", "2026-01-06"]
    plan = tell(*asked, "--dry-run", "--json").json["fires"]
    assert [fire["would_run"] for fire in plan] == [True] * 3  # MON-FRI
    assert not (tmp_path / "executed.txt").exists()
    said = tell(*asked, "--json")
    assert said.code == 0, said
    assert [fire["run"]["state"] for fire in said.json["fires"]] == ["succeeded"] * 3
    assert (tmp_path / "executed.txt").read_text().splitlines() == [
        "2025-12-31T02:30:00+01:00 1", "2026-01-01T02:30:00+01:00 1", "2026-01-02T02:30:00+01:00 2",
    ]  # fmt: skip
    assert "3 fires ran before" in tell(*asked).out
    again = tell("backfill", "--from", "2026-01-05", "--to", "2026-01-06", "--again", "-p", "week", "9")
    assert "succeeded" in again.out
    tell("schedule", "add")
    history = tell("schedule", "history", "nightly", "--json").json["history"]
    assert [fire["is_backfill"] for fire in history] == [True] * 3
    assert "Traceback" not in tell("backfill", "--from", "x", "--to", "y").err
    assert "did you mean 'nightly'" in tell(*asked, "--schedule", "nigtly").err


@pytest.mark.slow
def test_a_backfill_stops_at_a_failure_unless_told_otherwise(tell: Tell, tmp_path: Path) -> None:
    notebook = json.loads((tmp_path / "only.ipynb").read_text())
    notebook["cells"][1]["source"] = "assert since.day != 1"
    (tmp_path / "only.ipynb").write_text(json.dumps(notebook))
    asked = ["backfill", "--from", "2026-01-01", "--to", "2026-01-06"]
    stopped = tell(*asked, "--json")
    assert stopped.code == 1
    assert [fire["run"]["state"] for fire in stopped.json["fires"]] == ["succeeded", "failed"]
    going_on = tell(*asked, "--keep-going", "--json")
    assert going_on.code == 1
    assert [fire["run"]["state"] for fire in going_on.json["fires"]] == ["failed", "succeeded"]


def due_now(folder: Path, name: str = "small.soon") -> None:
    """Let a schedule fire at once: the last full minute is open."""
    at = now().replace(second=0, microsecond=0)
    with Workspace.open(folder) as workspace:
        assert workspace.catalog.update(Schedule, name, next_at=at, due_at=at)


def test_once_starts_what_is_due_and_ends(tell: Tell, tmp_path: Path) -> None:
    tell("schedule", "add", "--name", "soon", "--cron", "* * * * *")
    due_now(tmp_path)
    assert tell("scheduler", "--once", "--quiet").code == 0

    def state() -> str:
        return str(tell("schedule", "history", "soon", "--json").json["history"][0]["state"])

    wait_until(lambda: state() == "succeeded")
    assert (tmp_path / "executed.txt").read_text() == "2026-01-01T00:00:00 1\n"
    assert "✔" in tell("schedule", "list").out


SLEEPS = "open('started', 'w').close()\nimport time\ntime.sleep(4)\nopen('done', 'w').close()"


def start_scheduler(folder: Path, log: Path) -> subprocess.Popen[bytes]:
    with log.open("ab") as file:
        return subprocess.Popen([SCRIPT, "scheduler"], cwd=folder, stderr=file)


@pytest.mark.slow
def test_a_run_outlives_the_scheduler_that_fired_it_and_another_takes_over(
    tell: Tell, tmp_path: Path
) -> None:
    notebook = json.loads((tmp_path / "only.ipynb").read_text())
    notebook["cells"][1]["source"] = SLEEPS
    (tmp_path / "only.ipynb").write_text(json.dumps(notebook))
    tell("schedule", "add", "--name", "soon", "--cron", "* * * * *", "--overlap", "queue")
    logs = [tmp_path / "one.log", tmp_path / "two.log"]
    services = [start_scheduler(tmp_path, log) for log in logs]
    try:
        wait_until(lambda: any("this process fires" in log.read_text() for log in logs))
        due_now(tmp_path)
        wait_until((tmp_path / "started").exists)
        first = next(i for i, log in enumerate(logs) if "this process fires" in log.read_text())
        services[first].kill()
        services[first].wait()
        wait_until(lambda: "this process fires" in logs[1 - first].read_text(), 60)  # the lease is for 6 s
        wait_until((tmp_path / "done").exists)
        history: list[dict[str, Any]] = []

        def is_told() -> bool:
            history[:] = tell("schedule", "history", "soon", "--json").json["history"]
            # If the minute turned before the service looked, the fire before it stands there as missed.
            return any(fire["state"] == "succeeded" for fire in history)

        wait_until(is_told)
        services[1 - first].send_signal(signal.SIGTERM)
        assert services[1 - first].wait(30) == 0
        assert "the runs that it started go on" in logs[1 - first].read_text()
        assert tell("schedule", "list", "--json").json["scheduler"] is None  # it gave the lease back
    finally:
        for service in services:
            service.kill()
            service.wait()
    with Workspace.open(tmp_path) as workspace:
        wait_until(
            lambda: not [run for run in workspace.catalog.find(Run) if run.state in ("queued", "running")]
        )
        runs = workspace.catalog.count(Run)
    history = tell("schedule", "history", "soon", "--json").json[
        "history"
    ]  # the minute may have turned since
    assert runs == len({fire["run_id"] for fire in history} - {None})
    assert "Traceback" not in "".join(log.read_text() for log in logs)


@pytest.mark.slow
def test_a_run_whose_process_was_killed_is_driven_on(tell: Tell, tmp_path: Path, stage: Any) -> None:
    """By the next tick that finds nobody drives it, with what is finished kept."""
    from jupyter_mlops.runner.launch import Drivers

    notebook = json.loads((tmp_path / "only.ipynb").read_text())
    notebook["cells"][1]["source"] = (
        "import os, time\nif not os.path.exists('started'):\n    "
        + "\n    ".join(SLEEPS.replace("sleep(4)", "sleep(60)").splitlines())
    )
    (tmp_path / "only.ipynb").write_text(json.dumps(notebook))
    drivers = Drivers(tmp_path)
    stage.scheduler._drive_run = drivers.start
    stage.schedule(cron="0 12 4 5 *")
    stage.tick()
    wait_until((tmp_path / "started").exists)
    run = stage.catalog.get(Run, stage.fires[0].run_id)
    os.kill(int(run.runner.rsplit(":", 2)[1]), signal.SIGKILL)
    wait_until(lambda: not stage.workspace.runs.is_driven(run))
    stage.tick(timedelta(seconds=31))
    wait_until(lambda: stage.catalog.get(Run, run.run_id).state == "succeeded")
    stage.tick()
    assert (stage.states, stage.fires[0].drives) == (["succeeded"], 2)
    drivers.reap()
    drivers.forget()
