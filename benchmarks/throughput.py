"""Many notebooks at once: papermill in a pool of processes, Ploomber's parallel executor, and we.

Each notebook gets its number as an argument and a kernel of its own. papermill's processes are started, and
have imported it, before its time begins; Ploomber's time is its build without its imports; ours as a pipeline
is everything: reading it, planning, pre-flight, catalog, dask, blobs and, in `the first of a process`, the
start of the zygote too.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from copy import copy
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import harness
import latency
from harness import Place, Ploomber, Row, Table, outputs_of, require_equal, require_success, take_turns, timed

from jupyter_mlops import Pipeline, RunOptions, Task, Workspace
from jupyter_mlops.kernels import KernelPool
from jupyter_mlops.pipelines.spec import to_yaml


class Batch:
    """The same notebook `count` times; every contestant writes its outputs to a folder of its own."""

    def __init__(self, place: Place, case: str, count: int) -> None:
        self.count = count
        self.folder = place.folder("batch")
        self.source = harness.write_notebook(self.folder / "notebook.ipynb", harness.CASES[case])

    def outputs(self, who: str) -> list[Path]:
        folder = self.folder / who
        folder.mkdir(exist_ok=True)
        return [folder / f"{number}.ipynb" for number in range(self.count)]

    def shown(self, who: str) -> list[Any]:
        return [outputs_of(path) for path in self.outputs(who)]

    def rate(self, seconds: float) -> float:
        return self.count / seconds


def papermill_one(source: str, output: str, number: int) -> None:
    import papermill

    papermill.execute_notebook(source, output, {"x": number}, progress_bar=False)


def import_papermill() -> None:
    import papermill  # noqa: F401


def by_papermill(batch: Batch, executor: ProcessPoolExecutor) -> float:
    outputs = [str(path) for path in batch.outputs("papermill")]
    with timed() as seconds:
        list(executor.map(papermill_one, [str(batch.source)] * batch.count, outputs, range(batch.count)))
    return batch.rate(seconds())


def by_ploomber(batch: Batch, ploomber: Ploomber, processes: int) -> float:
    for path in batch.outputs("ploomber"):  # else it would find them done
        path.unlink(missing_ok=True)
        path.with_name(f".{path.name}.metadata").unlink(missing_ok=True)
    outputs = [str(path) for path in batch.outputs("ploomber")]
    task = {"notebook": str(batch.source), "outputs": outputs, "processes": processes}
    return batch.rate(ploomber.run("parallel", task, batch.folder)["seconds"])


def by_threads(batch: Batch, pool: KernelPool, threads: int) -> float:
    outputs = batch.outputs("threads")
    with timed() as seconds, ThreadPoolExecutor(threads) as executor:
        jobs = [
            executor.submit(latency.execute, batch.source, output, pool, {"x": number})
            for number, output in enumerate(outputs)
        ]
        for job in jobs:
            job.result()
    return batch.rate(seconds())


def write_pipeline(batch: Batch) -> Path:
    tasks = [Task(f"t{n}", batch.source.name, parameters={"x": n}) for n in range(batch.count)]
    path = batch.folder / "pipeline.yaml"
    path.write_text(to_yaml(Pipeline("batch", tuple(tasks))))
    return path


def by_pipeline(batch: Batch, workspace: Workspace, pipeline: Path) -> tuple[float, str]:
    """The rate, and the run's id."""
    with timed() as seconds:
        run = workspace.runs.run(pipeline, options=RunOptions(force="all"))
    require_success(workspace.catalog, run)
    return batch.rate(seconds()), run.run_id


