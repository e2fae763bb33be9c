"""A workspace with versions of a model, and a target that keeps what it is told in memory and fails when asked to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from jupyter_mlops.deployments import Deployments, planning
from jupyter_mlops.errors import DeploymentFailed, InvalidInput, Unavailable
from jupyter_mlops.settings import Settings
from jupyter_mlops.targets import Request, Status, Wanted
from jupyter_mlops.workspace import Workspace


class Shelf:
    """A target after the protocol: versions in `damaged` do not come up; `dies` is raised before the deed."""

    name = "shelf"

    def __init__(self, *, needs_image: bool = False) -> None:
        self.needs_image = needs_image
        self.standing: dict[str, Wanted] = {}
        self.applied: list[Wanted] = []
        self.damaged: set[int] = set()
        self.dies: BaseException | None = None
        self.is_away = False

    def check(self, wanted: Wanted) -> None:
        if "wrong" in wanted.options:
            raise InvalidInput("the shelf has no option 'wrong'")

    def requests(self, wanted: Wanted) -> Sequence[Request]:
        return [Request(call="shelf.put", body={"name": wanted.name, "traffic": dict(wanted.traffic)})]

    def apply(self, wanted: Wanted, *, timeout_seconds: float = 600) -> Status:
        self.applied.append(wanted)
        if self.dies is not None:
            raise self.dies
        if self.damaged & wanted.traffic.keys():
            raise DeploymentFailed(f"revision {wanted.revision} does not come up")
        self.standing[wanted.name] = wanted
        return self.status(wanted.name, {})

    def status(self, name: str, options: Mapping[str, Any]) -> Status:
        self._ask()
        wanted = self.standing.get(name)
        if wanted is None:
            return Status(state="removed")
        return Status(state="running", url=f"http://shelf/{name}", revision=wanted.revision)

    def remove(self, name: str, options: Mapping[str, Any]) -> None:
        self._ask()
        self.standing.pop(name, None)

    def _ask(self) -> None:
        if self.is_away:
            raise Unavailable("the shelf is away", hint="wait for it")


@pytest.fixture(scope="session")
def stocked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a workspace with three versions of `late` and one of `early`; to be copied."""
    import pandas as pd
    from sklearn.linear_model import LogisticRegression

    root = tmp_path_factory.mktemp("stocked-deployments")
    frame = pd.DataFrame({"a": [float(i) for i in range(10)], "b": [float(i % 3) for i in range(10)]})
    model = LogisticRegression().fit(frame, (frame["a"] > 4).astype(int))
    with Workspace(Settings.load(root, env={})) as workspace:
        for name in ("late", "late", "late", "early"):
            workspace.models.register(name, model, input_example=frame.head(3), check="none")
        workspace.models.set_alias("late", "champion", 1)
    return root


@pytest.fixture
def workspace(stocked: Path, tmp_path: Path) -> Iterator[Workspace]:
    import shutil

    shutil.copytree(stocked, tmp_path / "workspace")
    with Workspace(Settings.load(tmp_path / "workspace", env={})) as opened:
        yield opened


@pytest.fixture
def shelf(monkeypatch: pytest.MonkeyPatch) -> Shelf:
    """Whatever target is named, it is this one."""
    made = Shelf()
    monkeypatch.setattr(planning, "make_target", lambda name, root: made)
    return made


@pytest.fixture
def deployments(workspace: Workspace, shelf: Shelf) -> Deployments:
    return workspace.deployments
