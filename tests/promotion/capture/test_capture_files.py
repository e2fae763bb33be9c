"""Modules and data files that go along, and those that must not."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from jupyter_mlops.promotion.captured import Capture
from jupyter_mlops.promotion.gathering import Search, gather


@pytest.fixture
def project(workspace: Path) -> Path:
    """Data, secrets and modules in a workspace."""
    helper = (
        "from pathlib import Path\nHERE = Path(__file__).parent\ntext = (HERE / 'helper.txt').read_text()\n"
    )
    files = {
        "nb/data/a.csv": "a", "nb/data/b.csv": "b", "nb/data/deep/c.csv": "c", "nb/weights.bin": "w",
        "shared/x.json": "{}", "nb/.env": "TOKEN=1", "nb/server.pem": "key", "nb/out.csv": "old", "nb/local.db": "db",
        "nb/sales.parquet": "p", "nb/helper.py": helper, "nb/helper.txt": "t", "nb/second.ipynb": "",
        "nb/pkg/__init__.py": "from .one import thing\n", "nb/pkg/one.py": "import yaml\nthing = 1\n",
        "nb/pkg/unused.py": "import scipy\n", "nb/names/space.py": "import joblib\n",
        "src/lib/__init__.py": "", "src/lib/tool.py": "import orjson\n", "rooted.py": "import duckdb\n",
    }  # fmt: skip
    for name, text in files.items():
        (workspace / name).parent.mkdir(parents=True, exist_ok=True)
        (workspace / name).write_text(text)
    (workspace.parent / "outside.csv").write_text("o")
    (workspace / "nb" / "link.csv").symlink_to(workspace.parent / "outside.csv")
    return workspace


@pytest.mark.usefixtures("project")
class TestModules:
    def test_what_is_imported_goes_along_and_nothing_else(self, captured: Callable[..., Capture]) -> None:
        found = captured("import pkg, helper\nfrom names import space", name="nb/work.ipynb")
        assert sorted(found.modules) == [
            "nb/helper.py",
            "nb/names/space.py",
            "nb/pkg/__init__.py",
            "nb/pkg/one.py",
        ]
        assert [one.text for one in found.requirements] == ["joblib==1.4.2", "pyyaml==6.0.2"]
        assert found.import_paths == ("nb",)
        assert found.reasons["nb/helper.py"] == "imported by nb/work.ipynb, cell 1"
        assert found.files == {"nb/helper.txt": b"t"}

    @pytest.mark.parametrize(
        "added",
        [
            "'../src'",
            "str(Path('..') / 'src')",
            "str(Path.cwd().parent / 'src')",
            "os.path.join(os.path.abspath('..'), 'src')",
            "os.path.join(os.getcwd(), '..', 'src')",
        ],
    )
    def test_a_path_that_the_code_adds(self, added: str, captured: Callable[..., Capture]) -> None:
        cell = f"import os, sys\nfrom pathlib import Path\nsys.path.insert(0, {added})\nfrom lib import tool"
        found = captured(cell, name="nb/work.ipynb")
        assert sorted(found.modules) == ["src/lib/__init__.py", "src/lib/tool.py"]
        assert found.import_paths == ("nb", "src")
        assert [one.text for one in found.requirements] == ["orjson==3.10.7"]

    def test_a_module_that_a_cell_writes(self, captured: Callable[..., Capture]) -> None:
        cells = ("%%writefile made.py\nimport pkg", "%%writefile -a made.py\nimport tqdm", "import made")
        found = captured(*cells, name="nb/work.ipynb")
        assert found.modules["nb/made.py"] == b"import pkg\nimport tqdm\n"
        assert "nb/pkg/one.py" in found.modules
        assert [one.text for one in found.requirements] == ["pyyaml==6.0.2", "tqdm==4.66.5"]

    def test_the_root_is_looked_in_last(self, captured: Callable[..., Capture], project: Path) -> None:
        (project / "pandas.py").write_text(
            "raise RuntimeError"
        )  # the installed one is what the notebook imports
        found = captured("import rooted, pandas", name="nb/work.ipynb")
        assert list(found.modules) == ["rooted.py"]
        assert found.import_paths == ("", "nb")
        assert [one.text for one in found.requirements] == ["duckdb==1.1.1", "pandas==2.2.3"]

    def test_notebooks_that_are_run(
        self, captured: Callable[..., Capture], write: Callable[..., Path]
    ) -> None:
        write("import polars\n%run third.ipynb", name="nb/second.ipynb")
        write("import lxml", name="nb/third.ipynb")
        found = captured("run('second.ipynb')", name="nb/work.ipynb")
        assert sorted(found.notebooks) == ["nb/second.ipynb", "nb/third.ipynb", "nb/work.ipynb"]
        assert [one.text for one in found.requirements] == ["lxml==5.3.0", "polars==1.9.0"]


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize(
    ("cell", "taken"),
    [
        ("open('data/a.csv')", ["nb/data/a.csv"]),
        ("import pandas as pd\npd.read_csv('data/b.csv')", ["nb/data/b.csv"]),
        ("from pathlib import Path\nDATA = Path('data')\nload(DATA / 'a.csv')", ["nb/data/a.csv"]),
        ("import os\nHERE = 'data'\nopen(os.path.join(HERE, 'deep', 'c.csv'))", ["nb/data/deep/c.csv"]),
        ("FOLDER = 'data'\nopen(f'{FOLDER}/a.csv')", ["nb/data/a.csv"]),
        ("from pathlib import Path\nPath('weights.bin').read_bytes()", ["nb/weights.bin"]),
        ("my_own_loader('../shared/x.json')", ["shared/x.json"]),
        ("import glob\nfor path in glob.glob('data/*.csv'):\n    open(path)", ["nb/data/a.csv", "nb/data/b.csv"]),
        ("from pathlib import Path\nlist(Path('data').rglob('*.csv'))",
         ["nb/data/a.csv", "nb/data/b.csv", "nb/data/deep/c.csv"]),
        ("import pandas as pd\npd.read_parquet('data')", ["nb/data/a.csv", "nb/data/b.csv", "nb/data/deep/c.csv"]),
        ("import duckdb\nduckdb.sql(\"SELECT * FROM 'sales.parquet'\")", ["nb/sales.parquet"]),
        ("frame.to_csv('out.csv')", []),
        ("frame.to_csv('out.csv')\nread_csv('out.csv')", []),
        ("read_csv('out.csv')\nframe.to_csv('out.csv')", ["nb/out.csv"]),
        ("open('out.csv', 'w')", []),
        ("from pathlib import Path\nPath('out.csv').write_text('x')", []),
        ("open('.env')", []),
        ("open('server.pem')", []),
        ("open('link.csv')", []),
        ("open('../../outside.csv')", []),
        ("open('/etc/hostname')", []),
        ("open('s3://bucket/data/a.csv')", []),
        ("open('nowhere.csv')", []),
        ("open('\\0')\nopen('x' * 5000)\nopen('~/secret')", []),
        ("print('data', 'nb', '.', '..', '')", []),
    ],
)  # fmt: skip
def test_data_files(cell: str, taken: list[str], workspace: Path, write: Callable[..., Path]) -> None:
    found = gather(write(cell, name="nb/work.ipynb"), workspace, (3, 11), Search())
    assert sorted(found.files) == taken


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize(
    ("cell", "told"),
    [
        ("open('.env')", ".env is not taken: it looks like a secret"),
        ("open('link.csv')", "link.csv is not taken: it lies outside of the workspace"),
        ("open('../../outside.csv')", "it lies outside of the workspace"),
        ("open('nowhere.csv')", "open('nowhere.csv'): there is no such file here"),
        ("read_csv(path)", "which file read_csv(path) opens is known only when it runs"),
        ("url = 'sqlite:///local.db'", "the database local.db does not go along"),
    ],
)
def test_what_is_not_taken_is_told(cell: str, told: str, captured: Callable[..., Capture]) -> None:
    found = captured(cell, name="nb/work.ipynb")
    assert any(told in problem.message and problem.where for problem in found.problems)
    assert found.is_complete


def test_a_large_file_stays_where_it_is(project: Path, captured: Callable[..., Capture]) -> None:
    path = project / "nb" / "large.bin"
    with path.open("wb") as file:
        file.truncate(2**20 + 1)
    assert captured("open('large.bin')", name="nb/work.ipynb").files == {"nb/large.bin": path}
    with path.open("wb") as file:
        file.truncate(2**29 + 1)
    found = captured("open('large.bin')", name="nb/work.ipynb")
    assert found.files == {}
    assert "it has 512" in found.problems[0].message


def test_outputs_and_installs_do_not_go_along(captured: Callable[..., Capture]) -> None:
    cells = [
        "%pip install pandas",
        "if 1:\n    !apt-get install -y libx11-6\nx = 1",
        "!ls",
        "%%bash\npip install tqdm",
    ]
    found = captured(*cells)
    nb = json.loads(found.notebooks["work.ipynb"])
    assert [cell["outputs"] for cell in nb["cells"]] == [[]] * 4
    assert ["".join(cell["source"]) for cell in nb["cells"]] == [
        "# in the image: %pip install pandas",
        "if 1:\n    pass  # in the image: !apt-get install -y libx11-6\nx = 1",
        "!ls",
        "# %%bash\n# pip install tqdm",
    ]


def test_the_same_notebook_gives_the_same_bytes(
    captured: Callable[..., Capture], write: Callable[..., Path]
) -> None:
    first = captured("import yaml", name="one.ipynb")
    path = write("import yaml", name="one.ipynb")
    nb = json.loads(path.read_text())
    nb["cells"][0]["outputs"], nb["cells"][0]["execution_count"] = [], 77
    path.write_text(json.dumps(nb, indent=3))
    again = captured("import yaml", name="one.ipynb")
    assert (first.notebooks, first.source_digest) == (again.notebooks, again.source_digest)
