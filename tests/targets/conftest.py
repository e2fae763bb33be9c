"""Deployments on this machine for the tests of the local target: a small model in three versions."""

from __future__ import annotations

import json
import os
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from jupyter_mlops.settings import Settings
from jupyter_mlops.targets import Status, Wanted
from jupyter_mlops.targets.local import LocalTarget, places, processes
from jupyter_mlops.workspace import Workspace

ROWS = {"dataframe_records": [{"a": 1.0, "b": 2.0}, {"a": 9.0, "b": 0.0}]}


def ask(url: str, body: Any = ROWS, **headers: str) -> tuple[Any, str]:
    """The predictions of an endpoint, and which version made them."""
    data = json.dumps(body).encode()
    request = urllib.request.Request(
        f"{url}/invocations", data, {"content-type": "application/json", **headers}
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)["predictions"], answer.headers["x-mlops-model"]


@dataclass
class Machine:
    """A target with folders of versions 1, 2 (which answer differently) and 3 (which is damaged)."""

    target: LocalTarget
    folders: dict[int, str]
    revisions: dict[str, int] = field(default_factory=dict)

    def wanted(self, name: str, *versions: int, **more: Any) -> Wanted:
        revision = self.revisions[name] = self.revisions.get(name, 0) + 1
        share = 1 / len(versions)
        given: dict[str, Any] = {"traffic": dict.fromkeys(versions, share), **more}
        return Wanted(name=name, model="late", revision=revision, folders=self.folders, **given)

    def apply(self, name: str, *versions: int, seconds: float = 60, **more: Any) -> Status:
        return self.target.apply(self.wanted(name, *versions, **more), timeout_seconds=seconds)

    def places(self, name: str) -> places.Places:
        return places.Places.of(self.target.root, name)

    def marks(self, name: str) -> dict[str, str]:
        """Who runs: supervisor, front, replica-1, … → mark."""
        found = places.read(self.places(name).processes)
        replicas = {one["name"]: one["mark"] for one in found.get("replicas", ())}
        return {"supervisor": found.get("supervisor", ""), "front": found.get("front", ""), **replicas}

    def kill(self, name: str, process: str) -> str:
        """SIGKILL; the mark of what was killed."""
        marked = self.marks(name).get(process, "")
        processes.send(marked, processes.signal.SIGKILL)
        return marked


@pytest.fixture(scope="session")
def local_machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    import pandas as pd
    from sklearn.linear_model import LogisticRegression

    root = tmp_path_factory.mktemp("local-machine")
    frame = pd.DataFrame({"a": [float(i) for i in range(20)], "b": [float(i % 3) for i in range(20)]})
    folders = {}
    with Workspace(Settings.load(root, env={})) as workspace:
        for version in (1, 2, 3):
            late = (frame["a"] > 8) if version == 1 else (frame["a"] < 8)
            model = LogisticRegression().fit(frame, late.astype(int))
            workspace.models.register("late", model, input_example=frame.head(3), check="none")
            folders[version] = str(
                workspace.models.export_mlflow(f"late/{version}", root / f"late-{version}")
            )
    damaged = max(
        (path for path in Path(folders[3], "artifacts").rglob("*") if path.is_file()), key=os.path.getsize
    )
    data = damaged.read_bytes()
    damaged.unlink()  # it may be a link to the blob
    damaged.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    machine = Machine(LocalTarget(root), folders)
    yield machine
    for folder in (root / ".mlops" / "deployments").glob("*"):
        machine.target.remove(folder.name, {})
