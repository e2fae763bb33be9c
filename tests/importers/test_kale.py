"""A notebook with Kale's tags becomes a notebook a step; variables go from one to the next."""

from __future__ import annotations

import pytest

from jupyter_mlops.errors import InvalidInput
from jupyter_mlops.importers import read

CELLS = [
    ("!pip list", "skip"),
    ("import math", "imports"),
    ("def double(x):\n    return x * factor", "functions"),
    ("factor = 2\nstart = 3", "pipeline-parameters"),
    ("numbers = [start, start + 1]", "step:load", "limit:nvidia.com/gpu:1", "image:python:3"),
    ("total = 0\nfor number in numbers:\n    total += number",),
    ("left = double(total)", "step:left", "prev:load"),
    ("right = math.sqrt(numbers[-1])", "step:right", "prev:load"),
    ("answer = left + right\nnumbers = [answer]", "step:join", "prev:left", "prev:right"),
    ("open('answer', 'w').write(str(answer))",),
    ("print(total)", "pipeline-metrics"),
]  # fmt: skip


@pytest.fixture
def notebook(tmp_path, write_notebook):
    metadata = {
        "kubeflow_notebook": {"pipeline_name": "sums", "pipeline_description": "Adds", "experiment_name": "e"}
    }
    return write_notebook(tmp_path / "all.ipynb", *CELLS, metadata=metadata)


def test_steps_names_and_what_passes(notebook):
    imported = read(notebook)
    pipeline = imported.pipeline
    tasks = {task.name: task for task in pipeline.tasks}
    assert (pipeline.name, pipeline.description) == ("sums", "Adds")
    assert {name: task.needs for name, task in tasks.items()} == {
        "load": (), "left": ("load",), "right": ("load",), "join": ("left", "right"),
    }  # fmt: skip
    assert tasks["left"].parameters == {
        "factor": "${params.factor}",
        "total": "${tasks.load.artifacts.total}",
    }
    assert tasks["right"].parameters["numbers"] == "${tasks.load.artifacts.numbers}"
    assert set(tasks["join"].parameters) == {"factor", "left", "right"}
    assert tasks["load"].resources.gpu == 1
    assert pipeline.parameters["start"].default == 3
    told = "\n".join(imported.lost)
    assert all(what in told for what in ("image:python:3", "pipeline-metrics", "experiment_name"))


def test_it_runs(notebook, say, tmp_path):
    out = tmp_path / "out"
    assert say("import", notebook, "-o", out).code == 0
    (out / "mlops.toml").touch()
    text = (out / "pipeline.yaml").read_text().replace("    resources:\n      gpu: 1\n", "")
    (out / "pipeline.yaml").write_text(text)
    said = say("run", out, "-p", "start", 8)
    assert said.code == 0, said
    assert (out / "answer").read_text() == "37.0"


def test_without_steps_there_is_nothing_to_split(tmp_path, write_notebook):
    with pytest.raises(InvalidInput, match="no step"):
        read(write_notebook(tmp_path / "a.ipynb", ("x = 1",)))


def test_a_step_after_none(tmp_path, write_notebook):
    with pytest.raises(InvalidInput, match="lod, which is no step"):
        read(write_notebook(tmp_path / "a.ipynb", ("x = 1", "step:load"), ("y = x", "step:fit", "prev:lod")))
