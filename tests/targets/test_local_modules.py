"""A version with other modules of its own, under the same names, takes the place of one that is served."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from jupyter_mlops.settings import Settings
from jupyter_mlops.targets import Wanted
from jupyter_mlops.targets.local import LocalTarget
from jupyter_mlops.workspace import Workspace

from .conftest import ask

REGISTER = """\
import sys, pandas as pd
from jupyter_mlops import Workspace

class Model:
    def predict(self, frame):
        return frame["a"].to_numpy()

def predict(model, frame):
    import looks  # by its name, when it is called
    return model.predict(frame) * looks.FACTOR

import looks
frame = pd.DataFrame({"a": [1.0, 9.0], "b": [2.0, 0.0]})
with Workspace.open(sys.argv[1]) as workspace:
    workspace.models.register("looking", Model(), predict=predict, input_example=frame, code={"cells": []})
"""


@pytest.fixture
def looking(tmp_path: Path) -> Iterator[tuple[LocalTarget, dict[int, str]]]:
    (tmp_path / "mlops.toml").touch()
    for version in (1, 2):
        code = tmp_path / f"code-{version}"
        code.mkdir()
        (code / "looks.py").write_text(f"FACTOR = {version}\n")
        (code / "register.py").write_text(REGISTER)
        subprocess.run([sys.executable, "register.py", str(tmp_path)], cwd=code, check=True, timeout=120)
    with Workspace(Settings.load(tmp_path, env={})) as workspace:
        folders = {v: str(workspace.models.export_mlflow(f"looking/{v}", tmp_path / f"v{v}")) for v in (1, 2)}
    target = LocalTarget(tmp_path)
    yield target, folders
    target.remove("looking", {})


@pytest.mark.slow
def test_it_gets_new_processes_and_nobody_is_turned_away(looking: tuple[LocalTarget, dict[int, str]]) -> None:
    target, folders = looking

    def apply(revision: int, version: int) -> str:
        wanted = Wanted(
            name="looking",
            model="looking",
            revision=revision,
            folders=folders,
            traffic={version: 1.0},
            replicas=(2, 2),
        )
        return target.apply(wanted, timeout_seconds=90).url

    url = apply(1, 1)
    assert ask(url) == ([1.0, 9.0], "looking/1")
    before = {one.name for one in target.status("looking", {}).replicas}
    stop, failed = threading.Event(), list[Exception]()

    def load() -> None:
        while not stop.wait(0.02):
            try:
                assert ask(url)[0] in ([1.0, 9.0], [2.0, 18.0])
            except (OSError, AssertionError) as error:
                failed.append(error)

    asking = threading.Thread(target=load)
    asking.start()
    assert apply(2, 2) == url
    assert {ask(url)[1] for _ in range(8)} == {"looking/2"}
    assert not before & {one.name for one in target.status("looking", {}).replicas if one.state == "running"}
    assert apply(3, 1) == url
    assert {ask(url)[1] for _ in range(8)} == {"looking/1"}
    stop.set()
    asking.join()
    assert failed == []
    assert [one.revision for one in target.status("looking", {}).replicas if one.state == "running"] == [3, 3]
