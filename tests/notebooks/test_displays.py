"""What very many small outputs cost grows with their number, and no faster: told by counts, not by times."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from jupyter_mlops.blobs import BlobStore, parse_reference
from jupyter_mlops.errors import StorageUnavailable
from jupyter_mlops.kernels.channels import WireChannels
from jupyter_mlops.notebooks import collector as module
from jupyter_mlops.notebooks.collector import Collector
from jupyter_mlops.notebooks.displays import Displays
from jupyter_mlops.notebooks.execute import Limits, NotebookOutcome
from jupyter_mlops.notebooks.outputs import limit_outputs, read_results
from jupyter_mlops.notebooks.secrets import Mask
from jupyter_mlops.notebooks.writer import NotebookWriter

Run = Callable[..., NotebookOutcome]
SECRET = "hunter2-is-secret"


def shown(text: str) -> dict[str, Any]:
    return {"output_type": "display_data", "data": {"text/plain": text}, "metadata": {}}


class Counting(Mask):
    """A mask that counts the outputs it has looked through."""

    looked = 0

    def output(self, output: Any) -> dict[str, Any]:
        self.looked += 1
        return super().output(output)


def collecting(
    mask: Mask | None = None, limit: int = 10_000, blobs: BlobStore | None = None
) -> tuple[Collector, list[int]]:
    touched: list[int] = []
    made = Collector(mask or Mask(), limit, blobs, touched=touched.append, streamed=lambda *_: None)
    return made, touched


# --- displays under an id ---------------------------------------------------------------------------------


def test_a_display_that_changes_often_is_looked_through_when_it_is_saved():
    mask = Counting([SECRET])
    collector, touched = collecting(mask)
    collector.begin(0, outputs := [])
    collector.add(shown("0"), "bar")
    for number in range(100_000):
        collector.update("bar", {"text/plain": f"{number} {SECRET}"}, {"k": number})
        if number % 25_000 == 0:
            collector.flush()
            assert outputs == [{**shown(f"{number} ****"), "metadata": {"k": number}}]
    collector.end()
    assert outputs == [{**shown("99999 ****"), "metadata": {"k": 99_999}}]
    assert mask.looked == 1 + 4 + 1
    assert len(touched) == 1 + 4 + 1  # whoever saves must know once, until it has looked


def test_many_displays_under_one_id_change_together_once():
    mask = Counting([SECRET])
    collector, _ = collecting(mask)
    collector.begin(0, first := [])
    for number in range(5000):
        collector.add(shown(str(number)), "p")
    assert first[0] == shown("0")  # nobody has looked
    collector.end()
    assert first == [shown("4999")] * 5000
    assert mask.looked == 5001
    collector.begin(1, second := [])
    collector.add(shown("last"), "p")
    collector.update("other", {"text/plain": "nobody shows it"}, {})
    collector.end()
    assert first + second == [shown("last")] * 5001


def test_cells_whose_displays_change_are_saved_again(make_notebook: Callable[..., dict[str, Any]]):
    nb = make_notebook("first", "second")
    collector, _ = collecting()
    writer = NotebookWriter(nb, None, collector.flush)
    collector._touched = writer.touch
    collector.begin(0, nb["cells"][0]["outputs"])
    collector.add(shown("old"), "d")
    collector.end()
    assert '"old"' in writer.text()
    collector.begin(1, nb["cells"][1]["outputs"])
    for text in ("new", "newer"):
        collector.update("d", {"text/plain": text}, {})
        assert f'"{text}"' in writer.text()
    collector.update("d", {"text/plain": "newest"}, {})
    collector.end()
    assert '"newest"' in writer.text()


class Ids(dict[str, Any]):
    """Counts how often somebody goes through all of it."""

    walked = 0

    def __iter__(self) -> Iterator[str]:
        self.walked += 1
        return super().__iter__()

    def values(self) -> Any:
        self.walked += 1
        return super().values()

    def items(self) -> Any:
        self.walked += 1
        return super().items()


def test_what_is_cleared_is_forgotten_without_looking_through_the_rest():
    collector, _ = collecting()
    collector.begin(0, kept := [])
    for number in range(1000):
        collector.add(shown("kept"), f"kept-{number}")
    collector.end()
    known = collector._displays._by_id = Ids(collector._displays._by_id)
    collector.begin(1, outputs := [])
    for number in range(1000):
        collector.clear(waits=True)
        collector.add(shown(str(number)), f"gone-{number}")
    collector.end()
    assert known.walked == 0
    assert set(known) == {*(f"kept-{number}" for number in range(1000)), "gone-999"}
    assert outputs == [shown("999")]
    collector.update("gone-3", {"text/plain": "nowhere"}, {})
    collector.update("kept-3", {"text/plain": "changed"}, {})
    collector.clear(waits=False)
    collector.end()
    assert (outputs, kept[3], kept[4]) == ([], shown("changed"), shown("kept"))


def test_a_change_is_gone_with_the_display_but_not_with_that_of_another_cell():
    displays = Displays()
    one, two = shown("1"), shown("2")
    displays.add("d", 0, one, 1)
    displays.add("d", 1, two, 1)
    assert displays.note("d", shown("new")) == [0, 1]
    assert displays.note("d", shown("newer")) == []
    displays.forget(1)
    assert displays.show(lambda output: (output, 5)) == 5 - 2
    assert (one, two) == (shown("newer"), shown("2"))
    assert displays.note("d", shown("never")) == [0]
    displays.forget(0)
    assert displays.show(lambda output: (output, 5)) == 0
    assert displays.note("d", shown("never")) == []


def test_only_what_is_left_of_a_display_is_spilled_and_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    blobs = BlobStore(tmp_path / "blobs")
    collector, _ = collecting(limit=10_000, blobs=blobs)
    collector.begin(0, outputs := [])
    collector.add(shown("small"), "d")
    for number in range(1000):  # 5 MB, one after the other: all of them would be more than may be displayed
        collector.update("d", {"text/plain": f"{number}" + "x" * 5_000}, {})
        collector.flush()
    collector.add(shown("y" * 5_000))
    for number in range(1000):
        collector.update("d", {"text/plain": f"{number}\n" + "x" * 20_000}, {})
    collector.end()
    assert outputs[1] == shown("y" * 5_000)
    assert len(list(blobs.digests())) == 1
    assert "spilled to" in outputs[0]["data"]["text/plain"]

    def full(output: Any, *_: Any) -> Any:
        raise StorageUnavailable("No space left on device")

    monkeypatch.setattr(module, "limit_outputs", full)
    collector.begin(1, [])
    collector.update("d", {"text/plain": "z" * 20_000}, {})
    for look in (collector.flush, collector.flush, collector.end):
        with pytest.raises(StorageUnavailable):
            look()
    collector.flush()  # it was told
    monkeypatch.setattr(module, "limit_outputs", limit_outputs)
    assert "spilled to" in outputs[0]["data"]["text/plain"]


# --- Output widgets ---------------------------------------------------------------------------------------

CAPTURED = """
import ipywidgets, sys
out = ipywidgets.Output()
for number in range({count}):
    with out:
        print(number)
        print('e', file=sys.stderr)
        display(number)
