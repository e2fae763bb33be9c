"""Ploomber's pipelines: every kind of source, and both tools on the same files."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

from jupyter_mlops.errors import InvalidInput, NotFound
from jupyter_mlops.importers import read

PIPELINE = """\
tasks:
  - source: functions.load
    product: output/raw.csv
    params: {rows: '{{rows}}'}
  - source: scripts/clean.py
    product: {nb: output/clean.ipynb, data: 'output/{{name}}.csv'}
  - source: scripts/fit.py
    name: fit-
    product: {nb: output/fit.ipynb, score: output/score.txt}
    grid: {power: [1, 2]}
  - source: best.ipynb
    product: {nb: output/best.ipynb, best: output/best.json}
    on_finish: functions.done
"""
FILES = {
    "env.yaml": "rows: 4\nname: clean\n",
    "functions.py": (
        "from pathlib import Path\n\n\ndef load(product, rows):\n"
        "    Path(product).parent.mkdir(exist_ok=True)\n"
        "    Path(product).write_text('\\n'.join(str(i) for i in range(rows)))\n\n\n"
        "def done(product):\n    pass\n"
    ),
    "scripts/clean.py": (
        "# %% [markdown]\n# Cleans\n\n# %% tags=[\"parameters\"]\nupstream = ['load']\nproduct = None\n\n"
        "# %%\nrows = [int(line) for line in open(upstream['load'])]\n\n"
        "# %%\nwith open(product['data'], 'w') as f:\n    _ = f.write('\\n'.join(str(r * 2) for r in rows))\n"
    ),
    "scripts/fit.py": (
        "# + tags=[\"parameters\"]\nupstream = ['clean']\nproduct = None\npower = 1\n# -\n\n"
        "rows = [int(line) for line in open(upstream['clean']['data'])]\n"
        "with open(product['score'], 'w') as f:\n    _ = f.write(str(sum(r ** power for r in rows)))\n"
    ),
}
BEST = (
    "import json\nscores = {n: int(open(e['score']).read()) for n, e in upstream['fit-*'].items()}\n"
    "with open(product['best'], 'w') as f:\n    json.dump(max(scores, key=scores.get), f)"
)
PRODUCTS = ["raw.csv", "clean.csv", "score-0.txt", "score-1.txt", "best.json"]


@pytest.fixture
def project(tmp_path, write_notebook) -> Path:
    folder = tmp_path / "project"
    for name, text in {"pipeline.yaml": PIPELINE, "mlops.toml": "", **FILES}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    write_notebook(folder / "best.ipynb", ("upstream = ['fit-*']\nproduct = None", "parameters"), (BEST,))
    return folder / "pipeline.yaml"


def test_tasks_and_what_they_need(project):
    imported = read(project)
    tasks = {task.name: task for task in imported.pipeline.tasks}
    assert {name: task.needs for name, task in tasks.items()} == {
        "load": (), "clean": ("load",), "fit-0": ("clean",), "fit-1": ("clean",), "best": ("fit-0", "fit-1"),
    }  # fmt: skip
    assert tasks["fit-1"].parameters["power"] == 2
    assert tasks["fit-1"].parameters["product"] == {"nb": "output/fit-1.ipynb", "score": "output/score-1.txt"}
    assert tasks["load"].parameters["rows"] == "${params.rows}"
    assert tasks["clean"].parameters["product"]["data"] == "output/${params.name}.csv"
    assert imported.pipeline.parameters["rows"].default == 4
    assert tasks["best"].notebook == "best.ipynb"
    assert any("on_finish" in each for each in imported.lost)


GRIDS = """
tasks:
  - source: functions.load
    name: load-[[rows]]-[[kind]]
    product: {data: "out/v1.0/raw-[[rows]]-[[kind]].tar.gz"}
    grid:
      - {rows: [1, 2], kind: [a]}
      - {rows: [3]}
"""


def test_what_is_spelled_otherwise_in_paths_is_listed(project):
    (project.parent / "env.yaml").write_text("rows: 4\nname: true\n")
    (told,) = [each for each in read(project).lost if "within text" in each]
    assert told == "{{name}}: within text and paths True is written true"


def test_a_name_of_ploomber_s_own_may_be_set(project):
    """Its templates do: ``root: output/train``."""
    product = "  - {source: functions.load, product: '{{root}}/{{here}}/raw.csv', params: {rows: 1}}\n"
    project.write_text("tasks:\n" + product)
    (project.parent / "env.yaml").write_text("root: output/train\n")
    imported = read(project)
    assert imported.pipeline.tasks[0].parameters["product"] == "${params.root}/./raw.csv"
    assert imported.pipeline.parameters["root"].default == "output/train"
    assert "output/train/.gitkeep" in imported.notebooks


REPORTS = """
tasks:
  - source: functions.load
    product: {data: output/parts}
    params: {rows: 2}
  - source: scripts/clean.py
    product: {nb: output/report.html, data: output/clean.csv}
  - source: best.ipynb
    product: output/best.html
