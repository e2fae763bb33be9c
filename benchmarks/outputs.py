"""A notebook that shows a lot: 40 cells, each with 1 MB. How long it takes, and how much is written.

papermill saves the whole notebook before and after every cell, so what it writes grows with the square of the
cells. Bytes are counted by the kernel: all that the process hands to ``write(2)`` (sockets to the notebook's
kernel use another call and are not in it). `MB lost` is what a contestant's executed notebooks, all turns
together, should show and do not.

Then one cell with thousands of small outputs: displays, changes of one display, displays that a loop clears or that
have one id, displays in an Output widget (of ours alone, since papermill may wait for ever there). `each` is the time
by their number, which should not grow with it.
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
# One cell each, and one that shows how it ended.
SMALL = {
    "displays": "for n in range(COUNT): display(n)",
    "changes of a display": "shown = display(0, display_id=True)\nfor n in range(COUNT): shown.update(n)",
    "displays that are cleared": "from IPython.display import clear_output\n"
    "for n in range(COUNT):\n    clear_output(wait=True); display(n, display_id=f'n{n}')",
    "displays under one id": "for n in range(COUNT): display(n, display_id='same')",
    "displays in a widget": "import ipywidgets\nout = ipywidgets.Output()\n"
    "with out:\n    for n in range(COUNT): display(n)",
}
LAST = {"displays in a widget": "len(out.outputs), out.outputs[-1]['data']"}
# nbclient sends what a widget captures behind the back of its own socket, and then may wait for a reply for ever.
ALONE = ("displays in a widget",)
# papermill would give up 4 s after the kernel is done, with outputs still to read.
_PATIENT = {"iopub_timeout": 600}


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


def measure_small(place: Place, kind: str, count: int, rounds: int) -> list[Row]:
    import papermill

    folder = place.folder("small-outputs")
    cells = [SMALL[kind].replace("COUNT", str(count)), LAST.get(kind, "n")]
    source = harness.write_notebook(folder / "notebook.ipynb", {"parameters": "x: int = 1", "cells": cells})

    def contestant(who: str, run: Callable[[], object]) -> tuple[Row, Callable[[], float]]:
        row = Row(f"{count:,} {kind}", who, is_ours=who == "ours")

        def once() -> float:
            with timed() as seconds:
                run()
            row.extra["each, µs"] = seconds() / count * 1e6
            return seconds()

        return row, once

    with KernelPool() as pool:
        turns = [
            contestant(
                "papermill",
                lambda: papermill.execute_notebook(
                    source, folder / "papermill.ipynb", {"x": 3}, progress_bar=False, **_PATIENT
                ),
            ),
            contestant("ours", lambda: latency.execute(source, folder / "ours.ipynb", pool, {"x": 3})),
        ]
        turns = turns[1:] if kind in ALONE else turns
        take_turns(turns, rounds)
    names = [path.name for path in folder.glob("*.ipynb") if path != source]
    require_equal({name: outputs_of(folder / name) for name in names})
    return [row for row, _ in turns]


def lost(path: Path, size: int) -> int:
    """How many of the `size` letters that the cells showed are not in the executed notebook."""
    return size - json.dumps(outputs_of(path)).count("D")  # 'ABCDE'[3]


def main() -> None:
    made = harness.parser(__doc__)
    made.add_argument("--cells", type=int, default=40, help="how many cells")
    made.add_argument("--size", type=int, default=1_000_000, help="bytes of output of each")
    made.add_argument("--rounds", type=int, default=5, help="turns")
    made.add_argument("--kinds", nargs="*", default=list(KINDS), choices=list(KINDS))
    made.add_argument(
        "--small", nargs="*", default=list(SMALL), choices=list(SMALL), help="what is small and many"
    )
    made.add_argument("--counts", nargs="+", type=int, default=[1000, 4000], help="and how many")
    options = harness.parse(made, {"cells": 6, "size": 100_000, "rounds": 1, "counts": [100]})
    place = Place(cpus=options.cpus)
    head = harness.header()
    table = Table("Large outputs", [])
    for kind in options.kinds:
        table.rows += measure(place, kind, options.cells, options.size, options.rounds)
    small = Table("Many small outputs of one cell", [])
    for kind in options.small:
        for count in options.counts:
            small.rows += measure_small(place, kind, count, options.rounds)
    harness.tell(head, [each for each in (table, small) if each.rows], options.json)


if __name__ == "__main__":
    main()
