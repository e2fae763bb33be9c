"""papermill and we execute the same notebooks and leave the same files, times, paths and versions aside."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import papermill
import pytest
from papermill.exceptions import PapermillExecutionError

from jupyter_mlops.errors import NotebookFailed
from jupyter_mlops.kernels import KernelPool, KernelRequest
from jupyter_mlops.notebooks.execute import run_cells
from jupyter_mlops.notebooks.files import load_notebook
from jupyter_mlops.notebooks.inject import inject
from jupyter_mlops.notebooks.parameters import bind, read_parameters

pytestmark = [
    # What papermill, nbclient and ipykernel do is theirs.
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
    pytest.mark.filterwarnings("ignore::nbformat.warnings.MissingIDFieldWarning"),
]

Cell = str | tuple[str, list[str]]
PARAMETERS = ("a: int = 1\nb = 'two'\nc: float = 0.5", ["parameters"])

NOTEBOOKS: dict[str, tuple[list[Cell], dict[str, Any]]] = {
    "streams": (
        ["import sys\nprint('out', flush=True); print('err', file=sys.stderr, flush=True)\nprint('more')"],
        {},
    ),
    "results": (["1 + 1", "None", "'text'; 3", "{'a': [1, 2]}", "_ , __", "import math; math"], {}),
    "parameters": ([PARAMETERS, "#md # Title", "(a, b, c)"], {"a": 7, "b": 'quo"ted\n', "c": 2.5}),
    "parameters without a tagged cell": (["x = 1", "y"], {"y": [1, None, True, {"k": "v"}]}),
    "no arguments": ([PARAMETERS, "a, b"], {}),
    "rich displays": (
        [
            "from IPython.display import HTML, Markdown, Image, JSON, display, Latex, SVG, Javascript\n"
            "display(HTML('<b>x</b>'), Markdown('*y*'), JSON({'k': [1]}), Latex('$z$'))",
            "display(SVG('<svg xmlns=\"http://www.w3.org/2000/svg\"/>'), Javascript('1'))",
            "display({'text/plain': 'p', 'application/x-mine+json': {'a': 1}}, raw=True, metadata={'m': 1})",
            "class R:\n def _repr_html_(self): return '<i>r</i>'\nR()",
            "import pandas as pd; pd.DataFrame({'a': [1, 2]})",
        ],
        {},
    ),
    "display updates": (
        [
            "h = display('old', display_id='d')",
            "display('same id', display_id='d'); print('x')",
            "h.update('new'); display('more', display_id='d', update=True)",
            "from IPython.display import clear_output\nprint('a'); clear_output(wait=True); print('b')",
            "display('gone', display_id='e'); clear_output(); display('kept', display_id='e')",
            "display('changed', display_id='e', update=True)",
        ],
        {},
    ),
    "a failure": ([PARAMETERS, "print('before')", "def f(): raise KeyError('k')\nf()", "'after'"], {"a": 2}),
    "a failure after markers": (["#md # Title", "x = 1", "#md text", "import nowhere_to_be_found"], {}),
    "a syntax error": (["def f(:"], {}),
    "leaving early": (["import sys", "print('so far'); sys.exit(0)", "'never'"], {}),
    "leaving badly": (["import sys; sys.exit('reason')"], {}),
    "skipped, raw and empty cells": (
        [("1/0", ["skip-execution"]), "", "   \n", "# only a comment", "#md text", "%%time\n1", "!echo hi"],
        {},
    ),
    "magics and shell": (["%%bash\necho $((1+1))", "!printf 'a\\nb'", "%lsmagic?", "x = !echo hi\nx"], {}),
    "figures": (["import matplotlib.pyplot as plt\nplt.plot([1, 2])", "plt.show()"], {}),
    "widgets": (
        [
            "import ipywidgets as w\ns = w.IntSlider(value=2); s",
            "o = w.Output()\nwith o: print('in'); display(3)\no",
            "s.value = 5",
        ],
        {},
    ),
}


def write(path: Path, make_notebook: Callable[..., dict[str, Any]], cells: list[Cell]) -> Path:
    path.write_text(json.dumps(make_notebook(*cells)))
    return path


# nbclient sends the state of an Output widget behind the back of its own asyncio socket: a reply that comes in at that
# moment wakes nobody, and papermill would wait for ever. With a limit it looks again when that has passed.
_LOOKS_AGAIN_SECONDS = 30


def by_papermill(source: Path, target: Path, arguments: dict[str, Any]) -> BaseException | None:
    try:
        papermill.execute_notebook(
            str(source),
            str(target),
            arguments,
            progress_bar=False,
            cwd=str(source.parent),
            execution_timeout=_LOOKS_AGAIN_SECONDS,
        )
    except PapermillExecutionError as error:
        return error
    return None


def by_us(
    pool: KernelPool, source: Path, target: Path, arguments: dict[str, Any], isolation: str = "warm"
) -> BaseException | None:
    nb = load_notebook(source)
    declared = {parameter.name for parameter in read_parameters(nb)}
    known = bind(read_parameters(nb), {k: v for k, v in arguments.items() if k in declared})
    prepared = inject(nb, {**arguments, **known}, input_path=source, output_path=target)
    request = KernelRequest(cwd=source.parent, isolation=isolation)  # type: ignore[arg-type]
    return run_cells(prepared, pool=pool, request=request, output=target).error


TIMES = {"start_time", "end_time", "duration"}


def essence(path: Path) -> dict[str, Any]:
    """The notebook without what differs from one run to the next."""
    nb = json.loads(json.dumps(nbformat.read(path, as_version=4)))
    nbformat.validate(nb)
    marks = nb["metadata"]["papermill"]
    assert {"default_parameters", "version"} | TIMES <= set(marks) | {"default_parameters", "version"}
    for name in (*TIMES, "input_path", "output_path", "version", "environment_variables"):
        marks.pop(name, None)
    states = nb["metadata"].get("widgets", {}).get("application/vnd.jupyter.widget-state+json", {})
    if states:  # by what they are: their names are random, and so is their order
        states["state"] = sorted(states["state"].values(), key=_anonymous)
    for cell in nb["cells"]:
        cell.pop("id")
        for name in TIMES:
            assert name in cell["metadata"].get("papermill", TIMES)
            cell["metadata"].get("papermill", {}).pop(name, None)
        # papermill lets nbclient note times in metadata.execution, which says nothing that its own do not.
        cell["metadata"].pop("execution", None)
        if "outputs" in cell:
            cell["outputs"] = merged(cell["outputs"])
    text = _anonymous(nb)
    text = re.sub(r"at 0x[0-9a-f]+", "at 0x", text)
    text = re.sub(r"ipykernel_\d+/\d+", "ipykernel_N/N", text)
    text = re.sub(r"(CPU times|Wall time): [^\"]*?\\n", "", text)
    return dict(json.loads(text))


def _anonymous(value: Any) -> str:
    return re.sub(r"[0-9a-f]{32}", "MODEL", json.dumps(value, sort_keys=True))


def merged(outputs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Adjacent pieces of one stream as one."""
    kept: list[dict[str, Any]] = []
    for output in outputs:
        if (
            kept
            and output["output_type"] == "stream" == kept[-1]["output_type"]
            and output["name"] == kept[-1]["name"]
        ):
            kept[-1]["text"] += output["text"]
        else:
            kept.append(output)
    return kept


