"""The local target with its real processes: up, another version, a version that cannot load, deaths, the end."""

from __future__ import annotations

import os
import re
import shutil
import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import pytest

from jupyter_mlops.errors import Conflict, DeploymentFailed, InvalidInput, NotFound
from jupyter_mlops.resources import ResourceRequest
from jupyter_mlops.targets import TARGETS, Wanted, make_target
from jupyter_mlops.targets.local import LocalTarget, places, processes
from jupyter_mlops.targets.target import Stoppable, Target

from .conftest import Machine, ask

Until = Callable[[Callable[[], Any]], Any]


def until(holds: Callable[[], Any], seconds: float = 90) -> Any:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := holds():
            return found
        time.sleep(0.05)
    raise AssertionError("it did not come to that")


# One that nobody is given who asks for none: a deployment of another test could take it while ours is stopped.
PORT = 20_000 + os.getpid() % 10_000


def test_its_life(local_machine: Machine) -> None:
    at, target = local_machine, local_machine.target
    given = {"port": PORT}
    status = at.apply("life", 1, options=given)
    assert (status.state, status.revision, len(status.replicas)) == ("running", 1, 2)
    assert ask(status.url) == ([0, 1], "late/1")

    # Another version: the same address and processes, and whoever asks now meets the new one.
    before = at.marks("life")
    swapped = at.apply("life", 2, options=given)
    assert swapped.url == status.url
    assert {ask(status.url)[1] for _ in range(8)} == {"late/2"}
    assert at.marks("life") == before

    # A version that cannot be loaded: the old one answers, and somebody says why.
    with pytest.raises(
        DeploymentFailed, match=r"revision 3 of 'life' does not come up.*revision 2 goes on"
    ) as caught:
        at.apply("life", 3, options=given)
    assert "is damaged" in str(caught.value)
    assert str(target.root) not in str(caught.value)  # paths are nobody’s business
    assert ask(status.url)[1] == "late/2"
    told = target.status("life", {})
    assert (told.state, told.revision) == ("running", 2)
    assert "revision 3 was refused" in told.message

    # Stopped, removed.
    marks = at.marks("life")
    target.stop("life")
    assert target.status("life", {}).state == "stopped"
    assert not any(map(processes.is_alive, marks.values()))
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", int(status.url.rpartition(":")[2])))
    target.remove("life", {})
    assert not at.places("life").folder.exists()
    assert target.status("life", {}).state == "removed"
    target.remove("life", {})  # it is fine if it is gone already


@pytest.mark.slow
def test_it_outlives_deaths_and_a_stop(local_machine: Machine) -> None:
    at, target = local_machine, local_machine.target
    status = at.apply("deaths", 2, options={"port": PORT})
    before = at.marks("deaths")

    # Deaths, one after the other. No connection is refused, whoever is dead.
    for process in ("replica-1", "front", "supervisor"):
        dead = at.kill("deaths", process)
        assert ask(status.url)[1] == "late/2"
        until(lambda process=process, dead=dead: at.marks("deaths").get(process) not in ("", dead, None))
        assert ask(status.url)[1] == "late/2"
    until(lambda: [one.state for one in target.status("deaths", {}).replicas] == ["running", "running"])
    assert at.marks("deaths")["replica-2"] == before["replica-2"]  # the new supervisor has adopted it

    # Stopped, started on the same port, removed.
    target.stop("deaths")
    assert not any(map(processes.is_alive, before.values()))
    again = target.start("deaths", timeout_seconds=60)
    assert (again.url, again.revision) == (status.url, 1)
    assert ask(status.url)[1] == "late/2"
    marks = at.marks("deaths")
    target.remove("deaths", {})
    assert not any(map(processes.is_alive, marks.values()))
    assert not at.places("deaths").folder.exists()


def test_a_first_revision_that_does_not_come_up_leaves_nothing_behind(local_machine: Machine) -> None:
    with pytest.raises(DeploymentFailed, match="does not come up"):
        local_machine.apply("stillborn", 3)
    assert not local_machine.places("stillborn").folder.exists()


