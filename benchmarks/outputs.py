"""A notebook that shows a lot: 40 cells, each with 1 MB. How long it takes, and how much is written.

papermill saves the whole notebook before and after every cell, so what it writes grows with the square of the
cells. Bytes are counted by the kernel: all that the process hands to ``write(2)`` (sockets to the notebook's
kernel use another call and are not in it). `MB lost` is what a contestant's executed notebooks, all turns
together, should show and do not.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import harness
import latency
from harness import Place, Row, Table, outputs_of, require_equal, take_turns, timed

from jupyter_mlops.kernels import KernelPool

KINDS = {
    "printed": "print('ABCDE'[x] * SIZE)",
    "displayed": "from IPython.display import HTML, display\ndisplay(HTML('<p>' + 'ABCDE'[x] * SIZE + '</p>'))",
}


def written() -> int | None:
    """Bytes that this process has written so far; None where the system does not tell."""
    try:
        lines = Path("/proc/self/io").read_text().splitlines()
    except OSError:
        return None
    return int(dict(line.split(": ") for line in lines)["wchar"])


def measure(place: Place, kind: str, cells: int, size: int, rounds: int) -> list[Row]:
    import papermill

    folder = place.folder("outputs")
    source_text = KINDS[kind].replace("SIZE", str(size))
    source = harness.write_notebook(
        folder / "notebook.ipynb", {"parameters": "x: int = 1", "cells": [source_text] * cells}
    )

    def peer(name: str, **options: bool) -> Callable[[], None]:
        def run() -> None:
            papermill.execute_notebook(source, folder / name, {"x": 3}, progress_bar=False, **options)

        return run

    def contestant(who: str, name: str, run: Callable[[], None]) -> tuple[Row, Callable[[], float]]:
        row = Row(f"{cells} cells, {size / 1e6:g} MB {kind} by each", who, is_ours=who == "ours")
        row.extra.update({"MB written": "?", "MB lost": 0.0})

        def once() -> float:
            before = written()
            with timed() as seconds:
                run()
            after = written()
            if before is not None and after is not None:
                row.extra["MB written"] = (after - before) / 1e6
            row.extra["MB lost"] += lost(folder / name, cells * size) / 1e6
            return seconds()

        return row, once

    with KernelPool() as pool:
        turns = [
            contestant("papermill", "papermill.ipynb", peer("papermill.ipynb")),
            contestant(
                "papermill, no save on cell execute",
                "rarely.ipynb",
                peer("rarely.ipynb", request_save_on_cell_execute=False),
            ),
            contestant(
                "ours",
                "ours.ipynb",
                lambda: latency.execute(source, folder / "ours.ipynb", pool, {"x": 3}),
            ),
        ]
        take_turns(turns, rounds)
    ours = turns[-1][0]
    if ours.extra["MB lost"]:
        raise SystemExit(f"we have lost {ours.extra['MB lost']} MB of output")
    names = ("papermill.ipynb", "rarely.ipynb", "ours.ipynb")
    complete = [name for name, (row, _) in zip(names, turns, strict=True) if not row.extra["MB lost"]]
    require_equal({name: outputs_of(folder / name) for name in complete})
    return [row for row, _ in turns]


def lost(path: Path, size: int) -> int:
    """How many of the `size` letters that the cells showed are not in the executed notebook."""
    return size - json.dumps(outputs_of(path)).count("D")  # 'ABCDE'[3]


def main() -> None:
    made = harness.parser(__doc__)
    made.add_argument("--cells", type=int, default=40, help="how many cells")
    made.add_argument("--size", type=int, default=1_000_000, help="bytes of output of each")
    made.add_argument("--rounds", type=int, default=5, help="turns")
    made.add_argument("--kinds", nargs="+", default=list(KINDS), choices=list(KINDS))
    options = harness.parse(made, {"cells": 6, "size": 100_000, "rounds": 1})
    place = Place(cpus=options.cpus)
    head = harness.header()
    table = Table("Large outputs", [])
    for kind in options.kinds:
        table.rows += measure(place, kind, options.cells, options.size, options.rounds)
    harness.tell(head, [table], options.json)


if __name__ == "__main__":
    main()
