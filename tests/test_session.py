"""The workspace in which a notebook stands, and what is registered in a run."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest

import jupyter_mlops as mlops
from jupyter_mlops.catalog import FeatureDefinition
from jupyter_mlops.errors import CatalogUnavailable, InvalidInput, NotFound, RunFailed, StorageUnavailable
from jupyter_mlops.session.featuring import aggregation
from jupyter_mlops.session.place import close_workspace

MLOPS_TOML = "zygote_linger_seconds = 60\nworkers = 2\n"
REGISTERS = """
import numpy as np, pandas as pd
from sklearn.linear_model import LogisticRegression
import jupyter_mlops as mlops

X = pd.DataFrame({"a": np.arange(30.0)})
model = LogisticRegression().fit(X, X["a"] > 10)
version = mlops.register_model("demo", model, input_example=X.head(3), check="none")
mlops.result("model", version.reference)


@mlops.feature_view(entities="thing=k")
def view():
    return X.assign(k=name, event_timestamp=pd.Timestamp("2013-01-01", tz="UTC"))
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, warm_zygotes: None) -> Iterator[Path]:
    for name in [name for name in os.environ if name.startswith("MLOPS_")]:
        monkeypatch.delenv(name)
    (tmp_path / "mlops.toml").write_text(MLOPS_TOML)
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    close_workspace()


def write(path: Path, *cells: str, parameters: str = "") -> None:
    made = [nbformat.v4.new_code_cell(parameters, metadata={"tags": ["parameters"]})] if parameters else []
    made += [nbformat.v4.new_code_cell(cell) for cell in cells]
    nbformat.write(nbformat.v4.new_notebook(cells=made), path)


def test_the_workspace_is_opened_once(folder: Path) -> None:
    first = mlops.get_workspace()
    assert first is mlops.get_workspace()
    assert first.root == folder