# papermill takes a second for each; these are the everyday subset.
_EVERYDAY = {"parameters", "rich displays", "display updates", "a failure"}


@pytest.mark.parametrize(
    "name",
    [name if name in _EVERYDAY else pytest.param(name, marks=pytest.mark.slow) for name in NOTEBOOKS],
)
def test_papermill_and_we_leave_the_same_notebook(
    name: str, pool: KernelPool, make_notebook: Callable[..., dict[str, Any]], tmp_path: Path
):
    cells, arguments = NOTEBOOKS[name]
    source = write(tmp_path / "in.ipynb", make_notebook, cells)
    theirs = by_papermill(source, tmp_path / "theirs.ipynb", arguments)
    ours = by_us(pool, source, tmp_path / "ours.ipynb", arguments)
    assert (theirs is None) == (ours is None), (theirs, ours)
    if isinstance(theirs, PapermillExecutionError):
        assert isinstance(ours, NotebookFailed)
        assert (theirs.ename, theirs.evalue) == (ours.ename, ours.evalue)
    assert essence(tmp_path / "ours.ipynb") == essence(tmp_path / "theirs.ipynb")


@pytest.mark.slow
def test_an_executed_notebook_is_executed_again_alike(
    pool: KernelPool, make_notebook: Callable[..., dict[str, Any]], tmp_path: Path
):
    first = write(tmp_path / "in.ipynb", make_notebook, [PARAMETERS, "1 / (a - 3)"])
    with contextlib.suppress(PapermillExecutionError):
        by_papermill(first, tmp_path / "failed.ipynb", {"a": 3})
    for arguments in ({"a": 4}, {"a": 3}):
        by_papermill(tmp_path / "failed.ipynb", tmp_path / "theirs.ipynb", arguments)
        by_us(pool, tmp_path / "failed.ipynb", tmp_path / "ours.ipynb", arguments)
        assert essence(tmp_path / "ours.ipynb") == essence(tmp_path / "theirs.ipynb")


def test_a_cell_meant_to_raise_is_no_failure_to_us(
    pool: KernelPool, make_notebook: Callable[..., dict[str, Any]], tmp_path: Path
):
    """papermill takes any error output for a failure of the notebook; the tag says otherwise."""
    source = write(tmp_path / "in.ipynb", make_notebook, [("1/0", ["raises-exception"]), "2"])
    assert by_papermill(source, tmp_path / "theirs.ipynb", {}) is not None
    assert by_us(pool, source, tmp_path / "ours.ipynb", {}) is None
