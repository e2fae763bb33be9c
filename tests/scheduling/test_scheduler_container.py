"""The scheduler as a container's first process: it fires, leaves no zombies, and ends when it is told to."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from jupyter_mlops.catalog.records import Run
from jupyter_mlops.pipelines import ScheduleSpec
from jupyter_mlops.workspace import Workspace

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]
_STORAGE = """\
[storage]
driver = "overlay"
graphroot = "{folder}/root"
runroot = "{folder}/run"
"""
_CONTAINERS = """\
[containers]
default_ulimits = ["nofile=20000:20000", "nproc=2000:2000"]
netns = "host"
[engine]
runtime = "runc"
cgroup_manager = "cgroupfs"
events_logger = "file"
healthcheck_events = false
"""


@pytest.fixture
def podman(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Podman with a storage of its own; its containers see this machine's files, and write beside them."""
    found = shutil.which("podman")
    if found is None or shutil.which("runc") is None or os.geteuid() != 0:
        why = "containers need root, podman and runc"
        pytest.fail(why) if os.environ.get("CI") else pytest.skip(why)
    folder = tmp_path_factory.mktemp("scheduler-pod")
    for name, text in (("storage", _STORAGE), ("containers", _CONTAINERS)):
        (folder / f"{name}.conf").write_text(text.format(folder=folder))
    monkeypatch.setenv("CONTAINERS_STORAGE_CONF", str(folder / "storage.conf"))
    monkeypatch.setenv("CONTAINERS_CONF", str(folder / "containers.conf"))
    yield found
    subprocess.run([found, "rm", "--all", "--force", "--time", "1"], check=False, capture_output=True)
    for line in reversed(Path("/proc/mounts").read_text().splitlines()):
        if (place := line.split()[1]).startswith(f"{folder}/"):
            subprocess.run(["umount", "-l", place], check=False, capture_output=True)


def wait_for(condition: Callable[[], Any], seconds: float = 60) -> Any:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if found := condition():
            return found
        time.sleep(0.1)
    raise AssertionError("it never came to that")


def test_it_fires_as_a_containers_first_process(
    podman: str, tmp_path: Path, pipeline_writer: Callable[..., Path]
) -> None:
    project = tmp_path / "contained"
    project.mkdir()
    pipeline_writer(project)
    name = f"scheduler-{os.getpid()}"
    script = str(Path(sys.executable).with_name("jupyter-mlops"))
    with Workspace.open(project) as workspace:
        workspace.schedules.add(
            project / "pipeline.yaml", {"often": ScheduleSpec(cron="* * * * *", start="2026-01-01")}
        )
        options = ["--volume", f"{project}:/project", "--workdir", "/project",
                   "--env", "MLOPS_ZYGOTE_LINGER_SECONDS=0.5"]  # fmt: skip
        command = [podman, "run", "--rm", "--name", name, "--rootfs", *options, "/:O", script, "scheduler"]
        with (tmp_path / "log").open("wb") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            done = {"state": "succeeded"}
            wait_for(lambda: process.poll() is not None or workspace.catalog.count(Run, where=done))
            assert process.poll() is None, (tmp_path / "log").read_text()
            ask = [podman, "inspect", "--format", "{{.State.Pid}}", name]
            first = subprocess.run(ask, capture_output=True, text=True, check=True).stdout.strip()
            wait_for(lambda: not _children(first), 30)
            subprocess.run([podman, "stop", "--time", "30", name], check=True, capture_output=True)
            assert process.wait(40) == 0, (tmp_path / "log").read_text()
            assert "the scheduler has ended" in (tmp_path / "log").read_text()
            assert (project / "executed.txt").exists()
        finally:
            process.kill()
            process.wait()


def _children(parent: str) -> list[str]:
    """The states of its processes, of which one that nobody has looked at since it ended is ``Z``."""
    told = subprocess.run(["ps", "-eo", "ppid=,stat="], capture_output=True, text=True, check=True).stdout
    rows = [line.split() for line in told.splitlines()]
    return [state for ppid, state in rows if ppid == parent]