def test_another_folder_or_other_settings_open_another(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = mlops.get_workspace()
    monkeypatch.setenv("MLOPS_CATALOG", f"sqlite:///{folder}/other.db")
    second = mlops.get_workspace()
    assert second.catalog.url.endswith("other.db")
    (folder / "sub").mkdir()
    (folder / "sub" / "mlops.toml").touch()
    monkeypatch.chdir(folder / "sub")
    assert mlops.get_workspace().root == folder / "sub"
    assert first is not second


def test_a_fork_opens_its_own(folder: Path) -> None:
    program = (
        "import os\nimport jupyter_mlops as mlops\nmine = mlops.get_workspace()\nmine.catalog\n"
        "child = os.fork()\n"
        "if child == 0:\n"
        "    theirs = mlops.get_workspace()\n"
        "    os._exit(0 if theirs is not mine and theirs.models.find() == [] else 1)\n"
        "print(os.waitpid(child, 0)[1], mine.models.find(), mlops.get_workspace() is mine)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "0 [] True\n"


def test_asking_how_things_stand_makes_nothing(folder: Path) -> None:
    status = mlops.status()
    assert (status.root, status.models, list(status.runs)) == (folder, 0, [])
    assert "none yet" in repr(status)
    assert not (folder / ".mlops").exists()


def test_what_is_registered_in_a_run_belongs_to_it(folder: Path) -> None:
    write(folder / "train.ipynb", REGISTERS, parameters="name: str = 'x'")
    (folder / "pipeline.yaml").write_text(
        "name: p\ntasks:\n"
        "  one: {notebook: train.ipynb, parameters: {name: one}}\n"
        "  two: {notebook: train.ipynb, parameters: {name: two}}\n"
    )
    run = mlops.run_pipeline()
    assert run.state == "succeeded"
    versions = mlops.find_models("demo")
    assert {(one.run_id, one.task) for one in versions} == {(run.run_id, "one"), (run.run_id, "two")}
    assert sorted(one.version for one in versions) == [1, 2]  # at the same time, and none is lost
    code = mlops.get_workspace().models.manifest("demo/1").code
    assert code["notebook"] == "train.ipynb"
    assert code["notebook_digest"]
    kept = mlops.get_workspace().catalog.find(FeatureDefinition, where={"kind": "view"})
    assert {one.run_id for one in kept} == {run.run_id}
    assert len(kept) == 2  # two names, two versions
    status = mlops.status()
    assert (status.models, status.model_versions, status.feature_views) == (1, 2, 1)
    assert [one.run_id for one in status.runs] == [run.run_id]
    assert run.run_id in status._repr_html_()
    assert mlops.run_pipeline(folder).state == "succeeded"
    assert len(mlops.find_models("demo")) == 2  # all cached


def test_a_pipeline_elsewhere_runs_in_its_own_workspace(folder: Path) -> None:
    other = folder / "other"
    other.mkdir()
    (other / "mlops.toml").write_text(MLOPS_TOML)
    write(other / "say.ipynb", "import jupyter_mlops as mlops", "mlops.result('x', 1)")
    (other / "pipeline.yaml").write_text("name: p\ntasks:\n  say: {notebook: say.ipynb}\n")
    run = mlops.run_pipeline("other")
    assert not list(mlops.status().runs)
    with mlops.Workspace.open(other) as workspace:
        assert workspace.runs.resolve_run("latest").run_id == run.run_id


def test_a_run_that_fails_raises_with_its_tasks(folder: Path) -> None:
    write(folder / "bad.ipynb", "raise ValueError('not today')")
    (folder / "pipeline.yaml").write_text("name: p\ntasks:\n  bad: {notebook: bad.ipynb}\n")
    with pytest.raises(RunFailed, match=r"run \S+ failed: bad: .*not today"):
        mlops.run_pipeline()


def test_a_pipeline_that_is_not_there_is_named_with_the_nearest(folder: Path) -> None:
    (folder / "pipeline.yaml").touch()
    with pytest.raises(NotFound) as raised:
        mlops.run_pipeline("pipelin.yaml")
    assert raised.value.hint == "did you mean 'pipeline.yaml'?"


def test_a_worker_that_cannot_reach_the_catalog_says_so(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLOPS_RUN_ID", "r1")
    monkeypatch.setenv("MLOPS_TASK", "train")
    for root in (folder / "nowhere", folder):  # no such folder; a folder, but no catalog in it
        monkeypatch.setenv("MLOPS_ROOT", str(root))
        with pytest.raises(
            CatalogUnavailable, match="task train of run r1 cannot reach the catalog"
        ) as raised:
            mlops.register_model("demo", object())
        assert "MLOPS_CATALOG" in raised.value.hint
    assert not (folder / ".mlops").exists()


def test_a_worker_with_a_server_keeps_models_but_no_features_in_local_files(
    folder: Path, monkeypatch: pytest.MonkeyPatch, postgresql: Any
) -> None:
    monkeypatch.setenv("MLOPS_RUN_ID", "r1")
    monkeypatch.setenv("MLOPS_TASK", "train")
    monkeypatch.setenv("MLOPS_ROOT", str(folder / "nowhere"))
    monkeypatch.setenv("MLOPS_CATALOG", postgresql.fresh())
    assert list(mlops.find_models()) == []
    with pytest.raises(StorageUnavailable, match="offline_store and online_store are local files"):
        mlops.find_features()
    monkeypatch.setenv("MLOPS_OFFLINE_STORE", "memory://features")
    monkeypatch.setenv("MLOPS_ONLINE_STORE", "redis://localhost:1/0")
    assert list(mlops.find_features()) == []


def test_marks_take_functions_only() -> None:
    with pytest.raises(InvalidInput, match="featurize marks a function"):
        mlops.featurize(3)  # type: ignore[type-var]
    with pytest.raises(InvalidInput, match="needs to know what its features describe"):
        mlops.feature_view(lambda: 1, entities="x")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "name"),
    [("count 1d", "count_1d"), ("avg delay 3h", "delay_avg_3h"), ("sum late 90m as many", "many")],
)
def test_an_aggregation_may_be_a_text(text: str, name: str) -> None:
    assert aggregation(text).name == name
