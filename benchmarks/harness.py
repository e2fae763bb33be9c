"""What every benchmark shares: one quiet, equal place for both sides, taking turns, and tables that say it all.

Both sides run in the same process environment, on the same kernelspec, in folders of their own under one
scratch directory; they take turns (ABAB…), so that whatever else the machine does hits both; a first round is
thrown away, which also leaves the bytecode of every import on disk; what they produced is compared, because a
fast wrong answer is no answer. Medians are reported, with the extremes beside them.
"""

from __future__ import annotations

import argparse
import atexit
import contextlib
import importlib.metadata
import importlib.util
import json
import os
import platform
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

KERNEL = "benchmark"
PAUSE_SECONDS = 0.3
TRIVIAL = {
    "parameters": "x: int = 1",
    "cells": ["print(x * 2)"],
}
HEAVY = {
    "parameters": "x: int = 1",
    "cells": [
        "import pandas as pd\n"
        "from sklearn.linear_model import LogisticRegression\n"
        "from sklearn.model_selection import train_test_split",
        "frame = pd.DataFrame({'a': range(200), 'b': [(i * 37 + x) % 101 for i in range(200)]})\n"
        "frame['y'] = (frame.a * 2 + frame.b > 220).astype(int)\n"
        "train, test = train_test_split(frame, random_state=x)\n"
        "model = LogisticRegression().fit(train[['a', 'b']], train.y)\n"
        "print(round(model.score(test[['a', 'b']], test.y), 6))",
    ],
}
CASES = {"trivial": TRIVIAL, "pandas + scikit-learn": HEAVY}
PLOOMBER_VENV = Path(__file__).parent / ".venv-ploomber"
PLOOMBER_REQUIREMENTS = ("ploomber>=0.23", "setuptools<81")
_DISTRIBUTIONS = (
    "jupyter_mlops", "papermill", "nbclient", "jupyter_client", "ipykernel", "dask", "pandas", "scikit-learn",
)  # fmt: skip


# --- command line -----------------------------------------------------------------------------------------


def parser(text: str) -> argparse.ArgumentParser:
    """The options that all benchmarks have."""
    made = argparse.ArgumentParser(description=text, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    made.add_argument("--quick", action="store_true", help="small sizes: does it work, not how fast is it")
    made.add_argument("--json", type=Path, metavar="FILE", help="write the figures to FILE as well")
    made.add_argument("--cpus", type=int, default=2, help="use no more than so many processors")
    return made


def parse(made: argparse.ArgumentParser, quick: Mapping[str, Any]) -> argparse.Namespace:
    """Parse; with ``--quick``, `quick` replaces the defaults of what was not given."""
    given = made.parse_args()
    if given.quick:
        made.set_defaults(**quick)
        given = made.parse_args()
    return given


# --- the place --------------------------------------------------------------------------------------------


class Place:
    """A scratch directory, and an environment of this process that both sides inherit."""

    def __init__(self, *, cpus: int) -> None:
        # Bytecode that is never kept makes every import slow, for both sides and for nobody in real life.
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        sys.dont_write_bytecode = False
        for name in [name for name in os.environ if name.startswith("MLOPS_")]:
            del os.environ[name]
        self.root = Path(tempfile.mkdtemp(prefix="jmb-"))  # short: sockets lie below it
        atexit.register(self.close)
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # tidied up then too
        self._write_kernelspec()
        for name, folder in {
            "JUPYTER_PATH": "jupyter",
            "XDG_RUNTIME_DIR": "run",
            "IPYTHONDIR": "ipython",
        }.items():
            path = self.root / folder
            path.mkdir(mode=0o700, exist_ok=True)
            os.environ[name] = str(path)
        os.environ["PLOOMBER_STATS_ENABLED"] = "false"  # no telemetry from a benchmark
        if hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cpus])

    def folder(self, name: str) -> Path:
        """A new folder; what was there is gone."""
        path = self.root / name
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir(parents=True)
        return path

    def end_zygotes(self) -> None:
        """End what commands have left running, so that the next one starts from nothing."""
        import psutil

        mine = [
            process
            for process in psutil.process_iter(["cmdline"])
            if str(self.root / "run") in " ".join(process.info["cmdline"] or ())
        ]
        for process in mine:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.terminate()
        _, alive = psutil.wait_procs(mine, timeout=5)
        for process in alive:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()

    def close(self) -> None:
        self.end_zygotes()
        shutil.rmtree(self.root, ignore_errors=True)

    def _write_kernelspec(self) -> None:
        """One kernelspec for all, with its interpreter spelled out: a peer in another environment uses it too."""
        folder = self.root / "jupyter" / "kernels" / KERNEL
        folder.mkdir(parents=True)
        argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        spec = {"argv": argv, "display_name": "benchmark", "language": "python"}
        (folder / "kernel.json").write_text(json.dumps(spec))


