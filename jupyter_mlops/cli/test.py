"""``test``: a project's pipelines and notebooks as tests, by pytest in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import click

from ..errors import InvalidInput, MissingExtra, NotFound
from .group import command
from .options import json_option
from .output import print_json

_PLUGIN = "jupyter_mlops.project.pytest_plugin"
_NOTHING = 5  # pytest: no test was collected
# pytest, but for one thing: jsonschema, which nbval imports through nbformat, checks IRIs where this is installed, and
# importing it takes two seconds (see `cli.main`).
_PYTEST = (
    "import runpy, sys; sys.modules['rfc3987_syntax'] = None; import jsonschema; del sys.modules['rfc3987_syntax'];"
    " runpy.run_module('pytest', run_name='__main__')"
)


@command(
    name="test",
    examples=[
        ("everything below this directory", "jupyter mlops test"),
        ("for a CI service", "jupyter mlops test --junit report.xml"),
        ("what begins with -- goes to pytest", "jupyter mlops test notebooks -- -x --durations=5"),
    ],
)
@click.argument("paths", metavar="[PATH]...", nargs=-1, type=click.Path(path_type=str))
@click.option("--junit", type=click.Path(dir_okay=False, path_type=Path), help="Write a JUnit report.")
@json_option
def test(paths: Sequence[str], junit: Path | None, is_json: bool) -> None:
    """Test pipelines, notebooks and whatever else pytest finds below PATH.

    Each pipeline is checked and walked through; it is run if a file `pipeline.test.yaml` beside it says with
    which arguments. Each notebook that is in no pipeline runs by itself, and outputs are compared where a cell
    asks for it. All of it in stores of its own.
    """
    for name in ("pytest", "nbval"):
        if find_spec(name) is None:
            raise MissingExtra(f"tests need {name}", hint="pip install 'jupyter-mlops[testing]'")
    places = [word for word in paths if not word.startswith("-")] or ["."]
    for place in places:
        if not Path(place.split("::")[0]).exists():
            raise NotFound(f"there is no {place}", hint="name a directory, a pipeline or a notebook")
    with tempfile.TemporaryDirectory(prefix="mlops-report-") as folder:
        report = Path(folder, "report.json")
        words = [sys.executable, "-c", _PYTEST, "-p", _PLUGIN, "--mlops", f"--mlops-report={report}", "-q"]
        words += [f"--junit-xml={junit}"] if junit else []
        words += [*places, *(word for word in paths if word.startswith("-"))]
        environment = {**os.environ, **({"FORCE_COLOR": "1"} if sys.stdout.isatty() else {})}
        done = subprocess.run(
            words, check=False, env=environment, stdout=subprocess.PIPE if is_json else None, text=True
        )
        lines = json.loads(report.read_text(encoding="utf-8")) if report.is_file() else []
    if done.returncode == _NOTHING:
        raise NotFound(
            f"there is nothing to test in {', '.join(places)}", hint="write a project: jupyter mlops init"
        )
    if done.returncode not in (0, 1):
        said = f":\n{done.stdout.strip()}" if is_json and done.stdout else ""
        raise InvalidInput(f"pytest could not start its tests{said}", hint="see what it says above")
    if is_json:
        print_json({"is_good": done.returncode == 0, "tests": lines})
    click.get_current_context().exit(done.returncode)
