"""Notebook files are what nbformat reads and writes, and a write is whole or not at all."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output, new_raw_cell

from jupyter_mlops.errors import InvalidNotebook, MlopsError, NotFound, StorageUnavailable
from jupyter_mlops.notebooks import files
from jupyter_mlops.notebooks.files import dump_notebook, load_notebook, parse_notebook, save_notebook

PNG = {"image/png": "iVBORw0K\n", "text/html": ["<b>\n", "x</b>"], "application/json": ["a", 1, None]}


def notebook() -> Any:
    return new_notebook(
        metadata={"kernelspec": {"name": "python3", "display_name": "é"}, "empty": {}, "list": [], "n": 1.5},
        cells=[
            new_markdown_cell("# Title\n\ntext", attachments={"a.png": {"image/png": "iVBO\n"}}),
            new_raw_cell("raw\u2028 \x0b text"),
            new_code_cell(
                "x = 1\nx",
                outputs=[
                    new_output("stream", name="stdout", text="a\nb\n"),
                    new_output("display_data", data=PNG),
                    new_output("execute_result", data={"text/plain": "1", "image/svg+xml": "<a>\n</a>"}),
                    new_output("error", ename="E", evalue="v", traceback=["a\nb", "c"]),
                ],
            ),
        ],
    )


def write(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_a_file_is_written_as_nbformat_writes_it(tmp_path: Path) -> None:
    nb = notebook()
    nbformat.write(nb, tmp_path / "theirs.ipynb")
    save_notebook(nb, tmp_path / "ours.ipynb")
    assert (tmp_path / "ours.ipynb").read_bytes() == (tmp_path / "theirs.ipynb").read_bytes()


def test_a_file_is_read_as_nbformat_reads_it(tmp_path: Path) -> None:
    save_notebook(notebook(), tmp_path / "a.ipynb")
    assert load_notebook(tmp_path / "a.ipynb") == nbformat.read(tmp_path / "a.ipynb", as_version=4)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@given(values, st.text(st.characters(exclude_categories=())))
def test_any_metadata_and_source_survive(value: Any, source: str) -> None:
    nb = new_notebook(metadata={"x": value}, cells=[new_code_cell(source, metadata={"y": value})])
    text = dump_notebook(nb)
    assert text == nbformat.v4.writes(nb) + "\n"
    assert parse_notebook(files.encode_text(text)) == nb


def test_lone_surrogates_survive_the_disk(tmp_path: Path) -> None:
    nb = notebook()
    nb.cells[2].outputs[0].text = "\ud800 é"
    save_notebook(nb, tmp_path / "a.ipynb")
    assert load_notebook(tmp_path / "a.ipynb")["cells"][2]["outputs"][0]["text"] == "\ud800 é"


def test_saving_does_not_change_the_notebook(tmp_path: Path) -> None:
    nb = notebook()
    nb.metadata["signature"] = "s"
    nb.cells[0].metadata["trusted"] = True
    before = json.dumps(nb)
    save_notebook(nb, tmp_path / "a.ipynb")
    assert json.dumps(nb) == before
    loaded = load_notebook(tmp_path / "a.ipynb")
    assert "signature" not in loaded["metadata"]
    assert "trusted" not in loaded["cells"][0]["metadata"]


def test_older_minor_versions_get_ids_that_do_not_change(tmp_path: Path) -> None:
    cells = [
        {"cell_type": "code", "source": ["a\n", "b"], "metadata": {}, "outputs": [], "execution_count": None}
    ]
    old = {"nbformat": 4, "nbformat_minor": 2, "metadata": {}, "cells": cells * 2}
    path = write(tmp_path / "a.ipynb", json.dumps(old))
    nb = load_notebook(path)
    assert nb["nbformat_minor"] == 5
    assert nb["cells"][0]["source"] == "a\nb"
    assert nb["cells"][0]["id"] != nb["cells"][1]["id"]
    assert load_notebook(path) == nb
    nbformat.validate(nbformat.from_dict(nb))


def test_two_cells_with_one_id_are_told_apart() -> None:
    nb = json.loads(dump_notebook(notebook()))
    for cell in nb["cells"]:
        cell["id"] = "same"
    ids = [cell["id"] for cell in parse_notebook(json.dumps(nb))["cells"]]
    assert ids[0] == "same"
    assert len(set(ids)) == 3


def test_format_3_is_upgraded(tmp_path: Path) -> None:
    old = nbformat.v3.new_notebook(
        worksheets=[
            nbformat.v3.new_worksheet(
                cells=[
                    nbformat.v3.new_code_cell(input="x = 1"),
                    nbformat.v3.new_heading_cell("Title", level=2),
                ]
            )
        ]
    )
    nb = load_notebook(write(tmp_path / "old.ipynb", json.dumps(old)))
    assert [cell["source"] for cell in nb["cells"]] == ["x = 1", "## Title"]
    assert nb["nbformat"] == 4


MALFORMED = {
    "empty": ("", "it is empty"),
    "spaces": (" \n", "it is empty"),
    "no JSON": ('{"cells": [', "it is not JSON: line 1, column 12"),
    "merge conflict": ('{\n<<<<<<< HEAD\n "a": 1\n=======\n}', "unresolved merge conflict"),
    "no text": (b"\xff\xfe\x00", "not UTF-8 text"),
    "other JSON": ("[1, 2]", "without 'nbformat'"),
    "no format": ('{"cells": []}', "without 'nbformat'"),
    "no cells": ('{"nbformat": 4, "nbformat_minor": 5, "metadata": {}}', "'cells'"),
    "a cell that is none": ('{"nbformat": 4, "cells": [1]}', "cell 1 is not a notebook: its 'cell_type'"),
    "an unknown cell": ('{"nbformat": 4, "cells": [{"cell_type": "sql"}]}', "'cell_type'"),
    "a source that is none": ('{"nbformat": 4, "cells": [{"cell_type": "raw", "source": 1}]}', "'source'"),
    "outputs that are none": (
        '{"nbformat": 4, "cells": [{"cell_type": "code", "outputs": {}}]}',
        "'outputs'",
    ),
    "data that are none": (
        '{"nbformat": 4, "cells": [{"cell_type": "code", "outputs": '
        '[{"output_type": "display_data", "data": 1}]}]}',
        "data",
    ),
    "metadata that are none": ('{"nbformat": 4, "metadata": [], "cells": []}', "'metadata'"),
    "a minor that is none": ('{"nbformat": 4, "nbformat_minor": "x", "cells": []}', "'nbformat_minor'"),
    "a newer format": ('{"nbformat": 5, "cells": []}', "format 5"),
    "a broken older format": ('{"nbformat": 3, "worksheets": 1}', "old format 3"),
    "too deep": ("[" * 100_000, "cannot be read"),
}


@pytest.mark.parametrize(("content", "message"), MALFORMED.values(), ids=MALFORMED)
def test_a_malformed_notebook_says_what_is_wrong_and_how_to_mend_it(
    tmp_path: Path, content: str | bytes, message: str
) -> None:
    path = write(tmp_path / "bad.ipynb", content)
    with pytest.raises(InvalidNotebook) as caught:
        load_notebook(path)
    assert message in str(caught.value)
    assert str(path) in str(caught.value)
    assert caught.value.hint


anything = st.recursive(
    st.none() | st.integers(0, 5) | st.sampled_from(["code", "markdown", "stream", "display_data"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "cells",
                    "cell_type",
                    "source",
                    "metadata",
                    "outputs",
                    "output_type",
                    "data",
                    "attachments",
                    "text",
                    "id",
                ]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)


@given(anything, st.sampled_from([3, 4]))
def test_any_json_is_a_notebook_or_refused_with_reason(cells: Any, version: int) -> None:
    members = {"nbformat": version, "cells" if version == 4 else "worksheets": cells, "metadata": {}}
    try:
        nb = parse_notebook(json.dumps(members))
    except InvalidNotebook as error:
        reason = str(error)
        assert reason
    else:
        parse_notebook(dump_notebook(nb))


@given(st.binary())
def test_any_bytes_are_a_notebook_or_refused(content: bytes) -> None:
    with pytest.raises(InvalidNotebook):
        parse_notebook(content)


def test_a_missing_notebook_names_the_nearest(tmp_path: Path) -> None:
    save_notebook(notebook(), tmp_path / "train.ipynb")
    with pytest.raises(NotFound, match=r"trian\.ipynb") as caught:
        load_notebook(tmp_path / "trian.ipynb")
    assert "train.ipynb" in caught.value.hint


def test_a_folder_is_no_notebook(tmp_path: Path) -> None:
    with pytest.raises(InvalidNotebook, match="folder"):
        load_notebook(tmp_path)
    with pytest.raises(StorageUnavailable, match="cannot be written"):
        save_notebook(notebook(), tmp_path)


def test_saving_needs_the_folder(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="there is no folder"):
        save_notebook(notebook(), tmp_path / "none" / "a.ipynb")


def test_what_json_cannot_hold_is_refused_and_the_old_file_stays(tmp_path: Path) -> None:
    path = write(tmp_path / "a.ipynb", "old")
    nb = notebook()
    nb.metadata["x"] = object()
    with pytest.raises(InvalidNotebook, match="object"):
        save_notebook(nb, path)
    assert path.read_text() == "old"


def test_permissions_and_links_stay(tmp_path: Path) -> None:
    path = write(tmp_path / "a.ipynb", "old")
    path.chmod(0o640)
    (tmp_path / "link.ipynb").symlink_to(path)
    save_notebook(notebook(), tmp_path / "link.ipynb")
    assert (tmp_path / "link.ipynb").is_symlink()
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert load_notebook(path)["cells"]
    save_notebook(notebook(), tmp_path / "new.ipynb")
    umask = os.umask(0)
    os.umask(umask)
    assert stat.S_IMODE((tmp_path / "new.ipynb").stat().st_mode) == 0o666 & ~umask


def test_a_full_disk_leaves_the_old_file_and_no_rest(tmp_path: Path) -> None:
    # The kernel's own limit on file sizes: the write breaks off in the middle, as on a full disk.
    code = f"""
        import resource, signal
        from jupyter_mlops.errors import StorageUnavailable
        from jupyter_mlops.notebooks.files import load_notebook, save_notebook
        path = {str(tmp_path / "a.ipynb")!r}
        nb = {{"nbformat": 4, "nbformat_minor": 5, "metadata": {{}}, "cells": []}}
        save_notebook(nb, path)
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
        try:
            save_notebook({{**nb, "metadata": {{"x": "y" * 100_000}}}}, path)
        except StorageUnavailable as error:
            print("refused:", error)
        assert load_notebook(path) == nb
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=True
    )
    assert "refused:" in done.stdout
    assert [path.name for path in tmp_path.iterdir()] == ["a.ipynb"]


