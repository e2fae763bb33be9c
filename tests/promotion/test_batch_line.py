"""What a batch image is told, and how its process ends: run here, as the image runs it, but for the container."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from jupyter_mlops.errors import InvalidInput, InvalidParameter, NotFound
from jupyter_mlops.notebooks.parameters import parse_parameters
from jupyter_mlops.promotion import batch_line, ship

PARAMETERS = parse_parameters(
    'week: int = 20  # the week, 100% of it\nout_dir: str = "x"\noutput: str = "y"\n'
)


def read(*words: str, **env: str) -> batch_line.Line:
    return batch_line.read(words, env, PARAMETERS, "pull.ipynb")


def test_flags_and_variables_mean_the_same_and_flags_win() -> None:
    assert read("--week", "3").arguments == {"week": "3"}
    assert read("--week=-3").arguments == {"week": "-3"}
    assert read(MLOPS_PARAM_WEEK="4").arguments == {"week": "4"}
    assert read("--week", "3", MLOPS_PARAM_WEEK="4").arguments == {"week": "3"}
    assert read("--out-dir", "a").arguments == read("--out_dir", "a").arguments == {"out_dir": "a"}


def test_our_own_flags_win_over_a_parameter_of_that_name() -> None:
    line = read("--output", "/out/", "-p", "output", "z", MLOPS_IMAGE_RESULTS="/out/r.json")
    assert (line.output, line.results, line.arguments) == ("/out/", "/out/r.json", {"output": "z"})


def test_a_slip_is_told_with_what_was_meant() -> None:
    with pytest.raises(InvalidParameter, match="no option --wek") as caught:
        read("--wek", "3")
    assert "--week" in caught.value.hint
    with pytest.raises(InvalidParameter, match="MLOPS_PARAM_WEK") as caught:
        read(MLOPS_PARAM_WEK="3")
    assert "MLOPS_PARAM_WEEK" in caught.value.hint
    with pytest.raises(InvalidInput, match="no number"):
        read("--timeout", "soon")
    with pytest.raises(InvalidParameter, match="expected"):
        read("--week")


def test_a_notebook_that_declares_nothing_takes_anything() -> None:
    line = batch_line.read(["-p", "a", "1"], {"MLOPS_PARAM_B": "2"}, (), "x.ipynb")
    assert line.arguments == {"a": "1", "b": "2"}


def test_help_tells_the_parameters(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        read("--help")
    assert caught.value.code == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "--week INT the week, 100% of it (int, default 20) [MLOPS_PARAM_WEEK]" in told


def test_which_notebook_is_meant() -> None:
    two = {"pull": "a/pull.ipynb", "train": "b/train.ipynb"}
    assert batch_line.choose(["--week", "3"], {}, {"pull": "pull.ipynb"}) == "pull"
    assert batch_line.choose(["--notebook", "train"], {}, two) == "train"
    assert batch_line.choose([], {"MLOPS_IMAGE_NOTEBOOK": "train"}, two) == "train"
    with pytest.raises(InvalidInput, match="several"):
        batch_line.choose([], {}, two)
    with pytest.raises(NotFound, match="trian") as caught:
        batch_line.choose(["--notebook", "trian"], {}, two)
    assert "train" in caught.value.hint


# --- the process --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An image's ``/opt/app``."""
    app = tmp_path_factory.mktemp("batch-app")
    sources = [
        'week: int = 20  # the week\nmode: str = ""',
        "import time\nimport jupyter_mlops as mlops\nfrom look import twice",
        'open("written.txt", "w").write("x")\nprint("week", week, open("../data/d.txt").read(), end="")',
        'if mode == "fail":\n    raise ValueError("no <good>")\nif mode == "die":\n    import os; os._exit(3)',
        'if mode == "sleep":\n    print("\\nsleeping")\n    time.sleep(60)',
        'mlops.result("double", twice(week))\nmlops.artifact("kept", {"week": week})',
    ]
    cells = [
        {"cell_type": "code", "id": f"c{place}", "outputs": [], "execution_count": None, "source": source,
         "metadata": {"tags": ["parameters"]} if not place else {}}
        for place, source in enumerate(sources)
    ]  # fmt: skip
    spec = {"name": "python3", "display_name": "Python", "language": "python"}
    nb = {"cells": cells, "metadata": {"kernelspec": spec}, "nbformat": 4, "nbformat_minor": 5}
    for name in ("nb", "data"):
        (app / "work" / name).mkdir(parents=True)
    (app / "work" / "nb" / "pull.ipynb").write_text(json.dumps(nb))
    (app / "work" / "nb" / "look.py").write_text("def twice(x):\n    return 2 * x\n")
    (app / "work" / "data" / "d.txt").write_text("of data")
    job = {"name": "pull", "notebooks": {"pull": "nb/pull.ipynb"}, "import_paths": ["nb"]}
    (app / "job.json").write_text(json.dumps(job))
    for path, content in ship.closure(ship.BATCH, names=["result", "artifact"]).files.items():
        (app / "lib" / path).parent.mkdir(parents=True, exist_ok=True)
        (app / "lib" / path).write_bytes(content)
    return app


