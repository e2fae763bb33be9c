"""What a notebook emits: results, artifacts, inputs; in IPython, in a kernel and in plain Python."""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
import sys
import threading
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jupyter_mlops import emit
from jupyter_mlops.blobs import BlobStore, parse_reference
from jupyter_mlops.errors import InvalidInput, NotFound
from jupyter_mlops.notebooks.outputs import read_artifacts, read_results


@pytest.fixture(autouse=True)
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is a workspace, outside any run."""
    for variable in list(os.environ):
        if variable.startswith("MLOPS_"):
            monkeypatch.delenv(variable)
    (tmp_path / "mlops.toml").write_text("")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What a real IPython shell was asked to display."""
    from IPython.core.interactiveshell import InteractiveShell
    from IPython.testing.globalipapp import start_ipython

    shell = start_ipython() or InteractiveShell.instance()
    outputs: list[dict[str, Any]] = []
    publish = lambda data, metadata=None, **_: outputs.append({"data": data, "metadata": metadata})  # noqa: E731
    monkeypatch.setattr(shell.display_pub, "publish", publish)
    return outputs


FRAME = pd.DataFrame(
    {
        "n": [1, 2, 3],
        "x": [0.5, None, 2.5],
        "s": ["a", None, "c"],
        "t": pd.to_datetime(["2024-01-01", "2024-01-02", None], utc=True),
        "c": pd.Categorical(["u", "v", "u"]),
    },
    index=pd.Index([10, 20, 30], name="key"),
)


# --- results ----------------------------------------------------------------------------------------------


def test_a_result_is_stored_as_scrapbook_stores_it_and_reads_nicely(shown: list[dict[str, Any]]):
    assert emit.result("auc", 0.91) is None
    (output,) = shown
    assert output["data"]["application/scrapbook.scrap.json+json"] == {
        "name": "auc", "data": 0.91, "encoder": "json", "version": 1,
    }  # fmt: skip
    assert output["metadata"] == {"scrapbook": {"name": "auc", "data": True, "display": False}}
    assert output["data"]["text/plain"] == "auc = 0.91"
    assert "<strong>auc</strong>" in output["data"]["text/html"]


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (np.int64(3), 3),
        (np.float32(0.5), 0.5),
        (np.float64(0.25), 0.25),
        (np.bool_(True), True),
        (np.str_("a"), "a"),
        ((1, 2), [1, 2]),
        ({"a": [np.int8(1), {"b": None}]}, {"a": [1, {"b": None}]}),
        ("é", "é"),
    ],
)
def test_values_of_numpy_become_plain_json(shown: list[dict[str, Any]], value: Any, plain: Any):
    emit.result("x", value)
    data = shown[0]["data"]["application/scrapbook.scrap.json+json"]["data"]
    assert data == plain
    assert json.loads(json.dumps(data)) == plain
    assert type(data) is type(plain)


@pytest.mark.parametrize(
    ("value", "message", "hint"),
    [
        (float("nan"), "no word for", "None"),
        ({"a": [1, np.float64("inf")]}, "['a'][1]", "None"),
        (dt.date(2024, 1, 1), "is a date", "isoformat"),
        (np.arange(3), "is a ndarray", "tolist"),
        (Decimal(1), "is a Decimal", "artifact"),
        ({1: 2}, "key 1", "str(key)"),
        ("x" * 70_000, "at most 64 KiB", "artifact"),
    ],
)
def test_what_json_cannot_hold_is_refused_with_a_cure(value: Any, message: str, hint: str):
    with pytest.raises(InvalidInput) as caught:
        emit.result("x", value)
    assert message in str(caught.value)
    assert hint in caught.value.hint


@pytest.mark.parametrize("name", ["", "1a", "a b", "a.b", "../x", None, 7])
def test_names_that_cannot_be_referred_to_are_refused(name: Any):
    with pytest.raises(InvalidInput, match="cannot name"):
        emit.result(name, 1)
    with pytest.raises(InvalidInput, match="cannot name"):
        emit.artifact(name, b"")


def test_html_of_a_result_is_escaped(shown: list[dict[str, Any]]):
    emit.result("x", "<script>alert(1)</script>")
    assert "<script>" not in shown[0]["data"]["text/html"]


# --- artifacts --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "suffix"),
    [
        (b"\x00\x01", "bin"),
        ({"a": [1, 2.5, None, "é"]}, "json"),
        ([1, "b"], "json"),
        ({1: "a"}, "pkl"),
        ([(1, 2)], "pkl"),
        ({"a": Decimal("1.10")}, "pkl"),
        (dt.date(2024, 1, 1), "pkl"),
    ],
)
def test_a_value_comes_back_as_it_was(value: Any, suffix: str):
    reference = emit.artifact("thing", value)
    parsed = parse_reference(reference)
    assert parsed is not None
    assert (parsed.name, parsed.format) == ("thing", suffix)
    assert emit.input(reference) == value
    assert type(emit.input(reference)) is type(value)


