"""Our model server beside MLflow's, BentoML and MLServer: one row of JSON a request, by 1, 16 and 64 clients.

Each server has one process for the model and runs in an environment of its own (made on the first run, and kept in the
user's cache); all are up, warm, asked in turns, and have to give the same answer. Clients are a process of their own.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import statistics
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import harness
import stores_peer
from harness import Place, Row, Table
from serving_peer import NAMES, train

PEERS = {
    "mlflow": ("mlflow==3.17.2", "scikit-learn>=1.6"),
    "bentoml": ("bentoml>=1.4", "scikit-learn>=1.6"),
    "mlserver": ("mlserver>=1.7", "mlserver-sklearn>=1.7", "scikit-learn>=1.6"),
}
VALUES = [5.1, 3.5, 1.4, 0.2]
ROW = dict(zip(NAMES, VALUES, strict=True))
TENSOR = {"name": "x", "shape": [1, 4], "datatype": "FP64", "data": VALUES}
ASKED: dict[str, tuple[str, dict[str, Any]]] = {
    "mlflow": ("/invocations", {"dataframe_split": {"columns": NAMES, "data": [VALUES]}}),
    "bentoml": ("/predict", {"rows": [VALUES]}),
    "mlserver": ("/v2/models/iris/infer", {"inputs": [TENSOR]}),
    "ours": ("/invocations", {"instances": [ROW]}),
    "ours, an array": ("/invocations", {"instances": [VALUES]}),
}
SMALL: dict[str, Any] = {"rounds": 1, "seconds": 1.0, "clients": [1, 8], "models": ["regression"]}
QUIET = {"MLFLOW_DISABLE_TELEMETRY": "true", "BENTOML_DO_NOT_TRACK": "true", "OMP_NUM_THREADS": "1"}
WORDS = {"regression": "LogisticRegression", "forest": "RandomForest(200)"}


@dataclass
class Server:
    """One that is up."""

    who: str
    process: subprocess.Popen[bytes]
    port: int
    started_seconds: float = 0.0
    figures: dict[str, list[dict[str, float]]] = field(default_factory=dict)

    @property
    def path(self) -> str:
        return ASKED[self.who][0]

    @property
    def body(self) -> str:
        return json.dumps(ASKED[self.who][1])

    def ask(self) -> Any:
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}{self.path}",
            self.body.encode(),
            {"content-type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.loads(answer.read())

    def measure(self, case: str, clients: int, seconds: float) -> float:
        script = str(Path(__file__).with_name("serving_client.py"))
        command = [sys.executable, script, str(self.port), self.path, self.body, str(clients), str(seconds)]
        found = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
        if found["failed"]:
            print(f"{self.who}, {case}: {found['failed']} of {found['requests']} failed", file=sys.stderr)
        self.figures.setdefault(case, []).append(found)
        return float((found["requests"] - found["failed"]) / found["seconds"])

    def mebibytes(self) -> float:
        """Memory of its processes: what is theirs alone, and their share of what is shared."""
        import psutil

        first = psutil.Process(self.process.pid)
        total = 0
        for process in [first, *first.children(recursive=True)]:
            with contextlib.suppress(psutil.Error):
                total += process.memory_full_info().pss
        return total / 2**20

    def close(self) -> None:
        import psutil

        with contextlib.suppress(psutil.Error):
            first = psutil.Process(self.process.pid)
            for process in [*first.children(recursive=True), first]:
                with contextlib.suppress(psutil.Error):
                    process.kill()
        self.process.wait()


def start(who: str, command: Sequence[str], folder: Path, port: int) -> Server | None:
    """The server, once it answers; None, and a line that says why, if it never does."""
    log = folder / "log"
    began = time.monotonic()
    with log.open("wb") as file:
        process = subprocess.Popen(
            command, cwd=folder, stdout=file, stderr=file,
            env={**os.environ, **QUIET},
        )  # fmt: skip
    server = Server(who, process, port)
    while time.monotonic() - began < 120 and process.poll() is None:
        try:
            server.ask()
        except (OSError, urllib.error.URLError, ValueError):
            time.sleep(0.1)
            continue
        server.started_seconds = time.monotonic() - began
        return server
    print(f"without {who}: it does not answer\n{log.read_text()[-2000:]}", file=sys.stderr)
    server.close()
    return None


def free_port() -> int:
    """A port with two free ones behind it, most probably."""
    with socket.socket() as opened:
        opened.bind(("127.0.0.1", 0))
        port: int = opened.getsockname()[1]
        return port


def ours(name: str, folder: Path) -> list[Server | None]:
    """Our server, of a model that takes a frame, and of the same one that takes an array."""
    from jupyter_mlops.blobs import BlobStore
    from jupyter_mlops.catalog import Catalog
    from jupyter_mlops.models import ModelStore

    made: list[Server | None] = []
    model, data = train(name)
    with Catalog.open(f"sqlite:///{folder}/catalog.db") as catalog:
        store = ModelStore(catalog, BlobStore(folder / "blobs"))
        for who, example in (("ours", data.head(4)), ("ours, an array", data.to_numpy()[:4])):
            fitted = model if who == "ours" else model.fit(data.to_numpy(), model.predict(data))
            registered = store.register(name, fitted, input_example=example)
            exported = store.export_mlflow(
                f"models:/{name}/{registered.version}", folder / f"v{registered.version}"
            )
            port = free_port()
            command = [sys.executable, "-m", "jupyter_mlops.serving", "--model", str(exported), "--host", "127.0.0.1",
                       "--port", str(port)]  # fmt: skip
            made.append(start(who, command, folder, port))
    return made


def peer(who: str, choice: str, name: str, folder: Path) -> Server | None:
    """A peer's server; None, and a line that says why, if there is none."""
    if choice == "skip":
        return None
    try:
        python = stores_peer.environment(who, PEERS[who]) if choice == "auto" else Path(choice)
    except (OSError, subprocess.SubprocessError) as error:
        print(f"without {who}: it could not be installed: {error}", file=sys.stderr)
        return None
    port = free_port()
    return start(
        who,
        [str(python), str(Path(__file__).with_name("serving_peer.py")), who, name, str(port)],
        folder,
        port,
    )