def start(app: Path, *words: str, **env: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-P", "-m", ship.BATCH, *words],
        env={**os.environ, "PYTHONPATH": str(app / "lib"), "MLOPS_JOB": str(app / "job.json"), **env},
        cwd=app / "work", stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def ended(process: subprocess.Popen[str]) -> tuple[int, dict[str, Any], str]:
    out, err = process.communicate(timeout=60)
    return process.returncode, json.loads(out.splitlines()[-1]), err


def test_it_runs_and_tells_what_came_of_it(app: Path, tmp_path: Path) -> None:
    process = start(app, "--week", "3", "--output", f"{tmp_path}/", "--results", str(tmp_path / "r.json"))
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert out.splitlines()[0] == "week 3 of data"
    told = json.loads(out.splitlines()[-1])
    assert told["state"] == "succeeded"
    assert told["results"] == {"double": 6}
    assert json.loads((tmp_path / "r.json").read_text()) == told
    assert '"week 3 of data"' in (tmp_path / "pull.ipynb").read_text()
    digest = told["artifacts"]["kept"]["digest"]
    assert [path for path in (tmp_path / "blobs").rglob(f"*{digest[4:]}*") if path.is_file()]
    assert not (app / "work" / "nb" / "written.txt").exists(), "it writes into a copy"


@pytest.mark.parametrize(
    ("words", "env", "code", "said"),
    [
        (["--mode", "fail"], {}, 1, "ValueError: no <good>"),
        (["--mode", "die"], {}, 138, "kernel"),
        (["--week", "soon"], {}, 64, "must be int"),
        (["--output", "/no/such/folder/x.ipynb"], {}, 64, "/no/such/folder"),
        ([], {"MLOPS_PARAM_WEK": "3"}, 64, "MLOPS_PARAM_WEEK"),
        (["--notebook", "train"], {}, 64, "no notebook 'train'"),
    ],
)
def test_exit_codes(app: Path, words: list[str], env: dict[str, str], code: int, said: str) -> None:
    returned, told, err = ended(start(app, *words, **env))
    assert returned == code, err
    assert told["state"] == "failed"
    assert said in err
    if code == 64:
        assert "Traceback" not in err


def test_sigterm_saves_the_notebook(app: Path, tmp_path: Path) -> None:
    process = start(app, "--mode", "sleep", "--output", str(tmp_path / "stopped.ipynb"))
    assert process.stdout is not None
    for line in process.stdout:
        if line.strip() == "sleeping":
            break
    started = time.monotonic()
    process.send_signal(signal.SIGTERM)
    code, told, _ = ended(process)
    assert (code, told["state"]) == (143, "cancelled")
    assert time.monotonic() - started < 20
    saved = json.loads((tmp_path / "stopped.ipynb").read_text())
    assert any(
        output.get("ename") == "KeyboardInterrupt" for cell in saved["cells"] for output in cell["outputs"]
    )
