"""kill -9 of the runner, a kernel, the zygote, a worker, at any moment: each task succeeds exactly once."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from jupyter_mlops.catalog.records import Run
from jupyter_mlops.errors import MlopsError

CLI = Path(sys.executable).with_name("jupyter-mlops")
MOST_SECONDS = 150


def state_of(scene):
    """The run's id and state; nothing when it is not in the catalog yet."""
    if not (scene.root / ".mlops" / "catalog.db").exists():
        return "", ""
    try:
        with scene.catalog() as catalog:
            runs = catalog.find(Run, omit=("plan",))
    except MlopsError:  # killed while it made the tables: the next one makes them
        return "", ""
    return (runs[0].run_id, runs[0].state) if runs else ("", "")


def see_it_through(scene, kinds, kills, *words, revive=lambda: None):
    """Start the run, kill `kills` times at random moments, resume it as often as need be; `revive` what else has
    died."""
    moment = time.monotonic() + scene.random.uniform(0.3, 1.5)
    deadline = time.monotonic() + MOST_SECONDS
    process = scene.launch(CLI, "run", *words)
    said = []
    while True:
        assert time.monotonic() < deadline, (scene.deaths, state_of(scene), said)
        revive()
        if len(scene.deaths) < kills and time.monotonic() > moment:
            before = len(scene.deaths)
            scene.kill_one(kinds)
            # Nobody of that kind was there yet: a moment later somebody may be.
            wait = scene.random.uniform(0.1, 2.0) if len(scene.deaths) > before else 0.05
            moment = time.monotonic() + wait
        if process.poll() is not None:
            said.append(process.communicate()[0][-1500:])
            run_id, state = state_of(scene)
            if state in ("succeeded", "failed", "cancelled"):
                break
            process = scene.launch(CLI, *(["resume", run_id] if run_id else ["run", *words]))
        time.sleep(0.02)
    return said


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_a_run_survives_its_killers(seed, make_scene):
    scene = make_scene(seed)
    said = see_it_through(scene, ["runner", "kernel", "zygote"], 3)
    assert scene.deaths, "nobody was killed"
    assert "Traceback" not in "".join(said), said
    scene.check()
    scene.check_nothing_is_left()


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 120))
def test_a_run_in_one_process_survives_its_killers(seed, make_scene):
    """Deaths are cheap, runs are not: so six of them in each."""
    scene = make_scene(seed)
    see_it_through(scene, ["runner", "runner", "kernel", "zygote"], 6)
    scene.check()
    scene.check_nothing_is_left()


@pytest.mark.slow
@pytest.mark.timeout(4 * MOST_SECONDS)
@pytest.mark.parametrize("first", range(200, 215, 3))
def test_runs_on_a_cluster_survive_their_killers(first, make_scene):
    """Three runs, one after the other on one cluster: to start it costs more than half of a run."""
    scene = make_scene(first)
    cluster = Workers(scene)
    kinds = ["runner", "kernel", "zygote", "worker"]
    try:
        for seed in range(first, first + 3):
            scene = scene if seed == first else scene.beside(seed)
            see_it_through(scene, kinds, 4, "--cluster", cluster.address, revive=cluster.revive)
            scene.check()
    finally:
        cluster.stop()
    scene.check_nothing_is_left()


class Workers:
    """A scheduler and two workers with nannies, which start a killed worker again."""

    def __init__(self, scene):
        file = scene.root / "scheduler.json"
        self.processes = [
            scene.launch(
                sys.executable, "-m", "distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", "0",
                "--dashboard-address", "127.0.0.1:0", "--no-show", "--scheduler-file", file,
            )
        ]  # fmt: skip
        while not file.exists() or not file.read_text().strip():
            assert self.processes[0].poll() is None
            time.sleep(0.05)
        import json

        self.address = json.loads(file.read_text())["address"]
        self.scene = scene
        self.processes += [self.worker() for _ in range(2)]

    def worker(self):
        return self.scene.launch(
            sys.executable, "-m", "distributed.cli.dask_worker", self.address, "--nthreads", "2",
            "--host", "127.0.0.1", "--no-dashboard", "--local-directory", self.scene.root,
        )  # fmt: skip

    def revive(self):
        """A nanny gives up when its worker is killed before that could join the scheduler."""
        for index, process in enumerate(self.processes):
            if index and process.poll() is not None:
                process.communicate()
                self.processes[index] = self.worker()

    def stop(self):
        for process in reversed(self.processes):
            process.terminate()
        for process in self.processes:
            try:
                process.communicate(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()