"""


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """What is sent to kernels from now on."""
    kept: list[bytes] = []
    write = WireChannels._write

    def noting(self: WireChannels, channel: int, parts: list[bytes]) -> None:
        kept.append(b"".join(parts))
        write(self, channel, parts)

    monkeypatch.setattr(WireChannels, "_write", noting)
    return kept


def widget_outputs(outcome: NotebookOutcome) -> list[dict[str, Any]]:
    assert outcome.error is None
    state = outcome.notebook["metadata"]["widgets"]["application/vnd.jupyter.widget-state+json"]["state"]
    (model,) = [each["state"] for each in state.values() if each["model_name"] == "OutputModel"]
    found: list[dict[str, Any]] = model["outputs"]
    return found


def test_the_kernel_is_told_what_its_widgets_capture_as_often_as_it_hears(run: Run, sent: list[bytes]):
    outcome = run(CAPTURED.format(count=100), "len(out.outputs), out.outputs[-1]['data']")
    told = [each for each in sent if b'"comm_msg"' in each]
    assert len(told) == 2  # the first output, when the kernel was busy; all of it, when the cell was done
    outputs = widget_outputs(outcome)
    assert len(outputs) == 300
    assert [one["output_type"] for one in outputs[-3:]] == ["stream", "stream", "display_data"]
    assert outputs[-3:-1] == [
        {"output_type": "stream", "name": "stdout", "text": "99\n"},
        {"output_type": "stream", "name": "stderr", "text": "e\n"},
    ]
    (result,) = outcome.notebook["cells"][1]["outputs"]
    assert result["data"]["text/plain"] == "(300, {'text/plain': '99'})"


def test_a_cell_that_waits_hears_what_was_captured_meanwhile(run: Run, sent: list[bytes]):
    waits = (
        "import asyncio, ipywidgets\nout = ipywidgets.Output()\nseen = []\n"
        "async def seen_after(count):\n"
        "    while len(out.outputs) < count: await asyncio.sleep(0.01)\n"
        "for number in range(5):\n"
        "    with out: display(number)\n"
        "    await seen_after(number + 1)\n"
        "print('heard')"
    )
    outcome = run(waits, limits=Limits(timeout_seconds=60))
    assert len(widget_outputs(outcome)) == 5
    assert outcome.notebook["cells"][0]["outputs"][0]["text"] == "heard\n"
    assert len([each for each in sent if b'"comm_msg"' in each]) == 5


def test_what_a_widget_captures_is_bounded_masked_and_cleared_as_outputs_are(run: Run, tmp_path: Path):
    blobs = BlobStore(tmp_path / "blobs")
    outcome = run(
        "import os, ipywidgets\nfrom IPython.display import clear_output\n"
        "out = ipywidgets.Output()\ns = os.environ['S']\n"
        "with out: print('gone')\n"
        "with out: clear_output(wait=True); print('first ' + s[:5], end='', flush=True)\n"
        "with out: print(s[5:])\n",
        "with out: print('x' * 20_000_000)",
        "with out: 1 / 0",
        request={"env": {"S": SECRET}},
        mask=Mask([SECRET]),
        blobs=blobs,
    )
    printed, error = widget_outputs(outcome)
    assert printed["text"].startswith("first ****\nxxxx")
    assert "19.1 MiB spilled to blob://" in printed["text"]
    assert len(printed["text"]) < 10_000
    assert (error["output_type"], error["ename"]) == ("error", "ZeroDivisionError")
    assert SECRET not in outcome.text
    assert [path for path in (Path(blobs.url) / "tmp").glob("*") if path.is_file()] == []


# --- too many ---------------------------------------------------------------------------------------------


def emitted(number: int) -> dict[str, Any]:
    body = {"name": f"r{number}", "data": number, "encoder": "json", "version": 1}
    return {**shown(""), "data": {"application/scrapbook.scrap.json+json": body}}


def test_very_many_displays_go_to_a_file_but_for_what_must_stay(tmp_path: Path):
    blobs = BlobStore(tmp_path / "blobs")
    collector, touched = collecting(Mask([SECRET]), 1_000_000, blobs)
    collector.begin(0, outputs := [])
    for number in range(12_000):
        collector.add(shown(f"{number} {SECRET}"))
    collector.flush()
    assert len(outputs) == 10_001
    assert re.fullmatch(
        r"… 2,000 more outputs: [0-9.]+ KiB so far, on their way to the blobs …", said(outputs[-1])
    )
    collector.stream("stdout", "printed")
    collector.add(emitted(1))
    collector.add(shown("changes"), "d")
    collector.add({"output_type": "execute_result", "data": {}, "metadata": {}, "execution_count": 1})
    collector.add(shown("the last"))
    collector.update("d", {"text/plain": "changed"}, {})
    collector.end()
    assert len(touched) == 12_000 + 5 + 1
    assert [one["output_type"] for one in outputs[10_001:]] == [
        "stream",
        "display_data",
        "display_data",
        "execute_result",
    ]
    assert outputs[10_003] == shown("changed")
    assert read_results({"cells": [{"outputs": outputs}]}) == {"r1": 1}
    assert outputs[:2] == [shown("0 ****"), shown("1 ****")]
    notice = said(outputs[10_000])
    assert notice.startswith("… 2,001 more outputs: ")
    where = outputs[10_000]["metadata"]["spilled"]["application/x-ndjson"]
    assert where["reference"] in notice
    reference = parse_reference(where["reference"])
    assert reference is not None
    lines = blobs.read_bytes(reference.digest).decode().splitlines()
    assert [json.loads(line) for line in lines] == [
        *(shown(f"{number} ****") for number in range(10_000, 12_000)),
        shown("the last"),
    ]
    nbformat.validate(
        nbformat.from_dict(dict(new_notebook(cells=[new_code_cell("x", outputs=outputs[9_990:])])))
    )
    collector.begin(1, later := [])
    collector.add(shown("another cell begins anew"))
    collector.end()
    assert later == [shown("another cell begins anew")]


def said(output: dict[str, Any]) -> str:
    text: str = output["data"]["text/plain"]
    return text


def test_very_many_displays_that_are_cleared_leave_no_file_and_without_blobs_all_stay(tmp_path: Path):
    blobs = BlobStore(tmp_path / "blobs")
    collector, _ = collecting(limit=10_000, blobs=blobs)
    collector.begin(0, outputs := [])
    for _ in range(10_005):
        collector.add(shown("x"))
    assert [path for path in (Path(blobs.url) / "tmp").glob("*") if path.is_file()] != []
    collector.clear(waits=False)
    collector.add(shown("y"))
    collector.end()
    assert outputs == [shown("y")]
    assert [path for path in (Path(blobs.url) / "tmp").glob("*") if path.is_file()] == []
    assert list(blobs.digests()) == []
    collector, _ = collecting()
    collector.begin(0, outputs := [])
    for _ in range(10_005):
        collector.add(shown("x"))
    collector.end()
    assert outputs == [shown("x")] * 10_005


# --- displays without one ---------------------------------------------------------------------------------


def test_each_of_many_small_outputs_is_taken_in_once(run: Run, monkeypatch: pytest.MonkeyPatch):
    """Turns of streams, displays, clears: what is called for each of them is called once for each."""
    counts = {"add": 0, "stream": 0, "clear": 0}

    def counting(name: str) -> Callable[..., None]:
        method = getattr(Collector, name)

        def call(self: Collector, *args: Any, **kwargs: Any) -> None:
            counts[name] += 1
            method(self, *args, **kwargs)

        return call

    for name in counts:
        monkeypatch.setattr(Collector, name, counting(name))
    outcome = run(
        "for n in range(1000): display(n)",
        "import sys\nfor n in range(500): print(n, flush=True); print(n, file=sys.stderr, flush=True)",
    )
    assert outcome.error is None
    assert (counts["add"], counts["clear"]) == (1000, 0)
    assert 1000 <= counts["stream"] < 1500  # a text may come in two pieces, by chance
    shown_, printed = (cell["outputs"] for cell in outcome.notebook["cells"])
    assert [one["data"]["text/plain"] for one in shown_] == [str(n) for n in range(1000)]
    assert [(one["name"], one["text"]) for one in printed[-2:]] == [("stdout", "499\n"), ("stderr", "499\n")]
    assert len(printed) == 1000
