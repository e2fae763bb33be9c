"""What a run costs beside its notebooks, on two workers: dask's own cost of a task, and ours.

Two worker processes of dask, one task at a time on each. dask alone: as many functions that do nothing, submitted as
the runner submits jobs: a key each, their results gathered one by one. Ours is a pipeline of as many notebooks: reading
it, planning, pre-flight, catalog, log, blobs, outcome documents, and kernels that are taken and given back. Then the
scheduler service idles, and it is looked at how much of a processor that takes.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import harness
from harness import Place, Row, Table, require_success, timed

from jupyter_mlops import Pipeline, Task, Workspace
from jupyter_mlops.pipelines.spec import to_yaml

WORKERS = 2


def nothing(number: int) -> int:
    return number


def by_dask(client: Any, count: int) -> float:
    from distributed import as_completed

    with timed() as seconds:
        futures = [
            client.submit(nothing, number, key=f"nothing-{time.time_ns()}-{number}", pure=False)
            for number in range(count)
        ]
        for _ in as_completed(futures, loop=client.loop):
            pass
    return seconds() / count


def by_us(place: Place, count: int) -> tuple[float, float]:
    """Seconds of wall time a task, and of a worker's time that is not the notebook's."""
    folder = place.folder("overhead")
    harness.write_notebook(folder / "notebook.ipynb", harness.CASES["trivial"])
    table = f'cluster = "two"\n[clusters.two]\ntype = "processes"\nworkers = {WORKERS}\ncpu = 1\n'
    (folder / "mlops.toml").write_text(table)
    tasks = [
        Task(name=f"t{n}", notebook="notebook.ipynb", parameters={"x": n}, cache=False) for n in range(count)
    ]
    (folder / "pipeline.yaml").write_text(to_yaml(Pipeline(name="overhead", tasks=tasks)))
    with Workspace.open(folder) as workspace:
        workspace.runs.run(
            folder / "pipeline.yaml", {}, options=_only(tasks[: 2 * WORKERS])
        )  # kernels and imports
        with timed() as seconds:
            run = workspace.runs.run(folder / "pipeline.yaml", {})
        wall = seconds()
        require_success(workspace.catalog, run)
        from jupyter_mlops.catalog.records import TaskRun

        done = workspace.catalog.find(TaskRun, where={"run_id": run.run_id})
    notebooks = sum(task.duration_seconds for task in done)
    return wall / count, max(0.0, wall * WORKERS - notebooks) / count


def _only(tasks: list[Task]) -> Any:
    from jupyter_mlops import RunOptions

    return RunOptions(only=tuple(task.name for task in tasks))


def idle_scheduler(place: Place, seconds: float) -> float:
    """The share of one processor that the scheduler service takes while nothing is due, in percent."""
    import psutil

    folder = place.folder("idle")
    (folder / "mlops.toml").touch()
    harness.write_notebook(folder / "notebook.ipynb", harness.CASES["trivial"])
    text = "name: p\ntasks: {t: {notebook: notebook.ipynb, parameters: {x: 1}}}\n"
    text += "schedules: {yearly: {cron: 0 0 1 1 *}}\n"
    (folder / "pipeline.yaml").write_text(text)
    command = Path(sys.executable).with_name("jupyter-mlops")
    subprocess.run([command, "schedule", "add"], cwd=folder, check=True, capture_output=True)
    service = subprocess.Popen([command, "scheduler", "--quiet"], cwd=folder)
    try:
        time.sleep(5)  # its start is no idling
        process = psutil.Process(service.pid)
        before = sum(process.cpu_times()[:2])
        time.sleep(seconds)
        return (sum(process.cpu_times()[:2]) - before) / seconds * 100
    finally:
        service.terminate()
        service.wait(20)


def main() -> None:
    made = harness.parser(__doc__)
    made.add_argument("--tasks", type=int, default=1000, help="how many")
    made.add_argument("--rounds", type=int, default=2, help="turns")
    made.add_argument("--idle-seconds", type=float, default=60, help="how long the scheduler is looked at")
    options = harness.parse(made, {"tasks": 20, "rounds": 1, "idle_seconds": 5})
    place = Place(cpus=options.cpus)
    from distributed import Client, LocalCluster

    case = f"{options.tasks} tasks on {WORKERS} workers"
    table = Table("What a task costs beside its notebook", [])
    with (
        LocalCluster(n_workers=WORKERS, threads_per_worker=1, dashboard_address="127.0.0.1:0") as cluster,
        Client(cluster, set_as_default=False) as client,
    ):
        by_dask(client, min(50, options.tasks))
        alone = Row(case, "dask: a function that does nothing", [])
        alone.values.extend(by_dask(client, options.tasks) for _ in range(options.rounds))
    wall = Row(case, "ours: a notebook, wall time", [], is_ours=True)
    beside = Row(case, "ours: what of a worker's time is no notebook's", [], is_ours=True)
    for _ in range(options.rounds):
        each, overhead = by_us(place, options.tasks)
        wall.values.append(each)
        beside.values.append(overhead)
    table.rows += [alone, wall, beside]
    share = idle_scheduler(place, options.idle_seconds)
    table.notes.append(
        f"The scheduler service, idle for {options.idle_seconds:g} s: {share:.2f} % of one processor."
    )
    harness.tell(harness.header(), [table], options.json)


if __name__ == "__main__":
    main()