@pytest.mark.slow
def test_a_folder_that_is_deleted_takes_its_processes_along(local_machine: Machine) -> None:
    at = local_machine
    at.apply("deleted", 1, replicas=(1, 1))
    marks, sockets = at.marks("deleted"), at.places("deleted").sockets
    shutil.rmtree(at.places("deleted").folder)
    until(lambda: not any(map(processes.is_alive, marks.values())))
    assert not sockets.exists()


@pytest.mark.slow
def test_an_endpoint_with_a_token_answers_who_has_it(local_machine: Machine, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("open sesame\n")
    env = {"MLOPS_SERVING_TOKEN_FILE": str(tmp_path / "token")}
    status = local_machine.apply("secret", 1, options={"env": env}, replicas=(1, 1))
    with pytest.raises(HTTPError, match="401"):
        ask(status.url)
    assert ask(status.url, authorization="Bearer open sesame")[1] == "late/1"
    local_machine.target.remove("secret", {})


@pytest.mark.slow
def test_it_comes_back_when_everything_was_killed_at_once(local_machine: Machine) -> None:
    at = local_machine
    status = at.apply("reboot", 1, options={"port": PORT})
    marks = at.marks("reboot")
    for process in ("supervisor", "front", "replica-1", "replica-2"):
        at.kill("reboot", process)
    until(lambda: not any(map(processes.is_alive, marks.values())))
    told = at.target.status("reboot", {})
    assert told.state == "stopped"
    assert "deployments start reboot" in told.message
    assert at.target.start("reboot", timeout_seconds=60).url == status.url
    assert ask(status.url)[1] == "late/1"
    at.target.remove("reboot", {})


@pytest.mark.slow
def test_replicas_that_are_too_large_are_refused_with_what_would_be_enough(local_machine: Machine) -> None:
    at, small = local_machine, ResourceRequest(memory=100 * 2**20)
    with pytest.raises(
        DeploymentFailed, match=r"it is too large: .*replica-\d holds .*and may use 100 MiB"
    ) as caught:
        at.apply("large", 1, resources=small, replicas=(2, 2))
    assert not at.places("large").folder.exists()
    (enough,) = re.findall(r"more memory: (\d+)Mi would do", caught.value.hint)

    # With that it fits; with less again, its processes cannot tell: new ones do, and the old ones go on.
    room = ResourceRequest(memory=int(enough) * 2**20)
    url = at.apply("large", 1, resources=room, replicas=(1, 1)).url
    before = at.marks("large")
    with pytest.raises(DeploymentFailed, match=r"it is too large.*; revision 2 goes on answering"):
        at.apply("large", 2, resources=small, replicas=(1, 1))
    until(lambda: ask(url)[1] == "late/1")
    until(lambda: at.marks("large") == before)
    at.target.remove("large", {})


LEAK = """\
import os, threading, time
from pathlib import Path

def leak():
    while True:
        time.sleep(0.05)
        try:
            os.unlink(Path(__file__).with_name("grow"))
        except OSError:
            continue
        threading.kept = b"x" * (700 * 2**20)

threading.Thread(target=leak, daemon=True).start()
"""


@pytest.mark.slow
def test_a_replica_that_grows_too_large_is_replaced_and_nobody_notices(
    local_machine: Machine, tmp_path: Path
) -> None:
    at = local_machine
    (tmp_path / "sitecustomize.py").write_text(LEAK)
    most, env = ResourceRequest(memory=700 * 2**20), {"PYTHONPATH": str(tmp_path)}
    status = at.apply("grows", 1, resources=most, replicas=(2, 2), options={"env": env})
    before = at.marks("grows")
    (tmp_path / "grow").touch()
    until(lambda: ask(status.url)[1] == "late/1" and "was replaced" in at.target.status("grows", {}).message)
    assert "of 700 MiB" in at.target.status("grows", {}).message

    def replaced() -> set[str]:
        return {name for name, mark in before.items() if at.marks("grows").get(name) != mark}

    until(lambda: [one.state for one in at.target.status("grows", {}).replicas] == ["running", "running"])
    assert len(replaced()) == 1
    assert ask(status.url)[1] == "late/1"
    at.target.remove("grows", {})


@pytest.mark.slow
def test_a_companion_runs_as_long_as_the_deployment(local_machine: Machine) -> None:
    at = local_machine
    at.apply("company", 1, replicas=(1, 1))
    at.target.accompany("company", ["-c", "import time; time.sleep(600)"])

    def companion() -> str:
        return str(places.read(at.places("company").processes).get("companion", ""))

    first = until(companion)
    assert processes.is_alive(first)
    processes.send(first, processes.signal.SIGKILL)
    second = until(lambda: companion() not in ("", first) and companion())
    at.apply("company", 2, replicas=(1, 1))  # a new revision keeps it
    assert processes.is_alive(companion())
    at.target.remove("company", {})
    assert not processes.is_alive(second)


def test_secrets_of_a_run_do_not_stay_in_the_server(
    local_machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("MLOPS_SECRET_TOKEN", "MLOPS_RUN_ID", "JPY_PARENT_PID"):
        monkeypatch.setenv(name, "1")
    kept = processes.environment({"MORE": "2"})
    assert not {"MLOPS_SECRET_TOKEN", "MLOPS_RUN_ID", "JPY_PARENT_PID"} & kept.keys()
    assert kept["MORE"] == "2"


# --- what is wrong ----------------------------------------------------------------------------------------


def wanted(**more: Any) -> Wanted:
    return Wanted(**{"name": "x", "model": "m", "revision": 1, "traffic": {1: 1.0}, **more})


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"options": {"prt": 1}}, "no option 'prt'"),
        ({"options": {"port": "http"}}, "'http' is no port"),
        ({"options": {"port": 70000}}, "70000 is no port"),
        ({"options": {"env": "A=1"}}, "env must be a mapping"),
        ({"replicas": (0, 2)}, "0 to 2 cannot be"),
        ({"replicas": (3, 2)}, "3 to 2 cannot be"),
        ({"resources": ResourceRequest(gpu=1)}, "no GPUs"),
        ({"resources": ResourceRequest(memory=2**20)}, "cannot live in"),
        ({"folders": {2: "there"}}, "no folder is given for version 1"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_made(
    tmp_path: Any, given: dict[str, Any], says: str
) -> None:
    target = LocalTarget(tmp_path)
    with pytest.raises(InvalidInput, match=says):
        target.requests(wanted(**given))
    assert list(tmp_path.iterdir()) == []


def test_a_dry_run_shows_the_file_and_writes_none(tmp_path: Any) -> None:
    (request,) = LocalTarget(tmp_path).requests(wanted(folders={1: "there"}, options={"port": "8123"}))
    assert request.call.endswith("wanted.json")
    assert request.body["port"] == 8123
    assert request.body["versions"] == [
        {"version": 1, "folder": "there", "manifest_digest": "", "share": 1.0, "shadow": 0.0}
    ]
    assert list(tmp_path.iterdir()) == []


def test_a_port_that_somebody_else_has_is_said_at_once(tmp_path: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(Conflict, match=f"cannot listen on 127.0.0.1:{port}"):
            LocalTarget(tmp_path).apply(wanted(folders={1: "there"}, options={"port": port}))


def test_an_older_revision_never_takes_the_place_of_a_newer_one(tmp_path: Any) -> None:
    target = LocalTarget(tmp_path)
    at = places.Places.of(tmp_path, "x")
    at.folder.mkdir(parents=True)
    places.write(at.wanted, {"revision": 7})
    with pytest.raises(Conflict, match="somebody else has deployed revision 7"):
        target.apply(wanted(folders={1: "there"}))


def test_what_is_not_there_cannot_be_stopped(tmp_path: Any) -> None:
    with pytest.raises(NotFound):
        LocalTarget(tmp_path).stop("x")


def test_sockets_are_ours_alone_and_their_paths_short(tmp_path: Any) -> None:
    deep = tmp_path / ("deep" * 40)
    folder = places.Places(deep).sockets
    assert len(str(folder)) < 90
    assert folder.stat().st_mode & 0o077 == 0
    assert folder.stat().st_uid == os.getuid()
    folder.rmdir()


def test_targets_are_found_by_name(tmp_path: Any) -> None:
    assert {"local", "kubernetes", "sagemaker", "vertex", "azureml"} <= set(TARGETS.names())
    made: Target = make_target("local", tmp_path)
    assert isinstance(made, Stoppable)
    with pytest.raises(NotFound, match="no target is called 'lokal'"):
        make_target("lokal", tmp_path)