"""


def test_reports_are_listed_and_nobody_waits_for_them(project, write_notebook):
    project.write_text(REPORTS)
    parameters = ("upstream = ['clean', 'load']\nproduct = None", "parameters")
    write_notebook(project.parent / "best.ipynb", parameters, ("1",))
    imported = read(project)
    assert [task.files for task in imported.pipeline.tasks] == [
        (), ("output/parts",), ("output/clean.csv", "output/parts"),
    ]  # fmt: skip
    (told,) = [each for each in imported.lost if "executed notebooks" in each]
    assert told.endswith("not written to output/report.html, output/best.html")


def test_functions_find_the_folder_of_their_product(project, say):
    """Also where it depends on a parameter."""
    (project.parent / "functions.py").write_text("def touch(product):\n    open(product, 'w').close()\n")
    project.write_text("tasks: [{source: functions.touch, product: 'out/{{name}}/a.txt'}]")
    assert say("import", project).code == 0
    said = say("run", project.parent / "pipeline.mlops.yaml", "-p", "name", "other")
    assert said.code == 0, said
    assert (project.parent / "out" / "other" / "a.txt").exists()


def test_grids_of_a_list_need_not_have_the_same_names(project):
    """Names and paths are those that Ploomber gives: it numbers products on, and what a grid lacks is nothing."""
    project.write_text(GRIDS)
    tasks = read(project).pipeline.tasks
    assert {task.name: task.parameters["product"]["data"] for task in tasks} == {
        "load-1-a": "out/v1.0/raw-1-a-0.tar.gz",
        "load-2-a": "out/v1.0/raw-2-a-1.tar.gz",
        "load-3": "out/v1.0/raw-3--2.tar.gz",
    }


def test_it_runs_and_gives_what_ploomber_gives(project, say):
    said = say("import", project)
    assert said.code == 0, said
    assert "pipeline.mlops.yaml" in said.out
    assert (project.read_text()) == PIPELINE
    said = say("run", project.parent / "pipeline.mlops.yaml")
    assert said.code == 0, said
    found = {name: (project.parent / "output" / name).read_text() for name in PRODUCTS}
    assert found == {
        "raw.csv": "0\n1\n2\n3", "clean.csv": "0\n2\n4\n6", "score-0.txt": "12", "score-1.txt": "56",
        "best.json": '"fit-1"',
    }  # fmt: skip


@pytest.mark.slow
def test_ploomber_itself_agrees(project, tmp_path):
    """In an environment of its own."""
    folder, ours = tmp_path / "venv", sys.executable
    python, packages = str(folder / "bin" / "python"), ["ploomber>=0.23", "setuptools<81", "ipykernel"]
    commands = [
        [ours, "-m", "uv", "venv", "-q", "--python", ours, str(folder)],
        [ours, "-m", "uv", "pip", "install", "-q", "--python", python, *packages],
    ]
    if importlib.util.find_spec("uv") is None:
        commands = [[ours, "-m", "venv", str(folder)], [python, "-m", "pip", "install", "-q", *packages]]
    for words in commands:
        done = subprocess.run(words, capture_output=True, text=True, timeout=280)
        if done.returncode:
            (pytest.fail if os.environ.get("CI") else pytest.skip)(done.stderr[-2000:])
    env = {**os.environ, "PATH": f"{folder / 'bin'}:{os.environ['PATH']}", "PLOOMBER_STATS_ENABLED": "false"}
    done = subprocess.run(
        [folder / "bin" / "ploomber", "build"],
        cwd=project.parent,
        env=env,
        capture_output=True,
        text=True,
        timeout=250,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    found = {name: (project.parent / "output" / name).read_text() for name in PRODUCTS}
    assert (found["score-0.txt"], found["score-1.txt"], found["best.json"]) == ("12", "56", '"fit-1"')


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("tasks: [{source: a.sql, product: x, client: db}]", "a.sql is SQL"),
        ("tasks: [{source: a.R, product: x}]", "'a.R' is no notebook"),
        ("location: my.factory", "by Python code"),
        ("tasks: [{source: functions.load, product: x}]\nserializer: a.b", "serializer"),
        ("tasks: [{source: functions.load, product: x, params: {a: '{{git}}'}}]", "placeholder {{git}}"),
        ("tasks: [{source: ../other.py, product: x}]", "leads out"),
        ("tasks: []", "list of mappings"),
        ("tasks: [", "no YAML"),
    ],
)
def test_what_cannot_be_carried_is_an_error(project, text, message):
    project.write_text(text)
    with pytest.raises(InvalidInput) as caught:
        read(project, "ploomber")
    assert message in caught.value.message


def test_a_source_that_is_not_there(project):
    project.write_text("tasks: [{source: nothing.ipynb, product: x}]")
    with pytest.raises(NotFound, match=r"nothing\.ipynb"):
        read(project)


def test_an_upstream_that_is_no_task(project):
    project.write_text("tasks: [{source: scripts/clean.py, product: x}]")
    with pytest.raises(InvalidInput, match="'load' upstream"):
        read(project)