def test_many_writers_leave_one_whole_file(tmp_path: Path) -> None:
    code = f"""
        import sys
        from jupyter_mlops.notebooks.files import load_notebook, save_notebook
        nb = {{"nbformat": 4, "nbformat_minor": 5, "metadata": {{"x": sys.argv[1] * 50_000}}, "cells": []}}
        for _ in range(50):
            save_notebook(nb, {str(tmp_path / "a.ipynb")!r})
            load_notebook({str(tmp_path / "a.ipynb")!r})
    """
    writers = [subprocess.Popen([sys.executable, "-c", textwrap.dedent(code), letter]) for letter in "abc"]
    assert [writer.wait() for writer in writers] == [0, 0, 0]
    assert len(load_notebook(tmp_path / "a.ipynb")["metadata"]["x"]) == 50_000
    assert [path.name for path in tmp_path.iterdir()] == ["a.ipynb"]


def test_neither_nbformat_nor_papermill_is_imported_for_a_notebook_of_today(tmp_path: Path) -> None:
    save_notebook(notebook(), tmp_path / "a.ipynb")
    code = f"""
        import sys
        from jupyter_mlops.notebooks.files import load_notebook, save_notebook
        from jupyter_mlops.notebooks.inject import inject
        from jupyter_mlops.notebooks.parameters import bind, read_parameters
        nb = load_notebook({str(tmp_path / "a.ipynb")!r})
        save_notebook(inject(nb, bind(read_parameters(nb), {{"n": 1}})), {str(tmp_path / "b.ipynb")!r})
        print(*sorted({{"nbformat", "papermill", "numpy", "IPython", "fsspec"}} & set(sys.modules)))
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == ""


def test_errors_are_of_our_tree() -> None:
    assert issubclass(InvalidNotebook, MlopsError)
    assert files.language({"metadata": {"kernelspec": {"language": "R"}}}) == "R"
    assert files.language({"metadata": {"language_info": None}}) == "python"
