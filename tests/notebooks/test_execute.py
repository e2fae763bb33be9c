"""A notebook runs on a real kernel as a reader of its file expects: outputs, failures, limits, directories."""

from __future__ import annotations

import base64
import json
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jupyter_mlops.blobs import BlobStore, parse_reference
from jupyter_mlops.errors import Cancelled, KernelDied, NotebookFailed, OutOfMemory, TimedOut
from jupyter_mlops.kernels import KernelPool, KernelRequest
from jupyter_mlops.notebooks import execute
from jupyter_mlops.notebooks.execute import (
    CancelToken,
    Limits,
    NotebookOutcome,
    Progress,
    cpus_of,
    limits_of,
    run_cells,
)
from jupyter_mlops.notebooks.files import load_notebook
from jupyter_mlops.notebooks.secrets import Mask
from jupyter_mlops.resources import ResourceRequest

Run = Callable[..., NotebookOutcome]
pytestmark = pytest.mark.timeout(90)


def outputs(outcome: NotebookOutcome, cell: int = 0) -> list[dict[str, Any]]:
    return list(outcome.notebook["cells"][cell]["outputs"])


def text(outcome: NotebookOutcome, cell: int = 0, name: str = "stdout") -> str:
    return "".join(out["text"] for out in outputs(outcome, cell) if out.get("name") == name)


def value(outcome: NotebookOutcome, cell: int = 0) -> Any:
    """What the cell's last expression was; it must be a Python literal."""
    import ast

    (result,) = [out for out in outputs(outcome, cell) if out["output_type"] == "execute_result"]
    return ast.literal_eval(result["data"]["text/plain"])


def status(outcome: NotebookOutcome) -> list[str]:
    return [cell["metadata"]["papermill"]["status"] for cell in outcome.notebook["cells"]]


# --- outputs ------------------------------------------------------------------------------------------------


def test_results_streams_and_counts_land_in_their_cells(run: Run, tmp_path: Path):
    outcome = run("x = 20\nprint('hi')", "#md # Title", "x + 1", "", output=tmp_path / "out.ipynb")
    assert outcome.error is None
    assert text(outcome) == "hi\n"
    assert value(outcome, 2) == 21
    assert [cell.get("execution_count") for cell in outcome.notebook["cells"]] == [1, None, 2, None]
    assert status(outcome) == ["completed"] * 4
    assert outcome.notebook["metadata"]["language_info"]["name"] == "python"
    assert outcome.notebook["metadata"]["papermill"]["exception"] is None
    saved = load_notebook(tmp_path / "out.ipynb")
    assert saved == json.loads(json.dumps(outcome.notebook))
    assert (tmp_path / "out.ipynb").read_text() == outcome.text


def test_streams_keep_their_order_and_are_merged(run: Run):
    outcome = run(
        "import sys\n"
        "for i in range(3): print(i, flush=True)\n"
        "print('to stderr', file=sys.stderr, flush=True)\n"
        "print('a', flush=True); display(1); print('b')"
    )
    assert [(out["output_type"], out.get("name"), out.get("text")) for out in outputs(outcome)] == [
        ("stream", "stdout", "0\n1\n2\n"),
        ("stream", "stderr", "to stderr\n"),
        ("stream", "stdout", "a\n"),
        ("display_data", None, None),
        ("stream", "stdout", "b\n"),
    ]


