"""Notebooks of many kinds, each with exactly what it needs: a row a notebook."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from jupyter_mlops.promotion.captured import Capture

CORPUS: dict[str, tuple[list[str], list[str]]] = {
    "A: what a data scientist imports": (
        [
            "import numpy as np, pandas as pd\nfrom sklearn import svm\nfrom PIL import Image",
            "import cv2, yaml\nfrom bs4 import BeautifulSoup\nfrom google.cloud import storage, bigquery",
            "frame = pd.read_parquet('s3://bucket/x.parquet')\nimport seaborn as sns",
            "from google.protobuf.message import Message\nimport os, sys, json\nfrom __future__ import annotations",
        ],
        [
            "beautifulsoup4==4.12.3", "google-cloud-bigquery==3.26.0", "google-cloud-storage==2.18.2", "numpy==2.1.0",
            "opencv-python-headless==4.10.0.84", "pandas==2.2.3", "pillow==10.4.0", "protobuf==5.28.2",
            "pyarrow==17.0.0", "pyyaml==6.0.2", "s3fs==2024.9.0", "scikit-learn==1.5.2", "seaborn==0.13.2",
        ],
    ),
    "B: optional, for types, in functions, by importlib": (
        [
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import polars",
            "try:\n    import tensorflow\nexcept ImportError:\n    tensorflow = None",
            "import importlib\nrequests = importlib.import_module('requests')",
            "def late():\n    import joblib\n    return joblib",
            "%%bash\necho import scipy | cat - <<<'not $python'",
        ],
        ["joblib==1.4.2", "requests==2.32.3"],
    ),
    "C: it installs, writes and runs": (
        [
            "%pip install -q lightgbm==4.5.0 'uvicorn[standard]>=0.30'",
            "!apt-get update && apt-get install -y libfancy1",
            "%%writefile made.py\nimport yaml\nx = 1",
            "import lightgbm, made\n%run other.py",
            "!{sys.executable} -m pip install -U tqdm",
        ],
        ["joblib==1.4.2", "lightgbm==4.5.0", "pyyaml==6.0.2", "tqdm==4.66.5", "uvicorn[standard]==0.31.0"],
    ),
    "D: it declares (PEP 723)": (
        [
            '# /// script\n# requires-python = ">=3.8"\n# dependencies = [\n'
            '#   "pandas>=2,<3",\n#   "requests==2.31.0",\n# ]\n# ///',
            "import pandas, requests\nimport orjson",
            "%pip install requests==2.30.0",
        ],
        ["orjson==3.10.7", "pandas==2.2.3", "requests==2.31.0"],
    ),
    "E: one or the other": (
        [
            "try:\n    import orjson as json\nexcept ImportError:\n    import simplejson as json",
            "import sys\nif sys.version_info >= (3, 11):\n    import tomllib\nelse:\n    import tomli as tomllib",
            "if sys.platform == 'win32':\n    import polars\nelif sys.platform.startswith('lin'):\n    import yaml",
            "from contextlib import suppress\nwith suppress(ImportError):\n    import duckdb",
        ],
        ["duckdb==1.1.1", "orjson==3.10.7", "pyyaml==6.0.2"],
    ),
    "F: neither of the first": (
        ["try:\n    import ujson as json\nexcept ModuleNotFoundError:\n    import simplejson as json"],
        ["simplejson==3.19.3"],
    ),
    "G: what no import names": (
        [
            "import pandas as pd\npd.read_excel('a.xls')\npd.read_excel('b.xlsx')",
            "pd.read_sql('select 1', 'postgresql://somebody:secret@host/db')\nframe.plot()",
            "from tqdm.notebook import tqdm",
        ],
        [
            "ipywidgets==8.1.5", "matplotlib==3.9.2", "openpyxl==3.1.5", "pandas==2.2.3", "psycopg2-binary==2.9.9",
            "sqlalchemy==2.0.35", "tqdm==4.66.5", "xlrd==2.0.1",
        ],
    ),
    "H: an engine by name": (
        ["import pandas as pd\npd.read_xml('x.xml', parser='lxml')\npd.read_csv('x.csv', engine='pyarrow')"],
        ["lxml==5.3.0", "pandas==2.2.3", "pyarrow==17.0.0"],
    ),
    "I: a cell that is no Python": (
        ["import yaml", "this is no Python", "import orjson"],
        ["orjson==3.10.7", "pyyaml==6.0.2"],
    ),
    "L: installed by Python code": (
        [
            "import subprocess, sys\nsubprocess.run([sys.executable, '-m', 'pip', 'install', 'tqdm'])",
            "get_ipython().run_line_magic('pip', 'install orjson')\n%load_ext autoreload\n%autoreload 2",
        ],
        ["orjson==3.10.7", "tqdm==4.66.5"],
    ),
    "J: nothing but the standard library": (["import json, os.path\nfrom collections import abc"], []),
    "K: from conda, and from a commit": (
        ["import condaone, fromgit"],
        ["condaone==7.1", f"fromgit @ git+https://host/team/fromgit.git@{'a' * 40}"],
    ),
}  # fmt: skip


@pytest.fixture
def beside(workspace: Path) -> None:
    """Files beside the notebooks; `stranger.py` is used by none of them."""
    (workspace / "other.py").write_text("import joblib\n")
    (workspace / "stranger.py").write_text("import scipy, polars\n")
    for name in ("a.xls", "b.xlsx", "x.xml", "x.csv"):
        (workspace / name).write_text("x")


@pytest.mark.parametrize("name", CORPUS)
@pytest.mark.usefixtures("beside")
def test_each_notebook_needs_exactly_what_it_needs(name: str, captured: Callable[..., Capture]) -> None:
    cells, expected = CORPUS[name]
    assert [one.text for one in captured(*cells).requirements] == expected


@pytest.mark.usefixtures("beside")
def test_reasons_name_the_cell(captured: Callable[..., Capture]) -> None:
    found = captured(*CORPUS["C: it installs, writes and runs"][0])
    because = {one.name: one.because for one in found.requirements}
    assert because["lightgbm"] == ("%pip, work.ipynb, cell 1", "imported by work.ipynb, cell 4")
    assert because["joblib"] == ("imported by other.py",)
    assert because["pyyaml"] == ("imported by made.py",)
    assert sorted(found.modules) == ["made.py", "other.py"]
    packages = {one.name: one.because for one in found.system_packages}
    assert packages["libfancy1"] == ("installed by work.ipynb, cell 2",)
    assert packages["libgomp1"] == ("lightgbm links to libgomp.so.1",)


@pytest.mark.parametrize(
    "cells",
    [
        ["import importlib.util\nif importlib.util.find_spec('orjson'):\n    print('fast')"],
        ["from importlib.util import find_spec\nHAS = find_spec('orjson') is not None"],
        ["from importlib.util import find_spec", "NAME = 'orjson'", "HAS = find_spec(NAME)"],
        ["import importlib\nfor name in ('orjson', 'tensorflow'):\n    importlib.util.find_spec(name)"],
        ["from importlib.util import find_spec\nhas = [n for n in ['tensorflow', 'orjson'] if find_spec(n)]"],
        ["from importlib.util import find_spec\ndef has(name):\n    return find_spec(name)", "has('orjson')"],
        ["import pkgutil\npkgutil.find_loader('orjson')"],
        ["import importlib\nfor name in ['orjson']:\n    importlib.import_module(name)"],
        ["import importlib\nNAME = 'orjson'", "importlib.import_module(NAME)"],
    ],
)
def test_a_module_that_a_call_names_goes_along(cells: list[str], captured: Callable[..., Capture]) -> None:
    found = captured(*cells)
    assert [one.text for one in found.requirements] == ["orjson==3.10.7"]
    assert {one.module for one in found.optional} <= {"tensorflow"}
    assert found.problems == ()


def test_code_that_asks_for_a_module_does_without_it(captured: Callable[..., Capture]) -> None:
    found = captured(
        "from importlib.util import find_spec\nHAS = find_spec('tensorflow') is not None",
        "if HAS:\n    import tensorflow.keras",
    )
    assert {one.module for one in found.optional} == {"tensorflow"}
    assert found.is_complete
    assert not captured(
        "import importlib\nfor n in ('tensorflow',):\n    importlib.import_module(n)"
    ).is_complete


def test_a_local_module_that_is_looked_for_goes_along(
    workspace: Path, captured: Callable[..., Capture]
) -> None:
    (workspace / "beside_asked.py").write_text("import orjson\n")
    found = captured("from importlib.util import find_spec\nfind_spec('beside_asked')")
    assert [*found.modules] == ["beside_asked.py"]
    assert [one.text for one in found.requirements] == ["orjson==3.10.7"]


def test_what_is_optional_and_not_there_is_told_apart(captured: Callable[..., Capture]) -> None:
    found = captured(*CORPUS["B: optional, for types, in functions, by importlib"][0])
    assert [(one.module, one.where) for one in found.optional] == [("tensorflow", "work.ipynb, cell 2")]
    assert found.is_complete


def test_an_unknown_import_is_an_error_with_its_place(captured: Callable[..., Capture]) -> None:
    found = captured("import pandas\nimport unheardof")
    (problem,) = found.problems
    assert "unheardof is imported, but not installed" in problem.message
    assert problem.where == "work.ipynb, cell 1"
    assert "%pip install unheardof" in problem.hint
    assert not found.is_complete


def test_what_is_installed_from_files_is_refused(captured: Callable[..., Capture]) -> None:
    found = captured("import fromfile, outsider")
    told = {problem.message.split()[0]: problem for problem in found.problems}
    assert told["fromfile"].severity == told["outsider"].severity == "error"
    assert "where an image cannot reach it" in told["outsider"].message
    assert "include_local" in told["outsider"].hint
    assert found.input_text == ""


def test_an_editable_installation_may_come_along(captured: Callable[..., Capture]) -> None:
    from jupyter_mlops.promotion.capture import CaptureOptions

    found = captured("import outsider", options=CaptureOptions(include_local=True))
    assert sorted(found.modules) == ["_local/outsider/__init__.py", "_local/outsider/inner.py"]
    assert "_local" in found.import_paths
    assert [one.text for one in found.requirements] == ["networkx==3.3", "orjson==3.10.7"]
    assert found.is_complete


def test_no_secret_of_a_url_is_kept(captured: Callable[..., Capture]) -> None:
    found = captured(*CORPUS["G: what no import names"][0], "import fromgit")
    assert "secret" not in str(found.to_json())


def test_a_build_of_its_own_is_told(captured: Callable[..., Capture]) -> None:
    found = captured("import torch", mlops={"resources": {"gpu": 1, "accelerator": "a100"}})
    assert (found.accelerator, found.cuda) == ("a100", "12.4")
    assert [one.text for one in found.requirements] == ["torch==2.4.1"]
    assert any("2.4.1+cu124" in problem.message and "UV_INDEX" in problem.hint for problem in found.problems)
    assert captured("import torch").accelerator == ""


def test_a_library_that_nobody_knows_is_told(captured: Callable[..., Capture]) -> None:
    found = captured("import oddlib, psycopg2")
    (problem,) = found.problems
    assert "oddlib links to libnobodyhasit.so.7" in problem.message
    assert found.system_packages == ()


def test_programs_that_a_library_calls(captured: Callable[..., Capture]) -> None:
    assert [one.name for one in captured("import graphviz").system_packages] == ["graphviz"]


def test_a_version_that_is_asked_for_goes_before_the_installed_one(captured: Callable[..., Capture]) -> None:
    found = captured("%pip install 'pandas==1.5.3' brandnew>=2", "import pandas")
    assert [one.text for one in found.requirements] == ["brandnew>=2", "pandas==1.5.3"]
    assert (
        "pandas 2.2.3 is installed, but %pip, work.ipynb, cell 1 asks for ==1.5.3"
        in found.problems[1].message
    )


@pytest.mark.parametrize(
    ("cell", "told"),
    [
        ("%pip install ./mine.whl", "is a file of this machine"),
        ("%pip install -e .", "installs from files of this machine"),
        ("%pip install {name}", "known only when it runs"),
        ("%conda install numpy", "conda's packages do not go into an image"),
        ("%pip install -r nowhere.txt", "there is no requirements file nowhere.txt"),
        ("%pip install 'a b c'", "is no requirement"),
        ("import importlib\nimportlib.import_module(name)", "whose name is known only when it runs"),
        (
            "import importlib.util as u\nfind = u.find_spec\nfrom importlib.util import find_spec\nfind_spec(name)",
            "whose name is known only when it runs: find_spec(name)",
        ),
        (
            '# /// script\n# requires-python = ">=4"\n# dependencies = []\n# ///',
            "the notebook requires Python >=4",
        ),
        ('# /// script\n# dependencies = "a"\n# ///', "cannot be read"),
        ("import pandas\npandas.read_hdf('s3://x')", "needs tables, which is not installed"),
        ("%matplotlib widget", "%matplotlib widget needs ipympl"),
        ("%cd deeper", "it changes the working directory"),
        ("import os\nos.chdir('deeper')", "it changes the working directory"),
        ("import os\nos.system('pip install tqdm')", "installs when the notebook runs"),
    ],
)
def test_what_cannot_be_decided_is_told(cell: str, told: str, captured: Callable[..., Capture]) -> None:
    assert any(told in problem.message for problem in captured(cell).problems)


def test_a_requirements_file_elsewhere_is_not_shown(
    workspace: Path, captured: Callable[..., Capture]
) -> None:
    (workspace.parent / "passwords.txt").write_text("hunter2\n")
    (workspace / "link.txt").symlink_to(workspace.parent / "passwords.txt")
    (workspace / "linked.py").symlink_to(workspace.parent / "passwords.txt")
    found = captured(
        "%pip install -r ../passwords.txt -r link.txt\n%pip install -r /etc/hostname\nimport linked"
    )
    assert "hunter2" not in str(found.to_json())
    assert sum("in the workspace" in problem.message for problem in found.problems) == 3
    assert found.modules == {}


def test_the_notebooks_metadata_declare(captured: Callable[..., Capture]) -> None:
    found = captured("%pip install orjson==3.1", mlops={"requirements": ["orjson>=3", "polars"]})
    assert [one.text for one in found.requirements] == ["orjson==3.10.7", "polars==1.9.0"]
    found = captured("1", mlops={"requirements": "orjson"})
    assert "is no list of requirements" in found.problems[0].message


def test_requirements_files_lead_to_others(workspace: Path, captured: Callable[..., Capture]) -> None:
    (workspace / "deep").mkdir()
    (workspace / "deep" / "all.txt").write_text(
        "orjson>=3  # fast\n-r more.txt\n--index-url https://secret@host/\n"
    )
    (workspace / "deep" / "more.txt").write_text("polars ; python_version >= '3.8'\n-r all.txt\n")
    found = captured("!pip install -r deep/all.txt")
    assert [one.text for one in found.requirements] == [
        "orjson==3.10.7",
        'polars==1.9.0; python_version >= "3.8"',
    ]