def write_notebook(path: Path, recipe: Mapping[str, Any], *, tail: str = "") -> Path:
    """A notebook of a recipe: a cell tagged ``parameters``, then its cells."""
    import nbformat
    from nbformat.v4 import new_code_cell, new_notebook

    nb = new_notebook(metadata={"kernelspec": {"name": KERNEL, "display_name": KERNEL, "language": "python"}})
    nb.cells = [new_code_cell(recipe["parameters"], metadata={"tags": ["parameters"]})]
    nb.cells += [new_code_cell(source) for source in recipe["cells"]]
    nb.cells[-1].source += tail
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(nb, path)
    return path


def outputs_of(path: Path) -> list[Any]:
    """What the cells of an executed notebook show, which must not depend on who executed it.

    Text that came in several messages is one text here: whether papermill joins them depends on their timing.
    """
    shown: list[Any] = []
    for cell in json.loads(path.read_text())["cells"]:
        here: list[Any] = []
        for output in cell.get("outputs", ()):
            bare = {k: v for k, v in output.items() if k not in ("execution_count", "metadata")}
            if "text" in bare:
                bare["text"] = "".join(bare["text"])
            if here and "text" in bare and here[-1].get("name") == bare["name"]:
                here[-1]["text"] += bare["text"]
            else:
                here.append(bare)
        shown += here
    return shown


def require_equal(outputs: Mapping[str, Any]) -> None:
    """End the benchmark unless everybody has come to the same."""
    (first, expected), *rest = outputs.items()
    if not expected:
        raise SystemExit(f"{first} has produced nothing")
    for who, found in rest:
        if found != expected:
            raise SystemExit(f"{who} and {first} differ:\n{str(found)[:500]}\n{str(expected)[:500]}")


def require_success(catalog: Any, run: Any) -> None:
    """End the benchmark if one of our runs failed, with the first error."""
    from jupyter_mlops.catalog.records import TaskRun

    if run.state != "succeeded":
        errors = [task.error for task in catalog.find(TaskRun, where={"run_id": run.run_id}) if task.error]
        raise SystemExit(f"our run {run.run_id} {run.state}: {errors[:1]}")


# --- measuring --------------------------------------------------------------------------------------------


@dataclass
class Row:
    """Figures of one contestant in one case. `values` are seconds, or a rate if `is_rate`."""

    case: str
    who: str
    values: list[float] = field(default_factory=list)
    is_rate: bool = False
    is_ours: bool = False
    extra: dict[str, Any] = field(default_factory=dict)

    @property
    def median(self) -> float:
        return statistics.median(self.values)


def take_turns(
    contestants: Sequence[tuple[Row, Callable[[], float]]], rounds: int, *, warm_up: bool = True
) -> None:
    """Let each contestant measure itself once a round, `rounds` times; the order alternates.

    Before each turn is a short pause, so that nobody pays for what the one before left to be tidied. A single round
    shows that it works, not how fast: before that none is thrown away.
    """
    for number in range(-1 if warm_up and rounds > 1 else 0, rounds):
        for row, measure in contestants if number % 2 == 0 else reversed(contestants):
            time.sleep(PAUSE_SECONDS)
            value = measure()
            if number >= 0:
                row.values.append(value)
                progress(f"{row.case}: {row.who}: {shown(row, value)}")