def answer_of(server: Server) -> int:
    """What it predicts for the row, whatever it puts it in."""
    told = server.ask()
    if isinstance(told, dict):
        told = told["outputs"][0]["data"] if "outputs" in told else told["predictions"]
    return int(told[0])


def measure(name: str, place: Place, options: Any) -> Table:
    """All servers of one model."""
    servers = [peer(who, getattr(options, who), name, place.folder(f"{name}-{who}")) for who in PEERS]
    servers += ours(name, place.folder(f"{name}-ours"))
    running = [server for server in servers if server is not None]
    rows: list[tuple[Row, Server]] = []
    try:
        harness.require_equal({server.who: [answer_of(server)] for server in running})
        for clients in options.clients:
            case = f"{WORDS[name]}, {clients} clients" if clients > 1 else f"{WORDS[name]}, 1 client"
            turns = []
            for server in running:
                row = Row(case, server.who, is_rate=True, is_ours=server.who.startswith("ours"))
                turns.append((row, lambda s=server, c=case, n=clients: s.measure(c, n, options.seconds)))
                rows.append((row, server))
            harness.take_turns(turns, options.rounds)
        for row, server in rows:
            figures = server.figures[row.case][-options.rounds :]
            for word in ("p50", "p99"):
                row.extra[f"{word} ms"] = round(1000 * statistics.median(one[word] for one in figures), 2)
            row.extra["failed"] = sum(int(one["failed"]) for one in figures)
            row.extra["MiB"] = round(server.mebibytes())
            row.extra["start s"] = round(server.started_seconds, 1)
    finally:
        for server in running:
            server.close()
    notes = ["One row of JSON a request over connections that are kept; one process for the model each."]
    return Table(f"Serving: {WORDS[name]}", [row for row, _ in rows], notes)


def main() -> None:
    made = harness.parser(__doc__.splitlines()[0])
    made.add_argument("--rounds", type=int, default=3)
    made.add_argument("--seconds", type=float, default=4.0, help="of a turn")
    made.add_argument("--clients", type=int, nargs="+", default=[1, 16, 64])
    made.add_argument("--models", nargs="+", choices=list(WORDS), default=list(WORDS))
    for name in PEERS:
        text = "a Python that has it; auto: an environment made for it; skip: without"
        made.add_argument(f"--{name}", default="auto", metavar="auto|skip|PYTHON", help=text)
    options = harness.parse(made, SMALL)
    place = Place(cpus=options.cpus)
    head = harness.header()
    tables = [measure(name, place, options) for name in options.models]
    harness.tell(head, tables, options.json)


if __name__ == "__main__":
    main()