def test_a_function_of_the_notebook_travels():
    factor = 3
    assert emit.input(emit.artifact("triple", lambda x: x * factor))(2) == 6


def test_an_array_comes_back_and_one_of_objects_is_pickled():
    array = np.arange(6, dtype="int16").reshape(2, 3)
    reference = emit.artifact("a", array)
    assert reference.endswith("/a.npy")
    np.testing.assert_array_equal(emit.input(reference), array)
    assert emit.artifact("a", np.array([{}], dtype=object)).endswith("/a.pkl")


def test_a_frame_comes_back_with_its_index_types_and_gaps():
    reference = emit.artifact("train", FRAME)
    assert reference.endswith("/train.parquet")
    pd.testing.assert_frame_equal(emit.input(reference), FRAME)


def test_an_arrow_table_is_parquet_too_whatever_its_chunks():
    table = pa.table({"n": list(range(1000))})
    reference = emit.artifact("t", table)
    assert emit.artifact("t", pa.concat_tables([table.slice(0, 300), table.slice(300)])) == reference
    assert emit.input(reference)["n"].sum() == 499_500


def test_equal_frames_have_equal_digests_in_any_process(workspace: Path):
    reference = emit.artifact("train", FRAME)
    assert emit.artifact("train", FRAME.copy(deep=True)) == reference
    assert emit.artifact("train", FRAME.iloc[::-1].iloc[::-1]) == reference
    program = (
        "import pandas as pd; from jupyter_mlops import emit; from tests_frame import FRAME;"
        "print(emit.artifact('train', FRAME))"
    )
    source = Path(__file__).read_text()
    frame = source[source.index("FRAME = ") : source.index("# --- results")]
    (workspace / "tests_frame.py").write_text(f"import pandas as pd\n{frame}")
    again = subprocess.run(
        [sys.executable, "-c", program], cwd=workspace, capture_output=True, text=True, check=True
    )
    assert again.stdout.strip() == reference


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.tuples(st.integers(-9, 9), st.floats(allow_nan=False), st.text(max_size=5)), max_size=20))
def test_frames_round_trip(rows: list[tuple[int, float, str]]):
    frame = pd.DataFrame(rows, columns=["i", "f", "s"]).astype({"i": "int64", "f": "float64", "s": "str"})
    reference = emit.artifact("f", frame)
    pd.testing.assert_frame_equal(emit.input(reference), frame)
    assert emit.artifact("f", frame.copy()) == reference


def test_a_frame_that_parquet_cannot_hold_says_which_column():
    with pytest.raises(InvalidInput, match="odd"):
        emit.artifact("f", pd.DataFrame({"odd": [1, "a", {}]}))


def test_a_file_keeps_its_suffix_and_comes_back_as_a_path_with_its_name(workspace: Path):
    for name, suffix in (("m.tar.gz", "tar.gz"), ("v1.2.csv", "csv"), ("README", "")):
        (workspace / name).write_text("content")
        for path in (name, workspace / name):
            reference = parse_reference(emit.artifact("file", path))
            assert reference is not None
            assert reference.format == suffix
        opened = emit.input(str(reference))
        assert opened.read_text() == "content"
        assert opened.name == f"file.{suffix}".rstrip(".")


def test_a_path_can_be_asked_for_in_any_format():
    path = emit.input(emit.artifact("train", FRAME), as_path=True)
    assert path.name == "train.parquet"
    assert len(pd.read_parquet(path)) == 3


def test_what_is_no_file_says_what_to_do(workspace: Path):
    with pytest.raises(NotFound, match="no file") as caught:
        emit.artifact("x", "models/missing.pkl")
    assert "encode" in caught.value.hint
    with pytest.raises(InvalidInput, match="is a text"):
        emit.artifact("x", "two\nlines")
    with pytest.raises(InvalidInput, match="folder"):
        emit.artifact("x", workspace)


def test_what_cannot_be_pickled_is_told():
    with pytest.raises(InvalidInput, match="is a lock that cannot be pickled"):
        emit.artifact("x", threading.Lock())


def test_a_figure_becomes_a_png_that_does_not_depend_on_the_moment():
    from matplotlib.figure import Figure

    def draw() -> Figure:
        figure = Figure()
        figure.subplots().plot([1, 2])
        return figure

    reference = emit.artifact("plot", draw())
    assert reference.endswith("/plot.png")
    assert emit.artifact("plot", draw()) == reference
    assert emit.input(reference).read_bytes().startswith(b"\x89PNG")