@pytest.mark.slow
def test_native_output_is_caught_too(make_notebook: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("PYTEST_CURRENT_TEST")  # ipykernel does not catch it when that is set
    nb = make_notebook("import os, time; os.write(1, b'from C\\n'); time.sleep(0.3)")
    with KernelPool(size=0) as own:
        assert text(run_cells(nb, pool=own, request=KernelRequest(cwd=tmp_path))) == "from C\n"


def test_a_display_is_updated_wherever_it_is_shown(run: Run):
    outcome = run(
        "h = display('old', display_id='d')\ndisplay('other')",
        "display('again', display_id='d'); print('x')",
        "h.update('new')",
    )
    assert [out["data"]["text/plain"] for out in outputs(outcome, 0)] == ["'new'", "'other'"]
    assert outputs(outcome, 1)[0]["data"]["text/plain"] == "'new'"
    assert outputs(outcome, 2) == []


def test_cleared_outputs_are_gone_at_once_or_when_the_next_one_comes(run: Run):
    outcome = run(
        "from IPython.display import clear_output\nprint('a'); clear_output(); print('b')",
        "print('a'); clear_output(wait=True)",
        "print('a'); clear_output(wait=True); print('b')",
        "print('a'); clear_output(wait=True); display('b')",
    )
    assert text(outcome, 0) == "b\n"
    assert text(outcome, 1) == "a\n"
    assert text(outcome, 2) == "b\n"
    assert [out["data"]["text/plain"] for out in outputs(outcome, 3)] == ["'b'"]


def test_the_state_of_widgets_is_saved(run: Run):
    outcome = run(
        "import ipywidgets as w\nslider = w.IntSlider(value=3); slider",
        "out = w.Output()\nwith out: print('captured'); display('shown')\nout",
        "slider.value = 7",
        "w.Image(value=b'\\x89PNG')",
    )
    assert outcome.error is None
    state = outcome.notebook["metadata"]["widgets"]["application/vnd.jupyter.widget-state+json"]["state"]
    by_name = {each["model_name"]: each for each in state.values()}
    assert by_name["IntSliderModel"]["state"]["value"] == 7
    assert [out["output_type"] for out in by_name["OutputModel"]["state"]["outputs"]] == [
        "stream",
        "display_data",
    ]
    (buffer,) = by_name["ImageModel"]["buffers"]
    assert base64.b64decode(buffer["data"]) == b"\x89PNG"
    assert text(outcome, 1) == ""


def test_figures_appear_inline_whether_matplotlib_was_preloaded_or_not(run: Run):
    for preload in ((), ("matplotlib.pyplot",)):
        outcome = run(
            "import matplotlib.pyplot as plt\nplt.plot([1, 2]); print('plotted')",
            "plt.gcf().number",
            request={"preload": preload},
        )
        assert [out["output_type"] for out in outputs(outcome)] == ["stream", "display_data"]
        assert "image/png" in outputs(outcome)[1]["data"]


def test_input_is_refused_instead_of_waited_for(run: Run):
    outcome = run("input('name? ')")
    assert isinstance(outcome.error, NotebookFailed)
    assert outcome.error.ename == "StdinNotImplementedError"


def test_tagged_cells_are_skipped(run: Run):
    outcome = run(("1/0", ["skip-execution"]), "1")
    assert outcome.error is None
    assert outcome.notebook["cells"][0]["execution_count"] is None


def test_many_messages_are_all_kept(run: Run):
    outcome = run("for i in range(3000): display(i)", "import sys\nfor i in range(20000): print(i)")
    assert [out["data"]["text/plain"] for out in outputs(outcome)] == [str(i) for i in range(3000)]
    assert text(outcome, 1) == "".join(f"{i}\n" for i in range(20000))


def test_an_earlier_run_leaves_no_trace(run: Run, make_notebook: Any, pool: KernelPool, tmp_path: Path):
    first = run("1/0")
    again = dict(first.notebook)
    again["cells"][-1]["source"] = "'fine'"
    outcome = run_cells(again, pool=pool, request=KernelRequest(cwd=tmp_path))
    assert outcome.error is None
    assert len(outcome.notebook["cells"]) == 1
    assert value(outcome) == "fine"


# --- failures -----------------------------------------------------------------------------------------------


def test_a_failing_cell_stops_the_notebook_and_is_marked(run: Run, tmp_path: Path):
    outcome = run("print('before')", "1/0", "print('after')", output=tmp_path / "out.ipynb")
    error = outcome.error
    assert isinstance(error, NotebookFailed)
    assert error.fields["ename"] == "ZeroDivisionError"
    assert error.fields["cell"] == 1
    assert "cell 2 raised ZeroDivisionError: division by zero" in str(error)
    assert "ZeroDivisionError" in error.fields["traceback"]
    cells = load_notebook(tmp_path / "out.ipynb")["cells"]
    assert "An Exception was encountered at" in cells[0]["source"]
    assert "In [2]" in cells[0]["source"]
    assert 'id="papermill-error-cell"' in cells[2]["source"]
    assert cells[3]["outputs"][0]["output_type"] == "error"
    assert cells[4]["outputs"] == []
    assert [c["metadata"]["papermill"]["status"] for c in cells if "papermill" in c["metadata"]] == [
        "completed",
        "failed",
        "pending",
    ]


def test_marks_can_be_left_to_the_caller(run: Run):
    outcome = run("1/0", marks_error=False)
    assert isinstance(outcome.error, NotebookFailed)
    assert len(outcome.notebook["cells"]) == 1


@pytest.mark.parametrize("leave", ["sys.exit()", "sys.exit(0)", "exit()", "sys.exit(None)"])
def test_leaving_well_stops_early_without_an_error(run: Run, leave: str):
    outcome = run(f"import sys; {leave}", "print('not run')")
    if leave == "exit()":  # IPython's own: asks the front end, the notebook goes on
        assert outcome.error is None
        return
    assert outcome.error is None
    assert status(outcome)[1] == "pending"
    assert outputs(outcome, 1) == []


def test_leaving_badly_is_a_failure(run: Run):
    outcome = run("import sys; sys.exit(3)")
    assert isinstance(outcome.error, NotebookFailed)
    assert (outcome.error.ename, outcome.error.evalue) == ("SystemExit", "3")


def test_a_cell_may_be_meant_to_raise(run: Run):
    outcome = run(("1/0", ["raises-exception"]), "'went on'")
    assert outcome.error is None
    assert outputs(outcome)[0]["ename"] == "ZeroDivisionError"
    assert value(outcome, 1) == "went on"
    assert status(outcome) == ["completed", "completed"]


def test_a_syntax_error_is_a_failure(run: Run):
    outcome = run("x = = 1")
    assert isinstance(outcome.error, NotebookFailed)
    assert outcome.error.ename == "SyntaxError"


@pytest.mark.parametrize("isolation", ["warm", "cold"])
def test_a_killed_kernel_is_seen_at_once(run: Run, tmp_path: Path, isolation: str):
    (tmp_path / "begin").unlink(missing_ok=True)
    outcome = run(
        "import os, time; open('begin', 'w').write(str(time.time()))\n"
        "print('last words', flush=True); time.sleep(0.1); os.kill(os.getpid(), 9)",
        "'never'",
        output=tmp_path / "out.ipynb",
        request={"isolation": isolation},
    )
    assert time.time() - float((tmp_path / "begin").read_text()) < 1.5
    assert isinstance(outcome.error, KernelDied)
    assert outcome.error.fields["exit_status"] == -signal.SIGKILL
    assert text(outcome) == "last words\n"
    assert status(outcome) == ["failed", "pending"]
    assert load_notebook(tmp_path / "out.ipynb")["metadata"]["papermill"]["exception"] is True


def test_a_crash_tells_its_signal_and_an_exit_its_code(run: Run):
    assert "SIGSEGV" in str(run("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)").error)
    assert "exit code 3" in str(run("import os; os._exit(3)").error)


def test_a_kernel_that_dies_takes_what_it_started_along(run: Run, tmp_path: Path):
    start = "import subprocess, os; child = subprocess.Popen(['sleep', '300'])\n"
    outcome = run(start + "open('pid', 'w').write(str(child.pid)); os.kill(os.getpid(), 9)")
    assert isinstance(outcome.error, KernelDied)
    _assert_ends(int((tmp_path / "pid").read_text()))
    run(start + "open('pid', 'w').write(str(child.pid))")
    _assert_ends(int((tmp_path / "pid").read_text()))


def _assert_ends(pid: int) -> None:
    deadline = time.monotonic() + 3
    while Path(f"/proc/{pid}").exists() and "Z" not in Path(f"/proc/{pid}/stat").read_text().split()[2]:
        assert time.monotonic() < deadline, f"process {pid} is still there"
        time.sleep(0.02)


def test_unknown_language_is_told(run: Run):
    outcome = run("1", request={"kernel_name": "cobol85", "language": "cobol"})
    assert "no kernel is called 'cobol85'" in str(outcome.error)
    assert status(outcome) == ["pending"]


# --- limits -------------------------------------------------------------------------------------------------


def test_a_cell_that_takes_too_long_is_interrupted(run: Run):
    started = time.monotonic()
    outcome = run("1", "import time; time.sleep(60)", "3", limits=Limits(cell_timeout_seconds=1.5))
    assert time.monotonic() - started < 40
    assert isinstance(outcome.error, TimedOut)
    assert "cell 2 took longer than its timeout of 1.5 s" in str(outcome.error)
    assert outputs(outcome, 1)[-1]["ename"] == "KeyboardInterrupt"
    assert status(outcome) == ["completed", "failed", "pending"]


def test_a_notebook_that_takes_too_long_ends_though_each_cell_is_quick(run: Run):
    outcome = run(*["import time; time.sleep(0.2)"] * 20, limits=Limits(timeout_seconds=0.5))
    assert isinstance(outcome.error, TimedOut)
    assert "the notebook took longer" in str(outcome.error)
    assert status(outcome).count("pending") > 10


def test_a_cell_that_swallows_the_interrupt_does_not_let_the_next_one_start(run: Run):
    swallow = "import time\ntry: time.sleep(60)\nexcept KeyboardInterrupt: pass"
    outcome = run(swallow, "open('ran', 'w')", limits=Limits(cell_timeout_seconds=0.2))
    assert isinstance(outcome.error, TimedOut)
    assert status(outcome)[1] == "pending"


def test_a_cell_that_cannot_be_interrupted_is_killed(run: Run, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(execute, "GRACE_SECONDS", 0.5)
    stubborn = "import signal, time; signal.signal(signal.SIGINT, signal.SIG_IGN); time.sleep(60)"
    started = time.monotonic()
    outcome = run(stubborn, limits=Limits(cell_timeout_seconds=0.2))
    assert time.monotonic() - started < 40
    assert isinstance(outcome.error, TimedOut)


@pytest.mark.parametrize("delay", [None, 0.0, 0.0005, 0.001, 0.002, 0.005])
def test_an_interrupt_that_comes_before_its_cell_is_not_lost(
    run: Run, monkeypatch: pytest.MonkeyPatch, delay: float | None
):
    class Cancelling(Progress):
        def cell_started(self, cell: int, cells: int, description: str) -> None:
            token.cancel() if delay is None else threading.Timer(delay, token.cancel).start()

    monkeypatch.setattr(execute, "GRACE_SECONDS", 60.0)
    token, started = CancelToken(), time.monotonic()
    outcome = run("import time; time.sleep(100)", cancel=token, progress=Cancelling())
    assert isinstance(outcome.error, Cancelled)
    assert time.monotonic() - started < 30


def test_what_a_cell_does_when_it_is_interrupted_is_not_interrupted(run: Run, tmp_path: Path):
    saving = "import time\ntry: time.sleep(60)\nfinally:\n    time.sleep(1)\n    open('saved', 'w').close()"
    outcome = run(saving, limits=Limits(cell_timeout_seconds=0.3))
    assert isinstance(outcome.error, TimedOut)
    assert (tmp_path / "saved").exists()


def test_a_cancel_stops_a_notebook_that_runs(run: Run):
    class Cancelling(Progress):
        def streamed(self, cell: int, name: str, text: str) -> None:
            token.cancel()

    token = CancelToken()
    started = time.monotonic()
    source = "import time; print('here', flush=True); time.sleep(60)"
    outcome = run(source, "2", cancel=token, progress=Cancelling())
    assert time.monotonic() - started < 40
    assert isinstance(outcome.error, Cancelled)
    assert status(outcome) == ["failed", "pending"]


def test_a_cell_that_awaits_is_interrupted_and_cleans_up(run: Run):
    class Cancelling(Progress):
        def streamed(self, cell: int, name: str, text: str) -> None:
            token.cancel()

    token = CancelToken()
    source = (
        "import asyncio\ntry:\n    print('waits', flush=True)\n    await asyncio.sleep(600)\n"
        "finally:\n    print('cleaned up')"
    )
    outcome = run(source, cancel=token, progress=Cancelling())
    assert isinstance(outcome.error, Cancelled)
    assert text(outcome) == "waits\ncleaned up\n"


def test_a_cancel_before_the_start_keeps_it_from_starting(run: Run, tmp_path: Path):
    token = CancelToken()
    token.cancel()
    outcome = run("open('ran', 'w')", cancel=token)
    assert isinstance(outcome.error, Cancelled)
    assert not (tmp_path / "ran").exists()


def test_memory_beyond_the_request_ends_the_kernel_and_is_told(run: Run):
    limits = limits_of(ResourceRequest.parse({"memory": "200Mi"}))
    hog = "import time\ndata = []\nwhile True: data.append(bytes(20 << 20)); data[-1][0]; time.sleep(0.02)"
    outcome = run(hog.replace("bytes(20 << 20)", "bytearray(b'x' * (20 << 20))"), limits=limits)
    assert isinstance(outcome.error, OutOfMemory)
    assert "more than the 200 MiB of its resource request" in str(outcome.error)
    assert outcome.peak_memory_bytes > 200 << 20


def test_peak_memory_is_measured_though_it_was_short(run: Run):
    outcome = run("x = bytearray(300 << 20); x[:: 4096] = b'x' * len(x[:: 4096]); del x")
    assert 250 << 20 < outcome.peak_memory_bytes < 500 << 20
    assert run("1").peak_memory_bytes < 100 << 20


def test_a_large_output_spills_to_the_blobs(run: Run, tmp_path: Path):
    blobs = BlobStore(tmp_path / "blobs")
    outcome = run(
        "for i in range(30000): print('line', i)",
        "from IPython.display import HTML; HTML('<p>' + 'y' * 200_000 + '</p>')",
        blobs=blobs,
        limits=Limits(output_bytes=50_000),
    )
    kept = text(outcome)
    assert len(kept) < 50_000
    assert kept.startswith("line 0\n")
    assert kept.endswith("line 29999\n")
    reference = parse_reference(kept.split("spilled to ")[1].split()[0])
    assert reference is not None
    assert blobs.read_bytes(reference.digest) == b"".join(b"line %d\n" % i for i in range(30000))
    (shown,) = outputs(outcome, 1)
    reference = parse_reference(shown["metadata"]["spilled"]["text/html"]["reference"])
    assert reference is not None
    assert len(blobs.read_bytes(reference.digest)) == 200_007


def test_outputs_within_the_limit_stay(run: Run, tmp_path: Path):
    blobs = BlobStore(tmp_path / "blobs")
    outcome = run("print('x' * 40_000)", blobs=blobs, limits=Limits(output_bytes=50_000))
    assert text(outcome) == "x" * 40_000 + "\n"
    assert list(blobs.digests()) == []


# --- secrets ------------------------------------------------------------------------------------------------


class _Seen(Progress):
    def __init__(self) -> None:
        self.streams: list[tuple[int, str, str]] = []
        self.cells: list[tuple[str, int, int]] = []

    def streamed(self, cell: int, name: str, text: str) -> None:
        self.streams.append((cell, name, text))

    def cell_started(self, cell: int, cells: int, description: str) -> None:
        self.cells.append((description, cell, cells))

    def cell_executed(self, cell: int, cells: int, duration_seconds: float) -> None:
        self.cells.append(("done", cell, cells))


def test_secrets_are_masked_wherever_they_come_out(run: Run, tmp_path: Path):
    secret, seen = "hunter2-is-secret", _Seen()
    outcome = run(
        "import os, sys, time\ns = os.environ['S']\n"
        "for c in 'before ' + s + ' after\\n': print(c, end='', flush=True); time.sleep(0.001)",
        "s",
        "from IPython.display import HTML, display\nimport base64\n"
        "display(HTML('<b>' + s + '</b>'), display_id='d')\n"
        "display({'application/json': {'k': [s]}, 'text/plain': base64.b64encode(s.encode()).decode()}, raw=True)",
        "display(HTML(s), display_id='d', update=True)",
        "import ipywidgets as w; w.Text(value=s)",
        "out = w.Output()\nwith out: print(s)\nprint('unfinished ' + s[:5], end='')",
        "raise ValueError('wrong password ' + s)",
        request={"env": {"S": secret}},
        mask=Mask([secret]),
        progress=seen,
        output=tmp_path / "out.ipynb",
        marks_error=False,
    )
    assert isinstance(outcome.error, NotebookFailed)
    everything = json.dumps([outcome.notebook, outcome.error.to_json(), seen.streams]) + outcome.text
    for form in (secret, base64.b64encode(secret.encode()).decode()):
        assert form not in everything
    assert text(outcome) == "before **** after\n"
    assert "".join(chunk for cell, _, chunk in seen.streams if cell == 1) == "before **** after\n"
    assert text(outcome, 5) == "unfinished hunte"
    assert "wrong password ****" in str(outcome.error)


def test_progress_is_told_in_order(run: Run):
    seen = _Seen()
    run("#md text", "# load\nx = 1", "print(x, flush=True)\n2 # papermill_description=Two", progress=seen)
    assert seen.cells == [("x = 1", 1, 2), ("done", 1, 2), ("Two", 2, 2), ("done", 2, 2)]
    assert seen.streams == [(2, "stdout", "1\n")]


def test_text_streams_while_the_cell_runs_and_is_saved_meanwhile(
    pool: KernelPool, make_notebook: Any, tmp_path: Path
):
    path, heard = tmp_path / "out.ipynb", threading.Event()

    class Listening(Progress):
        def streamed(self, cell: int, name: str, text: str) -> None:
            heard.set()

    token = CancelToken()
    runner = threading.Thread(
        target=run_cells,
        args=(make_notebook("import time; print('working', flush=True); time.sleep(60)"),),
        kwargs={
            "pool": pool,
            "request": KernelRequest(cwd=tmp_path),
            "output": path,
            "progress": Listening(),
            "cancel": token,
        },
    )
    runner.start()
    try:
        assert heard.wait(60)
        deadline = time.monotonic() + 30
        while not path.exists():
            assert time.monotonic() < deadline
            time.sleep(0.05)
        saved = load_notebook(path)
        assert saved["cells"][0]["outputs"][0]["text"] == "working\n"
        assert saved["cells"][0]["metadata"]["papermill"]["status"] == "running"
    finally:
        token.cancel()
        runner.join()


# --- the way out --------------------------------------------------------------------------------------------

ON_THE_WAY_OUT = """
import atexit, tempfile, threading, time, concurrent.futures, weakref
atexit.register(lambda: open('atexit', 'w').write('done'))
unflushed = open('unflushed', 'w'); unflushed.write('all of it')
def work(): time.sleep(0.3); open('thread', 'w').write('done')
threading.Thread(target=work).start()
executor = concurrent.futures.ThreadPoolExecutor(1)
executor.submit(lambda: (time.sleep(0.1), open('executor', 'w').write('done')))
scratch = tempfile.TemporaryDirectory(dir='.', prefix='scratch')
class Closing:
    def __del__(self): open('destructor', 'w').write('done')
closing = Closing()
"""


@pytest.mark.parametrize(
    ("isolation", "last"),
    [("warm", "1"), ("warm", "1/0"), ("cold", "1"), pytest.param("cold", "1/0", marks=pytest.mark.slow)],
)
def test_what_an_interpreter_does_on_its_way_out_is_done(run: Run, tmp_path: Path, isolation: str, last: str):
    started = time.monotonic()
    run(ON_THE_WAY_OUT, last, request={"isolation": isolation})
    assert time.monotonic() - started < 40
    found = {path.name: path.read_text() for path in tmp_path.iterdir() if path.is_file()}
    assert found == {
        "atexit": "done",
        "unflushed": "all of it",
        "thread": "done",
        "executor": "done",
        "destructor": "done",
    }
    assert not list(tmp_path.glob("scratch*"))


def test_an_atexit_callback_that_was_withdrawn_does_not_run(run: Run, tmp_path: Path):
    run("import atexit\ndef f(): open('ran', 'w')\natexit.register(f); atexit.unregister(f)")
    assert not (tmp_path / "ran").exists()


# --- where it runs ------------------------------------------------------------------------------------------


def test_directory_environment_and_imports_are_the_notebooks_own(run: Run, tmp_path: Path):
    (tmp_path / "features.py").write_text("NAME = 'mine'")
    (tmp_path / "pkg").mkdir()
    (tmp_path / "pkg" / "__init__.py").write_text("from . import inner")
    (tmp_path / "pkg" / "inner.py").write_text("VALUE = 5")
    outcome = run(
        "import os, sys, features, pkg\n"
        "(os.getcwd(), os.environ['COLOR'], features.NAME, pkg.inner.VALUE, __name__, sys.path[0] != '')",
        request={"env": {"COLOR": "blue"}},
    )
    assert value(outcome)[:5] == (str(tmp_path), "blue", "mine", 5, "__main__")
    assert os.getcwd() != str(tmp_path)


def test_the_next_notebook_sees_nothing_of_this_one(run: Run, tmp_path: Path):
    (tmp_path / "features.py").write_text("NAME = 'first'")
    assert value(run("import features; features.NAME", request={"env": {"ONLY": "here"}})) == "first"
    (tmp_path / "features.py").write_text("NAME = 'second, longer'")
    outcome = run("import features, os; (features.NAME, os.environ.get('ONLY'))")
    assert value(outcome) == ("second, longer", None)


def test_variables_that_were_removed_here_are_not_there(run: Run, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("FLEETING", "1")
    assert value(run("import os; os.environ.get('FLEETING')"))
    monkeypatch.delenv("FLEETING")
    assert value(run("import os; 'FLEETING' in os.environ")) is False


FACTS = """
import os, sys, threading
shell = get_ipython()
facts = {
    'argv': [part.rsplit('/', 1)[-1] for part in sys.argv[:2]],
    'path': sys.path,
    'main': sys.modules['__main__'].__dict__ is globals(),
    'pager': (os.environ.get('PAGER'), os.environ.get('GIT_PAGER'), os.environ.get('TERM')),
    'backend': os.environ.get('MPLBACKEND'),
    'home': os.environ.get('HOME'), 'virtual': os.environ.get('VIRTUAL_ENV'),
    'signal': __import__('signal').getsignal(2) is __import__('signal').default_int_handler,
    'threads': threading.active_count() > 0,
    'history': shell.history_manager.hist_file,
    'prefix': sys.prefix, 'executable': sys.executable, 'flags': tuple(sys.flags),
    'gc': __import__('gc').isenabled(), 'magics': sorted(shell.magics_manager.lsmagic()['line']),
    'names': sorted(n for n in globals() if not n.startswith('_') and n not in ('facts', 'shell')),
    'encoding': (sys.stdout.encoding, __import__('locale').getpreferredencoding(False)),
    'recursion': sys.getrecursionlimit(), 'umask': os.umask(0o22), 'hooks': [repr(type(h)) for h in sys.meta_path],
}
facts
"""


def test_a_cold_kernel_gives_the_same_results_as_a_warm_one(run: Run):
    cells = (FACTS, "!echo $COLOR; pwd", "%%bash\necho from bash", "_, __, In[1][:6], Out.keys()")
    warm, cold = (
        run(*cells, request={"isolation": kind, "env": {"COLOR": "blue"}}) for kind in ("warm", "cold")
    )
    assert warm.error is None
    assert cold.error is None
    assert value(warm) == value(cold)
    for cell in (1, 2, 3):
        assert outputs(warm, cell) == outputs(cold, cell)


def test_a_module_beside_the_notebook_beats_a_preloaded_one(run: Run, tmp_path: Path):
    (tmp_path / "cloudpickle.py").write_text("HERE = True")
    outcome = run(
        "import cloudpickle; getattr(cloudpickle, 'HERE', False)", request={"preload": ("cloudpickle",)}
    )
    assert value(outcome) is True
    (tmp_path / "cloudpickle.py").unlink()
    assert "3" in value(
        run("import cloudpickle; cloudpickle.__version__", request={"preload": ("cloudpickle",)})
    )


def test_siblings_draw_different_random_numbers(run: Run):
    draw = (
        "import random, numpy, uuid, tempfile\n"
        "(random.random(), numpy.random.random(), numpy.random.default_rng().random(), str(uuid.uuid1()),"
        " tempfile.mktemp())"
    )
    drawn = [value(run(draw, request={"preload": ("numpy",)})) for _ in range(3)]
    for column in zip(*drawn, strict=True):
        assert len(set(column)) == 3


def test_preloaded_modules_are_there_already_and_a_bare_kernel_has_none(run: Run):
    probe = "import sys; ('numpy' in sys.modules, 'matplotlib' in sys.modules)"
    preload = ("numpy", "matplotlib.pyplot")
    assert value(run(probe, request={"preload": preload})) == (True, True)
    for bare in ({"is_bare": True}, {"env": {"OMP_NUM_THREADS": "3"}}, {"env": {"MPLBACKEND": "agg"}}):
        assert value(run(probe, request={"preload": preload, **bare})) == (False, False)


def test_a_thread_setting_of_the_task_reaches_the_libraries(run: Run):
    outcome = run(
        "import numpy, threadpoolctl\n[pool['num_threads'] for pool in threadpoolctl.threadpool_info()]",
        request={"env": {"OPENBLAS_NUM_THREADS": "1"}, "preload": ("numpy",)},
    )
    assert set(value(outcome)) == {1}


def test_cpus_bound_threads_and_affinity(run: Run):
    outcome = run(
        "import os, numpy, threadpoolctl\n"
        "(len(os.sched_getaffinity(0)), {pool['num_threads'] for pool in threadpoolctl.threadpool_info()},"
        " os.environ['OMP_NUM_THREADS'])",
        request={"cpus": 1, "preload": ("numpy",)},
    )
    assert value(outcome) == (1, {1}, "1")


def test_a_cpu_request_is_whole_cpus():
    assert cpus_of(None) is None
    assert cpus_of(ResourceRequest.parse({"memory": "1Gi"})) is None
    assert cpus_of(ResourceRequest.parse({"cpu": "500m"})) == 1
    assert cpus_of(ResourceRequest.parse({"cpu": 1000})) == os.cpu_count()


def test_what_the_interpreter_reads_at_its_start_needs_a_cold_kernel(
    run: Run, caplog: pytest.LogCaptureFixture
):
    with caplog.at_level(logging.INFO, "jupyter_mlops.kernels"):
        outcome = run(
            "import sys, os; (sys.flags.hash_randomization, os.environ['PYTHONHASHSEED'])",
            request={"env": {"PYTHONHASHSEED": "0"}},
        )
    assert value(outcome) == (0, "0")
    assert "PYTHONHASHSEED" in caplog.text


def test_the_directory_of_this_process_is_never_changed(run: Run, tmp_path: Path):
    before = os.getcwd()
    places = [tmp_path / f"p{i}" for i in range(6)]
    for place in places:
        place.mkdir()
    found: dict[Path, str] = {}

    def one(place: Path) -> None:
        found[place] = value(run("import os; os.getcwd()", request={"cwd": place}))

    threads = [threading.Thread(target=one, args=(place,)) for place in places]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {place: str(place) for place in places}
    assert os.getcwd() == before


def test_a_directory_that_is_missing_is_told(run: Run, tmp_path: Path):
    outcome = run("1", request={"cwd": tmp_path / "nowhere"})
    assert "nowhere" in str(outcome.error)


def test_interrupting_this_process_saves_and_stops(tmp_path: Path):
    import subprocess

    script = tmp_path / "script.py"
    script.write_text(
        "import sys\nfrom pathlib import Path\n"
        "from jupyter_mlops.kernels import KernelPool, KernelRequest\n"
        "from jupyter_mlops.notebooks.execute import run_cells\n"
        "from jupyter_mlops.notebooks.files import load_notebook\n"
        "with KernelPool(size=0) as pool:\n"
        "    print(pool.directory, flush=True)\n"
        "    run_cells(load_notebook('in.ipynb'), pool=pool, request=KernelRequest(), output=Path('out.ipynb'))\n"
    )
    source = "open('started', 'w')\nprint('working', flush=True)\nimport time; time.sleep(60)"
    (tmp_path / "in.ipynb").write_text(
        json.dumps(
            {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [
                {"cell_type": "code", "id": "a", "metadata": {}, "source": source, "outputs": [],
                 "execution_count": None}]}
        )
    )  # fmt: skip
    process = subprocess.Popen(
        [sys.executable, str(script)], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 30
    while not (tmp_path / "started").exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert process.returncode != 0
    assert "KeyboardInterrupt" in err
    saved = load_notebook(tmp_path / "out.ipynb")
    assert saved["cells"][0]["outputs"][0]["text"] == "working\n"
    assert not Path(out.strip()).exists()
