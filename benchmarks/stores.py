"""The two stores beside Feast, Polars and MLflow, in one run: how fast, and whether the answers are the same.

Peers run in environments of their own (made on the first run, and kept in the user's cache), in processes that
are warm; see `stores_features`, `stores_models`, `stores_peer`.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import harness
import stores_features
import stores_models
import stores_peer
from harness import Place, Row, Table, timed
from stores_peer import Contestant, take_turns

SMALL = {
    "rounds": 1,
    "join_rows": 2000,
    "dense_rows": 500,
    "dense_keys": 4,
    "entities": 1000,
    "reads": 20,
    "loads": 3,
    "versions": 10,
}
PARTS = ("joins", "online", "models", "imports")
_OURS = {
    "import jupyter_mlops": "import jupyter_mlops",
    "ours, the model store": "from jupyter_mlops.models import ModelStore",
    "ours, the feature store": "from jupyter_mlops.features import FeatureStore",
}


def imports(peers: dict[str, Path], options: Any) -> Table:
    """Seconds until a new interpreter has imported it, less those of an interpreter that imports nothing."""
    case = "import"

    def contestant(who: str, python: Path, line: str, *, is_ours: bool) -> Contestant:
        def measure() -> float:
            taken = []
            for code in ("pass", line):
                with timed() as seconds:
                    subprocess.run([str(python), "-c", code], check=True, capture_output=True)
                taken.append(seconds())
            return max(1e-4, taken[1] - taken[0])

        return Row(case, who, is_ours=is_ours), measure, max(2, options.rounds)

    turns = [
        contestant(f"import {name}", python, f"import {name}", is_ours=False)
        for name, python in peers.items()
    ]
    here = Path(sys.executable)
    turns += [contestant(who, here, line, is_ours=True) for who, line in _OURS.items()]
    take_turns(turns)
    return Table("Import", [row for row, _, _ in turns], ["In a process of its own each time."])


def main() -> None:
    made = harness.parser(__doc__.splitlines()[0])
    made.add_argument("--small", dest="quick", action="store_true", help="the same as --quick")
    made.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS), help="what to measure")
    made.add_argument("--rounds", type=int, default=7)
    made.add_argument("--peer-rounds", type=int, default=1, help="of those that take many seconds")
    made.add_argument("--join-rows", type=int, default=1_000_000)
    made.add_argument("--dense-rows", type=int, default=100_000)
    made.add_argument("--dense-keys", type=int, default=1000)
    made.add_argument("--entities", type=int, default=1_000_000)
    made.add_argument("--reads", type=int, default=1000, help="calls in a turn")
    made.add_argument("--loads", type=int, default=20, help="calls in a turn")
    made.add_argument("--versions", type=int, default=1000)
    for name in ("feast", "mlflow"):
        text = "a Python that has it; auto: an environment made for it; skip: without"
        made.add_argument(f"--{name}", default="auto", metavar="auto|skip|PYTHON", help=text)
    options = harness.parse(made, SMALL)
    place = Place(cpus=options.cpus)
    head = harness.header()
    folder = place.folder("peers")
    feast = mlflow = None
    if {*options.parts} & {"joins", "online", "imports"}:
        feast = stores_peer.find("feast", folder, options.feast)
    if {*options.parts} & {"models", "imports"}:
        mlflow = stores_peer.find("mlflow", folder, options.mlflow)
    tables: list[Table] = []
    try:
        for peer in filter(None, (feast, mlflow)):
            head["versions"] |= peer.ask("versions")
        if "joins" in options.parts:
            tables.append(stores_features.joins(place, feast, options))
        if "online" in options.parts:
            with stores_peer.redis_server(folder) as port:
                tables += stores_features.online(place, feast, port, options)
        if "models" in options.parts:
            tables.append(stores_models.models(place, mlflow, options))
        if "imports" in options.parts:
            known = {"feast": feast, "mlflow": mlflow}
            tables.append(
                imports({name: one.python for name, one in known.items() if one is not None}, options)
            )
    finally:
        for peer in filter(None, (feast, mlflow)):
            peer.close()
    harness.tell(head, tables, options.json)


if __name__ == "__main__":
    main()
