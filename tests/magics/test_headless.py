"""The magics in notebooks that nobody looks at: under papermill, and as tasks of a pipeline on warm kernels."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest

import jupyter_mlops as mlops
from jupyter_mlops.notebooks.facts import inspect_notebook
from jupyter_mlops.notebooks.lint import lint

from .conftest import MODEL, Notebook

CELLS = [
    "%load_ext jupyter_mlops",
    MODEL,
    "%%featurize\ndef features(rows):\n    return rows[['a', 'b']]",
    "%%predict\ndef chance(model, columns):\n    return model.predict_proba(columns)[:, 1]",
    "%register_model demo model --example X.head(3) -m auc=0.9 --alias challenger",
    "%models",
    "rows = features(X).assign(k='a', event_timestamp=pd.Timestamp('2013-01-01', tz='UTC'))",
    "%%feature_view one -e thing=k\ndef one():\n    return rows",
    "%features",
    "count = len(features(X))\n%result count\n%artifact rows",
]


def write(path: Path) -> Path:
    cells = [nbformat.v4.new_code_cell(cell) for cell in CELLS]
    metadata = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=metadata), path)
    return path


@pytest.mark.slow
def test_papermill_runs_them(notebook: Notebook) -> None:
    import papermill

    done = papermill.execute_notebook(str(write(notebook.folder / "n.ipynb")), None, progress_bar=False)
    assert done.cells[-1].outputs
    (version,) = mlops.find_models("demo")
    assert (version.run_id, dict(version.metrics)) == ("", {"auc": 0.9})


def test_a_pipeline_runs_them_and_they_belong_to_it(notebook: Notebook) -> None:
    write(notebook.folder / "n.ipynb")
    (notebook.folder / "pipeline.yaml").write_text("name: p\ntasks:\n  train: {notebook: n.ipynb}\n")
    run = notebook.run("%run_pipeline")
    (version,) = mlops.find_models("demo")
    assert (version.run_id, version.task) == (run.run_id, "train")
    assert "no such" not in notebook.refused("%run_pipeline pipeline.yaml --force trian")
    assert "no parameter" in notebook.refused("%run_pipeline -p week 3")
    assert "no queue 'night'" in notebook.refused("%run_pipeline --queue night --priority -5 --preemptible")
    assert "no whole number" in notebook.refused("%run_pipeline --priority high")


def test_a_pipeline_is_exported(notebook: Notebook) -> None:
    write(notebook.folder / "n.ipynb")
    (notebook.folder / "pipeline.yaml").write_text("name: p\ntasks:\n  train: {notebook: n.ipynb}\n")
    told = notebook.run("%export_pipeline --to airflow -o dags --schedule '0 6 * * 1'")
    assert (told.target, [str(path) for path in told.files]) == ("Airflow 3", ["dags/dags/p.py"])
    assert "CronTriggerTimetable" in Path("dags/dags/p.py").read_text()
    assert "for which orchestrator" in notebook.refused("%export_pipeline")
    assert "--image" in notebook.refused("%export_pipeline --to argo")
    assert "did you mean 'argo'" in notebook.refused("%export_pipeline --to arog")
    notebook.run("%export_pipeline --to argo --image r/all:1 --image p=r/own:1")
    assert "image: r/own:1" in Path("argo/p.yaml").read_text()
    assert "cannot read none.json" in notebook.refused("%export_pipeline --to argo --built none.json")
    Path("dags/dags/p.py").write_text("mine")
    assert "is there and differs" in notebook.refused("%export_pipeline --to airflow -o dags")


def test_what_they_define_and_emit_is_known_before_a_run(notebook: Notebook) -> None:
    path = write(notebook.folder / "n.ipynb")
    assert lint(nbformat.read(path, 4), "n.ipynb") == []
    facts = inspect_notebook(path)
    assert (facts.results, facts.artifacts, facts.emits_unknown) == ({"count"}, {"rows"}, False)
    changed = CELLS[2].replace("'b'", "'B'")
    other = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(changed)])
    nbformat.write(other, notebook.folder / "m.ipynb")
    assert inspect_notebook(notebook.folder / "m.ipynb").code_digest != facts.code_digest


def test_a_name_that_is_undefined_in_the_body_is_found(notebook: Notebook) -> None:
    made = nbformat.v4.new_notebook(
        cells=[
            nbformat.v4.new_code_cell("%%featurize\ndef f(rows):\n    return rows + nobody"),
            nbformat.v4.new_code_cell("%%feature_view v -e a=k\nSELECT k, event_timestamp FROM 'x.parquet'"),
        ]
    )
    (problem,) = lint(made, "n.ipynb")
    assert problem.message == "undefined name 'nobody'"
    assert problem.where == "n.ipynb, cell 1, line 3"
