"""A notebook is saved while it runs, whole each time, at a cost that grows with what is new."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jupyter_mlops.errors import NotFound
from jupyter_mlops.notebooks import files, writer
from jupyter_mlops.notebooks.files import dump_notebook
from jupyter_mlops.notebooks.writer import NotebookWriter, autosaving

Make = Callable[..., dict[str, Any]]


def stream(text: str) -> dict[str, Any]:
    return {"output_type": "stream", "name": "stdout", "text": text}


def test_the_text_is_the_notebooks_as_of_now(make_notebook: Make):
    nb = make_notebook("1", "2")
    held: list[str] = ["late"]

    def flush() -> None:
        if held:
            nb["cells"][1]["outputs"].append(stream(held.pop()))

    saving = NotebookWriter(nb, None, flush)
    assert saving.text() == dump_notebook(nb)
    assert "late" in saving.text()
    nb["cells"][0]["outputs"].append(stream("more"))
    saving.touch(0)
    assert saving.text() == dump_notebook(nb)
    nb["cells"].insert(0, dict(nb["cells"][0], id="new"))
    saving.touch()
    assert saving.text() == dump_notebook(nb)


def test_cells_that_did_not_change_are_not_made_again(make_notebook: Make, monkeypatch: pytest.MonkeyPatch):
    nb = make_notebook(*["x"] * 50)
    saving = NotebookWriter(nb, None, lambda: None)
    saving.text()
    made: list[str] = []
    monkeypatch.setattr(writer, "dump_cell", lambda cell: made.append(cell["id"]) or files.dump_cell(cell))
    saving.touch(7)
    saving.touch(7)
    assert saving.text() == dump_notebook(nb)
    assert made == ["cell-7"]


def test_saves_are_few_whole_and_only_when_something_changed(
    make_notebook: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(writer, "_INTERVAL_SECONDS", 0.05)
    nb, path, saves = make_notebook("1"), tmp_path / "out.ipynb", []
    monkeypatch.setattr(writer, "write_text", lambda text, to: saves.append(files.write_text(text, to)))

    async def change_often() -> None:
        saving = NotebookWriter(nb, path, lambda: None)
        async with autosaving(saving):
            until = time.monotonic() + 0.5
            while time.monotonic() < until:
                nb["cells"][0]["outputs"][:] = [stream(str(time.monotonic()))]
                saving.touch(0)
                await asyncio.sleep(0.001)
                if path.exists():
                    assert json.loads(path.read_text())["cells"][0]["id"] == "cell-0"
            await asyncio.sleep(0.3)  # the last change is saved, and then nothing more
            count = len(saves)
            await asyncio.sleep(0.3)
            assert len(saves) == count

    asyncio.run(change_often())
    assert 1 <= len(saves) <= 12
    assert json.loads(path.read_text())["cells"][0]["outputs"] == [
        {**stream(""), "text": [nb["cells"][0]["outputs"][0]["text"]]}
    ]
    assert [each.name for each in tmp_path.iterdir()] == ["out.ipynb"]


def test_a_slow_save_does_not_overtake_the_last_one(
    make_notebook: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(writer, "_INTERVAL_SECONDS", 0.01)
    path = tmp_path / "out.ipynb"

    def slow(text: str, to: Path) -> None:
        if "last" not in text:
            time.sleep(0.3)
        files.write_text(text, to)

    monkeypatch.setattr(writer, "write_text", slow)

    async def run() -> None:
        nb = make_notebook("first")
        saving = NotebookWriter(nb, path, lambda: None)
        async with autosaving(saving):
            await asyncio.sleep(0.1)
        nb["cells"][0]["source"] = "last"
        saving.touch(0)
        saving.save(saving.text())
        await asyncio.sleep(0.5)

    asyncio.run(run())
    assert json.loads(path.read_text())["cells"][0]["source"] == ["last"]


def test_a_place_that_does_not_take_it_is_logged_while_it_runs_and_told_at_the_end(
    make_notebook: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    monkeypatch.setattr(writer, "_INTERVAL_SECONDS", 0.02)

    async def run() -> None:
        saving = NotebookWriter(make_notebook("1"), tmp_path / "nowhere" / "out.ipynb", lambda: None)
        async with autosaving(saving):
            await asyncio.sleep(0.2)
        with pytest.raises(NotFound):
            saving.save(saving.text())

    asyncio.run(run())
    assert "nowhere" in caplog.text