def measure(place: Place, case: str, options: Any, ploomber: Ploomber | None) -> list[Row]:
    batch = Batch(place, case, options.notebooks)
    few = copy(batch)  # the peers' share of it: their rate does not depend on how many there are
    few.count = options.peer_notebooks.get(case, options.notebooks)
    single = copy(few)
    single.count = max(few.count // 4, 1)
    pipeline = write_pipeline(batch)
    title = f"{case}, {batch.count} notebooks"
    run_ids: list[str] = []

    def next_run() -> float:
        rate, run_id = by_pipeline(batch, workspace, pipeline)
        run_ids.append(run_id)
        return rate

    def first_run() -> float:
        with Workspace.open(batch.folder, zygote_linger_seconds=0) as fresh:
            return by_pipeline(batch, fresh, pipeline)[0]

    spawn = get_context("spawn")
    workspace = Workspace.open(batch.folder, zygote_linger_seconds=0)
    (batch.folder / ".mlops").mkdir()
    with (
        workspace,
        KernelPool() as pool,
        ProcessPoolExecutor(1, spawn, import_papermill) as one,
        ProcessPoolExecutor(2, spawn, import_papermill) as two,
        ProcessPoolExecutor(4, spawn, import_papermill) as four,
    ):
        turns: list[tuple[Row, Callable[[], float]]] = []

        def contestant(who: str, run: Callable[[], float], count: int = 0) -> None:
            is_ours = who.startswith("ours")
            row = Row(title, who, is_rate=True, is_ours=is_ours)
            row.extra["notebooks"] = count or (batch.count if is_ours else few.count)
            turns.append((row, run))

        contestant("papermill, 2 processes", lambda: by_papermill(few, two))
        contestant("papermill, 4 processes", lambda: by_papermill(few, four))
        contestant("papermill, one after another", lambda: by_papermill(single, one), single.count)
        if ploomber is not None:
            contestant("Ploomber, parallel, 2 processes", lambda: by_ploomber(few, ploomber, 2))
            contestant("Ploomber, parallel, 4 processes", lambda: by_ploomber(few, ploomber, 4))
        contestant("ours, a pipeline, the first of a process", first_run)
        contestant("ours, a pipeline", next_run)
        contestant("ours, run_cells in 2 threads", lambda: by_threads(batch, pool, 2))
        contestant("ours, run_cells in 4 threads", lambda: by_threads(batch, pool, 4))
        for processes, executor in ((1, one), (2, two), (4, four)):
            list(executor.map(papermill_one, *_rehearsal(batch, processes)))
        latency.execute(batch.source, batch.folder / "warm.ipynb", pool, {"x": 0})
        next_run()
        take_turns(turns, options.rounds, warm_up=False)
        ours = [outputs_of(workspace.runs.task_notebook(run_ids[-1], f"t{n}")) for n in range(batch.count)]
    found = {"papermill": few.shown("papermill"), "threads": batch.shown("threads")[: few.count]}
    if ploomber is not None:
        found["ploomber"] = few.shown("ploomber")
    require_equal({**found, "pipeline": ours[: few.count]})
    return [row for row, _ in turns]


def _rehearsal(batch: Batch, count: int) -> tuple[list[str], list[str], range]:
    outputs = [str(batch.folder / f"rehearsal-{n}.ipynb") for n in range(count)]
    return [str(batch.source)] * count, outputs, range(count)


def main() -> None:
    made = harness.parser(__doc__)
    made.add_argument("--notebooks", type=int, default=100, help="how many notebooks")
    made.add_argument(
        "--peer-heavy-notebooks", type=int, default=16, help="how many of those with pandas the peers get"
    )
    made.add_argument("--rounds", type=int, default=2, help="turns")
    made.add_argument("--cases", nargs="+", default=list(harness.CASES), choices=list(harness.CASES))
    harness.add_ploomber(made)
    options = harness.parse(made, {"notebooks": 8, "peer_heavy_notebooks": 4, "rounds": 1})
    options.peer_notebooks = {"pandas + scikit-learn": min(options.notebooks, options.peer_heavy_notebooks)}
    place = Place(cpus=options.cpus)
    ploomber = Ploomber.find(options.ploomber)
    head = harness.header()
    if ploomber is not None:
        head["versions"]["ploomber"] = ploomber.version
    table = Table(f"Many notebooks on {options.cpus} processors", [])
    for case in options.cases:
        table.rows += measure(place, case, options, ploomber)
    table.notes.append(
        "Warmed up before. Who is slow gets fewer (`notebooks`): the rate does not depend on it."
    )
    if ploomber is None:
        table.notes.append("Without Ploomber.")
    harness.tell(head, [table], options.json)


if __name__ == "__main__":
    main()
