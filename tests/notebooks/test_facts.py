"""What inspect_notebook says about a notebook without running it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from jupyter_mlops.errors import InvalidNotebook, KernelUnavailable, NotFound
from jupyter_mlops.notebooks.facts import (
    NotebookFacts,
    environment_versions,
    inspect_notebook,
    inspect_source,
)


@pytest.fixture
def inspect(tmp_path: Path):
    """Write a notebook of these cells (text, or text and tags) and inspect it."""
    count = iter(range(1000))

    def write(*cells: Any, metadata: dict[str, Any] | None = None) -> NotebookFacts:
        made = [
            new_code_cell(cell[0], metadata={"tags": list(cell[1:])}) if isinstance(cell, tuple) else
            new_code_cell(cell) if isinstance(cell, str) else cell
            for cell in cells
        ]  # fmt: skip
        path = tmp_path / f"nb{next(count)}.ipynb"
        path.write_text(json.dumps(new_notebook(cells=made, metadata=metadata or {})))
        return inspect_notebook(path)

    return write


def write_files(folder: Path, contents: dict[str, str]) -> None:
    for name, text in contents.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


# --- the code's digest ------------------------------------------------------------------------------------


def test_what_does_not_change_what_runs_does_not_change_the_digest(inspect):
    plain = inspect("x = 1\ny = f(x, 2)", "%matplotlib inline\nprint(y)").code_digest
    executed = new_code_cell(
        "print(y)  # show", outputs=[new_output("stream", text="3")], execution_count=7, id="other"
    )
    same = inspect(
        new_markdown_cell("# Prose"),
        "# first\nx = 1",
        "y = f(\n    x,\n    2,\n)\n\n\n",
        ("x = 99", "injected-parameters"),
        ("x = 98", "skip-execution"),
        "%matplotlib   inline",
        executed,
        metadata={"papermill": {"a": 1}},
    )
    assert same.code_digest == plain


@pytest.mark.parametrize(
    "changed",
    [
        ["x = 2"],
        ["x = 1", "y"],
        ["x = 1.0"],
        ["x = '1'"],
        [("x = 1", "parameters")],
        ["%time x = g()"],
        ["!ls\nx = 1"],
        ["x = 1\n!ls"],
        ["%%bash\nx = 1"],
        ["x = 1 +"],
    ],
)
def test_what_changes_what_runs_changes_the_digest(inspect, changed: list[Any]):
    assert inspect(*changed).code_digest != inspect("x = 1").code_digest


def test_the_place_of_a_magic_among_the_statements_counts(inspect):
    assert inspect("%env A=1\nimport x").code_digest != inspect("import x\n%env A=1").code_digest


def test_timing_a_statement_does_not_count(inspect):
    assert inspect("%time x = g()").code_digest == inspect("x = g()").code_digest
    assert inspect("%%time\nx = g()").code_digest == inspect("x = g()").code_digest


STATEMENTS = ["a = 1", "def f():\n    return 2", "print('#')", "%env A=1", "!ls", "b = '''\n%x'''"]


@given(
    st.lists(st.sampled_from(STATEMENTS)), st.lists(st.sampled_from(["", "# comment", "   ", "\t# %time"]))
)
def test_comments_and_blank_lines_between_statements_never_count(statements: list[str], noise: list[str]):
    from jupyter_mlops.notebooks.facts import _digest_code
    from jupyter_mlops.notebooks.source import code_cells

    def digest(text: str) -> str:
        return _digest_code(code_cells({"cells": [{"cell_type": "code", "source": text, "metadata": {}}]}))

    noisy = [line for statement in statements for line in (*noise, statement)]
    assert digest("\n".join(statements)) == digest("\n".join([*noisy, *noise]))


def test_other_languages_are_digested_by_their_text(inspect):
    r_kernel = {"kernelspec": {"name": "ir", "display_name": "R", "language": "R"}}
    first = inspect("x <- 1\n\ny", metadata=r_kernel)
    assert first.language.lower() == "r"
    assert first.kernel_name == "ir"
    assert first.emits_unknown
    assert first.code_digest == inspect("x <- 1  \ny", metadata=r_kernel).code_digest
    assert first.code_digest != inspect("x <- 2\ny", metadata=r_kernel).code_digest


# --- imports ----------------------------------------------------------------------------------------------


def test_imports_are_found_at_any_depth_and_by_other_means(inspect):
    facts = inspect(
        "import os, json as j\nfrom sklearn.linear_model import LogisticRegression",
        "def f():\n    try:\n        import torch.nn\n    except ImportError:\n        from jax import numpy",
        "import importlib\nm = importlib.import_module('xgboost.sklearn')\nn = __import__('lightgbm')",
        "%load_ext autotime.ext\n%matplotlib inline",
        "%%time\nimport polars",
        "%time import dask",
        "await client.get('x')",
    )
    assert facts.third_party == (
        "autotime", "dask", "jax", "lightgbm", "matplotlib", "polars", "sklearn", "torch", "xgboost",
    )  # fmt: skip
    assert facts.modules >= {"os", "json", "importlib", "sklearn"}
    assert facts.local_modules == {}


def test_local_modules_are_followed_through_packages_and_relative_imports(inspect, tmp_path: Path):
    write_files(
        tmp_path,
        {
            "features.py": "import pandas\nfrom lib.clean import tidy\n",
            "unused.py": "import tensorflow",
            "lib/__init__.py": "from . import deep\n",
            "lib/clean.py": "from .deep.inner import f\nfrom ..nowhere import g\n",
            "lib/deep/__init__.py": "",
            "lib/deep/inner.py": "from ...outer import x\nfrom .. import sibling",
            "lib/sibling.py": "import scipy",
            "names/spaced.py": "import requests",
        },
    )
    facts = inspect("import features\nimport names.spaced")
    assert list(facts.local_modules) == [
        "features.py", "lib/__init__.py", "lib/clean.py", "lib/deep/__init__.py", "lib/deep/inner.py",
        "lib/sibling.py", "names/spaced.py",
    ]  # fmt: skip
    assert facts.third_party == ("pandas", "requests", "scipy")
    before = facts.local_modules
    write_files(tmp_path, {"lib/sibling.py": "import scipy.stats"})
    after = inspect("import features\nimport names.spaced").local_modules
    assert [name for name in after if after[name] != before[name]] == ["lib/sibling.py"]


def test_a_change_of_a_local_module_is_seen_although_the_notebook_did_not_change(inspect, tmp_path: Path):
    write_files(tmp_path, {"helper.py": "x = 1"})
    facts = inspect("import helper")
    write_files(tmp_path, {"helper.py": "x = 123456"})
    assert inspect_notebook(facts.path).local_modules != facts.local_modules
    assert inspect_notebook(facts.path).code_digest == facts.code_digest


def test_a_folder_that_is_called_like_a_library_is_not_taken_for_it(inspect, tmp_path: Path):
    (tmp_path / "pandas").mkdir()
    (tmp_path / "pandas" / "data.csv").write_text("")
    assert inspect("import pandas").third_party == ("pandas",)


def test_files_that_are_run_and_folders_put_on_the_path_are_local_too(inspect, tmp_path: Path):
    write_files(tmp_path, {"setup.py": "import yaml", "src/model.py": "import sklearn"})
    (tmp_path / "shared.ipynb").write_text(
        json.dumps(new_notebook(cells=[new_code_cell("import duckdb\n%run setup.py")]))
    )
    facts = inspect(
        "%run -i shared.ipynb", "import sys\nfrom pathlib import Path\nsys.path.insert(0, str(Path('src')))",
        "from model import fit",
    )  # fmt: skip
    assert list(facts.local_modules) == ["setup.py", "shared.ipynb", "src/model.py"]
    assert facts.third_party == ("duckdb", "sklearn", "yaml")


def test_modules_above_the_notebook_have_relative_paths(inspect, tmp_path: Path):
    folder = tmp_path / "notebooks"
    folder.mkdir()
    write_files(tmp_path, {"lib/__init__.py": "import numpy"})
    path = folder / "a.ipynb"
    path.write_text(
        json.dumps(new_notebook(cells=[new_code_cell("import sys; sys.path.append('..')\nimport lib")]))
    )
    facts = inspect_notebook(path)
    assert list(facts.local_modules) == ["../lib/__init__.py"]
    assert facts.third_party == ("numpy",)


def test_modules_that_import_each_other_end(inspect, tmp_path: Path):
    write_files(tmp_path, {"a.py": "import b", "b.py": "import a", "broken.py": "def ("})
    assert list(inspect("import a, broken").local_modules) == ["a.py", "b.py", "broken.py"]


def test_what_a_zygote_may_import_ahead_is_third_party_and_as_deep_as_the_code_asks(inspect, tmp_path: Path):
    write_files(tmp_path, {"features.py": "import pyarrow.parquet as pq\nfrom . import x"})
    facts = inspect(
        "import os, features, pandas as pd\nfrom sklearn import svm, tree\nfrom scipy.stats import *"
    )
    assert facts.preload == ("pandas", "pyarrow.parquet", "scipy.stats", "sklearn:svm,tree")


def test_a_notebook_at_hand_is_inspected_as_if_it_lay_in_a_folder(inspect, tmp_path: Path):
    write_files(tmp_path, {"features.py": "import pandas"})
    nb = new_notebook(cells=[new_code_cell("import features")])
    facts = inspect_source(nb, tmp_path)
    assert list(facts.local_modules) == ["features.py"]
    assert facts.code_digest == inspect("import features").code_digest


# --- the environment --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "cells",
    [
        ["import os\nos.environ['A'] = '1'", "import torch"],
        ["from os import environ\nenviron.update(A='1')\nimport torch"],
        ["%env A=1\nimport torch"],
        ["%set_env A 1", "import torch"],
        ["!export A=1", "import torch"],
        ["import os\nos.putenv('A', '1')\nimport torch"],
        ["from dotenv import load_dotenv\nload_dotenv()\nimport torch"],
        ["def f():\n    import torch", "import os\ndel os.environ['A']", "f()"],
        ["import os\nos.environ |= {'A': '1'}\nimport torch"],
    ],
)
def test_an_environment_set_before_an_import_is_noticed(inspect, cells: list[str]):
    assert inspect(*cells).sets_environment


@pytest.mark.parametrize(
    "cells",
    [
        ["import os, torch\nos.environ['A'] = '1'"],
        ["import os\nx = os.environ['A']\ny = os.environ.get('B')\nimport torch"],
        ["import os\nos.environ['A'] = '1'\nimport json"],
        ["%env", "%env A", "import torch"],
    ],
)
def test_reading_it_or_setting_it_later_is_not(inspect, cells: list[str]):
    assert not inspect(*cells).sets_environment


def test_a_local_module_that_sets_it_counts(inspect, tmp_path: Path):
    write_files(tmp_path, {"quiet.py": "import os\nos.environ['A'] = '1'"})
    assert inspect("import quiet").sets_environment


# --- what it emits ----------------------------------------------------------------------------------------


def test_names_of_results_artifacts_and_inputs_are_read(inspect, tmp_path: Path):
    helper = "import jupyter_mlops as m\ndef f():\n    m.result('from_helper', 1)"
    write_files(tmp_path, {"helper.py": helper})
    facts = inspect(
        "import jupyter_mlops as mlops\nimport helper\nfrom jupyter_mlops import artifact as keep, input",
        "mlops.result('auc', 0.9)\nif x:\n    ref = keep('train', df)\nmlops.result(name='rows', value=3)",
        "train = input('flights')\nmlops.artifact('plot', fig)",
        "import scrapbook as sb\nsb.glue('glued', 1)",
        "%result loss",
        "job.result('not ours')\nresult('neither')",
    )
    assert facts.results == {"auc", "rows", "glued", "loss", "from_helper"}
    assert facts.artifacts == {"train", "plot"}
    assert facts.inputs == {"flights"}
    assert not facts.emits_unknown


@pytest.mark.parametrize(
    "code",
    [
        "for name in names:\n    mlops.result(name, 1)",
        "mlops.artifact(f'train_{i}', df)",
        "emit = mlops.result",
        "from jupyter_mlops import result\nmap(result, names, values)",
        "mlops.result(**kw)",
        "syntax error",
    ],
)
def test_names_that_are_computed_are_said_to_be_unknown(inspect, code: str):
    assert inspect("import jupyter_mlops as mlops", code).emits_unknown


# --- the rest ---------------------------------------------------------------------------------------------


def test_kernel_language_and_parameters_are_told(inspect):
    facts = inspect(
        ("week: int = 20  # of the year", "parameters"),
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
    )
    assert (facts.kernel_name, facts.language) == ("python3", "python")
    assert [parameter.name for parameter in facts.parameters] == ["week"]


def test_what_is_no_notebook_is_refused(tmp_path: Path):
    with pytest.raises(NotFound):
        inspect_notebook(tmp_path / "missing.ipynb")
    (tmp_path / "bad.ipynb").write_text("{")
    with pytest.raises(InvalidNotebook):
        inspect_notebook(tmp_path / "bad.ipynb")


def test_a_notebook_is_read_again_only_when_it_changed(inspect):
    facts = inspect("x = 1\n" * 200)
    started = time.process_time()
    for _ in range(1000):
        inspect_notebook(facts.path)
    assert time.process_time() - started < 0.5
    facts.path.write_text(facts.path.read_text().replace("x = 1", "xyz = 1"))
    assert inspect_notebook(facts.path).code_digest != facts.code_digest


# --- installed versions -----------------------------------------------------------------------------------


def test_versions_are_those_of_the_distributions_behind_the_modules():
    import pandas as pd
    import sklearn
    import yaml

    versions = environment_versions(
        sys.executable, ["pandas", "sklearn", "yaml", "no_such_module", "dateutil"]
    )
    assert versions["pandas"] == pd.__version__
    assert versions["scikit-learn"] == sklearn.__version__
    assert versions["pyyaml"] == yaml.__version__
    assert "python-dateutil" in versions
    assert versions["python"] == ".".join(map(str, sys.version_info[:3]))
    assert len(versions) == 5


def test_an_editable_install_is_told_by_its_source():
    version = environment_versions(sys.executable, ["jupyter_mlops"])["jupyter-mlops"]
    assert version.partition("+source.")[2]


@pytest.fixture
def other_python(tmp_path: Path) -> Path:
    """Another environment, with two distributions in it."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "venv")], check=True)
    python = tmp_path / "venv" / "bin" / "python"
    install(python, "one", "1.0", "one")
    return python


