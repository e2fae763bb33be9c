"""The project that a page takes for granted: one that has been run, with versions of models and images of them."""

from __future__ import annotations

import itertools
import json
import re
import shutil
from pathlib import Path

import nbformat
import pytest
from click.testing import CliRunner

from jupyter_mlops.catalog import Image, Run
from jupyter_mlops.cli import cli
from jupyter_mlops.events import now
from jupyter_mlops.settings import Settings
from jupyter_mlops.workspace import Workspace

from . import console
from .conftest import ROOT
from .test_howto import first

_PIPELINE = """\
name: train
parameters:
  week: {type: int, default: 20}
tasks:
  pull:
    notebook: pull.ipynb
    parameters: {week: "${params.week}"}
  train:
    notebook: train.ipynb
    matrix: {model: [a, b]}
    parameters: {model: "${matrix.model}", rows: "${tasks.pull.artifacts.rows}"}
schedules:
  nightly: {cron: "0 2 * * *", timezone: Europe/Zurich}
"""
_DIGESTS = itertools.count(1)
REGISTRIES = {
    "kubernetes": "registry.example.com/team",
    "sagemaker": "123456789012.dkr.ecr.eu-central-1.amazonaws.com",
    "vertex": "europe-west4-docker.pkg.dev/my-project/models",
    "azureml": "ourregistry.azurecr.io",
}


def enter(*words: str) -> tuple[int, str]:
    """A command line in this process: its exit code, and what it said."""
    done = CliRunner().invoke(cli, list(words))
    return done.exit_code, done.output


def write(path: str, *cells: str, tags: tuple[str, ...] = ("parameters",)) -> None:
    """A notebook of code cells, whose first ones have a tag each."""
    made = [nbformat.v4.new_code_cell(cell) for cell in cells]
    for cell, tag in zip(made, tags, strict=False):
        cell.metadata["tags"] = [tag]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    nbformat.write(nbformat.v4.new_notebook(cells=made, metadata=kernel), path)


def push(place: str, source: str, kind: str = "serving") -> None:
    """What `dockerize --push` leaves in the catalog."""
    with Workspace(Settings.load(Path.cwd())) as workspace:
        digest = f"sha256:{next(_DIGESTS):064x}"
        workspace.catalog.add(
            Image(digest=digest, name=place, kind=kind, source=source, is_pushed=True, created_at=now())
        )


def make() -> None:
    """Here, and run it once."""
    Path("mlops.toml").write_text("")
    Path("pipeline.yaml").write_text(_PIPELINE)
    imports = "import pandas as pd\nimport jupyter_mlops as mlops"
    write(
        "pull.ipynb", "week: int = 20", f"{imports}\nmlops.artifact('rows', pd.DataFrame({{'week': [week]}}))"
    )
    write("train.ipynb", "model: str = 'a'\nrows: str = ''", "#| export\ndef double(x):\n    return 2 * x")
    write("report.ipynb", "week: int = 20", "print('week', week)")
    code, said = enter("run")
    assert code == 0, said
    register({"flights-delay": 4, "delay": 4, "late": 3})
    for source in ("report.ipynb", "pull.ipynb", "pipeline.yaml"):
        push("registry.example.com/team/project", source, "batch")


def register(versions: dict[str, int]) -> None:
    """So many versions of each model, as a task of the run would have made them; the second is the champion."""
    import pandas as pd
    from sklearn.compose import make_column_transformer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder

    frame = pd.DataFrame({"hour": [1, 9, 17, 21], "origin": ["JFK", "EWR", "JFK", "LGA"]})
    columns = make_column_transformer((OneHotEncoder(), ["origin"]), remainder="passthrough")
    model = make_pipeline(columns, LogisticRegression()).fit(frame, [0, 0, 1, 1])
    with Workspace(Settings.load(Path.cwd())) as workspace:
        (run,) = workspace.catalog.find(Run)
        task = {"run_id": run.run_id, "task": "train[model=a]"}
        for name in [name for name, count in versions.items() for _ in range(count)]:
            workspace.models.register(name, model, input_example=frame, check="none", run=task)
        for name in versions:
            workspace.models.set_alias(name, "champion", 2)


def begin(page: str, made: Path, folder: Path, patch: pytest.MonkeyPatch) -> None:
    """Go where the page's reader is, with what the page takes for granted."""
    if page in console.EMPTY | console.BEGUN:
        folder.mkdir()
    else:
        shutil.copytree(made, folder, symlinks=True)
    patch.chdir(folder)
    if page in console.BEGUN:
        assert enter("init", ".")[0] == 0
    if page == "notebooks/README.md":
        kept = shutil.ignore_patterns(".mlops", "__pycache__", "*.duckdb*")
        shutil.copytree(ROOT / "notebooks" / "flights", "notebooks/flights", ignore=kept)
    if page == "docs/export.md":
        assert enter("task", "pipeline.yaml", "pull", "--run-id", console.PUT_IN["RUN"])[0] == 0
    if page == "docs/howto/secrets.md":
        write("pull.ipynb", first(ROOT / page, "python"))
        for name in ("WAREHOUSE_PASSWORD", "WAREHOUSE_TOKEN"):
            patch.setenv(name, "a-long-secret")
    quotas = re.search(
        r"```toml\n(# quotas.toml\n.*?)```", (ROOT / page).read_text(encoding="utf-8"), re.DOTALL
    )
    Path("quotas.toml").write_text(quotas[1] if quotas else first(ROOT / "docs" / "queue.md", "toml"))


def foreign(commands: set[str]) -> None:
    """Pipelines of other tools that are imported, each of one notebook."""
    if "import train.pipeline" in commands:
        Path("pipeline.yaml").unlink()
        asked = {"label": "report", "component_parameters": {"filename": "report.ipynb"}}
        node = {"id": "a", "type": "execution_node", "op": "execute-notebook-node", "app_data": asked}
        main = {"id": "main", "nodes": [node], "app_data": {"version": 8, "properties": {}}}
        body = {"doc_type": "pipeline", "version": "3.0", "primary_pipeline": "main", "pipelines": [main]}
        Path("train.pipeline").write_text(json.dumps(body))
    if "import pipeline.yaml" in commands:
        write("load.ipynb", "upstream = None\nproduct = None", "open(product['data'], 'w').close()")
        product = "{nb: out/load.ipynb, data: out/rows.csv}"
        Path("pipeline.yaml").write_text(f"tasks:\n- {{source: load.ipynb, product: {product}}}\n")
    if "import titanic.ipynb -o titanic" in commands:
        write("titanic.ipynb", "rows = 1", "print(rows)", tags=("pipeline-parameters", "step:load"))
    if "import definitions.json" in commands:
        Path("pipeline.yaml").unlink()
        job = {
            "name": "weekly", "input_filename": "report.ipynb", "runtime_environment_name": "base", "tags": [],
            "output_formats": ["ipynb"], "parameters": {"week": "3"}, "schedule": "0 6 * * 1",
            "timezone": "Europe/Zurich", "active": True,
        }  # fmt: skip
        Path("definitions.json").write_text(json.dumps({"job_definitions": [job], "total_count": 1}))
