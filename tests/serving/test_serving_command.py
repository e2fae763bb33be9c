"""``jupyter mlops serve``: what an alias names is served, and follows it."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from jupyter_mlops.cli import cli
from jupyter_mlops.workspace import Workspace

from .conftest import FLIGHTS, ROW, Served, late


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "mlops.toml").write_text("")
    with Workspace.open(tmp_path) as opened:
        for scale in (1.0, 2.0):
            model, predict = late(scale)
            opened.models.register("late", model, predict=predict, input_example=FLIGHTS, code={"cells": []})
        opened.models.set_alias("late", "champion", 1)
    return tmp_path


def begin(project: Path, *arguments: str) -> Served:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = project / "serve.log"
    with log.open("wb") as file:
        process = subprocess.Popen(
            [
                sys.executable,
                "-c",
                "from jupyter_mlops.cli import main; main()",
                "serve",
                *arguments,
                "--port",
                str(port),
                "-w",
                str(project),
            ],
            stderr=file,
        )
    served = Served(process, port, log)
    served.until(lambda: served.ask("/ping").status == 200, 60)
    return served


def test_an_alias_is_followed_and_nothing_is_left(project: Path) -> None:
    served = begin(project, "models:/late@champion", "--journal", str(project / "log"))
    try:
        assert served.predict([ROW]) == [10.0]
        with Workspace.open(project) as opened:
            opened.models.set_alias("late", "champion", 2)
            served.until(lambda: served.predict([ROW]) == [19.0])
            opened.models.set_alias("late", "champion", 1)
            served.until(lambda: served.predict([ROW]) == [10.0])
        assert served.state()["revision"] == 3
        assert served.stop(signal.SIGINT) == 0
    finally:
        served.process.kill()
        served.process.wait()
    assert "models:/late@champion is late/2" in served.log.read_text()
    assert list((project / ".mlops" / "serving").iterdir()) == []
    assert list((project / "log").iterdir())


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("models:/lat@champion", "no model is called 'lat'"),
        ("models:/late@champoin", "has no alias 'champoin'"),
        ("models:/late/7", "has no version 7"),
    ],
)
def test_a_wrong_reference_is_told_at_once(project: Path, reference: str, message: str) -> None:
    result: Any = CliRunner().invoke(cli, ["serve", reference, "-w", str(project)])
    assert result.exit_code == 2
    assert message in result.output


@pytest.mark.slow
def test_a_version_with_other_modules_of_its_own_gets_a_new_process(project: Path) -> None:
    """Both versions import a module ``scaling`` of theirs, and it is not the same."""
    register = """
import sys
import threading
from pathlib import Path
import pandas as pd
from jupyter_mlops.workspace import Workspace
folder = Path(sys.argv[1])
sys.path.insert(0, str(folder / "lib"))
import scaling

class Model:
    def predict(self, frame):
        return frame["distance"].to_numpy()

def predict(model, frame):
    import scaling
    return model.predict(frame) * scaling.FACTOR

with Workspace.open(folder) as opened:
    opened.models.register("scaled", Model(), predict=predict, input_example=pd.DataFrame({"distance": [1.0, 2.0]}),
                           aliases=["live"], code={"cells": []})
"""
    script, module = project / "register.py", project / "lib" / "scaling.py"
    module.parent.mkdir()

    def make(factor: int) -> None:
        module.write_text(f"FACTOR = {factor}\n")
        subprocess.run([sys.executable, str(script), str(project)], check=True, cwd=project)

    script.write_text(register)
    make(2)
    served = begin(project, "models:/scaled@live")
    stop, wrong = threading.Event(), list[str]()

    def ask() -> None:
        while not stop.is_set():
            try:
                reply = served.ask("/invocations", {"instances": [{"distance": 3.0}]})
                if reply.status != 200:
                    wrong.append(str(reply))
            except OSError as error:
                wrong.append(repr(error))

    threads = [threading.Thread(target=ask) for _ in range(3)]
    try:
        assert served.predict([{"distance": 3.0}]) == [6.0]
        for thread in threads:
            thread.start()
        make(5)
        served.until(lambda: served.predict([{"distance": 3.0}]) == [15.0], 60)
        stop.set()
        for thread in threads:
            thread.join()
        assert wrong == []
        assert served.stop() == 0
    finally:
        stop.set()
        served.process.kill()
        served.process.wait()
    assert "it gets a new process" in served.log.read_text()
