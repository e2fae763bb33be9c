"""Ploomber's side of the benchmarks, for the Python that has it; `harness.Ploomber` calls it.

``parallel``: notebooks in parallel. ``prepare``, ``plan`` and ``rebuild``: a pipeline that is brought up to
date, and one that is. Reads its task from a JSON file and prints what it found as JSON; imports are not part of
any figure.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any


def main() -> None:
    action, path = sys.argv[1], Path(sys.argv[2])
    task = json.loads(path.read_text())
    os.chdir(path.parent)
    found = {"parallel": parallel, "prepare": prepare, "plan": plan, "rebuild": rebuild}[action](task)
    print("\n" + json.dumps(found))


def parallel(task: dict[str, Any]) -> dict[str, Any]:
    """`outputs`: one notebook to each, with its number as argument."""
    from ploomber import DAG
    from ploomber.executors import Parallel
    from ploomber.products import File
    from ploomber.tasks import NotebookRunner

    dag = DAG(executor=Parallel(processes=task["processes"]))
    for number, output in enumerate(task["outputs"]):
        NotebookRunner(Path(task["notebook"]), File(output), dag=dag, name=f"t{number}", params={"x": number})
    started = time.perf_counter()
    dag.build()
    return {"seconds": time.perf_counter() - started}


def prepare(task: dict[str, Any]) -> dict[str, Any]:
    """Bring it up to date. No cell is executed (that would take as long as there are kernels to start), all the
    rest is Ploomber's own, products and metadata included."""
    from papermill.engines import NBClientEngine
    from ploomber.executors import Serial
    from ploomber.spec import DAGSpec

    NBClientEngine.execute_managed_notebook = classmethod(lambda *_, **__: None)
    for spec in (task["rehearsal"], task["spec"]):
        dag = DAGSpec(spec).to_dag()
        dag.executor = Serial(build_in_subprocess=False)
        dag.build()
    return {}


def plan(task: dict[str, Any]) -> dict[str, Any]:
    """Seconds of loading and rendering."""
    from ploomber.spec import DAGSpec

    for spec in (task["rehearsal"], task["spec"]):  # the first imports what it needs
        started = time.perf_counter()
        DAGSpec(spec).to_dag().render()
        seconds = time.perf_counter() - started
    return {"plan": seconds}


def rebuild(task: dict[str, Any]) -> dict[str, Any]:
    """Seconds of all until the build has found nothing to do, and how many tasks it ran nevertheless."""
    from ploomber.spec import DAGSpec

    for spec in (task["rehearsal"], task["spec"]):
        started = time.perf_counter()
        report = DAGSpec(spec).to_dag().build()
        seconds = time.perf_counter() - started
    return {"rebuild": seconds, "ran": sum(map(bool, report["Ran?"]))}


if __name__ == "__main__":
    main()