def test_an_artifact_tells_the_reader_its_shape_and_size(shown: list[dict[str, Any]]):
    reference = emit.artifact("train", FRAME)
    body = shown[0]["data"]["application/vnd.jupyter-mlops.artifact+json"]
    assert body["reference"] == reference
    assert body["summary"] == {"rows": 3, "columns": 5, "column_names": ["n", "x", "s", "t", "c"]}
    assert body["size_bytes"] > 0
    assert "3 rows × 5 columns" in shown[0]["data"]["text/html"]
    assert shown[0]["data"]["text/plain"].startswith("train: parquet, 3 rows × 5 columns, ")
    assert "color:inherit" in shown[0]["data"]["text/html"]


def test_in_a_kernel_what_is_emitted_is_found_in_the_notebook(workspace: Path):
    import nbclient
    from nbformat.v4 import new_code_cell, new_notebook

    source = """
from jupyter_mlops import emit
emit.result("auc", 0.91)
reference = emit.artifact("train", {"rows": 3})
assert emit.input(reference) == {"rows": 3}
"""
    nb = new_notebook(cells=[new_code_cell(source)])
    nbclient.NotebookClient(nb, resources={"metadata": {"path": str(workspace)}}).execute()
    assert read_results(nb) == {"auc": 0.91}
    artifacts = read_artifacts(nb)
    assert artifacts.keys() == {"train"}
    assert emit.input(artifacts["train"]["reference"]) == {"rows": 3}


# --- inputs -----------------------------------------------------------------------------------------------


def test_a_run_says_by_its_environment_where_blobs_are_and_what_a_name_means(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("MLOPS_BLOBS", str(workspace / "elsewhere"))
    monkeypatch.setenv("MLOPS_RUN_ID", "r1")
    reference = emit.artifact("train", {"a": 1})
    assert len(list(BlobStore(workspace / "elsewhere").digests())) == 1
    monkeypatch.setenv("MLOPS_INPUTS", json.dumps({"train": reference}))
    assert emit.input("train") == {"a": 1}
    with pytest.raises(NotFound, match="no input 'trian'") as caught:
        emit.input("trian")
    assert "did you mean 'train'?" in caught.value.hint


def test_outside_a_run_a_name_means_the_newest_artifact_in_the_catalog(workspace: Path):
    from jupyter_mlops.catalog import Catalog
    from jupyter_mlops.catalog.records import Artifact

    with pytest.raises(NotFound, match="nothing has run"):
        emit.input("train")
    references = [emit.artifact("train", {"version": version}) for version in (1, 2)]
    catalog = Catalog.open(f"sqlite:///{workspace / '.mlops' / 'catalog.db'}")
    for day, reference in enumerate(references, start=1):
        parsed = parse_reference(reference)
        assert parsed is not None
        catalog.add(
            Artifact(
                run_id=f"r{day}", task="t", name="train", reference=reference, digest=parsed.digest,
                format="json", created_at=dt.datetime(2024, 1, day, tzinfo=dt.UTC),
            )
        )  # fmt: skip
    catalog.close()
    assert emit.input("train") == {"version": 2}
    with pytest.raises(NotFound) as caught:
        emit.input("trains")
    assert "did you mean 'train'?" in caught.value.hint


def test_a_local_file_opens_in_the_same_way_so_that_a_notebook_works_by_hand(workspace: Path):
    FRAME.to_parquet(workspace / "train.parquet")
    pd.testing.assert_frame_equal(emit.input("train.parquet"), FRAME)
    assert emit.input(workspace / "train.parquet", as_path=True) == workspace / "train.parquet"


def test_a_pickle_outside_the_blob_store_is_not_opened(workspace: Path):
    (workspace / "evil.pkl").write_bytes(b"cos\nsystem\n(S'touch pwned'\ntR.")
    with pytest.raises(InvalidInput, match="outside the blob store"):
        emit.input("evil.pkl")
    assert not (workspace / "pwned").exists()


def test_a_blob_that_is_not_here_is_not_found():
    with pytest.raises(NotFound):
        emit.input(f"blob://sha256/{'0' * 64}/x.json")


# --- surroundings -----------------------------------------------------------------------------------------


def test_importing_it_is_light():
    program = (
        "import sys, time; start = time.process_time(); import jupyter_mlops.emit; "
        "print(time.process_time() - start, [name for name in "
        "('pandas', 'numpy', 'pyarrow', 'sqlalchemy', 'fsspec', 'IPython', 'yaml') if name in sys.modules])"
    )
    seconds, heavy = min(
        subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
        .stdout.strip()
        .split(" ", 1)
        for _ in range(3)
    )
    assert heavy == "[]"
    assert float(seconds) < 0.2  # of CPU: about 0.03 s


def test_outside_ipython_nothing_is_displayed_and_all_works(workspace: Path):
    program = (
        "from jupyter_mlops import emit; emit.result('a', 1); r = emit.artifact('b', {'k': 1}); "
        "print(emit.input(r))"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=workspace, capture_output=True, text=True)
    assert (done.stdout, done.stderr, done.returncode) == ("{'k': 1}\n", "", 0)
