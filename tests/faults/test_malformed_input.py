"""Whatever a notebook, a pipeline or an argument looks like: it runs, or one of our errors says why not."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jupyter_mlops import preflight
from jupyter_mlops.blobs import BlobStore
from jupyter_mlops.catalog import Catalog
from jupyter_mlops.errors import MlopsError
from jupyter_mlops.events import TERMINAL
from jupyter_mlops.kernels import KernelPool
from jupyter_mlops.problems import Problem
from jupyter_mlops.runner import Runs
from jupyter_mlops.settings import Settings

relaxed = settings(
    deadline=None,
    max_examples=2 * settings.default.max_examples // 5,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
WORDS = st.sampled_from(
    ["a", "b", "a.ipynb", "../a.ipynb", "/", "", "${", "${tasks.a.results.x}", "${params.n}", "${item}", "secret:X",
     "secret:", "all_success", "5m", "-1s", "1e999", "nan", "4Gi", "null", "\x00", "\ud800", "*", "[", "x" * 5000, "ü"]
)  # fmt: skip
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | WORDS | st.text(max_size=8)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(WORDS | st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)
TASK_FIELDS = st.sampled_from(
    ["notebook", "parameters", "needs", "when", "run_if", "matrix", "map", "retries", "timeout", "resources",
     "priority", "cache", "files", "env", "secrets", "kernel", "isolation", "description", "notebok"]
)  # fmt: skip
TASKS = st.dictionaries(
    st.sampled_from(["a", "b", "c d", "", "${x}", "a[0]"]),
    st.dictionaries(TASK_FIELDS, VALUES, max_size=6).map(lambda task: {"notebook": "a.ipynb", **task})
    | VALUES,
    max_size=4,
)
PIPELINES = st.fixed_dictionaries(
    {"name": st.just("p") | VALUES, "tasks": TASKS},
    optional={
        "parameters": VALUES | st.dictionaries(st.just("n"), VALUES),
        "defaults": VALUES,
        "extra": VALUES,
    },
)
CELL = st.fixed_dictionaries(
    {
        "cell_type": st.sampled_from(["code", "markdown", "raw"]) | VALUES,
        "source": VALUES,
        "metadata": VALUES,
    },
    optional={"outputs": VALUES, "execution_count": VALUES, "id": VALUES},
)
NOTEBOOKS = st.fixed_dictionaries(
    {"cells": st.lists(CELL | VALUES, max_size=3) | VALUES, "nbformat": st.just(4) | VALUES},
    optional={"metadata": VALUES, "nbformat_minor": VALUES},
)


@pytest.fixture(scope="module")
def runs(tmp_path_factory) -> Iterator[Runs]:
    root = tmp_path_factory.mktemp("malformed")
    (root / "mlops.toml").touch()
    found = Settings.load(root, env={}, overrides={"workers": 2})
    with KernelPool(size=1) as pool, Catalog.open(found.catalog) as catalog:
        yield Runs(catalog=catalog, blobs=BlobStore(found.blobs), settings=found, kernels=lambda: pool)


def write_notebook(runs: Runs, body: object) -> None:
    content = body if isinstance(body, bytes) else json.dumps(body).encode("utf-8", "surrogatepass")
    (runs.settings.root / "a.ipynb").write_bytes(content)


def write_pipeline(runs: Runs, body: object) -> None:
    content = body if isinstance(body, bytes) else json.dumps(body).encode("utf-8", "surrogatepass")
    (runs.settings.root / "pipeline.yaml").write_bytes(content)


def good_notebook(*sources: str, parameters: str = "") -> dict:
    cells = [{"source": source, "metadata": {}} for source in sources]
    if parameters:
        cells.insert(0, {"source": parameters, "metadata": {"tags": ["parameters"]}})
    common = {"cell_type": "code", "outputs": [], "execution_count": None}
    return {
        "cells": [{**common, **cell, "id": f"c{n}"} for n, cell in enumerate(cells)],
        "metadata": {"kernelspec": {"name": "python3", "language": "python", "display_name": "P"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def check(runs: Runs, arguments: object = None) -> None:
    problems = preflight.check(
        runs.settings.root / "pipeline.yaml", arguments, settings=runs.settings, env={}
    )  # type: ignore[arg-type]
    assert all(isinstance(problem, Problem) and problem.message for problem in problems)


def run(runs: Runs, arguments: object = None, **options: object) -> None:
    error: MlopsError | None = None
    try:
        done = runs.run(runs.settings.root / "pipeline.yaml", arguments, **options)  # type: ignore[arg-type]
        assert done.state in TERMINAL
    except MlopsError as problem:
        error = problem
    assert error is None or (error.message and "Traceback" not in error.message)


@relaxed
@given(
    st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass"))
)
def test_any_bytes_as_a_pipeline(runs, content):
    write_notebook(runs, good_notebook("1"))
    write_pipeline(runs, content)
    check(runs)
    run(runs)


@relaxed
@given(PIPELINES)
def test_any_structure_as_a_pipeline(runs, body):
    write_notebook(runs, good_notebook("1"))
    write_pipeline(runs, body)
    check(runs)


@relaxed
@given(st.binary(max_size=200) | NOTEBOOKS)
def test_any_content_as_a_notebook(runs, body):
    write_notebook(runs, body)
    write_pipeline(runs, {"name": "p", "tasks": {"a": {"notebook": "a.ipynb", "timeout": "20s"}}})
    check(runs)
    run(runs)


@relaxed
@given(st.text(max_size=60))
def test_any_text_as_a_cell(runs, source):
    write_notebook(runs, good_notebook(source))
    write_pipeline(runs, {"name": "p", "tasks": {"a": {"notebook": "a.ipynb"}}})
    check(runs)


@relaxed
@given(st.dictionaries(st.sampled_from(["n", "m", "", "class", "ü"]), VALUES, max_size=3), st.booleans())
def test_any_arguments(runs, arguments, from_text):
    write_notebook(runs, good_notebook("print(n)", parameters="n: int = 0"))
    parameters = {"n": {"default": 0}}
    write_pipeline(
        runs,
        {
            "name": "p",
            "parameters": parameters,
            "tasks": {"a": {"notebook": "a.ipynb", "parameters": {"n": "${params.n}"}}},
        },
    )
    check(runs, arguments)
    run(runs, arguments, from_text=from_text)


@relaxed
@given(VALUES)
def test_any_value_as_a_parameter_of_a_task(runs, value):
    write_notebook(runs, good_notebook("print(repr(n))", parameters="n = 0"))
    write_pipeline(runs, {"name": "p", "tasks": {"a": {"notebook": "a.ipynb", "parameters": {"n": value}}}})
    check(runs)
    run(runs)
