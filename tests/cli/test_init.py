"""init: what it writes is valid, and each example runs at once and passes its own tests."""

from __future__ import annotations

import ast
import importlib.util
import json
import os
import tomllib
from pathlib import Path

import nbformat
import pytest
import yaml

from jupyter_mlops.notebooks.files import load_notebook
from jupyter_mlops.notebooks.lint import lint
from jupyter_mlops.notebooks.parameters import read_parameters
from jupyter_mlops.pipelines.spec import load_pipeline
from jupyter_mlops.project import templates
from jupyter_mlops.project.templates import EXAMPLES, project_files
from jupyter_mlops.settings import SETTINGS, Settings

COMMON = {
    ".devcontainer/devcontainer.json",
    ".github/workflows/test.yml",
    ".gitignore",
    "README.md",
    "binder/requirements.txt",
    "binder/runtime.txt",
    "mlops.toml",
    "pipeline.yaml",
    "requirements.txt",
}
OFFLINE = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), "http://127.0.0.1:9")
RESULTS = {
    "plain": {"estimate": {"pi", "deviation"}},
    "churn": {"choose": {"winner", "auc"}},
    "timeseries": {"report": {"best", "peak"}},
}


def below(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_it_writes_a_project_and_says_how_to_run_it(tell, tmp_path: Path) -> None:
    said = tell("init", "demo")
    assert said.code == 0
    assert said.out.splitlines()[-1] == "next: cd demo && jupyter mlops run"
    assert below(tmp_path / "demo") == COMMON | {
        "notebooks/estimate.ipynb",
        "notebooks/explore.ipynb",
        "notebooks/throw.ipynb",
        "pipeline.test.yaml",
    }
    assert "next: cd 'a b' && jupyter mlops run" in tell("init", "a b").out


@pytest.mark.parametrize("example", EXAMPLES)
def test_what_it_writes_is_valid(example: str, tell, tmp_path: Path) -> None:
    assert tell("init", "demo", "--example", example).code == 0
    folder = tmp_path / "demo"
    assert below(folder) >= COMMON
    pipeline = load_pipeline(folder / "pipeline.yaml")
    assert pipeline.name == ("flights" if example == "flights" else "demo")
    assert Settings.load(folder, env={}).workers >= 1
    for task in pipeline.tasks:
        declared = {one.name for one in read_parameters(load_notebook(folder / task.notebook))}
        assert set(task.parameters) <= declared
    for path in folder.rglob("*"):
        if path.is_dir():
            continue
        text = path.read_text(encoding="utf-8")
        assert "{{" not in text, path
        if path.suffix == ".ipynb":
            notebook = nbformat.read(path, as_version=4)
            nbformat.validate(notebook)
            assert lint(notebook, path.name) == []
        elif path.suffix == ".py":
            ast.parse(text)
        elif path.suffix == ".json":
            json.loads(text)
        elif path.suffix in (".yml", ".yaml"):
            yaml.safe_load(text)
    requirements = (folder / "requirements.txt").read_text()
    assert requirements.startswith("jupyter-mlops")
    assert (folder / "binder" / "requirements.txt").read_text() == requirements
    assert tell("check", "demo").code == 0


def test_the_settings_that_it_shows_are_settings(tell, tmp_path: Path) -> None:
    tell("init")
    text = "\n".join(
        line.removeprefix("# ") for line in (tmp_path / "mlops.toml").read_text().splitlines()[1:]
    )
    assert set(tomllib.loads(text)) <= {setting.name for setting in SETTINGS}


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        ("demo", "demo"),
        ("my 'quoted' \"project\"", "my-quoted-project"),
        ("ünïcode: #1", "n-code-1"),
        ("- dash", "dash"),
        ("2026", "pipeline-2026"),
        ("日本", "pipeline"),
        ("{{about}}", "about"),
    ],
)
def test_it_takes_any_directory_name(tell, tmp_path: Path, folder: str, name: str) -> None:
    assert tell("init", "--", folder).code == 0
    assert load_pipeline(tmp_path / folder / "pipeline.yaml").name == name
    assert json.loads((tmp_path / folder / ".devcontainer/devcontainer.json").read_text())["name"] == name


