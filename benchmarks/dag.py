"""A pipeline of 1,000 tasks: what it costs to read and plan it, to check it, and to find that it is up to date.

Layers of tasks; each task but those of the first layer needs three of the layer above it. All tasks share one
notebook, or each has its own. Ploomber's build of an up-to-date pipeline of the same shape stands beside it.
Each measurement begins in a new process, which has read none of the notebooks, as a command would; but imports
are in no figure.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import harness
from harness import Place, Ploomber, Row, Table, take_turns, timed

if TYPE_CHECKING:
    from jupyter_mlops import Workspace

FAN_IN = 3
PARTS = (  # case, side, part, who
    ("planning", "ploomber", "plan", "Ploomber: load and render (lints too)"),
    ("planning", "ours", "plan", "ours: load and plan"),
    ("planning", "ours", "check", "ours: load, plan and pre-flight (lints too)"),
    ("no-op rebuild", "ploomber", "rebuild", "Ploomber: load and build"),
    ("no-op rebuild", "ours", "rebuild", "ours: load, plan, pre-flight and run"),
)


def shape(tasks: int, width: int) -> dict[str, list[str]]:
    """Names, each with the names that it needs."""
    needs: dict[str, list[str]] = {}
    for number in range(tasks):
        layer, place = divmod(number, width)
        above = [(layer - 1) * width + (place + step) % width for step in range(FAN_IN)] if layer else []
        needs[f"t{number}"] = [f"t{one}" for one in dict.fromkeys(above)]
    return needs


REHEARSAL = "rehearsal.yaml"  # one task: both sides go through it first, and import what they import late


def write_ours(folder: Path, needs: dict[str, list[str]], *, is_shared: bool) -> Path:
    (folder / ".mlops").mkdir()

    def write(name: str, wanted: dict[str, list[str]]) -> Path:
        tasks = {
            task: {
                "notebook": notebook_of(folder, task, is_shared=is_shared and name != REHEARSAL),
                "needs": upstream,
                "parameters": {"x": number},
            }
            for number, (task, upstream) in enumerate(wanted.items())
        }
        path = folder / name
        path.write_text(json.dumps({"name": path.stem, "tasks": tasks}, indent=1))  # JSON is YAML
        return path

    write(REHEARSAL, {"rehearsal": []})
    return write("pipeline.yaml", needs)


def write_ploomber(folder: Path, needs: dict[str, list[str]], *, is_shared: bool) -> Path:
    (folder / "out").mkdir()

    def write(name: str, wanted: dict[str, list[str]]) -> Path:
        tasks = [
            {
                "source": notebook_of(folder, task, is_shared=is_shared and name != REHEARSAL),
                "name": task,
                "product": f"out/{task}.ipynb",
                "params": {"x": number},
                **({"upstream": upstream} if upstream else {}),
            }
            for number, (task, upstream) in enumerate(wanted.items())
        ]
        path = folder / name
        path.write_text(json.dumps({"meta": {"extract_upstream": False}, "tasks": tasks}, indent=1))
        return path

    write(REHEARSAL, {"rehearsal": []})
    return write("pipeline.yaml", needs)


def notebook_of(folder: Path, name: str, *, is_shared: bool) -> str:
    """The notebook's name; it is written if it is not there."""
    path = folder / "notebooks" / ("shared.ipynb" if is_shared else f"{name}.ipynb")
    if not path.exists():
        harness.write_notebook(path, harness.TRIVIAL, tail="" if is_shared else f"\nprint({name!r})")
    return str(path.relative_to(folder))


# --- our side, in a process of its own ----------------------------------------------------------------------


def ours(action: str, folder: Path, cpus: int) -> dict[str, float]:
    """Seconds of each part of ``plan`` or ``rebuild``, once everything is imported."""
    from jupyter_mlops import Workspace

    measured = {"plan": plan_ours, "rebuild": rebuild_ours}[action]
    with Workspace.open(folder, zygote_linger_seconds=0, workers=cpus) as workspace:
        measured(workspace, folder / REHEARSAL)
        return measured(workspace, folder / "pipeline.yaml")


def plan_ours(workspace: Workspace, pipeline: Path) -> dict[str, float]:
    from jupyter_mlops import preflight
    from jupyter_mlops.pipelines import load_pipeline, lower

    with timed() as planning:
        lower(load_pipeline(pipeline))
    with timed() as checking:  # reads the pipeline itself, and its notebooks for the first time
        problems = preflight.check(pipeline, settings=workspace.settings)
    if problems:
        raise SystemExit(f"pre-flight found: {problems[0]}")
    return {"plan": planning(), "check": checking()}