def install(python: Path, name: str, version: str, module: str) -> None:
    site = next((python.parent.parent / "lib").glob("python*/site-packages"))
    info = site / f"{name}-{version}.dist-info"
    info.mkdir()
    (site / f"{module}.py").write_text("")
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    (info / "RECORD").write_text(f"{module}.py,,\n{name}-{version}.dist-info/METADATA,,\n")


def test_another_python_is_asked_about_its_own_environment(other_python: Path, tmp_path: Path):
    found = environment_versions(str(other_python), ["one", "pandas", "two"])
    assert found.keys() == {"python", "one"}
    assert found["one"] == "1.0"
    install(other_python, "Two.Things", "2.5", "two")  # as pip does, while this process lives on
    assert environment_versions(str(other_python), ["one", "two"])["two.things"] == "2.5"
    stray = next((other_python.parent.parent / "lib").glob("python*/site-packages")) / "stray.py"
    stray.write_text("x = 1")
    first = environment_versions(str(other_python), ["stray"])
    stray.write_text("x = 12")
    assert first["stray"].startswith("+source.")
    assert environment_versions(str(other_python), ["stray"]) != first


def test_an_answer_is_remembered(other_python: Path):
    environment_versions(str(other_python), ["one"])
    started = time.process_time()
    for _ in range(200):
        environment_versions(str(other_python), ["one"])
    assert time.process_time() - started < 0.2


def test_a_python_that_does_not_run_is_told(tmp_path: Path):
    with pytest.raises(KernelUnavailable, match="nopython"):
        environment_versions(str(tmp_path / "nopython"), ["one"])
    broken = tmp_path / "broken"
    broken.write_text("#!/bin/sh\necho oh no >&2\nexit 3\n")
    os.chmod(broken, 0o755)
    with pytest.raises(KernelUnavailable, match="oh no"):
        environment_versions(str(broken), ["one"])