def test_it_overwrites_nothing(tell, tmp_path: Path) -> None:
    (tmp_path / "pipeline.yaml").write_text("mine")
    said = tell("init")
    assert said.code == 2
    assert said.err.startswith("error: pipeline.yaml: there already\nhint: ")
    assert below(tmp_path) == {"pipeline.yaml"}
    assert (tmp_path / "pipeline.yaml").read_text() == "mine"
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "mlops.toml").symlink_to("nowhere")
    assert tell("init", "other").code == 2


def test_it_leaves_nothing_half_written(tell, tmp_path: Path) -> None:
    (tmp_path / "binder").write_text("a file where a folder must be")
    said = tell("init")
    assert (said.code, said.err.startswith("error: cannot write binder/")) == (1, True)
    assert below(tmp_path) == {"binder"}


def test_a_slip_in_the_name_of_an_example_is_answered(tell, tmp_path: Path) -> None:
    said = tell("init", "demo", "--example", "fligths")
    assert (said.code, said.err) == (
        2,
        "error: there is no example 'fligths'\nhint: did you mean 'flights'?\n",
    )
    assert not (tmp_path / "demo").exists()


def test_it_speaks_json(tell) -> None:
    body = tell("init", "demo", "--json", "--example", "timeseries").json
    assert body["example"] == "timeseries"
    assert body["files"][0] == "demo/pipeline.yaml"
    assert "demo/demand.py" in body["files"]


def test_flights_in_a_wheel_lie_beside_the_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What hatch_build.py puts into a wheel is what is taken from the repository in a clone."""
    root = Path(templates.__file__).parents[2]
    spec = importlib.util.spec_from_file_location("hatch_build", root / "hatch_build.py")
    assert spec is not None
    assert spec.loader is not None
    hatch_build = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(hatch_build)
    here = project_files("demo", "flights")
    packed = tmp_path / "template"
    for example in ("common", "flights"):
        for path in (Path(templates.__file__).parent / "template" / example).rglob("*"):
            if path.is_file():
                target = packed / path.relative_to(Path(templates.__file__).parent / "template")
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(path.read_bytes())
    for source, target in hatch_build.flights(root).items():
        (packed / Path(target).relative_to("jupyter_mlops/project/template")).write_bytes(
            (root / source).read_bytes()
        )
    monkeypatch.setattr(templates, "_TEMPLATES", packed)
    monkeypatch.setattr(templates, "_REPOSITORY", tmp_path / "no repository")
    assert project_files("demo", "flights") == here


@pytest.mark.slow
@pytest.mark.parametrize("example", ["plain", "churn", "timeseries"])
def test_an_example_runs_at_once_without_a_network_and_passes_its_tests(
    example: str, tmp_path: Path, spawn, finish
) -> None:
    environment = {**OFFLINE, "no_proxy": "", "MLOPS_ZYGOTE_LINGER_SECONDS": "5"}
    assert finish(spawn("init", "demo", "--example", example, cwd=tmp_path)).code == 0
    folder = tmp_path / "demo"
    said = finish(spawn("run", "--json", cwd=folder, env=environment))
    assert said.code == 0, said
    results = {task["task"]: set(task["results"]) for task in said.json["tasks"]}
    assert {name: results[name] for name in RESULTS[example]} == RESULTS[example]
    said = finish(spawn("test", "--json", cwd=folder, env=environment))
    assert said.code == 0, said
    assert {(line["test"], line["state"]) for line in said.json["tests"]} == {
        ("check", "passed"),
        ("run", "passed"),
        ("cells", "passed"),
    }


@pytest.mark.slow
def test_the_flights_example_passes_its_tests(tmp_path: Path, spawn, finish) -> None:
    assert finish(spawn("init", "air", "--example", "flights", cwd=tmp_path)).code == 0
    said = finish(spawn("test", "--json", cwd=tmp_path / "air", env=OFFLINE))
    assert said.code == 0, said
    assert {(line["test"], line["state"]) for line in said.json["tests"]} == {
        ("check", "passed"),
        ("dry run", "passed"),
    }
    assert not os.path.exists(tmp_path / "air" / "flights.duckdb")
