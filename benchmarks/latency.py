"""How long one notebook takes, from its file to its executed file: papermill and we, taking turns.

In a process that is warm (everything imported), and by the commands that people type. Both read the notebook,
inject an argument, execute it on a kernel of its own and save it.
"""

from __future__ import annotations

import subprocess
import sysconfig
from collections.abc import Callable, Mapping
from pathlib import Path

import harness
from harness import Place, Row, Table, outputs_of, require_equal, take_turns, timed

from jupyter_mlops.kernels import KernelPool, KernelRequest
from jupyter_mlops.notebooks.execute import run_cells
from jupyter_mlops.notebooks.facts import inspect_notebook
from jupyter_mlops.notebooks.files import load_notebook
from jupyter_mlops.notebooks.inject import inject
from jupyter_mlops.notebooks.parameters import bind

ARGUMENTS = {"x": 21}


def execute(
    source: Path, output: Path, pool: KernelPool, arguments: Mapping[str, object], *, isolation: str = "warm"
) -> None:
    """One notebook with our API, everything included."""
    facts = inspect_notebook(source)
    bound = bind(facts.parameters, arguments, where=source.name)
    nb = inject(load_notebook(source), bound, input_path=source, output_path=output)
    request = KernelRequest(
        kernel_name=facts.kernel_name,
        cwd=source.parent,
        preload=facts.preload,
        is_bare=facts.sets_environment,
        isolation="cold" if isolation == "cold" else "warm",
    )
    outcome = run_cells(nb, pool=pool, request=request, output=output)
    if outcome.error is not None:
        raise outcome.error


def in_process(place: Place, case: str, rounds: int, batch: int) -> list[Row]:
    import papermill

    folder = place.folder("in-process")
    source = harness.write_notebook(folder / "notebook.ipynb", harness.CASES[case])

    def papermill_once() -> float:
        with timed() as seconds:
            papermill.execute_notebook(source, folder / "papermill.ipynb", ARGUMENTS, progress_bar=False)
        return seconds()

    def ours_once(isolation: str = "warm") -> float:
        with timed() as seconds:
            execute(source, folder / "ours.ipynb", pool, ARGUMENTS, isolation=isolation)
        return seconds()

    def ours_in_a_row() -> float:
        with timed() as seconds:
            for _ in range(batch):
                execute(source, folder / "ours-row.ipynb", pool, ARGUMENTS)
        return seconds() / batch

    def ours_first() -> float:
        with timed() as seconds:
            fresh = KernelPool()
            execute(source, folder / "ours-first.ipynb", fresh, ARGUMENTS)
        fresh.close()
        return seconds()

    contestants: dict[str, Callable[[], float]] = {
        "papermill.execute_notebook": papermill_once,
        "ours": ours_once,
        f"ours, {batch} in a row, each": ours_in_a_row,
        "ours, the first of a process": ours_first,
        "ours, isolation: cold": lambda: ours_once("cold"),
    }
    with KernelPool() as pool:
        turns = [(Row(case, who, is_ours=who.startswith("ours")), run) for who, run in contestants.items()]
        take_turns(turns, rounds)
    names = ("papermill", "ours", "ours-row", "ours-first")
    require_equal({name: outputs_of(folder / f"{name}.ipynb") for name in names})
    return [row for row, _ in turns]


def commands(place: Place, case: str, rounds: int) -> list[Row]:
    folder = place.folder("commands")
    source = harness.write_notebook(folder / "notebook.ipynb", harness.CASES[case])
    scripts = Path(sysconfig.get_path("scripts"))
    argument = ["-p", "x", str(ARGUMENTS["x"])]

    def command(output: str, *words: str) -> Callable[[], float]:
        def run() -> float:
            full = [str(scripts / words[0]), *words[1:], str(source), str(folder / output), *argument]
            with timed() as seconds:
                done = subprocess.run(full, check=False, cwd=folder, capture_output=True, text=True)
            if done.returncode:
                raise SystemExit(f"{' '.join(full)} failed:\n{done.stderr[-2000:]}")
            return seconds()

        return run

    def first(run: Callable[[], float]) -> Callable[[], float]:
        def from_nothing() -> float:
            place.end_zygotes()
            return run()

        return from_nothing

    papermill = command("papermill.ipynb", "papermill")
    execute = command("ours.ipynb", "jupyter-mlops", "execute")
    engine = command("engine.ipynb", "papermill", "--engine", "mlops")
    contestants = {
        "papermill": [papermill],
        "jupyter mlops execute": [first(execute), execute],
        "papermill --engine mlops": [first(engine), engine],
    }
    rows = {"papermill": Row(case, "papermill")}
    for who in ("jupyter mlops execute", "papermill --engine mlops"):
        rows[who] = Row(case, who, is_ours=True)
        rows[f"{who}, first"] = Row(case, f"{who}, the first", is_ours=True)
    for number in range(-1 if rounds > 1 else 0, rounds):  # the first of many is thrown away
        for who, (run, *then) in contestants.items():
            seconds = run()
            if number >= 0 and not then:
                rows[who].values.append(seconds)
            elif number >= 0:
                rows[f"{who}, first"].values.append(seconds)
                rows[who].values.append(then[0]())
    place.end_zygotes()
    require_equal({name: outputs_of(folder / f"{name}.ipynb") for name in ("papermill", "ours", "engine")})
    return list(rows.values())


def main() -> None:
    made = harness.parser(__doc__)
    made.add_argument("--rounds", type=int, default=15, help="turns in a process")
    made.add_argument("--batch", type=int, default=10, help="notebooks of `in a row`")
    made.add_argument(
        "--command-rounds", type=int, default=5, help="turns of the commands; 0 leaves them out"
    )
    made.add_argument("--cases", nargs="+", default=list(harness.CASES), choices=list(harness.CASES))
    options = harness.parse(made, {"rounds": 2, "batch": 3, "command_rounds": 1})
    place = Place(cpus=options.cpus)
    head = harness.header()
    warm = Table("One notebook, in a process that is warm", [])
    typed = Table("One notebook, by a command", [])
    for case in options.cases:
        warm.rows += in_process(place, case, options.rounds, options.batch)
        if options.command_rounds:
            typed.rows += commands(place, case, options.command_rounds)
    warm.notes.append(
        "Before each turn is a pause of 0.3 s, in which the pool refills; `in a row` has none between its notebooks."
    )
    typed.notes.append(
        "`the first`: no zygote is running yet. It then stays for a while, and serves the next command."
    )
    harness.tell(head, [table for table in (warm, typed) if table.rows], options.json)


if __name__ == "__main__":
    main()