def rebuild_ours(workspace: Workspace, pipeline: Path) -> dict[str, float]:
    from jupyter_mlops.catalog.records import TaskRun

    with timed() as running:
        run = workspace.runs.run(pipeline)
    harness.require_success(workspace.catalog, run)
    states = [task.state for task in workspace.catalog.find(TaskRun, where={"run_id": run.run_id})]
    return {"rebuild": running(), "ran": states.count("succeeded")}


def ask_ours(action: str, folder: Path, cpus: int) -> dict[str, Any]:
    words = [sys.executable, __file__, "--ours", action, str(folder), "--cpus", str(cpus)]
    done = subprocess.run(words, check=False, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"our side failed:\n{done.stderr[-3000:]}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


# --- both -----------------------------------------------------------------------------------------------------


def measure(
    place: Place, options: argparse.Namespace, ploomber: Ploomber | None, *, is_shared: bool
) -> tuple[list[Row], float]:
    """The rows, and the seconds of our first run, which executes every notebook."""
    kind = "1 notebook" if is_shared else "a notebook each"
    found: dict[str, list[dict[str, float]]] = {"ploomber": [], "ours": []}

    def turn(side: str, ask: Callable[[str], dict[str, float]]) -> tuple[Row, Callable[[], float]]:
        def once() -> float:
            found[side].append({**ask("plan"), **ask("rebuild")})
            if found[side][-1]["ran"]:
                raise SystemExit(f"{side}: {found[side][-1]['ran']} tasks of an up-to-date pipeline ran")
            return found[side][-1]["rebuild"]

        return Row(kind, side), once

    tasks = {"ours": options.tasks, "ploomber": min(options.tasks, options.ploomber_tasks)}
    turns = []
    if ploomber is not None:
        theirs = place.folder("ploomber")
        spec = write_ploomber(theirs, shape(tasks["ploomber"], options.width), is_shared=is_shared)
        harness.progress("bringing Ploomber's pipeline up to date")
        task = {"spec": spec.name, "rehearsal": REHEARSAL}
        ploomber.run("prepare", task, theirs)
        turns.append(turn("ploomber", lambda action: ploomber.run(action, task, theirs)))
    folder = place.folder("ours")
    write_ours(folder, shape(tasks["ours"], options.width), is_shared=is_shared)
    harness.progress("executing our tasks once")
    first = ask_ours("rebuild", folder, options.cpus)
    if first["ran"] != options.tasks:
        raise SystemExit(f"only {first['ran']} of our {options.tasks} tasks ran")
    turns.append(turn("ours", lambda action: ask_ours(action, folder, options.cpus)))
    take_turns(turns, options.rounds)
    rows = [
        Row(
            f"{case}, {kind}",
            who,
            values=[each[part] for each in found[side][-options.rounds :]],
            is_ours=side == "ours",
            extra={"tasks": tasks[side]},
        )
        for case, side, part, who in PARTS
        if found[side]
    ]
    return rows, float(first["rebuild"])


def main() -> None:
    made = harness.parser(__doc__)
    made.add_argument("--tasks", type=int, default=1000, help="how many tasks")
    made.add_argument("--width", type=int, default=50, help="tasks in a layer")
    made.add_argument("--ploomber-tasks", type=int, default=1000, help="how many tasks Ploomber gets at most")
    made.add_argument("--rounds", type=int, default=3, help="turns")
    made.add_argument("--ours", nargs=2, metavar=("ACTION", "FOLDER"), help=argparse.SUPPRESS)
    harness.add_ploomber(made)
    options = harness.parse(made, {"tasks": 30, "width": 10, "ploomber_tasks": 30, "rounds": 1})
    if options.ours:
        print(json.dumps(ours(options.ours[0], Path(options.ours[1]), options.cpus)))
        return
    place = Place(cpus=options.cpus)
    ploomber = Ploomber.find(options.ploomber)
    head = harness.header()
    if ploomber is not None:
        head["versions"]["ploomber"] = ploomber.version
    table = Table(f"A pipeline of {options.tasks:,} tasks", [])
    for is_shared in (True, False):
        rows, seconds = measure(place, options, ploomber, is_shared=is_shared)
        table.rows += rows
        kind = "one notebook" if is_shared else "a notebook each"
        table.notes.append(f"Executing all of it the first time, {kind}, took us {seconds:.1f} s.")
    table.notes.append(
        "Ploomber's state was prepared without executing cells, which its build of an up-to-date pipeline never does."
        if ploomber is not None
        else "Without Ploomber."
    )
    harness.tell(head, [table], options.json)


if __name__ == "__main__":
    main()