def progress(text: str) -> None:
    """What is going on, for those who watch."""
    if sys.stderr.isatty():
        print(f"\r{text}\033[K", end="", file=sys.stderr)


@contextlib.contextmanager
def timed() -> Iterator[Callable[[], float]]:
    """``with timed() as seconds: …`` and then ``seconds()``."""
    ended: list[float] = []
    started = time.perf_counter()
    yield lambda: (ended[0] if ended else time.perf_counter()) - started
    ended.append(time.perf_counter())


# --- telling ----------------------------------------------------------------------------------------------


@dataclass
class Table:
    """Rows with a title. In each case the first row is what the others are compared with."""

    title: str
    rows: list[Row]
    notes: list[str] = field(default_factory=list)

    def ratio(self, row: Row) -> float:
        """How many times faster than the first of its case."""
        base = next(other for other in self.rows if other.case == row.case)
        return row.median / base.median if row.is_rate else base.median / row.median

    def to_json(self) -> dict[str, Any]:
        rows = [
            {
                "case": row.case,
                "who": row.who,
                "unit": "per second" if row.is_rate else "seconds",
                "median": row.median,
                "least": min(row.values),
                "most": max(row.values),
                "count": len(row.values),
                "times_faster": self.ratio(row),
                "is_ours": row.is_ours,
                **row.extra,
            }
            for row in self.rows
        ]
        return {"title": self.title, "rows": rows, "notes": self.notes}

    def to_text(self) -> str:
        """A Markdown table, aligned for the eye."""
        extras = list(dict.fromkeys(key for row in self.rows for key in row.extra))
        lines = [["case", "who", "median", "range", "n", *extras, "faster"]]
        for row in self.rows:
            spread = f"{shown(row, min(row.values))} – {shown(row, max(row.values))}"
            who = f"**{row.who}**" if row.is_ours else row.who
            cells = [row.case, who, shown(row, row.median), spread, str(len(row.values))]
            ratio = f"{number(self.ratio(row))}×"
            lines.append([*cells, *(number(row.extra.get(key, "")) for key in extras), ratio])
        return "\n".join([f"### {self.title}", "", *_aligned(lines), *("\n" + note for note in self.notes)])


def _aligned(lines: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    texts = [
        "| " + " | ".join(c.ljust(w) for c, w in zip(line, widths, strict=True)) + " |" for line in lines
    ]
    rule = "|" + "|".join("-" * (width + 1) + (":" if i > 1 else "-") for i, width in enumerate(widths)) + "|"
    return [texts[0], rule, *texts[1:]]


def shown(row: Row, value: float) -> str:
    if row.is_rate:
        return f"{number(value)}/s"
    return (
        f"{value * 1e6:.1f} µs"
        if value < 0.001
        else f"{value * 1000:.1f} ms"
        if value < 0.1
        else f"{value * 1000:.0f} ms"
        if value < 1
        else f"{value:.2f} s"
    )


def number(value: Any) -> str:
    if not isinstance(value, float):
        return f"{value:,}" if isinstance(value, int) else str(value)
    return f"{value:.2f}" if value < 10 else f"{value:.1f}" if value < 100 else f"{value:,.0f}"


def header() -> dict[str, Any]:
    """When, where and with what."""
    cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    versions = {name: importlib.metadata.version(name) for name in _DISTRIBUTIONS}
    return {
        "date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC",
        "machine": f"{_processor()}, {cpus} processors used, {platform.system()} {platform.release()}",
        "load": f"{os.getloadavg()[0]:.1f} before",
        "python": platform.python_version(),
        "versions": versions,
    }


def _processor() -> str:
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.machine()


def tell(head: Mapping[str, Any], tables: Sequence[Table], json_path: Path | None) -> None:
    """Print the tables, and write them as JSON if wanted."""
    versions = ", ".join(f"{name} {version}" for name, version in head["versions"].items())
    load = f"{head['load']}, {os.getloadavg()[0]:.1f} after"
    print(f"{head['date']} · {head['machine']} · load {load} · Python {head['python']}\n{versions}\n")
    print("\n\n".join(table.to_text() for table in tables))
    if json_path is not None:
        json_path.parent.mkdir(parents=True, exist_ok=True)
        body = {**head, "load": load, "tables": [table.to_json() for table in tables]}
        json_path.write_text(json.dumps(body, indent=1, ensure_ascii=False) + "\n")


# --- Ploomber, which needs an environment of its own ------------------------------------------------------


def environment(folder: Path, requirements: Sequence[str]) -> Path:
    """The Python of a new virtual environment with these requirements: uv makes it in seconds, else pip in minutes."""
    shutil.rmtree(folder, ignore_errors=True)
    python = folder / "bin" / "python"
    if importlib.util.find_spec("uv") is not None:
        make, install = (
            ["uv", "venv", "-q", "--python", sys.executable],
            ["uv", "pip", "install", "--python", str(python)],
        )
    else:
        make, install = ["venv"], ["pip", "--python", str(python), "install"]
    subprocess.run([sys.executable, "-m", *make, str(folder)], check=True)
    subprocess.run([sys.executable, "-m", *install, "-q", *requirements], check=True, timeout=1200)
    return python


class Ploomber:
    """Ploomber in a Python that has it: this one, or a virtual environment made for it."""

    def __init__(self, python: Path) -> None:
        self.python = python
        self.version = self._ask("-c", "import ploomber; print(ploomber.__version__)").strip()

    @classmethod
    def find(cls, choice: str) -> Ploomber | None:
        """By ``--ploomber``: a Python, ``auto`` (look here, else make an environment) or ``skip``.

        None, and a line that says why, if there is none.
        """
        reason = "--ploomber skip"
        if choice == "auto":
            for python in (Path(sys.executable), PLOOMBER_VENV / "bin" / "python"):
                with contextlib.suppress(OSError, subprocess.CalledProcessError):
                    return cls(python)
            print(f"making {PLOOMBER_VENV} for Ploomber (once) …", file=sys.stderr)
            try:
                return cls(environment(PLOOMBER_VENV, PLOOMBER_REQUIREMENTS))
            except (OSError, subprocess.SubprocessError) as error:
                reason = f"it could not be installed: {error}"
        elif choice != "skip":
            return cls(Path(choice))
        print(f"without Ploomber: {reason}", file=sys.stderr)
        return None

    def run(self, action: str, task: Mapping[str, Any], folder: Path) -> dict[str, Any]:
        """What ``ploomber_peer.py`` finds."""
        path = folder / "ploomber-task.json"
        path.write_text(json.dumps(task))
        script = str(Path(__file__).with_name("ploomber_peer.py"))
        found: dict[str, Any] = json.loads(self._ask(script, action, str(path)).splitlines()[-1])
        return found

    def _ask(self, *words: str) -> str:
        done = subprocess.run([str(self.python), *words], check=False, capture_output=True, text=True)
        if done.returncode:
            if "ModuleNotFoundError" not in done.stderr:
                print(done.stderr[-3000:], file=sys.stderr)
            raise subprocess.CalledProcessError(done.returncode, words[0], done.stdout, done.stderr)
        return done.stdout


def add_ploomber(made: argparse.ArgumentParser) -> None:
    """``--ploomber``."""
    text = "a Python that has Ploomber; auto: this one, or a virtual environment made for it; skip: without"
    made.add_argument("--ploomber", default="auto", metavar="auto|skip|PYTHON", help=text)
